"""Two visits of one subject become one: one door for several matters, before anybody recorded anything (R22.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from server.domain.item import template_of_both
from server.errors import Problem
from server.store import tables
from server.store.people import Person
from server.store.session import Database
from server.sync import acts
from server.sync.keys import Keys
from server.sync.record import record_of
from tests.dispatching import ITEM, POINTS, checklist, database_of, dispatch, keys_of, prepare
from tests.phone import Phone
from tests.running import Running
from tests.scene import NOW

PATH = ["visit", "summary"]
OTHER_ITEM, OTHER_POINTS = "special-operations", ("so1", "so2")
OTHER = checklist(OTHER_POINTS, OTHER_ITEM)
OTHER_CREW = (("zhao", "leader"), ("wang", "member"))
LATER = ("2026-12-01", "2027-01-31")
CLERK = Person("clerk", "clerk", "clerk", "hazchem", ("unit_clerk",), None)


class Two:
    """Two visits of one subject, of two tasks, for two crews that have one officer in common."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.db: Database = database_of(server)
        self.keys: Keys = keys_of(self.db, server.data / "keys")
        prepare(self.db)
        _add_the_other_task(self.db)
        self.mine = dispatch(self.db, self.keys)
        self.other = self.dispatch_other()

    def dispatch_other(self, **instead: Any) -> str:
        """A visit for the second task."""
        given: dict[str, Any] = {"tpl": sha256(OTHER), "tasks": ["t2"], "window": LATER, "crew": OTHER_CREW}
        return dispatch(self.db, self.keys, **{**given, **instead})

    def merge(self, person: Person = CLERK, **instead: str) -> acts.Done:
        """The clerk, or somebody else, merges them."""
        mine, other = instead.get("mine", self.mine), instead.get("other", self.other)
        return acts.merge_visits(self.db, self.keys, person, mine, other, NOW)

    def refusal(self, person: Person = CLERK, **instead: str) -> str:
        """The code of the problem in the way."""
        with pytest.raises(Problem) as refused:
            self.merge(person, **instead)
        return refused.value.code

    def view(self, visit: str) -> Any:
        """The server's view."""
        record = record_of(self.db, visit)
        assert record is not None
        return msgspec.json.decode(record.view)

    def phone(self, officer: str, *visits: str) -> Phone:
        """A phone of the crew that looks only at these visits."""
        phone = Phone(self.server.url, officer).sign_in().enrol()
        phone.sync()
        phone.assignments = {id_: card for id_, card in phone.assignments.items() if id_ in visits}
        phone.drain()
        return phone


def sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _add_the_other_task(db: Database) -> None:
    with db.write() as conn:
        if conn.scalar(sa.select(tables.item.c.id).where(tables.item.c.id == OTHER_ITEM)):
            return
        for table, key, new, more in (
            (tables.item, ITEM, OTHER_ITEM, {}),
            (tables.task, "t1", "t2", {"due_on": "2027-01-31"}),
            (tables.subject, "s1", "s2", {"uscc": "91411303MA00000029", "no": 2}),
        ):
            row = conn.execute(sa.select(table).where(table.c.id == key)).mappings().one()
            conn.execute(sa.insert(table).values({**row, "id": new, **more}))
        conn.execute(sa.insert(tables.task_item).values(task_id="t2", item_id=OTHER_ITEM))
        conn.execute(sa.insert(tables.template).values(sha256=sha256(OTHER), title="x", body=OTHER))


@pytest.fixture
def two(server: Running) -> Iterator[Two]:
    made = Two(server)
    yield made
    made.db.close()


def test_one_visit_gets_both_tasks_and_one_checklist_and_the_other_is_void(two: Two) -> None:
    phones = {officer: two.phone(officer, two.mine, two.other) for officer in ("li", "wang", "zhao")}
    before = two.view(two.mine)["digest"]
    two.merge()
    for phone in phones.values():
        phone.sync()
    card = phones["li"].assignments[two.mine]
    assert [(it["task"], it["items"], it["due_on"]) for it in card["tasks"]] == [
        ("t1", [ITEM], "2026-12-31"),
        ("t2", [OTHER_ITEM], "2027-01-31"),
    ]
    assert (card["window"], card["phase"]) == ({"from": "2026-12-01", "to": "2026-12-31"}, "dispatched")
    template = phones["li"].http.get(f"/api/templates/{card['tpl']}").content
    assert sha256(template) == card["tpl"]
    assert [item["id"] for item in msgspec.json.decode(template)["items"]] == [ITEM, OTHER_ITEM]
    assert two.view(two.other)["phase"] == phones["zhao"].assignments[two.other]["phase"] == "void"
    assert phones["wang"].assignments[two.mine] == card  # who is in both hears of both
    assert two.view(two.mine)["digest"] != before  # the checklist stands in what is signed
    named = {it["detail"].get("item") for it in two.view(two.mine)["missing"] if it["code"] == "result"}
    assert named == {ITEM, OTHER_ITEM, None}


def test_what_was_made_meanwhile_with_the_old_checklist_or_in_the_void_visit_is_set_aside(two: Two) -> None:
    li, zhao = two.phone("li", two.mine), two.phone("zhao", two.other)
    old = li.set(two.mine, PATH, "with the old checklist")
    gone = zhao.set(two.other, PATH, "in the visit that is no more")
    two.merge()
    li.drain()
    zhao.drain()
    assert li.verdict(two.mine, old) == ("quarantined", "template_mismatch")
    assert zhao.verdict(two.other, gone) == ("quarantined", "void_visit")
    new = li.set(two.mine, ["answer", OTHER_POINTS[0], "verdict"], "pass")
    li.drain()
    assert li.verdict(two.mine, new) == ("ok", None)


@pytest.mark.parametrize("where", ["mine", "other"])
def test_whoever_recorded_anything_is_too_late_whatever_became_of_it(two: Two, where: str) -> None:
    visit = getattr(two, where)
    officer = {"mine": "zhang", "other": "wang"}[where]
    phone = two.phone(officer, visit)
    phone.set(visit, ["visit", "result_note"], "not the leader's")
    phone.drain()
    assert two.view(visit)["phase"] == "dispatched"
    assert two.refusal() == "visit_started"


def test_a_record_that_waits_is_one_and_a_strangers_is_none(two: Two) -> None:
    stranger = two.phone("zhao")
    stranger.set(two.mine, PATH, "x")
    stranger.drain()
    again = two.dispatch_other()
    two.merge(other=again)
    waiting = two.phone("li", two.mine)
    waiting.pen.receive(two.mine, "e" * 32, 1)
    waiting.set(two.mine, PATH, "x")
    waiting.sync()
    assert two.refusal() == "visit_started"


def test_only_clerk_and_head_of_the_unit_merge_and_others_hear_what_they_may(two: Two) -> None:
    def person(id_: str, role: str, unit: str = "hazchem") -> Person:
        return Person(id_, id_, id_, unit, (role,), None)

    assert two.refusal(person("clerk2", "unit_clerk", "industry")) == "not_found"
    assert two.refusal(person("legal", "legal_unit")) == "forbidden"
    assert two.refusal(person("wang", "officer")) == "forbidden"
    assert two.refusal(person("zhang", "officer")) == "not_found"  # he is in one of them only
    assert two.merge(person("head", "unit_head")).op == "srv:3"


def test_visits_that_have_nothing_in_common_stay_apart(two: Two) -> None:
    assert two.refusal(other=two.dispatch_other(subject_id="s2")) == "other_subject"
    assert two.refusal(other=two.dispatch_other(window=("2027-01-01", "2027-01-31"))) == "windows_apart"
    assert two.refusal(other=two.mine) == "bad_request"
    assert two.refusal(other="0193a1b2-0000-7000-8000-00000000dead") == "not_found"
    two.merge()
    assert two.refusal() == "final"  # the other is void now
    assert two.refusal(mine=two.other, other=two.mine) == "final"


def test_a_refused_merge_changes_nothing(two: Two) -> None:
    before = [two.view(visit) for visit in (two.mine, two.other)]
    assert two.refusal(other=two.dispatch_other(subject_id="s2")) == "other_subject"
    assert [two.view(visit) for visit in (two.mine, two.other)] == before


def test_merging_leaves_one_entry_for_the_act_and_one_for_the_op(two: Two) -> None:
    def last() -> list[tuple[str, str, str]]:
        with two.db.read() as conn:
            query = sa.select(tables.trail).order_by(tables.trail.c.n.desc()).limit(2)
            return [(row.act, row.actor, row.object) for row in conn.execute(query)][::-1]

    two.merge()
    assert last() == [("op.void", "clerk", f"op:{two.other}:srv:3"), ("visit.merge", "clerk", f"visit:{two.mine}")]


def test_an_item_or_a_task_of_both_is_there_once(two: Two) -> None:
    twin = dispatch(two.db, two.keys, tasks=["t1", "t2"])
    two.merge(other=twin)
    with two.db.read() as conn:
        mine = sa.select(tables.visit_task.c.task_id).where(tables.visit_task.c.visit_id == two.mine)
        assert sorted(conn.scalars(mine)) == ["t1", "t2"]
        assert conn.scalar(sa.select(tables.visit.c.tpl).where(tables.visit.c.id == two.mine)) == sha256(checklist())


def test_two_points_of_one_name_are_no_checklist() -> None:
    with pytest.raises(ValueError, match="same id"):
        template_of_both(checklist(), checklist(POINTS[:1], OTHER_ITEM))
