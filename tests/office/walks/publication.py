"""The acts of publication: on the demo's final visits, each brought to where the act can be done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx

from server.demo.district import HAZCHEM
from server.demo.plans import CLERKS, PRINCIPAL
from server.domain.instant import beijing_day
from server.domain.result_codes import PLAIN, values_of
from server.office import publishing, review
from server.store import publications, reviews
from server.store.publications import Published
from server.sync.record import record_of
from tests.office.district import HTML, IDS, Office
from tests.office.walks import Step
from tests.office.walks.draws import done

PASSWORD = "suijian-demo"
_SETS = count(1)
OTHERS = ("no_relevant_activity", "unreachable")
"""Two types that stand for items of every kind, between which a correction goes to and fro."""


def post(office: Office, who: str, path: str, **form: str | list[str]) -> httpx.Response:
    """A form of the room, as a page posts it."""
    return office.client(who).post(f"/office/publication{path}", data=form, headers=HTML)


def result_id(office: Office, name: str) -> str:
    """The name of a visit's result for its first task, its record folded."""
    visit_id = IDS[name]
    assert record_of(office.db, visit_id) is not None
    with office.db.read() as conn:
        task = publications.tasks_of_visits(conn, [visit_id])[visit_id][0]
    return publishing.id_of(visit_id, task.id)


def published(office: Office, name: str = "approved", unit: str = HAZCHEM) -> Published:
    """The published result of a visit of the demo, published now where it wasn't."""
    visit_id, task_id = publishing.parts_of(result_id(office, name))
    with office.db.read() as conn:
        there = publications.published_of_visits(conn, [visit_id]).get((visit_id, task_id))
    if there is None:
        _approve(office, visit_id)
        done(office, lambda conn, now: publishing.publish(conn, CLERKS[unit], now, visit_id, task_id))
        return published(office, name, unit)
    return there


def _approve(office: Office, visit_id: str) -> None:
    """The round's approval, where it has no word yet."""
    with office.db.read() as conn:
        visit, said = reviews.one_received(conn, visit_id), reviews.reviews_of(conn, [visit_id])
        ops = list(reviews.unsettled(conn, [visit_id]).get(visit_id, {}))
    if visit is None or said:
        return
    clerk = CLERKS[visit.unit_id]
    if ops:
        done(office, lambda conn, now: review.leave_out(conn, clerk, now, visit_id, ops, "与定稿无关"))
    done(office, lambda conn, now: review.approve(conn, clerk, now, visit_id, visit.round))


def other_type(office: Office, head: Published) -> dict[str, str]:
    """The form of a correction to the other of the two types."""
    with office.db.read() as conn:
        result = publications.versions_of(conn, head.id)[-1].result
    main = OTHERS[result.main == OTHERS[0]]
    types = {f"type:{item.id}": main for item in result.items}
    return types | {"main": main, "reason": "复核认定该经营活动已停止。", "source": "复核意见 1 号"}


def correction(office: Office, name: str = "approved", unit: str = HAZCHEM) -> str:
    """A correction that waits for the principal."""
    head = published(office, name, unit)
    with office.db.read() as conn:
        waiting = [one.id for one in publications.corrections_of(conn, head.id) if one.state == "asked"]
    if waiting:
        return waiting[0]
    form = other_type(office, head)
    clerk = CLERKS[unit]
    return str(done(office, lambda conn, now: publishing.ask_correction(conn, clerk, now, head.no, form, {})))


def withholding_form() -> dict[str, str]:
    """What a clerk asks."""
    review = (beijing_day(datetime.now(UTC)) + timedelta(90)).isoformat()
    return {"ground": "trade_secret", "basis": "政府信息公开条例第十五条", "reason": "工艺参数", "review_on": review}


def withholding(office: Office, name: str, unit: str = HAZCHEM) -> str:
    """A request not to publish that waits for the principal."""
    visit_id, task_id = publishing.parts_of(result_id(office, name))
    with office.db.read() as conn:
        there = publications.withholdings_of_visits(conn, [visit_id]).get((visit_id, task_id), [])
    if there and there[0].is_open:
        return there[0].id
    form, clerk = withholding_form(), CLERKS[unit]
    act = publishing.ask_withholding
    return str(done(office, lambda conn, now: act(conn, clerk, now, visit_id, task_id, form)))


def _publish(office: Office) -> Step:
    id = result_id(office, "unreachable")
    return Step("clerk", lambda: post(office, "clerk", f"/{id}/publish", proof=PASSWORD))


def _ask_withholding(office: Office) -> Step:
    id = result_id(office, "refused")
    return Step("clerk", lambda: post(office, "clerk", f"/{id}/withhold", **withholding_form()))


def _decide_withholding(office: Office) -> Step:
    id = withholding(office, "returned")
    return Step("principal", lambda: post(office, "principal", f"/withholdings/{id}", answer="approved", reason="同意"))


def _lift_withholding(office: Office) -> Step:
    id = withholding(office, "ordered")
    done(office, lambda conn, now: publishing.decide_withholding(conn, PRINCIPAL, now, id, True, "同意"))
    answer = {"answer": "lifted", "reason": "已脱密"}
    return Step("principal", lambda: post(office, "principal", f"/withholdings/{id}", **answer))


def _refused(office: Office, id: str) -> None:
    done(office, lambda conn, now: publishing.refuse_correction(conn, PRINCIPAL, now, id, "先补材料"))


def _ask_correction(office: Office) -> Step:
    head = published(office)
    with office.db.read() as conn:
        waiting = [one.id for one in publications.corrections_of(conn, head.id) if one.state == "asked"]
    for id in waiting:
        _refused(office, id)
    form = other_type(office, head)
    return Step("clerk", lambda: post(office, "clerk", f"/results/{head.no}/corrections", **form))


def _sign(office: Office) -> Step:
    id = correction(office)

    def sign() -> httpx.Response:
        page = office.client("principal").get(f"/office/publication/corrections/{id}", headers=HTML).text
        seen = page.partition('name="seen" value="')[2][:64]
        return post(office, "principal", f"/corrections/{id}/sign", seen=seen, proof=PASSWORD)

    return Step("principal", sign)


def _refuse(office: Office) -> Step:
    id = correction(office)
    return Step("principal", lambda: post(office, "principal", f"/corrections/{id}/refuse", answer="材料不足"))


def _codes(office: Office) -> Step:
    form = values_of(PLAIN) | {"id": f"walk-{next(_SETS)}", "name": "试用"}
    return Step("legal", lambda: office.client("legal").post("/office/codes", data=form, headers=HTML))


WALKS: dict[str, Callable[[Office], Step]] = {
    "result.publish": _publish,
    "withholding.ask": _ask_withholding,
    "withholding.decide": _decide_withholding,
    "withholding.lift": _lift_withholding,
    "correction.ask": _ask_correction,
    "correction.sign": _sign,
    "correction.refuse": _refuse,
    "codes.add": _codes,
}
