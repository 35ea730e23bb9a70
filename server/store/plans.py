"""The annual plan in the database: its versions, what each unit planned, filings, and requests to go below a limit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from server.domain.instant import stamp
from server.domain.plan import Line, PublicLine, PublicPlan
from server.domain.ruleset import WHOLE
from server.errors import Problem
from server.store.tables import filing, item, officer, plan, plan_line, plan_override, plan_unit, plan_version, unit

PLANNING: Final = ("section", "brigade")
"""The kinds of unit that plan inspections."""


class Plan(msgspec.Struct, frozen=True):
    """The plan of a year; `version` is the one in the making, or the newest released one."""

    year: int
    state: str
    version: int
    supervision_plan: str
    created_by: str
    created_at: str


class Version(msgspec.Struct, frozen=True):
    """A version with who did what to it; `body` and `sha256` are what was released."""

    year: int
    version: int
    reason: str | None
    opened_by: str
    opened_at: str
    consolidated_by: str | None
    consolidated_at: str | None
    returned: str | None
    approved_by: str | None
    approved_at: str | None
    released_by: str | None
    released_at: str | None
    released_on: str | None
    body: bytes | None
    sha256: str | None


class Part(msgspec.Struct, frozen=True):
    """How far a unit is with its part of a version: `open`, `submitted`, or `none` with the reason."""

    unit_id: str
    unit: str
    state: str
    reason: str | None
    other_days: int
    by: str | None
    at: str | None


class Kept(msgspec.Struct, frozen=True):
    """A line with its id, who entered and signed it, and what was proposed when it was entered."""

    id: str
    version: int
    year: int
    line: Line
    unit: str
    item: str
    list_version: int
    population: int
    flagged: int
    proposed: int
    floor: int
    needs: tuple[str, ...]
    entered_by: str
    entered_at: str
    signed_by: str | None
    signed_at: str | None


class Filing(msgspec.Struct, frozen=True):
    """With whom a version was filed, under which number, on which day (R12.2)."""

    kind: str
    authority: str
    number: str
    filed_on: str
    by: str


class Override(msgspec.Struct, frozen=True):
    """A request to go below ratio or frequency, and the principal's answer (R6.4)."""

    id: str
    year: int
    kind: str
    item_id: str
    item: str
    unit_id: str | None
    unit: str | None
    line_id: str | None
    least: int
    asked: int
    reason: str
    asked_by: str
    asked_at: str
    state: str
    answer: str | None
    decided_by: str | None
    decided_at: str | None


# --- plans and versions -----------------------------------------------------------------------------------------------


def plans(conn: Connection) -> list[Plan]:
    """Every year's plan, the last year first."""
    rows = conn.execute(sa.select(plan).order_by(plan.c.year.desc())).mappings()
    return [Plan(**row) for row in rows]


def plan_of(conn: Connection, year: int, *, lock: bool = False) -> Plan | None:
    """The plan of a year; with `lock` its row stays ours until the transaction ends."""
    query = sa.select(plan).where(plan.c.year == year)
    row = conn.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    return None if row is None else Plan(**row)


def add_plan(conn: Connection, year: int, supervision_plan: str, by: str, now: datetime) -> None:
    """A plan in its first version, with a part for each unit that plans."""
    at = stamp(now)
    row = {"year": year, "state": "draft", "version": 1, "supervision_plan": supervision_plan}
    try:
        conn.execute(sa.insert(plan).values(row | {"created_by": by, "created_at": at}))
    except IntegrityError:
        raise Problem("plan_year_taken", year=year) from None
    conn.execute(sa.insert(plan_version).values(year=year, version=1, opened_by=by, opened_at=at))
    parts = [{"year": year, "version": 1, "unit_id": id, "state": "open"} for id, _ in planning_units(conn)]
    if parts:
        conn.execute(sa.insert(plan_unit), parts)


def set_state(conn: Connection, year: int, state: str, version: int | None = None) -> None:
    """Where the plan stands from now on."""
    more = {} if version is None else {"version": version}
    conn.execute(sa.update(plan).where(plan.c.year == year).values(state=state, **more))


def planning_units(conn: Connection) -> list[tuple[str, str]]:
    """Id and name of each unit that plans inspections."""
    query = sa.select(unit.c.id, unit.c.name).where(unit.c.kind.in_(PLANNING)).order_by(unit.c.kind.desc(), unit.c.id)
    return [(row.id, row.name) for row in conn.execute(query)]


def officers_in(conn: Connection, unit_id: str, first: str, last: str) -> int:
    """How many officers of a unit are there on a day between two days with a certificate that holds then."""
    query = sa.select(sa.func.count()).where(
        officer.c.unit_id == unit_id,
        officer.c.home_office.is_(None),
        sa.or_(officer.c.left_on.is_(None), officer.c.left_on > first),
        officer.c.certificate_to >= first,
        officer.c.certificate_from <= last,
    )
    return int(conn.scalar(query) or 0)


def versions_of(conn: Connection, year: int) -> list[Version]:
    """Every version of a year, the newest first."""
    query = sa.select(plan_version).where(plan_version.c.year == year).order_by(plan_version.c.version.desc())
    return [Version(**row) for row in conn.execute(query).mappings()]


def version_of(conn: Connection, year: int, n: int) -> Version | None:
    """One version."""
    return next((one for one in versions_of(conn, year) if one.version == n), None)


def open_version(conn: Connection, old: Plan, reason: str, by: str, now: datetime) -> int:
    """The next version, a copy of the released one: every part submitted, every line signed as it was."""
    n = old.version + 1
    conn.execute(
        sa.insert(plan_version).values(year=old.year, version=n, reason=reason, opened_by=by, opened_at=stamp(now))
    )
    for table in (plan_unit, plan_line):
        names = [column.name for column in table.columns]
        copied = [sa.literal(n).label(name) if name == "version" else table.c[name] for name in names]
        mine = sa.and_(table.c.year == old.year, table.c.version == old.version)
        conn.execute(sa.insert(table).from_select(names, sa.select(*copied).where(mine)))
    return n


def mark_version(conn: Connection, year: int, n: int, **values: Any) -> None:
    """Notes who consolidated, approved or released a version; None takes it back."""
    conn.execute(
        sa.update(plan_version).where(plan_version.c.year == year, plan_version.c.version == n).values(**values)
    )


# --- parts and lines --------------------------------------------------------------------------------------------------


def parts_of(conn: Connection, year: int, n: int) -> list[Part]:
    """How far each unit is with a version."""
    query = (
        sa.select(plan_unit, unit.c.name)
        .join(unit, unit.c.id == plan_unit.c.unit_id)
        .where(plan_unit.c.year == year, plan_unit.c.version == n)
        .order_by(unit.c.kind.desc(), unit.c.id)
    )
    return [
        Part(row["unit_id"], row["name"], row["state"], row["reason"], row["other_days"], row["by"], row["at"])
        for row in conn.execute(query).mappings()
    ]


def put_part(conn: Connection, year: int, n: int, unit_id: str, **values: Any) -> None:
    """Changes a unit's part of a version."""
    mine = (plan_unit.c.year == year, plan_unit.c.version == n, plan_unit.c.unit_id == unit_id)
    conn.execute(sa.update(plan_unit).where(*mine).values(**values))


def lines_of(conn: Connection, year: int, n: int) -> list[Kept]:
    """The lines of a version, unit by unit."""
    return _lines(conn, plan_line.c.year == year, plan_line.c.version == n)


def line_of(conn: Connection, line_id: str, n: int | None = None) -> Kept | None:
    """A line as a version has it; without a number as the newest has it."""
    which = (plan_line.c.id == line_id,) if n is None else (plan_line.c.id == line_id, plan_line.c.version == n)
    found = _lines(conn, *which)
    return max(found, key=lambda one: one.version, default=None)


def add_line(conn: Connection, line_id: str, year: int, n: int, line: Line, more: Mapping[str, Any]) -> None:
    """Adds a line to a version; `more` is what was proposed, and who entered it when."""
    conn.execute(sa.insert(plan_line).values(id=line_id, year=year, version=n, **_row(line), **more))


def put_line(conn: Connection, line_id: str, n: int, line: Line, more: Mapping[str, Any]) -> None:
    """Writes a line anew: its signature no longer stands."""
    values = _row(line) | dict(more) | {"signed_by": None, "signed_at": None}
    conn.execute(sa.update(plan_line).where(plan_line.c.id == line_id, plan_line.c.version == n).values(values))


def remove_line(conn: Connection, line_id: str, n: int) -> None:
    """Takes a line out of a version that isn't released yet."""
    conn.execute(sa.delete(plan_line).where(plan_line.c.id == line_id, plan_line.c.version == n))


def sign_line(conn: Connection, line_id: str, n: int, by: str, now: datetime) -> None:
    """The unit head's signature on a line."""
    mine = (plan_line.c.id == line_id, plan_line.c.version == n)
    conn.execute(sa.update(plan_line).where(*mine).values(signed_by=by, signed_at=stamp(now)))


def _row(line: Line) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(line)
    return values


def _lines(conn: Connection, *where: sa.ColumnElement[bool]) -> list[Kept]:
    query = (
        sa.select(plan_line, unit.c.name.label("unit"), item.c.name.label("item"))
        .join(unit, unit.c.id == plan_line.c.unit_id)
        .join(item, item.c.id == plan_line.c.item_id)
        .where(*where)
        .order_by(unit.c.kind.desc(), unit.c.id, plan_line.c.window_from, item.c.name, plan_line.c.id)
    )
    return [_kept({str(name): value for name, value in row.items()}) for row in conn.execute(query).mappings()]


def _kept(row: dict[str, Any]) -> Kept:
    line = msgspec.convert({name: row.pop(name) for name in Line.__struct_fields__}, Line)
    return Kept(line=line, needs=tuple(row.pop("needs")), **row)


def public_line(kept: Kept) -> PublicLine:
    """A line as the public reads it."""
    line = kept.line
    share = line.count * WHOLE // kept.population if kept.population else 0
    known = {name: getattr(line, name) for name in PublicLine.__struct_fields__ if hasattr(line, name)}
    return PublicLine(id=kept.id, unit=kept.unit, item=kept.item, share=share, **known)


def public_plan(conn: Connection, year: int, n: int | None = None) -> PublicPlan | None:
    """A released version of a year's plan, or the newest one; None where nothing of it is public."""
    released = [one for one in versions_of(conn, year) if one.body is not None and n in (None, one.version)]
    return msgspec.json.decode(released[0].body or b"", type=PublicPlan) if released else None


def public_plans(conn: Connection) -> list[PublicPlan]:
    """The newest released version of each year, the last year first."""
    found = (public_plan(conn, one.year) for one in plans(conn))
    return [one for one in found if one is not None]


def public_versions(conn: Connection, year: int) -> list[PublicPlan]:
    """Every released version of a year, the newest first."""
    bodies = (one.body for one in versions_of(conn, year))
    return [msgspec.json.decode(body, type=PublicPlan) for body in bodies if body is not None]


# --- filings ----------------------------------------------------------------------------------------------------------


def filings_of(conn: Connection, year: int, n: int) -> list[Filing]:
    """The filings of a version."""
    query = sa.select(filing).where(filing.c.year == year, filing.c.version == n).order_by(filing.c.kind.desc())
    rows = conn.execute(query).mappings()
    return [Filing(row["kind"], row["authority"], row["number"], row["filed_on"], row["by"]) for row in rows]


def add_filing(conn: Connection, year: int, n: int, filed: Filing, now: datetime) -> None:
    """Adds one; a second with the same authority is `plan_filed_already`."""
    values = msgspec.structs.asdict(filed)
    try:
        conn.execute(sa.insert(filing).values(year=year, version=n, at=stamp(now), **values))
    except IntegrityError:
        raise Problem("plan_filed_already") from None


# --- requests to go below a limit -------------------------------------------------------------------------------------


def overrides_of(conn: Connection, year: int) -> list[Override]:
    """The requests of a year, those that wait first."""
    return _overrides(conn, plan_override.c.year == year)


def waiting_overrides(conn: Connection) -> list[Override]:
    """All that wait for the principal."""
    return _overrides(conn, plan_override.c.state == "asked")


def override_of(conn: Connection, override_id: str) -> Override | None:
    """One request."""
    return next(iter(_overrides(conn, plan_override.c.id == override_id)), None)


def add_override(conn: Connection, **values: Any) -> None:
    """Adds a request."""
    conn.execute(sa.insert(plan_override).values(state="asked", **values))


def decide_override(conn: Connection, override_id: str, state: str, answer: str, by: str, now: datetime) -> None:
    """The principal's answer, given once."""
    conn.execute(
        sa.update(plan_override)
        .where(plan_override.c.id == override_id)
        .values(state=state, answer=answer, decided_by=by, decided_at=stamp(now))
    )


def withdraw_overrides(conn: Connection, line_id: str) -> None:
    """What was asked for a line and not decided yet is no longer asked: the line has changed."""
    mine = (plan_override.c.line_id == line_id, plan_override.c.state == "asked")
    conn.execute(sa.update(plan_override).where(*mine).values(state="withdrawn"))


def _overrides(conn: Connection, *where: sa.ColumnElement[bool]) -> list[Override]:
    query = (
        sa.select(plan_override, item.c.name.label("item"), unit.c.name.label("unit"))
        .join(item, item.c.id == plan_override.c.item_id)
        .outerjoin(unit, unit.c.id == plan_override.c.unit_id)
        .where(*where)
        .order_by(sa.case((plan_override.c.state == "asked", 0), else_=1), plan_override.c.asked_at.desc())
    )
    return [Override(**row) for row in conn.execute(query).mappings()]
