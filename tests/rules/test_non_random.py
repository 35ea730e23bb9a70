"""Inspections outside the draw: recorded with the ground that article 2 asks for, counted nowhere, seen in the year."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
import sqlalchemy as sa

from server.domain.faults import Invalid
from server.domain.non_random import KINDS, NonRandom, check_non_random
from server.errors import Problem
from server.office.non_random import (
    approve_non_random,
    record_non_random,
    refuse_non_random,
    withdraw_non_random,
)
from server.store import tables
from server.store.non_random import non_random_of, one
from server.store.selections import times_drawn
from server.store.session import Connection, Database
from tests.dispatching import database_of
from tests.office.district import HTML
from tests.rules.people import CLERK, HEAD, person
from tests.running import Running
from tests.scene import NOW, UNITS, populate
from tests.subjects import VALID as SUBJECT
from tests.subjects import row_of

TODAY = date(2026, 11, 24)
CODE = str(SUBJECT.uscc)
VALID: dict[str, dict[str, str]] = {
    "special_requirement": {"ground": "ministry", "document": "应急厅函〔2026〕12 号"},
    "lead": {"ground": "complaint", "text": "举报称未经许可分装危险化学品"},
    "case": {"ground": "transferred"},
    "incident": {},
    "other": {"text": "企业申请复产，请求到场核验"},
}


def entered(kind: str, **changes: str) -> dict[str, str]:
    return {"code": CODE, "held_on": "2026-11-20", "kind": kind} | VALID[kind] | changes


def add_subject(conn: Connection) -> None:
    conn.execute(sa.insert(tables.subject).values(row_of()))
    conn.execute(sa.insert(tables.unit_subject).values(unit_id=UNITS[0], subject_id=SUBJECT.id))


@pytest.fixture
def house(any_database: Database) -> Database:
    populate(any_database)
    with any_database.write() as conn:
        add_subject(conn)
    return any_database


def record(db: Database, kind: str, **changes: str) -> str:
    with db.write() as conn:
        return record_non_random(conn, CLERK, NOW, entered(kind, **changes))


def year_of(db: Database, year: int = 2026) -> list[NonRandom]:
    with db.read() as conn:
        return non_random_of(conn, SUBJECT.id, year)


def faults_of(values: dict[str, str], items: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    _, faults = check_non_random(values, items, {"hazchem-storage"}, TODAY)
    return [(fault.field, fault.code) for fault in faults]


# --- what may be recorded ---------------------------------------------------------------------------------------------


@pytest.mark.rule("R2.2", "allows")
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "other"])
def test_each_kind_is_recorded_with_what_it_asks_for_and_stands_in_the_subjects_year(
    house: Database, kind: str
) -> None:
    made = record(house, kind)
    (found,) = year_of(house)
    assert (found.id, found.kind, found.unit_id, found.held_on, found.state) == (
        made,
        kind,
        UNITS[0],
        "2026-11-20",
        "recorded",
    )
    assert year_of(house, 2025) == []


@pytest.mark.rule("R2.2", "allows")
def test_another_kind_stands_in_the_year_only_once_the_unit_head_approved_it(house: Database) -> None:
    made = record(house, "other")
    assert year_of(house) == []
    with house.write() as conn:
        approve_non_random(conn, HEAD, NOW, made)
    assert [(one.state, one.decided_by) for one in year_of(house)] == [("approved", "head")]


def test_it_counts_in_no_draw(house: Database) -> None:
    for n in range(3):
        record(house, "incident", text=f"第 {n + 1} 起")
    with house.read() as conn:
        assert times_drawn(conn, date(2026, 1, 1), date(2026, 12, 31)) == {}
    assert len(year_of(house)) == 3


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.rule("R2.2", "refuses")
@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (entered("special_requirement", ground=""), ("ground", "missing")),
        (entered("special_requirement", ground="complaint"), ("ground", "not_one_of")),
        (entered("special_requirement", document=" "), ("document", "missing")),
        (entered("lead", ground=""), ("ground", "missing")),
        (entered("lead", text=""), ("text", "missing")),
        (entered("case", ground="in_duty"), ("ground", "not_one_of")),
        (entered("other", text=""), ("text", "missing")),
        (entered("incident") | {"kind": ""}, ("kind", "missing")),
        (entered("incident") | {"kind": "routine"}, ("kind", "not_one_of")),
        (entered("incident", held_on="2026-11-25"), ("held_on", "in_the_future")),
        (entered("incident", code="91411303MA9F2T6K9W"), ("code", "not_in_library")),
    ],
)
def test_without_its_ground_an_inspection_is_not_recorded(
    database: Database, values: dict[str, str], fault: tuple[str, str]
) -> None:
    populate(database)
    with database.write() as conn:
        add_subject(conn)
    with pytest.raises(Invalid) as refused, database.write() as conn:
        record_non_random(conn, CLERK, NOW, values)
    assert (refused.value.code, refused.value.article) == ("invalid", "2")
    assert [(one.field, one.code) for one in refused.value.faults] == [fault]
    assert year_of(database) == []


def test_every_fault_is_said_at_once() -> None:
    assert faults_of({"code": "", "held_on": "昨天", "kind": "lead"}, ("x",)) == [
        ("code", "missing"),
        ("held_on", "not_a_day"),
        ("items", "unknown_item"),
        ("ground", "missing"),
        ("text", "missing"),
    ]


@pytest.mark.rule("R2.2", "refuses")
@pytest.mark.parametrize(("again", "more"), [(approve_non_random, ()), (refuse_non_random, ("理由",))])
def test_what_was_decided_or_needs_no_decision_is_not_decided(
    house: Database, again: Callable[..., None], more: tuple[str, ...]
) -> None:
    decided, plain = record(house, "other"), record(house, "incident")
    with house.write() as conn:
        refuse_non_random(conn, HEAD, NOW, decided, "应纳入随机抽查")
    for made in (decided, plain):
        with pytest.raises(Problem) as refused, house.write() as conn:
            again(conn, HEAD, NOW, made, *more)
        assert (refused.value.code, refused.value.article) == ("non_random_decided", "2")


def test_nobody_approves_what_he_himself_recorded(house: Database) -> None:
    both = person("clerk", "unit_clerk", "unit_head")
    made = record(house, "other")
    with pytest.raises(Problem, match="own_entry"), house.write() as conn:
        approve_non_random(conn, both, NOW, made)


def test_for_the_head_of_another_unit_it_is_not_there(house: Database) -> None:
    made = record(house, "other")
    with pytest.raises(Problem, match="not_found"), house.write() as conn:
        approve_non_random(conn, person("head2", "unit_head", unit=UNITS[1]), NOW, made)


def test_what_was_withdrawn_leaves_the_year_and_can_still_be_read(house: Database) -> None:
    made = record(house, "incident")
    with house.write() as conn:
        withdraw_non_random(conn, HEAD, NOW, made, "重复登记")
    assert year_of(house) == []
    with house.read() as conn:
        line = one(conn, made)
    assert line is not None and (line.it.state, line.it.reason, line.code) == ("withdrawn", "重复登记", CODE)


# --- over HTTP --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("R2.2", "http")
def test_it_is_recorded_approved_and_listed_over_http(server: Running) -> None:
    with database_of(server).write() as conn:
        add_subject(conn)
    with server.signed_in("clerk") as clerk, server.signed_in("head") as head, server.signed_in("clerk2") as stranger:
        wrong = clerk.post("/office/non-random/new", data=entered("lead", text=""))
        assert (wrong.status_code, wrong.json()["code"], wrong.json()["article"]) == (422, "invalid", "2")
        page = clerk.post("/office/non-random/new", data=entered("lead", text=""), headers=HTML)
        assert page.status_code == 422 and "没有填写。" in page.text and CODE in page.text
        made = clerk.post("/office/non-random/new", data=entered("other"))
        assert made.status_code == 303
        address = made.headers["location"]
        assert "待股室负责人批准" in clerk.get(address, headers=HTML).text
        assert stranger.get(address).status_code == 404
        assert clerk.post(f"{address}/approve").status_code == 403
        assert head.post(f"{address}/approve").status_code == 303
        again = head.post(f"{address}/approve")
        assert (again.status_code, again.json()["code"], again.json()["article"]) == (409, "non_random_decided", "2")
        assert "已批准" in head.get("/office/non-random?kind=other", headers=HTML).text
        assert SUBJECT.name not in stranger.get("/office/non-random", headers=HTML).text
