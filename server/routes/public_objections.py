"""Objecting, for everybody: the form, the receipt, and what the code of the receipt opens; no address holds a code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from secrets import token_urlsafe
from typing import Any, Final, TypeVar

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.di import Provide

from server.domain.faults import Invalid
from server.domain.objection import CAPACITIES, PAPER_BYTES, PAPERS_MOST
from server.errors import Problem
from server.office import objection_filing as office
from server.routes import guards
from server.routes.body import posted
from server.routes.forms import WITH_FORM, Filled, Form, wants_page
from server.routes.public_pages import on_problem, page, words_for
from server.store import objections, publications
from server.store.objections import Objection
from server.store.session import Connection, Database

T = TypeVar("T")
Anyone = Request[Any, Any, Any]
MOST_BYTES: Final = PAPERS_MOST * PAPER_BYTES + (1 << 20)


async def read_papers(request: Anyone, form: Form) -> Sequence[bytes]:
    """The files of the field `papers`; each is read no further than to see that it is too large.

    It takes `form` so that the body is read once: two dependencies that both read it would each get a part.
    """
    del form
    fields = await posted(request)
    found = [one for name, one in fields.multi_items() if name == "papers" and isinstance(one, UploadFile)]
    return [await one.read(PAPER_BYTES + 1) for one in found[: PAPERS_MOST + 1] if one.filename]


WITH_PAPERS: Final = WITH_FORM | {"papers": Provide(read_papers)}


def _private(request: Anyone, name: str, status: int = 200, **values: Any) -> Response[bytes]:
    """A page that no cache keeps."""
    shown = page(request, name, status, at="results", **values)
    shown.headers.pop("ETag", None)
    shown.headers["Cache-Control"] = "no-store"
    return shown


def _answered(body: msgspec.Struct, status: int) -> Response[bytes]:
    """The same for a program."""
    headers = {"Cache-Control": "no-store", "Vary": "Accept"}
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json", headers=headers)


# --- filing -----------------------------------------------------------------------------------------------------------


@get("/objections/new", exclude_from_auth=True, sync_to_thread=True)
def show_form(request: Anyone, no: str = "") -> Response[bytes]:
    """The form, about the result of this number."""
    return _form(request, Filled({"no": no[:20]}), 200)


def _form(request: Anyone, filled: Filled, status: int) -> Response[bytes]:
    with request.app.state.db.read() as conn:
        head = publications.published(conn, filled.text("no").strip()[:20])
    key = filled.text("key") or token_urlsafe(24)
    return _private(
        request, "objection_new", status, head=head, filled=filled, key=key[:64], capacities=CAPACITIES,
        most=PAPERS_MOST, megabytes=PAPER_BYTES >> 20,
    )  # fmt: skip


@post("/objections/new", exclude_from_auth=True, sync_to_thread=True, request_max_body_size=MOST_BYTES)
def file_objection(request: Anyone, form: Form, papers: Sequence[bytes]) -> Response[bytes]:
    """Files it; the receipt with its code is the answer, and is shown this once."""
    guards.require_own_origin(request)
    now, db, sealer = guards.now(request), request.app.state.db, request.app.state.sealer
    try:
        with db.read() as conn:
            filing = office.check(conn, sealer, form.values, papers)
        sealed = office.seal_papers(request.app.state.files, sealer, now, filing.id, papers)
        address = guards.address_of(request)
        made = db.run_write(lambda conn: office.file_objection(conn, sealer, now, address, filing, sealed))
    except Invalid as invalid:
        if not wants_page(request):
            raise
        return _form(request, Filled(form.values, form.lists, invalid.faults), invalid.status)
    if not wants_page(request):
        return _answered(made, 201)
    return _private(request, "objection_receipt", 201, one=made)


# --- following --------------------------------------------------------------------------------------------------------


@get("/objections", exclude_from_auth=True, sync_to_thread=True)
def show_follow(request: Anyone) -> Response[bytes]:
    """The form that takes a code."""
    return _private(request, "objection_follow", filled=Filled(), one=None, code="")


@post("/objections", exclude_from_auth=True, status_code=200, sync_to_thread=True)
def follow(request: Anyone, form: Form) -> Response[bytes]:
    """Where the objection of a code stands."""
    guards.require_own_origin(request)
    return _opened(request, form.text("code"), lambda conn, it, now: None)


@post(
    "/objections/papers", exclude_from_auth=True, status_code=200, sync_to_thread=True, request_max_body_size=MOST_BYTES
)
def add_papers(request: Anyone, form: Form, papers: Sequence[bytes]) -> Response[bytes]:
    """Hands in what was missing."""
    guards.require_own_origin(request)
    state = request.app.state

    def add(conn: Connection, it: Objection, now: datetime) -> None:
        there = len(objections.papers_of(conn, it.id))
        faults = office.paper_faults(papers, there) if papers else office.no_paper()
        if faults:
            raise Invalid(faults, office.ARTICLE)
        office.add_papers(conn, now, it, office.seal_papers(state.files, state.sealer, now, it.id, papers, there))

    return _opened(request, form.text("code"), add)


@post("/objections/letter", exclude_from_auth=True, status_code=200, sync_to_thread=True)
def give_letter(request: Anyone, form: Form) -> Response[bytes]:
    """The PDF of a letter that went out."""
    guards.require_own_origin(request)
    step = form.text("n")
    n = int(step) if step.isascii() and step.isdigit() and len(step) < 6 else 0
    sha256 = _by_code(request, form.text("code"), lambda conn, it, now: office.letter_digest(conn, it, n))
    headers = {"Content-Disposition": f'attachment; filename="{sha256[:16]}.pdf"', "Cache-Control": "no-store"}
    content = request.app.state.files.path(sha256).read_bytes()
    return Response(content, media_type="application/pdf", headers=headers)


def _opened(request: Anyone, code: str, act: Callable[[Connection, Objection, datetime], None]) -> Response[bytes]:
    """Does something with the objection of a code, and shows it."""

    def done(conn: Connection, it: Objection, now: datetime) -> office.Followed:
        act(conn, it, now)
        return office.followed(conn, objections.objection_of(conn, it.id) or it)

    try:
        found = _by_code(request, code, done)
    except Problem as problem:
        if not wants_page(request) or problem.code == "slow_down":
            raise
        return _refilled(request, code, problem)
    if not wants_page(request):
        return _answered(found, 200)
    return _private(request, "objection_follow", one=found, code=code, filled=Filled())


def _refilled(request: Anyone, code: str, problem: Problem) -> Response[bytes]:
    """The page again with what is wrong: a code that isn't there, or papers that can't be taken."""
    language = "en" if words_for(request).language == "en" else "zh"
    faults = problem.faults if isinstance(problem, Invalid) else ()
    said = None if faults else problem.sentence(language)
    one = None
    if problem.code != "objection_unknown" and code:
        one = _by_code(request, code, lambda conn, it, now: office.followed(conn, it))
    filled = Filled({"code": code}, {}, faults, said)
    return _private(request, "objection_follow", problem.status, one=one, code=code, filled=filled)


def _by_code(request: Anyone, code: str, act: Callable[[Connection, Objection, datetime], T]) -> T:
    """Does something with the objection of a code in one transaction; counts a code that isn't there."""
    db: Database = request.app.state.db
    now, address = guards.now(request), guards.address_of(request)
    try:
        return db.run_write(lambda conn: act(conn, office.held_by(conn, code, address, now, lock=True), now))
    except Problem as problem:
        if problem.code == "objection_unknown":
            db.run_write(lambda conn: objections.note_try(conn, "code", address, now))
        raise


router = Router(
    "/",
    exception_handlers={Problem: on_problem},
    dependencies=WITH_PAPERS,
    route_handlers=[show_form, file_objection, show_follow, follow, add_papers, give_letter],
)
