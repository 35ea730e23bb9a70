"""Inspections that are not random: the list, one of them, and recording a new one."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, Router, get, post

from server.domain.access import allows, reach
from server.domain.non_random import GROUNDS, KINDS
from server.errors import Problem
from server.office import non_random as acts
from server.routes.forms import WITH_FORM, Filled, Form, answer_form
from server.routes.guards import Asked, has_right
from server.routes.lists import look_of
from server.routes.pages import on_problem, render
from server.store import directory, non_random
from server.store.non_random import Line

ROOM: Final = "/office/non-random"
PAGE: Final = 50


@get("/", guards=[has_right("non_random.read")], sync_to_thread=True)
def show_list(request: Asked) -> Response[str]:
    """Those of one's own unit, or of all units, the latest first."""
    look = look_of(request, "kind", "state")
    unit = None if reach(request.user.roles, "non_random.read") == "all" else request.user.unit_id
    with request.app.state.db.read() as conn:
        kinds = [(kind, non_random.count(conn, unit, kind, look["state"])) for kind in ("", *KINDS)]
        total = non_random.count(conn, unit, look["kind"], look["state"])
        lines = non_random.lines(conn, unit, look["kind"], look["state"], (look.page - 1) * PAGE, PAGE)
        items = non_random.items_now(conn)
    return render(
        request, "non_random", room="non_random", look=look, kinds=kinds, lines=lines, total=total, size=PAGE,
        items_known=items,
    )  # fmt: skip


@get("/{inspection_id:str}", guards=[has_right("non_random.read")], sync_to_thread=True)
def show_one(request: Asked, inspection_id: str) -> Response[str]:
    """One inspection, and what may be decided about it."""
    return _page(request, inspection_id, Filled(), 200)


def _page(request: Asked, inspection_id: str, filled: Filled, status: int) -> Response[str]:
    person = request.user
    with request.app.state.db.read() as conn:
        line = _line(request, non_random.one(conn, inspection_id))
        names, items = directory.names_of_people(conn), non_random.items_now(conn)
    return render(
        request,
        "non_random_one",
        status,
        room="non_random",
        line=line,
        names=names,
        items_known=items,
        filled=filled,
        decides=allows(person.roles, person.unit_id, "non_random.approve", line.it.unit_id),
        own=line.it.entered_by == person.id,
    )


def _line(request: Asked, line: Line | None) -> Line:
    person = request.user
    if line is None or not allows(person.roles, person.unit_id, "non_random.read", line.it.unit_id):
        raise Problem("not_found")
    return line


@get("/new", guards=[has_right("non_random.record")], sync_to_thread=True)
def new_one(request: Asked, code: str = "") -> Response[str]:
    """The form; a subject's page leads here with its code."""
    return _form(request, Filled({"code": code}), 200)


@post("/new", guards=[has_right("non_random.record")], sync_to_thread=True)
def record_one(request: Asked, form: Form) -> Response[Any]:
    """Records it."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.record_non_random(conn, person, now, form.values, form.chosen("items")),
        done=lambda made: f"{ROOM}/{made}",
        again=lambda filled, status: _form(request, filled, status),
    )


def _form(request: Asked, filled: Filled, status: int) -> Response[str]:
    with request.app.state.db.read() as conn:
        items = non_random.items_now(conn)
    return render(
        request,
        "non_random_new",
        status,
        room="non_random",
        filled=filled,
        items_known=items,
        kinds=KINDS,
        grounds=GROUNDS,
    )


@post("/{inspection_id:str}/approve", guards=[has_right("non_random.approve")], sync_to_thread=True)
def approve_one(request: Asked, form: Form, inspection_id: str) -> Response[Any]:
    """The unit head approves one of another kind."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.approve_non_random(conn, person, now, inspection_id),
        done=f"{ROOM}/{inspection_id}",
        again=lambda filled, status: _page(request, inspection_id, filled, status),
    )


@post("/{inspection_id:str}/refuse", guards=[has_right("non_random.approve")], sync_to_thread=True)
def refuse_one(request: Asked, form: Form, inspection_id: str) -> Response[Any]:
    """The unit head refuses one, with a reason."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.refuse_non_random(conn, person, now, inspection_id, form.text("reason")),
        done=f"{ROOM}/{inspection_id}",
        again=lambda filled, status: _page(request, inspection_id, filled, status),
    )


@post("/{inspection_id:str}/withdraw", guards=[has_right("non_random.approve")], sync_to_thread=True)
def withdraw_one(request: Asked, form: Form, inspection_id: str) -> Response[Any]:
    """The unit head takes out one that was recorded by mistake."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.withdraw_non_random(conn, person, now, inspection_id, form.text("reason")),
        done=f"{ROOM}/{inspection_id}",
        again=lambda filled, status: _page(request, inspection_id, filled, status),
    )


router = Router(
    ROOM,
    exception_handlers={Problem: on_problem},
    dependencies=WITH_FORM,
    route_handlers=[show_list, show_one, new_one, record_one, approve_one, refuse_one, withdraw_one],
)
