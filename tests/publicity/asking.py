"""Every address that the public can ask for, made from the app's own routes and from what the database holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Final
from urllib.parse import quote

import sqlalchemy as sa
from litestar.routes import HTTPRoute

from server.app import create_app
from server.routes.guards import NO_AUTH
from server.settings import Settings
from server.store import tables as t
from server.store.session import Connection, Database
from tests.publicity.filling import Filled

PARAMETER: Final = re.compile(r"\{(\w+)(?::\w+)?\}")
ELSEWHERE: Final = ("/app", "/api", "/office", "/schema")
"""What the phone and the office ask before anybody has signed in."""


@cache
def public_routes() -> tuple[str, ...]:
    """The path of everything that can be read without signing in."""
    app = create_app(Settings(data=Path(mkdtemp(prefix="suijian-routes-"))))
    return tuple(
        sorted(
            route.path
            for route in app.routes
            if isinstance(route, HTTPRoute)
            and not route.path.startswith(ELSEWHERE)
            and any("GET" in one.http_methods and one.opt.get(NO_AUTH) for one in route.route_handlers)
        )
    )


def addresses(db: Database, filled: Filled) -> dict[str, list[str]]:
    """Route -> the addresses by which it is asked: each of its samples, and each way of narrowing a list."""
    with db.read() as conn:
        known = {path: _filled(conn, path) for path in public_routes()}
        queries = _queries(conn, filled)
    return {path: [*found, *(f"{path}?{query}" for query in queries.get(path, ()))] for path, found in known.items()}


def _filled(conn: Connection, path: str) -> list[str]:
    if "{" not in path:
        return [path]
    rows = SAMPLES[path](conn) if path in SAMPLES else []
    assert rows, f"say in tests/publicity/asking.py what {path} is filled with"
    return [PARAMETER.sub(lambda one, row=row: quote(str(row[one[1]])), path) for row in rows]  # type: ignore[misc]


def _queries(conn: Connection, filled: Filled) -> dict[str, list[str]]:
    """List -> what is asked of it: a part of a name, a code, unit, type, day, each with the others and deep inside."""
    unit = str(conn.scalar(sa.select(t.publication.c.unit_id).limit(1)))
    name, code, middle = quote(filled.names[0]), filled.codes[0], filled.results // 2
    at = conn.execute(sa.select(t.publication.c.changed_at).where(t.publication.c.place == middle)).scalar_one()
    words = (
        name,
        quote(filled.names[1][2:4]),
        quote("有限公司"),
        quote("南阳"),
        quote("涂料有限"),
        quote("龘龘"),
        "一",
    )
    found = [f"q={word}" for word in words] + [f"q={code}", f"unit={unit}", "main=unreachable", f"after={middle}"]
    found += [f"unit={unit}&main=unreachable", f"unit={unit}&after={middle}", f"main=unqualified&after={middle}"]
    found += [
        f"q={name}&unit={unit}&main=unreachable",
        f"q={quote('南阳')}&after={middle}",
        "after=3",
        "main=qualified",
    ]
    found += [f"q={code}&after={middle}", f"q={quote('有限')}&main=no_relevant_activity", "q=410000000000000"]
    size = conn.scalar(sa.select(sa.func.max(t.log_checkpoint.c.size))) or 1
    released = conn.scalar(sa.select(sa.func.min(t.trail.c.n)).where(t.trail.c.act == "list.release")) or 1
    return {
        "/results": found,
        "/results/results.json": found[:14],
        "/results/results.csv": found[:8],
        "/results/feed.atom": [f"before={at}_{middle}"],
        "/results/feed.json": [f"before={at}_{middle}"],
        "/draws": ["page=2", "page=9"],
        "/notices": ["before=2020-01-01T00:00:00.000Z_2020-0200"],
        "/ledger": ["before=2020-0200"],
        "/ledger.json": ["before=2020-0200"],
        "/log/entries": ["start=0&end=999", f"start={size // 2}"],
        "/log/inclusion": ["index=0", f"index={size // 2}", f"index={size - 1}&size={size}"],
        "/log/consistency": ["first=0", f"first={size // 3}"],
        "/log/checkpoint": [f"size={size}"],
        "/log/opening": [f"index={released - 1}"],
    }


def _results(conn: Connection) -> list[dict[str, object]]:
    c = t.publication.c
    last = conn.scalar(sa.select(sa.func.max(c.place))) or 0
    query = sa.select(c.no).where(c.place.in_((1, last // 2, last)))
    return [{"result_no": no, "version_n": 1, "version_file": "v1.json"} for no in conn.scalars(query)]


def _draws(conn: Connection) -> list[dict[str, object]]:
    c = t.draw.c
    rows = conn.execute(sa.select(c.year, c.seq).order_by(c.place)).all()
    joint = conn.scalars(
        sa.select(t.task.c.no).where(t.task.c.joint == "participant", t.task.c.dispatched_at.is_not(None))
    )
    shown = [f"{row.year}-{row.seq}" for row in (rows[0], rows[len(rows) // 2], rows[-1])]
    return [{"no": no, "file_name": "1-1.json"} for no in (*shown, *(f"J-{no}" for no in joint))]


def _notices(conn: Connection) -> list[dict[str, object]]:
    found = list(conn.scalars(sa.select(t.notice.c.no).distinct().order_by(t.notice.c.no)))
    return [{"no": no} for no in (found[0], f"{found[len(found) // 2]}.json")]


def _lists(conn: Connection) -> list[dict[str, object]]:
    return [{"version": n} for n in conn.scalars(sa.select(t.list_version.c.n))]


def _plans(conn: Connection) -> list[dict[str, object]]:
    query = sa.select(t.plan_version.c.year, t.plan_version.c.version).where(t.plan_version.c.released_at.is_not(None))
    return [{"year": row.year, "plan_version": row.version} for row in conn.execute(query)]


def _ledger(conn: Connection) -> list[dict[str, object]]:
    query = sa.select(t.task.c.no).join(t.ledger_entry, t.ledger_entry.c.task_id == t.task.c.id).distinct()
    found = sorted(map(str, conn.scalars(query)))
    return [{"task_no": no} for no in (found[0], f"{found[len(found) // 2]}.json", found[-1])]


def _assets(_conn: Connection) -> list[dict[str, object]]:
    return [{"name": "public.css"}]


SAMPLES: Final[dict[str, Callable[[Connection], list[dict[str, object]]]]] = {
    "/results/{result_no:str}": _results,
    "/results/{result_no:str}/versions/{version_n:int}": _results,
    "/results/{result_no:str}/{version_file:str}": _results,
    "/draws/{no:str}": _draws,
    "/draws/{no:str}/files/{file_name:str}": _draws,
    "/notices/{no:str}": _notices,
    "/ledger/{task_no:str}": _ledger,
    "/items/versions/{version:int}": _lists,
    "/items/versions/{version:int}/items.json": _lists,
    "/items/versions/{version:int}/items.csv": _lists,
    "/plans/{year:int}": _plans,
    "/plans/{year:int}/versions/{plan_version:int}": _plans,
    "/plans/{year:int}/versions/{plan_version:int}/plan.json": _plans,
    "/plans/{year:int}/versions/{plan_version:int}/plan.csv": _plans,
    "/assets/{name:str}": _assets,
}
"""Route -> what its parameters are filled with."""
