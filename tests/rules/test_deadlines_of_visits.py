"""A visit's first final begins the time for its publication, and nothing later moves it (R26.1)."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from server.domain.instant import beijing_day
from server.store import tables
from tests.dispatching import database_of
from tests.running import Running
from tests.sync.test_exchange import Group


def deadlines(group: Group) -> list[tuple[str, str | None, int]]:
    query = sa.select(tables.deadline.c.start_on, tables.deadline.c.due_on, tables.deadline.c.days)
    with database_of(group.server).read() as conn:
        return [tuple(row) for row in conn.execute(query.where(tables.deadline.c.object == f"visit:{group.visit}"))]


def test_the_first_final_sets_the_deadline_and_reopening_and_signing_again_never_moves_it(server: Running) -> None:
    group = Group(server)
    group.record()
    assert deadlines(group) == []
    group.sign()
    group.propose()
    group.settle()
    (first,) = deadlines(group)
    proposals = [
        row for row in group.li.entries[group.visit].values() if row["op"] and row["op"]["kind"] == "propose_final"
    ]
    assert first[0] == beijing_day(datetime.fromisoformat(proposals[0]["op"]["at"])).isoformat()
    assert first[2] == 20
    with database_of(server).write() as conn:  # as if it had been another day
        its = tables.deadline.c.object == f"visit:{group.visit}"
        conn.execute(sa.update(tables.deadline).where(its).values(start_on="2026-09-10", due_on="2026-10-14"))
    group.act("head", "reopen", ["round"], {"round": 2, "reason": "photo missing"})
    group.settle()
    group.sign()
    group.propose()
    group.settle()
    assert [final["val"]["round"] for final in group.finals()] == [1, 2]
    assert deadlines(group) == [("2026-09-10", "2026-10-14", 20)]
