"""What shows an officer that his records are in the log: their leaves, what opens them, and the way to the root."""

from __future__ import annotations

from typing import Final

import msgspec

from server.errors import Problem
from server.office import log as office
from server.store import checkpoints, log, visits
from server.store.people import Person
from server.store.session import Connection

MOST: Final = 200
"""How many operations are answered at once; whoever has more asks again behind the last one."""


class Receipt(msgspec.Struct, frozen=True):
    """An entry that took an operation: its place, its leaf, the key that opens `after` of it, and its proof; none while
    no checkpoint has come after it."""

    seq: int
    index: int
    leaf: str
    key: str
    path: tuple[str, ...] | None


class Receipts(msgspec.Struct, frozen=True):
    """The receipts of a replica in a visit, under the newest checkpoint: its note, and when it was made."""

    checkpoint: str | None
    at: str | None
    receipts: list[Receipt]
    more: bool


def receipts(conn: Connection, person: Person, visit_id: str, rid: str, after: int) -> Receipts:
    """Of a phone's own operations behind `after`, to its owner, who is or was in the visit; no phone has none. For all
    others there is nothing here."""
    own = visits.owned(conn, rid) if rid else None
    is_his = not rid or (own is not None and own.account_id == person.id)
    if not is_his or not visits.memberships(conn, person.id, [visit_id]):
        raise Problem("not_found")
    newest = checkpoints.latest_checkpoint(conn)
    found, more = log.taken_of(conn, visit_id, rid, after, MOST)
    size = 0 if newest is None else newest.size
    signed = [one.n - 1 for one in found if one.n <= size]
    paths = dict(zip(signed, office.inclusions(conn, signed, size), strict=True))
    shown = [Receipt(one.seq, one.n - 1, one.leaf.decode(), one.key.hex(), paths.get(one.n - 1)) for one in found]
    note, at = (None, None) if newest is None else (newest.whole, newest.at)
    return Receipts(note, at, shown, more)
