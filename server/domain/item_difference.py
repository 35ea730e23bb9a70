"""The readable difference between two versions of the item list, or of one item (R5.2)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from server.domain.item import Item, Point, Scope
from server.domain.item_entry import percent

FIELDS: Final = (
    "name",
    "object",
    "category",
    "method",
    "department",
    "level",
    "sector",
    "judged",
    "ratio",
    "unit_id",
    "scope",
    "basis",
)
POINT_FIELDS: Final = ("text", "how", "basis", "section", "major", "applies")

PUBLIC_FIELDS: Final = FIELDS
PUBLIC_POINT_FIELDS: Final = ("text", "basis", "section", "major", "applies")
"""How a point is to be looked into stays inside the bureau."""


class Change(msgspec.Struct, frozen=True):
    """One field: what was said and what is said, each as one line or several."""

    field: str
    before: tuple[str, ...]
    after: tuple[str, ...]


class PointChange(msgspec.Struct, frozen=True):
    """A point of both sides that says something else now."""

    id: str
    text: str
    changes: tuple[Change, ...]


class Moved(msgspec.Struct, frozen=True):
    """A point that stands elsewhere among the others; places count from one."""

    id: str
    text: str
    before: int
    after: int


class ItemDifference(msgspec.Struct, frozen=True):
    """What changed in one item."""

    id: str
    name: str
    changes: tuple[Change, ...] = ()
    points_added: tuple[Point, ...] = ()
    points_removed: tuple[Point, ...] = ()
    points_changed: tuple[PointChange, ...] = ()
    points_moved: tuple[Moved, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed that these fields tell of."""
        return not (
            self.changes or self.points_added or self.points_removed or self.points_changed or self.points_moved
        )


class ListDifference(msgspec.Struct, frozen=True):
    """What changed from one list to another."""

    added: tuple[Item, ...] = ()
    removed: tuple[Item, ...] = ()
    changed: tuple[ItemDifference, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether both lists say the same."""
        return not (self.added or self.removed or self.changed)


def difference(
    old: Iterable[Item],
    new: Iterable[Item],
    fields: Sequence[str] = FIELDS,
    point_fields: Sequence[str] = POINT_FIELDS,
) -> ListDifference:
    """What was added, removed and changed, item by item."""
    before, after = {item.id: item for item in old}, {item.id: item for item in new}
    both = [item_difference(before[id], item, fields, point_fields) for id, item in after.items() if id in before]
    return ListDifference(
        added=tuple(item for id, item in after.items() if id not in before),
        removed=tuple(item for id, item in before.items() if id not in after),
        changed=tuple(one for one in both if not one.is_empty),
    )


def item_difference(
    old: Item, new: Item, fields: Sequence[str] = FIELDS, point_fields: Sequence[str] = POINT_FIELDS
) -> ItemDifference:
    """What changed in one item; phrases aren't compared, since they oblige nobody."""
    before = {point.id: point for point in old.checklist}
    after = {point.id: point for point in new.checklist}
    rewritten = [_rewritten(before[id], point, point_fields) for id, point in after.items() if id in before]
    return ItemDifference(
        id=new.id,
        name=new.name,
        changes=_changes(_lines_of(old), _lines_of(new), fields),
        points_added=tuple(point for id, point in after.items() if id not in before),
        points_removed=tuple(point for id, point in before.items() if id not in after),
        points_changed=tuple(one for one in rewritten if one.changes),
        points_moved=tuple(_moved(old.checklist, new.checklist)),
    )


def _changes(
    before: Mapping[str, tuple[str, ...]], after: Mapping[str, tuple[str, ...]], fields: Sequence[str]
) -> tuple[Change, ...]:
    return tuple(Change(name, before[name], after[name]) for name in fields if before[name] != after[name])


def _lines_of(item: Item) -> dict[str, tuple[str, ...]]:
    plain = {name: (str(getattr(item, name) or ""),) for name in FIELDS if name not in ("ratio", "scope", "basis")}
    bases = tuple(
        f"{basis.label}（{basis.number}）{basis.since} — {basis.until or ''}".rstrip(" —") for basis in item.basis
    )
    return plain | {"ratio": (percent(item.ratio),), "scope": _scope(item.scope), "basis": bases}


def _scope(scope: Scope) -> tuple[str, ...]:
    """The values of a scope: words of the system, which a page translates, and prefixes of codes."""
    return (("everyone",) if scope.everyone else ()) + scope.traits + scope.kinds + scope.industries


def _rewritten(old: Point, new: Point, fields: Sequence[str]) -> PointChange:
    return PointChange(new.id, new.text, _changes(_said(old), _said(new), fields))


def _said(point: Point) -> dict[str, tuple[str, ...]]:
    applies = point.applies
    return {
        "text": (point.text,),
        "how": (point.how,),
        "basis": (point.basis,),
        "section": (point.section,),
        "major": ("yes" if point.major else "no",),
        "applies": () if applies is None else (*applies.traits, *((applies.text,) if applies.text else ())),
    }


def _moved(old: Sequence[Point], new: Sequence[Point]) -> Iterable[Moved]:
    """The fewest points whose moving explains the new order: those outside a longest run that kept its order."""
    places = {point.id: place for place, point in enumerate(old, 1)}
    common = [point for point in new if point.id in places]
    stayed = _longest_rising([places[point.id] for point in common])
    now = {point.id: place for place, point in enumerate(new, 1)}
    for n, point in enumerate(common):
        if n not in stayed:
            yield Moved(point.id, point.text, places[point.id], now[point.id])


def _longest_rising(numbers: Sequence[int]) -> set[int]:
    """The indices of a longest rising subsequence (patience sorting)."""
    tops: list[int] = []
    at: list[int] = []
    back: list[int] = []
    for n, number in enumerate(numbers):
        pile = bisect_left(tops, number)
        back.append(at[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [number]
        at[pile : pile + 1] = [n]
    found, n = set[int](), at[-1] if at else -1
    while n >= 0:
        found.add(n)
        n = back[n]
    return found
