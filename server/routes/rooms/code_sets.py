"""Sets of result codes: which there are, one with its ten codes, and entering a version."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, Router, get, post

from server.domain.instant import beijing_day
from server.domain.result_codes import ORDER, values_of
from server.errors import Problem
from server.office import code_sets as acts
from server.routes import guards
from server.routes.forms import WITH_FORM, Filled, Form, answer_form
from server.routes.guards import Asked, has_right
from server.routes.pages import on_problem, render
from server.store import code_sets, directory

ROOM: Final = "/office/codes"


@get("/", guards=[has_right("codes.read")], sync_to_thread=True)
def show_codes(request: Asked) -> Response[str]:
    """The sets in force; the form begins with the one that is named by `?set=`."""
    return _page(request, None, 200)


def _page(request: Asked, filled: Filled | None, status: int) -> Response[str]:
    with request.app.state.db.read() as conn:
        sets = code_sets.sets_on(conn, beijing_day(guards.now(request)))
        entered, names = code_sets.entered(conn), directory.names_of_people(conn)
    chosen = sets.get(request.query_params.get("set", ""))
    return render(
        request,
        "codes",
        status,
        room="rules",
        sets=sets,
        entered=entered,
        names=names,
        types=ORDER,
        filled=filled or Filled(values_of(chosen) if chosen else {}),
    )


@post("/", guards=[has_right("codes.change")], sync_to_thread=True)
def add_codes(request: Asked, form: Form) -> Response[Any]:
    """Enters a set, or the next version of one."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.add(conn, person, now, form.values),
        done=ROOM,
        again=lambda filled, status: _page(request, filled, status),
    )


router = Router(
    ROOM, exception_handlers={Problem: on_problem}, dependencies=WITH_FORM, route_handlers=[show_codes, add_codes]
)
