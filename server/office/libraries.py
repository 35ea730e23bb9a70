"""What an import or an export needs of a library, said the same for subjects, officers, experts and agencies."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, Protocol

import msgspec

from server.domain.faults import Fault
from server.domain.layout import Layout
from server.store.seal import Sealer
from server.store.session import Connection

Entry = dict[str, Any]
"""One thing of a library, whole, personal fields in clear: it is kept sealed only, and shown masked."""


def is_same(one: Entry | None, other: Entry | None) -> bool:
    """Whether two entries say the same, whether they come from the library or from what was sealed."""
    return msgspec.json.encode(one, order="deterministic") == msgspec.json.encode(other, order="deterministic")


class Known(NamedTuple):
    """Somebody or something that is in the library already; `rev` grows with each change."""

    id: str
    entry: Entry
    rev: int


class New(NamedTuple):
    """What is to be in the library under this id, and what is there before."""

    id: str
    entry: Entry
    before: Entry | None = None


class Place(NamedTuple):
    """For whom a library is looked at: the importing unit, all units by name, the day, and who opens sealed fields."""

    unit_id: str
    units: Mapping[str, str]
    today: date
    sealer: Sealer

    def unit_name(self, unit_id: str) -> str:
        """The name of a unit."""
        return next((name for name, id in self.units.items() if id == unit_id), unit_id)


class Stroke(NamedTuple):
    """Who writes, when, and by which batch: what the history of each thing keeps (R7.2)."""

    by: str
    now: datetime
    source: str


class Library(Protocol):
    """One library, by the layout of its sheet."""

    layout: Layout
    adds_unseen: bool
    """Whether new ones can be added so that nobody sees them yet; else `settle` adds them, from their entries."""

    def key(self, values: Mapping[str, str]) -> str:
        """The value by which a row is known, in its normal form; empty where it has none."""
        ...

    def key_of(self, entry: Entry) -> str:
        """The same of an entry."""
        ...

    def known(self, conn: Connection, keys: Collection[str]) -> dict[str, Known]:
        """Who is there already, by key."""
        ...

    def check(self, values: Mapping[str, str], known: Known | None) -> tuple[Entry | None, list[Fault]]:
        """The entry that a row makes, or what is wrong with it: the library's own check, the same as for its form."""
        ...

    def fields(self, entry: Entry) -> dict[str, str]:
        """The entry as a row of the layout has it, words as codes."""
        ...

    def add_unseen(self, conn: Connection, rows: Sequence[New], stroke: Stroke) -> None:
        """Adds new ones so that nobody sees them yet."""
        ...

    def revs(self, conn: Connection, ids: Collection[str]) -> dict[str, int]:
        """The revisions of those that are there, seen or unseen."""
        ...

    def show(self, conn: Connection, batch_id: str, stroke: Stroke) -> None:
        """Makes the new ones of a batch seen that were added unseen, all at once."""
        ...

    def hide(self, conn: Connection, batch_id: str, stroke: Stroke) -> list[tuple[int, str]]:
        """Makes them unseen again, or says which rows stand against it and why."""
        ...

    def settle(self, conn: Connection, new: Sequence[New], changed: Sequence[New], stroke: Stroke) -> None:
        """Adds the new ones, where they weren't added unseen, and changes the others."""
        ...

    def withdraw(self, conn: Connection, new: Sequence[New], changed: Sequence[New], stroke: Stroke) -> None:
        """Takes the new ones away that weren't added unseen, and makes changed ones what they were."""
        ...

    def remove_unseen(self, conn: Connection, ids: Sequence[str]) -> None:
        """Takes those away that `withdraw` left unseen."""
        ...

    def used(self, conn: Connection, ids: Collection[str]) -> set[str]:
        """Those that something else points at by now: a visit, a draw, an interest."""
        ...
