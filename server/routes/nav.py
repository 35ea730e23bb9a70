"""The rooms of the office as the rail shows them: one list, from which each person sees what his rights open."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from server.domain.access import reach


class Room(NamedTuple):
    """One line of the rail: its word is `nav.<name>`; it is shown to whoever has `right` anywhere."""

    name: str
    icon: str
    href: str
    right: str


DAILY: Final = (
    Room("home", "home", "/office/", "office.enter"),
    Room("inbox", "tray", "/office/inbox", "visits.read"),
    Room("all", "list", "/office/inbox?show=all", "visits.read"),
    Room("plans", "calendar", "/office/plans", "plans.read"),
    Room("tasks", "list", "/office/tasks", "tasks.read"),
    Room("draws", "dice", "/office/draws", "draws.read"),
    Room("crews", "people", "/office/crews", "crews.read"),
    Room("publication", "globe", "/office/publication", "results.read"),
    Room("documents", "print", "/office/documents", "documents.read"),
    Room("objections", "s-conflict", "/office/objections", "objections.read"),
    Room("non_random", "flag", "/office/non-random", "non_random.read"),
)
REGISTRIES: Final = (
    Room("items", "book", "/office/items", "items.read"),
    Room("subjects", "building", "/office/subjects", "subjects.read"),
    Room("officers", "people", "/office/officers", "officers.read"),
    Room("imports", "share", "/office/imports", "imports.read"),
    Room("rules", "law", "/office/rules", "rules.read"),
)
HOUSE: Final = (
    Room("trail", "lock", "/office/trail", "trail.read"),
    Room("log", "globe", "/office/log", "trail.read"),
    Room("accounts", "key", "/office/accounts", "accounts.read"),
    Room("units", "branch", "/office/units", "accounts.read"),
    Room("devices", "s-phone", "/office/devices", "devices.read"),
    Room("permissions", "shield", "/office/permissions", "office.enter"),
)
GROUPS: Final = (DAILY, REGISTRIES, HOUSE)
"""Daily work above, the registries below it, the house last."""


def rooms_of(roles: Collection[str]) -> list[list[Room]]:
    """The rail of a person: the groups in which he has any room."""
    groups = [[room for room in group if reach(roles, room.right) is not None] for group in GROUPS]
    return [group for group in groups if group]
