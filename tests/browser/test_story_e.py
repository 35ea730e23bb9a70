"""Story E in a real browser without script: strangers read, object by the form and follow it; the office by HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from tests.browser.reader import Reader, reading
from tests.office.late_story import FIRST, NINE, SENTENCES, STILL_TO_COME, Story, begin, tell
from tests.office.objecting import CASE

pytestmark = [pytest.mark.browser, pytest.mark.serial]


class Pages:
    """What a stranger sees and fills in."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.receipts = 0

    def read(self, path: str) -> str:
        """As of now: a page is kept for a minute, and a day of the story takes less."""
        self.reader.open(path)
        self.reader.page.reload()
        return self.reader.said("page" + path.replace("/", "-"))

    def object(self, no: str, papers: Sequence[bytes]) -> str:
        """From the result's page to its form, and on to the receipt."""
        self.reader.open(f"/results/{no}")
        page = self.reader.page
        page.locator(f"a[href='/objections/new?no={no}']").click()
        page.get_by_label("被检查单位的代表人").check()
        for name in ("name", "phone", "grounds", "wanted"):
            page.locator(f"[name={name}]").fill(CASE[name])
        files = [
            {"name": f"{n}.bin", "mimeType": "application/octet-stream", "buffer": one} for n, one in enumerate(papers)
        ]
        page.locator("[name=papers]").set_input_files(files)  # type: ignore[arg-type]  # payloads are dicts
        self.receipts += 1
        self.reader.said(f"form-{self.receipts}")
        page.locator("form button.main").click()
        code = page.locator("#code").inner_text()
        self.reader.said(f"receipt-{self.receipts}")
        return code

    def follow(self, code: str) -> str:
        """By the code alone."""
        self.reader.open("/objections")
        self.reader.page.locator("[name=code]").fill(code)
        self.reader.page.locator("main form button").click()
        return self.reader.said(f"followed-{self.receipts}")


@pytest.fixture
def story(
    tmp_path: Path, playwright: Playwright, chromium: str, request: pytest.FixtureRequest
) -> Iterator[tuple[Story, Reader]]:
    made = begin(tmp_path / "data")
    pictures = "story-e" if request.config.getoption("--pictures") else None
    try:
        with reading(playwright, chromium, made.server.url, pictures) as reader:
            made.front = Pages(reader)
            yield made, reader
    finally:
        made.close()
        made.db.close()


def test_story_e_as_strangers_see_it(story: tuple[Story, Reader]) -> None:
    it, reader = story
    tell(it)
    said = reader.open("/results", "results")
    assert FIRST in said and NINE in said and "更正" in said
    reader.page.locator(f"a[href='/results/{it.no}']").first.click()
    assert "更正" in reader.said("corrected") and reader.page.locator("main img, main script").count() == 0
    print(f"story E in the browser: {len(SENTENCES)} sentences hold, {len(STILL_TO_COME)} come with their rooms")
