"""The acts on rule sets, on the calendar and on inspections outside the draw."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from server.domain.rule_entry import fields_of
from server.domain.ruleset import FIRST
from server.store import tables
from tests.office.district import Office
from tests.office.walks import Step

PROPOSED = fields_of(FIRST) | {"in_force_from": "2099-01-01", "reason": "按年度评估调整", "cap": "1"}
NEXT_YEAR = {
    "year": "2027",
    "state": "released",
    "source": "国务院办公厅关于 2027 年部分节假日安排的通知",
    "number": "国办发明电〔2026〕99 号",
    "off": "2027-01-01 至 2027-01-03\n2027-02-05 至 2027-02-11",
    "makeup": "2027-02-20",
    "step": "import",
}


def post(office: Office, who: str, path: str, **form: str) -> Step:
    """A step that posts a form."""
    return Step(who, lambda: office.client(who).post(path, data=form))


def made(office: Office, who: str, path: str, **form: str) -> str:
    """Posts a form that makes something, and gives the address of what was made."""
    answer = office.client(who).post(path, data=form)
    assert answer.status_code == 303, answer.text[:600]
    return str(answer.headers["location"])


def code_in_library(office: Office, unit: str = "hazchem-section") -> str:
    """The code of a subject in a unit's library."""
    subject, library = tables.subject, tables.unit_subject
    query = sa.select(subject.c.uscc).join(library).where(library.c.unit_id == unit).order_by(subject.c.id).limit(1)
    with office.db.read() as conn:
        return str(conn.scalar(query))


def _decide(who: str, act: str, **form: str) -> Callable[[Office], Step]:
    """A version of its own, and the decision on it."""

    def walk(office: Office) -> Step:
        version = made(office, "legal", "/office/rules/new", **PROPOSED)
        return post(office, who, f"{version}/{act}", **form)

    return walk


def entered(office: Office, **more: str) -> dict[str, str]:
    """What a clerk enters about an inspection outside the draw."""
    return {
        "code": code_in_library(office),
        "held_on": "2026-11-20",
        "kind": "other",
        "text": "企业申请复产，请求到场核验",
    } | more


def _inspection(act: str, kind: dict[str, str], **form: str) -> Callable[[Office], Step]:
    def walk(office: Office) -> Step:
        recorded = made(office, "clerk", "/office/non-random/new", **entered(office, **kind))
        return post(office, "head", f"{recorded}/{act}", **form)

    return walk


OTHER, INCIDENT = {"kind": "other"}, {"kind": "incident", "text": ""}

WALKS = {
    "rules.propose": lambda office: post(office, "legal", "/office/rules/new", **PROPOSED),
    "rules.approve": _decide("principal", "approve"),
    "rules.reject": _decide("principal", "reject", reason="依据不足"),
    "rules.withdraw": _decide("legal", "withdraw", reason="数字有误"),
    "calendar.import": lambda office: post(office, "admin", "/office/calendar/import", **NEXT_YEAR),
    "non_random.record": lambda office: post(office, "clerk", "/office/non-random/new", **entered(office)),
    "non_random.approve": _inspection("approve", OTHER),
    "non_random.refuse": _inspection("refuse", OTHER, reason="应纳入随机抽查"),
    "non_random.withdraw": _inspection("withdraw", INCIDENT, reason="重复登记"),
}
