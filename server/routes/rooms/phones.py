"""Phones: every one that was enrolled, whose it is, what it still holds, and taking it out of service."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from litestar import Response, Router, get, post

from server.errors import Problem
from server.office import accounts as acts
from server.office.people_list import PHONE_STATES, found_phones, state_of
from server.routes.forms import WITH_FORM, Filled, Form, answer_form
from server.routes.guards import Asked, has_right
from server.routes.lists import look_of
from server.routes.pages import on_problem, render
from server.store import accounts
from server.store.accounts import Phone
from server.store.people import Person
from server.store.session import Connection
from server.sync.desk import end_waiting

READS, REVOKES = has_right("devices.read"), has_right("devices.revoke")


@get("/", guards=[READS], sync_to_thread=True)
def list_phones(request: Asked) -> Response[str]:
    """All phones with owner, enrolment, last exchange and what they said they still hold."""
    look = look_of(request, "q", "show", sorts=("owner", "enrolled", "seen"), first="owner")
    with request.app.state.db.read() as conn:
        phones = accounts.phones(conn)
        units = {unit.id: unit.name for unit in accounts.units(conn, closed=True)}
    found = found_phones(phones, look)
    return render(
        request,
        "phones",
        room="devices",
        look=look,
        phones=[(one, state_of(one)) for one in found if look["show"] in ("", state_of(one))],
        states=[("", len(found)), *((name, sum(state_of(one) == name for one in found)) for name in PHONE_STATES)],
        unit_names=units,
    )


@get("/{rid:str}", guards=[REVOKES], sync_to_thread=True)
def show_phone(request: Asked, rid: str) -> Response[str]:
    """One phone: its owner sees it too."""
    return _page(request, rid, Filled(), 200)


@post("/{rid:str}/revoke", guards=[REVOKES], sync_to_thread=True)
def revoke_phone(request: Asked, rid: str, form: Form) -> Response[Any]:
    """Takes a phone out of service at once, with a reason; what waited for its records is released."""
    keys = request.app.state["keys"]

    def work(conn: Connection, person: Person, now: datetime) -> None:
        acts.revoke_phone(conn, person, now, rid, form.values)
        end_waiting(conn, keys, rid, now)

    return answer_form(
        request,
        form,
        work,
        done=f"/office/devices/{rid}",
        again=lambda filled, status: _page(request, rid, filled, status),
        proof=True,
    )


def _page(request: Asked, rid: str, filled: Filled, status: int) -> Response[str]:
    with request.app.state.db.read() as conn:
        phone = acts.phone_for(request.user, accounts.phones(conn), rid)
        units = {unit.id: unit.name for unit in accounts.units(conn, closed=True)}
        revoker = phone.revoked_by and accounts.account_of(conn, phone.revoked_by)
    return render(
        request,
        "phone",
        status,
        room="devices",
        filled=filled,
        phone=phone,
        state=state_of(phone),
        unit_name=units.get(phone.unit_id or "", ""),
        revoker=revoker.name if revoker else phone.revoked_by,
        can_revoke=_can_revoke(request.user, phone),
    )


def _can_revoke(person: Person, phone: Phone) -> bool:
    return phone.revoked_at is None and ("admin" in person.roles or phone.account_id == person.id)


router = Router(
    "/office/devices",
    exception_handlers={Problem: on_problem},
    dependencies=WITH_FORM,
    route_handlers=[list_phones, show_phone, revoke_phone],
)
