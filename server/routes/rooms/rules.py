"""Rule sets: which numbers are in force, how versions differ, and who proposed and decided."""

from __future__ import annotations

from datetime import date
from typing import Any

from litestar import Response, Router, get, post

from server.domain.instant import beijing_day
from server.domain.rule_entry import Difference, differences, fields_of, laxer_than_printed
from server.domain.ruleset import CREDITS, RISKS
from server.errors import Problem
from server.office import rules as acts
from server.routes import guards
from server.routes.forms import WITH_FORM, Filled, Form, answer_form
from server.routes.guards import Asked, has_right
from server.routes.pages import on_problem, render, words_for
from server.store import directory, rules
from server.store.rules import Version
from server.store.session import Connection
from server.words import Words

ROOM = "/office/rules"


def _today(request: Asked) -> date:
    return beijing_day(guards.now(request))


def _states(conn: Connection, versions: list[Version], today: date) -> dict[int, str]:
    in_force = rules.rule_set_on(conn, today).version
    return {one.rules.version: acts.state_of(one, in_force, today) for one in versions}


@get("/", guards=[has_right("rules.read")], sync_to_thread=True)
def show_versions(request: Asked) -> Response[str]:
    """Every version with its state, the newest first."""
    with request.app.state.db.read() as conn:
        versions = rules.versions(conn)
        states, names = _states(conn, versions, _today(request)), directory.names_of_people(conn)
    return render(request, "rules", room="rules", versions=versions, states=states, names=names)


@get("/{rules_version:int}", guards=[has_right("rules.read")], sync_to_thread=True)
def show_version(request: Asked, rules_version: int, against: int | None = None) -> Response[str]:
    """One version: its numbers, and what another has differently."""
    return _version_page(request, rules_version, against, Filled(), 200)


def _version_page(request: Asked, number: int, against: int | None, filled: Filled, status: int) -> Response[str]:
    with request.app.state.db.read() as conn:
        versions = rules.versions(conn)
        states, names = _states(conn, versions, _today(request)), directory.names_of_people(conn)
    by_number = {one.rules.version: one for one in versions}
    shown = by_number.get(number)
    if shown is None or (against is not None and against not in by_number):
        raise Problem("not_found")
    other = against if against is not None else _one_before(versions, number)
    w = words_for(request)
    changed = [] if other is None else differences(by_number[other].rules, shown.rules)
    return render(
        request,
        "rules_version",
        status,
        room="rules",
        version=shown,
        state=states[number],
        names=names,
        others=[one.rules.version for one in versions if one.rules.version != number],
        other=other,
        changes=[_said(w, one) for one in changed],
        laxer=laxer_than_printed(shown.rules),
        said=lambda name, value: value_said(w, name, value),
        fields=fields_of(shown.rules),
        risks=RISKS,
        credits=CREDITS,
        filled=filled,
        own=shown.entered_by == request.user.id,
    )


def _one_before(versions: list[Version], number: int) -> int | None:
    """The approved version before this one: what it would take the place of."""
    return max((one.rules.version for one in versions if one.is_approved and one.rules.version < number), default=None)


def _said(w: Words, one: Difference) -> tuple[str, str, str]:
    return w(f"field.rules.{one.field}"), value_said(w, one.field, one.before), value_said(w, one.field, one.after)


def value_said(w: Words, name: str, value: str) -> str:
    """A value with its unit: 5 %, 20 个工作日, 是."""
    if name == "floor" or name.startswith("ratio_"):
        return w("rules.unit.percent", n=value)
    if name.startswith("times_"):
        return w("rules.unit.times", n=value)
    if w.known(f"rules.value.{name}.{value or 'no'}", ""):
        return w(f"rules.value.{name}.{value or 'no'}")
    return w(f"rules.unit.{name}", n=value)


# --- a new version ----------------------------------------------------------------------------------------------------


@get("/new", guards=[has_right("rules.change")], sync_to_thread=True)
def new_version(request: Asked) -> Response[str]:
    """The form of a new version, filled with what is in force."""
    with request.app.state.db.read() as conn:
        return _form(request, Filled(fields_of(rules.rule_set_on(conn, _today(request)))), 200)


@post("/new", guards=[has_right("rules.change")], sync_to_thread=True)
def propose_version(request: Asked, form: Form) -> Response[Any]:
    """Proposes it; the principal decides."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.propose_rules(conn, person, now, form.values),
        done=lambda number: f"{ROOM}/{number}",
        again=lambda filled, status: _form(request, filled, status),
    )


def _form(request: Asked, filled: Filled, status: int) -> Response[str]:
    return render(request, "rules_new", status, room="rules", filled=filled, risks=RISKS, credits=CREDITS)


# --- its decision -----------------------------------------------------------------------------------------------------


@post("/{rules_version:int}/approve", guards=[has_right("rules.approve")], sync_to_thread=True)
def approve_version(request: Asked, form: Form, rules_version: int) -> Response[Any]:
    """The principal approves."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.approve_rules(conn, person, now, rules_version),
        done=f"{ROOM}/{rules_version}",
        again=lambda filled, status: _version_page(request, rules_version, None, filled, status),
    )


@post("/{rules_version:int}/reject", guards=[has_right("rules.approve")], sync_to_thread=True)
def reject_version(request: Asked, form: Form, rules_version: int) -> Response[Any]:
    """The principal refuses, with a reason."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.reject_rules(conn, person, now, rules_version, form.text("reason")),
        done=f"{ROOM}/{rules_version}",
        again=lambda filled, status: _version_page(request, rules_version, None, filled, status),
    )


@post("/{rules_version:int}/withdraw", guards=[has_right("rules.change")], sync_to_thread=True)
def withdraw_version(request: Asked, form: Form, rules_version: int) -> Response[Any]:
    """The legal unit takes it back, with a reason."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.withdraw_rules(conn, person, now, rules_version, form.text("reason")),
        done=f"{ROOM}/{rules_version}",
        again=lambda filled, status: _version_page(request, rules_version, None, filled, status),
    )


router = Router(
    ROOM,
    exception_handlers={Problem: on_problem},
    dependencies=WITH_FORM,
    route_handlers=[
        show_versions,
        show_version,
        new_version,
        propose_version,
        approve_version,
        reject_version,
        withdraw_version,
    ],
)
