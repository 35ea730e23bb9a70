"""What the registries hold, and when a subject's code is right (R5.1, R8.1, R9.1)."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

import msgspec
import rfc8785
from stdnum.cn import uscc

SECTORS: Final = ("hazardous_chemicals", "non_coal_mines", "safety_services", "industry_commerce", "other")
"""The sectors of article 6, and `other`: the annex has matters of none of them (R32.1)."""

_CODE: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")


class Unit(msgspec.Struct, frozen=True):
    """A section, the legal unit or the brigade."""

    id: str
    name: str
    kind: Literal["bureau", "section", "legal_unit", "brigade"]
    parent_id: str | None = None


class Officer(msgspec.Struct, frozen=True):
    """Someone with a certificate; days as "YYYY-MM-DD", the certificate holds on both of its own."""

    id: str
    name: str
    sex: Literal["female", "male"]
    unit_id: str
    certificate: str
    certificate_from: str
    certificate_to: str
    domains: tuple[str, ...]
    left_on: str | None = None


class Expert(msgspec.Struct, frozen=True):
    """Someone of the expert library (R9.3): never counted among the two officers."""

    id: str
    name: str
    employer: str
    title: str
    domains: tuple[str, ...]
    left_on: str | None = None


class Flag(msgspec.Struct, frozen=True, rename={"since": "from", "until": "to"}):
    """Why a subject needs attention, and the document that says so."""

    kind: Literal["complaints", "key_list", "discredit", "serious_violation"]
    document: str
    since: str
    until: str | None = None


class Subject(msgspec.Struct, frozen=True):
    """One market subject: one record, however many units have it in their libraries (R8.3)."""

    id: str
    uscc: str
    name: str
    legal_representative: str
    address: str
    contact: str
    phone: str
    kind: str
    industry: str
    region: str
    risk: Literal["low", "medium", "high"]
    credit: Literal["A", "B", "C", "D"]
    status: Literal["active", "suspended", "cancelled"]
    lat_e7: int | None
    lon_e7: int | None
    flags: tuple[Flag, ...] = ()
    traits: tuple[str, ...] = ()


class Basis(msgspec.Struct, frozen=True, rename={"since": "from", "until": "to"}):
    """A legal basis and the days on which it is in force."""

    document: str
    number: str
    article: str | None
    since: str
    until: str | None = None


class Point(msgspec.Struct, frozen=True):
    """One question of a checklist, as templates carry it."""

    id: str
    text: str
    how: str
    basis: str
    section: str
    major: bool


class Phrase(msgspec.Struct, frozen=True):
    """A ready sentence for a note or a finding; without a point it serves the whole item."""

    point: str | None
    text: str


class Item(msgspec.Struct, frozen=True):
    """A matter of the item list. `judged` says which result types are possible (R24.5)."""

    id: str
    name: str
    object: str
    category: Literal["key", "general"]
    method: str
    level: str
    sector: str
    judged: Literal["findings", "standard"]
    basis: tuple[Basis, ...]
    state: Literal["draft", "released"]
    needs_review: bool
    checklist: tuple[Point, ...]
    phrases: tuple[Phrase, ...]


class Task(msgspec.Struct, frozen=True):
    """What was drawn, and until when it is to be done; `joint` says whether we lead or take part (R13.1)."""

    id: str
    name: str
    unit_id: str
    draw: Literal["undirected", "directed"]
    window_from: str
    window_to: str
    due_on: str
    items: tuple[str, ...]
    joint: Literal["lead", "participant"] | None = None
    partner: str | None = None


class Template(msgspec.Struct, frozen=True):
    """A checklist as it was frozen for a visit: `body` is JCS, and its SHA-256 is its name."""

    sha256: str
    title: str
    body: bytes


def normal_code(text: str) -> str:
    """A code as it is kept: full-width and lower-case letters made plain, blanks left out."""
    return "".join(unicodedata.normalize("NFKC", text).upper().split())


def is_uscc(code: str) -> bool:
    """Whether a normal code is a unified social credit code.

    Only its form and last character are checked: the library's `validate` refuses codes that begin with a letter, such
    as those of rural collectives.
    """
    return _CODE.fullmatch(code) is not None and uscc.calc_check_digit(code[:17]) == code[17]


def template_of(items: Sequence[Item]) -> Template:
    """The checklist of one visit, which may hold several items; their point ids are distinct, or it is an error."""
    return _template([_in_template(item) for item in items])


def template_of_both(mine: bytes, other: bytes) -> Template:
    """The checklist of two visits done as one (R22.1): an item that both have stands in it once, as in `mine`."""
    items = msgspec.json.decode(mine)["items"]
    known = {item["id"] for item in items}
    return _template([*items, *(item for item in msgspec.json.decode(other)["items"] if item["id"] not in known)])


def _template(items: Sequence[dict[str, Any]]) -> Template:
    points = [point["id"] for item in items for point in item["points"]]
    if len(points) != len(set(points)):
        raise ValueError("Two points of one checklist have the same id.")
    title = "、".join(item["name"] for item in items)
    body = rfc8785.dumps({"t": "checklist/1", "title": title, "items": list(items)})
    return Template(hashlib.sha256(body).hexdigest(), title, body)


def phrases_of(items: Iterable[Item]) -> list[Phrase]:
    """The phrase library of a visit."""
    return [phrase for item in items for phrase in item.phrases]


def _in_template(item: Item) -> dict[str, Any]:
    points = [msgspec.to_builtins(point) for point in item.checklist]
    return {"id": item.id, "name": item.name, "judged": item.judged, "points": points}
