"""The rules of article 26 and of merged tasks: what may be published by whom, kept back, corrected, and shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Concatenate, ParamSpec, TypeVar

import pytest

from server.domain.instant import beijing_day
from server.domain.publication import GROUNDS, PublicResult
from server.errors import Problem
from server.office import publication_facts, publishing, review
from server.store import publications, reviews, rules
from server.store.people import Person
from server.store.session import Connection
from server.sync.record import record_of
from tests.dispatching import ITEM, dispatch_at
from tests.office.district import HTML
from tests.office.test_publication import Bureau, code
from tests.rules.people import CLERK, PRINCIPAL, person
from tests.running import Running
from tests.scene import PASSWORD, UNITS
from tests.sync.test_exchange import PNG, Group
from tests.sync.test_merging import OTHER_ITEM, Two

P = ParamSpec("P")
T = TypeVar("T")

ELSEWHERE = person("clerk2", "unit_clerk", "steering_group", unit=UNITS[1])
"""A clerk of another unit who reads the results of all."""
GROUND = {"ground": GROUNDS[2], "basis": "政府信息公开条例第十五条", "reason": "工艺参数", "review_on": "2099-01-05"}
PHOTO = PNG + b"1"
FIELDS = {
    "t", "no", "version", "subject", "uscc", "task_no", "task", "items", "main", "unit", "visited_on", "due_on",
    "published_on", "officers", "corrected", "record", "prev",
}  # fmt: skip
"""What a public result may show."""


class Case(Bureau):
    """A final visit, and the acts of the office on it as the routes call them."""

    def do(
        self, act: Callable[Concatenate[Connection, Person, datetime, P], T], who: Person, *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:  # fmt: skip
        """One act in a transaction of its own, the record folded as a route has it folded."""
        assert record_of(self.db, self.group.visit) is not None
        with self.db.write() as conn:
            return act(conn, who, datetime.now(UTC), *args, **kwargs)

    def pass_review(self) -> None:
        """The clerk's word on the round."""
        self.do(review.approve, CLERK, self.group.visit, 1)

    def publish(self, task: str = "t1", who: Person = CLERK) -> str:
        """Publishes the visit's result for a task; its number."""
        return self.do(publishing.publish, who, self.group.visit, task)

    def said(self, no: str, version: int = 1) -> PublicResult:
        """What a version says."""
        with self.db.read() as conn:
            head = publications.published(conn, no)
            assert head is not None
            return publications.versions_of(conn, head.id)[version - 1].result

    def ask_correction(self, no: str, main: str = "no_relevant_activity", reason: str = "复核认定未开展") -> str:
        """The clerk asks for another type."""
        form = {f"type:{ITEM}": main, "main": main, "reason": reason, "source": "复核意见"}
        return self.do(publishing.ask_correction, CLERK, no, form, {})

    def withholding(self, **instead: str) -> str:
        """The clerk asks not to publish."""
        return self.do(publishing.ask_withholding, CLERK, self.group.visit, "t1", {**GROUND, **instead})

    def seen_now(self, correction: str) -> str:
        """The digest of what the principal would be shown."""
        with self.db.read() as conn:
            asked = publications.correction_of(conn, correction)
            assert asked is not None
            return publishing.next_sha256(conn, asked, beijing_day(datetime.now(UTC)))


def refusal(
    case: Case, act: Callable[Concatenate[Connection, Person, datetime, P], T], who: Person, *args: P.args,
    **kwargs: P.kwargs,
) -> tuple[str, str | None]:  # fmt: skip
    """Code and article with which an act is refused."""
    with pytest.raises(Problem) as refused:
        case.do(act, who, *args, **kwargs)
    return refused.value.code, refused.value.article


@pytest.fixture
def case(server: Running) -> Iterator[Case]:
    made = Case(server)
    yield made
    made.close()


@pytest.fixture
def approved(case: Case) -> Case:
    case.pass_review()
    return case


def another_visit(case: Case, visit: str | None = None) -> Group:
    """The case's group on another visit, which hasn't begun."""
    group = case.group
    group.visit = visit or dispatch_at(case.server)
    case.id = f"{group.visit}.t1"
    for phone in group.phones:
        phone.only, phone.rev = group.visit, 0
        phone.sync()
        phone.sync()
    return group


def leave_out_all(case: Case) -> None:
    """The clerk looked at everything that came in without effect."""
    with case.db.read() as conn:
        ops = list(reviews.unsettled(conn, [case.group.visit])[case.group.visit])
    case.do(review.leave_out, CLERK, case.group.visit, ops, "与定稿无关")


# --- merged tasks -----------------------------------------------------------------------------------------------------


def merged(case: Case) -> Case:
    """The case's group in a visit of two tasks: nothing found in the first's item, no activity in the second's."""
    two = Two(case.server)
    two.merge()
    two.db.close()
    group = another_visit(case, two.mine)
    visit = group.visit
    group.li.attach(visit, PNG, mime="image/png")
    group.li.upload(visit, PNG)
    for path, val in {f"result:{OTHER_ITEM}": ["no_relevant_activity"], "result_note": "车间已停产"}.items():
        group.li.set(visit, ["visit", path], val)
    group.record()
    group.sign()
    group.propose()
    group.settle()
    case.pass_review()
    return case


@pytest.mark.rule("R24.6", "allows")
@pytest.mark.rule("R24.6", "refuses")
@pytest.mark.rule("R24.6", "http")
def test_merged_tasks_are_published_each_with_the_results_of_its_own_items(case: Case) -> None:
    both = merged(case)
    first, second = both.publish("t1"), both.publish("t2")
    shown = {no: [(item.id, item.types) for item in both.said(no).items] for no in (first, second)}
    assert shown == {
        first: [(ITEM, ("no_problem_found",))],
        second: [(OTHER_ITEM, ("no_relevant_activity",))],
    }
    assert (both.said(first).main, both.said(second).main) == ("no_problem_found", "no_relevant_activity")
    assert refusal(both, publishing.publish, CLERK, both.group.visit, "t1") == ("already_published", "26")
    pages = {no: both.public(f"/results/{no}/v1.json").json() for no in (first, second)}
    assert {no: [item["id"] for item in page["items"]] for no, page in pages.items()} == {
        first: [ITEM],
        second: [OTHER_ITEM],
    }


# --- who publishes ----------------------------------------------------------------------------------------------------


@pytest.mark.rule("R26.2", "allows")
def test_the_inspecting_unit_publishes_under_its_own_name(approved: Case) -> None:
    assert approved.said(approved.publish()).unit == UNITS[0]


@pytest.mark.rule("R26.2", "refuses")
def test_no_other_unit_publishes_nor_one_of_the_crew_nor_its_head(approved: Case) -> None:
    visit = approved.group.visit
    assert refusal(approved, publishing.publish, ELSEWHERE, visit, "t1") == ("other_unit", "3")
    crew = person("li", "officer", "unit_clerk")
    with approved.db.read() as conn:
        assert reviews.crew_member(conn, visit, crew.id)
    assert refusal(approved, publishing.publish, crew, visit, "t1") == ("own_crew", "10")
    assert refusal(approved, publishing.publish, PRINCIPAL, visit, "t1")[0] == "forbidden"


@pytest.mark.rule("R26.2", "http")
def test_for_another_units_clerk_the_result_does_not_exist_before_it_is_public(approved: Case) -> None:
    assert approved.client("clerk2").get(f"/office/publication/{approved.id}").status_code == 404
    assert code(approved.post("clerk2", f"/{approved.id}/publish")) == (404, "not_found")
    assert approved.post("clerk", f"/{approved.id}/publish").status_code == 303


# --- kept back --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("R26.3", "allows")
def test_on_a_legal_ground_and_the_principals_word_a_result_stays_unpublished(approved: Case) -> None:
    asked = approved.withholding()
    approved.do(publishing.decide_withholding, PRINCIPAL, asked, True, "同意")
    with approved.db.read() as conn:
        kept = publications.withholding_of(conn, asked)
    assert kept is not None and (kept.state, kept.decided_by, kept.review_on) == ("approved", "principal", "2099-01-05")


@pytest.mark.rule("R26.3", "refuses")
def test_without_ground_law_reason_or_a_day_of_review_or_on_ones_own_word_nothing_is_kept_back(approved: Case) -> None:
    visit = approved.group.visit
    wrong = {"ground": "dislike", "basis": "", "reason": " ", "review_on": "2004-01-01"}
    for field, value in wrong.items():
        form = GROUND | {field: value}
        assert refusal(approved, publishing.ask_withholding, CLERK, visit, "t1", form) == ("invalid", "26"), field
    asked = approved.withholding()
    own = person("clerk", "unit_clerk", "principal")
    assert refusal(approved, publishing.decide_withholding, own, asked, True, "同意") == ("own_entry", "10")
    assert refusal(approved, publishing.publish, CLERK, visit, "t1") == ("withheld", "26")
    approved.do(publishing.decide_withholding, PRINCIPAL, asked, False, "不同意")
    assert approved.publish()


# --- corrections ------------------------------------------------------------------------------------------------------


@pytest.mark.rule("R26.4", "allows")
def test_a_correction_is_the_next_version_says_what_was_there_and_names_the_bytes_before(approved: Case) -> None:
    no = approved.publish()
    correction = approved.ask_correction(no)
    assert approved.do(publishing.sign_correction, PRINCIPAL, correction, approved.seen_now(correction)) == 2
    after = approved.said(no, 2)
    assert after.corrected is not None and after.corrected.was == approved.said(no).main == "no_problem_found"
    with approved.db.read() as conn:
        head = publications.published(conn, no)
        assert head is not None and head.corrected_on == after.corrected.on
        assert after.prev == publications.versions_of(conn, head.id)[0].sha256


@pytest.mark.rule("R26.4", "refuses")
def test_a_correction_of_nothing_one_not_as_it_was_seen_and_ones_own_are_not_signed(approved: Case) -> None:
    no = approved.publish()
    form = {f"type:{ITEM}": "no_problem_found", "main": "no_problem_found", "reason": "笔误", "source": "无"}
    assert refusal(approved, publishing.ask_correction, CLERK, no, form, {}) == ("invalid", "26")
    correction = approved.ask_correction(no)
    sign = publishing.sign_correction
    assert refusal(approved, sign, PRINCIPAL, correction, "0" * 64) == ("correction_moved", "26")
    own, seen = person("clerk", "unit_clerk", "principal"), approved.seen_now(correction)
    assert refusal(approved, sign, own, correction, seen) == ("own_entry", "10")
    assert approved.said(no).version == 1


# --- complete, and nothing personal -----------------------------------------------------------------------------------


@pytest.mark.rule("R26.4", "refuses")
def test_a_visit_whose_result_is_public_is_never_void(approved: Case) -> None:
    approved.publish()
    acts = f"/api/visits/{approved.group.visit}/acts"
    with approved.server.signed_in("head") as head:
        reopened = {"kind": "reopen", "path": ["round"], "val": {"round": 2, "reason": "补正"}}
        assert head.post(acts, json=reopened).status_code == 201
        voided = head.post(acts, json={"kind": "void", "path": ["visit"], "val": {"reason": "不要了"}})
    assert code(voided) == (409, "already_published")
    assert voided.json()["article"] == "26"


def test_what_is_published_is_the_record_that_was_previewed(approved: Case) -> None:
    with approved.server.signed_in("clerk") as clerk:
        page = clerk.get(f"/office/publication/{approved.id}", headers={"Accept": "text/html"}).text
    (seen,) = re.findall(r'name="seen" value="([0-9a-f]{64})"', page)
    assert code(approved.post("clerk", f"/{approved.id}/publish", seen="0" * 64)) == (409, "record_moved")
    assert approved.post("clerk", f"/{approved.id}/publish", seen=seen).status_code == 303


@pytest.mark.rule("R26.6", "allows")
def test_a_record_whose_evidence_is_all_here_is_published(approved: Case) -> None:
    assert re.fullmatch(r"\d{4}-\d{6}", approved.publish())


@pytest.mark.rule("R26.6", "refuses")
@pytest.mark.rule("R26.6", "http")
def test_a_record_without_its_review_its_photo_its_order_or_a_word_on_what_came_late_is_not_published(
    case: Case,
) -> None:
    group, visit = another_visit(case), case.group.visit
    row = group.li.write(visit, "add", ["finding"], {"text": "出口堵塞", "measure": "deadline", "due": "2026-12-31"})
    group.li.attach(visit, PHOTO, target=f"finding:{row}", mime="image/png")
    group.record(("ordered_to_correct",))
    group.sign()
    group.li.propose(visit, group.view()["digest"], "ordered_to_correct", [])
    group.settle()
    assert refusal(case, publishing.publish, CLERK, visit, "t1") == ("not_approved", "26")
    assert refusal(case, review.approve, CLERK, visit, 1) == ("media_first", "26")
    group.li.upload(visit, PHOTO)
    group.wang.set(visit, ["visit", "summary"], "定稿以后才想起来的")
    group.wang.drain()
    assert refusal(case, review.approve, CLERK, visit, 1) == ("material_first", "26")
    leave_out_all(case)
    case.pass_review()
    assert refusal(case, publishing.publish, CLERK, visit, "t1") == ("order_first", "26")
    group.wang.set(visit, ["visit", "summary"], "审核以后才到的")
    group.wang.drain()
    answer = case.post("clerk", f"/{case.id}/publish")
    assert (code(answer), answer.json()["hindrances"]) == ((409, "material_first"), ["material_first", "order_first"])
    leave_out_all(case)
    assert code(case.post("clerk", f"/{case.id}/publish")) == (409, "order_first")
    form = {"kind": "rectification_order"}
    ordered = case.client("clerk").post(f"/office/documents/visits/{visit}/new", data=form)
    assert ordered.status_code == 303, ordered.text
    assert case.post("clerk", f"/{case.id}/publish").status_code == 303


@pytest.mark.rule("R26.7", "allows")
@pytest.mark.rule("R26.7", "http")
def test_what_is_public_is_a_closed_set_of_fields_and_names_officers_where_the_rule_set_says_so(case: Case) -> None:
    with case.db.read() as conn:
        found, today = record_and_result(case), beijing_day(datetime.now(UTC))
        named, unnamed = (publication_facts.public_of(conn, found, "", today, yes) for yes in (True, False))
    assert [one.certificate for one in named.officers] == ["4113031000", "4113031002", "4113031001"]
    assert unnamed.officers == ()
    case.pass_review()
    no = case.publish()
    with case.db.read() as conn:
        assert rules.rule_set_on(conn, today).officers_published  # the default
    assert set(case.public(f"/results/{no}/v1.json").json()) == FIELDS
    shown = case.public(f"/results/{no}").text
    assert "4113031000" in shown and "某路1号" not in shown


def record_and_result(case: Case) -> publication_facts.Result:
    """The result as it stands, its record folded."""
    assert record_of(case.db, case.group.visit) is not None
    with case.db.read() as conn:
        return publication_facts.result_of(conn, case.group.visit, "t1")


@pytest.mark.rule("R26.7", "refuses")
def test_no_phone_and_no_id_number_gets_into_a_public_reason(approved: Case) -> None:
    no = approved.publish()
    for number in ("14000001234", "411303190312310040"):
        form = {f"type:{ITEM}": "no_relevant_activity", "main": "no_relevant_activity", "source": "复核意见"}
        form["reason"] = f"请联系{number}"
        assert refusal(approved, publishing.ask_correction, CLERK, no, form, {}) == ("invalid", "26")


# --- many at once -----------------------------------------------------------------------------------------------------


def test_of_many_what_can_go_is_published_and_of_the_rest_every_reason_is_said(case: Case) -> None:
    """On the page and to a program; ticked, or all of the unit."""
    case.pass_review()
    ready, lacking = case.id, another_visit(case).visit
    group = case.group
    group.record()
    group.sign()
    group.propose()
    group.settle()
    group.wang.set(lacking, ["visit", "summary"], "定稿以后才想起来的")
    group.wang.drain()
    ticked = {"one": [ready, f"{lacking}.t1", f"{lacking}.t9", ready], "proof": PASSWORD}
    assert case.client("clerk").post("/office/publication", data={"proof": PASSWORD}).status_code == 422
    answer = case.client("clerk").post("/office/publication", data=ticked).json()
    stayed = {one["id"]: (one["codes"], one["subject"]) for one in answer["stayed"]}
    assert len(answer["published"]) == 1 and stayed == {
        f"{lacking}.t1": (["not_approved", "material_first"], "宛城区溢彩漆料经营部"),
        f"{lacking}.t9": (["not_found"], ""),
    }
    with case.db.read() as conn:
        head = publications.published(conn, answer["published"][0])
        assert head is not None and f"{head.visit_id}.{head.task_id}" == ready
    everything = {"all": "yes", "proof": PASSWORD}
    page = case.client("clerk").post("/office/publication", data=everything, headers=HTML)
    shown = page.text[page.text.index('id="h-stayed"') :]
    assert page.status_code == 409 and f"/office/publication/{lacking}.t1" in shown
    assert "这一轮记录还没有审核通过" in shown and "还没有处理" in shown
    other = case.client("clerk2").post("/office/publication", data=ticked).json()
    assert other["published"] == [] and {(one["subject"], *one["codes"]) for one in other["stayed"]} == {
        ("", "not_found")
    }
