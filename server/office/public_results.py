"""Results as everybody reads them: what is found, one result with every version, its place in the log (26)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from server.domain.publication import PublicResult
from server.errors import Problem
from server.store import draws, log, notices, publications
from server.store.publications import Published, Version
from server.store.session import Connection
from server.store.tasks import task_of


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
    )


def _entries(conn: Connection, head: Published) -> list[int]:
    """The log's entries of the versions, in their order."""
    about = f"publication:{head.id}"
    return sorted(n for act in ("result.publish", "correction.sign") for n in log.entries_of(conn, about, act))


def results_of(conn: Connection, heads: Sequence[Published]) -> list[PublicResult]:
    """What the newest versions say, in the order given."""
    bodies = publications.newest_bodies(conn, heads)
    return [msgspec.json.decode(bodies[head.id], type=PublicResult) for head in heads]
