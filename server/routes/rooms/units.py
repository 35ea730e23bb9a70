"""Units: the tree of the bureau."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get, post

from server.domain.account import KINDS, stands_under, tree_of
from server.errors import Problem
from server.office import accounts as acts
from server.routes.forms import WITH_FORM, Filled, Form, answer_form, filled_by
from server.routes.guards import Asked, has_right
from server.routes.pages import on_problem, render
from server.store import accounts

READS, CHANGES = has_right("accounts.read"), has_right("units.change")


@get("/", guards=[READS], sync_to_thread=True)
def list_units(request: Asked) -> Response[str]:
    """The tree, with how many people each unit has, and the form for a new one."""
    return _list_page(request, Filled(), 200)


@post("/", guards=[CHANGES], sync_to_thread=True)
def add_unit(request: Asked, form: Form) -> Response[Any]:
    """Adds a unit."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.add_unit(conn, person, now, form.values),
        done="/office/units",
        again=lambda filled, status: _list_page(request, filled, status),
        proof=True,
    )


def _list_page(request: Asked, filled: Filled, status: int) -> Response[str]:
    with request.app.state.db.read() as conn:
        units, closed = accounts.units(conn, closed=True), accounts.closed_units(conn)
        people = accounts.people_of(conn, [unit.id for unit in units])
    return render(
        request,
        "units",
        status,
        room="units",
        filled=filled,
        tree=tree_of(units),
        closed=closed,
        people=people,
        kinds=KINDS,
        parents=tree_of([unit for unit in units if unit.id not in closed]),
    )


@get("/{unit_id:str}", guards=[READS], sync_to_thread=True)
def show_unit(request: Asked, unit_id: str) -> Response[str]:
    """One unit and the forms to rename, move or close it."""
    return _page(request, unit_id, None, 200)


@post("/{unit_id:str}", guards=[CHANGES], sync_to_thread=True)
def change_unit(request: Asked, unit_id: str, form: Form) -> Response[Any]:
    """Renames or moves a unit."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.change_unit(conn, person, now, unit_id, form.values),
        done=f"/office/units/{unit_id}",
        again=lambda filled, status: _page(request, unit_id, filled, status),
        proof=True,
    )


@post("/{unit_id:str}/close", guards=[CHANGES], sync_to_thread=True)
def close_unit(request: Asked, unit_id: str, form: Form) -> Response[Any]:
    """Closes a unit that nobody belongs to any more."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.close_unit(conn, person, now, unit_id, form.values),
        done="/office/units",
        again=lambda filled, status: _page(request, unit_id, None, status, closing=filled),
        proof=True,
    )


def _page(
    request: Asked, unit_id: str, filled: Filled | None, status: int, closing: Filled | None = None
) -> Response[str]:
    with request.app.state.db.read() as conn:
        units, closed = accounts.units(conn, closed=True), accounts.closed_units(conn)
        people = accounts.people_of(conn, [unit_id]).get(unit_id, 0)
        officers = accounts.officers_of(conn, unit_id)
    unit = acts.unit_in(units, unit_id)
    open_units = [one for one in units if one.id not in closed]
    return render(
        request,
        "unit",
        status,
        room="units",
        one=unit,
        is_closed=unit_id in closed,
        filled=filled or filled_by(unit),
        closing=closing or Filled(),
        kinds=KINDS,
        parents=tree_of([one for one in open_units if not stands_under(open_units, unit_id, one.id)]),
        people=people,
        officers=officers,
        below=[one for one in open_units if one.parent_id == unit_id],
        above=next((one.name for one in units if one.id == unit.parent_id), ""),
    )


router = Router(
    "/office/units",
    exception_handlers={Problem: on_problem},
    dependencies=WITH_FORM,
    route_handlers=[list_units, add_unit, show_unit, change_unit, close_unit],
)
