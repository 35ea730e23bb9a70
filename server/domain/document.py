"""Documents of a visit: their kinds, what must be there before one can be made, and how they are numbered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

KINDS: Final = (
    "inspection_record",
    "rectification_order",
    "on_site_measures",
    "recheck_opinion",
    "interview_record",
    "refusal_record",
)
"""What the office makes of a visit's record, in the order in which the page offers it."""

SINGLE: Final = frozenset({"inspection_record", "rectification_order", "recheck_opinion", "refusal_record"})
"""Of these a visit has one that counts; another one replaces it, and says so."""

SERIES: Final[Mapping[str, str]] = {
    "inspection_record": "检记",
    "rectification_order": "责改",
    "on_site_measures": "现措",
    "recheck_opinion": "复查",
    "interview_record": "询问",
    "refusal_record": "拒记",
}
"""The word of each kind in its number: every kind counts for itself."""

ORDERED: Final = frozenset({"on_spot", "deadline"})
"""The measures of a finding that need an order (R24: type 5)."""

REFUSALS: Final = frozenset({"entry_refused", "material_refused"})
PREFIX_MOST: Final = 20


class Standing(msgspec.Struct, frozen=True):
    """What a document depends on: how far the visit is, its live findings, what was refused, and the order it is of."""

    phase: str
    digest: str | None
    findings: Sequence[Mapping[str, Any]] = ()
    circumstances: Collection[str] = ()
    signature_refused: bool = False
    is_recheck: bool = False


class Prerequisite(NamedTuple):
    """One line of the table: the code of what is missing, and whether it is there."""

    code: str
    holds: Callable[[Standing], bool]


_BEGUN: Final = Prerequisite("document_not_begun", lambda it: it.phase not in ("dispatched", "void"))
_FINAL: Final = Prerequisite("document_not_final", lambda it: it.phase == "final" and it.digest is not None)
_ORDERED: Final = Prerequisite(
    "document_nothing_ordered", lambda it: any(one.get("measure") in ORDERED for one in it.findings)
)
_DATED: Final = Prerequisite(
    "document_due_missing",
    lambda it: all(one.get("due") for one in it.findings if one.get("measure") == "deadline"),
)
_MAJOR: Final = Prerequisite(
    "document_nothing_major", lambda it: any(one.get("severity") == "major" for one in it.findings)
)
_RECHECK: Final = Prerequisite("document_no_order", lambda it: it.is_recheck)
_REFUSED: Final = Prerequisite(
    "document_nothing_refused", lambda it: it.signature_refused or not REFUSALS.isdisjoint(it.circumstances)
)

PREREQUISITES: Final[Mapping[str, tuple[Prerequisite, ...]]] = {
    "inspection_record": (_BEGUN, _FINAL),
    "rectification_order": (_BEGUN, _FINAL, _ORDERED, _DATED),
    "on_site_measures": (_BEGUN, _FINAL, _MAJOR),
    "recheck_opinion": (_BEGUN, _RECHECK, _FINAL),
    "interview_record": (_BEGUN,),
    "refusal_record": (_BEGUN, _FINAL, _REFUSED),
}
"""Kind -> what must be there, in the order in which it is said."""


def lacking(kind: str, standing: Standing) -> str | None:
    """The code of the first thing that a document of this kind still needs; None where it can be made."""
    return next((one.code for one in PREREQUISITES[kind] if not one.holds(standing)), None)


def number_of(prefix: str, kind: str, year: int, n: int) -> str:
    """The number as it is printed: unit, kind, year and place in the series of that year."""
    return f"{prefix}{SERIES[kind]}〔{year}〕{n}号"
