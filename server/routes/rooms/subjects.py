"""The library of subjects: search, one subject, its year, and what its unit's clerk does with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final, Literal

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath

from server.domain.access import allows, reach
from server.domain.faults import Invalid
from server.domain.instant import beijing_day
from server.domain.subject import CREDITS, FLAGS, KINDS, RISKS, STATUSES, TRAITS, Flag, values_of
from server.errors import Problem
from server.office import subject_year
from server.office import subjects as office
from server.routes import guards
from server.routes.forms import (
    WITH_FORM,
    Filled,
    Form,
    answer_form,
    fresh_password,
    refilled,
    run_act,
    wants_page,
)
from server.routes.guards import Asked, has_right
from server.routes.lists import Look, look_of
from server.routes.pages import on_problem, render
from server.store import directory, province, subjects
from server.store.people import Person
from server.store.search import Query, find_subjects
from server.store.session import Connection

HOME: Final = "/office/subjects"
PAGE: Final = 50
READ, CHANGE, REVEAL = has_right(office.READ), has_right(office.CHANGE), has_right(office.REVEAL)
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "status": STATUSES,
    "risk": RISKS,
    "credit": CREDITS,
    "flag": FLAGS,
    "trait": TRAITS,
}
_SORTS: Final = ("name", "changed")


# --- the list ---------------------------------------------------------------------------------------------------------


@get("/", guards=[READ], sync_to_thread=True)
def show_subjects(request: Asked) -> Response[str]:
    """The library: found by a word, filtered, page by page; all of it stands in the address."""
    look = look_of(request, "q", "unit", *CHOICES, sorts=_SORTS, first="name")
    own = office.unit_kept_by(request.user)
    with request.app.state.db.read() as conn:
        units = directory.names_of_units(conn)
        found = find_subjects(conn, query_of(look, own), PAGE)
    return render(
        request,
        "subjects_list",
        room="subjects",
        look=look,
        found=found,
        after=None if found.more is None else f"{found.more[1]}.{found.more[0]}",
        choices=CHOICES,
        sorts=_SORTS,
        own=own,
        units=units,
        is_whole=look.without("sort") == {},
        today=_today(request).isoformat(),
        can_add=_may(request, [request.user.unit_id or ""]),
    )


def query_of(look: Look, own: str | None) -> Query:
    """What an address asks for; a word that isn't one of the choices asks for nothing."""
    chosen = {name: look[name] if look[name] in allowed else None for name, allowed in CHOICES.items()}
    unit = own if own is not None else look["unit"] or None
    no, _, key = look["after"].partition(".")
    after = (key, int(no)) if no.isascii() and no.isdigit() and len(no) < 10 else None
    sort: Literal["name", "changed"] = "changed" if look.sort == "changed" else "name"
    return Query(text=look["q"][:100], unit_id=unit, sort=sort, after=after, **chosen)


# --- one subject ------------------------------------------------------------------------------------------------------


@get("/{subject_id:str}", guards=[READ], sync_to_thread=True)
def show_subject(request: Asked, subject_id: FromPath[str]) -> Response[str]:
    """One subject: particulars, flags, libraries, its year over all kinds of checks, and its history."""
    return _subject_page(request, subject_id)


def _subject_page(
    request: Asked, subject_id: str, filled: Filled | None = None, status: int = 200, about: str = ""
) -> Response[str]:
    """`about` is the form on the page that `filled` belongs to."""
    today = _today(request)
    asked = request.query_params.get("year", "")
    year = int(asked) if asked.isascii() and asked.isdigit() and 2000 <= int(asked[:5]) <= today.year else today.year
    with request.app.state.db.read() as conn:
        seen = office.subject_for(conn, request.user, request.app.state["sealer"], subject_id)
        units, names = directory.names_of_units(conn), directory.names_of_people(conn)
        burden = subject_year.year_of(conn, request.user, seen.subject, year, today)
        history = subjects.history_of(conn, subject_id)
        sent = province.states_of(conn, "subject", [subject_id]).get(subject_id)
    return render(
        request,
        "subjects_one",
        status,
        room="subjects",
        sent=sent,
        seen=seen,
        one=seen.subject,
        units=units,
        names=names,
        burden=burden,
        history=history,
        today=today.isoformat(),
        can={
            "change": _may(request, seen.units),
            "reveal": not seen.shows_phone and reach(request.user.roles, office.REVEAL) is not None,
        },
        statuses=[name for name in STATUSES if name != seen.subject.status],
        flag_kinds=FLAGS,
        filled=filled or Filled(),
        empty_form=Filled(),
        about=about,
        flags_in=lambda text: msgspec.json.decode(text, type=tuple[Flag, ...]),
    )


# --- entering and changing --------------------------------------------------------------------------------------------


@get("/new", guards=[CHANGE], sync_to_thread=True)
def new_subject(request: Asked) -> Response[str]:
    """An empty form."""
    return _form_page(request, None, Filled({"status": "active"}))


@post("/new", guards=[CHANGE], status_code=200, sync_to_thread=True)
def enter_subject(request: Asked, form: Form) -> Response[Any]:
    """Enters a subject; one that is known already is offered instead."""
    sealer, values = request.app.state["sealer"], values_in(form)
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.enter_subject(conn, person, now, sealer, values),
        done=lambda subject_id: f"{HOME}/{subject_id}",
        again=lambda filled, status: _form_page(request, None, filled, status),
    )


@get("/{subject_id:str}/edit", guards=[CHANGE], sync_to_thread=True)
def edit_subject(request: Asked, subject_id: FromPath[str]) -> Response[str]:
    """The form as it stands."""
    return _form_page(request, subject_id, None)


@post("/{subject_id:str}/edit", guards=[CHANGE], status_code=200, sync_to_thread=True)
def change_subject(request: Asked, subject_id: FromPath[str], form: Form) -> Response[Any]:
    """Changes what is different."""
    sealer, values = request.app.state["sealer"], values_in(form)
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.change_subject(conn, person, now, sealer, subject_id, values),
        done=f"{HOME}/{subject_id}",
        again=lambda filled, status: _form_page(request, subject_id, filled, status),
    )


def values_in(form: Form) -> dict[str, str]:
    """The form's fields as the act takes them: what is ticked, with commas between."""
    return {**form.values, "traits": ",".join(form.chosen("traits"))}


def _form_page(request: Asked, subject_id: str | None, filled: Filled | None, status: int = 200) -> Response[str]:
    """The form of one subject, or of a new one; `filled` None shows what stands."""
    one = None
    with request.app.state.db.read() as conn:
        if subject_id is not None:
            seen = office.subject_for(conn, request.user, request.app.state["sealer"], subject_id)
            if not _may(request, seen.units):
                raise Problem("other_unit")
            one = seen.subject
            filled = filled or Filled({**values_of(one), "rev": str(seen.rev)}, {"traits": one.traits})
    shown = filled or Filled()
    return render(
        request,
        "subjects_form",
        status,
        room="subjects",
        one=one,
        filled=shown,
        taken=next((fault for fault in shown.faults if fault.code == "code_taken"), None),
        kinds=KINDS,
        choices=CHOICES,
    )


# --- what is done with one --------------------------------------------------------------------------------------------


def _act_on(
    request: Asked,
    subject_id: str,
    form: Form,
    about: str,
    call: Callable[[Connection, Person, datetime, Any, str, Mapping[str, str]], Any],
    done: str | None = None,
) -> Response[Any]:
    """Does an act that a form on a subject's page asks for; refused, the page shows that form again."""
    sealer = request.app.state["sealer"]
    return answer_form(
        request,
        form,
        lambda conn, person, now: call(conn, person, now, sealer, subject_id, form.values),
        done=done or f"{HOME}/{subject_id}",
        again=lambda filled, status: _subject_page(request, subject_id, filled, status, about),
    )


@post("/{subject_id:str}/status", guards=[CHANGE], status_code=200, sync_to_thread=True)
def set_status(request: Asked, subject_id: FromPath[str], form: Form) -> Response[Any]:
    """Another status, with the reason."""
    return _act_on(request, subject_id, form, "status", office.set_status)


@post("/{subject_id:str}/flags", guards=[CHANGE], status_code=200, sync_to_thread=True)
def add_flag(request: Asked, subject_id: FromPath[str], form: Form) -> Response[Any]:
    """An attention flag with its document."""
    return _act_on(request, subject_id, form, "flag", office.add_flag)


@post("/{subject_id:str}/flags/end", guards=[CHANGE], status_code=200, sync_to_thread=True)
def end_flag(request: Asked, subject_id: FromPath[str], form: Form) -> Response[Any]:
    """The day on which a flag ends."""
    return _act_on(request, subject_id, form, "unflag", office.end_flag)


@post("/{subject_id:str}/leave", guards=[CHANGE], status_code=200, sync_to_thread=True)
def give_out(request: Asked, subject_id: FromPath[str], form: Form) -> Response[Any]:
    """Out of the own unit's library."""
    return _act_on(request, subject_id, form, "leave", office.give_out, HOME)


@get("/join", guards=[CHANGE], sync_to_thread=True)
def show_join(request: Asked, code: str = "") -> Response[str]:
    """The form that takes a subject of another library into the own one."""
    return _join_page(request, Filled({"code": code[:40]}))


@post("/join", guards=[CHANGE], status_code=200, sync_to_thread=True)
def take_in(request: Asked, form: Form) -> Response[Any]:
    """Into the own unit's library, by its code."""
    sealer = request.app.state["sealer"]
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.take_in(conn, person, now, sealer, form.values),
        done=lambda subject_id: f"{HOME}/{subject_id}",
        again=lambda filled, status: _join_page(request, filled, status),
    )


def _join_page(request: Asked, filled: Filled, status: int = 200) -> Response[str]:
    return render(request, "subjects_join", status, room="subjects", filled=filled)


@post("/{subject_id:str}/reveal", guards=[REVEAL], status_code=200, sync_to_thread=True)
def reveal(request: Asked, subject_id: FromPath[str], form: Form) -> Response[Any]:
    """The phone, once, on a page that isn't kept; the reason is in the trail."""
    sealer = request.app.state["sealer"]
    try:
        fresh_password(request, form)
        phone = run_act(
            request, lambda conn, person, now: office.reveal_phone(conn, person, now, sealer, subject_id, form.values)
        )
    except Problem as problem:
        if not wants_page(request) or not isinstance(problem, Invalid):
            raise
        filled, status = refilled(request, form, problem)
        return _subject_page(request, subject_id, filled, status, "phone_reveal")
    with request.app.state.db.read() as conn:
        seen = office.subject_for(conn, request.user, sealer, subject_id)
    return render(
        request,
        "subjects_revealed",
        room="subjects",
        one=seen.subject,
        phone=phone,
        reason=form.text("reason"),
    )


def _may(request: Asked, units: Any) -> bool:
    return any(allows(request.user.roles, request.user.unit_id, office.CHANGE, unit) for unit in units)


def _today(request: Asked) -> date:
    return beijing_day(guards.now(request))


router = Router(
    HOME,
    dependencies=WITH_FORM,
    exception_handlers={Problem: on_problem},
    route_handlers=[
        show_subjects,
        new_subject,
        enter_subject,
        show_join,
        take_in,
        show_subject,
        edit_subject,
        change_subject,
        set_status,
        add_flag,
        end_flag,
        give_out,
        reveal,
    ],
)
