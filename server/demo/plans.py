"""The demo's annual plans: this year's, released, filed and once amended; next year's, in the making."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from server.demo.district import BRIGADE, HAZCHEM, INDUSTRY
from server.demo.item_list import LEGAL_CLERK
from server.demo.plan import moment
from server.domain.subject import Subject
from server.office import joint_lists, plan_lines
from server.office import plans as office
from server.office.plan_facts import proposal_for, released_items
from server.store.people import Person
from server.store.session import Connection

CLERKS: Final = {
    HAZCHEM: Person("clerk", "clerk", "周敏", HAZCHEM, ("unit_clerk",), None),
    INDUSTRY: Person("clerk-ic", "clerk-ic", "罗秋燕", INDUSTRY, ("unit_clerk",), None),
    BRIGADE: Person("clerk-brigade", "clerk-brigade", "田玉洁", BRIGADE, ("unit_clerk",), None),
}
HEADS: Final = {
    HAZCHEM: Person("head", "head", "郑国强", HAZCHEM, ("unit_head",), None),
    INDUSTRY: Person("head-ic", "head-ic", "田振华", INDUSTRY, ("unit_head",), None),
    BRIGADE: Person("head-brigade", "head-brigade", "任志刚", BRIGADE, ("unit_head",), None),
}
PRINCIPAL: Final = Person("principal", "principal", "马文博", None, ("principal",), None)

OPENED_AGO, RELEASED_AGO, AMENDED_AGO, NEXT_AGO = 205, 196, 58, 9
"""On which weekday before today: the plan begun, released, amended (after the list's third version), the next begun."""

FIRST_LINES: Final = (
    (HAZCHEM, "hazchem-storage", "全区危险化学品储存单位", 12, 20, None, None),
    (INDUSTRY, "workshop-fire", "街道和乡镇的工贸企业车间", 34, 30, "lead", "卧龙区消防救援大队"),
    (INDUSTRY, "confined-space", "有限空间作业的工贸企业", 12, 0, None, None),
    (BRIGADE, "workshop-fire", "执法大队辖区内的工贸企业车间", 12, 0, None, None),
)
"""Unit, item, scope, count, share of unified draws, joint, partner: the plan as first released."""

ADDED_LINE: Final = (INDUSTRY, "special-operations", "涉及特种作业的生产经营单位", 24, 0, None, None)
MARKET: Final = "卧龙区市场监督管理局"
JOINED_LINE: Final = (BRIGADE, "hazchem-storage", "市场监管部门牵头的联合抽查", 3, 100, "participant", MARKET)
"""What the amendment brings in."""


def fill(conn: Connection, today: date, everybody: Sequence[Subject]) -> None:
    """Both plans by the office's own acts."""
    _this_year(conn, today)
    _amended(conn, today, everybody)
    _next_year(conn, today)


# --- this year --------------------------------------------------------------------------------------------------------


def _this_year(conn: Connection, today: date) -> None:
    year, at = today.year, moment(today, OPENED_AGO, 9)
    values = {"year": str(year), "supervision_plan": f"宛卧应急〔{year}〕3 号"}
    office.open_plan(conn, LEGAL_CLERK, at, values)
    for row in FIRST_LINES:
        _signed(conn, today, OPENED_AGO - 2, year, row)
    for unit in CLERKS:
        office.submit_part(conn, CLERKS[unit], moment(today, OPENED_AGO - 4, 16), year, unit)
    _release(conn, today, RELEASED_AGO, year, 4)


def _amended(conn: Connection, today: date, everybody: Sequence[Subject]) -> None:
    year = today.year
    office.amend(
        conn, LEGAL_CLERK, moment(today, AMENDED_AGO, 9), year, "事项清单增加特种作业，补列抽查；参加区里的联合抽查。"
    )
    _signed(conn, today, AMENDED_AGO - 1, year, ADDED_LINE)
    joined = _signed(conn, today, AMENDED_AGO - 1, year, JOINED_LINE)
    for unit in (INDUSTRY, BRIGADE):
        office.submit_part(conn, CLERKS[unit], moment(today, AMENDED_AGO - 2, 16), year, unit)
    _release(conn, today, AMENDED_AGO - 7, year, 11)
    _leads_list(conn, today, joined, everybody)


def _release(conn: Connection, today: date, ago: int, year: int, number: int) -> None:
    """Consolidated, approved, filed twice and released."""
    office.consolidate(conn, LEGAL_CLERK, moment(today, ago + 3, 10), year)
    office.approve(conn, PRINCIPAL, moment(today, ago + 2, 10), year)
    filed_on = moment(today, ago + 1, 9).date().isoformat()
    for kind, authority, name in (
        ("upper", "南阳市应急管理局", "宛应急备"),
        ("market", MARKET, "宛卧市监备"),
    ):
        values = {"kind": kind, "authority": authority, "number": f"{name}〔{year}〕{number} 号", "filed_on": filed_on}
        office.file_plan(conn, LEGAL_CLERK, moment(today, ago + 1, 15), year, values)
    office.release(conn, LEGAL_CLERK, moment(today, ago, 9), year)


def _leads_list(conn: Connection, today: date, line_id: str, everybody: Sequence[Subject]) -> None:
    """What the market regulator drew, as its file came: three subjects, one of them not in the library."""
    drawn = [everybody[place - 1] for place in (6, 9)]
    rows = [(one.uscc or "", one.name) for one in drawn]
    text = "统一社会信用代码,单位名称\n" + "".join(f"{code},{name}\n" for code, name in [*rows, UNKNOWN])
    values = {
        "lead": MARKET,
        "document": f"宛卧市监〔{today.year}〕27 号",
        "drawn_on": moment(today, AMENDED_AGO - 10, 9).date().isoformat(),
    }
    sent = "联合抽查名单.csv", text.encode()
    joint_lists.import_list(conn, CLERKS[BRIGADE], moment(today, AMENDED_AGO - 11, 10), line_id, values, sent)


UNKNOWN: Final = ("91411303MA9K2Q7T5L", "南阳市白河仓储有限公司")


# --- next year --------------------------------------------------------------------------------------------------------


def _next_year(conn: Connection, today: date) -> None:
    """The draft: a unit that has submitted, one with a line to sign, one below the floor that asks the principal."""
    year = today.year + 1
    values = {"year": str(year), "supervision_plan": f"宛卧应急〔{today.year}〕61 号"}
    office.open_plan(conn, LEGAL_CLERK, moment(today, NEXT_AGO, 9), values)
    _signed(conn, today, NEXT_AGO - 2, year, FIRST_LINES[0])
    special = (HAZCHEM, "special-operations", "涉及特种作业的生产经营单位", 11, 0, None, None)
    _entered(conn, today, NEXT_AGO - 3, year, special)
    _signed(conn, today, NEXT_AGO - 2, year, FIRST_LINES[1])
    low = (INDUSTRY, "confined-space", "有限空间作业的工贸企业", 4, 0, None, None)
    _entered(conn, today, NEXT_AGO - 3, year, low, "明年上半年两人到期离岗，先保证重点企业。")
    _signed(conn, today, NEXT_AGO - 2, year, FIRST_LINES[3])
    office.submit_part(conn, CLERKS[BRIGADE], moment(today, NEXT_AGO - 4, 16), year, BRIGADE)
    days = {"other_days": "60"}
    office.set_other_days(conn, CLERKS[HAZCHEM], moment(today, NEXT_AGO - 4, 17), year, HAZCHEM, days)


Row = tuple[str, str, str, int, int, str | None, str | None]


def _signed(conn: Connection, today: date, ago: int, year: int, row: Row) -> str:
    line_id = _entered(conn, today, ago, year, row)
    plan_lines.sign_line(conn, HEADS[row[0]], moment(today, ago, 15), line_id)
    return line_id


def _entered(conn: Connection, today: date, ago: int, year: int, row: Row, reason: str = "") -> str:
    unit, item, scope, count, unified, joint, partner = row
    at = moment(today, ago, 10)
    _, listed = released_items(conn, at.date())
    raised = proposal_for(conn, listed[item], unit, year, at.date()).flagged
    values: Mapping[str, object] = {
        "item_id": item,
        "scope": scope,
        "window_from": f"{year}-03-01",
        "window_to": f"{year}-11-30",
        "count": count,
        "flagged_count": raised,
        "unified_share": unified,
        "own_share": 100 - unified,
        "joint": joint or "",
        "partner": partner or "",
        "reason": reason,
    }
    entered = {name: str(value) for name, value in values.items()}
    return plan_lines.add_line(conn, CLERKS[unit], at, year, entered)
