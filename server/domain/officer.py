"""Officers and experts: what must be known of them, and on which days an officer may inspect."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Final, Literal

import msgspec

from server.domain.codes import id_faults, normal_code, sex_of
from server.domain.entry import Entry
from server.domain.faults import Fault, number_faults
from server.domain.leave import Leave
from server.domain.text import clean
from server.errors import Problem

SEXES: Final = {"female": "女", "male": "男"}
DOMAINS: Final = {
    "hazardous_chemicals": "危险化学品",
    "non_coal_mines": "非煤矿山",
    "safety_services": "安全评价检测检验机构",
    "industry_commerce": "工矿商贸",
    "other": "其他",
}
"""What an officer may inspect, or an expert knows: the sectors of article 6, as sheets write them."""

SOON: Final = 30
"""Days before its end from which a certificate is said to end soon."""

CERTIFICATE_MOST: Final = 32

_REFUSALS: Final = {
    "left": "person_left",
    "not_started": "certificate_not_yet",
    "expired": "certificate_over",
    "expires": "certificate_over",
    "on_leave": "on_leave",
}

Sex = Literal["female", "male"]


class Officer(msgspec.Struct, frozen=True):
    """Someone with a certificate, as leaves the store: `phone` and `id_number` are masked, empty where not known.

    Days as "YYYY-MM-DD"; the certificate holds on both of its own; `left_on` is the first day of no longer being there.
    """

    id: str
    name: str
    sex: Sex
    unit_id: str
    certificate: str
    certificate_from: str
    certificate_to: str
    domains: tuple[str, ...]
    left_on: str | None = None
    phone: str = ""
    id_number: str = ""


class OfficerEntry(msgspec.Struct, frozen=True):
    """What was entered about an officer, phone and ID number in clear; None leaves the one that is stored."""

    name: str
    sex: Sex
    unit_id: str
    certificate: str
    certificate_from: str
    certificate_to: str
    domains: tuple[str, ...]
    phone: str | None
    id_number: str | None


class Expert(msgspec.Struct, frozen=True):
    """Someone of the expert library (R9.3), masked likewise: never counted among the two officers."""

    id: str
    name: str
    employer: str
    title: str
    domains: tuple[str, ...]
    left_on: str | None = None
    sex: Sex | None = None
    unit_id: str | None = None
    phone: str = ""
    id_number: str = ""


class ExpertEntry(msgspec.Struct, frozen=True):
    """What was entered about an expert, phone and ID number in clear; None leaves the one that is stored."""

    name: str
    sex: Sex
    unit_id: str
    employer: str
    title: str
    domains: tuple[str, ...]
    phone: str | None
    id_number: str | None


class Bar(msgspec.Struct, frozen=True):
    """Why somebody may not inspect, and the day on which that begins or ends."""

    reason: Literal["left", "not_started", "expired", "expires", "on_leave"]
    on: str


def check_officer(
    values: Mapping[str, str], units: Collection[str], today: date, kept: Officer | None = None
) -> tuple[OfficerEntry | None, list[Fault]]:
    """An officer as entered (R9.1); `kept` is what is stored of him, whose masks may come back for his numbers."""
    entry = Entry(values)
    name, sex = said(entry, "name", entry.name("name")), entry.choice("sex", SEXES)
    phone, id_number = _numbers(entry, values, sex, today, kept)
    certificate = _certificate(entry)
    since, until = period(entry, "certificate_from", "certificate_to")
    unit, domains = entry.choice("unit_id", units), _domains(entry, values)
    if certificate and certificate in (phone, id_number):
        entry.wrong("certificate", "number_in_text")
    if until is not None and until < today.isoformat() and (kept is None or kept.certificate_to != until):
        entry.wrong("certificate_to", "certificate_over", warning=True, until=until)
    if not entry.is_good or since is None or until is None:
        return None, entry.faults
    made = OfficerEntry(name, _sex(sex), unit, certificate, since, until, domains, phone, id_number)
    return made, entry.faults


def check_expert(
    values: Mapping[str, str], units: Collection[str], today: date, kept: Expert | None = None
) -> tuple[ExpertEntry | None, list[Fault]]:
    """An expert as entered (R9.3)."""
    entry = Entry(values)
    name, sex = said(entry, "name", entry.name("name")), entry.choice("sex", SEXES)
    phone, id_number = _numbers(entry, values, sex, today, kept)
    employer, title = (
        said(entry, "employer", entry.line("employer")),
        said(entry, "title", entry.line("title", most=60)),
    )
    unit, domains = entry.choice("unit_id", units), _domains(entry, values)
    if not entry.is_good:
        return None, entry.faults
    return ExpertEntry(name, _sex(sex), unit, employer, title, domains, phone, id_number), entry.faults


def eligibility(officer: Officer, day_from: date, day_to: date, leave: Iterable[Leave] = ()) -> Bar | None:
    """None where he may inspect on each of these days, else the first reason why not.

    The certificate must hold on every one of them (R19.1); leaving ends it from that day (R9.2), leave for its days.
    """
    first, last = day_from.isoformat(), day_to.isoformat()
    if officer.left_on is not None and officer.left_on <= last:
        return Bar("left", officer.left_on)
    if first < officer.certificate_from:
        return Bar("not_started", officer.certificate_from)
    if officer.certificate_to < last:
        return Bar("expired" if officer.certificate_to < first else "expires", officer.certificate_to)
    away = [one for one in leave if one.officer_id == officer.id and one.keeps_away(first, last)]
    return Bar("on_leave", min(one.until for one in away)) if away else None


def must_be_eligible(officer: Officer, day_from: date, day_to: date, leave: Iterable[Leave] = ()) -> None:
    """Raises the problem that says why he may not inspect on all of these days (articles 9 and 19)."""
    bar = eligibility(officer, day_from, day_to, leave)
    if bar is not None:
        raise Problem(_REFUSALS[bar.reason], name=officer.name, day=bar.on)


def is_eligible(officer: Officer, day: date, leave: Iterable[Leave] = ()) -> bool:
    """Whether he may inspect on that day."""
    return eligibility(officer, day, day, leave) is None


def validity(officer: Officer, today: date) -> Literal["left", "not_started", "expired", "soon", "valid"]:
    """How his certificate stands today; `soon` is 30 days or less before its last day."""
    bar = eligibility(officer, today, today)
    if bar is not None:
        return "not_started" if bar.reason == "not_started" else "left" if bar.reason == "left" else "expired"
    return "soon" if days_left(officer, today) <= SOON else "valid"


def days_left(officer: Officer, today: date) -> int:
    """Days until the last one of his certificate; negative once it has run out."""
    return (date.fromisoformat(officer.certificate_to) - today).days


def said(entry: Entry, field: str, text: str) -> str:
    """A text that is kept in clear, and so must not hold anybody's number."""
    entry.faults += number_faults(field, text)
    return text


def period(entry: Entry, first: str, last: str, *, open_ended: bool = False) -> tuple[str | None, str | None]:
    """Two days of which the second isn't before the first; with `open_ended` it may be missing."""
    since, until = entry.day(first), entry.day(last, required=not open_ended)
    if since is not None and until is not None and until < since:
        entry.wrong(last, "days_swapped", since=since, until=until)
    return since, until


def _numbers(
    entry: Entry, values: Mapping[str, str], sex: str, today: date, kept: Officer | Expert | None
) -> tuple[str | None, str | None]:
    """Phone and ID number; None where the field came back with the mask that it was shown with."""
    phone = id_number = None
    if not _is_kept(values, "phone", kept.phone if kept else ""):
        phone = entry.phone("phone")
    if not _is_kept(values, "id_number", kept.id_number if kept else ""):
        id_number = entry.code("id_number", lambda at, code: id_faults(at, code, today))
        if _is_id(id_number, today) and sex in SEXES and sex_of(id_number) != sex:
            entry.wrong("id_number", "sex_differs", warning=True, said=SEXES[sex], digit=id_number[16])
    return phone, id_number


def _is_kept(values: Mapping[str, str], field: str, mask: str) -> bool:
    return mask != "" and values.get(field, "").strip() == mask


def _is_id(number: str, today: date) -> bool:
    return number != "" and not id_faults("id_number", number, today)


def _domains(entry: Entry, values: Mapping[str, str]) -> tuple[str, ...]:
    """Ids with commas between, each once, in the order of `DOMAINS`."""
    given = {part.strip() for part in values.get("domains", "").split(",")} - {""}
    for unknown in sorted(given - DOMAINS.keys()):
        entry.wrong("domains", "not_one_of", found=clean(unknown)[:20])
    if not given:
        entry.wrong("domains", "missing")
    return tuple(domain for domain in DOMAINS if domain in given)


def _certificate(entry: Entry) -> str:
    return normal_code(entry.line("certificate", most=CERTIFICATE_MOST))


def _sex(sex: str) -> Sex:
    return "female" if sex == "female" else "male"
