"""Tasks over HTTP in the demo district: what the public reads of a dispatch, what is refused before and after it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from server.demo.plans import UNKNOWN
from server.errors import CODES
from server.store import joint_lists
from server.store import tasks as store
from tests.office.district import Office, demo_server
from tests.office.walks import tasks as walks
from tests.office.walks.draws import CAMPAIGN, approved, draw_of, drawn

JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("tasks") / "data"))
    yield found
    found.close()


def post(office: Office, who: str, path: str, **form: str) -> httpx.Response:
    """The same forms, as a program posts them: problems come as they are."""
    return office.client(who).post(f"/office/tasks{path}", data=form, headers=JSON)


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()
    assert (answer.status_code, found["code"], found.get("article")) == (status, code, CODES[code].article)
    return found


def task_of(office: Office, id: str) -> Any:
    with office.db.read() as conn:
        return store.task_of(conn, id)


def public(office: Office, path: str) -> httpx.Response:
    return httpx.get(office.running.url + path, headers={"Accept": "text/html"})


@pytest.mark.rule("R15b.1", "http")
def test_what_lacks_is_said_field_by_field_and_what_was_typed_is_kept(office: Office) -> None:
    form = walks.form(name="", n="0", **{"method.site": ""})
    found = refused(post(office, "clerk", "", **form), 422, "task_invalid")
    assert {one["field"] for one in found["faults"]} == {"name", "n", "methods"}
    page = office.client("clerk").post("/office/tasks", data=form, headers={"Accept": "text/html"})
    assert page.status_code == 422
    assert CAMPAIGN in page.text


@pytest.mark.rule("R1.1", "http")
def test_without_a_draw_the_dispatch_is_refused_and_no_notice_is_there(office: Office) -> None:
    id = approved(office)
    refused(post(office, "clerk", f"/{id}/dispatch", confirm="yes"), 409, "task_not_drawn")
    assert public(office, f"/notices/{task_of(office, id).no}").status_code == 404


@pytest.mark.rule("R15b.3", "http")
def test_without_the_approval_the_dispatch_is_refused(office: Office) -> None:
    id = walks.entered(office)
    refused(post(office, "clerk", f"/{id}/dispatch", confirm="yes"), 409, "task_not_approved")


@pytest.mark.rule("R17.1", "http")
def test_the_notice_is_public_with_the_dispatch_and_names_nobody(office: Office) -> None:
    task_id = draw_of(office, drawn(office)).task_id
    no = task_of(office, task_id).no
    assert public(office, f"/notices/{no}").status_code == 404
    assert post(office, "clerk", f"/{task_id}/dispatch", confirm="yes").status_code == 303
    page, body = public(office, f"/notices/{no}"), public(office, f"/notices/{no}.json")
    assert (body.json()["notice"]["n"], body.json()["taken_out"]) == (12, 0)
    atom, feed = public(office, "/notices/feed.atom"), public(office, "/notices/feed.json")
    assert ElementTree.fromstring(atom.content) is not None
    assert f"/notices/{no}" in atom.text
    with office.db.read() as conn:
        drawn_ones = store.drawn_of(conn, task_id)
    assert len(drawn_ones) == 12
    for text in (page.text, body.text, atom.text, feed.text, public(office, "/notices").text):
        assert not any(one.name in text or one.code in text for one in drawn_ones)
    assert f'href="/notices/{no}"' in public(office, "/").text


@pytest.mark.rule("R17.2", "http")
def test_after_the_lock_the_list_stays_and_who_is_taken_out_is_counted_in_public(office: Office) -> None:
    id = walks.dispatched(office)
    refused(post(office, "clerk", f"/{id}", **walks.form()), 409, "task_dispatched")
    subject = walks.subject_of(office, id)
    refused(
        post(office, "clerk", f"/{id}/withdrawals", subject_id=subject, reason=""), 422, "withdrawal_reason_missing"
    )
    assert post(office, "clerk", f"/{id}/withdrawals", subject_id=subject, reason="已搬出本区").status_code == 303
    with office.db.read() as conn:
        request = store.withdrawals_of(conn, id)[0].id
    assert post(office, "head", f"/withdrawals/{request}", answer="approved").status_code == 303
    assert public(office, f"/notices/{task_of(office, id).no}.json").json()["taken_out"] == 1
    assert "撤出 1 户" in public(office, f"/notices/{task_of(office, id).no}").text


@pytest.mark.rule("R5.3", "http")
def test_a_task_names_the_version_of_the_list_that_it_froze(office: Office) -> None:
    id = walks.dispatched(office)
    page = office.client("clerk").get(f"/office/tasks/{id}", headers={"Accept": "text/html"}).text
    assert f"按第 {task_of(office, id).list_version} 版事项清单" in page


@pytest.mark.rule("R17.1", "http")
def test_the_head_makes_a_window_longer_and_the_public_reads_since_when_and_why(office: Office) -> None:
    id = walks.dispatched(office)
    was = task_of(office, id).window_to
    until = (date.fromisoformat(was) + timedelta(60)).isoformat()
    form = {"until": until, "reason": "证照换发，人手不够"}
    assert refused(post(office, "clerk", f"/{id}/extend", **form), 403, "forbidden")
    assert refused(post(office, "head-ic", f"/{id}/extend", **form), 404, "not_found")
    faults = post(office, "head", f"/{id}/extend", **(form | {"until": was})).json()
    assert (faults["code"], faults["article"], faults["faults"][0]["field"]) == ("invalid", "15-2", "until")
    assert post(office, "head", f"/{id}/extend", **form).status_code == 303
    no = task_of(office, id).no
    page = public(office, f"/notices/{no}").text
    assert "证照换发，人手不够" in page
    for day in (was, until):
        assert f'datetime="{day}"' in page or said(day) in page
    refused(post(office, "head", f"/{walks.entered(office)}/extend", **form), 409, "task_not_extended")


def said(day: str) -> str:
    """A day as the Chinese pages say it."""
    found = date.fromisoformat(day)
    return f"{found.month}月{found.day}日"


@pytest.mark.rule("R13.1", "http")
def test_a_participants_subjects_are_the_leads_and_unknown_ones_are_named(office: Office) -> None:
    id, line = walks.joined(office)
    with office.db.read() as conn:
        listed = joint_lists.lists_of(conn, line)[0]
    assert post(office, "principal", f"/{id}/approve", **walks.APPROVAL).status_code == 303
    page = office.client("legal").get(f"/office/tasks/{id}", headers={"Accept": "text/html"}).text
    assert re.search(f"由{listed.lead}于.*抽取", page)
    assert listed.document in page
    assert listed.sha256 in page
    found = refused(post(office, "clerk-brigade", f"/{id}/dispatch", confirm="yes"), 409, "task_list_unknown")
    assert found["codes"] == [UNKNOWN[0]]
    assert UNKNOWN[0] in page
