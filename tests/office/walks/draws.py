"""The acts of draws: each on a draw of its own in the demo district, brought to where the act can be done."""

from __future__ import annotations

import binascii
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import sqlalchemy as sa

from server.demo import plans
from server.demo.district import HAZCHEM, LEGAL
from server.demo.item_list import LEGAL_CLERK
from server.domain.draw_sources import Source
from server.domain.excuse import StatusDocument
from server.domain.instant import beijing_day, instant, stamp
from server.domain.task import Task
from server.office import draws, exclusions, excuses
from server.routes.rooms.draw_forms import now_in_beijing
from server.store import draws as store
from server.store import excuses as excuse_store
from server.store import tables, tasks
from server.store.seal import Sealer, open_sealer
from server.store.session import Connection
from tests.office.district import HTML, Office
from tests.office.walks import Step

CLERKS = plans.CLERKS | {LEGAL: LEGAL_CLERK}
HEADS = plans.HEADS | {LEGAL: plans.PRINCIPAL}
"""Who approves a unit's tasks; those of the legal unit, which draws over all units, the principal does."""

NUMBERS = count(801)
BALLS = "01 07 09 12 15 22 23 31 33 38 40 41 47 52 55 60 61 70 74 80"
DICE = "4 1 1 6 2 5 3 3 6 1"
LINK = "https://www.example.org/kl8/2026312"
PHOTO = binascii.unhexlify(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c63f8cfc0f01f000500010089994d1d0000000049454e44ae426082"
)
"""A picture of one pixel."""

SECRET = bytes(range(32))
ITEM = "hazchem-storage"
CAMPAIGN = "宛卧应急〔2026〕专项 1 号"
"""With it nobody is left out for having been drawn, or reserved, twice: walks don't stand in each other's way."""


def post(office: Office, who: str, path: str, files: Any = None, **form: str) -> httpx.Response:
    """A form of the room, as a page posts it."""
    return office.client(who).post(f"/office/draws{path}", data=form, files=files, headers=HTML)


def done(office: Office, work: Callable[[Connection, datetime], Any]) -> Any:
    """Prepares something by the office's own acts."""
    now = datetime.now(UTC)
    return office.db.run_write(lambda conn: work(conn, now))


def sealer_of(office: Office) -> Sealer:
    """The sealer of the office's server."""
    return open_sealer(office.running.data / "keys")


def sources(now: datetime) -> tuple[Source, ...]:
    """The next lottery, and ten dice of a witness."""
    due = stamp(now + timedelta(days=2))
    return (
        Source("lottery/1", "lottery", 61, "福利彩票快乐8 第 2026312 期", due),
        Source("dice/1", "dice", 25, "见证人甲 掷骰 10 次", due),
    )


def approved(office: Office, unit: str = HAZCHEM, item: str = ITEM, **more: Any) -> str:
    """A task whose draw can begin."""
    n = next(NUMBERS)

    def work(conn: Connection, now: datetime) -> str:
        task = a_task(n, unit, item, stamp(now), more)
        tasks.add_task(conn, task)
        return task.id

    return str(done(office, work))


def a_task(n: int, unit: str, item: str, at: str, more: dict[str, Any]) -> Task:
    """A task of a unit, approved by its head."""
    today = beijing_day(instant(at))
    last = (today + timedelta(30)).isoformat()
    plain: dict[str, Any] = {
        "id": f"walk-{n}",
        "name": f"第{n}批储存单位抽查",
        "unit_id": unit,
        "unified": unit == LEGAL,
        "draw": "undirected",
        "window_from": today.isoformat(),
        "window_to": last,
        "due_on": last,
        "items": (item,),
        "list_version": 1,
        "no": f"2026-{n}",
        "mode": "total",
        "n": 12,
        "campaign": CAMPAIGN,
        "methods": ("site",),
        "state": "approved",
        "approval_number": "宛卧应急检〔2026〕1 号",
        "approval_on": "2026-11-20",
        "approved_by": HEADS[unit].id,
        "approved_at": at,
        "entered_by": CLERKS[unit].id,
        "entered_at": at,
        "executing_unit_id": unit,
    }
    return Task(**(plain | more))


def committed(office: Office, unit: str = HAZCHEM, item: str = ITEM, **more: Any) -> str:
    """A draw that waits for its numbers."""
    task_id, sealer = approved(office, unit, item, **more), sealer_of(office)
    return str(
        done(office, lambda conn, now: draws.commit(conn, CLERKS[unit], now, task_id, sources(now), SECRET, sealer))
    )


def contributed(office: Office, unit: str = HAZCHEM, item: str = ITEM, **more: Any) -> str:
    """A draw whose numbers are all there."""
    draw_id = committed(office, unit, item, **more)

    def work(conn: Connection, now: datetime) -> None:
        for k, value in (("lottery/1", BALLS), ("dice/1", DICE)):
            draws.contribute(conn, CLERKS[unit], now, draw_id, k, value, now, "见证人甲", link=LINK)

    done(office, work)
    return draw_id


def drawn(office: Office, unit: str = HAZCHEM, item: str = ITEM, **more: Any) -> str:
    """A draw that was drawn."""
    draw_id, sealer = contributed(office, unit, item, **more), sealer_of(office)
    done(office, lambda conn, now: draws.run(conn, CLERKS[unit], now, draw_id, sealer))
    return draw_id


def with_evidence(office: Office, unit: str, item: str) -> str:
    """A draw that was drawn, its first number with a photo as evidence that its clerk sent."""
    draw_id, sealer, clerk = committed(office, unit, item), sealer_of(office), CLERKS[unit]
    form = {"k": "lottery/1", "value": BALLS, "at": draw_of(office, draw_id).committed_at, "by": "见证人甲"}
    file = {"evidence": ("开奖公告.png", PHOTO, "image/png")}
    assert post(office, clerk.username, f"/{draw_id}/contribute", file, **form).status_code == 303

    def work(conn: Connection, now: datetime) -> None:
        draws.contribute(conn, clerk, now, draw_id, "dice/1", DICE, now, "见证人乙", link=LINK)
        draws.run(conn, clerk, now, draw_id, sealer)

    done(office, work)
    return draw_id


def draw_of(office: Office, draw_id: str) -> store.Draw:
    """A draw as it stands."""
    with office.db.read() as conn:
        found = store.draw_of(conn, draw_id)
    assert found is not None
    return found


def suspended(office: Office, draw_id: str) -> str:
    """The code of a drawn subject that the library has as suspended since, by a document."""
    code = draw_of(office, draw_id).effective[0]
    subject, its = tables.subject, StatusDocument("suspended", "停业告知〔2026〕3 号", "2026-11-20")
    with office.db.write() as conn:
        here = sa.or_(subject.c.uscc == code, subject.c.registration == code)
        id = conn.scalars(sa.select(subject.c.id).where(here)).one()
        conn.execute(sa.update(subject).where(here).values(status="suspended"))
        excuse_store.add_status(conn, id, its, "clerk", stamp(datetime.now(UTC)))
    return code


def excuse(office: Office, unit: str = HAZCHEM, item: str = ITEM) -> str:
    """A request to excuse a drawn subject that waits for the head."""
    draw_id = drawn(office, unit, item)
    code = suspended(office, draw_id)
    return str(done(office, lambda conn, now: excuses.ask(conn, CLERKS[unit], now, draw_id, code, "冻结后停业")))


def exclusion(office: Office, unit: str = HAZCHEM) -> str:
    """A request that waits for the head."""
    form = exclusion_form(office, unit)
    return str(done(office, lambda conn, now: exclusions.enter(conn, CLERKS[unit], now, form)))


def exclusion_form(office: Office, unit: str = HAZCHEM) -> dict[str, str]:
    """What a clerk enters to leave a subject of the own library out."""
    subject, member = tables.subject, tables.unit_subject
    query = sa.select(subject.c.uscc).join(member, member.c.subject_id == subject.c.id).where(member.c.unit_id == unit)
    with office.db.read() as conn:
        code = conn.scalars(query.where(subject.c.uscc.is_not(None)).order_by(subject.c.uscc.desc()).limit(1)).one()
    return {
        "code": str(code),
        "kind": "UNDER_OTHER_CASE",
        "document": f"宛卧应急立〔2026〕{next(NUMBERS)} 号",
        "reason": "涉嫌超量储存，已立案",
        "since": "2026-01-01",
        "until": "2099-12-31",
    }


def source_form() -> dict[str, str]:
    """The numbers from outside as the form announces them."""
    due = now_in_beijing(datetime.now(UTC) + timedelta(days=2))
    lottery = {"source.0.kind": "lottery", "source.0.what": "福利彩票快乐8 第 2026312 期"}
    dice = {"source.1.kind": "dice", "source.1.what": "见证人甲 掷骰", "source.1.n": "10"}
    return {"due": due} | lottery | dice


def _commit(office: Office) -> Step:
    task_id = approved(office)
    return Step("clerk", lambda: post(office, "clerk", f"/tasks/{task_id}", **source_form()))


def _contribute(office: Office) -> Step:
    draw_id = committed(office)
    at = draw_of(office, draw_id).committed_at
    form = {"k": "lottery/1", "value": BALLS, "at": at, "by": "见证人甲", "link": LINK}
    return Step("clerk", lambda: post(office, "clerk", f"/{draw_id}/contribute", **form))


def _run(office: Office) -> Step:
    draw_id = contributed(office)
    return Step("clerk", lambda: post(office, "clerk", f"/{draw_id}/run"))


def _excuse(office: Office) -> Step:
    draw_id = drawn(office)
    code = suspended(office, draw_id)
    return Step("clerk", lambda: post(office, "clerk", f"/{draw_id}/excuse", code=code, reason="冻结后停业"))


def _confirm(office: Office) -> Step:
    id = excuse(office)
    return Step("head", lambda: post(office, "head", f"/excuses/{id}", decision="approved"))


def _void(office: Office) -> Step:
    draw_id = committed(office)
    return Step("head", lambda: post(office, "head", f"/{draw_id}/void", reason="见证人未到场", sure="yes"))


def _enter(office: Office) -> Step:
    form = exclusion_form(office)
    return Step("clerk", lambda: post(office, "clerk", "/exclusions", **form))


def _decide(office: Office) -> Step:
    id = exclusion(office)
    return Step("head", lambda: post(office, "head", f"/exclusions/{id}", decision="approved"))


WALKS = {
    "draw.commit": _commit,
    "draw.contribute": _contribute,
    "draw.run": _run,
    "excuse.ask": _excuse,
    "draw.excuse": _confirm,
    "draw.void": _void,
    "exclusion.enter": _enter,
    "exclusion.decide": _decide,
}
