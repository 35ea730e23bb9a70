"""Publication: what is to be published, one result as the public will read it, what is kept back, and corrections."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import msgspec
from litestar import Response, Router, get, post

from server.domain.access import allows
from server.domain.faults import Fault, Invalid
from server.domain.instant import beijing_day
from server.domain.publication import GROUNDS, PublicResult
from server.domain.result import TYPES
from server.errors import Problem
from server.office import publication_facts as facts
from server.office import publication_page as page
from server.office import publishing as acts
from server.routes import guards
from server.routes.forms import WITH_FORM, Filled, Form, answer_form, fresh_password, refilled, run_act, wants_page
from server.routes.guards import Asked, has_right
from server.routes.language import words_for
from server.routes.lists import look_of
from server.routes.pages import on_problem, render
from server.store import directory, publications
from server.store.publications import Correction, Published
from server.store.rules import rule_set_on
from server.sync import record

ROOM: Final = "/office/publication"
PAGE: Final = 30


def _today(request: Asked) -> Any:
    return beijing_day(guards.now(request))


@get("/", guards=[has_right("results.read")], sync_to_thread=True)
def show_publication(request: Asked) -> Response[str]:
    """The results of one's own unit, or of all, that wait for the public, the nearest target first."""
    return _list(request, Filled(), 200)


def _list(
    request: Asked, filled: Filled, status: int, went: tuple[str, ...] = (), stayed: tuple[Stayed, ...] = ()
) -> Response[str]:
    look, person, db = look_of(request, "show"), request.user, request.app.state.db
    show = look["show"] if look["show"] in page.SHOWN else "waiting"
    unit, start = page.unit_of(person), (look.page - 1) * PAGE
    with db.read() as conn:
        waiting = publications.waiting(conn, unit, start, PAGE) if show == "waiting" else []
    record.records_of(db, [one.visit_id for one in waiting])  # folds what moved: acts read what is kept
    with db.read() as conn:
        counts = {
            "waiting": publications.count_waiting(conn, unit),
            "published": publications.count_published(conn, unit),
            "withheld": len(held := page.withheld(conn, person)),
            "corrections": len(corrections := page.corrections(conn, person)),
        }
        rows = page.rows(conn, person, waiting, _today(request))
        heads = publications.published_list(conn, unit, start, PAGE) if show == "published" else []
        published = page.published(conn, heads, _today(request))
        units, names = directory.names_of_units(conn), directory.names_of_people(conn)
    return render(
        request,
        "publication",
        status,
        room="publication",
        look=look,
        show=show,
        counts=counts,
        rows=rows,
        published=published,
        held=held,
        corrections=corrections,
        total=counts[show],
        size=PAGE,
        units=units,
        names=names,
        filled=filled,
        went=went,
        stayed=stayed,
        publishes=any(not row.hindrances for row in rows),
    )


@post("/", guards=[has_right("results.publish")], status_code=200, sync_to_thread=True)
def publish_many(request: Asked, form: Form) -> Response[Any]:
    """Publishes every ticked result that can go, or with `all` every one of the unit; says what stays, and why."""
    try:
        fresh_password(request, form)
        chosen = _chosen(request, form)
    except Problem as problem:
        return _list(request, *refilled(request, form, problem))
    went, stayed = _publish_each(request, chosen)
    status = 409 if stayed else 200
    if wants_page(request):
        return _list(request, Filled(), status, tuple(went), tuple(stayed))
    return Response(msgspec.json.encode({"published": went, "stayed": stayed}), media_type="application/json")


def _chosen(request: Asked, form: Form) -> list[tuple[str, str]]:
    if form.text("all"):
        with request.app.state.db.read() as conn:
            return [(one.visit_id, one.task_id) for one in publications.waiting(conn, request.user.unit_id)]
    chosen = [acts.parts_of(one) for one in dict.fromkeys(form.chosen("one"))]
    if not chosen:
        raise Invalid([Fault("one", "missing")])
    return chosen


class Stayed(msgspec.Struct, frozen=True):
    """A result that wasn't published: every code and sentence that says why; its subject, where one may know it."""

    id: str
    subject: str
    codes: tuple[str, ...]
    says: tuple[str, ...]


def _publish_each(request: Asked, chosen: list[tuple[str, str]]) -> tuple[list[str], list[Stayed]]:
    """Each in a transaction of its own: what can't go keeps nothing back that can."""
    record.records_of(request.app.state.db, [visit_id for visit_id, _ in chosen])
    went: list[str] = []
    stayed: list[Stayed] = []
    for visit_id, task_id in chosen:
        act = partial(acts.publish, visit_id=visit_id, task_id=task_id)
        try:
            went.append(run_act(request, act))
        except Problem as problem:
            stayed.append(_stayed(request, visit_id, task_id, problem))
    return went, stayed


def _stayed(request: Asked, visit_id: str, task_id: str, problem: Problem) -> Stayed:
    listed = problem.members.get("hindrances")
    codes = tuple(map(str, listed)) if isinstance(listed, list) else (problem.code,)
    says = tuple(_sentence(request, Problem(code)) for code in codes) if listed else (_sentence(request, problem),)
    return Stayed(acts.id_of(visit_id, task_id), _name_of(request, visit_id, task_id), codes, says)


def _name_of(request: Asked, visit_id: str, task_id: str) -> str:
    """The subject of a result that this person may see, else nothing of it."""
    with request.app.state.db.read() as conn:
        try:
            found = facts.result_of(conn, visit_id, task_id)
        except Problem:
            return ""
    sees = allows(request.user.roles, request.user.unit_id, "results.read", found.unit_id)
    return found.subject[0] if sees else ""


def _sentence(request: Asked, problem: Problem) -> str:
    return problem.sentence("en" if words_for(request).language == "en" else "zh")


# --- one result -------------------------------------------------------------------------------------------------------


@get("/{result_id:str}", guards=[has_right("results.read")], sync_to_thread=True)
def show_result(request: Asked, result_id: str) -> Response[str]:
    """A result as the public will read it, and what is still in its way."""
    return _page(request, result_id, Filled(), 200)


def _page(request: Asked, result_id: str, filled: Filled, status: int) -> Response[str]:
    visit_id, task_id = acts.parts_of(result_id)
    person, db, today = request.user, request.app.state.db, _today(request)
    record.records_of(db, [visit_id])
    with db.read() as conn:
        found = facts.result_of(conn, visit_id, task_id)
        if not allows(person.roles, person.unit_id, "results.read", found.unit_id):
            raise Problem("not_found")
        row = page.row_of(conn, person, found, today)
        preview = None
        if found.published is None and found.phase == "final":
            preview = facts.public_of(conn, found, "", today, rule_set_on(conn, today).officers_published)
        versions = [] if found.published is None else publications.versions_of(conn, found.published.id)
        done = next(iter(page.published(conn, [found.published] if found.published else [], today)), None)
        corrections = [] if found.published is None else publications.corrections_of(conn, found.published.id)
        names, units = directory.names_of_people(conn), directory.names_of_units(conn)
    if versions and "main" not in filled.values:
        filled = as_published(versions[-1].result, filled)
    return render(
        request,
        "publication_one",
        status,
        room="publication",
        found=found,
        row=row,
        preview=preview if preview is not None else versions[-1].result if versions else None,
        versions=versions,
        done=done,
        corrections=corrections,
        names=names,
        units=units,
        grounds=GROUNDS,
        types=TYPES,
        today=today,
        filled=filled,
        can=lambda right: allows(person.roles, person.unit_id, right, found.unit_id),
    )


def as_published(result: PublicResult, filled: Filled) -> Filled:
    """The form of a correction begins with what is public now."""
    values = {f"type:{item.id}": item.types[0] for item in result.items} | {"main": result.main}
    lists = {f"more:{item.id}": item.types[1:] for item in result.items}
    return msgspec.structs.replace(filled, values={**values, **filled.values}, lists={**lists, **filled.lists})


@post("/{result_id:str}/publish", guards=[has_right("results.publish")], sync_to_thread=True)
def publish_one(request: Asked, result_id: str, form: Form) -> Response[Any]:
    """Publishes one result; the password is asked again."""
    visit_id, task_id = acts.parts_of(result_id)
    record.records_of(request.app.state.db, [visit_id])
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.publish(conn, person, now, visit_id, task_id, form.values.get("seen", "")),
        done=f"{ROOM}/{result_id}",
        again=lambda filled, status: _page(request, result_id, filled, status),
        proof=True,
    )


@post("/{result_id:str}/withhold", guards=[has_right("withholdings.ask")], sync_to_thread=True)
def ask_withholding(request: Asked, result_id: str, form: Form) -> Response[Any]:
    """Asks the principal not to publish."""
    visit_id, task_id = acts.parts_of(result_id)
    record.records_of(request.app.state.db, [visit_id])
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.ask_withholding(conn, person, now, visit_id, task_id, form.values),
        done=f"{ROOM}/{result_id}",
        again=lambda filled, status: _page(request, result_id, filled, status),
    )


@post("/withholdings/{withholding_id:str}", guards=[has_right("withholdings.decide")], sync_to_thread=True)
def decide_withholding(request: Asked, withholding_id: str, form: Form) -> Response[Any]:
    """The principal approves or refuses a request not to publish, or ends one that stands (`answer` = lifted)."""
    result_id = _of_withholding(request, withholding_id)
    answer, reason = form.text("answer"), form.text("reason")

    def decide(conn: Any, person: Any, now: Any) -> None:
        if answer == "lifted":
            acts.lift_withholding(conn, person, now, withholding_id, reason)
        else:
            acts.decide_withholding(conn, person, now, withholding_id, answer == "approved", reason)

    return answer_form(
        request,
        form,
        decide,
        done=f"{ROOM}/{result_id}",
        again=lambda filled, status: _page(request, result_id, filled, status),
    )


def _of_withholding(request: Asked, withholding_id: str) -> str:
    with request.app.state.db.read() as conn:
        found = publications.withholding_of(conn, withholding_id)
    if found is None:
        raise Problem("not_found")
    record.records_of(request.app.state.db, [found.visit_id])
    return acts.id_of(found.visit_id, found.task_id)


# --- corrections ------------------------------------------------------------------------------------------------------


@post("/results/{no:str}/corrections", guards=[has_right("corrections.ask")], sync_to_thread=True)
def ask_correction(request: Asked, no: str, form: Form) -> Response[Any]:
    """Asks the principal to correct a published result."""
    with request.app.state.db.read() as conn:
        head = publications.published(conn, no)
    if head is None:
        raise Problem("not_found")
    further = {name.removeprefix("more:"): form.lists[name] for name in form.lists if name.startswith("more:")}
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.ask_correction(conn, person, now, no, form.values, further),
        done=f"{ROOM}/{acts.id_of(head.visit_id, head.task_id)}",
        again=lambda filled, status: _page(request, acts.id_of(head.visit_id, head.task_id), filled, status),
    )


@get("/corrections/{correction_id:str}", guards=[has_right("results.read")], sync_to_thread=True)
def show_correction(request: Asked, correction_id: str) -> Response[str]:
    """A correction as it would be read, beside what is public now."""
    return _correction_page(request, correction_id, Filled(), 200)


def _correction_page(request: Asked, correction_id: str, filled: Filled, status: int) -> Response[str]:
    person = request.user
    with request.app.state.db.read() as conn:
        asked, head = _correction(conn, request, correction_id)
        versions = publications.versions_of(conn, head.id)
        is_open = asked.state == "asked"
        after = acts.next_version(conn, asked, _today(request)) if is_open else None
        digest = acts.next_sha256(conn, asked, _today(request)) if is_open else ""
        names = directory.names_of_people(conn)
    return render(
        request,
        "publication_correction",
        status,
        room="publication",
        asked=asked,
        head=head,
        before=versions[min(asked.version - 1, len(versions)) - 1].result,
        after=after or versions[-1].result,
        digest=digest,
        names=names,
        filled=filled,
        can=lambda right: allows(person.roles, person.unit_id, right, head.unit_id),
    )


def _correction(conn: Any, request: Asked, correction_id: str) -> tuple[Correction, Published]:
    asked = publications.correction_of(conn, correction_id)
    head = None if asked is None else publications.published_by_id(conn, asked.publication_id)
    if asked is None or head is None:
        raise Problem("not_found")
    if not allows(request.user.roles, request.user.unit_id, "results.read", head.unit_id):
        raise Problem("not_found")
    return asked, head


@post("/corrections/{correction_id:str}/sign", guards=[has_right("corrections.sign")], sync_to_thread=True)
def sign_correction(request: Asked, correction_id: str, form: Form) -> Response[Any]:
    """The principal signs what he was shown; the password is asked again."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.sign_correction(conn, person, now, correction_id, form.text("seen")),
        done=f"{ROOM}/corrections/{correction_id}",
        again=lambda filled, status: _correction_page(request, correction_id, filled, status),
        proof=True,
    )


@post("/corrections/{correction_id:str}/refuse", guards=[has_right("corrections.sign")], sync_to_thread=True)
def refuse_correction(request: Asked, correction_id: str, form: Form) -> Response[Any]:
    """The principal doesn't sign, and says why."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.refuse_correction(conn, person, now, correction_id, form.text("answer")),
        done=f"{ROOM}/corrections/{correction_id}",
        again=lambda filled, status: _correction_page(request, correction_id, filled, status),
    )


router = Router(
    ROOM,
    exception_handlers={Problem: on_problem},
    dependencies=WITH_FORM,
    route_handlers=[
        show_publication,
        publish_many,
        show_result,
        publish_one,
        ask_withholding,
        decide_withholding,
        ask_correction,
        show_correction,
        sign_correction,
        refuse_correction,
    ],
)
