"""Results for everybody: search, one result with every version, files and feeds; nothing of a person (26)."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, Router, get
from litestar.params import FromPath

from server.domain.instant import beijing_day
from server.domain.publication import PublicResult, number_of
from server.domain.result import TYPES
from server.domain.result_codes import CodeSet
from server.errors import Problem
from server.office import public_results as office
from server.routes import feeds
from server.routes.feeds import Entry, Feed
from server.routes.guards import now
from server.routes.public_pages import answer, on_problem, page, words_for
from server.sheets.plain import csv_bytes
from server.store import code_sets, directory, result_pages
from server.store.result_pages import Change, Query
from server.store.session import Connection
from server.words import Words

Anyone = Request[Any, Any, Any]
AT_ONCE: Final = 30
IN_FEED: Final = 50
IN_FILE: Final = 1000
MOST: Final = 10**12


def _asked(request: Anyone) -> Query:
    params = request.query_params
    after = params.get("after", "")
    return Query(
        text=params.get("q", "").strip()[:120],
        unit_id=params.get("unit", "").strip()[:64],
        main=params["main"] if params.get("main", "") in TYPES else "",
        after=int(after) if after.isascii() and after.isdigit() and len(after) < 13 else None,
    )


def _address(query: Query, path: str, after: int | None, codes: CodeSet | None = None) -> str:
    named = {"q": query.text, "unit": query.unit_id, "main": query.main, "after": "" if after is None else str(after)}
    named["codes"] = "" if codes is None else codes.id
    given = urlencode({name: value for name, value in named.items() if value})
    return f"{path}?{given}" if given else path


@get("/results", exclude_from_auth=True, sync_to_thread=True)
def show_results(request: Anyone) -> Response[bytes]:
    """What was published, the newest first; `?q=` a part of the name, or the whole code, `unit`, `main`."""
    query = _asked(request)
    with request.app.state.db.read() as conn:
        found = result_pages.results(conn, query, AT_ONCE)
        units = directory.names_of_units(conn)
    return page(
        request,
        "results",
        at="results",
        feeds="/results",
        found=found,
        query=query,
        units=units,
        types=TYPES,
        too_short=bool(query.text) and not found.rows and len(query.text) < result_pages.LEAST,
        address=lambda path="/results", after=None: _address(query, path, after),
    )


@get("/results/{result_no:str}", exclude_from_auth=True, sync_to_thread=True)
def show_result(request: Anyone, result_no: FromPath[str]) -> Response[bytes]:
    """One result in its newest version, with every other."""
    return _show(request, result_no, None)


@get("/results/{result_no:str}/versions/{version_n:int}", exclude_from_auth=True, sync_to_thread=True)
def show_result_version(request: Anyone, result_no: FromPath[str], version_n: FromPath[int]) -> Response[bytes]:
    """One version of a result as it was published."""
    return _show(request, result_no, version_n)


def _show(request: Anyone, no: str, version: int | None) -> Response[bytes]:
    if version is not None and not 0 < version <= MOST:
        raise Problem("not_found")
    with request.app.state.db.read() as conn:
        found = office.one(conn, no, version)
    return page(request, "result", at="results", feeds="/results", found=found, one=found.result, number=number_of)


@get("/results/{result_no:str}/{version_file:str}", exclude_from_auth=True, sync_to_thread=True)
def give_result(request: Anyone, result_no: FromPath[str], version_file: FromPath[str]) -> Response[bytes]:
    """A version byte for byte as its digest says: `v1.json`, `v2.json`."""
    name = version_file.removesuffix(".json").removeprefix("v")
    if version_file != f"v{name}.json" or not (name.isascii() and name.isdigit() and len(name) < 7 and name[0] != "0"):
        raise Problem("not_found")
    with request.app.state.db.read() as conn:
        found = office.one(conn, result_no, int(name))
    return answer(request, found.shown.body, "application/json", name=f"result-{result_no}-{version_file}")


# --- files and feeds --------------------------------------------------------------------------------------------------


@get("/results/results.json", exclude_from_auth=True, sync_to_thread=True)
def results_as_json(request: Anyone) -> Response[bytes]:
    """What a search finds, a thousand at once; `next` is where it goes on. With `?codes=` each has its code there."""
    query = _asked(request)
    with request.app.state.db.read() as conn:
        found = result_pages.results(conn, query, IN_FILE)
        results: list[Any] = list(office.results_of(conn, found.rows))
        codes = _codes(request, conn)
    origin = request.app.state.settings.origin
    more = None if found.more is None else origin + _address(query, "/results/results.json", found.more, codes)
    if codes is None:
        return answer(request, msgspec.json.encode({"results": results, "next": more}), "application/json")
    results = [msgspec.to_builtins(one) | {"code": msgspec.to_builtins(codes.codes[one.main])} for one in results]
    body = msgspec.json.encode({"results": results, "next": more, "codes": codes})
    return answer(request, body, "application/json")


def _codes(request: Anyone, conn: Connection) -> CodeSet | None:
    """The set that is asked for; one that isn't there is said so."""
    id_ = request.query_params.get("codes", "")
    found = code_sets.sets_on(conn, beijing_day(now(request))).get(id_) if id_ else None
    if id_ and found is None:
        raise Problem("not_found")
    return found


@get("/results/results.csv", exclude_from_auth=True, sync_to_thread=True)
def results_as_csv(request: Anyone) -> Response[bytes]:
    """The same for a spreadsheet; where it goes on stands in the header Link."""
    query, w = _asked(request), words_for(request)
    with request.app.state.db.read() as conn:
        found = result_pages.results(conn, query, IN_FILE)
        results = office.results_of(conn, found.rows)
        codes = _codes(request, conn)
    rows: list[list[object]] = [[w(f"public.{name}") for name in COLUMNS], *(_row(w, one) for one in results)]
    if codes is not None:
        rows[0] += [codes.name, w("codes.label")]
        for row, one in zip(rows[1:], results, strict=True):
            row += [codes.codes[one.main].code, codes.codes[one.main].label]
    body = csv_bytes(rows)
    given = answer(request, body, "text/csv", name="results.csv")
    if found.more is not None:
        address = request.app.state.settings.origin + _address(query, "/results/results.csv", found.more, codes)
        given.headers["Link"] = f'<{address}>; rel="next"'
    return given


COLUMNS: Final = (
    "no", "version_n", "subject", "uscc", "result", "item", "task", "task_no", "unit", "visited_on", "published_on",
    "corrected_on", "officers", "record",
)  # fmt: skip


def _row(w: Words, one: PublicResult) -> list[object]:
    comma, colon = w("list.comma"), w("list.colon")
    types = [(item.name, comma.join(w(f"result.{type_}") for type_ in item.types)) for item in one.items]
    officers = [w("public.officer", name=it.name, certificate=it.certificate) for it in one.officers]
    return [
        one.no, one.version, one.subject, one.uscc, w(f"result.{one.main}"),
        "；".join(f"{name}{colon}{said}" for name, said in types), one.task, one.task_no, one.unit, one.visited_on,
        one.published_on, one.corrected.on if one.corrected else "", comma.join(officers), one.record,
    ]  # fmt: skip


@get("/results/feed.atom", exclude_from_auth=True, sync_to_thread=True)
def results_as_atom(request: Anyone) -> Response[bytes]:
    """What was published and corrected, as Atom, page by page."""
    return answer(request, feeds.atom(_feed(request, "atom")), "application/atom+xml; charset=utf-8")


@get("/results/feed.json", exclude_from_auth=True, sync_to_thread=True)
def results_as_json_feed(request: Anyone) -> Response[bytes]:
    """What was published and corrected, as JSON Feed, page by page."""
    return answer(request, feeds.json_feed(_feed(request, "json")), "application/feed+json; charset=utf-8")


def _feed(request: Anyone, kind: str) -> Feed:
    w, origin = words_for(request), request.app.state.settings.origin
    at, _, place = request.query_params.get("before", "").partition("_")
    known = place.isascii() and place.isdigit() and len(place) < 13 and len(at) == 24
    before = (at, int(place)) if known else None
    with request.app.state.db.read() as conn:
        found = result_pages.changes(conn, before, IN_FEED)
    title = f"{w('app.bureau')} {w('public.results')}"
    address = f"{origin}/results/feed.{kind}"
    last = found[-1].head if len(found) == IN_FEED else None
    more = None if last is None else f"{address}?{urlencode({'before': f'{last.changed_at}_{last.place}'})}"
    entries = [_news(w, origin, one) for one in found]
    return Feed("results", title, w("app.bureau"), address, f"{origin}/results", entries, more)


def _news(w: Words, origin: str, one: Change) -> Entry:
    said, head = one.version.result, one.head
    text = f"{said.unit}\n{said.task}\n{w('result.' + said.main)}"
    if said.corrected is not None:
        was, now = w(f"result.{said.corrected.was}"), w(f"result.{said.main}")
        text += "\n" + w("public.corrected", day=w.day(said.corrected.on), was=was, now=now)
    title = f"{said.subject} {w('result.' + said.main)}"
    return Entry(f"result/{one.version.sha256}", title, f"{origin}/results/{head.no}", one.version.at, text)


router = Router(
    "/",
    exception_handlers={Problem: on_problem},
    route_handlers=[
        show_results,
        results_as_json,
        results_as_csv,
        results_as_atom,
        results_as_json_feed,
        show_result,
        show_result_version,
        give_result,
    ],
)
