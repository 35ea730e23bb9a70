"""Making documents of a visit: numbered, printed once, never edited; a new one replaces an old one, and says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
import rfc8785

from server.domain import document as rules
from server.domain.access import allows
from server.domain.document_entry import Typed, check_document
from server.domain.document_order import Problem as Ordered
from server.domain.document_order import first_due, problems_of
from server.domain.document_sheet import Sheet
from server.domain.document_sheets import Made, sheet_of
from server.domain.entry import Entry
from server.domain.faults import Fault, Invalid, stops
from server.domain.instant import beijing_day, stamp
from server.errors import Problem
from server.office.act import act, digest_of, new_id
from server.office.document_case import case_of, record_for, standing_of, visit_for
from server.office.printing import Printer
from server.store import directory, documents, numbers, trail
from server.store.documents import Document
from server.store.people import Person
from server.store.session import Connection
from server.store.visits import Locked

ARTICLE = "23"
RIGHT = "documents.make"


class Draft(msgspec.Struct, frozen=True):
    """A document that lacks only its number: everything that its sheet is made from, checked."""

    visit: Locked
    kind: str
    year: int
    prefix: str
    typed: Typed
    sheet: Sheet
    round: int
    record: str | None
    problems: list[Ordered]
    order_id: str | None
    replaces: Document | None
    named: bool


def warm(
    conn: Connection, person: Person, now: datetime, visit_id: str, kind: str, values: Mapping[str, str],
    printer: Printer,
) -> None:  # fmt: skip
    """Prints a document with the number that is next, before the act: its type is set while nobody waits for it."""
    year = beijing_day(now).year
    visit = visit_for(conn, person, RIGHT, visit_id)
    draft = _draft(conn, now, visit, kind, values, numbers.last_of(conn, visit.unit_id, kind, year) + 1, printer.org)
    printer.paper_of(draft.sheet, named=draft.named)


@act("document.make", RIGHT)
def make(
    conn: Connection, person: Person, now: datetime, visit_id: str, kind: str, values: Mapping[str, str],
    printer: Printer,
) -> str:  # fmt: skip
    """Makes a document of a visit of the clerk's own unit; gives its id.

    Its number, its bytes and its entry in the trail come in one transaction: nothing is numbered that wasn't printed.
    """
    visit = visit_for(conn, person, RIGHT, visit_id, lock=True)
    n = 1 if kind not in rules.KINDS else numbers.take(conn, visit.unit_id, kind, beijing_day(now).year)
    draft = _draft(conn, now, visit, kind, values, n, printer.org)
    paper = printer.paper_of(draft.sheet, named=draft.named)
    made = Document(
        id=new_id(),
        visit_id=visit.id,
        unit_id=visit.unit_id,
        kind=kind,
        year=draft.year,
        n=n,
        no=draft.sheet.no,
        round=draft.round,
        record=draft.record,
        sheet=rfc8785.dumps(msgspec.to_builtins(draft.sheet)),
        problems=draft.problems,
        due_on=first_due(draft.problems) if kind == "rectification_order" else None,
        order_id=draft.order_id,
        replaces=None if draft.replaces is None else draft.replaces.id,
        reason=draft.typed.reason,
        sha256=paper.sha256,
        size=paper.size,
        made_by=person.id,
        made_at=stamp(now),
    )
    documents.add_document(conn, made, now)
    _note(conn, person, now, made, draft.replaces)
    return made.id


def _draft(
    conn: Connection, now: datetime, visit: Locked, kind: str, values: Mapping[str, str], n: int, org: str
) -> Draft:
    if kind not in rules.KINDS:
        raise Invalid([Fault("kind", "not_one_of", {"found": kind[:20]})], ARTICLE)
    view = record_for(conn, visit)
    case = case_of(conn, visit, view, now, org)
    lacking = rules.lacking(kind, standing_of(conn, visit, view, case.marks))
    if lacking is not None:
        raise Problem(lacking)
    replaces = _replaced(conn, visit.id, kind, values.get("replaces", ""))
    typed, faults = check_document(kind, values, replacing=replaces is not None)
    if stops(faults):
        raise Invalid(faults, ARTICLE)
    order = documents.order_of_recheck(conn, visit.id) if kind == "recheck_opinion" else None
    year, prefix = beijing_day(now).year, numbers.prefix_of(conn, visit.unit_id)
    problems = problems_of(case.findings) if kind == "rectification_order" else [] if order is None else order.problems
    made = Made(
        kind=kind,
        no=rules.number_of(prefix, kind, year, n),
        typed=typed,
        order_no="" if order is None else order.no,
        ordered=problems,
        replaces="" if replaces is None else replaces.no,
    )
    return Draft(
        visit, kind, year, prefix, typed, sheet_of(case, made), view["round"], view["digest"], problems,
        None if order is None else order.id, replaces, values.get("named") == "yes",
    )  # fmt: skip


def _replaced(conn: Connection, visit_id: str, kind: str, replaces: str) -> Document | None:
    """The document that the new one replaces; of most kinds a visit has one that counts."""
    counting = documents.counting(conn, visit_id, kind)
    if replaces:
        found = next((one for one in counting if one.id == replaces), None)
        if found is None:
            raise Problem("document_replaced")
        return found
    if counting and kind in rules.SINGLE:
        raise Problem("document_exists", members={"document": counting[-1].id}, no=counting[-1].no)
    return None


def _note(conn: Connection, person: Person, now: datetime, made: Document, before: Document | None) -> None:
    detail = {
        "visit": made.visit_id,
        "kind": made.kind,
        "number": made.no,
        "record": made.record,
        "sha256": made.sha256,
        "replaces": None if before is None else before.no,
        "reason": made.reason or None,
    }
    was = None if before is None else _digest(before)
    trail.append(conn, [trail.Act("document.make", person.id, f"document:{made.id}", was, _digest(made), detail)], now)


def _digest(one: Document) -> str:
    return digest_of({"no": one.no, "record": one.record, "sha256": one.sha256})


# --- reading ----------------------------------------------------------------------------------------------------------


def document_for(conn: Connection, person: Person, document_id: str) -> Document:
    """A document that this person may read; for others there is none."""
    found = documents.document_of(conn, document_id)
    if found is None or not allows(person.roles, person.unit_id, "documents.read", found.unit_id):
        raise Problem("not_found")
    return found


# --- what a unit's numbers begin with ---------------------------------------------------------------------------------


@act("document.prefix", "units.change")
def set_prefix(conn: Connection, person: Person, now: datetime, unit_id: str, values: Mapping[str, str]) -> None:
    """Gives a unit the word that its numbers begin with, from the next document on; no two units have the same."""
    known = directory.names_of_units(conn)
    if unit_id not in known:
        raise Problem("not_found")
    entry = Entry(values)
    prefix = entry.line("prefix", most=rules.PREFIX_MOST)
    others = {numbers.prefix_of(conn, id): id for id in known if id != unit_id}
    if prefix in others:
        entry.wrong("prefix", "prefix_taken", found=known[others[prefix]])
    if not entry.is_good:
        raise Invalid(entry.faults)
    before = numbers.prefix_of(conn, unit_id)
    numbers.set_prefix(conn, unit_id, prefix, person.id, now)
    detail = {"prefix": prefix, "before": before}
    done = trail.Act("document.prefix", person.id, f"unit:{unit_id}", digest_of(before), digest_of(prefix), detail)
    trail.append(conn, [done], now)
