"""The item list: drafts, checklists, releases and coverage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from litestar import Response, Router, get, post
from litestar.params import FromPath

from server.domain import item_entry
from server.domain.access import ALL, allows, reach
from server.domain.faults import Invalid
from server.domain.item import STATES, Item, not_in_force
from server.domain.item_difference import item_difference
from server.errors import Problem
from server.office import items as office
from server.routes import guards
from server.routes.forms import WITH_FORM, Filled, Form, answer_form, run_act, wants_page
from server.routes.guards import Asked, has_right
from server.routes.language import sentence_for
from server.routes.lists import look_of
from server.routes.pages import on_problem, render, words_for
from server.routes.rooms import item_forms
from server.routes.rooms.item_forms import CHANGE, HOME, draft_of, see, to_change
from server.routes.said import said_of
from server.sheets.plain import csv_bytes
from server.store import directory, items, province
from server.store.items import Draft

PAGE: Final = 50
RELEASE, READ = has_right("items.release"), has_right("items.read")

# --- the list ---------------------------------------------------------------------------------------------------------


@get("/", guards=[READ], sync_to_thread=True)
def show_items(request: Asked) -> Response[str]:
    """The working draft: what is being worked on, what waits for the next release, what is in effect."""
    look = look_of(request, "q", "state", "unit", sorts=("name", "unit", "sector", "state"), first="name")
    with request.app.state.db.read() as conn:
        every, units = items.drafts(conn), directory.names_of_units(conn)
        current = items.current_version(conn, _today(request))
        listed = items.listed_ids(conn, current)
    found = [draft for draft in every if _fits(draft, look["q"], look["unit"])]
    shown = [draft for draft in found if look["state"] in ("", _state(draft))]
    orders: dict[str, Callable[[Draft], str]] = {
        "unit": lambda draft: units.get(draft.item.unit_id or "", ""),
        "sector": lambda draft: draft.item.sector,
        "state": lambda draft: _state(draft),
    }
    shown.sort(key=orders.get(look.sort, lambda draft: draft.item.name), reverse=look.is_down)
    return render(
        request,
        "items_list",
        room="items",
        look=look,
        rows=shown[(look.page - 1) * PAGE : look.page * PAGE],
        total=len(shown),
        size=PAGE,
        states=[(name, sum(_state(draft) == name for draft in found)) for name in ("review", *STATES)],
        state_of=_state,
        units=units,
        current=current,
        listed=listed,
        expired=lambda item: len(not_in_force(item, _today(request))),
        waiting_for_release=sum(draft.item.state in ("ready", "withdrawing") for draft in every),
        can=_rights(request),
        annex_is_missing=not any(draft.item.id == "annex-u" for draft in every),
    )


def _state(draft: Draft) -> str:
    """Where an item stands in one word; a draft of the annex that nobody has reviewed is `review`."""
    return "review" if draft.item.needs_review and draft.item.state == "draft" else draft.item.state


def _fits(draft: Draft, text: str, unit: str) -> bool:
    item = draft.item
    return (not unit or item.unit_id == unit) and text.lower() in f"{item.name} {item.object} {item.id}".lower()


def _rights(request: Asked, item: Item | None = None) -> dict[str, bool]:
    """What the person may do: with an item, or in the room."""
    person = request.user
    unit = (item.unit_id if item else None) or person.unit_id
    return {
        "change": allows(person.roles, person.unit_id, "items.change", unit),
        "release": reach(person.roles, "items.release") is not None,
    }


def _today(request: Asked) -> str:
    return office.day_of(guards.now(request))


# --- one item ---------------------------------------------------------------------------------------------------------


@get("/{item_id:str}", guards=[READ], sync_to_thread=True)
def show_item(request: Asked, item_id: FromPath[str]) -> Response[str]:
    """One item: what it says, its checklist, its versions, and what the draft changes."""
    return _item_page(request, item_id)


def _item_page(request: Asked, item_id: str, problem: Problem | None = None) -> Response[str]:
    draft = draft_of(request, item_id)
    with request.app.state.db.read() as conn:
        current = items.current_version(conn, _today(request))
        within = items.versions_with(conn, item_id)
        listed = items.item_at(conn, current, item_id) if current and within and within[0][0] == current else None
        units, names = directory.names_of_units(conn), directory.names_of_people(conn)
        sent = province.states_of(conn, "item", [item_id]).get(item_id)
    changed = item_difference(listed, draft.item) if listed and draft.item.state != "released" else None
    return render(
        request,
        "items_item",
        problem.status if problem else 200,
        room="items",
        draft=draft,
        item=draft.item,
        state=_state(draft),
        listed=listed,
        current=current,
        within=within,
        sent=sent,
        changed=changed if changed and not changed.is_empty else None,
        expired=not_in_force(draft.item, _today(request)),
        uncited={point.id for point in item_entry.uncited(draft.item)},
        sections=_sections(draft.item),
        units=units,
        names=names,
        can=_rights(request, draft.item),
        today=_today(request),
        said=said_of(words_for(request), units),
        percent=item_entry.percent,
        filled=Filled(problem=sentence_for(request, problem) if problem else None),
    )


def _sections(item: Item) -> list[tuple[str, list[Any]]]:
    """The points under their headings, in order."""
    found: list[tuple[str, list[Any]]] = []
    for n, point in enumerate(item.checklist, 1):
        if not found or found[-1][0] != point.section:
            found.append((point.section, []))
        found[-1][1].append((n, point))
    return found


# --- acts without a form of their own ---------------------------------------------------------------------------------


@post("/{item_id:str}/submit", guards=[CHANGE], status_code=200, sync_to_thread=True)
def submit_item(request: Asked, item_id: FromPath[str]) -> Response[Any]:
    """Hands the draft in for the next release."""
    return _do(request, item_id, lambda conn, person, now: office.submit_item(conn, person, now, item_id))


@post("/{item_id:str}/withdraw", guards=[CHANGE], status_code=200, sync_to_thread=True)
def withdraw_item(request: Asked, item_id: FromPath[str], form: Form) -> Response[Any]:
    """Asks for the item to be left out of the next version."""
    reason = form.text("reason")
    return _do(request, item_id, lambda conn, person, now: office.withdraw_item(conn, person, now, item_id, reason))


@post("/{item_id:str}/reset", guards=[CHANGE], status_code=200, sync_to_thread=True)
def reset_item(request: Asked, item_id: FromPath[str]) -> Response[Any]:
    """Drops what was changed since the last release."""
    return _do(request, item_id, lambda conn, person, now: office.reset_item(conn, person, now, item_id))


def _do(request: Asked, item_id: str, call: Callable[..., Item]) -> Response[Any]:
    to_change(request, item_id)
    try:
        run_act(request, call)
    except Problem as problem:
        if isinstance(problem, Invalid) or not wants_page(request):
            raise
        return _item_page(request, item_id, problem)
    return see(f"{HOME}/{item_id}")


@post("/annex", guards=[CHANGE], status_code=200, sync_to_thread=True)
def take_up_annex(request: Asked) -> Response[Any]:
    """Takes up the drafts of the annex."""
    run_act(request, office.take_up_annex)
    return see(f"{HOME}?state=review")


# --- versions ---------------------------------------------------------------------------------------------------------


@get("/versions", guards=[READ], sync_to_thread=True)
def show_versions(request: Asked) -> Response[str]:
    """Every released version, with who released it."""
    with request.app.state.db.read() as conn:
        found, names = items.versions(conn), directory.names_of_people(conn)
        sizes = {one.n: len(items.listed_ids(conn, one.n)) for one in found}
    return render(
        request, "items_versions", room="items", versions=found, names=names, sizes=sizes, can=_rights(request)
    )


@get("/release", guards=[READ], sync_to_thread=True)
def show_release(request: Asked) -> Response[str]:
    """What the next version would change, before anybody releases it."""
    return _release_page(request, Filled())


@post("/release", guards=[RELEASE], status_code=200, sync_to_thread=True)
def release_list(request: Asked, form: Form) -> Response[Any]:
    """Releases the next version."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.release_list(conn, person, now, form.values, form.text("seen")),
        done=f"{HOME}/versions",
        again=lambda filled, status: _release_page(request, filled, status),
    )


def _release_page(request: Asked, filled: Filled, status: int = 200) -> Response[str]:
    with request.app.state.db.read() as conn:
        found = office.proposal(conn)
        units, names = directory.names_of_units(conn), directory.names_of_people(conn)
    today = _today(request)
    expired = [(item, not_in_force(item, today)) for item in found.items]
    return render(
        request,
        "items_release",
        status,
        room="items",
        found=found,
        filled=filled,
        number=found.current.n + 1 if found.current else 1,
        is_own=any(request.user.id in draft.entered_by for draft in found.pending),
        expired=[(item, bases) for item, bases in expired if bases],
        units=units,
        names=names,
        can=_rights(request),
        said=said_of(words_for(request), units),
    )


# --- coverage ---------------------------------------------------------------------------------------------------------


@get("/coverage", guards=[READ], sync_to_thread=True)
def show_coverage(request: Asked) -> Response[str]:
    """Which items have no subject, and how many each has in each unit's library (R8.2)."""
    lines, units = _coverage(request)
    return render(
        request,
        "items_coverage",
        room="items",
        lines=lines,
        units=units,
        said=said_of(words_for(request), units),
        empty=sum(line.total == 0 for line in lines),
    )


@get("/coverage.csv", guards=[READ], sync_to_thread=True)
def coverage_file(request: Asked) -> Response[bytes]:
    """The same as a file."""
    lines, units = _coverage(request)
    w = words_for(request)
    head = [w("items.name"), w("items.code"), w("items.subjects"), *units.values()]
    rows = [[line.item.name, line.item.id, line.total, *(line.by_unit.get(id, 0) for id in units)] for line in lines]
    return file_of(csv_bytes([head, *rows]), "coverage.csv", "text/csv")


def _coverage(request: Asked) -> tuple[Sequence[Any], Mapping[str, str]]:
    """The lines, and the units whose libraries the person may see."""
    person = request.user
    with request.app.state.db.read() as conn:
        lines, units = office.coverage_of(conn), directory.names_of_units(conn)
    used = {id for line in lines for id in line.by_unit}
    sees_all = reach(person.roles, "subjects.read") == ALL
    return lines, {id: name for id, name in units.items() if id in used and (sees_all or id == person.unit_id)}


def file_of(body: bytes, name: str, media_type: str) -> Response[bytes]:
    """A file to keep."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(body, media_type=media_type, headers=headers)


router = Router(
    HOME,
    dependencies=WITH_FORM,
    exception_handlers={Problem: on_problem},
    route_handlers=[
        *item_forms.handlers,
        show_items,
        show_versions,
        show_release,
        release_list,
        show_coverage,
        coverage_file,
        take_up_annex,
        show_item,
        submit_item,
        withdraw_item,
        reset_item,
    ],
)
