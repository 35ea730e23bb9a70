"""The units of the bureau."""

from __future__ import annotations

from typing import Literal

import msgspec


class Unit(msgspec.Struct, frozen=True):
    """A section, the legal unit or the brigade."""

    id: str
    name: str
    kind: Literal["bureau", "section", "legal_unit", "brigade"]
    parent_id: str | None = None
