"""However many results are published, every statement behind a public page goes by an index, on both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final, NamedTuple
from urllib.parse import quote

import pytest

from server.store.seal import open_sealer
from server.store.session import Database
from tests import databases
from tests.dispatching import database_of
from tests.office.district import demo_data
from tests.publicity.asking import addresses, public_routes
from tests.publicity.filling import Filled, fill
from tests.publicity.telling import VALUE, Said, Telling

RESULTS: Final = 20_000
"""As many as the planner needs to decide as it does for a million, which `python -m benchmarks.public` asks."""

SMALL: Final = {
    "account": "a row for each who works there",
    "officer": "a row for each who works there",
    "unit": "a row a unit",
    "calendar_year": "a row a year and correction",
    "list_version": "a row a release of the list of items",
    "plan": "a row a year",
    "log_key": "a row a key of the log",
    "log_witness": "a row a witness",
}
"""Tables that results don't make longer: a page may read them whole."""

WHOLE: Final = {
    "/draws/chain.json": {"draw", "draw_file", "crew_match"},
}
"""Files that have a line for each row of these tables: they are walked by an index, in its order, once."""

BY_INDEX: Final = [f"-c enable_{way}=off" for way in ("seqscan", "hashjoin", "mergejoin", "sort", "material")]
"""PostgreSQL reads tables of a few pages whole by choice: here it does so only where no index serves."""

OPEN_ONES: Final = "SCAN visit USING INDEX ix_visit_open"
"""The index that has the open visits only, of which there are as many as the crews have to do."""


class Scene(NamedTuple):
    """A running server with its database, filled."""

    running: Telling
    db: Database
    filled: Filled


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The demo district and 20,000 published results behind a server that tells its statements."""
    with ExitStack() as stack:
        url = None
        if request.param == "postgresql":
            server = request.getfixturevalue("postgres")
            url = stack.enter_context(databases.fresh_postgres(server, databases.migrated_template(server)))
        data = tmp_path_factory.mktemp("publicity") / "data"
        running = Telling(data, **demo_data(data, url))
        db = database_of(running)
        stack.callback(db.close)
        filled = fill(db, open_sealer(data / "keys"), RESULTS, per_task=100)
        if url is not None:
            running.environment["SUIJIAN_DATABASE_URL"] = url + "?options=" + quote(" ".join(BY_INDEX))
        stack.callback(running.kill)
        running.start()
        yield Scene(running, db, filled)


def test_every_statement_behind_a_public_page_goes_by_an_index(scene: Scene) -> None:
    asked, statements, faults = 0, set[str](), set[str]()
    with scene.running.client() as client:
        for route, found in addresses(scene.db, scene.filled).items():
            for address in found:
                scene.running.said()
                answer = client.get(address)
                if answer.status_code >= 500:
                    faults.add(f"{address}: {answer.status_code}")
                said = scene.running.said()
                statements |= {VALUE.sub("?", one.sql) for one in said}
                faults |= {f"{route}: {fault}" for one in said for fault in faults_of(route, one)}
                asked += 1
    print(f"{asked} addresses of {len(public_routes())} routes, {len(statements)} statements")
    assert asked >= 120 and len(public_routes()) >= 40 and len(statements) >= 90
    assert "\n".join(sorted(faults)) == ""


def faults_of(route: str, said: Said) -> list[str]:
    """What is wrong with the plan of one statement: a table read whole, or rows sorted beside the index."""
    judge = _postgres_step if "rows=" in said.plan[0] else _sqlite_step
    found = [step for step in said.plan if not judge(route, said.sql, step)]
    return [f"{step} -- {said.sql[:3000]}" for step in found]


_LOOKS: Final = re.compile(
    r"SEARCH |SCAN CONSTANT|SCAN \(subquery|SCAN anon_|SCAN \d+ CONSTANT|LIST SUBQUERY|CO-ROUTINE|CORRELATED|SCALAR|"
    r"MULTI-INDEX OR|INDEX \d|COMPOUND|UNION|LEFT-MOST|MATERIALIZE"
)
_WALKS: Final = re.compile(r"SCAN (\w+)( USING (?:COVERING )?INDEX \w+)?$")


def _sqlite_step(route: str, sql: str, step: str) -> bool:
    """Whether a step looks something up, or walks along an index no further than the page is long."""
    if step == OPEN_ONES or _LOOKS.match(step):
        return True
    walk = _WALKS.match(step)
    if walk is None:
        return False  # a sort beside the index, or what nobody has judged yet
    if walk[1] in SMALL:
        return True
    return walk[2] is not None and (" LIMIT " in sql or walk[1] in WHOLE.get(route, ()))


def _postgres_step(route: str, sql: str, step: str) -> bool:
    """The same."""
    kind, table, index, asked, _ = step.split(" ")
    if kind in ("Sort", "Incremental_Sort"):
        return False
    if table in SMALL or table == "-" or asked == "cond" or index == "ix_visit_open" or kind == "Bitmap_Heap_Scan":
        return True
    return index != "-" and (" LIMIT " in sql or table in WHOLE.get(route, ()))
