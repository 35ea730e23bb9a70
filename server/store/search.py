"""Finds subjects by any part of their name or address, by pinyin, initials and codes, and lists them page by page.

A word that few subjects have is looked up in the table of terms. One that many have would make that a long list: then
subjects are walked in the order of the list, where a page of matches is soon complete.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.subject import Flag
from server.store import terms
from server.store.subjects import is_in_a_library
from server.store.tables import subject, subject_term, unit_subject

MANY: Final = 3000
"""From how many matches on a word counts as one that many have."""

COUNTED: Final = 1000
"""How far matches are counted that would have to be walked."""

_LAST: Final = "\U0010ffff"  # after every character that a term can have


class Query(msgspec.Struct, frozen=True):
    """What is looked for; `unit_id` None stands for every unit. `after` is where the page before ended."""

    text: str = ""
    unit_id: str | None = None
    status: str | None = None
    risk: str | None = None
    credit: str | None = None
    flag: str | None = None
    trait: str | None = None
    sort: Literal["name", "changed"] = "name"
    after: tuple[str, int] | None = None


class Listed(msgspec.Struct, frozen=True):
    """A subject in a list: nothing that is personal."""

    id: str
    uscc: str | None
    registration: str | None
    name: str
    address: str
    kind: str
    region: str
    risk: str
    credit: str
    status: str
    flags: tuple[Flag, ...]
    changed_at: str
    no: int


class Found(msgspec.Struct, frozen=True):
    """One page; `more` is the `after` of the next one. `count` is of all pages; not `is_counted`: there are more."""

    rows: list[Listed]
    more: tuple[str, int] | None
    count: int
    is_counted: bool


def find_subjects(conn: Connection, query: Query, limit: int = 50) -> Found:
    """One page of those that match, of the libraries that the query names."""
    where, few = conditions(conn, query)
    key = subject.c.pinyin if query.sort == "name" else subject.c.changed_at
    is_rising = query.sort == "name"
    place = sa.tuple_(key, subject.c.no)
    page = sa.select(*(subject.c[name] for name in Listed.__struct_fields__), key.label("sort_key")).where(*where)
    if query.after is not None:
        page = page.where(place > query.after if is_rising else place < query.after)
    order = (key, subject.c.no) if is_rising else (key.desc(), subject.c.no.desc())
    rows = conn.execute(page.order_by(*order).limit(limit + 1)).all()
    shown = rows[:limit]
    count, is_counted = _count(conn, query, where, few)
    more = (str(shown[-1].sort_key), int(shown[-1].no)) if len(rows) > limit else None
    return Found([_listed(row) for row in shown], more, count, is_counted)


def conditions(conn: Connection, query: Query) -> tuple[list[sa.ColumnElement[bool]], bool]:
    """What a subject must fulfil, and whether a table says of few that they may."""
    where: list[sa.ColumnElement[bool]] = []
    few = False
    words = terms.words_of(query.text)
    if query.text.strip() and not words:
        where.append(sa.false())
    for word in words:
        condition, is_rare = _has_word(conn, word)
        where.append(condition)
        few = few or is_rare
    for term, column in _marks(query):
        is_rare = _holders(conn, [(term, term)]) <= MANY
        where.append(_among(_of([(term, term)])) if is_rare else sa.cast(column, sa.Text).like(f'%"{term[3:]}"%'))
        few = few or is_rare
    where += [subject.c[name] == value for name in ("status", "risk", "credit") if (value := getattr(query, name))]
    where.append(_in_library(conn, query.unit_id, few))
    return where, few


def _marks(query: Query) -> list[tuple[str, sa.Column[object]]]:
    marks = [(terms.flag_term(query.flag), subject.c.flags)] if query.flag else []
    return marks + ([(terms.trait_term(query.trait), subject.c.traits)] if query.trait else [])


def _in_library(conn: Connection, unit_id: str | None, few: bool) -> sa.ColumnElement[bool]:
    """In the unit's library: asked of each where they are few or the library large, else the library is listed."""
    if unit_id is None:
        return is_in_a_library()
    own = sa.select(unit_subject.c.subject_id).where(unit_subject.c.unit_id == unit_id)
    if not few and _at_most(conn, own) <= MANY:
        return subject.c.id.in_(own)
    return sa.exists(own.where(unit_subject.c.subject_id == subject.c.id))


def _has_word(conn: Connection, word: str) -> tuple[sa.ColumnElement[bool], bool]:
    """The condition that a subject has a word somewhere, and whether it is one that few have."""
    plain, partly = _spans(conn, word)
    if terms.is_common(word) or not plain + partly or _holders(conn, plain + partly) > MANY:
        return _like(word), False
    holders = [_of(plain)] if plain else []
    if partly:
        holders.append(_of(partly).join(subject, subject.c.no == subject_term.c.no).where(_like(word)))
    return _among(*holders), True


def _spans(conn: Connection, word: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Ranges of terms: those that say it all, and those whose subjects must be compared with the whole word."""
    if not word.isascii():
        if len(word) <= terms.TEXT:
            return [(word, word + _LAST)], []
        return [], _rarest(conn, word)
    plain = [(word, word + _LAST)]
    if terms.may_be_code(word):
        tail = terms.tail_term(word)
        plain += [(tail, tail + _LAST)] if len(word) <= terms.TAIL else []
    kept = (terms.TEXT, terms.INITIALS, terms.PINYIN)
    return plain, [(word[:length], word[:length]) for length in kept if length < len(word)]


def _rarest(conn: Connection, word: str) -> list[tuple[str, str]]:
    """The part of a long word that few have; the word itself where every part is one that many have."""
    parts = [word[at : at + terms.TEXT] for at in range(len(word) - terms.TEXT, -1, -1)]
    for part in parts[:12]:
        if not terms.is_common(part) and _holders(conn, [(part, part)]) <= MANY:
            return [(part, part)]
    return []


def _holders(conn: Connection, spans: list[tuple[str, str]]) -> int:
    """How many have one of these terms, counted a little further than `MANY`."""
    return sum(_at_most(conn, _of([span])) for span in spans)


def _at_most(conn: Connection, query: sa.Select[tuple[str]] | sa.Select[tuple[int]]) -> int:
    found: int = conn.execute(sa.select(sa.func.count()).select_from(query.limit(MANY + 1).subquery())).scalar_one()
    return found


def _of(spans: list[tuple[str, str]]) -> sa.Select[tuple[int]]:
    term = subject_term.c.term
    ranges = [term == first if first == last else sa.and_(term >= first, term < last) for first, last in spans]
    return sa.select(subject_term.c.no).where(sa.or_(*ranges))


def _among(*holders: sa.Select[tuple[int]]) -> sa.ColumnElement[bool]:
    return subject.c.no.in_(holders[0] if len(holders) == 1 else sa.union(*holders))


def _like(word: str) -> sa.ColumnElement[bool]:
    """The word compared with the subject itself; a word has letters and digits only, so no sign of LIKE's."""
    columns: list[sa.ColumnElement[str]] = [subject.c.name_key, subject.c.address_key]
    if not word.isascii():
        return sa.or_(*(column.like(f"%{word}%") for column in columns))
    columns += [subject.c.pinyin, subject.c.initials]
    codes = [column.like(f"%{word.upper()}%") for column in (subject.c.uscc, subject.c.registration)]
    return sa.or_(*(column.like(f"%{word}%") for column in columns), *codes)


def _count(conn: Connection, query: Query, where: list[sa.ColumnElement[bool]], few: bool) -> tuple[int, bool]:
    """How many there are: all of a library, all of few, else as far as is worth the walk."""
    is_whole = query.unit_id is not None and len(where) == 1
    if is_whole:
        own = sa.select(sa.func.count()).select_from(unit_subject).where(unit_subject.c.unit_id == query.unit_id)
        return conn.execute(own).scalar_one(), True
    limit = MANY + 1 if few else COUNTED + 1
    inner = sa.select(subject.c.no).where(*where).limit(limit).subquery()
    count: int = conn.execute(sa.select(sa.func.count()).select_from(inner)).scalar_one()
    return min(count, limit - 1), count < limit


def _listed(row: Any) -> Listed:
    values = dict(row._mapping)
    values.pop("sort_key")
    return Listed(**(values | {"flags": msgspec.convert(values["flags"], tuple[Flag, ...])}))
