"""The view: what a visit looks like now, as GET /api/visits/<id>/view gives it and a phone computes it for itself.

Every list is sorted by op id (conflicts by path, `flags` by op and flag, `missing` by code and detail), so that the
order of arrival shows in none of them; it matters only to `rule` and `admit`, of which the last decides.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any

import msgspec

from server.domain.result import Item, Missing
from server.domain.visit import FLAGS, Crew, phase_of
from server.sync.changes import Shown
from server.sync.fold import Frame, Subject, short_code, value_at
from server.sync.missing import missing_for_final, missing_for_publication
from server.sync.ops import Op
from server.sync.signing import Signature, signatures_of
from server.sync.standing import Entry, Standing, is_server, recused_of, shown, standing_of

__all__ = [
    "Entry", "Facts", "Frame", "Held", "Look", "Subject", "accepted", "as_json", "look_at", "view_of",
]  # fmt: skip


class Held(msgspec.Struct, frozen=True):
    """An op that isn't released, and the one that it waits for."""

    op: str
    waits_for: str


class Facts(msgspec.Struct, frozen=True):
    """What isn't in the ops: the template's items, the hashes whose bytes are here for this visit, what is held."""

    items: list[Item] = []
    here: Container[str] = frozenset()
    held: list[Held] = []


class Look(msgspec.Struct, frozen=True):
    """All that is known of a visit from its journal."""

    frame: Frame
    head: int
    standing: dict[str, Standing]
    ops: dict[str, Op]
    shown: Shown
    phase: str
    recused: list[str]
    signatures: list[Signature]
    proposals: list[Op]
    missing: list[Missing]
    flags: list[tuple[str, str]]
    held: list[Held]


def look_at(entries: Sequence[Entry], frame: Frame, facts: Facts) -> Look:
    """Everything that a journal says of its visit; `entries` in the order of `n`."""
    standing = standing_of(entries)
    ops = {it.id: it.op for it in entries if it.op is not None}
    effective = {id_ for id_, it in standing.items() if it.verdict == "ok"}
    acting = [op for id_, op in ops.items() if id_ in effective]
    now = shown(acting, effective, frame)
    recused = recused_of(now.folded)
    signatures = signatures_of(entries, acting, now, frame, facts.here)
    proposals = _open_proposals(acting, now.crew)
    phase = phase_of(
        is_started=any(not is_server(op.rid) for op in acting),
        stands=now.crew.stands(recused),
        is_proposed=any(op.val["digest"] == now.digest for op in proposals),
        is_final=any(op.kind == "accept_final" and op.val["round"] == now.crew.round for op in acting),
        is_void=any(op.kind == "void" for op in acting),
    )
    look = Look(
        frame=frame,
        head=max((entry.n or 0 for entry in entries), default=0),
        standing=standing,
        ops=ops,
        shown=now,
        phase=phase,
        recused=sorted(recused),
        signatures=signatures,
        proposals=proposals,
        missing=[],
        flags=_flags(entries, effective, recused),
        held=sorted(facts.held, key=lambda it: it.op),
    )
    return msgspec.structs.replace(look, missing=_missing(look, facts))


def _missing(look: Look, facts: Facts) -> list[Missing]:
    """What final still lacks; once it stands, what publication waits for; of a void visit nothing."""
    if look.phase == "void":
        return []
    if look.phase == "final":
        return missing_for_publication(look.shown, facts.here)
    return missing_for_final(look.shown, facts.items, look.signatures, look.proposals, look.ops, look.recused)


def _open_proposals(acting: Sequence[Op], crew: Crew) -> list[Op]:
    """Proposals by today's leader, made in today's round: he had received the `reopen` that began it."""
    reopen = next((op for op in acting if op.kind == "reopen" and op.val["round"] == crew.round), None)
    return sorted(
        (
            op
            for op in acting
            if op.kind == "propose_final" and op.author == crew.leader
            and (reopen is None or op.ctx.get(reopen.rid, 0) >= reopen.seq)
        ),
        key=lambda op: op.id,
    )  # fmt: skip


def _flags(entries: Iterable[Entry], effective: Container[str], recused: Container[str]) -> list[tuple[str, str]]:
    """What intake noted beside ops that have effect, and what was made by someone who then stepped back (R20.3)."""
    flags = []
    for entry in entries:
        op = entry.op
        if op is None or is_server(op.rid) or op.id not in effective:
            continue
        if entry.verdict == "ok" and entry.reason in FLAGS:
            flags.append((op.id, entry.reason))
        if op.author in recused and op.path != ["visit", f"no_interest:{op.author}"]:
            flags.append((op.id, "by_recused"))
    return sorted(flags)


def accepted(look: Look) -> tuple[Op, list[str]] | None:
    """The proposal that is final now, and the signatures that make it so; None while anything is missing (I12)."""
    if look.phase != "final_pending" or look.missing:
        return None
    proposal = next(op for op in look.proposals if op.val["digest"] == look.shown.digest)
    return proposal, [it.op for it in look.signatures if it.state == "current"]


def view_of(entries: Sequence[Entry], frame: Frame, facts: Facts) -> dict[str, Any]:
    """The view as JSON."""
    return as_json(look_at(entries, frame, facts))


def as_json(look: Look) -> dict[str, Any]:
    """The members of GET /api/visits/<id>/view, in its order."""
    now, crew = look.shown, look.shown.crew
    quarantined = sorted((id_, it.reason) for id_, it in look.standing.items() if it.verdict == "quarantined")
    return {
        "visit": look.frame.visit,
        "head": look.head,
        "round": crew.round,
        "phase": look.phase,
        "content": now.content["content"],
        "withdrawn": now.content["withdrawn"],
        "digest": now.digest,
        "short": short_code(now.digest),
        "conflicts": [
            {"path": list(it.path), "heads": [_head(op, it.path) for op in it.heads]} for it in now.folded.conflicts
        ],
        "signatures": msgspec.to_builtins(look.signatures),
        "quarantined": [{"op": id_, "reason": reason} for id_, reason in quarantined],
        "late": sorted(id_ for id_, it in look.standing.items() if it.verdict == "late"),
        "held": msgspec.to_builtins(look.held),
        "flags": [{"op": id_, "flag": flag} for id_, flag in look.flags],
        "missing": msgspec.to_builtins(look.missing),
        "members": crew.members,
        "leader": crew.leader,
    }


def _head(op: Op, path: Sequence[str]) -> dict[str, Any]:
    return {"op": op.id, "author": op.author, "rid": op.rid, "at": op.at, "val": value_at(op, path)}
