"""The annual plan: years, one plan with its way to release, versions, capacity, requests to go below a limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from litestar import Response, Router, get, post

from server.domain.access import allows
from server.domain.instant import beijing_day
from server.domain.plan import differences
from server.errors import Problem
from server.office import plan_lines, plans
from server.office.plan_facts import capacities
from server.office.plan_page import STEPS, Joint, PlanView, joint_of, view_of
from server.routes import guards
from server.routes.forms import WITH_FORM, Filled, Form, answer_form
from server.routes.guards import Asked, has_right
from server.routes.pages import on_problem, render, words_for
from server.routes.rooms.plan_lines import HANDLERS, ROOM, year_of
from server.routes.rooms.plan_said import Said, csv_rows
from server.sheets.writing import csv_lines
from server.store import directory
from server.store import plans as store
from server.store.people import Person
from server.store.session import Connection


def today_of(request: Asked) -> date:
    """The day that it is in Beijing."""
    return beijing_day(guards.now(request))


def may_of(person: Person) -> Callable[[str, str | None], bool]:
    """Whether this person has a right on a unit, None being the bureau."""
    return lambda right, unit: allows(person.roles, person.unit_id, right, unit)


# --- all years --------------------------------------------------------------------------------------------------------


@get("/", guards=[has_right("plans.read")], sync_to_thread=True)
def show_years(request: Asked) -> Response[str]:
    """Every year's plan, and a form that begins the next one."""
    return _years_page(request, Filled(), 200)


def _years_page(request: Asked, filled: Filled, status: int) -> Response[str]:
    today = today_of(request)
    with request.app.state.db.read() as conn:
        found = store.plans(conn)
        joints: dict[int, Joint] = {
            one.year: joint_of(conn, one.year, today, store.lines_of(conn, one.year, one.version)) for one in found
        }
        asked = len(store.waiting_overrides(conn))
    taken = {one.year for one in found}
    proposed = next(year for year in range(today.year, today.year + 20) if year not in taken)
    shown = filled if filled.values else Filled({"year": str(proposed)}, {}, filled.faults, filled.problem)
    return render(
        request, "plans", status, room="plans", plans=found, joints=joints, asked=asked, filled=shown, today=today
    )


@post("/", guards=[has_right("plans.consolidate")], sync_to_thread=True)
def begin_year(request: Asked, form: Form) -> Response[Any]:
    """Begins the plan of a year."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: plans.open_plan(conn, person, now, form.values),
        done=lambda year: f"{ROOM}/{year}",
        again=lambda filled, status: _years_page(request, filled, status),
    )


# --- one plan ---------------------------------------------------------------------------------------------------------


@get("/{plan_id:str}", guards=[has_right("plans.read")], sync_to_thread=True)
def show_plan(request: Asked, plan_id: str) -> Response[str]:
    """Lines by unit, where the plan stands, what is missing, who must act."""
    return _plan_page(request, year_of(plan_id), Filled(), 200)


def _plan_page(request: Asked, year: int, filled: Filled, status: int) -> Response[str]:
    with request.app.state.db.read() as conn:
        view = view_of(conn, year, today_of(request))
        names = directory.names_of_people(conn)
    return render(
        request,
        "plans_plan",
        status,
        room="plans",
        view=view,
        steps=STEPS,
        names=names,
        filled=filled,
        can=may_of(request.user),
        said=Said(words_for(request)),
        today=today_of(request).isoformat(),
        acting=_acting(view, request.user),
    )


def _acting(view: PlanView, person: Person) -> bool:
    """Whether it is this person's turn."""
    if view.next_role == "units":
        mine = [part for part in view.parts if part.unit_id == person.unit_id and part.state == "open"]
        return bool(mine) and not {"unit_clerk", "unit_head"}.isdisjoint(person.roles)
    return view.next_role in person.roles


Move = Callable[[Connection, Person, datetime, int, Mapping[str, str]], None]
MOVES: Final[dict[str, Move]] = {
    "submit": lambda conn, who, now, year, form: plans.submit_part(conn, who, now, year, form.get("unit_id", "")),
    "none": lambda conn, who, now, year, form: plans.note_none(
        conn, who, now, year, form.get("unit_id", ""), form.get("reason", "")
    ),
    "give-back": lambda conn, who, now, year, form: plans.give_back(
        conn, who, now, year, form.get("unit_id", ""), form.get("reason", "")
    ),
    "consolidate": lambda conn, who, now, year, _: plans.consolidate(conn, who, now, year),
    "approve": lambda conn, who, now, year, _: plans.approve(conn, who, now, year),
    "refuse": lambda conn, who, now, year, form: plans.refuse(conn, who, now, year, form.get("reason", "")),
    "file": lambda conn, who, now, year, form: plans.file_plan(conn, who, now, year, form),
    "release": lambda conn, who, now, year, _: plans.release(conn, who, now, year),
    "amend": lambda conn, who, now, year, form: plans.amend(conn, who, now, year, form.get("reason", "")),
}
"""What can be done with a plan, by the last part of the address."""


@post("/{plan_id:str}/{act:str}", guards=[has_right("plans.read")], sync_to_thread=True)
def move_plan(request: Asked, plan_id: str, act: str, form: Form) -> Response[Any]:
    """One step of the plan's way; the page says what was missing, and keeps what was typed."""
    year, move = year_of(plan_id), MOVES.get(act)
    if move is None:
        raise Problem("not_found")
    values = {"unit_id": request.user.unit_id or "", **form.values}
    return answer_form(
        request,
        form,
        lambda conn, person, now: move(conn, person, now, year, values),
        done=f"{ROOM}/{year}",
        again=lambda filled, status: _plan_page(request, year, filled, status),
        proof=act == "release",
    )


@post("/{plan_id:str}/overrides", guards=[has_right("overrides.ask")], sync_to_thread=True)
def ask_override(request: Asked, plan_id: str, form: Form) -> Response[Any]:
    """Asks the principal to let an item's year stay below a limit."""
    year = year_of(plan_id)
    kind, item, reason = form.text("kind"), form.text("item_id"), form.text("reason")
    return answer_form(
        request,
        form,
        lambda conn, person, now: plan_lines.ask_override(conn, person, now, year, kind, item, reason),
        done=f"{ROOM}/{year}",
        again=lambda filled, status: _plan_page(request, year, filled, status),
    )


# --- versions, capacity, the file -------------------------------------------------------------------------------------


@get("/{plan_id:str}/versions/{plan_version:int}", guards=[has_right("plans.read")], sync_to_thread=True)
def show_version(request: Asked, plan_id: str, plan_version: int) -> Response[str]:
    """A released version, as the public reads it, and how it differs from the one before."""
    year = year_of(plan_id)
    with request.app.state.db.read() as conn:
        found = store.version_of(conn, year, plan_version)
        shown = store.public_plan(conn, year, plan_version)
        before = store.public_plan(conn, year, plan_version - 1)
        names = directory.names_of_people(conn)
    if found is None or shown is None:
        raise Problem("not_found")
    changes = [] if before is None else differences(before.lines, shown.lines)
    said = Said(words_for(request))
    return render(
        request,
        "plans_version",
        room="plans",
        version=found,
        shown=shown,
        changes=changes,
        names=names,
        said=said,
    )


@get("/{plan_id:str}/capacity", guards=[has_right("plans.read")], sync_to_thread=True)
def show_capacity(request: Asked, plan_id: str) -> Response[str]:
    """Whether the units' officers suffice for what is planned."""
    return _capacity_page(request, year_of(plan_id), Filled(), 200)


def _capacity_page(request: Asked, year: int, filled: Filled, status: int) -> Response[str]:
    with request.app.state.db.read() as conn:
        plan = store.plan_of(conn, year)
        if plan is None:
            raise Problem("not_found")
        parts, lines = store.parts_of(conn, year, plan.version), store.lines_of(conn, year, plan.version)
        found = capacities(conn, plan, parts, lines)
    return render(
        request,
        "plans_capacity",
        status,
        room="plans",
        plan=plan,
        capacities=found,
        filled=filled,
        can=may_of(request.user),
        is_open=plan.state in ("draft", "amended"),
    )


@post("/{plan_id:str}/capacity", guards=[has_right("plan_lines.change")], sync_to_thread=True)
def set_duties(request: Asked, plan_id: str, form: Form) -> Response[Any]:
    """How many person-days of the own unit go to other duties."""
    year, unit_id = year_of(plan_id), form.text("unit_id") or request.user.unit_id or ""
    return answer_form(
        request,
        form,
        lambda conn, person, now: plans.set_other_days(conn, person, now, year, unit_id, form.values),
        done=f"{ROOM}/{year}/capacity",
        again=lambda filled, status: _capacity_page(request, year, filled, status),
    )


@get("/{plan_id:str}/lines.csv", guards=[has_right("plans.read")], sync_to_thread=True)
def export_lines(request: Asked, plan_id: str) -> Response[bytes]:
    """The lines of the plan as it stands, as a file that a spreadsheet opens."""
    year = year_of(plan_id)
    with request.app.state.db.read() as conn:
        plan = store.plan_of(conn, year)
        lines = [] if plan is None else store.lines_of(conn, year, plan.version)
    if plan is None:
        raise Problem("not_found")
    headers = {"Content-Disposition": f'attachment; filename="plan-{year}-v{plan.version}.csv"'}
    content = b"".join(csv_lines(csv_rows(words_for(request), lines)))
    return Response(content, media_type="text/csv", headers=headers | {"Cache-Control": "no-store"})


# --- requests to the principal ----------------------------------------------------------------------------------------


@get("/overrides", guards=[has_right("plans.read")], sync_to_thread=True)
def show_overrides(request: Asked) -> Response[str]:
    """The requests of every year, those that wait for the principal first."""
    return _overrides_page(request, Filled(), 200)


def _overrides_page(request: Asked, filled: Filled, status: int) -> Response[str]:
    with request.app.state.db.read() as conn:
        found = [one for plan in store.plans(conn) for one in store.overrides_of(conn, plan.year)]
        names = directory.names_of_people(conn)
    waiting = [one for one in found if one.state == "asked"]
    others = [one for one in found if one.state != "asked"]
    return render(
        request, "plans_overrides", status, room="plans", waiting=waiting, decided=others, names=names, filled=filled
    )


@post("/overrides/{override_id:str}", guards=[has_right("overrides.approve")], sync_to_thread=True)
def decide_override(request: Asked, override_id: str, form: Form) -> Response[Any]:
    """The principal approves or refuses a request."""
    answer, reason = form.text("answer"), form.text("reason")
    return answer_form(
        request,
        form,
        lambda conn, person, now: plan_lines.decide_override(conn, person, now, override_id, answer, reason),
        done=f"{ROOM}/overrides",
        again=lambda filled, status: _overrides_page(request, filled, status),
    )


router = Router(
    ROOM,
    exception_handlers={Problem: on_problem},
    dependencies=WITH_FORM,
    route_handlers=[
        show_years,
        begin_year,
        show_overrides,
        decide_override,
        show_plan,
        ask_override,
        move_plan,
        show_version,
        show_capacity,
        set_duties,
        export_lines,
        *HANDLERS,
    ],
)
