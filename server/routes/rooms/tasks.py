"""Tasks: the list with what the plan still asks for, the guided set-up, and one task on its way to its end."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from litestar import Response, Router, get, post

from server.domain.access import ALL, allows, reach
from server.domain.instant import beijing_day
from server.domain.ruleset import CREDITS, RISKS
from server.domain.subject import KINDS, TRAITS
from server.domain.task import DISCLOSURES, DRAWS, FORMS, JOINT, METHODS, MODES, STRATA, Task
from server.errors import Problem
from server.office import dispatch, extensions, task_page
from server.office import tasks as acts
from server.office.act import permit
from server.office.plan_facts import released_items
from server.office.task_facts import default_shares, filter_values, names_of_items, planned
from server.routes import guards
from server.routes.forms import WITH_FORM, Filled, Form, answer_form
from server.routes.guards import Asked, has_right
from server.routes.language import words_for
from server.routes.lists import look_of
from server.routes.pages import on_problem, render
from server.routes.rooms.plan_said import Said
from server.store import directory, joint_lists, plans, tasks
from server.store.rules import rule_set_on
from server.store.session import Connection

ROOM: Final = "/office/tasks"
PAGE: Final = 30
CHOICES: Final = {
    "draws": DRAWS,
    "joints": JOINT,
    "methods": METHODS,
    "forms_known": FORMS,
    "modes": MODES,
    "disclosures": DISCLOSURES,
    "conditions": {"risks": RISKS, "credits": CREDITS, "kinds": KINDS, "traits": TRAITS},
}


def today_of(request: Asked) -> date:
    """The day that it is in Beijing."""
    return beijing_day(guards.now(request))


@get("/", guards=[has_right("tasks.read")], sync_to_thread=True)
def show_tasks(request: Asked) -> Response[str]:
    """The tasks of one's own unit, or of all, and the plan's lines that wait to be set up."""
    look = look_of(request, "state")
    unit = None if reach(request.user.roles, "tasks.read") == ALL else request.user.unit_id
    with request.app.state.db.read() as conn:
        found = task_page.rows(conn, unit)
        proposed = task_page.proposals(conn, unit, today_of(request))
        items, units = names_of_items(conn, [one.task for one in found]), directory.names_of_units(conn)
    counts = [(one, sum(one in ("", task_page.shown_as(row)) for row in found)) for one in task_page.SHOWN]
    chosen = [row for row in found if look["state"] in ("", task_page.shown_as(row))]
    start = (look.page - 1) * PAGE
    return render(
        request,
        "tasks",
        room="tasks",
        look=look,
        counts=counts,
        rows=chosen[start : start + PAGE],
        total=len(chosen),
        size=PAGE,
        proposed=proposed,
        items=items,
        units=units,
        shown_as=task_page.shown_as,
        said=Said(words_for(request)),
        sets_up=lambda unit_id: allows(request.user.roles, request.user.unit_id, "tasks.change", unit_id),
    )


# --- set-up -----------------------------------------------------------------------------------------------------------


@get("/new", guards=[has_right("tasks.change")], sync_to_thread=True)
def new_task(request: Asked) -> Response[str]:
    """The steps of a new task on one page; with an item chosen it counts who could be drawn."""
    return _form_page(request, None, Filled(_asked(request)), 200)


@post("/", guards=[has_right("tasks.change")], sync_to_thread=True)
def add_task(request: Asked, form: Form) -> Response[Any]:
    """Saves a new task."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.add_task(conn, person, now, form.values),
        done=lambda id: f"{ROOM}/{id}",
        again=lambda filled, status: _form_page(request, None, filled, status),
    )


@get("/{task_id:str}/edit", guards=[has_right("tasks.change")], sync_to_thread=True)
def edit_task(request: Asked, task_id: str) -> Response[str]:
    """The same steps of a task that nothing is drawn for yet."""
    return _form_page(request, task_id, Filled(_asked(request)), 200)


@post("/{task_id:str}", guards=[has_right("tasks.change")], sync_to_thread=True)
def change_task(request: Asked, task_id: str, form: Form) -> Response[Any]:
    """Saves the changes."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.change_task(conn, person, now, task_id, form.values),
        done=f"{ROOM}/{task_id}",
        again=lambda filled, status: _form_page(request, task_id, filled, status),
    )


def _asked(request: Asked) -> dict[str, str]:
    return {name: value for name, value in request.query_params.items() if isinstance(value, str)}


def _form_page(request: Asked, task_id: str | None, filled: Filled, status: int) -> Response[str]:
    today = today_of(request)
    with request.app.state.db.read() as conn:
        old = None if task_id is None else task_page.view_of(conn, request.user, task_id).task
        if old is not None:
            permit(request.user, "tasks.change", old.unit_id)
        values = dict(filled.values)
        if "name" not in values:
            values = (_prefilled(conn, values, today) if old is None else values_of(old)) | values
        counted = acts.frame_for(conn, request.user, values, guards.now(request), old)
        rules = rule_set_on(conn, today)
        version, released = released_items(conn, today)
        line = planned(conn, values.get("plan_line_id"))
        lists = [] if line is None else joint_lists.lists_of(conn, line.id)
        shares = {} if counted is None else default_shares(counted[1], released[counted[0].items[0]], rules)
        if counted is not None and not values.get("n", "").strip():
            values["n"] = str(min(counted[1].proposal.n, counted[1].candidates))
    return render(
        request,
        "tasks_form",
        status,
        room="tasks",
        old=old,
        filled=Filled(values, filled.lists, filled.faults, filled.problem),
        items=[(one.id, one.name) for one in released.values()],
        version=version,
        line=line,
        lists=lists,
        frame=None if counted is None else counted[1],
        strata=_strata({} if counted is None else counted[1].sizes, values),
        shares=shares,
        said=Said(words_for(request)),
        **CHOICES,
    )


def _strata(sizes: Mapping[str, int], values: Mapping[str, str]) -> list[tuple[str, int]]:
    """Every stratum with its size, and those for which something was typed though nobody is in them now."""
    typed = {name.removeprefix("share."): 0 for name in values if name.removeprefix("share.") in STRATA}
    return sorted((typed | dict(sizes)).items())


def _prefilled(conn: Connection, values: Mapping[str, str], today: date) -> dict[str, str]:
    """What a new task begins with: the plan's line where it comes from one, and the rule set's disclosure."""
    made = {
        "draw": "undirected",
        "mode": "total",
        "crew_size": "2",
        "disclosure": rule_set_on(conn, today).disclosure,
        "method.site": "yes",
    }
    kept = planned(conn, values.get("plan_line_id"))
    if kept is None:
        return made
    line = kept.line
    first = max(line.window_from, today.isoformat())
    known = {
        "item": line.item_id,
        "window_from": min(first, line.window_to),
        "window_to": line.window_to,
        "joint": line.joint,
        "partner": line.partner,
        "campaign": line.campaign,
        "reason": line.reason,
        "n": str(line.count),
        "name": f"{kept.year}年{kept.item}抽查",
    }
    return made | {name: value for name, value in known.items() if value}


def values_of(task: Task) -> dict[str, str]:
    """A task as its form shows it."""
    plain = (
        "name", "window_from", "window_to", "joint", "partner", "campaign", "draw", "form", "disclosure", "crew_size",
        "reason", "incident", "mode", "n", "plan_line_id", "joint_list",
    )  # fmt: skip
    values = {name: str(getattr(task, name) or "") for name in plain}
    values |= {"item": task.items[0]} | {f"more.{one}": "yes" for one in task.items[1:]}
    values |= {f"method.{one}": "yes" for one in task.methods} | filter_values(task.filter)
    return values | {f"share.{name}": str(n) for name, n in task.shares.items()}


# --- one task ---------------------------------------------------------------------------------------------------------


@get("/{task_id:str}", guards=[has_right("tasks.read")], sync_to_thread=True)
def show_task(request: Asked, task_id: str) -> Response[str]:
    """Where a task stands, what comes next and by whom."""
    return _page(request, task_id, Filled(), 200)


def _page(request: Asked, task_id: str, filled: Filled, status: int) -> Response[str]:
    person = request.user
    with request.app.state.db.read() as conn:
        view = task_page.view_of(conn, person, task_id)
        items, names = names_of_items(conn, [view.task]), directory.names_of_people(conn)
        units, inspecting = directory.names_of_units(conn), plans.planning_units(conn)
    own, out = view.task.unit_id, view.task.carried_out_by
    if own in dict(inspecting) and not filled.text("executing_unit_id"):
        values = {**filled.values, "executing_unit_id": own}
        filled = Filled(values, filled.lists, filled.faults, filled.problem)
    return render(
        request,
        "tasks_task",
        status,
        room="tasks",
        view=view,
        steps=task_page.STEPS,
        items=items,
        names=names,
        units=units,
        inspecting=inspecting,
        filled=filled,
        can=lambda right, carried_out=False: allows(person.roles, person.unit_id, right, out if carried_out else own),
        asked={one.subject_id for one in view.withdrawals if one.state == "asked"},
        subjects={one.subject_id: one for one in view.drawn},
        today=today_of(request).isoformat(),
        said=Said(words_for(request)),
    )


@post("/{task_id:str}/approve", guards=[has_right("tasks.approve")], sync_to_thread=True)
def approve_task(request: Asked, task_id: str, form: Form) -> Response[Any]:
    """The head approves the check, with number and date."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.approve_task(conn, person, now, task_id, form.values),
        done=f"{ROOM}/{task_id}",
        again=lambda filled, status: _page(request, task_id, filled, status),
    )


@post("/{task_id:str}/cancel", guards=[has_right("tasks.cancel")], sync_to_thread=True)
def cancel_task(request: Asked, task_id: str, form: Form) -> Response[Any]:
    """Gives a task up."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.cancel_task(conn, person, now, task_id, form.text("reason")),
        done=f"{ROOM}/{task_id}",
        again=lambda filled, status: _page(request, task_id, filled, status),
    )


@post("/{task_id:str}/dispatch", guards=[has_right("tasks.dispatch")], sync_to_thread=True)
def dispatch_task(request: Asked, task_id: str, form: Form) -> Response[Any]:
    """Confirms, locks and dispatches; the notice is public at the same moment. The password is asked again."""
    field, chance = request.app.state["field"], secrets.token_bytes(32)
    return answer_form(
        request,
        form,
        lambda conn, person, now: dispatch.dispatch_task(conn, person, now, task_id, form.values, field, chance),
        done=f"{ROOM}/{task_id}",
        again=lambda filled, status: _page(request, task_id, filled, status),
        proof=True,
    )


@post("/{task_id:str}/extend", guards=[has_right("tasks.approve")], sync_to_thread=True)
def extend_window(request: Asked, task_id: str, form: Form) -> Response[Any]:
    """The head gives the task a later last day; the notice gets a new version."""
    field = request.app.state["field"]
    return answer_form(
        request,
        form,
        lambda conn, person, now: extensions.extend_window(conn, person, now, task_id, form.values, field),
        done=f"{ROOM}/{task_id}",
        again=lambda filled, status: _page(request, task_id, filled, status),
    )


@post("/{task_id:str}/withdrawals", guards=[has_right("tasks.dispatch")], sync_to_thread=True)
def ask_withdrawal(request: Asked, task_id: str, form: Form) -> Response[Any]:
    """Asks the head to take a subject out after the lock."""
    subject, reason = form.text("subject_id"), form.text("reason")
    return answer_form(
        request,
        form,
        lambda conn, person, now: dispatch.ask_withdrawal(conn, person, now, task_id, subject, reason),
        done=f"{ROOM}/{task_id}#withdrawals",
        again=lambda filled, status: _page(request, task_id, filled, status),
    )


@post("/withdrawals/{withdrawal_id:str}", guards=[has_right("tasks.approve")], sync_to_thread=True)
def decide_withdrawal(request: Asked, withdrawal_id: str, form: Form) -> Response[Any]:
    """The head lets the subject out, or doesn't."""
    task_id, answer, reason = _task_of(request, withdrawal_id), form.text("answer"), form.text("reason")
    field = request.app.state["field"]
    return answer_form(
        request,
        form,
        lambda conn, person, now: dispatch.withdraw(conn, person, now, withdrawal_id, answer, reason, field),
        done=f"{ROOM}/{task_id}#withdrawals",
        again=lambda filled, status: _page(request, task_id, filled, status),
    )


@post("/overrides/{override_id:str}", guards=[has_right("overrides.approve")], sync_to_thread=True)
def decide_override(request: Asked, override_id: str, form: Form) -> Response[Any]:
    """The principal lets a draw stay below the floor, or doesn't."""
    task_id, answer, reason = _task_of(request, override_id), form.text("answer"), form.text("reason")
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.decide_override(conn, person, now, override_id, answer, reason),
        done=f"{ROOM}/{task_id}",
        again=lambda filled, status: _page(request, task_id, filled, status),
    )


def _task_of(request: Asked, request_id: str) -> str:
    """The task that a request is about, or `not_found`."""
    with request.app.state.db.read() as conn:
        found = tasks.override_of(conn, request_id) or tasks.withdrawal_of(conn, request_id)
    if found is None:
        raise Problem("not_found")
    return found.task_id


router = Router(
    ROOM,
    exception_handlers={Problem: on_problem},
    dependencies=WITH_FORM,
    route_handlers=[
        show_tasks,
        new_task,
        add_task,
        edit_task,
        show_task,
        change_task,
        approve_task,
        cancel_task,
        dispatch_task,
        extend_window,
        ask_withdrawal,
        decide_withdrawal,
        decide_override,
    ],
)
