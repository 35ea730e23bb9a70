"""The office speaks two languages with the same messages, and every message that its pages ask for is there."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from server.domain.access import ACTS
from server.words import LANGUAGES, Words, language_of, messages

PAGES = sorted((Path(__file__).parents[2] / "server" / "templates" / "office").glob("*.html"))
FIXED_KEY = re.compile(r"""\bw\(\s*"([a-z_.]+)"\s*[,)]""")


def test_both_languages_have_the_same_messages_with_the_same_places_to_fill() -> None:
    def places(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    chinese, english = (messages(language) for language in LANGUAGES)
    assert chinese.keys() == english.keys()
    differing = {key for key in chinese if places(english[key]) - places(chinese[key]) - {"year"}}
    assert not differing


def test_every_message_that_a_page_names_is_in_the_catalogue() -> None:
    named = {key for page in PAGES for key in FIXED_KEY.findall(page.read_text(encoding="utf-8"))}
    assert len(named) > 60
    assert named <= messages("zh-CN").keys()


def test_no_chinese_message_holds_an_english_word() -> None:
    allowed = {"nav.language"}
    known = r"GB/T \d|GB18030|SHA-256|XLSX?|CSV|UTF-8|MB|PDF|JPEG|PNG|Excel|WPS"
    english = re.compile(rf"(?<![A-Za-z])(?!{known})[A-Za-z]{{2,}}")
    text = {key: re.sub(r"\{[a-z]+\}", "", value) for key, value in messages("zh-CN").items() if key not in allowed}
    assert not {key: value for key, value in text.items() if english.search(value)}


@pytest.mark.parametrize(
    ("accept", "chosen", "language"),
    [
        (None, None, "zh-CN"),
        ("en-GB,zh;q=0.5", None, "en"),
        ("fr, zh-TW", None, "zh-CN"),
        ("en", "zh-CN", "zh-CN"),
        ("zh", "en", "en"),
        ("zh", "xx", "zh-CN"),
    ],
)
def test_the_language_is_the_chosen_one_else_the_browsers_else_chinese(
    accept: str | None, chosen: str | None, language: str
) -> None:
    assert language_of(accept, chosen) == language


def test_a_moment_is_told_in_beijing_time() -> None:
    assert Words("zh-CN").moment("2026-11-24T16:31:00.000Z") == "11月25日 00:31"


def test_every_act_has_a_role() -> None:
    assert all(ACTS.values())
