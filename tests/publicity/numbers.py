"""Phones and ID numbers as anybody would look for them in a text: by form, an ID number by its check digit too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from stdnum.cn import ric

_PHONE: Final = re.compile(r"(?<![0-9A-Za-z.])1[3-9]\d{9}(?![0-9A-Za-z])|(?<![0-9A-Za-z])1400000\d{4}(?![0-9A-Za-z])")
_ID: Final = re.compile(r"(?<![0-9A-Za-z])\d{17}[0-9Xx](?![0-9A-Za-z])")


def numbers_in(text: str) -> Iterator[str]:
    """Every phone, and every number that could be somebody's."""
    yield from _PHONE.findall(text)
    yield from (one for one in _ID.findall(text) if is_id(one.upper()))


def is_id(number: str) -> bool:
    """Whether a number has a real day in its middle and the right digit at its end."""
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    return 1900 <= int(number[6:10]) <= 2100 and str(ric.calc_check_digit(number)) == number[-1]
