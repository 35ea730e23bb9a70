"""What somebody enters of an item and of its checklist, checked field by field, and the same back as a form has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from server.domain.codes import normal_code
from server.domain.entry import Entry
from server.domain.faults import Fault
from server.domain.item import CATEGORIES, JUDGED, SECTORS, Applies, Basis, Item, Phrase, Point, Scope
from server.domain.subject import KINDS, TRAITS

MOST_POINTS: Final = 200
MOST_BASES: Final = 60

_INDUSTRY: Final = re.compile(r"[A-T]\d{0,4}")
_PERCENT: Final = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))?")
_ROW: Final = re.compile(r"(basis|point)\.([0-9]{1,3})\.")
_MARKS: Final = ("；", "：")  # a point's basis is written with them: labels；labels：gist

Made = tuple[tuple[Point, ...], tuple[Phrase, ...]]


def blank_item(id: str, unit_id: str | None) -> Item:
    """An item of which nothing is said yet."""
    return Item(id, "", "", "general", "", "", "other", "findings", (), "draft", False, (), (), unit_id=unit_id)


# --- the item ---------------------------------------------------------------------------------------------------------


def check_item(values: Mapping[str, str], base: Item) -> tuple[Item | None, list[Fault]]:
    """An item as entered over `base`, which keeps its id, unit and checklist; and what is wrong (R5.1, R6.1)."""
    entry = Entry(values)
    made = {
        "name": entry.name("name", most=200),
        "object": entry.line("object"),
        "category": entry.choice("category", CATEGORIES),
        "method": entry.line("method"),
        "department": entry.line("department"),
        "level": entry.line("level"),
        "sector": entry.choice("sector", SECTORS),
        "judged": entry.choice("judged", JUDGED),
        "ratio": _ratio(entry),
        "scope": _scope(entry, values),
        "basis": _bases(entry, values),
        "needs_review": values.get("needs_review") == "yes",
    }
    if not entry.is_good:
        return None, entry.faults
    return msgspec.structs.replace(base, **made), entry.faults


def _ratio(entry: Entry) -> int | None:
    """A percentage with at most two decimals, as the law gives it, in units of 1 per 10,000."""
    text = normal_code(entry.line("ratio", required=False)).removesuffix("%")
    if not text:
        return None
    match = _PERCENT.fullmatch(text)
    ratio = int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0")) if match else 0
    if not 1 <= ratio <= 10_000:
        entry.wrong("ratio", "not_a_percentage", found=text[:20])
    return ratio


def percent(ratio: int | None) -> str:
    """A ratio per 10,000 as people write it, without needless zeros: 250 is 2.5."""
    if ratio is None:
        return ""
    return f"{ratio // 100}.{ratio % 100:02d}".rstrip("0").rstrip(".")


def _scope(entry: Entry, values: Mapping[str, str]) -> Scope:
    industries = tuple(
        dict.fromkeys(map(normal_code, entry.line("scope.industries", required=False).replace("、", " ").split()))
    )
    for code in industries:
        if not _INDUSTRY.fullmatch(code):
            entry.wrong("scope.industries", "industry_prefix", found=code[:20])
    return Scope(
        everyone=values.get("scope.everyone") == "yes",
        traits=tuple(trait for trait in TRAITS if values.get(f"scope.traits.{trait}") == "yes"),
        industries=industries,
        kinds=tuple(kind for kind in KINDS if values.get(f"scope.kinds.{kind}") == "yes"),
    )


def _bases(entry: Entry, values: Mapping[str, str]) -> tuple[Basis, ...]:
    found: dict[str, Basis] = {}
    for at in rows_of(values, "basis")[:MOST_BASES]:
        if not any(values.get(f"{at}.{name}", "").strip() for name in ("document", "number", "article", "from", "to")):
            continue
        basis = _basis(entry, at)
        if any(mark in basis.label for mark in _MARKS):
            entry.wrong(f"{at}.document", "basis_mark")
        if basis.label in found:
            entry.wrong(f"{at}.document", "basis_twice", found=basis.label[:60])
        found[basis.label] = basis
    return tuple(found.values())


def _basis(entry: Entry, at: str) -> Basis:
    document, number = entry.line(f"{at}.document"), entry.line(f"{at}.number")
    article = entry.line(f"{at}.article", most=60, required=False)
    since, until = entry.day(f"{at}.from"), entry.day(f"{at}.to", required=False)
    if since and until and until < since:
        entry.wrong(f"{at}.to", "ends_before")
    return Basis(document, number, article or None, since or "", until)


def rows_of(values: Mapping[str, str], name: str) -> list[str]:
    """The rows of a form in its order: `basis.0`, `basis.1`, ...; fields of one row have its name before theirs."""
    found = {int(match[2]) for key in values if (match := _ROW.match(key)) and match[1] == name}
    return [f"{name}.{n}" for n in sorted(found)]


# --- the checklist ----------------------------------------------------------------------------------------------------


def check_checklist(
    values: Mapping[str, str], item: Item, known: Collection[str], fresh: Callable[[], str]
) -> tuple[Made | None, list[Fault]]:
    """The points in the form's order, and the phrases; a point keeps its id if the item has ever had it (`known`).

    What a point stands on is chosen from the item's own legal bases. A row without any text is left out.
    """
    entry, points, phrases, used = Entry(values), [], [], set[str]()
    rows = [at for at in rows_of(values, "point") if _is_filled(values, at)]
    if len(rows) > MOST_POINTS:
        entry.wrong("points", "too_many_points", n=len(rows), most=MOST_POINTS)
    for at in rows[:MOST_POINTS]:
        id = values.get(f"{at}.id", "")
        id = id if id in known and id not in used else fresh()
        used.add(id)
        points.append(_point(entry, values, at, id, item))
        phrases += [Phrase(id, line) for line in _lines(entry, f"{at}.phrases")]
    phrases += [Phrase(None, line) for line in _lines(entry, "phrases")]
    return ((tuple(points), tuple(phrases)) if entry.is_good else None), entry.faults


def _is_filled(values: Mapping[str, str], at: str) -> bool:
    return any(values.get(f"{at}.{name}", "").strip() for name in ("text", "how", "gist"))


def _point(entry: Entry, values: Mapping[str, str], at: str, id: str, item: Item) -> Point:
    labels = chosen(values, at, item.basis)
    text, how = entry.line(f"{at}.text"), entry.line(f"{at}.how", most=400)
    gist = entry.line(f"{at}.gist", required=False)
    if not labels:
        entry.wrong(f"{at}.basis", "missing")
    return Point(
        id=id,
        text=text,
        how=how,
        basis="；".join(labels) + (f"：{gist}" if gist else ""),
        section=entry.line(f"{at}.section", most=40),
        major=values.get(f"{at}.major") == "yes",
        applies=_applies(entry, values, at),
    )


def chosen(values: Mapping[str, str], at: str, bases: Sequence[Basis]) -> list[str]:
    """The labels of the bases that a row of the form names, in its order: the ticked ones, then the added one."""
    labels = {basis.label for basis in bases}
    named = [value for key, value in values.items() if key.startswith((f"{at}.basis.", f"{at}.more"))]
    return [label for label in dict.fromkeys(named) if label in labels]


def _applies(entry: Entry, values: Mapping[str, str], at: str) -> Applies | None:
    traits = tuple(trait for trait in TRAITS if values.get(f"{at}.traits.{trait}") == "yes")
    text = entry.line(f"{at}.condition", required=bool(traits))  # phones show the words
    return Applies(traits, text) if traits or text else None


def _lines(entry: Entry, field: str) -> list[str]:
    return [line.strip() for line in entry.text(field, required=False).splitlines() if line.strip()]


def cited(point: Point) -> tuple[list[str], str]:
    """The labels that a point's basis names, and the gist behind them."""
    labels, _, gist = point.basis.partition("：")
    return [label for label in labels.split("；") if label], gist


def uncited(item: Item) -> list[Point]:
    """The points that stand on something that isn't among the item's legal bases any more."""
    labels = {basis.label for basis in item.basis}
    return [point for point in item.checklist if not set(cited(point)[0]) <= labels]


# --- back into a form -------------------------------------------------------------------------------------------------


def item_values(item: Item) -> dict[str, str]:
    """An item as the fields of its form."""
    values = {
        name: str(getattr(item, name)) for name in ("name", "object", "category", "method", "department", "level")
    }
    values |= {"sector": item.sector, "judged": item.judged, "ratio": percent(item.ratio)}
    values |= {"scope.industries": " ".join(item.scope.industries)}
    values |= _ticks("scope.traits", item.scope.traits) | _ticks("scope.kinds", item.scope.kinds)
    values |= {"scope.everyone": "yes"} if item.scope.everyone else {}
    values |= {"needs_review": "yes"} if item.needs_review else {}
    for n, basis in enumerate(item.basis):
        row = {"document": basis.document, "number": basis.number, "article": basis.article or "", "from": basis.since}
        values |= {f"basis.{n}.{name}": value for name, value in (row | {"to": basis.until or ""}).items()}
    return values


def checklist_values(item: Item) -> dict[str, str]:
    """A checklist as the fields of its form."""
    values = {"phrases": "\n".join(phrase.text for phrase in item.phrases if phrase.point is None)}
    for n, point in enumerate(item.checklist):
        values |= {f"point.{n}.{name}": value for name, value in _point_values(point, item.phrases).items()}
    return values


def _point_values(point: Point, phrases: Iterable[Phrase]) -> dict[str, str]:
    labels, gist = cited(point)
    applies = point.applies or Applies()
    row = {"id": point.id, "text": point.text, "how": point.how, "gist": gist, "section": point.section}
    row |= {"condition": applies.text} | ({"major": "yes"} if point.major else {}) | _ticks("traits", applies.traits)
    row |= {f"basis.{n}": label for n, label in enumerate(labels)}
    return row | {"phrases": "\n".join(phrase.text for phrase in phrases if phrase.point == point.id)}


def _ticks(name: str, ticked: Iterable[str]) -> dict[str, str]:
    return {f"{name}.{one}": "yes" for one in ticked}


# --- rows that move before they are saved -----------------------------------------------------------------------------

MOVES: Final = ("up", "down", "remove", "add", "more")


def moved(values: Mapping[str, str], name: str, move: str) -> dict[str, str]:
    """The form with a row moved up or down, taken out, or an empty one added: `up:3`; nothing is saved by it.

    `more` changes no row: the form comes back with what was ticked, and one more basis can be chosen.
    """
    act, _, place = move.partition(":")
    rows = [_row_of(values, at) for at in rows_of(values, name)]
    at = int(place) if place.isascii() and place.isdigit() and int(place) < len(rows) else None
    if act == "add":
        rows.insert(
            len(rows) if at is None else at + 1, _like(rows[at] if at is not None else rows[-1] if rows else {})
        )
    elif at is not None and act == "remove":
        rows.pop(at)
    elif at is not None and act in ("up", "down"):
        other = at - 1 if act == "up" else at + 1
        if 0 <= other < len(rows):
            rows[at], rows[other] = rows[other], rows[at]
    kept = {key: value for key, value in values.items() if not key.startswith(f"{name}.")}
    return kept | {f"{name}.{n}.{key}": value for n, row in enumerate(rows) for key, value in row.items()}


def _row_of(values: Mapping[str, str], at: str) -> dict[str, str]:
    return {key.removeprefix(f"{at}."): value for key, value in values.items() if key.startswith(f"{at}.")}


def _like(row: Mapping[str, str]) -> dict[str, str]:
    """A new row under the same heading, or with the same document."""
    return {"text": "", "section": row["section"]} if "section" in row else {"document": ""}
