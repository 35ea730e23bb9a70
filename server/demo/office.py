"""What the office did with the demo's visits: before they began, and after they came in; a function a scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Final

from server.demo import crews
from server.demo.district import HAZCHEM, INDUSTRY
from server.demo.phone import Server
from server.demo.plan import moment
from server.demo.plans import CLERKS, HEADS, PRINCIPAL
from server.demo.scenes import Visit
from server.domain.instant import beijing_day
from server.office import publishing
from server.office.review import approve, give_back
from server.store import publications
from server.store.session import Connection
from server.sync.acts import office_act
from server.sync.field import SyncField
from server.sync.record import record_of


def approved(server: Server, visit: Visit, today: date, ago: int) -> None:
    """The clerk approves the record on the next weekday."""
    at = moment(today, ago - 1, 10, 15)
    _write(server, visit, lambda conn: approve(conn, CLERKS[HAZCHEM], at, visit.id, 1))


def returned(server: Server, visit: Visit, today: date, ago: int) -> None:
    """The clerk returns it: what was counted there and what the ledger says don't agree."""
    comment, at = "超量储存的现场盘点数与台账截图不一致，请补拍台账后重新签字。", moment(today, ago - 1, 10, 15)
    _write(server, visit, lambda conn: give_back(conn, CLERKS[HAZCHEM], at, visit.id, 1, comment))


def voided(server: Server, visit: Visit, today: date, ago: int) -> None:
    """The head ends it; what a phone still had to send comes afterwards."""
    reason = {"reason": "企业已迁出本区，任务重复派发，经批准作废"}
    act = {"kind": "void", "path": ["visit"], "val": reason}
    head = HEADS[HAZCHEM]
    office_act(server.db, server.keys, head, visit.id, act, moment(today, ago, 11, 30))
    late_sender = visit.phones[1]
    late_sender.clock = moment(today, ago, 11, 50)
    late_sender.sync()


def published_and_corrected(server: Server, visit: Visit, today: date, ago: int) -> None:
    """The result goes public in time; a wrong type is found in it, and the principal signs the second version."""
    no = _published(server, visit, today, ago)
    item = visit.items[0].id
    form = {f"type:{item}": "unqualified", "main": "unqualified", "source": "复查笔录和检测报告"}
    form["reason"] = "复查发现检测仪器未检定，原定合格有误。"
    at = moment(today, ago - 3, 15)
    asked = server.db.run_write(lambda conn: publishing.ask_correction(conn, CLERKS[INDUSTRY], at, no, form, {}))
    server.db.run_write(lambda conn: _sign(conn, asked, moment(today, ago - 4, 10)))


def _sign(conn: Connection, correction_id: str, now: datetime) -> None:
    asked = publications.correction_of(conn, correction_id)
    if asked is None:
        raise AssertionError("a correction that was asked for is there")
    seen = publishing.next_sha256(conn, asked, beijing_day(now))
    publishing.sign_correction(conn, PRINCIPAL, now, correction_id, seen)


def withheld(server: Server, visit: Visit, today: date, ago: int) -> None:
    """The result shows the process of the works: the principal agrees that it isn't published until the year's end."""
    _approve(server, visit, moment(today, ago - 1, 9, 30))
    form = {
        "ground": "trade_secret",
        "basis": "《中华人民共和国政府信息公开条例》第十五条",
        "reason": "检查结果涉及该企业尚未公开的工艺流程。",
        "review_on": f"{today.year}-12-31",
    }
    at, task = moment(today, ago - 2, 9, 40), _task_of(server, visit)
    asked = server.db.run_write(
        lambda conn: publishing.ask_withholding(conn, CLERKS[INDUSTRY], at, visit.id, task, form)
    )
    answered = moment(today, ago - 3, 16)
    answer = "同意，到期复查。"
    server.db.run_write(lambda conn: publishing.decide_withholding(conn, PRINCIPAL, answered, asked, True, answer))


def published(server: Server, visit: Visit, today: date, ago: int) -> None:
    """The result goes public in time."""
    _published(server, visit, today, ago)


def _published(server: Server, visit: Visit, today: date, ago: int) -> str:
    """Approved in the morning after, published in the afternoon; the number."""
    _approve(server, visit, moment(today, ago - 1, 9, 30))
    at, task = moment(today, ago - 1, 15), _task_of(server, visit)
    return server.db.run_write(lambda conn: publishing.publish(conn, CLERKS[INDUSTRY], at, visit.id, task))


def _approve(server: Server, visit: Visit, at: datetime) -> None:
    _write(server, visit, lambda conn: approve(conn, CLERKS[INDUSTRY], at, visit.id, 1))


def _task_of(server: Server, visit: Visit) -> str:
    with server.db.read() as conn:
        return publications.tasks_of_visits(conn, [visit.id])[visit.id][0].id


def _write(server: Server, visit: Visit, work: Callable[[Connection], object]) -> None:
    """An act of the office on a record, which is folded first."""
    record_of(server.db, visit.id)
    server.db.run_write(work)


BEFORE: Final[Mapping[str, Callable[[Connection, SyncField, date, Mapping[str, str]], None]]] = {
    crews.CHANGED: crews.change,
}
"""Name of a visit -> what the office did before it began."""

AFTER: Final[Mapping[str, Callable[[Server, Visit, date, int], None]]] = {
    "approved": approved,
    "confined-one": published_and_corrected,
    "confined-two": withheld,
    "confined-three": published,
    "unreachable": approved,
    "returned": returned,
    "void": voided,
}
"""Name of a visit -> what the office did after it came in."""
