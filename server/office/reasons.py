"""Reasons that many may read: nobody's phone or ID number stands in them."""

from __future__ import annotations

from server.domain.entry import Entry
from server.domain.faults import Invalid, number_faults
from server.office.plans import reason_of


def public_reason(text: str, article: str | None = None) -> str:
    """A reason as `reason_of` takes it, without anybody's number; refused names the field `reason`."""
    said = reason_of(text)
    faults = number_faults("reason", said)
    if faults:
        raise Invalid(faults, article)
    return said


def said_reason(
    text: str, field: str = "reason", *, required: bool = True, most: int = 500, article: str | None = None
) -> str:
    """A reason or an answer as it is kept: clean, of 500 signs at most, without anybody's number."""
    entry = Entry({field: text})
    kept = entry.text(field, most=most, required=required)
    entry.faults += number_faults(field, kept)
    if not entry.is_good:
        raise Invalid(entry.faults, article)
    return kept
