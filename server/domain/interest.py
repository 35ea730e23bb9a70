"""The register of interests: who must not inspect whom (R20.2)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Final

import msgspec

from server.domain.entry import Entry
from server.domain.faults import Fault
from server.domain.officer import period, said

KINDS: Final = {
    "kinship": "亲属关系",
    "former_employer": "曾任职",
    "shareholding": "持股或其他经济利益",
    "other": "其他",
}
SOURCES: Final = {"declared": "本人申报", "found": "核查发现", "reported": "他人反映"}


class Interest(msgspec.Struct, frozen=True):
    """An officer's interest in a subject, from `since` to `until` or until further notice."""

    id: str
    officer_id: str
    subject_id: str
    kind: str
    source: str
    since: str
    until: str | None
    note: str = ""

    def holds(self, day_from: str, day_to: str) -> bool:
        """Whether it holds on any of these days."""
        return self.since <= day_to and (self.until is None or day_from <= self.until)


class InterestEntry(msgspec.Struct, frozen=True):
    """What was entered about an interest."""

    officer_id: str
    subject_id: str
    kind: str
    source: str
    since: str
    until: str | None
    note: str


def check_interest(
    values: Mapping[str, str], officers: Collection[str], subjects: Mapping[str, str]
) -> tuple[InterestEntry | None, list[Fault]]:
    """An interest as entered, of one of `officers`; `subjects` is the code of a subject -> its id."""
    entry = Entry(values)
    officer = entry.choice("officer_id", officers)
    code = entry.code("subject", lambda at, code: [] if code in subjects else [Fault(at, "no_subject")])
    kind, source = entry.choice("kind", KINDS), entry.choice("source", SOURCES)
    since, until = period(entry, "since", "until", open_ended=True)
    note = said(entry, "note", entry.text("note", most=500, required=kind == "other"))
    if not entry.is_good or since is None:
        return None, entry.faults
    return InterestEntry(officer, subjects[code], kind, source, since, until, note), entry.faults


def barred_pairs(interests: Iterable[Interest], day_from: date, day_to: date) -> frozenset[tuple[str, str]]:
    """The pairs of officer and subject that a draw for these days leaves out."""
    first, last = day_from.isoformat(), day_to.isoformat()
    return frozenset((one.officer_id, one.subject_id) for one in interests if one.holds(first, last))
