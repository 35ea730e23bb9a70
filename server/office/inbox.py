"""The inbox: received visits with their state, completeness, and what they wait for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from server.store.reviews import Received, Review

FILTERS = ("pending", "all", "conflict", "quarantine", "late", "returned", "approved")
"""The pills above the list, in their order."""


class Row(msgspec.Struct, frozen=True):
    """One visit in the list; `now` is the message key of the one thing that it waits for, with its number."""

    visit: Received
    phase: str
    items: list[str]
    crew: list[str]
    records: int
    media: int
    media_here: int
    result: str | None
    signed: int
    members: int
    conflicts: int
    quarantined: int
    late: int
    review: Review | None
    final_at: str | None
    now: tuple[str, int]
    """`quarantined` and `late` count what nobody has said a word about yet."""


def row_of(
    visit: Received,
    summary: Mapping[str, Any],
    phase: str,
    items: Sequence[str],
    reviews: Sequence[Review],
    unsettled: Sequence[str],
    reviewer: bool,
) -> Row:
    """The row of a visit: `summary` is what the record keeps for it, `reviewer` whether the reader may review it.

    `unsettled` is the standing, `quarantined` or `late`, of each op that came in without effect and waits for a word.
    """
    review = next((word for word in reviews if word.round == visit.round), None)
    counts = {name: int(summary[name]) for name in ("records", "media", "media_here", "conflicts")}
    counts |= {name: unsettled.count(name) for name in ("quarantined", "late")}
    return Row(
        visit=visit,
        phase=phase,
        items=list(items),
        crew=list(summary["crew"]),
        result=summary["result"],
        signed=summary["signed"],
        members=len(summary["crew"]),
        review=review,
        final_at=summary["final_at"],
        now=_now(phase, counts, review, reviewer),
        **counts,
    )


def _now(phase: str, counts: Mapping[str, int], review: Review | None, reviewer: bool) -> tuple[str, int]:
    if review is not None:
        return f"now.{review.state}", 0
    if counts["conflicts"]:
        return "now.conflict", counts["conflicts"]
    if phase != "final":
        return f"phase.{phase}", 0
    for code, key in (("quarantined", "now.quarantine"), ("late", "now.late")):
        if counts[code]:
            return key, counts[code]
    if counts["media_here"] < counts["media"]:
        return "now.media", counts["media"] - counts["media_here"]
    return ("now.ready" if reviewer else "now.ready_other"), 0


def belongs(row: Row, wanted: str) -> bool:
    """Whether a row stands under this filter."""
    match wanted:
        case "pending":
            return row.phase == "final" and row.review is None
        case "conflict":
            return row.conflicts > 0
        case "quarantine":
            return row.quarantined > 0
        case "late":
            return row.late > 0
        case "returned" | "approved":
            return row.review is not None and row.review.state == wanted
        case _:
            return True


def matches(row: Row, text: str) -> bool:
    """Whether the subject's name or credit code contains what was typed."""
    typed = text.strip().casefold()
    return typed in row.visit.subject_name.casefold() or typed in row.visit.subject_uscc.casefold()
