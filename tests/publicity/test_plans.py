"""However many results are published, every statement behind a public page goes by an index, on both databases."""

from __future__ import annotations

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
from tests.publicity.judging import faults_of
from tests.publicity.telling import VALUE, Telling

RESULTS: Final = 20_000
"""As many as the planner needs to decide as it does for a million, which `python -m benchmarks.public` asks."""

WAYS: Final = ("seqscan", "hashjoin", "mergejoin", "sort", "material")
BY_INDEX: Final = [*(f"-c enable_{way}=off" for way in WAYS), "-c random_page_cost=1"]
"""PostgreSQL reads tables of a few pages whole by choice: here it does so only where no index serves."""


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
