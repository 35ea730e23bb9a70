"""Finds subjects by any part of their name or address, by pinyin, initials and codes, and lists them page by page.

The table of terms says who has a word or a mark (a status, a grade, a flag, a trait). Where few have one of those that
are asked for, these few are looked at and put in order. Where many have each of them, the terms of the one that the
fewest have are walked in their own order, and a page is soon complete. Only where nothing but endings of names is asked
for, which nearly all have, the subjects themselves are walked.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, Final, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.subject import Flag
from server.domain.text import same_name
from server.store import terms
from server.store.subjects import is_in_a_library
from server.store.tables import subject, subject_term, unit_subject

FEW: Final = 3000
"""Up to how many are looked at and put in order."""

MANY: Final = 20_000
"""How far is counted to learn which of two is rarer."""

COUNTED: Final = 500
"""How far matches are counted where the subjects themselves are walked."""

LOOKED_AT: Final = 4000
"""How many terms one request walks along (the sum of `_STEPS`): where few of them fit, a list takes several."""

_LAST: Final = "\U0010ffff"  # after every character that a term can have
_MARKS: Final = ("flag", "trait", "status", "credit", "risk")


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
    traits: tuple[str, ...]
    changed_at: str
    no: int


class Found(msgspec.Struct, frozen=True):
    """One page; `more` is the `after` of the next one. `count` is of all pages; not `is_counted`: there are more."""

    rows: list[Listed]
    more: tuple[str, int] | None
    count: int
    is_counted: bool


_LISTED: Final = [subject.c[name] for name in Listed.__struct_fields__]
_STEPS: Final = (150, 450, 1400, 2000)


class Sought(msgspec.Struct, frozen=True):
    """A word or a mark: how many have it (counted no further than `MANY`), who, and how a subject itself tells."""

    many: int
    whole: tuple[tuple[str, str], ...]  # ranges of terms that say it all
    partly: tuple[str, ...]  # terms whose subjects must be compared with the whole word
    told: Any  # the condition on the subject
    word: str = ""


class _Way(msgspec.Struct, frozen=True):
    """The subjects themselves in an order, or, where `along` is given, the terms of one word or mark in theirs."""

    where: tuple[Any, ...]
    key: Any
    is_rising: bool = True
    count_to: int = 0
    along: Sought | None = None


def find_subjects(conn: Connection, query: Query, limit: int = 50) -> Found:
    """One page of those that match, of the libraries that the query names.

    A page of few rows, or none, that still has `more` looked through `LOOKED_AT` without finding enough.
    """
    way = _way(conn, query)
    if way is None:
        return Found([], None, 0, True)
    return _page(conn, way, query, limit) if way.along is None else _walk(conn, way, way.along, query.after, limit)


def _page(conn: Connection, way: _Way, query: Query, limit: int) -> Found:
    """A page of the subjects themselves."""
    rows = conn.execute(page_statement(way, query, limit + 1)).all()
    shown = rows[:limit]
    more = (str(shown[-1].sort_key), int(shown[-1].no)) if len(rows) > limit else None
    count, is_counted = _count(conn, query, way)
    return Found([_listed(row) for row in shown], more, count, is_counted)


def page_statement(way: _Way, query: Query, limit: int) -> sa.Select[Any]:
    """The statement of such a page."""
    place = sa.tuple_(way.key, subject.c.no)
    page = sa.select(*_LISTED, way.key.label("sort_key")).where(*way.where)
    if query.after is not None:
        page = page.where(place > query.after if way.is_rising else place < query.after)
    order = (way.key, subject.c.no) if way.is_rising else (way.key.desc(), subject.c.no.desc())
    return page.order_by(*order).limit(limit)


def _walk(conn: Connection, way: _Way, along: Sought, after: tuple[str, int] | None, limit: int) -> Found:
    """A page of subjects in the order of their terms: some terms at a time, more the fewer of them fit."""
    found: list[tuple[Listed, tuple[str, int]]] = []
    looked_at, last = 0, after
    with conn.execute(terms_statement(along, after)) as there:
        for size in _STEPS:
            part = [(str(term), int(no)) for term, no in there.fetchmany(size)]
            rows = _rows_of(conn, way, [no for _, no in part])
            fitting = ((rows[no], (term, no)) for term, no in part if no in rows)
            firsts = ((one, place) for one, place in fitting if _is_its_first(one, place[0], along))
            found += islice(firsts, limit + 1 - len(found))
            looked_at, last = looked_at + len(part), part[-1] if part else last
            if len(found) > limit or len(part) < size:
                break
    if len(found) > limit:
        return Found([one for one, _ in found[:limit]], found[limit - 1][1], limit, False)
    is_end = looked_at < LOOKED_AT
    return Found([one for one, _ in found], None if is_end else last, len(found), is_end and after is None)


def terms_statement(along: Sought, after: tuple[str, int] | None) -> sa.Select[Any]:
    """As many terms as one request looks at."""
    place = (subject_term.c.term, subject_term.c.no)
    there = sa.select(*place).where(sa.or_(*map(_within, along.whole)))
    if after is not None:
        there = there.where(sa.tuple_(*place) > after)
    return there.order_by(*place).limit(LOOKED_AT)


def _rows_of(conn: Connection, way: _Way, numbers: list[int]) -> dict[int, Listed]:
    query = sa.select(*_LISTED).where(subject.c.no.in_(numbers), *way.where)
    return {row.no: _listed(row) for row in conn.execute(query)}


def _way(conn: Connection, query: Query) -> _Way | None:
    """Chooses by what is rarest; None where what was typed has no letter or digit."""
    words = terms.words_of(query.text)
    if query.text.strip() and not words:
        return None
    sought = [*(_word(conn, word) for word in words), *_asked_marks(conn, query)]
    rarest = min(sought, key=lambda one: one.many, default=None)
    is_few = rarest is not None and rarest.many <= FEW
    library, is_small = _library(conn, query.unit_id, is_few)
    if rarest is None or is_few or is_small or rarest.many > MANY + 1:
        chosen = [_by_terms(one) if one.many <= FEW else one.told for one in sought]
        key = subject.c.pinyin if query.sort == "name" else subject.c.changed_at
        count_to = FEW + 1 if is_few or is_small else COUNTED + 1
        return _Way((*chosen, library), key, query.sort == "name", count_to)
    told = [one.told for one in sought if one is not rarest]
    return _Way((*told, library), subject_term.c.term, along=rarest)


def _library(conn: Connection, unit_id: str | None, is_few: bool) -> tuple[sa.ColumnElement[bool], bool]:
    """In the unit's library: a small one is listed, else each is asked whether it is in it."""
    if unit_id is None:
        return is_in_a_library(), False
    own = sa.select(unit_subject.c.subject_id).where(unit_subject.c.unit_id == unit_id)
    if not is_few and _at_most(conn, own, FEW) <= FEW:
        return subject.c.id.in_(own), True
    return sa.exists(own.where(unit_subject.c.subject_id == subject.c.id)), False


# --- words and marks --------------------------------------------------------------------------------------------------


def _asked_marks(conn: Connection, query: Query) -> list[Sought]:
    return [_mark(conn, kind, value) for kind in _MARKS if (value := getattr(query, kind))]


def _mark(conn: Connection, kind: str, value: str) -> Sought:
    begin = terms.mark_of(kind, value)
    span = (begin, begin + _LAST)
    is_listed = kind in ("flag", "trait")
    told = sa.cast(subject.c[f"{kind}s"], sa.Text).like(f'%"{value}"%') if is_listed else subject.c[kind] == value
    return Sought(_holders(conn, [span]), (span,), (), told)


def _word(conn: Connection, word: str) -> Sought:
    """A word: of an ending, and of a long one whose parts many have, it is only known that they are very many."""
    whole, partly = _spans(conn, word)
    if terms.is_common(word) or not (whole or partly):
        return Sought(MANY + 2, (), (), _like(word), word)
    many = _holders(conn, [*whole, *((term, term) for term in partly)])
    if partly and many > FEW:
        many = MANY + 2
    return Sought(many, tuple(whole), tuple(partly), _like(word), word)


def _spans(conn: Connection, word: str) -> tuple[list[tuple[str, str]], list[str]]:
    if not word.isascii():
        if len(word) <= terms.TEXT:
            return [(word, word + _LAST)], []
        return [], _rarest_part(conn, word)
    whole = [(word, word + _LAST)]
    if terms.may_be_code(word) and len(word) <= terms.TAIL:
        tail = terms.tail_term(word)
        whole.append((tail, tail + _LAST))
    cut = (word[:kept] for kept in (terms.TEXT, terms.INITIALS, terms.PINYIN) if kept < len(word))
    return whole, [term for term in cut if _at_most(conn, _of([(term, term)]), 1)]


def _rarest_part(conn: Connection, word: str) -> list[str]:
    """The part of a long word that few have, looked for from its end; none where every part is one that many have."""
    parts = [word[at : at + terms.TEXT] for at in range(len(word) - terms.TEXT, -1, -1)]
    usable = (part for part in parts[:16] if not terms.is_common(part))
    return next(([part] for part in usable if _at_most(conn, _of([(part, part)]), FEW) <= FEW), [])


def _by_terms(one: Sought) -> sa.ColumnElement[bool]:
    """The condition that a subject is among those whom the table names."""
    holders = [_of(one.whole)] if one.whole else []
    if one.partly:
        named = _of([(term, term) for term in one.partly])
        holders.append(named.join(subject, subject.c.no == subject_term.c.no).where(one.told))
    return subject.c.no.in_(holders[0] if len(holders) == 1 else sa.union(*holders))


def _holders(conn: Connection, spans: Sequence[tuple[str, str]]) -> int:
    return sum(_at_most(conn, _of([span]), MANY) for span in spans)


def _of(spans: Sequence[tuple[str, str]]) -> sa.Select[tuple[int]]:
    return sa.select(subject_term.c.no).where(sa.or_(*map(_within, spans)))


def _within(span: tuple[str, str]) -> sa.ColumnElement[bool]:
    first, last = span
    term = subject_term.c.term
    return term == first if first == last else sa.and_(term >= first, term < last)


def _like(word: str) -> sa.ColumnElement[bool]:
    """The word compared with the subject itself; a word has letters and digits only, so no sign of LIKE's."""
    columns: list[Any] = [subject.c.name_key, subject.c.address_key]
    if not word.isascii():
        return sa.or_(*(column.like(f"%{word}%") for column in columns))
    columns += [subject.c.pinyin, subject.c.initials]
    codes = [column.like(f"%{word.upper()}%") for column in (subject.c.uscc, subject.c.registration)]
    return sa.or_(*(column.like(f"%{word}%") for column in columns), *codes)


# --- counting and reading ---------------------------------------------------------------------------------------------


def _count(conn: Connection, query: Query, way: _Way) -> tuple[int, bool]:
    """How many there are: all of a library, all of few, else as far as is worth the walk."""
    if query.unit_id is not None and len(way.where) == 1:
        own = sa.select(sa.func.count()).select_from(unit_subject).where(unit_subject.c.unit_id == query.unit_id)
        return conn.execute(own).scalar_one(), True
    inner = sa.select(subject.c.no).where(*way.where).limit(way.count_to).subquery()
    found: int = conn.execute(sa.select(sa.func.count()).select_from(inner)).scalar_one()
    return min(found, way.count_to - 1), found < way.count_to


def _at_most(conn: Connection, query: sa.Select[Any], many: int) -> int:
    found: int = conn.execute(sa.select(sa.func.count()).select_from(query.limit(many + 1).subquery())).scalar_one()
    return found


def _is_its_first(one: Listed, term: str, along: Sought) -> bool:
    """A subject that has the word at two places is listed at the first."""
    if not along.word:
        return True
    if not along.word.isascii() and same_name(one.name + one.address).count(along.word) == 1:
        return True
    begins = (along.word, terms.tail_term(along.word))
    return term == min(own for own in terms.terms_of(one) if own.startswith(begins))


def _listed(row: Any) -> Listed:
    values = dict(row._mapping)
    values.pop("sort_key", None)
    flags, traits = msgspec.convert(values["flags"], tuple[Flag, ...]), tuple(values["traits"])
    return Listed(**(values | {"flags": flags, "traits": traits}))
