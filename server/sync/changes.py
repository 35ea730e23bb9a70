"""What a visit shows to someone, and exactly what differs between two such showings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from server.domain.visit import Crew
from server.sync.fold import Folded, by_units
from server.sync.ops import canonical

Path = tuple[str, ...]


class Shown(msgspec.Struct, frozen=True):
    """A visit as it looks to someone: its crew, its fold, the document C and its digest (None with a conflict open)."""

    crew: Crew
    folded: Folded
    content: dict[str, Any]
    digest: str | None


def changes_between(then: Shown, now: Shown) -> list[dict[str, Any]]:
    """Exactly what differs: `{"path", "before", "after"}`, sorted by path, None for what isn't there.

    Crew and round by their names; answers and the visit's fields one by one; a row or a medium that came or went as a
    whole, else by its fields (a medium's `mime` and `size` too). A conflict that is open now is a change even where the
    field was empty, and so is the withdrawal of a row that never had a field.
    """
    before, after = dict(_parts(then.content)), dict(_parts(now.content))
    changes: dict[Path, tuple[Any, Any]] = {}
    for path in before.keys() | after.keys():
        old, new = before.get(path), after.get(path)
        if path[0] in ("finding", "media") and old is not None and new is not None:
            changes |= {(*path, field): pair for field, pair in _fields(old, new)}
        elif _differ(old, new):
            changes[path] = old, new
    for name in set(then.content["withdrawn"]) ^ set(now.content["withdrawn"]):
        changes.setdefault(("finding" if ":" in name else "media", name), (None, None))
    for register in now.folded.conflicts:
        if register.path[:2] not in changes:
            changes.setdefault(register.path, (_value(before, register.path), None))
    return [
        {"path": list(path), "before": old, "after": new} for path, (old, new) in sorted(changes.items(), key=_path)
    ]


def _path(change: tuple[Path, Any]) -> list[bytes]:
    return by_units(change[0])


def _parts(content: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    """The parts that can differ: rows and media whole, all else to the field."""
    groups = content["content"]
    for name in ("round", "leader", "members"):
        yield (name,), content[name]
    for field, val in groups["visit"].items():
        yield ("visit", field), val
    for point, fields in groups["answer"].items():
        for field, val in fields.items():
            yield ("answer", point, field), val
    for row, fields in groups["finding"].items():
        yield ("finding", row), fields
    for medium in content["media"]:
        sha256 = medium["sha256"]
        yield ("media", sha256), groups["media"][sha256] | {"mime": medium["mime"], "size": medium["size"]}


def _fields(old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for field in old.keys() | new.keys():
        pair = old.get(field), new.get(field)
        if _differ(*pair):
            yield field, pair


def _differ(old: Any, new: Any) -> bool:
    """By their canonical bytes: in Python True equals 1."""
    if type(old) is str and type(new) is str:
        return old != new
    return canonical(old) != canonical(new)


def _value(parts: dict[Path, Any], path: Path) -> Any:
    if path[0] in ("finding", "media"):
        return parts.get(path[:2], {}).get(path[2])
    return parts.get(path)
