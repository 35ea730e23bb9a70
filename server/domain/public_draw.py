"""A draw as everybody may read it: closed types, and what an opened file says of its list, places and tickets."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from server.domain.draw import WHOLE, ticket_of

OTHER_CASE: Final = "UNDER_OTHER_CASE"
"""The exclusion whose share is watched: only it rests on somebody's judgement."""


class PublicSource(msgspec.Struct, frozen=True):
    """A number from outside that was announced, and what it brought once it was there."""

    id: str
    kind: str
    bits: int
    what: str
    due: str
    value: str | None = None
    at: str | None = None
    by: str | None = None
    evidence: str | None = None
    link: str | None = None


class PublicFile(msgspec.Struct, frozen=True):
    """A version of a draw's file: its digest always, where it lies once it is open."""

    version: int
    why: str
    at: str
    sha256: str
    href: str | None


class PublicVoid(msgspec.Struct, frozen=True):
    """Why an attempt doesn't count, and who said so."""

    reason: str
    by: str
    at: str


class PublicAttempt(msgspec.Struct, frozen=True):
    """One attempt of a draw; nothing in it says who was drawn, or lets anybody compute it, before the file is open."""

    id: str
    attempt: int
    state: str
    prev: str
    commit: str
    committed_at: str
    sources: tuple[PublicSource, ...]
    files: tuple[PublicFile, ...]
    is_open: bool
    drawn_at: str | None = None
    drawn: int | None = None
    seed_digest: str | None = None
    void: PublicVoid | None = None
    merged: int = 0
    direct: int = 0
    replaced: int = 0
    excused: int = 0
    withdrawn: int = 0

    @property
    def newest(self) -> PublicFile | None:
        """The file as it stands."""
        return self.files[-1] if self.files else None


class PublicDraw(msgspec.Struct, frozen=True):
    """A draw with all its attempts, the last one first; `crews` are the draws of officers for the same task."""

    no: str
    task_no: str
    task: str
    unit: str
    window_to: str
    attempts: tuple[PublicAttempt, ...]
    crews: tuple[PublicAttempt, ...] = ()

    @property
    def last(self) -> PublicAttempt:
        """The attempt that counts, or was the last to be voided."""
        return self.attempts[0]


class PublicJoint(msgspec.Struct, frozen=True):
    """A joint task in which another office drew: who led, by which list, and the draws of our officers (R13.1)."""

    no: str
    task_no: str
    task: str
    unit: str
    window_to: str
    lead: str
    document: str
    drawn_on: str
    sha256: str
    n: int
    dispatched_at: str
    is_open: bool
    href: str | None
    crews: tuple[PublicAttempt, ...]
    merged: int
    direct: int
    replaced: int
    withdrawn: int
    excused: int = 0


class Rates(msgspec.Struct, frozen=True):
    """How often a unit went another way than the lot's, and of how many."""

    unit: str
    draws: int = 0
    voids: int = 0
    places: int = 0
    replaced: int = 0
    direct: int = 0
    merged: int = 0
    rows: int = 0
    other_case: int = 0
    undispatched: int = 0


class Places(msgspec.Struct, frozen=True):
    """How many places a stratum has, and by which arithmetic: `bp` of 10,000, else by weight.

    By weight nobody knows `q` before the draw.
    """

    stratum: str
    n: int
    q: int | None
    bp: int | None = None
    weight: int | None = None


class Opened(msgspec.Struct, frozen=True):
    """What a file says, counted: its list, exclusions by reason, places by stratum, who was drawn and excused."""

    rows: int
    candidates: int
    excluded: tuple[tuple[str, int], ...]
    base: int | None
    places: tuple[Places, ...]
    winners: tuple[tuple[str, str], ...]
    excused: tuple[dict[str, Any], ...]
    total: int | None

    @property
    def other_case(self) -> int:
        """How many are left out because another case is open."""
        return dict(self.excluded).get(OTHER_CASE, 0)

    @property
    def drawn(self) -> int:
        """How many were drawn."""
        return sum(one.q or 0 for one in self.places) or len(self.winners)

    @property
    def planned(self) -> int | None:
        """How many are to be drawn."""
        return self.total if self.total is not None else self.drawn


class Ticket(msgspec.Struct, frozen=True):
    """Where a code stands in a draw: `drawn`, `moved_up`, `excused`, `not_drawn`, `excluded` or `absent`."""

    code: str
    place: str
    stratum: str = ""
    reason: str = ""
    ticket: str = ""
    rank: int = 0
    cut: int = 0
    n: int = 0
    last: str = ""
    command: str = ""


def short_code(digest: str) -> str:
    """The first sixteen characters of a digest, in fours: what people write down and compare."""
    head = digest[:16].upper()
    return "-".join(head[at : at + 4] for at in range(0, len(head), 4))


def rows_of(frame: str) -> list[list[str]]:
    """Code, stratum, E or X, and reason of each line."""
    return [line.split("\t") for line in frame.splitlines()]


def opened(document: Mapping[str, Any]) -> Opened:
    """What stands in a file of ours; in a joint task without a draw of our own only the lead's list."""
    joint = document.get("joint") or {}
    rows = rows_of(document["frame"] or "")
    rules = json.loads(document["rules"] or "{}")
    classes = Counter(row[1] for row in rows if row[2] == "E")
    reasons = Counter(row[3] for row in rows if row[2] == "X")
    winners = [(code, name) for name, codes in sorted(document["winners"].items()) for code in codes]
    return Opened(
        rows=len(rows),
        candidates=sum(classes.values()),
        excluded=tuple(reasons.most_common()),
        base=rules.get("base"),
        places=tuple(_places(name, classes[name], document["quotas"], rules) for name in sorted(classes)),
        winners=tuple(winners or [(code, "") for code in joint.get("codes", ())]),
        excused=tuple(document["excused"]),
        total=rules.get("n"),
    )


def _places(name: str, n: int, quotas: Mapping[str, int], rules: Mapping[str, Any]) -> Places:
    bp, weight = rules.get("ratio_bp", {}).get(name), rules.get("weights", {}).get(name)
    by_ratio = None if bp is None else min(n, -(-n * bp // WHOLE))
    return Places(name, n, quotas.get(name, by_ratio), bp, weight)


def is_exact(n: int, bp: int) -> bool:
    """Whether a share of so many is a whole number, so that nothing was rounded up."""
    return n * bp % WHOLE == 0


def looked_up(document: Mapping[str, Any], code: str) -> Ticket:
    """Where a code stands, with the line that its holder can check; `code` in its normal form."""
    rows = rows_of(document["frame"] or "")
    mine = next((row for row in rows if row[0] == code), None)
    if mine is None:
        return Ticket(code, "absent")
    if mine[2] == "X":
        return Ticket(code, "excluded", reason=mine[3])
    return _ranked(document, code, mine[1], [row[0] for row in rows if row[2] == "E" and row[1] == mine[1]])


def _ranked(document: Mapping[str, Any], code: str, stratum: str, codes: Sequence[str]) -> Ticket:
    seed, q = document["seed"], document["quotas"].get(stratum, 0)
    if seed is None:
        return Ticket(code, "not_drawn", stratum, n=len(codes))
    order = sorted((ticket_of(seed, one), one) for one in codes)
    ticket = ticket_of(seed, code)
    excused = {one["code"]: one["next"] for one in document["excused"]}
    return Ticket(
        code,
        _place(code, document["winners"].get(stratum, ()), excused),
        stratum,
        ticket=ticket,
        rank=order.index((ticket, code)) + 1,
        cut=q,
        n=len(codes),
        last=order[q - 1][0] if q else "",
        command=f"printf %s '{seed}|S|{code}' | sha256sum",
    )


def _place(code: str, winners: Sequence[str], excused: Mapping[str, str | None]) -> str:
    if code in excused:
        return "excused"
    if code in excused.values():
        return "moved_up"
    return "drawn" if code in winners else "not_drawn"
