"""The library of subjects in the database: the records, whose library has them, their history, their terms in step."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.instant import beijing_day, instant, stamp
from server.domain.subject import Flag, Subject, differences
from server.store import terms
from server.store.bulk import insert_rows
from server.store.seal import Sealer
from server.store.session import Database
from server.store.tables import (
    counter,
    interest,
    non_random,
    record,
    selection,
    subject,
    subject_history,
    subject_term,
    task,
    unit,
    unit_subject,
    visit,
    visit_task,
)

T = TypeVar("T")

AT_ONCE: Final = 500
"""How many are named in one statement."""

CLEAR: Final = b"\x00"
"""What a phone begins with that a database of the first version kept in the clear, until it is taken over."""

_PHASE: Final = {"open": "dispatched", "final": "final", "void": "void"}

_RECORD: Final = (
    "id", "uscc", "registration", "name", "legal_representative", "address", "contact", "phone", "kind", "industry",
    "region", "risk", "credit", "status", "lat_e7", "lon_e7", "flags", "traits",
)  # fmt: skip
WRITTEN: Final = (*_RECORD, "rev", "changed_at", "no", "name_key", "address_key", "pinyin", "initials")
_HISTORY: Final = ("subject_id", "at", "by", "kind", "source", "unit_id", "reason", "changes")
_columns: Final = [subject.c[name] for name in _RECORD]
POINTING: Final = (visit.c.subject_id, selection.c.subject_id, interest.c.subject_id, non_random.c.subject_id)
"""The columns by which anything speaks of a subject: such a record stays."""


class Event(msgspec.Struct, frozen=True):
    """One line of a subject's history."""

    at: str
    by: str
    kind: str
    source: str
    unit_id: str | None
    reason: str | None
    changes: list[dict[str, str]]


class Visited(msgspec.Struct, frozen=True):
    """One visit of a subject, by the day of its dispatch."""

    id: str
    unit_id: str
    unit: str
    day: str
    phase: str
    tasks: str


# --- reading ----------------------------------------------------------------------------------------------------------


def subject_of(conn: Connection, sealer: Sealer, subject_id: str) -> Subject | None:
    """One subject, with its phone in the clear."""
    return subjects_by_ids(conn, sealer, [subject_id]).get(subject_id)


def subjects_by_ids(conn: Connection, sealer: Sealer, ids: Collection[str]) -> dict[str, Subject]:
    """Subjects by id."""
    return {one.id: one for part in _parts(ids) for one in _read(conn, sealer, subject.c.id.in_(part))}


def subjects_by_codes(conn: Connection, sealer: Sealer, codes: Collection[str]) -> dict[str, Subject]:
    """Subjects by credit code or registration number, in whosoever's library they are, or in none."""
    found: dict[str, Subject] = {}
    for part in _parts(codes):
        for one in _read(conn, sealer, sa.or_(subject.c.uscc.in_(part), subject.c.registration.in_(part))):
            found |= {code: one for code in (one.registration, one.uscc) if code is not None and code in codes}
    return found


def subjects_in(conn: Connection, sealer: Sealer, unit_id: str) -> Iterator[Subject]:
    """A unit's whole library, whatever the status, in the order of the ids: the population of draws and plans."""
    ids = sa.select(unit_subject.c.subject_id).where(unit_subject.c.unit_id == unit_id)
    yield from _read(conn, sealer, subject.c.id.in_(ids))


def libraries_of(conn: Connection, ids: Collection[str]) -> dict[str, set[str]]:
    """In which units' libraries each of them is; who is in none isn't in the answer."""
    found: dict[str, set[str]] = defaultdict(set)
    for part in _parts(ids):
        query = sa.select(unit_subject.c.subject_id, unit_subject.c.unit_id).where(unit_subject.c.subject_id.in_(part))
        for subject_id, unit_id in conn.execute(query):
            found[subject_id].add(unit_id)
    return dict(found)


def revs_of(conn: Connection, ids: Collection[str]) -> dict[str, int]:
    """The revision of each: it counts the changes."""
    query = sa.select(subject.c.id, subject.c.rev)
    return {id: rev for part in _parts(ids) for id, rev in conn.execute(query.where(subject.c.id.in_(part)))}


def used_subjects(conn: Connection, ids: Collection[str]) -> set[str]:
    """Those of them that a visit, a draw, an interest or another inspection speaks of: such a record stays."""
    return {
        id
        for part in _parts(ids)
        for column in POINTING
        for id in conn.scalars(sa.select(column).where(column.in_(part)).distinct())
    }


def alike(conn: Connection, name: str, address: str, but: str, limit: int = 6) -> list[tuple[str, str, str, str]]:
    """Others of the same name or at the same address: id, name, address, and which of both is the same."""
    key = terms.keys_of(name, address)
    query = (
        sa.select(subject.c.id, subject.c.name, subject.c.address, subject.c.name_key)
        .where(sa.or_(subject.c.name_key == key.name_key, subject.c.address_key == key.address_key))
        .where(subject.c.id != but, is_in_a_library())
        .order_by(subject.c.id)
        .limit(limit)
    )
    return [
        (row.id, row.name, row.address, "name" if row.name_key == key.name_key else "address")
        for row in conn.execute(query)
    ]


def history_of(conn: Connection, subject_id: str) -> list[Event]:
    """What happened to a subject, the newest first."""
    query = (
        sa.select(*(subject_history.c[name] for name in _HISTORY[1:]))
        .where(subject_history.c.subject_id == subject_id)
        .order_by(subject_history.c.n.desc())
    )
    return [Event(**row) for row in conn.execute(query).mappings()]


def visits_of(conn: Connection, subject_id: str) -> list[Visited]:
    """Every visit of a subject with its tasks, the latest dispatched first."""
    query = (
        sa.select(visit.c.id, visit.c.unit_id, unit.c.name, visit.c.dispatched_at, record.c.phase, visit.c.state)
        .join(unit, unit.c.id == visit.c.unit_id)
        .join(record, record.c.visit_id == visit.c.id, isouter=True)
        .where(visit.c.subject_id == subject_id)
        .order_by(visit.c.dispatched_at.desc(), visit.c.id)
    )
    tasks = _tasks_of(conn, subject_id)
    return [
        Visited(id, unit_id, name, beijing_day(instant(at)).isoformat(), phase or _PHASE[state], "、".join(tasks[id]))
        for id, unit_id, name, at, phase, state in conn.execute(query)
    ]


def _tasks_of(conn: Connection, subject_id: str) -> dict[str, list[str]]:
    query = (
        sa.select(visit_task.c.visit_id, task.c.name)
        .join(task, task.c.id == visit_task.c.task_id)
        .join(visit, visit.c.id == visit_task.c.visit_id)
        .where(visit.c.subject_id == subject_id)
        .order_by(task.c.id)
    )
    names: dict[str, list[str]] = defaultdict(list)
    for visit_id, name in conn.execute(query):
        names[visit_id].append(name)
    return names


def is_in_a_library() -> sa.ColumnElement[bool]:
    """The condition that a subject is in somebody's library: who is in none is seen by nobody."""
    return sa.exists(sa.select(1).where(unit_subject.c.subject_id == subject.c.id))


def registry_digest(conn: Connection, sealer: Sealer) -> str:
    """A digest of all subjects and memberships: equal before an import and after its undoing.

    What counts or hastens (revisions, numbers, keys, terms) isn't in it, nor the history, which only grows.
    """
    digest = hashlib.sha256()
    for one in _read(conn, sealer, sa.true()):
        digest.update(msgspec.json.encode(one) + b"\n")
    for pair in conn.execute(sa.select(unit_subject).order_by(*unit_subject.primary_key)):
        digest.update(msgspec.json.encode(tuple(pair)) + b"\n")
    return digest.hexdigest()


def subject_digest(sealer: Sealer, one: Subject) -> str:
    """What the trail keeps of a subject: its phone stands in it only as its blind index."""
    kept = msgspec.structs.replace(one, phone=sealer.blind("subject.phone", one.phone))
    return hashlib.sha256(msgspec.json.encode(kept)).hexdigest()


# --- writing ----------------------------------------------------------------------------------------------------------


def insert_subjects(
    conn: Connection, sealer: Sealer, new: Sequence[Subject], *, by: str, now: datetime, source: str
) -> None:
    """Adds records with their terms, to nobody's library yet; a code that is there already is an IntegrityError."""
    if not new:
        return
    last = _numbered(conn, len(new))
    numbers = range(last - len(new) + 1, last + 1)
    rows = [row_for(sealer, one, now, no) for one, no in zip(new, numbers, strict=True)]
    insert_rows(conn, subject, WRITTEN, rows)
    _add_terms(conn, [(term, no) for one, no in zip(new, numbers, strict=True) for term in terms.terms_of(one)])
    _note(conn, [(one.id, "entered", None, None, []) for one in new], by, now, source)


def update_subjects(
    conn: Connection,
    sealer: Sealer,
    changed: Sequence[Subject],
    *,
    by: str,
    now: datetime,
    source: str,
    reason: str | None = None,
) -> None:
    """Writes records over those of the same ids; terms and history only where something is different."""
    before = subjects_by_ids(conn, sealer, [one.id for one in changed])
    pairs = [(before[one.id], one) for one in changed if before[one.id] != one]
    numbers = _numbers(conn, [one.id for _, one in pairs])
    for old, one in pairs:
        values = dict(zip(_RECORD, _row(sealer, one), strict=True)) | _keys(one)._asdict()
        values |= {"flags": msgspec.to_builtins(one.flags), "traits": list(one.traits)}
        values |= {"rev": subject.c.rev + 1, "changed_at": stamp(now)}
        conn.execute(sa.update(subject).where(subject.c.id == old.id).values(values))
    _move_terms(conn, [(numbers[one.id], terms.terms_of(old), terms.terms_of(one)) for old, one in pairs])
    _note(conn, [(one.id, "changed", None, reason, differences(old, one)) for old, one in pairs], by, now, source)


def remove_subjects(conn: Connection, ids: Sequence[str], *, by: str = "", now: datetime | None = None) -> None:
    """Takes records away that nothing speaks of, with their terms: the undoing of an import. Their history stays."""
    for part in _parts(ids):
        numbers = _numbers(conn, part)
        gone = [(numbers[one.id], terms.terms_of(one), set[str]()) for one in _read(conn, None, subject.c.id.in_(part))]
        _move_terms(conn, gone)
        conn.execute(sa.delete(subject).where(subject.c.id.in_(part)))
        if now is not None:
            _note(conn, [(id, "removed", None, None, []) for id in part], by, now, "undo")


def add_to_library(
    conn: Connection,
    unit_id: str,
    ids: Sequence[str],
    *,
    by: str,
    now: datetime,
    source: str,
    reason: str | None = None,
) -> None:
    """Puts subjects into a unit's library; who is in it already stays (R8.3)."""
    there = {id for part in _parts(ids) for id in conn.scalars(_members(unit_id, part))}
    new = [id for id in dict.fromkeys(ids) if id not in there]
    insert_rows(conn, unit_subject, ("unit_id", "subject_id"), [(unit_id, id) for id in new])
    _note(conn, [(id, "joined", unit_id, reason, []) for id in new], by, now, source)


def take_from_library(
    conn: Connection,
    unit_id: str,
    ids: Sequence[str],
    *,
    by: str,
    now: datetime,
    source: str,
    reason: str | None = None,
) -> None:
    """Takes subjects out of a unit's library; the record stays, whether or not another unit has it."""
    for part in _parts(ids):
        there = list(conn.scalars(_members(unit_id, part)))
        conn.execute(
            sa.delete(unit_subject).where(unit_subject.c.unit_id == unit_id, unit_subject.c.subject_id.in_(there))
        )
        _note(conn, [(id, "left", unit_id, reason, []) for id in there], by, now, source)


def take_over(db: Database, sealer: Sealer, now: datetime) -> None:
    """Seals the phones that the first version kept in the clear, and makes keys and terms of those records."""
    with db.read() as conn:
        ids = list(conn.scalars(sa.select(subject.c.id).where(subject.c.changed_at == "")))
    for part in _parts(ids):
        db.run_write(partial(_take_over, sealer=sealer, ids=part, at=stamp(now)))


def _take_over(conn: Connection, sealer: Sealer, ids: Sequence[str], at: str) -> None:
    for one in _read(conn, sealer, subject.c.id.in_(ids)):
        values = _keys(one)._asdict() | {"phone": sealer.seal("subject", "phone", one.id, one.phone), "changed_at": at}
        mine = sa.update(subject).where(subject.c.id == one.id, subject.c.changed_at == "").values(values)
        if conn.execute(mine).rowcount == 0:
            continue  # another process of this server was first
        no = _numbers(conn, [one.id])[one.id]
        _add_terms(conn, [(term, no) for term in terms.terms_of(one)])


# --- one row ----------------------------------------------------------------------------------------------------------


def open_phone(sealer: Sealer | None, subject_id: str, kept: bytes) -> str:
    """The phone of a row; without a sealer none."""
    if kept[:1] == CLEAR:
        return kept[1:].decode()
    return "" if sealer is None else sealer.open("subject", "phone", subject_id, kept)


def _read(conn: Connection, sealer: Sealer | None, where: sa.ColumnElement[bool]) -> Iterator[Subject]:
    for row in conn.execute(sa.select(*_columns).where(where).order_by(subject.c.id)):
        values = dict(zip(_RECORD, row, strict=True))
        values["phone"] = open_phone(sealer, values["id"], values["phone"])
        values["flags"] = msgspec.convert(values["flags"], tuple[Flag, ...])
        values["traits"] = tuple(values["traits"])
        yield Subject(**values)


def row_for(sealer: Sealer, one: Subject, now: datetime, no: int) -> tuple[Any, ...]:
    """The row of a new subject, in the order of `WRITTEN`."""
    return (*_row(sealer, one), 1, stamp(now), no, *_keys(one))


def _row(sealer: Sealer, one: Subject) -> tuple[Any, ...]:
    sealed = sealer.seal("subject", "phone", one.id, one.phone)
    return (
        one.id, one.uscc, one.registration, one.name, one.legal_representative, one.address, one.contact, sealed,
        one.kind, one.industry, one.region, one.risk, one.credit, one.status, one.lat_e7, one.lon_e7,
        msgspec.json.encode(one.flags).decode(), msgspec.json.encode(one.traits).decode(),
    )  # fmt: skip


def _keys(one: Subject) -> terms.Keys:
    return terms.keys_of(one.name, one.address)


def _numbered(conn: Connection, many: int) -> int:
    """The last of `many` new numbers, handed out under the lock of a row."""
    query = sa.update(counter).where(counter.c.name == "subject").values(value=counter.c.value + many)
    last: int = conn.execute(query.returning(counter.c.value)).scalar_one()
    return last


def _numbers(conn: Connection, ids: Sequence[str]) -> dict[str, int]:
    query = sa.select(subject.c.id, subject.c.no)
    return {id: no for part in _parts(ids) for id, no in conn.execute(query.where(subject.c.id.in_(part)))}


def _members(unit_id: str, ids: Sequence[str]) -> sa.Select[Any]:
    return sa.select(unit_subject.c.subject_id).where(
        unit_subject.c.unit_id == unit_id, unit_subject.c.subject_id.in_(ids)
    )


def _note(
    conn: Connection,
    events: Iterable[tuple[str, str, str | None, str | None, Sequence[Mapping[str, str]]]],
    by: str,
    now: datetime,
    source: str,
) -> None:
    at = stamp(now)
    insert_rows(
        conn,
        subject_history,
        _HISTORY,
        [
            (id, at, by, kind, source, unit_id, reason, msgspec.json.encode(changes).decode())
            for id, kind, unit_id, reason, changes in events
        ],
    )


# --- terms ------------------------------------------------------------------------------------------------------------


def _add_terms(conn: Connection, new: list[tuple[str, int]]) -> None:
    """Adds terms in the order of the index, which is what makes many of them quick."""
    new.sort()
    if conn.dialect.name == "sqlite":
        insert_rows(conn, subject_term, ("term", "no"), new)
    elif new:
        given = ([term for term, _ in new], [no for _, no in new])
        conn.exec_driver_sql("INSERT INTO subject_term SELECT * FROM unnest(%s::text[], %s::int[])", given)


def _move_terms(conn: Connection, moves: Iterable[tuple[int, set[str], set[str]]]) -> None:
    """Of each number the terms that were, and those that are: what is in both isn't touched."""
    gone: list[tuple[str, int]] = []
    new: list[tuple[str, int]] = []
    for no, old, fresh in moves:
        gone += [(term, no) for term in old - fresh]
        new += [(term, no) for term in fresh - old]
    if gone:
        _drop_terms(conn, sorted(gone))
    _add_terms(conn, new)


def _drop_terms(conn: Connection, gone: list[tuple[str, int]]) -> None:
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql("DELETE FROM subject_term WHERE term = ? AND no = ?", gone)
        return
    given = ([term for term, _ in gone], [no for _, no in gone])
    conn.exec_driver_sql(
        "DELETE FROM subject_term t USING unnest(%s::text[], %s::int[]) g(term, no) "
        "WHERE t.term = g.term AND t.no = g.no",
        given,
    )


def _parts(ids: Iterable[T]) -> Iterator[list[T]]:
    waiting = iter(ids)
    while part := list(islice(waiting, AT_ONCE)):
        yield part
