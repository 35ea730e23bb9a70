"""What may stand in a name, an address or a free text, and the form in which it is kept."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

from server.domain.faults import Fault

Judge = Callable[[str], str | None]  # the code of what is wrong with one character

NAME_MOST: Final = 120
LINE_MOST: Final = 200
TEXT_MOST: Final = 2000

BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of what follows them."""

_BLANK_LETTERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Letters and symbols that are drawn as nothing."""

_PLAIN: Final = re.compile(r"[ -~\u00b7\u3001\u3002\u3007\u3400-\u4dbf\u4e00-\u9fff\uff08\uff09\uff0c]*")
"""What nearly every Chinese name and address consists of: nothing here needs a second look."""

_BLANKS: Final = re.compile("[ \u00a0\u2000-\u200a\u202f\u205f\u3000]+")

_NARROW: Final = {
    wide: wide - 0xFEE0 for first, last in ("０９", "ＡＺ", "ａｚ") for wide in range(ord(first), ord(last) + 1)
}
_DOTS: Final = dict.fromkeys(map(ord, "\u30fb\u2027\u2022\u22c5\uff65"), "·")
_LOOK_ALIKE: Final = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеіјорсухѕԛԜԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧονρυᴏϲエオカコタトニハヒムーロ",  # each drawn like the one below it
    "ABESIJKMHOPCTYXaeijopcyxsqWwABEZHIKMNOPTYXovpuoc工才力口夕卜二八匕厶一口",
)
"""Letters of other scripts that are drawn like a Latin or Chinese one -> the one that was surely meant."""

_OF_NAMES: Final = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\ufa0e-\ufa29]")
_HAN_PLANES: Final = range(0x20000, 0x3FFFE)  # later Unicode puts Chinese characters here that Python doesn't know yet


def clean(text: str) -> str:
    """One line as it is kept: NFC, every run of blanks one space, none at the ends. Strange characters stay in it."""
    if not (text.isascii() or unicodedata.is_normalized("NFC", text)):
        text = unicodedata.normalize("NFC", text)
    return _BLANKS.sub(" ", text).strip(" ")


def clean_name(text: str) -> str:
    """A name as it is kept: as `clean`, full-width letters and digits made plain, and one kind of middle dot."""
    return clean(text.translate(_NARROW)).translate(_DOTS)


def clean_text(text: str) -> str:
    """A free text as it is kept: NFC, one kind of line end, nothing blank at its ends."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def name_faults(field: str, name: str, most: int = NAME_MOST) -> list[Fault]:
    """What is wrong with a clean name: too long, or characters that hide, turn round or pass for others."""
    return _long(field, name, most) + _first(field, name, _in_name)


def line_faults(field: str, line: str, most: int = LINE_MOST) -> list[Fault]:
    """What is wrong with a clean line, such as an address: too long, or with a character that can't be seen."""
    return _long(field, line, most) + _first(field, line, _unseen)


def text_faults(field: str, text: str, most: int = TEXT_MOST) -> list[Fault]:
    """What is wrong with a clean free text; unlike a line it may have line ends and tabs."""
    return _long(field, text, most) + _first(field, text.replace("\n", " ").replace("\t", " "), _unseen)


def shown(character: str) -> str:
    """A character so that people can see it: `А (U+0410)`, or only its number where there is nothing to see."""
    number = f"U+{ord(character):04X}"
    return number if _unseen(character) or unicodedata.combining(character) else f"{character} ({number})"


def same_name(text: str) -> str:
    """What two names have in common that people would call the same: no width, case, blanks or punctuation."""
    return "".join(_letters(unicodedata.normalize("NFKC", text).casefold()))


def _letters(text: str) -> Iterator[str]:
    return (character for character in text if unicodedata.category(character)[0] in "LNM")


def _long(field: str, text: str, most: int) -> list[Fault]:
    return [Fault(field, "too_long", {"n": len(text), "most": most})] if len(text) > most else []


def _first(field: str, text: str, wrong: Judge) -> list[Fault]:
    """The first character of each kind that is wrong, with its place, counted from one."""
    if _PLAIN.fullmatch(text):
        return []
    found: dict[str, Fault] = {}
    for place, character in enumerate(text, 1):
        code = wrong(character)
        if code is not None and code not in found:
            found[code] = _fault(field, code, character, place)
    return list(found.values())


def _unseen(character: str) -> str | None:
    """Why a character may stand nowhere: it can't be seen, or isn't one."""
    kind = unicodedata.category(character)
    if character in BIDI:
        return "bidi_character"
    if kind == "Cc":
        return "control_character"
    if kind in ("Cf", "Zl", "Zp") or character in _BLANK_LETTERS or _selects_variant(character):
        return "invisible_character"
    if kind in ("Cs", "Co") or (kind == "Cn" and ord(character) not in _HAN_PLANES):
        return "unknown_character"
    return None


def _selects_variant(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _in_name(character: str) -> str | None:
    """Why a character may not stand in a name: beside the above, look-alikes and what isn't writing."""
    unseen = _unseen(character)
    if unseen is not None or ord(character) in _HAN_PLANES:
        return unseen
    kind = unicodedata.category(character)
    if kind[0] == "M":
        return "combining_character"
    if kind[0] in "LN" and not (character.isascii() or _is_of_names(character)):
        return "look_alike"
    if kind not in ("So", "Sk"):
        return None
    return "symbol" if unicodedata.normalize("NFKC", character) == character else "look_alike"


def _is_of_names(character: str) -> bool:
    return _OF_NAMES.match(character) is not None and unicodedata.normalize("NFKC", character) == character


def _fault(field: str, code: str, character: str, place: int) -> Fault:
    """The fault of one character; of a look-alike it also says which one is surely meant."""
    values: dict[str, str | int] = {"found": shown(character), "at": place}
    plain = unicodedata.normalize("NFKC", character)
    meant = plain if plain != character else character.translate(_LOOK_ALIKE)
    if code != "look_alike" or meant == character:
        return Fault(field, code, values)
    return Fault(field, "look_alike_expected", values | {"expected": meant})
