"""The demo's draws that go on: one that waits for its numbers, one that can be begun."""

from __future__ import annotations

from datetime import date
from typing import Final

from server.demo.district import HAZCHEM
from server.demo.lots import secret, sources
from server.demo.plan import moment
from server.demo.plans import CLERKS, HEADS
from server.office import draws, tasks
from server.store.seal import Sealer
from server.store.session import Connection

COMMITTED_AGO: Final = 1
"""On which weekday before today both tasks were set up, and the first of them committed."""


def fill(conn: Connection, sealer: Sealer, today: date) -> None:
    """Both by the office's own acts."""
    waiting(conn, sealer, today)
    to_come(conn, today)


def waiting(conn: Connection, sealer: Sealer, today: date) -> None:
    """Committed yesterday; the lottery and the dice are to come the day after tomorrow."""
    task = _task(conn, today, "hazchem-storage", "危险化学品储存抽查（年末）")
    asked = sources(moment(today, -2, 12), "next")
    at = moment(today, COMMITTED_AGO, 10)
    draws.commit(conn, CLERKS[HAZCHEM], at, task, asked, secret("waiting"), sealer)


def to_come(conn: Connection, today: date) -> None:
    """Set up and approved; the clerk can freeze its list."""
    _task(conn, today, "special-operations", "特种作业持证抽查（年末）")


def _task(conn: Connection, today: date, item: str, name: str) -> str:
    values = {
        "item": item,
        "name": f"{today.year}年{name}",
        "window_from": moment(today, -4, 9).date().isoformat(),
        "window_to": moment(today, -24, 9).date().isoformat(),
        "draw": "undirected",
        "mode": "ratio",
        "method.site": "yes",
        "method.document_review": "yes",
        "disclosure": "sealed",
        "crew_size": "2",
    }
    id = tasks.add_task(conn, CLERKS[HAZCHEM], moment(today, COMMITTED_AGO, 8, 30), values)
    approval = {
        "approval_number": f"宛卧应急检〔{today.year}〕{len(name)} 号",
        "approval_on": moment(today, COMMITTED_AGO, 8).date().isoformat(),
    }
    tasks.approve_task(conn, HEADS[HAZCHEM], moment(today, COMMITTED_AGO, 9), id, approval)
    return id
