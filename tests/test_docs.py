"""What the code can be asked for is documented."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from server.errors import CODES, TITLES
from server.settings import TEST_SETTINGS, Settings, variable
from tools.docs import PAGES, ROOT

CODE = re.compile(r'Problem\(\s*"(\w+)"|_missing\("(\w+)"')


@pytest.mark.parametrize("name", PAGES)
def test_a_page_written_from_the_code_says_what_the_code_says(name: str) -> None:
    assert (ROOT / name).read_text() == PAGES[name](), f"run `make docs`: {name} is behind the code"


PAGE = 1_300
"""Signs on a printed page of Chinese: some 38 in a line, 40 lines, with headings and gaps."""


@pytest.mark.parametrize(("name", "pages"), [("draw", 1), ("draw-audit", 5)])
def test_the_draw_is_told_to_a_shop_owner_on_one_page_and_to_an_auditor_on_five(name: str, pages: int) -> None:
    text = (ROOT / f"docs/guide/{name}.zh.md").read_text()
    print(f"{name}: {len(text)} signs")
    assert (pages - 1) * PAGE // 2 < len(text) <= pages * PAGE


def test_every_setting_is_documented() -> None:
    page = (ROOT / "docs/settings.md").read_text()
    names = [variable(knob.name) for knob in dataclasses.fields(Settings)] + list(TEST_SETTINGS)
    assert [name for name in names if f"`{name}`" not in page] == []


def test_every_problem_has_words_in_both_languages_and_a_title() -> None:
    for code, line in CODES.items():
        assert re.search(r"[\u4e00-\u9fff]", line.zh), code
        assert re.search(r"[a-z]", line.en), code
        assert line.status in TITLES, f"{code}: status {line.status} has no title"


def test_both_languages_of_a_problem_have_the_same_blanks() -> None:
    blanks = re.compile(r"\{(\w+)\}")
    odd = [code for code, line in CODES.items() if set(blanks.findall(line.en)) - set(blanks.findall(line.zh))]
    assert set(odd) <= {"min_proto"}  # its Chinese sentence needs no number


def test_every_problem_that_the_code_raises_is_in_the_catalogue_and_none_is_there_for_nothing() -> None:
    text = "".join(path.read_text() for path in (ROOT / "server").rglob("*.py") if path.name != "errors.py")
    raised = {first or second for first, second in CODE.findall(text)}
    assert raised <= set(CODES)
    assert [code for code in CODES if f'"{code}"' not in text] == []


def test_no_file_names_a_mirror_or_a_folder_of_somebodys_machine() -> None:
    for name in ("requirements.lock", "requirements-dev.lock", "web/package-lock.json", "pyproject.toml", "Makefile"):
        text = Path(ROOT / name).read_text()
        assert not re.search(r"(?<!emit-)index-url|find-links|file:/|\"resolved\"|/root/|/home/", text), name
