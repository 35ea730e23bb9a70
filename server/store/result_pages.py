"""Published results as everybody looks for them: by name, code, unit and type, the newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.codes import normal_code
from server.domain.text import same_name
from server.store.publications import Published, Version, pairs_of
from server.store.tables import publication, publication_term, publication_version

LEAST: Final = 2
"""How many characters of a name one must give."""

FEW: Final = 2000
"""How far the results that have a pair are counted, to learn which pair is the rarest."""

_STEPS: Final = (100, 400, 1500, 3000)
"""How many results that have the rarest pair are looked at, step by step, for one page."""


class Query(msgspec.Struct, frozen=True):
    """What is looked for; `after` is the place where the page before ended."""

    text: str = ""
    unit_id: str = ""
    main: str = ""
    after: int | None = None


class Page(msgspec.Struct, frozen=True):
    """Some results; `more` is the `after` of the next page, None at the end."""

    rows: list[Published]
    more: int | None


def results(conn: Connection, query: Query, limit: int) -> Page:
    """One page. A page of few rows that still has `more` looked as far as one request may."""
    if not query.text:
        return _cut(_read(conn, list_statement(query, limit + 1)), limit)
    code = normal_code(query.text)
    if len(code) in (15, 18) and code.isascii():
        statement = list_statement(query, limit + 1).where(publication.c.uscc == code)
        return _cut(_read(conn, statement), limit)
    key = same_name(query.text)
    return _walk(conn, query, key, limit) if len(key) >= LEAST else Page([], None)


def list_statement(query: Query, limit: int) -> sa.Select[Any]:
    """The results of a unit, of a type, or all, the newest first."""
    statement = _where(sa.select(publication), query)
    if query.after is not None:
        statement = statement.where(publication.c.place < query.after)
    return statement.order_by(publication.c.place.desc()).limit(limit)


def _where(statement: sa.Select[Any], query: Query) -> sa.Select[Any]:
    if query.unit_id:
        statement = statement.where(publication.c.unit_id == query.unit_id)
    return statement.where(publication.c.main == query.main) if query.main else statement


def _cut(rows: list[Published], limit: int) -> Page:
    return Page(rows[:limit], rows[limit - 1].place if len(rows) > limit else None)


def _walk(conn: Connection, query: Query, key: str, limit: int) -> Page:
    """Walks the results that have the rarest pair of the name, and keeps those that have all of it."""
    pair = min(sorted(pairs_of(key))[:16], key=lambda one: _count(conn, one))
    found: list[Published] = []
    last = query.after
    for size in _STEPS:
        places = list(conn.scalars(places_statement(pair, last, size)))
        rows = {one.place: one for one in _read(conn, named_statement(query, places))}
        found += [rows[place] for place in places if place in rows and key in rows[place].name_key]
        if len(found) > limit or len(places) < size:
            return _cut(found, limit)
        last = places[-1]
    return Page(found, last)


def places_statement(pair: str, after: int | None, limit: int) -> sa.Select[Any]:
    """Where the results stand that have a pair of characters in their name."""
    statement = sa.select(publication_term.c.place).where(publication_term.c.term == pair)
    if after is not None:
        statement = statement.where(publication_term.c.place < after)
    return statement.order_by(publication_term.c.place.desc()).limit(limit)


def named_statement(query: Query, places: Sequence[int]) -> sa.Select[Any]:
    """The results at some places that fit the rest of what is asked."""
    return _where(sa.select(publication).where(publication.c.place.in_(places)), query)


def _count(conn: Connection, pair: str) -> int:
    inner = sa.select(publication_term.c.place).where(publication_term.c.term == pair).limit(FEW).subquery()
    return int(conn.execute(sa.select(sa.func.count()).select_from(inner)).scalar_one())


def _read(conn: Connection, statement: sa.Select[Any]) -> list[Published]:
    return [Published(**row) for row in conn.execute(statement).mappings()]


# --- one result, and what changed -------------------------------------------------------------------------------------


def of_task(conn: Connection, task_id: str, after: int | None, limit: int) -> Page:
    """The results of a task."""
    statement = list_statement(Query(after=after), limit + 1).where(publication.c.task_id == task_id)
    return _cut(_read(conn, statement), limit)


class Change(msgspec.Struct, frozen=True):
    """A version that became public, for feeds."""

    head: Published
    version: Version


def changes_statement(before: tuple[str, int] | None, limit: int) -> sa.Select[Any]:
    """The results by their newest version's moment, the latest first."""
    place = sa.tuple_(publication.c.changed_at, publication.c.place)
    statement = sa.select(publication)
    if before is not None:
        statement = statement.where(place < sa.tuple_(*before))
    return statement.order_by(publication.c.changed_at.desc(), publication.c.place.desc()).limit(limit)


def changes(conn: Connection, before: tuple[str, int] | None, limit: int) -> list[Change]:
    """The newest versions, the latest first; each with what it says."""
    heads = _read(conn, changes_statement(before, limit))
    ids = [head.id for head in heads]
    query = sa.select(publication_version).where(publication_version.c.publication_id.in_(ids))
    versions = {(row["publication_id"], row["version"]): Version(**row) for row in conn.execute(query).mappings()}
    return [Change(head, versions[head.id, head.version]) for head in heads]
