"""What the registries hold, and when a subject's code is right (R8.1, R9.1)."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal

import msgspec
from stdnum.cn import uscc

_CODE: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")


class Unit(msgspec.Struct, frozen=True):
    """A section, the legal unit or the brigade."""

    id: str
    name: str
    kind: Literal["bureau", "section", "legal_unit", "brigade"]
    parent_id: str | None = None


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
    list_version: int | None = None  # the version of the item list that it froze (R5.3)


def normal_code(text: str) -> str:
    """A code as it is kept: full-width and lower-case letters made plain, blanks left out."""
    return "".join(unicodedata.normalize("NFKC", text).upper().split())


def is_uscc(code: str) -> bool:
    """Whether a normal code is a unified social credit code.

    Only its form and last character are checked: the library's `validate` refuses codes that begin with a letter, such
    as those of rural collectives.
    """
    return _CODE.fullmatch(code) is not None and uscc.calc_check_digit(code[:17]) == code[17]
