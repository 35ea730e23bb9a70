"""What the pages of the annual plan show: where it stands, who must act next, and what is missing for that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import msgspec

from server.domain.access import allows, reach
from server.domain.plan import FILINGS, Change, Missing, is_red
from server.office.plan_facts import ItemYear, excused, item_years, missing_for, plan_for
from server.office.plans import FILED_WITH, differences_to_released
from server.store import plans, selections
from server.store.people import Person
from server.store.plans import Filing, Kept, Override, Part, Plan, Version
from server.store.rules import rule_set_on
from server.store.session import Connection

NEXT: Final = {
    "draft": ("units", "submit"),
    "submitted": ("legal_unit", "consolidate"),
    "consolidated": ("principal", "approve"),
    "approved": ("legal_unit", "file"),
    "filed": ("legal_unit", "release"),
    "released": ("legal_unit", "amend"),
    "amended": ("legal_unit", "consolidate"),
}
"""State -> who acts next, and what he does."""

STEPS: Final = ("draft", "submitted", "consolidated", "approved", "filed", "released")


class Joint(msgspec.Struct, frozen=True):
    """Joint tasks of the year (R13.2): planned, drawn, and whether that is red."""

    planned: int
    drawn: int
    is_red: bool


class PlanView(msgspec.Struct, frozen=True):
    """One plan as its page shows it."""

    plan: Plan
    version: Version
    versions: list[Version]
    parts: list[Part]
    lines: list[Kept]
    filings: list[Filing]
    overrides: list[Override]
    items: list[ItemYear]
    missing: list[Missing]
    changes: list[Change]
    joint: Joint

    @property
    def is_open(self) -> bool:
        """Whether units may change their lines."""
        return self.plan.state in ("draft", "amended")

    @property
    def next_role(self) -> str:
        """Who acts next."""
        waits_for_units = any(part.state == "open" for part in self.parts)
        return "units" if self.plan.state == "amended" and waits_for_units else NEXT[self.plan.state][0]

    @property
    def next_act(self) -> str:
        """What comes next."""
        return "submit" if self.next_role == "units" else NEXT[self.plan.state][1]

    @property
    def step(self) -> int:
        """How many of the steps are behind it."""
        return 0 if self.plan.state == "amended" else STEPS.index(self.plan.state)

    def lines_of(self, unit_id: str) -> list[Kept]:
        """A unit's lines."""
        return [one for one in self.lines if one.line.unit_id == unit_id]

    @property
    def needed_filings(self) -> list[str]:
        """With whom it is still to be filed."""
        return [kind for kind in FILINGS if kind not in {one.kind for one in self.filings}]

    @property
    def planned(self) -> int:
        """All planned visits."""
        return sum(one.line.count for one in self.lines)


def view_of(conn: Connection, year: int, today: date) -> PlanView:
    """Everything that the page of a year's plan shows."""
    plan = plan_for(conn, year)
    versions = plans.versions_of(conn, year)
    lines, parts = plans.lines_of(conn, year, plan.version), plans.parts_of(conn, year, plan.version)
    requests = plans.overrides_of(conn, year)
    filings = plans.filings_of(conn, year, plan.version)
    years = item_years(conn, year, today, lines)
    return PlanView(
        plan=plan,
        version=next(one for one in versions if one.version == plan.version),
        versions=versions,
        parts=parts,
        lines=lines,
        filings=filings,
        overrides=requests,
        items=excused(years, requests),
        missing=_missing(plan, years, lines, parts, requests, filings),
        changes=differences_to_released(conn, plan) if plan.state != "released" else [],
        joint=joint_of(conn, year, today, lines),
    )


def joint_of(conn: Connection, year: int, today: date, lines: Sequence[Kept]) -> Joint:
    """The joint tasks of a year."""
    rules = rule_set_on(conn, today)
    planned, drawn = sum(one.line.joint is not None for one in lines), selections.joint_tasks(conn, year)
    return Joint(planned, drawn, is_red(drawn, rules.joint_tasks, today, year, rules.joint_red_quarter))


def _missing(
    plan: Plan,
    years: Sequence[ItemYear],
    lines: Sequence[Kept],
    parts: Sequence[Part],
    requests: Sequence[Override],
    filings: Sequence[Filing],
) -> list[Missing]:
    if plan.state in ("draft", "submitted", "amended", "consolidated"):
        return missing_for(plan, years, lines, parts, requests, decided=plan.state == "consolidated")
    there = {one.kind for one in filings}
    if plan.state == "approved":
        return [Missing("filing", FILED_WITH[kind]) for kind in FILINGS if kind not in there]
    return []


# --- what waits for whom ----------------------------------------------------------------------------------------------


class Waiting(msgspec.Struct, frozen=True):
    """Something of the plan that waits for somebody: `about` is filled into the word `plan.waits.<code>`."""

    code: str
    about: str
    n: int
    href: str


def waiting(conn: Connection, person: Person) -> list[Waiting]:
    """What of the annual plans waits for this person: lines to enter and sign, consolidation, approval, filing."""
    found: list[Waiting] = []
    for plan in plans.plans(conn):
        if plan.state != "released":
            found += _waiting_of(conn, person, plan)
    if reach(person.roles, "overrides.approve"):
        found += [
            Waiting("override", one.item, one.asked, "/office/plans/overrides") for one in plans.waiting_overrides(conn)
        ]
    return found


def _waiting_of(conn: Connection, person: Person, plan: Plan) -> list[Waiting]:
    href, year = f"/office/plans/{plan.year}", str(plan.year)

    def may(right: str, unit: str | None = None) -> bool:
        return allows(person.roles, person.unit_id, right, unit)

    rights = {"submitted": "plans.consolidate", "consolidated": "plans.approve", "approved": "plans.release"}
    rights["filed"] = "plans.release"
    if plan.state in rights:
        return [Waiting(plan.state, year, 0, href)] if may(rights[plan.state]) else []
    found = []
    lines = plans.lines_of(conn, plan.year, plan.version)
    for part in plans.parts_of(conn, plan.year, plan.version):
        mine = [one for one in lines if one.line.unit_id == part.unit_id]
        unsigned = [one for one in mine if one.signed_by is None and one.entered_by != person.id]
        if part.state == "open" and unsigned and may("plan_lines.sign", part.unit_id):
            found.append(Waiting("sign", year, len(unsigned), href))
        if part.state == "open" and may("plan_lines.change", part.unit_id):
            found.append(Waiting("enter" if not mine else "submit", year, len(mine), href))
    return found
