"""A matter of the item list (R5.1): what it asks, on which law it stands, which subjects it covers, its checklist."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, Protocol

import msgspec
import rfc8785

from server.errors import Problem

SECTORS: Final = ("hazardous_chemicals", "non_coal_mines", "safety_services", "industry_commerce", "other")
"""The sectors of article 6, and `other`: the annex has matters of none of them (R32.1)."""

CATEGORIES: Final = ("key", "general")
JUDGED: Final = ("findings", "standard")

STATES: Final = ("draft", "ready", "released", "withdrawing", "withdrawn")
"""Where the working draft of an item stands: being worked on; waiting for the next release; as in the current version;
to be left out at the next release; left out."""


class Basis(msgspec.Struct, frozen=True, rename={"since": "from", "until": "to"}):
    """A legal basis and the days on which it is in force."""

    document: str
    number: str
    article: str | None
    since: str
    until: str | None = None

    @property
    def label(self) -> str:
        """As points cite it: document and article."""
        return self.document + (self.article or "")

    def is_in_force(self, day: str) -> bool:
        """Whether it is in force on a day; its first and last day are of them."""
        return self.since <= day and (self.until is None or day <= self.until)


class Applies(msgspec.Struct, frozen=True, omit_defaults=True):
    """When a point is to be asked: of subjects with one of these traits, and under the condition of the text."""

    traits: tuple[str, ...] = ()
    text: str = ""


class Point(msgspec.Struct, frozen=True, omit_defaults=True):
    """One question of a checklist, as templates carry it; a point for everybody has no `applies` in its template."""

    id: str
    text: str
    how: str
    basis: str
    section: str
    major: bool
    applies: Applies | None = None


class Phrase(msgspec.Struct, frozen=True):
    """A ready sentence for a note or a finding; without a point it serves the whole item."""

    point: str | None
    text: str


class Scope(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which subjects an item covers: all, or those that meet each condition that is given (one value of it is enough).

    A scope without any condition covers nobody: nobody has said yet whom the item is for.
    """

    everyone: bool = False
    traits: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


class Item(msgspec.Struct, frozen=True):
    """A matter of the item list. `judged` says which result types are possible (R24.5).

    `ratio` is the statutory one per 10,000, or None; `unit_id` the unit that is responsible.
    """

    id: str
    name: str
    object: str
    category: Literal["key", "general"]
    method: str
    level: str
    sector: str
    judged: Literal["findings", "standard"]
    basis: tuple[Basis, ...]
    state: Literal["draft", "ready", "released", "withdrawing", "withdrawn"]
    needs_review: bool
    checklist: tuple[Point, ...]
    phrases: tuple[Phrase, ...]
    department: str = ""
    ratio: int | None = None
    unit_id: str | None = None
    scope: Scope = Scope()


class Template(msgspec.Struct, frozen=True):
    """A checklist as it was frozen for a visit: `body` is JCS, and its SHA-256 is its name."""

    sha256: str
    title: str
    body: bytes


class Covered(Protocol):
    """What a scope looks at of a subject."""

    @property
    def kind(self) -> str: ...
    @property
    def industry(self) -> str: ...
    @property
    def traits(self) -> Sequence[str]: ...


def covers(item: Item, subject: Covered) -> bool:
    """Whether an item is for a subject, by what the subject is; whether it is still active is another question."""
    scope = item.scope
    if scope.everyone:
        return True
    if not (scope.traits or scope.industries or scope.kinds):
        return False
    return (
        (not scope.traits or not set(scope.traits).isdisjoint(subject.traits))
        and (not scope.industries or subject.industry.startswith(scope.industries))
        and (not scope.kinds or subject.kind in scope.kinds)
    )


def not_in_force(item: Item, day: str) -> list[Basis]:
    """The bases of an item that aren't in force on a day: a warning, never a refusal (R5.1)."""
    return [basis for basis in item.basis if not basis.is_in_force(day)]


def must_be_released(listed: Collection[str], ids: Iterable[str]) -> None:
    """Only items of the released list enter a random task (R2.1): else `item_not_released`, article 2."""
    strange = [id for id in ids if id not in listed]
    if strange:
        raise Problem("item_not_released", members={"items": strange}, items="、".join(strange))


def must_be_complete(item: Item) -> None:
    """What article 5 asks of an item is there, and whoever had to look at a draft of the annex has done so (R32.1)."""
    if item.needs_review:
        raise Problem("item_needs_review", name=item.name)
    wanted: dict[str, object] = {
        "department": item.department,
        "basis": item.basis,
        "scope": item.scope != Scope(),
        "checklist": item.checklist,
    }
    missing = [field for field, value in wanted.items() if not value]
    if missing:
        raise Problem("item_incomplete", members={"missing": missing}, name=item.name, n=len(missing))


def edition_of(item: Item) -> Mapping[str, Any]:
    """What a version of the list keeps of an item: everything but where its draft stands."""
    kept: dict[str, Any] = msgspec.to_builtins(item)
    return {name: value for name, value in kept.items() if name not in ("state", "needs_review")}


def digest_of_edition(item: Item) -> str:
    """The name of an item's edition: the SHA-256 of its canonical form."""
    return hashlib.sha256(rfc8785.dumps(dict(edition_of(item)))).hexdigest()


def item_of_edition(body: bytes) -> Item:
    """An item as a version of the list has it."""
    return msgspec.convert(msgspec.json.decode(body) | {"state": "released", "needs_review": False}, Item)


def template_of(items: Sequence[Item]) -> Template:
    """The checklist of one visit, which may hold several items; their point ids are distinct, or it is an error."""
    return _template([_in_template(item) for item in items])


def template_of_both(mine: bytes, other: bytes) -> Template:
    """The checklist of two visits done as one (R22.1): an item that both have stands in it once, as in `mine`."""
    items = msgspec.json.decode(mine)["items"]
    known = {item["id"] for item in items}
    return _template([*items, *(item for item in msgspec.json.decode(other)["items"] if item["id"] not in known)])


def _template(items: Sequence[dict[str, Any]]) -> Template:
    points = [point["id"] for item in items for point in item["points"]]
    if len(points) != len(set(points)):
        raise ValueError("Two points of one checklist have the same id.")
    title = "、".join(item["name"] for item in items)
    body = rfc8785.dumps({"t": "checklist/1", "title": title, "items": list(items)})
    return Template(hashlib.sha256(body).hexdigest(), title, body)


def phrases_of(items: Iterable[Item]) -> list[Phrase]:
    """The phrase library of a visit."""
    return [phrase for item in items for phrase in item.phrases]


def _in_template(item: Item) -> dict[str, Any]:
    points = [msgspec.to_builtins(point) for point in item.checklist]
    return {"id": item.id, "name": item.name, "judged": item.judged, "points": points}
