"""Acts of the office: each checks its right, and leaves exactly one entry in the trail, in its own transaction."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import update_wrapper
from typing import Concatenate, Final, ParamSpec, TypeVar

import msgspec
import rfc8785

from server.domain.access import RIGHTS, allows, reach
from server.errors import Problem
from server.store import trail
from server.store.people import Person
from server.store.session import Connection

P = ParamSpec("P")
T = TypeVar("T")
Call = Callable[Concatenate[Connection, Person, datetime, P], T]

_CHANCE: Final = os.urandom(32)
_NAMES: Final = ContextVar("names", default=_CHANCE)
"""What ids are made with besides their parts: who knows the parts, as the public knows many, can't guess the id."""

ACTS: dict[str, str] = {}
"""Every act by the name that its trail entry has -> the right that it needs (a key of `domain.access.RIGHTS`)."""


def act(name: str, right: str) -> Callable[[Call[P, T]], Call[P, T]]:
    """Makes a function an act of the office: `@act("subject.change", "subjects.change")`.

    The function takes the connection of its transaction, who acts, and the moment. Whose unit the object belongs to is
    the function's own matter: it calls `permit`. An act that left no entry of its own name, or two, is undone; what it
    did to visits has entries of its own.
    """
    if right not in RIGHTS:
        raise ValueError(f"There is no right '{right}'.")
    if name in ACTS:
        raise ValueError(f"There are two acts '{name}'.")
    ACTS[name] = right

    def wrap(call: Call[P, T]) -> Call[P, T]:
        def doing(conn: Connection, person: Person, now: datetime, /, *args: P.args, **kwargs: P.kwargs) -> T:
            if reach(person.roles, right) is None:
                raise Problem("forbidden")
            before = trail.written(conn, name)
            done = call(conn, person, now, *args, **kwargs)
            entries = trail.written(conn, name) - before
            if entries != 1:
                raise Problem("untraced", act=name, n=entries)
            return done

        update_wrapper(doing, call)
        return doing

    ACTS[name] = right
    return wrap


def digest_of(thing: object) -> str:
    """What the trail keeps of a thing before or after an act: the SHA-256 of its canonical JSON."""
    return hashlib.sha256(rfc8785.dumps(msgspec.to_builtins(thing))).hexdigest()


def new_id() -> str:
    """An id for something new."""
    return str(uuid.uuid4())


def named(*parts: object) -> str:
    """The id of something that these parts name: the same each time a demo is loaded; the moment is one of them."""
    digest = hashlib.sha256(_NAMES.get() + "|".join(map(str, parts)).encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


@contextmanager
def same_names() -> Iterator[None]:
    """While a demo is loaded its ids are those of every demo."""
    before = _NAMES.set(b"demo")
    try:
        yield
    finally:
        _NAMES.reset(before)


def permit(person: Person, right: str, unit_id: str | None) -> None:
    """Refuses with 403 who has the right, but not for this unit; `unit_id` None is the bureau as a whole."""
    if not allows(person.roles, person.unit_id, right, unit_id):
        raise Problem("other_unit")
