"""The register of interests, a part of the officers' room (R20.2)."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, get, post
from litestar.params import FromPath

from server.domain.access import allows
from server.domain.instant import beijing_day
from server.domain.interest import KINDS, SOURCES
from server.office import interests as office
from server.office.officers import unit_of_reach
from server.routes import guards
from server.routes.forms import Filled, Form, answer_form
from server.routes.guards import Asked, has_right
from server.routes.lists import look_of
from server.routes.pages import render
from server.routes.rooms.people_said import said_of
from server.store import directory, interests, officers
from server.store.interests import Listed
from server.store.officers import spellings

HOME: Final = "/office/officers/interests"
READ, CHANGE = has_right("officers.read"), has_right("officers.change")


@get("/interests", guards=[READ], sync_to_thread=True)
def show_interests(request: Asked) -> Response[str]:
    """Who must not inspect whom: of the own unit's officers, or of all."""
    return _list_page(request)


def _list_page(request: Asked, filled: Filled | None = None, status: int = 200, about: str = "") -> Response[str]:
    look = look_of(request, "q", "state", path=HOME)
    today = beijing_day(guards.now(request)).isoformat()
    with request.app.state.db.read() as conn:
        every = interests.listed(conn, unit_of_reach(request.user, "officers.read"))
        units, names = directory.names_of_units(conn), directory.names_of_people(conn)
    found = [one for one in every if _fits(one, look["q"])]
    ended = [one for one in found if one.interest.until is not None and one.interest.until < today]
    holding = [one for one in found if one not in ended]
    return render(
        request,
        "interests_list",
        status,
        room="officers",
        look=look,
        rows=ended if look["state"] == "ended" else holding,
        counts={"": len(holding), "ended": len(ended)},
        units=units,
        names=names,
        said=said_of(request, units),
        today=today,
        can_end=lambda one: _may(request, one.unit_id),
        can_add=_may(request, request.user.unit_id),
        filled=filled or Filled(),
        about=about,
    )


def _fits(one: Listed, text: str) -> bool:
    wanted = text.lower()
    return any(wanted in name for name in (*spellings(one.officer_name), one.subject_name, one.subject_code.lower()))


@get("/interests/new", guards=[CHANGE], sync_to_thread=True)
def new_interest(request: Asked) -> Response[str]:
    """An empty form, or one that an officer's page began."""
    begun = {name: request.query_params.get(name, "") for name in ("officer_id", "subject")}
    return _form_page(request, Filled(begun))


@post("/interests/new", guards=[CHANGE], status_code=200, sync_to_thread=True)
def add_interest(request: Asked, form: Form) -> Response[Any]:
    """Enters an interest."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.add_interest(conn, person, now, form.values),
        done=HOME,
        again=lambda filled, status: _form_page(request, filled, status),
    )


def _form_page(request: Asked, filled: Filled, status: int = 200) -> Response[str]:
    with request.app.state.db.read() as conn:
        mine = officers.rows_of(conn, request.user.unit_id or "")
    return render(
        request,
        "interests_form",
        status,
        room="officers",
        filled=filled,
        officers=[(row["id"], row["name"]) for row in mine if row["left_on"] is None],
        kinds=KINDS,
        sources=SOURCES,
    )


@post("/interests/{interest_id:str}/end", guards=[CHANGE], status_code=200, sync_to_thread=True)
def end_interest(request: Asked, interest_id: FromPath[str], form: Form) -> Response[Any]:
    """Sets the last day of an interest."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.end_interest(conn, person, now, interest_id, form.values),
        done=HOME,
        again=lambda filled, status: _list_page(request, filled, status, interest_id),
    )


def _may(request: Asked, unit_id: str | None) -> bool:
    return allows(request.user.roles, request.user.unit_id, "officers.change", unit_id)


handlers = [show_interests, new_interest, add_interest, end_interest]
