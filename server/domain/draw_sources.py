"""What comes from outside into a seed: which sources there are, how much each can't be guessed, and what it may say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from server.domain.instant import instant, stamp
from server.errors import Problem

KINDS: Final = ("lottery", "beacon", "dice", "digits", "public_digits")
LEAST_BITS: Final = 60
LOTTERY_BITS, BEACON_BITS = 61, 256
PER_HUNDRED: Final = {"dice": 258, "public_digits": 332}
"""Bits of a hundred faces or digits, rounded down: log2 of 6 and of 10."""

MOST_PARTS: Final = 100
"""Faces or digits of one source, at most."""

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9/_.:-]{0,63}", re.ASCII)
_FORMS: Final = {
    "lottery": re.compile(r"\d\d(?: \d\d){19}", re.ASCII),
    "beacon": re.compile(r"[0-9a-f]{64}", re.ASCII),
    "dice": re.compile(r"[1-6](?: [1-6])*", re.ASCII),
    "digits": re.compile(r"\d{1,200}", re.ASCII),
    "public_digits": re.compile(r"\d{1,200}", re.ASCII),
}


class Source(msgspec.Struct, frozen=True):
    """A number that nobody knows yet: `what` names it exactly, `due` is the moment by which it must be there."""

    id: str
    kind: str
    bits: int
    what: str
    due: str


def bits_of(kind: str, n: int = 0) -> int:
    """How many bits a source of a kind counts; `n` is the number of faces or digits where the kind has some."""
    if kind in PER_HUNDRED:
        return n * PER_HUNDRED[kind] // 100
    return {"lottery": LOTTERY_BITS, "beacon": BEACON_BITS, "digits": 0}[kind]


def parts_of(source: Source) -> int:
    """How many faces or digits the bits of a source stand for; 0 where its kind has none."""
    per = PER_HUNDRED.get(source.kind)
    return 0 if per is None else -(-source.bits * 100 // per)


def is_honest(source: Source) -> bool:
    """Whether a source claims the bits that its kind has."""
    return source.kind in KINDS and source.bits == bits_of(source.kind, parts_of(source))


def must_be_enough(sources: Sequence[Source], now: datetime) -> None:
    """Sources are named apart, each lies in the future, and together they can't be guessed (draw page, 2.3)."""
    ids = [one.id for one in sources]
    for one in sources:
        if _ID.fullmatch(one.id) is None or not one.what.strip() or not is_honest(one):
            raise Problem("draw_source_wrong", id=one.id or "—")
        if one.due <= stamp(now):
            raise Problem("draw_source_past", id=one.id, due=one.due)
    if len(set(ids)) != len(ids):
        raise Problem("draw_source_wrong", id=next(id for id in ids if ids.count(id) > 1))
    if sum(one.bits for one in sources) < LEAST_BITS:
        raise Problem("draw_sources_weak", bits=sum(one.bits for one in sources), least=LEAST_BITS)


def normal_value(value: str) -> str:
    """A value as it is hashed: full-width made plain, blanks one space."""
    return " ".join(unicodedata.normalize("NFKC", value).split())


def check_contribution(source: Source, value: str) -> str:
    """The value of a source in its normal form; a `draw_value_wrong` where the source can't have brought it."""
    normal = normal_value(value)
    if source.kind == "beacon":
        normal = normal.lower()
    if not is_value(source, normal):
        raise Problem("draw_value_wrong", id=source.id)
    return normal


def is_value(source: Source, value: str) -> bool:
    """Whether a value in its normal form is one that the source can bring, and as long as its bits claim."""
    form = _FORMS.get(source.kind)
    if form is None or form.fullmatch(value) is None:
        return False
    if source.kind == "lottery":
        numbers = value.split(" ")
        return numbers == sorted(set(numbers)) and numbers[0] >= "01" and numbers[-1] <= "80"
    return len(value.replace(" ", "")) >= parts_of(source)


def must_be_in_time(source: Source, at: datetime, committed_at: str, now: datetime) -> None:
    """A contribution stamped before the commitment, after its deadline or in the future is refused."""
    if stamp(at) < committed_at:
        raise Problem("draw_early", id=source.id, at=stamp(at), committed_at=committed_at)
    if at > now:
        raise Problem("draw_future", id=source.id)
    if at > instant(source.due):
        raise Problem("draw_late", id=source.id, due=source.due)
