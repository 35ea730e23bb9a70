"""The acts on a visit: review, and the ops of the office."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from server.store import tables
from tests.office.district import IDS, Office
from tests.office.walks import Step


def _review(name: str, act: str, who: str = "clerk", **form: str) -> Callable[[Office], Step]:
    return lambda office: Step(who, lambda: office.act(who, name, act, round="1", **form))


def _set_aside(office: Office) -> Step:
    """The entry that came after the final of a visit."""
    late = office.view("ordered")["late"]
    assert isinstance(late, list)
    return Step("clerk", lambda: office.act("clerk", "ordered", "set_aside", op=late[0], reason="与定稿无关"))


def _op(who: str, name: str, kind: str, path: list[str], val: dict[str, Any]) -> Callable[[Office], Step]:
    body = {"kind": kind, "path": path, "val": val}
    return lambda office: Step(who, lambda: office.client(who).post(f"/api/visits/{IDS[name]}/acts", json=body))


def _admit(office: Office) -> Step:
    waiting = office.view("conflict")["quarantined"]
    assert isinstance(waiting, list)
    return Step("clerk", lambda: office.act("clerk", "conflict", "admit", op=waiting[0]["op"], reason="核对无误"))


def _rule(office: Office) -> Step:
    """Takes the effect away from the newest answer that a phone gave on the visit."""
    op = tables.op
    query = (
        sa.select(op.c.rid, op.c.seq)
        .where(op.c.visit_id == IDS["stale"], op.c.kind == "set", op.c.standing == "ok")
        .order_by(op.c.n.desc())
        .limit(1)
    )
    with office.db.read() as conn:
        rid, seq = conn.execute(query).one()
    step: Step = _op("clerk", "stale", "rule", ["op", f"{rid}:{seq}"], {"verdict": "quarantined", "reason": "x"})(
        office
    )
    return step


WALKS = {
    "approve_record": _review("unqualified", "approve", who="clerk-ic"),
    "material.set_aside": _set_aside,
    "refusal.note": lambda office: Step("head", lambda: office.act("head", "returned", "note_refusal")),
    "return": _review("refused", "return", comment="请补一张门卫登记的照片。"),
    "op.admit": _admit,
    "op.rule": _rule,
    "op.assign": _op("head", "fresh-two", "assign", ["crew", "wang"], {"role": "removed", "reason": "另有任务"}),
    "op.reopen": lambda office: Step("head", lambda: office.act("head", "returned", "reopen", reason="按审核意见补正")),
    "op.void": lambda office: Step("head", lambda: office.act("head", "fresh-one", "void", reason="重复派发")),
}
