"""What other platforms call the ten results: sets of codes with a name, a source and a day from which they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from server.domain.entry import Entry
from server.domain.faults import Fault
from server.domain.result import NUMBERS, TYPES

ORDER: Final = tuple(sorted(TYPES, key=lambda type_: NUMBERS[type_]))
"""The ten types in the order of article 24."""

NAME_MOST: Final = 40
CODE_MOST: Final = 20
LABEL_MOST: Final = 60
ARTICLE: Final = "24"


class Code(msgspec.Struct, frozen=True):
    """How one of the ten results is called: a code, and a label that people read."""

    code: str
    label: str


class CodeSet(msgspec.Struct, frozen=True):
    """A version of a set, with a code and a label for each of the ten; several may share one."""

    id: str
    version: int
    name: str
    source: str
    in_force_from: str
    codes: dict[str, Code]


def _set(id: str, name: str, source: str, codes: tuple[tuple[str, str], ...]) -> CodeSet:
    named = {type_: Code(*pair) for type_, pair in zip(ORDER, codes, strict=True)}
    return CodeSet(id, 0, name, source, "2004-01-01", named)


ARTICLE_24: Final = _set(
    "article-24",
    "细则第二十四条",
    "细则第二十四条的序号和名称",
    (
        ("1", "未发现问题"),
        ("2", "未按规定公示应当公示的信息"),
        ("3", "公示信息隐瞒真实情况弄虚作假"),
        ("4", "通过登记的住所（经营场所）无法联系"),
        ("5", "发现问题已责令改正"),
        ("6", "不配合检查情节严重"),
        ("7", "未发现开展本次抽查涉及的经营活动"),
        ("8", "发现问题待后续处理"),
        ("9", "合格"),
        ("10", "不合格"),
    ),
)

_FINE, _MENDED, _OPEN, _NOT_LOOKED = (
    ("A", "正常"),
    ("B", "有问题，已责令改正"),
    ("C", "有问题，待处理"),
    ("D", "未能检查"),
)
PLAIN: Final = _set(
    "plain-4",
    "四类简表",
    "随检自拟，供一般读者使用",
    (_FINE, _OPEN, _OPEN, _NOT_LOOKED, _MENDED, _NOT_LOOKED, _FINE, _OPEN, _FINE, _OPEN),
)
"""Four classes in our own words."""

FIRST: Final = (ARTICLE_24, PLAIN)
"""What every house has; a version that is entered under the same id comes in their place."""


def check_set(values: Mapping[str, str], version: int) -> tuple[CodeSet | None, list[Fault]]:
    """A set from its form: `id`, `name`, `source`, `in_force_from`; `code:<type>` and `label:<type>` for each type."""
    entry = Entry(values)
    id_ = entry.line("id", most=CODE_MOST).lower()
    if id_ and not (id_.isascii() and id_.replace("-", "").isalnum()):
        entry.wrong("id", "codes_id")
    name, source = entry.line("name", most=NAME_MOST), entry.line("source")
    begins = entry.day("in_force_from")
    codes = {
        type_: Code(entry.line(f"code:{type_}", most=CODE_MOST), entry.line(f"label:{type_}", most=LABEL_MOST))
        for type_ in ORDER
    }
    if not entry.is_good or begins is None:
        return None, entry.faults
    return CodeSet(id_, version, name, source, begins, codes), entry.faults


def values_of(one: CodeSet) -> dict[str, str]:
    """A set as its form shows it."""
    values = {"id": one.id, "name": one.name, "source": one.source, "in_force_from": one.in_force_from}
    for type_, code in one.codes.items():
        values |= {f"code:{type_}": code.code, f"label:{type_}": code.label}
    return values
