"""The ten results of article 24: what each needs, what forbids it, and which may stand together (R24.1 to R27.1).

Everything here is a pure function of the material of a visit: the content as it is signed, its live findings, its live
media, and the items of its checklist. What is lacking is said as pairs of a code and a detail that names the item, and
the point or finding where there is one; the visit's own result has an empty detail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec


class Point(msgspec.Struct, frozen=True):
    """A point of the checklist."""

    id: str


class Item(msgspec.Struct, frozen=True):
    """An item of the template: `judged` by `findings` (type 1 possible) or by a `standard` (9, 10 possible), R24.5."""

    id: str
    judged: str
    points: list[Point]


class Medium(msgspec.Struct, frozen=True):
    """A live medium: what it is evidence for, and what its attach op said of time and place."""

    mime: str
    place: str
    taken: str | None
    has_geo: bool
    caption: Any


class Material(msgspec.Struct, frozen=True):
    """What the rules look at; a live finding without any field counts as a finding too."""

    content: Mapping[str, Mapping[str, Any]]
    findings: Mapping[str, Mapping[str, Any]]
    media: Sequence[Medium]


class Missing(msgspec.Struct, frozen=True):
    """One thing that final still lacks."""

    code: str
    detail: dict[str, Any]


#: R24.4: the order in which the types are offered; nothing is preselected.
TYPES: Final = (
    "serious_noncooperation",
    "info_false",
    "unqualified",
    "ordered_to_correct",
    "pending_followup",
    "info_not_disclosed",
    "unreachable",
    "no_relevant_activity",
    "no_problem_found",
    "qualified",
)
#: The numbers printed in article 24.
NUMBERS: Final = dict(zip(TYPES, (6, 3, 10, 5, 8, 2, 4, 7, 1, 9), strict=True))
#: R24.3: these stand alone.
ALONE: Final = frozenset({"unreachable", "no_relevant_activity", "no_problem_found", "qualified"})
CLEAN: Final = frozenset({"no_problem_found", "qualified"})
#: R24.7, R27.1: with these the checklist needn't be answered.
UNINSPECTED: Final = frozenset({"unreachable", "no_relevant_activity", "serious_noncooperation"})
#: R25.1: they allow type 6 and never set it.
CIRCUMSTANCES: Final = frozenset({"entry_refused", "material_refused", "untrue_material", "other_obstruction"})
VERDICTS: Final = ("pass", "fail", "na")

#: JavaScript's white space, so that both sides trim alike.
_SPACE: Final = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))


def nothing_inspected(content: Mapping[str, Mapping[str, Any]]) -> bool:
    """R27.1: whether no substantive inspection took place: type 4, or type 6 where no point was answered."""
    main = content["visit"].get("result")
    answered = any(answer.get("verdict") in VERDICTS for answer in content["answer"].values())
    return main == "unreachable" or (main == "serious_noncooperation" and not answered)


def is_said(text: object) -> bool:
    """Whether somebody wrote something: a string with more than white space in it."""
    return isinstance(text, str) and bool(text.strip(_SPACE))


# --- what belongs to an item ------------------------------------------------------------------------------------------


def with_known_points(material: Material, items: Iterable[Item]) -> Material:
    """R24.7: a finding whose point is in no item of the checklist counts as one without a point."""
    known = {point.id for item in items for point in item.points}
    findings = {
        row: finding if is_said(finding.get("point")) and finding["point"] in known else {**finding, "point": None}
        for row, finding in material.findings.items()
    }
    return msgspec.structs.replace(material, findings=findings)


def findings_of(material: Material, item: Item) -> dict[str, Mapping[str, Any]]:
    """R24.7: a finding belongs to the item of its point; without a point it belongs to every item."""
    points = {point.id for point in item.points}
    return {
        row: finding
        for row, finding in material.findings.items()
        if not is_said(finding.get("point")) or finding["point"] in points
    }


def evidence_of(material: Material, item: Item) -> list[Medium]:
    """R24.7: evidence is a live medium for the visit, for a point of the item or for a finding of the item."""
    places = {"visit", *(f"answer:{point.id}" for point in item.points), *_places(findings_of(material, item))}
    return [medium for medium in material.media if medium.place in places]


def _places(findings: Iterable[str]) -> set[str]:
    return {f"finding:{row}" for row in findings}


def _answer(material: Material, point: Point) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = material.content["answer"].get(point.id, {})
    return answer


# --- what each type needs ---------------------------------------------------------------------------------------------

Rule = Callable[[Material, Item], list[Missing]]


def _need(code: str, is_met: Callable[[Material, Item], object]) -> Rule:
    return lambda material, item: [] if is_met(material, item) else [Missing(code, {"item": item.id})]


def _judged_by(judged: str) -> Rule:
    return _need("result_mismatch", lambda _, item: item.judged == judged)


def _is_clean(material: Material, item: Item) -> list[Missing]:
    """Types 1 and 9: a failed point or a live finding forbids them."""
    failed = [point.id for point in item.points if _answer(material, point).get("verdict") == "fail"]
    found = findings_of(material, item)
    return [
        *(Missing("result_mismatch", {"item": item.id, "point": point}) for point in failed),
        *(Missing("result_mismatch", {"item": item.id, "finding": row}) for row in found),
    ]


def _has_whys(material: Material, item: Item) -> list[Missing]:
    """Type 1: `na` counts as an answer only with a note that says why."""
    return [
        Missing("unanswered_point", {"item": item.id, "point": point.id})
        for point in item.points
        if _answer(material, point).get("verdict") == "na" and not is_said(_answer(material, point).get("note"))
    ]


def _has_named_information(material: Material, item: Item) -> bool:
    return any(is_said(finding.get("text")) for finding in findings_of(material, item).values())


def _has_evidence_on_a_finding(material: Material, item: Item) -> bool:
    places = _places(findings_of(material, item))
    return any(medium.place in places for medium in material.media)


def _has_photo_of_the_place(material: Material, item: Item) -> bool:
    """Article 27: a photo that says when, and where or why it doesn't say where."""
    return any(
        medium.mime.startswith("image/") and medium.taken and (medium.has_geo or is_said(medium.caption))
        for medium in evidence_of(material, item)
    )


def _has_two_attempts(material: Material, _: Item) -> bool:
    attempts = material.content["visit"].get("attempts", [])
    moments = {one["at"] for one in attempts if isinstance(one, dict) and is_said(one.get("at"))}
    return len(moments) > 1


def _has_order(material: Material, item: Item) -> bool:
    return any(it.get("measure") in ("on_spot", "deadline") for it in findings_of(material, item).values())


def _has_deadlines(material: Material, item: Item) -> list[Missing]:
    return [
        Missing("order_deadline", {"item": item.id, "finding": row})
        for row, finding in findings_of(material, item).items()
        if finding.get("measure") == "deadline" and not is_said(finding.get("due"))
    ]


def circumstances_of(content: Mapping[str, Mapping[str, Any]]) -> list[Any]:
    """The circumstances of article 25 that were ticked."""
    given = content["visit"].get("noncooperation", {}).get("circumstances")
    return given if isinstance(given, list) else []


def _has_circumstance(material: Material, _: Item) -> bool:
    ticked = circumstances_of(material.content)
    stopped = is_said(material.content["visit"].get("noncooperation", {}).get("text"))
    known = all(isinstance(one, str) and one in CIRCUMSTANCES for one in ticked)
    return bool(ticked) and known and (stopped or "other_obstruction" not in ticked)


def _has_followup(material: Material, _: Item) -> bool:
    followup = material.content["visit"].get("followup", {})
    return is_said(followup.get("owner")) and is_said(followup.get("due"))


def _has_note(material: Material, _: Item) -> bool:
    return is_said(material.content["visit"].get("result_note"))


def _has_basis(material: Material, item: Item) -> bool:
    return is_said(material.content["visit"].get(f"basis:{item.id}"))


_a_finding = _need("finding", findings_of)
_some_evidence = _need("evidence", evidence_of)
_a_basis = _need("basis", _has_basis)

#: R24.2: what each type needs of an item, and what forbids it.
NEEDS: Final[dict[str, tuple[Rule, ...]]] = {
    "no_problem_found": (_judged_by("findings"), _is_clean, _has_whys),
    "info_not_disclosed": (_need("finding", _has_named_information),),
    "info_false": (_a_finding, _need("evidence", _has_evidence_on_a_finding)),
    "unreachable": (_need("evidence", _has_photo_of_the_place), _need("attempts", _has_two_attempts)),
    "ordered_to_correct": (_need("finding", _has_order), _has_deadlines),
    "serious_noncooperation": (_need("circumstance", _has_circumstance), _some_evidence),
    "no_relevant_activity": (_some_evidence, _need("result", _has_note)),
    "pending_followup": (_a_finding, _need("followup", _has_followup)),
    "qualified": (_judged_by("standard"), _a_basis, _is_clean),
    "unqualified": (_judged_by("standard"), _a_basis, _a_finding),
}


# --- the rules over all items -----------------------------------------------------------------------------------------


def unanswered(material: Material, item: Item, types: Sequence[Any]) -> list[Missing]:
    """R24.7: every point is answered, but where nothing, or not all, could be inspected (4, 7, 6)."""
    if any(type_ in UNINSPECTED for type_ in types if isinstance(type_, str)):
        return []
    return [
        Missing("unanswered_point", {"item": item.id, "point": point.id})
        for point in item.points
        if _answer(material, point).get("verdict") not in VERDICTS
    ]


def types_of(material: Material, item: Item) -> list[Any]:
    """The types chosen for an item, the main one first."""
    types = material.content["visit"].get(f"result:{item.id}", [])
    return types if isinstance(types, list) else []


def stand_together(types: Sequence[Any]) -> bool:
    """R24.2, R24.3: known types, none twice, and more than one only among 2 3 5 6 8 10."""
    known = all(isinstance(type_, str) and type_ in NUMBERS for type_ in types)
    return known and len(set(types)) == len(types) and (len(types) == 1 or ALONE.isdisjoint(types))


def may_join(type_: str) -> list[str]:
    """R24.2: the types that may stand beside this one, as further types of the same item."""
    return [] if type_ in ALONE else [other for other in TYPES if other != type_ and other not in ALONE]


def _item_missing(material: Material, item: Item) -> list[Missing]:
    types = types_of(material, item)
    open_points = unanswered(material, item, types)
    if not types:
        return [Missing("result", {"item": item.id}), *open_points]
    if not stand_together(types):
        return [Missing("result_mismatch", {"item": item.id}), *open_points]
    return [*(missing for type_ in types for rule in NEEDS[type_] for missing in rule(material, item)), *open_points]


def main_choices(mains: Sequence[Any]) -> list[str]:
    """R24.4: which of the items' main types may be the visit's main result."""

    def fits(type_: str) -> bool:
        if type_ in ("unreachable", "no_relevant_activity"):
            return all(main == type_ for main in mains)
        if "unreachable" in mains:
            return False
        return type_ not in CLEAN or all(main in CLEAN or main == "no_relevant_activity" for main in mains)

    return [type_ for type_ in TYPES if type_ in mains and fits(type_)]


def result_missing(material: Material, items: Sequence[Item]) -> list[Missing]:
    """What the results still lack, item by item and for the visit (R24.2 to R24.7, R25.1, R27.1)."""
    material = with_known_points(material, items)
    missing = [it for item in items for it in _item_missing(material, item)]
    result = material.content["visit"].get("result")
    if not result:
        return [*missing, Missing("result", {})]
    mains = [next((type_ for type_ in types_of(material, item)[:1] if isinstance(type_, str)), None) for item in items]
    return missing if result in main_choices(mains) else [*missing, Missing("result_mismatch", {})]


def needs_subject(content: Mapping[str, Mapping[str, Any]]) -> bool:
    """R23.2: the subject's representative signs or refuses, but where nobody could be met or nobody was let in."""
    result = content["visit"].get("result")
    if result == "serious_noncooperation":
        return "entry_refused" not in circumstances_of(content)
    return result != "unreachable"
