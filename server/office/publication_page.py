"""The room of publication: what is to be published, what was, what is kept back, what is corrected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

import msgspec

from server.domain.access import ALL, allows, reach
from server.domain.calendar import Light, kept_of, light_of
from server.office import publication_facts
from server.office.publication_facts import Result
from server.office.publishing import id_of
from server.store import calendars, deadlines, province, publications, visits
from server.store.deadlines import PUBLICATION_LEGAL, PUBLICATION_TARGET
from server.store.people import Person
from server.store.province import State
from server.store.publications import Correction, Published, Waiting, Withholding
from server.store.rules import rule_set_on
from server.store.session import Connection

SHOWN: Final = ("waiting", "published", "withheld", "corrections")
"""The pills above the list."""


class Row(msgspec.Struct, frozen=True):
    """A result that waits: its light, and why this person can't publish it; no reasons where he can."""

    result: Result
    light: Light
    hindrances: tuple[str, ...]


class Done(msgspec.Struct, frozen=True):
    """A published result: where it stands at the province's platform, and how its target was kept (R26.1, R7.3)."""

    head: Published
    province: State | None
    kept: str
    needs_receipt: bool


class Errand(msgspec.Struct, frozen=True):
    """One thing of this room that waits for somebody: the word `publication.waits.<code>`."""

    code: str
    about: str
    href: str
    light: Light | None = None
    n: int = 1


def unit_of(person: Person) -> str | None:
    """The unit whose results a person sees; None where he sees all."""
    return None if reach(person.roles, "results.read") == ALL else person.unit_id


def rows(conn: Connection, person: Person, waiting: Sequence[Waiting], today: date) -> list[Row]:
    """The rows of results that wait."""
    return [
        row_of(conn, person, publication_facts.result_of(conn, one.visit_id, one.task_id), today) for one in waiting
    ]


def row_of(conn: Connection, person: Person, found: Result, today: date) -> Row:
    """One result with its light and what is in its way."""
    return Row(found, light(conn, found, today), tuple(publication_facts.hindrances_of(conn, person, found)))


def light(conn: Connection, found: Result, today: date) -> Light:
    """The light of the target; it accuses only past the legal date (R26.1)."""
    target = None if found.due is None else found.due.on
    legal = None if found.legal is None else found.legal.on
    return light_of(target, legal, today, rule_set_on(conn, today).lights, calendars.calendar(conn))


def published(conn: Connection, heads: Sequence[Published], today: date) -> list[Done]:
    """Published results; where the rule set asks for it, each is in time only with the platform's receipt."""
    states = province.states_of(conn, "result", [one.id for one in heads])
    targets = deadlines.deadlines_of(conn, {f"visit:{one.visit_id}" for one in heads}, PUBLICATION_TARGET)
    legal = deadlines.deadlines_of(conn, {f"task:{one.task_id}" for one in heads}, PUBLICATION_LEGAL)
    asks = rule_set_on(conn, today).province_receipt
    found = []
    for one in heads:
        target, last = targets.get(f"visit:{one.visit_id}"), legal.get(f"task:{one.task_id}")
        due, done = (target.due.on, target.settled_on) if target else (None, None)
        kept = kept_of(due, last.due.on if last else None, done, today)
        found.append(Done(one, states.get(one.id), kept, asks and done is None))
    return found


def withheld(conn: Connection, person: Person) -> list[tuple[Withholding, str]]:
    """Requests that wait, and what is kept back, each with the name of the subject."""
    return _named(conn, publications.withholdings(conn, unit_of(person), ("asked", "approved")))


def _named(conn: Connection, found: Sequence[Withholding]) -> list[tuple[Withholding, str]]:
    names = visits.subjects_of(conn, {one.visit_id for one in found})
    return [(one, names[one.visit_id]) for one in found]


def corrections(conn: Connection, person: Person) -> list[tuple[Correction, Published]]:
    """Corrections that wait for the principal."""
    return publications.waiting_corrections(conn, unit_of(person))


def errands(conn: Connection, person: Person, today: date) -> Iterator[Errand]:
    """What waits for this person: results to publish, requests to decide, grounds to look at again."""
    if allows(person.roles, person.unit_id, "results.publish", person.unit_id):
        yield from _to_publish(conn, person, today)
    if reach(person.roles, "withholdings.decide") is not None:
        for one, name in _named(conn, publications.withholdings(conn, None, ("asked",))):
            yield Errand("withholding", name, _href(one))
        for asked, head in publications.waiting_corrections(conn, None):
            yield Errand("correction", head.subject_name, f"/office/publication/corrections/{asked.id}")
    if reach(person.roles, "results.read") is not None:
        for one, name in _named(conn, publications.withholdings(conn, unit_of(person), ("approved",))):
            if one.review_on <= today.isoformat():
                yield Errand("review", name, _href(one))


def _href(one: Withholding) -> str:
    return f"/office/publication/{id_of(one.visit_id, one.task_id)}"


def _to_publish(conn: Connection, person: Person, today: date) -> Iterator[Errand]:
    ready = [one for one in publications.waiting(conn, person.unit_id) if one.approved]
    if ready:
        first = ready[0].due_on
        target = None if first is None else date.fromisoformat(first)
        lights, known = rule_set_on(conn, today).lights, calendars.calendar(conn)
        about = ready[0].subject_name
        yield Errand("publish", about, "/office/publication", light_of(target, None, today, lights, known), len(ready))
