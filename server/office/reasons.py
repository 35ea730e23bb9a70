"""Reasons that many may read: nobody's phone or ID number stands in them."""

from __future__ import annotations

from server.domain.faults import Invalid, number_faults
from server.office.plans import reason_of


def public_reason(text: str, article: str | None = None) -> str:
    """A reason as `reason_of` takes it, without anybody's number; refused names the field `reason`."""
    said = reason_of(text)
    faults = number_faults("reason", said)
    if faults:
        raise Invalid(faults, article)
    return said
