"""What a phone downloads from sign-in to final: counted from the list, and from what a browser really asked for."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Request

from tests.browser.phone import Phone
from tests.browser.pictures import photograph
from tests.browser.test_offline import answer_all, confirm, sign
from tests.dispatching import POINTS, SUBJECT_NAME, dispatch_at
from tests.running import ROOT, Running
from tests.scene import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.serial]

MAIN, LIBRARIES, LATER = 72_000, 35_000, 96_000
NONE = {"interest": False, "reason": ""}


def test_the_way_from_sign_in_to_final_stays_small(server: Running, new_phone: Callable[[str], Phone]) -> None:
    weights = weigh(server)
    assert "/app/vendor/preact/preact.mjs" not in weights, "web/packed is older than its sources: run `make setup`"
    visit = dispatch_at(server)
    members = {who: new_phone(server.url) for who in ("zhang", "wang")}
    for who, theirs in members.items():
        theirs.start().enter(who).act(visit, "set", ["visit", f"no_interest:{who}"], NONE)
        theirs.sync().kill()
    asked: set[str] = set()
    phone = new_phone(server.url).start(prepare=lambda it: it.page.on("request", lambda one: note(asked, one)))
    enter(phone)
    at_the_gate(phone, visit)
    find_and_sign(phone, visit)
    for who, theirs in members.items():
        confirm(theirs, visit, who)
    phone.sync()
    propose(phone, visit)
    later = {url for url, (_, lazy) in weights.items() if lazy}
    pictures = {url for url in later if url.endswith(".svg")}
    listed = sum(weight for weight, lazy in weights.values() if not lazy)
    fetched = sum(weights[url][0] for url in asked - pictures)
    libraries = json.loads((ROOT / "web" / "packed" / "manifest.json").read_text())["libraries"]
    beside = sum(weights[url][0] for url in later)
    print(f"main way: listed {listed}, fetched {fetched}, libraries {libraries}; beside it {beside} bytes")
    assert phone.errors == []
    assert not asked & later - pictures - {"/app/store.js"}
    assert max(listed, fetched) <= MAIN
    assert libraries <= LIBRARIES
    assert beside <= LATER


def weigh(server: Running) -> dict[str, tuple[int, bool]]:
    """Each file of the list with gzip -9, and whether it is fetched only when it is first needed."""
    with server.client() as client:
        files = client.get("/app/precache.json").json()["files"]
        return {it["url"]: (len(gzip.compress(client.get(it["url"]).content, 9)), it["lazy"]) for it in files}


def note(asked: set[str], request: Request) -> None:
    """What the page asks for of the app's own files; every page of the app is the shell."""
    path = urlsplit(request.url).path
    if path.startswith("/app/") and path != "/app/precache.json" and path != "/app/sw.js":
        asked.add("/app/" if request.is_navigation_request() else path)


def enter(phone: Phone) -> None:
    """Signs in and enrols, by hand."""
    page = phone.page
    page.get_by_label("账号").fill("li")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.get_by_role("button", name="登记").click()
    page.get_by_role("button", name="开始检查").click()
    page.get_by_text(SUBJECT_NAME).first.wait_for()


def at_the_gate(phone: Phone, visit: str) -> None:
    """The four steps."""
    page = phone.page
    phone.open(f"/app/visits/{visit}?step=interest")
    page.get_by_role("radio", name="没有").click()
    for step, button in [
        ("interest", "我声明：没有"),
        ("certificates", "已向对方出示"),
        ("arrival", "记下到场"),
        ("notice", "已读给对方听，对方确认"),
    ]:
        if step != "interest":
            phone.open(f"/app/visits/{visit}?step={step}")
        page.get_by_role("button", name=button).click()
        page.locator("dialog").wait_for(state="detached")


def find_and_sign(phone: Phone, visit: str) -> None:
    """Answers the checklist, writes the finding with its photo, chooses the result, and lets everybody sign."""
    page = phone.page
    row = answer_all(phone, visit)
    phone.open(f"/app/visits/{visit}/findings")
    page.locator("main a[href*='/findings/']").first.click()
    page.get_by_label("发现了什么").fill("灭火器压力不足")
    page.get_by_role("radio", name="一般隐患").click()
    page.get_by_role("radio", name="当场改正").click()
    phone.until(f"store.visit('{visit}').then((it) => it.view.content.finding['{row}'].measure === 'on_spot')")
    phone.until(f"store.visit('{visit}').then((it) => it.view.content.finding['{row}'].text)")
    page.locator("input[data-source=camera]").set_input_files(
        {"name": "1.jpg", "mimeType": "image/jpeg", "buffer": photograph(1, 2.2)}
    )
    phone.until(f"store.visit('{visit}').then((it) => it.media.length === 1)")
    phone.open(f"/app/visits/{visit}/result")
    page.get_by_role("radio", name="发现问题已责令改正").click()
    phone.until(f"store.visit('{visit}').then((it) => it.view.content.visit.result)")
    for who in ("zhang", "wang", "subject", "li"):
        sign(phone, visit, who)
    phone.sync()


def propose(phone: Phone, visit: str) -> None:
    """The leader proposes, and the server makes it final."""
    assert len(phone.view(visit)["content"]["answer"]) == len(POINTS)
    phone.open(f"/app/visits/{visit}/result")
    phone.page.get_by_role("button", name="提交定稿").click()
    phone.until(f"store.visit('{visit}').then((it) => it.view.phase === 'final_pending')")
    phone.sync()
    assert phone.view(visit)["phase"] == "final"
    phone.page.get_by_text("已定稿").first.wait_for()
