"""Checkpoints of the log, what witnesses put under them, and the keys that signed: all of it stays as it is."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.checkpoint import Key, read_key
from server.store.bulk import Plain
from server.store.tables import log_checkpoint, log_cosignature, log_key, log_witness


class Cosignature(msgspec.Struct, frozen=True):
    """What a witness put under a checkpoint, and when it came."""

    witness: str
    line: str
    at: str


class Checkpoint(msgspec.Struct, frozen=True):
    """A signed state of the log. `note` is what the log signed; `whole` has the cosignatures under it."""

    size: int
    root: str
    note: str
    at: str
    cosignatures: tuple[Cosignature, ...] = ()

    @property
    def whole(self) -> str:
        """The note as it is given to everybody."""
        return self.note + "".join(one.line for one in self.cosignatures)

    @property
    def code(self) -> str:
        """The first eight digits of the root, that people compare by eye."""
        return f"{self.root[:4]}-{self.root[4:8]}".upper()

    @property
    def qr(self) -> str:
        """What a QR code says of it: the note alone, which anyone can check against what a witness keeps."""
        return self.note


class Witness(msgspec.Struct, frozen=True):
    """Somebody outside the office whose cosignatures are taken; `last` is the largest size that he signed."""

    name: str
    key: str
    who: str
    added_at: str
    ended_at: str | None
    last: int | None = None
    last_at: str | None = None

    @property
    def is_on(self) -> bool:
        """Whether cosignatures of his are taken."""
        return self.ended_at is None


class KeyInUse(msgspec.Struct, frozen=True):
    """A key of the log, and from when on it signed; `note` is signed by the key before it and by itself."""

    place: int
    origin: str
    key: str
    size: int
    at: str
    note: str | None

    @property
    def public(self) -> Key:
        """The key, read."""
        return read_key(self.key)


_columns = (log_checkpoint.c.size, log_checkpoint.c.root, log_checkpoint.c.note, log_checkpoint.c.at)


def latest_checkpoint(conn: Connection) -> Checkpoint | None:
    """The newest signed state of the log, with its cosignatures: what is printed beside a digest."""
    return _one(conn, sa.select(*_columns).order_by(log_checkpoint.c.size.desc()).limit(1))


_LAST = Plain(sa.select(log_checkpoint.c.size, log_checkpoint.c.root).order_by(log_checkpoint.c.size.desc()).limit(1))


def last_root(conn: Connection) -> tuple[int, str]:
    """Size and root of the newest checkpoint, for the hot path; of the log that nobody signed yet nothing."""
    row = _LAST.row(conn)
    return (0, "") if row is None else (row[0], row[1])


def checkpoint_of(conn: Connection, size: int) -> Checkpoint | None:
    """The checkpoint of just this size."""
    return _one(conn, sa.select(*_columns).where(log_checkpoint.c.size == size))


def _one(conn: Connection, query: sa.Select[tuple[int, str, str, str]]) -> Checkpoint | None:
    row = conn.execute(query).one_or_none()
    if row is None:
        return None
    under = sa.select(log_cosignature.c.witness, log_cosignature.c.line, log_cosignature.c.at)
    found = conn.execute(under.where(log_cosignature.c.size == row.size).order_by(log_cosignature.c.witness))
    return Checkpoint(row.size, row.root, row.note, row.at, tuple(Cosignature(*one) for one in found))


def last_signed(conn: Connection) -> tuple[str, int] | None:
    """When the newest checkpoint was made, and its size."""
    query = sa.select(log_checkpoint.c.at, log_checkpoint.c.size).order_by(log_checkpoint.c.size.desc()).limit(1)
    row = conn.execute(query).one_or_none()
    return None if row is None else (row.at, row.size)


def recent(conn: Connection, most: int) -> list[Checkpoint]:
    """The newest checkpoints, without their cosignatures."""
    query = sa.select(*_columns).order_by(log_checkpoint.c.size.desc()).limit(most)
    return [Checkpoint(*row) for row in conn.execute(query)]


def cosigners(conn: Connection, sizes: Sequence[int]) -> dict[int, list[str]]:
    """Who countersigned each of these checkpoints."""
    found: dict[int, list[str]] = {size: [] for size in sizes}
    its = log_cosignature.c
    query = (
        sa.select(its.size, log_witness.c.who)
        .join(log_witness, log_witness.c.name == its.witness)
        .where(its.size.in_(sizes))
        .order_by(its.size, its.at)
    )
    for size, who in conn.execute(query):
        found[size].append(who)
    return found


def keep(conn: Connection, made: Checkpoint) -> None:
    """Adds a checkpoint."""
    conn.execute(sa.insert(log_checkpoint).values(size=made.size, root=made.root, note=made.note, at=made.at))


def keep_cosignature(conn: Connection, size: int, given: Cosignature) -> None:
    """Adds what a witness put under a checkpoint; his first one for it stays."""
    known = sa.select(log_cosignature.c.at).where(
        log_cosignature.c.size == size, log_cosignature.c.witness == given.witness
    )
    if conn.execute(known).first() is None:
        conn.execute(sa.insert(log_cosignature).values(size=size, **msgspec.structs.asdict(given)))


# --- keys and witnesses -----------------------------------------------------------------------------------------------


def keys(conn: Connection) -> list[KeyInUse]:
    """Every key that the log signed with, the first one first."""
    columns = (log_key.c[name] for name in KeyInUse.__struct_fields__)
    return [KeyInUse(*row) for row in conn.execute(sa.select(*columns).order_by(log_key.c.place))]


def keep_key(conn: Connection, key: KeyInUse) -> None:
    """Adds a key; it is the one in use from now on."""
    conn.execute(sa.insert(log_key).values(**msgspec.structs.asdict(key)))


def witnesses(conn: Connection) -> list[Witness]:
    """Whose cosignatures are taken or were, by name."""
    of, his = log_witness.c, log_cosignature.c.witness == log_witness.c.name
    last, at = (sa.select(sa.func.max(log_cosignature.c[name])).where(his).scalar_subquery() for name in ("size", "at"))
    query = sa.select(of.name, of.key, of.who, of.added_at, of.ended_at, last, at).order_by(of.name)
    return [Witness(*row) for row in conn.execute(query)]


def add_witness(conn: Connection, made: Witness) -> None:
    """Names a witness."""
    values = msgspec.structs.asdict(made)
    conn.execute(sa.insert(log_witness).values({name: values[name] for name in ("name", "key", "who", "added_at")}))


def end_witness(conn: Connection, name: str, at: str) -> None:
    """Takes no more cosignatures of a witness; those that he gave stay."""
    conn.execute(sa.update(log_witness).where(log_witness.c.name == name).values(ended_at=at))
