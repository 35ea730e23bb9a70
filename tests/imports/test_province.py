"""The province's platform: its layout is data, each row keeps its state, and an export marks what it holds (R7.3)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import httpx
import pytest
import sqlalchemy as sa

from server.domain.faults import Invalid
from server.domain.province import FIRST, KINDS, RESULTS, check_mapping, values_of
from server.errors import Problem
from server.office import province as office
from server.office.libraries import Place
from server.store import province, tables
from server.store.people import Person
from server.store.seal import Sealer
from server.store.session import Database
from tests.imports import hostile
from tests.imports.bringing import applied, brought, csv_of
from tests.imports.test_life import database, rows
from tests.running import Running
from tests.scene import NOW, PASSWORD, populate

CLERK = Person("clerk", "clerk", "clerk", "hazchem", ("unit_clerk",), None)
HTML = {"Accept": "text/html"}
SENT = office.Sent("item-1", "item-1", "事项", {"name": "事项"})
PLACE = Place("hazchem", {"hazchem": "hazchem"}, NOW.date(), Sealer([bytes(32)]))


@pytest.fixture(scope="module")
def clerk(server: Running) -> Iterator[httpx.Client]:
    """A clerk whose library has three subjects."""
    with server.signed_in("clerk") as client:
        applied(client, brought(client, csv_of(rows(1, 3))))
        yield client


def export(client: httpx.Client, kind: str = "subject", which: str = "new") -> list[list[str]]:
    """An export in the province's layout."""
    form = {"format": "csv", "which": which, "proof": PASSWORD}
    answer = client.post(f"/office/province/kinds/{kind}/export", data=form)
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


def receipts(client: httpx.Client, content: bytes, name: str = "receipts.csv") -> httpx.Response:
    """Brings a file of receipts."""
    return client.post("/office/province/kinds/subject/receipts", files={"file": (name, content)})


@pytest.mark.rule("R7.3", "http")
@pytest.mark.rule("R7.3", "allows")
def test_a_row_goes_from_not_sent_to_exported_to_confirmed_with_its_number(
    server: Running, clerk: httpx.Client
) -> None:
    codes = [row[0] for row in rows(1, 3)]
    page = "/office/province/kinds/subject"
    assert clerk.get(f"{page}?state=not_sent", headers=HTML).text.count("未报送") >= 3
    lines = export(clerk)
    assert lines[0] == [header for _, header in KINDS["subject"]] and {line[0] for line in lines[1:]} == set(codes)
    assert export(clerk)[1:] == []
    assert {line[0] for line in export(clerk, which="all")[1:]} == set(codes)
    header = ["统一社会信用代码", "省平台编号"]
    answer = receipts(clerk, csv_of([[codes[0], "HN-2026-001"], [codes[1], "HN-2026-002"]], header))
    assert answer.status_code == 303, answer.text
    book = hostile.workbook([header, [codes[2], "HN-2026-003"]], "省平台回执")
    assert receipts(clerk, book, "receipts.xlsx").status_code == 303
    shown = clerk.get(f"{page}?state=confirmed", headers=HTML).text
    assert all(number in shown for number in ("HN-2026-001", "HN-2026-002", "HN-2026-003"))
    with database(server) as db, db.read() as conn:
        states = province.states_of(conn, "subject")
    assert {(state.state, state.by) for state in states.values()} == {("confirmed", "clerk")}
    applied(clerk, brought(clerk, csv_of(rows(1, 1, 风险等级="低"))), changed="take")
    again = export(clerk)[1:]
    assert [line[0] for line in again] == [codes[0]]
    shown = clerk.get(f"{page}?state=exported", headers=HTML).text
    assert "HN-2026-001" in shown and codes[0] in shown


def test_a_receipt_file_is_taken_whole_or_not_at_all(clerk: httpx.Client) -> None:
    header, code = ["信用代码", "平台编号"], rows(1, 1)[0][0]
    unknown = receipts(clerk, csv_of([[code, "HN-1"], ["91411303MA00000010", "HN-2"]], header))
    assert unknown.json()["faults"][0]["code"] == "receipt_unknown" and unknown.json()["article"] == "7"
    twice = receipts(clerk, csv_of([[code, "HN-1"], [code, "HN-2"]], header))
    assert (twice.status_code, twice.json()["faults"][0]["values"]) == (422, {"row": 3})


@pytest.mark.rule("R7.3", "refuses")
def test_what_was_not_exported_has_no_receipt_and_a_number_is_given_once(any_database: Database) -> None:
    populate(any_database)

    def confirm(object: str, number: str) -> None:
        any_database.run_write(lambda conn: office._confirm(conn, CLERK, NOW, "item", object, number))

    with pytest.raises(Problem) as early:
        confirm("item-1", "HN-1")
    assert (early.value.code, early.value.document("zh")["article"]) == ("province_not_exported", "7")
    other = office.Sent("item-2", "item-2", "事项二", {"name": "事项二"})
    any_database.run_write(lambda conn: office.note_export(conn, CLERK, NOW, "item", [SENT, other], "0" * 64))
    confirm("item-1", "HN-1")
    for number in ("HN-1", "", "长" * 65):
        with pytest.raises(Problem) as refused:
            confirm("item-2", number)
        assert (refused.value.code, refused.value.document("zh")["article"]) == ("province_number", "7")


def test_what_is_confirmed_and_unchanged_stays_confirmed(any_database: Database) -> None:
    def mark(digest: str) -> province.State:
        any_database.run_write(lambda conn: province.mark_exported(conn, "item", {"a": digest}, "clerk", NOW))
        with any_database.read() as conn:
            return province.states_of(conn, "item", ["a"])["a"]

    assert mark("1" * 64).state == "exported"
    any_database.run_write(lambda conn: province.confirm(conn, "item", "a", "HN-1", "clerk", NOW))
    assert mark("1" * 64).state == "confirmed"
    moved = mark("2" * 64)
    assert (moved.state, moved.number) == ("exported", "HN-1")


def test_marks_and_the_trail_are_one_transaction(any_database: Database) -> None:
    populate(any_database)
    any_database.run_write(lambda conn: office.note_export(conn, CLERK, NOW, "item", [SENT], "0" * 64))
    with any_database.read() as conn:
        query = sa.select(tables.trail.c.object, tables.trail.c.detail)
        (entry,) = conn.execute(query.where(tables.trail.c.act == "province.export")).all()
        assert province.states_of(conn, "item").keys() == {"item-1"}
    assert entry.object == "province:item" and json.loads(entry.detail) == {"count": 1, "sha256": "0" * 64}


def test_the_mapping_is_versioned_and_an_export_follows_it(server: Running, clerk: httpx.Client) -> None:
    values = values_of(FIRST) | {
        "subject.name": "企业名称（全称）",
        "subject.name.at": "1",
        "subject.uscc.at": "2",
        "subject.legal_representative": "",
        "result.qualified": "HG",
    }
    assert clerk.post("/office/province/mapping", data=values).status_code == 303
    header = export(clerk, which="all")[0]
    assert header[:2] == ["企业名称（全称）", "统一社会信用代码"] and "法定代表人" not in header
    with database(server) as db, db.read() as conn:
        n, mapping = province.mapping_of(conn)
    assert n == 1 and mapping.results["qualified"] == "HG"
    assert "第 1 版" in clerk.get("/office/province/mapping", headers=HTML).text


def test_a_new_house_has_a_mapping_that_its_own_form_takes() -> None:
    made, faults = check_mapping(values_of(FIRST))
    assert made == FIRST and faults == []
    assert len(set(FIRST.results.values())) == 10 == len(RESULTS)


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"subject.name": "统一社会信用代码"}, "subject.name", "province_header_twice"),
        ({"result.qualified": "01"}, "result.no_problem_found", "province_code_twice"),
        ({"result.qualified": ""}, "result.qualified", "missing"),
        ({f"expert.{field}": "" for field, _ in KINDS["expert"]}, "expert.name", "province_no_column"),
        ({"item.name": "长" * 41}, "item.name", "too_long"),
        ({"item.name.at": "0"}, "item.name.at", "not_a_number"),
    ],
)
def test_a_mapping_that_the_platform_could_not_read_is_refused(
    any_database: Database, changes: dict[str, str], field: str, code: str
) -> None:
    populate(any_database)
    with pytest.raises(Invalid) as refused:
        any_database.run_write(lambda conn: office.change_mapping(conn, CLERK, NOW, values_of(FIRST) | changes))
    assert (refused.value.faults[0].field, refused.value.faults[0].code) == (field, code)
    assert refused.value.document("zh")["article"] == "7"


def test_another_units_subject_is_confirmed_by_nobody_here(server: Running, clerk: httpx.Client) -> None:
    export(clerk, which="all")
    with database(server) as db, db.read() as conn:
        object = next(iter(province.states_of(conn, "subject")))
    with server.signed_in("clerk2") as other:
        answer = other.post("/office/province/kinds/subject/confirm", data={"object": object, "number": "HN-9"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert PLACE.unit_name("hazchem") == "hazchem"
