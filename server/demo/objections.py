"""Objections in the demo: one that waits for the clerk to judge its papers, one that was asked for papers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import msgspec

from server.demo.district import INDUSTRY
from server.demo.phone import Server
from server.demo.pictures import photo
from server.demo.plan import moment
from server.demo.plans import CLERKS
from server.office import objection_filing as filing
from server.office.act import named
from server.office.objections import ask_papers
from server.store import publications
from server.store.seal import Sealer
from server.store.session import Connection

CODES: Final = ("DEM2-3456-789A-BCDE", "DEM3-4567-89AB-CDEF")
"""The receipt codes of the two, so that whoever tries the demo can follow them; no code was ever chosen otherwise."""

OPEN: Final = {
    "capacity": "representative",
    "name": "贺兰芝",
    "phone": "14000002601",
    "grounds": "检查当天车间正在轮休，并未停产。公示写的是未开展有关经营活动，与实际不符，附当月排班表和电费单。",
    "wanted": "请到现场重新查看，更正公示的结果。",
}
UNPROVED: Final = {
    "capacity": "authorised",
    "name": "石中玉",
    "phone": "14000002602",
    "grounds": "检测仪器当天上午刚检定过，报告写错了日期。",
    "wanted": "恢复原来的结果。",
}
"""What the two wrote."""

FILED_AGO, ASKED_AGO = 4, 1


def fill(server: Server, sealer: Sealer, today: date, visits: Mapping[str, str]) -> None:
    """Files both from two addresses, with the identity papers of the first alone."""
    _file(server, sealer, today, visits["confined-three"], OPEN, CODES[0], [photo("gate", 26).jpeg])
    second = _file(server, sealer, today, visits["confined-one"], UNPROVED, CODES[1], [])
    missing = {"missing": "营业执照、本人身份证件和单位的委托书。"}
    at = moment(today, ASKED_AGO, 9, 20)
    server.db.run_write(lambda conn: ask_papers(conn, CLERKS[INDUSTRY], at, second, missing))


def _file(
    server: Server, sealer: Sealer, today: date, visit_id: str, said: Mapping[str, str], code: str, papers: list[bytes]
) -> str:
    now, id = moment(today, FILED_AGO, 10), named("objection", code, today)

    def file(conn: Connection) -> None:
        head = next(iter(publications.published_of_visits(conn, [visit_id]).values()))
        checked = filing.check(conn, sealer, {**said, "no": head.no}, papers)
        made = msgspec.structs.replace(checked, id=id, code=code)
        sealed = filing.seal_papers(server.files, sealer, now, id, papers)
        filing.file_objection(conn, sealer, now, "demo", made, sealed)

    server.db.run_write(file)
    return id
