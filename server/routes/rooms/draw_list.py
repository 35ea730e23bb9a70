"""The list of a draw: as it would be frozen, with the form of the commitment, and as it was frozen."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any, Final

from litestar import Response, get, post
from litestar.params import FromPath

from server.domain.codes import normal_code
from server.domain.draw import canonical
from server.domain.draw_sources import KINDS
from server.domain.task import Task
from server.errors import Problem
from server.office import draw_page, frames
from server.office import draws as office
from server.office.act import permit
from server.office.draw_page import Listing, Row
from server.routes import guards
from server.routes.draw_said import Said
from server.routes.forms import Filled, Form, answer_form
from server.routes.guards import Asked, has_right
from server.routes.lists import Look, look_of
from server.routes.pages import render, words_for
from server.routes.rooms.draw_forms import HOME, bits_typed, sources_of
from server.routes.rooms.draw_seen import may_of, seen
from server.store import directory, draws, tasks
from server.store.session import Connection
from server.words import Words

READ, RUN = has_right("draws.read"), has_right("draws.run")
AT_ONCE: Final = 50
TESTS: Final[dict[str, Callable[[Row], bool]]] = {
    "out": lambda row: bool(row.reason),
    "in": lambda row: not row.reason,
    "kept": lambda row: bool(row.ground),
    "all": lambda row: True,
}
"""Which rows can be asked for."""

FIRST: Final = {"source.0.kind": "lottery", "source.1.kind": "dice", "source.1.n": "10"}
"""What the form proposes."""


def chosen(conn: Connection, rows: Sequence[Row], look: Look) -> tuple[list[Row], int]:
    """A page of the rows that are asked for, those left out unless something else is; and how many there are."""
    show, q, first = look["show"] or ("all" if look["q"] else "out"), look["q"], (look.page - 1) * AT_ONCE
    found = [row for row in rows if TESTS.get(show, TESTS["all"])(row)]
    if q:
        code = normal_code(q)
        found = [row for row in draw_page.named(conn, found) if q in row.name or (code and code in row.code)]
    return draw_page.named(conn, found[first : first + AT_ONCE]), len(found)


def shows(w: Words, rows: Sequence[Row]) -> list[tuple[str, str, int]]:
    """The filters with their counts; the first is what is shown unasked."""
    return [
        ("" if name == "out" else name, w(f"draws.rows.{name}"), sum(map(test, rows))) for name, test in TESTS.items()
    ]


def _paged(request: Asked, conn: Connection, listing: Listing, path: str) -> dict[str, Any]:
    look, w = look_of(request, "show", "q", path=path), words_for(request)
    found, total = chosen(conn, listing.rows, look)
    return {
        "room": "draws",
        "look": look,
        "found": found,
        "total": total,
        "size": AT_ONCE,
        "shows": shows(w, listing.rows),
        "list": listing.counted,
        "kept": listing.kept,
        "said": Said(w),
    }


@get("/{draw_id:str}/list", guards=[READ], sync_to_thread=True)
def show_list(request: Asked, draw_id: FromPath[str]) -> Response[str]:
    """The frozen list, row by row."""
    view = seen(request, draw_id)
    with request.app.state.db.read() as conn:
        listing = draw_page.listing(draws.frozen_of(conn, draw_id), view.draw.rules, view.draw.quotas)
        shown = _paged(request, conn, listing, f"{HOME}/{draw_id}/list")
    return render(request, "draws_rows", draw=view.draw, **shown)


# --- a new draw -------------------------------------------------------------------------------------------------------


@get("/tasks/{task_id:str}", guards=[READ], sync_to_thread=True)
def show_task(request: Asked, task_id: FromPath[str]) -> Response[str]:
    """The list as it would be frozen now, and the form that publishes the commitment."""
    return _task_page(request, task_id, Filled(FIRST), 200)


def _task_page(request: Asked, task_id: str, filled: Filled, status: int) -> Response[str]:
    can, w, now = may_of(request.user), words_for(request), guards.now(request)
    with request.app.state.db.read() as conn:
        task = _task(request, conn, task_id)
        frame = frames.preview_of(conn, task, now)
        listing = draw_page.listing(frame.frozen, canonical(frames.rules_of(conn, task, frame, now)))
        shown = _paged(request, conn, listing, f"{HOME}/tasks/{task_id}")
        unit = directory.names_of_units(conn).get(task.unit_id, "")
        hindrance = draw_page.hindrance(conn, task)
    return render(
        request,
        "draws_set",
        status,
        task=task,
        unit=unit,
        steps=draw_page.steps_of(None),
        filled=filled,
        bits=bits_typed(filled.values) if status != 200 else None,
        kinds=[(kind, w(f"draws.kind.{kind}")) for kind in KINDS],
        hindrance=hindrance,
        can_commit=can("draws.run", task.unit_id) and hindrance is None,
        **shown,
    )


def _task(request: Asked, conn: Connection, task_id: str) -> Task:
    """A task that this person may see; for who may not it isn't there."""
    task = tasks.task_of(conn, task_id)
    if task is None or not may_of(request.user)("draws.read", task.unit_id):
        raise Problem("not_found")
    return task


@post("/tasks/{task_id:str}", guards=[RUN], sync_to_thread=True)
def commit(request: Asked, task_id: FromPath[str], form: Form) -> Response[Any]:
    """Freezes the list and publishes the commitment."""
    sealer = request.app.state["sealer"]
    with request.app.state.db.read() as conn:
        permit(request.user, "draws.run", _task(request, conn, task_id).unit_id)
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.commit(
            conn, person, now, task_id, sources_of(form.values), secrets.token_bytes(32), sealer
        ),
        done=lambda draw_id: f"{HOME}/{draw_id}",
        again=lambda filled, status: _task_page(request, task_id, filled, status),
    )


handlers: list[Any] = [show_task, commit, show_list]
