"""The office's rooms as pages: signing in, the inbox, one visit with its review, its history, one photo."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.datastructures import Cookie
from litestar.response import Redirect

from server.domain.access import STAFF, may, office_sees, sees_all_units
from server.domain.instant import beijing_day
from server.errors import Problem
from server.office import inbox, review, visit_page
from server.office.missing import sentences
from server.office.visit_due import due_of
from server.routes import guards
from server.routes.guards import Asked, is_office, is_staff
from server.routes.pages import LANGUAGE_COOKIE, form_of, is_ours, is_partial, on_problem, render, words_for
from server.routes.session import no_cookie, session_cookie, try_sign_in
from server.store import crews, directory, people, recusals, reviews
from server.store.people import Person
from server.store.reviews import Received
from server.store.uploads import here_for
from server.sync import acts, record
from server.sync.judge import ADMISSIBLE
from server.words import language_of

TURNING: Final = ("sign", "confirm", "propose_final", "assign", "admit", "accept_final", "reopen", "void")
"""The kinds of op that the short history shows: the turning points of a visit."""

# --- the door ---------------------------------------------------------------------------------------------------------


@get("/sign-in")
async def door(request: Request[Any, Any, Any]) -> Response[Any]:
    """The sign-in page; somebody of the office who is signed in goes straight in."""
    person = request.scope.get("user")
    if person is not None and not STAFF.isdisjoint(person.roles):
        return Redirect("/office/", status_code=303)
    return render(request, "sign_in", person=None, error=None, username="")


@post("/sign-in", status_code=200, exclude_from_auth=True)
async def enter(request: Request[Any, Any, Any]) -> Response[Any]:
    """Signs in by form; what is wrong is said on the page, in one wording."""
    guards.require_own_origin(request)
    form = await form_of(request)
    username = form.get("username", "")
    try:
        signed = await try_sign_in(request, username, form.get("password", ""))
    except Problem as problem:
        error = "signin.slow" if problem.code == "slow_down" else "signin.wrong"
        return render(request, "sign_in", problem.status, person=None, error=error, username=username)
    inside = "/office/me/password" if signed.person.must_change else "/office/"
    if STAFF.isdisjoint(signed.person.roles) and not signed.person.must_change:
        await asyncio.to_thread(_drop, request, signed)
        return render(request, "sign_in", 403, person=None, error="signin.office_only", username=username)
    return Redirect(inside, status_code=303, cookies=[session_cookie(request.app.state.settings, signed.token)])


def _drop(request: Request[Any, Any, Any], signed: people.SignedIn) -> None:
    now = guards.now(request)
    request.app.state.db.run_write(lambda conn: people.sign_out(conn, signed.session.token_hash, signed.person.id, now))


@post("/sign-out", status_code=303)
async def leave(request: Request[Any, Any, Any]) -> Redirect:
    """Signs out and shows the door; without a session there is nothing to end."""
    person, held = request.scope.get("user"), request.scope.get("auth")
    if person is not None and held is not None:
        now = guards.now(request)
        await asyncio.to_thread(
            request.app.state.db.run_write, lambda conn: people.sign_out(conn, held.token_hash, person.id, now)
        )
    return Redirect("/office/sign-in", status_code=303, cookies=[no_cookie(request.app.state.settings)])


@post("/language", guards=[is_staff], status_code=303)
async def choose_language(request: Asked) -> Redirect:
    """Keeps the chosen language in a cookie and goes back to the page."""
    form = await form_of(request)
    back = form.get("back", "")
    secure = request.app.state.settings.is_https
    chosen = Cookie(
        LANGUAGE_COOKIE,
        value=language_of(None, form.get("language")),
        path="/",
        httponly=True,
        samesite="lax",
        secure=secure,
    )
    return Redirect(back if is_ours(back) else "/office/", status_code=303, cookies=[chosen])


# --- the inbox --------------------------------------------------------------------------------------------------------


@get("/inbox", guards=[is_office], sync_to_thread=True)
def show_inbox(request: Asked, show: str = "pending", q: str = "") -> Response[str]:
    """The visits that this person may see, under one filter and a text to find."""
    person, db = request.user, request.app.state.db
    shown = show if show in inbox.FILTERS else "pending"
    with db.read() as conn:
        visits = reviews.received(conn, None if sees_all_units(person.roles) else person.unit_id)
        ids = [visit.id for visit in visits]
        tasks, words_said, names = (
            reviews.tasks_of(conn, ids),
            reviews.reviews_of(conn, ids),
            directory.names_of_people(conn),
        )
    records = record.records_of(db, ids)
    with_material = [id for id, kept in records.items() if kept.summary["quarantined"] or kept.summary["late"]]
    with db.read() as conn:
        unsettled = reviews.unsettled(conn, with_material)
    rows = [
        inbox.row_of(
            visit,
            records[visit.id].summary,
            records[visit.id].phase,
            list(dict.fromkeys(item for _, item in tasks.get(visit.id, []))),
            words_said.get(visit.id, []),
            list(unsettled.get(visit.id, {}).values()),
            may(person.roles, person.unit_id, visit.unit_id, "approve"),
        )
        for visit in visits
        if visit.id in records
    ]
    found = [row for row in rows if inbox.matches(row, q)]
    filters = [(name, sum(inbox.belongs(row, name) for row in found)) for name in inbox.FILTERS]
    return render(
        request,
        "inbox",
        room="all" if shown == "all" else "inbox",
        inbox_count=sum(inbox.belongs(row, "pending") for row in rows),
        rows=[row for row in found if inbox.belongs(row, shown)],
        filters=filters,
        show=shown,
        q=q,
        names=names,
    )


# --- one visit --------------------------------------------------------------------------------------------------------


def _visit_for(request: Asked, visit_id: str) -> Received:
    with request.app.state.db.read() as conn:
        visit = reviews.one_received(conn, visit_id)
    if visit is None or not office_sees(request.user.roles, request.user.unit_id, visit.unit_id):
        raise Problem("not_found")
    return visit


def _page_of(request: Asked, visit: Received) -> visit_page.VisitPage:
    db, person = request.app.state.db, request.user
    kept = record.record_of(db, visit.id)
    if kept is None:
        raise Problem("not_found")
    view: dict[str, Any] = msgspec.json.decode(kept.view)
    with db.read() as conn:
        fresh = reviews.one_received(conn, visit.id) or visit
        said = reviews.reviews_of(conn, [visit.id]).get(visit.id, [])
        here, unsettled = here_for(conn, visit.id), reviews.unsettled(conn, [visit.id]).get(visit.id, {})
        in_crew = reviews.crew_member(conn, visit.id, person.id)
        return visit_page.assemble(
            visit=fresh,
            view=view,
            unit=reviews.unit_name(conn, visit.unit_id),
            tasks=reviews.tasks_of(conn, [visit.id]).get(visit.id, []),
            template=directory.checklist(conn, visit.tpl),
            names=directory.names_of_people(conn),
            pasts=reviews.history(conn, visit.id),
            here=here,
            reviews=said,
            unsettled=unsettled,
            refusals=[one.op for one in reviews.refusals(conn, visit_id=visit.id)],
            set_aside=reviews.set_aside_of(conn, visit.id),
            hindrances=_hindrances(person, fresh, _standing(view, said, here, len(unsettled)), in_crew),
        )


def _standing(view: dict[str, Any], said: list[reviews.Review], here: set[str], unsettled: int) -> review.Standing:
    reviewed = any(word.round == view["round"] for word in said)
    waiting = len(set(view["content"]["media"]) - here)
    return review.Standing(view["phase"], view["round"], waiting, reviewed, unsettled)


def _hindrances(
    person: Person, visit: Received, standing: review.Standing, in_crew: bool
) -> dict[str, str | None]:  # fmt: skip
    words = {
        act: review.hindrance(person.roles, person.unit_id, visit.unit_id, in_crew, standing, act)
        for act in ("approve", "return", "set_aside")
    }

    def allowed(act: str, phases: tuple[str, ...]) -> str | None:
        if not may(person.roles, person.unit_id, visit.unit_id, act):
            return "other_unit"
        return None if standing.phase in phases else "not_final_yet"

    open_phases = ("dispatched", "started", "interrupted", "final_pending")
    return words | {
        "note_refusal": None if may(person.roles, person.unit_id, visit.unit_id, "note_refusal") else "other_unit",
        "admit": allowed("admit", open_phases),
        "reopen": allowed("reopen", ("final",)),
        "void": allowed("void", open_phases),
    }


def _show(request: Asked, visit: Received, *, note: str | None = None, problem: Problem | None = None) -> Response[str]:
    w, page = words_for(request), _page_of(request, visit)
    with request.app.state.db.read() as conn:
        due = due_of(conn, visit.id, [entry.past for entry in page.history], beijing_day(guards.now(request)))
        changes, asked = crews.changes_of_visit(conn, visit.id), recusals.recusals_of_visit(conn, visit.id)
    return render(
        request,
        "visit_body" if is_partial(request) else "visit",
        problem.status if problem else 200,
        page=page,
        due=due,
        crew_changes=changes,
        crew_recusals=asked,
        missing=sentences(page, w),
        note=note,
        problem=problem.sentence("en" if w.language == "en" else "zh") if problem else None,
        admissible=ADMISSIBLE,
        turning=TURNING,
    )


@get("/visits/{visit_id:str}", guards=[is_office], sync_to_thread=True)
def show_visit(request: Asked, visit_id: str) -> Response[str]:
    """The record, what is proved about it, and what may be done with it."""
    return _show(request, _visit_for(request, visit_id))


@get("/visits/{visit_id:str}/history", guards=[is_office], sync_to_thread=True)
def show_history(request: Asked, visit_id: str) -> Response[str]:
    """Every op: who, which phone, when."""
    page = _page_of(request, _visit_for(request, visit_id))
    return render(request, "history", page=page)


@get("/visits/{visit_id:str}/photos/{sha256:str}", guards=[is_office], sync_to_thread=True)
def show_photo(request: Asked, visit_id: str, sha256: str) -> Response[str]:
    """One photo, large."""
    page = _page_of(request, _visit_for(request, visit_id))
    photo = next((one for one in page.photos if one.sha256 == sha256), None)
    if photo is None:
        raise Problem("not_found")
    author = page.names.get(photo.author or "", "")
    return render(request, "photo", visit=page.visit, photo=photo, author=author)


@get("/visits/{visit_id:str}/{act:str}", guards=[is_office])
async def back_to_visit(visit_id: str, act: str) -> Redirect:
    """Who reloads the answer to an act is shown the visit, and does nothing twice."""
    if act not in _ACTS:
        raise Problem("not_found")
    return Redirect(f"/office/visits/{quote(visit_id, safe='')}", status_code=303)


@get("/{rest:path}", guards=[is_staff])
async def nowhere(rest: Path) -> None:
    """An address in the office that doesn't exist is said on a page, as any other problem here."""
    raise Problem("not_found")


@post("/visits/{visit_id:str}/{act:str}", guards=[is_office], status_code=200)
async def act_on_visit(request: Asked, visit_id: str, act: str) -> Response[Any]:
    """Approve, return, admit, leave out, reopen or void; the page says what was done or why not."""
    form = await form_of(request)
    return await asyncio.to_thread(_act, request, visit_id, act, form)


def _act(request: Asked, visit_id: str, act: str, form: Mapping[str, str]) -> Response[Any]:
    visit = _visit_for(request, visit_id)
    if act not in _ACTS:
        raise Problem("not_found")
    w = words_for(request)
    try:
        if not may(request.user.roles, request.user.unit_id, visit.unit_id, act):
            raise Problem("forbidden")  # before anything that was typed is looked at
        _ACTS[act](request, visit, form)
    except Problem as problem:
        return _show(request, visit, problem=problem)
    if not is_partial(request):
        return Redirect(f"/office/visits/{visit.id}", status_code=303)
    return _show(request, visit, note=w(f"note.{_NOTES[act]}", n=visit.round + 1))


def _review(request: Asked, visit: Received, form: Mapping[str, str], act: str) -> None:
    db, person, now = request.app.state.db, request.user, guards.now(request)
    record.record_of(db, visit.id)  # folds what moved: acts look at what is kept
    given = form.get("round", "")
    round_ = int(given) if given.isascii() and given.isdigit() and len(given) < 9 else 0

    def work(conn: Any) -> None:
        if act == "approve":
            review.approve(conn, person, now, visit.id, round_)
        elif act == "return":
            review.give_back(conn, person, now, visit.id, round_, form.get("comment", ""))
        else:
            review.leave_out(conn, person, now, visit.id, form.get("op", "").split(), form.get("reason", ""))

    db.run_write(work)


def _note_refusal(request: Asked, visit: Received) -> None:
    now = guards.now(request)
    request.app.state.db.run_write(lambda conn: review.note_refusal(conn, request.user, now, visit.id))


def _office_act(request: Asked, visit: Received, kind: str, path: list[str], val: dict[str, Any]) -> None:
    state = request.app.state
    acts.office_act(
        state.db, state["keys"], request.user, visit.id, {"kind": kind, "path": path, "val": val}, guards.now(request)
    )


def _reason(form: Mapping[str, str]) -> str:
    reason = form.get("reason", "").strip()
    if not reason:
        raise Problem("reason_missing")
    return reason


_ACTS: Final[dict[str, Any]] = {
    "approve": lambda request, visit, form: _review(request, visit, form, "approve"),
    "return": lambda request, visit, form: _review(request, visit, form, "return"),
    "set_aside": lambda request, visit, form: _review(request, visit, form, "set_aside"),
    "note_refusal": lambda request, visit, form: _note_refusal(request, visit),
    "admit": lambda request, visit, form: _office_act(
        request, visit, "admit", ["op", form.get("op", "")], {"reason": _reason(form)}
    ),
    "reopen": lambda request, visit, form: _office_act(
        request, visit, "reopen", ["round"], {"round": visit.round + 1, "reason": _reason(form)}
    ),
    "void": lambda request, visit, form: _office_act(request, visit, "void", ["visit"], {"reason": _reason(form)}),
}
_NOTES: Final = {
    "approve": "approved", "return": "returned", "set_aside": "set_aside", "note_refusal": "noted",
    "admit": "admitted", "reopen": "reopened", "void": "void",
}  # fmt: skip


router = Router(
    "/office",
    exception_handlers={Problem: on_problem},
    route_handlers=[
        door,
        enter,
        leave,
        choose_language,
        show_inbox,
        show_visit,
        show_history,
        show_photo,
        act_on_visit,
        back_to_visit,
        nowhere,
    ],
)
