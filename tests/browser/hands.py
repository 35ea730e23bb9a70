"""What a person does on a phone's screens, by the words that stand there; each returns when it is on the disk."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Self
from urllib.parse import quote

from playwright.sync_api import Locator

from tests.browser.phone import Phone

PICTURES = Path(__file__).resolve().parents[2] / "build" / "pictures"

VIDEO = """(size) => {
  const words = new Uint32Array(size / 4);
  for (let i = 0, x = 38; i < words.length; i += 1) {
    x ^= x << 13; x ^= x >>> 17; x ^= x << 5;
    words[i] = x;
  }
  const given = new DataTransfer();
  given.items.add(new File([words], "VID_0001.mp4", { type: "video/mp4" }));
  const box = [...document.querySelectorAll("input[data-source=gallery]")].at(-1);
  box.files = given.files;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}"""
"""Made in the page: a browser that is told what to do from outside takes no file of this size in good time."""


class Hand:
    """One person with a phone, at one visit."""

    def __init__(self, phone: Phone, officer: str, visit: str, pictures: str | None = None) -> None:
        self.phone, self.officer, self.visit, self.pictures = phone, officer, visit, pictures
        self.shot = 0

    def begin(self, moment: datetime, place: tuple[float, float] | None = None) -> Self:
        """Switches the phone on at a moment of its own clock, and signs in."""

        def prepare(phone: Phone) -> None:
            phone.context.clock.install(time=moment)
            if place:
                phone.context.grant_permissions(["geolocation"])
                phone.context.set_geolocation({"latitude": place[0], "longitude": place[1], "accuracy": 12})

        self.phone.start(prepare=prepare).enter(self.officer)
        return self

    @property
    def said(self) -> str:
        """What the screen says."""
        return self.phone.page.locator("body").inner_text()

    def at(self, page: str = "") -> Self:
        """Opens a page of the visit."""
        self.phone.open(f"/app/visits/{self.visit}{page}")
        self.phone.page.locator("h1").first.wait_for()
        return self

    def look(self, name: str) -> None:
        """With --pictures: photographs the screen at both widths."""
        if self.pictures is None:
            return
        self.shot += 1
        folder = PICTURES / self.pictures
        folder.mkdir(parents=True, exist_ok=True)
        for width, height in ((1280, 900), (360, 740)):
            self.phone.page.set_viewport_size({"width": width, "height": height})
            self.phone.page.wait_for_timeout(150)
            path = folder / f"{self.officer}-{self.shot:02}-{name}-{width}.png"
            self.phone.page.screenshot(path=path, full_page=True)

    def knows(self, condition: str) -> None:
        """Waits until what this phone has of the visit (`it`) is so."""
        self.phone.until(f"store.visit('{self.visit}').then((it) => {condition})")

    def tap(self, words: str, role: str = "button") -> None:
        """Taps what bears these words."""
        self.phone.page.get_by_role(role, name=words, exact=True).click()  # type: ignore[arg-type]

    def see(self, *words: str) -> None:
        """Waits until each of these stands there."""
        for one in words:
            self.phone.page.get_by_text(one).first.wait_for()

    def type(self, label: str, text: str, path: str) -> None:
        """Types into a field, which saves itself under `path` of the content."""
        field = self.phone.page.get_by_label(label, exact=True)
        field.fill(text)
        field.blur()
        self.knows(f"it.view.content.{path} === {json.dumps(text)}")

    # --- the four steps -----------------------------------------------------------------------------------------------

    def declare(self) -> None:
        """No interest."""
        self.at("?step=interest").tap("没有", "radio")
        self.look("interest")
        self.tap("我声明：没有")
        self.knows(f"it.view.content.visit['no_interest:{self.officer}']?.interest === false")

    def show_certificates(self) -> None:
        self.at("?step=certificates").look("certificates")
        self.tap("已向对方出示")
        self.knows("it.view.content.visit.certificates_shown")

    def arrive(self) -> None:
        self.at("?step=arrival").phone.page.get_by_text("正在定位").wait_for(state="detached")
        self.look("arrival")
        self.tap("记下到场")
        self.knows("it.view.content.visit.arrived")

    def read_notice(self) -> None:
        self.at("?step=notice").look("notice")
        self.tap("已读给对方听，对方确认")
        self.knows("it.view.content.visit.notice_read")

    # --- checklist, findings, photos ----------------------------------------------------------------------------------

    def answer(self, point: str, words: str, verdict: str) -> None:
        """Answers one point of the checklist."""
        self.at(f"/checklist?point={point}").tap(words, "radio")
        self.knows(f"it.view.content.answer['{point}']?.verdict === '{verdict}'")
        if verdict == "fail":
            self.knows(f"Object.values(it.view.content.finding).some((one) => one.point === '{point}')")

    def findings(self) -> list[str]:
        """The rows, in the order of their numbers."""
        script = (
            "async (id) => { const it = await (await import('/app/store.js')).visit(id);"
            "return it.entries.filter(({ op }) => op?.kind === 'add').map(({ op }) => `${op.rid}:${op.seq}`); }"
        )
        return [str(row) for row in self.phone.page.evaluate(script, self.visit)]

    def open_finding(self, row: str) -> None:
        self.at(f"/findings/{quote(row, safe='')}")

    def pick(self, row: str, words: str, field: str, value: str) -> None:
        """Chooses one of the halves of an open finding."""
        self.tap(words, "radio")
        self.knows(f"it.view.content.finding['{row}']?.{field} === '{value}'")

    def photograph(self, picture: bytes) -> str:
        """Takes a photo with the camera of the screen that is open; its SHA-256."""
        before = {one["sha256"] for one in self.media()}
        box = self.phone.page.locator("input[data-source=camera]").last
        box.set_input_files({"name": "IMG_0001.jpg", "mimeType": "image/jpeg", "buffer": picture})
        self.knows(f"it.media.length === {len(before) + 1}")
        (fresh,) = {one["sha256"] for one in self.media()} - before
        return str(fresh)

    def media(self) -> list[dict[str, str]]:
        script = "async (id) => (await (await import('/app/store.js')).visit(id)).media"
        return list(self.phone.page.evaluate(script, self.visit))

    def choose_video(self, size: int) -> str:
        """Chooses a video of so many bytes from the gallery of the screen that is open; its SHA-256."""
        before = {one["sha256"] for one in self.media()}
        self.phone.page.evaluate(VIDEO, size)
        self.knows(f"it.media.length === {len(before) + 1}")
        (fresh,) = {one["sha256"] for one in self.media()} - before
        return str(fresh)

    # --- the result ---------------------------------------------------------------------------------------------------

    def choose(self, item: str, words: str, types: list[str]) -> None:
        """The leader's choice for one item."""
        self.at(f"/result?item={item}")
        self.look(f"result-{item}")
        more = self.phone.page.locator("button.more")
        choice = self.phone.page.get_by_role("radio").filter(has_text=words)
        if more.count() and not choice.count():
            more.click()
        choice.click()
        self.knows(f"JSON.stringify(it.view.content.visit['result:{item}']) === '{json.dumps(types)}'")

    def tried(self, way: str, result: str, nth: int) -> None:
        """Writes down that the subject was called or looked for; it is the `nth` time."""
        self.at("/result").phone.page.get_by_text("联系经过").click()
        self.phone.page.get_by_label("怎么联系").select_option(label=way)
        self.phone.page.get_by_label("结果怎样").fill(result)
        self.look(f"attempt-{nth}")
        self.tap("记下这次联系")
        self.knows(f"it.view.content.visit.attempts?.length === {nth}")

    def obstructed(self, words: str, text: str) -> None:
        """Ticks one circumstance of those who don't cooperate, and says how it was; an older tick goes."""
        self.at("/result").phone.page.get_by_text("不配合的情形", exact=True).click()
        self.phone.page.get_by_role("dialog").get_by_text(words).click()
        self.phone.page.get_by_label("具体说明").fill(text)
        self.look("circumstances")
        self.tap("保存")
        self.phone.page.get_by_role("dialog").wait_for(state="detached")

    # --- the end ------------------------------------------------------------------------------------------------------

    def refuse(self, reason: str) -> None:
        """The subject doesn't sign, and says why."""
        self.at("/sign?who=subject").tap("对方拒签", "radio")
        self.phone.page.get_by_label("为什么拒签").fill(reason)
        self.look("refused")
        self.tap("记下拒签")
        self.phone.page.wait_for_url(f"**/app/visits/{self.visit}/record")
        self.knows("it.view.signatures.some((one) => one.signer === 'subject')")

    def draw(self, signer: str) -> None:
        """Signs on this phone with the finger."""
        self.at(f"/sign?who={quote(signer)}")
        pad = self.phone.page.locator("canvas")
        pad.wait_for()
        self.stroke(pad)
        self.look(f"sign-{signer}")
        self.tap("确认签字")
        self.phone.page.wait_for_url(f"**/app/visits/{self.visit}/record")
        self.knows(f"it.view.signatures.some((one) => one.signer === '{signer}')")

    def stroke(self, pad: Locator) -> None:
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        assert box
        mouse = self.phone.page.mouse
        mouse.move(box["x"] + 30, box["y"] + 60)
        mouse.down()
        for step in range(1, 9):
            mouse.move(box["x"] + 30 + 25 * step, box["y"] + 60 + 30 * (step % 2))
        mouse.up()

    def propose(self) -> None:
        """The leader's last tap."""
        self.at("/result").look("propose")
        self.tap("提交定稿")
        self.knows("it.entries.some(({ op }) => op?.kind === 'propose_final' && op.author === it.view.leader)")
