"""Objections: the list with its lights, one objection with its papers, and every step of the office."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from secrets import token_bytes
from typing import Any, Final

from litestar import Response, Router, get, post

from server.domain import objection as rules
from server.domain.instant import beijing_day
from server.domain.result import TYPES
from server.errors import Problem
from server.office import objection_page as page
from server.office import objections as acts
from server.office.act import permit
from server.office.printing import Printer
from server.routes import guards
from server.routes.forms import WITH_FORM, Filled, Form, answer_form, fresh_password, refilled, run_act, wants_page
from server.routes.guards import Asked, has_right
from server.routes.lists import look_of
from server.routes.pages import on_problem, render
from server.routes.rooms.publication import as_published
from server.store import directory, objections
from server.store.people import Person
from server.store.session import Connection
from server.words import Words

ROOM: Final = "/office/objections"
PAGE: Final = 50
READ, HANDLE, CONFIRM = has_right("objections.read"), has_right("objections.handle"), has_right("objections.confirm")
PAPERS: Final = has_right("objections.papers")


def _today(request: Asked) -> Any:
    return beijing_day(guards.now(request))


@get("/", guards=[READ], sync_to_thread=True)
def show_objections(request: Asked) -> Response[str]:
    """The objections to results of one's own unit, or of all: the open ones by their papers, or the closed."""
    look = look_of(request, "show")
    closed, unit, start = look["show"] == "closed", page.unit_of(request.user), (look.page - 1) * PAGE
    with request.app.state.db.read() as conn:
        counts = {show: objections.count(conn, unit, closed=show == "closed") for show in ("open", "closed")}
        found = objections.objections(conn, unit, closed=closed, first=start, limit=PAGE)
        rows, units = page.rows(conn, found, _today(request)), directory.names_of_units(conn)
    return render(
        request, "objections", room="objections", look=look, rows=rows, counts=counts, units=units, closed=closed,
        total=counts["closed" if closed else "open"], size=PAGE,
    )  # fmt: skip


@get("/{objection_id:str}", guards=[READ], sync_to_thread=True)
def show_objection(request: Asked, objection_id: str) -> Response[str]:
    """One objection: where it stands, its papers and letters, and what this person can do with it."""
    return _page(request, objection_id, Filled(), 200)


def _page(request: Asked, objection_id: str, filled: Filled, status: int, at: str = "") -> Response[str]:
    """`at` is the act whose form comes again."""
    today = _today(request)
    with request.app.state.db.read() as conn:
        found = page.one(conn, request.user, request.app.state.sealer, objection_id, today)
        able = page.able(conn, found.it, today) if "assign" in found.can else []
        names, units = directory.names_of_people(conn), directory.names_of_units(conn)
    if found.corrects and at != "correction":
        filled = as_published(found.versions[-1].result, filled)
    return render(
        request, "objections_one", status, room="objections", found=found, able=able, names=names, units=units,
        filled=filled, at=at, blank=Filled(), refusals=rules.REFUSALS, outcomes=rules.OUTCOMES,
        methods=rules.METHODS, types=TYPES,
    )  # fmt: skip


@get("/{objection_id:str}/papers/{paper_n:int}", guards=[PAPERS], sync_to_thread=True)
def give_paper(request: Asked, objection_id: str, paper_n: int) -> Response[bytes]:
    """A paper as it was sent, to be kept as a file and never shown."""
    with request.app.state.db.read() as conn:
        it = acts.objection_for(conn, request.user, objection_id)
        permit(request.user, acts.PAPERS, it.unit_id)
        paper = next((one for one in objections.papers_of(conn, it.id) if one.n == paper_n), None)
    if paper is None:
        raise Problem("not_found")
    sealed = request.app.state.files.path(paper.sha256).read_bytes()
    content = request.app.state.sealer.open_bytes("objection_paper", "content", f"{it.id}/{paper.n}", sealed)
    name = f"objection-{it.no}-{paper.n}.{rules.ENDINGS[paper.mime]}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(content, media_type=paper.mime, headers=headers)


Call = Callable[[Connection, Person, Any], Any]


def _act(request: Asked, objection_id: str, form: Form, name: str, call: Call) -> Response[Any]:
    """Does a step and leads back to the objection, or shows its form again."""
    return answer_form(
        request,
        form,
        call,
        done=f"{ROOM}/{objection_id}",
        again=lambda filled, status: _page(request, objection_id, filled, status, name),
    )


def _printer(request: Asked) -> Printer:
    return Printer(request.app.state.press, request.app.state.files, Words("zh-CN")("app.bureau"))


def _with_letter(request: Asked, objection_id: str, form: Form, name: str, call: Callable[..., Any]) -> Response[Any]:
    """A step that sends a letter: its type is set before the act."""
    printer, now = _printer(request), guards.now(request)
    with suppress(Problem), request.app.state.db.read() as conn:
        acts.warm(conn, request.user, now, objection_id, name, form.values, printer)
    return _act(request, objection_id, form, name, lambda conn, person, at: call(conn, person, at, printer))


@post("/{objection_id:str}/accept", guards=[HANDLE], sync_to_thread=True)
def accept(request: Asked, objection_id: str, form: Form) -> Response[Any]:
    """Takes it up, by letter."""
    return _with_letter(
        request, objection_id, form, "accept",
        lambda conn, person, now, printer: acts.accept(conn, person, now, objection_id, form.values, printer),
    )  # fmt: skip


@post("/{objection_id:str}/ask", guards=[HANDLE], sync_to_thread=True)
def ask_papers(request: Asked, objection_id: str, form: Form) -> Response[Any]:
    """Asks for what is missing."""
    return _act(
        request, objection_id, form, "ask_papers",
        lambda conn, person, now: acts.ask_papers(conn, person, now, objection_id, form.values),
    )  # fmt: skip


@post("/{objection_id:str}/refuse", guards=[HANDLE], sync_to_thread=True)
def refuse(request: Asked, objection_id: str, form: Form) -> Response[Any]:
    """Doesn't take it up, by letter."""
    return _with_letter(
        request, objection_id, form, "refuse",
        lambda conn, person, now, printer: acts.refuse(conn, person, now, objection_id, form.values, printer),
    )  # fmt: skip


@post("/{objection_id:str}/assign", guards=[HANDLE], sync_to_thread=True)
def assign(request: Asked, objection_id: str, form: Form) -> Response[Any]:
    """Names who rechecks."""
    field, chance, members = request.app.state["field"], token_bytes(32), form.chosen("officers")
    return _act(
        request, objection_id, form, "assign",
        lambda conn, person, now: acts.assign(
            conn, person, now, objection_id, form.values, members, field, chance
        ),
    )  # fmt: skip


@post("/{objection_id:str}/find", guards=[HANDLE], sync_to_thread=True)
def find(request: Asked, objection_id: str, form: Form) -> Response[Any]:
    """Enters the recheck's result."""
    return _act(
        request, objection_id, form, "find",
        lambda conn, person, now: acts.find(conn, person, now, objection_id, form.values),
    )  # fmt: skip


@post("/{objection_id:str}/confirm", guards=[CONFIRM], sync_to_thread=True)
def confirm(request: Asked, objection_id: str, form: Form) -> Response[Any]:
    """The head confirms it."""
    return _act(
        request, objection_id, form, "confirm",
        lambda conn, person, now: acts.confirm(conn, person, now, objection_id),
    )  # fmt: skip


@post("/{objection_id:str}/send-back", guards=[CONFIRM], sync_to_thread=True)
def send_back(request: Asked, objection_id: str, form: Form) -> Response[Any]:
    """The head wants it rechecked further."""
    return _act(
        request, objection_id, form, "send_back",
        lambda conn, person, now: acts.send_back(conn, person, now, objection_id, form.values),
    )  # fmt: skip


@post("/{objection_id:str}/correction", guards=[has_right("corrections.ask")], sync_to_thread=True)
def ask_correction(request: Asked, objection_id: str, form: Form) -> Response[Any]:
    """Asks the principal for the correction that the recheck calls for."""
    further = {name.removeprefix("more:"): form.lists[name] for name in form.lists if name.startswith("more:")}
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.ask_correction(conn, person, now, objection_id, form.values, further),
        done=lambda made: f"/office/publication/corrections/{made}",
        again=lambda filled, status: _page(request, objection_id, filled, status, "correction"),
    )


@post("/{objection_id:str}/answer", guards=[HANDLE], sync_to_thread=True)
def answer(request: Asked, objection_id: str, form: Form) -> Response[Any]:
    """Tells who objected, by letter."""
    return _with_letter(
        request, objection_id, form, "answer",
        lambda conn, person, now, printer: acts.answer(conn, person, now, objection_id, printer),
    )  # fmt: skip


@post("/{objection_id:str}/reveal", guards=[PAPERS], status_code=200, sync_to_thread=True)
def reveal(request: Asked, objection_id: str, form: Form) -> Response[Any]:
    """The phone of who objected, once, for a reason and the password."""
    sealer = request.app.state.sealer
    try:
        fresh_password(request, form)
        phone = run_act(
            request, lambda conn, person, now: acts.reveal_phone(conn, person, now, sealer, objection_id, form.values)
        )
    except Problem as problem:
        if not wants_page(request) or problem.code == "not_found":
            raise
        return _page(request, objection_id, *refilled(request, form, problem), "reveal")
    with request.app.state.db.read() as conn:
        it = acts.objection_for(conn, request.user, objection_id)
    return render(request, "objections_revealed", room="objections", it=it, phone=phone, reason=form.text("reason"))


router = Router(
    ROOM,
    exception_handlers={Problem: on_problem},
    dependencies=WITH_FORM,
    route_handlers=[
        show_objections,
        show_objection,
        give_paper,
        accept,
        ask_papers,
        refuse,
        assign,
        find,
        confirm,
        send_back,
        ask_correction,
        answer,
        reveal,
    ],
)
