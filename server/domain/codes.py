"""The codes of subjects and people: how they are kept, and what is wrong with one that is wrong."""

from __future__ import annotations

import re
from datetime import date
from typing import Final, Literal

from stdnum.cn import ric, uscc
from stdnum.iso7064 import mod_11_10

from server.domain.faults import Fault
from server.domain.mask import mask_id, mask_phone
from server.domain.text import shown

_USCC_SET: Final = frozenset("0123456789ABCDEFGHJKLMNPQRTUWXY")
_PLAIN: Final[dict[int, int | str]] = {
    **{wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)},
    **{ord(small): small.upper() for small in "abcdefghijklmnopqrstuvwxyz"},
    **{wide: chr(wide - 0xFEE0).upper() for wide in range(ord("ａ"), ord("ｚ") + 1)},
    ord("－"): "-",
    ord("—"): "-",
    ord("–"): "-",
}
_MOBILE: Final = re.compile(r"(?:\+?86-?)?(1[3-9]\d{9})", re.ASCII)
_LANDLINE: Final = re.compile(
    r"(?:\+?86-?)?\(?(0(?:10|2\d|[3-9]\d{2}))\)?-?([2-9]\d{6,7})(?:(?:-|转)(\d{1,6}))?", re.ASCII
)
_LOCAL: Final = re.compile(r"([2-9]\d{6,7})(?:(?:-|转)(\d{1,6}))?", re.ASCII)
_SERVICE: Final = re.compile(r"[48]00-?(\d{3})-?(\d{4})", re.ASCII)
_REGION: Final = re.compile(r"(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[12])\d{4}", re.ASCII)
_INDUSTRY: Final = re.compile(r"[A-T](?:\d{2}|\d{3}|\d{4})?", re.ASCII)


def normal_code(text: str) -> str:
    """A code as it is kept: full-width and lower-case letters made plain, blanks left out."""
    return "".join(text.translate(_PLAIN).split())


def is_uscc(code: str) -> bool:
    """Whether a normal code is a unified social credit code."""
    return not uscc_faults("uscc", code)


def uscc_faults(field: str, code: str) -> list[Fault]:
    """What is wrong with a unified social credit code in its normal form.

    Only its form and last character are checked: the library's `validate` refuses codes that begin with a letter, such
    as those of rural collectives.
    """
    if len(code) != 18:
        return [Fault(field, "uscc_length", {"n": len(code)})]
    for place, character in enumerate(code, 1):
        if character not in (_USCC_SET if not 3 <= place <= 8 else "0123456789"):
            kind = "uscc_digit" if 3 <= place <= 8 else "uscc_character"
            return [Fault(field, kind, {"found": shown(character), "at": place})]
    return _last(field, "uscc_check", code, uscc.calc_check_digit(code[:17]))


def registration_faults(field: str, code: str) -> list[Fault]:
    """What is wrong with a 15-digit registration number: its form; a wrong check digit (mod 11,10) only warns."""
    if re.fullmatch(r"[0-9]{15}", code) is None:
        return [Fault(field, "registration_form", {"n": len(code)})]
    return _last(field, "registration_check", code, mod_11_10.calc_check_digit(code[:14]), warning=True)


def id_faults(field: str, code: str, today: date | None = None) -> list[Fault]:
    """What is wrong with an ID number: length, day of birth, check digit; no fault holds more than its mask.

    The library's `validate` isn't used: it refuses people who were born before their county was founded.
    """
    if re.fullmatch(r"[0-9]{17}[0-9X]", code) is None:
        return [Fault(field, "id_form", {"n": len(code)})]
    born = born_on(code)
    if born is None or (today is not None and born > today):
        return [Fault(field, "id_date", {"found": mask_id(code)})]
    return _last(field, "id_check", code, ric.calc_check_digit(code))  # the library wants it with its last character


def born_on(id_number: str) -> date | None:
    """The day of birth in an ID number; None where it is no day."""
    try:
        return date(int(id_number[6:10]), int(id_number[10:12]), int(id_number[12:14]))
    except ValueError:
        return None


def sex_of(id_number: str) -> Literal["female", "male"]:
    """What digit 17 of an ID number says: odd is male."""
    return "male" if int(id_number[16]) % 2 else "female"


def normal_phone(text: str) -> str:
    """A phone as it is kept: eleven digits, or area code, number and extension with hyphens; else only plain."""
    plain = normal_code(text)
    if found := _MOBILE.fullmatch(plain):
        return found[1]
    if found := _LANDLINE.fullmatch(plain) or _LOCAL.fullmatch(plain):
        return "-".join(part for part in found.groups() if part)
    if found := _SERVICE.fullmatch(plain):
        return f"{plain[:3]}-{found[1]}-{found[2]}"
    return plain


def phone_faults(field: str, phone: str) -> list[Fault]:
    """What is wrong with a phone in its normal form: neither a mobile nor a landline; the fault holds only a mask."""
    if any(pattern.fullmatch(phone) for pattern in (_MOBILE, _LANDLINE, _LOCAL, _SERVICE)):
        return []
    return [Fault(field, "phone_form", {"found": mask_phone(phone), "n": sum(map(str.isdigit, phone))})]


def region_faults(field: str, code: str) -> list[Fault]:
    """What is wrong with a region: GB/T 2260 has six digits, the first two a province."""
    return [] if _REGION.fullmatch(code) else [Fault(field, "region_form", {"found": _short(code)})]


def industry_faults(field: str, code: str) -> list[Fault]:
    """What is wrong with an industry: GB/T 4754 has a letter A to T and up to four digits."""
    return [] if _INDUSTRY.fullmatch(code) else [Fault(field, "industry_form", {"found": _short(code)})]


def _last(field: str, kind: str, code: str, expected: str, *, warning: bool = False) -> list[Fault]:
    if code[-1] == expected:
        return []
    return [Fault(field, kind, {"found": code[-1], "expected": expected}, warning)]


def _short(code: str) -> str:
    """A found code in a sentence: at most twelve characters, each of them visible."""
    cut = code[:12] + ("…" if len(code) > 12 else "")
    return "".join(character if character.isprintable() else shown(character) for character in cut)
