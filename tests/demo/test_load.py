"""The demo, loaded twice: the same each time, and with a visit in every state."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from server.demo import load
from server.demo.district import INDUSTRY
from server.demo.objections import CODES
from server.demo.people import PASSWORD
from server.domain.codes import is_uscc
from server.office import objection_filing
from server.settings import Settings
from server.store import people, tables
from server.store.files import FileStore
from server.store.migrate import DEMO, meta_of, migrate
from server.store.session import Database, open_database
from server.sync.record import records_of

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
SEALED = {f"{name}{end}" for name in ("phone", "id_number") for end in ("", "_blind")}
CHANCE = {
    "trail": {"salt", "leaf"},
    "account": {"password_hash"},
    "meta": {"value"},
    "officer": SEALED,
    "expert": SEALED,
    "subject": SEALED,
    "draw": {"sealed_secret"},
    "crew_match": {"sealed_secret"},
    "import_row": {"sealed", "object_id"},
    "objection": {"name", "phone", "grounds", "wanted"},
    "objection_paper": {"sha256"},
    "objection_try": {"id"},
    "blob": {"sha256"},  # a sealed paper's is different each time; the digests of photos stand in `media`, too
}
"""Columns that hold something drawn by chance, or sealed; signatures inside of ops, too, are different each time."""


def loaded(folder: Path) -> Database:
    settings = Settings(data=folder)
    db = open_database(settings.database, settings.data)
    migrate(db)
    load(db, settings, TODAY, NOW)
    return db


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    db = loaded(tmp_path_factory.mktemp("demo"))
    yield db
    db.close()


def views(db: Database) -> list[dict[str, Any]]:
    with db.read() as conn:
        ids = list(conn.scalars(sa.select(tables.visit.c.id).order_by(tables.visit.c.id)))
    records = records_of(db, ids)
    return [msgspec.json.decode(records[id].view) for id in ids]


def rows(db: Database, table: sa.Table) -> list[dict[str, Any]]:
    chance = CHANCE.get(table.name, set())
    with db.read() as conn:
        found = [dict(row) for row in conn.execute(sa.select(table)).mappings()]
    return [{str(name): plain(value) for name, value in row.items() if str(name) not in chance} for row in found]


def plain(value: Any) -> Any:
    """Bytes as their digest; of an op without its signature."""
    if not isinstance(value, bytes):
        return value
    if value.startswith(b"{"):
        document = json.loads(value)
        document.pop("sig", None)
        value = json.dumps(document, sort_keys=True).encode()
    return hashlib.sha256(value).hexdigest()


def test_the_demo_is_marked_with_its_day(demo: Database) -> None:
    with demo.read() as conn:
        assert meta_of(conn, DEMO) == "2026-11-24"
        assert people.has_demo_accounts(conn)


def test_li_signs_in_with_the_password_that_is_printed(demo: Database) -> None:
    found = people.sign_in(demo, "li", PASSWORD, "127.0.0.1", NOW)
    assert isinstance(found, people.SignedIn)
    assert found.person.officer_id == "li"


def test_two_loads_are_equal_but_for_chance(tmp_path: Path) -> None:
    first, second = loaded(tmp_path / "first"), loaded(tmp_path / "second")
    try:
        assert views(first) == views(second)
        for table in tables.metadata.sorted_tables:
            assert rows(first, table) == rows(second, table), table.name
    finally:
        first.close()
        second.close()


def test_there_is_a_visit_in_every_phase(demo: Database) -> None:
    phases = Counter(view["phase"] for view in views(demo))
    assert set(phases) == {"dispatched", "started", "interrupted", "final_pending", "final", "void"}


def test_finals_of_types_1_4_5_and_6_are_there(demo: Database) -> None:
    results = {view["content"]["visit"]["result"] for view in views(demo) if view["phase"] == "final"}
    assert results >= {"no_problem_found", "unreachable", "ordered_to_correct", "serious_noncooperation"}


def test_something_waits_for_the_leader_and_the_office(demo: Database) -> None:
    every = views(demo)
    assert any(view["conflicts"] for view in every)
    assert any(view["late"] for view in every)
    reasons = {waiting["reason"] for view in every for waiting in view["quarantined"]}
    assert {"not_leader", "recused", "void_visit"} <= reasons
    states = {signed["state"] for view in every for signed in view["signatures"]}
    assert {"current", "stale", "weak"} <= states
    flags = {flag["flag"] for view in every for flag in view["flags"]}
    assert {"clock_ahead", "licence_expiring", "by_recused"} <= flags


def test_no_signature_of_the_demo_is_invalid(demo: Database) -> None:
    states = [signed["state"] for view in views(demo) for signed in view["signatures"]]
    assert states
    assert "invalid" not in states
    assert "awaiting_image" not in states


def test_li_leads_two_open_visits_of_three_whose_clerk_and_head_are_there(demo: Database) -> None:
    with demo.read() as conn:
        units = set(
            conn.scalars(sa.select(tables.account.c.unit_id).where(tables.account.c.username.in_(["clerk", "head"])))
        )
        by_id = {row.id: row for row in conn.execute(sa.select(tables.visit))}
    mine = [view for view in views(demo) if view["leader"] == "li" and view["phase"] == "dispatched"]
    assert len(mine) >= 2
    assert all(view["members"] == ["li", "wang", "zhang"] for view in mine)
    assert {by_id[view["visit"]].unit_id for view in mine} == units


def test_one_open_visit_holds_two_items_and_one_task_is_joint(demo: Database) -> None:
    with demo.read() as conn:
        joint = list(conn.scalars(sa.select(tables.task.c.joint).where(tables.task.c.joint.is_not(None))))
        per_visit = Counter(conn.scalars(sa.select(tables.visit_task.c.visit_id)))
    assert joint == ["lead"]
    assert 2 in per_visit.values()


def test_every_subject_in_the_database_has_a_valid_code(demo: Database) -> None:
    with demo.read() as conn:
        codes = list(conn.scalars(sa.select(tables.subject.c.uscc)))
    assert len(codes) == 600
    assert all(map(is_uscc, codes))


def test_all_bytes_that_are_called_here_are_on_the_disk(demo: Database) -> None:
    files = FileStore(Path(str(demo.engine.url.database)).parent / "media")
    with demo.read() as conn:
        digests = list(conn.scalars(sa.select(tables.blob.c.sha256)))
    assert digests
    assert all(hashlib.sha256(files.path(digest).read_bytes()).hexdigest() == digest for digest in digests)


def test_the_demo_loads_on_either_database(any_database: Database, tmp_path: Path) -> None:
    load(any_database, Settings(data=tmp_path / "data"), TODAY, NOW)
    phases = Counter(view["phase"] for view in views(any_database))
    assert phases == {"dispatched": 5, "started": 3, "interrupted": 1, "final_pending": 1, "final": 9, "void": 4}


def test_an_objection_waits_for_the_clerk_and_another_for_papers_each_followed_by_its_code(demo: Database) -> None:
    with demo.write() as conn:
        held = [objection_filing.held_by(conn, code, "somebody", NOW) for code in CODES]
    assert [(one.state, one.unit_id) for one in held] == [("filed", INDUSTRY), ("papers_asked", INDUSTRY)]
