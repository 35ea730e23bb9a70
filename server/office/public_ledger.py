"""The ledger as everybody reads it: each drawn subject, sealed or opened, and how far it came (trust page, section 2).

A line says nothing of a sealed subject but how far its inspection came. It is opened at once where its task is open, by
its publication, or for ever once the task ended; then anybody can hash its salt and code himself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Final

import msgspec

from server.domain.calendar import Calendar, working_days_between
from server.errors import Problem
from server.store import directory, draws, joint_lists, ledger, log, notices, tasks
from server.store.calendars import calendar
from server.store.draws import Draw
from server.store.ledger import Days, Head, Line
from server.store.session import Connection

Entries = dict[str, list[tuple[int, bytes]]]
"""Number of a result -> the log's entries of its versions, with their keys."""


class Opening(msgspec.Struct, frozen=True):
    """Whom a line is about: SHA-256 of "salt|code" is its digest."""

    salt: str
    code: str
    name: str


class Elapsed(msgspec.Struct, frozen=True):
    """Working days since the visit ended, up to today or the publication, of `of`; None where a calendar is missing.

    `due_on` is None while the date is provisional: `known` days are known, and the calendar of `missing_year` is not.
    """

    ended_on: str
    elapsed: int | None
    of: int
    due_on: str | None
    known: int
    missing_year: int | None
    is_over: bool


class Published(msgspec.Struct, frozen=True):
    """The log's index of a version's publication, and the key by which its commitment to the version is checked."""

    entry: int
    key: str


class PublishedResult(msgspec.Struct, frozen=True):
    """What was published for a line; `log` has an entry for each version, the first one first."""

    no: str
    version: int
    main: str
    published_on: str
    log: list[Published]


class PublicLine(msgspec.Struct, frozen=True):
    """A line. `round` is more than 1 where its record was reopened; `entry` is the log's index of its entering."""

    place: int
    n: int
    source: str
    drawn_at: str
    digest: str
    entry: int
    state: str
    round: int
    reason: str | None
    opened: Opening | None
    days: Elapsed | None
    result: PublishedResult | None


class Source(msgspec.Struct, frozen=True):
    """Who drew: an attempt of a draw of ours, or the office whose list it is. `about` is how the log names it.

    `drawn` is the number that was drawn; `file` the digest of the draw's first file, or of the list as it came.
    """

    source: str
    kind: str
    no: str
    state: str
    drawn: int
    excused: int
    file: str | None
    about: str


class PublicTask(msgspec.Struct, frozen=True):
    """A task with its lines counted; `ended_otherwise` have no result, each by an act that is in the log."""

    no: str
    name: str
    unit: str
    disclosure: str
    is_open: bool
    window_to: str
    has_notice: bool
    lines: int
    published: int
    ended_otherwise: int

    @property
    def under_way(self) -> int:
        """How many have still to come, or are lawfully kept back."""
        return self.lines - self.published - self.ended_otherwise


class Ledger(msgspec.Struct, frozen=True):
    """The tasks of a page, the last one first; `size` is the last place, `written` how many entries the log has."""

    t: str
    bureau: str
    size: int
    written: int
    tasks: list[PublicTask]
    next: str | None


class TaskLedger(msgspec.Struct, frozen=True):
    """The lines of a task from one number on; `next` is after which the next page begins.

    `states` counts all its lines; `dispatched` is the log's index of its dispatch.
    """

    t: str
    written: int
    task: PublicTask
    states: dict[str, int]
    dispatched: int | None
    sources: list[Source]
    lines: list[PublicLine]
    next: int | None


def whole(conn: Connection, bureau: str, before: str | None, limit: int) -> Ledger:
    """The tasks that have lines, a page of them."""
    found = ledger.heads(conn, before, limit + 1)
    shown, more = found[:limit], len(found) > limit
    told = _tasks(conn, shown)
    following = shown[-1].no if more else None
    return Ledger("ledger/1", bureau, ledger.size(conn), log.written(conn), told, following)


def of_task(conn: Connection, no: str, after: int, limit: int, today: date) -> TaskLedger:
    """The lines of a task, a page of them."""
    head = ledger.head_of(conn, no)
    if head is None:
        raise Problem("not_found")
    every = ledger.lines(conn, [head.id])
    rows = [line for line in every if line.n > after]
    shown = rows[:limit]
    sources = _sources(conn, head)
    entry = ledger.entry_of_dispatch(conn, head.id)
    return TaskLedger(
        "ledger-task/1",
        log.written(conn),
        _tasks(conn, [head])[0],
        dict(Counter(line.state for line in every)),
        None if entry is None else entry - 1,
        [sources[id] for id in sources],
        _public(conn, head, shown, {id: one.source for id, one in sources.items()}, today),
        shown[-1].n if len(rows) > limit else None,
    )


def _tasks(conn: Connection, found: Sequence[Head]) -> list[PublicTask]:
    units, counted = directory.names_of_units(conn), ledger.counts(conn, found)
    return [
        PublicTask(
            head.no, head.name, units.get(head.unit_id, ""), head.disclosure, _is_open(conn, head), head.window_to,
            notices.notice_by_no(conn, head.no) is not None, its.lines, its.published, its.otherwise,
        )
        for head in found
        for its in [counted[head.id]]
    ]  # fmt: skip


def _is_open(conn: Connection, head: Head) -> bool:
    return head.is_open or tasks.has_ended(conn, head.id)


# --- who drew ---------------------------------------------------------------------------------------------------------


def _sources(conn: Connection, head: Head) -> dict[str, Source]:
    """The attempts for a task, or the lead's list, by how lines name them."""
    drawn = [one for one in draws.draws_of_task(conn, head.id) if one.drawn_at is not None]
    found = {one.id: _draw(conn, one) for one in drawn}
    task = tasks.task_of(conn, head.id)
    received = None if task is None else joint_lists.list_of(conn, task.joint_list or "")
    if received is not None:
        its = Source(
            f"J-{head.no}",
            "list",
            f"J-{head.no}",
            head.state,
            len(received.rows),
            0,
            received.sha256,
            f"task:{head.id}",
        )
        found[ledger.LIST] = its
    return found


def _draw(conn: Connection, one: Draw) -> Source:
    files = draws.files_of(conn, one.id)
    return Source(
        f"{one.no}/{one.attempt}", "draw", one.no, one.state, one.drawn, len(one.excused),
        files[0].sha256 if files else None, f"draw:{one.id}",
    )  # fmt: skip


# --- lines ------------------------------------------------------------------------------------------------------------


def _public(
    conn: Connection, head: Head, lines: Sequence[Line], sources: dict[str, str], today: date
) -> list[PublicLine]:
    is_open, known = _is_open(conn, head), calendar(conn)
    nos = [line.visit.result.no for line in lines if line.visit is not None and line.visit.result is not None]
    entries = ledger.published_entries(conn, nos) if nos else {}
    return [_line(line, is_open or line.state == "published", sources, entries, known, today) for line in lines]


def _line(
    line: Line, is_open: bool, sources: dict[str, str], entries: Entries, known: Calendar, today: date
) -> PublicLine:
    return PublicLine(
        place=line.place,
        n=line.n,
        source=sources.get(line.source, line.source),
        drawn_at=line.drawn_at,
        digest=line.digest,
        entry=line.entry - 1,
        state=line.state,
        round=1 if line.visit is None else line.visit.round,
        reason=_reason(line, is_open),
        opened=Opening(line.salt, line.code, line.name) if is_open else None,
        days=_elapsed(line, known, today),
        result=_result(line, entries),
    )


def _reason(line: Line, is_open: bool) -> str | None:
    """A void attempt's reason is public anyway; other reasons could tell who it is."""
    if line.state == "withheld" and line.visit is not None:
        return line.visit.ground
    return line.reason if is_open or line.state == "draw_void" else None


COUNTED: Final = ("final", "reviewed", "synced", "published")
"""Where the days run: a reopened record is `synced` again, and its days go on (R26.1)."""


def _elapsed(line: Line, known: Calendar, today: date) -> Elapsed | None:
    if line.visit is None or line.visit.days is None or line.state not in COUNTED:
        return None
    days, result = line.visit.days, line.visit.result
    until = today if result is None else date.fromisoformat(result.published_on)
    return _days(days, working_days_between(days.ended_on, until, known), until)


def _days(days: Days, elapsed: int | None, until: date) -> Elapsed:
    due = days.due
    is_over = due.on is not None and until > due.on
    due_on = None if due.on is None else due.on.isoformat()
    return Elapsed(days.ended_on.isoformat(), elapsed, days.of, due_on, due.known, due.missing_year, is_over)


def _result(line: Line, entries: Entries) -> PublishedResult | None:
    found = line.visit.result if line.visit is not None else None
    if found is None or line.state != "published":
        return None
    versions = [Published(n - 1, key.hex()) for n, key in entries.get(found.no, ())]
    return PublishedResult(found.no, found.version, found.main, found.published_on, versions)
