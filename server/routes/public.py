"""What everybody may read: the start page, the item list with its versions, files and feeds."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Request, Response, Router, get
from litestar.params import FromPath

from server.errors import Problem
from server.office import public_joint, public_list
from server.office.items import day_of
from server.routes import feeds, guards, public_plans
from server.routes.feeds import Entry, Feed
from server.routes.public_pages import answer, on_problem, page, words_for
from server.routes.said import said_of
from server.routes.static import send
from server.sheets.plain import csv_bytes
from server.shelf import Item as File
from server.store import items, notices, plans, result_pages

Anyone = Request[Any, Any, Any]
MOST: Final = 10**6
"""No version has a number beyond it; what is larger isn't asked of the database."""


@get("/", exclude_from_auth=True, sync_to_thread=True)
def start_page(request: Anyone) -> Response[bytes]:
    """What is here, and where to go on."""
    with request.app.state.db.read() as conn:
        found = public_list.releases(conn)
        sizes = len(items.listed_ids(conn, found[0].n)) if found else 0
        years = plans.public_plans(conn)
        told = [one.notice for one in notices.notices(conn, 3)]
        draw = next(iter(public_joint.listed(conn, 0, 1)), None)
        results = result_pages.results(conn, result_pages.Query(), 3).rows
    newest = found[0] if found else None
    return page(request, "start", newest=newest, size=sizes, plans=years, notices=told, draw=draw, results=results)


@get("/assets/{name:str}", exclude_from_auth=True)
async def public_asset(request: Anyone, name: FromPath[str]) -> Response[bytes]:
    """A file of the public pages."""
    held: File | None = request.app.state.public_files.get(name)
    if held is None:
        raise Problem("not_found")
    return send(request, held)


# --- the item list ----------------------------------------------------------------------------------------------------


@get("/items", exclude_from_auth=True, sync_to_thread=True)
def show_list(request: Anyone) -> Response[bytes]:
    """The version in effect today."""
    with request.app.state.db.read() as conn:
        n = items.current_version(conn, day_of(guards.now(request)))
    if n is None:
        return page(request, "items_none", at="items", feeds="/items")
    return _show(request, n)


@get("/items/versions", exclude_from_auth=True, sync_to_thread=True)
def show_versions(request: Anyone) -> Response[bytes]:
    """Every release."""
    with request.app.state.db.read() as conn:
        found = public_list.releases(conn)
    return page(request, "items_versions", at="items", feeds="/items", versions=found)


@get("/items/versions/{version:int}", exclude_from_auth=True, sync_to_thread=True)
def show_version(request: Anyone, version: FromPath[int]) -> Response[bytes]:
    """One version, and what it changed."""
    return _show(request, version)


def _show(request: Anyone, n: int) -> Response[bytes]:
    shown = _published(request, n)
    with request.app.state.db.read() as conn:
        changed, newest = public_list.changes(conn, n), items.current_version(conn, day_of(guards.now(request)))
    w = words_for(request)
    today = day_of(guards.now(request))
    return page(
        request,
        "items",
        at="items",
        feeds="/items",
        shown=shown,
        version=shown.version,
        newest=newest,
        changed=changed,
        today=today,
        said=said_of(w, {}),
    )


def _published(request: Anyone, n: int) -> Any:
    w = words_for(request)
    with request.app.state.db.read() as conn:
        found = public_list.published(conn, n, w("app.bureau")) if 0 < n <= MOST else None
    if found is None:
        raise Problem("not_found")
    return found


@get("/items/versions/{version:int}/items.json", exclude_from_auth=True, sync_to_thread=True)
def list_as_json(request: Anyone, version: FromPath[int]) -> Response[bytes]:
    """A version for programs."""
    body = msgspec.json.format(msgspec.json.encode(_published(request, version)), indent=1)
    return answer(request, body, "application/json", name=f"items-v{version}.json")


@get("/items/versions/{version:int}/items.csv", exclude_from_auth=True, sync_to_thread=True)
def list_as_csv(request: Anyone, version: FromPath[int]) -> Response[bytes]:
    """A version for a spreadsheet: a row an item."""
    shown, w = _published(request, version), words_for(request)
    said = said_of(w, {})
    names = ("name", "object", "category", "method", "department", "level", "sector", "judged", "ratio", "unit_id")
    head = [w("items.code"), *(w(f"field.item.{name}") for name in names)]
    head += [w("field.item.basis"), w("items.checklist"), w("public.checklist_digest")]
    rows = [
        [
            one.id,
            *(said(name, str(getattr(one, "unit" if name == "unit_id" else name) or "")) for name in names),
            "；".join(basis.document + (basis.article or "") for basis in one.basis),
            len(one.points),
            one.checklist,
        ]
        for one in shown.items
    ]
    return answer(request, csv_bytes([head, *rows]), "text/csv", name=f"items-v{version}.csv")


@get("/items/feed.atom", exclude_from_auth=True, sync_to_thread=True)
def list_as_atom(request: Anyone) -> Response[bytes]:
    """The releases as Atom."""
    return answer(request, feeds.atom(_feed(request, "atom")), "application/atom+xml; charset=utf-8")


@get("/items/feed.json", exclude_from_auth=True, sync_to_thread=True)
def list_as_json_feed(request: Anyone) -> Response[bytes]:
    """The releases as JSON Feed."""
    return answer(request, feeds.json_feed(_feed(request, "json")), "application/feed+json; charset=utf-8")


def _feed(request: Anyone, kind: str) -> Feed:
    w, origin = words_for(request), request.app.state.settings.origin
    with request.app.state.db.read() as conn:
        found = public_list.releases(conn)
    entries = [
        Entry(
            name=f"item-list/{one.n}/{one.sha256}",
            title=f"{w('public.items')} {w('items.version_n', n=one.n)}",
            address=f"{origin}/items/versions/{one.n}",
            at=one.released_at,
            text=f"{one.document}\n{one.summary}",
        )
        for one in found
    ]
    first = found[-1].sha256 if found else "none"
    title = f"{w('app.bureau')} {w('public.items')}"
    return Feed(f"item-list/{first}", title, w("app.bureau"), f"{origin}/items/feed.{kind}", f"{origin}/items", entries)


router = Router(
    "/",
    exception_handlers={Problem: on_problem},
    route_handlers=[
        start_page,
        public_asset,
        show_list,
        show_versions,
        show_version,
        list_as_json,
        list_as_csv,
        list_as_atom,
        list_as_json_feed,
        *public_plans.handlers,
    ],
)
