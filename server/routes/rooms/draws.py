"""Draws: those that may begin, and one draw step by step with its list, its numbers from outside and its files."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from litestar import Response, Router, get, post
from litestar.params import FromPath

from server.domain.faults import Fault
from server.domain.instant import instant
from server.domain.mask import hide_numbers
from server.errors import Problem
from server.office import draw_page, excuses
from server.office import draws as office
from server.office.act import permit
from server.office.draw_page import View
from server.routes import guards
from server.routes.draw_said import Said
from server.routes.forms import WITH_FORM, Filled, Form, answer_form, refuse
from server.routes.guards import Asked, has_right
from server.routes.lists import look_of
from server.routes.pages import on_problem, render, words_for
from server.routes.rooms import draw_hall, draw_list, exclusions
from server.routes.rooms.draw_forms import HOME, MOST_BYTES, Given, evidence_of, now_in_beijing
from server.routes.rooms.draw_seen import acts_of, may_of, must_see, seen, unit_of
from server.store import directory, draws
from server.store import exclusions as register
from server.store import excuses as excuse_register
from server.store.people import Person
from server.store.session import Connection

READ, RUN = has_right("draws.read"), has_right("draws.run")
MOST_BODY: Final = MOST_BYTES + (1 << 20)
AT_ONCE: Final = 50
ENDINGS: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "application/pdf": ".pdf"}


@get("/", guards=[READ], sync_to_thread=True)
def show_draws(request: Asked) -> Response[str]:
    """Every attempt, the latest first; above them the tasks that wait for their draw."""
    look, unit, can = look_of(request, path=HOME), unit_of(request.user), may_of(request.user)
    with request.app.state.db.read() as conn:
        found, ready = draw_page.listed(conn, unit), draw_page.ready(conn, unit)
        waiting = len(register.lines(conn, unit, "asked"))
        units = directory.names_of_units(conn)
    first = (look.page - 1) * AT_ONCE
    return render(
        request,
        "draws_list",
        room="draws",
        look=look,
        rows=found[first : first + AT_ONCE],
        total=len(found),
        size=AT_ONCE,
        ready=[task for task in ready if can("draws.run", task.unit_id)],
        waiting=waiting,
        units=units,
        said=Said(words_for(request)),
    )


# --- one draw ---------------------------------------------------------------------------------------------------------


@get("/{draw_id:str}", guards=[READ], sync_to_thread=True)
def show_draw(request: Asked, draw_id: FromPath[str]) -> Response[str]:
    """Where it stands, what came from outside, who was drawn, and the form of the next step."""
    return _page(request, seen(request, draw_id), Filled(), 200)


def _page(request: Asked, view: View, filled: Filled, status: int, asked: str = "") -> Response[str]:
    can = may_of(request.user)
    now = now_in_beijing(guards.now(request))
    shown = filled if filled.values else Filled({"at": now}, {}, filled.faults, filled.problem)
    return render(
        request,
        "draws_one",
        status,
        room="draws",
        view=view,
        filled=shown,
        said=Said(words_for(request)),
        address=f"/draws/{view.draw.no}",
        can=lambda right: can(right, view.draw.unit_id),
        acts=acts_of(view, request.user),
        asked=asked,
    )


@post("/{draw_id:str}/contribute", guards=[RUN], sync_to_thread=True, request_max_body_size=MOST_BODY)
def contribute(request: Asked, draw_id: FromPath[str], form: Form) -> Response[Any]:
    """Records a number from outside, with its evidence."""
    permit(request.user, "draws.run", must_see(request, draw_id))  # before a file is stored

    def call(conn: Connection, person: Person, now: datetime) -> None:
        office.contribute(conn, person, now, draw_id, **_given(request, form))

    return answer_form(
        request,
        form,
        call,
        done=f"{HOME}/{draw_id}",
        again=lambda filled, status: _page(request, seen(request, draw_id), filled, status),
    )


def _given(request: Asked, form: Form) -> dict[str, Any]:
    """What the form brings; a file is stored before any row says so."""
    entry = Given(form.values)
    value, at = entry.text("value", most=1000), entry.moment("at")
    by, link = entry.name("by"), entry.link("link")
    refuse(entry.faults)
    upload = form.files.get("evidence")
    kept = evidence_of(request.app.state.files, upload)
    name = hide_numbers(upload.filename)[:200] if upload is not None else ""
    return {
        "k": form.text("k"),
        "value": value,
        "at": instant(at or ""),
        "by": by,
        "evidence": kept and kept[0],
        "link": link,
        "file": kept and (name, kept[1]),
    }


@post("/{draw_id:str}/run", guards=[RUN], sync_to_thread=True)
def run(request: Asked, draw_id: FromPath[str], form: Form) -> Response[Any]:
    """Draws."""
    must_see(request, draw_id)
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.run(conn, person, now, draw_id, request.app.state["sealer"]),
        done=f"{HOME}/{draw_id}",
        again=lambda filled, status: _page(request, seen(request, draw_id), filled, status),
        proof=True,
    )


@post("/{draw_id:str}/excuse", guards=[RUN], sync_to_thread=True)
def ask_excuse(request: Asked, draw_id: FromPath[str], form: Form) -> Response[Any]:
    """Asks that a subject that can't be inspected any more be excused."""
    must_see(request, draw_id)
    code, reason = form.text("code"), form.text("reason")
    return answer_form(
        request,
        form,
        lambda conn, person, now: excuses.ask(conn, person, now, draw_id, code, reason),
        done=f"{HOME}/{draw_id}",
        again=lambda filled, status: _page(request, seen(request, draw_id), filled, status),
    )


@post("/excuses/{excuse_id:str}", guards=[has_right("draws.excuse")], sync_to_thread=True)
def decide_excuse(request: Asked, excuse_id: FromPath[str], form: Form) -> Response[Any]:
    """The head confirms that a subject is excused, and the next ticket moves up; or refuses."""
    with request.app.state.db.read() as conn:
        found = excuse_register.one(conn, excuse_id)
    if found is None:
        raise Problem("not_found")
    must_see(request, found.draw_id)
    is_approved, answer = form.text("decision") == "approved", form.text("answer")
    return answer_form(
        request,
        form,
        lambda conn, person, now: excuses.decide(conn, person, now, excuse_id, approved=is_approved, answer=answer),
        done=f"{HOME}/{found.draw_id}",
        again=lambda filled, status: _page(request, seen(request, found.draw_id), filled, status, excuse_id),
    )


@post("/{draw_id:str}/void", guards=[has_right("draws.void")], sync_to_thread=True)
def void(request: Asked, draw_id: FromPath[str], form: Form) -> Response[Any]:
    """Voids a draw, which can't be undone: the box must be ticked."""
    must_see(request, draw_id)

    def call(conn: Connection, person: Person, now: datetime) -> None:
        refuse([] if form.text("sure") == "yes" else [Fault("sure", "not_sure")])
        office.void(conn, person, now, draw_id, form.text("reason"), request.app.state["sealer"])

    return answer_form(
        request,
        form,
        call,
        done=f"{HOME}/{draw_id}",
        again=lambda filled, status: _page(request, seen(request, draw_id), filled, status),
    )


# --- files ------------------------------------------------------------------------------------------------------------


@get("/{draw_id:str}/files/{file_version:int}", guards=[READ], sync_to_thread=True)
def give_file(request: Asked, draw_id: FromPath[str], file_version: FromPath[int]) -> Response[bytes]:
    """A version of the file, for those who hold the ceremony."""
    view = seen(request, draw_id)
    if file_version not in {one.version for one in view.files}:
        raise Problem("not_found")
    with request.app.state.db.read() as conn:
        body = draws.body_of(conn, draw_id, file_version) or b""
    return _attachment(body, "application/json", f"draw-{view.draw.no}-{view.draw.attempt}-{file_version}.json")


@get("/{draw_id:str}/evidence/{evidence_id:str}", guards=[READ], sync_to_thread=True)
def give_evidence(request: Asked, draw_id: FromPath[str], evidence_id: FromPath[str]) -> Response[bytes]:
    """The evidence of a number, as a download, never inline."""
    view = seen(request, draw_id)
    if evidence_id not in {one.evidence for one in view.sources if one.evidence}:
        raise Problem("not_found")
    mime = next(one.evidence_mime for one in view.draw.contributions if one.evidence == evidence_id) or ""
    body = request.app.state.files.path(evidence_id).read_bytes()
    return _attachment(body, mime, f"{evidence_id[:16]}{ENDINGS.get(mime, '')}")


def _attachment(body: bytes, mime: str, name: str) -> Response[bytes]:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(body, media_type=mime, headers=headers)


router = Router(
    HOME,
    exception_handlers={Problem: on_problem},
    dependencies=WITH_FORM,
    route_handlers=[
        show_draws,
        *exclusions.handlers,
        *draw_list.handlers,
        show_draw,
        contribute,
        run,
        ask_excuse,
        decide_excuse,
        void,
        give_file,
        give_evidence,
        *draw_hall.handlers,
    ],
)
