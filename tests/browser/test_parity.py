"""The phone's core in the browser that runs it makes the same of the same operations as the server's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Page, Route, sync_playwright

from tests.histories import lines

ROOT = Path(__file__).parent.parent.parent
ORIGIN = "http://localhost/"  # what is loopback may use WebCrypto; nothing is sent there
SERVED = ("web/", "tests/web/")
HISTORIES = 500
BATCH = 50
PAGE = """<!doctype html><title>parity</title>
<script type="importmap">{"imports": {"canonicalize": "/web/node_modules/canonicalize/lib/canonicalize.js"}}</script>"""
READ = """async (text) => {
  const { differenceIn } = await import("/tests/web/parity.mjs");
  const differences = [];
  for (const history of JSON.parse(text)) differences.push(await differenceIn(history));
  return differences;
}"""


def answer(route: Route) -> None:
    """Gives the page the modules of this folder, whole and unchanged."""
    path = route.request.url.removeprefix(ORIGIN)
    if not path.startswith(SERVED):
        route.fulfill(body=PAGE, content_type="text/html")
        return
    route.fulfill(body=(ROOT / path).read_bytes(), content_type="text/javascript")


def on_a_page(chromium: str, use: Callable[[Page], list[object]]) -> list[object]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        try:
            page = browser.new_page()
            page.route("**/*", answer)
            page.goto(ORIGIN)
            return use(page)
        finally:
            browser.close()


@pytest.mark.rule("I1")
def test_five_hundred_of_the_histories_give_the_same_view_and_hashes_in_chromium(chromium: str) -> None:
    told = list(lines(HISTORIES, seed=1))

    def read(page: Page) -> list[object]:
        batches = [told[start : start + BATCH] for start in range(0, HISTORIES, BATCH)]
        return [it for batch in batches for it in page.evaluate(READ, msgspec.json.encode(batch).decode())]

    differences = on_a_page(chromium, read)
    print(f"{len(differences)} histories in Chromium, {len(list(filter(None, differences)))} of them read differently")
    assert differences == [None] * HISTORIES
