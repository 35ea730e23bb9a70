"""The acts of tasks: each on a task of its own in the demo district, brought to where the act can be done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import httpx
import sqlalchemy as sa

from server.demo.district import BRIGADE, HAZCHEM
from server.demo.plans import PRINCIPAL, UNKNOWN
from server.domain.instant import beijing_day
from server.office import dispatch, tasks
from server.office import subjects as subject_acts
from server.store import joint_lists, subjects, tables
from server.store import tasks as store
from server.store.session import Connection
from server.sync.field import SyncField
from tests.dispatching import keys_of
from tests.office.district import HTML, Office
from tests.office.walks import Step
from tests.office.walks.draws import CAMPAIGN, CLERKS, ITEM, done, draw_of, drawn, sealer_of
from tests.office.walks.subjects import FORM as SUBJECT

NAMES = count(1)
APPROVAL = {"approval_number": "宛卧应急检〔2026〕9 号", "approval_on": "2026-11-20"}


def post(office: Office, who: str, path: str, **form: str) -> httpx.Response:
    """A form of the room, as a page posts it."""
    return office.client(who).post(f"/office/tasks{path}", data=form, headers=HTML)


def form(item: str = ITEM, **more: str) -> dict[str, str]:
    """What a clerk enters: a campaign of twelve, so that walks don't stand in each other's way."""
    today = beijing_day(datetime.now(UTC))
    return {
        "item": item,
        "name": f"第{next(NAMES)}次专项抽查",
        "window_from": today.isoformat(),
        "window_to": (today + timedelta(30)).isoformat(),
        "draw": "undirected",
        "mode": "total",
        "n": "12",
        "campaign": CAMPAIGN,
        "method.site": "yes",
        "disclosure": "sealed",
        "crew_size": "2",
    } | more


def entered(office: Office, unit: str = HAZCHEM, item: str = ITEM, **more: str) -> str:
    """A task that waits for its head."""
    values = form(item, **more)
    return str(done(office, lambda conn, now: tasks.add_task(conn, CLERKS[unit], now, values)))


def below(office: Office, unit: str = HAZCHEM, item: str = ITEM) -> str:
    """A request of the principal's: one subject, without a campaign."""
    id = entered(office, unit, item, campaign="", n="1", reason="人手不够")
    with office.db.read() as conn:
        return store.overrides_of(conn, id)[0].id


def dispatched(office: Office, unit: str = HAZCHEM, item: str = ITEM) -> str:
    """A task whose visits are there."""
    task_id = draw_of(office, drawn(office, unit, item)).task_id
    field = SyncField(keys_of(office.db, office.running.data / "keys"))
    values = {"confirm": "yes"}
    done(
        office,
        lambda conn, now: dispatch.dispatch_task(conn, CLERKS[unit], now, task_id, values, field, task_id.encode()),
    )
    return task_id


def joined(office: Office) -> tuple[str, str]:
    """A joint task of the brigade's that another department leads, before its dispatch; the line that it is of.

    One subject of the lead's list isn't in the library yet.
    """
    line = tables.plan_line.c
    with office.db.read() as conn:
        its = sa.select(line.id, line.item_id, line.partner).where(line.unit_id == BRIGADE, line.joint == "participant")
        id, item, partner = conn.execute(its.order_by(line.version.desc()).limit(1)).one()
        listed = joint_lists.lists_of(conn, id)[0]
    more = {"plan_line_id": id, "joint": "participant", "partner": partner, "joint_list": listed.id}
    task_id = entered(office, BRIGADE, item, **more, campaign="", reason="按牵头部门的时间")
    return task_id, id


def joint(office: Office) -> tuple[str, str]:
    """The same task dispatched, and its public number."""
    task_id, _ = joined(office)
    code, name = UNKNOWN
    sealer, field = sealer_of(office), SyncField(keys_of(office.db, office.running.data / "keys"))
    entry = SUBJECT | {"uscc": code, "name": name}

    def work(conn: Connection, now: datetime) -> str:
        if subjects.subjects_by_codes(conn, sealer, [code]) == {}:
            subject_acts.enter_subject(conn, CLERKS[BRIGADE], now, sealer, entry)
        tasks.approve_task(conn, PRINCIPAL, now, task_id, APPROVAL)
        return dispatch.dispatch_task(conn, CLERKS[BRIGADE], now, task_id, {"confirm": "yes"}, field, task_id.encode())

    return task_id, f"J-{done(office, work)}"


def subject_of(office: Office, task_id: str) -> str:
    """A subject of a dispatched task that can still be taken out."""
    with office.db.read() as conn:
        return next(one.subject_id for one in store.drawn_of(conn, task_id) if one.state == "counted")


def asked(office: Office, unit: str = HAZCHEM, item: str = ITEM) -> str:
    """A request to take a subject out."""
    task_id = dispatched(office, unit, item)
    subject = subject_of(office, task_id)
    return str(
        done(office, lambda conn, now: dispatch.ask_withdrawal(conn, CLERKS[unit], now, task_id, subject, "已搬走"))
    )


def _add(office: Office) -> Step:
    return Step("clerk", lambda: post(office, "clerk", "", **form()))


def _change(office: Office) -> Step:
    id = entered(office)
    return Step("clerk", lambda: post(office, "clerk", f"/{id}", **form(n="13")))


def _approve(office: Office) -> Step:
    id = entered(office)
    return Step("head", lambda: post(office, "head", f"/{id}/approve", **APPROVAL))


def _cancel(office: Office) -> Step:
    id = entered(office)
    return Step("clerk", lambda: post(office, "clerk", f"/{id}/cancel", reason="合并到下个月"))


def _dispatch(office: Office) -> Step:
    task_id = draw_of(office, drawn(office)).task_id
    return Step("clerk", lambda: post(office, "clerk", f"/{task_id}/dispatch", confirm="yes"))


def _extend(office: Office) -> Step:
    task_id = dispatched(office)
    until = (beijing_day(datetime.now(UTC)) + timedelta(300)).isoformat()
    return Step("head", lambda: post(office, "head", f"/{task_id}/extend", until=until, reason="证照换发，人手不够"))


def _ask(office: Office) -> Step:
    task_id = dispatched(office)
    subject = subject_of(office, task_id)
    return Step(
        "clerk", lambda: post(office, "clerk", f"/{task_id}/withdrawals", subject_id=subject, reason="已搬出本区")
    )


def _withdraw(office: Office) -> Step:
    id = asked(office)
    return Step("head", lambda: post(office, "head", f"/withdrawals/{id}", answer="approved"))


def _override(office: Office) -> Step:
    id = below(office)
    return Step("principal", lambda: post(office, "principal", f"/overrides/{id}", answer="approved"))


WALKS = {
    "task.add": _add,
    "task.change": _change,
    "task.approve": _approve,
    "task.cancel": _cancel,
    "task.dispatch": _dispatch,
    "task.extend": _extend,
    "withdrawal.ask": _ask,
    "task.withdraw": _withdraw,
    "task_override.decide": _override,
}
