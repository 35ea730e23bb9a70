"""One's own account: password, phones, and the password again before an act of weight."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from litestar import Request, Response, Router, get, post
from litestar.response import Redirect

from server.domain.faults import Fault, Invalid
from server.errors import Problem
from server.office import accounts as acts
from server.routes import guards
from server.routes.forms import WITH_FORM, Filled, Form, answer_form, prove, refilled
from server.routes.guards import ONE_TIME_OK, Asked, is_staff, signed_in
from server.routes.pages import is_ours, on_problem, render
from server.store import accounts, people
from server.store.people import Refused


@get("/me", guards=[signed_in], sync_to_thread=True)
def show_me(request: Asked) -> Response[str]:
    """Who I am here, my roles, my password's age and my phones."""
    with request.app.state.db.read() as conn:
        mine, phones = accounts.account_of(conn, request.user.id), accounts.phones(conn, request.user.id)
    return render(request, "me", room="me", account=mine, phones=phones)


@get("/me/password", guards=[signed_in], opt={ONE_TIME_OK: True}, sync_to_thread=True)
def ask_password(request: Asked) -> Response[str]:
    """The form for a new password; who came with a one-time password sees nothing else."""
    return _password_page(request, Filled(), 200)


@post("/me/password", guards=[signed_in], opt={ONE_TIME_OK: True}, sync_to_thread=True)
def change_password(request: Asked, form: Form) -> Response[Any]:
    """Changes one's own password; the present one is asked and counts as a sign-in where it is wrong."""

    def again(filled: Filled, status: int) -> Response[Any]:
        return _password_page(request, filled, status)

    try:
        password = acts.check_new_password(form.values, request.user.username)
        _require_present(request, form.values["old_password"])
    except Problem as problem:
        return again(*refilled(request, form, problem))
    hashed, held = people.hash_password(password), request.auth.token_hash
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.change_password(conn, person, now, hashed, held),
        done="/office/me",
        again=again,
    )


def _require_present(request: Asked, password: str) -> None:
    db, now = request.app.state.db, guards.now(request)
    found = people.prove(db, request.user, request.auth, password, guards.address_of(request), now)
    if isinstance(found, Refused) and found.seconds is not None:
        raise Problem("slow_down", headers={"Retry-After": str(found.seconds)}, seconds=found.seconds)
    if isinstance(found, Refused):
        raise Invalid([Fault("old_password", "password_wrong")])


def _password_page(request: Asked, filled: Filled, status: int) -> Response[str]:
    return render(request, "me_password", status, room="me", filled=filled)


@get("/confirm", guards=[is_staff])
async def ask_proof(request: Asked, back: str = "") -> Response[str]:
    """Asks the password before a page of weight, and says where it leads afterwards."""
    return _confirm_page(request, back, Filled(), 200)


@post("/confirm", guards=[is_staff], sync_to_thread=True)
def give_proof(request: Asked, form: Form) -> Response[Any]:
    """Takes the password and goes on to what was asked, if that is a page of ours."""
    back = form.text("back")
    try:
        prove(request, form.values.get("proof", ""))
    except Problem as problem:
        filled, status = refilled(request, form, problem)
        return _confirm_page(request, back, filled, status)
    return Redirect(quote(back, safe="/?=&%:,;+") if is_ours(back) else "/office/", status_code=303)


def _confirm_page(request: Request[Any, Any, Any], back: str, filled: Filled, status: int) -> Response[str]:
    return render(request, "me_confirm", status, filled=filled, back=back if is_ours(back) else "/office/")


router = Router(
    "/office",
    exception_handlers={Problem: on_problem},
    dependencies=WITH_FORM,
    route_handlers=[show_me, ask_password, change_password, ask_proof, give_proof],
)
