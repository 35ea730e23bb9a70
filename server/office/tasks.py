"""Tasks: set up complete before any draw, approved by the head, below the floor by the principal (R15b.1, R6.4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from server.domain.access import allows
from server.domain.entry import Entry
from server.domain.faults import Fault
from server.domain.instant import beijing_day, stamp
from server.domain.item import Item, must_be_released
from server.domain.task import Task, must_be_open
from server.domain.task_entry import Frame, read_number, read_task
from server.errors import Problem
from server.office.act import act, digest_of, named, permit
from server.office.plans import Faulty, reason_of
from server.office.reasons import public_reason
from server.office.task_facts import default_shares, floor_reason, known_for, planned
from server.office.task_frames import frame_of
from server.store import accounts, joint_lists, tasks, trail
from server.store.draws import draws_of_task, standing_of_task
from server.store.people import Person
from server.store.rules import rule_set_on
from server.store.session import Connection
from server.store.tasks import Override


@act("task.add", "tasks.change")
def add_task(conn: Connection, person: Person, now: datetime, values: Mapping[str, str]) -> str:
    """Sets a task up for the own unit, or by the legal unit for all units' subjects; its id."""
    unit_id, unified = unit_for(conn, person)
    permit(person, "tasks.change", unit_id)
    id = named("task", unit_id, values.get("name"), stamp(now))
    made = Task(id, "", unit_id, "undirected", "", "", "", (), unified=unified, state="draft")
    made = _judged(conn, made, values, now)
    made = msgspec.structs.replace(
        made, no=tasks.next_no(conn, beijing_day(now).year), entered_by=person.id, entered_at=stamp(now)
    )
    tasks.add_task(conn, made)
    asked = _ask(conn, person, now, made)
    _note(conn, person, now, "task.add", None, made, asked)
    return id


@act("task.change", "tasks.change")
def change_task(conn: Connection, person: Person, now: datetime, task_id: str, values: Mapping[str, str]) -> None:
    """Changes a task for which nothing is being drawn; what was approved has to be approved again."""
    old = task_for(conn, person, "tasks.change", task_id)
    must_be_undrawn(conn, old)
    base = msgspec.structs.replace(
        old, state="draft", approval_number=None, approval_on=None, approved_by=None, approved_at=None
    )
    made = _judged(conn, base, values, now)
    made = msgspec.structs.replace(made, entered_by=person.id, entered_at=stamp(now))
    tasks.put_task(conn, made)
    is_same = made.drawn_item == old.drawn_item
    tasks.drop_overrides(conn, task_id, ("asked",) if is_same else ("asked", "approved"))
    asked = _ask(conn, person, now, made)
    _note(conn, person, now, "task.change", old, made, asked)


@act("task.approve", "tasks.approve")
def approve_task(conn: Connection, person: Person, now: datetime, task_id: str, values: Mapping[str, str]) -> None:
    """The head approves the check with number and date, and never what he entered; in an incident afterwards."""
    old = held(conn, person, task_id)
    permit(person, "tasks.approve", old.unit_id)
    if old.state == "cancelled":
        raise Problem("task_cancelled")
    if old.approved_by is not None:
        raise Problem("task_approved_already")
    if old.entered_by == person.id:
        raise Problem("own_entry")
    must_be_above_floor(conn, old)
    number, on = _approval(values, beijing_day(now))
    state = "dispatched" if old.state == "dispatched" else "approved"
    known = {"approval_number": number, "approval_on": on, "approved_by": person.id, "approved_at": stamp(now)}
    made = msgspec.structs.replace(old, state=state, **known)
    tasks.put_some(conn, task_id, **known, **({} if state == old.state else {"state": state}))
    _note(conn, person, now, "task.approve", old, made, None, {"number": number, "on": on})


@act("task.cancel", "tasks.cancel")
def cancel_task(conn: Connection, person: Person, now: datetime, task_id: str, reason: str) -> None:
    """Gives a task up while no draw of it stands, with a reason; after a draw that is void only its head does."""
    old = task_for(conn, person, "tasks.cancel", task_id)
    must_be_undrawn(conn, old)
    if draws_of_task(conn, old.id) and not allows(person.roles, person.unit_id, "tasks.approve", old.unit_id):
        raise Problem("task_drawn_cancel")
    said = public_reason(reason, "17")
    known = {"cancelled_by": person.id, "cancelled_at": stamp(now), "cancelled_why": said}
    made = msgspec.structs.replace(old, state="cancelled", **known)
    tasks.put_some(conn, task_id, state="cancelled", **known)
    tasks.drop_overrides(conn, task_id)
    _note(conn, person, now, "task.cancel", old, made, None, {"reason": said})


@act("task_override.decide", "overrides.approve")
def decide_override(
    conn: Connection, person: Person, now: datetime, override_id: str, answer: str, reason: str
) -> None:
    """The principal lets a draw stay below the floor, or doesn't, once, and never his own; a refusal says why."""
    permit(person, "overrides.approve", None)
    found = tasks.override_of(conn, override_id, lock=True)
    if found is None:
        raise Problem("not_found")
    if found.state != "asked":
        raise Problem("override_decided")
    if found.asked_by == person.id:
        raise Problem("own_entry")
    state = "approved" if answer == "approved" else "refused"
    said = reason.strip() if state == "approved" and not reason.strip() else reason_of(reason)
    tasks.decide_override(conn, override_id, state, said, person.id, now)
    detail = {"state": state, "answer": said, "least": found.least, "asked": found.asked}
    entry = trail.Act(
        "task_override.decide", person.id, f"task:{found.task_id}", digest_of(found), digest_of(detail), detail
    )
    trail.append(conn, [entry], now)


# --- what an act asks first -------------------------------------------------------------------------------------------


def unit_for(conn: Connection, person: Person) -> tuple[str, bool]:
    """The unit for which a person sets tasks up, and whether that is the legal unit, which draws over all units."""
    unit = next((one for one in accounts.units(conn) if one.id == person.unit_id), None)
    if unit is None:
        raise Problem("other_unit")
    return unit.id, unit.kind == "legal_unit"


def task_for(conn: Connection, person: Person, right: str, task_id: str) -> Task:
    """A task of the person's reach that is still open to changes, locked until the transaction ends."""
    found = held(conn, person, task_id)
    permit(person, right, found.unit_id)
    must_be_open(found)
    return found


def held(conn: Connection, person: Person, task_id: str) -> Task:
    """A task that the person sees, locked until the transaction ends; for all others there is none."""
    found = tasks.task_of(conn, task_id, lock=True)
    if found is None or not sees(person, found):
        raise Problem("not_found")
    return found


def sees(person: Person, task: Task) -> bool:
    """Whether a task is of the person's reach: the unit that set it up, and the one that carries it out."""
    return any(allows(person.roles, person.unit_id, "tasks.read", unit) for unit in {task.unit_id, task.carried_out_by})


def must_be_undrawn(conn: Connection, task: Task) -> None:
    """Refuses where a draw of the task stands: its list and rules are committed (R16.2)."""
    if standing_of_task(conn, task.id) is not None:
        raise Problem("task_has_draw")


def must_be_above_floor(conn: Connection, task: Task) -> None:
    """Refuses a number below the floor that the principal hasn't approved (R6.4)."""
    if not task.is_participant and task.n < task.floor and floor_reason(conn, task) is None:
        raise Problem("task_floor_undecided", n=task.n, floor=task.floor)


def _approval(values: Mapping[str, str], today: date) -> tuple[str, str]:
    entry = Entry(values)
    number, on = entry.line("approval_number", most=120), entry.day("approval_on")
    if on is not None and entry.is_good and on > today.isoformat():
        entry.wrong("approval_on", "plan_future", found=on)
    if on is None or not entry.is_good:
        raise Faulty("task_approval_invalid", entry.faults)
    return number, on


# --- what a task is judged by -----------------------------------------------------------------------------------------


def _judged(conn: Connection, base: Task, values: Mapping[str, str], now: datetime) -> Task:
    """The task as entered, with the list's version that it freezes, or everything that is wrong with it."""
    today = beijing_day(now)
    line_id = values.get("plan_line_id", "").strip() or None
    version, released, known = known_for(conn, line_id, today)
    item_id = values.get("item", "").strip()
    if item_id:
        must_be_released(released, [item_id])
    if line_id is not None and (known.line is None or not (base.unified or known.line.unit_id == base.unit_id)):
        raise Problem("not_found")
    made, faults = read_task(values, known, base)
    made = msgspec.structs.replace(made, list_version=version)
    if made.is_participant:
        made = _of_list(conn, made)
    elif made.items[0] in released:
        made, more = _numbered(conn, made, released[made.items[0]], values, now)
        faults = faults + more
    faults = _once(faults)
    if any(not one.warning for one in faults):
        raise Faulty("task_invalid", faults)
    return made


def _once(faults: list[Fault]) -> list[Fault]:
    return list({(one.field, one.code): one for one in faults}.values())


def _numbered(
    conn: Connection, made: Task, item: Item, values: Mapping[str, str], now: datetime
) -> tuple[Task, list[Fault]]:
    frame = frame_of(conn, made, item, now)
    shares = default_shares(frame, item, rule_set_on(conn, beijing_day(now)))
    return read_number(values, made, frame, shares, made.reason is not None)


def _of_list(conn: Connection, made: Task) -> Task:
    """A participant draws nobody: its number is that of the lead's list (R13.1)."""
    kept = planned(conn, made.plan_line_id)
    lists = [] if kept is None else joint_lists.lists_of(conn, kept.id)
    rows = next((len(one.rows) for one in lists if one.id == made.joint_list), 0)
    return msgspec.structs.replace(made, n=rows, mode="total", shares={}, proposed=0, floor=0, population=0)


def frame_for(
    conn: Connection, person: Person, values: Mapping[str, str], now: datetime, old: Task | None
) -> tuple[Task, Frame] | None:
    """The live counts of what stands in the form so far; None before there is an item."""
    version, released, known = known_for(conn, values.get("plan_line_id") or None, beijing_day(now))
    item = released.get(values.get("item", "").strip())
    if item is None:
        return None
    unit_id, unified = unit_for(conn, person) if old is None else (old.unit_id, old.unified)
    base = Task("" if old is None else old.id, "", unit_id, "undirected", "", "", "", (), unified=unified)
    made, _ = read_task(values, known, msgspec.structs.replace(base, list_version=version))
    return made, frame_of(conn, made, item, now)


# --- requests and the trail -------------------------------------------------------------------------------------------


def _ask(conn: Connection, person: Person, now: datetime, task: Task) -> str | None:
    """A number below the floor asks the principal by itself, with the task's reason; the request's id, if any."""
    if task.is_participant or task.n >= task.floor or floor_reason(conn, task) is not None:
        return None
    made = Override(
        named("task_override", task.id, stamp(now)), task.id, task.floor, task.n, task.reason or "", person.id,
        stamp(now), "asked",
    )  # fmt: skip
    tasks.add_override(conn, made)
    return made.id


def _note(
    conn: Connection,
    person: Person,
    now: datetime,
    name: str,
    before: Task | None,
    after: Task,
    asked: str | None,
    more: Mapping[str, Any] | None = None,
) -> None:
    detail: dict[str, Any] = {"no": after.no, "unit": after.unit_id, "items": list(after.items), "n": after.n}
    if asked is not None:
        detail["override"] = asked
    detail |= more or {}
    old = None if before is None else digest_of(before)
    trail.append(conn, [trail.Act(name, person.id, f"task:{after.id}", old, digest_of(after), detail)], now)
