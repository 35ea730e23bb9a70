"""The province's platform: what each row's state is there, export in its layout, receipts, and the mapping (R7.3)."""

from __future__ import annotations

from typing import Any, BinaryIO, Final, cast

from litestar import Response, Router, get, post
from litestar.params import FromPath

from server.domain.access import allows
from server.domain.faults import Fault, Invalid
from server.domain.instant import beijing_day
from server.domain.province import KINDS, RESULTS, values_of
from server.domain.result_codes import CodeSet
from server.errors import Problem
from server.office import province as office
from server.office.libraries import Place
from server.routes import guards
from server.routes.forms import WITH_FORM, Filled, Form, answer_form, fresh_password, refilled, run_act, wants_page
from server.routes.guards import Asked, has_right
from server.routes.lists import look_of
from server.routes.pages import on_problem, render, words_for
from server.routes.rooms.import_files import TYPES, attachment, written
from server.sheets.receipts import numbers_in
from server.store import code_sets, directory, imports, province
from server.store.sources import BLOCK, anonymous, sha256_of

HOME: Final = "/office/province"
READ, CHANGE = has_right("province.read"), has_right("province.change")
STATES: Final = ("not_sent", "exported", "confirmed")
PAGE: Final = 50


def _place(request: Asked, conn: Any, unit: str = "") -> Place:
    """Whose rows are shown: the reader's unit, or the one that is chosen."""
    units = imports.units_by_name(conn)
    chosen = unit if unit in units.values() else request.user.unit_id
    day = beijing_day(guards.now(request))
    return Place(str(chosen or ""), units, day, request.app.state["sealer"])


# --- states -----------------------------------------------------------------------------------------------------------


@get("/", guards=[READ], sync_to_thread=True)
def show_province(request: Asked) -> Response[str]:
    """The kinds of rows that the platform must hold, and how many are where."""
    with request.app.state.db.read() as conn:
        place = _place(request, conn)
        counts = {kind: office.counts_of(conn, place, kind) for kind in KINDS}
        n, _ = province.mapping_of(conn)
    return render(request, "province_home", room="imports", counts=counts, states=STATES, n=n)


@get("/kinds/{kind:str}", guards=[READ], sync_to_thread=True)
def show_kind(request: Asked, kind: FromPath[str]) -> Response[str]:
    """The rows of a kind with their states."""
    return _kind_page(request, kind, Filled({"format": "xlsx", "which": "new"}))


def _kind_page(request: Asked, kind: str, filled: Filled, status: int = 200, about: str = "") -> Response[str]:
    if kind not in KINDS:
        raise Problem("not_found")
    look = look_of(request, "state", path=f"{HOME}/kinds/{kind}")
    after = int(look["after"]) if look["after"].isascii() and look["after"].isdigit() else 0
    with request.app.state.db.read() as conn:
        place = _place(request, conn)
        shown = look["state"] if look["state"] in STATES else ""
        rows, has_more = office.page_of(conn, place, kind, shown, after, PAGE)
        states = province.states_of(conn, kind, [row.object for row in rows])
        counts = office.counts_of(conn, place, kind)
        names = directory.names_of_people(conn)
        codes = code_sets.sets_on(conn, place.today) if kind == "result" else {}
    return render(
        request,
        "province_kind",
        status,
        room="imports",
        kind=kind,
        look=look,
        rows=rows,
        after=rows[-1].place if has_more else None,
        states=states,
        counts=counts,
        stands=STATES,
        names=names,
        filled=filled,
        about=about,
        codes=codes,
        can_change=_may_change(request),
    )


def _may_change(request: Asked) -> bool:
    return allows(request.user.roles, request.user.unit_id, "province.change", request.user.unit_id)


# --- export, receipts -------------------------------------------------------------------------------------------------


@post("/kinds/{kind:str}/export", guards=[CHANGE], status_code=200, sync_to_thread=True)
def export_kind(request: Asked, kind: FromPath[str], form: Form) -> Response[Any]:
    """The rows in the province's layout; each is marked as exported."""
    if kind not in KINDS:
        raise Problem("not_found")
    try:
        form_kind = form.text("format")
        if form_kind not in TYPES:
            raise Invalid([Fault("format", "not_one_of", {"found": form_kind[:20]})])
        fresh_password(request, form)
        file = _exported(request, kind, form_kind, form.text("codes"), only_new=form.text("which") != "all")
    except Problem as problem:
        if not wants_page(request):
            raise
        return _kind_page(request, kind, *refilled(request, form, problem), "export")
    w = words_for(request)
    return attachment(file, f"{w('province.title')}-{w(f'province.kind.{kind}')}", form_kind)


def _exported(request: Asked, kind: str, form: str, codes_id: str, *, only_new: bool) -> BinaryIO:
    with request.app.state.db.read() as conn:
        place = _place(request, conn)
        codes = _codes(conn, place, codes_id) if kind == "result" else None
        _, mapping = province.mapping_of(conn)
        rows = list(office.rows_of(conn, place, kind))
        states = province.states_of(conn, kind)
    if only_new:
        rows = [row for row in rows if row.object not in states or states[row.object].digest != row.digest]
    file = written(office.sheet_of(mapping, kind, rows, codes), form, words_for(request)(f"province.kind.{kind}"))
    digest = sha256_of(file)
    run_act(request, lambda conn, person, now: office.note_export(conn, person, now, kind, rows, digest))
    return file


def _codes(conn: Any, place: Place, id: str) -> CodeSet | None:
    """The set of codes that results are called by; None for the mapping's own."""
    if not id:
        return None
    found = code_sets.sets_on(conn, place.today).get(id)
    if found is None:
        raise Invalid([Fault("codes", "not_one_of", {"found": id[:20]})])
    return found


@post("/kinds/{kind:str}/confirm", guards=[CHANGE], status_code=200, sync_to_thread=True)
def confirm_row(request: Asked, kind: FromPath[str], form: Form) -> Response[Any]:
    """Notes the platform's number of one row."""
    if kind not in KINDS:
        raise Problem("not_found")
    with request.app.state.db.read() as conn:
        place = _place(request, conn)
    object, number = form.text("object"), form.text("number")
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.confirm(conn, person, now, kind, place, object, number),
        done=f"{HOME}/kinds/{kind}",
        again=lambda filled, status: _kind_page(request, kind, filled, status, "confirm"),
    )


@post("/kinds/{kind:str}/receipts", guards=[CHANGE], status_code=200, sync_to_thread=True)
def receive_file(request: Asked, kind: FromPath[str], form: Form) -> Response[Any]:
    """Notes the numbers of a receipt file, all of them or none."""
    if kind not in KINDS:
        raise Problem("not_found")
    try:
        numbers = _receipts(form)
        with request.app.state.db.read() as conn:
            keys = office.objects_of(conn, _place(request, conn), kind, numbers.keys())
    except Problem as problem:
        if not wants_page(request):
            raise
        return _kind_page(request, kind, *refilled(request, form, problem), "receipts")
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.receive(conn, person, now, kind, keys, numbers),
        done=f"{HOME}/kinds/{kind}",
        again=lambda filled, status: _kind_page(request, kind, filled, status, "receipts"),
    )


def _receipts(form: Form) -> dict[str, str]:
    file = form.files.get("file")
    if file is None or not file.filename:
        raise Invalid([Fault("file", "no_file")])
    with anonymous() as plain:
        spooled = cast("BinaryIO", file.file)
        spooled.seek(0)
        while block := spooled.read(BLOCK):
            plain.write(block)
        plain.flush()
        return numbers_in(plain)


# --- the mapping ------------------------------------------------------------------------------------------------------


@get("/mapping", guards=[READ], sync_to_thread=True)
def show_mapping(request: Asked) -> Response[str]:
    """What the platform calls our columns and results."""
    with request.app.state.db.read() as conn:
        _, mapping = province.mapping_of(conn)
    return _mapping_page(request, Filled(values_of(mapping)))


def _mapping_page(request: Asked, filled: Filled, status: int = 200) -> Response[str]:
    with request.app.state.db.read() as conn:
        versions, names = province.mappings(conn), directory.names_of_people(conn)
    return render(
        request,
        "province_mapping",
        status,
        room="imports",
        kinds=KINDS,
        results=RESULTS,
        versions=versions,
        names=names,
        filled=filled,
        can_change=_may_change(request),
    )


@post("/mapping", guards=[CHANGE], status_code=200, sync_to_thread=True)
def change_mapping(request: Asked, form: Form) -> Response[Any]:
    """Writes the next version."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: office.change_mapping(conn, person, now, form.values),
        done=f"{HOME}/mapping",
        again=lambda filled, status: _mapping_page(request, filled, status),
    )


router = Router(
    HOME,
    dependencies=WITH_FORM,
    exception_handlers={Problem: on_problem},
    route_handlers=[
        show_province,
        show_kind,
        export_kind,
        confirm_row,
        receive_file,
        show_mapping,
        change_mapping,
    ],
)
