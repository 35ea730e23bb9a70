"""What the field app weighs on the way to a phone: as the server lists it, and as a browser fetches it."""

from __future__ import annotations

import gzip
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Response, sync_playwright

from tests.browser.stage import FLAGS
from tests.running import Running
from tests.scene import PASSWORD

WEB = Path(__file__).resolve().parents[2] / "web"
KB = 1000
MAIN_WAY, VENDOR, LAZY = 72 * KB, 35 * KB, 96 * KB


def weight(body: bytes) -> int:
    """As gzip -9 sends it."""
    return len(gzip.compress(body, 9))


def test_the_way_from_sign_in_to_final_is_light(server: Running) -> None:
    with server.client() as client:
        files = client.get("/app/precache.json").json()["files"]
        weights = {one["url"]: (weight(client.get(one["url"]).content), one["lazy"]) for one in files}
    main = {url: grams for url, (grams, lazy) in weights.items() if not lazy}
    lazy = sum(grams for grams, is_lazy in weights.values() if is_lazy)
    assert sum(main.values()) <= MAIN_WAY, sorted(main.items(), key=lambda one: -one[1])
    assert lazy <= LAZY


def test_libraries_are_the_smaller_half_of_it() -> None:
    vendor = [path for path in (WEB / "vendor").rglob("*js") if "htmx" not in str(path) and path.is_file()]
    assert sum(weight(path.read_bytes()) for path in vendor) <= VENDOR


def test_a_browser_fetches_nothing_on_the_main_way_that_is_not_listed_as_such(server: Running, chromium: str) -> None:
    fetched: dict[str, int] = {}

    def note(response: Response) -> None:
        path = urlsplit(response.url).path
        by_page = response.request.resource_type in {"script", "stylesheet", "document"}
        if by_page and path.startswith("/app/") and response.ok and not response.from_service_worker:
            fetched["/app/" if response.request.resource_type == "document" else path] = weight(response.body())

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        context = browser.new_context(locale="zh-CN", service_workers="block")
        page = context.new_page()
        page.on("response", note)
        page.goto(f"{server.url}/app/")
        page.get_by_label("账号").fill("li")
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        page.get_by_role("button", name="登记", exact=True).click()
        page.get_by_role("button", name="开始检查").click()
        page.get_by_role("heading", name="我的检查").wait_for()
        page.wait_for_load_state("networkidle")
        browser.close()
    with server.client() as client:
        lazy = {one["url"] for one in client.get("/app/precache.json").json()["files"] if one["lazy"]}
    assert not lazy & fetched.keys()
    assert sum(fetched.values()) <= MAIN_WAY
