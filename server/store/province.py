"""What the province's platform has of each of our rows (R7.3), and the versions of the mapping to its layout."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from server.domain.instant import stamp
from server.domain.province import FIRST, ProvinceMapping
from server.errors import Problem
from server.store.bulk import insert_rows
from server.store.tables import province_mapping, province_state, publication, subject, unit_subject

_AT_ONCE = 500


class State(msgspec.Struct, frozen=True):
    """`exported` or `confirmed` with the platform's number, by whom and when; no state stands for not sent."""

    object: str
    state: str
    digest: str
    number: str | None
    by: str
    at: str


def mapping_of(conn: Connection) -> tuple[int, ProvinceMapping]:
    """The mapping in force and its number; 0 is the one of a new house."""
    query = sa.select(province_mapping.c.n, province_mapping.c.body).order_by(province_mapping.c.n.desc()).limit(1)
    row = conn.execute(query).one_or_none()
    return (0, FIRST) if row is None else (row.n, msgspec.convert(row.body, ProvinceMapping))


def mappings(conn: Connection) -> list[tuple[int, str, str]]:
    """Number, author and moment of every version, the newest first."""
    columns = province_mapping.c
    query = sa.select(columns.n, columns.entered_by, columns.entered_at).order_by(columns.n.desc())
    return [(row.n, row.entered_by, row.entered_at) for row in conn.execute(query)]


def add_mapping(conn: Connection, n: int, mapping: ProvinceMapping, by: str, now: datetime) -> None:
    """Stores the next version."""
    body = msgspec.to_builtins(mapping)
    conn.execute(sa.insert(province_mapping).values(n=n, body=body, entered_by=by, entered_at=stamp(now)))


def states_of(conn: Connection, kind: str, objects: Collection[str] | None = None) -> dict[str, State]:
    """The states of some objects of a kind, or of all; who isn't in the answer was not sent."""
    query = sa.select(province_state).where(province_state.c.kind == kind)
    if objects is None:
        return {row.object: _state(row) for row in conn.execute(query)}
    found: dict[str, State] = {}
    listed = list(objects)
    for at in range(0, len(listed), _AT_ONCE):
        part = query.where(province_state.c.object.in_(listed[at : at + _AT_ONCE]))
        found |= {row.object: _state(row) for row in conn.execute(part)}
    return found


def _state(row: sa.Row[tuple[object, ...]]) -> State:
    return State(**{name: row._mapping[name] for name in State.__struct_fields__})


def mark_exported(conn: Connection, kind: str, digests: Mapping[str, str], by: str, now: datetime) -> None:
    """Marks what a file holds. What is confirmed and didn't change stays confirmed; the platform's number is kept."""
    before = states_of(conn, kind, digests.keys())
    new = {
        id: digest
        for id, digest in digests.items()
        if id not in before or before[id].state != "confirmed" or before[id].digest != digest
    }
    ids = list(new)
    for at in range(0, len(ids), _AT_ONCE):
        part = province_state.c.object.in_(ids[at : at + _AT_ONCE])
        conn.execute(sa.delete(province_state).where(province_state.c.kind == kind, part))
    rows = [
        (kind, id, "exported", digest, before[id].number if id in before else None, by, stamp(now))
        for id, digest in new.items()
    ]
    insert_rows(conn, province_state, ("kind", "object", "state", "digest", "number", "by", "at"), rows)


def confirm(conn: Connection, kind: str, object: str, number: str, by: str, now: datetime) -> bool:
    """Notes the platform's receipt; whether the object was exported before. A number that another has is refused."""
    query = sa.update(province_state).where(province_state.c.kind == kind, province_state.c.object == object)
    try:
        done = conn.execute(query.values(state="confirmed", number=number, by=by, at=stamp(now)))
    except IntegrityError:
        raise Problem("province_number") from None
    return done.rowcount == 1


class _Rows(msgspec.Struct, frozen=True):
    """Rows that stand in a table of ours: their id, key, name and place, and whose they are."""

    columns: tuple[sa.ColumnElement[Any], ...]
    source: sa.FromClause
    unit: sa.ColumnElement[Any]


LISTED: Final = {
    "subject": _Rows(
        (subject.c.id, sa.func.coalesce(subject.c.uscc, subject.c.registration), subject.c.name, subject.c.no),
        subject.join(unit_subject, unit_subject.c.subject_id == subject.c.id),
        unit_subject.c.unit_id,
    ),
    "result": _Rows(
        (publication.c.id, publication.c.no, publication.c.subject_name, publication.c.place),
        publication,
        publication.c.unit_id,
    ),
}
"""The kinds of which there can be too many to read them all for a page."""


def listed(
    conn: Connection, kind: str, unit_id: str, state: str, after: int, limit: int
) -> list[tuple[str, str, str, int]]:
    """Id, key, name and place of a unit's rows in one state (`not_sent` has no row), or in any, by their place."""
    rows = LISTED[kind]
    id_, place = rows.columns[0], rows.columns[-1]
    mine = sa.and_(province_state.c.kind == kind, province_state.c.object == id_)
    query = sa.select(*rows.columns).select_from(rows.source.outerjoin(province_state, mine))
    query = query.where(rows.unit == unit_id, place > after).order_by(place).limit(limit)
    if state:
        query = query.where(sa.func.coalesce(province_state.c.state, "not_sent") == state)
    return [tuple(row) for row in conn.execute(query)]


def counted(conn: Connection, kind: str, unit_id: str) -> dict[str, int]:
    """How many of a unit's rows are in each state."""
    rows = LISTED[kind]
    mine = sa.and_(province_state.c.kind == kind, province_state.c.object == rows.columns[0])
    stands = sa.func.coalesce(province_state.c.state, "not_sent")
    query = sa.select(stands, sa.func.count()).select_from(rows.source.outerjoin(province_state, mine))
    query = query.where(rows.unit == unit_id).group_by(stands)
    return {str(row[0]): int(row[1]) for row in conn.execute(query)}
