"""Whatever comes in at the phones' door: the exact answer, and what of the batch is stored. Never a 5xx."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from server.sync import ops
from tests.dispatching import dispatch_at
from tests.phone import Phone
from tests.running import Running

PATH = ["visit", "summary"]


class Bench:
    """A leader's phone in a fresh visit, a colleague to see what was stored, and raw bodies."""

    def __init__(self, server: Running) -> None:
        self.url = server.url
        self.visit = dispatch_at(server)
        self.li = Phone(server.url, "li").start(self.visit)
        self.zhang = Phone(server.url, "zhang").start(self.visit)

    def good(self, text: str = "good") -> bytes:
        """The leader's next op."""
        id_ = self.li.set(self.visit, PATH, text)
        return self.li.own[f"{self.visit}/{id_}"]

    def changed(self, without: str = "", **instead: Any) -> bytes:
        """The leader's next op with other values in its envelope, signed and chained all the same."""
        before = self.li.pen.chains.get(self.visit, (0, ""))
        op = json.loads(self.good())
        self.li.pen.chains[self.visit] = before
        changed = {key: value for key, value in {**op, **instead}.items() if key not in ("sig", without)}
        return self.li.pen.append(self.visit, changed)

    def body(self, *raws: bytes, extra: str = "", entry: str = "") -> bytes:
        """A request with these ops, byte for byte."""
        head = f'{{"proto":1,"rid":"{self.li.pen.rid}"{extra},"push":[{{"visit":"{self.visit}"{entry},"ops":['
        return head.encode() + b",".join(raws) + b"]}]}"

    def post(self, body: bytes) -> httpx.Response:
        """Sends a body as it is."""
        return self.li.http.post("/api/sync", content=body, headers={"Content-Type": "application/json"})

    def verdicts(self, answer: httpx.Response) -> list[list[Any]]:
        """What the only result says of each op."""
        assert answer.status_code == 200, answer.text
        (result,) = answer.json()["results"]
        return [[verdict, reason if verdict != "dead" else "id"] for _, verdict, reason in result["verdicts"]]

    def stored(self) -> list[tuple[str, str | None]]:
        """What a colleague sees of the leader's ops: the verdict and reason of each, in order."""
        self.zhang.drain()
        entries = self.zhang.entries[self.visit]
        own = [entry for _, entry in sorted(entries.items()) if _rid(entry) == self.li.pen.rid]
        return [(entry["verdict"], entry["reason"]) for entry in own]


def _rid(entry: dict[str, Any]) -> str:
    rid: str = entry["op"]["rid"] if entry["op"] else entry["rid"]
    return rid


@pytest.fixture
def bench(server: Running) -> Bench:
    return Bench(server)


@pytest.fixture(scope="module")
def untouched(server: Running) -> Bench:
    """One visit for all requests that must leave nothing in it."""
    return Bench(server)


# --- the request as such: a problem, and nothing of it is stored ------------------------------------------------------


def _truncated(b: Bench) -> bytes:
    return b.body(b.good())[:-9]


def _truncated_op(b: Bench) -> bytes:
    return b.body(b.good(), b.good()[:-20])


def _nan(b: Bench) -> bytes:
    return b.body(b.good(), b.good().replace(b'"good"', b"NaN"))


def _surrogate(b: Bench) -> bytes:
    return b.body(b.good(), b.good().replace(b'"good"', b'"\\ud800"'))


def _control(b: Bench) -> bytes:
    return b.body(b.good(), b.good().replace(b'"good"', b'"\x01"'))


def _deep(b: Bench) -> bytes:
    return b.body(b.good(), b"[" * 100_000 + b"]" * 100_000)


def _deep_and_cut(b: Bench) -> bytes:
    return b.body(b.good(), b"[" * 100_000)


def _deep_val(b: Bench) -> bytes:
    return b.body(b.good(), b.good().replace(b'"good"', b"[" * 65 + b"]" * 65))


def _bad_utf8_outside(b: Bench) -> bytes:
    return b.body(b.good(), extra=',"epoch":"x"').replace(b'"epoch":"x"', b'"epoch":"\xff"')


def _bad_utf8_key(b: Bench) -> bytes:
    return b.body(b.good(), extra=',"\\u0078":1').replace(b"\\u0078", b"\xff\xfe")


def _twice(b: Bench) -> bytes:
    return b.body(b.good(), extra=',"proto":1')


def _unknown_member(b: Bench) -> bytes:
    return b.body(b.good(), extra=',"surprise":1')


def _no_rid(b: Bench) -> bytes:
    return b.body(b.good()).replace(b'"rid":"' + b.li.pen.rid.encode() + b'","push"', b'"push"', 1)


def _nan_outside(_b: Bench) -> bytes:
    return b'{"a":NaN}'


def _surrogate_outside(_b: Bench) -> bytes:
    return b'{"a":"\\ud800"}'


def _endless_cursor(b: Bench) -> bytes:
    return b.body(b.good(), extra=f',"pull":{{"{b.visit}":{10**30}}}')


def _array(_b: Bench) -> bytes:
    return b"[]"


def _empty(_b: Bench) -> bytes:
    return b""


def _server_as_caller(b: Bench) -> bytes:
    return b.body(b.good()).replace(f'"rid":"{b.li.pen.rid}","push"'.encode(), b'"rid":"srv","push"', 1)


def _bad_visit(b: Bench) -> bytes:
    return b.body().replace(b.visit.encode(), b"../../etc")


def _huge(b: Bench) -> bytes:
    return b.body(b.good(), b'"' + b"x" * (11 << 20) + b'"')


def _over_a_mebibyte(b: Bench) -> bytes:
    return b.body(b.good(), b'"' + b"x" * (1 << 20) + b'"')


def _too_many(b: Bench) -> bytes:
    return b.body(*[b"{}"] * 501)


def _old(b: Bench) -> bytes:
    return b.body(b.good()).replace(b'"proto":1', b'"proto":0')


def _unborn(b: Bench) -> bytes:
    return b.body(b.good()).replace(b'"proto":1', b'"proto":99,"shape":"of the future"')


def _not_mine(b: Bench) -> bytes:
    return b.body(b.good()).replace(f'"rid":"{b.li.pen.rid}","push"'.encode(), b'"rid":"%s","push"' % (b"0" * 32), 1)


def _colleagues(b: Bench) -> bytes:
    mine, his = b.li.pen.rid.encode(), b.zhang.pen.rid.encode()
    return b.body(b.good()).replace(b'"rid":"' + mine + b'","push"', b'"rid":"' + his + b'","push"', 1)


REQUESTS: list[tuple[Callable[[Bench], bytes], int, str]] = [
    (_truncated, 400, "not_json"),
    (_truncated_op, 400, "not_json"),
    (_nan, 400, "not_json"),
    (_surrogate, 400, "not_json"),
    (_control, 400, "not_json"),
    (_deep, 400, "too_deep"),
    (_deep_and_cut, 400, "too_deep"),
    (_deep_val, 400, "too_deep"),
    (_bad_utf8_outside, 400, "not_json"),
    (_bad_utf8_key, 400, "not_json"),
    (_twice, 400, "not_json"),
    (_unknown_member, 400, "bad_request"),
    (_no_rid, 400, "bad_request"),
    (_nan_outside, 400, "not_json"),
    (_surrogate_outside, 400, "not_json"),
    (_endless_cursor, 400, "bad_request"),
    (_array, 400, "bad_request"),
    (_empty, 400, "not_json"),
    (_server_as_caller, 400, "bad_request"),
    (_bad_visit, 400, "bad_request"),
    (_huge, 413, "too_large"),
    (_over_a_mebibyte, 413, "too_large"),
    (_too_many, 413, "too_large"),
    (_old, 426, "min_proto"),
    (_unborn, 426, "min_proto"),
    (_not_mine, 403, "unenrolled"),
    (_colleagues, 403, "unenrolled"),
]


@pytest.mark.parametrize("make", [_old, _unborn])
def test_a_program_is_told_the_least_version_without_reading_the_sentence(
    untouched: Bench, make: Callable[[Bench], bytes]
) -> None:
    told = untouched.post(make(untouched)).json()
    assert (told["status"], told["code"], told["min_proto"]) == (426, "min_proto", 1)
    assert set(told) == {"type", "title", "status", "detail", "code", "min_proto"}


@pytest.mark.parametrize(("make", "status", "code"), REQUESTS, ids=[make.__name__[1:] for make, _, _ in REQUESTS])
def test_a_request_that_is_refused_leaves_nothing_behind(
    untouched: Bench, make: Callable[[Bench], bytes], status: int, code: str
) -> None:
    untouched.li.pen.chains.clear()
    untouched.li.queue.clear()
    answer = untouched.post(make(untouched))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert untouched.stored() == []
    assert untouched.li.sync([{"visit": untouched.visit, "ops": []}])["results"][0]["acked"] == 0


def test_a_gzip_that_is_none_is_no_json(untouched: Bench) -> None:
    headers = {"Content-Encoding": "gzip"}
    answer = untouched.li.http.post("/api/sync", content=b"not gzip at all", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "not_json")


def test_a_gzip_bomb_is_too_large(untouched: Bench) -> None:
    bomb = gzip.compress(b" " * (64 << 20), 9)
    answer = untouched.li.http.post("/api/sync", content=bomb, headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_without_a_session_nothing_is_read(server: Running) -> None:
    with server.client() as stranger:
        answer = stranger.post("/api/sync", content=b"\xff\xff")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


# --- one op among good ones: its own verdict, and those beside it are stored ------------------------------------------


def _invalid_utf8(b: Bench) -> bytes:
    return b.good().replace(b'"good"', b'"\xff\xfe"')


def _duplicate_key(b: Bench) -> bytes:
    return b.good().replace(b'"good"', b'"good","val":"other"')


def _too_big_a_number(b: Bench) -> bytes:
    return b.good().replace(b'"good"', b"9007199254740993")


def _infinite(b: Bench) -> bytes:
    return b.good().replace(b'"good"', b"1e400")


def _not_an_object(b: Bench) -> bytes:
    b.good()
    return b'"hello"'


def _over_64k(b: Bench) -> bytes:
    return b.good("x" * 66_000)


def _bad_signature(b: Bench) -> bytes:
    document = json.loads(b.good())
    document["sig"] = "A" * 86
    return ops.canonical(document)


def _altered(b: Bench) -> bytes:
    return b.good().replace(b'"good"', b'"altered"')


def _another_visit(b: Bench) -> bytes:
    return b.changed(visit="11111111-1111-4111-8111-111111111111")


def _another_rid(b: Bench) -> bytes:
    return b.changed(rid=b.zhang.pen.rid)


def _extra_member(b: Bench) -> bytes:
    return b.changed(colour="red")


def _missing_member(b: Bench) -> bytes:
    return b.changed(without="app")


def _a_float(b: Bench) -> bytes:
    return b.changed(val=1.5)


def _a_whole_float(b: Bench) -> bytes:
    return b.changed(val=1.0).replace(b'"val":1,', b'"val":1.0,')


def _not_nfc(b: Bench) -> bytes:
    return b.changed(val="e\u0301")


def _depth_5(b: Bench) -> bytes:
    return b.changed(path=["visit", "left"], val={"a": {"b": {"c": {"d": {"e": 1}}}}})


def _newer_version(b: Bench) -> bytes:
    return b.changed(v=2)


def _newer_kind(b: Bench) -> bytes:
    return b.changed(kind="sing")


def _nameless_kind(b: Bench) -> bytes:
    return b.changed(kind="\0" * 3)


def _server_kind(b: Bench) -> bytes:
    return b.changed(kind="accept_final", path=["final"], val={"digest": "0" * 64, "round": 1, "signatures": []})


def _unknown_field(b: Bench) -> bytes:
    return b.changed(path=["visit", "weather"])


def _unknown_point(b: Bench) -> bytes:
    return b.changed(path=["answer", "p99", "verdict"], val="pass")


def _wrong_kind(b: Bench) -> bytes:
    return b.changed(val=True)


def _as_a_colleague(b: Bench) -> bytes:
    return b.changed(author="zhang")


def _another_checklist(b: Bench) -> bytes:
    return b.changed(tpl="0" * 64)


OPS: list[tuple[Callable[[Bench], bytes], str, str]] = [
    (_invalid_utf8, "dead", "id"),
    (_duplicate_key, "dead", "id"),
    (_too_big_a_number, "dead", "id"),
    (_infinite, "dead", "id"),
    (_not_an_object, "dead", "id"),
    (_over_64k, "dead", "id"),
    (_bad_signature, "dead", "id"),
    (_altered, "dead", "id"),
    (_another_visit, "dead", "id"),
    (_extra_member, "quarantined", "bad_value"),
    (_missing_member, "quarantined", "bad_value"),
    (_a_float, "quarantined", "bad_value"),
    (_a_whole_float, "quarantined", "bad_value"),
    (_not_nfc, "quarantined", "bad_value"),
    (_depth_5, "quarantined", "bad_value"),
    (_newer_version, "quarantined", "unknown_kind"),
    (_newer_kind, "quarantined", "unknown_kind"),
    (_nameless_kind, "quarantined", "unknown_kind"),
    (_server_kind, "quarantined", "server_kind"),
    (_unknown_field, "quarantined", "bad_path"),
    (_unknown_point, "quarantined", "bad_path"),
    (_wrong_kind, "quarantined", "bad_value"),
    (_as_a_colleague, "quarantined", "bad_author"),
    (_another_checklist, "quarantined", "template_mismatch"),
]


@pytest.mark.parametrize(("make", "verdict", "reason"), OPS, ids=[make.__name__[1:] for make, _, _ in OPS])
def test_an_op_has_its_own_verdict_and_those_beside_it_are_taken(
    bench: Bench, make: Callable[[Bench], bytes], verdict: str, reason: str
) -> None:
    body = bench.body(bench.good(), make(bench), bench.good())
    answer = bench.post(body)
    assert bench.verdicts(answer) == [["ok", None], [verdict, reason], ["ok", None]]
    assert answer.json()["results"][0]["acked"] == 3
    seen = bench.stored()
    assert [it[0] for it in seen] == ["ok", verdict, "ok"]
    assert verdict == "dead" or seen[1][1] == reason
    again = bench.post(body)
    standing = f"quarantined:{reason}" if verdict == "quarantined" else None
    expected = ["dead", "id"] if verdict == "dead" else ["dup", standing]
    assert bench.verdicts(again) == [["dup", None], expected, ["dup", None]]
    assert bench.stored() == seen


def test_anothers_rid_in_ones_own_entry_is_dead_and_takes_no_place(bench: Bench) -> None:
    body = bench.body(bench.good(), _another_rid(bench), bench.good())
    answer = bench.post(body)
    assert bench.verdicts(answer) == [["ok", None], ["dead", "id"], ["held", None]]
    assert [it[0] for it in bench.stored()] == ["ok"]


def test_a_broken_chain_is_a_fork_and_freezes_the_replica_everywhere(bench: Bench) -> None:
    first, broken, third = bench.good(), bench.changed(prev="0" * 64), bench.good()
    assert bench.verdicts(bench.post(bench.body(first, broken, third))) == [
        ["ok", None],
        ["fork", None],
        ["fork", None],
    ]
    assert [it[0] for it in bench.stored()] == ["ok"]
    assert bench.verdicts(bench.post(bench.body(first, broken, third))) == [
        ["dup", None],
        ["fork", None],
        ["fork", None],
    ]


def test_another_groups_visit_is_answered_as_one_that_does_not_exist(bench: Bench) -> None:
    """I20: the same ops into a visit of others and into none at all: the answers differ in nothing but its name."""
    nowhere = "22222222-2222-4222-8222-222222222222"
    tpl = bench.li.assignments[bench.visit]["tpl"]
    answers = []
    for visit in (bench.visit, nowhere):
        stranger = Phone(bench.url, "zhao").start()
        steps = []
        bodies = [
            stranger.own[f"{visit}/{id_}"]
            for id_ in (
                stranger.write(visit, "set", PATH, "x", tpl=tpl),
                stranger.write(visit, "set", ["answer", "p99", "verdict"], "pass", tpl=tpl),
                stranger.write(visit, "set", PATH, "y", tpl=tpl, ctx={"srv": 1, stranger.pen.rid: 2}),
                stranger.write(visit, "set", PATH, "z", tpl=tpl),
            )
        ]
        for batch in (bodies[:1], bodies, bodies[3:], []):
            push = [{"visit": visit, "ops": [json.loads(body) for body in batch]}]
            request = stranger.request(push, pull={visit: 0}, have_media=["0" * 64])
            steps.append(stranger.post(request).json())
        text = json.dumps([{**step, "server_time": ""} for step in steps])
        answers.append(text.replace(visit, "VISIT").replace(stranger.pen.rid, "RID"))
    assert answers[0] == answers[1]
    assert '"held"' in answers[0] and '"not_member"' in answers[0]


def test_one_op_of_up_to_four_mebibytes_is_read_and_dead(bench: Bench) -> None:
    answer = bench.post(bench.body(bench.good("x" * (3 << 20))))
    assert bench.verdicts(answer) == [["dead", "id"]]
    assert answer.json()["results"][0]["acked"] == 1
    assert bench.verdicts(bench.post(bench.body(bench.good()))) == [["ok", None]]


def test_names_that_no_database_can_hold_do_no_harm(any_server: Running) -> None:
    bench = Bench(any_server)
    visit = bench.visit
    odd: dict[str, Any] = {
        "push": [{"visit": visit, "ops": [], "dead": [{"seq": 10**30, "raw": "AA=="}, {"seq": None, "raw": "!"}]}],
        "pull": {"\0": 1, visit: 0},
        "have_media": ["\0", "x", "0" * 64] * 70,
        "client": {"app": "a\0b", "schema": 1},
        "pending": {"ops": 10**15, "media": 0, "bytes": 0, "oldest": "\0"},
    }
    answer = bench.li.post(bench.li.request(**odd))
    assert answer.status_code == 200, answer.text
    assert [verdict for _, verdict, _ in answer.json()["results"][0]["verdicts"]] == ["dead", "dead"]
    kinds = bench.post(bench.body(_nameless_kind(bench)))
    assert bench.verdicts(kinds)[0][:1] == ["quarantined"]
    for path in ("/api/visits/%00/view", "/api/templates/%00", "/api/visits/%00/board"):
        assert bench.li.http.get(path).status_code == 404
    act = {"kind": "rule", "path": ["op", f"{bench.li.pen.rid}:1"], "val": {"verdict": "late", "reason": "\0"}}
    ruled = Phone(any_server.url, "clerk").sign_in()
    assert ruled.http.post(f"/api/visits/{visit}/acts", json=act).status_code < 500
