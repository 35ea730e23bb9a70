"""What is sealed opens in its own place only, by its own key only, and nothing of it shows."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.store.seal import Sealer, Unreadable, open_sealer

ONE, TWO = Sealer([bytes(32)]), Sealer([bytes(31) + b"\x01"])
NUMBER = "411303190001010018"
HERE = ("officer", "id_number", "li")


@given(st.text(), st.text(), st.text(), st.text())
def test_what_was_sealed_opens_again(table: str, column: str, row_id: str, text: str) -> None:
    assert ONE.open(table, column, row_id, ONE.seal(table, column, row_id, text)) == text


def test_the_same_text_is_never_sealed_the_same_way() -> None:
    assert len({ONE.seal(*HERE, NUMBER) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "place",
    [
        ("expert", "id_number", "li"),
        ("officer", "phone", "li"),
        ("officer", "id_number", "zhang"),
        ("officeri", "d_number", "li"),
        ("officer", "id_numberl", "i"),
    ],
)
def test_a_sealed_field_opens_in_no_other_place(place: tuple[str, str, str]) -> None:
    with pytest.raises(Unreadable, match="belongs to another place"):
        ONE.open(*place, ONE.seal(*HERE, NUMBER))


def test_each_altered_bit_is_found_and_the_complaint_names_the_place_only() -> None:
    sealed = ONE.seal(*HERE, NUMBER)
    for place in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[place // 8] ^= 1 << place % 8
        with pytest.raises(Unreadable) as found:
            ONE.open(*HERE, bytes(altered))
        said = str(found.value)
        assert "officer.id_number" in said and "'li'" in said and NUMBER not in said


@pytest.mark.parametrize("length", range(17))
def test_a_cut_field_is_found(length: int) -> None:
    with pytest.raises(Unreadable, match="no form"):
        ONE.open(*HERE, ONE.seal(*HERE, NUMBER)[:length])


def test_another_key_opens_nothing() -> None:
    with pytest.raises(Unreadable, match=r"the key [0-9a-f]{8} is not here"):
        TWO.open(*HERE, ONE.seal(*HERE, NUMBER))


def test_after_a_rotation_old_and_new_fields_open_and_equality_holds() -> None:
    both = Sealer([bytes(32), bytes(31) + b"\x01"])
    assert both.open(*HERE, ONE.seal(*HERE, NUMBER)) == NUMBER
    assert TWO.open(*HERE, both.seal(*HERE, NUMBER)) == NUMBER
    assert both.blind("officer.id_number", NUMBER) == ONE.blind("officer.id_number", NUMBER)


def test_the_blind_index_is_equal_for_equal_numbers_in_one_column_under_one_key() -> None:
    index = ONE.blind("officer.id_number", "41130319000101001X")
    assert index == ONE.blind("officer.id_number", " ４11303 19000101 001x ")
    others = {
        ONE.blind("officer.id_number", NUMBER),
        ONE.blind("officer.phone", NUMBER),
        TWO.blind("officer.phone", ""),
    }
    assert index not in others and len(others) == 3


def test_the_key_is_made_once_and_read_by_nobody_else(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    sealed = open_sealer(folder).seal(*HERE, NUMBER)
    assert stat.S_IMODE((folder / "fields.key").stat().st_mode) == 0o600
    assert open_sealer(folder).open(*HERE, sealed) == NUMBER
    assert [path.name for path in folder.iterdir()] == ["fields.key"]


def test_a_line_that_is_added_is_the_key_from_then_on(tmp_path: Path) -> None:
    sealed = open_sealer(tmp_path).seal(*HERE, NUMBER)
    with open(tmp_path / "fields.key", "ab") as file:
        file.write(base64.b64encode(bytes(32)))
    after = open_sealer(tmp_path)
    assert after.open(*HERE, sealed) == NUMBER
    assert ONE.open(*HERE, after.seal(*HERE, NUMBER)) == NUMBER


@pytest.mark.parametrize("content", ["", "not base64 !", "AAAA"])
def test_a_file_that_holds_no_keys_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "fields.key").write_text(content)
    with pytest.raises(ValueError, match=r"fields\.key holds no keys"):
        open_sealer(tmp_path)
