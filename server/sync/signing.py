"""Signatures: whether each holds, over what was shown when it was drawn."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from server.domain.result import is_said
from server.domain.visit import Crew
from server.sync.changes import Shown, changes_between
from server.sync.fold import Frame
from server.sync.ops import Op, canonical
from server.sync.standing import Entry, shown_at


class Signature(msgspec.Struct, frozen=True, omit_defaults=True):
    """A signature and whether it holds; a stale one lists the paths of exactly what changed since."""

    op: str
    signer: str
    role: str
    state: str
    digest: str
    changed: list[list[str]] | None = None


def _is_here(cut: Mapping[str, int], have: Mapping[str, set[int]]) -> bool:
    """Whether all that a cut names has come, in whatever verdict, `dead` included."""
    return all(sum(one <= seq for one in have.get(rid, ())) >= seq for rid, seq in cut.items())


def _is_well_drawn(op: Op, crew: Crew) -> bool:
    """Whether a signature agrees with the crew of its cut, and its role, path, image and refusal with each other."""
    signer, val = op.path[1], op.val
    has_image = val["image"] is not None
    if val["role"] in ("leader", "member"):
        is_own = signer == op.author and signer in crew.members and signer not in ("subject", "witness")
        is_carried = op.via is None or (op.via in crew.members and op.via != signer)
        return is_own and is_carried and (val["role"] == "leader") == (signer == crew.leader) and _only_image(val)
    if op.via is not None or op.author not in crew.members:
        return False
    if val["role"] == "subject":
        return signer == "subject" and has_image != is_said(val["refused"]) and (not has_image or _only_image(val))
    named = signer == "witness" if val["role"] == "witness" else signer.startswith("expert:")
    return named and _only_image(val)


def _only_image(val: Mapping[str, Any]) -> bool:
    return val["image"] is not None and val["refused"] is None


def _is_confirmed(sign: Op, ops: Iterable[Op]) -> bool:
    """Whether the signer said from his own phone that he drew it, having received it."""
    return any(
        op.kind == "confirm" and op.val["op"] == sign.id and op.path == sign.path and op.author == sign.path[1]
        and op.via is None and op.rid != sign.rid and op.ctx.get(sign.rid, 0) >= sign.seq
        for op in ops
    )  # fmt: skip


def signatures_of(
    entries: Sequence[Entry], ops: Sequence[Op], now: Shown, frame: Frame, here: Container[str]
) -> list[Signature]:  # fmt: skip
    """Each effective signature with the first state that holds of: awaiting_ops, invalid, stale, awaiting_image, weak,
    current. New content never makes one invalid."""
    have: dict[str, set[int]] = {}
    for entry in entries:
        have.setdefault(entry.rid, set()).add(entry.seq)
    cuts: dict[bytes, Shown] = {}
    signatures = []
    for op in ops:
        if op.kind != "sign":
            continue
        then = None
        if _is_here(op.val["cut"], have):
            key = canonical([op.val["cut"], op.val["excluded"]])
            then = cuts.get(key) or cuts.setdefault(key, shown_at(entries, frame, op.val["cut"], op.val["excluded"]))
        signatures.append(_signature(op, then, now, ops, here))
    return sorted(signatures, key=lambda it: it.op)


def _signature(op: Op, then: Shown | None, now: Shown, ops: Sequence[Op], here: Container[str]) -> Signature:
    state, changed = "current", None
    if then is None:
        state = "awaiting_ops"
    elif then.digest != op.val["digest"] or not _is_well_drawn(op, then.crew):
        state = "invalid"
    elif then.digest != now.digest:
        state, changed = "stale", [change["path"] for change in changes_between(then, now)]
    elif op.val["image"] is not None and op.val["image"] not in here:
        state = "awaiting_image"
    elif op.via is not None and not _is_confirmed(op, ops):
        state = "weak"
    return Signature(op.id, op.path[1], op.val["role"], state, op.val["digest"], changed)
