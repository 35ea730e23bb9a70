"""A phone is told where in the log its ops stand; whoever isn't in the visit is told nothing by it."""

from __future__ import annotations

import json

import msgspec

from server.office.log import Log
from tests.dispatching import database_of, dispatch_at
from tests.log.scene import later
from tests.phone import Phone
from tests.running import Running


def test_a_phone_gets_the_place_of_its_ops_and_finds_them_there(server: Running) -> None:
    visit = dispatch_at(server)
    li = Phone(server.url, "li").start(visit)
    assert "receipt" not in li.last, "nothing was taken"
    first = li.set(visit, ["visit", "summary"], "甲")
    second = li.set(visit, ["answer", "p01", "verdict"], "pass")
    answer = li.sync()
    receipt = answer["receipt"]
    assert receipt["count"] == 2
    li.set(visit, ["answer", "p02", "verdict"], "pass")
    assert li.sync()["receipt"]["index"] == receipt["index"] + 2
    db = database_of(server)
    size = Log(db, server.data / "keys", server.url).sign(later(1)).size
    db.close()
    with server.client() as public:
        span = {"start": str(receipt["index"]), "end": str(receipt["index"] + 1)}
        entries = public.get("/log/entries", params=span).json()["entries"]
        leaves = [json.loads(entry["leaf"]) for entry in entries]
        assert [leaf["object"] for leaf in leaves] == [f"op:{visit}:{id_}" for id_ in (first, second)]
        assert public.get("/log/inclusion", params={"index": span["start"]}).json()["size"] == size
    li.set(visit, ["answer", "p03", "verdict"], "pass")
    assert li.sync()["receipt"]["size"] == size


def test_what_was_there_already_gives_no_receipt(server: Running) -> None:
    visit = dispatch_at(server)
    li = Phone(server.url, "li").start(visit)
    li.set(visit, ["visit", "summary"], "甲")
    again = [{"visit": visit, "ops": [msgspec.Raw(body) for body in li.queue[visit]]}]
    assert "receipt" in li.sync()
    assert "receipt" not in li.sync(again)


def test_whoever_is_not_in_the_visit_gets_no_receipt_whether_it_is_there_or_not(server: Running) -> None:
    visit, nowhere = dispatch_at(server), "0198c0de-0000-7000-8000-00000000ffff"
    zhao = Phone(server.url, "zhao").start(visit)
    for one in (visit, nowhere):
        zhao.set(one, ["visit", "summary"], "甲")
        assert "receipt" not in zhao.sync()
