"""The journal: every operation for ever, its verdict beside it, and how far each replica came."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.store.bulk import Plain, insert_rows
from server.store.tables import apart, device, media_name, op, replica, visit_crew

MAX_APART = 1 << 20  # of what can't be read, this much is kept


class Row(msgspec.Struct):
    """One op in the journal: the columns of the table `op` but the visit."""

    rid: str
    seq: int
    n: int | None
    kind: str
    author: str | None
    hash: str
    body: bytes
    received_at: str
    verdict: str
    reason: str | None
    standing: str
    standing_reason: str | None
    waits_for: str | None = None
    carrier: str | None = None

    @property
    def id(self) -> str:
        """The op's name."""
        return f"{self.rid}:{self.seq}"


class Reach(msgspec.Struct):
    """How far a replica came without a hole, and the hash that the next op names as `prev` ("": unchecked)."""

    acked: int = 0
    last_hash: str = ""


class Apart(msgspec.Struct, frozen=True):
    """A body without a place in the journal: a fork, or what could not be read."""

    id: str
    kind: str
    rid: str
    seq: int | None
    sha256: str
    body: bytes
    received_at: str
    carrier: str | None


class Name(msgspec.Struct, frozen=True):
    """An op of `rid` names these bytes as `attach`, `image` or `strokes`."""

    sha256: str
    role: str
    rid: str


_columns = [op.c[name] for name in Row.__struct_fields__]
_visit: sa.BindParameter[str] = sa.bindparam("visit")
_SPAN = Plain(
    sa.select(*_columns).where(
        op.c.visit_id == _visit,
        op.c.rid == sa.bindparam("rid"),
        op.c.seq.between(sa.bindparam("first"), sa.bindparam("last")),
    )
)
_HELD = Plain(sa.select(*_columns).where(op.c.visit_id == _visit, op.c.n.is_(None), op.c.verdict == "held"))
_KEPT = sa.select(*_columns).where(
    op.c.visit_id == _visit, op.c.n.is_(None), op.c.verdict != "held", op.c.rid == sa.bindparam("rid")
)
_RELEASED = Plain(sa.select(*_columns).where(op.c.visit_id == _visit, op.c.n.is_not(None)).order_by(op.c.n))
_REACHES = Plain(sa.select(replica.c.rid, replica.c.acked, replica.c.last_hash).where(replica.c.visit_id == _visit))


def span(conn: Connection, visit_id: str, rid: str, first: int, last: int) -> list[Row]:
    """The ops of one replica between two of its numbers, both included."""
    return [Row(*row) for row in _SPAN.rows(conn, visit=visit_id, rid=rid, first=first, last=last)]


def held(conn: Connection, visit_id: str) -> list[Row]:
    """The ops that wait for another one."""
    return [Row(*row) for row in _HELD.rows(conn, visit=visit_id)]


def kept(conn: Connection, visit_id: str, rid: str) -> list[Row]:
    """The ops of a replica that are kept apart without `n`, in its order: their owner wasn't in the visit."""
    rows = [Row(*row) for row in conn.execute(_KEPT, {"visit": visit_id, "rid": rid})]
    return sorted(rows, key=lambda row: abs(row.seq))


def released(conn: Connection, visit_id: str) -> list[Row]:
    """The ops that everybody in the visit may see, in the order of `n`."""
    return [Row(*row) for row in _RELEASED.rows(conn, visit=visit_id)]


class News(msgspec.Struct, frozen=True):
    """What a phone is given of a released op; no `body` where it is its own, which it has."""

    n: int
    rid: str
    seq: int
    received_at: str
    verdict: str
    reason: str | None
    body: bytes | None


_NEWS = Plain(
    sa.select(
        op.c.n, op.c.rid, op.c.seq, op.c.received_at, op.c.verdict, op.c.reason,
        sa.case((op.c.rid == sa.bindparam("own"), None), else_=op.c.body),
    )
    .where(op.c.visit_id == _visit, op.c.n > sa.bindparam("after"), op.c.n <= sa.bindparam("last"))
    .order_by(op.c.n)
    .limit(sa.bindparam("most"))
)  # fmt: skip


def news(conn: Connection, visit_id: str, after: int, last: int, own_rid: str, most: int) -> list[News]:
    """The ops with a number after a cursor, up to `last` and at most so many."""
    rows = _NEWS.rows(conn, visit=visit_id, after=after, last=last, own=own_rid, most=most)
    return [News(*row) for row in rows]


def reaches(conn: Connection, visit_id: str) -> dict[str, Reach]:
    """How far each replica of a visit came."""
    return {rid: Reach(acked, last) for rid, acked, last in _REACHES.rows(conn, visit=visit_id)}


def is_apart(conn: Connection, visit_id: str, rid: str, seq: int) -> bool:
    """Whether something came under this name that has no place in the journal."""
    query = sa.select(apart.c.id).where(apart.c.visit_id == visit_id, apart.c.rid == rid, apart.c.seq == seq)
    return conn.execute(query.limit(1)).first() is not None


def apart_id(conn: Connection, visit_id: str, rid: str, sha256: str) -> str | None:
    """The id under which just these bytes were set apart before."""
    query = sa.select(apart.c.id).where(apart.c.visit_id == visit_id, apart.c.rid == rid, apart.c.sha256 == sha256)
    found: str | None = conn.execute(query.limit(1)).scalar_one_or_none()
    return found


def visits_waiting_for(conn: Connection, rid: str) -> list[str]:
    """The visits of a replica's owner in which an op waits for it, in the order in which they are locked."""
    query = (
        sa.select(op.c.visit_id)
        .join(visit_crew, visit_crew.c.visit_id == op.c.visit_id)
        .join(device, device.c.account_id == visit_crew.c.officer_id)
        .where(device.c.rid == rid, op.c.n.is_(None), op.c.verdict == "held", op.c.waits_for.like(f"{rid}:%"))
        .distinct()
    )
    return sorted(conn.scalars(query))


def insert(conn: Connection, visit_id: str, rows: Sequence[Row]) -> None:
    """Adds ops to the journal."""
    insert_rows(conn, op, _INSERTED, [(visit_id, *msgspec.structs.astuple(row)) for row in rows])


_INSERTED = ("visit_id", *Row.__struct_fields__)
_UPDATE = (
    sa.update(op)
    .where(op.c.visit_id == _visit, op.c.rid == sa.bindparam("key_rid"), op.c.seq == sa.bindparam("key_seq"))
    .values({name: sa.bindparam(name) for name in Row.__struct_fields__ if name != "rid"})
)


def update(conn: Connection, visit_id: str, rows: Sequence[tuple[str, int, Row]]) -> None:
    """Writes what changed beside ops that are there (release, verdict, standing), each found under its old name."""
    if rows:
        conn.execute(
            _UPDATE,
            [
                {"visit": visit_id, "key_rid": rid, "key_seq": seq, **msgspec.structs.asdict(row)}
                for rid, seq, row in rows
            ],
        )


def take_out(conn: Connection, visit_id: str, rid: str, seq: int) -> None:
    """Takes a held op out of the journal: it turned out to be a fork, and its body was set apart."""
    conn.execute(
        sa.delete(op).where(
            op.c.visit_id == visit_id, op.c.rid == rid, op.c.seq == seq, op.c.n.is_(None), op.c.verdict == "held"
        )
    )


def set_apart(conn: Connection, visit_id: str, bodies: Sequence[Apart]) -> None:
    """Keeps bodies that have no place in the journal."""
    if bodies:
        conn.execute(sa.insert(apart), [{"visit_id": visit_id, **msgspec.structs.asdict(body)} for body in bodies])


def new_apart_id() -> str:
    """A name for what is set apart."""
    return str(uuid.uuid4())


def save_reaches(conn: Connection, visit_id: str, moved: dict[str, Reach], fresh: set[str]) -> None:
    """Writes how far replicas came; `fresh` are those that had no row yet."""
    added = [(visit_id, rid, reach.acked, reach.last_hash) for rid, reach in moved.items() if rid in fresh]
    insert_rows(conn, replica, ("visit_id", "rid", "acked", "last_hash"), added)
    changed = [
        {"visit": visit_id, "key_rid": rid, "acked": reach.acked, "last_hash": reach.last_hash}
        for rid, reach in moved.items()
        if rid not in fresh
    ]
    if changed:
        conn.execute(_MOVE, changed)


_MOVE = (
    sa.update(replica)
    .where(replica.c.visit_id == _visit, replica.c.rid == sa.bindparam("key_rid"))
    .values(acked=sa.bindparam("acked"), last_hash=sa.bindparam("last_hash"))
)


def add_names(conn: Connection, visit_id: str, names: Iterable[Name]) -> None:
    """Notes which bytes the ops of a visit name; what is noted already stays."""
    rows = [(visit_id, name.sha256, name.role, name.rid) for name in dict.fromkeys(names)]
    insert_rows(conn, media_name, ("visit_id", "sha256", "role", "rid"), rows, new=False)
