"""What the pages of tasks show: where a task stands, what comes next and by whom, what waits for somebody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

import msgspec

from server.domain.access import ALL, allows, reach
from server.domain.task import Task
from server.errors import Problem
from server.office.task_facts import floor_reason
from server.office.tasks import sees
from server.store import joint_lists, plans, tasks
from server.store.draws import Draw, draws_of_task, standing_of_task
from server.store.joint_lists import JointList
from server.store.people import Person
from server.store.plans import Kept
from server.store.session import Connection
from server.store.tasks import Drawn, Extension, Override, Withdrawal

STEPS: Final = ("set_up", "approve", "draw", "dispatch", "crew", "inspect", "end")
"""The way of a task, from its set-up to its end."""

TURN: Final = {
    "decide": "principal",
    "approve": "unit_head",
    "draw": "unit_clerk",
    "go_on": "unit_clerk",
    "dispatch": "unit_clerk",
    "unknown": "unit_clerk",
    "approve_after": "unit_head",
    "crew": "unit_clerk",
    "inspect": "officer",
    "end": "unit_clerk",
    "cancelled": "unit_clerk",
}
"""What comes next -> the role whose turn it is."""


class View(msgspec.Struct, frozen=True):
    """One task with all that its page shows."""

    task: Task
    step: int
    next: str
    standing: Draw | None
    drawn: Sequence[Drawn]
    crewless: int
    overrides: Sequence[Override]
    withdrawals: Sequence[Withdrawal]
    list: JointList | None
    line: Kept | None
    below_floor: bool
    excused_by: str | None
    visits: dict[str, int]
    extensions: Sequence[Extension]
    was_drawn: bool

    @property
    def may_extend(self) -> bool:
        """Whether its list is fixed and something is still to be done."""
        is_fixed = self.task.state == "dispatched" and bool(self.visits.get("open"))
        return is_fixed or (self.standing is not None and self.task.state in ("draft", "approved"))

    @property
    def may_cancel(self) -> bool:
        """Whether it can be given up: no draw of it stands."""
        return self.task.state in ("draft", "approved") and self.standing is None

    @property
    def turn(self) -> str:
        """Whose turn it is: a task of all units is approved by the principal."""
        role = TURN[self.next]
        return "principal" if role == "unit_head" and self.task.unified else role


def view_of(conn: Connection, person: Person, task_id: str) -> View:
    """A task that the person may see, or `not_found`."""
    task = tasks.task_of(conn, task_id)
    if task is None or not sees(person, task):
        raise Problem("not_found")
    standing = standing_of_task(conn, task_id)
    drawn = tasks.drawn_of(conn, task_id) if task.state == "dispatched" else []
    found = joint_lists.list_of(conn, task.joint_list) if task.joint_list else None
    below = task.n < task.floor and not task.is_participant
    reason = floor_reason(conn, task) if below else None
    crewless, states = tasks.crewless(conn, [task_id])[task_id], tasks.visit_states(conn, [task_id])[task_id]
    step, code = stage_of(task, None if standing is None else standing.state, crewless, states)
    if step in (1, 2, 3) and task.approved_by is None and below and reason is None:
        step, code = 1, "decide"
    if code == "dispatch" and found is not None and any(row.subject_id is None for row in found.rows):
        code = "unknown"
    return View(
        task=task,
        step=step,
        next=code,
        standing=standing,
        drawn=drawn,
        crewless=crewless,
        overrides=tasks.overrides_of(conn, task_id),
        withdrawals=tasks.withdrawals_of(conn, task_id),
        list=found,
        line=None if task.plan_line_id is None else plans.line_of(conn, task.plan_line_id),
        below_floor=below,
        excused_by=None if reason is None else reason["document"],
        visits=states,
        extensions=tasks.extensions_of(conn, task_id),
        was_drawn=bool(draws_of_task(conn, task_id)),
    )


def stage_of(task: Task, draw: str | None, crewless: int, visits: dict[str, int]) -> tuple[int, str]:
    """The step at which a task stands, and what comes next."""
    if task.state == "cancelled":
        return 0, "cancelled"
    if task.state == "dispatched":
        if task.approved_by is None and task.incident is not None:
            return 1, "approve_after"
        if crewless:
            return 4, "crew"
        return (5, "inspect") if visits.get("open") else (6, "end")
    if task.state == "draft" and task.incident is None:
        return 1, "approve"
    if task.is_participant or draw == "drawn":
        return 3, "dispatch"
    return 2, "draw" if draw is None else "go_on"


class Row(msgspec.Struct, frozen=True):
    """A line of the list of tasks."""

    task: Task
    stage: str
    step: int
    over: int
    open: int


def rows(conn: Connection, unit_id: str | None) -> list[Row]:
    """The tasks of a unit or of all, each with where it stands."""
    found = tasks.tasks(conn, unit_id)
    ids = [one.id for one in found]
    draws, states, bare = tasks.standing_draws(conn, ids), tasks.visit_states(conn, ids), tasks.crewless(conn, ids)
    made = []
    for one in found:
        step, code = stage_of(one, draws.get(one.id), bare[one.id], states[one.id])
        over = states[one.id].get("final", 0)
        made.append(Row(one, code, step, over, states[one.id].get("open", 0)))
    return made


SHOWN: Final = ("", "draft", "approved", "dispatched", "ended", "cancelled")
"""The filters of the list."""


def shown_as(row: Row) -> str:
    """The filter under which a task is found."""
    return "ended" if row.stage == "end" else row.task.state


def proposals(conn: Connection, unit_id: str | None, today: date) -> list[Kept]:
    """The lines of the released plan for which nothing was set up yet, the earliest window first."""
    plan = plans.public_plan(conn, today.year)
    if plan is None:
        return []
    taken = {one.plan_line_id for one in tasks.tasks(conn, None, ("draft", "approved", "dispatched"))}
    lines = [
        one
        for one in plans.lines_of(conn, today.year, plan.version)
        if one.id not in taken and one.line.count and one.line.window_to >= today.isoformat()
    ]
    mine = [one for one in lines if unit_id is None or one.line.unit_id == unit_id]
    return sorted(mine, key=lambda one: (one.line.window_from, one.item))


# --- what waits -------------------------------------------------------------------------------------------------------


class Waits(msgspec.Struct, frozen=True):
    """One thing about a task that waits for somebody."""

    code: str
    about: str
    href: str
    n: int = 1


def waiting(conn: Connection, person: Person, today: date) -> Iterator[Waits]:
    """What waits for this person: approvals, answers, draws, dispatches, crews, lines of the plan not set up."""
    unit = None if reach(person.roles, "tasks.read") == ALL else person.unit_id
    for row in rows(conn, unit):  # who waits for a crew is told by the crews' own part
        if row.stage in ("end", "cancelled", "inspect", "crew") or (row.task.state == "dispatched" and not row.task.no):
            continue
        right, about_unit = RIGHT[row.stage], row.task.unit_id
        mine = allows(person.roles, person.unit_id, right, about_unit)
        if mine and right == "tasks.approve" and not row.task.unified and person.unit_id != about_unit:
            mine = False
        if mine and not (right == "tasks.approve" and row.task.entered_by == person.id):
            yield Waits(row.stage, row.task.name, f"/office/tasks/{row.task.id}")
    if reach(person.roles, "overrides.approve"):
        for one in tasks.waiting_overrides(conn):
            found = tasks.task_of(conn, one.task_id)
            yield Waits("decide", "" if found is None else found.name, f"/office/tasks/{one.task_id}")
    if reach(person.roles, "tasks.approve") and person.unit_id is not None:
        for request, no in tasks.waiting_withdrawals(conn, person.unit_id):
            if request.asked_by != person.id:
                yield Waits("withdrawal", no, f"/office/tasks/{request.task_id}#withdrawals")
    if "unit_clerk" in person.roles:
        begun = [one for one in proposals(conn, person.unit_id, today) if one.line.window_from <= today.isoformat()]
        if begun:
            yield Waits("set_up", "", "/office/tasks#proposals", len(begun))


RIGHT: Final = {
    "approve": "tasks.approve",
    "approve_after": "tasks.approve",
    "draw": "draws.run",
    "go_on": "draws.run",
    "dispatch": "tasks.dispatch",
    "unknown": "tasks.dispatch",
}
"""What comes next -> the right that does it in the task's unit."""
