"""Who inspects, by lot: teams that anybody can compute again from the seed, with leaders, experts and substitutes.

Nothing here chooses: the same visits, capacity and seed give the same teams to everybody (articles 18 and 20).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from server.domain.crew_flow import Closed, Flow
from server.domain.crew_shuffle import Shuffle
from server.domain.draw import digest

ALG: Final = "omatch1"
ROUNDS: Final = 20
"""Rounds of the shuffle for each seat."""

_AHEAD: Final = 8
_LONG: Final = 48

Teams = dict[str, list[str]]


class Visit(msgspec.Struct, frozen=True):
    """A visit that needs `k` of the officers `elig`; `lead` are those who may lead it, None means all of them."""

    s: str
    k: int
    half_day: str
    elig: tuple[str, ...]
    lead: tuple[str, ...] | None = None


class Skip(NamedTuple):
    """Why an officer whose turn it was wasn't taken: `busy` that half-day, `full` (at the cap), or `needed` elsewhere.

    `visits` are those that hold him, or those that nobody else is left for.
    """

    s: str
    o: str
    why: Literal["busy", "full", "needed"]
    visits: tuple[str, ...]


class Match(NamedTuple):
    """What the lot gave: teams and leaders by subject; the skips are those of the first, unshuffled assignment."""

    cap: int
    teams: Teams
    leaders: dict[str, str]
    skips: list[Skip]


class NotFeasible(ValueError):
    """No lawful teams exist for these visits; `crew_reasons.explain` says why."""


def rounds_of(visits: Iterable[Visit]) -> int:
    """How many rounds the shuffle of these visits has."""
    return ROUNDS * sum(visit.k for visit in visits)


def match(seed: str, visits: Iterable[Visit], e_rows: int, slots: int = 1) -> Match:
    """The whole lot: cap, first assignment, shuffle, leaders; `NotFeasible` where there are no lawful teams."""
    visits = in_order(visits)
    cap = cap_of(visits, e_rows, slots)
    first, skips = lexmin(seed, visits, cap, slots)
    shuffled = shuffle(seed, visits, first, cap, slots, rounds_of(visits))
    teams = {s: sorted(team) for s, team in shuffled.items()}
    return Match(cap, teams, leaders(seed, visits, teams), skips)


def in_order(visits: Iterable[Visit]) -> list[Visit]:
    """The visits by code and their officers by number: the order that the shuffle goes by."""
    return sorted(
        (msgspec.structs.replace(visit, elig=tuple(sorted(visit.elig))) for visit in visits), key=lambda visit: visit.s
    )


# --- capacity ---------------------------------------------------------------------------------------------------------


def cap_of(visits: Sequence[Visit], e_rows: int, slots: int = 1) -> int:
    """How many visits an officer may have: 1.1 x the mean rounded up, or more if no teams exist otherwise."""
    cap = -(-11 * sum(visit.k for visit in visits) // (10 * max(e_rows, 1)))
    flow = Flow(visits, cap, slots)
    for at, elig in enumerate(flow.elig):
        turn = 7 * at % max(len(elig), 1)
        flow.seat(at, elig[turn:] + elig[:turn])
    if not flow.complete():
        return cap
    _must_be_feasible(visits, slots)
    while flow.complete():
        flow.cap += 1
    return flow.cap


def _must_be_feasible(visits: Sequence[Visit], slots: int) -> None:
    if Flow(visits, len(visits), slots).complete():
        raise NotFeasible("No lawful teams exist for these visits.")


# --- the first assignment ---------------------------------------------------------------------------------------------


def lexmin(seed: str, visits: Sequence[Visit], cap: int, slots: int = 1) -> tuple[Teams, list[Skip]]:
    """The assignment that takes, subject after subject, whoever comes first by lot and leaves the task feasible."""
    lot = _Lot(seed, visits, cap, slots)
    skips = [skip for at in lot.order for skip in lot.settle(at)]
    numbers = lot.flow.numbers
    return {visit.s: sorted(numbers[o] for o in team) for visit, team in zip(visits, lot.flow.team, strict=True)}, skips


class _Lot:
    """A flow that is complete at the start and is then settled seat by seat, and stays complete."""

    def __init__(self, seed: str, visits: Sequence[Visit], cap: int, slots: int) -> None:
        self.seed, self.visits = seed, visits
        self.flow = Flow(visits, cap, slots)
        self.order = sorted(range(len(visits)), key=lambda at: digest(f"{seed}|O|{visits[at].s}"))
        self._encoded = [number.encode() for number in self.flow.numbers]
        self._first = {at: self._by_lot(at, visits[at].k + _AHEAD) for at in self.order}
        self._closed: list[Closed] = []
        self._known_visits = [0] * len(visits)
        self._known_places: dict[int, int] = {}
        for at in self.order:
            self.flow.seat(at, self._first[at])
        if self.flow.complete():
            raise NotFeasible("No lawful teams exist for these visits and this cap.")

    def _by_lot(self, at: int, wanted: int) -> list[int]:
        """The visit's first officers in the order of their hashes: of a long list about twice as many as wanted."""
        elig, encoded = self.flow.elig[at], self._encoded
        start = hashlib.sha256(f"{self.seed}|P|{self.visits[at].s}|".encode(), usedforsecurity=False).copy
        cut = b"\xff" * 32
        if len(elig) > max(_LONG, 4 * wanted):
            cut = ((1 << 256) * 2 * wanted // len(elig)).to_bytes(32, "big")
        kept = []
        for officer in elig:
            one = start()
            one.update(encoded[officer])
            if (ticket := one.digest()) <= cut:
                kept.append((ticket, officer))
        kept.sort()
        return [officer for _, officer in kept]

    def _turns(self, at: int) -> Iterator[int]:
        first = self._first.pop(at)
        yield from first
        if len(first) < len(self.flow.elig[at]):
            yield from self._by_lot(at, len(self.flow.elig[at]))[len(first) :]

    def settle(self, at: int) -> Iterator[Skip]:
        """Fix the team of a visit; each officer who is passed over comes with the reason."""
        flow, fixed = self.flow, self.flow.fixed[at]
        for officer in self._turns(at):
            if len(fixed) == flow.k[at]:
                return
            if officer in flow.team[at] or (skip := self._refusal(at, officer)) is None:
                fixed.add(officer)
            else:
                yield skip

    def _refusal(self, at: int, officer: int) -> Skip | None:
        """Take the officer, or say why that would make the whole task infeasible."""
        flow, place = self.flow, officer * self.flow.days + self.flow.half[at]
        if not flow.has_room(place):
            held = [visit for visit in flow.held[officer] if officer in flow.fixed[visit]]
            then = [visit for visit in held if flow.half[visit] == flow.half[at]]
            if len(then) >= flow.slots:
                return self._skip(at, officer, "busy", then)
            if len(held) >= flow.cap:
                return self._skip(at, officer, "full", held)
            if (lost := self._known_places.get(place, 0) & ~self._known_visits[at]) != 0:
                return self._skip(at, officer, "needed", self._closed[lost.bit_length() - 1].visits - {at})
        closed = flow.force(at, officer)
        if closed is None:
            return None
        self._remember(at, closed)
        return self._skip(at, officer, "needed", closed.visits - {at})

    def _remember(self, at: int, closed: Closed) -> None:
        """No later move leads out of a closed set: whoever is in it can never serve a visit outside of it."""
        bit = 1 << len(self._closed)
        self._closed.append(closed)
        for visit in closed.visits - {at}:
            self._known_visits[visit] |= bit
        for place in closed.places:
            self._known_places[place] = self._known_places.get(place, 0) | bit

    def _skip(self, at: int, officer: int, why: Literal["busy", "full", "needed"], visits: Iterable[int]) -> Skip:
        return Skip(self.visits[at].s, self.flow.numbers[officer], why, tuple(sorted(self.visits[v].s for v in visits)))


# --- the shuffle ------------------------------------------------------------------------------------------------------


def shuffle(
    seed: str, visits: Sequence[Visit], teams: Mapping[str, Sequence[str]], cap: int, slots: int, rounds: int
) -> Teams:
    """Teams as they stand after so many rounds of freeing a random seat and filling it by lot, in the end uniform.

    The order of `visits`, of their officers and of the teams counts: by code and number, as `in_order` gives them.
    """
    found = Shuffle(seed, visits, [teams[visit.s] for visit in visits], cap, slots).run(rounds)
    return {visit.s: team for visit, team in zip(visits, found, strict=True)}


# --- leaders, experts, substitutes ------------------------------------------------------------------------------------


def leaders(seed: str, visits: Iterable[Visit], teams: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The leader of each team by lot, among those who may lead; where nobody may, all may."""
    found = {}
    for visit in visits:
        team = teams[visit.s]
        may = team if visit.lead is None else [o for o in team if o in visit.lead] or team
        found[visit.s] = min(may, key=lambda o, s=visit.s: digest(f"{seed}|L|{s}|{o}"))  # type: ignore[misc]
    return found


def experts(seed: str, s: str, elig: Iterable[str], n: int = 1) -> list[str]:
    """The first `n` experts by lot for a visit; they count neither as officers nor as leader (article 18)."""
    return sorted(elig, key=lambda o: digest(f"{seed}|E|{s}|{o}"))[:n]


def substitute(seed: str, s: str, elig: Iterable[str], attempt: int) -> str | None:
    """Who comes by lot for an officer who can't go, of those who could now; None where nobody can (article 20)."""
    return min(elig, key=lambda o: digest(f"{seed}|R|{s}|{o}|{attempt}"), default=None)
