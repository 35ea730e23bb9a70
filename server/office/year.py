"""The year in figures, as far as there are any: ratio by item, months, load, and what the rules ask by its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from server.domain.ratio import Year
from server.office import plan_page
from server.store import home, plans
from server.store.rules import rule_set_on
from server.store.session import Connection


class Bar(msgspec.Struct, frozen=True):
    """One item: how many of how many are planned, as whole ten-thousandths, against what it must at least be."""

    name: str
    count: int
    population: int
    per_10000: int
    floor_per_10000: int
    short: int
    is_excused: bool


class Check(msgspec.Struct, frozen=True):
    """A rule of the year: `state` is good, bad or open; the words are `year.<code>` and `year.<code>.<state>`."""

    code: str
    article: str
    state: str
    n: int = 0
    href: str = ""


class YearView(msgspec.Struct, frozen=True):
    """Everything that the charts are drawn from; what there is no plan for is None."""

    year: int
    floor_per_10000: int
    bars: list[Bar] | None
    planned: list[int] | None
    done: list[int]
    load: list[tuple[str, int]]
    checks: list[Check]


def year_of(conn: Connection, today: date, unit_id: str | None) -> YearView:
    """The year of `today`; months and load of one unit, or of all with None; the ratio is always the whole bureau's."""
    year = today.year
    plan = plan_page.view_of(conn, year, today) if plans.plan_of(conn, year) is not None else None
    lines = [] if plan is None else [one.line for one in plan.lines if unit_id in (None, one.line.unit_id)]
    return YearView(
        year,
        rule_set_on(conn, today).floor,
        None if plan is None else [_bar(one.item.name, one.year) for one in plan.items if one.year.population],
        [sum(line.months[month] for line in lines) for month in range(12)] if plan is not None else None,
        home.ended_by_month(conn, unit_id, year),
        home.load_of(conn, unit_id, year),
        [] if plan is None else _checks(plan),
    )


def _bar(name: str, year: Year) -> Bar:
    return Bar(
        name,
        year.planned,
        year.population,
        year.planned * 10_000 // year.population,
        -(-year.floor * 10_000 // year.population),
        max(0, year.floor - year.planned),
        "ratio" in year.overridden,
    )


def _checks(plan: plan_page.PlanView) -> list[Check]:
    href = f"/office/plans/{plan.plan.year}"
    released = plan.plan.state == "released"
    rare = sum("frequency" in one.missing for one in plan.items)
    low = sum("ratio" in one.missing for one in plan.items)
    joint = "good" if plan.joint.drawn else "bad" if plan.joint.is_red else "open"
    return [
        Check("released", "12", "good" if released else "open", plan.plan.version, href),
        Check("joint", "13", joint, plan.joint.planned, href),
        Check("ratio", "6", "bad" if low else "good", low, href),
        Check("frequency", "6", "bad" if rare else "good", rare, href),
        Check("cap", "15-1", "good", sum(one.year.at_cap for one in plan.items), href),
    ]


def median(counts: Sequence[int]) -> int:
    """The middle one of some counts: of two middle ones the lower."""
    return sorted(counts)[(len(counts) - 1) // 2] if counts else 0
