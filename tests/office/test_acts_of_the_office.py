"""What the office does with a visit: each act once, by whom it is for, in one transaction with its one trail entry."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
import sqlalchemy as sa

from server.store import tables
from server.store.reviews import reviews_of
from tests.office.district import HTML, IDS, Office, csrf, demo_server
from tests.phone import Phone


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("acts") / "data"))
    yield found
    found.close()


def reviewed(office: Office, name: str) -> list[tuple[int, str, str | None]]:
    with office.db.read() as conn:
        found = reviews_of(conn, [IDS[name]]).get(IDS[name], [])
    return [(word.round, word.state, word.comment) for word in found]


def refused(office: Office, username: str, name: str, act: str, status: int, **form: str) -> None:
    """The act is answered with this status, and nothing at all changes."""
    before, said, view = office.trail(), reviewed(office, name), office.view(name)
    answer = office.act(username, name, act, **form)
    assert answer.status_code == status, answer.text
    assert (office.trail(), reviewed(office, name), office.view(name)) == (before, said, view)


def done(office: Office, username: str, name: str, act: str, trail: list[tuple[str, str]], **form: str) -> None:
    """The act is answered with the way back to the visit, and left these entries in the trail."""
    before = office.trail()
    answer = office.act(username, name, act, **form)
    assert (answer.status_code, answer.headers.get("location")) == (303, f"/office/visits/{IDS[name]}"), answer.text
    assert office.trail()[len(before) :] == trail


def test_a_record_is_approved_once_and_only_with_all_its_photos(office: Office) -> None:
    content = office.view("ordered")["content"]
    assert isinstance(content, dict)
    away = next(iter(content["media"]))
    of_it = tables.media.c.sha256 == away
    with office.db.write() as conn:
        row = dict(conn.execute(sa.select(tables.media).where(of_it)).mappings().one())
        conn.execute(sa.delete(tables.media).where(of_it))
    refused(office, "clerk", "ordered", "approve", 409, round="1")
    with office.db.write() as conn:
        conn.execute(sa.insert(tables.media).values(row))
    (late,) = msgspec.convert(office.view("ordered")["late"], list[str])
    refused(office, "clerk", "ordered", "approve", 409, round="1")
    done(office, "clerk", "ordered", "set_aside", [("material.set_aside", "clerk")], op=late, reason="已另行归档")
    refused(office, "clerk", "ordered", "approve", 409, round="2")
    done(office, "clerk", "ordered", "approve", [("approve_record", "clerk")], round="1")
    assert reviewed(office, "ordered") == [(1, "approved", None)]
    refused(office, "clerk", "ordered", "approve", 409, round="1")
    refused(office, "clerk", "ordered", "return", 409, round="1", comment="再看")


def test_what_came_late_is_listed_until_the_clerk_says_why_it_is_left_out(office: Office) -> None:
    """Runs after the test above: what was said stays on the page, and is said once."""
    (late,) = msgspec.convert(office.view("ordered")["late"], list[str])
    page = office.page("clerk", "ordered").text
    assert "已另行归档" in page and 'name="op"' not in page
    refused(office, "clerk", "ordered", "set_aside", 409, op=late, reason="再说一次")
    refused(office, "clerk", "refused", "set_aside", 409, op=late, reason="别的检查的内容")
    assert IDS["ordered"] not in office.client("clerk").get("/office/inbox?show=late", headers=HTML).text


@pytest.mark.parametrize("comment", ["", "   ", "长" * 2001])
def test_a_return_needs_a_comment_of_some_length(office: Office, comment: str) -> None:
    refused(office, "clerk", "refused", "return", 400, round="1", comment=comment)


@pytest.mark.parametrize("name", ["pending", "stale", "conflict", "interrupted", "fresh-one", "void"])
def test_only_a_final_record_is_reviewed(office: Office, name: str) -> None:
    refused(office, "clerk", name, "approve", 409, round="1")
    refused(office, "clerk", name, "return", 409, round="1", comment="请补照片")


@pytest.mark.parametrize("username", ["head", "principal", "legal", "steering", "auditor"])
def test_only_the_clerk_of_the_unit_reviews(office: Office, username: str) -> None:
    refused(office, username, "refused", "approve", 403, round="1")
    refused(office, username, "refused", "return", 403, round="1", comment="请补照片")


def test_nobody_reviews_a_visit_of_whose_crew_he_was(office: Office) -> None:
    member = str(office.view("refused")["leader"])
    with office.db.write() as conn:
        conn.execute(
            sa.update(tables.account).where(tables.account.c.id == member).values(roles=["officer", "unit_clerk"])
        )
    refused(office, member, "refused", "approve", 403, round="1")
    assert "你是这户的检查组成员" in office.page(member, "refused").text


def test_a_returned_record_waits_for_the_head_whose_reopening_reaches_the_phones(office: Office) -> None:
    refused(office, "clerk", "returned", "reopen", 403, reason="按审核意见补正")
    refused(office, "head", "returned", "reopen", 400, reason=" ")
    done(office, "head", "returned", "reopen", [("op.reopen", "head")], reason="按审核意见补正")
    assert (office.view("returned")["round"], office.view("returned")["phase"]) == (2, "started")
    refused(office, "head", "returned", "reopen", 409, reason="再来")
    phone = Phone(office.running.url, str(office.view("returned")["leader"])).start()
    assert phone.assignments[IDS["returned"]]["round"] == 2
    kinds = [entry["op"]["kind"] for entry in phone.entries[IDS["returned"]].values() if entry["op"]]
    assert kinds.count("reopen") == 1
    written = phone.set(IDS["returned"], ["answer", "hc-3.01", "note"], "补拍台账一张")
    phone.sync()
    assert phone.verdict(IDS["returned"], written) == ("ok", None)


def test_what_was_set_aside_takes_effect_once_the_clerk_admits_it(office: Office) -> None:
    (waiting,) = msgspec.convert(office.view("conflict")["quarantined"], list[dict[str, str]])
    refused(office, "clerk", "conflict", "admit", 400, op=waiting["op"], reason="")
    refused(office, "head", "conflict", "admit", 403, op=waiting["op"], reason="核对无误")
    done(office, "clerk", "conflict", "admit", [("op.admit", "clerk")], op=waiting["op"], reason="核对无误")
    assert office.view("conflict")["quarantined"] == []
    content = office.view("conflict")["content"]
    assert isinstance(content, dict)
    assert content["visit"]["result:hazchem-storage"] == ["ordered_to_correct"]
    refused(office, "clerk", "conflict", "admit", 409, op=waiting["op"], reason="核对无误")


def test_what_came_into_a_void_visit_is_never_admitted(office: Office) -> None:
    waiting = msgspec.convert(office.view("void")["quarantined"], list[dict[str, str]])
    refused(office, "clerk", "void", "admit", 409, op=waiting[0]["op"], reason="核对无误")
    assert "核对无误" not in office.page("clerk", "void").text


def test_a_visit_is_voided_by_the_head_with_a_reason_and_not_after_its_final(office: Office) -> None:
    refused(office, "clerk", "fresh-two", "void", 403, reason="重复派发")
    refused(office, "head", "fresh-two", "void", 400, reason="")
    refused(office, "head", "approved", "void", 409, reason="重复派发")
    done(office, "head", "fresh-two", "void", [("op.void", "head")], reason="重复派发")
    assert office.view("fresh-two")["phase"] == "void"
    refused(office, "head", "fresh-two", "void", 409, reason="重复派发")


def test_an_act_that_does_not_exist_is_not_found(office: Office) -> None:
    refused(office, "clerk", "refused", "dance", 404)


def test_a_browser_must_prove_that_the_form_was_ours(office: Office) -> None:
    browser = office.browser("clerk")
    path = f"/office/visits/{IDS['refused']}/return"
    form = {"round": "1", "comment": "请补一张门卫登记的照片。"}
    before = office.trail()
    assert browser.post(path, data=form).status_code == 403
    assert browser.post(path, data=form | {"csrf": "0" * 64}).status_code == 403
    elsewhere = {"Origin": "https://evil.test"}
    assert browser.post(path, data=form | {"csrf": csrf(browser)}, headers=elsewhere).status_code == 403
    assert office.trail() == before
    answer = browser.post(path, data=form | {"csrf": csrf(browser)})
    assert answer.status_code == 303
    assert office.trail()[len(before) :] == [("return", "clerk")]
    assert "请补一张门卫登记的照片。" in browser.get(answer.headers["location"]).text
    browser.close()


def test_htmx_gets_the_fragment_with_what_was_done_or_why_not(office: Office) -> None:
    partial = HTML | {"HX-Request": "true", "HX-Request-Type": "partial"}
    client, path = office.client("head"), f"/office/visits/{IDS['fresh-one']}/void"
    wrong = client.post(path, data={"reason": ""}, headers=partial)
    assert wrong.status_code == 400
    assert "请写明理由。" in wrong.text
    right = client.post(path, data={"reason": "企业已注销"}, headers=partial)
    assert right.status_code == 200
    assert 'role="status"' in right.text
    assert "<html" not in right.text
