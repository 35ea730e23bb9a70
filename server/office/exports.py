"""Exports: the rows of a library as its layout has them, numbers of people masked unless right and reason say else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

import msgspec

from server.domain.access import ALL, reach
from server.domain.layout import LAYOUTS, Column, word_of
from server.domain.mask import hide_numbers
from server.errors import Problem
from server.office.act import act, permit
from server.office.import_page import said
from server.office.keepers import library_of
from server.office.libraries import Entry, Library, Place
from server.store import officers, search, trail, whole
from server.store.people import Person
from server.store.session import Connection

AT_ONCE: Final = 500
FILTERS: Final = ("q", "status", "risk", "credit", "flag", "trait", "domain", "state")
"""What lists can be narrowed by, as in their addresses: of subjects all but the last two, of officers those."""

REVEAL: Final = {"subjects": "subjects.reveal", "officers": "officers.reveal", "experts": "experts.reveal"}
"""Layout -> the right to its whole numbers."""


class Wish(msgspec.Struct, frozen=True):
    """What is exported: a layout, of a unit or of all, narrowed by filters; whole numbers with a reason."""

    layout: str
    unit_id: str | None
    filters: Mapping[str, str] = {}
    whole: bool = False
    reason: str = ""


def may_export(person: Person, wish: Wish) -> None:
    """Refuses who may not export this: another unit, or whole numbers without right or reason (R7.1)."""
    permit(person, "exports.run", wish.unit_id if wish.unit_id or reach(person.roles, "exports.run") == ALL else None)
    if not wish.whole:
        return
    if wish.layout in REVEAL:
        permit(person, REVEAL[wish.layout], wish.unit_id)
    if not wish.reason:
        raise Problem("export_reason_missing")


def rows_of(conn: Connection, place: Place, wish: Wish) -> Iterator[list[str]]:
    """The header, then row by row; an export can be imported again and differs in nothing."""
    layout = LAYOUTS[wish.layout]
    library = library_of(wish.layout, place)
    yield [column.header for column in layout.columns]
    for entry in _entries(conn, library, place, wish):
        fields = library.fields(entry)
        yield [(plain if wish.whole else said)(column, fields[column.field]) for column in layout.columns]


def plain(column: Column, value: str) -> str:
    """A value as a sheet has it: words for codes."""
    if column.kind == "word":
        return word_of(column, value)
    if column.kind == "words":
        return "、".join(word_of(column, code) for code in value.split(",") if code)
    return value


def _entries(conn: Connection, library: Library, place: Place, wish: Wish) -> Iterator[Entry]:
    if wish.layout == "subjects":
        yield from _subjects(conn, library, wish)
        return
    shown = _officers(conn, place, wish) if wish.layout == "officers" else None
    for row in whole.everybody(conn, wish.layout, wish.unit_id):
        if row["id"] in shown if shown is not None else wish.filters.get("q", "") in row["name"]:
            yield whole.whole(place.sealer, wish.layout, row)


def _officers(conn: Connection, place: Place, wish: Wish) -> set[str]:
    """The officers whom the list shows."""
    asked = {name: wish.filters.get(name, "") for name in ("domain", "state")}
    found = officers.find_officers(
        conn,
        place.sealer,
        place.today,
        unit_id=wish.unit_id,
        text=wish.filters.get("q", ""),
        domain=asked["domain"],
        state=asked["state"] if asked["state"] in officers.STATES else "all",
    )
    return {one.id for one in found}


def _subjects(conn: Connection, library: Library, wish: Wish) -> Iterator[Entry]:
    asked = {name: wish.filters[name] for name in FILTERS[1:6] if wish.filters.get(name)}
    query = msgspec.convert({"text": wish.filters.get("q", ""), "unit_id": wish.unit_id, **asked}, search.Query)
    while True:
        found = search.find_subjects(conn, query, AT_ONCE)
        known = library.known(conn, [str(row.uscc or row.registration) for row in found.rows])
        yield from (known[str(row.uscc or row.registration)].entry for row in found.rows)
        if found.more is None:
            return
        query = msgspec.structs.replace(query, after=found.more)


@act("export.make", "exports.run")
def note_export(
    conn: Connection, person: Person, now: datetime, wish: Wish, *, form: str, count: int, sha256: str
) -> None:
    """Notes an export before it leaves the house: what, by which filters, how many rows, and the file's digest."""
    may_export(person, wish)
    filters = {name: hide_numbers(value) for name, value in wish.filters.items()}
    detail = {"filters": filters, "unit": wish.unit_id, "form": form, "count": count}
    detail |= {"sha256": sha256, "whole": wish.whole, "reason": wish.reason}
    trail.append(conn, [trail.Act("export.make", person.id, f"export:{wish.layout}", after=sha256, detail=detail)], now)
