"""Units and subjects of the demo district: synthetic, the same on every machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, Final, Literal

from stdnum.cn import uscc

from server.domain.excuse import StatusDocument
from server.domain.instant import stamp
from server.domain.registry import Unit
from server.domain.subject import Flag, Subject
from server.store import excuses
from server.store import subjects as subjects_store
from server.store.seal import Sealer
from server.store.session import Connection

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

WATCHED: Final = 212
"""How many live subjects with special operations the section of hazardous chemicals has in its library."""

_MORE_TRAITS: Final = dict.fromkeys((3, 49, 53), ("special_operations",))
"""Who stores hazardous chemicals and has special operations too."""

_CHARACTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_REGISTRARS: Final = {"company": "91", "individual": "92", "cooperative": "93", "collective": "N2"}
_ENDINGS: Final = {"company": "有限公司", "individual": "", "cooperative": "", "collective": "厂"}

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


def subjects(today: date) -> list[Subject]:
    """The 600 subjects, in the order of `GROUPS`."""
    rng = Random(SEED)
    names: set[str] = set()
    groups = (group for group, count in GROUPS for _ in range(count))
    return [_subject(rng, place, group, names, today) for place, group in enumerate(groups, 1)]


def memberships(everyone: list[Subject]) -> Iterator[tuple[str, str]]:
    """Which unit has which subject in its library: a section its own, the brigade every third of all.

    The section of hazardous chemicals also has those whose special operations it watches over.
    """
    watched = {subject.id for subject in watched_operations(everyone)}
    for place, subject in enumerate(everyone):
        own = INDUSTRY if "industry_commerce" in subject.traits else HAZCHEM
        yield own, subject.id
        if subject.id in watched and own != HAZCHEM:
            yield HAZCHEM, subject.id
        if place % 3 == 0:
            yield BRIGADE, subject.id


def watched_operations(everyone: list[Subject]) -> list[Subject]:
    """The 212 live subjects with special operations in the library of the section of hazardous chemicals.

    Mostly low classes, so that the rule set's matrix proposes eleven of them (story A); one is on the key list.
    """
    live = [one for one in everyone if one.status == "active" and "special_operations" in one.traits]
    listed = [one for one in live if "hazardous_chemicals" in one.traits]
    plain = [one for one in live if not one.flags and one not in listed]
    low = [one for one in plain if one.risk == "low" and one.credit != "D"]
    medium = [one for one in plain if one.risk == "medium" and one.credit == "B"]
    return listed + low + medium[: WATCHED - len(listed) - len(low)]


def fill(conn: Connection, sealer: Sealer, everyone: list[Subject], now: datetime) -> None:
    """Puts everybody into the registry, and into the libraries of their units."""
    subjects_store.insert_subjects(conn, sealer, everyone, by="demo", now=now, source="demo")
    for place, one in enumerate(everyone, 1):
        if one.status != "active":
            excuses.add_status(conn, one.id, _status_document(one, place, now), "demo", stamp(now))
    libraries: dict[str, list[str]] = {}
    for unit, subject in memberships(everyone):
        libraries.setdefault(unit, []).append(subject)
    for unit, ids in libraries.items():
        subjects_store.add_to_library(conn, unit, ids, by="demo", now=now, source="demo")


def _status_document(one: Subject, place: int, now: datetime) -> StatusDocument:
    said = "停业备案" if one.status == "suspended" else "准予注销登记通知书"
    return StatusDocument(one.status, f"{said}〔{now.year - 1}〕{place} 号", f"{now.year - 1}-10-{1 + place % 28:02d}")


def credit_code(rng: Random, registrar: str) -> str:
    """A valid unified social credit code of the district, its inner organisation code valid too (GB 11714)."""
    body = "MA" + "".join(rng.choice(_CHARACTERS) for _ in range(6))
    code = registrar + REGION + body + _organisation_check(body)
    return code + uscc.calc_check_digit(code)


def _organisation_check(body: str) -> str:
    total = sum(weight * int(character, 36) for weight, character in zip((3, 7, 9, 10, 5, 8, 4, 2), body, strict=True))
    return "0123456789X"[-total % 11]


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
        credit=_credit(rng, place),
        status="suspended" if place % 97 == 0 else "cancelled" if place % 131 == 0 else "active",
        lat_e7=round((town["lat"] + rng.uniform(-0.012, 0.012)) * 1e7),
        lon_e7=round((town["lon"] + rng.uniform(-0.012, 0.012)) * 1e7),
        flags=_flags(place, today),
        traits=(*TRAITS[group], *_MORE_TRAITS.get(place, ())),
    )


def _credit(rng: Random, place: int) -> Literal["A", "B", "C", "D"]:
    drawn = rng.choice(_CREDIT)
    return "D" if place in _FLAGGED and _FLAGGED[place][0] == "key_list" else drawn


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
