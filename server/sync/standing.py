"""What a journal says before anything is shown: who is in the visit, and which of its operations have effect."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence

import msgspec

from server.domain.visit import Crew
from server.sync.changes import Shown
from server.sync.fold import Folded, Frame, content_of, digest, fold
from server.sync.ops import Op
from server.sync.shapes import MALFORMED, SERVER_KINDS


class Entry(msgspec.Struct, frozen=True):
    """An op in the journal: its number, its receipt, and what intake said (a flag of an `ok` stands in `reason`).

    `op` is None for a tombstone, whose verdict is `dead`, and for an op whose envelope never had its form; both have
    `rid` and `seq` all the same.
    """

    n: int | None
    rid: str
    seq: int
    op: Op | None
    received_at: str | None
    verdict: str
    reason: str | None = None

    @property
    def id(self) -> str:
        """The name of the op."""
        return f"{self.rid}:{self.seq}"


class Standing(msgspec.Struct, frozen=True):
    """The verdict on an op as it stands now."""

    verdict: str
    reason: str | None


def is_server(rid: str) -> bool:
    """Whether this is the server's own replica, in whatever epoch."""
    return rid.startswith("srv")


def _by_epoch(op: Op) -> tuple[int, int]:
    """The server's replicas are ordered by epoch, each compared within itself."""
    return int(op.rid[3:] or 1), op.seq


def crew_of(ops: Iterable[Op]) -> Crew:
    """Members, leader and round by the server's ops alone: the latest `assign` of each officer, and each `reopen`."""
    server = sorted((op for op in ops if op.kind in SERVER_KINDS and is_server(op.rid)), key=_by_epoch)
    latest = {op.path[1]: op for op in server if op.kind == "assign"}
    present = sorted((op for op in latest.values() if op.val["role"] != "removed"), key=_by_epoch)
    leaders = [op.path[1] for op in present if op.val["role"] == "leader"]
    return Crew(
        members=sorted(op.path[1] for op in present),
        leader=leaders[-1] if leaders else None,
        round=max((op.val["round"] for op in server if op.kind == "reopen"), default=1),
    )


def standing_of(entries: Iterable[Entry]) -> dict[str, Standing]:
    """The verdict of each op: that of intake, as changed by later `rule` and `admit` ops; the last decides."""
    standing: dict[str, Standing] = {}
    for entry in entries:
        standing[entry.id] = Standing(entry.verdict, entry.reason)
        op = entry.op
        if op is None or not is_server(op.rid):
            continue
        if op.kind == "rule":
            standing[op.path[1]] = Standing(op.val["verdict"], op.val.get("reason"))
        elif op.kind == "admit":
            standing[op.path[1]] = Standing("ok", None)
    return standing


def declares_interest(op: Op) -> bool:
    """R20.3: an officer's recusal, by himself; from the ops that have received it on he is set aside."""
    if op.kind != "set" or op.path != ["visit", f"no_interest:{op.author}"]:
        return False
    return isinstance(op.val, dict) and op.val.get("interest") is True


def recused_of(folded: Folded) -> set[str]:
    """Officers one of whose own standing words is that they have an interest."""
    return {op.author for register in folded.registers.values() for op in register.heads if declares_interest(op)}


def has_declared(folded: Folded, officer: str) -> bool:
    """Whether this officer has said that he has no interest."""
    said = folded.value("visit", f"no_interest:{officer}")
    return isinstance(said, dict) and said.get("interest") is False


def shown(ops: Sequence[Op], effective: Container[str], frame: Frame) -> Shown:
    """What those of the ops that have effect add up to."""
    crew = crew_of(op for op in ops if op.id in effective)
    folded = fold(ops, effective)
    content = content_of(folded, frame, crew.members, crew.leader, crew.round)
    return Shown(crew, folded, content, digest(folded, content))


def shown_at(entries: Iterable[Entry], frame: Frame, cut: Mapping[str, int], excluded: Iterable[str]) -> Shown:
    """What was shown at a cut. Verdicts play no part: every op that it covers has effect, but for those that the signer
    names in `excluded` and those that can't be understood."""
    covered = [it for it in entries if it.op is not None and it.seq <= cut.get(it.rid, 0) and not _is_malformed(it)]
    ops = [it.op for it in covered if it.op is not None]
    return shown(ops, {op.id for op in ops}.difference(excluded), frame)


def _is_malformed(entry: Entry) -> bool:
    return entry.verdict == "quarantined" and entry.reason in MALFORMED
