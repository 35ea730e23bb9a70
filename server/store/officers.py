"""The library of officers (R9.1): found, added, changed; what leaves here carries masks for phones and ID numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from functools import lru_cache
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.codes import normal_code, normal_phone
from server.domain.officer import Officer, OfficerEntry, validity
from server.store import personnel
from server.store.personnel import Change, Row
from server.store.reading import initials, pinyin
from server.store.seal import Sealer
from server.store.tables import account, assignments, interest, leave, officer, visit_crew

STATES: Final = ("here", "soon", "expired", "left", "all")
"""Filters of the list by how a certificate stands; `here` is everybody who has not left."""


def officers_by_id(conn: Connection, sealer: Sealer, ids: Iterable[str]) -> dict[str, Officer]:
    """Officers by id."""
    return {one.id: one for one in _masked(conn, sealer, officer.c.id.in_(list(ids)))}


def officer_of(conn: Connection, sealer: Sealer, officer_id: str) -> Officer | None:
    """One officer."""
    return officers_by_id(conn, sealer, [officer_id]).get(officer_id)


def rows_of(conn: Connection, unit_id: str | None) -> list[Row]:
    """The officers of a unit, or of all, as stored."""
    return personnel.rows_where(conn, officer, *_of(unit_id))


def officer_row(conn: Connection, officer_id: str, *, lock: bool = False) -> Row | None:
    """One officer as stored, numbers sealed."""
    return next(iter(personnel.rows_where(conn, officer, officer.c.id == officer_id, lock=lock)), None)


def officer_rows(conn: Connection, ids: Iterable[str]) -> dict[str, Row]:
    """Officers as stored, numbers sealed."""
    return {row["id"]: row for row in personnel.rows_where(conn, officer, officer.c.id.in_(list(ids)))}


def number_of(sealer: Sealer, row: Row, field: str) -> str:
    """A phone or ID number in clear."""
    return personnel.clear(sealer, officer, row, field)


def find_officers(
    conn: Connection,
    sealer: Sealer,
    today: date,
    *,
    unit_id: str | None = None,
    text: str = "",
    domain: str = "",
    state: str = "here",
) -> list[Officer]:
    """Officers by name, pinyin, initials, certificate, or a whole phone or ID number; by domain and by validity."""
    number = normal_phone(text), normal_code(text)
    blinds = {personnel.blind_of(sealer, officer, field, each) for field in personnel.SEALED for each in number if each}
    rows = [row for row in personnel.rows_where(conn, officer, *_of(unit_id)) if _matches(row, text, blinds)]
    found = (personnel.masked(sealer, officer, row, Officer) for row in rows if not domain or domain in row["domains"])
    return sorted((one for one in found if stands(one, state, today)), key=lambda one: (one.unit_id, one.id))


def ending(conn: Connection, unit_id: str | None, first: str, last: str) -> list[tuple[str, str, str]]:
    """Id, name and last day of those still here whose certificate ends between two days."""
    query = sa.select(officer.c.id, officer.c.name, officer.c.certificate_to).where(
        officer.c.certificate_to.between(first, last), officer.c.left_on.is_(None), *_of(unit_id)
    )
    return [tuple(row) for row in conn.execute(query.order_by(officer.c.certificate_to, officer.c.id))]


def taken(conn: Connection, sealer: Sealer, entry: OfficerEntry, but: str | None = None) -> dict[str, str]:
    """Field -> name of the other officer who has this certificate or ID number already."""
    held = {"certificate": officer.c.certificate == entry.certificate}
    if entry.id_number is not None:
        blind = personnel.blind_of(sealer, officer, "id_number", entry.id_number)
        held["id_number"] = officer.c.id_number_blind == blind
    names = {
        field: conn.scalar(sa.select(officer.c.name).where(same, officer.c.id != (but or "")))
        for field, same in held.items()
    }
    return {field: name for field, name in names.items() if name is not None}


def insert_officers(
    conn: Connection, sealer: Sealer, entries: Mapping[str, OfficerEntry], by: str, now: datetime
) -> None:
    """Adds officers: id -> what was entered, both numbers given."""
    personnel.insert(conn, sealer, officer, entries, by, now)


def update_officers(
    conn: Connection, sealer: Sealer, entries: Mapping[str, OfficerEntry], by: str, now: datetime
) -> dict[str, list[Change]]:
    """Changes officers; their phones, and those of their crews, learn of it by their next exchange."""
    changed = personnel.update(conn, sealer, officer, entries, by, now)
    _tell_crews(conn, changed)
    return changed


def remove_officers(conn: Connection, ids: Collection[str], by: str, now: datetime) -> None:
    """Takes out officers whom nothing speaks of (see `used_officers`)."""
    personnel.remove(conn, officer, ids, by, now)


def used_officers(conn: Connection, ids: Iterable[str]) -> frozenset[str]:
    """Which of them something speaks of: an account, a crew, an interest, a leave."""
    wanted = list(ids)
    columns = (account.c.officer_id, visit_crew.c.officer_id, interest.c.officer_id, leave.c.officer_id)
    return frozenset(
        str(id) for column in columns for id in conn.scalars(sa.select(column).where(column.in_(wanted)).distinct())
    )


def leave_office(conn: Connection, officer_id: str, day: str | None, by: str, now: datetime) -> None:
    """Notes the first day on which he is no longer there (R9.2); None takes it back."""
    personnel.leave_on(conn, officer, officer_id, day, by, now)


def _tell_crews(conn: Connection, ids: Iterable[str]) -> None:
    changed = list(ids)
    if changed:
        visits = sa.select(visit_crew.c.visit_id).where(visit_crew.c.officer_id.in_(changed))
        mates = sa.select(visit_crew.c.officer_id).where(visit_crew.c.visit_id.in_(visits))
        conn.execute(
            sa.update(assignments).where(assignments.c.officer_id.in_(mates)).values(rev=assignments.c.rev + 1)
        )


def _masked(conn: Connection, sealer: Sealer, *where: sa.ColumnElement[bool]) -> list[Officer]:
    return [personnel.masked(sealer, officer, row, Officer) for row in personnel.rows_where(conn, officer, *where)]


def _of(unit_id: str | None) -> tuple[sa.ColumnElement[bool], ...]:
    ours = officer.c.home_office.is_(None)  # whom a neighbour lends is of nobody's library here (R18.4)
    return (ours,) if unit_id is None else (ours, officer.c.unit_id == unit_id)


def _matches(row: Row, text: str, blinds: Collection[str]) -> bool:
    wanted = text.strip().lower()
    if not wanted or wanted.upper() in row["certificate"]:
        return True
    if row["phone_blind"] in blinds or row["id_number_blind"] in blinds:
        return True
    return any(wanted.replace(" ", "") in spelling for spelling in spellings(row["name"]))


@lru_cache(maxsize=4096)
def spellings(name: str) -> tuple[str, str, str]:
    """A name, its pinyin and its initials, as people type them."""
    return name.lower(), pinyin(name), initials(name)


def stands(one: Officer, state: str, today: date) -> bool:
    """Whether somebody belongs under a filter of `STATES`."""
    now = validity(one, today)
    return now != "left" if state == "here" else state in ("all", now)
