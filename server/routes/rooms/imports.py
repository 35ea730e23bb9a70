"""Import: a file is brought, looked at, applied as one batch, and taken back as one (R7.1, R7.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO, Final, cast

from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath
from litestar.response import Redirect

from server.domain.access import allows, reach
from server.domain.faults import Fault, Invalid, number_faults, stops
from server.domain.importing import Choices
from server.domain.instant import beijing_day
from server.domain.layout import LAYOUTS
from server.domain.mask import hide_numbers
from server.errors import Problem
from server.office import import_page
from server.office import imports as office
from server.office.act import new_id
from server.office.import_reading import opened
from server.office.import_worker import Worker
from server.office.keepers import library_of
from server.office.libraries import Library, Place
from server.routes import guards
from server.routes.forms import WITH_FORM, Filled, Form, answer_form, refilled, run_act, wants_page
from server.routes.guards import Asked, has_right
from server.routes.lists import look_of
from server.routes.pages import on_problem, render
from server.routes.rooms import exports, import_files
from server.store import directory, imports
from server.store.imports import Batch
from server.store.sources import BLOCK, anonymous

HOME: Final = "/office/imports"
MOST_BYTES: Final = 64 << 20
READ, RUN = has_right("imports.read"), has_right("imports.run")
CHANGES_AT_ONCE: Final = 10

# --- the list, and a new file -----------------------------------------------------------------------------------------


@get("/", guards=[READ], sync_to_thread=True)
def show_imports(request: Asked) -> Response[str]:
    """The files that were brought, the newest first; templates and the form for a new one."""
    return _list_page(request, Filled())


def _list_page(request: Asked, filled: Filled, status: int = 200) -> Response[str]:
    look = look_of(request, path=HOME)
    unit = None if reach(request.user.roles, "imports.read") == "all" else request.user.unit_id
    with request.app.state.db.read() as conn:
        found = imports.batches(conn, unit, after=look["after"] or None, limit=31)
        names, units = directory.names_of_people(conn), directory.names_of_units(conn)
    return render(
        request,
        "imports_list",
        status,
        room="imports",
        look=look,
        rows=found[:30],
        after=found[29].entered_at if len(found) > 30 else None,
        names=names,
        units=units,
        several=unit is None,
        layouts=list(LAYOUTS.values()),
        filled=filled,
        can_run=allows(request.user.roles, request.user.unit_id, "imports.run", request.user.unit_id),
    )


@post("/", guards=[RUN], status_code=200, sync_to_thread=True, request_max_body_size=MOST_BYTES + (1 << 20))
def bring_file(request: Asked, form: Form) -> Response[Any]:
    """Takes a file that can be read at all, and lets it be checked row by row."""
    batch_id = new_id()
    worker: Worker = request.app.state["imports"]
    try:
        given = _stored(worker, batch_id, form)
        run_act(request, lambda conn, person, now: office.bring_import(conn, person, now, batch_id=batch_id, **given))
    except Problem as problem:
        worker.sources.drop(batch_id)
        if not wants_page(request):
            raise
        return _list_page(request, *refilled(request, form, problem))
    except BaseException:
        worker.sources.drop(batch_id)
        raise
    worker.start(batch_id)
    return Redirect(f"{HOME}/{batch_id}", status_code=303)


def _stored(worker: Worker, batch_id: str, form: Form) -> dict[str, Any]:
    layout, source, file = form.text("layout"), form.text("source"), form.files.get("file")
    faults = [] if layout in LAYOUTS else [Fault("layout", "not_one_of", {"found": layout[:20]})]
    faults += [] if source else [Fault("source", "missing")]
    faults += [Fault("source", "too_long", {"n": len(source), "most": 200})] if len(source) > 200 else []
    faults += number_faults("source", source)
    faults += [] if file is not None and file.filename else [Fault("file", "no_file")]
    if stops(faults) or file is None:
        raise Invalid(faults)
    with _in_memory(file) as plain:
        found = opened(LAYOUTS[layout], plain)
        kept = worker.sources.keep(batch_id, plain)
    return {
        "layout": layout,
        "source": source,
        "filename": hide_numbers(file.filename)[:200],
        "kept": kept,
        "form": found,
    }


def _in_memory(file: UploadFile) -> BinaryIO:
    """The upload where no path leads to it, so that nothing of it stays in clear."""
    plain, spooled = anonymous(), cast("BinaryIO", file.file)
    spooled.seek(0)
    while block := spooled.read(BLOCK):
        plain.write(block)
    if plain.tell() > MOST_BYTES:
        raise Problem("too_large")
    plain.flush()
    return plain


# --- one batch --------------------------------------------------------------------------------------------------------


@get("/{batch_id:str}", guards=[READ], sync_to_thread=True)
def show_batch(request: Asked, batch_id: FromPath[str]) -> Response[Any]:
    """How far it is; what the check found; what may be done with it."""
    return _batch_page(request, batch_id, Filled())


def _batch_page(request: Asked, batch_id: str, filled: Filled, status: int = 200) -> Response[Any]:
    look = look_of(request, "code", path=f"{HOME}/{batch_id}")
    sealer = request.app.state["sealer"]
    with request.app.state.db.read() as conn:
        batch = import_page.batch_for(conn, request.user, batch_id)
        groups = import_page.groups_of(conn, batch)
        faults, after = import_page.faults_page(conn, batch, look["code"], _number(look["after"]))
        library = library_in(request, conn, batch)
        changes, _ = import_page.changes_page(conn, sealer, library, batch, 0, CHANGES_AT_ONCE)
        names, units = directory.names_of_people(conn), directory.names_of_units(conn)
    return render(
        request,
        "imports_batch",
        status,
        room="imports",
        batch=batch,
        kinds=batch.counts.get("kinds", {}),
        groups=groups,
        look=look,
        faults=faults,
        after=after,
        changes=changes,
        names=names,
        units=units,
        header=lambda field: import_page.header_of_field(batch, field),
        filled=filled,
        can_run=_may_run(request, batch),
        is_busy=batch.state in imports.BUSY,
        is_stuck=_is_stuck(batch),
    )


def _is_stuck(batch: Batch) -> bool:
    return batch.state in imports.BUSY and bool(batch.held) and (batch.held or [{}])[0].get("why") == "failed"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _may_run(request: Asked, batch: Batch) -> bool:
    return allows(request.user.roles, request.user.unit_id, "imports.run", batch.unit_id)


def library_in(request: Asked, conn: Any, batch: Batch) -> Library:
    """The library that a batch belongs to, as its unit sees it."""
    day = beijing_day(guards.now(request))
    place = Place(batch.unit_id, imports.units_by_name(conn), day, request.app.state["sealer"])
    return library_of(batch.layout, place)


@get("/{batch_id:str}/progress", guards=[READ], sync_to_thread=True)
def show_progress(request: Asked, batch_id: FromPath[str]) -> Response[Any]:
    """How far the work is: a fragment that asks again, or JSON for programs."""
    with request.app.state.db.read() as conn:
        batch = import_page.batch_for(conn, request.user, batch_id)
    if not wants_page(request):
        said = {"state": batch.state, "done": batch.done, "total": batch.total, "counts": batch.counts}
        return Response(said, headers={"Cache-Control": "no-store"})
    is_busy = batch.state in imports.BUSY
    return render(request, "imports_progress", batch=batch, is_busy=is_busy, is_stuck=_is_stuck(batch))


@get("/{batch_id:str}/changes", guards=[READ], sync_to_thread=True)
def show_changes(request: Asked, batch_id: FromPath[str]) -> Response[str]:
    """Every row that differs from the library, field by field."""
    look = look_of(request, path=f"{HOME}/{batch_id}/changes")
    with request.app.state.db.read() as conn:
        batch = import_page.batch_for(conn, request.user, batch_id)
        library = library_in(request, conn, batch)
        changes, after = import_page.changes_page(
            conn, request.app.state["sealer"], library, batch, _number(look["after"]), import_page.CHANGES_SHOWN
        )
    return render(request, "imports_changes", room="imports", batch=batch, look=look, changes=changes, after=after)


# --- deciding ---------------------------------------------------------------------------------------------------------


def _act(request: Asked, batch_id: str, form: Form, call: Callable[..., Any], *more: Any) -> Response[Any]:
    with request.app.state.db.read() as conn:
        import_page.batch_for(conn, request.user, batch_id)
    worker: Worker = request.app.state["imports"]

    def done(_: Any) -> str:
        if call is office.abandon_import:
            worker.sources.drop(batch_id)
        else:
            worker.start(batch_id)
        return f"{HOME}/{batch_id}"

    return answer_form(
        request,
        form,
        lambda conn, person, now: call(conn, person, now, batch_id, *more),
        done=done,
        again=lambda filled, status: _batch_page(request, batch_id, filled, status),
    )


@post("/{batch_id:str}/apply", guards=[RUN], status_code=200, sync_to_thread=True)
def apply_batch(request: Asked, batch_id: FromPath[str], form: Form) -> Response[Any]:
    """Orders it to be applied."""
    said = form.text("changed")
    choices = Choices(form.text("skip_faulty") == "yes", said if said in ("take", "leave") else "")  # type: ignore[arg-type]  # one of the two
    return _act(request, batch_id, form, office.apply_import, choices)


@post("/{batch_id:str}/undo", guards=[RUN], status_code=200, sync_to_thread=True)
def undo_batch(request: Asked, batch_id: FromPath[str], form: Form) -> Response[Any]:
    """Orders it to be taken back."""
    return _act(request, batch_id, form, office.undo_import)


@post("/{batch_id:str}/abandon", guards=[RUN], status_code=200, sync_to_thread=True)
def abandon_batch(request: Asked, batch_id: FromPath[str], form: Form) -> Response[Any]:
    """Gives it up."""
    return _act(request, batch_id, form, office.abandon_import)


@post("/{batch_id:str}/resume", guards=[RUN], status_code=200, sync_to_thread=True)
def resume_batch(request: Asked, batch_id: FromPath[str], form: Form) -> Response[Any]:
    """Lets it go on."""
    return _act(request, batch_id, form, office.resume_import)


router = Router(
    HOME,
    dependencies=WITH_FORM,
    exception_handlers={Problem: on_problem},
    route_handlers=[
        show_imports,
        bring_file,
        *exports.handlers,
        *import_files.handlers,
        show_batch,
        show_progress,
        show_changes,
        apply_batch,
        undo_batch,
        abandon_batch,
        resume_batch,
    ],
)
