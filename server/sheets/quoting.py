"""Texts that a spreadsheet would take for a formula get an apostrophe on their way out, and lose it on their way in."""

from __future__ import annotations

import re
from typing import Final

_HOT: Final = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_DANGEROUS: Final = re.compile(rf"'*(?:[\t\r\n]|\s*[{_HOT}])")
_QUOTED: Final = re.compile(rf"'+(?:[\t\r\n]|\s*[{_HOT}])")


def is_dangerous(text: str) -> bool:
    """Whether a spreadsheet might reckon with it."""
    return _DANGEROUS.match(text) is not None


def quoted(text: str) -> str:
    """A text that a spreadsheet shows and doesn't reckon with: `=1+1` becomes `'=1+1`."""
    return f"'{text}" if _DANGEROUS.match(text) else text


def unquoted(text: str) -> str:
    """What `quoted` made of it taken back."""
    return text[1:] if _QUOTED.match(text) else text
