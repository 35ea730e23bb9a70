"""Applies a checked batch to its library, and takes an applied one back: each as one step for whoever looks (R7.2).

New things are added a few hundred at a time so that nobody waits long, unseen; one last transaction makes them seen
and changes what is to change. A server that is killed in between goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from server.errors import Problem
from server.office.act import digest_of
from server.office.import_reading import Content, unseal
from server.office.libraries import Known, Library, New, Stroke, is_same
from server.store import imports, trail
from server.store.imports import Batch, BatchRow
from server.store.seal import Sealer
from server.store.session import Connection, Database

MOST_HELD: Final = 1000
"""So many of the rows that stopped a batch are named."""

Revs = dict[str, int]
Judging = Callable[[BatchRow, Content, Known | None], str | None]


class Work(NamedTuple):
    """What acts on a batch."""

    db: Database
    sealer: Sealer
    keeper: Library
    batch: Batch
    stroke: Stroke


class Held(Exception):
    """Rows stop the batch: nothing of its last step was done."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        super().__init__(f"{len(rows)} rows stop the batch")
        self.rows = rows


def kinds_taken(batch: Batch) -> tuple[str, ...]:
    """The kinds of rows that the clerk chose to apply."""
    return ("new", "changed") if (batch.choices or {}).get("changed") == "take" else ("new",)


# --- forward ----------------------------------------------------------------------------------------------------------


def apply_batch(work: Work) -> None:
    """From `applying` to `applied`; or to be read again, naming the rows that somebody changed since the dry run."""
    try:
        revs = _look(work, _stale)
        if work.keeper.adds_unseen:
            _add_all(work)
        work.db.run_write(lambda conn: _settle(work, conn, revs))
    except Held as held:
        _remove_all(work, "applying")
        again = {"state": "reading", "held": held.rows[:MOST_HELD], "choices": None, "done": 0}
        work.db.run_write(lambda conn: imports.set_batch(conn, work.batch.id, "applying", **again))


def _stale(row: BatchRow, content: Content, there: Known | None) -> str | None:
    """Whether the library is no longer what the dry run saw: added by somebody else, changed, or gone."""
    if there is not None and row.kind == "new" and there.id == row.object_id:
        return None  # ours, from an attempt that a stopped server left
    if is_same(there.entry if there else None, content.before):
        return None
    return "changed" if there else "gone"


def _add_all(work: Work) -> None:
    done = 0
    for rows in _chunks(work, ("new",)):
        done += len(rows)
        _add(work, rows, done)


def _add(work: Work, rows: Sequence[BatchRow], done: int) -> None:
    def add(conn: Connection) -> None:
        there = work.keeper.revs(conn, [str(row.object_id) for row in rows])
        new = [_new(work, row) for row in rows if row.object_id not in there]
        work.keeper.add_unseen(conn, new, work.stroke)
        imports.set_batch(conn, work.batch.id, "applying", done=done)

    _or_held(work, rows, add)


def _or_held(work: Work, rows: Sequence[BatchRow], add: Callable[[Connection], None]) -> None:
    """A code that somebody else entered in this very moment holds the batch as one that he entered before it."""
    try:
        work.db.run_write(add)
    except Problem as problem:
        if problem.status != 409:
            raise
        raise Held([{"row": row.row, "key": "", "why": "changed"} for row in rows[:1]]) from problem


def _settle(work: Work, conn: Connection, revs: Revs) -> None:
    work.keeper.show(conn, work.batch.id, work.stroke)
    for rows in imports.chunks_of(conn, work.batch.id, _touched(work)):
        changed = [row for row in rows if row.kind == "changed"]
        _require_unmoved(work, conn, changed, revs)
        new = [_new(work, row) for row in rows if row.kind == "new"]
        work.keeper.settle(conn, new, [_new(work, row) for row in changed], work.stroke)
    at = imports.moment_of(work.stroke.now)
    imports.set_batch(conn, work.batch.id, "applying", state="applied", applied_at=at, done=work.batch.total, held=None)
    _trace(work, conn, "import.applied")


def _touched(work: Work) -> tuple[str, ...]:
    """The kinds of rows that the last step has to look at one by one: those added unseen are seen all at once."""
    kinds = kinds_taken(work.batch)
    return tuple(kind for kind in kinds if kind != "new" or not work.keeper.adds_unseen)


# --- and back ---------------------------------------------------------------------------------------------------------


def undo_batch(work: Work) -> None:
    """From `undoing` to `undone`; or back to `applied`, naming the rows that are used or were changed since."""
    try:
        if not (work.batch.choices or {}).get("withdrawn"):
            revs = _look(work, _changed_since)
            work.db.run_write(lambda conn: _withdraw(work, conn, revs))
    except Held as held:
        back = {"state": "applied", "held": held.rows[:MOST_HELD], "done": work.batch.total, "undone_by": None}
        work.db.run_write(lambda conn: imports.set_batch(conn, work.batch.id, "undoing", **back))
        return
    _remove_all(work, "undoing")
    work.db.run_write(lambda conn: _close(work, conn))


def _changed_since(row: BatchRow, content: Content, there: Known | None) -> str | None:
    if there is None or there.id != row.object_id:
        return "gone"
    return None if is_same(there.entry, content.entry) else "changed"


def _withdraw(work: Work, conn: Connection, revs: Revs) -> None:
    """Makes the library what it was for whoever looks, in one transaction."""
    if held := work.keeper.hide(conn, work.batch.id, work.stroke):
        raise Held([{"row": row, "why": why} for row, why in held])
    for rows in imports.chunks_of(conn, work.batch.id, _touched(work)):
        _require_unmoved(work, conn, rows, revs)
        new = [_new(work, row) for row in rows if row.kind == "new"]
        _require_unused(work, conn, rows, [one.id for one in new])
        work.keeper.withdraw(conn, new, [_old(work, row) for row in rows if row.kind == "changed"], work.stroke)
    choices = (work.batch.choices or {}) | {"withdrawn": True}
    imports.set_batch(conn, work.batch.id, "undoing", choices=choices, held=None, done=0)


def _close(work: Work, conn: Connection) -> None:
    at = imports.moment_of(work.stroke.now)
    imports.set_batch(conn, work.batch.id, "undoing", state="undone", undone_at=at, done=work.batch.total)
    _trace(work, conn, "import.undone")


def _remove_all(work: Work, state: str) -> None:
    if not work.keeper.adds_unseen:
        return
    done = 0
    for rows in _chunks(work, ("new",)):
        done += len(rows)
        _remove(work, state, [str(row.object_id) for row in rows], done)


def _remove(work: Work, state: str, ids: list[str], done: int) -> None:
    def remove(conn: Connection) -> None:
        work.keeper.remove_unseen(conn, ids)
        imports.set_batch(conn, work.batch.id, state, done=done)

    work.db.run_write(remove)


# --- what both need ---------------------------------------------------------------------------------------------------


def _chunks(work: Work, kinds: Sequence[str]) -> Iterator[list[BatchRow]]:
    """The batch's rows, each stretch by a read of its own: a long one would keep the database's log from ending."""
    after = 0
    while True:
        with work.db.read() as conn:
            rows = imports.rows_of(conn, work.batch.id, kinds, after=after)
        if not rows:
            return
        yield rows
        after = rows[-1].row


def _look(work: Work, judge: Judging) -> Revs:
    """The revisions of what the batch touches; raises `Held` with all rows that the judge holds."""
    held: list[dict[str, Any]] = []
    revs: Revs = {}
    for rows in _chunks(work, kinds_taken(work.batch)):
        contents = {row.row: unseal(work.sealer, work.batch.id, row) for row in rows}
        keys = {row.row: work.keeper.key_of(contents[row.row].entry) for row in rows}
        with work.db.read() as conn:
            known = work.keeper.known(conn, set(keys.values()))
        for row in rows:
            there = known.get(keys[row.row])
            if why := judge(row, contents[row.row], there):
                held.append({"row": row.row, "why": why})
            elif there is not None:
                revs[there.id] = there.rev
    if held:
        raise Held(held)
    return revs


def _require_unmoved(work: Work, conn: Connection, rows: Sequence[BatchRow], revs: Revs) -> None:
    there = work.keeper.revs(conn, [str(row.object_id) for row in rows])
    moved = [row.row for row in rows if there.get(str(row.object_id)) != revs.get(str(row.object_id))]
    if moved:
        raise Held([{"row": row, "why": "changed"} for row in moved])


def _require_unused(work: Work, conn: Connection, rows: Sequence[BatchRow], new: list[str]) -> None:
    used = work.keeper.used(conn, new)
    if used:
        raise Held([{"row": row.row, "why": "used"} for row in rows if row.object_id in used])


def _new(work: Work, row: BatchRow) -> New:
    content = unseal(work.sealer, work.batch.id, row)
    return New(str(row.object_id), content.entry, content.before)


def _old(work: Work, row: BatchRow) -> New:
    content = unseal(work.sealer, work.batch.id, row)
    return New(str(row.object_id), content.before or {}, content.entry)


def _trace(work: Work, conn: Connection, name: str) -> None:
    """What the machine did on the clerk's order has its own entry, beside that of the order."""
    detail = {"layout": work.batch.layout, "file": work.batch.sha256, "counts": work.batch.counts.get("kinds", {})}
    done = trail.Act(name, work.stroke.by, f"import:{work.batch.id}", after=digest_of(detail), detail=detail)
    trail.append(conn, [done], work.stroke.now)
