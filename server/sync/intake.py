"""Intake: entries of a push in, one verdict for each op out. Accept first, judge second (sync page, section 6)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from server.store.journal import Row
from server.sync import ops, restored
from server.sync.book import HIDDEN, Book, row_of
from server.sync.judge import Device, is_member
from server.sync.keys import SERVER_RID, is_signed

SHORT: Final = 8
"""Entries up to this length have each signature checked: that costs little, and names the culprit exactly. In a longer
one the last signature vouches for the chain before it."""

Verdict = list[Any]
_SEQ = re.compile(rb'"seq"\s*:\s*([1-9][0-9]{0,15})\s*[,}]')


class Caller(msgspec.Struct, frozen=True):
    """Who pushes: a signed-in officer on his own enrolled replica."""

    officer: str
    rid: str


class Dead(msgspec.Struct, frozen=True):
    """What the phone could not get read otherwise: the raw bytes of an op, in base64."""

    seq: int | None
    raw: str


class Entry(msgspec.Struct, frozen=True):
    """Ops of one replica in one visit, as they came, with what was read of each (None: unreadable)."""

    rid: str
    raws: Sequence[bytes]
    reads: Sequence[ops.Read | None]
    dead: Sequence[tuple[int | None, bytes]] = ()


class Taken(msgspec.Struct):
    """The answer to one entry; verdicts of ops stand as rows until the whole request is taken."""

    rid: str
    acked: int
    verdicts: list[Verdict]


class _Item(msgspec.Struct):
    """One op on its way through an entry. `row` is set while its verdict may still change within the request."""

    seq: int | None
    answer: tuple[str, str | None]
    row: Row | None = None


def read_entry(rid: str, raws: Sequence[bytes], dead: Sequence[Dead] = ()) -> Entry:
    """Decodes each op by itself: what one of them hides takes no other one with it."""
    return Entry(rid, raws, [_read(raw) for raw in raws], [(item.seq, _unpacked(item.raw)) for item in dead])


def _read(raw: bytes) -> ops.Read | None:
    try:
        return ops.read(raw)
    except ops.Unreadable:
        return None


def _unpacked(text: str) -> bytes:
    """The bytes of a `dead` item; what isn't base64 is kept as it came."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_" if re.search("[-_]", text) else None)
    except (binascii.Error, ValueError):
        return text.encode()


def take(book: Book, caller: Caller, entries: Sequence[Entry]) -> list[Taken]:
    """Takes all entries of a request for one visit, in order, and answers each.

    To a caller for whom the visit doesn't exist every answer is what it would be if there were no such visit.
    """
    for rid in {entry.rid for entry in entries}:
        wake_stopped(book, rid)
    placed = [_take_entry(book, caller, entry) for entry in entries]
    answers = []
    for entry, items in zip(entries, placed, strict=True):
        if _is_strange(book, caller, entry.rid):
            answers.append(_blind(entry, items))
        else:
            answers.append(Taken(entry.rid, book.reach(entry.rid).acked, _told(book, entry.rid, items)))
    return answers


def _is_strange(book: Book, caller: Caller, rid: str) -> bool:
    """Whether someone who isn't in the visit carries another's ops: he is told nothing of what became of them."""
    device = book.device(rid)
    return device is not None and device.owner != caller.officer and not is_member(book.facts, caller.officer)


def _told(book: Book, rid: str, items: list[_Item]) -> list[Verdict]:
    told = [[item.seq, *(_now(item.row) if item.row is not None else item.answer)] for item in items]
    sent = {id(item.row) for item in items if item.row is not None}
    freed = [row for row in book.released_now if row.rid == rid and id(row) not in sent]
    return told + [[row.seq, row.verdict, row.reason] for row in freed]


def _now(row: Row) -> tuple[str, str | None]:
    return row.verdict, None if row.verdict == "held" else row.reason


def _blind(entry: Entry, items: list[_Item]) -> Taken:
    """The answer to a carrier who isn't in the visit: `ok` for what was stored, whatever became of it."""
    told: list[Verdict] = [[item.seq, *(item.answer if item.answer[0] == "dead" else ("ok", None))] for item in items]
    good = {item.seq for item in items if item.answer[0] != "dead"}
    acked = 0
    while acked + 1 in good:
        acked += 1
    return Taken(entry.rid, acked, told)


def _take_entry(book: Book, caller: Caller, entry: Entry) -> list[_Item]:
    device = book.device(entry.rid)
    found = [_read(raw) for _, raw in entry.dead]
    reads = [*entry.reads, *found]
    mine = [read is not None and read.rid == entry.rid and read.visit == book.visit for read in reads]
    good = _verified([read if own else None for read, own in zip(reads, mine, strict=True)], device)
    seqs = [read.seq for read, own in zip(reads, mine, strict=True) if read is not None and own]
    book.preload(entry.rid, min(seqs, default=1), max(seqs, default=0))
    taking = _Taking(book, caller, entry.rid, device)
    raws = [*entry.raws, *(raw for _, raw in entry.dead)]
    items = []
    for at, read in enumerate(reads):
        if read is not None and device is not None and good[at]:
            items.append(taking.place(read, device))
        else:
            seq = entry.dead[at - len(entry.reads)][0] if at >= len(entry.reads) else None
            seq = (
                seq
                if seq is not None and 0 < seq <= ops.MAX_INT
                else _seq_of(at, reads[: len(entry.reads)], raws[at], items)
            )
            items.append(taking.bury(seq, raws[at], read))
    return items


def _verified(reads: Sequence[ops.Read | None], device: Device | None) -> list[bool]:
    """Which ops their device vouches for: by a signature of their own, or by that of a later op in their chain."""
    good = [False] * len(reads)
    if device is None:
        return good
    one_by_one = len(reads) <= SHORT
    for at in range(len(reads) - 1, -1, -1):
        read = reads[at]
        if read is None:
            continue
        after = reads[at + 1] if at + 1 < len(reads) and good[at + 1] else None
        chained = after is not None and after.seq == read.seq + 1 and after.prev == read.hash
        vouched = chained and not one_by_one and len(read.sig) == 86
        good[at] = vouched or is_signed(device.public_key, read.signed, read.sig)
    return good


def _seq_of(at: int, reads: Sequence[ops.Read | None], raw: bytes, items: list[_Item]) -> int | None:
    """The number of an op that can't be taken: its own where it can be made out, else by its neighbours."""
    own = reads[at] if at < len(reads) else None
    if own is not None:
        return own.seq
    after = reads[at + 1] if at + 1 < len(reads) else None
    before = items[-1].seq if items else None
    guess = after.seq - 1 if after is not None else before + 1 if before is not None else None
    named = _SEQ.findall(raw[-4096:]) or _SEQ.findall(raw[:4096])
    if len(set(named)) == 1:
        return int(named[0])
    return guess if guess is None or guess > 0 else None


class _Taking:
    """Places the ops of one entry into the book."""

    def __init__(self, book: Book, caller: Caller, rid: str, device: Device | None) -> None:
        self.book, self.caller, self.rid = book, caller, rid
        self.carrier = None if rid == caller.rid else caller.rid

    def place(self, read: ops.Read, device: Device) -> _Item:
        """One op that reads and verifies: `dup`, `held`, `fork`, or released with its verdict."""
        book = self.book
        device = book.device(read.rid) or device
        known = book.find(read.rid, read.seq)
        if known is not None and known.verdict != "dead":
            if known.hash == read.hash:
                return _again(read.seq, known)
            return self._fork(read, device)
        if device.frozen:
            return self._fork(read, device)
        if known is not None:
            book.rename(known, -known.seq)  # the tombstone keeps its `n`; the op takes its place back with a new one
        row = row_of(read, book.at, self.carrier)
        heard = book.is_heard(device.owner)
        if not heard:
            row.reason = HIDDEN
        waits_for = obstacle(book, read, heard)
        if waits_for is not None and not restored.is_let_through(book, row, waits_for):
            row.verdict = row.standing = "held"
            row.waits_for = waits_for
            book.put(row)
            wake(book, row.id)
            return _Item(read.seq, ("held", None), row)
        if _breaks_chain(book, read):
            return self._fork(read, device)
        book.put(row)
        release(book, row, read, device)
        wake(book, row.id)
        return _Item(read.seq, ("", None), row)

    def _fork(self, read: ops.Read, device: Device) -> _Item:
        book = self.book
        book.set_apart("fork", read.rid, read.seq, read.body, self.carrier)
        if not device.frozen:
            book.freeze(device)
            wake_all(book, device.rid)
        wake(book, read.id)
        return _Item(read.seq, ("fork", None))

    def bury(self, seq: int | None, raw: bytes, read: ops.Read | None) -> _Item:
        """What is nobody's op is kept; of the caller's own replica, where its turn has come, it fills its place."""
        book = self.book
        id_ = book.set_apart("dead", self.rid, seq, raw, self.carrier)
        reach = book.reach(self.rid)
        own = self.carrier is None and (read is None or read.rid == self.rid)
        device = book.device(self.rid)
        if own and device is not None and not device.frozen and seq == reach.acked + 1 and self._is_free(seq):
            row = Row(self.rid, seq, None, "", None, hashlib.sha256(raw).hexdigest(), b"", book.at, "dead",
                      "unreadable" if read is None else "not_signed", "dead", None)  # fmt: skip
            if book.is_heard(self.caller.officer):
                book.number(row)
            book.put(row)
            book.advance(row)
        if seq is not None:
            wake(book, f"{self.rid}:{seq}")
        return _Item(seq, ("dead", id_))

    def _is_free(self, seq: int) -> bool:
        return self.book.look_up(self.rid, seq) is None


def _again(seq: int, row: Row) -> _Item:
    """The same op once more: `held` while it waits, else `dup` with its standing verdict."""
    if row.verdict == "held":
        return _Item(seq, ("held", None), row)
    if row.standing == "quarantined":
        return _Item(seq, ("dup", f"quarantined:{row.standing_reason}"))
    return _Item(seq, ("dup", "late" if row.standing == "late" else None))


def obstacle(book: Book, read: ops.Read, heard: bool) -> str | None:
    """The op that this one has to wait for: the one before it, or one that its author had received and we haven't."""
    reach = book.reach(read.rid)
    if read.seq > reach.acked + 1:
        return f"{read.rid}:{read.seq - 1}"
    for rid, seq in read.ctx.items():
        if heard and book.reach(rid).acked >= seq:
            continue
        if not _has_arrived(book, read, rid, seq, heard) and not _was_let_through(book, read, rid, seq):
            return f"{rid}:{seq}"
    return None


def _was_let_through(book: Book, read: ops.Read, rid: str, seq: int) -> bool:
    """Whether the op before was admitted although the same one is missing: what waits behind it goes with it."""
    before = book.look_up(read.rid, read.seq - 1)
    if before is None or before.verdict in ("held", "dead"):
        return False
    return ops.read(before.body).ctx.get(rid, 0) >= seq


def _has_arrived(book: Book, read: ops.Read, rid: str, seq: int, heard: bool) -> bool:
    """Waiting ends when the op came in whatever verdict, or can't come with effect any more.

    Only a word of the server's that a phone brings back waits until that op is released: it was spoken after that.
    """
    device = book.device(rid)
    if device is not None and (device.frozen or device.revoked):
        return True
    if not heard:
        return False
    row = book.look_up(rid, seq)
    if SERVER_RID.match(read.rid):
        return row is not None and row.verdict != "held"
    return row is not None or book.source.is_apart(rid, seq) or any((a.rid, a.seq) == (rid, seq) for a in book.apart)


def _breaks_chain(book: Book, read: ops.Read) -> bool:
    """Whether `prev` isn't the hash of the stored op before; after a tombstone it isn't checked."""
    reach = book.reach(read.rid)
    if read.seq == reach.acked + 1:
        return read.prev != reach.last_hash and (read.seq == 1 or reach.last_hash != "")
    if read.seq == 1:
        return read.prev != ""
    before = book.look_up(read.rid, read.seq - 1)
    return before is not None and before.verdict != "dead" and before.hash != read.prev


def release(book: Book, row: Row, read: ops.Read, device: Device) -> None:
    """Judges an op whose turn has come, and numbers it where the visit exists for its owner."""
    row.verdict, row.reason = book.judge(read, device, row.reason)
    row.standing, row.standing_reason = row.verdict, None if row.verdict == "ok" else row.reason
    row.waits_for = None
    if book.is_heard(device.owner):
        book.number(row)
        if read.op is not None and read.fault is None:
            book.name_media(read.op)
    book.advance(row)
    if row.verdict == "ok":
        book.apply(row, read.op)
        freed = restored.take_word(book, row, read.op) if read.op is not None and SERVER_RID.match(row.rid) else None
        if freed is not None:
            retry(book, freed, despite_ctx=True)
        if book.on_effect is not None and book.facts is not None and book.facts.standing.proposals:
            book.on_effect(book)


def wake(book: Book, id_: str) -> None:
    """Looks again at all that waited for this op, and at all that waited for those."""
    for row in [row for row in book.held_rows() if row.waits_for == id_ and row.verdict == "held"]:
        if id_.startswith(row.rid) or _is_heard(book, row):
            retry(book, row)


def _is_heard(book: Book, row: Row) -> bool:
    device = book.device(row.rid)
    return device is not None and book.is_heard(device.owner)


def wake_all(book: Book, rid: str) -> None:
    """Looks again at all that waited for any op of a replica: no more of it will have effect."""
    for row in [row for row in book.held_rows() if (row.waits_for or "").startswith(f"{rid}:") and row.rid != rid]:
        if row.verdict == "held" and _is_heard(book, row):
            retry(book, row)


def wake_stopped(book: Book, rid: str) -> None:
    """Looks again at what a replica waits for in vain, as it speaks.

    Those in the visit were woken when that happened; a stranger must not hear of it earlier than he would elsewhere.
    """
    for row in [row for row in book.held_rows() if row.rid == rid and row.verdict == "held"]:
        other = book.device((row.waits_for or "").rpartition(":")[0])
        if other is not None and other.rid != rid and (other.frozen or other.revoked):
            retry(book, row)


def retry(book: Book, row: Row, despite_ctx: bool = False) -> None:
    """Releases a held op if nothing stands in its way any more; a chain of them one after the other."""
    queue = [row]
    while queue:
        row = queue.pop(0)
        read, device = ops.read(row.body), book.device(row.rid)
        if row.verdict != "held" or device is None:
            continue
        waits_for = obstacle(book, read, book.is_heard(device.owner))
        if waits_for is not None and not (despite_ctx and not waits_for.startswith(f"{row.rid}:")):
            book.touch(row)
            row.waits_for = waits_for
            continue
        despite_ctx = False
        if _breaks_chain(book, read):
            book.set_apart("fork", row.rid, row.seq, row.body, row.carrier)
            book.remove(row)
            row.verdict, row.reason = "fork", None
            book.freeze(device)
            wake_all(book, device.rid)
            continue
        book.touch(row)
        release(book, row, read, device)
        book.released_now.append(row)
        queue += [held for held in book.held_rows() if held.verdict == "held" and held.waits_for == row.id]


def hear(book: Book, rids: Sequence[str]) -> None:
    """Releases what was kept apart of these replicas: their owner has just come into the visit. Still quarantined."""
    for rid in rids:
        for row in book.source.kept(rid):
            kept = book.look_up(row.rid, row.seq) or row
            if kept.n is None and kept.verdict != "held":
                book.touch(kept)
                book.number(kept)
                read = _read(kept.body) if kept.body else None
                if read is not None and read.op is not None and read.fault is None:
                    book.name_media(read.op)
    for row in list(book.held_rows()):
        if row.rid in rids and row.verdict == "held":
            retry(book, row)
