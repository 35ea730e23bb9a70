"""What the demo claims of itself: every visit of a random task was drawn, and every crew is there by the lot."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from server.demo import load
from server.settings import Settings
from server.standalone import verify_draw
from server.store import crews, draws, tables, tasks
from server.store.migrate import migrate
from server.store.session import Connection, Database, open_database
from server.sync.record import records_of

DAYS = (date(2026, 11, 24), date(2027, 1, 3))
"""Two days of first starts: on the second, a Sunday after New Year, the lot falls otherwise."""


def loaded(folder: Path, day: date) -> Database:
    settings = Settings(data=folder)
    db = open_database(settings.database, settings.data)
    migrate(db)
    load(db, settings, day, datetime(day.year, day.month, day.day, 6, tzinfo=UTC))
    return db


@pytest.fixture(scope="module", params=DAYS, ids=str)
def demo(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Database]:
    db = loaded(tmp_path_factory.mktemp("drawn"), request.param)
    yield db
    db.close()


def visits(conn: Connection) -> list[Any]:
    return list(conn.execute(sa.select(tables.visit)))


def crew_by_lot(conn: Connection, seen: crews.Seen, task_ids: list[str]) -> set[str] | None:
    """The crew as the file of its task tells it: by match or direct assignment, then each replacement in order."""
    for task_id in task_ids:
        match = crews.live_match(conn, task_id)
        if match is None or match.state != "assigned":
            continue
        direct = {one["s"]: one["o"] for one in match.ways["direct"]}
        team = match.teams.get(seen.code) or direct.get(seen.code)
        if team is None:
            continue
        now = set(team)
        for change in crews.changes_of_match(conn, match.id):
            if change.s == seen.code and change.record is not None:
                now = now - {change.record["out"]} | {change.record["in"]}
        return now
    return None


@pytest.mark.rule("R1.1")
def test_every_visit_was_drawn(demo: Database) -> None:
    with demo.read() as conn:
        rows = visits(conn)
        served = {row.id: crews.tasks_of_visit(conn, row.id) for row in rows}
        merged = [id for id, its in served.items() if not its]
        drawn = {(task_id, row.id): draws.standing_of_task(conn, task_id) for row in rows for task_id in served[row.id]}
        chosen = {(one.task_id, one.subject_id) for one in conn.execute(sa.select(tables.selection))}
        for row in rows:
            for task_id in served[row.id]:
                draw = drawn[task_id, row.id]
                assert draw is not None and draw.state == "dispatched"
                assert row.subject_uscc in draw.effective
                assert (task_id, row.subject_id) in chosen
    assert len(chosen) == 23, "what was drawn is what was dispatched"
    assert len(merged) == 2
    print(f"{len(rows)} visits, {len(chosen)} subjects drawn, {len(merged)} visits merged into others")


@pytest.mark.rule("R18.1")
@pytest.mark.rule("R18.2")
def test_every_crew_is_there_by_the_lot_or_flagged(demo: Database) -> None:
    by: Counter[str] = Counter()
    with demo.read() as conn:
        for row in visits(conn):
            seen, its = crews.visit_seen(conn, row.id), crews.tasks_of_visit(conn, row.id)
            assert seen is not None
            if not seen.crew:
                by["none yet"] += 1
                continue
            numbers = {one.certificate for one in crews.candidates_by_id(conn, seen.members).values()}
            assert numbers == crew_by_lot(conn, seen, its)
            assert seen.leader is not None and len(seen.members) >= 2
            by["crew"] += 1
        direct = [one for match in crews.matches(conn) for one in match.ways["direct"]]
        approved = conn.execute(sa.select(tables.crew_way)).one()
        replaced = [one for match in crews.matches(conn) for one in crews.changes_of_match(conn, match.id)]
    assert by == {"crew": 19, "none yet": 4}
    assert len(direct) == 1
    assert (approved.kind, approved.state) == ("direct_assignment", "approved")
    assert approved.explanation["shortage"]["lacks"]
    assert [(one.kind, one.state, one.designated) for one in replaced] == [("health", "approved", False)]
    print(f"{by['crew']} crews by lot, of them 1 named and 1 changed; {by['none yet']} visits without a crew")


def test_every_file_of_the_demo_is_green(demo: Database, tmp_path: Path) -> None:
    with demo.read() as conn:
        rows = list(conn.execute(sa.select(tables.draw.c.id, tables.draw.c.seq, tables.draw.c.attempt)))
        kept, public = [], []
        for row in rows:
            draw = draws.draw_of(conn, row.id)
            assert draw is not None
            for file in draws.files_of(conn, row.id):
                body = draws.body_of(conn, row.id, file.version)
                assert body is not None
                assert verify_draw.check(body, file.sha256).faults == []
                kept.append(body)
            if draws.is_public(conn, draw):
                path = tmp_path / f"{row.seq}-{row.attempt}.json"
                path.write_bytes(draws.body_of(conn, row.id) or b"")
                public.append(path)
    asked = [sys.executable, "-m", "server", "verify-draw", *map(str, public)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert len(kept) == 11
    assert len(public) == 3, "of the ended task, and both attempts of the open one"
    assert done.returncode == 0, done.stdout
    print(f"{len(kept)} files green, {len(public)} of them public:\n{done.stdout}{done.stderr}")


@pytest.mark.rule("R17.1")
def test_a_task_that_has_ended_shows_its_file_and_the_others_do_not(demo: Database) -> None:
    with demo.read() as conn:
        sealed = [one for one in tasks.tasks(conn, None, ["dispatched"]) if one.disclosure == "sealed"]
        shown = {draw.task_id for draw in draws.draws(conn, None) if draws.is_public(conn, draw)}
        ended = {one.id for one in sealed if tasks.has_ended(conn, one.id)}
        states = Counter(draw.state for draw in draws.draws(conn, None))
    assert (len(sealed), len(ended)) == (4, 1)
    assert {one.id for one in sealed} & shown == ended
    assert states == {"dispatched": 5, "void": 1, "committed": 1}
    print(f"{len(sealed)} sealed tasks, {len(ended)} ended; draws: {dict(states)}")


@pytest.mark.rule("R17.2")
def test_one_subject_was_let_out_by_the_head(demo: Database) -> None:
    with demo.read() as conn:
        out = list(conn.execute(sa.select(tables.selection).where(tables.selection.c.state == "withdrawn")))
        asked = conn.execute(sa.select(tables.withdrawal)).one()
    assert [one.subject_id for one in out] == [asked.subject_id]
    assert (asked.state, asked.asked_by, asked.decided_by) == ("approved", "clerk-ic", "head-ic")


@pytest.mark.rule("R15a.2")
def test_three_subjects_are_at_the_cap_by_real_draws(demo: Database) -> None:
    with demo.read() as conn:
        times = Counter(
            conn.scalars(sa.select(tables.selection.c.subject_id).where(tables.selection.c.state == "counted"))
        )
    assert {one for one, n in times.items() if n > 1} == {"subject-003", "subject-049", "subject-053"}


@pytest.mark.rule("R22.1")
def test_one_pair_of_visits_is_proposed_for_merging(demo: Database) -> None:
    with demo.read() as conn:
        twice = crews.open_subjects_twice(conn, "hazchem-section")
    assert twice == ["subject-003"]


def test_states_and_results_are_there_whatever_the_lot_says(demo: Database) -> None:
    with demo.read() as conn:
        ids = [row.id for row in visits(conn)]
    views = [msgspec.json.decode(record.view) for record in records_of(demo, ids).values()]
    phases = Counter(view["phase"] for view in views)
    results = {view["content"]["visit"]["result"] for view in views if view["phase"] == "final"}
    flags = {flag["flag"] for view in views for flag in view["flags"]}
    reasons = {waiting["reason"] for view in views for waiting in view["quarantined"]}
    assert phases == {"dispatched": 5, "started": 3, "interrupted": 1, "final_pending": 1, "final": 9, "void": 4}
    assert results >= {"no_problem_found", "unreachable", "ordered_to_correct", "serious_noncooperation"}
    assert flags >= {"clock_ahead", "licence_expiring", "by_recused"}
    assert reasons >= {"not_leader", "recused", "void_visit"}
    mine = [view for view in views if view["leader"] == "li" and view["phase"] == "dispatched"]
    assert [view["members"] for view in mine] == [["li", "wang", "zhang"]] * 2
    assert any(view["leader"] == "zhao" and view["phase"] == "dispatched" for view in views)
    print(dict(phases))
