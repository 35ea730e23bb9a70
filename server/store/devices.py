"""Enrolled phones: one replica, one key, one owner, for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

import msgspec
import rfc8785
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.instant import stamp
from server.errors import Problem
from server.store import trail
from server.store.people import PHONE_LIFE, Person, Session
from server.store.tables import assignments, device, session, visit_crew


class Device(msgspec.Struct, frozen=True):
    """One enrolled replica."""

    rid: str
    account_id: str
    name: str
    public_key: dict[str, str]
    enrolled_at: str
    revoked_at: str | None
    frozen_at: str | None


def device_of(conn: Connection, rid: str, *, lock: bool = False) -> Device | None:
    """The device that owns a replica; with `lock` whoever comes at the same time waits for what is done to it."""
    columns = (device.c[name] for name in Device.__struct_fields__)
    query = sa.select(*columns).where(device.c.rid == rid)
    row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else Device(*row)


def devices_of(conn: Connection, account_id: str) -> list[Device]:
    """All devices that a person ever enrolled, oldest first."""
    columns = (device.c[name] for name in Device.__struct_fields__)
    query = sa.select(*columns).where(device.c.account_id == account_id).order_by(device.c.enrolled_at, device.c.rid)
    return [Device(*row) for row in conn.execute(query)]


def enrol(
    conn: Connection, person: Person, held: Session, rid: str, name: str, key: Mapping[str, str], now: datetime
) -> bool:
    """Makes `rid` the person's replica with this key and ties his session to it; whether it is a new one.

    The same again is welcome (a revoked one stays revoked); another key or another person is `rid_taken`.
    """
    known = device_of(conn, rid)
    if known is not None and (known.account_id != person.id or known.public_key != dict(key)):
        raise Problem("rid_taken")
    if known is None:
        conn.execute(
            sa.insert(device).values(
                rid=rid, account_id=person.id, name=name, public_key=dict(key), enrolled_at=stamp(now)
            )
        )
        after = hashlib.sha256(rfc8785.dumps(dict(key))).hexdigest()
        entry = trail.Act("device.enrol", person.id, f"device:{rid}", after=after, detail={"name": name})
        trail.append(conn, [entry], now)
        move_colleagues(conn, person.id)
    conn.execute(
        sa.update(session)
        .where(session.c.token_hash == held.token_hash)
        .values(rid=rid, seen_at=stamp(now), expires_at=stamp(now + PHONE_LIFE))
    )
    return known is None


def revoke(conn: Connection, person: Person, rid: str, now: datetime, why: str | None = None) -> Device:
    """Revokes a device at once: its later ops are kept apart. Its owner's right, and the admin's; again is no fault."""
    known = device_of(conn, rid, lock=True)
    if known is None or (known.account_id != person.id and "admin" not in person.roles):
        raise Problem("not_found")
    if known.revoked_at is not None:
        return known
    values = {"revoked_at": stamp(now), "revoked_by": person.id, "revoked_why": why}
    conn.execute(sa.update(device).where(device.c.rid == rid).values(**values))
    detail = None if why is None else {"reason": why}
    trail.append(conn, [trail.Act("device.revoke", person.id, f"device:{rid}", detail=detail)], now)
    move_colleagues(conn, known.account_id)
    return msgspec.structs.replace(known, revoked_at=stamp(now))


def move_colleagues(conn: Connection, officer_id: str) -> None:
    """Moves the assignment revision of all who share a visit with this officer, so that their phones learn his keys."""
    mine = sa.select(visit_crew.c.visit_id).where(visit_crew.c.officer_id == officer_id)
    shared = sa.select(visit_crew.c.officer_id).where(visit_crew.c.visit_id.in_(mine)).distinct()
    conn.execute(sa.update(assignments).where(assignments.c.officer_id.in_(shared)).values(rev=assignments.c.rev + 1))
