"""Orders followed until they are closed: when each is due, and the visit that looks whether it was obeyed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

import msgspec

from server.domain.access import allows
from server.domain.calendar import Light, light_of
from server.domain.crew_frame import LEAST, out_of_frame
from server.domain.document_order import recheck_list
from server.domain.entry import Entry
from server.domain.faults import Invalid
from server.domain.instant import beijing_day
from server.domain.interest import barred_pairs
from server.domain.officer import DOMAINS
from server.errors import Problem
from server.office.act import act, digest_of, permit
from server.office.dispatch import uuid7
from server.office.documents import document_for
from server.office.field import Field, VisitOrder
from server.store import calendars, crews, documents, interests, recusals, rules, trail, visits
from server.store.crews import Candidate
from server.store.documents import Document, Follow
from server.store.people import Person
from server.store.session import Connection

ARTICLE: Final = "24"
RIGHT: Final = "rechecks.open"


class Followed(msgspec.Struct, frozen=True):
    """An order in the list of follow-ups, with its light today."""

    it: Follow
    light: Light


def followed(conn: Connection, unit_id: str | None, today: date, *, closed: bool = False) -> list[Followed]:
    """The orders of a unit, or of all, that are still open (or closed), the most urgent first.

    The day of an order is the subject's own: when it is past, it is overdue.
    """
    steps, known = rules.rule_set_on(conn, today).lights, calendars.calendar(conn)
    found = documents.follow_ups(conn, unit_id, closed=closed)
    days = [(one, date.fromisoformat(one.due_on)) for one in found]
    return [Followed(one, light_of(day, day, today, steps, known)) for one, day in days]


@act("recheck.open", RIGHT)
def open_recheck(
    conn: Connection, person: Person, now: datetime, order_id: str, values: Mapping[str, str],
    members: Sequence[str], field: Field, chance: bytes,
) -> str:  # fmt: skip
    """Sends a crew to look whether an order was obeyed; gives the visit's id.

    It reaches the phones as any visit does, and serves no task: it was drawn by nobody and counts nowhere. `chance` are
    random bytes, of which id and nonce are made.
    """
    order = _order_for(conn, person, order_id)
    entry = Entry(values)
    first, last = entry.day("window_from"), entry.day("window_to")
    if first and last and last < first:
        entry.wrong("window_to", "days_swapped", since=first, until=last)
    if not entry.is_good or first is None or last is None:
        raise Invalid(entry.faults, ARTICLE)
    visit = visits.look(conn, order.visit_id)
    if visit is None:
        raise Problem("not_found")
    leader = values.get("leader", "")
    _must_be_crew(conn, order.unit_id, visit.subject_id, members, leader, (first, last))
    id = uuid7(now, chance, 0)
    field.open_visit(
        conn,
        person,
        now,
        VisitOrder(
            id=id,
            unit_id=order.unit_id,
            subject_id=visit.subject_id,
            subject=(visit.subject_name, visit.subject_uscc),
            template=recheck_list(order.no, order.problems),
            window=(first, last),
            tasks=[],
            crew=[(one, "leader" if one == leader else "member") for one in sorted(set(members))],
            nonce=chance.hex()[:32],
        ),
    )
    documents.add_recheck(conn, id, order.id, person.id, now)
    detail = {"number": order.no, "order": order.id, "officers": sorted(set(members)), "leader": leader}
    done = trail.Act("recheck.open", person.id, f"visit:{id}", None, digest_of(detail), detail)
    trail.append(conn, [done], now)
    return id


def _order_for(conn: Connection, person: Person, order_id: str) -> Document:
    """An order that is to be followed, its visit locked: of two clerks one opens its recheck."""
    order = document_for(conn, person, order_id)
    permit(person, RIGHT, order.unit_id)
    visits.lock(conn, order.visit_id)
    found = next((one for one in documents.follow_ups(conn, order.unit_id) if one.id == order.id), None)
    if found is None:
        raise Problem("recheck_not_needed")
    if found.recheck_id is not None:
        raise Problem("recheck_open", members={"visit": found.recheck_id})
    return order


def _must_be_crew(
    conn: Connection, unit_id: str, subject_id: str, members: Sequence[str], leader: str, window: tuple[str, str]
) -> None:
    """Two at least, one leading (R18.2), each with a certificate for all of the window and nothing against him."""
    if len(set(members)) < LEAST or leader not in members:
        raise Problem("crew_too_few")
    fit = {one.id for one in fit_for(conn, unit_id, subject_id, window)}
    if not fit.issuperset(members):
        raise Problem("crew_not_qualified")


def fit_for(conn: Connection, unit_id: str, subject_id: str, window: tuple[str, str]) -> list[Candidate]:
    """The officers of a unit who may recheck a subject in these days, by name."""
    officers = crews.candidates(conn, unit_id)
    ids = [one.id for one in officers]
    days = (date.fromisoformat(window[0]), date.fromisoformat(window[1]))
    kept_off = barred_pairs(interests.interests_of(conn, ids), *days) | recusals.recused_pairs(conn, ids)
    return sorted(
        (one for one in officers if (one.id, subject_id) not in kept_off and _is_in_force(one, window)),
        key=lambda one: (one.name, one.id),
    )


def _is_in_force(one: Candidate, window: tuple[str, str]) -> bool:
    return all(out_of_frame(one, day, next(iter(one.domains), next(iter(DOMAINS)))) is None for day in window)


def able_for(conn: Connection, person: Person, order: Document, now: datetime) -> list[Candidate]:
    """Who could recheck an order from today on; nobody where none is to be opened, or not by this person."""
    if not allows(person.roles, person.unit_id, RIGHT, order.unit_id):
        return []
    waiting = {one.id for one in documents.follow_ups(conn, order.unit_id) if one.recheck_id is None}
    visit = visits.look(conn, order.visit_id)
    if order.id not in waiting or visit is None:
        return []
    today = beijing_day(now).isoformat()
    return fit_for(conn, order.unit_id, visit.subject_id, (today, today))
