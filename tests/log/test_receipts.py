"""A phone is told where in the log its ops stand; whoever isn't in the visit is told nothing by it."""

from __future__ import annotations

import hashlib
import json

import httpx
import msgspec
import rfc8785

from server.domain.merkle import is_included, leaf_hash
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


def receipts_of(phone: Phone, visit: str, rid: str, after: int = 0) -> httpx.Response:
    return phone.http.get(f"/api/visits/{visit}/receipts", params={"rid": rid, "after": after})


def test_a_phone_s_owner_is_given_what_opens_the_leaves_of_his_ops_and_leads_to_the_signed_root(
    any_server: Running,
) -> None:
    visit = dispatch_at(any_server)
    li = Phone(any_server.url, "li").start(visit)
    for at in range(7):
        li.set(visit, ["answer", f"p{at + 1:02}", "verdict"], "pass")
    bodies = [msgspec.json.decode(body) for body in li.queue[visit]]
    li.sync()
    db = database_of(any_server)
    signed = Log(db, any_server.data / "keys", any_server.url).sign(later(1))
    db.close()
    li.set(visit, ["visit", "summary"], "之后")
    li.sync()
    given = receipts_of(li, visit, li.pen.rid).json()
    assert given["checkpoint"] == signed.whole
    assert [one["seq"] for one in given["receipts"]] == list(range(1, 9))
    assert given["receipts"][-1]["path"] is None, "no checkpoint has come after it"
    for body, one in zip(bodies, given["receipts"], strict=False):
        signed_part = {name: value for name, value in body.items() if name != "sig"}
        op_hash = hashlib.sha256(rfc8785.dumps(signed_part)).hexdigest()
        leaf = json.loads(one["leaf"])
        assert leaf["after"] == hashlib.sha256(bytes.fromhex(one["key"]) + op_hash.encode()).hexdigest()
        assert leaf["object"] == f"op:{visit}:{li.pen.rid}:{one['seq']}"
        path = [bytes.fromhex(step) for step in one["path"]]
        root = bytes.fromhex(signed.root)
        assert is_included(leaf_hash(one["leaf"].encode()), one["index"], signed.size, path, root)
    behind = receipts_of(li, visit, li.pen.rid, after=6).json()["receipts"]
    assert [one["seq"] for one in behind] == [7, 8]


def test_nobody_else_is_given_what_opens_them(server: Running) -> None:
    visit = dispatch_at(server)
    li, zhang = (Phone(server.url, name).start(visit) for name in ("li", "zhang"))
    zhao = Phone(server.url, "zhao").sign_in().enrol()
    li.set(visit, ["visit", "summary"], "甲")
    li.sync()
    assert receipts_of(li, visit, li.pen.rid).status_code == 200
    for phone, rid in ((zhang, li.pen.rid), (zhao, li.pen.rid), (zhao, zhao.pen.rid), (li, "f" * 32)):
        assert (answer := receipts_of(phone, visit, rid)).status_code == 404, answer.text
    assert receipts_of(zhao, visit, "").status_code == 404
    assert receipts_of(zhang, visit, zhang.pen.rid).json()["receipts"] == []


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
