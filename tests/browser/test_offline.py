"""From a cold start to the final signature without any network, with the fingers of a person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from server.office.log import Log
from tests.browser.journal import held, media
from tests.browser.phone import Phone
from tests.browser.pictures import photograph
from tests.dispatching import ITEM, POINTS, SUBJECT_NAME, database_of, dispatch_at
from tests.running import Running

NONE = {"interest": False, "reason": ""}


def test_a_cold_start_offline_reaches_the_final_signature(server: Running, new_phone: Callable[[str], Phone]) -> None:
    visit = dispatch_at(server)
    members = {who: new_phone(server.url) for who in ("zhang", "wang")}
    for who, theirs in members.items():
        theirs.start().enter(who).act(visit, "set", ["visit", f"no_interest:{who}"], NONE)
        theirs.sync().kill()
    phone = new_phone(server.url).start().enter("li")
    phone.stop()
    server.kill()
    phone.start(offline=True)
    phone.page.get_by_text(SUBJECT_NAME).first.wait_for()
    phone.page.locator(f"a[href^='/app/visits/{visit}']").first.click()
    phone.page.wait_for_url(f"**/app/visits/{visit}**")
    phone.act(visit, "set", ["visit", "no_interest:li"], NONE)
    row = answer_all(phone, visit)
    phone.photos(visit, f"finding:{row}", [photograph(1, 2.2)])
    write_finding(phone, visit, row)
    phone.act(visit, "set", ["visit", f"result:{ITEM}"], ["ordered_to_correct"])
    phone.act(visit, "set", ["visit", "result"], "ordered_to_correct")
    for who in ("zhang", "wang", "subject", "li"):
        sign(phone, visit, who)
    phone.call("proposeFinal", visit)
    queue = {item["id"] for item in phone.outbox()}
    phone.kill()
    phone.start(offline=True)
    assert {item["id"] for item in phone.outbox()} == queue
    before = phone.view(visit)
    assert {it["signer"]: it["state"] for it in before["signatures"]} == {
        "li": "current",
        "subject": "current",
        "zhang": "weak",
        "wang": "weak",
    }
    server.start()
    phone.offline(False).sync()
    for who, theirs in members.items():
        confirm(theirs, visit, who)
    phone.sync()
    after = phone.view(visit)
    assert (after["phase"], after["digest"]) == ("final", before["digest"])
    assert {id for id in queue if ":" in id} <= held(server, visit).keys()
    assert {id for id in queue if ":" not in id} <= media(server)
    look_up(phone, server, visit)


def look_up(phone: Phone, server: Running, visit: str) -> None:
    """His records are in the log, as his phone checks by itself and knows offline; what disagrees stays an alarm."""
    db = database_of(server)
    Log(db, server.data / "keys", server.url).sign(datetime.now(UTC))
    db.close()
    found = phone.call("receipts", visit, True)
    assert (found["n"], found["found"]["alarms"]) == (found["found"]["logged"], [])
    said = f"{found['n']}/{found['n']} 条记录已进日志"
    good = "都对得上" if found["found"]["signed"] else "证明对得上"
    phone.kill()
    phone.start(offline=True)
    for place in ("/app/outbox", f"/app/visits/{visit}/record"):
        phone.open(place)
        for words in (said, f"核对码 {found['found']['code']}", good):
            phone.page.get_by_text(words).first.wait_for()
    phone.offline(False)
    phone.page.route("**/receipts?**", lambda route: route.fulfill(json=altered(route.fetch().json())))
    phone.page.get_by_role("button", name="核对", exact=True).click()
    wrong = phone.page.get_by_text("日志里这一条不是你写的内容")
    wrong.wait_for()
    phone.page.unroute("**/receipts?**")
    phone.kill()
    phone.start(path="/app/outbox").open("/app/outbox")
    phone.page.get_by_text("对不上，已留存").first.wait_for()
    assert phone.page.get_by_role("alert").count() == 1
    assert phone.errors == []


def altered(given: dict[str, Any]) -> dict[str, Any]:
    """The receipts of a server that has something else in the place of one record."""
    first = given["receipts"][0]
    first["leaf"] = first["leaf"].replace('"after":"', '"after":"0', 1)
    return given


def answer_all(phone: Phone, visit: str) -> str:
    """Taps through the checklist, the last point with a fail; the finding that this opened."""
    page = phone.page
    phone.open(f"/app/visits/{visit}/checklist")
    for done in range(len(POINTS)):
        answer = "符合" if done + 1 < len(POINTS) else "不符合"
        page.get_by_role("radio", name=answer, exact=True).click()
        phone.until(f"store.visit('{visit}').then((it) => Object.keys(it.view.content.answer).length === {done + 1})")
        page.get_by_text(f"{done + 1}/{len(POINTS)} 项已答").wait_for()
    phone.until(f"store.visit('{visit}').then((it) => Object.keys(it.view.content.finding).length === 1)")
    [row] = phone.view(visit)["content"]["finding"]
    return str(row)


def write_finding(phone: Phone, visit: str, row: str) -> None:
    """Types what was found; the field saves itself."""
    phone.open(f"/app/visits/{visit}/findings/{row.replace(':', '%3A')}")
    phone.page.get_by_label("发现了什么").fill("灭火器压力不足，𠮷库")
    found = f"it.view.content.finding['{row}'].text === '灭火器压力不足，𠮷库'"
    phone.until(f"store.visit('{visit}').then((it) => {found})")
    phone.act(visit, "set", ["finding", row, "severity"], "general")
    phone.act(visit, "set", ["finding", row, "measure"], "on_spot")


def sign(phone: Phone, visit: str, who: str) -> None:
    """Draws on the pad with the mouse, and confirms."""
    page = phone.page
    phone.open(f"/app/visits/{visit}/sign?who={who}")
    pad = page.locator("canvas")
    pad.wait_for()
    box = pad.bounding_box()
    assert box
    page.mouse.move(box["x"] + 30, box["y"] + 60)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(box["x"] + 30 + 25 * step, box["y"] + 60 + 30 * (step % 2))
    page.mouse.up()
    page.get_by_role("button", name="确认签字").click()
    page.wait_for_url(f"**/app/visits/{visit}/record")
    assert any(it["signer"] == who for it in phone.view(visit)["signatures"])


def confirm(phone: Phone, visit: str, who: str) -> None:
    """A member confirms from his own phone what he drew on the leader's."""
    phone.start().sync()
    [drawn] = [it for it in phone.view(visit)["signatures"] if it["signer"] == who]
    assert drawn["state"] == "weak"
    phone.call("confirmSignature", visit, drawn["op"])
    phone.sync()


@pytest.mark.parametrize("path", ["/app/visits", "/app/outbox", "/app/settings"])
def test_every_page_opens_without_a_network(server: Running, new_phone: Callable[[str], Phone], path: str) -> None:
    phone = new_phone(server.url).start().enter("li")
    phone.stop()
    phone.start(offline=True)
    phone.open(path)
    phone.page.locator("main").wait_for()
    assert phone.errors == []
