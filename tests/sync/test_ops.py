"""Operations on the wire: canonical bytes, what can be read, and the first thing that is wrong with one."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from server.sync.ops import MAX_OP, Unreadable, canonical, fault_of, hash_of, read, seal, stored
from server.sync.shapes import PHONE_KINDS, SERVER_KINDS
from tests.sync.scene import LI, WANG, wire

POINTS = {"p1"}
SUMMARY = ["visit", "summary"]
SHA = "5" * 64
ROW = f"{LI}:1"
PHOTO = {"size": 9, "mime": "image/jpeg", "for": "visit", "w": 1, "h": 1, "taken": None, "source": "camera"}
SIGN: dict[str, Any] = {
    "digest": SHA, "cut": {LI: 1}, "excluded": [], "role": "leader", "image": SHA, "strokes": None, "refused": None
}  # fmt: skip
FINAL = {"digest": SHA, "cut": {LI: 1}, "result": "unreachable", "signatures": []}

texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts
documents = st.recursive(
    scalars | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


# --- canonical bytes --------------------------------------------------------------------------------------------------


@settings(max_examples=1000)
@given(documents)
def test_the_fast_way_gives_the_bytes_of_rfc_8785(document: Any) -> None:
    assert canonical(document) == rfc8785.dumps(document)


@pytest.mark.parametrize(
    "document",
    [
        {"\U00010000": 1, "\uff01": 2, "a": 3},
        {"\ue000": 1, "\ud7ff": 2, "\U0010ffff": {"\uffff": 3}},
        "".join(map(chr, range(0x80))) + "\u2028\u2029\ufeff",
        [1.0, 1e21, 1e-7, -0.0, 5e-324, 333333333.33333329],
        {"": "", "é": "e\u0301", "10": 1, "9": 2},
    ],
    ids=lambda document: ascii(document)[:30],
)
def test_the_traps_of_canonical_json(document: Any) -> None:
    assert canonical(document) == rfc8785.dumps(document)


@pytest.mark.parametrize("number", [2**53, -(2**53), 2**64, float("nan"), float("inf")])
def test_a_number_that_has_no_canonical_form_is_refused(number: float) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical({"a": [number]})


def test_a_seal_signs_the_bytes_that_are_hashed() -> None:
    body = seal(wire(LI, 1, "set", SUMMARY, "x"), lambda signed: hashlib.sha256(signed).hexdigest())
    op = read(body)
    assert (op.sig, op.body) == (op.hash, body)
    assert op.op is not None
    assert hash_of(op.op) == op.hash
    assert stored(body) == op.op


# --- reading ----------------------------------------------------------------------------------------------------------


def raw(**more: Any) -> bytes:
    return json.dumps(wire(LI, 1, "set", SUMMARY, "x") | more).encode()


@pytest.mark.parametrize(
    "given",
    [
        b"", b"{", b"[]", b"null", b'"x"', raw()[:-1], b"[" * 100_000, raw() + b"{}",
        raw().replace(b'"x"', b'"\xff"'), raw().replace(b'"x"', b'"\xed\xa0\x80"'),
        raw().replace(b'"x"', b'"\\ud800"'),
        raw().replace(b'"x"', b'"\\ud800x"'), raw().replace(b'"x"', b'"\t"'), raw().replace(b'"x"', b"NaN"),
        raw().replace(b'"x"', b"1e400"), raw().replace(b'"x"', b"9007199254740993"),
        raw().replace(b'"x"', b"1" * 5000),
        raw().replace(b'"x"', b'{"a":1,"a":1}'), raw()[:-1] + b',"seq":1}', raw()[:-1] + b',"\\u0073eq":1}',
        raw().replace(b'"x"', b'[1.5,{"a":1,"a":2}]'),
        raw(val="x" * MAX_OP), raw(visit="x"), raw(visit=None), raw(rid="LI"), raw(rid="srv1"), raw(seq=0),
        raw(seq="1"),
        raw(seq=1.0), raw(seq=True),
    ],
    ids=lambda given: ascii(given[-40:]),
)  # fmt: skip
def test_what_nobody_can_read_is_dead(given: bytes) -> None:
    with pytest.raises(Unreadable):
        read(given)


def test_white_space_escapes_and_the_order_of_keys_change_nothing() -> None:
    document = wire(LI, 1, "set", SUMMARY, "安全 \u0007 𠮷")
    forms = [
        json.dumps(document).encode(),
        json.dumps(dict(reversed(document.items())), indent=2, ensure_ascii=False).encode(),
        canonical(document),
    ]
    assert [read(form) for form in forms] == [read(forms[2])] * 3


def test_an_op_waits_only_for_the_replicas_of_others() -> None:
    assert read(raw(ctx={LI: 9, WANG: 3, "srv": 1, "x": 1, "srv2": "1"})).ctx == {WANG: 3, "srv": 1}


@settings(max_examples=500)
@given(st.dictionaries(st.sampled_from(sorted(wire(LI, 1, "set", SUMMARY))) | texts, documents, max_size=4))
def test_whatever_stands_in_an_op_it_is_read_alike_in_any_form_or_dead(more: dict[str, Any]) -> None:
    document = wire(LI, 1, "set", SUMMARY, "x") | more
    try:
        op = read(json.dumps(document).encode())
    except Unreadable:
        with pytest.raises(Unreadable):
            read(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode())
        return
    assert op.fault is not None or op.op is not None
    assert read(json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()) == op
    assert read(op.signed).hash == op.hash


# --- what is wrong with one -------------------------------------------------------------------------------------------


def fault(kind: str, path: list[str], val: Any = None, more: dict[str, Any] | None = None) -> str | None:
    return fault_of(read(json.dumps(wire(LI, 1, kind, path, val) | (more or {})).encode()), POINTS)


@pytest.mark.parametrize(
    ("kind", "path", "val"),
    [
        ("set", SUMMARY, "x"), ("set", SUMMARY, None), ("set", ["answer", "p1", "verdict"], "pass"),
        ("set", ["finding", ROW, "crime"], True), ("set", ["media", SHA, "caption"], "门口"),
        ("set", ["visit", "methods"], ["site"]),
        ("set", ["visit", "no_interest:li"], {"interest": False, "reason": ""}),
        ("set", ["visit", "result:i-1"], ["unreachable"]),
        ("set", ["visit", "section:储存场所"], ["li"]),
        ("set", ["visit", "arrived"], {"at": "x", "geo": None, "nonce": "n"}),
        ("add", ["finding"], {}), ("add", ["finding"], {"text": "x", "crime": None}), ("del", ["finding", ROW], None),
        ("del", ["finding", ROW], {"reason": None}), ("undel", ["finding", ROW], {"reason": "x"}),
        ("attach", ["media", SHA], PHOTO),
        ("attach", ["media", SHA], PHOTO | {"for": f"finding:{ROW}", "w": None}),
        ("retract", ["media", SHA], {"reason": "x"}),
        ("sign", ["sign", "li"], SIGN), ("sign", ["sign", "subject"], SIGN), ("sign", ["sign", "expert:e1"], SIGN),
        ("confirm", ["sign", "li"], {"op": ROW}), ("propose_final", ["final"], FINAL),
    ],
    ids=str,
)  # fmt: skip
def test_what_a_phone_may_do(kind: str, path: list[str], val: Any) -> None:
    assert fault(kind, path, val) is None


@pytest.mark.parametrize(
    ("kind", "path", "val"),
    [
        ("set", ["visit", "no_such"], "x"), ("set", ["visit"], "x"), ("set", ["visit", "summary", "x"], "x"),
        ("set", [], "x"),
        ("set", ["answer", "p2", "verdict"], "pass"), ("set", ["answer", "p1", "no_such"], "x"),
        ("set", ["visit", "result:"], ["x"]),
        ("set", ["visit", "result:安"], ["x"]), ("set", ["visit", "summary:x"], "x"),
        ("set", ["visit", "section:"], []),
        ("set", ["finding", "x", "text"], "x"), ("set", ["media", "x", "caption"], "x"), ("set", ["op", ROW], "x"),
        ("set", ["answer", "p2", "verdict"], 1), ("add", ["finding", ROW], {}), ("add", ["visit"], {}),
        ("add", ["finding"], {"no_such": "x"}),
        ("del", ["finding"], None), ("del", ["finding", "x"], None), ("attach", ["media", "x"], PHOTO),
        ("sign", ["sign", "expert:"], SIGN),
        ("confirm", ["sign", "expert:e1"], {"op": ROW}), ("propose_final", ["final", "x"], FINAL),
        ("set", ["x"] * 7, "x"),
        ("set", ["__proto__", "x"], "x"), ("set", ["answer", "p1", "__proto__"], "x"),
    ],
    ids=str,
)  # fmt: skip
def test_a_place_that_does_not_exist(kind: str, path: list[str], val: Any) -> None:
    assert fault(kind, path, val) == "bad_path"


@pytest.mark.parametrize(
    ("kind", "path", "val"),
    [
        ("set", SUMMARY, 1), ("set", SUMMARY, 1.0), ("set", SUMMARY, "e\u0301"), ("set", SUMMARY, "字" * 2731),
        ("set", SUMMARY, ["x"]),
        ("set", ["visit", "notice_read"], 1), ("set", ["visit", "arrived"], {"a": [[[["x"]]]]}),
        ("set", ["visit", "arrived"], {"e\u0301": 1}),
        ("set", ["visit", "methods"], {}), ("set", ["visit", "arrived"], []),
        ("set", ["visit", "arrived"], {"a": 0.5}),
        ("add", ["finding"], None), ("add", ["finding"], []), ("add", ["finding"], {"text": 1}),
        ("add", ["finding"], {"crime": "x"}),
        ("del", ["finding", ROW], {}), ("del", ["finding", ROW], "x"), ("retract", ["media", SHA], None),
        ("retract", ["media", SHA], {"reason": None}),
        ("attach", ["media", SHA], None), ("attach", ["media", SHA], PHOTO | {"source": "fax"}),
        ("attach", ["media", SHA], PHOTO | {"for": "x"}),
        ("attach", ["media", SHA], PHOTO | {"size": -1}), ("attach", ["media", SHA], PHOTO | {"more": 1}),
        ("sign", ["sign", "li"], SIGN | {"digest": None}), ("sign", ["sign", "li"], SIGN | {"cut": {"x": 1}}),
        ("sign", ["sign", "li"], SIGN | {"cut": {LI: 0}}), ("sign", ["sign", "li"], SIGN | {"excluded": ["x"]}),
        ("sign", ["sign", "li"], SIGN | {"role": "boss"}), ("confirm", ["sign", "li"], {"op": "x"}),
        ("propose_final", ["final"], {}),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_a_value_that_cannot_stand_there(kind: str, path: list[str], val: Any) -> None:
    assert fault(kind, path, val) == "bad_value"


@pytest.mark.parametrize(
    "more",
    [
        {"base": [f"{WANG}:1"]}, {"base": [f"{LI}:1"]}, {"base": ["x"]}, {"base": [ROW, ROW]}, {"ctx": {WANG: 0}},
        {"ctx": {"x": 1}},
        {"ctx": {LI: 1}}, {"ctx": {LI: 10**9}}, {"author": "李"}, {"author": ""}, {"via": ""}, {"at": "2026-11-24"},
        {"at": "2026-13-24T10:00:00Z"},
        {"at": "2026-11-24T10:00:00"}, {"clk": {"off_ms": 1}}, {"clk": {"off_ms": 1.5, "age_s": 1}}, {"geo": {}},
        {"tpl": "x"}, {"app": None},
        {"app": "e\u0301"}, {"prev": "x"}, {"prev": None}, {"path": "visit"}, {"path": [1]}, {"more": 1},
        {"sig": None}, {"val": [[[[["x"]]]]]},
        {"v": 1.0}, {"kind": None}, {"base": sorted(f"{WANG}:{n}" for n in range(1, 18)), "ctx": {WANG: 17}},
        {"base": [f"{WANG}:9", f"{WANG}:10"], "ctx": {WANG: 17}},
    ],
    ids=str,
)  # fmt: skip
def test_an_envelope_that_has_not_its_form(more: dict[str, Any]) -> None:
    assert fault("set", SUMMARY, "x", more) == "bad_value"


def test_a_field_of_the_envelope_that_is_missing_is_a_fault_and_not_the_end_of_the_op() -> None:
    whole = wire(LI, 1, "set", SUMMARY, "x")
    for field in whole.keys() - {"visit", "rid", "seq", "sig"}:
        op = read(json.dumps({key: val for key, val in whole.items() if key != field}).encode())
        assert (op.op, fault_of(op, POINTS)) == (None, "bad_value")


def test_sixteen_heads_may_be_named_in_the_order_of_their_bytes() -> None:
    base = sorted(f"{WANG}:{n}" for n in range(1, 17))
    assert fault("set", SUMMARY, "x", {"base": base, "ctx": {WANG: 16}}) is None


@pytest.mark.parametrize(
    "more", [{"v": 2}, {"v": "1"}, {"v": True}, {"kind": "merge"}, {"v": 2, "newer": 1}, {"kind": "merge", "path": 5}]
)
def test_a_newer_version_or_kind_is_named_as_such_whatever_else_it_holds(more: dict[str, Any]) -> None:
    assert fault("set", SUMMARY, "x", more) == "unknown_kind"


def test_a_phone_does_none_of_the_servers_acts() -> None:
    assert {fault(kind, ["x"], 1.0) for kind in SERVER_KINDS} == {"server_kind"}
    assert {fault(kind, ["crew", "li"], {}, {"rid": "srv2"}) for kind in SERVER_KINDS} == {None}
    assert not PHONE_KINDS & SERVER_KINDS
