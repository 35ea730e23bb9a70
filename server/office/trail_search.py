"""The trail as people read it: who is meant, what a period is, and where the thing of an entry is to be seen."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec

from server.domain.access import reach
from server.domain.instant import BEIJING, stamp
from server.office.act import ACTS
from server.store.accounts import Account
from server.store.trail_search import MOST_ACTORS, Entry, Search, agreement

SYSTEM_ACTS: Final = (
    "log.key", "log.witness", "log.witness_end",
    "session.open", "session.close", "account.add", "device.enrol", "visit.dispatch", "visit.merge", "approve_record",
    "return", "op.add", "op.set", "op.del", "op.undel", "op.attach", "op.retract", "op.sign", "op.confirm",
    "op.propose_final", "op.assign", "op.rule", "op.admit", "op.accept_final", "op.reopen", "op.void", "op.dead",
)  # fmt: skip
"""What is written to the trail beside the acts of the office: signing in, phones, and what happens to visits."""

PLACES: Final = {
    "visit": ("/office/visits/{}", "visits.read"),
    "account": ("/office/accounts/{}", "accounts.read"),
    "unit": ("/office/units/{}", "accounts.read"),
    "device": ("/office/devices/{}", "devices.read"),
    "subject": ("/office/subjects/{}", "subjects.read"),
    "officer": ("/office/officers/{}", "officers.read"),
    "item": ("/office/items/{}", "items.read"),
    "plan": ("/office/plans/{}", "plans.read"),
    "import": ("/office/imports/{}", "imports.read"),
}
"""Kind of object -> its page, and the right that opens it."""


class Line(msgspec.Struct, frozen=True):
    """One entry as the list shows it. `label` is a name that the entry itself tells; `href` None: no page for it."""

    entry: Entry
    actor: str
    kind: str
    id: str
    label: str
    reason: str
    href: str | None
    agreement: str


def all_acts() -> list[str]:
    """Every act that an entry can have."""
    return sorted({*ACTS, *SYSTEM_ACTS})


def people_meant(text: str, accounts: Sequence[Account]) -> tuple[str, ...]:
    """The ids of those whom a name means: exactly, else whoever's name holds it; a text that is nobody's is an id."""
    if not text:
        return ()
    exact = tuple(one.id for one in accounts if text in (one.name, one.username, one.id))
    holding = tuple(one.id for one in accounts if text.casefold() in f"{one.name} {one.username}".casefold())
    return (exact or holding or (text,))[:MOST_ACTORS]


def search_of(asked: Mapping[str, str], accounts: Sequence[Account]) -> Search:
    """What the address asks for; days are those of Beijing, both included, and what is no day is left out."""
    since, until = _day(asked.get("since", "")), _day(asked.get("until", ""))
    return Search(
        act=asked.get("act", ""),
        actors=people_meant(asked.get("who", ""), accounts),
        object=asked.get("object", ""),
        number=asked.get("number", ""),
        since=_begin(since) if since else "",
        until=_begin(until + timedelta(days=1)) if until else "",
        after=asked.get("after", ""),
    )


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if date(1970, 1, 1) < found < date(9999, 1, 1) else None


def _begin(day: date) -> str:
    return stamp(datetime(day.year, day.month, day.day, tzinfo=BEIJING))


def line_of(found: Entry, names: Mapping[str, str], roles: Collection[str]) -> Line:
    """An entry with names in the place of ids, and the way to its object for who may go it."""
    kind, _, id_ = found.object.partition(":")
    if kind == "op":
        kind, id_ = "visit", id_.partition(":")[0]
    said = detail_of(found)
    label, reason = said.get("name"), said.get("reason") or said.get("comment")
    place, right = PLACES.get(kind, ("", ""))
    return Line(
        found,
        names.get(found.actor, found.actor),
        kind,
        id_,
        label if isinstance(label, str) else names.get(id_, ""),
        reason if isinstance(reason, str) else "",
        place.format(id_) if place and reach(roles, right) is not None else None,
        agreement(found),
    )


def detail_of(found: Entry) -> dict[str, Any]:
    """What the entry tells beside its columns; empty where there is nothing or it was erased."""
    said = None if found.detail is None else json.loads(found.detail)
    return said if isinstance(said, dict) else {}
