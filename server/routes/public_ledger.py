"""The completeness ledger for everybody: which subjects were drawn, and what became of each; pages, JSON, a checker."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Request, Response, Router, get
from litestar.params import FromPath

from server.domain.instant import beijing_day
from server.domain.ledger import STATES
from server.errors import Problem
from server.office import public_ledger as office
from server.office.public_ledger import Ledger, TaskLedger
from server.routes import guards
from server.routes.public_pages import answer, on_problem, page, words_for
from server.routes.static import send
from server.shelf import Item, item

Anyone = Request[Any, Any, Any]
AT_ONCE: Final = 20
"""Tasks on a page, and in an answer for programs."""

ON_PAGE: Final = 100
IN_FILE: Final = 1000
"""Lines on a page, and in an answer for programs."""

JSON: Final = "application/json"
PROGRAM: Final = "check_ledger.py"


@get("/ledger", exclude_from_auth=True, sync_to_thread=True)
def show_ledger(request: Anyone) -> Response[bytes]:
    """The tasks that subjects were drawn for, the last one first, each with its count; `?before=` goes on."""
    return page(
        request,
        "ledger",
        at="ledger",
        found=_whole(request),
        before=_before(request),
        program=program().sha256,
        address=request.app.state.settings.origin,
    )


@get("/ledger.json", exclude_from_auth=True, sync_to_thread=True)
def ledger_as_json(request: Anyone) -> Response[bytes]:
    """The same for programs."""
    return answer(request, msgspec.json.encode(_whole(request)), JSON)


@get("/ledger/{task_no:str}", exclude_from_auth=True, sync_to_thread=True)
def show_task_ledger(request: Anyone, task_no: FromPath[str]) -> Response[bytes]:
    """The lines of a task; with `.json` behind its number, for programs; `?after=` goes on behind a line's number."""
    if task_no.endswith(".json"):
        found = _of_task(request, task_no.removesuffix(".json"), IN_FILE)
        return answer(request, msgspec.json.encode(found), JSON)
    return page(request, "ledger_task", at="ledger", found=_of_task(request, task_no, ON_PAGE), states=STATES)


@get(f"/ledger/{PROGRAM}", exclude_from_auth=True)
async def give_ledger_program(request: Anyone) -> Response[bytes]:
    """The checker that works without this server, as a file to keep."""
    given = send(request, program())
    given.headers["Content-Disposition"] = f'attachment; filename="{PROGRAM}"'
    return given


def _whole(request: Anyone) -> Ledger:
    bureau = words_for(request)("app.bureau")
    with request.app.state.db.read() as conn:
        return office.whole(conn, bureau, _before(request) or None, AT_ONCE)


def _before(request: Anyone) -> str:
    return request.query_params.get("before", "").strip()[:16]


def _of_task(request: Anyone, no: str, limit: int) -> TaskLedger:
    given = request.query_params.get("after", "")
    after = int(given) if given.isascii() and given.isdigit() and len(given) < 9 else 0
    if len(no) > 16:
        raise Problem("not_found")
    with request.app.state.db.read() as conn:
        return office.of_task(conn, no, after, limit, beijing_day(guards.now(request)))


@lru_cache(maxsize=1)
def program() -> Item:
    """The checker, read once."""
    body = (Path(__file__).parent.parent / "standalone" / PROGRAM).read_bytes()
    return item(f"/ledger/{PROGRAM}", "text/x-python", body)


router = Router(
    "/",
    exception_handlers={Problem: on_problem},
    route_handlers=[show_ledger, ledger_as_json, show_task_ledger, give_ledger_program],
)
