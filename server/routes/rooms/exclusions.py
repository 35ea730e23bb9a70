"""The register of subjects that a document leaves out of draws: entered by a clerk, decided by the unit head."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, get, post
from litestar.params import FromPath

from server.domain.exclusion import KINDS
from server.office import exclusions as office
from server.routes.draw_said import Said
from server.routes.forms import Filled, Form, answer_form
from server.routes.guards import Asked, has_right
from server.routes.pages import render, words_for
from server.routes.rooms.draw_forms import HOME
from server.routes.rooms.draw_seen import may_of, unit_of
from server.store import directory, exclusions

PATH: Final = f"{HOME}/exclusions"


@get("/exclusions", guards=[has_right("draws.read")], sync_to_thread=True)
def show_exclusions(request: Asked) -> Response[str]:
    """Every request, the newest first, and the form of a new one."""
    return _page(request, Filled(), 200)


def _page(request: Asked, filled: Filled, status: int, asked: str = "") -> Response[str]:
    said = Said(words_for(request))
    with request.app.state.db.read() as conn:
        rows = exclusions.lines(conn, unit_of(request.user))
        names, units = directory.names_of_people(conn), directory.names_of_units(conn)
    return render(
        request,
        "draws_exclusions",
        status,
        room="draws",
        rows=sorted(rows, key=lambda one: one.it.state != "asked"),
        names=names,
        units=units,
        said=said,
        kinds=[(kind, said.reason(kind)) for kind in KINDS],
        filled=filled,
        asked=asked,
        can=may_of(request.user),
    )


@post("/exclusions", guards=[has_right("exclusions.enter")], sync_to_thread=True)
def enter(request: Asked, form: Form) -> Response[Any]:
    """Asks that a subject be left out."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.enter(conn, person, now, form.values),
        done=PATH,
        again=lambda filled, status: _page(request, filled, status),
    )


@post("/exclusions/{exclusion_id:str}", guards=[has_right("exclusions.approve")], sync_to_thread=True)
def decide(request: Asked, exclusion_id: FromPath[str], form: Form) -> Response[Any]:
    """The head agrees, or doesn't and says why."""
    approved, answer = form.text("decision") == "approved", form.text("answer")
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.decide(conn, person, now, exclusion_id, approved=approved, answer=answer),
        done=PATH,
        again=lambda filled, status: _page(request, filled, status, exclusion_id),
    )


handlers: list[Any] = [show_exclusions, enter, decide]
