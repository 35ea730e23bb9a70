"""A stranger's browser without any script: what everybody reads of results must need none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, Playwright

from tests.browser.stage import FLAGS

PICTURES = Path(__file__).resolve().parents[2] / "build" / "pictures"


class Reader:
    """Somebody who looks at the public pages."""

    def __init__(self, page: Page, url: str, pictures: str | None) -> None:
        self.page, self.url, self.pictures = page, url, pictures
        self.asked: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))

    def open(self, path: str, name: str = "") -> str:
        """Opens a page; what it says."""
        self.page.goto(self.url + path)
        return self.said(name)

    def follow(self, words: str, name: str = "") -> str:
        """Follows the link that bears these words; what the next page says."""
        self.page.get_by_role("link", name=words, exact=True).first.click()
        return self.said(name)

    def said(self, name: str = "") -> str:
        """What the page says; with --pictures it is photographed at both widths."""
        if self.pictures and name:
            folder = PICTURES / self.pictures
            folder.mkdir(parents=True, exist_ok=True)
            for width in (1280, 360):
                self.page.set_viewport_size({"width": width, "height": 900})
                self.page.screenshot(path=folder / f"public-{name}-{width}.png", full_page=True)
        return self.page.locator("body").inner_text()


@contextmanager
def reading(playwright: Playwright, chromium: str, url: str, pictures: str | None = None) -> Iterator[Reader]:
    """A browser of its own, without script and without anybody's session."""
    running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
    context = running.new_context(java_script_enabled=False, locale="zh-CN", timezone_id="Asia/Shanghai")
    yield Reader(context.new_page(), url, pictures)
    running.close()
