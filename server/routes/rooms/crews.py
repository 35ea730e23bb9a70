"""Crews: the tasks whose crews are matched, what waits for an answer, and the way of one match."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath

from server.domain.access import ALL, allows, reach
from server.domain.crew_reasons import Say, skip_said
from server.domain.crew_reasons import said as reasons_said
from server.domain.draw_sources import KINDS
from server.domain.instant import beijing_day, instant
from server.domain.officer import DOMAINS, SEXES
from server.errors import Problem
from server.office import crew_page, crew_ways
from server.office import crews as acts
from server.office.crew_room import room_for
from server.routes import guards
from server.routes.forms import WITH_FORM, Filled, Form, answer_form, refuse
from server.routes.guards import Asked, has_right
from server.routes.language import words_for
from server.routes.pages import on_problem, render
from server.routes.rooms import crew_visits
from server.routes.rooms.crew_visits import HOME, READ, RUN, may
from server.routes.rooms.draw_forms import SOURCES, Given, evidence_of, now_in_beijing, sources_of
from server.store import crews as store
from server.store import directory
from server.store.people import Person

APPROVE = has_right("crews.approve")


@get("/", guards=[READ], sync_to_thread=True)
def show_crews(request: Asked) -> Response[str]:
    """The tasks of one's own unit, or of all, with what waits, what could be merged, and whose certificate ends."""
    return _list_page(request, Filled(), 200)


def _list_page(request: Asked, filled: Filled, status: int) -> Response[str]:
    person = request.user
    unit = None if reach(person.roles, "crews.read") == ALL else person.unit_id or ""
    with request.app.state.db.read() as conn:
        view = crew_page.list_of(conn, unit, person, guards.now(request))
        names, units = directory.names_of_people(conn), directory.names_of_units(conn)
    return render(
        request,
        "crews",
        status,
        room="crews",
        view=view,
        names=names,
        units=units,
        filled=filled,
        can=lambda right, unit_id: may(request, right, unit_id),
        domains=DOMAINS,
        sexes=SEXES,
        adds_guest=may(request, "crews.run", person.unit_id),
    )


@post("/guests", guards=[RUN], status_code=200, sync_to_thread=True)
def add_guest(request: Asked, form: Form) -> Response[Any]:
    """Registers a neighbour's officer, for a merged pool."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: crew_ways.add_guest(conn, person, now, form.values, form.chosen("domains")),
        done=HOME,
        again=lambda filled, status: _list_page(request, filled, status),
    )


# --- one task ---------------------------------------------------------------------------------------------------------


@get("/{crew_task_id:str}", guards=[READ], sync_to_thread=True)
def show_board(request: Asked, crew_task_id: FromPath[str]) -> Response[str]:
    """The board: visits by half-day, who could come, what is short, and how far the match is."""
    return _board(request, crew_task_id, Filled(), 200)


def _board(request: Asked, task_id: str, filled: Filled, status: int) -> Response[str]:
    with request.app.state.db.read() as conn:
        view = crew_page.board_of(conn, request.user, task_id, guards.now(request))
        names = directory.names_of_people(conn)
        experts = store.names_of_experts(conn, view.expert_ids)
        there = store.experts_there(conn, beijing_day(guards.now(request)).isoformat())
    w = words_for(request)
    say: Say = w
    names = names | view.numbers | experts
    if filled == Filled():
        filled = Filled({"at": now_in_beijing(guards.now(request)), "source.0.kind": "lottery"})
    return render(
        request,
        "crews_task",
        status,
        room="crews",
        view=view,
        names=names,
        filled=filled,
        can=lambda right: allows(request.user.roles, request.user.unit_id, right, view.unit_id),
        lacks=[] if view.shortage is None else reasons_said(view.shortage, say, view.subjects),
        skips=[skip_said(one, say, view.subjects | names) for one in view.skips],
        kinds=[(kind, w(f"draws.kind.{kind}")) for kind in KINDS],
        rows=range(SOURCES),
        there=there,
        today=beijing_day(guards.now(request)).isoformat(),
    )


@post("/{crew_task_id:str}/plan", guards=[RUN], status_code=200, sync_to_thread=True)
def plan(request: Asked, crew_task_id: FromPath[str], form: Form) -> Response[Any]:
    """Saves when each visit is made, and by how many."""
    named = {name[len("appointed:") :]: ids for name, ids in form.lists.items() if name.startswith("appointed:")}
    return _answer(
        request,
        crew_task_id,
        form,
        lambda conn, person, now: acts.plan(conn, person, now, crew_task_id, form.values, named),
    )


@post("/{crew_task_id:str}/commit", guards=[RUN], status_code=200, sync_to_thread=True)
def commit(request: Asked, crew_task_id: FromPath[str], form: Form) -> Response[Any]:
    """Freezes officers, visits and rules and publishes the commitment."""
    sealer, secret = request.app.state["sealer"], secrets.token_bytes(32)

    def call(conn: Any, person: Person, now: datetime) -> str:
        room_for(conn, person, "crews.run", crew_task_id, now)
        return acts.commit(conn, person, now, crew_task_id, sources_of(form.values), secret, sealer)

    return _answer(request, crew_task_id, form, call)


@post("/{crew_task_id:str}/contribute", guards=[RUN], status_code=200, sync_to_thread=True)
def contribute(request: Asked, crew_task_id: FromPath[str], form: Form) -> Response[Any]:
    """Enters one number from outside, with its evidence."""

    def call(conn: Any, person: Person, now: datetime) -> None:
        match = _live(conn, person, crew_task_id, now)
        entry = Given(form.values)
        at, link = entry.moment("at"), entry.link("link")
        refuse(entry.faults)
        evidence = evidence_of(request.app.state.files, form.files.get("evidence"))
        acts.contribute(
            conn, person, now, match, form.text("k"), form.text("value"), instant(at or ""), form.text("by"),
            link or "", None if evidence is None else evidence[0],
        )  # fmt: skip

    return _answer(request, crew_task_id, form, call)


@post("/{crew_task_id:str}/match", guards=[RUN], status_code=200, sync_to_thread=True)
def match(request: Asked, crew_task_id: FromPath[str], form: Form) -> Response[Any]:
    """Draws the crews."""
    sealer = request.app.state["sealer"]
    return _answer(
        request,
        crew_task_id,
        form,
        lambda conn, person, now: acts.match(conn, person, now, _live(conn, person, crew_task_id, now), sealer),
        proof=True,
    )


@post("/{crew_task_id:str}/void", guards=[APPROVE], status_code=200, sync_to_thread=True)
def void(request: Asked, crew_task_id: FromPath[str], form: Form) -> Response[Any]:
    """Ends an attempt, visibly."""
    sealer = request.app.state["sealer"]
    return _answer(
        request,
        crew_task_id,
        form,
        lambda conn, person, now: acts.void(
            conn,
            person,
            now,
            _live(conn, person, crew_task_id, now, "crews.approve"),
            form.values.get("reason", ""),
            sealer,
        ),
    )


@post("/{crew_task_id:str}/assign", guards=[RUN], status_code=200, sync_to_thread=True)
def assign(request: Asked, crew_task_id: FromPath[str], form: Form) -> Response[Any]:
    """Sends the visits to the phones of their crews."""
    field = request.app.state["field"]
    return _answer(
        request,
        crew_task_id,
        form,
        lambda conn, person, now: acts.assign(conn, person, now, _live(conn, person, crew_task_id, now), field),
    )


@post("/{crew_task_id:str}/ways", guards=[RUN], status_code=200, sync_to_thread=True)
def ask_way(request: Asked, crew_task_id: FromPath[str], form: Form) -> Response[Any]:
    """Asks for one of the two ways of article 18."""
    return _answer(
        request,
        crew_task_id,
        form,
        lambda conn, person, now: crew_ways.ask_way(
            conn, person, now, crew_task_id, form.values, form.chosen("officers")
        ),
    )


def _answer(request: Asked, task_id: str, form: Form, call: Any, *, proof: bool = False) -> Response[Any]:
    return answer_form(
        request,
        form,
        call,
        done=f"{HOME}/{task_id}",
        again=lambda filled, status: _board(request, task_id, filled, status),
        proof=proof,
    )


def _live(conn: Any, person: Person, task_id: str, now: datetime, right: str = "crews.run") -> str:
    """The match of a task that isn't void, for who may act on it."""
    room_for(conn, person, right, task_id, now)
    found = store.live_match(conn, task_id)
    if found is None:
        raise Problem("crew_state")
    return found.id


@post("/ways/{crew_way_id:str}", guards=[APPROVE], status_code=200, sync_to_thread=True)
def decide_way(request: Asked, crew_way_id: FromPath[str], form: Form) -> Response[Any]:
    """The unit head's word on a way out."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: crew_ways.decide_way(
            conn, person, now, crew_way_id, form.text("decision") == "approve", form.values.get("answer", "")
        ),
        done=HOME,
        again=lambda filled, status: _list_page(request, filled, status),
    )


router = Router(
    HOME,
    dependencies=WITH_FORM,
    exception_handlers={Problem: on_problem},
    route_handlers=[
        show_crews,
        add_guest,
        show_board,
        plan,
        commit,
        contribute,
        match,
        void,
        assign,
        ask_way,
        decide_way,
        *crew_visits.handlers,
    ],
)
