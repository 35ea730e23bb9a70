"""The fold: a visit is a pure function of its set of operations, in whatever order they came. It judges nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Sequence
from typing import Any

import msgspec

from server.sync.ops import Op, canonical
from server.sync.shapes import covers

Path = tuple[str, ...]
Content = dict[str, dict[str, Any]]


class Value(msgspec.Struct, frozen=True):
    """One of the distinct values at a register, and the ops that say so."""

    val: Any
    heads: list[Op]


class Register(msgspec.Struct, frozen=True):
    """A field: its heads in the order of their ids, and their distinct values; two or more are a conflict."""

    path: Path
    heads: list[Op]
    values: list[Value]

    @property
    def settled(self) -> Any:
        """The one value; None where it was cleared or where several stand against each other."""
        return self.values[0].val if len(self.values) == 1 else None


class Thing(msgspec.Struct, frozen=True):
    """A finding's row or a medium: the ops that made it, those that struck it, and whether it still stands."""

    makers: list[Op]
    killers: list[Op]
    alive: bool

    @property
    def first(self) -> Op:
        """The maker whose id is smallest: of several `attach` it speaks for the medium."""
        return min(self.makers, key=_id)


class Folded(msgspec.Struct, frozen=True):
    """What a set of operations adds up to; `conflicts` are those that stand in the content."""

    registers: dict[Path, Register]
    rows: dict[str, Thing]
    media: dict[str, Thing]
    withdrawn: list[str]
    conflicts: list[Register]

    def value(self, *path: str) -> Any:
        """The settled value at a path, or None."""
        register = self.registers.get(path)
        return register.settled if register else None


class Subject(msgspec.Struct, frozen=True):
    """Who was inspected, as frozen at dispatch."""

    name: str
    uscc: str


class Frame(msgspec.Struct, frozen=True):
    """What was frozen at dispatch and can't be changed by any op."""

    visit: str
    tpl: str
    subject: Subject


def fold(ops: Iterable[Op], effective: Container[str]) -> Folded:
    """Folds the ops whose ids are in `effective`; the others have no effect, also not as superseders or deleters."""
    written: dict[Path, dict[str, Op]] = {}
    makers: dict[Path, dict[str, Op]] = {}
    killers: dict[Path, dict[str, Op]] = {}
    for op in ops:
        id_ = op.id
        if id_ not in effective:
            continue
        kind = op.kind
        path = tuple(op.path)
        if kind == "set":
            written.setdefault(path, {})[id_] = op
            if path[0] == "finding":
                makers.setdefault(path[:2], {})[id_] = op
        elif kind == "add":
            row = ("finding", id_)
            makers.setdefault(row, {})[id_] = op
            for field in op.val:
                written.setdefault((*row, field), {})[id_] = op
        elif kind in ("undel", "attach"):
            makers.setdefault(path, {})[id_] = op
        elif kind in ("del", "retract"):
            killers.setdefault(path, {})[id_] = op
    rows = _things("finding", makers, killers)
    media = _things("media", makers, killers)
    registers = {path: register for path, on in written.items() if (register := _register(path, on))}
    return Folded(
        registers=registers,
        rows=rows,
        media=media,
        withdrawn=sorted(name for things in (rows, media) for name, thing in things.items() if not thing.alive),
        conflicts=_conflicts(registers, rows, media),
    )


def _id(op: Op) -> str:
    return op.id


def _things(group: str, makers: dict[Path, dict[str, Op]], killers: dict[Path, dict[str, Op]]) -> dict[str, Thing]:
    """Add wins: a thing stands iff one of its makers is covered by the ctx of none that struck it."""
    things = {}
    for path, made in makers.items():
        if path[0] == group:
            struck = list(killers.get(path, {}).values())
            alive = any(all(op.ctx.get(maker.rid, 0) < maker.seq for op in struck) for maker in made.values())
            things[path[1]] = Thing(list(made.values()), struck, alive)
    return things


def _register(path: Path, on: dict[str, Op]) -> Register | None:
    """Heads are the ops that no other on the path names in `base`, as far as the namer's own ctx covers them.

    A register without any head, which only forged histories have, is absent.
    """
    replaced = {id_ for op in on.values() for id_ in op.base if id_ in on and covers(op.ctx, id_)}
    heads = [on[id_] for id_ in sorted(on.keys() - replaced)]
    return Register(path, heads, _values(path, heads)) if heads else None


def _values(path: Path, heads: Sequence[Op]) -> list[Value]:
    """Equal canonical values collapse, in the order of their smallest head."""
    if len(heads) == 1:
        return [Value(value_at(heads[0], path), list(heads))]
    values: dict[bytes, Value] = {}
    for op in heads:
        val = value_at(op, path)
        values.setdefault(canonical(val), Value(val, [])).heads.append(op)
    return list(values.values())


def value_at(op: Op, path: Sequence[str]) -> Any:
    """What an op says at one of its registers: an `add` carries several."""
    return op.val[path[2]] if op.kind == "add" else op.val


def _conflicts(registers: dict[Path, Register], rows: dict[str, Thing], media: dict[str, Thing]) -> list[Register]:
    open_ = [it for it in registers.values() if len(it.values) > 1 and _is_shown(it.path, rows, media)]
    return sorted(open_, key=lambda it: by_units(it.path))


def by_units(path: Sequence[str]) -> list[bytes]:
    """The order of paths: by UTF-16 units, as JSON's canonical form and every phone have it."""
    return [part.encode("utf-16-be") for part in path]


def _is_shown(path: Path, rows: dict[str, Thing], media: dict[str, Thing]) -> bool:
    """Whether a register stands in the content: those of struck rows and retracted media don't."""
    if path[0] == "finding":
        return path[1] in rows and rows[path[1]].alive
    return path[0] != "media" or (path[1] in media and media[path[1]].alive)


def groups_of(folded: Folded) -> Content:
    """The four groups of the content; cleared and conflicted registers are left out, and so is what is then empty."""
    groups: Content = {"answer": {}, "finding": {}, "media": {}, "visit": {}}
    for sha256, thing in folded.media.items():
        if thing.alive:
            groups["media"][sha256] = {"for": thing.first.val["for"]}
    for path, register in folded.registers.items():
        val = register.settled
        if val is None or not _is_shown(path, folded.rows, folded.media):
            continue
        if len(path) == 2:
            groups[path[0]][path[1]] = val
        else:
            groups[path[0]].setdefault(path[1], {})[path[2]] = val
    return groups


def content_of(
    folded: Folded, frame: Frame, members: Iterable[str], leader: str | None, round_: int
) -> dict[str, Any]:  # fmt: skip
    """C, the document that is signed: no clocks, no losers, no signatures and no version vector stand in it."""
    alive = sorted((sha256, thing.first.val) for sha256, thing in folded.media.items() if thing.alive)
    return {
        "t": "visit-content/1",
        "visit": frame.visit,
        "round": round_,
        "tpl": frame.tpl,
        "subject": {"name": frame.subject.name, "uscc": frame.subject.uscc},
        "members": sorted(members),
        "leader": leader,
        "content": groups_of(folded),
        "media": [{"mime": val["mime"], "sha256": sha256, "size": val["size"]} for sha256, val in alive],
        "withdrawn": folded.withdrawn,
    }


def digest_of(content: dict[str, Any]) -> str:
    """The digest that a signature binds to; nobody signs while a conflict is open, so there it is None (`digest`)."""
    return hashlib.sha256(canonical(content)).hexdigest()


def digest(folded: Folded, content: dict[str, Any]) -> str | None:
    """The digest of today's content, or None while a conflict is open."""
    return None if folded.conflicts else digest_of(content)


def short_code(digest: str | None) -> str | None:
    """The code that a group compares by eye: "3F7A-91C2"."""
    return f"{digest[:4]}-{digest[4:8]}".upper() if digest else None
