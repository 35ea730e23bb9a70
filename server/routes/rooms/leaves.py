"""The leave calendar, a part of the officers' room: a month, a row for each officer."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from typing import Any, Final

from litestar import Response, get, post
from litestar.params import FromPath

from server.domain.access import allows
from server.domain.instant import beijing_day
from server.domain.leave import KINDS, PARTS, Leave
from server.office import leave as office
from server.office.officers import unit_of_reach
from server.routes import guards
from server.routes.forms import Filled, Form, answer_form
from server.routes.guards import Asked, has_right
from server.routes.lists import look_of
from server.routes.pages import render
from server.routes.rooms.people_said import said_of
from server.store import calendars, directory, leaves, officers

HOME: Final = "/office/officers/leave"
READ, CHANGE = has_right("officers.read"), has_right("officers.change")


@get("/leave", guards=[READ], sync_to_thread=True)
def show_leave(request: Asked) -> Response[str]:
    """The month that `month` names ("2026-11"), or this one."""
    return _month_page(request)


def _month_page(request: Asked, filled: Filled | None = None, status: int = 200, about: str = "") -> Response[str]:
    look = look_of(request, "month", path=HOME)
    today = beijing_day(guards.now(request))
    first = _first_day(look["month"], today)
    days = [first + timedelta(n) for n in range(monthrange(first.year, first.month)[1])]
    unit_id = unit_of_reach(request.user, "officers.read")
    with request.app.state.db.read() as conn:
        away = leaves.listed(conn, unit_id, days[0].isoformat(), days[-1].isoformat())
        people = [row for row in officers.rows_of(conn, unit_id) if row["left_on"] is None]
        units, calendar = directory.names_of_units(conn), calendars.calendar(conn)
    cells = {(one.leave.officer_id, day): one.leave for one in away for day in days if _covers(one.leave, day)}
    return render(
        request,
        "leave_month",
        status,
        room="officers",
        first=first,
        days=days,
        is_off=lambda day: calendar.knows(day.year) and not calendar.is_working_day(day),
        today=today,
        before=(first - timedelta(1)).strftime("%Y-%m"),
        after=(days[-1] + timedelta(1)).strftime("%Y-%m"),
        people_rows=sorted(people, key=lambda row: (row["unit_id"], row["id"])),
        cells=cells,
        rows=away,
        units=units,
        said=said_of(request, units),
        can=lambda unit: _may(request, unit),
        can_add=_may(request, request.user.unit_id),
        filled=filled or Filled(),
        about=about,
    )


def _first_day(month: str, today: date) -> date:
    try:
        return date.fromisoformat(f"{month}-01")
    except ValueError:
        return today.replace(day=1)


def _covers(one: Leave, day: date) -> bool:
    return one.since <= day.isoformat() <= one.until


@get("/leave/new", guards=[CHANGE], sync_to_thread=True)
def new_leave(request: Asked) -> Response[str]:
    """An empty form, or one that an officer's page began."""
    return _form_page(request, Filled({"officer_id": request.query_params.get("officer_id", ""), "part": "whole"}))


@post("/leave/new", guards=[CHANGE], status_code=200, sync_to_thread=True)
def add_leave(request: Asked, form: Form) -> Response[Any]:
    """Enters a leave."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.add_leave(conn, person, now, form.values),
        done=f"{HOME}?month={form.text('since')[:7]}",
        again=lambda filled, status: _form_page(request, filled, status),
    )


def _form_page(request: Asked, filled: Filled, status: int = 200) -> Response[str]:
    with request.app.state.db.read() as conn:
        mine = officers.rows_of(conn, request.user.unit_id or "")
    return render(
        request,
        "leave_form",
        status,
        room="officers",
        filled=filled,
        officers=[(row["id"], row["name"]) for row in mine if row["left_on"] is None],
        kinds=KINDS,
        leave_parts=PARTS,
    )


@post("/leave/{leave_id:str}/cancel", guards=[CHANGE], status_code=200, sync_to_thread=True)
def cancel_leave(request: Asked, leave_id: FromPath[str], form: Form) -> Response[Any]:
    """Takes a leave back."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.cancel_leave(conn, person, now, leave_id, form.values),
        done=HOME,
        again=lambda filled, status: _month_page(request, filled, status, leave_id),
    )


def _may(request: Asked, unit_id: str | None) -> bool:
    return allows(request.user.roles, request.user.unit_id, "officers.change", unit_id)


handlers = [show_leave, new_leave, add_leave, cancel_leave]
