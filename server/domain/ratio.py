"""How many subjects an item's draw must take, who may be in it, and what a smaller number needs (R6.2-R6.5, R15a)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import msgspec

from server.domain.ruleset import WHOLE, RuleSet, is_flagged


class Ground(msgspec.Struct, frozen=True):
    """Why a subject is exempt from cap and ratio (R15a.3): a flag of its own, or a `campaign`; with its document."""

    kind: str
    document: str


class Member(msgspec.Struct, frozen=True):
    """One live subject of an item's population: its class, its flags in force, and how often it was drawn."""

    id: str
    risk: str
    credit: str
    flags: tuple[Ground, ...] = ()
    drawn: int = 0

    @property
    def is_raised(self) -> bool:
        """Whether a flag puts it into the flagged half of the matrix (R6.5)."""
        return is_flagged([flag.kind for flag in self.flags])


class Exclusion(msgspec.Struct, frozen=True):
    """A subject that is left out, with the reason that the draw will show."""

    subject: str
    reason: str
    drawn: int


class Kept(msgspec.Struct, frozen=True):
    """A subject that is at the cap and stays in all the same, with the ground that the trail names."""

    subject: str
    ground: Ground
    drawn: int


class Stratum(msgspec.Struct, frozen=True):
    """The subjects of one ratio: how many there are, how many may be drawn, how many are to be."""

    flagged: bool
    share: int
    times: int
    size: int
    candidates: int
    n: int


class Proposal(msgspec.Struct, frozen=True):
    """What the system proposes; `floor` is what the sum may not fall below without the principal's approval."""

    n: int
    floor: int
    population: int
    frequency: int
    strata: tuple[Stratum, ...]
    candidates: tuple[str, ...]
    excluded: tuple[Exclusion, ...]
    kept: tuple[Kept, ...]
    campaign: Ground | None = None

    @property
    def flagged(self) -> int:
        """How many subjects of the population a flag puts into the flagged half of the matrix."""
        return sum(one.size for one in self.strata if one.flagged)

    @property
    def flagged_n(self) -> int:
        """How many of the proposed number are flagged ones."""
        return sum(one.n for one in self.strata if one.flagged)

    @property
    def share(self) -> int:
        """The proposed number in the population, per 10,000, rounded down."""
        return self.n * WHOLE // self.population if self.population else 0


def portion(size: int, share: int) -> int:
    """`share` per 10,000 of `size`, rounded up in whole numbers: in floats ceil(0.07 * 100) would be 8."""
    return -(-size * share // WHOLE)


def propose(
    population: Sequence[Member], rules: RuleSet, *, statutory: int | None = None, campaign: Ground | None = None
) -> Proposal:
    """The number for one item's population, and who may be drawn.

    Each stratum rounds up. The sum is lifted to the floor in proportion to ratio and size, and flagged subjects get a
    higher ratio than the rest as far as there are any (R6.5). A statutory ratio takes the place of matrix and floor. A
    campaign is bound by neither ratio nor cap (R15a.3).
    """
    excluded, kept = _at_the_cap(population, rules.cap, campaign)
    out = {one.subject for one in excluded}
    strata = _strata(population, rules, out, statutory)
    floor = 0 if campaign else portion(len(population), rules.floor if statutory is None else statutory)
    strata = _raised(_lifted(strata, floor))
    return Proposal(
        n=sum(one.n for one in strata),
        floor=floor,
        population=len(population),
        frequency=max((one.times for one in strata), default=0),
        strata=tuple(strata),
        candidates=tuple(one.id for one in population if one.id not in out),
        excluded=tuple(excluded),
        kept=tuple(kept),
        campaign=campaign,
    )


def needs(proposal: Proposal, n: int, flagged_n: int) -> tuple[str, ...]:
    """What a number other than the proposed one needs, as codes.

    `below_floor`: a reason and the principal's approval (R6.4). `below_proposal`: a reason. `flagged_not_raised`: a
    reason, since the flagged subjects get no higher ratio than the rest (R6.5). A campaign needs none of them.
    """
    if proposal.campaign is not None:
        return ()
    found = []
    if n < proposal.floor:
        found.append("below_floor")
    elif n < proposal.n:
        found.append("below_proposal")
    if not is_raised(proposal.flagged, flagged_n, proposal.population - proposal.flagged, n - flagged_n):
        found.append("flagged_not_raised")
    return tuple(found)


def is_raised(flagged: int, flagged_n: int, rest: int, rest_n: int) -> bool:
    """Whether flagged subjects get a higher ratio than the rest, or are all drawn; true where one side is empty."""
    return not flagged or not rest or flagged_n >= flagged or flagged_n * rest > rest_n * flagged


def exemption(flags: Sequence[Ground], campaign: Ground | None) -> Ground | None:
    """What keeps a subject in that is at the cap: its first flag in force, else the campaign (R15a.3)."""
    return flags[0] if flags else campaign


def _at_the_cap(population: Sequence[Member], cap: int, campaign: Ground | None) -> tuple[list[Exclusion], list[Kept]]:
    excluded, kept = [], []
    for one in population:
        if one.drawn < cap:
            continue
        ground = exemption(one.flags, campaign)
        if ground is None:
            excluded.append(Exclusion(one.id, "drawn_twice", one.drawn))
        else:
            kept.append(Kept(one.id, ground, one.drawn))
    return excluded, kept


def _strata(population: Sequence[Member], rules: RuleSet, out: set[str], statutory: int | None) -> list[Stratum]:
    """The strata, the highest ratio first; by statute there are at most two, flagged subjects and the rest."""
    found: dict[tuple[bool, int], list[int]] = {}
    for one in population:
        cell = rules.cell(one.risk, one.credit, one.is_raised)
        share = cell.ratio
        if statutory is not None:
            share = max(share, statutory) if one.is_raised else statutory
        row = found.setdefault((one.is_raised, share), [0, 0, 0])
        row[0] = max(row[0], cell.frequency)
        row[1] += 1
        row[2] += one.id not in out
    return [
        Stratum(flagged, share, times, size, free, min(portion(size, share), free))
        for (flagged, share), (times, size, free) in sorted(found.items(), key=lambda row: (-row[0][1], not row[0][0]))
    ]


def _lifted(strata: list[Stratum], floor: int) -> list[Stratum]:
    """Adds subjects one by one until the sum reaches the floor, each where it is furthest behind ratio and size."""
    while sum(one.n for one in strata) < floor:
        free = [at for at, one in enumerate(strata) if one.n < one.candidates]
        if not free:
            break
        at = max(free, key=_behind(strata))
        strata = [_more(one) if here == at else one for here, one in enumerate(strata)]
    return strata


def _behind(strata: Sequence[Stratum]) -> Callable[[int], tuple[int, int]]:
    """Orders strata by weight over the number that each would have, in whole numbers over one common denominator."""
    product = 1
    for one in strata:
        product *= one.n + 1
    return lambda at: (
        strata[at].share * strata[at].size * (product // (strata[at].n + 1)),
        strata[at].size * (product // (strata[at].n + 1)),
    )


def _raised(strata: list[Stratum]) -> list[Stratum]:
    """Adds flagged subjects until their ratio is higher than that of the rest, or there are no more."""
    while True:
        mine, rest = ([one for one in strata if one.flagged is side] for side in (True, False))
        if is_raised(_sum(mine, "size"), _sum(mine, "n"), _sum(rest, "size"), _sum(rest, "n")):
            return strata
        at = next((at for at, one in enumerate(strata) if one.flagged and one.n < one.candidates), None)
        if at is None:
            return strata
        strata = [_more(one) if here == at else one for here, one in enumerate(strata)]


def _sum(strata: Sequence[Stratum], what: str) -> int:
    return sum(getattr(one, what) for one in strata)


def _more(one: Stratum) -> Stratum:
    return msgspec.structs.replace(one, n=one.n + 1)


# --- the year of one item ---------------------------------------------------------------------------------------------


class Year(msgspec.Struct, frozen=True):
    """What one item's year has come to: planned, drawn and done against the floor and the yearly draw."""

    population: int
    floor: int
    planned: int
    drawn: int
    done: int
    draws: int
    frequency: int
    at_cap: int
    overridden: frozenset[str] = frozenset()
    """The kinds of override that the principal has approved: `ratio`, `frequency`."""

    def missing(self) -> dict[str, int]:
        """Kind -> by how much the plan is below it and nobody has approved that; empty where all is well."""
        short = {"ratio": self.floor - self.planned, "frequency": self.frequency - self.draws}
        return {kind: n for kind, n in short.items() if n > 0 and kind not in self.overridden and self.population}


def window_start(day: date, window: str) -> date:
    """The first day whose draws count on `day`: 1 January, or with `rolling_12_months` one day less than a year ago."""
    if window == "calendar_year":
        return day.replace(month=1, day=1)
    is_leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if is_leap_day else day.day) + timedelta(1)
