"""Letters to who objected: numbered, printed once and kept among the documents of the visit that is objected to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import rfc8785

from server.domain.calendar import Due
from server.domain.document_case import Seal
from server.domain.instant import beijing_day, stamp
from server.domain.objection import letter_no
from server.domain.objection_letters import Letter, letter_of
from server.errors import Problem
from server.office.act import new_id
from server.office.printing import Printer
from server.store import documents, numbers, publications
from server.store.checkpoints import latest_checkpoint
from server.store.documents import Document
from server.store.objections import Objection
from server.store.people import Person
from server.store.rules import rule_set_on
from server.store.session import Connection


def draft(
    conn: Connection, now: datetime, it: Objection, kind: str, org: str, n: int, *, due: Due | None = None, **said: Any
) -> Letter:
    """The letter with a place in its series: what `said` doesn't bring, the objection and the result do."""
    today = beijing_day(now)
    result = publications.versions_of(conn, it.publication_id)[it.version - 1].result
    rules, sealed = rule_set_on(conn, today), latest_checkpoint(conn)
    return Letter(
        kind=kind,
        no=letter_no(numbers.prefix_of(conn, it.unit_id), kind, today.year, n),
        org=org,
        today=today.isoformat(),
        objection_no=it.no,
        result_no=it.result_no,
        subject=result.subject,
        items=result.items,
        main=result.main,
        published_on=result.published_on if result.corrected is None else result.corrected.on,
        received_on=it.papers_on,
        recheck_days=rules.recheck_days,
        feedback_days=rules.feedback_days,
        due=due,
        seal=None if sealed is None else Seal(sealed.size, sealed.root),
        **said,
    )


def warm(conn: Connection, now: datetime, it: Objection, kind: str, printer: Printer, **said: Any) -> None:
    """Prints a letter with the number that is next, before the act: its type is set while nobody waits for it."""
    n = numbers.last_of(conn, it.unit_id, kind, beijing_day(now).year) + 1
    printer.paper_of(letter_of(draft(conn, now, it, kind, printer.org, n, **said)), named=True)


def send(
    conn: Connection, person: Person, now: datetime, it: Objection, kind: str, printer: Printer, **said: Any
) -> str:
    """Numbers, prints and keeps a letter; the id of the document."""
    year = beijing_day(now).year
    n = numbers.take(conn, it.unit_id, kind, year)
    sheet = letter_of(draft(conn, now, it, kind, printer.org, n, **said))
    paper = printer.paper_of(sheet, named=True)
    version = publications.versions_of(conn, it.publication_id)[it.version - 1]
    made = Document(
        id=new_id(),
        visit_id=it.visit_id,
        unit_id=it.unit_id,
        kind=kind,
        year=year,
        n=n,
        no=sheet.no,
        round=version.round,
        record=version.result.record,
        sheet=rfc8785.dumps(msgspec.to_builtins(sheet)),
        problems=[],
        due_on=None,
        order_id=None,
        replaces=None,
        reason="",
        sha256=paper.sha256,
        size=paper.size,
        made_by=person.id,
        made_at=stamp(now),
    )
    documents.add_document(conn, made, now)
    return made.id


def letter(conn: Connection, document_id: str) -> Document:
    """A letter that went out."""
    found = documents.document_of(conn, document_id)
    if found is None:
        raise Problem("not_found")
    return found
