"""Places and officers as a flow: who can still be moved so that everybody is served, and whom that would leave short.

A visit asks for `k` officers, an officer serves at most `slots` visits a half-day and `cap` in all. A search walks from
an officer who is wanted to visits that could give him up, to the officers that these could take instead, and so on: it
ends at an officer with room, or it has seen a closed set, which is the proof that there is none.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol


class Asking(Protocol):
    """What a flow has to know of a visit."""

    @property
    def k(self) -> int: ...
    @property
    def half_day(self) -> str: ...
    @property
    def elig(self) -> Sequence[str]: ...


class Closed(NamedTuple):
    """What a search in vain has seen: no way leads out of these visits and of these half-days of officers."""

    visits: frozenset[int]
    places: frozenset[int]


class Flow:
    """Teams by position, with the moves that keep them lawful; `fixed` seats are never given up again."""

    def __init__(self, visits: Sequence[Asking], cap: int, slots: int) -> None:
        numbers = sorted({o for visit in visits for o in visit.elig})
        days = sorted({visit.half_day for visit in visits})
        at, day = {o: i for i, o in enumerate(numbers)}, {d: i for i, d in enumerate(days)}
        self.numbers, self.days, self.cap, self.slots = numbers, len(days), cap, slots
        self.k = [visit.k for visit in visits]
        self.half = [day[visit.half_day] for visit in visits]
        self.elig = [[at[o] for o in visit.elig] for visit in visits]
        self.team: list[list[int]] = [[] for _ in visits]
        self.fixed: list[set[int]] = [set() for _ in visits]
        self.held: list[list[int]] = [[] for _ in numbers]
        self.busy = [0] * (len(numbers) * len(days))

    def has_room(self, place: int) -> bool:
        """Whether the officer of this place (officer x half-days + half-day) can serve one visit more then."""
        return self.busy[place] < self.slots and len(self.held[place // self.days]) < self.cap

    def take(self, visit: int, officer: int) -> None:
        """Seat an officer."""
        self.team[visit].append(officer)
        self.held[officer].append(visit)
        self.busy[officer * self.days + self.half[visit]] += 1

    def drop(self, visit: int, officer: int) -> None:
        """Free an officer's seat."""
        self.team[visit].remove(officer)
        self.held[officer].remove(visit)
        self.busy[officer * self.days + self.half[visit]] -= 1

    def seat(self, visit: int, wanted: Iterable[int]) -> None:
        """Seat those of `wanted` who have room, until the visit has enough."""
        team, days, half = self.team[visit], self.days, self.half[visit]
        for officer in wanted:
            if len(team) >= self.k[visit]:
                return
            if officer not in team and self.has_room(officer * days + half):
                self.take(visit, officer)

    def complete(self) -> list[Closed]:
        """Serve whoever is short as far as can be; for each that stays short, what the search in vain has seen."""
        vain = []
        for visit, k in enumerate(self.k):
            while len(self.team[visit]) < k:
                seen = self._search(visit, self.elig[visit])
                if seen is not None:
                    # Later moves end where there is room, so none enters this set: the proof stays true.
                    vain.append(seen)
                    break
        return vain

    def force(self, visit: int, officer: int) -> Closed | None:
        """Seat an officer with a full team, which gives up one of its seats that aren't fixed; or why it can't be."""
        return self._search(visit, (officer,), full=True)

    def _search(self, visit: int, wanted: Iterable[int], full: bool = False) -> Closed | None:
        taker: dict[int, int] = {}
        giver: dict[int, int] = {visit: -1}
        queue = deque[int]()
        end = self._ask(visit, wanted, taker, queue)
        seen: set[int] = set()
        while end is None and queue:
            place = queue.popleft()
            for other in self._givers(place, seen):
                officer = place // self.days
                if officer in self.fixed[other]:
                    continue
                if other == visit and full:
                    self.drop(visit, officer)
                    self._move(place, taker, giver)
                    return None
                if other in giver:
                    continue
                giver[other] = place
                end = self._ask(other, self.elig[other], taker, queue)
                if end is not None:
                    break
        if end is None:
            return Closed(frozenset(giver), frozenset(taker))
        if full:
            self.drop(visit, next(o for o in reversed(self.team[visit]) if o not in self.fixed[visit]))
        self._move(end, taker, giver)
        return None

    def _ask(self, visit: int, wanted: Iterable[int], taker: dict[int, int], queue: deque[int]) -> int | None:
        """Note that the visit could take these; the first who has room ends the search."""
        days, half, team = self.days, self.half[visit], self.team[visit]
        for officer in wanted:
            place = officer * days + half
            if place not in taker and officer not in team:
                taker[place] = visit
                if self.has_room(place):
                    return place
                queue.append(place)
        return None

    def _givers(self, place: int, seen: set[int]) -> Iterator[int]:
        """The visits that could make room at this place: those of the half-day where it is full, else any of his."""
        officer, half = divmod(place, self.days)
        if self.busy[place] >= self.slots:
            return iter([visit for visit in self.held[officer] if self.half[visit] == half])
        if officer in seen:
            return iter(())
        seen.add(officer)
        return iter(self.held[officer])

    def _move(self, place: int, taker: dict[int, int], giver: dict[int, int]) -> None:
        """Go back along the way that was found: each visit takes the one it asked for and gives up the one before."""
        while place >= 0:
            visit = taker[place]
            before = giver[visit]
            if before >= 0:
                self.drop(visit, before // self.days)
            self.take(visit, place // self.days)
            place = before
