"""The office's pages in a browser: every route of the office in every scene, as somebody of the office sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from server.routes.office import router
from tests.office.district import IDS, Office

AXE: Final = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS: Final = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
NOT_PAGES: Final = {"/office", "/office/visits/{visit_id:str}/{act:str}"}
"""Routes that only lead elsewhere."""

SMALL: Final = """() => [
    ...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary'),
  ].filter((one) => {
    if (one.closest('p, li, dd > span, .tag, .notice') && getComputedStyle(one).display === 'inline') return false;
    if (one.closest('td, th') && getComputedStyle(one).display === 'inline') return false;
    if (!one.checkVisibility({ visibilityProperty: true }) || one.matches('.skip, .vh')) return false;
    const box = one.getBoundingClientRect();
    return box.width > 0 && (box.height < 43.9 || box.width < 43.9);
  })
  .map((one) => `${one.tagName} ${one.className} ${one.textContent.trim().slice(0, 20)} `
    + `${one.getBoundingClientRect().width}x${one.getBoundingClientRect().height}`)"""

LATIN: Final = re.compile(
    r"English|SHA-256|GB/?T? \d+|AQ \d+|\b[0-9A-F]{4}-[0-9A-F]{4}\b|\b[0-9a-f]{8,}\b|[0-9a-f]{8}…:\d+|"
    r"\b[0-9A-HJ-NPQRTUWXY]{18}\b|\bnot_found\b"
)
"""What stands in Latin letters on a Chinese page, and may: codes, standards, the name of the other language."""


@dataclass(frozen=True)
class Look:
    """How a page is looked at."""

    lang: str = "zh-CN"
    width: int = 1280
    scheme: str = "light"


@dataclass(frozen=True)
class Scene:
    """One address of a route: who looks, and what is typed before where that makes the scene."""

    name: str
    route: str
    address: str
    who: str | None = "clerk"
    wrong_password: bool = False


def scenes(office: Office) -> list[Scene]:
    """Every page of the office: full, empty and in error."""
    visit, history, photos = "/office/visits/{visit_id:str}", "/history", "/photos/{sha256:str}"
    content = office.view("ordered")["content"]
    assert isinstance(content, dict)
    photo = next(iter(content["media"]))
    found = [
        Scene("sign-in", "/office/sign-in", "/office/sign-in", None),
        Scene("sign-in-error", "/office/sign-in", "/office/sign-in", None, wrong_password=True),
        Scene("inbox", "/office/inbox", "/office/inbox"),
        Scene("inbox-all", "/office/inbox", "/office/inbox?show=all"),
        Scene("inbox-every-unit", "/office/inbox", "/office/inbox?show=all", "principal"),
        Scene("inbox-empty", "/office/inbox", "/office/inbox?show=all&q=没有这家"),
        Scene("inbox-nothing-pending", "/office/inbox", "/office/inbox?q=没有这家"),
        Scene("visit-error", visit, "/office/visits/none"),
        Scene("history", visit + history, f"/office/visits/{IDS['ordered']}/history"),
        Scene("history-empty", visit + history, f"/office/visits/{IDS['fresh-one']}/history"),
        Scene("photo", visit + photos, f"/office/visits/{IDS['ordered']}/photos/{photo}"),
        Scene("nowhere", "/office/{rest:path}", "/office/nowhere"),
    ]
    found += [Scene(f"visit-{name}", visit, f"/office/visits/{IDS[name]}") for name in VISITS]
    found.append(Scene("visit-returned-head", visit, f"/office/visits/{IDS['returned']}", "head"))
    return found


VISITS: Final = (
    "ordered",
    "conflict",
    "stale",
    "pending",
    "refused",
    "unreachable",
    "returned",
    "interrupted",
    "void",
    "fresh-one",
)


def routes() -> set[str]:
    """The addresses of the office's pages, from the app's own list of routes."""
    return {route.path for route in router.routes if "GET" in getattr(route, "methods", ())} - NOT_PAGES


@contextmanager
def chromium_at(executable: str) -> Iterator[Browser]:
    """Chromium, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


class Sight:
    """One way of looking: opens scenes, each as the person that it asks for."""

    def __init__(self, browser: Browser, office: Office, look: Look) -> None:
        self.browser, self.office, self.look = browser, office, look
        self.faults: list[str] = []
        self._people: dict[str | None, BrowserContext] = {}

    def open(self, scene: Scene, *, unfold: bool = True) -> Page:
        """The page of a scene, with all that is folded on it opened."""
        page = self._person(scene.who).new_page()
        page.on("pageerror", lambda error: self.faults.append(f"{scene.name}: {error}"))
        page.goto(self.office.running.url + scene.address, wait_until="networkidle")
        if scene.wrong_password:
            page.fill("input[name=username]", "clerk")
            page.fill("input[name=password]", "wrong-password")
            page.press("input[name=password]", "Enter")
            page.wait_for_selector("[role=alert]")
        if unfold:
            page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        return page

    def _person(self, who: str | None) -> BrowserContext:
        if who not in self._people:
            context = self.browser.new_context(
                viewport={"width": self.look.width, "height": 900},
                locale=self.look.lang,
                color_scheme="dark" if self.look.scheme == "dark" else "light",
                reduced_motion="reduce",
            )
            if who is not None:
                token = str(self.office.client(who).headers["authorization"]).removeprefix("Bearer ")
                context.add_cookies([{"name": "suijian", "value": token, "url": self.office.running.url}])
            self._people[who] = context
        return self._people[who]

    def close(self) -> None:
        """Ends every context."""
        for context in self._people.values():
            context.close()


@contextmanager
def looking(browser: Browser, office: Office, look: Look) -> Iterator[Sight]:
    """One way of looking at the office; an error of a page's script is a failure."""
    sight = Sight(browser, office, look)
    try:
        yield sight
    finally:
        sight.close()
    assert not sight.faults, sight.faults


def axe(page: Page) -> list[str]:
    """What axe-core finds, with no rule disabled; it comes in past the page's policy, which allows only our scripts."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)")
    return [
        f"{one['id']} {node['html'][:160]} {node['failureSummary'][:240]}" for one in found for node in one["nodes"]
    ]


def fit(page: Page) -> list[str]:
    """What is wider than the window, or too small to hit."""
    wide, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return ([f"scrolls sideways: {wide} > {room}"] if wide > room else []) + list(page.evaluate(SMALL))


def foreign_words(page: Page) -> list[str]:
    """Latin words on a Chinese page."""
    return re.findall(r"[A-Za-z]{2,}[A-Za-z .]*", LATIN.sub("", page.inner_text("body")))
