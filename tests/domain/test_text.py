"""What hides, turns round or passes for something else is refused where people read names; rare characters are not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import text
from server.domain.faults import Fault

HAN = st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=1, max_size=40)


def kinds(faults: list[Fault]) -> list[str]:
    return [fault.code for fault in faults]


@pytest.mark.parametrize(
    "name",
    [
        "南阳宛城𠮷祥有限公司",
        "䶮",
        "南阳ABC化工（集团）有限公司",
        "阿卜杜拉·买买提",
        "7天连锁酒店",
        "七〇一厂",
        "々木",
        "𲎯记商行",
        "Café 南阳店",
    ],
)
def test_names_as_people_and_firms_bear_them_are_taken(name: str) -> None:
    assert text.clean_name(name) == name
    assert text.name_faults("name", name) == []


@given(HAN)
def test_every_common_character_is_taken(name: str) -> None:
    assert text.name_faults("name", name) == []


@pytest.mark.parametrize(
    ("name", "code", "values"),
    [
        ("南阳\x07化工", "control_character", {"found": "U+0007", "at": 3}),
        ("南阳\n化工", "control_character", {"found": "U+000A", "at": 3}),
        ("南阳\u202e化工", "bidi_character", {"found": "U+202E", "at": 3}),
        ("\u2066南阳", "bidi_character", {"found": "U+2066", "at": 1}),
        ("南\u200b阳", "invisible_character", {"found": "U+200B", "at": 2}),
        ("南\ufeff阳", "invisible_character", {"found": "U+FEFF", "at": 2}),
        ("南\u3164阳", "invisible_character", {"found": "U+3164", "at": 2}),
        ("葛\U000e0100城", "invisible_character", {"found": "U+E0100", "at": 2}),
        ("南阳\ud800", "unknown_character", {"found": "U+D800", "at": 3}),
        ("南\ue863阳", "unknown_character", {"found": "U+E863", "at": 2}),
        ("南\ufffe阳", "unknown_character", {"found": "U+FFFE", "at": 2}),
        ("Zq\u0337alg", "combining_character", {"found": "U+0337", "at": 3}),
        ("南阳АBC厂", "look_alike_expected", {"found": "А (U+0410)", "at": 3, "expected": "A"}),
        ("南阳⼀厂", "look_alike_expected", {"found": "⼀ (U+2F00)", "at": 3, "expected": "一"}),
        ("南阳ロ腔医院", "look_alike_expected", {"found": "ロ (U+30ED)", "at": 3, "expected": "口"}),
        ("南阳𝐀厂", "look_alike_expected", {"found": "𝐀 (U+1D400)", "at": 3, "expected": "A"}),
        ("南阳ɑ厂", "look_alike", {"found": "ɑ (U+0251)", "at": 3}),
        ("南阳🔥厂", "symbol", {"found": "🔥 (U+1F525)", "at": 3}),
    ],
)
def test_what_hides_or_deceives_is_refused_with_its_place(name: str, code: str, values: dict[str, str | int]) -> None:
    assert text.name_faults("name", text.clean_name(name)) == [Fault("name", code, values)]


def test_each_kind_of_fault_is_said_once_and_all_of_them() -> None:
    faults = text.name_faults("name", "\u202e\u202eА\u200b")
    assert kinds(faults) == ["bidi_character", "look_alike_expected", "invisible_character"]


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ("  南阳　ＡＢＣ１２３  化工（集团） ", "南阳 ABC123 化工（集团）"),
        ("阿卜杜拉・买买提", "阿卜杜拉·买买提"),
        ("Cafe\u0301", "Café"),
    ],
)
def test_a_name_is_kept_in_one_form(entered: str, kept: str) -> None:
    assert text.clean_name(entered) == kept


def test_an_address_keeps_what_a_name_may_not_have() -> None:
    line = text.clean("卧龙区 Ⅱ 期 ① 号楼　Б座")
    assert line == "卧龙区 Ⅱ 期 ① 号楼 Б座"
    assert text.line_faults("address", line) == []
    assert kinds(text.line_faults("address", "一号\u202e楼")) == ["bidi_character"]


def test_a_free_text_has_lines_and_nothing_hidden() -> None:
    kept = text.clean_text(" 第一行\r\n\t第二行\r第三行 \n")
    assert kept == "第一行\n\t第二行\n第三行"
    assert text.text_faults("reason", kept) == []
    assert kinds(text.text_faults("reason", "一\x00二")) == ["control_character"]


def test_length_is_counted_in_characters() -> None:
    assert text.name_faults("name", "𠮷" * 120) == []
    assert text.name_faults("name", "𠮷" * 121) == [Fault("name", "too_long", {"n": 121, "most": 120})]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_what_was_cleaned_once_stays_as_it_is(entered: str) -> None:
    for clean in (text.clean, text.clean_name, text.clean_text):
        kept = clean(entered)
        assert clean(kept) == kept
        assert unicodedata.is_normalized("NFC", kept)


@given(st.text(max_size=30))
def test_whatever_is_entered_has_an_answer(entered: str) -> None:
    for faults in (text.name_faults, text.line_faults, text.text_faults):
        assert all(fault.field == "x" and fault.values for fault in faults("x", entered))


def test_two_spellings_of_one_name_are_the_same() -> None:
    assert text.same_name("南阳ＡＢＣ（集团） 有限公司") == text.same_name("南阳abc(集团)有限公司")
    assert text.same_name("南阳甲有限公司") != text.same_name("南阳乙有限公司")
