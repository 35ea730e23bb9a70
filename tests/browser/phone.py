"""A phone: the field app in a Chromium of its own, with a profile that outlives it; it can be cut off and killed."""

from __future__ import annotations

import base64
import os
import re
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from playwright.sync_api import BrowserContext, Page, Playwright

from tests.scene import PASSWORD

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=360,740",
    "--remote-debugging-port=0",
)
FACADE = "async ([name, given]) => (await import('/app/store.js'))[name](...given)"


def _wait_for_group(group: int) -> None:
    """Returns when no process of this group runs any longer."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            pid = int(folder.name)
            if os.getpgid(pid) == group:
                ended = os.pidfd_open(pid)
                select.select([ended], [], [])
                os.close(ended)
        except ProcessLookupError:
            continue


class Phone:
    """One profile folder; `start` opens the app in it, `kill` ends all its processes at once."""

    def __init__(self, playwright: Playwright, chromium: str, profile: Path, url: str) -> None:
        self.playwright, self.chromium, self.profile, self.url = playwright, chromium, profile, url
        self.process: subprocess.Popen[str] | None = None
        self.page: Page
        self.context: BrowserContext
        self.errors: list[str] = []
        self.said: list[str] = []

    def start(
        self, *, offline: bool = False, path: str = "/app/visits", prepare: Callable[[Self], None] | None = None
    ) -> Self:
        """Starts the browser and opens the app; returns when it has read its database."""
        self.process = subprocess.Popen(
            [self.chromium, *FLAGS, f"--user-data-dir={self.profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={"PATH": os.environ["PATH"], "HOME": str(self.profile.parent), "TZ": "Asia/Shanghai"},
        )
        browser = self.playwright.chromium.connect_over_cdp(self._address())
        self.context = browser.contexts[0]
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        if prepare:
            prepare(self)
        self.context.set_offline(offline)
        self.open("/app/visits")
        return self

    def _address(self) -> str:
        """Where the browser listens, as it says itself; what else it says is read and dropped."""
        assert self.process and self.process.stderr
        said = self.process.stderr
        for line in said:
            if found := re.search(r"ws://\S+", line):
                self.reader = threading.Thread(target=lambda: self.said.extend(said), daemon=True)
                self.reader.start()
                return found[0]
        raise RuntimeError("Chromium ended while it started")

    def _ended(self) -> None:
        assert self.process and self.process.stderr
        _wait_for_group(self.process.pid)
        self.process.wait()
        self.reader.join()
        self.process.stderr.close()
        self.process = None

    def open(self, path: str) -> None:
        """Opens a page of the app."""
        self.page.goto(self.url + path)
        self.until("now.ready")

    def until(self, condition: str, page: Page | None = None) -> None:
        """Waits until a condition on the store's state (`now`) or the store (`store`) holds."""
        script = (
            "import('/app/store.js').then((store) => new Promise((done) => {"
            "let off = () => {};"
            "const look = async () => { const now = store.state(); if (await (" + condition + ")) { off(); done(); } };"
            "off = store.subscribe(look); look(); }))"
        )
        (page or self.page).evaluate(script)

    def strike(self) -> None:
        """SIGKILL to the browser and everything it started; from any thread."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """The same, and waits until every process of it is gone: a new browser must not meet an old one's locks."""
        if self.process is not None:
            self.strike()
            self._ended()

    def stop(self) -> None:
        """Closes the browser as a person does."""
        if self.process is not None:
            self.context.browser.new_browser_cdp_session().send("Browser.close")  # type: ignore[union-attr]
            self._ended()

    # --- the store ----------------------------------------------------------------------------------------------------

    def call(self, name: str, *given: Any) -> Any:
        """Calls a function of the store."""
        return self.page.evaluate(FACADE, [name, list(given)])

    def state(self) -> dict[str, Any]:
        """The store's snapshot."""
        return dict(self.call("state"))

    def enter(self, username: str, name: str | None = None) -> Self:
        """Signs in, enrols where that is the first time, and fetches everything; the app is kept for offline."""
        self.page.evaluate("async () => void (await navigator.serviceWorker.ready)")
        if not self.call("signIn", username, PASSWORD)["enrolled"]:
            self.call("enrol", name or f"{username}'s phone")
        self.call("syncNow")
        return self

    def sync(self) -> Self:
        """Exchanges until nothing more is to be said."""
        self.call("syncNow")
        return self

    def offline(self, cut: bool = True) -> Self:
        """Cuts the network, or restores it."""
        self.context.set_offline(cut)
        return self

    def act(self, visit: str, kind: str, path: Sequence[str], val: Any, base: Sequence[str] | None = None) -> str:
        """One op over what the phone shows now, or over `base`; its id, once it is durable."""
        script = (
            "async ([visit, ...given]) => { const store = await import('/app/store.js');"
            "await store.visit(visit); return store.act(visit, ...given); }"
        )
        given = [visit, kind, list(path), val] + ([] if base is None else [list(base)])
        return str(self.page.evaluate(script, given))

    def view(self, visit: str) -> dict[str, Any]:
        """The visit as this phone folds it."""
        return dict(self.page.evaluate("async (id) => (await (await import('/app/store.js')).visit(id)).view", visit))

    def ids(self, visit: str) -> list[str]:
        """Every op of a visit that is on this phone."""
        script = (
            "async (id) => (await (await import('/app/store.js')).visit(id)).entries"
            ".map(({op, rid, seq}) => op ? `${op.rid}:${op.seq}` : `${rid}:${seq}`)"
        )
        return sorted(self.page.evaluate(script, visit))

    def outbox(self, *, all: bool = False) -> list[dict[str, Any]]:
        """The items of the outbox."""
        return list(self.call("outbox", all))

    def photos(
        self, visit: str, target: str, pictures: Sequence[bytes], source: str = "camera"
    ) -> list[dict[str, Any]]:
        """Gives pictures to the app as the camera does."""
        script = (
            "async ([visit, target, pictures]) => {"
            "const files = pictures.map((text, i) => new File("
            "[Uint8Array.from(atob(text), (char) => char.charCodeAt(0))], `${i}.jpg`, {type: 'image/jpeg'}));"
            "return (await import('/app/store.js')).addPhotos(visit, target, files, 'camera'); }"
        )
        encoded = [base64.b64encode(picture).decode() for picture in pictures]
        return list(self.page.evaluate(script, [visit, target, encoded]))

    def sign(self, visit: str, signer: str, digest: str) -> str:
        """Draws a signature over a digest."""
        script = (
            "async ([visit, signer, digest]) => {"
            "const canvas = new OffscreenCanvas(400, 160); const pen = canvas.getContext('2d');"
            "pen.fillText(signer + Math.random(), 20, 80);"
            "const png = await canvas.convertToBlob({type: 'image/png'});"
            "const strokes = [{points: [{x: Math.random() * 100, y: 2.5, time: 1}]}];"
            "return (await import('/app/store.js')).captureSignature(visit, signer, {png, strokes}, digest); }"
        )
        return str(self.page.evaluate(script, [visit, signer, digest]))
