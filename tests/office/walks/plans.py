"""The acts of the annual plan: each on a plan of a year of its own, brought to where the act can be done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx

from server.demo.district import BRIGADE, HAZCHEM, INDUSTRY
from server.demo.item_list import LEGAL_CLERK
from server.demo.plans import CLERKS, HEADS, PRINCIPAL
from server.domain.instant import beijing_day
from server.office import plan_lines, plans
from server.office.plan_facts import proposal_for, released_items
from server.store import plans as store
from server.store.session import Connection
from tests.office.district import HTML, Office
from tests.office.walks import Step

YEARS = count(2101)
SUBJECTS = "信用代码,名称\n91411303MAAY4CL12N,牵头部门抽到的企业\n".encode()


def post(office: Office, who: str, path: str, files: Any = None, **form: str) -> httpx.Response:
    """A form of the room, as a page posts it."""
    return office.client(who).post(f"/office/plans{path}", data=form, files=files, headers=HTML)


def done(office: Office, work: Callable[[Connection, datetime], Any]) -> Any:
    """Prepares something by the office's own acts."""
    now = datetime.now(UTC)
    return office.db.run_write(lambda conn: work(conn, now))


def line(conn: Connection, now: datetime, year: int, unit: str, item: str, **more: str) -> dict[str, str]:
    """What a clerk enters for an item: the system's own proposal."""
    today = beijing_day(now)
    found = proposal_for(conn, released_items(conn, today)[1][item], unit, year, today)
    return {
        "item_id": item,
        "scope": "全区有关单位",
        "window_from": f"{year}-03-01",
        "window_to": f"{year}-11-30",
        "count": str(found.n),
        "flagged_count": str(found.flagged_n),
        "unified_share": "0",
        "own_share": "100",
    } | more


def begun(office: Office) -> int:
    """A plan that is being entered."""
    year = next(YEARS)
    done(office, lambda conn, now: store.add_plan(conn, year, "宛卧应急〔2100〕1 号", "legal", now))
    return year


def entered(office: Office, year: int, unit: str = HAZCHEM, item: str = "hazchem-storage", **more: str) -> str:
    """A line that its clerk entered."""

    def work(conn: Connection, now: datetime) -> str:
        return plan_lines.add_line(conn, CLERKS[unit], now, year, line(conn, now, year, unit, item, **more))

    return str(done(office, work))


def signed(office: Office, year: int, unit: str = HAZCHEM, item: str = "hazchem-storage", **more: str) -> str:
    """A line that bears its head's signature."""
    id = entered(office, year, unit, item, **more)
    done(office, lambda conn, now: plan_lines.sign_line(conn, HEADS[unit], now, id))
    return id


def submitted(office: Office) -> int:
    """A plan whose units have all submitted: every released item that has subjects is planned, one jointly."""
    year = begun(office)
    for unit, item in done(office, lambda conn, now: planned(conn, now, year)):
        joint = {"joint": "lead", "partner": "卧龙区消防救援大队"} if item == "workshop-fire" else {}
        signed(office, year, unit, item, **joint)
    done(office, lambda conn, now: plans.submit_part(conn, CLERKS[HAZCHEM], now, year, HAZCHEM))
    done(office, lambda conn, now: plans.submit_part(conn, CLERKS[INDUSTRY], now, year, INDUSTRY))
    done(office, lambda conn, now: plans.note_none(conn, HEADS[BRIGADE], now, year, BRIGADE, "今年集中培训"))
    return year


def planned(conn: Connection, now: datetime, year: int) -> list[tuple[str, str]]:
    """Each released item with the section that has most of its subjects; other walks release items too."""
    today = beijing_day(now)
    found = []
    for id, item in released_items(conn, today)[1].items():
        sizes = {unit: proposal_for(conn, item, unit, year, today).population for unit in (HAZCHEM, INDUSTRY)}
        unit = max(sizes, key=lambda one: sizes[one])
        if sizes[unit]:
            found.append((unit, id))
    return found


def consolidated(office: Office) -> int:
    """A plan that waits for the principal."""
    year = submitted(office)
    done(office, lambda conn, now: plans.consolidate(conn, LEGAL_CLERK, now, year))
    return year


FILING = {"authority": "南阳市应急管理局", "number": "宛应急备〔2100〕1 号", "filed_on": "2026-11-20"}


def filed(office: Office) -> int:
    """A plan that is filed twice."""
    year = consolidated(office)
    done(office, lambda conn, now: plans.approve(conn, PRINCIPAL, now, year))
    done(office, lambda conn, now: plans.file_plan(conn, LEGAL_CLERK, now, year, FILING | {"kind": "upper"}))
    done(office, lambda conn, now: plans.file_plan(conn, LEGAL_CLERK, now, year, FILING | {"kind": "market"}))
    return year


def _open(office: Office) -> Step:
    form = {"year": "2028", "supervision_plan": "宛卧应急〔2027〕60 号"}
    return Step("legal", lambda: post(office, "legal", "", **form))


def _submit(office: Office) -> Step:
    year = begun(office)
    signed(office, year)
    return Step("clerk", lambda: post(office, "clerk", f"/{year}/submit", unit_id=HAZCHEM))


def _none(office: Office) -> Step:
    year = begun(office)
    return Step("head", lambda: post(office, "head", f"/{year}/none", unit_id=HAZCHEM, reason="今年集中培训"))


def _give_back(office: Office) -> Step:
    year = submitted(office)
    return Step("legal", lambda: post(office, "legal", f"/{year}/give-back", unit_id=HAZCHEM, reason="请核对数量"))


def _consolidate(office: Office) -> Step:
    year = submitted(office)
    return Step("legal", lambda: post(office, "legal", f"/{year}/consolidate"))


def _approve(office: Office) -> Step:
    year = consolidated(office)
    return Step("principal", lambda: post(office, "principal", f"/{year}/approve"))


def _refuse(office: Office) -> Step:
    year = consolidated(office)
    return Step("principal", lambda: post(office, "principal", f"/{year}/refuse", reason="联合抽查再加一项"))


def _file(office: Office) -> Step:
    year = consolidated(office)
    done(office, lambda conn, now: plans.approve(conn, PRINCIPAL, now, year))
    return Step("legal", lambda: post(office, "legal", f"/{year}/file", kind="upper", **FILING))


def _release(office: Office) -> Step:
    year = filed(office)
    return Step("legal", lambda: post(office, "legal", f"/{year}/release"))


def _amend(office: Office) -> Step:
    year = filed(office)
    done(office, lambda conn, now: plans.release(conn, LEGAL_CLERK, now, year))
    return Step("legal", lambda: post(office, "legal", f"/{year}/amend", reason="上级部署专项检查"))


def _duties(office: Office) -> Step:
    year = begun(office)
    return Step("clerk", lambda: post(office, "clerk", f"/{year}/capacity", unit_id=HAZCHEM, other_days="40"))


def _add(office: Office) -> Step:
    year = begun(office)
    form = done(office, lambda conn, now: line(conn, now, year, HAZCHEM, "hazchem-storage"))
    return Step("clerk", lambda: post(office, "clerk", f"/{year}/lines", **form))


def _change(office: Office) -> Step:
    year = begun(office)
    id = entered(office, year)
    form = done(office, lambda conn, now: line(conn, now, year, HAZCHEM, "hazchem-storage", scope="储存单位"))
    return Step("clerk", lambda: post(office, "clerk", f"/{year}/lines/{id}", **form))


def _remove(office: Office) -> Step:
    year = begun(office)
    id = entered(office, year)
    return Step("clerk", lambda: post(office, "clerk", f"/{year}/lines/{id}/remove"))


def _sign(office: Office) -> Step:
    year = begun(office)
    id = entered(office, year)
    return Step("head", lambda: post(office, "head", f"/{year}/lines/{id}/sign"))


def _ask(office: Office) -> Step:
    year = begun(office)
    form = {"kind": "frequency", "item_id": "confined-space", "reason": "今年已全部排查"}
    return Step("legal", lambda: post(office, "legal", f"/{year}/overrides", **form))


def _decide(office: Office) -> Step:
    year = begun(office)
    entered(office, year, count="1", flagged_count="1", reason="人手不足")
    requests = done(office, lambda conn, now: store.overrides_of(conn, year))
    path = f"/overrides/{requests[0].id}"
    return Step("principal", lambda: post(office, "principal", path, answer="approved", reason="同意"))


def _import(office: Office) -> Step:
    year = begun(office)
    id = entered(office, year, joint="participant", partner="卧龙区市场监督管理局")
    form = {"lead": "卧龙区市场监督管理局", "document": "宛卧市监〔2100〕2 号", "drawn_on": "2026-11-02"}
    file = {"file": ("名单.csv", SUBJECTS, "text/csv")}
    return Step("clerk", lambda: post(office, "clerk", f"/{year}/lines/{id}/list", file, **form))


WALKS = {
    "plan.open": _open,
    "plan.submit": _submit,
    "plan.none": _none,
    "plan.give_back": _give_back,
    "plan.consolidate": _consolidate,
    "plan.approve": _approve,
    "plan.refuse": _refuse,
    "plan.file": _file,
    "plan.release": _release,
    "plan.amend": _amend,
    "plan.duties": _duties,
    "plan_line.add": _add,
    "plan_line.change": _change,
    "plan_line.remove": _remove,
    "plan_line.sign": _sign,
    "plan_override.ask": _ask,
    "plan_override.decide": _decide,
    "joint_list.import": _import,
}
