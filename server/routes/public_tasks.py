"""The public notices of dispatched tasks (R17.1): pages, JSON and feeds, without any subject or person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from litestar import Request, Response, Router, get
from litestar.params import FromPath

from server.domain.task_notice import Notice
from server.errors import Problem
from server.routes import feeds
from server.routes.feeds import Entry, Feed
from server.routes.public_pages import answer, on_problem, page, words_for
from server.store import draws, notices
from server.store.notices import Kept
from server.words import Words

Anyone = Request[Any, Any, Any]
AT_ONCE: Final = 30
IN_FEED: Final = 100
"""How many notices a feed tells of, the newest first."""


class Version(msgspec.Struct, frozen=True):
    """One version of a notice: its digest, when it was published, its window's last day, and why it was renewed."""

    version: int
    published_at: str
    window_to: str
    extended_for: str | None
    sha256: str


class Shown(msgspec.Struct, frozen=True):
    """A notice with what came after it: how many were taken out, and the number of its draw."""

    notice: Notice
    sha256: str
    taken_out: int
    draw: str | None
    versions: tuple[Version, ...] = ()


@get("/notices", exclude_from_auth=True, sync_to_thread=True)
def show_notices(request: Anyone) -> Response[bytes]:
    """The notices, the newest first, page by page: `before` is moment and number of where the one before ended."""
    at, _, no = request.query_params.get("before", "").partition("_")
    before = (at[:24], no[:16]) if no else None
    with request.app.state.db.read() as conn:
        found = [one.notice for one in notices.notices(conn, AT_ONCE + 1, before)]
    shown = found[:AT_ONCE]
    older = f"{shown[-1].published_at}_{shown[-1].no}" if len(found) > AT_ONCE else None
    return page(
        request, "task_notices", at="notices", feeds="/notices", notices=shown, older=older, is_first=before is None
    )


@get("/notices/{no:str}", exclude_from_auth=True, sync_to_thread=True)
def show_notice(request: Anyone, no: FromPath[str]) -> Response[bytes]:
    """One notice; with `.json` behind its number, for programs."""
    number, is_json = no.removesuffix(".json"), no.endswith(".json")
    shown = _shown(request, number)
    if is_json:
        body = msgspec.json.format(msgspec.json.encode(shown), indent=1)
        return answer(request, body, "application/json", name=f"notice-{shown.notice.no}.json")
    return page(
        request, "task_notice", at="notices", feeds="/notices", shown=shown, notice=shown.notice, its=shown.notice.items
    )


def _shown(request: Anyone, no: str) -> Shown:
    with request.app.state.db.read() as conn:
        every = notices.versions_of(conn, no)
        if not every:
            raise Problem("not_found")
        kept = every[0]
        out = notices.taken_out(conn, [kept.task_id])
        standing = draws.standing_of_task(conn, kept.task_id)
    told = tuple(Version(one.version, one.published_at, its.window_to, its.extended_for, one.sha256)
                 for one in every for its in (one.notice,))  # fmt: skip
    number = None if standing is None else standing.no
    return Shown(kept.notice, kept.sha256, out.get(kept.task_id, 0), number, told)


@get("/notices/feed.atom", exclude_from_auth=True, sync_to_thread=True)
def notices_as_atom(request: Anyone) -> Response[bytes]:
    """Notices as Atom."""
    return answer(request, feeds.atom(_feed(request, "atom")), "application/atom+xml; charset=utf-8")


@get("/notices/feed.json", exclude_from_auth=True, sync_to_thread=True)
def notices_as_json_feed(request: Anyone) -> Response[bytes]:
    """Notices as JSON Feed."""
    return answer(request, feeds.json_feed(_feed(request, "json")), "application/feed+json; charset=utf-8")


def _feed(request: Anyone, kind: str) -> Feed:
    w, origin = words_for(request), request.app.state.settings.origin
    with request.app.state.db.read() as conn:
        found: Sequence[Kept] = notices.versions(conn, IN_FEED)
        first = notices.first_digest(conn)
    entries = [_entry(w, origin, one) for one in found]
    title = f"{w('app.bureau')} {w('public.notices')}"
    address, home = f"{origin}/notices/feed.{kind}", f"{origin}/notices"
    return Feed(f"notices/{first or 'none'}", title, w("app.bureau"), address, home, entries)


def _entry(w: Words, origin: str, kept: Kept) -> Entry:
    one = kept.notice
    return Entry(
        name=f"notice/{kept.sha256}",
        title=one.name,
        address=f"{origin}/notices/{one.no}",
        at=one.published_at,
        text=said(w, one),
    )


def said(w: Words, one: Notice) -> str:
    """A notice in one line."""
    line = w("public.notice_line", unit=one.unit, n=one.n, first=w.day(one.window_from), last=w.day(one.window_to))
    longer = "" if one.extended_for is None else f" · {w('public.notice_extended', reason=one.extended_for)}"
    return f"{w('list.comma').join(one.items)}{w('list.colon')}{line}{longer}"


router = Router(
    "/",
    exception_handlers={Problem: on_problem},
    route_handlers=[show_notices, show_notice, notices_as_atom, notices_as_json_feed],
)
