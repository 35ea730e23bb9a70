"""The trail, to be searched."""

from __future__ import annotations

from typing import Any, Final

from litestar import Response, Router, get, post
from litestar.params import FromPath

from server.domain.access import reach
from server.errors import Problem
from server.office import log
from server.office.trail_search import all_acts, line_of, search_of
from server.routes.forms import WITH_FORM, Filled, Form, answer_form
from server.routes.guards import Asked, has_right
from server.routes.lists import look_of
from server.routes.pages import on_problem, render
from server.store import accounts, trail_search
from server.store.session import Connection

PAGE: Final = 50
READS: Final = has_right("trail.read")


@get("/", guards=[READS], sync_to_thread=True)
def search_trail(request: Asked) -> Response[str]:
    """The entries that fit, newest first; the next page goes on behind the last one shown."""
    look = look_of(request, "act", "who", "object", "number", "since", "until")
    with request.app.state.db.read() as conn:
        people = accounts.accounts(conn)
        found = trail_search.find(conn, search_of(look.params, people), PAGE + 1)
    names = {one.id: one.name for one in people}
    return render(
        request,
        "trail",
        room="trail",
        look=look,
        lines=[line_of(one, names, request.user.roles) for one in found[:PAGE]],
        after=found[PAGE - 1].key if len(found) > PAGE else None,
        acts=all_acts(),
        people=people,
    )


@get("/{entry_n:int}", guards=[READS], sync_to_thread=True)
def show_entry(request: Asked, entry_n: int) -> Response[str]:
    """One entry with the leaf that was hashed, and whether it agrees with what stands in its columns."""
    return _page(request, entry_n, Filled(), 200)


@post("/{entry_n:int}/erase", guards=[has_right("trail.erase")], sync_to_thread=True)
def erase(request: Asked, entry_n: FromPath[int], form: Form) -> Response[Any]:
    """Takes an entry's detail out, for a reason; the entry stays."""
    return answer_form(
        request,
        form,
        lambda conn, person, now: log.erase(conn, person, now, entry_n, form.text("reason")),
        done=f"/office/trail/{entry_n}",
        again=lambda filled, status: _page(request, entry_n, filled, status),
        proof=True,
    )


def _page(request: Asked, entry_n: int, filled: Filled, status: int) -> Response[str]:
    with request.app.state.db.read() as conn:
        found = _entry(conn, entry_n)
        names = {one.id: one.name for one in accounts.accounts(conn)}
        numbers = trail_search.numbers_of(conn, entry_n)
    return render(
        request,
        "trail_entry",
        status,
        room="trail",
        line=line_of(found, names, request.user.roles),
        numbers=numbers,
        filled=filled,
        erases=reach(request.user.roles, "trail.erase") is not None and log.is_erasable(found.act),
    )


def _entry(conn: Connection, n: int) -> trail_search.Entry:
    found = trail_search.entry(conn, n) if 0 < n < 2**53 else None
    if found is None:
        raise Problem("not_found")
    return found


router = Router(
    "/office/trail",
    exception_handlers={Problem: on_problem},
    dependencies=WITH_FORM,
    route_handlers=[search_trail, show_entry, erase],
)
