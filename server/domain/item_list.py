"""What the next version of the item list would be, and how many subjects each item has (R5.2, R8.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from server.domain.item import Covered, Item, covers


class Counted(Covered, Protocol):
    """Subjects that are alike, counted in one unit's library, or overall."""

    @property
    def n(self) -> int: ...
    @property
    def unit_id(self) -> str | None: ...


class Coverage(msgspec.Struct, frozen=True):
    """How many active subjects an item has in all libraries, and in each unit's."""

    item: Item
    total: int
    by_unit: dict[str, int]


def proposed(current: Sequence[Item], drafts: Iterable[Item]) -> list[Item]:
    """The list as it would be released now: what is ready replaces, what is withdrawing goes, the rest stays.

    A draft that somebody is still working on changes nothing (R5.2).
    """
    by_id = {item.id: item for item in current}
    for draft in drafts:
        if draft.state == "ready":
            by_id[draft.id] = draft
        elif draft.state == "withdrawing":
            by_id.pop(draft.id, None)
    return list(by_id.values())


def looked_at(items: Iterable[Item]) -> set[str]:
    """What the scopes of some items look at of a subject: `traits`, `kind`, `industry`."""
    names = {"traits": "traits", "kinds": "kind", "industries": "industry"}
    return {name for item in items for part, name in names.items() if getattr(item.scope, part)}


def coverage(items: Iterable[Item], groups: Sequence[Counted]) -> list[Coverage]:
    """A line for each item, those without any subject first (R8.2)."""
    lines = [_line(item, groups) for item in items]
    return sorted(lines, key=lambda line: (line.total > 0, line.item.id))


def _line(item: Item, groups: Iterable[Counted]) -> Coverage:
    total, by_unit = 0, dict[str, int]()
    for group in groups:
        if covers(item, group):
            if group.unit_id is None:
                total += group.n
            else:
                by_unit[group.unit_id] = by_unit.get(group.unit_id, 0) + group.n
    return Coverage(item, total, by_unit)
