"""Forms of the office: reading what was posted, doing the act, or the page again with its faults and what was typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import UploadFile
from litestar.di import Provide
from litestar.handlers.base import BaseRouteHandler
from litestar.response import Redirect

from server.domain.faults import Fault, Invalid, stops
from server.domain.instant import instant
from server.errors import Problem
from server.routes import guards
from server.routes.body import posted
from server.routes.guards import Asked
from server.routes.language import sentence_for
from server.store import people
from server.store.people import Person, Refused, Session
from server.store.session import Connection

T = TypeVar("T")

PROOF_LIFE: Final = timedelta(minutes=10)
PROOF: Final = "proof"
"""The field in which a form asks for the password again."""

_SECRET: Final = frozenset({PROOF, "csrf", "password", "new_password", "old_password"})
_PASSING: Final = frozenset({"not_found", "not_signed_in"})


class Form:
    """What was posted: `values` has the last value of each field, `lists` all of them, `files` what was uploaded."""

    def __init__(
        self,
        values: Mapping[str, str] | None = None,
        lists: Mapping[str, tuple[str, ...]] | None = None,
        files: Mapping[str, UploadFile] | None = None,
    ) -> None:
        self.values = dict(values or {})
        self.lists = dict(lists or {})
        self.files = dict(files or {})

    def text(self, name: str) -> str:
        """One field without blanks around it; empty where it wasn't sent."""
        return self.values.get(name, "").strip()

    def chosen(self, name: str) -> tuple[str, ...]:
        """Every value of one field: checkboxes, or a select of several."""
        return self.lists.get(name, ())


async def read_form(request: Request[Any, Any, Any]) -> Form:
    """The posted form. A handler that takes `form: Form` gets it by `dependencies=WITH_FORM` of its router."""
    fields = await posted(request)
    lists: dict[str, tuple[str, ...]] = {}
    files: dict[str, UploadFile] = {}
    for key, value in fields.multi_items():
        if isinstance(value, UploadFile):
            files[key] = value
        else:
            lists[key] = (*lists.get(key, ()), value)
    return Form({key: found[-1] for key, found in lists.items()}, lists, files)


WITH_FORM: Final = {"form": Provide(read_form)}


class Filled(msgspec.Struct, frozen=True):
    """What a form's page shows in its fields: what stands, or what was typed together with what is wrong with it.

    `problem` is a fault of the whole (a state that changed, a right that lacks) and stands above the fields.
    """

    values: Mapping[str, str] = {}
    lists: Mapping[str, Sequence[str]] = {}
    faults: Sequence[Fault] = ()
    problem: str | None = None

    def text(self, name: str) -> str:
        """What a field shows; passwords are never sent back."""
        return "" if name in _SECRET else self.values.get(name, "")

    def chosen(self, name: str) -> Sequence[str]:
        """What is ticked."""
        return self.lists.get(name, ())

    def at(self, name: str) -> list[Fault]:
        """The faults of one field."""
        return [fault for fault in self.faults if fault.field == name]

    @property
    def stopping(self) -> list[Fault]:
        """The faults that have to be mended."""
        return [fault for fault in self.faults if not fault.warning]


def filled_by(thing: object) -> Filled:
    """A form that shows a struct as it stands: texts and numbers as text, lists as what is ticked."""
    known = msgspec.to_builtins(thing)
    return Filled(
        {name: "" if value is None else str(value) for name, value in known.items() if not _is_many(value)},
        {name: [str(one) for one in value] for name, value in known.items() if _is_many(value)},
    )


def _is_many(value: object) -> bool:
    return isinstance(value, list | tuple)


# --- doing what was asked ---------------------------------------------------------------------------------------------


def run_act(request: Asked, call: Callable[[Connection, Person, datetime], T]) -> T:
    """Runs an act of the office in its transaction, done by who asks, now."""
    now = guards.now(request)
    result: T = request.app.state.db.run_write(lambda conn: call(conn, request.user, now))
    return result


def answer_form(
    request: Asked,
    form: Form,
    call: Callable[[Connection, Person, datetime], T],
    *,
    done: str | Callable[[T], str],
    again: Callable[[Filled, int], Response[Any]],
    proof: bool = False,
) -> Response[Any]:
    """Does the act and leads to `done` (303); where it is refused the same page comes `again` with what was typed.

    With `proof` the password must have been given within ten minutes, or stand in the form's field `proof`. Programs
    get the problem itself.
    """
    try:
        if proof:
            fresh_password(request, form)
        result = run_act(request, call)
    except Problem as problem:
        return again(*refilled(request, form, problem))
    return Redirect(done if isinstance(done, str) else done(result), status_code=303)


def refilled(request: Asked, form: Form, problem: Problem) -> tuple[Filled, int]:
    """The form as it was typed with what is wrong, and the status of the page; programs get the problem itself."""
    if not wants_page(request) or problem.code in _PASSING:
        raise problem
    if isinstance(problem, Invalid):
        return Filled(form.values, form.lists, problem.faults), problem.status
    return Filled(form.values, form.lists, (), sentence_for(request, problem)), problem.status


def refuse(faults: Sequence[Fault]) -> None:
    """Raises what was found wrong, if anything stops."""
    if stops(faults):
        raise Invalid(faults)


def wants_page(request: Request[Any, Any, Any]) -> bool:
    """Whether a person with a browser asks; programs ask for anything else."""
    return "text/html" in request.headers.get("accept", "")


# --- the password again -----------------------------------------------------------------------------------------------


def proof_is_stale(held: Session | None, now: datetime) -> bool:
    """Whether the password was last given more than ten minutes ago."""
    return held is None or held.proved_at is None or now - instant(held.proved_at) > PROOF_LIFE


def fresh_password(request: Asked, form: Form | None = None) -> None:
    """Refuses with `proof_needed` whose password was given too long ago; a form may bring it in its field `proof`.

    A wrong one, or an empty field, is a fault of that field, so that the page comes again and nothing typed is lost.
    One that is given is looked at though none was needed: whoever types a wrong password isn't let through.
    """
    given = None if form is None else form.values.get(PROOF)
    if not given and not proof_is_stale(request.auth, guards.now(request)):
        return
    if form is None or given is None:
        if form is not None and wants_page(request):
            raise Invalid([Fault(PROOF, "proof_missing")])
        raise Problem("proof_needed")
    prove(request, given)


def prove(request: Asked, password: str) -> None:
    """Takes the password again for this session, or raises what is wrong with it as a fault of the field `proof`."""
    if not password:
        raise Invalid([Fault(PROOF, "proof_missing")])
    found = people.prove(
        request.app.state.db, request.user, request.auth, password, guards.address_of(request), guards.now(request)
    )
    if isinstance(found, Refused):
        if found.seconds is not None:
            raise Problem("slow_down", headers={"Retry-After": str(found.seconds)}, seconds=found.seconds)
        raise Invalid([Fault(PROOF, "proof_wrong")])


def is_proved(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """Guard of a GET that needs the password given within ten minutes: `on_problem` leads to the page that asks it."""
    guards.signed_in(connection, handler)
    if proof_is_stale(connection.scope.get("auth"), guards.now(connection)):
        raise Problem("proof_needed")
