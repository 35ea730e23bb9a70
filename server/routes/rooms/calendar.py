"""The working-day calendar: years with their sources, one year by months, its import, and deadlines."""

from __future__ import annotations

import calendar as months
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from litestar import Response, Router, get, post

from server.domain.access import reach
from server.domain.calendar import Calendar, CalendarYear, Light, light_of, working_days_between
from server.domain.instant import beijing_day
from server.errors import Problem
from server.office import calendars as acts
from server.office import objection_page
from server.routes import guards
from server.routes.forms import WITH_FORM, Filled, Form, answer_form, refilled, wants_page
from server.routes.guards import Asked, has_right
from server.routes.lists import look_of
from server.routes.pages import on_problem, render
from server.store import calendars, deadlines, directory, rules
from server.store.calendars import Kept
from server.store.deadlines import Change, Target
from server.store.session import Connection

ROOM: Final = "/office/calendar"
PAGE: Final = 50


@get("/", guards=[has_right("calendar.read")], sync_to_thread=True)
def show_years(request: Asked) -> Response[str]:
    """The years that are known, the last first, and what waits for the next."""
    with request.app.state.db.read() as conn:
        by_year = _by_year(calendars.years(conn))
        names, waiting = directory.names_of_people(conn), len(deadlines.provisional(conn))
    shown = {
        year: next((one for one in kept if one.year.state == "released"), kept[0]) for year, kept in by_year.items()
    }
    states = {year: acts.state_of(shown[year], kept) for year, kept in by_year.items()}
    missing = max((year for year, state in states.items() if state == "released"), default=0) + 1
    return render(
        request, "calendar", room="rules", years=shown, states=states, names=names, waiting=waiting, missing=missing
    )


def _by_year(every: list[Kept]) -> dict[int, list[Kept]]:
    found: dict[int, list[Kept]] = {}
    for one in every:
        found.setdefault(one.year.year, []).append(one)
    return found


@get("/{calendar_year:int}", guards=[has_right("calendar.read")], sync_to_thread=True)
def show_year(request: Asked, calendar_year: int, version: int | None = None) -> Response[str]:
    """One year by months, its versions, and what a version did to deadlines when it came."""
    with request.app.state.db.read() as conn:
        kept = calendars.versions_of(conn, calendar_year)
        names = directory.names_of_people(conn)
        shown = next((one for one in kept if version in (None, one.year.version)), None)
        if shown is None:
            raise Problem("not_found")
        changes = deadlines.changes_by(conn, calendar_year, shown.year.version)
        subjects = _subjects_of(conn, request, changes)
        seen = [(change, subjects[change.object]) for change in changes if change.object in subjects]
    return render(
        request,
        "calendar_year",
        room="rules",
        shown=shown,
        kept=kept,
        states={one.year.version: acts.state_of(one, kept) for one in kept},
        names=names,
        grid=grid_of(shown.year),
        working=_working_days(shown.year),
        seen=seen,
        changed=len(seen if reach(request.user.roles, "visits.read") else changes),
    )


def _subjects_of(conn: Connection, request: Asked, changes: list[Change]) -> Mapping[str, tuple[str, str]]:
    """Object -> visit and subject, of the changed deadlines whose visits this person sees; the admin sees none."""
    far = reach(request.user.roles, "visits.read")
    if far not in ("own", "all") or not changes:
        return {}
    unit = None if far == "all" else request.user.unit_id
    return deadlines.subjects_of(conn, [change.object for change in changes], unit)


def grid_of(year: CalendarYear) -> list[tuple[int, list[list[tuple[int, str] | None]]]]:
    """Twelve months as weeks from Monday; of each day its number and what it is: `work`, `off`, `makeup`, `weekend`."""
    off, makeup = set(year.off), set(year.makeup)

    def kind(day: date) -> str:
        if day in makeup:
            return "makeup"
        return "off" if day in off else "weekend" if day.weekday() > 4 else "work"

    def cell(month: int, number: int) -> tuple[int, str] | None:
        return (number, kind(date(year.year, month, number))) if number else None

    return [
        (month, [[cell(month, number) for number in week] for week in months.monthcalendar(year.year, month)])
        for month in range(1, 13)
    ]


def _working_days(year: CalendarYear) -> int:
    known = Calendar([CalendarYear(year.year, year.version, "released", "", "", year.off, year.makeup)])
    first, last = date(year.year, 1, 1), date(year.year, 12, 31)
    return (working_days_between(first, last, known) or 0) + known.is_working_day(first)


# --- an import --------------------------------------------------------------------------------------------------------


@get("/import", guards=[has_right("calendar.change")], sync_to_thread=True)
def show_import(request: Asked, year: int | None = None) -> Response[str]:
    """The form of an import; for a year that is known it begins with what stands."""
    with request.app.state.db.read() as conn:
        kept = [] if year is None else calendars.versions_of(conn, year)
    values = {"year": str(year or ""), "state": "released"}
    if kept:
        values |= {name: "\n".join(map(str, getattr(kept[0].year, name))) for name in ("off", "makeup")}
    return _import_page(request, Filled(values), 200)


@post("/import", guards=[has_right("calendar.change")], sync_to_thread=True)
def run_import(request: Asked, form: Form) -> Response[Any]:
    """Checks what was entered, and with `step` = `import` brings it."""
    content = _content(form)
    if form.text("step") != "import":
        return _check(request, form, content)
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.import_year(conn, person, now, form.values, content),
        done=lambda year: f"{ROOM}/{year.year}?version={year.version}",
        again=lambda filled, status: _import_page(request, filled, status),
    )


def _check(request: Asked, form: Form, content: bytes | None) -> Response[Any]:
    """The dry check: what would change, and the days of a file as lines that can still be mended."""
    try:
        with request.app.state.db.read() as conn:
            checked = acts.check_import(conn, form.values, content)
            waiting = len(deadlines.provisional(conn))
    except Problem as problem:
        if not wants_page(request):
            raise
        return _import_page(request, *refilled(request, form, problem))
    days = {name: "\n".join(map(str, getattr(checked.year, name))) for name in ("off", "makeup")}
    filled = Filled({**form.values, **days}, form.lists)
    return _import_page(request, filled, 200, checked=checked, grid=grid_of(checked.year), waiting=waiting)


def _content(form: Form) -> bytes | None:
    file = form.files.get("file")
    return file.file.read() if file is not None and file.filename else None


def _import_page(request: Asked, filled: Filled, status: int, **more: Any) -> Response[str]:
    shown: dict[str, Any] = {"checked": None, "grid": [], "waiting": 0} | more
    if shown["checked"] is not None:
        shown["working"] = _working_days(shown["checked"].year)
    return render(request, "calendar_import", status, room="rules", filled=filled, **shown)


# --- the deadlines ----------------------------------------------------------------------------------------------------


@get("/deadlines", guards=[has_right("visits.read")], sync_to_thread=True)
def show_deadlines(request: Asked) -> Response[str]:
    """By when the results of visits are to be public: days with their lights, and what waits for a calendar."""
    look = look_of(request, "show")
    unit = None if reach(request.user.roles, "visits.read") == "all" else request.user.unit_id
    waiting = look["show"] == "waiting"
    with request.app.state.db.read() as conn:
        counts = [deadlines.count_targets(conn, unit, waiting=only) for only in (False, True)]
        found = deadlines.targets(conn, unit, waiting=waiting, first=(look.page - 1) * PAGE, limit=PAGE)
        units, lights = directory.names_of_units(conn), _lights(conn, found, beijing_day(guards.now(request)))
        dated = objection_page.dated(conn, unit, beijing_day(guards.now(request)), waiting=waiting)
    return render(
        request,
        "deadlines",
        room="rules",
        look=look,
        targets=found,
        lights=lights,
        units=units,
        dated=dated,
        counts=counts,
        total=counts[waiting],
        size=PAGE,
    )


def _lights(conn: Connection, found: list[Target], today: date) -> dict[str, Light]:
    known, steps = calendars.calendar(conn), rules.rule_set_on(conn, today).lights
    return {one.visit_id: light_of(one.deadline.due.on, None, today, steps, known) for one in found}


router = Router(
    ROOM,
    exception_handlers={Problem: on_problem},
    dependencies=WITH_FORM,
    route_handlers=[show_years, show_year, show_import, run_import, show_deadlines],
)
