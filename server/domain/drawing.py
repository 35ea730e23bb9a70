"""One attempt of a draw, from its commitment to its lock: each step makes a new one, or refuses with a Problem."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec

from server.domain.draw import (
    BadFrame,
    candidates,
    canonical,
    commit_of,
    digest,
    draw,
    parse_frame,
    quotas,
    seed_of,
    sizes,
)
from server.domain.draw_sources import Source, check_contribution, must_be_enough, must_be_in_time
from server.domain.instant import stamp
from server.errors import Problem

STATES: Final = ("committed", "contributed", "drawn", "locked", "dispatched", "void")
OPEN: Final = ("committed", "contributed", "drawn")
"""Where an attempt counts as a reservation of every candidate of its list."""

FLOOR_GROUNDS: Final = ("campaign", "joint", "override", "statutory")
_SHARE: Final = 20  # article 6: at least 5 %, as 20 * drawn >= base


class Contribution(msgspec.Struct, frozen=True):
    """What a source brought, when and by whom; the evidence is a file (its SHA-256), a link, or both."""

    k: str
    v: str
    at: str
    by: str
    evidence: str | None
    link: str | None
    entered_by: str
    entered_at: str
    evidence_name: str | None = None
    evidence_mime: str | None = None


class Excused(msgspec.Struct, frozen=True):
    """A drawn subject that turned out dead, and who moved up; None where the reserve is used up."""

    code: str
    reason: str
    next: str | None


class Void(msgspec.Struct, frozen=True):
    """Why an attempt doesn't count, and who said so."""

    reason: str
    by: str
    at: str


class Drawing(msgspec.Struct, frozen=True):
    """One attempt. `secret` is empty until it is drawn or void; `winners` are as drawn and never change afterwards."""

    no: str
    attempt: int
    state: str
    prev: str
    frame_digest: str
    rules: str
    rules_digest: str
    sources: tuple[Source, ...]
    commit: str
    committed_at: str
    committed_by: str
    contributions: tuple[Contribution, ...] = ()
    secret: str | None = None
    seed: str | None = None
    drawn_at: str | None = None
    drawn_by: str | None = None
    quotas: dict[str, int] = {}
    winners: dict[str, list[str]] = {}
    reserve: dict[str, list[str]] = {}
    excused: tuple[Excused, ...] = ()
    locked_at: str | None = None
    locked_by: str | None = None
    void: Void | None = None

    @property
    def waits_for(self) -> Source | None:
        """The next source that is to be entered."""
        done = len(self.contributions)
        return self.sources[done] if done < len(self.sources) else None

    @property
    def effective(self) -> list[str]:
        """Who is to be inspected: the winners in order, without those excused, with those who moved up."""
        gone = {one.code for one in self.excused}
        drawn = [code for name in sorted(self.winners) for code in self.winners[name]]
        moved = [one.next for one in self.excused if one.next is not None]
        return [code for code in drawn + moved if code not in gone]


D = TypeVar("D", bound=Drawing)


def commit(
    no: str,
    before: Drawing | None,
    prev: str,
    frame: str,
    rules: Mapping[str, Any],
    sources: Sequence[Source],
    secret: str,
    by: str,
    now: datetime,
) -> Drawing:
    """Freezes list, rules and secret. `before` is the attempt before: it must be void, there is no other redraw."""
    if before is not None and before.state != "void":
        raise Problem("draw_stands", no=no)
    must_be_enough(sources, now)
    text = canonical({**rules, "sources": [one.id for one in sources]})
    must_be_drawable(frame, json.loads(text))
    frame_digest, rules_digest = digest(frame), digest(text)
    return Drawing(
        no=no,
        attempt=1 if before is None else before.attempt + 1,
        state="committed",
        prev=prev,
        frame_digest=frame_digest,
        rules=text,
        rules_digest=rules_digest,
        sources=tuple(sources),
        commit=commit_of(prev, frame_digest, rules_digest, secret),
        committed_at=stamp(now),
        committed_by=by,
    )


def must_be_drawable(frame: str, rules: Mapping[str, Any]) -> None:
    """The list is in form, each class has a ratio or weight, and the number reaches the floor of article 6."""
    try:
        counted = sizes(parse_frame(frame))
    except BadFrame as fault:
        raise Problem("draw_frame_wrong", why=str(fault)) from None
    if not counted:
        raise Problem("draw_nobody")
    shares = rules["ratio_bp"] if rules["mode"] == "ratio" else rules["weights"]
    for name in sorted(counted):
        if name not in shares:
            raise Problem("draw_class_missing", name=name)
    n = number_of(counted, rules)
    if not 0 < n <= sum(counted.values()):
        raise Problem("draw_number_wrong", n=n, candidates=sum(counted.values()))
    if "floor" not in rules and _SHARE * n < rules.get("base", 0):
        raise Problem("draw_below_floor", n=n, floor=-(-rules["base"] // _SHARE))


def number_of(counted: Mapping[str, int], rules: Mapping[str, Any]) -> int:
    """How many will be drawn: it is known before the seed, only the places of the classes aren't."""
    return int(rules["n"]) if rules["mode"] == "total" else sum(quotas(counted, rules, "").values())


def contribute(
    drawing: D,
    k: str,
    value: str,
    at: datetime,
    by: str,
    evidence: str | None,
    link: str | None,
    entered_by: str,
    now: datetime,
    file: tuple[str, str] | None = None,
) -> D:
    """Enters what a source brought: in the order of the sources, once, with evidence, and not before the commitment."""
    _must_be(drawing, "committed")
    if any(one.k == k for one in drawing.contributions):
        raise Problem("draw_given", id=k)
    source = drawing.waits_for
    if source is None or source.id != k:
        raise Problem("draw_order", id=k, wanted="—" if source is None else source.id)
    must_be_in_time(source, at, drawing.committed_at, now)
    if not (evidence or link):
        raise Problem("draw_evidence_missing")
    if not by.strip():
        raise Problem("draw_witness_missing")
    name, mime = file or (None, None)
    given = Contribution(
        k, check_contribution(source, value), stamp(at), by.strip(), evidence, link, entered_by, stamp(now), name, mime
    )
    contributions = (*drawing.contributions, given)
    is_whole = len(contributions) == len(drawing.sources)
    return msgspec.structs.replace(
        drawing, contributions=contributions, state="contributed" if is_whole else drawing.state
    )


def run(drawing: D, frame: str, secret: str, by: str, now: datetime) -> D:
    """Draws: seed, places and winners follow from what was committed and contributed, nobody chooses anything."""
    if drawing.state == "committed":
        source = drawing.waits_for
        raise Problem("draw_waits", id="—" if source is None else source.id)
    _must_be(drawing, "contributed")
    must_open(drawing, frame, secret)
    seed = seed_of(drawing.commit, secret, [(one.k, one.v) for one in drawing.contributions])
    rows = parse_frame(frame)
    places = quotas(sizes(rows), json.loads(drawing.rules), seed)
    won = draw(candidates(rows), places, seed)
    return msgspec.structs.replace(
        drawing,
        state="drawn",
        secret=secret,
        seed=seed,
        drawn_at=stamp(now),
        drawn_by=by,
        quotas=places,
        winners=won.winners,
        reserve=won.reserve,
    )


def must_open(drawing: Drawing, frame: str, secret: str) -> None:
    """List, rules and secret are those that were committed."""
    found = commit_of(drawing.prev, digest(frame), digest(drawing.rules), secret)
    if found != drawing.commit:
        raise Problem("draw_altered", no=drawing.no)


def excuse(drawing: D, code: str, reason: str, *, is_alive: bool) -> D:
    """Takes a dead subject off the list: the next ticket of its class moves up."""
    _must_be(drawing, "drawn")
    if code not in drawing.effective:
        raise Problem("draw_not_on_list", found=code[:20])
    if is_alive:
        raise Problem("draw_alive", found=code)
    next = next_of(drawing, code)
    excused = (*drawing.excused, Excused(code, _said(reason), next))
    return msgspec.structs.replace(drawing, excused=excused)


def next_of(drawing: Drawing, code: str) -> str | None:
    """Who moves up for a subject: the first of the reserve of its class that hasn't moved up yet."""
    used = {one.next for one in drawing.excused}
    for name, reserve in drawing.reserve.items():
        if code in drawing.winners[name] or code in reserve:
            return next((one for one in reserve if one not in used), None)
    return None


def lock(drawing: D, by: str, now: datetime) -> D:
    """Fixes the list: from here on a subject is only withdrawn, visibly (R17.2)."""
    _must_be(drawing, "drawn")
    if not drawing.effective:
        raise Problem("draw_nobody")
    return msgspec.structs.replace(drawing, state="locked", locked_at=stamp(now), locked_by=by)


def dispatch(drawing: D) -> D:
    """The visits are made, in the same transaction as the lock (R17.1)."""
    _must_be(drawing, "locked")
    return msgspec.structs.replace(drawing, state="dispatched")


def void(drawing: D, secret: str, reason: str, by: str, now: datetime) -> D:
    """Ends an attempt that shall not count: it stays in the chain with its reason, and its secret is shown."""
    if drawing.state == "void":
        raise Problem("draw_void", no=drawing.no, attempt=drawing.attempt)
    if drawing.state not in OPEN:
        raise Problem("draw_locked", no=drawing.no)
    if by == drawing.committed_by:
        raise Problem("draw_own_void")
    return msgspec.structs.replace(drawing, state="void", secret=secret, void=Void(_said(reason), by, stamp(now)))


def _must_be(drawing: Drawing, state: str) -> None:
    """Refuses what doesn't fit where the attempt stands, with the sentence for where it does stand."""
    if drawing.state == state:
        return
    if drawing.state == "void":
        raise Problem("draw_void", no=drawing.no, attempt=drawing.attempt)
    if drawing.state in ("locked", "dispatched"):
        raise Problem("draw_locked", no=drawing.no)
    raise Problem("draw_drawn" if drawing.state == "drawn" else "draw_state", no=drawing.no)


def _said(reason: str) -> str:
    if not reason.strip():
        raise Problem("reason_missing")
    return reason.strip()[:500]
