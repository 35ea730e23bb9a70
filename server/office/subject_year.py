"""A subject's year over all kinds of checks: draws, visits, and inspections that weren't random (R15a.2, R2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from server.domain.access import office_sees
from server.domain.ratio import window_start
from server.domain.subject import Flag, Subject
from server.store import non_random, subjects
from server.store.directory import names_of_units
from server.store.people import Person
from server.store.rules import rule_set_on
from server.store.selections import Drawn, draws_of_subject
from server.store.session import Connection


class Check(msgspec.Struct, frozen=True):
    """One line of the year: a `draw`, a `visit` or a `non_random` inspection; `link` where the reader may open it."""

    day: str
    kind: str
    what: str
    unit: str
    state: str
    link: str | None = None
    ground: str | None = None
    document: str | None = None


class Year(msgspec.Struct, frozen=True):
    """The checks of a year, and how the subject stands to the cap today: the flags that exempt it, if any."""

    year: int
    checks: tuple[Check, ...]
    drawn: int
    cap: int
    window: str
    exempt: tuple[Flag, ...]

    @property
    def is_at_cap(self) -> bool:
        """Whether it was drawn as often as may be."""
        return self.drawn >= self.cap


def year_of(conn: Connection, person: Person, subject: Subject, year: int, today: date) -> Year:
    """The year of a subject as this person may see it; the cap counts in the rule set's window that ends today."""
    rules = rule_set_on(conn, today)
    draws = draws_of_subject(conn, subject.id)
    since = window_start(today, rules.cap_window).isoformat()
    counted = sum(one.state == "counted" and since <= one.locked_on <= today.isoformat() for one in draws)
    checks = [*_draws(draws), *_visits(conn, person, subject.id), *_others(conn, subject.id, year)]
    mine = sorted(
        (one for one in checks if one.day[:4] == str(year)), key=lambda one: (one.day, one.kind), reverse=True
    )
    return Year(year, tuple(mine), counted, rules.cap, rules.cap_window, subject.flags_on(today.isoformat()))


def _draws(draws: Sequence[Drawn]) -> list[Check]:
    return [
        Check(one.locked_on, "draw", one.task, one.unit, one.state, None, one.ground, one.document) for one in draws
    ]


def _visits(conn: Connection, person: Person, subject_id: str) -> list[Check]:
    """Visits by the day of their dispatch; only those of a unit that the person may look into have a link."""
    return [
        Check(
            one.day,
            "visit",
            one.tasks,
            one.unit,
            one.phase,
            f"/office/visits/{one.id}" if office_sees(person.roles, person.unit_id, one.unit_id) else None,
        )
        for one in subjects.visits_of(conn, subject_id)
    ]


def _others(conn: Connection, subject_id: str, year: int) -> list[Check]:
    units = names_of_units(conn)
    return [
        Check(one.held_on, "non_random", one.kind, units.get(one.unit_id, one.unit_id), one.state)
        for one in non_random.non_random_of(conn, subject_id, year)
    ]
