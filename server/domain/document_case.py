"""The case that a document is made from: the record's view with the names around it, and how its values are said."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from server.domain.document_text import METHODS
from server.domain.instant import BEIJING


class Mark(msgspec.Struct, frozen=True):
    """A signature that counts: who signed as what, the picture of it, or the reason why it was refused."""

    signer: str
    role: str
    name: str
    image: str | None
    refused: str | None
    at: str


class Who(msgspec.Struct, frozen=True):
    """Somebody of the crew."""

    id: str
    name: str
    certificate: str


class Seal(msgspec.Struct, frozen=True):
    """The newest checkpoint of the public log: how many entries it covers, and the root over them in hex."""

    size: int
    root: str


class Case(msgspec.Struct, frozen=True):
    """What is known of a visit when a document of it is made; `points` are the numbers that people know points by."""

    org: str
    unit: str
    visit_id: str
    subject: str
    code: str
    address: str
    at: tuple[int | None, int | None]
    tasks: Sequence[str]
    items: Sequence[tuple[str, str]]
    points: Mapping[str, str]
    crew: Sequence[Who]
    marks: Sequence[Mark]
    rows: Sequence[str]
    view: Mapping[str, Any]
    ended_on: str
    today: str
    seal: Seal | None = None

    @property
    def fields(self) -> Mapping[str, Any]:
        """What the record says of the visit as a whole."""
        return dict(self.view["content"]["visit"])

    @property
    def findings(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The live findings in the order in which they were recorded."""
        kept = self.view["content"]["finding"]
        known = [row for row in self.rows if row in kept]
        return [(row, kept[row]) for row in (*known, *sorted(kept.keys() - set(known)))]

    @property
    def verdicts(self) -> dict[str, int]:
        """How many points passed, failed, or don't apply."""
        given = [answer.get("verdict") for answer in self.view["content"]["answer"].values()]
        return {verdict: given.count(verdict) for verdict in ("pass", "fail", "na")}

    def photos_of(self, row: str) -> int:
        """How many pieces of evidence stand behind a finding."""
        return sum(one.get("for") == f"finding:{row}" for one in self.view["content"]["media"].values())

    def mark_of(self, *roles: str) -> Mark | None:
        """The signature of the first signer in one of these roles."""
        return next((one for one in self.marks if one.role in roles), None)


# --- values in words --------------------------------------------------------------------------------------------------


def text_of(value: object) -> str:
    """A text as it was entered; anything else, which only forged histories have, is nothing."""
    return value.strip() if isinstance(value, str) else ""


def part_of(value: object, name: str) -> object:
    """One part of an object; None where there is none."""
    return value.get(name) if isinstance(value, Mapping) else None


def list_of(value: object) -> list[Any]:
    """The parts of a list; nothing where it is none."""
    return list(value) if isinstance(value, list | tuple) else []


def day_said(value: object) -> str:
    """A day as documents write it: 2026年12月8日."""
    try:
        day = date.fromisoformat(text_of(value)[:10])
    except ValueError:
        return text_of(value)
    return f"{day.year}年{day.month}月{day.day}日"


def moment_said(value: object) -> str:
    """A moment as documents write it, in Beijing time: 2026年11月24日14时03分."""
    try:
        moment = datetime.fromisoformat(text_of(value))
    except ValueError:
        return text_of(value)
    there = moment.astimezone(BEIJING) if moment.tzinfo else moment
    return f"{there.year}年{there.month}月{there.day}日{there.hour:02d}时{there.minute:02d}分"


def listed(values: object, words: Mapping[str, str]) -> str:
    """Several words of the system, each as people read it."""
    return "、".join(words.get(one, one) for one in list_of(values) if isinstance(one, str))


def methods_said(values: object) -> str:
    """The methods of a visit."""
    return listed(values, METHODS)


def distance(here: tuple[int | None, int | None], geo: object) -> int | None:
    """Metres between the registered address and where somebody stood; None where either isn't known."""
    lat, lon = part_of(geo, "lat_e7"), part_of(geo, "lon_e7")
    if here[0] is None or here[1] is None or not isinstance(lat, int) or not isinstance(lon, int):
        return None
    a, b = math.radians(here[0] / 1e7), math.radians(lat / 1e7)
    step = math.radians((lon - here[1]) / 1e7)
    bow = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(step / 2) ** 2
    return round(2 * 6_371_000 * math.asin(min(1.0, math.sqrt(bow))))
