"""Results as everybody reads them: what is found, one result with every version, its place in the log (26)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final

import msgspec

from server.domain.instant import beijing_day, instant
from server.domain.publication import PublicResult
from server.errors import Problem
from server.store import deadlines, draws, log, notices, objections, publications
from server.store.objections import Objection
from server.store.publications import Published, Version
from server.store.session import Connection
from server.store.tasks import task_of

UNTOLD: Final = frozenset({"filed", "papers_asked", "refused"})
"""The states of an objection of which the public learns nothing."""


class PublicObjection(msgspec.Struct, frozen=True):
    """That a result was objected to and what came of it: never by whom, nor what he wrote (R26.5).

    `due_on` is the recheck's, None where it waits for a calendar; `outcome` and `answered_on` are there in the end.
    """

    papers_on: str
    due_on: str | None
    outcome: str | None
    answered_on: str | None


class Shown(msgspec.Struct, frozen=True):
    """A result's page: the version that is shown, all of them, and where its task and its draw are told.

    `entries` is version -> the number of its entry in the log.
    """

    head: Published
    shown: Version
    versions: Sequence[Version]
    entries: dict[int, int]
    notice: str | None
    draw: str | None
    objections: Sequence[PublicObjection] = ()

    @property
    def result(self) -> PublicResult:
        """What the shown version says."""
        return self.shown.result

    @property
    def is_newest(self) -> bool:
        """Whether it is what holds now."""
        return self.shown.version == self.head.version


def one(conn: Connection, no: str, version: int | None = None) -> Shown:
    """A published result in its newest version, or in an older one."""
    head = publications.published(conn, no)
    if head is None:
        raise Problem("not_found")
    versions = publications.versions_of(conn, head.id)
    shown = next((kept for kept in versions if kept.version == (version or head.version)), None)
    if shown is None:
        raise Problem("not_found")
    task = task_of(conn, head.task_id)
    standing = [draw for draw in draws.draws_of_task(conn, head.task_id) if draw.state != "void"]
    return Shown(
        head,
        shown,
        versions,
        dict(enumerate(_entries(conn, head), 1)),
        task.no if task is not None and notices.notice_by_no(conn, task.no) is not None else None,
        standing[0].no if standing else None,
        objections_to(conn, head.id),
    )


def objections_to(conn: Connection, publication_id: str) -> list[PublicObjection]:
    """The objections to a result that were taken up."""
    found = [one for one in objections.objections_to(conn, publication_id) if one.state not in UNTOLD]
    dues = deadlines.deadlines_of(conn, [f"objection:{one.id}" for one in found], objections.RECHECK)
    return [_public(one, dues[f"objection:{one.id}"].due.on) for one in found]


def _public(it: Objection, due: date | None) -> PublicObjection:
    is_told = it.state == "answered"
    return PublicObjection(
        it.papers_on,
        None if due is None else due.isoformat(),
        it.outcome if is_told else None,
        beijing_day(instant(it.changed_at)).isoformat() if is_told else None,
    )


def _entries(conn: Connection, head: Published) -> list[int]:
    """The log's entries of the versions, in their order."""
    about = f"publication:{head.id}"
    return sorted(n for act in ("result.publish", "correction.sign") for n in log.entries_of(conn, about, act))


def results_of(conn: Connection, heads: Sequence[Published]) -> list[PublicResult]:
    """What the newest versions say, in the order given."""
    bodies = publications.newest_bodies(conn, heads)
    return [msgspec.json.decode(bodies[head.id], type=PublicResult) for head in heads]
