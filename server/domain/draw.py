"""The draw that anyone can compute again: list, rules, commitment, seed, places and tickets, of text and whole numbers.

Nothing here chooses: the same list, rules, secret and contributions give the same subjects to everybody.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import isqrt
from operator import lt
from typing import Any, Final, NamedTuple

import rfc8785

ALG: Final = "sdraw1"
ROOT: Final = "0" * 64
"""What the first commitment of an algorithm is chained to."""

RESERVE: Final = 10
WHOLE: Final = 10_000
REASONS: Final = (
    "DRAWN_TWICE",
    "DEREGISTERED",
    "SUSPENDED",
    "OUT_OF_FILTER",
    "NO_AUTHORITY",
    "UNDER_OTHER_CASE",
)
"""Why a subject of the list takes no part; each is shown to everybody."""

_CODE: Final = re.compile(r"[0-9A-HJ-NP-RTUW-Y]{2}[0-9]{6}[0-9A-HJ-NP-RTUW-Y]{10}|[0-9]{15}", re.ASCII)
_STRATUM: Final = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
_LINES: Final = re.compile(
    rf"(?:(?:{_CODE.pattern})\t(?:{_STRATUM.pattern}\tE\t-|-\tX\t(?:{'|'.join(REASONS)}))\n)*+", re.ASCII
)
"""A list whose lines are all in form: asked first, since it is quick; what is wrong with a line is found out after."""
_SPAN: Final = 1 << 256


def digest(text: str) -> str:
    """`H` of the specification: lower-case hex SHA-256 of the text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


class Row(NamedTuple):
    """A subject of the list: a candidate of a stratum, or left out with a reason."""

    code: str
    stratum: str
    part: str = "E"
    reason: str = "-"

    @property
    def is_in(self) -> bool:
        """Whether it takes part."""
        return self.part == "E"


class BadFrame(ValueError):
    """A list that nothing may be drawn from; the sentence names the line."""


class Winners(NamedTuple):
    """Who was drawn, by stratum and in the order of the tickets; and the ten who are next."""

    winners: dict[str, list[str]]
    reserve: dict[str, list[str]]


# --- the list and the rules -------------------------------------------------------------------------------------------


def is_code(code: str) -> bool:
    """Whether a code has the form of a credit code or of a registration number."""
    return _CODE.fullmatch(code) is not None


def frame_line(code: str, stratum: str, part: str = "E", reason: str = "-") -> str:
    """One line of the list."""
    return f"{code}\t{stratum}\t{part}\t{reason}\n"


def frame_text(rows: Iterable[Row]) -> str:
    """The list as it is hashed, by code; a duplicate or a wrong row is a `BadFrame`."""
    text = "".join(frame_line(*row) for row in sorted(rows))
    parse_frame(text)
    return text


def parse_frame(text: str) -> list[Row]:
    """The rows of a list; a `BadFrame` where it isn't in the one form that it has."""
    if _LINES.fullmatch(text) is not None:
        rows = [Row(*line.split("\t")) for line in text.splitlines()]
        codes = [row.code for row in rows]
        if all(map(lt, codes, codes[1:])):
            return rows
    raise BadFrame(_fault_of(text))


def _fault_of(text: str) -> str:
    """What is wrong with a list: the first line that is out of form or order."""
    if text and not text.endswith("\n"):
        return "the last line has no end"
    before = ""
    for n, line in enumerate(text.split("\n")[:-1], 1):
        row = Row(*line.split("\t")) if line.count("\t") == 3 else None
        if row is None or (fault := _row_fault(row, before)):
            return f"line {n}: {'four parts are wanted' if row is None else fault}"
        before = row.code
    return "its lines are in another form"


def _row_fault(row: Row, before: str) -> str | None:
    if _CODE.fullmatch(row.code) is None:
        return f"'{row.code}' is no code"
    if row.code <= before:
        return f"'{row.code}' is there twice" if row.code == before else f"'{row.code}' is out of order"
    if row.part == "E":
        return None if row.reason == "-" and _STRATUM.fullmatch(row.stratum) else f"'{row.code}' has no class"
    if row.part != "X" or row.stratum != "-" or row.reason not in REASONS:
        return f"'{row.code}' is left out without a reason that is known"
    return None


def candidates(rows: Iterable[Row]) -> dict[str, list[str]]:
    """The codes of those that take part, by stratum."""
    found: dict[str, list[str]] = {}
    for code, stratum, part, _ in rows:
        if part == "E":
            found.setdefault(stratum, []).append(code)
    return found


def sizes(rows: Iterable[Row]) -> dict[str, int]:
    """How many take part, by stratum."""
    return dict(Counter(row.stratum for row in rows if row.part == "E"))


def canonical(rules: Mapping[str, Any]) -> str:
    """The rules as they are hashed: sorted keys, no spaces; a value that is neither text nor a whole number raises."""
    _must_be_plain(rules)
    return rfc8785.dumps(dict(rules)).decode()


def _must_be_plain(value: object) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _must_be_plain(name)
            _must_be_plain(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _must_be_plain(inner)
    elif type(value) not in (int, str):
        raise ValueError(f"Rules hold text and whole numbers only, not {value!r}.")


# --- commitment and seed ----------------------------------------------------------------------------------------------


def commit_of(prev: str, frame_digest: str, rules_digest: str, secret: str, alg: str = ALG) -> str:
    """The commitment: it binds list, rules and secret to the bureau's previous commitment of the same algorithm."""
    return digest(f"{alg}|commit|{prev}|{frame_digest}|{rules_digest}|{digest(secret)}")


def seed_of(commit: str, secret: str, contributions: Iterable[tuple[str, str]], alg: str = ALG) -> str:
    """The seed, of the commitment, the secret, and what came from outside, in the order of the sources."""
    given = "".join(f"|{digest(f'{k}={v}')}" for k, v in contributions)
    return digest(f"{alg}|seed|{commit}|{secret}{given}")


# --- places -----------------------------------------------------------------------------------------------------------


def quotas(sizes: Mapping[str, int], rules: Mapping[str, Any], seed: str) -> dict[str, int]:
    """How many places each stratum has, in whole numbers; a stratum without ratio or weight is a KeyError.

    By ratio each stratum rounds up. By total the places go by size and weight, on average exactly, and never more than
    one away from the exact share.
    """
    if rules["mode"] == "ratio":
        shares = rules["ratio_bp"]
        return {name: min(n, -(-n * shares[name] // WHOLE)) for name, n in sorted(sizes.items())}
    return _by_weight(sizes, rules["weights"], rules["n"], seed)


def _by_weight(sizes: Mapping[str, int], weights: Mapping[str, int], left: int, seed: str) -> dict[str, int]:
    found = dict.fromkeys(sorted(sizes), 0)
    open_ = {name: n for name, n in sizes.items() if n}
    whole_sum = sum(n * weights[name] for name, n in open_.items())
    while whole := [name for name in open_ if left * weights[name] >= whole_sum]:
        for name in whole:
            found[name] = open_.pop(name)
            left -= found[name]
        whole_sum = sum(n * weights[name] for name, n in open_.items())
    if open_:
        found.update(_rounded({name: left * n * weights[name] for name, n in open_.items()}, whole_sum, seed))
    return found


def _rounded(shares: Mapping[str, int], whole: int, seed: str) -> dict[str, int]:
    """One start for all strata rounds each share up or down, so that the sum is exact and so is each on average."""
    at = int(digest(f"{seed}|Q|round"), 16) % whole
    found = {}
    for name in sorted(shares, key=lambda name: digest(f"{seed}|Q|{name}")):
        found[name] = (at + shares[name]) // whole - at // whole
        at += shares[name]
    return found


# --- tickets ----------------------------------------------------------------------------------------------------------


def ticket_of(seed: str, code: str) -> str:
    """A subject's ticket: it hangs on nobody else, and anybody can compute it."""
    return digest(f"{seed}|S|{code}")


def draw(strata: Mapping[str, Sequence[str]], quotas: Mapping[str, int], seed: str) -> Winners:
    """Who is drawn: the smallest tickets of each stratum, as many as it has places; the next ten are the reserve.

    Only tickets under a provisional cut are kept, so that a million subjects need no more memory than their winners.
    """
    won = Winners({}, {})
    for name in sorted(strata):
        places = quotas[name]
        first = smallest(seed, strata[name], places + RESERVE)
        won.winners[name] = [code for _, code in first[:places]]
        won.reserve[name] = [code for _, code in first[places:]]
    return won


def smallest(seed: str, codes: Sequence[str], n: int) -> list[tuple[bytes, str]]:
    """The `n` smallest tickets with their codes, in order."""
    head, wanted, sha256 = f"{seed}|S|", min(n, len(codes)), hashlib.sha256
    likely = wanted + 8 * isqrt(wanted) + 16
    while True:
        cut = min(_SPAN - 1, _SPAN * likely // max(len(codes), 1)).to_bytes(32, "big")
        kept = [
            (ticket, code)
            for code in codes
            if (ticket := sha256((head + code).encode(), usedforsecurity=False).digest()) <= cut
        ]
        if len(kept) >= wanted:
            kept.sort()
            return kept[:wanted]
        likely *= 2
