"""The tasks of the demo, and the visits that they were drawn, matched and dispatched into."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final, NamedTuple

from server.demo.district import HAZCHEM, INDUSTRY, SEED
from server.demo.phone import BEIJING
from server.domain.task import Task

A: Final = ("li", "zhang", "wang")
B: Final = ("liu", "song")
C: Final = ("zhao", "sun", "chen")


class Dispatched(NamedTuple):
    """One visit of the plan: what it is there for, whom it goes to, and who goes, the leader first."""

    name: str
    subject: int
    tasks: tuple[str, ...]
    crew: tuple[str, ...]


VISITS: Final = (
    Dispatched("approved", 5, ("hazchem",), B),
    Dispatched("unreachable", 12, ("hazchem",), B),
    Dispatched("refused", 18, ("hazchem",), B),
    Dispatched("ordered", 24, ("hazchem", "special"), A),
    Dispatched("returned", 31, ("hazchem",), B),
    Dispatched("void", 37, ("hazchem",), B),
    Dispatched("unqualified", 480, ("confined",), C),
    Dispatched("stale", 46, ("hazchem",), A),
    Dispatched("pending", 52, ("hazchem",), A),
    Dispatched("interrupted", 59, ("hazchem",), B),
    Dispatched("joint", 500, ("joint",), C),
    Dispatched("conflict", 64, ("hazchem",), A),
    Dispatched("fresh-two", 70, ("hazchem", "special"), A),
    Dispatched("fresh-one", 77, ("hazchem",), A),
    Dispatched("fresh-zhao", 520, ("confined",), C),
)
"""Every visit of the demo; the last three are still to be begun."""

DISPATCHED_AGO: Final = 36
"""On which weekday before today the visits were dispatched."""

LIST_VERSION: Final = 3
"""The version of the item list that the tasks froze (R5.3): `demo.item_list` has it released."""

UNIT_OF: Final = {"hazchem": HAZCHEM, "special": HAZCHEM, "joint": INDUSTRY, "confined": INDUSTRY}


def tasks(today: date) -> dict[str, Task]:
    """The four tasks of the quarter, under their short names."""
    first, last = (today - timedelta(60)).isoformat(), (today + timedelta(20)).isoformat()
    quarter = f"{today.year}年第{'一二三四'[(today.month - 1) // 3]}季度"

    def task(name: str, title: str, items: tuple[str, ...], **more: str) -> Task:
        return Task(
            id=f"task-{name}",
            name=quarter + title,
            unit_id=UNIT_OF[name],
            draw="directed",
            window_from=first,
            window_to=last,
            due_on=last,
            items=items,
            joint="lead" if more else None,
            partner=more.get("partner"),
            list_version=LIST_VERSION,
        )

    return {
        "hazchem": task("hazchem", "危险化学品储存抽查", ("hazchem-storage",)),
        "special": task("special", "特种作业持证抽查", ("special-operations",)),
        "joint": task("joint", "车间消防部门联合抽查", ("workshop-fire",), partner="卧龙区消防救援大队"),
        "confined": task("confined", "有限空间作业抽查", ("confined-space",)),
    }


def moment(today: date, workdays_ago: int, hour: int, minute: int = 0) -> datetime:
    """A time in Beijing on the n-th weekday before `today`; after it where the number is negative."""
    day, step = today, 1 if workdays_ago > 0 else -1
    while workdays_ago:
        day -= timedelta(step)
        workdays_ago -= step * (day.weekday() < 5)
    return datetime.combine(day, time(hour, minute), BEIJING)


def visit_ids(dispatched: datetime) -> dict[str, str]:
    """A UUIDv7 for each visit, the same each time."""
    rng = Random(SEED + 7)
    start = int(dispatched.timestamp() * 1000)
    return {visit.name: _uuid7(start + place, rng) for place, visit in enumerate(VISITS)}


def _uuid7(milliseconds: int, rng: Random) -> str:
    random = rng.getrandbits(74)
    high, low = random >> 62, random & ((1 << 62) - 1)
    return str(uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low))
