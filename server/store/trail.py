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

from server.domain.instant import stamp
from server.store.bulk import Plain, insert_rows
from server.store.tables import counter, trail, trail_number


class Act(msgspec.Struct, frozen=True):
    """What was done: `act` by `actor` to `object` ("visit:<id>", "account:<id>", ...), with digests before and after.

    `detail` may hold personal data: the leaf carries only a salted commitment to it, so that it can be erased.
    """

    act: str
    actor: str
    object: str
    before: str | None = None
    after: str | None = None
    detail: dict[str, Any] | None = None


class Leaf(msgspec.Struct, frozen=True):
    """The canonical form that the log's tree hashes; the fields stand in JCS order, so msgspec writes JCS."""

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


def append(conn: Connection, acts: Sequence[Act], now: datetime) -> range:
    """Writes the entries of this transaction's acts, numbered without a hole under the counter row; their numbers."""
    if not acts:
        return range(0)
    ((last,),) = _NEXT.rows(conn, by=len(acts))
    conn.info[_WRITTEN] = conn.info.get(_WRITTEN, Counter()) + Counter(act.act for act in acts)
    at, first = stamp(now), last - len(acts) + 1
    insert_rows(conn, trail, _COLUMNS, [_row(act, n, at) for n, act in enumerate(acts, first)])
    if named := [(number, at, n) for n, act in enumerate(acts, first) for number in _numbers(act)]:
        insert_rows(conn, trail_number, ("number", "at", "n"), named)
    return range(first, last + 1)


def written(conn: Connection, act: str) -> int:
    """How many entries of an act this connection has written so far: what the act compares before and after itself."""
    return int(conn.info.get(_WRITTEN, Counter())[act])


NUMBERS = ("document", "number", "filing")
"""The names in an entry's detail whose text is a document's number, by which the entry is found."""


def _numbers(act: Act) -> set[str]:
    found = {(act.detail or {}).get(name) for name in NUMBERS}
    return {text for text in found if isinstance(text, str) and 0 < len(text) <= 120}


_COLUMNS = ("n", "at", "act", "actor", "object", "before", "after", "detail", "salt", "leaf")


def _row(act: Act, n: int, at: str) -> tuple[object, ...]:
    detail, salt, commitment = None, b"", None
    if act.detail is not None:
        detail, salt = rfc8785.dumps(act.detail), os.urandom(16)
        commitment = hashlib.sha256(salt + detail).hexdigest()
    leaf = Leaf(act.act, act.actor, act.after, at, act.before, commitment, n, act.object)
    return n, at, act.act, act.actor, act.object, act.before, act.after, detail, salt, _encode(leaf)
