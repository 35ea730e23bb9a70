"""Units, and the tasks for which subjects are drawn."""

from __future__ import annotations

from typing import Literal

import msgspec


class Unit(msgspec.Struct, frozen=True):
    """A section, the legal unit or the brigade."""

    id: str
    name: str
    kind: Literal["bureau", "section", "legal_unit", "brigade"]
    parent_id: str | None = None


class Task(msgspec.Struct, frozen=True):
    """What was drawn, and until when it is to be done; `joint` says whether we lead or take part (R13.1)."""

    id: str
    name: str
    unit_id: str
    draw: Literal["undirected", "directed"]
    window_from: str
    window_to: str
    due_on: str
    items: tuple[str, ...]
    joint: Literal["lead", "participant"] | None = None
    partner: str | None = None
    list_version: int | None = None  # the version of the item list that it froze (R5.3)
