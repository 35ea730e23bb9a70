"""The exchange over real HTTP: what is given to whom, and what becomes of the record in the end."""

from __future__ import annotations

import gzip
import hashlib
import itertools
from typing import Any

import httpx
import msgspec
import pytest
import sqlalchemy as sa

from server.store import tables
from tests.dispatching import CREW, ITEM, POINTS, database_of, dispatch, dispatch_at, keys_of
from tests.phone import Phone
from tests.running import Running

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 64
PATH = ["visit", "summary"]


class Group:
    """Three phones in a visit of their own."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.visit = dispatch_at(server)
        self.li, self.zhang, self.wang = (Phone(server.url, name).start(self.visit) for name, _ in CREW)

    @property
    def phones(self) -> tuple[Phone, ...]:
        """All three, the leader first."""
        return self.li, self.zhang, self.wang

    def settle(self) -> None:
        """Everybody has everything."""
        for phone in self.phones * 2:
            phone.drain()

    def record(self, types: tuple[str, ...] = ("no_problem_found",)) -> None:
        """A whole record: without any finding it is what type 1 needs."""
        for point in POINTS:
            self.li.set(self.visit, ["answer", point, "verdict"], "pass")
        self.li.set(self.visit, ["visit", f"result:{ITEM}"], list(types))
        self.li.set(self.visit, ["visit", "result"], types[0])
        for phone in self.phones:
            phone.set(self.visit, ["visit", f"no_interest:{phone.officer}"], {"interest": False, "reason": None})
        self.settle()

    def sign(self) -> list[str]:
        """All sign what the server shows, the subject too; the images are uploaded."""
        digest = self.view()["digest"]
        image = self.li.upload(self.visit, PNG)
        signed = [
            phone.sign(self.visit, digest, "leader" if phone is self.li else "member", image=image)
            for phone in self.phones
        ]
        signed.append(self.li.sign(self.visit, digest, "subject", "subject", image=image))
        self.settle()
        return signed

    def propose(self) -> str:
        """The leader proposes final over what the server shows; the op's id."""
        return self.li.propose(self.visit, self.view()["digest"], "no_problem_found", [])

    def view(self) -> Any:
        """The server's view."""
        return self.li.view(self.visit)

    def finals(self) -> list[Any]:
        """The `accept_final` ops in the journal, by round."""
        self.zhang.drain()
        entries = self.zhang.entries[self.visit].values()
        return [entry["op"] for entry in entries if entry["op"] and entry["op"]["kind"] == "accept_final"]

    def act(self, username: str, kind: str, path: list[str], val: dict[str, Any]) -> httpx.Response:
        """An act by somebody of the office, or of the crew."""
        person = Phone(self.server.url, username).sign_in()
        return person.http.post(f"/api/visits/{self.visit}/acts", json={"kind": kind, "path": path, "val": val})


@pytest.fixture
def group(server: Running) -> Group:
    return Group(server)


# --- giving -----------------------------------------------------------------------------------------------------------


def test_first_contact_brings_everything_in_one_round_trip(group: Group) -> None:
    phone = Phone(group.server.url, "wang").sign_in().enrol()
    phone.epoch = None
    answer = phone.sync()
    assert set(answer) == {
        "proto", "epoch", "server_time", "results", "ops", "heads", "more", "assignments", "media_missing",
        "retry_after", "notices",
    }  # fmt: skip
    card = next(it for it in answer["assignments"]["visits"] if it["id"] == group.visit)
    assert {it["officer"]: it["leader"] for it in card["crew"]} == {"li": True, "wang": False, "zhang": False}
    assert (card["head"], card["round"], card["phase"]) == (3, 1, "dispatched")
    assert [entry["n"] for entry in answer["ops"][group.visit]] == [1, 2, 3]
    template = phone.http.get(f"/api/templates/{card['tpl']}")
    assert hashlib.sha256(template.content).hexdigest() == card["tpl"]
    assert "immutable" in template.headers["cache-control"]
    assert phone.sync()["assignments"] is None


def test_of_ones_own_ops_only_the_receipt_comes_back(group: Group) -> None:
    id_ = group.li.set(group.visit, PATH, "x")
    given = group.li.sync()["ops"][group.visit]
    assert [set(entry) for entry in given] == [{"n", "received_at", "verdict", "reason", "id"}]
    assert (given[0]["id"], given[0]["n"]) == (id_, 4)
    group.li.cursors.clear()
    whole = group.li.sync()["ops"][group.visit]
    assert [entry["op"]["seq"] for entry in whole] == [1, 2, 3, 1]


def test_more_is_said_and_given_page_by_page(group: Group) -> None:
    for number in range(1100):
        group.li.set(group.visit, PATH, str(number))
    while any(group.li.queue.values()):
        group.li.sync(pull={})
    group.wang.sync()
    assert group.wang.last["more"] is True and len(group.wang.last["ops"][group.visit]) == 500
    group.wang.drain()
    assert sorted(group.wang.entries[group.visit]) == list(range(1, 1104))


def test_the_board_tells_what_a_phone_still_holds_and_not_what_has_just_come(server: Running) -> None:
    group = Group(server)
    for text in ("一", "二", "三"):
        group.zhang.set(group.visit, PATH, text)
    push = [{"visit": group.visit, "ops": [msgspec.Raw(body) for body in group.zhang.queue[group.visit][:2]]}]
    group.zhang.sync(push, pending={"ops": 3, "media": 1, "bytes": 9, "oldest": "2026-11-24T10:00:00+08:00"})
    assert held_by(group, group.zhang) == {"ops": 1, "media": 1, "bytes": 9, "oldest": "2026-11-24T10:00:00+08:00"}
    group.zhang.sync()
    assert held_by(group, group.zhang) == {"ops": 0, "media": 0, "bytes": 0, "oldest": None}


def held_by(group: Group, phone: Phone) -> object:
    """What the leader reads of a phone."""
    board = group.li.http.get(f"/api/visits/{group.visit}/board").json()["board"]
    (one,) = [it["pending"] for it in board if it["rid"] == phone.pen.rid]
    return one


def test_nothing_new_is_said_in_200_bytes(group: Group) -> None:
    group.li.sync()
    answer = group.li.sync()
    assert answer["ops"] == {} and answer["heads"] == {} and answer["assignments"] is None
    raw = group.li.post(group.li.request([], pending=None)).content
    assert len(gzip.compress(raw, 6)) <= 200


def test_another_epoch_makes_the_server_forget_the_cursors(group: Group) -> None:
    group.li.drain()
    given = group.li.sync(epoch="of-another-life")["ops"][group.visit]
    assert [entry["n"] for entry in given] == [1, 2, 3]
    assert all("op" in entry for entry in given)
    assert group.li.sync(epoch="of-another-life", assignments_rev=group.li.rev)["assignments"]["rev"] == group.li.rev


def test_acked_is_asked_for_without_sending_anything(group: Group) -> None:
    group.li.set(group.visit, PATH, "x")
    group.li.drain()
    answer = group.li.sync([{"visit": group.visit, "ops": []}, {"visit": group.visit, "rid": "srv", "ops": []}])
    assert [(it["rid"], it["acked"], it["verdicts"]) for it in answer["results"]] == [
        (group.li.pen.rid, 1, []),
        ("srv", 3, []),
    ]


def test_a_lost_answer_costs_nothing(group: Group) -> None:
    """I9: the request was taken, its answer never came, the phone sends it again: same state, same numbers."""
    for number in range(30):
        group.li.set(group.visit, PATH, str(number))
    request = group.li.request()
    lost = group.li.post(request).json()
    again = group.li.post(request).json()
    assert {verdict for _, verdict, _ in again["results"][0]["verdicts"]} == {"dup"}
    assert again["results"][0]["acked"] == lost["results"][0]["acked"] == 30
    assert again["ops"] == lost["ops"] and again["heads"] == lost["heads"]


def test_three_phones_in_any_order_come_to_one_digest(server: Running) -> None:
    for order in itertools.permutations(range(3)):
        group = Group(server)
        row = group.li.write(group.visit, "add", ["finding"], {"text": "甲"})
        group.settle()
        group.li.set(group.visit, ["finding", row, "text"], "乙", base=[row])
        group.zhang.set(group.visit, ["finding", row, "text"], "丙", base=[row])
        group.wang.write(group.visit, "del", ["finding", row], {"reason": "x"})
        for number in order:
            group.phones[number].drain()
        group.settle()
        view = group.view()
        assert view["digest"] is None and [it["path"] for it in view["conflicts"]] == [["finding", row, "text"]]
        heads = [head["op"] for head in view["conflicts"][0]["heads"]]
        group.li.set(group.visit, ["finding", row, "text"], "丁", base=heads)
        group.settle()
        assert group.view()["content"]["finding"] == {row: {"text": "丁"}}
        assert {len(phone.entries[group.visit]) for phone in group.phones} == {3 + 1 + 3 + 1}


def test_a_removed_officer_sees_up_to_the_op_that_removed_him_and_may_still_push(group: Group) -> None:
    group.settle()
    removed = group.act("head", "assign", ["crew", "wang"], {"role": "removed", "reason": "health"})
    assert removed.status_code == 201
    group.li.set(group.visit, PATH, "after")
    group.li.drain()
    group.wang.set(group.visit, PATH, "in good faith")
    answer = group.wang.sync()
    assert answer["results"][0]["verdicts"] == [[1, "quarantined", "reassigned"]]
    assert [entry["n"] for entry in answer["ops"][group.visit]] == [removed.json()["n"]]
    assert answer["heads"][group.visit] == removed.json()["n"]
    assert group.visit in answer["assignments"]["withdrawn"]
    group.wang.drain()
    group.wang.set(group.visit, PATH, "knowing it")
    assert group.wang.sync()["results"][0]["verdicts"] == [[2, "quarantined", "not_member"]]
    assert group.wang.http.get(f"/api/visits/{group.visit}/view").status_code == 404


def test_a_revoked_phone_pushes_into_quarantine_and_gets_nothing(group: Group) -> None:
    group.settle()
    assert group.wang.http.post(f"/api/devices/{group.wang.pen.rid}/revoke").status_code == 200
    group.wang.set(group.visit, PATH, "x")
    answer = group.wang.sync(pull={group.visit: 0}, assignments_rev=0)
    assert answer["results"][0]["verdicts"] == [[1, "quarantined", "device_revoked"]]
    assert answer["ops"] == {} and answer["heads"] == {} and answer["media_missing"] == []
    assert [it["code"] for it in answer["notices"]] == ["device_revoked"]


def test_what_waited_for_a_revoked_phone_is_released(group: Group) -> None:
    group.li.pen.receive(group.visit, group.wang.pen.rid, 1)
    group.li.set(group.visit, PATH, "x")
    assert group.li.sync()["results"][0]["verdicts"] == [[1, "held", None]]
    assert group.view()["held"] == [{"op": f"{group.li.pen.rid}:1", "waits_for": f"{group.wang.pen.rid}:1"}]
    group.wang.http.post(f"/api/devices/{group.wang.pen.rid}/revoke")
    assert group.li.sync()["results"][0]["verdicts"] == [[1, "dup", None]]
    assert group.view()["held"] == []


# --- final ------------------------------------------------------------------------------------------------------------


def test_a_proposal_becomes_final_when_nothing_is_missing(group: Group) -> None:
    group.record()
    group.sign()
    proposal = group.propose()
    group.settle()
    assert group.li.verdict(group.visit, proposal) == ("ok", None)
    view = group.view()
    assert (view["phase"], view["missing"]) == ("final", [])
    (final,) = group.finals()
    assert final["val"]["digest"] == view["digest"] and len(final["val"]["signatures"]) == 4


@pytest.mark.parametrize("last", ["op", "upload", "act"])
def test_a_proposal_waits_for_what_is_missing_and_completes_by_itself(group: Group, last: str) -> None:
    """It is judged again after each op, each finished upload and each office act."""
    group.record()
    image = hashlib.sha256(PNG).hexdigest()
    if last != "upload":
        group.li.upload(group.visit, PNG)
    digest = group.view()["digest"]
    signers = group.phones[:2] if last != "upload" else group.phones
    for phone in signers:
        phone.sign(group.visit, digest, "leader" if phone is group.li else "member", image=image)
    group.li.sign(group.visit, digest, "subject", "subject", image=image)
    group.settle()
    if last == "act":
        group.act("head", "assign", ["crew", "wang"], {"role": "removed", "reason": "health"})
        group.settle()
        assert group.view()["digest"] != digest  # the members stand in what is signed
        group.act("clerk", "assign", ["crew", "wang"], {"role": "member", "reason": "back"})
        group.settle()
        group.wang.sign(group.visit, digest, "member", image=image)
        group.settle()
        group.act("head", "assign", ["crew", "wang"], {"role": "removed", "reason": "again"})
        group.settle()
    group.li.propose(group.visit, digest, "no_problem_found", [])
    group.settle()
    assert group.finals() == [] and group.view()["missing"] != []
    if last == "op":
        group.wang.sign(group.visit, digest, "member", image=image)
        group.settle()
    elif last == "upload":
        group.li.upload(group.visit, PNG)
    else:
        group.act("clerk", "assign", ["crew", "wang"], {"role": "member", "reason": "back"})
    assert group.view()["missing"] == []
    assert (group.view()["phase"], len(group.finals())) == ("final", 1)


def test_there_is_one_final_a_round_and_nothing_after_it_alters_it(group: Group) -> None:
    """I12, I13."""
    group.record()
    group.sign()
    group.propose()
    group.settle()
    before = group.view()
    late = group.zhang.set(group.visit, PATH, "too late")
    second = group.propose()
    group.settle()
    assert group.zhang.verdict(group.visit, late) == ("late", None)
    assert group.li.verdict(group.visit, second) == ("late", None)
    after = group.view()
    assert len(group.finals()) == 1
    for member in ("content", "digest", "withdrawn", "members", "leader", "round", "phase"):
        assert after[member] == before[member]
    assert after["late"] == sorted([late, second])


def test_a_members_proposal_has_no_effect_and_cannot_be_admitted(group: Group) -> None:
    group.record()
    group.sign()
    id_ = group.zhang.propose(group.visit, group.view()["digest"], "no_problem_found", [])
    group.settle()
    assert group.zhang.verdict(group.visit, id_) == ("quarantined", "not_leader")
    refused = group.act("clerk", "admit", ["op", id_], {"reason": "x"})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_admissible")
    assert group.finals() == []


def test_a_leader_who_recused_himself_admits_nothing_and_the_clerk_does(group: Group) -> None:
    ids = [group.zhang.set(group.visit, ["visit", "result_note"], text) for text in ("one", "two")]
    group.settle()
    assert group.act("li", "admit", ["op", ids[0]], {"reason": "x"}).status_code == 201
    group.li.set(group.visit, ["visit", "no_interest:li"], {"interest": True, "reason": "kin"})
    group.settle()
    refused = group.act("li", "admit", ["op", ids[1]], {"reason": "x"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert group.act("clerk", "admit", ["op", ids[1]], {"reason": "x"}).status_code == 201


def test_the_leaders_newer_proposal_takes_the_older_ones_place(group: Group) -> None:
    first = group.li.propose(group.visit, "0" * 64, "no_problem_found", [])
    group.settle()
    assert {"code": "digest_changed", "detail": {"op": first}} in group.view()["missing"]
    second = group.li.propose(group.visit, "1" * 64, "no_problem_found", [])
    group.settle()
    assert group.view()["quarantined"] == [{"op": first, "reason": "stale_proposal"}]
    assert group.li.sync([{"visit": group.visit, "ops": []}])["results"][0]["acked"] == 2
    assert second not in [it["op"] for it in group.view()["quarantined"]]


def test_a_reopened_record_starts_the_next_round_with_what_had_effect(group: Group) -> None:
    group.record()
    group.sign()
    group.propose()
    group.settle()
    late = group.zhang.set(group.visit, PATH, "too late")
    group.settle()
    reopened = group.act("head", "reopen", ["round"], {"round": 2, "reason": "photo missing"})
    assert reopened.status_code == 201
    view = group.view()
    assert (view["phase"], view["round"], view["late"]) == ("started", 2, [late])
    assert group.act("clerk", "admit", ["op", late], {"reason": "true"}).status_code == 201
    assert group.view()["content"]["visit"]["summary"] == "too late"
    group.settle()
    group.sign()
    group.propose()
    group.settle()
    assert [final["val"]["round"] for final in group.finals()] == [1, 2]


# --- the acts: who may, and when --------------------------------------------------------------------------------------


def test_acts_are_answered_by_sight_then_right_then_state(group: Group) -> None:
    own = group.li.set(group.visit, ["visit", "result"], "no_problem_found")
    his = group.zhang.set(group.visit, ["visit", "result"], "unqualified")
    group.settle()

    def code(username: str, kind: str, path: list[str], **val: Any) -> tuple[int, str | None]:
        answer = group.act(username, kind, path, val)
        return answer.status_code, answer.json().get("code")

    op = ["op", his]
    assert code("zhao", "admit", op, reason="x") == (404, "not_found")
    assert code("admin", "admit", op, reason="x") == (404, "not_found")
    assert code("clerk2", "admit", op, reason="x") == (404, "not_found")
    assert code("auditor", "admit", op, reason="x") == (403, "forbidden")
    assert code("wang", "admit", op, reason="x") == (403, "forbidden")
    assert code("zhang", "admit", op, reason="x") == (403, "forbidden")
    assert code("clerk", "admit", op) == (400, "bad_request")
    assert code("clerk", "sing", op, reason="x") == (400, "bad_request")
    assert code("clerk", "admit", ["op", f"{'0' * 32}:1"], reason="x") == (404, "not_found")
    assert code("clerk", "admit", ["op", own], reason="x") == (409, "already_effective")
    assert code("li", "admit", ["op", own], reason="x") == (403, "own_op")
    assert code("li", "admit", op, reason="x") == (201, None)
    assert code("clerk", "admit", op, reason="x") == (409, "already_effective")
    assert code("clerk", "rule", op, verdict="quarantined", reason="wrong place") == (201, None)
    assert code("clerk", "admit", op, reason="x") == (409, "not_admissible")
    assert code("head", "rule", op, verdict="quarantined", reason="y") == (403, "forbidden")
    assert code("clerk", "assign", ["crew", "wang"], role="removed", reason="x") == (403, "needs_approval")
    assert code("clerk", "assign", ["crew", "wang"], role="member", reason="x") == (409, "already_effective")
    assert code("clerk", "assign", ["crew", "nobody"], role="member", reason="x") == (400, "bad_request")
    assert code("clerk", "reopen", ["round"], round=2, reason="x") == (403, "forbidden")
    assert code("head", "reopen", ["round"], round=2, reason="x") == (409, "not_final")
    assert code("clerk", "void", ["visit"], reason="x") == (403, "forbidden")
    assert code("head", "void", ["visit"], reason="x") == (201, None)
    assert code("head", "void", ["visit"], reason="x") == (409, "already_effective")
    assert group.view()["phase"] == "void"
    group.li.set(group.visit, PATH, "x")
    assert group.li.sync()["results"][0]["verdicts"] == [[2, "quarantined", "void_visit"]]


def test_while_a_final_stands_nothing_is_decided(group: Group) -> None:
    proposed = group.zhang.set(group.visit, ["visit", "result_note"], "x")
    group.record()
    group.sign()
    group.propose()
    group.settle()
    refused = [
        group.act("clerk", "admit", ["op", proposed], {"reason": "x"}),
        group.act("clerk", "rule", ["op", proposed], {"verdict": "late", "reason": "x"}),
        group.act("clerk", "assign", ["crew", "zhao"], {"role": "member", "reason": "x"}),
        group.act("head", "void", ["visit"], {"reason": "x"}),
    ]
    assert {(it.status_code, it.json()["code"]) for it in refused} == {(409, "final")}
    answer = group.act("head", "reopen", ["round"], {"round": 3, "reason": "x"})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_final")


def test_a_held_op_that_waits_for_its_ctx_is_admitted_with_what_waits_behind_it(group: Group) -> None:
    group.zhang.pen.receive(group.visit, group.wang.pen.rid, 1)
    first = group.zhang.set(group.visit, PATH, "x")
    second = group.zhang.set(group.visit, PATH, "y", base=[first])
    assert [it[1] for it in group.zhang.sync()["results"][0]["verdicts"]] == ["held", "held"]
    behind = group.act("clerk", "admit", ["op", second], {"reason": "x"})
    assert (behind.status_code, behind.json()["code"]) == (409, "not_admissible")
    assert group.act("clerk", "admit", ["op", first], {"reason": "his phone is lost"}).status_code == 201
    assert group.view()["held"] == []


def test_every_act_and_every_op_leaves_one_entry_in_the_trail(group: Group) -> None:
    db = database_of(group.server)

    def count() -> int:
        with db.read() as conn:
            return conn.scalar(sa.select(sa.func.count()).select_from(tables.trail)) or 0

    before = count()
    for number in range(5):
        group.li.set(group.visit, PATH, str(number))
    group.li.drain()
    assert count() == before + 5
    Phone(group.server.url, "clerk").sign_in()
    before = count()
    group.act("clerk", "rule", ["op", f"{group.li.pen.rid}:1"], {"verdict": "late", "reason": "x"})
    assert count() == before + 1
    db.close()


# --- both databases ---------------------------------------------------------------------------------------------------


def test_the_whole_way_to_final_on_either_database(any_server: Running) -> None:
    group = Group(any_server)
    group.record()
    group.sign()
    group.propose()
    group.settle()
    assert group.view()["phase"] == "final"
    any_server.kill()
    any_server.start()
    assert Phone(any_server.url, "li").start().view(group.visit)["phase"] == "final"


def test_what_was_acknowledged_is_there_though_the_server_is_killed_at_once(any_server: Running) -> None:
    """I5: the 200 comes after the commit, not before."""
    group = Group(any_server)
    for number in range(10):
        group.li.set(group.visit, PATH, str(number))
    answer = group.li.post(group.li.request())
    any_server.kill()
    assert answer.json()["results"][0]["acked"] == 10
    any_server.start()
    again = Phone(any_server.url, "li", rid=group.li.pen.rid)
    again.pen = group.li.pen
    result = again.sign_in().enrol().sync([{"visit": group.visit, "ops": []}])["results"][0]
    assert result["acked"] == 10


def test_a_phone_that_forks_in_one_visit_is_frozen_in_all(any_server: Running) -> None:
    group = Group(any_server)
    db = database_of(any_server)
    other = dispatch(db, keys_of(db, any_server.data / "keys"))
    db.close()
    group.li.sync()
    group.zhang.sync()
    group.zhang.sync()
    group.zhang.pen.receive(other, group.li.pen.rid, 7)
    waiting = group.zhang.set(other, PATH, "waits for what will never come")
    group.zhang.sync()
    assert group.zhang.verdict(other, waiting) == ("held", None)
    group.li.set(group.visit, PATH, "one")
    group.li.sync()
    group.li.pen.chains.pop(group.visit)
    group.li.set(group.visit, PATH, "clone")
    assert group.li.sync()["results"][0]["verdicts"] == [[1, "fork", None]]
    assert group.li.sync([{"visit": other, "ops": []}])["results"][0]["acked"] == 0
    group.li.queue.clear()
    group.li.set(other, PATH, "x")
    assert group.li.sync()["results"][0]["verdicts"] == [[1, "fork", None]]
    assert group.zhang.sync([{"visit": other, "ops": []}])["results"][0]["acked"] == 1
