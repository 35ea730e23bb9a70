"""Market subjects: what is kept of one, and when what was entered of it can be taken (R8.1, R6.5, R15a.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, get_args

import msgspec

from server.domain import codes
from server.domain.entry import Entry
from server.domain.faults import Fault
from server.domain.mask import mask_phone

Risk = Literal["low", "medium", "high"]
Credit = Literal["A", "B", "C", "D"]
Status = Literal["active", "suspended", "cancelled"]
FlagKind = Literal["complaints", "key_list", "discredit", "serious_violation"]

RISKS: Final[tuple[str, ...]] = get_args(Risk)
CREDITS: Final[tuple[str, ...]] = get_args(Credit)
STATUSES: Final[tuple[str, ...]] = get_args(Status)
FLAGS: Final[tuple[str, ...]] = get_args(FlagKind)
KINDS: Final = (
    "company",
    "individual",
    "cooperative",
    "collective",
    "sole_proprietorship",
    "partnership",
    "branch",
    "institution",
    "other",
)
TRAITS: Final = (
    "hazardous_chemicals",
    "industry_commerce",
    "confined_space",
    "special_operations",
    "safety_services",
    "non_coal_mines",
)
"""What an item of the list may look at; a subject can have several."""

FIELDS: Final = (
    "uscc",
    "registration",
    "name",
    "legal_representative",
    "address",
    "contact",
    "phone",
    "kind",
    "industry",
    "region",
    "risk",
    "credit",
    "status",
    "lat",
    "lon",
    "traits",
    "flags",
)
"""The fields of a subject as they are entered, in the order of a form; `lat` and `lon` are decimal degrees."""


class Flag(msgspec.Struct, frozen=True, rename={"since": "from", "until": "to"}):
    """Why a subject needs attention, and the document that says so; it holds on both of its days."""

    kind: FlagKind
    document: str
    since: str
    until: str | None = None

    def holds_on(self, day: str) -> bool:
        """Whether the flag counts on a day."""
        return self.since <= day and (self.until is None or day <= self.until)


class Subject(msgspec.Struct, frozen=True):
    """One market subject: one record, however many units have it in their libraries (R8.3)."""

    id: str
    uscc: str | None
    name: str
    legal_representative: str
    address: str
    contact: str
    phone: str
    kind: str
    industry: str
    region: str
    risk: Risk
    credit: Credit
    status: Status
    lat_e7: int | None
    lon_e7: int | None
    flags: tuple[Flag, ...] = ()
    traits: tuple[str, ...] = ()
    registration: str | None = None

    @property
    def code(self) -> str:
        """The code by which it is known: the credit code, else the registration number."""
        return self.uscc or self.registration or ""

    def flags_on(self, day: str) -> tuple[Flag, ...]:
        """The flags that count on a day."""
        return tuple(flag for flag in self.flags if flag.holds_on(day))


def check_subject(values: Mapping[str, str], id: str = "") -> tuple[Subject | None, list[Fault]]:
    """A subject from a form or a row of an import, with everything that is wrong; None where anything stops it.

    `traits` are ids with commas between; `flags` is the JSON of a list of `{"kind", "document", "from", "to"}`.
    """
    entry = Entry(values)
    name = entry.name("name")
    uscc, registration = _codes(entry)
    read = {
        "name": name,
        "legal_representative": entry.name("legal_representative", most=60),
        "address": entry.line("address"),
        "contact": entry.name("contact", most=60),
        "phone": entry.phone("phone"),
        "kind": entry.choice("kind", KINDS),
        "industry": entry.code("industry", codes.industry_faults),
        "region": entry.code("region", codes.region_faults),
        "risk": entry.choice("risk", RISKS),
        "credit": entry.choice("credit", CREDITS),
        "status": entry.choice("status", STATUSES),
    }
    place = _place(entry)
    traits, flags = _traits(entry), _flags(entry)
    if not entry.is_good:
        return None, entry.faults
    more = {"lat_e7": place[0], "lon_e7": place[1], "traits": traits, "flags": flags}
    subject = Subject(id=id, uscc=uscc or None, registration=registration or None, **(read | more))  # type: ignore[arg-type]  # as Entry checked them
    return subject, entry.faults


def check_flag(values: Mapping[str, str]) -> tuple[Flag | None, list[Fault]]:
    """An attention flag: its kind, the document behind it, and from when until when it holds (R15a.3)."""
    entry = Entry(values)
    kind = entry.choice("kind", FLAGS)
    document = entry.line("document")
    since, until = entry.day("from"), entry.day("to", required=False)
    if entry.is_good and until is not None and str(since) > until:
        entry.wrong("to", "flag_ends_before", since=str(since))
    if not entry.is_good:
        return None, entry.faults
    return Flag(kind, document, str(since), until), entry.faults  # type: ignore[arg-type]  # a choice of FLAGS


def values_of(subject: Subject) -> dict[str, str]:
    """A subject as a form shows it: what `check_subject` makes into the same subject again."""
    plain = msgspec.to_builtins(subject)
    return {
        **{name: str(plain[name] or "") for name in FIELDS if name in plain},
        "lat": _degrees(subject.lat_e7),
        "lon": _degrees(subject.lon_e7),
        "traits": ",".join(subject.traits),
        "flags": msgspec.json.encode(subject.flags).decode(),
    }


def differences(old: Subject, new: Subject) -> list[dict[str, str]]:
    """Field by field what changes, as people can be shown it: of a phone only the mask."""
    before, after = values_of(old), values_of(new)
    return [
        {"field": name, "before": _shown(name, before[name]), "after": _shown(name, after[name])}
        for name in FIELDS
        if before[name] != after[name]
    ]


def masked(subject: Subject) -> Subject:
    """The subject as those see it who may not see its phone."""
    return msgspec.structs.replace(subject, phone=mask_phone(subject.phone))


def _shown(name: str, value: str) -> str:
    return mask_phone(value) if name == "phone" else value


def _codes(entry: Entry) -> tuple[str, str]:
    """R8.1: the credit code or the registration number; both is fine, none isn't."""
    uscc = entry.code("uscc", codes.uscc_faults, required=False)
    registration = entry.code("registration", codes.registration_faults, required=False)
    if not uscc and not registration:
        entry.wrong("uscc", "code_missing")
    return uscc, registration


_DEGREES: Final = re.compile(r"(\d{1,3})(?:\.(\d{1,9}))?", re.ASCII)
_LIMITS: Final = {"lat": (3, 54), "lon": (73, 136)}


def _place(entry: Entry) -> tuple[int | None, int | None]:
    """Latitude and longitude in ten-millionths of a degree: both or none, and within China."""
    read = [entry.code(field, _degree_faults, required=False) for field in ("lat", "lon")]
    for given, other, field in ((read[0], read[1], "lon"), (read[1], read[0], "lat")):
        if given and not other:
            entry.wrong(field, "missing")
    return _e7(read[0]), _e7(read[1])


def _degree_faults(field: str, kept: str) -> list[Fault]:
    least, most = _LIMITS[field]
    is_within = _DEGREES.fullmatch(kept) and least * 10**7 <= (_e7(kept) or 0) <= most * 10**7
    return [] if is_within else [Fault(field, "not_degrees", {"least": least, "most": most})]


def _e7(kept: str) -> int | None:
    found = _DEGREES.fullmatch(kept)
    return None if found is None else int(found[1]) * 10**7 + int((found[2] or "").ljust(7, "0")[:7])


def _degrees(e7: int | None) -> str:
    return "" if e7 is None else f"{e7 // 10**7}.{e7 % 10**7:07}"


def _traits(entry: Entry) -> tuple[str, ...]:
    names = [name.strip() for name in entry.line("traits", required=False).split(",") if name.strip()]
    for name in names:
        if name not in TRAITS:
            entry.wrong("traits", "not_one_of", found=name[:20])
    return tuple(sorted(set(names), key=lambda name: TRAITS.index(name) if name in TRAITS else -1))


def _flags(entry: Entry) -> tuple[Flag, ...]:
    given = entry.text("flags", required=False, most=20_000) or "[]"
    try:
        rows = msgspec.json.decode(given, type=list[dict[str, str | None]])
    except msgspec.DecodeError:
        entry.wrong("flags", "not_flags")
        return ()
    return tuple(flag for row in rows if (flag := _one_flag(entry, row)) is not None)


def _one_flag(entry: Entry, row: Mapping[str, str | None]) -> Flag | None:
    flag, faults = check_flag({name: value or "" for name, value in row.items()})
    entry.faults += [Fault("flags", fault.code, fault.values, fault.warning) for fault in faults]
    return flag
