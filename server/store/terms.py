"""The beginnings by which a subject is found: of its name, address, pinyin, initials, codes, flags and traits.

Each is a prefix of a suffix, so that any part of a name is the beginning of a term; a table of them serves every search
by one range of its index, the same on both databases.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from server.domain.subject import Flag
from server.domain.text import same_name
from server.store.reading import readings

TEXT, INITIALS, PINYIN, TAIL = 4, 6, 16, 8
"""How many characters of a term are kept; what is asked for beyond is compared with the subject itself."""

ENDINGS: Final = ("有限责任公司", "股份有限公司", "有限公司")
"""How names end that say nothing: no term begins within one, and what could is found without the table."""

_ALSO: Final = {
    "乐": "yue", "会": "kuai", "区": "ou", "单": "shan", "厦": "xia", "召": "shao", "尉": "yu", "曾": "zeng",
    "朝": "zhao", "朴": "piao", "查": "zha", "沈": "chen", "盖": "ge", "缪": "miao", "翟": "zhai", "行": "hang",
    "覃": "qin", "解": "xie", "重": "chong", "长": "chang", "都": "du", "仇": "qiu", "夹": "ga", "石": "dan",
    "车": "ju", "种": "chong", "调": "diao", "率": "lv", "广": "an", "大": "dai",
}  # fmt: skip
"""Characters that names often use with their second reading."""


class Keys(NamedTuple):
    """What is kept of a subject for searching and sorting."""

    name_key: str
    address_key: str
    pinyin: str
    initials: str


def keys_of(name: str, address: str) -> Keys:
    """The keys of a name and an address."""
    key = same_name(name)
    usual = [readings(character)[0] for character in key]
    return Keys(key, same_name(address), "".join(usual)[:400], "".join(sound[0] for sound in usual))


class Findable(Protocol):
    """What terms are made of."""

    @property
    def uscc(self) -> str | None: ...
    @property
    def registration(self) -> str | None: ...
    @property
    def name(self) -> str: ...
    @property
    def address(self) -> str: ...
    @property
    def risk(self) -> str: ...
    @property
    def credit(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def flags(self) -> Sequence[Flag]: ...
    @property
    def traits(self) -> Sequence[str]: ...


def terms_of(subject: Findable) -> set[str]:
    """Every term of a subject; the same subject always has the same ones."""
    name, address = same_name(subject.name), same_name(subject.address)
    place = _joined(readings(character)[0] for character in name[:PINYIN])[:PINYIN]
    return {
        *_suffixes(name, len(_body(name))),
        *_suffixes(address, len(address)),
        *_sounds(name),
        *_of_codes(subject),
        *(mark + place for mark in _marks(subject)),
    }


def mark_of(kind: str, value: str) -> str:
    """The beginning of the terms of those who have a status, grade, flag or trait; by their pinyin in order."""
    return f"#{kind}:{value}|"


def _marks(subject: Findable) -> Iterator[str]:
    for kind in ("status", "risk", "credit"):
        yield mark_of(kind, getattr(subject, kind))
    yield from (mark_of("flag", flag.kind) for flag in subject.flags)
    yield from (mark_of("trait", trait) for trait in subject.traits)


def tail_term(code: str) -> str:
    """The term of a code's last characters, which people read from a licence or remember."""
    return "~" + code[::-1][:TAIL]


def words_of(query: str) -> list[str]:
    """The words of what was typed, each in the form of the keys."""
    return [word for part in query.replace("ü", "v").split() if (word := same_name(part)[:60])][:5]


@lru_cache(maxsize=4096)
def is_common(word: str) -> bool:
    """Whether a word may stand at the beginning of a part of an ending, where no term is."""
    return any(beginning.startswith(word) for beginning in _beginnings_of_endings())


@lru_cache(maxsize=1)
def _beginnings_of_endings() -> frozenset[str]:
    return frozenset(
        beginning
        for ending in ENDINGS
        for at in range(len(ending))
        for beginning in (ending[at:], *(_joined(sounds) for sounds in _spoken(ending[at:])), *_initials(ending[at:]))
    )


def _initials(text: str) -> Iterator[str]:
    return ("".join(sound[0] for sound in sounds) for sounds in _spoken(text))


def _body(name: str) -> str:
    """A name without its ending; a name that is nothing else stays whole."""
    for ending in ENDINGS:
        if name.endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return name


def _suffixes(text: str, starts: int) -> Iterator[str]:
    return (text[at : at + TEXT] for at in range(starts))


def _sounds(name: str) -> Iterator[str]:
    """Pinyin and initials from every character on, and from the first with each of its readings."""
    starts = len(_body(name))
    for sounds in _spoken(name):
        for at in range(starts):
            yield _joined(sounds[at : at + PINYIN])[:PINYIN]
            yield "".join(sound[0] for sound in sounds[at : at + INITIALS])
    for first in readings(name[0])[1:] if name else ():
        rest = [readings(character)[0] for character in name[1:PINYIN]]
        yield _joined([first, *rest])[:PINYIN]
        yield "".join(sound[0] for sound in [first, *rest][:INITIALS])


def _spoken(text: str) -> Iterable[list[str]]:
    """How a text is read: with the usual readings, and where it differs with the second ones of `_ALSO`."""
    usual = [readings(character)[0] for character in text]
    also = [_ALSO.get(character, sound) for character, sound in zip(text, usual, strict=True)]
    return [usual] if usual == also else [usual, also]


def _joined(sounds: Iterable[str]) -> str:
    return "".join(sounds)


_CODE: Final = re.compile(r"[0-9a-z]+")


def _of_codes(subject: Findable) -> Iterator[str]:
    for code in filter(None, (subject.uscc, subject.registration)):
        plain = code.lower()
        yield plain
        yield tail_term(plain)


def may_be_code(word: str) -> bool:
    """Whether a word can be part of a code: then its end is looked for too."""
    return len(word) >= 4 and _CODE.fullmatch(word) is not None
