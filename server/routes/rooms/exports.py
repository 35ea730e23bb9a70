"""Export: what a list shows, in the layout of its library, as XLSX or CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final

from litestar import Response, get, post

from server.domain.access import ALL, reach
from server.domain.faults import Fault, Invalid, number_faults
from server.domain.instant import beijing_day
from server.domain.layout import LAYOUTS
from server.errors import Problem
from server.office import exports as office
from server.office.exports import FILTERS, Wish
from server.office.libraries import Place
from server.routes import guards
from server.routes.forms import Filled, Form, fresh_password, refilled, run_act, wants_page
from server.routes.guards import Asked, has_right
from server.routes.pages import render
from server.routes.rooms.import_files import TYPES, attachment, written
from server.store import directory, imports
from server.store.sources import sha256_of

EXPORT: Final = has_right("exports.run")


@get("/exports", guards=[EXPORT], sync_to_thread=True)
def show_exports(request: Asked) -> Response[str]:
    """What to export, and how; the filters of the list that led here stand in the address."""
    asked = {name: request.query_params.get(name, "") for name in ("layout", "unit", *FILTERS)}
    return _page(request, Filled(asked | {"format": "xlsx", "layout": asked["layout"] or "subjects"}))


def _page(request: Asked, filled: Filled, status: int = 200) -> Response[str]:
    with request.app.state.db.read() as conn:
        units = directory.names_of_units(conn)
    return render(
        request,
        "imports_exports",
        status,
        room="imports",
        filled=filled,
        layouts=list(LAYOUTS.values()),
        units=units,
        several=reach(request.user.roles, "exports.run") == ALL,
        kept=[(name, filled.text(name)) for name in FILTERS[1:] if filled.text(name)],
        may_whole=reach(request.user.roles, "subjects.reveal") is not None,
    )


@post("/exports", guards=[EXPORT], status_code=200, sync_to_thread=True)
def make_export(request: Asked, form: Form) -> Response[Any]:
    """The file, after its export was noted in the trail; it asks for the password again."""
    try:
        wish, kind = _wish(request, form)
        office.may_export(request.user, wish)
        fresh_password(request, form)
        file, count, sha256 = _made(request, wish, kind)
        run_act(
            request,
            lambda conn, person, now: office.note_export(
                conn, person, now, wish, form=kind, count=count, sha256=sha256
            ),
        )
    except Problem as problem:
        if not wants_page(request):
            raise
        return _page(request, *refilled(request, form, problem))
    day = beijing_day(guards.now(request))
    return attachment(file, f"{LAYOUTS[wish.layout].title}-{day:%Y%m%d}", kind)


def _wish(request: Asked, form: Form) -> tuple[Wish, str]:
    layout, kind = form.text("layout"), form.text("format")
    faults = [] if layout in LAYOUTS else [Fault("layout", "not_one_of", {"found": layout[:20]})]
    faults += [] if kind in TYPES else [Fault("format", "not_one_of", {"found": kind[:20]})]
    faults += number_faults("reason", form.text("reason"))
    if faults:
        raise Invalid(faults)
    own = None if reach(request.user.roles, "exports.run") == ALL else request.user.unit_id
    filters = {name: form.text(name) for name in FILTERS if form.text(name)}
    unit = own or form.text("unit") or None
    return Wish(layout, unit, filters, form.text("whole") == "yes", form.text("reason")[:200]), kind


def _made(request: Asked, wish: Wish, kind: str) -> tuple[BinaryIO, int, str]:
    """The file, how many rows it has under its header, and its digest."""
    state, counted = request.app.state, [0]

    def told(rows: Iterator[Sequence[str]]) -> Iterator[Sequence[str]]:
        for row in rows:
            counted[0] += 1
            yield row

    with state.db.read() as conn:
        day = beijing_day(guards.now(request))
        place = Place(str(request.user.unit_id or ""), imports.units_by_name(conn), day, state["sealer"])
        file = written(told(office.rows_of(conn, place, wish)), kind, LAYOUTS[wish.layout].sheet)
    return file, counted[0] - 1, sha256_of(file)


handlers = [show_exports, make_export]
