"""The experts' part of the officers' room (R9.3)."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from server.domain.access import allows
from server.domain.instant import beijing_day
from server.domain.officer import DOMAINS, SEXES, Expert
from server.errors import Problem
from server.office import experts as office
from server.routes import guards
from server.routes.forms import Filled, Form, answer_form, filled_by
from server.routes.guards import Asked, has_right
from server.routes.lists import look_of
from server.routes.pages import render
from server.routes.rooms.people_said import said_of
from server.routes.rooms.revealing import answer_reveal
from server.store import directory, experts, personnel
from server.store.officers import spellings

HOME: Final = "/office/officers/experts"
READ, CHANGE, REVEAL = has_right("experts.read"), has_right("experts.change"), has_right("experts.reveal")


@get("/experts", guards=[READ], sync_to_thread=True)
def show_experts(request: Asked) -> Response[str]:
    """The library of experts, the same for every unit."""
    look = look_of(request, "q", "domain", "state", path=HOME)
    with request.app.state.db.read() as conn:
        every, units = experts.all_experts(conn, request.app.state["sealer"]), directory.names_of_units(conn)
    fitting = [one for one in every if _fits(one, look["q"], look["domain"])]
    today = beijing_day(guards.now(request)).isoformat()
    gone = [one for one in fitting if one.left_on is not None and one.left_on <= today]
    here = [one for one in fitting if one not in gone]
    return render(
        request,
        "experts_list",
        room="officers",
        look=look,
        rows=gone if look["state"] == "left" else here,
        counts={"": len(here), "left": len(gone)},
        domains=DOMAINS,
        units=units,
        said=said_of(request, units),
        can_add=_may(request, "experts.change", request.user.unit_id),
    )


def _fits(one: Expert, text: str, domain: str) -> bool:
    wanted = text.lower()
    names = (*spellings(one.name), one.employer.lower(), one.title.lower())
    return (not domain or domain in one.domains) and any(wanted in name for name in names)


@get("/experts/{expert_id:str}", guards=[READ], sync_to_thread=True)
def show_expert(request: Asked, expert_id: FromPath[str]) -> Response[str]:
    """One expert, with masks for his numbers."""
    return _expert_page(request, expert_id)


def _expert_page(
    request: Asked, expert_id: str, filled: Filled | None = None, status: int = 200, about: str = ""
) -> Response[str]:
    with request.app.state.db.read() as conn:
        one = office.expert_for(conn, request.user, request.app.state["sealer"], expert_id)
        row = experts.expert_row(conn, expert_id)
        units, names = directory.names_of_units(conn), directory.names_of_people(conn)
        history = personnel.history_of(conn, f"expert:{expert_id}")
    unit = one.unit_id or request.user.unit_id
    return render(
        request,
        "experts_one",
        status,
        room="officers",
        one=one,
        row=row,
        units=units,
        names=names,
        history=history,
        said=said_of(request, units),
        can={"change": _may(request, "experts.change", unit), "reveal": _may(request, "experts.reveal", unit)},
        filled=filled or Filled(),
        empty_form=Filled(),
        today=beijing_day(guards.now(request)).isoformat(),
        about=about,
    )


@get("/experts/new", guards=[CHANGE], sync_to_thread=True)
def new_expert(request: Asked) -> Response[str]:
    """An empty form."""
    return _form_page(request, None, Filled({"unit_id": request.user.unit_id or ""}))


@post("/experts/new", guards=[CHANGE], status_code=200, sync_to_thread=True)
def add_expert(request: Asked, form: Form) -> Response[Any]:
    """Takes an expert in."""
    sealer, values = request.app.state["sealer"], {**form.values, "domains": ",".join(form.chosen("domains"))}
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.add_expert(conn, person, now, sealer, values),
        done=lambda expert_id: f"{HOME}/{expert_id}",
        again=lambda filled, status: _form_page(request, None, filled, status),
    )


@get("/experts/{expert_id:str}/edit", guards=[CHANGE], sync_to_thread=True)
def edit_expert(request: Asked, expert_id: FromPath[str]) -> Response[str]:
    """The form as it stands, with masks for the numbers."""
    return _form_page(request, expert_id, None)


@post("/experts/{expert_id:str}/edit", guards=[CHANGE], status_code=200, sync_to_thread=True)
def change_expert(request: Asked, expert_id: FromPath[str], form: Form) -> Response[Any]:
    """Changes what is different."""
    sealer, values = request.app.state["sealer"], {**form.values, "domains": ",".join(form.chosen("domains"))}
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.change_expert(conn, person, now, sealer, expert_id, values),
        done=f"{HOME}/{expert_id}",
        again=lambda filled, status: _form_page(request, expert_id, filled, status),
    )


def _form_page(request: Asked, expert_id: str | None, filled: Filled | None, status: int = 200) -> Response[str]:
    one = None
    with request.app.state.db.read() as conn:
        units = directory.names_of_units(conn)
        if expert_id is not None:
            one = office.expert_for(conn, request.user, request.app.state["sealer"], expert_id)
            row = experts.expert_row(conn, expert_id)
            if not _may(request, "experts.change", one.unit_id or request.user.unit_id):
                raise Problem("other_unit")
            filled = filled or _standing(one, str(row["rev"] if row else ""), request.user.unit_id)
    return render(
        request,
        "experts_form",
        status,
        room="officers",
        one=one,
        filled=filled or Filled(),
        units=units if one else {id: name for id, name in units.items() if id == request.user.unit_id},
        domains=DOMAINS,
        sexes=SEXES,
    )


def _standing(one: Expert, rev: str, unit_id: str | None) -> Filled:
    shown = filled_by(one)
    values = {**shown.values, "rev": rev, "unit_id": one.unit_id or unit_id or ""}
    return msgspec.structs.replace(shown, values=values)


@post("/experts/{expert_id:str}/leave", guards=[CHANGE], status_code=200, sync_to_thread=True)
def expert_leaves(request: Asked, expert_id: FromPath[str], form: Form) -> Response[Any]:
    """Notes that an expert is no longer asked."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.expert_leaves(conn, person, now, expert_id, form.values),
        done=f"{HOME}/{expert_id}",
        again=lambda filled, status: _expert_page(request, expert_id, filled, status, "leave"),
    )


@post("/experts/{expert_id:str}/return", guards=[CHANGE], status_code=200, sync_to_thread=True)
def expert_returns(request: Asked, expert_id: FromPath[str], form: Form) -> Response[Any]:
    """Notes that an expert is asked again."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.expert_returns(conn, person, now, expert_id, form.values),
        done=f"{HOME}/{expert_id}",
        again=lambda filled, status: _expert_page(request, expert_id, filled, status, "return"),
    )


@post("/experts/{expert_id:str}/reveal", guards=[REVEAL], status_code=200, sync_to_thread=True)
def reveal_expert(request: Asked, expert_id: FromPath[str], form: Form) -> Response[Any]:
    """Shows a number on this answer and nowhere else."""
    sealer = request.app.state["sealer"]
    return answer_reveal(
        request,
        form,
        lambda conn, person, now: office.reveal_expert(conn, person, now, sealer, expert_id, form.values),
        lambda conn: office.expert_for(conn, request.user, sealer, expert_id).name,
        back=f"{HOME}/{expert_id}",
        again=lambda filled, status: _expert_page(request, expert_id, filled, status, "reveal"),
    )


def _may(request: Asked, right: str, unit_id: str | None) -> bool:
    return allows(request.user.roles, request.user.unit_id, right, unit_id)


handlers = [
    show_experts,
    show_expert,
    new_expert,
    add_expert,
    edit_expert,
    change_expert,
    expert_leaves,
    expert_returns,
    reveal_expert,
]
