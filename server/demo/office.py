"""What the office did with the demo's visits: before they began, and after they came in; a function a scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from server.demo import crews
from server.demo.district import HAZCHEM
from server.demo.phone import Server
from server.demo.plan import moment
from server.demo.plans import CLERKS, HEADS
from server.demo.scenes import Visit
from server.office.review import approve, give_back
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
    "unreachable": approved,
    "returned": returned,
    "void": voided,
}
"""Name of a visit -> what the office did after it came in."""
