"""What is shown of a phone or an ID number to those who may not read it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_NUMBER: Final = re.compile(r"(?<![0-9])(?:1[3-9][0-9]{9}|[0-9]{17}[0-9Xx])(?![0-9])")
"""A mobile or an ID number inside of a text."""


def mask_phone(text: str) -> str:
    """A phone with its middle hidden: `138****5678`; of a short one only the last two characters are shown."""
    if len(text) >= 8:
        return f"{text[:3]}****{text[-4:]}"
    return "" if text == "" else f"****{text[-2:] if len(text) > 4 else ''}"


def mask_id(text: str) -> str:
    """An ID number of which only the first and the last character are shown."""
    return f"{text[0]}{'*' * 16}{text[-1]}" if len(text) > 2 else "*" * len(text)


def holds_number(text: str) -> bool:
    """Whether a text holds somebody's mobile or ID number, also full-width or with blanks and hyphens in it."""
    plain = "".join(unicodedata.normalize("NFKC", text).split()).replace("-", "")
    return _NUMBER.search(plain) is not None


def hide_numbers(text: str) -> str:
    """A text with masks for the mobiles and ID numbers in it; nothing of it where one is spread out and still there."""
    shown = _NUMBER.sub(lambda found: mask_phone(found[0]) if len(found[0]) == 11 else mask_id(found[0]), text)
    return "…" if holds_number(shown) else shown
