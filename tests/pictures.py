"""Photographs every view of the router and every office page: all into build/pictures, a few into docs/pictures."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser.stage import ROOT, Look, address, browser, first_row, looking, show, views
from tests.office import screens as office
from tests.office.district import Office, demo_server
from tests.office.story import GUIDE_PICTURES, picture

ALL = ROOT / "build" / "pictures"
SHOWN = ROOT / "docs" / "pictures"
SCENES = {"full": "full", "empty": "empty", "error": "error"}
SIGNED_OUT = {"sign-in": {"full": "out", "empty": "out", "error": "error"}, "enrol": dict.fromkeys(SCENES, "new")}
FOR_DOCS = {
    "visits": ("/app/visits", Look(scale=2)),
    "checklist": ("/app/visits/:visit/checklist", Look(scale=2)),
    "conflicts": ("/app/visits/:visit/conflicts", Look(scale=2)),
    "record": ("/app/visits/:visit/record", Look(scene="stale", scale=2)),
}
GUIDE = {
    "home": "office-unit_clerk",
    "items": "office-items-unit_clerk",
    "item-points": "office-items-item_id-checklist-unit_clerk",
    "item-coverage": "office-items-coverage-unit_clerk",
    "officers": "office-officers-unit_clerk",
    "officer": "office-officers-officer_id-unit_clerk",
    "interests": "office-officers-interests-unit_clerk",
    "leave": "office-officers-leave-unit_clerk",
    "rules": "office-rules-rules_version-unit_clerk",
    "calendar": "office-calendar-calendar_year-unit_clerk",
    "capacity": "office-plans-plan_id-capacity-unit_clerk",
    "non-random": "office-non-random-unit_clerk",
    "exports": "office-imports-exports-unit_clerk",
    "province": "office-province-unit_clerk",
    "accounts": "office-accounts-admin",
    "phones": "office-devices-admin",
    "permissions": "office-permissions-unit_clerk",
    "trail": "office-trail-auditor",
}
"""Pictures of the guide beside those that story A makes (tests/office/test_story.py) -> the scene that they show."""

STORY = [sys.executable, "-m", "pytest", "-q", "tests/office/test_story.py", "--pictures"]
GAP = 24
COLOURS = 256


def main() -> None:
    """Takes all pictures and says how many there are."""
    with browser() as chromium:
        phone = sum(
            photograph(chromium, Look(lang=lang, width=width)) for lang in ("zh-CN", "en") for width in (360, 1280)
        )
        phone += photograph(chromium, Look(theme="dark", text="largest")) + photograph(chromium, Look(theme="sun"))
        pages = for_docs(chromium)
    print(f"{phone} pictures of the phone, {pages} of the office in {ALL}; for the docs: {SHOWN}")


def photograph(chromium: Browser, look: Look) -> int:
    """Every view in every scene, in one way of looking."""
    folder = ALL / "phone" / f"{look.lang}-{look.width}-{look.theme}"
    folder.mkdir(parents=True, exist_ok=True)
    taken = 0
    for scene in SCENES:
        for name, page in each_view(chromium, look, scene):
            page.screenshot(path=folder / f"{name}-{scene}.png", full_page=True)
            taken += 1
    return taken


def each_view(chromium: Browser, look: Look, scene: str) -> Iterator[tuple[str, Page]]:
    """The views of the router's table, each open."""
    table = views(chromium)
    with looking(chromium, Look(**{**look.__dict__, "scene": scene, "height": height(look)})) as page:
        row = first_row(page)
        for view in table:
            if view["name"] not in SIGNED_OUT:
                show(page, address(view["path"], row))
                yield view["name"], page
    for name, scenes in SIGNED_OUT.items():
        with looking(chromium, Look(**{**look.__dict__, "scene": scenes[scene], "height": height(look)})) as page:
            show(page, f"/app/{name}")
            yield name, page


def height(look: Look) -> int:
    """Of a phone, or of a window."""
    return 800 if look.width < 700 else 900


def for_docs(chromium: Browser) -> int:
    """The office's pages, all into build/pictures; and the pictures of the docs, in few colours."""
    SHOWN.mkdir(parents=True, exist_ok=True)
    for name, (path, look) in FOR_DOCS.items():
        with looking(chromium, look) as page:
            show(page, address(path))
            keep(page.screenshot(), SHOWN / f"phone-{name}.png")
    with demo_office() as bureau:
        taken = sum(
            photograph_office(chromium, bureau, office.Look(lang=lang, width=width))
            for lang in ("zh-CN", "en")
            for width in (360, 1280)
        )
        for_guide(chromium, bureau)
    subprocess.run(STORY, cwd=ROOT, check=True)
    folder = ALL / "office" / "zh-CN-1280"
    for name in ("inbox", "visit-conflict"):
        keep((folder / f"{name}.png").read_bytes(), SHOWN / f"office-{name}.png", crop=900)
    beside(SHOWN / "phone-checklist.png", SHOWN / "office-visit-conflict.png", SHOWN / "readme.png")
    return taken


def for_guide(chromium: Browser, bureau: Office) -> None:
    """The rooms of the demo district as the guide shows them."""
    shown = {scene.name: scene for scene in office.scenes(bureau)}
    with office.looking(chromium, bureau, office.Look()) as sight:
        for name, scene in GUIDE.items():
            page = sight.open(shown[scene], unfold=False)
            picture(page.screenshot(full_page=True), GUIDE_PICTURES / f"{name}.png")


@contextmanager
def demo_office() -> Iterator[Office]:
    """The demo district on a server of its own."""
    with tempfile.TemporaryDirectory() as folder:
        running = demo_server(Path(folder) / "data")
        try:
            yield Office(running)
        finally:
            running.stop()


def photograph_office(chromium: Browser, bureau: Office, look: office.Look) -> int:
    """Every scene of every route of the office."""
    folder = ALL / "office" / f"{look.lang}-{look.width}"
    folder.mkdir(parents=True, exist_ok=True)
    taken = 0
    with office.looking(chromium, bureau, look) as sight:
        for scene in office.scenes(bureau):
            page = sight.open(scene)
            page.screenshot(path=folder / f"{scene.name}.png", full_page=True)
            taken += 1
    return taken


def keep(picture: bytes, to: Path, crop: int | None = None) -> None:
    """A picture for the docs: few colours, small."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    if crop is not None:
        image = image.crop((0, 0, image.width, min(image.height, crop)))
    image.quantize(COLOURS).save(to, optimize=True)


def beside(left: Path, right: Path, to: Path) -> None:
    """Two pictures of one height on one sheet."""
    one, two = (Image.open(path).convert("RGB") for path in (left, right))
    one = one.resize((round(one.width * two.height / one.height), two.height))
    sheet = Image.new("RGB", (one.width + GAP + two.width, two.height), "#ffffff")
    sheet.paste(one, (0, 0))
    sheet.paste(two, (one.width + GAP, 0))
    sheet.quantize(COLOURS).save(to, optimize=True)


if __name__ == "__main__":
    main()
