"""Making documents over HTTP, as tests and walks need them: a clerk's form, an order, a recheck with its crew."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import httpx

from server.domain.instant import beijing_day
from server.store import documents
from server.store.documents import Document
from tests.office.district import HTML, IDS, Office

INTERVIEW: Final = {
    "person": "何敏",
    "post": "厂长",
    "place": "厂办公室",
    "since": "2026-11-24T14:30",
    "until": "2026-11-24T15:10",
    "recorder": "王楠",
    "talk": "问：氧化剂和还原剂为什么放在一起？\n答：库房紧张，临时放的。\n上个月起就这样。",
}
"""What an interview's form is filled with."""


def posted(office: Office, who: str, visit_id: str, kind: str, **form: str) -> httpx.Response:
    """The form of a document, as a page posts it."""
    address = f"/office/documents/visits/{visit_id}/new"
    return office.client(who).post(address, data={"kind": kind, **form}, headers=HTML)


def made(office: Office, who: str, visit_id: str, kind: str, **form: str) -> str:
    """Makes a document; its id."""
    answer = posted(office, who, visit_id, kind, **form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rpartition("/")[2]


def kept(office: Office, document_id: str) -> Document:
    """The document as the database has it."""
    with office.db.read() as conn:
        found = documents.document_of(conn, document_id)
    assert found is not None
    return found


def fresh_order(office: Office, who: str, name: str) -> str:
    """An order that is followed by nobody yet, in the place of one that a visit of the demo may have."""
    visit_id, kind = IDS[name], "rectification_order"
    office.client(who).get(f"/office/documents/visits/{visit_id}", headers=HTML).raise_for_status()
    with office.db.read() as conn:
        older = documents.counting(conn, visit_id, kind)
    form = {"replaces": older[-1].id, "reason": "期限有误"} if older else {}
    return made(office, who, visit_id, kind, **form)


def recheck_form(office: Office, *officers: str) -> dict[str, str | list[str]]:
    """A crew for today and the week after, the first of them leading."""
    today = beijing_day(office.running.now())
    days = {"window_from": today.isoformat(), "window_to": (today + timedelta(7)).isoformat()}
    return {**days, "officers": list(officers), "leader": officers[0]}


def send_recheck(office: Office, who: str, order_id: str, *officers: str, **more: str) -> httpx.Response:
    """The form that sends a crew to recheck an order."""
    form = recheck_form(office, *officers) | more
    return office.client(who).post(f"/office/documents/{order_id}/recheck", data=form, headers=HTML)


def pdf_of(office: Office, who: str, document_id: str) -> bytes:
    """The PDF as a reader gets it."""
    answer = office.client(who).get(f"/office/documents/{document_id}/document.pdf")
    assert answer.status_code == 200, answer.text
    return answer.content
