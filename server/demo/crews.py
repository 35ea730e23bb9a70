"""The demo's crews: matched by lot, one named where too few are there, one changed before it went; then sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from server.demo.district import HAZCHEM, INDUSTRY
from server.demo.lots import LINK, WITNESS, secret, sources, values
from server.demo.plan import MATCHED_AGO, moment
from server.demo.plans import CLERKS, HEADS
from server.demo.tasks import Dispatched
from server.demo.visits import PLAYS
from server.office import crew_changes, crew_ways, crews, leading
from server.store import crews as store
from server.store.seal import Sealer
from server.store.session import Connection
from server.sync.field import SyncField


class Sent(NamedTuple):
    """When a visit that isn't played is to be made: on which weekday after today, and in which half of it."""

    workdays: int
    half: str = "am"


TO_COME: Final = {
    "joint-two": Sent(1),
    "fresh-two": Sent(2),
    "fresh-zhao": Sent(2),
    "fresh-one": Sent(3),
    "confined-one": Sent(4),
    "confined-two": Sent(5, "pm"),
    "confined-three": Sent(6),
}

LOTS: Final = (
    ("first", HAZCHEM, ("approved", "unreachable", "refused", "returned", "void")),
    ("confined", INDUSTRY, ("unqualified", "fresh-zhao", "confined-one", "confined-two", "confined-three")),
    ("second", HAZCHEM, ("ordered", "stale", "pending", "interrupted", "conflict", "fresh-two", "fresh-one")),
    ("joint", INDUSTRY, ("joint", "joint-two")),
)
"""What is matched together; the visit that is still proposed for merging waits for its crew."""

OF_THREE: Final = frozenset(
    {"ordered", "stale", "pending", "conflict", "fresh-two", "fresh-one", "joint", "joint-two", "unqualified",
     "fresh-zhao"}
)  # fmt: skip

WHO_FOLLOW: Final = ((HAZCHEM, "zhang"), (HAZCHEM, "wang"), (INDUSTRY, "sun"), (INDUSTRY, "chen"))
"""Officers whom their unit doesn't let lead yet."""

NAMED: Final = "joint-two"
"""The visit that has too few: two of three are on a course that day."""

CHANGED: Final = "refused"
"""The visit of whose crew one was replaced, and on which weekday before today."""
CHANGED_AGO: Final = 17


def sent(conn: Connection, sealer: Sealer, field: SyncField, today: date, made: Dispatched) -> None:
    """Every lot, from the half-days to the phones."""
    for unit, officer in WHO_FOLLOW:
        leading.set_may_lead(conn, CLERKS[unit], moment(today, MATCHED_AGO + 1, 8, 30), officer, False)
    for place, (key, unit, names) in enumerate(LOTS):
        id, visits = made.tasks[key], made.visits
        entered = {name: value for one in names for name, value in _planned(today, one, visits[one]).items()}
        crews.plan(conn, CLERKS[unit], moment(today, MATCHED_AGO + 1, 9, 10 * place), id, entered)
        if NAMED in names:
            _name(conn, today, unit, id, visits[NAMED])
        _match(conn, sealer, field, today, key, unit, id, place)


def change(conn: Connection, field: SyncField, today: date, visits: Mapping[str, str]) -> None:
    """One of the crew fell ill: the head agrees, and the next by lot goes (R20.1)."""
    seen = store.visit_seen(conn, visits[CHANGED])
    if seen is None:
        raise AssertionError("a visit that was dispatched is there")
    mate = next(one for one in seen.members if one != seen.leader)
    entered = {"officer_id": mate, "kind": "health", "reason": "发热就医，医嘱休息三天。"}
    asked = crew_changes.ask_replacement(conn, CLERKS[HAZCHEM], moment(today, CHANGED_AGO, 8, 40), seen.id, entered)
    crew_changes.decide_replacement(conn, HEADS[HAZCHEM], moment(today, CHANGED_AGO, 9), asked, True, "", field)


def crew_of(conn: Connection, visit_id: str) -> Sequence[str]:
    """Who goes, the leader first."""
    seen = store.visit_seen(conn, visit_id)
    return () if seen is None else seen.members


def _planned(today: date, name: str, id: str) -> dict[str, str]:
    to_come = TO_COME.get(name)
    ago, half = (PLAYS[name].workdays_ago, PLAYS[name].half) if to_come is None else (-to_come.workdays, to_come.half)
    day = moment(today, ago, 9).date().isoformat()
    return {f"half_day:{id}": f"{day}/{half}", f"k:{id}": "3" if name in OF_THREE else "2"}


def _name(conn: Connection, today: date, unit: str, task: str, visit_id: str) -> None:
    """Too few are there, which the system says by itself: the head agrees to who is named (R18.4)."""
    entered = {
        "kind": "direct_assignment",
        "visit_id": visit_id,
        "leader": "zhao",
        "reason": "消防救援大队只有这天能到，其他人当天参加省厅集中培训。",
    }
    at = moment(today, MATCHED_AGO + 1, 10)
    way = crew_ways.ask_way(conn, CLERKS[unit], at, task, entered, ["zhao", "sun"])
    crew_ways.decide_way(conn, HEADS[unit], moment(today, MATCHED_AGO + 1, 11), way, True, "")


def _match(
    conn: Connection, sealer: Sealer, field: SyncField, today: date, key: str, unit: str, task: str, place: int
) -> None:
    clerk, issue, minute = CLERKS[unit], f"{key}-crew", 12 * place
    asked = sources(moment(today, MATCHED_AGO, 17), issue)
    at = moment(today, MATCHED_AGO + 1, 15, minute)
    match = crews.commit(conn, clerk, at, task, asked, secret(issue), sealer)
    for source, value in zip(asked, values(issue), strict=True):
        by = WITNESS if source.kind == "dice" else clerk.name or clerk.id
        seen, entered = moment(today, MATCHED_AGO, 9, 30), moment(today, MATCHED_AGO, 9, 50)
        crews.contribute(conn, clerk, entered, match, source.id, value, seen, by, LINK)
    crews.match(conn, clerk, moment(today, MATCHED_AGO, 10, minute), match, sealer)
    crews.assign(conn, clerk, moment(today, MATCHED_AGO, 10, minute + 5), match, field)
