"""Changes of the crew on the phones: a recusal at the gate without any network, an ended certificate, one replaced."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from playwright.sync_api import Error

from server.store import tables, visits
from tests.browser.phone import Phone
from tests.dispatching import SUBJECT_NAME, database_of, dispatch_at
from tests.phone import Phone as Sender
from tests.running import Running

pytestmark = [pytest.mark.browser, pytest.mark.serial]

TITLE = "你已回避这户检查"
ADMIT, ASIDE = "采纳这一条", "结果说明"
CREW = ("li", "wang")
WRITING = ("checklist", "findings", "evidence", "sign", "result", "conflicts")


def test_a_recusal_at_the_gate_offline_locks_his_phone_and_reaches_the_crew_and_interrupts(
    server: Running, new_phone: Callable[[str], Phone]
) -> None:
    visit = dispatch_at(server, [("li", "leader"), ("wang", "member")])
    wang = new_phone(server.url).start().enter("wang")
    li = new_phone(server.url).start().enter("li")
    earlier = wang.act(visit, "set", ["visit", "notice_read"], True)
    wang.offline()
    recuse(wang, visit)
    wang.page.get_by_text(TITLE).first.wait_for()
    wang.open(f"/app/visits/{visit}/checklist")
    wang.page.get_by_text(TITLE).first.wait_for()
    assert wang.page.get_by_text(SUBJECT_NAME).count() == 0
    assert wang.page.locator("textarea, input").count() == 0
    assert earlier in wang.ids(visit)
    assert li.view(visit)["phase"] != "interrupted"
    wang.offline(False).sync()
    li.sync()
    assert li.view(visit)["phase"] == "interrupted"
    assert {"op": earlier, "flag": "by_recused"} in li.view(visit)["flags"]
    li.open(f"/app/visits/{visit}")
    li.page.get_by_text("请股室补人后继续").first.wait_for()
    assert li.page.get_by_text(TITLE).count() == 0
    li.offline()
    for screen in WRITING:
        li.open(f"/app/visits/{visit}/{screen}")
        li.page.get_by_text("请股室补人后继续").first.wait_for()
        assert li.page.locator("textarea, input").count() == 0
    li.open(f"/app/visits/{visit}/record")
    li.page.get_by_text("请股室补人后继续").first.wait_for()
    assert li.page.locator("main a[href*='/sign'], main a[href$='/result']").count() == 0
    before = li.ids(visit)
    with pytest.raises(Error, match="interrupted"):
        li.act(visit, "set", ["visit", "summary"], "一个人写的")
    assert li.ids(visit) == before


def test_a_leader_who_recused_himself_is_offered_neither_to_admit_nor_to_propose(
    server: Running, new_phone: Callable[[str], Phone]
) -> None:
    visit = dispatch_at(server)
    wang = new_phone(server.url).start().enter("wang")
    wang.act(visit, "set", ["visit", "result_note"], "建议责令限期改正")
    wang.sync()
    li = new_phone(server.url).start().enter("li")
    look_aside(li, visit)
    li.page.get_by_role("button", name=ADMIT).wait_for()
    li.page.keyboard.press("Escape")
    recuse(li, visit)
    li.page.get_by_text(TITLE).first.wait_for()
    assert li.view(visit)["leader"] == "li"
    assert li.page.locator("main a[href$='/result']").count() == 0
    look_aside(li, visit)
    assert li.page.get_by_role("button", name=ADMIT).count() == 0
    li.open(f"/app/visits/{visit}/record")
    li.page.get_by_text(TITLE).first.wait_for()
    assert li.page.locator("main a[href*='/sign'], a[href$='/result']").count() == 0
    with pytest.raises(Error, match="recused"):
        li.call("proposeFinal", visit)


def look_aside(phone: Phone, visit: str) -> None:
    """Opens what was set aside, on the group board."""
    phone.open(f"/app/visits/{visit}/group")
    phone.page.locator(".item", has_text=ASIDE).click()
    phone.page.locator("dialog[open]").wait_for()


def test_an_ended_certificate_and_a_word_still_to_say_keep_the_checklist_closed(
    server: Running, new_phone: Callable[[str], Phone]
) -> None:
    visit = dispatch_at(server, [("li", "leader"), ("wang", "member")])
    certify(server, "wang", "2026-10-31")
    li = new_phone(server.url).start().enter("li").offline()
    for screen in ("checklist", "findings"):
        li.open(f"/app/visits/{visit}/{screen}")
        li.page.get_by_text("wang：2026年10月31日 已过期").wait_for()
        li.page.get_by_text("请股室换人，或换证后联网更新").wait_for()
        assert li.page.locator("main button, textarea, input").count() == 0
    certify(server, "wang", "2029-12-31")
    li.offline(False).sync()
    li.open(f"/app/visits/{visit}/checklist")
    li.page.get_by_text("先声明你与这户有没有利害关系").wait_for()
    assert li.page.locator("#now-q").count() == 0
    li.act(visit, "set", ["visit", "no_interest:li"], {"interest": False, "reason": ""})
    li.page.locator("#now-q").wait_for()


def test_who_was_replaced_stands_in_the_record_with_the_reason(
    server: Running, new_phone: Callable[[str], Phone]
) -> None:
    visit = dispatch_at(server)
    li = new_phone(server.url).start().enter("li")
    li.open(f"/app/visits/{visit}/record")
    li.page.locator("article.doc").wait_for()
    assert li.page.get_by_text("已换出的检查人员").count() == 0
    office = Sender(server.url, "head").sign_in()
    removal = {"kind": "assign", "path": ["crew", "wang"], "val": {"role": "removed", "reason": "突发疾病"}}
    assert office.http.post(f"/api/visits/{visit}/acts", json=removal).status_code == 201
    li.sync().offline().open(f"/app/visits/{visit}/record")
    li.page.get_by_text("已换出的检查人员：wang（突发疾病）").wait_for()
    zhao = new_phone(server.url).start()
    coming = {"kind": "assign", "path": ["crew", "zhao"], "val": {"role": "member", "reason": "接替"}}
    assert office.http.post(f"/api/visits/{visit}/acts", json=coming).status_code == 201
    zhao.enter("zhao").offline().open(f"/app/visits/{visit}/record")
    zhao.page.get_by_text("已换出的检查人员：wang（突发疾病）").wait_for()


def certify(server: Running, officer: str, until: str) -> None:
    """The office enters until when an officer's certificate holds; the crew's phones hear of it."""
    db = database_of(server)
    with db.write() as conn:
        conn.execute(sa.update(tables.officer).where(tables.officer.c.id == officer).values(certificate_to=until))
        visits.move_assignments(conn, CREW)
    db.close()


def recuse(phone: Phone, visit: str) -> None:
    phone.open(f"/app/visits/{visit}?step=interest")
    phone.page.get_by_text("有，要回避").click()
    phone.page.locator("#interest-reason").fill("店主是我表弟")
    phone.page.get_by_role("button", name="我声明：回避").click()
