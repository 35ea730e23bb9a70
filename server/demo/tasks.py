"""The demo's five tasks of the quarter: set up, approved, drawn by lot and dispatched, all by the office's own acts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple

from server.demo.district import HAZCHEM, INDUSTRY, SEED
from server.demo.lots import LINK, WITNESS, secret, sources, values
from server.demo.plan import DISPATCHED_AGO, DRAWN_AGO, ENTERED_AGO, moment, quarter
from server.demo.plans import CLERKS, FIRST_LINES, HEADS
from server.domain.draw_sources import Source
from server.office import dispatch, draws, merging
from server.office import tasks as office
from server.store import crews, plans
from server.store.crews import Seen
from server.store.seal import Sealer
from server.store.session import Connection
from server.sync.field import SyncField


class Planned(NamedTuple):
    """A task: what its clerk enters, and how its visits are called, by the subjects' codes.

    `known` are subjects that the shares make sure to be drawn, with the names of their visits.
    """

    key: str
    unit: str
    item: str
    title: str
    entered: Mapping[str, str]
    visits: tuple[str, ...] = ()
    known: Mapping[str, str] = {}
    is_of_plan: bool = True


def _ratio(risk: str, **shares: int) -> dict[str, str]:
    """A directed draw among one risk class, by ratios per 10,000."""
    return {"draw": "directed", f"filter.risks.{risk}": "yes", "mode": "ratio"} | {
        f"share.{risk.upper()}_{name}": str(share) for name, share in shares.items()
    }


TASKS: Final = (
    Planned(
        "first",
        HAZCHEM,
        "hazchem-storage",
        "危险化学品储存抽查（高风险单位）",
        _ratio("high", A=500, B=300, C=2000, D=1000, D_FLAGGED=10000)
        | {"reason": "高风险单位上半年已专项检查一遍；窗口延到年底。"},
        ("approved", "unreachable", "refused", "returned", "void"),
    ),
    Planned(
        "confined",
        INDUSTRY,
        "confined-space",
        "有限空间作业抽查",
        {
            "draw": "undirected",
            "mode": "total",
            "n": "6",
            "disclosure": "open",
            "reason": "计划分两批抽取，本批先抽六户；窗口延到年底。",
        },
        ("unqualified", "fresh-zhao", "confined-one", "confined-two", "confined-three", "withdrawn"),
    ),
    Planned(
        "second",
        HAZCHEM,
        "hazchem-storage",
        "危险化学品储存抽查（中风险单位）",
        _ratio("medium", A=500, B=1000, C=1000, D=10000) | {"reason": "信用差的单位全部检查；窗口延到年底。"},
        ("stale", "pending", "interrupted", "conflict"),
        {"subject-003": "fresh-one", "subject-049": "ordered", "subject-053": "fresh-two"},
    ),
    Planned(
        "special",
        HAZCHEM,
        "special-operations",
        "危险化学品单位特种作业专项检查",
        {
            "draw": "directed",
            "filter.traits.hazardous_chemicals": "yes",
            "mode": "total",
            "n": "3",
            "campaign": "宛龙安委办〔{year}〕46 号 特种作业持证专项整治",
            "form": "campaign",
        },
        (),
        {"subject-003": "special", "subject-049": "ordered-special", "subject-053": "fresh-two-special"},
        is_of_plan=False,
    ),
    Planned(
        "joint",
        INDUSTRY,
        "workshop-fire",
        "车间消防部门联合抽查",
        {
            "draw": "directed",
            "filter.traits.special_operations": "yes",
            "filter.risks.medium": "yes",
            "filter.credits.D": "yes",
            "filter.industries": "C",
            "mode": "total",
            "n": "2",
            "joint": "lead",
            "partner": "卧龙区消防救援大队",
            "campaign": "宛龙安委〔{year}〕19 号 今冬明春火灾防控专项",
            "crew_size": "3",
            "reason": "窗口延到年底。",
        },
        ("joint", "joint-two"),
    ),
)
"""In the order in which they are drawn: the special one meets three subjects that the second one has."""

AGAIN: Final = "confined"
"""The task whose first attempt is void: the witness didn't come."""

MERGED: Final = {"ordered": "ordered-special", "fresh-two": "fresh-two-special"}
"""Visit -> the one that became one with it; a third pair is still only proposed."""

UNIT_OF: Final = {name: task.unit for task in TASKS for name in (*task.visits, *task.known.values())}
"""Name of a visit -> the unit that makes it."""


class Dispatched(NamedTuple):
    """The ids of the tasks by their keys, and of the visits by their names."""

    tasks: dict[str, str]
    visits: dict[str, str]


def dispatched(conn: Connection, sealer: Sealer, field: SyncField, today: date) -> Dispatched:
    """All five tasks as far as their visits; two pairs of them merged, one subject let out."""
    ids = {task.key: _set_up(conn, today, task, place) for place, task in enumerate(TASKS)}
    _void(conn, sealer, today, ids[AGAIN])
    asked = [sources(moment(today, DRAWN_AGO, 12), task.key) for task in TASKS]
    lots = [_commit(conn, sealer, today, place, ids[task.key], asked[place]) for place, task in enumerate(TASKS)]
    for place, draw in enumerate(lots):
        _draw(conn, sealer, today, place, draw, asked[place])
    visits: dict[str, str] = {}
    for place, task in enumerate(TASKS):
        visits |= _dispatch(conn, field, today, task, ids[task.key], place)
    for kept, other in MERGED.items():
        at = moment(today, DISPATCHED_AGO, 17)
        merging.merge(conn, CLERKS[HAZCHEM], at, visits[kept], visits[other], field)
    _withdraw(conn, field, today, ids["confined"], visits["withdrawn"])
    return Dispatched(ids, visits)


def _set_up(conn: Connection, today: date, task: Planned, place: int) -> str:
    """Entered by the clerk, approved by the head."""
    entered = {
        "item": task.item,
        "name": quarter(today) + task.title,
        "window_from": moment(today, DISPATCHED_AGO - 1, 9).date().isoformat(),
        "window_to": (today + timedelta(20)).isoformat(),
        "method.site": "yes",
        "method.document_review": "yes",
        "method.inquiry": "yes",
        "form": "risk_class",
        "disclosure": "sealed",
        "crew_size": "2",
    } | {name: value.format(year=today.year) for name, value in task.entered.items()}
    if task.is_of_plan:
        entered["plan_line_id"] = _line(conn, today, task)
    id = office.add_task(conn, CLERKS[task.unit], moment(today, ENTERED_AGO, 9, place), entered)
    approval = {
        "approval_number": f"宛卧应急检〔{today.year}〕{20 + place} 号",
        "approval_on": moment(today, ENTERED_AGO, 9).date().isoformat(),
    }
    office.approve_task(conn, HEADS[task.unit], moment(today, ENTERED_AGO, 15, place), id, approval)
    return id


def _line(conn: Connection, today: date, task: Planned) -> str:
    """The plan's line that the task carries out."""
    if not any((unit, item) == (task.unit, task.item) for unit, item, *_ in FIRST_LINES):
        raise AssertionError("the plan has a line for it")
    version = max(one.version for one in plans.versions_of(conn, today.year) if one.released_at is not None)
    lines = plans.lines_of(conn, today.year, version)
    return next(one.id for one in lines if (one.line.unit_id, one.line.item_id) == (task.unit, task.item))


def _void(conn: Connection, sealer: Sealer, today: date, id: str) -> None:
    """Committed once in vain."""
    asked = sources(moment(today, DRAWN_AGO + 1, 12), "in-vain")
    at = moment(today, DRAWN_AGO + 2, 16)
    draw = draws.commit(conn, CLERKS[INDUSTRY], at, id, asked, secret("in-vain"), sealer)
    reason = "约定的见证人临时不能到场，改期重新公布承诺。"
    draws.void(conn, HEADS[INDUSTRY], moment(today, DRAWN_AGO + 1, 9), draw, reason, sealer)


def _commit(conn: Connection, sealer: Sealer, today: date, place: int, id: str, asked: Sequence[Source]) -> str:
    at = moment(today, DRAWN_AGO + 1, 10, place)
    return draws.commit(conn, CLERKS[TASKS[place].unit], at, id, asked, secret(TASKS[place].key), sealer)


def _draw(conn: Connection, sealer: Sealer, today: date, place: int, draw: str, asked: Sequence[Source]) -> None:
    """The numbers that came the day after the commitment, and the draw."""
    clerk = CLERKS[TASKS[place].unit]
    for source, value in zip(asked, values(TASKS[place].key), strict=True):
        by = WITNESS if source.kind == "dice" else clerk.name
        seen, entered = moment(today, DRAWN_AGO, 9, 30), moment(today, DRAWN_AGO, 9, 50)
        draws.contribute(conn, clerk, entered, draw, source.id, value, seen, by or clerk.id, link=LINK)
    draws.run(conn, clerk, moment(today, DRAWN_AGO, 10, place), draw, sealer)


def _dispatch(conn: Connection, field: SyncField, today: date, task: Planned, id: str, place: int) -> dict[str, str]:
    chance = hashlib.sha256(f"{SEED}|dispatch|{task.key}".encode()).digest()
    at = moment(today, DISPATCHED_AGO, 16, place)
    dispatch.dispatch_task(conn, CLERKS[task.unit], at, id, {"confirm": "yes"}, field, chance)
    return _named(task, crews.visits_of_task(conn, id))


def _named(task: Planned, visits: Sequence[Seen]) -> dict[str, str]:
    """The lot says which subjects: each gets the name of a play, in the order of their codes."""
    free = iter(task.visits)
    names = [task.known.get(one.subject_id) or next(free) for one in visits]
    return {name: one.id for name, one in zip(names, visits, strict=True)}


def _withdraw(conn: Connection, field: SyncField, today: date, id: str, visit_id: str) -> None:
    """A subject that moved away is let out by the head (R17.2)."""
    seen = crews.visit_seen(conn, visit_id)
    if seen is None:
        raise AssertionError("a visit that was dispatched is there")
    clerk, head = CLERKS[seen.unit_id], HEADS[seen.unit_id]
    reason = "企业已迁往外区，登记已变更，由迁入地检查。"
    asked = dispatch.ask_withdrawal(conn, clerk, moment(today, DISPATCHED_AGO - 1, 9), id, seen.subject_id, reason)
    dispatch.withdraw(conn, head, moment(today, DISPATCHED_AGO - 1, 10), asked, "approved", "", field)
