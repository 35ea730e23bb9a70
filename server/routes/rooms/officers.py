"""The officers' room: who may inspect, until when, and in what; numbers are shown to whom has a reason, once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath

from server.domain.access import allows
from server.domain.codes import normal_code
from server.domain.entry import Entry
from server.domain.faults import Invalid
from server.domain.instant import beijing_day
from server.domain.mask import holds_number
from server.domain.officer import DOMAINS, SEXES, Officer, days_left, validity
from server.errors import Problem
from server.office import leading
from server.office import officers as office
from server.routes import guards
from server.routes.forms import (
    WITH_FORM,
    Filled,
    Form,
    answer_form,
    filled_by,
    refilled,
    wants_page,
)
from server.routes.guards import Asked, has_right
from server.routes.lists import Look, look_of
from server.routes.pages import on_problem, render
from server.routes.rooms import agencies, experts, interests, leaves
from server.routes.rooms.people_said import said_of
from server.routes.rooms.revealing import answer_reveal
from server.store import directory, officers, personnel
from server.store import interests as interest_store
from server.store import leaves as leave_store

HOME: Final = "/office/officers"
PAGE: Final = 50
READ, CHANGE, REVEAL = has_right("officers.read"), has_right("officers.change"), has_right("officers.reveal")


# --- the list ---------------------------------------------------------------------------------------------------------


@get("/", guards=[READ], sync_to_thread=True)
def show_officers(request: Asked) -> Response[str]:
    """The library: who is there, filtered by unit, domain and how the certificate stands."""
    look = look_of(request, "q", "unit", "domain", "state", sorts=("name", "unit", "until"), first="unit")
    today = _today(request)
    own = office.unit_of_reach(request.user, "officers.read")
    with request.app.state.db.read() as conn:
        found = officers.find_officers(
            conn, request.app.state["sealer"], today, unit_id=own or look["unit"] or None, text=look["q"],
            domain=look["domain"], state="all",
        )  # fmt: skip
        units = directory.names_of_units(conn)
        away = leave_store.leaves_of(conn, [one.id for one in found], today.isoformat(), today.isoformat())
    asked = look["state"] if look["state"] in officers.STATES else "here"
    rows = [one for one in found if officers.stands(one, asked, today)]
    orders = {"name": lambda one: one.name, "until": lambda one: one.certificate_to}
    rows.sort(key=orders.get(look.sort, lambda one: (one.unit_id, one.id)), reverse=look.is_down)
    return render(
        request,
        "officers_list",
        room="officers",
        look=_without_numbers(look),
        rows=rows[(look.page - 1) * PAGE : look.page * PAGE],
        total=len(rows),
        size=PAGE,
        state=asked,
        states=[(name, sum(officers.stands(one, name, today) for one in found)) for name in officers.STATES],
        units=units,
        domains=DOMAINS,
        own=own,
        stands=lambda one: (validity(one, today), days_left(one, today)),
        away={one.officer_id for one in away},
        said=said_of(request, units),
        can_add=_may(request, "officers.change", request.user.unit_id),
    )


def _without_numbers(look: Look) -> Look:
    """What is shown of an address in which somebody searched for a phone or ID number: all but that number."""
    shown = {name: value for name, value in look.params.items() if not holds_number(value)}
    return msgspec.structs.replace(look, params=shown)


# --- one officer ------------------------------------------------------------------------------------------------------


@get("/{officer_id:str}", guards=[READ], sync_to_thread=True)
def show_officer(request: Asked, officer_id: FromPath[str]) -> Response[str]:
    """One officer, with masks for his numbers, his leave, his interests and what changed."""
    return _officer_page(request, officer_id)


def _officer_page(
    request: Asked, officer_id: str, filled: Filled | None = None, status: int = 200, about: str = "", fit: Any = None
) -> Response[str]:
    """`about` is the form on the page that `filled` belongs to."""
    today = _today(request)
    with request.app.state.db.read() as conn:
        one = office.officer_for(conn, request.user, request.app.state["sealer"], officer_id)
        row = officers.officer_row(conn, officer_id)
        units, names = directory.names_of_units(conn), directory.names_of_people(conn)
        history = personnel.history_of(conn, f"officer:{officer_id}")
        away = leave_store.leaves_of(conn, [officer_id], today.isoformat())
        known = interest_store.listed_of(conn, officer_id)
    return render(
        request,
        "officers_one",
        status,
        room="officers",
        one=one,
        row=row,
        units=units,
        names=names,
        history=history,
        away=away,
        interests=known,
        stands=(validity(one, today), days_left(one, today)),
        today=today.isoformat(),
        said=said_of(request, units),
        can={
            "change": _may(request, "officers.change", one.unit_id),
            "reveal": _may(request, "officers.reveal", one.unit_id),
        },
        filled=filled or Filled(),
        empty_form=Filled(),
        about=about,
        fit=fit,
    )


# --- taking in and changing -------------------------------------------------------------------------------------------


@get("/new", guards=[CHANGE], sync_to_thread=True)
def new_officer(request: Asked) -> Response[str]:
    """An empty form."""
    return _form_page(request, None, Filled({"unit_id": request.user.unit_id or ""}))


@post("/new", guards=[CHANGE], status_code=200, sync_to_thread=True)
def add_officer(request: Asked, form: Form) -> Response[Any]:
    """Takes somebody in."""
    sealer, values = request.app.state["sealer"], values_of(form)
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.add_officer(conn, person, now, sealer, values),
        done=lambda officer_id: f"{HOME}/{officer_id}",
        again=lambda filled, status: _form_page(request, None, filled, status),
    )


@get("/{officer_id:str}/edit", guards=[CHANGE], sync_to_thread=True)
def edit_officer(request: Asked, officer_id: FromPath[str]) -> Response[str]:
    """The form as it stands, with masks for the numbers."""
    return _form_page(request, officer_id, None)


@post("/{officer_id:str}/edit", guards=[CHANGE], status_code=200, sync_to_thread=True)
def change_officer(request: Asked, officer_id: FromPath[str], form: Form) -> Response[Any]:
    """Changes what is different."""
    sealer, values = request.app.state["sealer"], values_of(form)
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.change_officer(conn, person, now, sealer, officer_id, values),
        done=lambda id: f"{HOME}/{id}" if _still_mine(request, values) else HOME,
        again=lambda filled, status: _form_page(request, officer_id, filled, status),
    )


def _form_page(request: Asked, officer_id: str | None, filled: Filled | None, status: int = 200) -> Response[str]:
    """The form of one officer, or of a new one; `filled` None shows what stands."""
    one = None
    with request.app.state.db.read() as conn:
        units = directory.names_of_units(conn)
        if officer_id is not None:
            one = office.officer_for(conn, request.user, request.app.state["sealer"], officer_id)
            row = officers.officer_row(conn, officer_id)
            if not _may(request, "officers.change", one.unit_id):
                raise Problem("other_unit")
            filled = filled or _standing(one, str(row["rev"] if row else ""))
    return render(
        request,
        "officers_form",
        status,
        room="officers",
        one=one,
        filled=filled or Filled(),
        units=units if one else {id: name for id, name in units.items() if id == request.user.unit_id},
        domains=DOMAINS,
        sexes=SEXES,
        said=said_of(request, units),
    )


def _standing(one: Officer, rev: str) -> Filled:
    shown = filled_by(one)
    return msgspec.structs.replace(shown, values={**shown.values, "rev": rev})


def values_of(form: Form) -> Mapping[str, str]:
    """The fields of a form of a person, with all that is ticked in one."""
    return {**form.values, "domains": ",".join(form.chosen("domains"))}


def _still_mine(request: Asked, values: Mapping[str, str]) -> bool:
    return allows(request.user.roles, request.user.unit_id, "officers.read", values.get("unit_id"))


# --- leaving, coming back, showing a number ---------------------------------------------------------------------------


@post("/{officer_id:str}/leave", guards=[CHANGE], status_code=200, sync_to_thread=True)
def officer_leaves(request: Asked, officer_id: FromPath[str], form: Form) -> Response[Any]:
    """Notes that he is no longer there."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.officer_leaves(conn, person, now, officer_id, form.values),
        done=f"{HOME}/{officer_id}",
        again=lambda filled, status: _officer_page(request, officer_id, filled, status, "leave"),
    )


@post("/{officer_id:str}/return", guards=[CHANGE], status_code=200, sync_to_thread=True)
def officer_returns(request: Asked, officer_id: FromPath[str], form: Form) -> Response[Any]:
    """Notes that he is back."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.officer_returns(conn, person, now, officer_id, form.values),
        done=f"{HOME}/{officer_id}",
        again=lambda filled, status: _officer_page(request, officer_id, filled, status, "return"),
    )


@post("/{officer_id:str}/lead", guards=[CHANGE], status_code=200, sync_to_thread=True)
def set_may_lead(request: Asked, officer_id: FromPath[str], form: Form) -> Response[Any]:
    """Says whether the lot may make him leader."""
    may_lead = form.text("may_lead") == "yes"
    return answer_form(
        request,
        form,
        lambda conn, person, now: leading.set_may_lead(conn, person, now, officer_id, may_lead),
        done=f"{HOME}/{officer_id}",
        again=lambda filled, status: _officer_page(request, officer_id, filled, status),
    )


@post("/{officer_id:str}/reveal", guards=[REVEAL], status_code=200, sync_to_thread=True)
def reveal_officer(request: Asked, officer_id: FromPath[str], form: Form) -> Response[Any]:
    """Shows a number on this answer and nowhere else."""
    sealer = request.app.state["sealer"]
    return answer_reveal(
        request,
        form,
        lambda conn, person, now: office.reveal_officer(conn, person, now, sealer, officer_id, form.values),
        lambda conn: office.officer_for(conn, request.user, sealer, officer_id).name,
        back=f"{HOME}/{officer_id}",
        again=lambda filled, status: _officer_page(request, officer_id, filled, status, "reveal"),
    )


# --- may he be sent? --------------------------------------------------------------------------------------------------


@get("/{officer_id:str}/fitness", guards=[READ], sync_to_thread=True)
def show_fitness(request: Asked, officer_id: FromPath[str]) -> Response[Any]:
    """Whether he may inspect from `since` to `until`, and this `subject`: a problem names what stands against it."""
    asked = {name: request.query_params.get(name, "") for name in ("since", "until", "subject")}
    try:
        _must_be_fit(request, officer_id, asked)
    except Problem as problem:
        if not wants_page(request) or problem.code == "not_found":
            raise
        filled, status = refilled(request, Form(asked), problem)
        return _officer_page(request, officer_id, filled, status, "fitness")
    if not wants_page(request):
        return Response({"fit": True}, headers={"Cache-Control": "no-store"})
    return _officer_page(request, officer_id, Filled(asked), about="fitness", fit=True)


def _must_be_fit(request: Asked, officer_id: str, asked: Mapping[str, str]) -> None:
    with request.app.state.db.read() as conn:
        one = office.officer_for(conn, request.user, request.app.state["sealer"], officer_id)
        entry = Entry(asked)
        since, until = entry.day("since"), entry.day("until")
        subject_id = interest_store.subject_by_code(conn, normal_code(asked["subject"])) if asked["subject"] else None
        if asked["subject"] and subject_id is None:
            entry.wrong("subject", "no_subject")
        if not entry.is_good or since is None or until is None:
            raise Invalid(entry.faults)
        office.must_be_fit(conn, one, date.fromisoformat(since), date.fromisoformat(until), subject_id)


def _may(request: Asked, right: str, unit_id: str | None) -> bool:
    return allows(request.user.roles, request.user.unit_id, right, unit_id)


def _today(request: Asked) -> date:
    return beijing_day(guards.now(request))


router = Router(
    HOME,
    dependencies=WITH_FORM,
    exception_handlers={Problem: on_problem},
    route_handlers=[
        show_officers,
        new_officer,
        add_officer,
        show_officer,
        edit_officer,
        change_officer,
        officer_leaves,
        officer_returns,
        set_may_lead,
        reveal_officer,
        show_fitness,
        *experts.handlers,
        *agencies.handlers,
        *interests.handlers,
        *leaves.handlers,
    ],
)
