"""Dispatched visits for tests: a subject, a small checklist, and a crew of three with one leader."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from server.store import tables
from server.store.migrate import EPOCH, REPLICA, meta_of
from server.store.session import Database, open_database
from server.sync import acts, ops
from server.sync.keys import Keys, open_keys
from tests.running import Running
from tests.scene import NOW
from tests.subjects import row_of

CREW = (("li", "leader"), ("zhang", "member"), ("wang", "member"))
POINTS = tuple(f"p{number:02}" for number in range(1, 61))
ITEM = "hazchem-storage"
SUBJECT_NAME, USCC = "宛城区溢彩漆料经营部", "91411303MA00000010"
WINDOW = ("2026-11-01", "2026-12-31")


def checklist(points: Sequence[str] = POINTS, item: str = ITEM) -> bytes:
    """A checklist of one item."""
    return ops.canonical(
        {
            "t": "checklist/1",
            "title": "危险化学品储存",
            "items": [
                {
                    "id": item,
                    "name": "危险化学品储存",
                    "judged": "findings",
                    "points": [
                        {"id": id_, "text": id_, "how": "", "basis": "", "section": "仓库", "major": False}
                        for id_ in points
                    ],
                }
            ],
        }
    )


def uuid7_like() -> str:
    """A random visit id."""
    return str(uuid.uuid4())


def keys_of(db: Database, folder: Path) -> Keys:
    """The server's keys, as its process opens them."""
    with db.read() as conn:
        return open_keys(folder, str(meta_of(conn, REPLICA)), str(meta_of(conn, EPOCH)))


def database_of(running: Running) -> Database:
    """The database of a server process."""
    url = running.environment.get("SUIJIAN_DATABASE_URL") or f"sqlite:///{running.data / 'suijian.db'}"
    return open_database(url)


def prepare(db: Database) -> str:
    """Adds the subject, the item, the task and the checklist, once; the checklist's digest."""
    body = checklist()
    tpl = hashlib.sha256(body).hexdigest()
    with db.write() as conn:
        if conn.scalar(sa.select(tables.template.c.sha256).where(tables.template.c.sha256 == tpl)):
            return tpl
        conn.execute(sa.insert(tables.template).values(sha256=tpl, title="危险化学品储存", body=body))
        conn.execute(
            sa.insert(tables.subject).values(
                row_of(uscc=USCC, name=SUBJECT_NAME, legal_representative="某", address="某路1号", contact="某")
            )
        )
        conn.execute(
            sa.insert(tables.item).values(
                id=ITEM, name="危险化学品储存", object="x", category="key", method="site", level="district",
                sector="hazardous_chemicals", judged="findings", basis=[], state="released", needs_review=False,
                checklist=[], phrases=[],
            )
        )  # fmt: skip
        conn.execute(
            sa.insert(tables.task).values(
                id="t1", name="t1", unit_id="hazchem", draw="undirected", window_from=WINDOW[0],
                window_to=WINDOW[1], due_on="2026-12-31",
            )
        )  # fmt: skip
        conn.execute(sa.insert(tables.task_item).values(task_id="t1", item_id=ITEM))
    return tpl


def dispatch(
    db: Database, keys: Keys, crew: Sequence[tuple[str, str]] = CREW, now: datetime = NOW, visit: str | None = None,
    **instead: Any,
) -> str:  # fmt: skip
    """Dispatches one visit; its id. `instead` replaces what is dispatched: `tpl`, `tasks`, `window`, `subject_id`."""
    tpl = prepare(db)
    id_ = visit or uuid7_like()
    given: dict[str, Any] = {
        "unit_id": "hazchem", "subject_id": "s1", "subject": (SUBJECT_NAME, USCC), "tpl": tpl, "window": WINDOW,
        "tasks": ["t1"], "actor": "clerk",
    }  # fmt: skip
    db.run_write(lambda conn: acts.open_visit(conn, keys, visit_id=id_, crew=crew, now=now, **{**given, **instead}))
    return id_


def dispatch_at(running: Running, crew: Sequence[tuple[str, str]] = CREW) -> str:
    """Dispatches one visit on the database of a running server."""
    db = database_of(running)
    try:
        return dispatch(db, keys_of(db, running.data / "keys"), crew)
    finally:
        db.close()
