"""What the office did with the demo's visits after they came in."""

from __future__ import annotations

from datetime import date

from server.demo.phone import Server
from server.demo.plan import moment
from server.demo.scenes import Visit
from server.office.review import approve_record, return_record
from server.store import reviews
from server.store.people import Person
from server.store.session import Connection
from server.sync.acts import office_act

HEAD = Person("head", "head", "郑国强", "hazchem-section", ("unit_head",), None)


def after(server: Server, name: str, visit: Visit, today: date, ago: int) -> None:
    """Approval, return and voiding; what a phone still had to send comes afterwards."""
    if name == "void":
        reason = {"reason": "企业已迁出本区，任务重复派发，经批准作废"}
        act = {"kind": "void", "path": ["visit"], "val": reason}
        office_act(server.db, server.keys, HEAD, visit.id, act, moment(today, ago, 11, 30))
        late_sender = visit.phones[1]
        late_sender.clock = moment(today, ago, 11, 50)
        late_sender.sync()
    elif name in ("approved", "unreachable", "returned"):
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
