"""The small bureau's people as they act, and its moment."""

from __future__ import annotations

from datetime import datetime, timedelta

from server.store.people import Person
from tests.scene import NOW, OFFICE, UNITS


def person(name: str, *roles: str, unit: str = UNITS[0]) -> Person:
    """Somebody of the small bureau: with the role of his name, or with these."""
    return Person(name, name, name, unit, roles or (OFFICE[name],), None)


LEGAL, PRINCIPAL, ADMIN = person("legal"), person("principal"), person("admin")
CLERK, HEAD = person("clerk"), person("head")


def later(days: int) -> datetime:
    """The same time of day, some days on."""
    return NOW + timedelta(days=days)
