"""A small bureau for tests: two units and somebody in every role, all with one password."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import sqlalchemy as sa

from server.store import people, tables
from server.store.session import Database

PASSWORD = "suijian-demo"
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
UNITS = ("hazchem", "industry")
OFFICERS = ("li", "zhang", "wang", "zhao")
OFFICE = {
    "clerk": "unit_clerk",
    "head": "unit_head",
    "legal": "legal_unit",
    "principal": "principal",
    "steering": "steering_group",
    "auditor": "auditor",
    "admin": "admin",
}
STRANGERS = {"clerk2": "unit_clerk", "head2": "unit_head"}  # of the other unit


@cache
def password_hash() -> str:
    """The hash of the password that everybody has in tests: hashing it takes its time."""
    return people.hash_password(PASSWORD)


def populate(db: Database) -> None:
    """Adds the units, officers and accounts of the small bureau."""
    with db.write() as conn:
        conn.execute(
            sa.insert(tables.unit), [{"id": unit, "name": unit, "kind": "section", "parent_id": None} for unit in UNITS]
        )
        conn.execute(sa.insert(tables.officer), [_officer(number, id) for number, id in enumerate(OFFICERS)])
        conn.execute(sa.insert(tables.assignments), [{"officer_id": id, "rev": 1} for id in OFFICERS])
        for id in OFFICERS:
            _account(conn, id, "officer", UNITS[0], id)
        for id, role in OFFICE.items():
            _account(conn, id, role, UNITS[0], None)
        for id, role in STRANGERS.items():
            _account(conn, id, role, UNITS[1], None)


def _officer(number: int, id: str) -> dict[str, object]:
    return {
        "id": id,
        "name": id,
        "sex": "female",
        "unit_id": UNITS[0],
        "certificate": f"4113031{number:03}",
        "certificate_from": "2024-01-01",
        "certificate_to": "2029-12-31",
        "domains": ["hazardous_chemicals"],
        "left_on": None,
    }


def _account(conn: sa.Connection, id: str, role: str, unit: str, officer: str | None) -> None:
    people.add_account(
        conn,
        id=id,
        username=id,
        name=id,
        unit_id=unit,
        roles=[role],
        password_hash=password_hash(),
        officer_id=officer,
        actor="test",
        now=NOW,
    )
