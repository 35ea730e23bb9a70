"""Who may see and do what with a visit from the office: least privilege by unit and by visit."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

ROLES: Final = (
    "officer",
    "unit_clerk",
    "unit_head",
    "legal_unit",
    "principal",
    "steering_group",
    "auditor",
    "admin",
)
"""The roles of a person. `leader` isn't one: it is a place in the crew of one visit."""

OWN_UNIT: Final = frozenset({"unit_clerk", "unit_head"})
"""Roles that see the visits of their own unit."""

ALL_UNITS: Final = frozenset({"legal_unit", "principal", "steering_group", "auditor"})
"""Roles that see the visits of every unit. `admin` is in neither: he sees no inspection content."""

OFFICE: Final = OWN_UNIT | ALL_UNITS

ACTS: Final[dict[str, frozenset[str]]] = {
    "admit": frozenset({"unit_clerk"}),
    "rule": frozenset({"unit_clerk"}),
    "assign": frozenset({"unit_clerk", "unit_head"}),
    "replace": frozenset({"unit_head"}),
    "reopen": frozenset({"unit_head"}),
    "void": frozenset({"unit_head"}),
    "merge": frozenset({"unit_clerk", "unit_head"}),
    "approve": frozenset({"unit_clerk"}),
    "return": frozenset({"unit_clerk"}),
}
"""Act on a visit -> the roles of the visit's own unit that may do it. `replace` is an `assign` that takes a drawn
officer out or puts another in his place (R20.1). The visit's leader may `admit` too; that is a matter of the crew."""


def sees_all_units(roles: Collection[str]) -> bool:
    """Whether these roles see the visits of every unit."""
    return not ALL_UNITS.isdisjoint(roles)


def office_sees(roles: Collection[str], person_unit: str | None, visit_unit: str) -> bool:
    """Whether the office part of these roles opens a visit of `visit_unit`; its crew sees it in any case."""
    return sees_all_units(roles) or (person_unit == visit_unit and not OWN_UNIT.isdisjoint(roles))


def may(roles: Collection[str], person_unit: str | None, visit_unit: str, act: str) -> bool:
    """Whether these roles may do `act` (a key of `ACTS`) on a visit of `visit_unit`: only ever in their own unit."""
    return person_unit == visit_unit and not ACTS[act].isdisjoint(roles)
