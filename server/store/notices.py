"""Public notices of dispatched tasks, append-only, and how many of their subjects were taken out since."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.task_notice import Notice
from server.store.tables import notice, selection


class Kept(msgspec.Struct, frozen=True):
    """A notice with the bytes that were published."""

    no: str
    task_id: str
    published_at: str
    body: bytes
    sha256: str

    @property
    def notice(self) -> Notice:
        """What it says."""
        return msgspec.json.decode(self.body, type=Notice)


def add_notice(conn: Connection, added: Kept) -> None:
    """Publishes a notice; a task has one."""
    conn.execute(sa.insert(notice).values(msgspec.structs.asdict(added)))


def notices(conn: Connection, most: int | None = None) -> list[Kept]:
    """Every notice, the newest first."""
    query = sa.select(notice).order_by(notice.c.published_at.desc(), notice.c.no.desc()).limit(most)
    return [Kept(**row) for row in conn.execute(query).mappings()]


def notice_by_no(conn: Connection, no: str) -> Kept | None:
    """The notice of a number."""
    row = conn.execute(sa.select(notice).where(notice.c.no == no)).mappings().one_or_none()
    return None if row is None else Kept(**row)


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
