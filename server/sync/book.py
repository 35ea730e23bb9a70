"""The book: one visit's journal as a transaction holds it in its hands, read as needed and written at the end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from server.domain.instant import stamp
from server.store.journal import MAX_APART, Apart, Name, Reach, Row, new_apart_id
from server.sync import ops
from server.sync.judge import (
    Assigned,
    Case,
    Device,
    Interest,
    VisitFacts,
    verdict_on,
)
from server.sync.keys import SERVER_RID, Keys

HIDDEN = "not_member"


class Source(Protocol):
    """Where a book reads what is already written of its visit."""

    def reaches(self) -> dict[str, Reach]: ...
    def span(self, rid: str, first: int, last: int) -> list[Row]: ...
    def held(self) -> list[Row]: ...
    def kept(self, rid: str) -> list[Row]: ...
    def released(self) -> list[Row]: ...
    def is_apart(self, rid: str, seq: int) -> bool: ...
    def apart_id(self, rid: str, sha256: str) -> str | None: ...
    def device(self, rid: str) -> Device | None: ...
    def certificate(self, officer: str) -> str | None: ...


class Book:
    """The journal of one visit: what was read of it, and what this transaction adds or changes.

    `facts` is None where the server has no such visit; its ops are kept then, each without `n`.
    """

    def __init__(
        self, visit: str, facts: VisitFacts | None, head: int, points: Container[str], source: Source,
        keys: Keys, now: datetime,
    ) -> None:  # fmt: skip
        self.visit, self.facts, self.head, self.points, self.source, self.keys = (
            visit,
            facts,
            head,
            points,
            source,
            keys,
        )
        self.now = now
        self.at = stamp(now)
        self.reaches = source.reaches()
        self.known_reaches = set(self.reaches)
        self.moved: dict[str, Reach] = {}
        self.fresh: dict[tuple[str, int], Row] = {}
        self.changed: dict[int, tuple[str, int, Row]] = {}
        self.gone: list[tuple[str, int]] = []
        self.apart: list[Apart] = []
        self.names: list[Name] = []
        self.frozen: set[str] = set()
        self.crew_changes: list[Assigned] = []
        self.released_now: list[Row] = []
        self.was_held: set[str] = set()
        self.on_effect: Callable[[Book], None] | None = None
        self._rows: dict[tuple[str, int], Row] = {}
        self._heard_in: list[Assigned] | None = None
        self._heard: set[str] = set()
        self._held: list[Row] | None = None
        self._base: list[Row] | None = None
        self._devices: dict[str, Device | None] = {}
        self._certificates: dict[str, str] = {}
        self._before = (head, facts)

    # --- reading ------------------------------------------------------------------------------------------------------

    @property
    def is_moved(self) -> bool:
        """Whether the visit's own row has to be written."""
        return self._before != (self.head, self.facts)

    def preload(self, rid: str, first: int, last: int) -> None:
        """Reads the ops of a replica between two numbers in one go; beyond its reach there are none but held ones."""
        self.held_rows()
        acked = self.reach(rid).acked
        if first <= acked:
            for row in self.source.span(rid, first, min(last, acked)):
                self._rows.setdefault((rid, row.seq), row)

    def find(self, rid: str, seq: int) -> Row | None:
        """The op of this name, where it has come."""
        return self._rows.get((rid, seq))

    def look_up(self, rid: str, seq: int) -> Row | None:
        """Like `find`, for a name that may not have been preloaded."""
        row = self._rows.get((rid, seq))
        if row is None:
            self.preload(rid, seq, seq)
            row = self._rows.get((rid, seq))
        return row

    def reach(self, rid: str) -> Reach:
        """How far a replica came."""
        return self.reaches.setdefault(rid, Reach())

    def device(self, rid: str) -> Device | None:
        """The device of a replica; the server's own replicas have its key."""
        if rid not in self._devices:
            mine = SERVER_RID.match(rid)
            self._devices[rid] = Device(rid, "srv", self.keys.public_jwk) if mine else self.source.device(rid)
        return self._devices[rid]

    def know_device(self, device: Device) -> None:
        """Saves a look-up where the device is already at hand."""
        self._devices[device.rid] = device

    def know_certificate(self, officer: str, last_day: str) -> None:
        """Saves a look-up where the certificate is already at hand."""
        self._certificates[officer] = last_day

    def is_heard(self, owner: str) -> bool:
        """Whether the visit exists for this owner of a replica."""
        if self.facts is None:
            return False
        crew = self.facts.standing.crew
        if self._heard_in is not crew:
            self._heard_in, self._heard = crew, {assigned.officer for assigned in crew} | {"srv"}
        return owner in self._heard

    def held_rows(self) -> list[Row]:
        """The ops that wait now."""
        if self._held is None:
            self._held = self.source.held()
            for at, row in enumerate(self._held):
                self._held[at] = self._rows.setdefault((row.rid, row.seq), row)
            known = {id(row) for row in self._held}
            self._held += [row for row in self.fresh.values() if row.verdict == "held" and id(row) not in known]
        return self._held

    def entries(self) -> list[Row]:
        """All released ops in the order of `n`, with what this transaction did."""
        if self._base is None:
            self._base = self.source.released()
        rows = {row.n: row for row in self._base}
        rows |= {row.n: row for row in self._rows.values() if row.n is not None}
        return [rows[n] for n in sorted(rows, key=lambda n: n or 0)]

    # --- writing ------------------------------------------------------------------------------------------------------

    def put(self, row: Row) -> None:
        """Adds a new op."""
        self.fresh[row.rid, row.seq] = row
        self._rows[row.rid, row.seq] = row
        if row.verdict == "held" and self._held is not None:
            self._held.append(row)

    def touch(self, row: Row) -> None:
        """Marks an op that was there before as changed; call it before its name changes."""
        if (row.rid, row.seq) not in self.fresh:
            self.changed.setdefault(id(row), (row.rid, row.seq, row))

    def rename(self, row: Row, seq: int) -> None:
        """Gives a row another place in its replica (a tombstone makes room for the op that came after all)."""
        self.touch(row)
        del self._rows[row.rid, row.seq]
        if self.fresh.pop((row.rid, row.seq), None) is not None:
            self.fresh[row.rid, seq] = row
        row.seq = seq
        self._rows[row.rid, seq] = row

    def remove(self, row: Row) -> None:
        """Takes a held op out: it turned out to be a fork."""
        del self._rows[row.rid, row.seq]
        if self.fresh.pop((row.rid, row.seq), None) is None:
            self.changed.pop(id(row), None)
            self.gone.append((row.rid, row.seq))

    def set_apart(self, kind: str, rid: str, seq: int | None, body: bytes, carrier: str | None) -> str:
        """Keeps a body without a place, once, and gives its name."""
        digest = hashlib.sha256(body).hexdigest()
        for kept in self.apart:
            if (kept.rid, kept.sha256) == (rid, digest):
                return kept.id
        known = self.source.apart_id(rid, digest)
        if known is None:
            known = new_apart_id()
            self.apart.append(Apart(known, kind, rid, seq, digest, body[:MAX_APART], self.at, carrier))
        return known

    def freeze(self, device: Device) -> None:
        """From now on nothing new of this replica is taken, in any visit."""
        if not SERVER_RID.match(device.rid):
            self.frozen.add(device.rid)
            self._devices[device.rid] = msgspec.structs.replace(device, frozen=True)

    def number(self, row: Row) -> None:
        """Releases a row: it gets the next `n`."""
        self.head += 1
        row.n = self.head

    def advance(self, row: Row) -> None:
        """Moves its replica's reach up to a row that has no hole below it."""
        reach = self.reach(row.rid)
        if row.seq >= reach.acked:
            reach.acked, reach.last_hash = row.seq, "" if row.verdict == "dead" else row.hash
            self.moved[row.rid] = reach

    def judge(self, read: ops.Read, device: Device, set_aside: str | None) -> tuple[str, str | None]:
        """The verdict on an op that is released now."""
        heard = self.is_heard(device.owner)
        certificates: dict[str, str] = {}
        if read.author and heard:
            certificates[read.author] = self._certificate(read.author)
        facts = self.facts if heard else None
        return verdict_on(Case(read, device, facts, self.points, certificates, self.now, set_aside))

    def _certificate(self, officer: str) -> str:
        if officer not in self._certificates:
            self._certificates[officer] = self.source.certificate(officer) or "9999"
        return self._certificates[officer]

    # --- what an effective op changes for those that come after it ----------------------------------------------------

    def apply(self, row: Row, op: ops.Op | None) -> None:
        """Keeps the visit's standing abreast of an op that has effect now."""
        if op is None or self.facts is None:
            return
        standing, facts = self.facts.standing, self.facts
        if not standing.started and not SERVER_RID.match(op.rid):
            standing = msgspec.structs.replace(standing, started=True)
            facts = self.facts = msgspec.structs.replace(facts, standing=standing)
        if op.kind == "set" and op.path[0] == "visit" and op.path[1].startswith("no_interest:"):
            standing = msgspec.structs.replace(standing, interests=_interests(standing.interests, op))
        elif op.kind == "propose_final":
            standing = msgspec.structs.replace(standing, proposals=[*standing.proposals, op.id])
        elif op.kind == "assign":
            assigned = Assigned(op.rid, op.seq, op.path[1], op.val["role"], row.n or 0)
            self.crew_changes.append(assigned)
            standing = msgspec.structs.replace(standing, crew=[*standing.crew, assigned])
        elif op.kind == "accept_final":
            facts = msgspec.structs.replace(facts, state="final")
            standing = msgspec.structs.replace(standing, proposals=[])
        elif op.kind == "reopen":
            facts = msgspec.structs.replace(facts, state="open", round=op.val["round"])
        elif op.kind == "void":
            facts = msgspec.structs.replace(facts, state="void")
            standing = msgspec.structs.replace(standing, proposals=[])
        else:
            return
        self.facts = msgspec.structs.replace(facts, standing=standing)

    def decide(self, row: Row, verdict: str, reason: str | None) -> None:
        """Gives an op that was released another verdict: what it means for those that come after follows at once."""
        self.touch(row)
        row.standing, row.standing_reason = verdict, None if reason is None else reason.replace("\0", "")[:32]
        op = ops.stored(row.body)
        if verdict == "ok":
            self.apply(row, op)
        elif self.facts is not None:
            standing = self.facts.standing
            standing = msgspec.structs.replace(
                standing,
                interests=[it for it in standing.interests if (it.rid, it.seq) != (row.rid, row.seq)],
                proposals=[open_ for open_ in standing.proposals if open_ != row.id],
            )
            self.facts = msgspec.structs.replace(self.facts, standing=standing)

    def rule(self, id_: str, verdict: str, reason: str | None, author: str = "srv") -> Row:
        """Writes a ruling on an op, with effect at once."""
        rid, _, seq = id_.rpartition(":")
        row = self.look_up(rid, int(seq))
        if row is None:
            raise ValueError(f"There is no op {id_} to rule on.")
        written = self.write("rule", ["op", id_], {"verdict": verdict, "reason": reason}, author)
        self.decide(row, verdict, reason)
        return written

    def name_media(self, op: ops.Op) -> None:
        """Notes the bytes that an op names."""
        if op.kind == "attach":
            self.names.append(Name(op.path[1], "attach", op.rid))
        elif op.kind == "sign":
            for role in ("image", "strokes"):
                if op.val[role] is not None:
                    self.names.append(Name(op.val[role], role, op.rid))

    # --- the server's own ops -----------------------------------------------------------------------------------------

    def write(self, kind: str, path: list[str], val: Any, author: str, base: Sequence[str] = ()) -> Row:
        """Writes an op of the server's own replica, signed by its key, with effect at once."""
        if self.facts is None:
            raise ValueError("The server writes only into visits that it has.")
        rid = self.keys.rid
        reach = self.reach(rid)
        seq = reach.acked + 1
        ctx = {other: r.acked for other, r in self.reaches.items() if r.acked > 0 and self.is_theirs(other)}
        unsigned: dict[str, Any] = {
            "v": 1, "visit": self.visit, "rid": rid, "seq": seq, "kind": kind, "path": path, "val": val,
            "base": list(base),
            "ctx": ctx, "author": author, "via": None, "at": self.at, "clk": None, "tpl": self.facts.tpl,
            "app": "server", "geo": None, "prev": reach.last_hash,
        }  # fmt: skip
        read = ops.read(ops.seal(unsigned, self.keys.sign))
        row = row_of(read, self.at, None)
        row.verdict = row.standing = "ok"
        self.number(row)
        self.put(row)
        self.advance(row)
        self.apply(row, read.op)
        return row

    def is_theirs(self, rid: str) -> bool:
        """Whether a replica is of somebody for whom the visit exists."""
        device = self.device(rid)
        return device is not None and self.is_heard(device.owner)


def row_of(read: ops.Read, at: str, carrier: str | None) -> Row:
    """An op on its way into the journal, without a verdict; of a kind from the future only a plain name is kept."""
    kind = read.kind[:32] if read.kind.isascii() and read.kind.isprintable() else ""
    return Row(
        rid=read.rid, seq=read.seq, n=None, kind=kind, author=read.author, hash=read.hash, body=read.body,
        received_at=at, verdict="", reason=None, standing="", standing_reason=None, carrier=carrier,
    )  # fmt: skip


def _interests(known: list[Interest], op: ops.Op) -> list[Interest]:
    """Declared interests after an op on `no_interest:<officer>`: it adds one, or lifts those that its author saw."""
    officer = op.path[1].removeprefix("no_interest:")
    if isinstance(op.val, dict) and op.val.get("interest") is True:
        return [*known, Interest(op.rid, op.seq, officer)]
    return [interest for interest in known if interest.officer != officer or op.ctx.get(interest.rid, 0) < interest.seq]


def points_of(body: bytes) -> frozenset[str]:
    """The ids of all points of a checklist."""
    document = msgspec.json.decode(body)
    return frozenset(point["id"] for item in document["items"] for point in item["points"])
