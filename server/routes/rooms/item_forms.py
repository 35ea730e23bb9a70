"""The forms of an item: what it says, and the editor of its checklist; both work without script and lose nothing."""

from __future__ import annotations

from itertools import count
from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from msgspec.structs import replace

from server.domain import item_entry
from server.domain.access import allows
from server.domain.item import CATEGORIES, JUDGED, SECTORS, Item
from server.domain.item_difference import ItemDifference, item_difference
from server.domain.item_entry import check_checklist, check_item, checklist_values
from server.domain.subject import KINDS, TRAITS
from server.errors import Problem
from server.office import items as office
from server.office.act import permit
from server.routes.forms import Filled, Form, answer_form, refilled, run_act, wants_page
from server.routes.guards import Asked, has_right
from server.routes.pages import render, words_for
from server.routes.said import said_of
from server.store import directory, items
from server.store.items import Draft

HOME = "/office/items"
CHANGE = has_right("items.change")


def draft_of(request: Asked, item_id: str) -> Draft:
    """An item of the working draft; who may read the room may read all of it."""
    with request.app.state.db.read() as conn:
        draft = items.draft_of(conn, item_id)
    if draft is None:
        raise Problem("not_found")
    return draft


def to_change(request: Asked, item_id: str) -> Draft:
    """An item of the person's own unit, as the acts will ask for it: refused before anything typed is looked at."""
    draft = draft_of(request, item_id)
    permit(request.user, "items.change", draft.item.unit_id or request.user.unit_id)
    return draft


def _to_show(request: Asked, item_id: str) -> Draft:
    """The same for the form itself, which isn't there for who could not save it."""
    draft = draft_of(request, item_id)
    if not allows(request.user.roles, request.user.unit_id, "items.change", draft.item.unit_id or request.user.unit_id):
        raise Problem("not_found")
    return draft


def see(address: str) -> Response[Any]:
    """Leads to the page where what was done can be seen."""
    return Response(b"", status_code=303, headers={"Location": address})


# --- what an item says ------------------------------------------------------------------------------------------------


@get("/new", guards=[CHANGE], sync_to_thread=True)
def show_new(request: Asked) -> Response[str]:
    """The form of a new item."""
    return _facts_form(request, None, Filled({"category": "general", "judged": "findings"}))


@post("/new", guards=[CHANGE], status_code=200, sync_to_thread=True)
def add_item(request: Asked, form: Form) -> Response[Any]:
    """Adds an item to the draft, or moves the form's rows."""
    if _moves(form):
        do = form.text("do")
        return _facts_form(request, None, Filled(item_entry.moved(form.values, "basis", do)), shown=_opened(do))
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.add_item(conn, person, now, form.values),
        done=lambda item: f"{HOME}/{item.id}",
        again=lambda filled, status: _facts_form(request, None, filled, status),
    )


@get("/{item_id:str}/edit", guards=[CHANGE], sync_to_thread=True)
def show_edit(request: Asked, item_id: FromPath[str]) -> Response[str]:
    """The form of an item."""
    draft = _to_show(request, item_id)
    values = item_entry.item_values(draft.item) | {"base": office.digest_of_facts(draft.item)}
    return _facts_form(request, draft.item, Filled(values))


@post("/{item_id:str}/edit", guards=[CHANGE], status_code=200, sync_to_thread=True)
def change_item(request: Asked, item_id: FromPath[str], form: Form) -> Response[Any]:
    """Saves what the item says; of two who edit at once the second sees both versions and loses nothing."""
    draft = to_change(request, item_id)
    if _moves(form):
        do = form.text("do")
        return _facts_form(request, draft.item, Filled(item_entry.moved(form.values, "basis", do)), shown=_opened(do))
    try:
        base = form.text("base")
        run_act(request, lambda conn, person, now: office.change_item(conn, person, now, item_id, form.values, base))
    except Problem as problem:
        if not wants_page(request):
            raise
        return _facts_again(request, item_id, form, problem)
    return see(f"{HOME}/{item_id}")


def _facts_again(request: Asked, item_id: str, form: Form, problem: Problem) -> Response[str]:
    filled, status = refilled(request, form, problem)
    theirs = draft_of(request, item_id).item
    if problem.code != "item_changed":
        return _facts_form(request, theirs, filled, status)
    mine, _ = check_item(form.values, theirs)
    filled = replace(filled, values=form.values | {"base": office.digest_of_facts(theirs)})
    return _facts_form(request, theirs, filled, status, item_difference(theirs, mine or theirs))


def _facts_form(
    request: Asked,
    item: Item | None,
    filled: Filled,
    status: int = 200,
    both: ItemDifference | None = None,
    shown: int = -1,
) -> Response[str]:
    rows = item_entry.rows_of(filled.values, "basis")
    with request.app.state.db.read() as conn:
        units = directory.names_of_units(conn)
    return render(
        request,
        "items_facts",
        status,
        room="items",
        item=item,
        filled=filled,
        rows=rows or ["basis.0"],
        open=_open(filled, rows or ["basis.0"], "document", shown),
        both=both,
        options={"category": CATEGORIES, "sector": SECTORS, "judged": JUDGED},
        traits=TRAITS,
        kinds=KINDS,
        said=said_of(words_for(request), units),
        unit=units.get(request.user.unit_id or "", ""),
    )


def _open(filled: Filled, rows: list[str], first: str, shown: int) -> set[str]:
    """The rows that are unfolded: what is wrong, what is still empty, and the one that the eye follows."""
    wrong = {".".join(fault.field.split(".")[:2]) for fault in filled.stopping}
    last = min(shown, len(rows) - 1)
    return {at for n, at in enumerate(rows) if n == last or at in wrong or not filled.text(f"{at}.{first}")}


def _moves(form: Form) -> bool:
    return form.text("do").partition(":")[0] in item_entry.MOVES


# --- the checklist ----------------------------------------------------------------------------------------------------


@get("/{item_id:str}/checklist", guards=[CHANGE], sync_to_thread=True)
def show_checklist(request: Asked, item_id: FromPath[str]) -> Response[str]:
    """The editor of the checklist."""
    draft = _to_show(request, item_id)
    values = checklist_values(draft.item) | {"base": office.digest_of_checklist(draft.item)}
    return _points_form(request, draft.item, Filled(values))


@post("/{item_id:str}/checklist", guards=[CHANGE], status_code=200, sync_to_thread=True)
def change_checklist(request: Asked, item_id: FromPath[str], form: Form) -> Response[Any]:
    """Saves the points, or moves one among the others; nothing is saved by moving."""
    draft = to_change(request, item_id)
    if _moves(form):
        do = form.text("do")
        return _points_form(request, draft.item, Filled(item_entry.moved(form.values, "point", do)), shown=_opened(do))
    try:
        base = form.text("base")
        run_act(
            request, lambda conn, person, now: office.change_checklist(conn, person, now, item_id, form.values, base)
        )
    except Problem as problem:
        if not wants_page(request):
            raise
        return _points_again(request, item_id, form, problem)
    return see(f"{HOME}/{item_id}")


def _opened(do: str) -> int:
    """The row that the eye follows after a move."""
    act, _, place = do.partition(":")
    at = int(place) if place.isascii() and place.isdigit() else 10**6
    return {"up": at - 1, "down": at + 1, "add": at + 1}.get(act, at)


def _points_again(request: Asked, item_id: str, form: Form, problem: Problem) -> Response[str]:
    filled, status = refilled(request, form, problem)
    theirs = draft_of(request, item_id).item
    if problem.code != "item_changed":
        return _points_form(request, theirs, filled, status)
    with request.app.state.db.read() as conn:
        known = items.known_points(conn, item_id)
    new = count(1)
    made, _ = check_checklist(form.values, theirs, known, lambda: f"new-{next(new)}")
    mine = replace(theirs, checklist=made[0], phrases=made[1]) if made else theirs
    filled = replace(filled, values=form.values | {"base": office.digest_of_checklist(theirs)})
    return _points_form(request, theirs, filled, status, both=item_difference(theirs, mine))


def _points_form(
    request: Asked,
    item: Item,
    filled: Filled,
    status: int = 200,
    *,
    shown: int = -1,
    both: ItemDifference | None = None,
) -> Response[str]:
    rows = item_entry.rows_of(filled.values, "point")
    return render(
        request,
        "items_points",
        status,
        room="items",
        item=item,
        filled=filled,
        rows=[(at, item_entry.chosen(filled.values, at, item.basis)) for at in rows],
        open=_open(filled, rows, "text", shown),
        sections=list(dict.fromkeys(filled.text(f"{at}.section") for at in rows)),
        both=both,
        traits=TRAITS,
        said=said_of(words_for(request), {}),
    )


handlers = [show_new, add_item, show_edit, change_item, show_checklist, change_checklist]
