"""The acts about crews: each on a dispatched task of its own, brought to where the act can be done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

import httpx
import sqlalchemy as sa

from server.demo.district import HAZCHEM
from server.demo.people import ACCOUNTS
from server.demo.plans import CLERKS, HEADS
from server.domain.draw_sources import Source
from server.domain.instant import beijing_day, stamp
from server.office import crew_changes, crew_page, crew_ways, crews, merging, recusals
from server.store import crews as store
from server.store import tables
from server.store.crews import Seen
from server.store.seal import Sealer
from server.store.session import Connection
from server.sync.field import SyncField
from tests.dispatching import keys_of
from tests.office.district import HTML, Office
from tests.office.walks import Step
from tests.office.walks.draws import ITEM, done, sealer_of, source_form
from tests.office.walks.tasks import dispatched

DICE = " ".join("162534" * 4)
REASON = "另有安排"


def post(office: Office, who: str, path: str, /, **form: str) -> httpx.Response:
    """A form of the room, as a page posts it."""
    return office.client(who).post(f"/office/crews{path}", data=form, headers=HTML)


def field_of(office: Office) -> SyncField:
    """What acts on the visits of the office's server."""
    return SyncField(keys_of(office.db, office.running.data / "keys"))


def fresh(office: Office, unit: str = HAZCHEM, item: str = ITEM) -> str:
    """A dispatched task whose visits have no crew; no other match of its unit is open."""
    task_id, sealer = dispatched(office, unit, item), sealer_of(office)
    with office.db.read() as conn:
        waiting = [one for one in store.matches(conn, unit) if one.state in ("committed", "contributed", "matched")]
    with office.db.write() as conn:  # nobody is busy with what other walks have left
        conn.execute(sa.delete(tables.crew_plan).where(tables.crew_plan.c.task_id != task_id))
    for one in waiting:
        done(office, partial(_voided, unit=unit, id=one.id, sealer=sealer))
    return task_id


def _voided(conn: Connection, now: datetime, unit: str, id: str, sealer: Sealer) -> None:
    crews.void(conn, HEADS[unit], now, id, "重新安排", sealer)


def plan_form(office: Office, task_id: str, unit: str = HAZCHEM, **more: str) -> dict[str, str]:
    """The half-days that the page proposes; a morning each where the calendar of the year isn't known yet."""
    with office.db.read() as conn:
        board = crew_page.board_of(conn, CLERKS[unit], task_id, datetime.now(UTC))
    mornings = (f"{(beijing_day(datetime.now(UTC)) + timedelta(days=n)).isoformat()}/am" for n in count(1))
    return {f"half_day:{row.seen.id}": row.half_day or next(mornings) for row in board.rows} | {
        f"{name}:{row.seen.id}": value for row in board.rows for name, value in more.items()
    }


def planned(office: Office, unit: str = HAZCHEM, item: str = ITEM, **more: str) -> str:
    """A task whose visits have their half-days."""
    task_id = fresh(office, unit, item)
    form = plan_form(office, task_id, unit, **more)
    done(office, lambda conn, now: crews.plan(conn, CLERKS[unit], now, task_id, form))
    return task_id


def with_experts(office: Office) -> str:
    """A task whose visits have their half-days, and an expert each who is asked by name."""
    task_id = fresh(office)
    form = plan_form(office, task_id, expert_reason="涉及特种工艺")
    with office.db.read() as conn:
        asked = {one.id: ["expert-1"] for one in store.visits_of_task(conn, task_id)}
    done(office, lambda conn, now: crews.plan(conn, CLERKS[HAZCHEM], now, task_id, form, asked))
    return task_id


def committed(office: Office, planned_id: str | None = None) -> str:
    """A task whose match waits for the dice."""
    task_id, sealer = planned_id or planned(office), sealer_of(office)
    source = Source("dice/1", "dice", 61, "见证人掷骰", stamp(datetime.now(UTC) + timedelta(days=1)))
    done(office, lambda conn, now: crews.commit(conn, CLERKS[HAZCHEM], now, task_id, [source], bytes(32), sealer))
    return task_id


def match_id(office: Office, task_id: str) -> str:
    """The match of a task."""
    with office.db.read() as conn:
        found = store.live_match(conn, task_id)
    assert found is not None
    return found.id


def contributed(office: Office, planned_id: str | None = None) -> str:
    """A task that can be matched."""
    task_id = committed(office, planned_id)
    id = match_id(office, task_id)
    done(
        office,
        lambda conn, now: crews.contribute(conn, CLERKS[HAZCHEM], now, id, "dice/1", DICE, now, "甲", "https://a.cn/1"),
    )
    return task_id


def matched(office: Office, planned_id: str | None = None) -> str:
    """A task whose crews are drawn."""
    task_id, sealer = contributed(office, planned_id), sealer_of(office)
    id = match_id(office, task_id)
    done(office, lambda conn, now: crews.match(conn, CLERKS[HAZCHEM], now, id, sealer))
    return task_id


def assigned(office: Office, planned_id: str | None = None) -> Seen:
    """A visit whose crew has it."""
    task_id, field = matched(office, planned_id), field_of(office)
    id = match_id(office, task_id)
    done(office, lambda conn, now: crews.assign(conn, CLERKS[HAZCHEM], now, id, field))
    with office.db.read() as conn:
        return store.visits_of_task(conn, task_id)[0]


GUESTS = iter(range(1, 1000))


def guest_form() -> dict[str, str]:
    """A neighbour's officer."""
    return {
        "office": "宛城区应急管理局", "name": "邻甲", "sex": "male", "certificate": f"4113029{next(GUESTS):04}",
        "certificate_from": "2024-01-01", "certificate_to": "2029-12-31", "domains": "hazardous_chemicals",
    }  # fmt: skip


def guest(office: Office, unit: str = HAZCHEM) -> str:
    """A neighbour's officer who is registered."""
    form = guest_form()
    domains = ("hazardous_chemicals", "industry_commerce")
    return str(done(office, lambda conn, now: crew_ways.add_guest(conn, CLERKS[unit], now, form, domains)))


WAY = {"kind": "merged_pool", "reason": "人手不够", "office": "宛城区应急管理局", "consent": "宛城应急函 12 号"}


def way(office: Office, unit: str = HAZCHEM, item: str = ITEM) -> str:
    """A way out that waits for the head."""
    lent, task_id = guest(office, unit), planned(office, unit, item, k="9")
    return str(done(office, lambda conn, now: crew_ways.ask_way(conn, CLERKS[unit], now, task_id, WAY, (lent,))))


def change(office: Office, seen: Seen | None = None, unit: str = HAZCHEM) -> str:
    """A replacement that waits for the head."""
    it = seen or assigned(office)
    form = {"officer_id": it.members[0], "kind": "health", "reason": "住院"}
    return str(done(office, lambda conn, now: crew_changes.ask_replacement(conn, CLERKS[unit], now, it.id, form)))


def recusal_form(seen: Seen) -> dict[str, str]:
    """What the subject asks."""
    day = beijing_day(datetime.now(UTC)).isoformat()
    return {"officer_id": seen.members[0], "asker": "某甲", "asked_on": day, "reason": "曾有纠纷"}


def recusal(office: Office, seen: Seen | None = None, unit: str = HAZCHEM) -> str:
    """A recusal that waits for the principal."""
    it = seen or assigned(office)
    form = recusal_form(it)
    return str(done(office, lambda conn, now: recusals.ask(conn, CLERKS[unit], now, it.id, form)))


def _plan(office: Office) -> Step:
    task_id = fresh(office)
    form = plan_form(office, task_id)
    return Step("clerk", lambda: post(office, "clerk", f"/{task_id}/plan", **form))


def _commit(office: Office) -> Step:
    task_id = planned(office)
    return Step("clerk", lambda: post(office, "clerk", f"/{task_id}/commit", **source_form()))


def _contribute(office: Office) -> Step:
    task_id = committed(office)
    at = datetime.now(UTC).isoformat()
    form = {"k": "dice/1", "value": DICE, "at": at, "by": "见证人甲", "link": "https://example.cn/1"}
    return Step("clerk", lambda: post(office, "clerk", f"/{task_id}/contribute", **form))


def _match(office: Office) -> Step:
    task_id = contributed(office)
    return Step("clerk", lambda: post(office, "clerk", f"/{task_id}/match", proof="suijian-demo"))


def _void(office: Office) -> Step:
    task_id = committed(office)
    return Step("head", lambda: post(office, "head", f"/{task_id}/void", reason="名单有误"))


def _assign(office: Office) -> Step:
    task_id = matched(office)
    return Step("clerk", lambda: post(office, "clerk", f"/{task_id}/assign"))


def _guest(office: Office) -> Step:
    form = guest_form()
    return Step("clerk", lambda: post(office, "clerk", "/guests", **form))


def _ask_way(office: Office) -> Step:
    lent, task_id = guest(office), planned(office, k="9")
    return Step("clerk", lambda: post(office, "clerk", f"/{task_id}/ways", **WAY, officers=lent))


def _decide_way(office: Office) -> Step:
    id = way(office)
    return Step("head", lambda: post(office, "head", f"/ways/{id}", decision="approve", answer=""))


def _replace(office: Office) -> Step:
    it = assigned(office)
    form = {"officer_id": it.members[0], "kind": "health", "reason": "住院"}
    return Step("clerk", lambda: post(office, "clerk", f"/visits/{it.id}/replace", **form))


def _decide(office: Office) -> Step:
    id = change(office)
    return Step("head", lambda: post(office, "head", f"/changes/{id}", decision="approve", answer="同意"))


def _declare(office: Office) -> Step:
    it, who = next(found for found in iter(lambda: _with_an_account(assigned(office)), None) if found[1])
    return Step(who, lambda: post(office, who, f"/visits/{it.id}/declare", reason="经营者是亲属"))


def _with_an_account(it: Seen) -> tuple[Seen, str]:
    """A visit with one of its crew who can sign in, or none: the lot may choose officers that other walks brought."""
    known = {account.username for account in ACCOUNTS}
    return it, next((one for one in it.members if one in known), "")


def _ask_recusal(office: Office) -> Step:
    it = assigned(office)
    form = recusal_form(it)
    return Step("clerk", lambda: post(office, "clerk", f"/visits/{it.id}/recusal", **form))


def _decide_recusal(office: Office) -> Step:
    id = recusal(office)
    return Step("principal", lambda: post(office, "principal", f"/recusals/{id}", decision="approve", answer="属实"))


def _merge(office: Office) -> Step:
    kept, other = mergeable(office)
    return Step("clerk", lambda: post(office, "clerk", f"/visits/{kept}/merge", other=other))


def mergeable(office: Office) -> tuple[str, str]:
    """Two open visits of one subject, made by dispatching until a subject is drawn again."""
    for _ in range(20):
        with office.db.read() as conn:
            found = merging.proposals(conn, HAZCHEM)
        if found:
            return found[0].kept.id, found[0].other.id
        fresh(office)
    raise AssertionError("no subject was drawn twice")


def _lead(office: Office) -> Step:
    path = "/office/officers/liu/lead"
    return Step("clerk", lambda: office.client("clerk").post(path, data={"may_lead": "yes"}, headers=HTML))


WALKS = {
    "crew.plan": _plan,
    "crew.commit": _commit,
    "crew.contribute": _contribute,
    "crew.match": _match,
    "crew.void": _void,
    "crew.assign": _assign,
    "crew.add_guest": _guest,
    "crew.ask_way": _ask_way,
    "crew.decide_way": _decide_way,
    "crew.ask_replacement": _replace,
    "crew.decide_replacement": _decide,
    "recusal.declare": _declare,
    "recusal.ask": _ask_recusal,
    "recusal.decide": _decide_recusal,
    "visit.merge": _merge,
    "officer.set_lead": _lead,
}
