"""The ledger of every subject that was ever drawn: lines that nobody can take out, and what the house knows of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.calendar import Due
from server.domain.instant import stamp
from server.domain.ledger import Facts, batch_digest, digest_of, salt_of, state_of
from server.store import trail
from server.store.counting import next_of
from server.store.deadlines import PUBLICATION_LEGAL, PUBLICATION_TARGET
from server.store.tables import (
    counter,
    deadline,
    draw,
    excuse,
    ledger_entry,
    op,
    publication,
    review,
    selection,
    subject,
    task,
    visit,
    visit_task,
    withdrawal,
    withholding,
)
from server.store.tables import trail as trail_table  # the module of this name appends

LIST: Final = "list"
"""The source of lines that another office drew (R13.1)."""

ACT: Final = "ledger.enter"


def enter(
    conn: Connection,
    task: tuple[str, str],
    source: tuple[str, str],
    subjects: Iterable[tuple[str, str]],
    secret: str,
    actor: str,
    now: datetime,
) -> None:
    """Enters subjects, pairs of code and id, that were drawn just now, in the transaction that publishes it.

    `task` is id and number; `source` the draw's id, or `LIST`, and how the public calls it. The lines stand in the
    order of their digests, which says nothing of the subjects. The log's entry names places and digest of what was
    entered in the clear, so that everybody can see whether other lines were put in their place.
    """
    salted = [(salt_of(secret, source[1], code), code, id) for code, id in subjects]
    fresh = sorted((digest_of(salt, code), salt, code, id) for salt, code, id in salted)
    if not fresh:
        return
    places = [next_of(conn, "ledger") for _ in fresh]
    query = sa.select(sa.func.coalesce(sa.func.max(ledger_entry.c.n), 0)).where(ledger_entry.c.task_id == task[0])
    numbers = range(int(conn.scalar(query) or 0) + 1, 10**9)
    told = batch_digest((place, n, line[0]) for place, n, line in zip(places, numbers, fresh, strict=False))
    about = f"ledger:{task[1]}:{places[0]}-{places[-1]}:{told}"
    (entry,) = trail.append(conn, [trail.Act(ACT, actor, about)], now)
    rows = [
        {"place": place, "n": n, "digest": digest, "salt": salt, "code": code, "subject_id": id}
        for place, n, (digest, salt, code, id) in zip(places, numbers, fresh, strict=False)
    ]
    shared = {"task_id": task[0], "source": source[0], "drawn_at": stamp(now), "entry": entry}
    conn.execute(sa.insert(ledger_entry), [row | shared for row in rows])


# --- tasks ------------------------------------------------------------------------------------------------------------


class Head(msgspec.Struct, frozen=True):
    """A task that has lines; `has_ended` once the last of its visits ended for the first time, whatever came later."""

    id: str
    no: str
    name: str
    unit_id: str
    disclosure: str
    state: str
    window_to: str
    has_ended: bool

    @property
    def is_open(self) -> bool:
        """Whether everybody may know who was drawn (R17.1)."""
        return self.disclosure == "open" or self.state == "cancelled" or self.has_ended


def heads_statement(before: str | None, limit: int) -> sa.Select[Any]:
    """The tasks that have lines, by number, the last one first."""
    has_lines = sa.exists().where(ledger_entry.c.task_id == task.c.id)
    query = _heads().where(task.c.no.is_not(None), has_lines).order_by(task.c.no.desc()).limit(limit)
    return query if before is None else query.where(task.c.no < before)


def _heads() -> sa.Select[Any]:
    of_task = sa.and_(deadline.c.object == sa.literal("task:") + task.c.id, deadline.c.kind == PUBLICATION_LEGAL)
    unit_id = sa.func.coalesce(task.c.executing_unit_id, task.c.unit_id)
    columns = (task.c.id, task.c.no, task.c.name, unit_id, task.c.disclosure, task.c.state, task.c.window_to)
    return sa.select(*columns, deadline.c.object.is_not(None)).outerjoin(deadline, of_task)


def heads(conn: Connection, before: str | None, limit: int) -> list[Head]:
    """Some of them."""
    return [Head(*row) for row in conn.execute(heads_statement(before, limit))]


def head_of(conn: Connection, no: str) -> Head | None:
    """The task of a number, where it has lines."""
    has_lines = sa.exists().where(ledger_entry.c.task_id == task.c.id)
    row = conn.execute(_heads().where(task.c.no == no, has_lines)).one_or_none()
    return None if row is None else Head(*row)


def size(conn: Connection) -> int:
    """How many lines the ledger has, over all tasks: the last place."""
    return int(conn.scalar(sa.select(counter.c.value).where(counter.c.name == "ledger")) or 0)


class Counts(msgspec.Struct, frozen=True):
    """How many lines a task has, how many results are public, and how many lines ended without a result."""

    lines: int
    published: int
    otherwise: int


def counts(conn: Connection, found: Sequence[Head]) -> dict[str, Counts]:
    """The counts of tasks, as their lines would give them, without reading the lines."""
    ids = [head.id for head in found]
    lines, published = _per_task(conn, ledger_entry, ids), _per_task(conn, publication, ids)
    void, out = _void_or_excused(conn, ids), _out(conn, ids)
    return {
        head.id: Counts(
            lines.get(head.id, 0),
            published.get(head.id, 0),
            lines.get(head.id, 0) - published.get(head.id, 0)
            if head.state == "cancelled"
            else void.get(head.id, 0) + out.get(head.id, 0),
        )
        for head in found
    }


def _per_task(conn: Connection, table: sa.Table, ids: Collection[str]) -> dict[str, int]:
    query = sa.select(table.c.task_id, sa.func.count()).where(table.c.task_id.in_(list(ids)))
    return {id: int(n) for id, n in conn.execute(query.group_by(table.c.task_id))}


def _void_or_excused(conn: Connection, ids: Collection[str]) -> Counter[str]:
    """Task -> how many lines ended with their draw, or were excused from it."""
    query = sa.select(draw.c.id, draw.c.task_id, draw.c.state).where(draw.c.task_id.in_(list(ids)))
    found = conn.execute(query).all()
    tasks, void = {row.id: row.task_id for row in found}, [row.id for row in found if row.state == "void"]
    standing = list(tasks.keys() - void)
    lines = sa.select(ledger_entry.c.source).where(ledger_entry.c.source.in_(void))
    excused = sa.select(excuse.c.draw_id).where(excuse.c.draw_id.in_(standing), excuse.c.state == "approved")
    asked = [(void, lines), (standing, excused)]
    return Counter(tasks[id] for given, its in asked if given for id in conn.scalars(its))


def _out(conn: Connection, ids: Collection[str]) -> Counter[str]:
    """Task -> how many standing lines were taken off, left out, or had their visit voided, and have no result."""
    asked = list(ids)
    off = sa.select(selection.c.task_id, selection.c.subject_id).where(
        selection.c.task_id.in_(asked), selection.c.state != "counted"
    )
    its = sa.select(visit.c.subject_id).where(visit.c.id == visit_task.c.visit_id, visit.c.state == "void")
    each = sa.select(visit_task.c.task_id, its.scalar_subquery().label("subject_id"))  # a join might read every visit
    found = each.where(visit_task.c.task_id.in_(asked)).subquery()
    void = sa.select(found).where(found.c.subject_id.is_not(None))
    pairs = {(task_id, subject_id) for query in (off, void) for task_id, subject_id in conn.execute(query)}
    subjects = {subject_id for _, subject_id in pairs}
    query = sa.select(publication.c.task_id, publication.c.subject_id).where(publication.c.task_id.in_(asked))
    public = set(conn.execute(query.where(publication.c.subject_id.in_(subjects))).tuples()) if subjects else set()
    return Counter(task_id for task_id, subject_id in pairs if (task_id, subject_id) not in public)


# --- lines ------------------------------------------------------------------------------------------------------------


class Result(msgspec.Struct, frozen=True):
    """What was published for a line."""

    no: str
    version: int
    main: str
    published_on: str


class Days(msgspec.Struct, frozen=True):
    """When the visit of a line ended, and by when its result is to be public (R26.1)."""

    ended_on: date
    of: int
    due: Due


class Visit(msgspec.Struct, frozen=True):
    """How far the visit of a line came."""

    name: str
    state: str
    round: int
    synced: bool
    approved: bool
    ground: str | None
    result: Result | None
    days: Days | None


class Line(msgspec.Struct, frozen=True):
    """A line with all that the house knows; what of it is public is for `office.ledger` to say.

    `reason` is of what ended it without a result, where one was given for the public.
    """

    place: int
    task_id: str
    n: int
    source: str
    code: str
    name: str
    salt: str
    digest: str
    drawn_at: str
    entry: int
    state: str
    reason: str | None
    visit: Visit | None


def lines_statement(task_ids: Collection[str], after: int, limit: int | None) -> sa.Select[Any]:
    """The lines of tasks with what ended them before their visit, by task and number."""
    its_excuse = sa.and_(
        excuse.c.draw_id == ledger_entry.c.source, excuse.c.code == ledger_entry.c.code, excuse.c.state == "approved"
    )
    return (
        sa.select(
            ledger_entry, subject.c.name, draw.c.state.label("draw_state"), draw.c.void_reason,
            excuse.c.id.label("excuse_id"), excuse.c.reason.label("excused_for"),
            selection.c.state.label("selection"), task.c.state.label("task_state"),
        )
        .join(task, task.c.id == ledger_entry.c.task_id)
        .outerjoin(subject, subject.c.id == ledger_entry.c.subject_id)
        .outerjoin(draw, draw.c.id == ledger_entry.c.source)
        .outerjoin(excuse, its_excuse)
        .outerjoin(selection, _of_line(selection))
        .where(ledger_entry.c.task_id.in_(list(task_ids)), ledger_entry.c.n > after)
        .order_by(ledger_entry.c.task_id, ledger_entry.c.n)
        .limit(limit)
    )  # fmt: skip


def _of_line(table: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.task_id == ledger_entry.c.task_id, table.c.subject_id == ledger_entry.c.subject_id)


def lines(conn: Connection, task_ids: Collection[str], after: int = 0, limit: int | None = None) -> list[Line]:
    """The lines of tasks by their numbers, from the one after `after`."""
    rows = conn.execute(lines_statement(task_ids, after, limit)).mappings().all()
    visits, reasons = visits_of(conn, task_ids), _withdrawn_for(conn, task_ids)
    return [_line(row, visits, reasons) for row in rows]


def _line(row: Any, visits: dict[tuple[str, str], Visit], reasons: dict[tuple[str, str], str]) -> Line:
    its = (row["task_id"], row["subject_id"])
    is_over = row["draw_state"] == "void" or row["excuse_id"] is not None  # the same subject may be drawn once more
    found = None if is_over else visits.get(its)
    facts = Facts(
        draw_void=row["draw_state"] == "void",
        excused=row["excuse_id"] is not None,
        cancelled=row["task_state"] == "cancelled",
        selection=None if is_over else row["selection"],
        **({} if found is None else _facts(found)),
    )
    state = state_of(facts)
    said = {"draw_void": row["void_reason"], "excused": row["excused_for"], "withdrawn": reasons.get(its)}
    kept = {name: row[name] for name in ("place", "task_id", "n", "source", "code", "salt", "digest", "drawn_at")}
    name = found.name if found is not None else row["name"] or ""
    return Line(**kept, name=name, entry=row["entry"], state=state, reason=said.get(state), visit=found)


def _facts(found: Visit) -> dict[str, Any]:
    return {
        "visit": found.state,
        "synced": found.synced,
        "approved": found.approved,
        "withheld": found.ground is not None,
        "published": found.result is not None,
    }


def visits_statement(task_ids: Collection[str]) -> sa.Select[Any]:
    """The visits of tasks, each with its review, its result, what keeps it back, and its date."""
    both = (visit_task.c.visit_id, visit_task.c.task_id)
    target = sa.and_(deadline.c.object == sa.literal("visit:") + visit.c.id, deadline.c.kind == PUBLICATION_TARGET)
    came = sa.exists().where(op.c.visit_id == visit.c.id, op.c.n.is_not(None), ~op.c.rid.like("srv%"))
    approved = sa.exists().where(
        review.c.visit_id == visit.c.id, review.c.round == visit.c.round, review.c.state == "approved"
    )
    its_result = sa.and_(publication.c.visit_id == both[0], publication.c.task_id == both[1])
    kept_back = sa.and_(
        withholding.c.visit_id == both[0], withholding.c.task_id == both[1], withholding.c.state == "approved"
    )
    return (
        sa.select(
            visit_task.c.task_id, visit.c.subject_id, visit.c.subject_name, visit.c.state, visit.c.round,
            came.label("synced"), approved.label("approved"), withholding.c.ground, publication.c.no,
            publication.c.version, publication.c.main, publication.c.published_on, deadline.c.start_on,
            deadline.c.days, deadline.c.due_on, deadline.c.known, deadline.c.missing_year,
        )
        .join(visit, visit.c.id == visit_task.c.visit_id)
        .outerjoin(publication, its_result)
        .outerjoin(withholding, kept_back)
        .outerjoin(deadline, target)
        .where(visit_task.c.task_id.in_(list(task_ids)))
    )  # fmt: skip


def visits_of(conn: Connection, task_ids: Collection[str]) -> dict[tuple[str, str], Visit]:
    """(task, subject) -> its visit; one that was merged is the one that goes on."""
    rows = conn.execute(visits_statement(task_ids)).mappings()
    return {(row["task_id"], row["subject_id"]): _visit(row) for row in rows}


def _visit(row: Any) -> Visit:
    names = ("no", "version", "main", "published_on")
    result = None if row["no"] is None else Result(*(row[name] for name in names))
    due = {"on": row["due_on"], "known": row["known"], "missing_year": row["missing_year"]}
    ended = row["start_on"]
    days = None if ended is None else Days(date.fromisoformat(ended), row["days"], msgspec.convert(due, Due))
    came, approved = bool(row["synced"]), bool(row["approved"])
    return Visit(row["subject_name"], row["state"], row["round"], came, approved, row["ground"], result, days)


def _withdrawn_for(conn: Connection, task_ids: Collection[str]) -> dict[tuple[str, str], str]:
    columns = (withdrawal.c.task_id, withdrawal.c.subject_id, withdrawal.c.reason)
    query = sa.select(*columns).where(withdrawal.c.task_id.in_(list(task_ids)), withdrawal.c.state == "approved")
    return {(task_id, subject_id): reason for task_id, subject_id, reason in conn.execute(query)}


def entry_of_dispatch(conn: Connection, task_id: str) -> int | None:
    """The number of the log's entry by which a task was dispatched."""
    where = sa.and_(trail_table.c.object == f"task:{task_id}", trail_table.c.act == "task.dispatch")
    return conn.scalar(sa.select(trail_table.c.n).where(where).limit(1))


def published_entries(conn: Connection, nos: Sequence[str]) -> dict[str, list[tuple[int, bytes]]]:
    """Number of a result -> the log's entries of its versions, each with the key of its commitment to the version."""
    about = sa.literal("publication:") + publication.c.id
    acts = ("result.publish", "correction.sign")
    query = (
        sa.select(publication.c.no, trail_table.c.n, trail_table.c.salt)
        .join(trail_table, trail_table.c.object == about)
        .where(publication.c.no.in_(list(nos)), trail_table.c.act.in_(acts))
    )
    found: dict[str, list[tuple[int, bytes]]] = {}
    for no, n, salt in sorted(map(tuple, conn.execute(query))):
        found.setdefault(no, []).append((n, trail.key_of(bytes(salt), "after") if salt else b""))
    return found
