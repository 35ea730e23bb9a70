"""What the office settles about crews, through to the phones: officers named, officers lent, two visits made one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from server.standalone import verify_draw
from server.store import crews, tables
from server.store.crews import Seen
from tests.office.crew_hall import CrewHall, day, give_account
from tests.phone import Phone
from tests.planning import FIRE, STORAGE

GUEST = {
    "office": "宛城区应急管理局", "name": "邻乙", "sex": "male", "certificate": "41130299002", "domains": "other",
    "certificate_from": "2024-01-01", "certificate_to": "2029-12-31",
}  # fmt: skip
CONSENT = {"office": GUEST["office"], "consent": "宛城应急函〔2026〕12 号"}


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CrewHall]:
    """A unit of four officers."""
    made = CrewHall(tmp_path_factory.mktemp("phones") / "data", ("li", "zhang", "wang", "zhao"))
    yield made
    made.close()


def short_of_one(hall: CrewHall, on: str) -> tuple[str, list[str]]:
    """A task with two visits in one half-day, of which the first needs three of the four officers; its visits."""
    task = hall.dispatched(2)
    visits = [one.id for one in hall.visits(task)]
    hall.plan(task, dict.fromkeys(visits, f"{on}/am"), **{f"k:{visits[0]}": "3"})
    return task, visits


def answered(hall: CrewHall, task: str, **form: Any) -> Any:
    """A way out that the clerk asks for and the head approves, as it is kept."""
    hall.done("clerk", f"/crews/{task}/ways", reason="人手不够", **form)
    with hall.db.read() as conn:
        way = conn.execute(sa.select(tables.crew_way).where(tables.crew_way.c.task_id == task)).one()
    assert hall.refused("clerk", f"/crews/ways/{way.id}", decision="approve")[:2] == (403, "forbidden")
    hall.done("head", f"/crews/ways/{way.id}", decision="approve", answer="同意")
    return way


def finished(hall: CrewHall, visit: str) -> Any:
    """The crew records, signs and proposes on its phones."""
    hall.recorded(visit)
    hall.signed(visit)
    return hall.proposed(visit)


@pytest.mark.rule("R18.4", "http")
def test_officers_who_were_named_get_the_visit_and_bring_it_to_its_end(hall: CrewHall) -> None:
    on = day(1)
    task, (first, second) = short_of_one(hall, on)
    assert "还差 1 名" in hall.page("clerk", f"/crews/{task}")
    named = {"kind": "direct_assignment", "visit_id": first, "officers": ["zhang", "wang"], "leader": "zhang"}
    way = answered(hall, task, **named)
    assert way.explanation["shortage"]["lacks"][0]["short"] == 1
    hall.matched(task)
    assert dict(hall.seen(first).crew) == {"zhang": "leader", "wang": "member"}
    assert set(hall.seen(second).members) == {"li", "zhao"}
    for one in ("zhang", "wang"):
        phone = hall.phone(one, first)
        assert phone.assignments[first]["half_day"] == f"{on}/am"
        entries = phone.entries[first].values()
        reasons = {entry["op"]["path"][1]: entry["op"]["val"]["reason"] for entry in entries}
        assert reasons == {"zhang": "direct_assignment", "wang": "direct_assignment"}
    body, file = hall.file(task)
    code = hall.seen(first).code
    (shown,) = file["officers"]["direct"]
    assert (shown["s"], shown["by"], shown["reason"]) == (code, "head", "人手不够")
    assert shown["leader"] == hall.certificate("zhang")
    assert code not in file["officers"]["teams"]
    assert verify_draw.check(body, "file").faults == []
    assert "直接委派（非随机）" in hall.page("clerk", f"/crews/{task}")
    view = finished(hall, first)
    assert (view["phase"], view["missing"]) == ("final", [])


@pytest.mark.rule("R18.4", "http")
def test_a_neighbours_officer_who_joined_the_lot_gets_the_visit_and_signs(hall: CrewHall) -> None:
    on = day(2)
    task, (first, second) = short_of_one(hall, on)
    hall.done("clerk", "/crews/guests", **GUEST)
    with hall.db.read() as conn:
        of = tables.officer.c.certificate == GUEST["certificate"]
        lent = str(conn.scalar(sa.select(tables.officer.c.id).where(of)))
    alone = {"kind": "merged_pool", "officers": lent, "reason": "人手不够"}
    assert hall.refused("clerk", f"/crews/{task}/ways", **alone) == (422, "invalid", "18")
    answered(hall, task, kind="merged_pool", officers=lent, **CONSENT)
    with hall.db.write() as conn:
        give_account(conn, lent)
    hall.matched(task)
    visit = next(one for one in (first, second) if lent in hall.seen(one).members)
    card = hall.phone(lent, visit).assignments[visit]
    assert {one["certificate"] for one in card["crew"]} >= {GUEST["certificate"]}
    body, file = hall.file(task)
    (shown,) = file["officers"]["merged"]
    assert {name: shown[name] for name in ("o", "office", "consent")} == {"o": GUEST["certificate"], **CONSENT}
    assert f"{GUEST['certificate']}\t" in file["officers"]["frame"]
    assert verify_draw.check(body, "file").faults == []
    assert finished(hall, visit)["phase"] == "final"


def alone(hall: CrewHall) -> tuple[str, Seen]:
    """A task with the only visit that its subject has."""
    while True:
        hall.forget_draws()
        task = hall.dispatched(1)
        (one,) = hall.visits(task)
        with hall.db.read() as conn:
            if len(crews.open_visits_of_subject(conn, one.subject_id)) == 1:
                return task, one


def twins(hall: CrewHall, on: str, **more: Any) -> tuple[str, Seen, str, Seen]:
    """A task with one visit that has its crew, and another one that drew the same subject: each with that visit."""
    task, kept = alone(hall)
    hall.plan(task, {kept.id: f"{on}/am"})
    hall.matched(task)
    directed: dict[str, Any] = {"draw": "directed", "filter.traits.industry_commerce": "yes", "n": 20}
    other = hall.dispatched(item=STORAGE, **directed, **more)
    (twin,) = [one for one in hall.visits(other) if one.code == kept.code]
    return task, kept, other, twin


@pytest.mark.rule("R22.1", "http")
def test_two_tasks_of_one_subject_are_one_visit_on_the_phones(hall: CrewHall) -> None:
    task, kept, other, twin = twins(hall, day(3), window_to=day(20))
    crew = hall.seen(kept.id).crew
    phones = [hall.phone(one, kept.id) for one, _ in crew]
    before = phones[0].assignments[kept.id]["tpl"]
    page = hall.page("clerk", "/crews").partition('id="merges"')[2].partition("</section>")[0]
    assert f"/office/crews/visits/{kept.id}" in page
    path, form = f"/crews/visits/{kept.id}/merge", {"other": twin.id}
    assert hall.refused("principal", path, **form)[:2] == (403, "forbidden")
    swapped = hall.refused("clerk", f"/crews/visits/{twin.id}/merge", other=kept.id)
    assert swapped == (409, "merge_crew_stays", "22")
    hall.done("clerk", path, **form)
    for phone in phones:
        phone.drain()
        card = phone.assignments[kept.id]
        assert {one["task"]: one["items"] for one in card["tasks"]} == {task: [FIRE], other: [STORAGE]}
        assert card["window"] == {"from": day(0), "to": day(20)}
        template = phone.http.get(f"/api/templates/{card['tpl']}").json()
        assert [item["id"] for item in template["items"]] == [FIRE, STORAGE]
        assert [one for one in assigned(phone) if one in (kept.id, twin.id)] == [kept.id]
    assert hall.seen(twin.id).state == "void"
    assert hall.seen(kept.id).crew == crew
    assert phones[0].assignments[kept.id]["tpl"] != before
    assert merged_trail(hall, kept.id) == [("clerk", {"other": twin.id})]
    lead = hall.phone(str(hall.seen(kept.id).leader), kept.id)
    hall.recorded(kept.id)
    assert {one["detail"]["item"] for one in lead.view(kept.id)["missing"] if "item" in one["detail"]} == {STORAGE}
    lead.set(kept.id, ["answer", f"{STORAGE}-1", "verdict"], "pass")
    lead.set(kept.id, ["visit", f"result:{STORAGE}"], ["no_problem_found"])
    lead.drain()
    hall.signed(kept.id)
    assert hall.proposed(kept.id)["phase"] == "final"


def assigned(phone: Phone) -> list[str]:
    """All visits that a phone is assigned, whichever it looks at."""
    answer = phone.post(phone.request([], assignments_rev=0)).json()
    return [one["id"] for one in answer["assignments"]["visits"]]


def merged_trail(hall: CrewHall, visit: str) -> list[tuple[str, Any]]:
    """Who merged what into a visit."""
    entry = tables.trail
    query = sa.select(entry.c.actor, entry.c.detail).where(
        entry.c.act == "visit.merge", entry.c.object == f"visit:{visit}"
    )
    with hall.db.read() as conn:
        return [(row.actor, json.loads(row.detail)) for row in conn.execute(query)]


@pytest.mark.rule("R22.1", "http")
def test_once_a_phone_has_written_two_visits_stay_two(hall: CrewHall) -> None:
    _, kept, _, twin = twins(hall, day(4))
    phone = hall.phone(str(hall.seen(kept.id).leader), kept.id)
    phone.set(kept.id, ["visit", "notice_read"], True)
    assert hall.post("clerk", "/crews/visits/nowhere/merge", other=twin.id).status_code == 404
    phone.drain()
    page = hall.page("clerk", "/crews").partition('id="merges"')[2].partition("</section>")[0]
    assert kept.id not in page
    refusal = hall.refused("clerk", f"/crews/visits/{kept.id}/merge", other=twin.id)
    assert refusal == (409, "visit_started", "22")
    assert [hall.seen(one.id).state for one in (kept, twin)] == ["open", "open"]


@pytest.mark.rule("R20.3", "http")
def test_what_an_officer_declares_in_the_office_sets_him_aside_as_if_his_phone_had_said_it(hall: CrewHall) -> None:
    hall.forget_draws()
    task = hall.dispatched(1)
    (seen,) = hall.visits(task)
    hall.plan(task, {seen.id: f"{day(5)}/am"})
    hall.matched(task)
    visit, crew = seen.id, hall.seen(seen.id)
    leader = str(crew.leader)
    (who,) = [one for one in crew.members if one != leader]
    his, lead = hall.phone(who, visit), hall.phone(leader, visit)
    for phone in (his, lead):
        phone.set(visit, ["visit", f"no_interest:{phone.officer}"], {"interest": False, "reason": None})
        phone.drain()
    lead.drain()
    before = his.write(visit, "add", ["finding"], {"text": "配电箱无盖"})  # not sent yet, and he has heard of nothing
    hall.done(who, f"/crews/visits/{visit}/declare", reason="店主是我姐夫")
    assert hall.refused(who, f"/crews/visits/{visit}/declare", reason="同上") == (409, "recusal_there", "20")
    his.drain()
    after = his.write(visit, "add", ["finding"], {"text": "回避以后写的"})
    his.drain()
    assert [his.verdict(visit, one) for one in (before, after)] == [("ok", None), ("quarantined", "recused")]
    lead.drain()
    view = lead.view(visit)
    assert view["phase"] == "interrupted"
    assert {"code": "crew", "detail": {"officer": who}} in view["missing"]
    assert {"op": before, "flag": "by_recused"} in view["flags"]
    assert list(view["content"]["finding"]) == [before]
    assert (view["conflicts"], view["digest"] is None) == ([], False)
    with hall.db.read() as conn:
        asked = tables.crew_change.c.visit_id == visit, tables.crew_change.c.state == "asked"
        change = conn.scalar(sa.select(tables.crew_change.c.id).where(*asked))
    hall.done("head", f"/crews/changes/{change}", decision="approve")
    assert who not in hall.seen(visit).members
    hall.recorded(visit)
    lead.write(visit, "del", ["finding", before], {"reason": "核实后不属实"})
    lead.drain()
    hall.signed(visit)
    assert hall.proposed(visit)["phase"] == "final"
