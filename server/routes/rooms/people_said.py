"""How the values of officers, experts, agencies, interests and leave are said in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from server.routes.guards import Asked
from server.routes.pages import words_for
from server.words import Words

_DAYS: Final = frozenset(
    {"certificate_from", "certificate_to", "contract_from", "contract_to", "left_on", "since", "until"}
)
_FAMILIES: Final = {"sex": "sex", "domains": "domain"}
"""Field -> the family of words that its codes belong to, as in `domain.hazardous_chemicals`."""


def said_of(request: Asked, units: Mapping[str, str]) -> Callable[[str, Any], str]:
    """A function of field and value: `said("sex", "male")` is 男, `said("left_on", "2026-11-02")` 2026年11月2日."""
    w = words_for(request)

    def said(field: str, value: Any) -> str:
        if value is None or value == "":
            return ""
        if isinstance(value, list | tuple):
            return w("list.comma").join(said(field, one) for one in value)
        if field == "unit_id":
            return units.get(value, value)
        if field in _DAYS:
            return full_day(w, value)
        return w.known(f"officers.{_FAMILIES[field]}.{value}", value) if field in _FAMILIES else str(value)

    return said


def full_day(w: Words, day: str) -> str:
    """A day with its year: 2026年11月24日."""
    on = date.fromisoformat(day)
    return w("officers.day", year=on.year, month=on.month, day=on.day)
