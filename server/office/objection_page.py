"""What the room of objections shows: the list with its lights, one objection, who could recheck, and what waits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

import msgspec

from server.domain import objection as rules
from server.domain.access import ALL, allows, reach
from server.domain.calendar import Calendar, Due, Light, due_date, light_of
from server.office.objection_filing import due_of
from server.office.objections import first_crew, hindrance, last_of, objection_for
from server.office.rechecks import fit_for
from server.store import calendars, documents, objections, publications
from server.store.crews import Candidate
from server.store.documents import Document
from server.store.objections import FEEDBACK, RECHECK, Dated, Event, Objection, Paper
from server.store.people import Person
from server.store.publications import Version
from server.store.rules import rule_set_on
from server.store.seal import Sealer
from server.store.session import Connection

OFFICE_ACTS: Final = ("accept", "ask_papers", "refuse", "assign", "find", "send_back", "confirm", "answer")


class Row(msgspec.Struct, frozen=True):
    """An objection in the list: the deadline that runs now, and its light."""

    it: Objection
    due: Due | None
    light: Light | None


class One(msgspec.Struct, frozen=True):
    """One objection as its page shows it. `name`, `grounds` and `wanted` are opened for who may read papers.

    `can` is act -> None where this person may do it now, or the code of what is in the way; acts that the state or his
    rights don't know are absent.
    """

    it: Objection
    row: Row
    recheck: Due | None
    feedback: Due | None
    events: list[Event]
    letters: Mapping[str, Document]
    papers: list[Paper]
    said: Mapping[str, str]
    opens: bool
    can: Mapping[str, str | None]
    first: set[str]
    sent: Event | None
    found: Event | None
    corrections: list[tuple[str, str]]
    versions: list[Version]
    corrects: bool


class Errand(msgspec.Struct, frozen=True):
    """One thing of this room that waits for somebody: the word `objections.waits.<code>`."""

    code: str
    about: str
    href: str
    light: Light | None


def unit_of(person: Person) -> str | None:
    """The unit whose objections a person sees; None where he sees all."""
    return None if reach(person.roles, "objections.read") == ALL else person.unit_id


def rows(conn: Connection, found: list[Objection], today: date) -> list[Row]:
    """Each with the deadline that runs."""
    known, steps = calendars.calendar(conn), rule_set_on(conn, today).lights
    return [_row(conn, one, today, steps, known) for one in found]


def _row(conn: Connection, it: Objection, today: date, steps: tuple[int, int, int], known: Calendar) -> Row:
    due = None if it.is_closed else running(conn, it, known)
    light = None if due is None else light_of(due.on, due.on, today, steps, known)
    return Row(it, due, light)


def running(conn: Connection, it: Objection, known: Calendar) -> Due | None:
    """The deadline that runs: before it is accepted the days of the recheck run from the papers already."""
    if it.state in ("filed", "papers_asked"):
        start = date.fromisoformat(it.papers_on)
        return due_date(start, rule_set_on(conn, start).recheck_days, known)
    return due_of(conn, it, FEEDBACK if it.state in ("found", "confirmed") else RECHECK)


def one(conn: Connection, person: Person, sealer: Sealer, id: str, today: date) -> One:
    """What the page of an objection shows to this person."""
    it = objection_for(conn, person, id)
    events = objections.events_of(conn, it.id)
    opens = allows(person.roles, person.unit_id, "objections.papers", it.unit_id)
    names = ("name", "grounds", "wanted") if opens else ()
    corrections = objections.corrections_because_of(conn, it.id)
    return One(
        it=it,
        row=rows(conn, [it], today)[0],
        recheck=due_of(conn, it, RECHECK),
        feedback=due_of(conn, it, FEEDBACK),
        events=events,
        letters={one.document_id: kept for one in events if one.document_id is not None
                 and (kept := documents.document_of(conn, one.document_id)) is not None},
        papers=objections.papers_of(conn, it.id),
        said={name: objections.opened(conn, sealer, it.id, name) for name in names},
        opens=opens,
        can=_can(conn, person, it),
        first=first_crew(conn, it),
        sent=last_of(conn, it, "assign"),
        found=last_of(conn, it, "find") if it.outcome else None,
        corrections=corrections,
        versions=publications.versions_of(conn, it.publication_id),
        corrects=_corrects(person, it, corrections),
    )  # fmt: skip


def _can(conn: Connection, person: Person, it: Objection) -> dict[str, str | None]:
    found = dict[str, str | None]()
    for act in OFFICE_ACTS:
        right = "objections.confirm" if act in ("confirm", "send_back") else "objections.handle"
        if allows(person.roles, person.unit_id, right, it.unit_id) and rules.after(it.state, act) is not None:
            found[act] = hindrance(conn, person, it, act)
    return found


def _corrects(person: Person, it: Objection, corrections: list[tuple[str, str]]) -> bool:
    """Whether this person may ask for a correction because of it now."""
    ready = it.outcome in rules.WRONG and it.state in ("confirmed", "answered")
    may = allows(person.roles, person.unit_id, "corrections.ask", it.unit_id)
    return ready and may and all(state == "refused" for _, state in corrections)


def able(conn: Connection, it: Objection, today: date) -> list[Candidate]:
    """Who could recheck from today on, the first crew among them."""
    return fit_for(conn, it.unit_id, it.subject_id, (today.isoformat(), today.isoformat()))


# --- the first page ---------------------------------------------------------------------------------------------------

_CLERK: Final = {"filed": "papers", "accepted": "assign", "rechecking": "find", "confirmed": "answer"}


def errands(conn: Connection, person: Person, today: date) -> Iterator[Errand]:
    """What waits: for the clerk the next step, for the head the confirmation; all who read see what is overdue."""
    if reach(person.roles, "objections.read") is None:
        return
    handles, confirms = (
        allows(person.roles, person.unit_id, right, person.unit_id)
        for right in ("objections.handle", "objections.confirm")
    )
    for row in rows(conn, objections.objections(conn, unit_of(person), closed=False), today):
        code = _CLERK.get(row.it.state) if handles else None
        if confirms and row.it.state == "found":
            code = "confirm"
        if code is None and row.light is not None and row.light.kind == "overdue":
            code = "late"
        if code is not None:
            yield Errand(code, row.it.subject, f"/office/objections/{row.it.id}", row.light)


# --- the page of deadlines --------------------------------------------------------------------------------------------


def dated(conn: Connection, unit_id: str | None, today: date, *, waiting: bool) -> list[tuple[Dated, Due, Light]]:
    """The deadlines of objections that aren't met, of a unit or of all, each with its light."""
    known, steps = calendars.calendar(conn), rule_set_on(conn, today).lights
    found = []
    for one in objections.dated(conn, unit_id, waiting=waiting):
        on = None if one.due_on is None else date.fromisoformat(one.due_on)
        found.append((one, Due(on, one.known, one.missing_year), light_of(on, on, today, steps, known)))
    return found
