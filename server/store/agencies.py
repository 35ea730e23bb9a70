"""The register of commissioned agencies and their contracts (R25.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.agency import Agency, AgencyEntry
from server.domain.instant import stamp
from server.store import personnel
from server.store.personnel import Change
from server.store.tables import agency

Named = tuple[str, str]  # credit code and number of the contract


def all_agencies(conn: Connection) -> list[Agency]:
    """All of them, the last contract first."""
    return sorted(_read(conn), key=lambda one: (one.contract_to, one.id), reverse=True)


def agency_of(conn: Connection, agency_id: str) -> Agency | None:
    """One agency."""
    return next(iter(_read(conn, agency.c.id == agency_id)), None)


def agencies_by_contract(conn: Connection, named: Iterable[Named]) -> dict[Named, Agency]:
    """Agencies by credit code and contract."""
    wanted = set(named)
    found = _read(conn, agency.c.contract.in_([contract for _, contract in wanted]))
    return {(one.uscc, one.contract): one for one in found if (one.uscc, one.contract) in wanted}


def insert_agencies(conn: Connection, entries: Mapping[str, AgencyEntry], by: str, now: datetime) -> None:
    """Adds agencies under the ids that the caller chose."""
    if not entries:
        return
    added = {"entered_by": by, "entered_at": stamp(now)}
    with personnel.taken_is_a_problem():
        conn.execute(sa.insert(agency), [msgspec.to_builtins(one) | added | {"id": id} for id, one in entries.items()])
    personnel.note(conn, by, now, "add", {f"agency:{id}": [] for id in entries})


def update_agencies(
    conn: Connection, entries: Mapping[str, AgencyEntry], by: str, now: datetime
) -> dict[str, list[Change]]:
    """Changes agencies; says what changed, and leaves alone those of which nothing does."""
    changed = {id: found for id, found in _differences(conn, entries).items() if found}
    for id in changed:
        values = msgspec.to_builtins(entries[id]) | {
            "entered_by": by,
            "entered_at": stamp(now),
            "rev": agency.c.rev + 1,
        }
        with personnel.taken_is_a_problem():
            conn.execute(sa.update(agency).where(agency.c.id == id).values(values))
    personnel.note(conn, by, now, "change", {f"agency:{id}": found for id, found in changed.items()})
    return changed


def _differences(conn: Connection, entries: Mapping[str, AgencyEntry]) -> dict[str, list[Change]]:
    rows = {row["id"]: row for row in personnel.rows_where(conn, agency, agency.c.id.in_(list(entries)))}
    return {
        id: [
            Change(field, rows[id][field], value)
            for field, value in msgspec.to_builtins(one).items()
            if rows[id][field] != value
        ]
        for id, one in entries.items()
    }


def remove_agencies(conn: Connection, ids: Iterable[str], by: str, now: datetime) -> None:
    """Takes out agencies."""
    personnel.remove(conn, agency, ids, by, now)


def _read(conn: Connection, *where: sa.ColumnElement[bool]) -> list[Agency]:
    rows = personnel.rows_where(conn, agency, *where)
    return [msgspec.convert({name: row[name] for name in Agency.__struct_fields__}, Agency) for row in rows]
