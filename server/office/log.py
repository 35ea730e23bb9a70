"""The log as the bureau keeps it: checkpoints made when they are due or wanted, keys changed, witnesses named.

A checkpoint is no act: it says nothing that the trail didn't say before. Whatever prints a digest prints beside it what
`latest_checkpoint(conn)` gives; whoever wants one that covers an act of just now calls `Log.sign` once that is
committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from server.domain.checkpoint import AT_ONCE, Key, Tree, is_due, key_text, origin_of, read_key, read_note, read_tree
from server.domain.instant import stamp
from server.domain.merkle import inclusion_spans
from server.errors import Problem
from server.office.act import act
from server.office.reasons import said_reason
from server.store import checkpoints, log, trail
from server.store.checkpoints import Checkpoint, Cosignature, KeyInUse, Witness, latest_checkpoint
from server.store.log_keys import is_by, key_of, open_signer
from server.store.migrate import REPLICA, meta_of
from server.store.people import Person
from server.store.session import Connection, Database

__all__ = [
    "Log",
    "Proof",
    "consistency",
    "cosign",
    "end_witness",
    "erase",
    "inclusion",
    "latest_checkpoint",
    "name_witness",
]


class Log:
    """The log of one house: what signs it, and where it is published."""

    def __init__(self, db: Database, keys: Path, address: str) -> None:
        self._db, self._keys, self._address = db, keys, address
        self._signer = open_signer(keys)

    def sign_if_due(self, now: datetime) -> Checkpoint | None:
        """Makes a checkpoint where one is due: at the first start, each hour in which the log grew, each day, and after
        what is signed at once."""
        with self._db.read() as conn:
            last = checkpoints.last_signed(conn)
            due = is_due(last, log.written(conn), now) or not self._is_known(conn, _in_use(conn))
            due = due or (last is not None and log.has_since(conn, last[1], AT_ONCE))
        return self.sign(now) if due else None

    def sign(self, now: datetime) -> Checkpoint:
        """The checkpoint of all that is committed now; the tree is built batch by batch, so that nobody waits long."""
        self._signer = open_signer(self._keys)  # another process may have changed the key
        while not self._db.run_write(log.build):
            pass
        return self._db.run_write(lambda conn: self._sign(conn, now))

    def change_key(self, now: datetime, actor: str, reason: str) -> Checkpoint:
        """Signs by a new key from now on. The old one stays for what it signed, and vouches for the new one."""
        self.sign(now)
        self._signer = self._signer.with_new()
        self._db.run_write(lambda conn: self._take_new_key(conn, now, actor, reason))
        return self.sign(now)

    def _sign(self, conn: Connection, now: datetime) -> Checkpoint:
        while not log.build(conn):
            pass
        size = log.built(conn)
        used = _in_use(conn)
        if used is None or not self._is_known(conn, used):
            used = self._begin(conn, used, size, now)
        known = checkpoints.checkpoint_of(conn, size)
        if known is not None:
            return known
        tree = Tree(used.origin, size, log.root(conn, size))
        note = tree.text + "\n" + self._signer.sign(used.public, tree.text).line
        made = Checkpoint(size, tree.root.hex(), note, stamp(now))
        checkpoints.keep(conn, made)
        return made

    def _is_known(self, conn: Connection, used: KeyInUse | None) -> bool:
        return used is not None and used.origin == self._origin(conn, used) and self._signer.holds(used.public)

    def _origin(self, conn: Connection, used: KeyInUse | None) -> str:
        """A log keeps the name that it began with; only after a backup was restored another log begins."""
        begun = origin_of(self._address) if used is None else used.origin.rpartition("/log")[0] + "/log"
        return begun + (meta_of(conn, REPLICA) or "srv").removeprefix("srv")

    def _begin(self, conn: Connection, used: KeyInUse | None, size: int, now: datetime) -> KeyInUse:
        """The first key of a log; or, where the private part of the one in use is lost, one that nobody vouches for."""
        origin = self._origin(conn, used)
        key = key_of(origin, self._signer.newest)
        at = (1, 0) if used is None else (used.place + 1, size)
        made = KeyInUse(at[0], origin, key.text, at[1], stamp(now), None)
        checkpoints.keep_key(conn, made)
        if used is not None:
            trail.append(conn, [trail.Act("log.key", "srv", f"log:{origin}", detail={"key": key.text})], now)
        return made

    def _take_new_key(self, conn: Connection, now: datetime, actor: str, reason: str) -> None:
        used = _in_use(conn)
        if used is None:
            raise AssertionError("a log that was signed has a key")
        new = key_of(used.origin, self._signer.newest)
        text = key_text(used.origin, new)
        by = [key for key in (used.public, new) if self._signer.holds(key)]
        note = text + "\n" + "".join(self._signer.sign(key, text).line for key in by)
        detail = {"key": new.text, "reason": reason}
        trail.append(conn, [trail.Act("log.key", actor, f"log:{used.origin}", detail=detail)], now)
        made = KeyInUse(used.place + 1, used.origin, new.text, log.written(conn), stamp(now), note)
        checkpoints.keep_key(conn, made)


def _in_use(conn: Connection) -> KeyInUse | None:
    return next(reversed(checkpoints.keys(conn)), None)


# --- erasure ----------------------------------------------------------------------------------------------------------


@act("trail.erase", "trail.erase")
def erase(conn: Connection, person: Person, now: datetime, n: int, reason: str) -> None:
    """Takes personal data out of the trail where they must not be kept; the entry, and its place in the tree, stay."""
    act_there = log.act_of(conn, n)
    if act_there is None or not is_erasable(act_there):
        raise Problem("not_found" if act_there in (None, "trail.erase") else "entry_vouches")
    detail = {"reason": said_reason(reason)}
    trail.append(conn, [trail.Act("trail.erase", person.id, f"entry:{n}", detail=detail)], now)
    if not log.erase(conn, n):
        raise Problem("entry_without_detail")


def is_erasable(act_there: str) -> bool:
    """Of an erasure the reason stays; what took an op vouches for it as long as the op itself is there."""
    return act_there != "trail.erase" and not act_there.startswith("op.")


# --- proofs -----------------------------------------------------------------------------------------------------------


class Proof(msgspec.Struct, frozen=True):
    """What leads from a leaf, or from an older root, to the root of `size` entries. Hashes in hexadecimal digits."""

    root: str
    path: tuple[str, ...]


def inclusion(conn: Connection, index: int, size: int) -> Proof:
    """That the entry with number `index` + 1 is in the first `size` entries."""
    return Proof(log.root(conn, size).hex(), tuple(step.hex() for step in log.inclusion(conn, index, size)))


def inclusions(conn: Connection, indexes: Sequence[int], size: int) -> list[tuple[str, ...]]:
    """The paths of many entries to the root of `size`, read together."""
    wanted = [inclusion_spans(index, size) for index in indexes]
    hashes = iter(log.hashes_of(conn, [span for spans in wanted for span in spans]))
    return [tuple(next(hashes).hex() for _ in spans) for spans in wanted]


def consistency(conn: Connection, first: int, size: int) -> Proof:
    """That the log of `first` entries is how that of `size` began; every log began with nothing."""
    path = log.consistency(conn, first, size) if first else []
    return Proof(log.root(conn, size).hex(), tuple(step.hex() for step in path))


OPEN: Final = frozenset(("result.publish", "correction.sign", "draw.commit", "draw.run", "draw.void", "list.release"))
"""Acts whose `after` is the digest of what they made public, so that everybody may see that the log has just that."""


def opening(conn: Connection, index: int) -> log.Opening:
    """What opens the digest in the leaf of a public act."""
    found = log.opening_of(conn, index + 1)
    if found is None or found.act not in OPEN:
        raise Problem("not_found")
    return found


# --- witnesses --------------------------------------------------------------------------------------------------------


def name_witness(conn: Connection, actor: str, now: datetime, key: Key, who: str) -> None:
    """Takes cosignatures by this key from now on."""
    if any(one.name == key.name for one in checkpoints.witnesses(conn)):
        raise Problem("witness_known", name=key.name)
    checkpoints.add_witness(conn, Witness(key.name, key.text, who, stamp(now), None))
    detail = {"key": key.text, "who": who}
    trail.append(conn, [trail.Act("log.witness", actor, f"witness:{key.name}", detail=detail)], now)


def end_witness(conn: Connection, actor: str, now: datetime, name: str, reason: str) -> None:
    """Takes no more of them; what a witness signed stays under its checkpoints."""
    if not any(one.name == name and one.is_on for one in checkpoints.witnesses(conn)):
        raise Problem("witness_unknown", name=name)
    checkpoints.end_witness(conn, name, stamp(now))
    trail.append(conn, [trail.Act("log.witness_end", actor, f"witness:{name}", detail={"reason": reason})], now)


def cosign(conn: Connection, text: str, now: datetime) -> Cosignature:
    """Keeps what a witness put under a checkpoint; `text` is its note with his line as the last one."""
    try:
        note = read_note(text)
        size = read_tree(note.text).size
    except ValueError as fault:
        raise Problem("note_bad", why=str(fault)) from None
    found = checkpoints.checkpoint_of(conn, size)
    if found is None or not found.note.startswith(note.text + "\n"):
        raise Problem("cosignature_of_none", size=size)
    line = note.signatures[-1]
    key = next((read_key(one.key) for one in checkpoints.witnesses(conn) if one.name == line.name and one.is_on), None)
    if key is None:
        raise Problem("witness_unknown", name=line.name)
    if not is_by(key, note.text, line):
        raise Problem("cosignature_bad", name=line.name)
    given = Cosignature(line.name, line.line, stamp(now))
    checkpoints.keep_cosignature(conn, size, given)
    return given
