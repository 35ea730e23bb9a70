"""Acts on a visit: its dispatch, and what leader and office decide about it, each one signed op of the server's."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.instant import stamp
from server.store import trail, visits
from server.store.tables import visit, visit_task
from server.sync import desk
from server.sync.intake import hear
from server.sync.judge import Standing
from server.sync.keys import Keys


def open_visit(
    conn: Connection,
    keys: Keys,
    *,
    visit_id: str,
    unit_id: str,
    subject_id: str,
    subject: tuple[str, str],
    tpl: str,
    window: tuple[str, str],
    tasks: Sequence[str],
    crew: Sequence[tuple[str, str]],
    now: datetime,
    actor: str,
) -> None:
    """Dispatches a visit: its row, and one `assign` for each of its crew, pairs of officer and role (R18.2).

    `subject` is name and code as they are frozen now; `window` first and last day, `tasks` the ids of its tasks.
    """
    conn.execute(
        sa.insert(visit).values(
            id=visit_id, unit_id=unit_id, subject_id=subject_id, subject_name=subject[0], subject_uscc=subject[1],
            tpl=tpl, window_from=window[0], window_to=window[1], nonce=secrets.token_hex(16),
            dispatched_at=stamp(now), head=0, round=1, state="open", standing=desk.standing_bytes(Standing()),
        )
    )  # fmt: skip
    if tasks:
        conn.execute(sa.insert(visit_task), [{"visit_id": visit_id, "task_id": task} for task in tasks])
    trail.append(conn, [trail.Act("visit.dispatch", actor, f"visit:{visit_id}", None, tpl)], now)
    book = desk.open_book(conn, keys, visit_id, now)
    for officer, role in crew:
        book.write("assign", ["crew", officer], {"role": role, "reason": "dispatch"}, actor)
    for officer, _ in crew:
        hear(book, visits.rids_of(conn, officer))
    desk.save(conn, book)
