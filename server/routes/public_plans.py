"""The annual plans as everybody may read them: page, versions with their differences, files and feeds (R12.3)."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath

from server.domain.plan import PublicLine, PublicPlan, differences
from server.errors import Problem
from server.routes import feeds
from server.routes.feeds import Entry, Feed
from server.routes.public_pages import answer, page, words_for
from server.sheets.plain import csv_bytes
from server.store import plans
from server.words import Words

Anyone = Request[Any, Any, Any]
YEARS: Final = range(2000, 2200)
COLUMNS: Final = tuple(name for name in PublicLine.__struct_fields__ if name != "id")
"""What a file of a plan has, in its order."""


@get("/plans", exclude_from_auth=True, sync_to_thread=True)
def show_plans(request: Anyone) -> Response[bytes]:
    """The plan of each year."""
    with request.app.state.db.read() as conn:
        found = plans.public_plans(conn)
    return page(request, "plans", at="plans", feeds="/plans", plans=found)


@get("/plans/{year:int}", exclude_from_auth=True, sync_to_thread=True)
def show_plan(request: Anyone, year: FromPath[int]) -> Response[bytes]:
    """The plan of a year as it stands, with every version and what it changed."""
    versions = _versions(request, year)
    return _show(request, versions, versions[0].version)


@get("/plans/{year:int}/versions/{plan_version:int}", exclude_from_auth=True, sync_to_thread=True)
def show_plan_version(request: Anyone, year: FromPath[int], plan_version: FromPath[int]) -> Response[bytes]:
    """The plan as one version had it."""
    return _show(request, _versions(request, year), plan_version)


def _show(request: Anyone, versions: list[PublicPlan], n: int) -> Response[bytes]:
    plan = _one(versions, n)
    w = words_for(request)
    before = next((one for one in versions if one.version < n), None)
    return page(
        request,
        "plan",
        at="plans",
        feeds="/plans",
        plan=plan,
        newest=versions[0].version,
        versions=versions,
        before=before,
        changed=differences(before.lines, plan.lines) if before else [],
        said=lambda field, value: said(w, field, value),
    )


def _versions(request: Anyone, year: int) -> list[PublicPlan]:
    with request.app.state.db.read() as conn:
        found = plans.public_versions(conn, year) if year in YEARS else []
    if not found:
        raise Problem("not_found")
    return sorted(found, key=lambda one: -one.version)


def _one(versions: list[PublicPlan], n: int) -> PublicPlan:
    for one in versions:
        if one.version == n:
            return one
    raise Problem("not_found")


def said(w: Words, field: str, value: object) -> str:
    """A value of a plan's line as people read it."""
    if value is None or value == "":
        return ""
    if field in ("window_from", "window_to"):
        return w.day(value)
    if field in ("unified_share", "own_share"):
        return f"{value}%"
    if field == "share" and isinstance(value, int):
        return f"{value / 100:.2f}".rstrip("0").rstrip(".") + "%"
    if field == "joint":
        return w(f"public.joint.{value}")
    if field == "months" and isinstance(value, (list, tuple)):
        return w("list.comma").join(
            w("public.month", month=n, count=count) for n, count in enumerate(value, 1) if count
        )
    return str(value)


@get("/plans/{year:int}/versions/{plan_version:int}/plan.json", exclude_from_auth=True, sync_to_thread=True)
def plan_as_json(request: Anyone, year: FromPath[int], plan_version: FromPath[int]) -> Response[bytes]:
    """A version for programs."""
    plan = _one(_versions(request, year), plan_version)
    body = msgspec.json.format(msgspec.json.encode(plan), indent=1)
    return answer(request, body, "application/json", name=f"plan-{year}-v{plan_version}.json")


@get("/plans/{year:int}/versions/{plan_version:int}/plan.csv", exclude_from_auth=True, sync_to_thread=True)
def plan_as_csv(request: Anyone, year: FromPath[int], plan_version: FromPath[int]) -> Response[bytes]:
    """A version for a spreadsheet: a row a line."""
    plan, w = _one(_versions(request, year), plan_version), words_for(request)
    rows = [[_cell(w, name, getattr(line, name)) for name in COLUMNS] for line in plan.lines]
    body = csv_bytes([[w(f"public.line.{name}") for name in COLUMNS], *rows])
    return answer(request, body, "text/csv", name=f"plan-{year}-v{plan_version}.csv")


def _cell(w: Words, field: str, value: object) -> object:
    if field in ("window_from", "window_to") or (isinstance(value, int) and field == "count"):
        return value
    return said(w, field, value)


@get("/plans/feed.atom", exclude_from_auth=True, sync_to_thread=True)
def plans_as_atom(request: Anyone) -> Response[bytes]:
    """Releases and amendments as Atom."""
    return answer(request, feeds.atom(_feed(request, "atom")), "application/atom+xml; charset=utf-8")


@get("/plans/feed.json", exclude_from_auth=True, sync_to_thread=True)
def plans_as_json_feed(request: Anyone) -> Response[bytes]:
    """Releases and amendments as JSON Feed."""
    return answer(request, feeds.json_feed(_feed(request, "json")), "application/feed+json; charset=utf-8")


def _feed(request: Anyone, kind: str) -> Feed:
    w, origin = words_for(request), request.app.state.settings.origin
    with request.app.state.db.read() as conn:
        found = [one for plan in plans.public_plans(conn) for one in plans.public_versions(conn, plan.year)]
    entries = [_entry(w, origin, one) for one in sorted(found, key=lambda one: (one.released_on, one.version))[::-1]]
    first = _digest(min(found, key=lambda one: (one.released_on, one.version))) if found else "none"
    title = f"{w('app.bureau')} {w('public.plans')}"
    return Feed(f"plans/{first}", title, w("app.bureau"), f"{origin}/plans/feed.{kind}", f"{origin}/plans", entries)


def _digest(one: PublicPlan) -> str:
    return hashlib.sha256(msgspec.json.encode(one)).hexdigest()


def _entry(w: Words, origin: str, one: PublicPlan) -> Entry:
    return Entry(
        name=f"plan/{_digest(one)}",
        title=f"{w('public.plan_of', year=one.year)} {w('items.version_n', n=one.version)}",
        address=f"{origin}/plans/{one.year}/versions/{one.version}",
        at=f"{one.released_on}T00:00:00+08:00",
        text=one.reason or w("public.plan_first", n=len(one.lines)),
    )


handlers = [
    show_plans,
    show_plan,
    show_plan_version,
    plan_as_json,
    plan_as_csv,
    plans_as_atom,
    plans_as_json_feed,
]
