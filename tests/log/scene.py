"""A trail that grows, a log over it, and the checks of a stranger who has the formats and no line of the server."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from server.office.log import Log
from server.store import trail
from server.store.bulk import insert_rows
from server.store.session import Database
from server.store.tables import counter
from server.store.tables import trail as table
from tests.scene import NOW

ADDRESS = "https://suijian.example.cn"
ORIGIN = "suijian.example.cn/log"


def write(db: Database, count: int, now: datetime = NOW, who: str = "li") -> None:
    """So many entries more, each with a detail."""
    acts = [trail.Act("list.release", who, f"list:{at}", detail={"at": at, "name": "李承远"}) for at in range(count)]
    db.run_write(lambda conn: trail.append(conn, acts, now))


def write_many(db: Database, count: int) -> None:
    """So many entries without a detail, past the acts: quick to make."""
    with db.write() as conn:
        first = conn.execute(counter.select().where(counter.c.name == "trail")).one().value
        rows = [
            (n, "2026-11-24T02:00:00.000Z", "x", "li", f"list:{n}", b"", b'{"n":%d}' % n)
            for n in range(first + 1, first + count + 1)
        ]
        insert_rows(conn, table, ("n", "at", "act", "actor", "object", "salt", "leaf"), rows)
        conn.execute(counter.update().where(counter.c.name == "trail").values(value=first + count))


def log_of(db: Database, folder: Path) -> Log:
    """The log of a database, with keys of its own."""
    return Log(db, folder / "keys", ADDRESS)


def later(hours: float) -> datetime:
    """So long after the tests' moment."""
    return NOW + timedelta(hours=hours)


def verified(note: str, keys: Sequence[str]) -> tuple[str, int, bytes]:
    """Origin, size and root of a note that one of these keys signed: by the formats of C2SP, written out once more."""
    text, _, lines = note.rpartition("\n\n")
    message = (text + "\n").encode()
    for line in lines.splitlines():
        dash, name, body = line.split(" ")
        raw = base64.b64decode(body)
        for key in keys:
            its_name, digest, public = key.split("+", 2)
            kind_and_key = base64.b64decode(public)
            assert hashlib.sha256(its_name.encode() + b"\n" + kind_and_key).hexdigest()[:8] == digest
            if dash == "—" and name == its_name and raw[:4].hex() == digest:
                signature = raw[4:]
                if kind_and_key[0] == 4:
                    time, signature = int.from_bytes(raw[4:12], "big"), raw[12:]
                    signed = b"cosignature/v1\ntime %d\n" % time + message
                else:
                    signed = message
                Ed25519PublicKey.from_public_bytes(kind_and_key[1:]).verify(signature, signed)
                origin, size, root = text.split("\n")
                return origin, int(size), base64.b64decode(root)
    raise AssertionError("none of these keys signed the note")
