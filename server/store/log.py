"""The tree over the trail, kept in tiles of 256 hashes: made in batches behind the acts, read a few rows a proof."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain import merkle
from server.domain.merkle import Node, Span
from server.store.bulk import insert_rows
from server.store.tables import counter, log_tile, op, trail
from server.store.trail import key_of

WIDTH: Final = 256
HEIGHT: Final = 8
"""A tile holds the hashes of up to 2^8 subtrees of one height; its own root is one hash of the tile above."""

BATCH: Final = 16_384
"""How many leaves are hashed in one transaction: a quarter of a second, so that no act waits longer for the writer."""

BYTES: Final = 32


class Leaf(msgspec.Struct, frozen=True):
    """An entry as the log publishes it: its number in the trail, from 1, and the bytes that the tree hashed."""

    n: int
    leaf: bytes

    @property
    def hash(self) -> str:
        """Its hash in the tree."""
        return merkle.leaf_hash(self.leaf).hex()


def written(conn: Connection) -> int:
    """How many entries the trail has."""
    return _counter(conn, "trail")


def built(conn: Connection) -> int:
    """How many of them the tiles hold: up to there proofs can be given."""
    return _counter(conn, "log")


def _counter(conn: Connection, name: str) -> int:
    return int(conn.scalar(sa.select(counter.c.value).where(counter.c.name == name)) or 0)


def build(conn: Connection, most: int = BATCH) -> bool:
    """Takes at most so many entries into the tiles; whether that was all. Whoever comes second waits and goes on."""
    locked = sa.select(counter.c.value).where(counter.c.name == "log").with_for_update()
    first, last = int(conn.execute(locked).scalar_one()), written(conn)
    upto = min(last, first + most)
    if first < upto:
        query = sa.select(trail.c.leaf).where(trail.c.n > first, trail.c.n <= upto).order_by(trail.c.n)
        hashes = [merkle.leaf_hash(leaf) for leaf in conn.scalars(query)]
        if len(hashes) != upto - first:
            raise RuntimeError(f"The trail has a hole between its entries {first + 1} and {upto}.")
        _append(conn, first, hashes)
        conn.execute(sa.update(counter).where(counter.c.name == "log").values(value=upto))
    return upto == last


def _append(conn: Connection, count: int, hashes: Sequence[bytes]) -> None:
    """Adds hashes behind the `count` that a level has; the root of each tile that is now full goes one level up."""
    level = 0
    while hashes:
        place, there = divmod(count, WIDTH)
        held = _tiles(conn, [(level, place)]).get((level, place), b"") if there else b""
        if len(held) != there * BYTES:
            raise RuntimeError(f"Tile {level}/{place} of the log holds {len(held)} bytes, not {there * BYTES}.")
        whole = held + b"".join(hashes)
        step = WIDTH * BYTES
        tiles = [whole[at : at + step] for at in range(0, len(whole), step)]
        if there:
            conn.execute(sa.delete(log_tile).where(log_tile.c.level == level, log_tile.c.place == place))
        rows = [(level, at, tile) for at, tile in enumerate(tiles, place)]
        insert_rows(conn, log_tile, ("level", "place", "hashes"), rows)
        count, level = place, level + 1
        hashes = [merkle.root_of(_parted(tile)) for tile in tiles if len(tile) == step]


def _parted(tile: bytes) -> list[bytes]:
    return [tile[at : at + BYTES] for at in range(0, len(tile), BYTES)]


def _tiles(conn: Connection, keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """Level by level: SQLite looks pairs up in no index, but reads the whole table for them."""
    levels = [
        sa.and_(log_tile.c.level == level, log_tile.c.place.in_(places)) for level, places in _by_level(keys).items()
    ]
    query = sa.select(log_tile.c.level, log_tile.c.place, log_tile.c.hashes).where(sa.or_(*levels))
    return {(level, place): hashes for level, place, hashes in conn.execute(query)}


def _by_level(keys: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for level, place in sorted(set(keys)):
        found.setdefault(level, []).append(place)
    return found


# --- what is read of it -----------------------------------------------------------------------------------------------


def root(conn: Connection, size: int) -> bytes:
    """The root over the first `size` entries; they are in the tiles."""
    return hashes_of(conn, [(0, size)])[0]


def inclusion(conn: Connection, index: int, size: int) -> list[bytes]:
    """The proof that the entry at `index` (its number less one) is in the tree of `size` entries."""
    return hashes_of(conn, merkle.inclusion_spans(index, size))


def consistency(conn: Connection, first: int, size: int) -> list[bytes]:
    """The proof that the tree of `first` entries is how the one of `size` began."""
    return hashes_of(conn, merkle.consistency_spans(first, size))


def hashes_of(conn: Connection, spans: Sequence[Span]) -> list[bytes]:
    """The hash of each span, by one query for all the tiles that have a part in them."""
    nodes = {node: _at(node) for span in spans for node in merkle.nodes_of(span)}
    tiles = _tiles(conn, {tile for span in spans for tile in tiles_under(span)}) if nodes else {}
    found = {node: _hash(tiles, node, *where) for node, where in nodes.items()}
    return [merkle.hash_of(span, found.__getitem__) for span in spans]


def tiles_under(span: Span) -> set[tuple[int, int]]:
    """Which tiles have a part in the hash of a span."""
    return {_at(node)[0] for node in merkle.nodes_of(span)}


def _at(node: Node) -> tuple[tuple[int, int], int, int]:
    """The tile that holds what a subtree is made of, and from where to where in it."""
    level, above = divmod(node[0], HEIGHT)
    first = node[1] << above
    return (level, first // WIDTH), first % WIDTH, first % WIDTH + (1 << above)


def _hash(tiles: dict[tuple[int, int], bytes], node: Node, tile: tuple[int, int], first: int, last: int) -> bytes:
    held = tiles.get(tile, b"")[first * BYTES : last * BYTES]
    if len(held) != (last - first) * BYTES:
        raise RuntimeError(f"Tile {tile[0]}/{tile[1]} of the log lacks subtree {node}.")
    return merkle.root_of(_parted(held))


def leaves(conn: Connection, first: int, last: int) -> list[Leaf]:
    """The entries from one index to another, that one included, as the tree hashed them."""
    query = sa.select(trail.c.n, trail.c.leaf).where(trail.c.n > first, trail.c.n <= last + 1).order_by(trail.c.n)
    return [Leaf(n, bytes(leaf)) for n, leaf in conn.execute(query)]


def erase(conn: Connection, n: int) -> bool:
    """Takes out what an entry hides, and the salt that it was committed to with; whether there was anything.

    The database lets it only where an entry `trail.erase` names it; what the tree hashed stays.
    """
    gone = dict.fromkeys(("before", "after", "detail")) | {"salt": b""}
    query = sa.update(trail).where(trail.c.n == n, trail.c.salt != b"").values(gone)
    return conn.execute(query).rowcount == 1


def act_of(conn: Connection, n: int) -> str | None:
    """What an entry says was done."""
    return conn.scalar(sa.select(trail.c.act).where(trail.c.n == n))


def has_since(conn: Connection, size: int, acts: Collection[str]) -> bool:
    """Whether one of these acts was done after the first `size` entries. It reads those entries and no others: by the
    index of acts it would read every final that there ever was."""
    its = sa.func.coalesce(trail.c.act, "")
    query = sa.select(trail.c.n).where(trail.c.n > size, its.in_(sorted(acts))).limit(1)
    return conn.execute(query).first() is not None


def entries_of(conn: Connection, object: str, act: str) -> list[int]:
    """The numbers of the entries of one act on one object, oldest first."""
    query = sa.select(trail.c.n).where(trail.c.object == object, trail.c.act == act).order_by(trail.c.at, trail.c.n)
    return list(conn.scalars(query))


class Taken(msgspec.Struct, frozen=True):
    """An entry that took an operation of a phone, with what opens it."""

    seq: int
    n: int
    leaf: bytes
    key: bytes


def taken_of(conn: Connection, visit_id: str, rid: str, after: int, most: int) -> tuple[list[Taken], bool]:
    """The entries that took so many of a replica's operations behind `after`, in order; whether there are more."""
    seqs = sa.select(op.c.seq).where(op.c.visit_id == visit_id, op.c.rid == rid, op.c.seq > after)
    found = list(conn.scalars(seqs.order_by(op.c.seq).limit(most + 1)))
    names = {f"op:{visit_id}:{rid}:{seq}": seq for seq in found[:most]}
    query = sa.select(trail.c.object, trail.c.n, trail.c.leaf, trail.c.salt).where(trail.c.object.in_(names))
    rows = [
        Taken(names[name], n, bytes(leaf), key_of(bytes(salt), "after")) for name, n, leaf, salt in conn.execute(query)
    ]
    return sorted(rows, key=lambda one: (one.seq, one.n)), len(found) > most


class Opening(msgspec.Struct, frozen=True):
    """What an entry's leaf commits to in `after`, and the key by which anybody sees that it does."""

    n: int
    act: str
    object: str
    after: str
    key: str


def opening_of(conn: Connection, n: int) -> Opening | None:
    """The opening of an entry's `after`; None where it has none, or where it was erased."""
    query = sa.select(trail.c.act, trail.c.object, trail.c.after, trail.c.salt).where(trail.c.n == n)
    row = conn.execute(query).one_or_none()
    if row is None or row.after is None or not row.salt:
        return None
    return Opening(n, row.act, row.object, row.after, key_of(bytes(row.salt), "after").hex())
