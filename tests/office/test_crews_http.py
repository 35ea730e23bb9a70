"""Crews over HTTP: what the room answers to those who act, and to those who may not."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from server.standalone import verify_draw
from server.store import crews as store
from server.store import draws
from tests.office.district import Office, demo_server
from tests.office.walks import crews as walks


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("crews") / "data"))
    yield found
    found.close()


def post(office: Office, who: str, path: str, /, **form: str) -> httpx.Response:
    """As a program posts it: a refusal is the problem itself."""
    return office.client(who).post(f"/office/crews{path}", data=form)


def code(answer: httpx.Response) -> tuple[int, str, str | None]:
    problem = answer.json()
    return answer.status_code, problem["code"], problem.get("article")


@pytest.mark.rule("R18.1", "http")
@pytest.mark.rule("R18.2", "http")
@pytest.mark.rule("R18.3", "http")
def test_the_clerk_plans_and_the_room_says_what_is_wrong(office: Office) -> None:
    task_id = walks.fresh(office)
    form = walks.plan_form(office, task_id)
    assert code(post(office, "clerk-ic", f"/{task_id}/plan", **form))[0] == 404
    assert code(post(office, "head", f"/{task_id}/plan", **form))[:2] == (403, "forbidden")
    lone = {name.replace("half_day", "k"): "1" for name in form}
    assert code(post(office, "clerk", f"/{task_id}/plan", **form, **lone)) == (422, "invalid", "18")
    experts = {name.replace("half_day", "experts"): "1" for name in form}
    assert code(post(office, "clerk", f"/{task_id}/plan", **form, **experts)) == (422, "invalid", "18")
    visit = next(name for name in form if name.startswith("half_day:")).partition(":")[2]
    named = {f"appointed:{visit}": "expert-1"}
    assert code(post(office, "clerk", f"/{task_id}/plan", **form, **named)) == (422, "invalid", "18")
    named[f"expert_reason:{visit}"] = "涉及特种工艺"
    assert post(office, "clerk", f"/{task_id}/plan", **form, **named).status_code == 303
    page = office.client("clerk").get(f"/office/crews/{task_id}", headers={"Accept": "text/html"})
    assert "指定，非抽签" in page.text
    assert post(office, "clerk", f"/{task_id}/plan", **form).status_code == 303


@pytest.mark.rule("R18.4", "http")
def test_a_way_out_needs_a_shortage_and_the_head(office: Office) -> None:
    task_id, lent = walks.planned(office), walks.guest(office)
    way = {**walks.WAY, "officers": lent}
    assert code(post(office, "clerk", f"/{task_id}/ways", **way)) == (409, "crew_feasible", "18")
    asked = walks.way(office)
    assert code(post(office, "clerk", f"/ways/{asked}", decision="approve"))[:2] == (403, "forbidden")
    assert post(office, "head", f"/ways/{asked}", decision="approve").status_code == 303
    assert code(post(office, "head", f"/ways/{asked}", decision="approve")) == (409, "crew_way_decided", "18")


@pytest.mark.rule("R20.1", "http")
def test_a_replacement_needs_a_lawful_reason_and_the_head(office: Office) -> None:
    seen = walks.assigned(office)
    form = {"officer_id": seen.members[0], "kind": "tired", "reason": "累"}
    assert code(post(office, "clerk", f"/visits/{seen.id}/replace", **form)) == (422, "invalid", "20")
    change = walks.change(office, seen)
    assert code(post(office, "clerk", f"/changes/{change}", decision="approve"))[:2] == (403, "forbidden")
    assert post(office, "head", f"/changes/{change}", decision="approve").status_code == 303
    with office.db.read() as conn:
        after = store.visit_seen(conn, seen.id)
        made = store.change_of(conn, change)
    assert after is not None
    assert made is not None
    assert seen.members[0] not in after.members
    assert made.record is not None
    assert {one["reason"] for one in made.record["left_out"]} <= {"BUSY", "LEAVE", "INTEREST", "RECUSED", "EXPIRES"}
    page = office.client("clerk").get(f"/office/crews/visits/{seen.id}", headers={"Accept": "text/html"})
    assert "换人记录" in page.text


def test_neither_clerk_nor_head_puts_a_crew_of_his_own_into_a_drawn_visit(office: Office) -> None:
    seen = walks.assigned(office)
    with office.db.read() as conn:
        ours = [one.id for one in store.candidates(conn, seen.unit_id)]
    other, mate = next(o for o in ours if o not in seen.members), next(o for o in seen.members if o != seen.leader)
    for who in ("clerk", "head"):
        for officer, role in ((other, "member"), (mate, "leader"), (mate, "removed")):
            if (who, role) == ("head", "removed"):  # to take an officer out is the head's own right
                continue
            act = {"kind": "assign", "path": ["crew", officer], "val": {"role": role, "reason": "另派"}}
            answer = office.client(who).post(f"/api/visits/{seen.id}/acts", json=act)
            assert code(answer)[:2] == (403, "needs_approval")
    with office.db.read() as conn:
        after = store.visit_seen(conn, seen.id)
    assert after == seen


@pytest.mark.rule("R20.3", "http")
def test_an_officer_declares_for_himself_only(office: Office) -> None:
    seen = walks.assigned(office)
    mate = seen.members[0]
    assert code(post(office, "clerk", f"/visits/{seen.id}/declare", reason="亲属"))[:2] == (403, "forbidden")
    assert post(office, mate, f"/visits/{seen.id}/declare", reason="经营者是亲属").status_code == 303
    assert code(post(office, mate, f"/visits/{seen.id}/declare", reason="同上")) == (409, "recusal_there", "20")


@pytest.mark.rule("R20.4", "http")
def test_the_principal_decides_what_a_subject_asks(office: Office) -> None:
    recusal = walks.recusal(office)
    assert code(post(office, "head", f"/recusals/{recusal}", decision="approve", answer="属实"))[:2] == (
        403, "forbidden",
    )  # fmt: skip
    answer = {"decision": "refuse", "answer": "没有依据"}
    assert post(office, "principal", f"/recusals/{recusal}", **answer).status_code == 303
    assert code(post(office, "principal", f"/recusals/{recusal}", **answer)) == (409, "recusal_decided", "20")


@pytest.mark.rule("R22.1", "http")
def test_two_visits_of_one_subject_become_one(office: Office) -> None:
    kept, other = walks.mergeable(office)
    assert post(office, "clerk", f"/visits/{kept}/merge", other=kept).status_code == 400
    assert post(office, "clerk", f"/visits/{kept}/merge", other=other).status_code == 303
    with office.db.read() as conn:
        voided = store.visit_seen(conn, other)
    assert voided is not None
    assert voided.state == "void"


def test_each_version_of_the_published_file_is_green_for_the_verifier_that_knows_nothing_of_the_server(
    office: Office,
) -> None:
    seen = walks.assigned(office)
    change = walks.change(office, seen)
    assert post(office, "head", f"/changes/{change}", decision="approve").status_code == 303
    with office.db.read() as conn:
        draw = draws.standing_of_task(conn, store.tasks_of_visit(conn, seen.id)[0])
        assert draw is not None
        versions = [(one.why, draws.body_of(conn, draw.id, one.version)) for one in draws.files_of(conn, draw.id)]
    assert [why for why, _ in versions] == ["drawn", "match", "replace"]
    for why, body in versions:
        assert verify_draw.check(body or b"", why).faults == []
