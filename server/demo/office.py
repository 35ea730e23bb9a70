"""What the office did with the demo's visits: before they began, and after they came in; a function a scene."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from server.demo import crews
from server.demo.phone import Server
from server.demo.plan import moment
from server.demo.plans import HEADS
from server.demo.scenes import Visit
from server.office.review import approve_record, return_record
from server.store import reviews
from server.store.reviews import Received
from server.store.session import Connection
from server.sync.acts import office_act
from server.sync.field import SyncField


def approved(server: Server, visit: Visit, today: date, ago: int) -> None:
    """The clerk approves the record on the next weekday."""
    server.db.run_write(
        lambda conn: approve_record(conn, _received(conn, visit.id), 1, "clerk", moment(today, ago - 1, 10, 15))
    )


def returned(server: Server, visit: Visit, today: date, ago: int) -> None:
    """The clerk returns it: what was counted there and what the ledger says don't agree."""
    comment = "超量储存的现场盘点数与台账截图不一致，请补拍台账后重新签字。"
    server.db.run_write(
        lambda conn: return_record(conn, _received(conn, visit.id), 1, "clerk", comment, moment(today, ago - 1, 10, 15))
    )


def voided(server: Server, visit: Visit, today: date, ago: int) -> None:
    """The head ends it; what a phone still had to send comes afterwards."""
    reason = {"reason": "企业已迁出本区，任务重复派发，经批准作废"}
    act = {"kind": "void", "path": ["visit"], "val": reason}
    head = HEADS["hazchem-section"]
    office_act(server.db, server.keys, head, visit.id, act, moment(today, ago, 11, 30))
    late_sender = visit.phones[1]
    late_sender.clock = moment(today, ago, 11, 50)
    late_sender.sync()


def _received(conn: Connection, visit_id: str) -> Received:
    received = reviews.one_received(conn, visit_id)
    if received is None:
        raise AssertionError("a visit that was dispatched is there")
    return received


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
