"""An objection from the public form to the answer: who may do what, by when, and nobody learns who objected (R26.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from server.store import tables
from tests.office.objecting import CASE, PDF, PNG, filed, follow
from tests.office.test_publication import Bureau, code
from tests.papers.reading import pages_of
from tests.running import Running

OTHERS = ("qian", "sun")
"""Two officers of the unit who weren't there."""


class Case(Bureau):
    """The small bureau with a published result, two more officers, and what the office does with an objection."""

    def __init__(self, server: Running) -> None:
        super().__init__(server)
        self.no = self.published()
        with self.db.write() as conn:
            li = dict(conn.execute(sa.select(tables.officer).where(tables.officer.c.id == "li")).mappings().one())
            for n, id in enumerate(OTHERS):
                conn.execute(
                    sa.insert(tables.officer).values(li | {"id": id, "name": id, "certificate": f"411303{n}99"})
                )
                conn.execute(sa.insert(tables.assignments).values(officer_id=id, rev=1))

    def object(self, papers: tuple[bytes, ...] = (PNG,), **form: str) -> tuple[str, str]:
        """An objection that was filed now: its id and its code."""
        answer = filed(self.server.url, self.no, papers, **form)
        assert answer.status_code == 201, answer.text
        receipt = answer.json()
        with self.db.read() as conn:
            id = conn.scalar(sa.select(tables.objection.c.id).where(tables.objection.c.no == receipt["no"]))
        return str(id), str(receipt["code"])

    def step(self, who: str, id: str, act: str, **form: Any) -> httpx.Response:
        """A step of the office, answered to a program."""
        return self.client(who).post(f"/office/objections/{id}/{act}", data={"proof": "suijian-demo"} | form)

    def done(self, who: str, id: str, act: str, **form: Any) -> None:
        """The same, done."""
        answer = self.step(who, id, act, **form)
        assert answer.status_code == 303, answer.text

    def rechecked(self, outcome: str = "upheld") -> tuple[str, str]:
        """An objection with a result that the head confirmed."""
        id, receipt = self.object()
        self.done("clerk", id, "accept", identity="yes")
        self.done("clerk", id, "assign", method="document_review", officers=list(OTHERS), leader="qian")
        self.done("clerk", id, "find", outcome=outcome, grounds="台账和照片证明已经分库存放。")
        self.done("head", id, "confirm")
        return id, receipt

    def corrected(self, id: str) -> None:
        """The correction that it calls for, asked and signed."""
        form = {
            "type:hazchem-storage": "no_relevant_activity",
            "main": "no_relevant_activity",
            "reason": "复核认定有误",
        }
        self.done("clerk", id, "correction", **form)
        with self.db.read() as conn:
            asked = conn.scalar(sa.select(tables.correction.c.id).where(tables.correction.c.objection_id == id))
        assert self.post("principal", f"/corrections/{asked}/sign", seen=self.seen(str(asked))).status_code == 303


@pytest.fixture
def case(any_server: Running) -> Iterator[Case]:
    made = Case(any_server)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared(server: Running) -> Iterator[Case]:
    made = Case(server)
    yield made
    made.close()


@pytest.mark.rule("R26.5", "http")
def test_an_objection_is_followed_from_the_form_to_the_answer_and_the_corrected_result(case: Case) -> None:
    id, receipt = case.object((PNG, PDF))
    assert follow(case.server.url, receipt.lower().replace("-", " "))["state"] == "filed"
    assert case.client("clerk").get(f"/office/objections/{id}/papers/2").content == PDF
    assert code(case.client("clerk2").get(f"/office/objections/{id}")) == (404, "not_found")
    case.done("clerk", id, "accept", identity="yes")
    assert code(case.step("clerk", id, "assign", method="document_review", officers=["qian"], leader="qian")) == (
        422, "crew_too_few",
    )  # fmt: skip
    case.done("clerk", id, "assign", method="document_review", officers=list(OTHERS), leader="qian")
    case.done("clerk", id, "find", outcome="upheld", grounds="台账和照片证明已经分库存放。")
    assert follow(case.server.url, receipt)["state"] == "rechecking", "nothing is told before the head confirmed"
    assert code(case.step("clerk", id, "confirm")) == (403, "forbidden")
    case.done("head", id, "confirm")
    assert code(case.step("clerk", id, "answer")) == (409, "objection_correction_first")
    case.corrected(id)
    case.done("clerk", id, "answer")
    told = follow(case.server.url, receipt)
    assert (told["state"], told["outcome"]) == ("answered", "upheld")
    assert [one["kind"] for one in told["letters"]] == ["objection_acceptance", "objection_outcome"]
    page = case.public(f"/results/{case.no}").text
    assert "异议成立" in page and "已更正" in page and CASE["name"] not in page
    asked = {"code": receipt, "n": str(told["letters"][1]["n"])}
    letters = [httpx.post(f"{case.server.url}/objections/letter", data=asked).content for _ in range(2)]
    text = "".join(pages_of(letters[0]))
    assert letters[0] == letters[1] and "异议成立" in text and "异复〔" in text and CASE["name"] not in text


@pytest.mark.rule("R26.5", "refuses")
def test_without_identity_an_objection_can_only_be_refused_with_the_reason_or_its_papers_asked_for(case: Case) -> None:
    id, receipt = case.object(())
    assert code(case.step("clerk", id, "accept", identity="yes")) == (409, "objection_no_identity")
    assert code(case.step("clerk", id, "refuse", reason="dislike")) == (422, "invalid")
    case.done("clerk", id, "refuse", reason="no_identity", said="请带身份材料重新提出。")
    told = follow(case.server.url, receipt)
    assert (told["state"], told["reason"], told["said"]) == ("refused", "no_identity", "请带身份材料重新提出。")
    assert "异议" not in case.public(f"/results/{case.no}").text.partition("<aside>")[0]
    again, code_again = case.object(())
    case.done("clerk", again, "ask", missing="营业执照和委托书")
    answer = httpx.post(
        f"{case.server.url}/objections/papers", data={"code": code_again}, files=[("papers", ("a", PNG))],
        headers={"Accept": "application/json"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["state"], answer.json()["papers"]) == (200, "filed", 1)
    case.done("clerk", again, "accept", identity="yes")
