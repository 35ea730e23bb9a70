"""The item list as everybody may read it: closed types, in which nothing of a person has a place (R5.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from server.domain.item import Item, Point
from server.domain.item_difference import PUBLIC_FIELDS, PUBLIC_POINT_FIELDS, ListDifference, difference
from server.domain.item_entry import percent


class PublicBasis(msgspec.Struct, frozen=True, rename={"since": "from", "until": "to"}):
    """A legal basis, with the days on which it is in force."""

    document: str
    number: str
    article: str | None
    since: str
    until: str | None


class PublicPoint(msgspec.Struct, frozen=True):
    """What is asked. How it is looked into stays inside the bureau."""

    text: str
    basis: str
    section: str
    major: bool
    traits: tuple[str, ...]
    condition: str


class PublicItem(msgspec.Struct, frozen=True):
    """A matter of the list; `ratio` is a percentage as people write it, or None."""

    id: str
    name: str
    object: str
    category: str
    method: str
    department: str
    level: str
    sector: str
    judged: str
    ratio: str | None
    unit: str
    scope: tuple[str, ...]
    basis: tuple[PublicBasis, ...]
    points: tuple[PublicPoint, ...]
    checklist: str


class PublicVersion(msgspec.Struct, frozen=True):
    """A release: who did it isn't said."""

    n: int
    released_on: str
    released_at: str
    document: str
    summary: str
    sha256: str


class PublicList(msgspec.Struct, frozen=True):
    """A whole version, as its page and its files have it."""

    t: str
    bureau: str
    version: PublicVersion
    items: tuple[PublicItem, ...]


def public_item(item: Item, units: Mapping[str, str], checklist: str) -> PublicItem:
    """An item for everybody; `checklist` is the digest of its checklist."""
    scope = item.scope
    return PublicItem(
        id=item.id,
        name=item.name,
        object=item.object,
        category=item.category,
        method=item.method,
        department=item.department,
        level=item.level,
        sector=item.sector,
        judged=item.judged,
        ratio=percent(item.ratio) or None,
        unit=units.get(item.unit_id or "", ""),
        scope=(("everyone",) if scope.everyone else ()) + scope.traits + scope.kinds + scope.industries,
        basis=tuple(PublicBasis(one.document, one.number, one.article, one.since, one.until) for one in item.basis),
        points=tuple(_point(point) for point in item.checklist),
        checklist=checklist,
    )


def _point(point: Point) -> PublicPoint:
    applies = point.applies
    traits, condition = (applies.traits, applies.text) if applies else ((), "")
    return PublicPoint(point.text, point.basis, point.section, point.major, traits, condition)


def public_difference(old: Sequence[Item], new: Sequence[Item]) -> ListDifference:
    """What changed from one version to the next, without what stays inside the bureau."""
    return difference(map(_outside, old), map(_outside, new), PUBLIC_FIELDS, PUBLIC_POINT_FIELDS)


def _outside(item: Item) -> Item:
    points = tuple(replace(point, how="") for point in item.checklist)
    return replace(item, checklist=points, phrases=())
