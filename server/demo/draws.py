"""The demo's public draws: one void and drawn again in the open, one waiting for its numbers, one to come."""

from __future__ import annotations

from datetime import date

from server.demo.district import HAZCHEM, INDUSTRY
from server.demo.lots import LINK, WITNESS, secret, sources, values
from server.demo.plan import moment
from server.demo.plans import CLERKS, HEADS
from server.office import draws, tasks
from server.store.seal import Sealer
from server.store.session import Connection

DRAWN_AGO, COMMITTED_AGO = 6, 1
"""On which weekday before today: the first of the drawn one's commitments, and that of the one that waits."""


def fill(conn: Connection, sealer: Sealer, today: date) -> None:
    """All of it by the office's own acts."""
    _drawn_again(conn, sealer, today)
    _waiting(conn, sealer, today)
    _to_come(conn, today)


def _drawn_again(conn: Connection, sealer: Sealer, today: date) -> None:
    """The witness didn't come, so the first attempt is void; the second is drawn, and public at once."""
    clerk, head = CLERKS[INDUSTRY], HEADS[INDUSTRY]
    name = "有限空间作业抽查（第二批）"
    task = _task(conn, today, INDUSTRY, "confined-space", name, disclosure="open", ago=DRAWN_AGO)
    first = sources(moment(today, DRAWN_AGO - 1, 12), "first")
    at = moment(today, DRAWN_AGO, 10)
    void = draws.commit(conn, clerk, at, task, first, secret("void"), sealer)
    reason = "约定的见证人临时不能到场，改期重新公布承诺。"
    draws.void(conn, head, moment(today, DRAWN_AGO - 1, 11), void, reason, sealer)
    second = sources(moment(today, DRAWN_AGO - 2, 12), "second")
    drawn = draws.commit(conn, clerk, moment(today, DRAWN_AGO - 1, 15), task, second, secret("drawn"), sealer)
    seen = moment(today, DRAWN_AGO - 2, 9, 30)
    for source, value in zip(second, values("second"), strict=True):
        by = WITNESS if source.kind == "dice" else clerk.name or clerk.id
        later = moment(today, DRAWN_AGO - 2, 9, 50)
        draws.contribute(conn, clerk, later, drawn, source.id, value, seen, by, link=LINK)
    draws.run(conn, clerk, moment(today, DRAWN_AGO - 2, 10), drawn, sealer)


def _waiting(conn: Connection, sealer: Sealer, today: date) -> None:
    """Committed yesterday; the lottery and the dice are to come the day after tomorrow."""
    task = _task(conn, today, HAZCHEM, "hazchem-storage", "危险化学品储存抽查（年末）", ago=COMMITTED_AGO)
    due = moment(today, -2, 12)
    at = moment(today, COMMITTED_AGO, 10)
    draws.commit(conn, CLERKS[HAZCHEM], at, task, sources(due, "next"), secret("waiting"), sealer)


def _to_come(conn: Connection, today: date) -> None:
    """Set up and approved; the clerk can freeze its list."""
    _task(conn, today, HAZCHEM, "special-operations", "特种作业持证抽查（年末）", ago=COMMITTED_AGO)


def _task(
    conn: Connection, today: date, unit: str, item: str, name: str, *, ago: int, disclosure: str = "sealed"
) -> str:
    values = {
        "item": item,
        "name": f"{today.year}年{name}",
        "window_from": moment(today, -4, 9).date().isoformat(),
        "window_to": moment(today, -24, 9).date().isoformat(),
        "draw": "undirected",
        "mode": "ratio",
        "method.site": "yes",
        "method.document_review": "yes",
        "disclosure": disclosure,
        "crew_size": "2",
    }
    id = tasks.add_task(conn, CLERKS[unit], moment(today, ago, 8, 30), values)
    approval = {
        "approval_number": f"宛卧应急检〔{today.year}〕{len(name)} 号",
        "approval_on": moment(today, ago, 8).date().isoformat(),
    }
    tasks.approve_task(conn, HEADS[unit], moment(today, ago, 9), id, approval)
    return id
