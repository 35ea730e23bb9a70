"""What people read in the office: messages as data, Chinese first, English second."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final

from server.domain.instant import BEIJING

LANGUAGES: Final = ("zh-CN", "en")


@cache
def messages(language: str) -> Mapping[str, str]:
    """Every message of one language, from a file a room; both languages have the same keys (a test compares them)."""
    found: dict[str, str] = {}
    for path in sorted((Path(__file__).parent / language).glob("*.json")):
        room = json.loads(path.read_text(encoding="utf-8"))
        if not found.keys().isdisjoint(room):
            raise ValueError(f"{path.name} says again what another file says: {sorted(found.keys() & room)}")
        found |= room
    return found


def language_of(accept: str | None, chosen: str | None) -> str:
    """The language to answer in: the one chosen before, else the first of ours that the browser names, else Chinese."""
    if chosen in LANGUAGES:
        return chosen
    for part in (accept or "").split(","):
        tag = part.split(";")[0].strip().lower()
        if tag.startswith("zh"):
            return "zh-CN"
        if tag.startswith("en"):
            return "en"
    return "zh-CN"


class Words:
    """The messages of one language as a function: `w("inbox.count", n=3)`; an unknown key is an error, not a blank."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._messages = messages(language)

    def __call__(self, key: str, **values: object) -> str:
        return self._messages[key].format(**values)

    def known(self, key: str, otherwise: str) -> str:
        """The message of a key that data supplies (a field, a code), or the given text where there is none."""
        return self._messages.get(key, otherwise)

    def moment(self, at: object) -> str:
        """A time as people say it, in Beijing time: 11月24日 16:31; nothing for None, and what is no time as it is."""
        if at is None:
            return ""
        try:
            local = datetime.fromisoformat(str(at)).astimezone(BEIJING)
        except (ValueError, OverflowError):
            return str(at)
        return self("format.moment", month=local.month, day=local.day, clock=f"{local:%H:%M}")

    def clock(self, at: str) -> str:
        """Only the time of day, in Beijing time, with seconds."""
        return f"{datetime.fromisoformat(at).astimezone(BEIJING):%H:%M:%S}"

    def day(self, on: object) -> str:
        """A date as people say it: 12月8日; what is no date as it is."""
        try:
            date = datetime.fromisoformat(str(on)).replace(tzinfo=UTC)
        except ValueError:
            return str(on)
        return self("format.day", year=date.year, month=date.month, day=date.day)
