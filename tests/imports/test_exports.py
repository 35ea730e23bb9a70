"""Exports: safe to open, masked unless right and reason say else, traced, and the same again when imported."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import httpx
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.layout import LAYOUTS
from server.errors import Problem
from server.office.exports import Wish, may_export
from server.sheets.quoting import quoted, unquoted
from server.sheets.writing import csv_lines, write_workbook
from server.store.people import Person
from server.words import Words
from tests.imports.bringing import applied, brought, csv_of, progress
from tests.imports.planted import COLUMNS
from tests.imports.test_life import database, rows
from tests.running import Running
from tests.scene import PASSWORD

STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
TAILS = (
    "1+1",
    "cmd|' /C calc'!A0",
    'HYPERLINK("http://x","y")',
    "SUM(1,2)",
    "DDE(1)",
    "WEBSERVICE(1)",
    "2",
    "A1",
    "@",
    "=",
    " 1",
    "'1",
    '"1',
    ",1",
    ";1",
    "\n=1",
    "李",
    "𠮷",
    "",
    "IMPORTXML(1)",
)
PAYLOADS = [start + tail for start in STARTS for tail in TAILS]
"""Two hundred texts that some spreadsheet would reckon with."""


@pytest.fixture(scope="module")
def clerk(server: Running) -> Iterator[httpx.Client]:
    """A clerk whose library has fifty subjects."""
    with server.signed_in("clerk") as client:
        applied(client, brought(client, csv_of(rows(1, 50))))
        yield client


def export(client: httpx.Client, kind: str = "csv", **fields: str) -> httpx.Response:
    """An export as the form asks for it."""
    asked = {"layout": "subjects", "format": kind, "proof": PASSWORD} | fields
    return client.post("/office/imports/exports", data=asked)


def sheet(answer: httpx.Response) -> list[list[str]]:
    """The cells of an exported file, read by somebody else's library."""
    assert answer.status_code == 200, answer.text
    if answer.content.startswith(b"PK"):
        book = openpyxl.load_workbook(io.BytesIO(answer.content))
        return [[cell or "" for cell in row] for row in book.worksheets[0].iter_rows(values_only=True)]
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_there_are_two_hundred_payloads() -> None:
    assert len(set(PAYLOADS)) == 200


def test_no_payload_is_a_formula_in_a_workbook() -> None:
    out = io.BytesIO()
    write_workbook(out, "市场主体", iter([["列"], *([payload] for payload in PAYLOADS)]))
    cells = [row[0] for row in openpyxl.load_workbook(io.BytesIO(out.getvalue())).worksheets[0].iter_rows(min_row=2)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert [cell.value.replace("_x000D_", "\r") for cell in cells] == PAYLOADS


def test_no_payload_begins_a_cell_of_a_csv() -> None:
    text = b"".join(csv_lines([payload, "x"] for payload in PAYLOADS)).decode("utf-8-sig")
    cells = [row[0] for row in csv.reader(io.StringIO(text, newline=""))]
    assert all(cell.startswith("'") for cell in cells)
    assert [unquoted(cell) for cell in cells] == PAYLOADS


@given(st.text())
def test_what_is_quoted_is_unquoted_to_the_same(text: str) -> None:
    assert unquoted(quoted(text)) == text
    assert quoted(text)[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n")


@pytest.mark.rule("R7.1", "allows")
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("whole", [False, True])
def test_an_export_imported_again_differs_in_nothing(clerk: httpx.Client, kind: str, whole: bool) -> None:
    fields = {"whole": "yes", "reason": "核对"} if whole else {}
    answer = export(clerk, kind, **fields)
    assert [row[COLUMNS.index("联系电话")] for row in sheet(answer)[1:2]] != ["14000000001"[: 0 if whole else None]]
    page = brought(clerk, answer.content, f"export.{kind}")
    assert progress(clerk, page)["counts"] == {"kinds": {"same": 50}, "codes": {}}


@settings(max_examples=5, deadline=None)
@given(numbers=st.sets(st.integers(1, 50), min_size=1, max_size=8))
def test_any_part_of_an_export_imported_again_differs_in_nothing(clerk: httpx.Client, numbers: set[int]) -> None:
    lines = sheet(export(clerk))
    page = brought(clerk, csv_of([lines[number] for number in numbers], lines[0]))
    assert progress(clerk, page)["counts"] == {"kinds": {"same": len(numbers)}, "codes": {}}


def test_phones_are_masked_unless_asked_for_whole_with_a_reason(clerk: httpx.Client) -> None:
    at = COLUMNS.index("联系电话")
    masked = [row[at] for row in sheet(export(clerk))[1:]]
    assert all("****" in phone for phone in masked)
    refused = export(clerk, whole="yes")
    assert (refused.status_code, refused.json()["code"], refused.json()["article"]) == (
        422,
        "export_reason_missing",
        "7",
    )
    phones = {row[at] for row in sheet(export(clerk, whole="yes", reason="电话核对"))[1:]}
    assert phones == {row[at] for row in rows(1, 50)}


@pytest.mark.rule("R7.1", "refuses")
def test_whole_numbers_need_the_right_to_them() -> None:
    legal = Person("legal", "legal", "legal", "hazchem", ("legal_unit",), None)
    with pytest.raises(Problem) as refused:
        may_export(legal, Wish("officers", None, whole=True, reason="核对"))
    assert refused.value.code == "other_unit"
    clerk = Person("clerk", "clerk", "clerk", "hazchem", ("unit_clerk",), None)
    with pytest.raises(Problem) as missing:
        may_export(clerk, Wish("subjects", "hazchem", whole=True))
    assert (missing.value.code, missing.value.document("zh")["article"]) == ("export_reason_missing", "7")


def test_an_export_has_what_the_list_shows_and_no_other_units_rows(server: Running, clerk: httpx.Client) -> None:
    risky = [row for row in rows(1, 50) if row[COLUMNS.index("风险等级")] == "高"]
    assert {row[0] for row in sheet(export(clerk, risk="high"))[1:]} == {row[0] for row in risky}
    found = sheet(export(clerk, q=risky[0][2]))[1:]
    assert [row[0] for row in found] == [risky[0][0]]
    with server.signed_in("clerk2") as other:
        assert sheet(export(other))[1:] == []
        assert sheet(export(other, unit="hazchem"))[1:] == []
    with server.signed_in("legal") as legal:
        assert len(sheet(export(legal))[1:]) == 50


def test_each_export_leaves_one_entry_with_filters_count_and_digest(server: Running, clerk: httpx.Client) -> None:
    import hashlib
    import json

    import sqlalchemy as sa

    from server.store.tables import trail

    answer = export(clerk, risk="high", whole="yes", reason="电话核对")
    with database(server) as db, db.read() as conn:
        query = sa.select(trail.c.object, trail.c.actor, trail.c.after, trail.c.detail)
        last = conn.execute(query.where(trail.c.act == "export.make").order_by(trail.c.n.desc()).limit(1)).one()
    detail: dict[str, Any] = json.loads(last.detail)
    assert (last.object, last.actor, last.after) == (
        "export:subjects",
        "clerk",
        hashlib.sha256(answer.content).hexdigest(),
    )
    assert detail["filters"] == {"risk": "high"} and detail["count"] == len(sheet(answer)) - 1
    assert detail["whole"] is True and detail["reason"] == "电话核对"
    assert not any(row[COLUMNS.index("联系电话")].encode() in last.detail for row in rows(1, 50))


@pytest.mark.rule("R7.1", "http")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_templates_carry_the_columns_their_words_and_an_explanation(clerk: httpx.Client, layout: str) -> None:
    answer = clerk.get(f"/office/imports/templates/{layout}.xlsx")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    columns = LAYOUTS[layout].columns
    assert book.sheetnames == [LAYOUTS[layout].sheet, "填写说明"]
    assert [cell.value for cell in book.worksheets[0][1]] == [column.header for column in columns]
    explained = list(book.worksheets[1].iter_rows(min_row=2, values_only=True))
    assert [line[0] for line in explained] == [column.header for column in columns]
    plain = clerk.get(f"/office/imports/templates/{layout}.csv").content
    assert plain.decode("utf-8-sig").strip().split(",") == [column.header for column in columns]
    assert plain.startswith(b"\xef\xbb\xbf")


def test_officers_and_agencies_travel_out_and_in_without_a_difference(clerk: httpx.Client) -> None:
    header = ["姓名", "性别", "手机号", "身份证号", "执法证号", "有效期起", "有效期止", "专业领域"]
    line = [
        "韩某",
        "女",
        "14000000009",
        "411303190001010028",
        "豫R13999001",
        "2024/1/1",
        "2029年12月31日",
        "危险化学品",
    ]
    page = applied(clerk, brought(clerk, csv_of([line], header), layout="officers"))
    assert progress(clerk, page)["state"] == "applied"
    answer = export(clerk, "xlsx", layout="officers", q="豫R13999001")
    cells = dict(zip(*sheet(answer), strict=True))
    assert (cells["手机号"], cells["身份证号"], cells["有效期止"]) == (
        "140****0009",
        "4****************8",
        "2029-12-31",
    )
    again = brought(clerk, answer.content, "export.xlsx", "officers")
    assert progress(clerk, again)["counts"]["kinds"] == {"same": 1}
    changed = brought(clerk, csv_of([[*line[:2], "14000000008", *line[3:]]], header), layout="officers")
    assert progress(clerk, changed)["counts"]["kinds"] == {"changed": 1}
    applied(clerk, changed, changed="take")
    for batch in (changed, page):
        assert clerk.post(f"{batch}/undo").status_code == 303
        while progress(clerk, batch)["state"] == "undoing":
            pass
        assert progress(clerk, batch)["state"] == "undone"
    assert len(sheet(export(clerk, layout="officers", q="豫R13999001"))) == 1


def test_a_number_that_somebody_types_stays_out_of_the_trail_and_the_list(server: Running, clerk: httpx.Client) -> None:
    import sqlalchemy as sa

    from server.store.tables import trail

    phone = "14000007777"
    assert export(clerk, q=phone).status_code == 200
    refused = export(clerk, whole="yes", reason=f"打 {phone}")
    assert [fault["code"] for fault in refused.json()["faults"]] == ["number_in_text"]
    brought(clerk, csv_of(rows(1, 1)), f"{phone}.csv")
    sourced = clerk.post("/office/imports", data={"layout": "subjects", "source": phone})
    assert {"field": "source", "code": "number_in_text"}.items() <= sourced.json()["faults"][0].items()
    assert phone not in clerk.get("/office/imports", headers={"Accept": "text/html"}).text
    with database(server) as db, db.read() as conn:
        details = conn.scalars(sa.select(trail.c.detail).where(trail.c.detail.is_not(None))).all()
    assert not any(phone.encode() in detail for detail in details)


def test_the_words_say_where_whole_numbers_go() -> None:
    assert "留痕" in Words("zh-CN")("hint.export.reason")
