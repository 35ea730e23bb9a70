"""A joint task in which another office drew, as everybody may read it: the lead's list, and our own match (R13.1)."""

from __future__ import annotations

from typing import Final

import msgspec

from server.domain.draw_file import file_of_participant
from server.domain.public_draw import PublicDraw, PublicJoint
from server.domain.task import Task
from server.errors import Problem
from server.office import public_draws
from server.office.crew_file import officers_part
from server.office.public_draws import Book
from server.store import crews, draw_pages, draws, joint_lists, tasks
from server.store.joint_lists import JointList
from server.store.session import Connection

PREFIX: Final = "J-"
"""Before the task's number: it is no number of a draw, since nobody drew here."""
FILE: Final = "1-1.json"


def is_joint(no: str) -> bool:
    """Whether a number is that of a joint task which another office drew for."""
    return no.startswith(PREFIX)


def listed(conn: Connection, first: int, most: int) -> list[PublicDraw | PublicJoint]:
    """Some draws of the bureau, and of those who led it, the latest first."""
    book = Book(conn)
    found: list[PublicDraw | PublicJoint] = []
    for year, seq, task_id in draw_pages.draws_and_joint(conn, first, most):
        if task_id is None:
            found.append(public_draws.draw_of(book, draws.draws_by_no(conn, draws.no_of(year, seq))))
        else:
            task, received = _told(conn, tasks.task_of(conn, task_id))
            found.append(_joint(book, task, received))
    return found


def one(conn: Connection, no: str) -> PublicJoint:
    """A joint task by its number."""
    return _joint(Book(conn), *_by_no(conn, no))


def body_of(conn: Connection, no: str, name: str) -> bytes:
    """The file as it stands, with our officers; while the task is sealed there is none for the public."""
    task, received = _by_no(conn, no)
    if name != FILE or not _is_open(conn, task):
        raise Problem("not_found")
    joint = {
        "lead": received.lead,
        "document": received.document,
        "sha256": received.sha256,
        "codes": sorted(one.code for one in tasks.drawn_of(conn, task.id)),
    }
    return file_of_participant(no, Book(conn).units.get(task.unit_id, ""), task.no, joint, officers_part(conn, task.id))


def subjects(conn: Connection, no: str) -> list[tuple[str, str]]:
    """Whom the lead drew, code and name, once the task is open."""
    task, _received = _by_no(conn, no)
    return [(one.code, one.name) for one in tasks.drawn_of(conn, task.id)] if _is_open(conn, task) else []


def _by_no(conn: Connection, no: str) -> tuple[Task, JointList]:
    return _told(conn, tasks.task_by_no(conn, no.removeprefix(PREFIX)))


def _told(conn: Connection, task: Task | None) -> tuple[Task, JointList]:
    received = None if task is None else joint_lists.list_of(conn, task.joint_list or "")
    if task is None or received is None or not task.is_participant or task.dispatched_at is None:
        raise Problem("not_found")
    return task, received


def _is_open(conn: Connection, task: Task) -> bool:
    return task.disclosure == "open" or tasks.has_ended(conn, task.id)


def _joint(book: Book, task: Task, received: JointList) -> PublicJoint:
    is_open, no = _is_open(book.conn, task), f"{PREFIX}{task.no}"
    return PublicJoint(
        no=no,
        task_no=task.no,
        task=task.name,
        unit=book.units.get(task.unit_id, ""),
        window_to=task.window_to,
        lead=received.lead,
        document=received.document,
        drawn_on=received.drawn_on,
        sha256=received.sha256,
        n=task.n,
        dispatched_at=task.dispatched_at or "",
        is_open=is_open,
        href=f"/draws/{no}/files/{FILE}" if is_open else None,
        crews=tuple(public_draws.match_of(book, match) for match in crews.matches_of_task(book.conn, task.id)[::-1]),
        **public_draws.exceptions_of(book.conn, task.id),
    )


def officers_of(body: bytes) -> dict[str, object] | None:
    """The officers' part of a file."""
    found: dict[str, object] | None = msgspec.json.decode(body)["officers"]
    return found
