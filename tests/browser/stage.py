"""A stage for the phone's screens: the files of web/ as the server gives them, over a filled store."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, Route, sync_playwright

from server.fieldapp import IMPORTS, SHIMS

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"
FAKE = ROOT / "tests" / "web" / "fake-store.js"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
HOST = "http://localhost:9"
LIVE = "019a0000-0000-7000-8000-000000000001"
NOW = "2026-11-24T14:33:00+08:00"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


@dataclass(frozen=True)
class Look:
    """How a screen is looked at."""

    scene: str = "full"
    lang: str = "zh-CN"
    theme: str = "light"
    text: str = "standard"
    width: int = 360
    height: int = 800
    scale: int = 1


@contextmanager
def browser(executable: str = "/usr/bin/chromium") -> Iterator[Browser]:
    """Chromium, headless."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield chromium
        chromium.close()


@contextmanager
def looking(chromium: Browser, look: Look) -> Iterator[Page]:
    """A page on which screens of one scene open."""
    context = chromium.new_context(
        viewport={"width": look.width, "height": look.height},
        device_scale_factor=look.scale,
        has_touch=look.width < 700,
        locale=look.lang,
        timezone_id="Asia/Shanghai",
        service_workers="block",
        reduced_motion="reduce",
    )
    prefs = json.dumps({"lang": look.lang, "theme": look.theme, "text": look.text})
    context.add_init_script(
        f"window.name='scene:{look.scene}';try{{localStorage.setItem('suijian.prefs',{json.dumps(prefs)})}}catch{{}}"
    )
    page = context.new_page()
    page.clock.set_fixed_time(NOW)
    page.route("**/*", _answer)
    page.set_default_timeout(10_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    try:
        yield page
    finally:
        context.close()
    assert not faults, faults


def show(page: Page, path: str) -> None:
    """Opens a screen and waits until it stands."""
    page.goto(HOST + path)
    page.wait_for_selector("h1, .notice[role=alert]")
    page.wait_for_timeout(60)
    page.evaluate("document.fonts.ready")


def views(chromium: Browser) -> list[dict[str, Any]]:
    """The router's table, read from the router itself."""
    with looking(chromium, Look(scene="out")) as page:
        show(page, "/app/sign-in")
        found: list[dict[str, Any]] = page.evaluate(
            "import('/app/router.js').then(({VIEWS}) => VIEWS.map(({name, path}) => ({name, path})))"
        )
        return found


def address(path: str, row: str = "") -> str:
    """A view's path with its gaps filled from the scene."""
    return path.replace(":visit", LIVE).replace(":row", row)


def first_row(page: Page) -> str:
    """The id of the scene's first finding, as an address has it."""
    show(page, f"/app/visits/{LIVE}/findings")
    link = page.locator("main a.item[href*='/findings/']").first
    return (link.get_attribute("href") or "").rsplit("/", 1)[-1] if link.count() else "none"


def _answer(route: Route) -> None:
    path = urlsplit(route.request.url).path
    if path == "/app/store.js":
        return route.fulfill(path=FAKE, content_type="text/javascript")
    if path == "/app/dev/checklist.json":
        return route.fulfill(json=_checklist())
    file = WEB / path.removeprefix("/app/")
    if Path(path).suffix and file.is_file():
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return route.fulfill(path=file, content_type="text/javascript" if file.suffix == ".js" else kind)
    if Path(path).suffix:
        return route.fulfill(status=404)
    return route.fulfill(body=_shell(), content_type="text/html; charset=utf-8")


def _shell() -> str:
    imports = {name: f"/app/vendor/{where}" for name, where in IMPORTS.items()}
    imports |= {name: f"/app/shims/{where}" for name, where in SHIMS.items()}
    tag = f'<script type="importmap">{json.dumps({"imports": imports})}</script>'
    return (WEB / "index.html").read_text().replace("<!--importmap-->", tag)


def _checklist() -> dict[str, Any]:
    """Two checklists of the demo as one template of a visit that holds both items."""
    items = []
    for name in ("hazchem-storage", "workshop-fire"):
        raw = json.loads((ROOT / "server" / "demo" / "checklists" / f"{name}.json").read_text())
        points = [
            {
                "id": f"{raw['prefix']}-{s}.{p:02}",
                "text": point["text"],
                "how": point.get("how", ""),
                "basis": point.get("gist", ""),
                "section": section["name"],
                "major": bool(point.get("major")),
            }
            for s, section in enumerate(raw["sections"], 1)
            for p, point in enumerate(section["points"], 1)
        ]
        items.append({"id": raw["id"], "name": raw["name"], "judged": raw["judged"], "points": points})
    return {"t": "checklist/1", "title": items[0]["name"], "items": items}
