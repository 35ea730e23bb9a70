"""What is shown of a phone or an ID number to those who may not read it."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from server.domain.faults import Fault

_NUMBER: Final = re.compile(r"(?<![0-9])(?:1[3-9][0-9]{9}|[0-9]{17}[0-9X])(?![0-9])")


def mask_phone(text: str) -> str:
    """A phone with its middle hidden: `138****5678`; of a short one only the last two characters are shown."""
    if len(text) >= 8:
        return f"{text[:3]}****{text[-4:]}"
    return "" if text == "" else f"****{text[-2:] if len(text) > 4 else ''}"


def mask_id(text: str) -> str:
    """An ID number of which only the first and the last character are shown."""
    return f"{text[0]}{'*' * 16}{text[-1]}" if len(text) > 2 else "*" * len(text)


def number_faults(field: str, text: str) -> list[Fault]:
    """Whether a text that is kept in clear holds somebody's mobile or ID number, which belong into their own fields."""
    plain = "".join(unicodedata.normalize("NFKC", text).upper().split()).replace("-", "")
    return [Fault(field, "number_in_text")] if _NUMBER.search(plain) else []
