"""What the pages of documents show: those of a visit with what can be made of it, and one with what follows from it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from server.domain import document as rules
from server.domain.access import allows
from server.domain.document_case import day_said
from server.office.document_case import case_of, record_for, standing_of, visit_for
from server.office.documents import RIGHT, document_for
from server.store import documents
from server.store.documents import Document
from server.store.people import Person
from server.store.session import Connection
from server.store.visits import Locked


class Offer(msgspec.Struct, frozen=True):
    """A kind of document as the page offers it: the code of what is missing, and the one that counts already."""

    kind: str
    lacking: str | None
    counting: Document | None


class VisitDocuments(msgspec.Struct, frozen=True):
    """The documents of a visit; `later` leads from each that was replaced to the one that counts instead."""

    visit: Locked
    made: list[Document]
    later: dict[str, Document]
    offers: list[Offer]
    makes: bool
    order: Document | None


class OneDocument(msgspec.Struct, frozen=True):
    """One document with its place: what it replaced, what replaced it, and of an order the rechecks and opinions."""

    it: Document
    subject: str
    before: Document | None
    after: Document | None
    rechecks: list[tuple[str, str]]
    opinion: Document | None
    due: str


def documents_of_visit(conn: Connection, person: Person, visit_id: str, now: datetime) -> VisitDocuments:
    """What the page of a visit's documents shows."""
    visit = visit_for(conn, person, "documents.read", visit_id)
    view = record_for(conn, visit)
    standing = standing_of(conn, visit, view, case_of(conn, visit, view, now).marks)
    made = documents.documents_of(conn, visit.id)
    later = {one.replaces: one for one in made if one.replaces is not None}
    counting = {one.kind: one for one in made if one.id not in later and one.kind in rules.SINGLE}
    offers = [Offer(kind, rules.lacking(kind, standing), counting.get(kind)) for kind in rules.KINDS]
    makes = allows(person.roles, person.unit_id, RIGHT, visit.unit_id)
    return VisitDocuments(visit, made, later, offers, makes, documents.order_of_recheck(conn, visit.id))


def one_document(conn: Connection, person: Person, document_id: str) -> OneDocument:
    """What the page of a document shows."""
    found = document_for(conn, person, document_id)
    visit = visit_for(conn, person, "documents.read", found.visit_id)
    return OneDocument(
        found,
        visit.subject_name,
        None if found.replaces is None else documents.document_of(conn, found.replaces),
        documents.replaced_by(conn, found.id),
        documents.rechecks_of(conn, [found.id]).get(found.id, []),
        documents.opinion_on(conn, found.id),
        "" if found.due_on is None else day_said(found.due_on),
    )
