"""Public notices of dispatched tasks, append-only, and how many of their subjects were taken out since."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.task_notice import Notice
from server.store.tables import notice, selection

_LATEST = (notice.c.published_at.desc(), notice.c.no.desc(), notice.c.version.desc())


class Kept(msgspec.Struct, frozen=True):
    """A notice with the bytes that were published."""

    no: str
    task_id: str
    published_at: str
    body: bytes
    sha256: str
    version: int = 1

    @property
    def notice(self) -> Notice:
        """What it says."""
        return msgspec.json.decode(self.body, type=Notice)


def add_notice(conn: Connection, added: Kept) -> None:
    """Publishes a notice, or a new version of one."""
    conn.execute(sa.insert(notice).values(msgspec.structs.asdict(added)))


def notices(conn: Connection, most: int | None = None, before: tuple[str, str] | None = None) -> list[Kept]:
    """Every notice in its newest version, the newest first; `before` is moment and number of where to go on."""
    newer = notice.alias()
    is_newest = ~sa.exists().where(newer.c.no == notice.c.no, newer.c.version > notice.c.version)
    query = sa.select(notice).where(is_newest).limit(most)
    if before is not None:
        query = query.where(sa.tuple_(notice.c.published_at, notice.c.no) < sa.tuple_(*before))
    return _read(conn, query.order_by(*_LATEST))


def versions(conn: Connection, most: int) -> list[Kept]:
    """Notices in all their versions, the newest first."""
    return _read(conn, sa.select(notice).order_by(*_LATEST).limit(most))


def versions_of(conn: Connection, no: str) -> list[Kept]:
    """The notice of a number, the newest version first."""
    return _read(conn, sa.select(notice).where(notice.c.no == no).order_by(notice.c.version.desc()))


def notice_by_no(conn: Connection, no: str) -> Kept | None:
    """The notice of a number as it stands now."""
    return next(iter(versions_of(conn, no)), None)


def _read(conn: Connection, query: sa.Select[Any]) -> list[Kept]:
    return [Kept(**{str(name): value for name, value in row.items()}) for row in conn.execute(query).mappings()]


def taken_out(conn: Connection, task_ids: Collection[str]) -> dict[str, int]:
    """Task -> how many of its subjects were withdrawn after the lock: what the public sees of R17.2."""
    query = (
        sa.select(selection.c.task_id, sa.func.count())
        .where(selection.c.task_id.in_(list(task_ids)), selection.c.state == "withdrawn")
        .group_by(selection.c.task_id)
    )
    return {id: int(n) for id, n in conn.execute(query)}


def first_digest(conn: Connection) -> str | None:
    """The digest of the very first notice, by which the feed of this bureau is told from every other."""
    query = sa.select(notice.c.sha256).order_by(notice.c.published_at, notice.c.no).limit(1)
    return conn.scalar(query)
