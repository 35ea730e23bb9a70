"""Units, officers, experts and subjects of the demo district: synthetic, the same on every machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final, Literal

from stdnum.cn import uscc

from server.domain.registry import Expert, Flag, Officer, Subject, Unit

REGION: Final = "411303"
SEED: Final = 411303

HAZCHEM: Final = "hazchem-section"
INDUSTRY: Final = "industry-section"
LEGAL: Final = "legal-unit"
BRIGADE: Final = "brigade"

UNITS: Final = (
    Unit(HAZCHEM, "危险化学品监管股", "section"),
    Unit(INDUSTRY, "工矿商贸监管股", "section"),
    Unit(LEGAL, "政策法规股", "legal_unit"),
    Unit(BRIGADE, "应急管理综合行政执法大队", "brigade"),
)

GROUPS: Final = (
    ("hazardous_chemicals", 90),
    ("industry_commerce", 380),
    ("confined_space", 120),
    ("safety_services", 10),
)
"""Group -> how many subjects. Those with confined spaces belong to industry and commerce, which so has 500."""

TRAITS: Final = {
    "hazardous_chemicals": ("hazardous_chemicals",),
    "industry_commerce": ("industry_commerce", "special_operations"),
    "confined_space": ("industry_commerce", "confined_space"),
    "safety_services": ("safety_services",),
}

_CHARACTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_REGISTRARS: Final = {"company": "91", "individual": "92", "cooperative": "93", "collective": "N2"}
_ENDINGS: Final = {"company": "有限公司", "individual": "", "cooperative": "", "collective": "厂"}

_HC: Final = ("hazardous_chemicals", "safety_services")
_IC: Final = ("industry_commerce", "non_coal_mines")
_ALL: Final = ("hazardous_chemicals", "industry_commerce")
_OFFICERS: Final[tuple[tuple[str, str, str, str, tuple[str, ...]], ...]] = (
    ("li", "李承远", "male", HAZCHEM, ("hazardous_chemicals", "safety_services", "industry_commerce")),
    ("zhang", "张立", "male", HAZCHEM, _ALL),
    ("wang", "王楠", "female", HAZCHEM, _ALL),
    ("liu", "刘启明", "male", HAZCHEM, _HC),
    ("song", "宋佳慧", "female", HAZCHEM, _HC),
    ("zhao", "赵一诺", "female", INDUSTRY, _IC),
    ("sun", "孙立群", "male", INDUSTRY, ("industry_commerce", "hazardous_chemicals")),
    ("chen", "陈望舒", "female", INDUSTRY, _IC),
    ("officer-09", "高志远", "male", INDUSTRY, _IC),
    ("officer-10", "徐静雯", "female", INDUSTRY, ("industry_commerce",)),
    ("officer-11", "罗建平", "male", INDUSTRY, ("industry_commerce",)),
    ("officer-12", "吴静", "female", LEGAL, ("industry_commerce",)),
    ("officer-13", "韩铭", "male", LEGAL, ("hazardous_chemicals",)),
    ("officer-14", "曹子衡", "male", LEGAL, ("safety_services",)),
    ("officer-15", "邓凯", "male", BRIGADE, _ALL),
    ("officer-16", "冯晓岚", "female", BRIGADE, _ALL),
    ("officer-17", "许文博", "male", BRIGADE, _HC),
    ("officer-18", "彭海峰", "male", BRIGADE, _IC),
    ("officer-19", "曾雨晴", "female", BRIGADE, _IC),
    ("officer-20", "苏振东", "male", BRIGADE, _ALL),
    ("officer-21", "卢思齐", "female", BRIGADE, _ALL),
    ("officer-22", "蒋大伟", "male", BRIGADE, _IC),
    ("officer-23", "贾明哲", "male", BRIGADE, _HC),
    ("officer-24", "魏书航", "male", BRIGADE, _ALL),
)
_ENDS_SOON: Final = {"sun": 10, "officer-22": -20}
"""Officer -> days from today to the last day of his certificate: one ends in 10 days, one ran out."""

_EXPERTS: Final = (
    Expert("expert-1", "钱学礼", "南阳某设计院（已退休）", "高级工程师", ("hazardous_chemicals",)),
    Expert("expert-2", "尹素芬", "注册安全工程师事务所", "注册安全工程师", ("hazardous_chemicals", "safety_services")),
    Expert("expert-3", "郝国平", "某机械厂", "高级工程师", ("industry_commerce",)),
    Expert("expert-4", "孟凡荣", "某电气检测公司", "电气工程师", ("industry_commerce",)),
    Expert("expert-5", "史长青", "某高校", "副教授", ("industry_commerce", "non_coal_mines")),
    Expert("expert-6", "段慧敏", "某造纸厂", "安全总监", ("industry_commerce",)),
)

_CREDIT: Final[tuple[Literal["A", "B", "C", "D"], ...]] = ("A", "A", "A", "B", "B", "B", "B", "B", "C", "C", "D")
"""Credit grades as often as they occur."""

_FLAGGED: Final = {
    3: ("key_list", "重点关注名录通知〔{year}〕2 号"),
    41: ("complaints", "12350 举报件登记表 {year}-017"),
    212: ("complaints", "12350 举报件登记表 {year}-033"),
    333: ("discredit", "失信信息告知书〔{year}〕5 号"),
}
"""Place in the list of subjects -> its attention flag and the document behind it."""


@cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = json.loads((Path(__file__).parent / "names.json").read_text("utf-8"))
    return words


def officers(today: date) -> list[Officer]:
    """The 24 officers; most certificates hold for years around `today`."""
    return [_officer(place, row, today) for place, row in enumerate(_OFFICERS, 1)]


def experts() -> list[Expert]:
    """The six experts."""
    return list(_EXPERTS)


def subjects(today: date) -> list[Subject]:
    """The 600 subjects, in the order of `GROUPS`."""
    rng = Random(SEED)
    names: set[str] = set()
    groups = (group for group, count in GROUPS for _ in range(count))
    return [_subject(rng, place, group, names, today) for place, group in enumerate(groups, 1)]


def memberships(everyone: list[Subject]) -> Iterator[tuple[str, str]]:
    """Which unit has which subject in its library: a section its own, the brigade every third of all."""
    for place, subject in enumerate(everyone):
        yield (INDUSTRY if "industry_commerce" in subject.traits else HAZCHEM), subject.id
        if place % 3 == 0:
            yield BRIGADE, subject.id


def credit_code(rng: Random, registrar: str) -> str:
    """A valid unified social credit code of the district, its inner organisation code valid too (GB 11714)."""
    body = "MA" + "".join(rng.choice(_CHARACTERS) for _ in range(6))
    code = registrar + REGION + body + _organisation_check(body)
    return code + uscc.calc_check_digit(code)


def _organisation_check(body: str) -> str:
    total = sum(weight * int(character, 36) for weight, character in zip((3, 7, 9, 10, 5, 8, 4, 2), body, strict=True))
    return "0123456789X"[-total % 11]


def _officer(place: int, row: tuple[str, str, str, str, tuple[str, ...]], today: date) -> Officer:
    id, name, sex, unit, domains = row
    last = today + timedelta(_ENDS_SOON.get(id, 400 + 37 * place))
    return Officer(
        id=id,
        name=name,
        sex="female" if sex == "female" else "male",
        unit_id=unit,
        certificate=f"豫R13{place:06d}",
        certificate_from=(last - timedelta(5 * 365)).isoformat(),
        certificate_to=last.isoformat(),
        domains=domains,
    )


def _subject(rng: Random, place: int, group: str, names: set[str], today: date) -> Subject:
    trade = rng.choice(_words()[group])
    town = rng.choice(_words()["places"])
    owner = _person(rng)
    return Subject(
        id=f"subject-{place:03d}",
        uscc=credit_code(rng, _REGISTRARS[trade["kind"]]),
        name=_name(rng, trade, town["name"], names),
        legal_representative=owner,
        address=f"河南省南阳市卧龙区{town['name']}{rng.choice(town['roads'])}{rng.randint(1, 288)}号",
        contact=owner if rng.random() < 0.4 else _person(rng),
        phone=f"1400000{place:04d}",  # 140 with eleven digits is given to nobody: it rings nowhere
        kind=trade["kind"],
        industry=trade["industry"],
        region=REGION,
        risk=trade["risk"],
        credit=rng.choice(_CREDIT),
        status="suspended" if place % 97 == 0 else "cancelled" if place % 131 == 0 else "active",
        lat_e7=round((town["lat"] + rng.uniform(-0.012, 0.012)) * 1e7),
        lon_e7=round((town["lon"] + rng.uniform(-0.012, 0.012)) * 1e7),
        flags=_flags(place, today),
        traits=TRAITS[group],
    )


def _name(rng: Random, trade: dict[str, str], town: str, names: set[str]) -> str:
    while True:
        brand = rng.choice(_words()["brand_first"]) + rng.choice(_words()["brand_second"])
        start = "南阳" if trade["kind"] == "company" else f"南阳市卧龙区{town}"
        name = f"{start}{brand}{trade['name']}{_ENDINGS[trade['kind']]}"
        if name not in names:
            names.add(name)
            return name


def _person(rng: Random) -> str:
    given = rng.choice(_words()["given_two"]) if rng.random() < 0.75 else rng.choice(_words()["given_one"])
    return str(rng.choice(_words()["surnames"]) + given)


def _flags(place: int, today: date) -> tuple[Flag, ...]:
    if place not in _FLAGGED:
        return ()
    kind, document = _FLAGGED[place]
    since = (today - timedelta(60 + place % 90)).isoformat()
    return (Flag(kind, document.format(year=today.year), since),)  # type: ignore[arg-type]  # a kind of _FLAGGED
