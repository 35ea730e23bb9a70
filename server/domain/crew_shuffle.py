"""The shuffle of teams: random seats are freed and filled again, until every lawful assignment is equally likely."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from struct import unpack
from typing import Final

from server.domain.crew_flow import Asking

_WORD: Final = 1 << 32


def words(seed: str) -> Iterator[int]:
    """The random words: each block is a hash, and holds eight."""
    start = hashlib.sha256(f"{seed}|X|".encode(), usedforsecurity=False)
    at = 0
    while True:
        block = start.copy()
        block.update(b"%d" % at)
        yield from unpack(">8I", block.digest())
        at += 1


def below(source: Iterator[int], n: int) -> int:
    """A random number from 0 to n - 1; words that would favour some are passed over, and n = 1 costs a word too."""
    end = _WORD - _WORD % n
    word = next(source)
    while word >= end:
        word = next(source)
    return word % n


class Shuffle:
    """Lawful teams by subject position; each round leaves them lawful.

    Only seats that can be found again by their place are freed: lists keep the order in which officers came.
    """

    def __init__(
        self, seed: str, visits: Sequence[Asking], teams: Sequence[Sequence[str]], cap: int, slots: int
    ) -> None:
        self.words, self.cap, self.slots = words(seed), cap, slots
        self.elig = [visit.elig for visit in visits]
        self.half = [visit.half_day for visit in visits]
        self.teams = [list(team) for team in teams]
        self.held: dict[str, list[int]] = {o: [] for elig in self.elig for o in elig}
        for visit, team in enumerate(self.teams):
            for officer in team:
                self.held[officer].append(visit)
        self._ends = list(accumulate(len(team) for team in self.teams))

    def run(self, rounds: int) -> list[list[str]]:
        """Go through so many rounds."""
        for _ in range(rounds if self._ends and self._ends[-1] else 0):
            place = below(self.words, self._ends[-1])
            visit = bisect_right(self._ends, place)
            seat = place - (self._ends[visit] - len(self.teams[visit]))
            self.held[self.teams[visit].pop(seat)].remove(visit)
            self._fill(visit)
        return self.teams

    def _fill(self, short: int) -> None:
        """The short visit draws an officer; where he has no room, one of his visits gives him up and is short next."""
        source, slots, cap, half, teams = self.words, self.slots, self.cap, self.half, self.teams
        while True:
            elig, team, day = self.elig[short], teams[short], half[short]
            officer = elig[below(source, len(elig))]
            while officer in team:
                officer = elig[below(source, len(elig))]
            held = self.held[officer]
            then = [visit for visit in held if half[visit] == day]
            team.append(officer)
            if len(then) >= slots:
                loser = then[0] if len(then) == 1 else then[below(source, len(then))]
            elif len(held) >= cap:
                loser = held[below(source, len(held))]
            else:
                held.append(short)
                return
            held.remove(loser)
            held.append(short)
            teams[loser].remove(officer)
            short = loser
