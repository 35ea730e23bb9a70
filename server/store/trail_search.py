"""Searching the trail: newest first, page by page, each way by an index of its own; and checking single entries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import Final, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.store import trail as writing
from server.store.tables import trail, trail_number

MOST_ACTORS: Final = 10


class Entry(msgspec.Struct, frozen=True):
    """One entry as it stands; `detail` is None where there was none or where it was erased."""

    n: int
    at: str
    act: str
    actor: str
    object: str
    before: str | None
    after: str | None
    detail: bytes | None
    salt: bytes
    leaf: bytes

    @property
    def digest(self) -> str:
        """The hash of the leaf in the log's tree (RFC 9162: 0x00 before the leaf)."""
        return hashlib.sha256(b"\x00" + self.leaf).hexdigest()

    @property
    def key(self) -> str:
        """Where the next page goes on."""
        return f"{self.at}_{self.n}"


class Search(msgspec.Struct, frozen=True):
    """What is looked for; empty means anything. `since` and `until` are moments as they are stored, the second open."""

    act: str = ""
    actors: tuple[str, ...] = ()
    object: str = ""
    number: str = ""
    since: str = ""
    until: str = ""
    after: str = ""


def find(conn: Connection, asked: Search, limit: int) -> list[Entry]:
    """The newest entries that fit, at most `limit`.

    Several actors, or a visit with the operations in it, are one ordered query each, merged here: so that the database
    never sorts what it has found.
    """
    streams = [_run(conn, query.limit(limit)) for query in queries(asked)]
    ordered = merge(*streams, key=lambda entry: (entry.at, entry.n), reverse=True)
    return list(islice(ordered, limit))


def queries(asked: Search) -> Iterator[sa.Select[tuple[object, ...]]]:
    """The statements of a search, each ordered from the newest."""
    for actor in asked.actors[:MOST_ACTORS] or ("",):
        yield _narrowed(asked, actor, asked.object)
        if asked.object.startswith("visit:"):
            yield _narrowed(asked, actor, f"op:{asked.object.removeprefix('visit:')}:")


def _narrowed(asked: Search, actor: str, of: str) -> sa.Select[tuple[object, ...]]:
    at, n = (trail_number.c.at, trail_number.c.n) if asked.number else (trail.c.at, trail.c.n)
    query = sa.select(*(trail.c[name] for name in Entry.__struct_fields__)).order_by(at.desc(), n.desc())
    if asked.number:
        query = query.join_from(trail_number, trail, trail.c.n == n).where(trail_number.c.number == asked.number)
    if of.startswith("op:"):
        query = query.where(trail.c.object >= of, trail.c.object < f"{of[:-1]};")
    elif of:
        query = query.where(trail.c.object == of)
    if actor:
        query = query.where(trail.c.actor == actor)
    if asked.act:
        query = query.where(trail.c.act == asked.act)
    if asked.since:
        query = query.where(at >= asked.since)
    if asked.until:
        query = query.where(at < asked.until)
    if key := _key(asked.after):
        query = query.where(sa.tuple_(at, n) < sa.tuple_(*(sa.literal(part) for part in key)))
    return query


def _key(text: str) -> tuple[str, int] | None:
    at, _, n = text.rpartition("_")
    return (at, int(n)) if at and n.isascii() and n.isdigit() and len(n) < 16 else None


def _run(conn: Connection, query: sa.Select[tuple[object, ...]]) -> list[Entry]:
    return [_entry(row) for row in conn.execute(query)]


def entry(conn: Connection, n: int) -> Entry | None:
    """One entry by its number."""
    row = conn.execute(
        sa.select(*(trail.c[name] for name in Entry.__struct_fields__)).where(trail.c.n == n)
    ).one_or_none()
    return None if row is None else _entry(row)


def _entry(row: Sequence[object]) -> Entry:
    return msgspec.convert(dict(zip(Entry.__struct_fields__, row, strict=True)), Entry, builtin_types=(bytes,))


def numbers_of(conn: Connection, n: int) -> list[str]:
    """The document numbers by which an entry is found."""
    return list(conn.scalars(sa.select(trail_number.c.number).where(trail_number.c.n == n)))


def agreement(found: Entry) -> Literal["agrees", "erased", "differs"]:
    """Whether the leaf that was hashed is what the columns say; `erased`: it is, and what it hid is gone."""
    act = writing.Act(found.act, found.actor, found.object, found.before, found.after)
    if writing.leaf_of(act, found.n, found.at, found.salt, found.detail) == found.leaf:
        return "agrees"
    if found.salt or (found.before, found.after, found.detail) != (None, None, None):
        return "differs"
    hashed = msgspec.json.decode(found.leaf, type=writing.Leaf)
    open_part = msgspec.structs.replace(hashed, before=None, after=None, detail=None)
    made = writing.leaf_of(act, found.n, found.at, b"", None)
    return "erased" if msgspec.json.encode(open_part) == made else "differs"
