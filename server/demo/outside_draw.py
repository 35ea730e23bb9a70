"""The demo's inspections outside the draw, and a rule set that waits for the principal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from server.demo.district import HAZCHEM, INDUSTRY
from server.demo.item_list import CLERKS, LEGAL_CLERK
from server.demo.plan import moment
from server.domain.rule_entry import fields_of
from server.domain.subject import Subject
from server.office.non_random import record_non_random
from server.office.rules import propose_rules
from server.store.rules import rule_set_on
from server.store.session import Connection

_HELD: Final = (
    (HAZCHEM, 41, 22, "lead", "complaint", "", "举报称夜间在未经许可的场所分装危险化学品", ("hazchem-storage",)),
    (HAZCHEM, 8, 15, "special_requirement", "province", "豫安委办〔{year}〕31 号", "", ("hazchem-storage",)),
    (HAZCHEM, 15, 6, "other", "", "", "企业申请复产，主动请求到场核验", ()),
    (INDUSTRY, 490, 11, "case", "transferred", "", "消防救援大队转来的通道堵塞线索", ()),
)
"""Unit, place in the list of subjects, weekdays before today, and what the clerk entered."""


def fill(conn: Connection, today: date, everybody: Sequence[Subject]) -> None:
    """Records them all by the acts of the office; the last kind waits for the unit head."""
    for unit, place, ago, kind, ground, document, text, items in _HELD:
        values: Mapping[str, str] = {
            "code": everybody[place - 1].code,
            "held_on": moment(today, ago, 10).date().isoformat(),
            "kind": kind,
            "ground": ground,
            "document": document.format(year=today.year),
            "text": text,
        }
        record_non_random(conn, CLERKS[unit], moment(today, ago - 1, 9), values, items)
    _propose(conn, today)


def _propose(conn: Connection, today: date) -> None:
    """The legal unit asks for a sharper look at high risk from the first day of the next year."""
    fields = fields_of(rule_set_on(conn, today)) | {
        "ratio_high_D_plain": "15",
        "province_receipt": "yes",
        "in_force_from": f"{today.year + 1}-01-01",
        "reason": "按年度执法检查评估意见，提高高风险且信用差的对象的抽查比例；公示以省平台回执为准。",
    }
    propose_rules(conn, LEGAL_CLERK, moment(today, 4, 15), fields)
