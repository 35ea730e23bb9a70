"""The lead's list of a joint task as our dispatch fixes it: all known, and nobody for a third time (13, 15-1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.domain.instant import beijing_day
from server.domain.ratio import Ground, exemption, window_start
from server.domain.task import Chosen, Locked, Task
from server.errors import Problem
from server.store import draws, frames, joint_lists, selections
from server.store.joint_lists import Row
from server.store.rules import rule_set_on
from server.store.session import Connection


def lock_list(conn: Connection, now: datetime, task: Task) -> Locked:
    """Fixes the lead's list within a dispatch (R13.1); the chain is held as for a draw of ours.

    Who has been drawn as often as the cap allows is left out and shown so (R15a.2), unless exempt. Who would get there
    by an open draw of ours makes the list wait until that one is dispatched or void.
    """
    draws.hold_chain(conn)
    once = _known(conn, task)
    day = beijing_day(now)
    rules = rule_set_on(conn, day)
    times = selections.times_drawn(conn, window_start(day, rules.cap_window), day)
    reserved = draws.reservations(conn, task.id)
    kept: list[Chosen] = []
    out: list[Chosen] = []
    waits: list[Chosen] = []
    for one in _with_grounds(conn, once, task, day.isoformat()):
        if times.get(one.subject_id, 0) + reserved[one.subject_id] < rules.cap:
            kept.append(Chosen(one.code, one.subject_id))
        elif one.ground is not None:
            kept.append(one)
        else:
            (out if times.get(one.subject_id, 0) >= rules.cap else waits).append(one)
    _must_be_free(waits)
    if not kept:
        raise Problem("task_all_twice", cap=rules.cap)
    found = joint_lists.list_of(conn, task.joint_list or "")
    return Locked("" if found is None else found.sha256, tuple(kept), tuple(out))


def _known(conn: Connection, task: Task) -> dict[str, str]:
    """Subject -> code, once all of them are in the library."""
    found = joint_lists.list_of(conn, task.joint_list or "")
    if found is None or not found.rows:
        raise Problem("task_not_drawn")
    _must_be_known(found.rows)
    return {row.subject_id: row.code for row in found.rows if row.subject_id is not None}


def _must_be_known(rows: Sequence[Row]) -> None:
    strange = [row.code for row in rows if row.subject_id is None]
    if strange:
        raise Problem("task_list_unknown", members={"codes": strange}, n=len(strange), codes="、".join(strange[:5]))


def _with_grounds(conn: Connection, once: dict[str, str], task: Task, day: str) -> list[Chosen]:
    """Each subject with what would keep it in past the cap (R15a.3)."""
    campaign = None if task.campaign is None else Ground("campaign", task.campaign)
    flags = frames.flags_of(conn, list(once))
    found = []
    for id, code in once.items():
        ground = exemption(selections.grounds(flags[id], day), campaign)
        found.append(Chosen(code, id, *((None, None) if ground is None else (ground.kind, ground.document))))
    return found


def _must_be_free(waits: Sequence[Chosen]) -> None:
    if waits:
        codes = [one.code for one in waits]
        raise Problem("task_reserved", members={"codes": codes}, n=len(codes), codes="、".join(codes[:5]))
