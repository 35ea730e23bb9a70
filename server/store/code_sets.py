"""The sets of codes by which other platforms call results: those of every house, and the versions that were entered."""

from __future__ import annotations

from datetime import date, datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from server.domain.instant import stamp
from server.domain.result_codes import FIRST, CodeSet
from server.errors import Problem
from server.store.tables import code_set


class Entered(msgspec.Struct, frozen=True):
    """A version with who entered it, when."""

    it: CodeSet
    by: str
    at: str


def entered(conn: Connection) -> list[Entered]:
    """Every version that somebody entered, the newest first."""
    query = sa.select(code_set).order_by(code_set.c.entered_at.desc(), code_set.c.id, code_set.c.version.desc())
    return [
        Entered(msgspec.convert(row["body"], CodeSet), row["entered_by"], row["entered_at"])
        for row in conn.execute(query).mappings()
    ]


def sets_on(conn: Connection, day: date) -> dict[str, CodeSet]:
    """Id -> the version in force on a day: the last to begin, else the newest."""
    begun = [one for one in (*FIRST, *(kept.it for kept in entered(conn))) if one.in_force_from <= day.isoformat()]
    return {one.id: one for one in sorted(begun, key=lambda one: (one.in_force_from, one.version))}


def next_version(conn: Connection, id: str) -> int:
    """The number of the next version under an id."""
    latest = conn.scalar(sa.select(sa.func.max(code_set.c.version)).where(code_set.c.id == id))
    return int(latest or 0) + 1


def add(conn: Connection, made: CodeSet, by: str, now: datetime) -> None:
    """Adds a version; of two at once the second is told."""
    row = {"id": made.id, "version": made.version, "body": msgspec.to_builtins(made)}
    try:
        conn.execute(sa.insert(code_set).values(**row, entered_by=by, entered_at=stamp(now)))
    except IntegrityError as error:
        raise Problem("codes_meanwhile") from error
