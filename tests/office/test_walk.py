"""Every act of the office leaves exactly one trail entry, in its own transaction (R10.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime

import pytest
import sqlalchemy as sa

from server.errors import Problem
from server.office.act import ACTS, act
from server.routes import all_handlers
from server.standalone import check_ledger
from server.store import tables, trail
from server.store.people import Person
from server.store.session import Connection, Database
from server.sync import acts
from tests import databases
from tests.office.district import Office, demo_server
from tests.office.walks import all_walks
from tests.scene import NOW

all_handlers()  # every room is imported, so every act is known
VISIT_ACTS = {f"op.{kind}" for kind in acts._ACTS}
WALKS = all_walks()
NOT_ACTS = ("session.open", "session.close", "session.prove")
"""Entries about who is at the keyboard; an act is looked at without them."""

UNWATCHED = {"session", "sign_in_failure", "proof", "record"}
"""Tables that change when somebody asks anything; a record is the fold of the journal, kept when it is first read."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("walk") / "data"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def office_on_postgres(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Iterator[Office]:
    with databases.fresh_postgres(postgres, databases.migrated_template(postgres)) as address:
        found = Office(demo_server(tmp_path_factory.mktemp("walk") / "data", address))
        yield found
        found.close()


BESIDE = {
    "draw.run": {"ledger.enter"},
    "draw.excuse": {"ledger.enter"},
    "task.dispatch": {"draw.lock", "visit.dispatch", "ledger.enter"},
    "task.withdraw": {"visit.void", "op.void"},
    "crew.assign": {"op.assign"},
    "crew.decide_replacement": {"op.assign"},
    "recusal.declare": {"op.set"},
    "recheck.open": {"visit.dispatch", "op.assign"},
    "visit.merge": {"op.void"},
}
"""Acts that also do something to a draw or to visits, which has entries of its own -> the names of those."""


def besides(found: list[tuple[str, str]], name: str) -> list[tuple[str, str]]:
    """The entries that an act left, without those of what it did to visits and draws."""
    return [one for one in found if one[0] not in BESIDE.get(name, ())]


def test_every_act_of_the_office_is_walked() -> None:
    assert ACTS.keys() - WALKS.keys() == set(), "write a walk for these acts in tests/office/walks"
    assert VISIT_ACTS - WALKS.keys() == set()
    assert WALKS.keys() - ACTS.keys() - VISIT_ACTS == set(), "these acts are gone"


@pytest.mark.parametrize("name", sorted(WALKS))
def test_an_act_leaves_one_entry_and_without_it_nothing_of_the_act(office: Office, name: str) -> None:
    step = WALKS[name](office)
    office.client(step.who)  # whoever signs in leaves an entry too
    before = digest_of_all(office.db)
    with a_trail_that_takes_nothing(office.db):
        assert step.do().status_code >= 400
    assert differing(before, digest_of_all(office.db)) == []
    entries = len(written(office.db))
    answer = step.do()
    assert answer.status_code < 400, answer.text[:600]
    assert besides(written(office.db)[entries:], name) == [(name, step.who)]
    assert step.do().status_code < 500, "the same form sent again"
    assert differing(before, digest_of_all(office.db)) != ["trail", "counter"], "the act changed nothing"


def test_after_all_these_acts_nobody_is_missing_from_the_ledger(office: Office) -> None:
    taken = check_ledger.take(office.running.url)
    assert len(taken["tasks"]) >= 5 and check_ledger.check(taken).faults == []


@pytest.mark.postgres
@pytest.mark.parametrize("name", sorted(WALKS))
def test_a_form_that_is_sent_twice_at_once_is_an_act_and_an_entry_each_time_that_it_is_taken(
    office_on_postgres: Office, name: str
) -> None:
    """On PostgreSQL, where both really run at once: one is taken, the other may be refused but never fails."""
    step = WALKS[name](office_on_postgres)
    office_on_postgres.client(step.who)
    entries = len(written(office_on_postgres.db))
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: step.do(), range(2)))
    assert all(answer.status_code < 500 for answer in answers), [answer.text[:600] for answer in answers]
    taken = [answer for answer in answers if answer.status_code < 400]
    assert taken, answers[0].text[:600]
    left = written(office_on_postgres.db)[entries:]  # an import that began before may end meanwhile
    assert left.count((name, step.who)) == len(taken)


@pytest.mark.rule("R10.1", "refuses")
@pytest.mark.parametrize("times", [0, 2])
def test_an_act_that_leaves_no_entry_or_two_is_undone(any_database: Database, times: int) -> None:
    person = Person("clerk", "clerk", "clerk", None, ("unit_clerk",), None)
    try:
        sloppy = act("test.sloppy", "subjects.change")(_adds_a_unit_and_entries)
        with pytest.raises(Problem) as refused:
            any_database.run_write(lambda conn: sloppy(conn, person, NOW, times))
        assert (refused.value.code, refused.value.article) == ("untraced", "10")
    finally:
        ACTS.pop("test.sloppy", None)
    with any_database.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(tables.unit)) == 0


def _adds_a_unit_and_entries(conn: Connection, person: Person, now: datetime, times: int) -> None:
    conn.execute(sa.insert(tables.unit).values(id="u", name="u", kind="section", parent_id=None))
    trail.append(conn, [trail.Act("test.sloppy", person.id, "unit:u")] * times, now)


def written(db: Database) -> list[tuple[str, str]]:
    """Act and actor of each entry, in the order of the trail, without those about sessions."""
    entry = tables.trail.c
    with db.read() as conn:
        rows = conn.execute(sa.select(entry.act, entry.actor).where(entry.act.not_in(NOT_ACTS)).order_by(entry.n))
        return [(row.act, row.actor) for row in rows]


def digest_of_all(db: Database) -> dict[str, str]:
    """A digest of every row of every table; times of sessions and counters of wrong passwords aside."""
    with db.read() as conn:
        return {
            table.name: _digest(conn, table) for table in tables.metadata.sorted_tables if table.name not in UNWATCHED
        }


def _digest(conn: Connection, table: sa.Table) -> str:
    order = list(table.primary_key.columns) or list(table.columns)
    digest = hashlib.sha256()
    for row in conn.execute(sa.select(table).order_by(*order)):
        digest.update(repr(tuple(row)).encode())
    return digest.hexdigest()


def differing(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The tables that changed."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


@contextmanager
def a_trail_that_takes_nothing(db: Database) -> Iterator[None]:
    """For a while every entry but those about sessions fails; on the embedded database."""
    spared = ", ".join(f"'{name}'" for name in NOT_ACTS)
    _run(
        db,
        f"CREATE TRIGGER refuse_entries BEFORE INSERT ON trail WHEN NEW.act NOT IN ({spared})"
        " BEGIN SELECT RAISE(ABORT, 'the trail takes nothing'); END",
    )
    try:
        yield
    finally:
        _run(db, "DROP TRIGGER refuse_entries")


def _run(db: Database, statement: str) -> None:
    with db.write() as conn:
        conn.execute(sa.text(statement))
