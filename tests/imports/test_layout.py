"""The layouts: their words are those of the pages, their examples pass their own checks, their document is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.faults import Fault
from server.domain.layout import LAYOUTS, OFFICERS, SUBJECTS, Header, header_of, values_of, word_of
from server.domain.subject import check_subject
from server.office.subject_library import _flag_text, _flags
from server.sheets.explain import layout_page
from server.words import messages

FAMILIES = {"kind": "kind", "risk": "risk", "credit": "credit", "status": "status", "traits": "trait", "flags": "flag"}


@pytest.mark.parametrize(("field", "family"), FAMILIES.items())
def test_the_words_of_a_sheet_are_the_words_of_the_pages(field: str, family: str) -> None:
    column = SUBJECTS.column(field)
    known = messages("zh-CN")
    assert [word for word, _ in column.words] == [known[f"{family}.{code}"] for _, code in column.words]
    assert all(word_of(column, code) == word for word, code in column.words)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_names_of_a_layouts_columns_are_told_apart(layout: str) -> None:
    columns = LAYOUTS[layout].columns
    names = [name for column in columns for name in (column.header, *column.aliases)]
    assert len(names) == len(set(names))
    for at, column in enumerate(columns):
        for name in (column.header, *column.aliases):
            row = [other.header if place != at else f" {name}（必填）* " for place, other in enumerate(columns)]
            header, faults = header_of(LAYOUTS[layout], [(1, row)])
            assert header is not None and faults == []
            assert [found.field for _, found in header.columns] == [other.field for other in columns]


def test_the_example_row_of_subjects_is_a_subject() -> None:
    header = Header(1, tuple(enumerate(SUBJECTS.columns)))
    values, faults = values_of(header, [column.example for column in SUBJECTS.columns])
    subject, more = check_subject(values | {"flags": _flags(values["flags"], faults)})
    assert subject is not None and faults == [] and more == []


@given(
    st.lists(st.tuples(st.sampled_from(["complaints", "key_list"]), st.text("\\\\|｜；;名录1", min_size=1)), max_size=4)
)
def test_flags_travel_through_a_cell_whatever_their_documents_are_called(flags: list[tuple[str, str]]) -> None:
    made = [{"kind": kind, "document": document, "from": "2026-01-01", "to": ""} for kind, document in flags]
    faults: list[Fault] = []
    assert json.loads(_flags("；".join(map(_flag_text, made)), faults)) == made and faults == []


def test_the_example_of_an_officers_sex_agrees_with_that_of_his_number() -> None:
    assert (OFFICERS.column("sex").example, OFFICERS.column("id_number").example) == ("女", "411303190001010028")


def test_the_document_is_written_from_the_layouts() -> None:
    assert (Path(__file__).parents[2] / "docs" / "import.zh.md").read_text(encoding="utf-8") == layout_page()
