"""Accounts: who may sign in and in which roles."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, Router, get, post

from server.domain.access import ROLES
from server.domain.account import tree_of
from server.errors import Problem
from server.office import accounts as acts
from server.office.act import digest_of
from server.office.people_list import STATES, counted, found_accounts
from server.routes.forms import WITH_FORM, Filled, Form, answer_form, filled_by, fresh_password, refilled, run_act
from server.routes.guards import Asked, has_right
from server.routes.lists import look_of
from server.routes.pages import on_problem, render
from server.store import accounts, people

PAGE: Final = 50
READS, CHANGES = has_right("accounts.read"), has_right("accounts.change")


@get("/", guards=[READS], sync_to_thread=True)
def list_accounts(request: Asked) -> Response[str]:
    """Every account, found by name, role, unit and state."""
    look = look_of(request, "q", "role", "unit", "show", sorts=("name", "username", "unit"), first="name")
    with request.app.state.db.read() as conn:
        everybody, units = accounts.accounts(conn), accounts.units(conn, closed=True)
    names = {unit.id: unit.name for unit in units}
    found = found_accounts(everybody, names, look)
    start = (look.page - 1) * PAGE
    return render(
        request,
        "accounts",
        room="accounts",
        look=look,
        accounts=[one for one in found if look["show"] in ("", one.state)][start : start + PAGE],
        total=sum(look["show"] in ("", one.state) for one in found),
        size=PAGE,
        states=[("", len(found)), *((state, counted(found, state)) for state in STATES)],
        roles=ROLES,
        units=tree_of(units),
        unit_names=names,
    )


@get("/new", guards=[CHANGES], sync_to_thread=True)
def ask_account(request: Asked, officer: str = "") -> Response[str]:
    """The form for a new account."""
    return _new_page(request, Filled({"officer_id": officer}), 200)


@post("/new", guards=[CHANGES], status_code=200, sync_to_thread=True)
def add_account(request: Asked, form: Form) -> Response[Any]:
    """Adds an account; the answer shows the one-time password, once."""
    password = acts.one_time_password()
    hashed = people.hash_password(password)
    try:
        fresh_password(request, form)
        account_id = run_act(
            request,
            lambda conn, person, now: acts.add_account(conn, person, now, form.values, form.chosen("roles"), hashed),
        )
    except Problem as problem:
        return _new_page(request, *refilled(request, form, problem))
    return _given_page(request, account_id, password)


def _new_page(request: Asked, filled: Filled, status: int) -> Response[str]:
    with request.app.state.db.read() as conn:
        units, officers = accounts.units(conn), accounts.officers_without_account(conn)
    return render(
        request,
        "account_new",
        status,
        room="accounts",
        filled=filled,
        roles=ROLES,
        units=tree_of(units),
        officers=officers,
    )


def _given_page(request: Asked, account_id: str, password: str) -> Response[str]:
    with request.app.state.db.read() as conn:
        account = accounts.account_of(conn, account_id)
    return render(request, "account_given", room="accounts", account=account, password=password)


@get("/{account_id:str}", guards=[READS], sync_to_thread=True)
def show_account(request: Asked, account_id: str) -> Response[str]:
    """One account: what stands, and the forms to change it."""
    return _page(request, account_id, None, 200)


@post("/{account_id:str}", guards=[CHANGES], sync_to_thread=True)
def change_account(request: Asked, account_id: str, form: Form) -> Response[Any]:
    """Changes name, unit or roles, with a reason for the last two."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.change_account(conn, person, now, account_id, form.values, form.chosen("roles")),
        done=f"/office/accounts/{account_id}",
        again=lambda filled, status: _page(request, account_id, filled, status),
        proof=True,
    )


@post("/{account_id:str}/disable", guards=[CHANGES], sync_to_thread=True)
def disable_account(request: Asked, account_id: str, form: Form) -> Response[Any]:
    """Disables an account at once."""
    return _turned(request, account_id, form, acts.disable_account)


@post("/{account_id:str}/enable", guards=[CHANGES], sync_to_thread=True)
def enable_account(request: Asked, account_id: str, form: Form) -> Response[Any]:
    """Lets an account in again."""
    return _turned(request, account_id, form, acts.enable_account)


def _turned(request: Asked, account_id: str, form: Form, act: Any) -> Response[Any]:
    return answer_form(
        request,
        form,
        lambda conn, person, now: act(conn, person, now, account_id, form.values),
        done=f"/office/accounts/{account_id}",
        again=lambda filled, status: _page(request, account_id, None, status, turning=filled),
        proof=True,
    )


@post("/{account_id:str}/reset", guards=[CHANGES], status_code=200, sync_to_thread=True)
def reset_password(request: Asked, account_id: str, form: Form) -> Response[Any]:
    """Gives a one-time password; the answer shows it, once."""
    password = acts.one_time_password()
    hashed = people.hash_password(password)
    try:
        fresh_password(request, form)
        run_act(request, lambda conn, person, now: acts.reset_password(conn, person, now, account_id, hashed))
    except Problem as problem:
        filled, status = refilled(request, form, problem)
        return _page(request, account_id, None, status, turning=filled)
    return _given_page(request, account_id, password)


def _page(
    request: Asked, account_id: str, filled: Filled | None, status: int, turning: Filled | None = None
) -> Response[str]:
    with request.app.state.db.read() as conn:
        account = acts.account_or_none(conn, account_id)
        units, officers = accounts.units(conn), accounts.officers_without_account(conn, account_id)
        phones = accounts.phones(conn, account_id)
    return render(
        request,
        "account",
        status,
        room="accounts",
        account=account,
        seen=digest_of(account),
        filled=filled or filled_by(account),
        turning=turning or Filled(),
        roles=ROLES,
        units=tree_of(units),
        officers=officers,
        phones=phones,
    )


router = Router(
    "/office/accounts",
    exception_handlers={Problem: on_problem},
    dependencies=WITH_FORM,
    route_handlers=[
        list_accounts,
        ask_account,
        add_account,
        show_account,
        change_account,
        disable_account,
        enable_account,
        reset_password,
    ],
)
