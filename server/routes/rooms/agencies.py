"""Commissioned agencies, a part of the officers' room (R25.2)."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, get, post
from litestar.params import FromPath

from server.domain.access import allows
from server.domain.agency import Agency, is_commissioned
from server.domain.instant import beijing_day
from server.errors import Problem
from server.office import agencies as office
from server.routes import guards
from server.routes.forms import Filled, Form, answer_form, filled_by
from server.routes.guards import Asked, has_right
from server.routes.pages import render
from server.routes.rooms.people_said import said_of
from server.store import agencies, directory, personnel

HOME: Final = "/office/officers/agencies"
READ, CHANGE = has_right("agencies.read"), has_right("agencies.change")


@get("/agencies", guards=[READ], sync_to_thread=True)
def show_agencies(request: Asked) -> Response[str]:
    """Every agency with its contract; those whose contract holds today stand first."""
    today = beijing_day(guards.now(request))
    with request.app.state.db.read() as conn:
        every, units = agencies.all_agencies(conn), directory.names_of_units(conn)
    return render(
        request,
        "agencies_list",
        room="officers",
        rows=sorted(every, key=lambda one: not is_commissioned(one, today)),
        holds=lambda one: is_commissioned(one, today),
        can_add=_may(request, request.user.unit_id),
        said=said_of(request, units),
    )


@get("/agencies/new", guards=[CHANGE], sync_to_thread=True)
def new_agency(request: Asked) -> Response[str]:
    """An empty form."""
    return _form_page(request, None, Filled({"unit_id": request.user.unit_id or ""}))


@post("/agencies/new", guards=[CHANGE], status_code=200, sync_to_thread=True)
def add_agency(request: Asked, form: Form) -> Response[Any]:
    """Enters an agency."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.add_agency(conn, person, now, form.values),
        done=lambda agency_id: f"{HOME}/{agency_id}",
        again=lambda filled, status: _form_page(request, None, filled, status),
    )


@get("/agencies/{agency_id:str}", guards=[READ], sync_to_thread=True)
def show_agency(request: Asked, agency_id: FromPath[str]) -> Response[str]:
    """One agency, its contract, and what changed."""
    today = beijing_day(guards.now(request))
    with request.app.state.db.read() as conn:
        one = office.agency_for(conn, agency_id)
        units, names = directory.names_of_units(conn), directory.names_of_people(conn)
        history = personnel.history_of(conn, f"agency:{agency_id}")
    return render(
        request,
        "agencies_one",
        room="officers",
        one=one,
        names=names,
        history=history,
        holds=is_commissioned(one, today),
        can_change=_may(request, one.unit_id),
        said=said_of(request, units),
    )


@get("/agencies/{agency_id:str}/edit", guards=[CHANGE], sync_to_thread=True)
def edit_agency(request: Asked, agency_id: FromPath[str]) -> Response[str]:
    """The form as it stands."""
    return _form_page(request, agency_id, None)


@post("/agencies/{agency_id:str}/edit", guards=[CHANGE], status_code=200, sync_to_thread=True)
def change_agency(request: Asked, agency_id: FromPath[str], form: Form) -> Response[Any]:
    """Changes an agency or its contract."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.change_agency(conn, person, now, agency_id, form.values),
        done=f"{HOME}/{agency_id}",
        again=lambda filled, status: _form_page(request, agency_id, filled, status),
    )


def _form_page(request: Asked, agency_id: str | None, filled: Filled | None, status: int = 200) -> Response[str]:
    one: Agency | None = None
    with request.app.state.db.read() as conn:
        units = directory.names_of_units(conn)
        if agency_id is not None:
            one = office.agency_for(conn, agency_id)
            if not _may(request, one.unit_id):
                raise Problem("other_unit")
            filled = filled or filled_by(one)
    mine = {id: name for id, name in units.items() if id == request.user.unit_id}
    return render(request, "agencies_form", status, room="officers", one=one, filled=filled or Filled(), units=mine)


def _may(request: Asked, unit_id: str | None) -> bool:
    return allows(request.user.roles, request.user.unit_id, "agencies.change", unit_id)


handlers = [show_agencies, new_agency, add_agency, show_agency, edit_agency, change_agency]
