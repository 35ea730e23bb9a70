"""The public notice of a dispatched task: task, items, unit, window and number of subjects, never a name (R17.1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

import msgspec
import rfc8785

from server.domain.instant import stamp
from server.domain.item import Item
from server.domain.task import Task
from server.domain.task_notice import Notice
from server.store import directory, notices
from server.store.notices import Kept
from server.store.session import Connection


def publish(conn: Connection, now: datetime, task: Task, items: Sequence[Item]) -> Kept:
    """Publishes the notice of a task that is being dispatched, in its transaction."""
    return _keep(conn, now, task, notice_of(conn, now, task, items))


def publish_longer(conn: Connection, now: datetime, task: Task, reason: str) -> Kept:
    """Publishes the next version of a task's notice, whose window is longer, with the reason."""
    last = next(iter(notices.versions_of(conn, task.no)))
    longer = msgspec.structs.replace(
        last.notice,
        window_to=task.window_to,
        published_at=stamp(now),
        version=last.version + 1,
        extended_for=reason,
    )
    return _keep(conn, now, task, longer)


def _keep(conn: Connection, now: datetime, task: Task, its: Notice) -> Kept:
    body = rfc8785.dumps(msgspec.to_builtins(its))
    made = Kept(task.no, task.id, stamp(now), body, sha256(body).hexdigest(), its.version)
    notices.add_notice(conn, made)
    return made


def notice_of(conn: Connection, now: datetime, task: Task, items: Sequence[Item]) -> Notice:
    """What the public reads of a task."""
    units = directory.names_of_units(conn)
    return Notice(
        no=task.no,
        name=task.name,
        items=tuple(one.name for one in items),
        list_version=task.list_version or 0,
        unit=units[task.carried_out_by],
        window_from=task.window_from,
        window_to=task.window_to,
        n=task.n,
        draw=task.draw,
        joint=task.joint,
        partner=task.partner,
        origin=task.origin,
        methods=task.methods,
        form=task.form,
        disclosure=task.disclosure,
        published_at=stamp(now),
    )
