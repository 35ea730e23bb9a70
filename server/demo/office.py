"""What the office did with the demo's visits after they came in."""

from __future__ import annotations

from datetime import date

from server.demo.phone import Server
from server.demo.plan import moment
from server.demo.scenes import Visit
from server.office.review import approve_record, return_record
from server.store import reviews
from server.store.session import Connection


def after(server: Server, name: str, visit: Visit, today: date, ago: int) -> None:
    """Approval, return and voiding; what a phone still had to send comes afterwards."""
    if name in ("approved", "unreachable", "returned"):
        server.db.run_write(lambda conn: _review(conn, name, visit.id, today, ago - 1))


def _review(conn: Connection, name: str, visit_id: str, today: date, ago: int) -> None:
    received = reviews.one_received(conn, visit_id)
    if received is None:
        raise AssertionError("a visit that was dispatched is there")
    now = moment(today, ago, 10, 15)
    if name == "returned":
        comment = "超量储存的现场盘点数与台账截图不一致，请补拍台账后重新签字。"
        return_record(conn, received, 1, "clerk", comment, now)
    else:
        approve_record(conn, received, 1, "clerk", now)
