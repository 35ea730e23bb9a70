"""A subject that is left out of draws by a document: another level supervises it, or another case is open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, Literal

import msgspec

from server.domain.entry import Entry
from server.domain.faults import Fault
from server.domain.text import TEXT_MOST

KINDS: Final = ("NO_AUTHORITY", "UNDER_OTHER_CASE")
ARTICLE: Final = "16"
FIELDS: Final = ("code", "kind", "document", "reason", "since", "until")

State = Literal["asked", "approved", "refused"]


class Entered(msgspec.Struct, frozen=True):
    """What a clerk asks; it lapses by itself after `until`."""

    kind: str
    document: str
    reason: str
    since: str
    until: str


class Exclusion(msgspec.Struct, frozen=True):
    """A request to leave a subject of a unit's library out, and what the unit head said."""

    id: str
    unit_id: str
    subject_id: str
    kind: str
    document: str
    reason: str
    since: str
    until: str
    state: State
    entered_by: str
    entered_at: str
    decided_by: str | None = None
    decided_at: str | None = None
    answer: str | None = None

    def holds_on(self, day: str) -> bool:
        """Whether a draw of that day leaves the subject out; its first and last day are of them."""
        return self.state == "approved" and self.since <= day <= self.until


def check_exclusion(values: Mapping[str, str], today: date) -> tuple[Entered | None, list[Fault]]:
    """A request from a form, with everything that is wrong; None where anything stops it."""
    entry = Entry(values)
    entry.line("code")
    kind = entry.choice("kind", KINDS)
    document = entry.line("document")
    reason = entry.text("reason", most=TEXT_MOST)
    since, until = entry.day("since"), entry.day("until")
    if entry.is_good and str(until) < max(str(since), today.isoformat()):
        entry.wrong("until", "flag_ends_before", since=max(str(since), today.isoformat()))
    if not entry.is_good:
        return None, entry.faults
    return Entered(kind, document, reason, str(since), str(until)), entry.faults
