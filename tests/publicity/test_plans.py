"""Twenty thousand published results: each statement behind a public page goes by an index; no number is out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Final, NamedTuple
from urllib.parse import quote

import httpx
import pytest
import sqlalchemy as sa

from server.store import tables
from server.store.seal import open_sealer
from server.store.session import Database
from tests import databases
from tests.dispatching import database_of
from tests.office.district import demo_data
from tests.publicity.asking import addresses, public_routes
from tests.publicity.filling import Filled, fill, id_number
from tests.publicity.judging import faults_of
from tests.publicity.numbers import numbers_in
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


def test_no_phone_and_no_id_number_is_in_anything_public(scene: Scene, soak: bool) -> None:
    """Ten thousand subjects and officers have them; what is published has the right digits for neither."""
    if not scene.db.is_sqlite:
        return  # the answers are made by the same code on both
    assert len(scene.filled.phones) + len(scene.filled.numbers) >= 5_000
    with scene.running.client() as client:
        read = 0
        for text in everything(client, scene, step=1 if soak else 200):
            assert list(numbers_in(text)) == []
            read += len(text)
        print(f"{read // 2**20} MiB of public text")
        assert read > 20 * 2**20
        _publish_one_with_numbers(scene)
        newest = client.get("/results/results.json").text
        assert set(numbers_in(newest)) == {"14000001234", id_number(5)}


def everything(client: httpx.Client, scene: Scene, step: int) -> Iterator[str]:
    """Every result by the exports, each page of each feed and list; of the results' own pages every `step`th."""
    for start in ("/results/results.json", "/results/feed.json"):
        address: str | None = start
        while address is not None:
            answer = client.get(address)
            yield answer.text
            told = answer.json()
            address = told.get("next") or told.get("next_url")
    address = "/results/results.csv"
    while address is not None:
        answer = client.get(address)
        yield answer.text
        address = answer.links.get("next", {}).get("url")
    for found in addresses(scene.db, scene.filled).values():
        yield from (client.get(one).text for one in found)
    with scene.db.read() as conn:
        numbers = list(conn.scalars(sa.select(tables.publication.c.no).order_by(tables.publication.c.place)))
        tasks = list(conn.scalars(sa.select(tables.notice.c.no).distinct()))
    for no in numbers[::step]:
        yield client.get(f"/results/{no}").text
    for no in tasks[:: max(1, step // 20)]:
        yield client.get(f"/ledger/{no}.json").text + client.get(f"/notices/{no}").text


def _publish_one_with_numbers(scene: Scene) -> None:
    """The negative control: a result whose subject is called by a phone and an ID number."""
    heads, versions = tables.publication, tables.publication_version
    with scene.db.write() as conn:
        query = sa.select(heads).order_by(heads.c.place.desc()).limit(1)
        head = dict(conn.execute(query).mappings().one())
        kept = dict(conn.execute(sa.select(versions).where(versions.c.publication_id == head["id"])).mappings().one())
        name = f"某店 14000001234 {id_number(5)}"
        task = conn.scalar(sa.select(tables.task.c.id).where(tables.task.c.id.not_like("ft%")).limit(1))
        more = {
            "id": "control",
            "no": "2026-control",
            "task_id": task,
            "place": head["place"] + 1,
            "subject_name": name,
        }
        body = kept["body"].replace(head["subject_name"].encode(), name.encode())
        conn.execute(sa.insert(heads).values(head | more))
        conn.execute(sa.insert(versions).values(kept | {"publication_id": "control", "body": body}))
