"""Accounts and units as the admin enters them: what may stand in each field, and what belongs together."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final, Literal, cast

import msgspec

from server.domain.access import RIGHTS, ROLES
from server.domain.entry import Entry
from server.domain.faults import Fault
from server.domain.registry import Unit

USERNAME: Final = re.compile(r"[a-z][a-z0-9._-]{1,31}")
KINDS: Final = ("bureau", "section", "legal_unit", "brigade")
UNIT_ROLES: Final = frozenset({"officer", "unit_clerk", "unit_head"})
"""The roles that mean nothing without a unit: they reach their own one only."""


class AccountEntry(msgspec.Struct, frozen=True):
    """What the admin decides about an account. `officer_id` ties it to the officer whose work it signs."""

    username: str
    name: str
    unit_id: str | None
    roles: tuple[str, ...]
    officer_id: str | None


class UnitEntry(msgspec.Struct, frozen=True):
    """What the admin decides about a unit."""

    name: str
    kind: Literal["bureau", "section", "legal_unit", "brigade"]
    parent_id: str | None


def check_account(
    values: Mapping[str, str],
    roles: Collection[str],
    units: Collection[str],
    officers: Collection[str],
    legal: Collection[str] = (),
) -> tuple[AccountEntry | None, list[Fault]]:
    """Reads an account; `units` are the open ones, `legal` the legal ones among them; `officers` those who have no
    account yet, or this one."""
    entry = Entry(values)
    username = entry.line("username", most=32).lower()
    if username and not USERNAME.fullmatch(username):
        entry.wrong("username", "username_form")
    name = entry.name("name", most=40)
    unit_id = entry.choice("unit_id", units, required=False) or None
    officer_id = entry.choice("officer_id", officers, required=False) or None
    _check_roles(entry, roles, unit_id, officer_id)
    if "legal_unit" in roles and unit_id is not None and unit_id not in legal:
        entry.wrong("roles", "legal_unit_elsewhere")
    made = AccountEntry(username, name, unit_id, tuple(role for role in ROLES if role in roles), officer_id)
    return (made if entry.is_good else None), entry.faults


def _check_roles(entry: Entry, roles: Collection[str], unit_id: str | None, officer_id: str | None) -> None:
    if not roles:
        entry.wrong("roles", "role_missing")
    for role in sorted(set(roles) - set(ROLES)):
        entry.wrong("roles", "not_one_of", found=role[:20])
    if unit_id is None and not UNIT_ROLES.isdisjoint(roles):
        entry.wrong("unit_id", "unit_missing")
    if ("officer" in roles) != (officer_id is not None):
        entry.wrong("officer_id", "officer_missing" if "officer" in roles else "officer_without_role")


def check_unit(values: Mapping[str, str], parents: Collection[str]) -> tuple[UnitEntry | None, list[Fault]]:
    """Reads a unit; `parents` are the open units that it may stand under."""
    entry = Entry(values)
    name = entry.name("name", most=40)
    kind = cast("Literal['bureau', 'section', 'legal_unit', 'brigade']", entry.choice("kind", KINDS))
    parent_id = entry.choice("parent_id", parents, required=False) or None
    return (UnitEntry(name, kind, parent_id) if entry.is_good else None), entry.faults


def stands_under(units: Collection[Unit], unit_id: str, above: str | None) -> bool:
    """Whether `above` is the unit itself or stands somewhere under it: to move it there would close a loop."""
    parents = {unit.id: unit.parent_id for unit in units}
    seen: set[str] = set()
    while above is not None and above not in seen:
        if above == unit_id:
            return True
        seen.add(above)
        above = parents.get(above)
    return False


def tree_of(units: Collection[Unit]) -> list[tuple[int, Unit]]:
    """The units from the top down with their depth, brothers by name; nobody is left out."""
    below: dict[str | None, list[Unit]] = {}
    known = {unit.id for unit in units}
    for unit in sorted(units, key=lambda unit: (unit.kind != "bureau", unit.name)):
        below.setdefault(unit.parent_id if unit.parent_id in known else None, []).append(unit)

    def walk(parent: str | None, depth: int) -> list[tuple[int, Unit]]:
        return [line for unit in below.get(parent, []) for line in ((depth, unit), *walk(unit.id, depth + 1))]

    return walk(None, 0)


def rights_of(role: str) -> dict[str, str]:
    """The rights of a role with how far each reaches."""
    return {right: found[role] for right, found in RIGHTS.items() if role in found}
