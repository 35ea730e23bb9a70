"""The verdict on one op: the first reason that applies, in the page's order."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from server.sync import ops
from server.sync.judge import Assigned, Case, Device, Interest, Standing, VisitFacts, leader_of, role_of, verdict_on
from server.sync.pen import Pen

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
VISIT, TPL = "0193a1b2-0000-7000-8000-00000000beef", "6" * 64
POINTS = frozenset({"p1"})
PENS = {officer: Pen(letter * 32, officer) for officer, letter in (("li", "a"), ("zhang", "b"), ("zhao", "c"))}
CREW = [Assigned("srv", 1, "li", "leader", 1), Assigned("srv", 2, "zhang", "member", 2)]
FACTS = VisitFacts(VISIT, TPL, "2026-11-01", "2026-12-31", 1, "open", Standing(CREW))


def judged(officer: str = "li", /, **more: Any) -> tuple[str, str | None]:
    """The verdict on a valid `set` by an officer, but for what is said otherwise."""
    pen = PENS[officer]
    case: dict[str, Any] = {"visit": FACTS, "points": POINTS, "certificates": {}, "received": NOW}
    case |= {name: more.pop(name) for name in list(more) if name in (*case, "set_aside")}
    device = Device(pen.rid, officer, pen.public_jwk, revoked=more.pop("revoked", False))
    ctx = {"srv": 2, **more.pop("ctx", {})}
    op = {
        "v": 1, "visit": VISIT, "rid": pen.rid, "seq": 1, "kind": "set", "path": ["visit", "summary"], "val": "x",
        "base": [], "ctx": ctx, "author": officer, "via": None, "at": "2026-11-24T10:00:00+08:00", "clk": None,
        "tpl": TPL, "app": "1", "geo": None, "prev": "",
    }  # fmt: skip
    return verdict_on(Case(read=ops.read(pen.seal({**op, **more})), device=device, **case))


def facts(**more: Any) -> VisitFacts:
    """The visit with other facts."""
    standing = {name: more.pop(name) for name in ("crew", "interests") if name in more}
    return msgspec.structs.replace(FACTS, standing=msgspec.structs.replace(FACTS.standing, **standing), **more)


REMOVED = facts(crew=[*CREW, Assigned("srv", 3, "zhang", "removed", 9)])
LED_BY_ZHANG = facts(crew=[*CREW, Assigned("srv", 3, "li", "member", 9), Assigned("srv", 4, "zhang", "leader", 10)])
INTEREST = facts(interests=[Interest("a" * 32, 7, "li")])
RESULT = {"path": ["visit", "result"], "val": "no_problem_found"}
SIGN: dict[str, Any] = {
    "digest": "0" * 64, "cut": {"srv": 1}, "excluded": [], "role": "member", "image": "0" * 64, "strokes": None,
    "refused": None,
}  # fmt: skip
PROPOSAL = {"digest": "0" * 64, "cut": {"srv": 1}, "result": "x", "signatures": []}
BY_ZHANG: dict[str, Any] = {"kind": "sign", "path": ["sign", "zhang"], "val": SIGN, "author": "zhang", "via": "li"}


@pytest.mark.parametrize(
    ("officer", "more", "reason"),
    [
        ("li", {"v": 2, "kind": "sing"}, "unknown_kind"),
        ("li", {"kind": "void", "path": ["visit"]}, "server_kind"),
        ("li", {"path": ["visit", "weather"], "val": 1.5}, "bad_path"),
        ("li", {"path": ["answer", "p9", "verdict"], "val": "pass"}, "bad_path"),
        ("li", {"path": ["answer", "p9", "verdict"], "val": 1}, "bad_path"),
        ("li", {"val": 1, "author": "zhang"}, "bad_value"),
        ("li", {"author": "zhang", "revoked": True}, "bad_author"),
        ("li", {"via": "zhang"}, "bad_author"),
        ("li", {"path": ["visit", "no_interest:zhang"], "val": {"interest": False, "reason": None}}, "bad_author"),
        ("li", {"kind": "confirm", "path": ["sign", "zhang"], "val": {"op": "srv:1"}}, "bad_author"),
        ("li", {"kind": "sign", "path": ["sign", "zhang"], "val": SIGN}, "bad_author"),
        ("li", {**BY_ZHANG, "path": ["sign", "subject"]}, "bad_author"),
        ("zhao", {"revoked": True}, "device_revoked"),
        ("zhao", {}, "not_member"),
        ("li", {"visit": None}, "not_member"),
        ("zhang", {"visit": REMOVED}, "reassigned"),
        ("zhang", {"visit": REMOVED, "ctx": {"srv": 3}}, "not_member"),
        ("zhang", {"visit": REMOVED, "ctx": {"srv": 3}, "tpl": "0" * 64}, "not_member"),
        ("li", {"visit": INTEREST, "ctx": {"a" * 32: 7}, "seq": 8}, "recused"),
        ("li", {"visit": facts(state="void"), "tpl": "0" * 64}, "void_visit"),
        ("li", {"tpl": "0" * 64, "certificates": {"li": "2026-10-31"}}, "template_mismatch"),
        ("zhang", {"certificates": {"zhang": "2026-10-31"}, **RESULT}, "no_licence_at_time"),
        ("zhang", RESULT, "not_leader"),
        ("zhang", {"path": ["visit", "result:i1"], "val": ["x"]}, "not_leader"),
        ("zhang", {"path": ["visit", "section:s"], "val": ["li"]}, "not_leader"),
        ("zhang", {"kind": "propose_final", "path": ["final"], "val": PROPOSAL}, "not_leader"),
        ("li", {"visit": LED_BY_ZHANG, **RESULT}, "reassigned"),
        ("li", {"visit": LED_BY_ZHANG, **RESULT, "ctx": {"srv": 4}}, "not_leader"),
        ("li", {"set_aside": "not_member"}, "not_member"),
    ],
)  # fmt: skip
def test_the_first_reason_that_applies_is_given(officer: str, more: dict[str, Any], reason: str) -> None:
    assert judged(officer, **more) == ("quarantined", reason)


@pytest.mark.parametrize(
    ("officer", "more", "verdict"),
    [
        ("li", {}, ("ok", None)),
        ("li", RESULT, ("ok", None)),
        ("zhang", {"path": ["visit", "basis:i1"]}, ("ok", None)),
        ("li", BY_ZHANG, ("ok", None)),
        ("li", {"kind": "sign", "path": ["sign", "subject"], "val": SIGN}, ("ok", None)),
        ("li", {"visit": INTEREST}, ("ok", None)),
        ("li", {"at": "2026-11-24T10:05:01+08:00"}, ("ok", "clock_ahead")),
        ("li", {"at": "2026-11-24T10:05:00+08:00"}, ("ok", None)),
        ("li", {"at": "2016-11-24T10:05:00+08:00"}, ("ok", None)),
        ("li", {"certificates": {"li": "2026-12-15"}}, ("ok", "licence_expiring")),
        ("li", {"certificates": {"li": "2026-11-01"}}, ("ok", "licence_expiring")),
        ("li", {"visit": facts(state="final"), "tpl": "0" * 64}, ("late", None)),
    ],
)
def test_what_has_effect_or_comes_too_late(officer: str, more: dict[str, Any], verdict: tuple[str, str | None]) -> None:
    assert judged(officer, **more) == verdict


def test_the_crew_is_ordered_by_epoch_first() -> None:
    crew = [Assigned("srv2", 1, "li", "member", 9), Assigned("srv", 40, "li", "removed", 8)]
    found = role_of(crew, "li")
    assert found is not None and found.role == "member"
    at_the_cut = role_of(crew, "li", {"srv": 40})
    assert at_the_cut is not None and at_the_cut.role == "removed"


def test_nobody_leads_a_crew_whose_leader_was_removed() -> None:
    assert leader_of([*CREW, Assigned("srv", 3, "li", "removed", 9)]) is None


def test_a_reason_is_found_for_whatever_is_read() -> None:
    """An op that lacks a member of its envelope is judged without the rest of the facts."""
    op = json.loads(PENS["li"].seal({"v": 1, "visit": VISIT, "rid": "a" * 32, "seq": 1, "kind": "set"}))
    case = Case(ops.read(json.dumps(op).encode()), Device("a" * 32, "li", {}), FACTS, POINTS, {}, NOW)
    assert verdict_on(case) == ("quarantined", "bad_value")
