"""Inspections outside the random draw: why each was held, as article 2 lets it be (R2.2)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final, Literal

import msgspec

from server.domain.entry import Entry
from server.domain.faults import Fault

Kind = Literal["special_requirement", "lead", "case", "incident", "other"]
State = Literal["recorded", "awaiting", "approved", "refused", "withdrawn"]

GROUNDS: Final[Mapping[str, tuple[str, ...]]] = {
    "special_requirement": ("state_council", "ministry", "province"),
    "lead": ("complaint", "monitoring", "in_duty"),
    "case": ("transferred", "assigned", "supervised"),
    "incident": (),
    "other": (),
}
"""Kind -> what must be said with it: who issued the requirement, how the lead came, how the case came."""

KINDS: Final = tuple(GROUNDS)
HELD: Final = ("recorded", "approved")
"""The states in which an inspection stands in its subject's year."""

ARTICLE: Final = "2"
TEXT_MOST: Final = 500


class NonRandom(msgspec.Struct, frozen=True):
    """One inspection that is not random.

    `document` is the number of the requirement; `text` the suspected violation of a lead, or the why of `other`, which
    waits for the unit head.
    """

    id: str
    unit_id: str
    subject_id: str
    held_on: str
    items: tuple[str, ...]
    kind: Kind
    ground: str
    document: str
    text: str
    state: State
    entered_by: str
    entered_at: str
    decided_by: str | None = None
    decided_at: str | None = None
    reason: str | None = None


class Recorded(msgspec.Struct, frozen=True):
    """What was entered, checked: the subject is still named by its code."""

    code: str
    held_on: str
    items: tuple[str, ...]
    kind: Kind
    ground: str
    document: str
    text: str

    @property
    def state(self) -> State:
        """`other` waits for the unit head's approval, the rest stands as soon as it is recorded."""
        return "awaiting" if self.kind == "other" else "recorded"


def check_non_random(
    values: Mapping[str, str], items: Sequence[str], known_items: Collection[str], today: date
) -> tuple[Recorded | None, list[Fault]]:
    """What was entered about an inspection, or every fault at once."""
    entry = Entry(values)
    code, held_on = entry.line("code"), entry.day("held_on")
    if held_on is not None and held_on > today.isoformat() and entry.is_good:
        entry.wrong("held_on", "in_the_future", day=held_on)
    if not set(items) <= set(known_items):
        entry.wrong("items", "unknown_item")
    kind = entry.choice("kind", KINDS)
    ground, document, text = _reason(entry, kind)
    if not entry.is_good or held_on is None:
        return None, entry.faults
    recorded = Recorded(code, held_on, tuple(items), kind, ground, document, text)  # type: ignore[arg-type]  # of KINDS
    return recorded, entry.faults


def _reason(entry: Entry, kind: str) -> tuple[str, str, str]:
    """What the kind asks for: a ground of its own, a document's number, a text."""
    grounds = GROUNDS.get(kind, ())
    ground = entry.choice("ground", grounds) if grounds else ""
    document = entry.line("document", required=kind == "special_requirement")
    text = entry.text("text", most=TEXT_MOST, required=kind in ("lead", "other"))
    return ground, document, text
