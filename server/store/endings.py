"""When a task ended: with its last visit, final or void; from then its results have a legal date (R26.1)."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.instant import beijing_day
from server.store.deadlines import PUBLICATION_LEGAL, PUBLICATION_TARGET, set_deadline
from server.store.rules import rule_set_on
from server.store.tables import deadline, task, visit, visit_task
from server.store.tasks import has_ended


def visit_ended(conn: Connection, visit_id: str, now: datetime) -> None:
    """Sets the legal date of each task of which this visit, final or void by now, was the last one open.

    The task's row is locked first: of two visits that end at once the second sees the first.
    """
    tasks = sa.select(visit_task.c.task_id).where(visit_task.c.visit_id == visit_id)
    for task_id in conn.scalars(tasks.order_by(visit_task.c.task_id)).all():
        conn.execute(sa.select(task.c.id).where(task.c.id == task_id).with_for_update())
        if has_ended(conn, task_id):
            day = _last_day(conn, task_id, visit_id, beijing_day(now))
            days = rule_set_on(conn, day).publication_days
            set_deadline(conn, f"task:{task_id}", PUBLICATION_LEGAL, day, days, now)


def _last_day(conn: Connection, task_id: str, visit_id: str, today: date) -> date:
    """The latest day on which a visit of the task ended; one without a result ended today."""
    named = sa.literal("visit:") + visit_task.c.visit_id
    ended = (
        sa.select(sa.func.max(deadline.c.start_on))
        .join(visit_task, deadline.c.object == named)
        .where(visit_task.c.task_id == task_id, deadline.c.kind == PUBLICATION_TARGET)
    )
    latest = conn.scalar(ended)
    is_void = conn.scalar(sa.select(visit.c.state).where(visit.c.id == visit_id)) == "void"
    days = [date.fromisoformat(latest)] if latest else []
    return max([*days, today] if is_void or not days else days)
