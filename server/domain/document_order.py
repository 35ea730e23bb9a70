"""Orders to correct and what follows them: the numbered problems, which are still without order, the recheck's list."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
import rfc8785

from server.domain.document import ORDERED
from server.domain.item import Template
from server.domain.result import Item, Material, findings_of, with_known_points

RECHECK_ITEM: Final = "rectification-recheck"
"""The item of a recheck's checklist; it is of no item list, since a recheck is drawn by nobody."""


class Problem(msgspec.Struct, frozen=True):
    """One problem of an order, as it was ordered; `due` is None for what is to be corrected at once."""

    row: str
    n: int
    text: str
    measure: str
    due: str | None
    severity: str
    basis: str


def problems_of(findings: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Problem]:
    """The findings that are ordered to be corrected, numbered from one."""
    ordered = [(row, one) for row, one in findings if one.get("measure") in ORDERED]
    return [_problem(row, n, one) for n, (row, one) in enumerate(ordered, start=1)]


def _problem(row: str, n: int, one: Mapping[str, Any]) -> Problem:
    measure = str(one["measure"])
    due = str(one["due"]) if measure == "deadline" and one.get("due") else None
    text, severity, basis = (str(one.get(name) or "") for name in ("text", "severity", "basis"))
    return Problem(row, n, text, measure, due, severity, basis)


def first_due(problems: Sequence[Problem]) -> str | None:
    """The day by which the first of them must be corrected."""
    return min((one.due for one in problems if one.due), default=None)


def without_order(
    findings: Sequence[tuple[str, Mapping[str, Any]]], ordered: Sequence[Problem], rows: Collection[str]
) -> list[str]:
    """Those of `rows` that no order names, or that changed since they were ordered (R26.6)."""
    as_ordered = {one.row: (one.text, one.measure, one.due) for one in ordered}
    now = {one.row: (one.text, one.measure, one.due) for one in problems_of(findings)}
    return sorted(row for row in rows if row in now and as_ordered.get(row) != now[row])


def rows_of_type_5(
    content: Mapping[str, Mapping[str, Any]],
    findings: Sequence[tuple[str, Mapping[str, Any]]],
    items: Sequence[Item],
    own: Collection[str],
) -> set[str]:
    """The findings that one of a task's `own` items with type 5 rests on: each needs its order before publication.

    `items` are all of the checklist, since a finding whose point is in none of them belongs to every item (R24.7).
    """
    material = with_known_points(Material(content, dict(findings), ()), items)
    fields, found = content["visit"], set[str]()
    for item in (one for one in items if one.id in own):
        types = fields.get(f"result:{item.id}")
        if isinstance(types, list) and "ordered_to_correct" in types:
            found |= {row for row, one in findings_of(material, item).items() if one.get("measure") in ORDERED}
    return found


def recheck_list(order: str, problems: Sequence[Problem]) -> Template:
    """The checklist of a recheck: a point for each problem, in the order's numbers."""
    points: list[Any] = [
        {
            "id": point_of(one),
            "text": f"第 {one.n} 项已改正：{one.text}"[:2000],
            "how": "对照整改指令书逐项到现场看，拍下改正后的样子。",
            "basis": one.basis,
            "section": "整改复查",
            "major": one.severity == "major",
        }
        for one in problems
    ]
    item = {"id": RECHECK_ITEM, "name": f"整改复查（{order}）", "judged": "findings", "points": points}
    body = rfc8785.dumps({"t": "checklist/1", "title": f"整改复查（{order}）", "items": [item]})
    return Template(hashlib.sha256(body).hexdigest(), f"整改复查（{order}）", body)


def point_of(problem: Problem) -> str:
    """The point of a recheck's checklist that asks about a problem."""
    return f"rc-{problem.n:03d}"
