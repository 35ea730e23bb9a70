"""A window that is made longer: the head's act, with a reason, public as a new version of the notice (15-2, 17)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from server.domain.entry import Entry
from server.domain.faults import Invalid, number_faults
from server.domain.instant import beijing_day, stamp
from server.domain.task import Task
from server.errors import Problem
from server.office import notices
from server.office.act import act, digest_of, permit
from server.office.field import Field
from server.office.tasks import held
from server.store import draws, tasks, trail
from server.store.people import Person
from server.store.session import Connection
from server.store.tasks import Extension

ARTICLE = "15-2"
LATEST = 366
"""Days from today within which a longer window ends."""


@act("task.extend", "tasks.approve")
def extend_window(
    conn: Connection, person: Person, now: datetime, task_id: str, values: Mapping[str, str], field: Field
) -> int:
    """The head gives a task whose list is drawn a later last day; how many of its visits have it now.

    The day by which the task was due stays, so that what is late stays late.
    """
    old = held(conn, person, task_id)
    permit(person, "tasks.approve", old.carried_out_by)
    _must_be_drawn(conn, old)
    until, reason = _entered(values, old, now)
    before = tasks.extensions_of(conn, task_id)
    made = Extension(task_id, len(before) + 1, old.window_to, until, reason, person.id, stamp(now))
    tasks.extend(conn, made)
    longer = msgspec.structs.replace(old, window_to=until)
    open_visits = [one for one in tasks.drawn_of(conn, task_id) if one.visit_id and one.visit_state == "open"]
    for one in open_visits:
        field.extend(conn, one.visit_id or "", until)
    detail = {"no": old.no, "was": old.window_to, "until": until, "reason": reason, "visits": len(open_visits)}
    if old.state == "dispatched" and old.no:
        detail["notice"] = notices.publish_longer(conn, now, longer, reason).sha256
    about = f"task:{task_id}"
    trail.append(conn, [trail.Act("task.extend", person.id, about, digest_of(old), digest_of(longer), detail)], now)
    return len(open_visits)


def _must_be_drawn(conn: Connection, task: Task) -> None:
    """Before a draw stands a task is changed and approved again; after its end there is nothing to extend."""
    if task.state == "cancelled":
        raise Problem("task_cancelled")
    if task.state != "dispatched" and draws.standing_of_task(conn, task.id) is None:
        raise Problem("task_not_extended")
    if tasks.has_ended(conn, task.id):
        raise Problem("task_over")


def _entered(values: Mapping[str, str], task: Task, now: datetime) -> tuple[str, str]:
    entry, today = Entry(values), beijing_day(now)
    until, reason = entry.day("until"), entry.text("reason", most=500)
    entry.faults += number_faults("reason", reason)
    if until is not None and entry.is_good:
        if until <= task.window_to or until < today.isoformat():
            entry.wrong("until", "task_until_earlier", since=max(task.window_to, today.isoformat()))
        elif (date.fromisoformat(until) - today).days > LATEST:
            entry.wrong("until", "task_until_late", days=LATEST)
    if until is None or not entry.is_good:
        raise Invalid(entry.faults, ARTICLE)
    return until, reason
