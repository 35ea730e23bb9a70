"""After a backup was restored: what the server's own ops of earlier epochs mean when phones bring them back.

They were signed by the server's key and keep their names. What came meanwhile, in the epochs after theirs, stands.
"""

from __future__ import annotations

from typing import Final

from server.store.journal import Row
from server.sync import ops
from server.sync.book import Book
from server.sync.keys import SERVER_RID
from server.sync.ops import Op

FIRST: Final = "srv"
"""The server's replica while no backup was ever restored."""


def take_word(book: Book, row: Row, op: Op) -> Row | None:
    """Gives a decision of the server's that came back its effect; the op that it lets through although it waits."""
    if op.kind == "accept_final":
        _set_uncovered_aside(book, op)
    elif op.kind in ("rule", "admit"):
        rid, _, seq = op.path[1].rpartition(":")
        target = book.look_up(rid, int(seq))
        if target is not None and target.verdict == "held":
            return target if op.kind == "admit" else None
        if target is not None and target.n is not None:
            verdict, reason = ("ok", None) if op.kind == "admit" else (op.val["verdict"], op.val.get("reason"))
            book.decide(target, verdict, reason)
    return None


def is_let_through(book: Book, row: Row, waits_for: str) -> bool:
    """Whether an earlier epoch's `admit` came back before this op, and says that it need not wait for its `ctx`."""
    if book.keys.rid == FIRST or waits_for.startswith(f"{row.rid}:"):
        return False
    admits = (ops.stored(known.body) for known in book.entries() if known.kind == "admit")
    return any(admit is not None and admit.path[1] == row.id for admit in admits)


def _set_uncovered_aside(book: Book, final: Op) -> None:
    """What the server hadn't received when it accepted the final came after it: it is late, as it was then."""
    for row in book.entries():
        uncovered = final.ctx.get(row.rid, 0) < row.seq and not SERVER_RID.match(row.rid)
        if uncovered and row.standing == "ok":
            book.rule(row.id, "late", None)


def is_waiting(book: Book) -> bool:
    """Whether an op of the server's own came back and waits: nothing is accepted until it is known what it says."""
    return any(row.verdict == "held" and SERVER_RID.match(row.rid) for row in book.held_rows())
