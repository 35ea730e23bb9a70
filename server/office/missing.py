"""What a record still lacks before it is final, as sentences; the codes are those of the sync page, section 5."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from server.office.visit_page import VisitPage

COUNTED = ("conflict", "unanswered_point")
"""Codes of which only the number is said: there can be dozens of each."""


class Say(Protocol):
    """The messages of one language."""

    def __call__(self, key: str, **values: object) -> str: ...


def sentences(page: VisitPage, say: Say) -> list[str]:
    """One sentence for each thing that is missing, in the order of the codes, none of them twice."""
    missing = page.view["missing"]
    said = []
    for code in dict.fromkeys(one["code"] for one in missing):
        details = [one["detail"] for one in missing if one["code"] == code]
        if code in COUNTED:
            said.append(say(f"missing.{code}", n=len(details)))
        else:
            said += [_sentence(page, code, detail, say) for detail in details]
    return list(dict.fromkeys(said))


def _sentence(page: VisitPage, code: str, detail: Mapping[str, Any], say: Say) -> str:
    if code == "result" and "item" not in detail:
        return say("missing.result_main")
    return say(f"missing.{code}", detail=_named(page, detail))


def _named(page: VisitPage, detail: Mapping[str, Any]) -> str:
    """The thing that a detail points at, as people call it: an officer, an item, a point, a finding."""
    names = {
        "officer": page.names,
        "item": dict(page.items),
        "point": page.numbers,
        "finding": {finding.row: str(finding.number) for finding in page.findings},
    }
    return " ".join(names[kind].get(str(id_), str(id_)) for kind, id_ in detail.items() if kind in names)
