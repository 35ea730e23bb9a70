"""Why no lawful teams exist, as codes and values: what is short when, which rule costs it, and the ways out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from server.domain.crew import Skip, Visit
from server.domain.crew_flow import Flow

RULES: Final[Mapping[str, frozenset[str]]] = {
    "certificate": frozenset({"EXPIRED", "EXPIRES", "NOT_YET"}),
    "domain": frozenset({"DOMAIN"}),
    "interest": frozenset({"INTEREST", "RECUSED"}),
    "leave": frozenset({"LEAVE"}),
    "busy": frozenset({"BUSY"}),
}
"""The rules that keep an officer off a visit, with the reasons that they give."""

WAYS: Final = ("another_date", "merged_pool", "direct")
"""What the office may do then: article 18 and the window of the task allow no more."""

NAMED: Final = 5

Losses = Mapping[str, Mapping[str, Collection[str]]]
"""By visit and officer, all the reasons that keep him off it."""

Say = Callable[..., str]


class Help(msgspec.Struct, frozen=True):
    """What dropping one rule alone would do: how many officers would come back, and whether that is enough."""

    rule: str
    officers: int
    enough: bool


class Lack(msgspec.Struct, frozen=True):
    """Visits that can't all be served: together they need more than all who qualify for any of them can give.

    `able` officers qualify, for `room` seats in all, and `need` is `room` + `short`. `half_day` is empty where no
    half-day alone is short but the cap is too low.
    """

    half_day: str
    visits: tuple[str, ...]
    need: int
    able: int
    room: int
    short: int
    helps: tuple[Help, ...]


class Infeasible(msgspec.Struct, frozen=True):
    """Why a task has no lawful teams; `helps` are the rules that alone stand in the way of all of it."""

    lacks: tuple[Lack, ...]
    helps: tuple[str, ...]
    slots: int
    cap: int | None = None
    ways: tuple[str, ...] = WAYS


def explain(
    visits: Sequence[Visit], losses: Losses | None = None, slots: int = 1, cap: int | None = None
) -> Infeasible | None:
    """Why these visits can't all have their officers; None where they can.

    The cap of the lot rises until teams exist, so `cap` is for one that somebody sets lower.
    """
    losses = losses or {}
    days = sorted({visit.half_day for visit in visits})
    lacks = [
        lack
        for day in days
        for lack in _lacks([visit for visit in visits if visit.half_day == day], losses, slots, None)
    ]
    if not lacks and cap is not None:
        lacks = _lacks(list(visits), losses, slots, cap)
    if not lacks:
        return None
    alone = [one.rule for one in _helps(visits, visits, losses, slots, cap) if one.enough]
    return Infeasible(tuple(lacks), tuple(alone), slots, cap)


def _lacks(visits: list[Visit], losses: Losses, slots: int, cap: int | None) -> list[Lack]:
    """The shortages of these visits, each with those that share its officers and nobody else."""
    flow = Flow(visits, len(visits) if cap is None else cap, slots)
    for at, elig in enumerate(flow.elig):
        flow.seat(at, elig)
    groups: list[frozenset[int]] = []
    for closed in flow.complete():
        apart = [group for group in groups if group.isdisjoint(closed.visits)]
        groups = [*apart, closed.visits.union(*(group for group in groups if group not in apart))]
    return [_lack(visits, sorted(group), losses, slots, cap) for group in sorted(groups, key=min)]


def _lack(visits: list[Visit], group: list[int], losses: Losses, slots: int, cap: int | None) -> Lack:
    short = [visits[at] for at in group]
    need = sum(visit.k for visit in short)
    room = _room(short, slots, cap)
    return Lack(
        half_day="" if cap is not None else short[0].half_day,
        visits=tuple(sorted(visit.s for visit in short)),
        need=need,
        able=len({o for visit in short for o in visit.elig}),
        room=room,
        short=need - room,
        helps=tuple(_helps(visits, short, losses, slots, cap)),
    )


def _room(visits: list[Visit], slots: int, cap: int | None) -> int:
    """How many seats of these visits their officers can fill at most."""
    could: dict[str, dict[str, int]] = {}
    for visit in visits:
        for officer in visit.elig:
            days = could.setdefault(officer, {})
            days[visit.half_day] = days.get(visit.half_day, 0) + 1
    by_officer = (sum(min(slots, n) for n in days.values()) for days in could.values())
    return sum(n if cap is None else min(cap, n) for n in by_officer)


def _helps(
    visits: Sequence[Visit], short: Sequence[Visit], losses: Losses, slots: int, cap: int | None
) -> Iterable[Help]:
    """For each rule, who would come back to the visits that are short, and whether they alone could then be served."""
    for rule, reasons in RULES.items():
        back = {
            visit.s: [o for o, why in losses.get(visit.s, {}).items() if why and reasons.issuperset(why)]
            for visit in short
        }
        gain = {o for officers in back.values() for o in officers}
        if gain:
            wider = [
                msgspec.structs.replace(visit, elig=tuple(dict.fromkeys((*visit.elig, *back.get(visit.s, ())))))
                for visit in visits
            ]
            yield Help(rule, len(gain), _fits(wider, short, slots, cap))
    if _fits(visits, short, len(visits), cap):
        yield Help("slots", 0, True)
    if cap is not None and _fits(visits, short, slots, None):
        yield Help("cap", 0, True)


def _fits(visits: Sequence[Visit], short: Sequence[Visit], slots: int, cap: int | None) -> bool:
    """Whether none of these visits is part of a shortage any more."""
    flow = Flow(visits, len(visits) if cap is None else cap, slots)
    wanted = {visit.s for visit in short}
    return not any(visits[at].s in wanted for closed in flow.complete() for at in closed.visits)


# --- in words ---------------------------------------------------------------------------------------------------------


def said(found: Infeasible, say: Say, names: Mapping[str, str] | None = None) -> list[str]:
    """The explanation in sentences; `say` puts a key of the catalogue into words, `names` are those of the subjects."""
    told = [sentence for lack in found.lacks for sentence in _lack_said(lack, found, say, names or {})]
    if len(found.lacks) > 1:
        rules = say("crew_reasons.comma").join(say(f"crew_reasons.rule.{rule}") for rule in found.helps)
        told.append(say("crew_reasons.alone", rules=rules) if rules else say("crew_reasons.none_alone"))
    ways = say("crew_reasons.semicolon").join(say(f"crew_reasons.way.{way}") for way in found.ways)
    return [*told, say("crew_reasons.ways", ways=ways)]


def _lack_said(lack: Lack, found: Infeasible, say: Say, names: Mapping[str, str]) -> Iterable[str]:
    kind = "cap" if not lack.half_day else "slots" if found.slots > 1 else "one" if len(lack.visits) == 1 else "many"
    yield say(
        f"crew_reasons.lack.{kind}",
        day=half_day_said(lack.half_day, say), visits=len(lack.visits), need=lack.need, able=lack.able,
        room=lack.room, short=lack.short, slots=found.slots, cap=found.cap,
    )  # fmt: skip
    yield say("crew_reasons.visits", names=_listed(lack.visits, say, names))
    for one in lack.helps:
        way = "enough" if one.enough else "too_few"
        rule = say(f"crew_reasons.rule.{one.rule}")
        yield say(f"crew_reasons.help.{way if one.officers else 'limit'}", rule=rule, officers=one.officers)
    if not any(one.enough for one in lack.helps):
        yield say("crew_reasons.help.none")


def skip_said(skip: Skip, say: Say, names: Mapping[str, str] | None = None) -> str:
    """Why an officer whose turn it was wasn't taken, in a sentence."""
    names = names or {}
    kind = skip.why if skip.visits else "needed_here"
    return say(
        f"crew_reasons.skip.{kind}",
        officer=names.get(skip.o, skip.o), subject=names.get(skip.s, skip.s), visits=_listed(skip.visits, say, names),
    )  # fmt: skip


def half_day_said(half_day: str, say: Say) -> str:
    """A half-day as people say it: 12-03 am."""
    day, _, half = half_day.partition("/")
    if half not in ("am", "pm"):
        return half_day
    return say(f"crew_reasons.{half}", month=int(day[5:7]), day=int(day[8:10]))


def _listed(subjects: Sequence[str], say: Say, names: Mapping[str, str]) -> str:
    shown = say("crew_reasons.comma").join(names.get(s, s) for s in subjects[:NAMED])
    rest = len(subjects) - NAMED
    return shown if rest <= 0 else say("crew_reasons.and_more", names=shown, n=rest)
