"""How the values of items are said: the words of the system's own codes, and what people wrote as they wrote it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from server.words import Words

_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "category": ("category",),
    "sector": ("sector",),
    "judged": ("judged",),
    "scope": ("trait", "kind", "scope"),
    "applies": ("trait",),
    "major": ("answer",),
}
"""Field of an item or point -> the families of words that its codes belong to."""


def said_of(w: Words, units: Mapping[str, str]) -> Callable[[str, str], str]:
    """A function of field and value: `said("sector", "other")` is 其他."""

    def said(field: str, value: str) -> str:
        if field == "unit_id":
            return units.get(value, value)
        if field == "ratio":
            return f"{value}%" if value else ""
        for family in _KEYS.get(field, ()):
            word = w.known(f"{family}.{value}", "")
            if word:
                return word
        return value

    return said
