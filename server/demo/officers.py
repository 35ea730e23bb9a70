"""Officers, experts, agencies, interests and leave of the demo district: synthetic, the same on every machine."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final, Literal, NamedTuple

from stdnum.cn import ric, uscc

from server.demo.district import BRIGADE, HAZCHEM, INDUSTRY, LEGAL, REGION
from server.demo.plan import moment
from server.domain.agency import AgencyEntry
from server.domain.interest import InterestEntry
from server.domain.leave import LeaveEntry
from server.domain.officer import ExpertEntry, OfficerEntry
from server.store import agencies, experts, interests, leaves, officers
from server.store.seal import Sealer
from server.store.session import Connection

_HC: Final = ("hazardous_chemicals", "safety_services")
_IC: Final = ("non_coal_mines", "industry_commerce")
_ALL: Final = ("hazardous_chemicals", "industry_commerce")

Sex = Literal["female", "male"]


class _Officer(NamedTuple):
    id: str
    name: str
    sex: Sex
    unit_id: str
    domains: tuple[str, ...]


class _Expert(NamedTuple):
    name: str
    sex: Sex
    unit_id: str
    employer: str
    title: str
    domains: tuple[str, ...]


_OFFICERS: Final = (
    _Officer("li", "李承远", "male", HAZCHEM, ("hazardous_chemicals", "safety_services", "industry_commerce")),
    _Officer("zhang", "张立", "male", HAZCHEM, _ALL),
    _Officer("wang", "王楠", "female", HAZCHEM, _ALL),
    _Officer("liu", "刘启明", "male", HAZCHEM, _HC),
    _Officer("song", "宋佳慧", "female", HAZCHEM, _HC),
    _Officer("zhao", "赵一诺", "female", INDUSTRY, _IC),
    _Officer("sun", "孙立群", "male", INDUSTRY, _ALL),
    _Officer("chen", "陈望舒", "female", INDUSTRY, _IC),
    _Officer("gao", "高志远", "male", INDUSTRY, _IC),
    _Officer("xu", "徐静雯", "female", INDUSTRY, ("industry_commerce",)),
    _Officer("luo", "罗建平", "male", INDUSTRY, ("industry_commerce",)),
    _Officer("officer-12", "吴静", "female", LEGAL, ("industry_commerce",)),
    _Officer("officer-13", "韩铭", "male", LEGAL, ("hazardous_chemicals",)),
    _Officer("officer-14", "曹子衡", "male", LEGAL, ("safety_services",)),
    _Officer("officer-15", "邓凯", "male", BRIGADE, _ALL),
    _Officer("officer-16", "冯晓岚", "female", BRIGADE, _ALL),
    _Officer("officer-17", "许文博", "male", BRIGADE, _HC),
    _Officer("officer-18", "彭海峰", "male", BRIGADE, _IC),
    _Officer("officer-19", "曾雨晴", "female", BRIGADE, _IC),
    _Officer("officer-20", "苏振东", "male", BRIGADE, _ALL),
    _Officer("officer-21", "卢思齐", "female", BRIGADE, _ALL),
    _Officer("officer-22", "蒋大伟", "male", BRIGADE, _IC),
    _Officer("officer-23", "贾明哲", "male", BRIGADE, _HC),
    _Officer("officer-24", "魏书航", "male", BRIGADE, _ALL),
)
_ENDS_SOON: Final = {"sun": 10, "officer-22": -20}
"""Officer -> days from today to the last day of his certificate: one ends in 10 days, one ran out."""

_EXPERTS: Final = (
    _Expert("钱学礼", "male", HAZCHEM, "南阳某设计院（已退休）", "高级工程师", ("hazardous_chemicals",)),
    _Expert("尹素芬", "female", HAZCHEM, "注册安全工程师事务所", "注册安全工程师", _HC),
    _Expert("郝国平", "male", INDUSTRY, "某机械厂", "高级工程师", ("industry_commerce",)),
    _Expert("孟凡荣", "male", INDUSTRY, "某电气检测公司", "电气工程师", ("industry_commerce",)),
    _Expert("史长青", "male", INDUSTRY, "某高校", "副教授", _IC),
    _Expert("段慧敏", "female", INDUSTRY, "某造纸厂", "安全总监", ("industry_commerce",)),
)

_AGENCIES: Final = (
    ("南阳中安技术检测有限公司", "MA9F2T6K", HAZCHEM),
    ("河南恒泰安全评价有限公司", "MA46Y1WD", INDUSTRY),
)

_INTERESTS: Final = (
    ("zhao", "subject-120", "kinship", "declared", "配偶的弟弟任该单位生产经理"),
    ("liu", "subject-017", "former_employer", "found", "2019 年以前在该单位任安全员"),
)

_LEAVE: Final = (
    ("song", -2, -4, "whole", "annual"),
    ("chen", -1, -1, "morning", "training"),
    ("officer-18", 1, -9, "whole", "sick"),
    ("liu", -2, -4, "whole", "training"),
    ("gao", 2, -2, "whole", "training"),
    ("xu", 2, -2, "whole", "training"),
    ("luo", 2, -2, "whole", "training"),
)
"""Officer, the weekdays before today of the first and the last day (below nought: after it), part of the day, kind."""


def fill(conn: Connection, sealer: Sealer, today: date, now: datetime) -> None:
    """The libraries of officers and experts; interests come when the subjects are there."""
    officers.insert_officers(conn, sealer, officer_entries(today), "demo", now)
    experts.insert_experts(conn, sealer, expert_entries(), "demo", now)
    agencies.insert_agencies(conn, _agencies(today), "demo", now)
    for place, (who, first, last, part, kind) in enumerate(_LEAVE, 1):
        since, until = (moment(today, ago, 9).date().isoformat() for ago in (first, last))
        leaves.add_leave(conn, f"leave-{place}", LeaveEntry(who, since, until, _part(part), kind, ""), "demo", now)


def fill_interests(conn: Connection, today: date, now: datetime) -> None:
    """The two interests."""
    for place, (who, subject, kind, source, note) in enumerate(_INTERESTS, 1):
        since = (today - timedelta(300)).isoformat()
        entry = InterestEntry(who, subject, kind, source, since, None, note)
        interests.add_interest(conn, f"interest-{place}", entry, "demo", now)


def officer_entries(today: date) -> dict[str, OfficerEntry]:
    """The 24 officers; most certificates hold for years around `today`."""
    return {one.id: _officer(place, one, today) for place, one in enumerate(_OFFICERS, 1)}


def expert_entries() -> dict[str, ExpertEntry]:
    """The six experts."""
    return {f"expert-{place}": _expert(place, one) for place, one in enumerate(_EXPERTS, 1)}


def id_number(place: int, sex: Sex) -> str:
    """A valid ID number of nobody: born in the first years of the last century."""
    body = f"{REGION}{1900 + place % 11}{1 + place % 12:02d}{1 + place % 28:02d}{place:02d}{1 if sex == 'male' else 2}"
    return body + str(ric.calc_check_digit(body + "0"))


def _officer(place: int, one: _Officer, today: date) -> OfficerEntry:
    last = today + timedelta(_ENDS_SOON.get(one.id, 400 + 37 * place))
    return OfficerEntry(
        name=one.name,
        sex=one.sex,
        unit_id=one.unit_id,
        certificate=f"豫R13{place:06d}",
        certificate_from=(last - timedelta(5 * 365)).isoformat(),
        certificate_to=last.isoformat(),
        domains=one.domains,
        phone=f"14000007{place:03d}",  # 140 with eleven digits is given to nobody: it rings nowhere
        id_number=id_number(place, one.sex),
    )


def _expert(place: int, one: _Expert) -> ExpertEntry:
    phone = f"14000008{place:03d}"
    number = id_number(50 + place, one.sex)
    return ExpertEntry(one.name, one.sex, one.unit_id, one.employer, one.title, one.domains, phone, number)


def _agencies(today: date) -> dict[str, AgencyEntry]:
    since, until = date(today.year, 1, 1).isoformat(), date(today.year, 12, 31).isoformat()
    return {
        f"agency-{place}": AgencyEntry(name, _code(body), f"宛龙应急委〔{today.year}〕{place} 号", since, until, unit)
        for place, (name, body, unit) in enumerate(_AGENCIES, 1)
    }


def _code(body: str) -> str:
    code = "91411300" + body
    total = sum(weight * int(mark, 36) for weight, mark in zip((3, 7, 9, 10, 5, 8, 4, 2), body, strict=True))
    code += "0123456789X"[-total % 11]
    return code + uscc.calc_check_digit(code)


def _part(part: str) -> Literal["whole", "morning"]:
    return "morning" if part == "morning" else "whole"
