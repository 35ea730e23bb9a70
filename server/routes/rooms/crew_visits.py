"""The crew of one visit, a part of the crews' room: who came and went, replacement, recusal, merging."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, get, post
from litestar.params import FromPath

from server.domain.access import allows
from server.domain.instant import beijing_day
from server.errors import Problem
from server.office import crew_changes, crew_page, merging, recusals
from server.routes import guards
from server.routes.forms import Filled, Form, answer_form
from server.routes.guards import Asked, has_right
from server.routes.pages import render
from server.store import crews as store
from server.store import directory
from server.store import recusals as recusal_store

HOME: Final = "/office/crews"
READ, RUN, APPROVE = has_right("crews.read"), has_right("crews.run"), has_right("crews.approve")


def may(request: Asked, right: str, unit_id: str | None) -> bool:
    """Whether who asks has a right on a unit."""
    return allows(request.user.roles, request.user.unit_id, right, unit_id)


@get("/visits/{visit_id:str}", guards=[READ], sync_to_thread=True)
def show_crew(request: Asked, visit_id: FromPath[str]) -> Response[str]:
    """Who is in the crew, who was, and what may be done about it."""
    return _page(request, visit_id, Filled(), 200)


def _page(request: Asked, visit_id: str, filled: Filled, status: int) -> Response[str]:
    with request.app.state.db.read() as conn:
        view = crew_page.visit_of(conn, request.user, visit_id, guards.now(request))
        names = directory.names_of_people(conn) | store.names_of_experts(conn, [one for one, _how in view.experts])
    return render(
        request,
        "crews_visit",
        status,
        room="crews",
        view=view,
        names=names,
        filled=filled,
        can=lambda right: may(request, right, view.seen.unit_id),
        kinds=crew_changes.KINDS,
        today=beijing_day(guards.now(request)).isoformat(),
    )


@post("/visits/{visit_id:str}/replace", guards=[RUN], status_code=200, sync_to_thread=True)
def ask_replacement(request: Asked, visit_id: FromPath[str], form: Form) -> Response[Any]:
    """Asks that an officer be replaced."""
    return _answer(
        request,
        visit_id,
        form,
        lambda conn, person, now: crew_changes.ask_replacement(conn, person, now, visit_id, form.values),
    )


@post("/visits/{visit_id:str}/recusal", guards=[has_right("recusals.record")], status_code=200, sync_to_thread=True)
def ask_recusal(request: Asked, visit_id: FromPath[str], form: Form) -> Response[Any]:
    """Records that the subject asks for an officer's recusal."""
    return _answer(
        request, visit_id, form, lambda conn, person, now: recusals.ask(conn, person, now, visit_id, form.values)
    )


@post("/visits/{visit_id:str}/declare", guards=[has_right("recusals.declare")], status_code=200, sync_to_thread=True)
def declare(request: Asked, visit_id: FromPath[str], form: Form) -> Response[Any]:
    """An officer's own word that he must keep away."""

    def call(conn: Any, person: Any, now: Any) -> str:
        return recusals.declare(conn, person, now, visit_id, form.values.get("reason", ""), request.app.state["field"])

    done = "/office/" if not may(request, "crews.read", request.user.unit_id) else f"{HOME}/visits/{visit_id}"

    def again(filled: Filled, status: int) -> Response[str]:
        return _page(request, visit_id, filled, status)

    return answer_form(request, form, call, done=done, again=again)


@post("/visits/{visit_id:str}/merge", guards=[has_right("visit.merge")], status_code=200, sync_to_thread=True)
def merge(request: Asked, visit_id: FromPath[str], form: Form) -> Response[Any]:
    """Makes one visit of two of the same subject."""
    field = request.app.state["field"]
    return _answer(
        request,
        visit_id,
        form,
        lambda conn, person, now: merging.merge(conn, person, now, visit_id, form.text("other"), field),
    )


@post("/changes/{crew_change_id:str}", guards=[APPROVE], status_code=200, sync_to_thread=True)
def decide_replacement(request: Asked, crew_change_id: FromPath[str], form: Form) -> Response[Any]:
    """The unit head's word on a replacement."""
    field, visit_id = request.app.state["field"], _visit_of_change(request, crew_change_id)
    return _answer(
        request,
        visit_id,
        form,
        lambda conn, person, now: crew_changes.decide_replacement(
            conn, person, now, crew_change_id, form.text("decision") == "approve", form.values.get("answer", ""), field
        ),
    )


@post("/recusals/{recusal_id:str}", guards=[has_right("recusals.decide")], status_code=200, sync_to_thread=True)
def decide_recusal(request: Asked, recusal_id: FromPath[str], form: Form) -> Response[Any]:
    """The principal's word on a recusal that a subject asks for."""
    with request.app.state.db.read() as conn:
        found = recusal_store.recusal_of(conn, recusal_id)
    if found is None:
        raise Problem("not_found")
    return _answer(
        request,
        found.visit_id,
        form,
        lambda conn, person, now: recusals.decide(
            conn, person, now, recusal_id, form.text("decision") == "approve", form.values.get("answer", "")
        ),
    )


def _visit_of_change(request: Asked, change_id: str) -> str:
    with request.app.state.db.read() as conn:
        found = store.change_of(conn, change_id)
    if found is None:
        raise Problem("not_found")
    return found.visit_id


def _answer(request: Asked, visit_id: str, form: Form, call: Any) -> Response[Any]:
    return answer_form(
        request,
        form,
        call,
        done=f"{HOME}/visits/{visit_id}",
        again=lambda filled, status: _page(request, visit_id, filled, status),
    )


handlers = [
    show_crew,
    ask_replacement,
    ask_recusal,
    declare,
    merge,
    decide_replacement,
    decide_recusal,
]
