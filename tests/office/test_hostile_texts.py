"""Whatever a phone writes into a record, the office's pages show it as text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.office.district import HTML, IDS, Office, demo_server
from tests.phone import Phone

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PAYLOADS = (
    "<script>window.hit=1</script>",
    '"><img src=x onerror="window.hit=1">',
    "'><svg/onload=window.hit=1>",
    "javascript:window.hit=1",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "</textarea></title><script>window.hit=1</script>",
    "\u202e\u2066evil\u2069\u202c",
    "&lt;b&gt; &amp;amp;",
)
VISIT = IDS["fresh-one"]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("hostile") / "data"))
    yield found
    found.close()


def push_everywhere(phone: Phone, text: str) -> None:
    """Writes a text into every field of a record that takes one."""
    fields = dict.fromkeys(("text", "point", "basis", "place", "severity", "measure", "due"), text)
    row = phone.write(VISIT, "add", ["finding"], fields)
    photo = text.encode()
    phone.attach(VISIT, photo, f"finding:{row}", mime="image/svg+xml")
    phone.set(VISIT, ["media", phone.upload(VISIT, photo, "image/svg+xml"), "caption"], text)
    for field in ("attendee", "attendee_post", "summary", "result", "result_note", "form"):
        phone.set(VISIT, ["visit", field], text)
    for field in ("verdict", "note"):
        phone.set(VISIT, ["answer", "hc-1.01", field], text)
    phone.set(VISIT, ["visit", "result:hazchem-storage"], [text])
    phone.set(VISIT, ["visit", "basis:hazchem-storage"], text)
    phone.set(VISIT, ["visit", "methods"], [text])
    phone.set(VISIT, ["visit", "attempts"], [{"at": text, "way": text, "result": text, "by": text}])
    phone.set(VISIT, ["visit", "followup"], {"owner": text, "due": text, "text": text})
    phone.set(VISIT, ["visit", "noncooperation"], {"circumstances": [text], "text": text})
    phone.set(VISIT, ["visit", "arrived"], {"at": text, "geo": {"lat_e7": text}, "nonce": text})
    phone.set(VISIT, ["visit", "no_interest:li"], {"interest": False, "reason": text})
    phone.sign(VISIT, "0" * 64, "subject", "subject", refused=text)
    struck = phone.write(VISIT, "add", ["finding"], {"text": text})
    phone.sync()
    phone.write(VISIT, "del", ["finding", struck], {"reason": text})
    phone.drain()


def addresses(office: Office) -> list[str]:
    """Every office page that shows something of the visit."""
    content = office.view("fresh-one")["content"]
    assert isinstance(content, dict)
    visit = f"/office/visits/{VISIT}"
    return ["/office/inbox?show=all", visit, f"{visit}/history", *(f"{visit}/photos/{sha}" for sha in content["media"])]


def open_all(page: Page, office: Office, base: str) -> list[str]:
    """Opens each page and all that is folded on it; the texts that they show."""
    shown = []
    for address in addresses(office):
        answer = page.goto(base + address, wait_until="networkidle")
        assert answer is not None
        assert answer.status == 200
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        shown.append(page.inner_text("body"))
        assert page.evaluate("window.hit") is None
        assert page.evaluate("document.querySelectorAll('main script, main svg[onload], main [onerror]').length") == 0
    return shown


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_text_from_a_phone_is_only_ever_text(office: Office, chromium: str, payload: str) -> None:
    push_everywhere(Phone(office.running.url, "li").start(), payload)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(locale="zh-CN")
        faults: list[str] = []
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        base = office.running.url
        page.goto(base + "/office/sign-in")
        page.fill("input[name=username]", "clerk")
        page.fill("input[name=password]", "suijian-demo")
        page.press("input[name=password]", "Enter")
        page.wait_for_url("**/office/")
        shown = open_all(page, office, base)
        browser.close()
    assert faults == []
    assert any(" ".join(payload.split()) in " ".join(text.split()) for text in shown)


def test_a_record_of_empty_and_odd_shapes_can_still_be_read(office: Office) -> None:
    phone, visit = Phone(office.running.url, "li").start(), IDS["fresh-two"]
    odd = [1, "x", [], {}, None, {"at": 1, "by": []}]
    empty = ("arrived", "left", "followup", "noncooperation", "no_interest:li", "no_interest:wang")
    fields: dict[str, object] = {field: {} for field in empty}
    for field, value in (fields | {"attempts": odd, "methods": odd, "result:hazchem-storage": odd}).items():
        phone.set(visit, ["visit", field], value)
    phone.write(visit, "add", ["finding"], {})
    phone.set(visit, ["finding", "0" * 32 + ":1", "due"], "9999-99-99")
    phone.set(visit, ["visit", "arrived"], {"at": "0001-01-01T00:00:00+14:00", "geo": odd, "nonce": None})
    phone.set(visit, ["visit", "summary"], 1.5)
    phone.set(visit, ["answer", 7, {}], None)  # type: ignore[list-item]  # not even a path
    phone.write(visit, "sign", ["sign", "li"], {"role": []})
    phone.write(visit, "dance", [], None)
    phone.drain()
    for more in ("", "/history"):
        assert office.page("clerk", "fresh-two", more).status_code == 200
    assert office.client("clerk").get("/office/inbox?show=all", headers=HTML).status_code == 200


def test_a_query_and_a_user_name_come_back_as_text(office: Office) -> None:
    for payload in PAYLOADS:
        inbox = office.client("clerk").get("/office/inbox", params={"q": payload, "show": payload})
        with office.running.client() as stranger:
            door = stranger.post("/office/sign-in", data={"username": payload, "password": payload})
        for answer in (inbox, door):
            assert "<script>window" not in answer.text
            assert "<img src=x" not in answer.text
            assert "<svg/onload" not in answer.text
