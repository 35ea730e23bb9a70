"""Enrolling a phone and revoking it."""

from __future__ import annotations

import base64
import re
import unicodedata
from datetime import datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers
from litestar import Response, Router, post
from litestar.params import FromPath

from server.domain.instant import stamp
from server.errors import Problem
from server.routes import guards
from server.routes.body import decode
from server.routes.guards import Asked, signed_in
from server.store import devices
from server.store.migrate import EPOCH, meta_of
from server.store.session import Connection, Database
from server.sync.desk import end_waiting

RID = re.compile(r"[0-9a-f]{32}")
COORDINATE = re.compile(r"[A-Za-z0-9_-]{43}")


class Enrolment(msgspec.Struct, forbid_unknown_fields=True):
    """What a phone says of itself."""

    rid: str
    name: str
    public_key: dict[str, object]


class Enrolled(msgspec.Struct):
    """What the phone learns: whose clock and key it deals with."""

    device: str
    rid: str
    epoch: str
    server_time: str
    server_key: dict[str, str]


class Revoked(msgspec.Struct):
    """The device as it stands now."""

    rid: str
    revoked_at: str | None


@post("/", guards=[signed_in], sync_to_thread=True)
def enrol(request: Asked, body: bytes) -> Response[Enrolled]:
    """Enrols the phone of the person who is signed in: 201 for a new replica, 200 for the same one again."""
    given = decode(body, Enrolment)
    if not RID.fullmatch(given.rid):
        raise Problem("bad_request", why="rid: 32 x [0-9a-f]")
    name, key = device_name(given.name), p256_key(given.public_key)
    db: Database = request.app.state.db
    now = guards.now(request)
    is_new = db.run_write(lambda conn: devices.enrol(conn, request.user, request.auth, given.rid, name, key, now))
    with db.read() as conn:
        epoch = meta_of(conn, EPOCH)
    answer = Enrolled(given.rid, given.rid, epoch or "", stamp(now), request.app.state["keys"].public_jwk)
    return Response(answer, status_code=201 if is_new else 200)


@post("/{rid:str}/revoke", guards=[signed_in], status_code=200, sync_to_thread=True)
def revoke(request: Asked, rid: FromPath[str]) -> Revoked:
    """Revokes a device: its owner's right, and the admin's."""
    db: Database = request.app.state.db
    now = guards.now(request)
    revoked = db.run_write(lambda conn: _revoke(conn, request, rid, now))
    return Revoked(revoked.rid, revoked.revoked_at)


def _revoke(conn: Connection, request: Asked, rid: str, now: datetime) -> devices.Device:
    """Revokes it and releases what waited for its ops: none of them will have effect any more."""
    revoked = devices.revoke(conn, request.user, rid, now)
    end_waiting(conn, request.app.state["keys"], rid, now)
    return revoked


def device_name(text: str) -> str:
    """The phone's name in NFC, or the Problem: 1 to 64 characters, none that hides or turns text."""
    name = unicodedata.normalize("NFC", text).strip()
    if not 1 <= len(name) <= 64 or any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") for char in name):
        raise Problem("bad_request", why="name: 1..64")
    return name


def p256_key(jwk: dict[str, object]) -> dict[str, str]:
    """The four members of a public P-256 key whose point lies on the curve, or the Problem `bad_key`."""
    if "d" in jwk:
        raise Problem("bad_key", why="d")
    x, y = jwk.get("x"), jwk.get("y")
    if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256" or not isinstance(x, str) or not isinstance(y, str):
        raise Problem("bad_key", why="kty, crv, x, y")
    if not COORDINATE.fullmatch(x) or not COORDINATE.fullmatch(y):
        raise Problem("bad_key", why="x, y")
    try:
        EllipticCurvePublicNumbers(_number(x), _number(y), SECP256R1()).public_key()
    except ValueError:
        raise Problem("bad_key", why="x, y") from None
    return {"crv": "P-256", "kty": "EC", "x": x, "y": y}


def _number(coordinate: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(coordinate + "="), "big")


router = Router("/api/devices", route_handlers=[enrol, revoke])
