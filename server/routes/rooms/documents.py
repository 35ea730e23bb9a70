"""Documents: those of a visit, making one, its PDF; orders followed up with their rechecks; what numbers begin with."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from secrets import token_bytes
from typing import Any, Final
from urllib.parse import quote

from litestar import Response, Router, get, post

from server.domain.access import reach
from server.domain.document import KINDS, number_of
from server.domain.document_entry import FIELDS, MUST
from server.domain.instant import beijing_day
from server.errors import Problem
from server.office import document_page, documents, rechecks
from server.office.printing import Printer
from server.routes import guards
from server.routes.forms import WITH_FORM, Filled, Form, answer_form
from server.routes.guards import Asked, has_right
from server.routes.language import sentence_for
from server.routes.lists import look_of
from server.routes.pages import on_problem, render
from server.store import directory, numbers
from server.sync.record import record_of
from server.words import Words

ROOM: Final = "/office/documents"
READ, MAKE = has_right("documents.read"), has_right("documents.make")
SHOWN: Final = ("open", "closed")


# --- follow-up --------------------------------------------------------------------------------------------------------


@get("/", guards=[READ], sync_to_thread=True)
def show_orders(request: Asked) -> Response[str]:
    """The orders of one's own unit, or of all units, with the day by which each must be obeyed."""
    look, now = look_of(request, "show"), guards.now(request)
    closed = look["show"] == "closed"
    unit = None if reach(request.user.roles, "documents.read") == "all" else request.user.unit_id
    with request.app.state.db.read() as conn:
        found = {show: rechecks.followed(conn, unit, beijing_day(now), closed=show == "closed") for show in SHOWN}
        units = directory.names_of_units(conn)
    return render(
        request, "documents", room="documents", look=look, rows=found["closed" if closed else "open"],
        counts=[(show, len(found[show])) for show in SHOWN], units=units,
    )  # fmt: skip


# --- of a visit -------------------------------------------------------------------------------------------------------


def _page_of_visit(request: Asked, visit_id: str) -> document_page.VisitDocuments:
    record_of(request.app.state.db, visit_id)  # folds what came since, so that the page is of now
    with request.app.state.db.read() as conn:
        return document_page.documents_of_visit(conn, request.user, visit_id, guards.now(request))


@get("/visits/{visit_id:str}", guards=[READ], sync_to_thread=True)
def show_visit_documents(request: Asked, visit_id: str) -> Response[str]:
    """The documents of a visit, and what can be made of it."""
    page = _page_of_visit(request, visit_id)
    with request.app.state.db.read() as conn:
        names = directory.names_of_people(conn)
    return render(
        request, "documents_visit", room="documents", page=page, names=names,
        why=lambda code: sentence_for(request, Problem(code)),
    )  # fmt: skip


@get("/visits/{visit_id:str}/new", guards=[MAKE], sync_to_thread=True)
def new_document(request: Asked, visit_id: str, kind: str = KINDS[0], replaces: str = "") -> Response[str]:
    """The form of one kind; what the record holds isn't asked for again."""
    return _form(request, visit_id, kind, Filled({"replaces": replaces}), 200)


def _form(request: Asked, visit_id: str, kind: str, filled: Filled, status: int) -> Response[str]:
    if kind not in KINDS:
        raise Problem("not_found")
    page = _page_of_visit(request, visit_id)
    offer = next(one for one in page.offers if one.kind == kind)
    replaced = next((one for one in page.made if one.id == filled.text("replaces")), None)
    return render(
        request, "documents_new", status, room="documents", page=page, offer=offer, filled=filled, asked=FIELDS[kind],
        must=MUST, replaced=replaced, why=lambda code: sentence_for(request, Problem(code)),
        glyphs=status == 422 and not filled.faults,
    )  # fmt: skip


@post("/visits/{visit_id:str}/new", guards=[MAKE], sync_to_thread=True)
def make_document(request: Asked, visit_id: str, form: Form) -> Response[Any]:
    """Makes it: numbered, printed, kept."""
    kind, printer = form.text("kind"), _printer(request)
    _print_ahead(request, visit_id, kind, form.values, printer)
    return answer_form(
        request,
        form,
        lambda conn, person, now: documents.make(conn, person, now, visit_id, kind, form.values, printer),
        done=lambda made: f"{ROOM}/{made}",
        again=lambda filled, status: _form(request, visit_id, kind, filled, status),
    )


def _printer(request: Asked) -> Printer:
    return Printer(request.app.state.press, request.app.state.files, Words("zh-CN")("app.bureau"))


def _print_ahead(request: Asked, visit_id: str, kind: str, values: Mapping[str, str], printer: Printer) -> None:
    """Sets the type before the act; what stands in the way is said by the act itself."""
    db = request.app.state.db
    record_of(db, visit_id)
    with suppress(Problem), db.read() as conn:
        documents.warm(conn, request.user, guards.now(request), visit_id, kind, values, printer)


# --- one document -----------------------------------------------------------------------------------------------------


@get("/{document_id:str}", guards=[READ], sync_to_thread=True)
def show_document(request: Asked, document_id: str) -> Response[str]:
    """One document: its number, its PDF, what it replaced or what follows from it."""
    return _page(request, document_id, Filled(), 200)


def _page(request: Asked, document_id: str, filled: Filled, status: int) -> Response[str]:
    person = request.user
    with request.app.state.db.read() as conn:
        found = document_page.one_document(conn, person, document_id)
        names = directory.names_of_people(conn)
        able = rechecks.able_for(conn, person, found.it, guards.now(request))
    return render(
        request, "documents_one", status, room="documents", found=found, names=names, able=able, filled=filled
    )


@get("/{document_id:str}/document.pdf", guards=[READ], sync_to_thread=True)
def give_pdf(request: Asked, document_id: str, save: bool = False) -> Response[bytes]:
    """The bytes that were printed when it was numbered: shown, or with `save` to be kept as a file."""
    with request.app.state.db.read() as conn:
        found = documents.document_for(conn, request.user, document_id)
    content = request.app.state.files.path(found.sha256).read_bytes()
    how = "attachment" if save else "inline"
    headers = {
        "Content-Disposition": f"{how}; filename=\"{found.sha256[:16]}.pdf\"; filename*=UTF-8''{quote(found.no)}.pdf",
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type="application/pdf", headers=headers)


@post("/{document_id:str}/recheck", guards=[has_right("rechecks.open")], sync_to_thread=True)
def open_recheck(request: Asked, document_id: str, form: Form) -> Response[Any]:
    """Sends a crew to look whether an order was obeyed."""
    field, chance = request.app.state["field"], token_bytes(32)
    return answer_form(
        request,
        form,
        lambda conn, person, now: rechecks.open_recheck(
            conn, person, now, document_id, form.values, form.chosen("officers"), field, chance
        ),
        done=lambda visit: f"/office/visits/{visit}",
        again=lambda filled, status: _page(request, document_id, filled, status),
    )


# --- what numbers begin with ------------------------------------------------------------------------------------------


@get("/numbers", guards=[has_right("units.change")], sync_to_thread=True)
def show_prefixes(request: Asked) -> Response[str]:
    """What each unit's numbers begin with."""
    return _prefixes(request, "", Filled(), 200)


def _prefixes(request: Asked, unit_id: str, filled: Filled, status: int) -> Response[str]:
    year = beijing_day(guards.now(request)).year
    with request.app.state.db.read() as conn:
        units = directory.names_of_units(conn)
        known = {id: numbers.prefix_of(conn, id) for id in units}
    samples = {id: number_of(prefix, KINDS[0], year, 1) for id, prefix in known.items()}
    return render(
        request, "documents_numbers", status, room="documents", units=units, known=known, samples=samples,
        changed=unit_id, filled=filled,
    )  # fmt: skip


@post("/numbers/{unit_id:str}", guards=[has_right("units.change")], sync_to_thread=True)
def set_prefix(request: Asked, unit_id: str, form: Form) -> Response[Any]:
    """Gives a unit its word for the numbers to come."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: documents.set_prefix(conn, person, now, unit_id, form.values),
        done=f"{ROOM}/numbers",
        again=lambda filled, status: _prefixes(request, unit_id, filled, status),
    )


router = Router(
    ROOM,
    exception_handlers={Problem: on_problem},
    dependencies=WITH_FORM,
    route_handlers=[
        show_orders,
        show_prefixes,
        set_prefix,
        show_visit_documents,
        new_document,
        make_document,
        show_document,
        give_pdf,
        open_recheck,
    ],
)
