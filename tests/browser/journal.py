"""What the server holds, read beside it from its database."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from server.store import tables
from server.sync.ops import Read
from tests.dispatching import database_of
from tests.running import Running


def held(server: Running, visit: str) -> dict[str, str]:
    """Every op of a visit in the log, with its verdict; an id stands there once by the table's key."""
    db = database_of(server)
    with db.read() as conn:
        rows = conn.execute(
            sa.select(tables.op.c.rid, tables.op.c.seq, tables.op.c.verdict).where(tables.op.c.visit_id == visit)
        ).all()
    db.close()
    return {f"{row.rid}:{row.seq}": row.verdict for row in rows}


def bodies(server: Running, visit: str) -> dict[str, object]:
    """The ops of a visit as they are in the log."""
    db = database_of(server)
    with db.read() as conn:
        found = conn.scalars(sa.select(tables.op.c.body).where(tables.op.c.visit_id == visit)).all()
    db.close()
    ops = [msgspec.json.decode(body) for body in found]
    return {f"{op['rid']}:{op['seq']}": op for op in ops}


def media(server: Running) -> set[str]:
    """The hashes of all bytes in the file store, counted from the bytes themselves."""
    return {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (server.data / "media").rglob("*")
        if path.is_file() and len(path.name) == 64
    }


def expire_sessions(server: Running) -> None:
    """Ends every session that stands."""
    db = database_of(server)
    with db.write() as conn:
        conn.execute(sa.update(tables.session).values(expires_at="2020-01-01T00:00:00.000Z"))
    db.close()


def verifier_of(server: Running, rid: str) -> Callable[[Read], None]:
    """Raises where an op isn't signed by the key that this replica was enrolled with."""
    db = database_of(server)
    with db.read() as conn:
        jwk = conn.scalar(sa.select(tables.device.c.public_key).where(tables.device.c.rid == rid))
    db.close()
    assert jwk is not None, rid
    x, y = (int.from_bytes(_bytes(jwk[name])) for name in ("x", "y"))
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()

    def verify(op: Read) -> None:
        raw = _bytes(op.sig)
        sig = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        key.verify(sig, op.signed, ec.ECDSA(hashes.SHA256()))

    return verify


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
