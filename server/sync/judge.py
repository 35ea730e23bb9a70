"""The verdict on an op that is about to be released, as a pure function of explicit facts (sync page, section 6)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec

from server.sync.ops import Op, Read, fault_of

CLOCK_LEEWAY: Final = timedelta(minutes=5)
PEOPLE: Final = ("subject", "witness")  # signers who are no officers; experts are named "expert:<id>"
LEADERS_OWN: Final = ("result:", "section:")

ADMISSIBLE: Final = frozenset(
    {
        "not_member", "reassigned", "recused", "no_licence_at_time", "not_leader", "template_mismatch",
        "device_revoked",
    }
)  # fmt: skip
"""Quarantine reasons that an `admit` can lift; of `not_leader` a proposal can't."""


class Assigned(msgspec.Struct, frozen=True, array_like=True):
    """One `assign` op of the visit, with the `n` it got."""

    rid: str
    seq: int
    officer: str
    role: str
    n: int


class Interest(msgspec.Struct, frozen=True, array_like=True):
    """An effective op by which an officer declared his own interest."""

    rid: str
    seq: int
    officer: str


class Standing(msgspec.Struct, frozen=True):
    """What intake asks of the journal of a visit: a small part of its fold, kept beside the head."""

    crew: list[Assigned] = []
    interests: list[Interest] = []
    proposals: list[str] = []  # ops `propose_final` that are neither accepted nor ruled out
    started: bool = False  # whether an op of a phone ever had effect


class VisitFacts(msgspec.Struct, frozen=True):
    """The visit as dispatched, and where it stands."""

    id: str
    tpl: str
    window_from: str
    window_to: str
    round: int
    state: str  # open | final | void
    standing: Standing


class Device(msgspec.Struct, frozen=True):
    """The enrolled replica that made an op, and its owner."""

    rid: str
    owner: str
    public_key: Mapping[str, str]
    revoked: bool = False
    frozen: bool = False


class Case(msgspec.Struct, frozen=True):
    """All that the verdict on one op hangs on. `visit` is None where the visit isn't there for the op's owner."""

    read: Read
    device: Device
    visit: VisitFacts | None
    points: Container[str]
    certificates: Mapping[str, str]  # officer -> last day of the certificate
    received: datetime
    set_aside: str | None = None  # a reason that was settled while the op was kept apart


Verdict = tuple[str, str | None]


def epoch_of(rid: str) -> int:
    """The order of the server's replicas: `srv` is 1, `srv2` is 2."""
    return int(rid[3:] or 1)


def role_of(crew: Iterable[Assigned], officer: str, ctx: Mapping[str, int] | None = None) -> Assigned | None:
    """The latest `assign` of an officer: of all, or of those that `ctx` covers."""
    best: Assigned | None = None
    for assigned in crew:
        if assigned.officer != officer or (ctx is not None and ctx.get(assigned.rid, 0) < assigned.seq):
            continue
        if best is None or (epoch_of(assigned.rid), assigned.seq) > (epoch_of(best.rid), best.seq):
            best = assigned
    return best


def leader_of(crew: Iterable[Assigned]) -> str | None:
    """The officer whose latest role is leader; where two are (a change under way), the one assigned last."""
    crew = list(crew)
    latest = [role_of(crew, officer) for officer in {assigned.officer for assigned in crew}]
    leaders = [last for last in latest if last is not None and last.role == "leader"]
    return max(leaders, key=lambda last: (epoch_of(last.rid), last.seq)).officer if leaders else None


def phase_by_standing(visit: VisitFacts) -> str | None:
    """The visit's phase, where it can be told without a fold; None while a proposal is open."""
    standing = visit.standing
    if visit.state != "open":
        return visit.state
    if not standing.started:
        return "dispatched"
    if standing.proposals:
        return None
    recused = {interest.officer for interest in standing.interests}
    able = {it.officer for it in standing.crew if is_member(visit, it.officer)} - recused
    return "started" if len(able) >= 2 and leader_of(standing.crew) is not None else "interrupted"


def is_member(visit: VisitFacts | None, officer: str) -> bool:
    """Whether the officer is in the crew now."""
    last = role_of(visit.standing.crew, officer) if visit else None
    return last is not None and last.role != "removed"


def was_member(visit: VisitFacts | None, officer: str) -> bool:
    """Whether the officer is or ever was in the crew: for others the visit doesn't exist."""
    return visit is not None and any(assigned.officer == officer for assigned in visit.standing.crew)


def verdict_on(case: Case) -> Verdict:
    """`ok` with a flag or none, `late`, or `quarantined` with the first reason that applies, in the page's order."""
    op = case.read.op
    reason = _malformed(case)
    if reason is None and op is not None and op.rid.startswith("srv"):
        return ("late" if _is_overtaken(op, case.visit) else "ok"), None  # brought back; its signature was checked
    if reason is None and op is not None:
        reason = _bad_author(op, case.device.owner) or _unheard(op, case) or _out_of_place(op, case)
    if reason == "late":
        return "late", None
    return ("quarantined", reason) if reason else ("ok", _flag(op, case))


def _is_overtaken(op: Op, visit: VisitFacts | None) -> bool:
    """Whether the server, restored from a backup, has decided since what this op of an earlier epoch decides."""
    if visit is None:
        return False
    if op.kind == "accept_final":
        return visit.state != "open" or op.val["round"] != visit.round
    if op.kind == "reopen":
        return int(op.val["round"]) <= visit.round
    return op.kind == "void" and visit.state != "open"


def _malformed(case: Case) -> str | None:
    read, op = case.read, case.read.op
    if read.fault is not None:
        return fault_of(read, case.points if case.visit else _Anything())
    if op is not None and op.kind == "set" and op.path[0] == "answer" and case.visit and op.path[1] not in case.points:
        return "bad_path"
    return None


def _bad_author(op: Op, owner: str) -> str | None:
    """Everybody acts for himself; only a signature may be another's, drawn on the owner's phone (`via`)."""
    if op.kind == "sign":
        signer = op.path[1]
        others = signer in PEOPLE or signer.startswith("expert:")
        own = op.author == owner and op.via is None
        borrowed = op.via == owner and op.author != owner
        fits = own if others else (own or borrowed) and signer == op.author
        return None if fits else "bad_author"
    if op.author != owner or op.via is not None:
        return "bad_author"
    speaks_for_another = op.kind == "confirm" and op.path[1] != owner
    if op.kind == "set" and op.path[0] == "visit" and op.path[1].startswith("no_interest:"):
        speaks_for_another = op.path[1] != f"no_interest:{owner}"
    return "bad_author" if speaks_for_another else None


def _unheard(op: Op, case: Case) -> str | None:
    """Reasons of the person: his phone was revoked, he isn't in the crew, or he declared an interest himself."""
    if case.device.revoked:
        return "device_revoked"
    if case.visit is None or case.set_aside:
        return case.set_aside or "not_member"
    standing = case.visit.standing
    for officer in dict.fromkeys((op.author, case.device.owner)):
        last = role_of(standing.crew, officer)
        if last is None:
            return "not_member"
        if last.role == "removed":
            return "not_member" if op.ctx.get(last.rid, 0) >= last.seq else "reassigned"
    for interest in standing.interests:
        if interest.officer == op.author and op.ctx.get(interest.rid, 0) >= interest.seq:
            return "recused"
    return None


def _out_of_place(op: Op, case: Case) -> str | None:
    """Reasons of the visit: it is over, another checklist is in use, a certificate ran out, or the leader decides."""
    visit = case.visit
    if visit is None:
        return None
    if visit.state != "open":
        return "void_visit" if visit.state == "void" else "late"
    if op.tpl != visit.tpl:
        return "template_mismatch"
    if case.certificates.get(op.author, "9999") < visit.window_from:
        return "no_licence_at_time"
    if not is_leaders_own(op):
        return None
    if leader_of(visit.standing.crew) == op.author:
        return None
    at_that_time = role_of(visit.standing.crew, op.author, op.ctx)
    return "reassigned" if at_that_time is not None and at_that_time.role == "leader" else "not_leader"


def is_leaders_own(op: Op) -> bool:
    """Whether only the leader's word counts here: the result, the sharing out of sections, the proposal of final."""
    if op.kind == "propose_final":
        return True
    if op.kind != "set" or op.path[0] != "visit":
        return False
    return op.path[1] in ("result", "result_note") or op.path[1].startswith(LEADERS_OWN)


def _flag(op: Op | None, case: Case) -> str | None:
    """What is noted beside an op that has effect: clocks decide nothing, but a clock from the future is told."""
    if op is None or case.visit is None:
        return None
    if datetime.fromisoformat(op.at) > case.received + CLOCK_LEEWAY:
        return "clock_ahead"
    if case.visit.window_from <= case.certificates.get(op.author, "9999") <= case.visit.window_to:
        return "licence_expiring"
    return None


class _Anything:
    """Takes every point: where the visit doesn't exist for the caller, its checklist must not tell that it does."""

    def __contains__(self, point: object) -> bool:
        return True
