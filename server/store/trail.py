"""The trail: every act leaves an entry in its own transaction, dense in number, canonical, and never edited."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import rfc8785
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.checkpoint import AT_ONCE
from server.domain.instant import stamp
from server.store.bulk import Plain, insert_rows
from server.store.session import TELLS
from server.store.tables import counter, trail, trail_number


class Act(msgspec.Struct, frozen=True):
    """What was done: `act` by `actor` to `object` ("visit:<id>", "account:<id>", ...), with digests before and after.

    `detail` may hold personal data, and who guesses what was digested could try: the leaf carries only salted
    commitments to these three, so that they can be erased. A detail that is canonical already is given as `Raw`.
    """

    act: str
    actor: str
    object: str
    before: str | None = None
    after: str | None = None
    detail: dict[str, Any] | msgspec.Raw | None = None


class Leaf(msgspec.Struct, frozen=True):
    """The canonical form that the log's tree hashes; the fields stand in JCS order, so msgspec writes JCS.

    `after`, `before` and `detail` are commitments.
    """

    act: str
    actor: str
    after: str | None
    at: str
    before: str | None
    detail: str | None
    n: int
    object: str
    t: str = "trail/1"


_encode = msgspec.json.Encoder().encode


_NEXT = Plain(
    sa.update(counter)
    .where(counter.c.name == "trail")
    .values(value=counter.c.value + sa.bindparam("by", type_=sa.BigInteger))
    .returning(counter.c.value)
)


_WRITTEN = "suijian_trail_written"

SALT = 16
"""How many random bytes an entry's commitments are made with."""


def append(conn: Connection, acts: Sequence[Act], now: datetime) -> range:
    """Writes the entries of this transaction's acts, numbered without a hole under the counter row; their numbers."""
    if not acts:
        return range(0)
    ((last,),) = _NEXT.rows(conn, by=len(acts))
    counted = Counter(act.act for act in acts)
    conn.info[_WRITTEN] = conn.info.get(_WRITTEN, Counter()) + counted
    if not AT_ONCE.isdisjoint(counted):
        conn.info[TELLS] = True
    at, first = stamp(now), last - len(acts) + 1
    salts = os.urandom(SALT * len(acts))
    rows = [_row(act, first + i, at, salts[i * SALT : (i + 1) * SALT]) for i, act in enumerate(acts)]
    insert_rows(conn, trail, _COLUMNS, rows)
    if named := [(number, at, n) for n, act in enumerate(acts, first) for number in _numbers(act)]:
        insert_rows(conn, trail_number, ("number", "at", "n"), named)
    return range(first, last + 1)


def written(conn: Connection, act: str) -> int:
    """How many entries of an act this connection has written so far: what the act compares before and after itself."""
    return int(conn.info.get(_WRITTEN, Counter())[act])


NUMBERS = ("document", "number", "filing")
"""The names in an entry's detail whose text is a document's number, by which the entry is found."""


def _numbers(act: Act) -> set[str]:
    found = {act.detail.get(name) for name in NUMBERS} if isinstance(act.detail, dict) else set()
    return {text for text in found if isinstance(text, str) and 0 < len(text) <= 120}


_COLUMNS = ("n", "at", "act", "actor", "object", "before", "after", "detail", "salt", "leaf")


def key_of(salt: bytes, column: str) -> bytes:
    """What opens one column's commitment alone: it says nothing of the salt, nor of the other columns."""
    return hashlib.sha256(salt + column.encode()).digest()


def commitment(salt: bytes, column: str, hidden: bytes | None) -> str | None:
    """What the leaf says of something that isn't published; without its key nobody can tell what it was."""
    return None if hidden is None else hashlib.sha256(key_of(salt, column) + hidden).hexdigest()


def leaf_of(act: Act, n: int, at: str, salt: bytes, detail: bytes | None) -> bytes:
    """The bytes that the tree hashes of an entry."""
    before, after = (None if one is None else one.encode() for one in (act.before, act.after))
    leaf = Leaf(
        act.act,
        act.actor,
        commitment(salt, "after", after),
        at,
        commitment(salt, "before", before),
        commitment(salt, "detail", detail),
        n,
        act.object,
    )
    return _encode(leaf)


def _row(act: Act, n: int, at: str, salt: bytes) -> tuple[object, ...]:
    detail = rfc8785.dumps(act.detail) if isinstance(act.detail, dict) else act.detail and bytes(act.detail)
    if (act.before, act.after, detail) == (None, None, None):
        salt = b""
    leaf = leaf_of(act, n, at, salt, detail)
    return n, at, act.act, act.actor, act.object, act.before, act.after, detail, salt, leaf
