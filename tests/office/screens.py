"""Office and public pages in a browser: every route in every scene, as those see it who read or act there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright

from server.demo.district import HAZCHEM
from tests.office.district import HTML, IDS, Office
from tests.office.permissions import REFUSED, Route, reading, table
from tests.office.samples import SAMPLES, Sample
from tests.office.walks import crews, objections, tasks

AXE: Final = Path(__file__).resolve().parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"
FLAGS: Final = [
    "--no-sandbox",
    "--lang=zh-CN",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
OUTSIDE: Final = ("/api/", "/app", "/schema", "/healthz", "/office/assets/", "/assets/")
"""Where the phone and programs ask: no pages of ours."""

DEMO: Final = {
    "public": None,
    "unit_clerk": "clerk",
    "unit_head": "head",
    "legal_unit": "legal",
    "principal": "principal",
    "admin": "admin",
    "auditor": "auditor",
    "steering_group": "steering",
}
"""Role -> who has it in the demo district, in the order in which somebody is looked for who may read a page."""

SMALL: Final = """() => [
    ...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary'),
  ].filter((one) => {
    if (one.closest('p, li, dd, .tag, .notice') && getComputedStyle(one).display === 'inline') return false;
    if (one.closest('td, th') && getComputedStyle(one).display === 'inline') return false;
    if (!one.checkVisibility({ visibilityProperty: true }) || one.matches('.skip, .vh')) return false;
    const target = one.matches('[type=checkbox], [type=radio]') ? one.closest('label') ?? one : one;
    const box = target.getBoundingClientRect();
    return box.width > 0 && (box.height < 43.9 || box.width < 43.9);
  })
  .map((one) => `${one.tagName} ${one.className} ${one.textContent.trim().slice(0, 20)} `
    + `${one.getBoundingClientRect().width}x${one.getBoundingClientRect().height}`)"""

LATIN: Final = re.compile(
    r"RFC \d+|C2SP|Ed25519|\b[a-z_]+\.py\b|"
    r"English|SHA-256|GB/?T? \d+|AQ \d+|\b[0-9A-F]{4}-[0-9A-F]{4}\b|\b[0-9a-f]{8,}\b|[0-9a-f]{8}…:\d+|"
    r"\b[0-9A-HJ-NPQRTUWXY]{18}\b|\bnot_found\b|\bXLSX\b|\bCSV\b|\.csv\b|\bUTF-8\b|\d+ ?MB\b|\bJSON\b|\bPDF\b"
)
"""What stands in Latin letters on a Chinese page, and may: codes, standards, the name of the other language."""


@dataclass(frozen=True)
class Look:
    """How a page is looked at."""

    lang: str = "zh-CN"
    width: int = 1280
    scheme: str = "light"
    script: bool = True


@dataclass(frozen=True)
class Scene:
    """One address of a route: who looks, and what is typed before where that makes the scene."""

    name: str
    route: str
    address: str
    who: str | None = "clerk"
    wrong_password: bool = False


def scenes(office: Office) -> list[Scene]:
    """Every page: what the routes show of the demo's samples, and beside it empty pages and pages in error."""
    photo = next(iter(_content(office, "ordered")["media"]))
    visit, history, photos = "/office/visits/{visit_id:str}", "/history", "/photos/{sha256:str}"
    found = [
        Scene("sign-in", "/office/sign-in", "/office/sign-in", None),
        Scene("sign-in-error", "/office/sign-in", "/office/sign-in", None, wrong_password=True),
        Scene("inbox-all", "/office/inbox", "/office/inbox?show=all"),
        Scene("inbox-every-unit", "/office/inbox", "/office/inbox?show=all", "principal"),
        Scene("inbox-empty", "/office/inbox", "/office/inbox?show=all&q=没有这家"),
        Scene("inbox-nothing-pending", "/office/inbox", "/office/inbox?q=没有这家"),
        Scene("visit-error", visit, "/office/visits/none"),
        Scene("history-empty", visit + history, f"/office/visits/{IDS['fresh-one']}/history"),
        Scene("photo", visit + photos, f"/office/visits/{IDS['ordered']}/photos/{photo}"),
        Scene(
            "fitness",
            "/office/officers/{officer_id:str}/fitness",
            "/office/officers/li/fitness?since=2026-11-25&until=2026-11-27",
        ),
        Scene("nowhere", "/office/{rest:path}", "/office/nowhere"),
    ]
    found += [Scene(f"visit-{name}", visit, f"/office/visits/{IDS[name]}") for name in VISITS]
    found += _objections(office)
    found.append(Scene("visit-returned-head", visit, f"/office/visits/{IDS['returned']}", "head"))
    shown = {scene.route for scene in found} - {"/office/inbox"}
    return (
        found
        + _joint(office)
        + [scene for route in pages() if route.path not in shown for scene in scenes_of(office, route)]
    )


def _objections(office: Office) -> list[Scene]:
    """An objection in the states in which something is to be done with it, as those see it who do it."""
    made = {
        "filed": ("clerk", objections.sample(office, "approved", HAZCHEM)),
        "filed-principal": ("principal", objections.sample(office, "approved", HAZCHEM)),
        "filed-legal": ("legal", objections.sample(office, "approved", HAZCHEM)),
        "rechecking": ("clerk", objections.rechecking(office)),
        "found-head": ("head", objections.found(office)),
        "confirmed": ("clerk", objections.confirmed(office, "upheld")),
    }
    route = "/office/objections/{objection_id:str}"
    return [Scene(f"objection-{name}", route, f"/office/objections/{id}", who) for name, (who, id) in made.items()]


def _joint(office: Office) -> list[Scene]:
    """A joint task that another department led, in office and public; and crews with an expert who was appointed."""
    task, no = tasks.joint(office)
    with_expert = crews.with_experts(office)
    visit = crews.assigned(office, with_expert).id
    room, one = "/office/crews/{crew_task_id:str}", "/office/crews/visits/{visit_id:str}"
    return [
        Scene("task-joint", "/office/tasks/{task_id:str}", f"/office/tasks/{task}", "clerk-brigade"),
        Scene("draw-joint", "/draws/{no:str}", f"/draws/{no}", None),
        Scene("notice-joint", "/notices/{no:str}", f"/notices/{no.removeprefix('J-')}", None),
        Scene("crews-joint", room, f"/office/crews/{task}", "clerk-brigade"),
        Scene("crews-expert", room, f"/office/crews/{with_expert}"),
        Scene("crew-expert", one, f"/office/crews/visits/{visit}"),
    ]


def _content(office: Office, name: str) -> dict[str, Any]:
    content = office.view(name)["content"]
    assert isinstance(content, dict)
    return content


def pages() -> list[Route]:
    """Every route by which a browser reads, outside of the phone's and the programs'."""
    return [
        route
        for route in table()
        if route.method == "GET" and "=" not in route.path and not route.path.startswith(OUTSIDE)
    ]


def scenes_of(office: Office, route: Route) -> list[Scene]:
    """The page as the first sees it who may, and as all those see it who may act there; none where it is a file."""
    reader = next(role for role in DEMO if route.cells[role] != REFUSED)
    actors = {
        role
        for line in table()
        if line.method == "POST" and reading(line) == route and REFUSED in _office(line)
        for role in DEMO
        if line.cells[role] != REFUSED and line.cells["public"] == REFUSED and route.cells[role] != REFUSED
    }
    address = address_of(office, route)
    name = re.sub(r"\W+", "-", route.path.replace(":str", "").replace(":int", "")).strip("-") or "front"
    return [
        Scene(f"{name}-{role}", route.path, address, DEMO[role])
        for role in sorted({reader, *actors})
        if _is_page(office, address, DEMO[role])
    ]


def _office(line: Route) -> set[str]:
    """What a line says of those who work in the office: where nobody is refused they all see one page."""
    return {line.cells[role] for role, name in DEMO.items() if name is not None}


def address_of(office: Office, route: Route) -> str:
    """A route's address with the samples of the clerk's unit in it."""
    return route.filled({name: _sample(office, route, name).own for name in route.parameters})


def _sample(office: Office, route: Route, name: str) -> Sample:
    return SAMPLES[route.path if route.path in SAMPLES else name](office)


def _is_page(office: Office, address: str, who: str | None) -> bool:
    """Whether an address answers with a page: no file, feed or fragment, and it doesn't only lead elsewhere."""
    client = office.stranger if who is None else office.client(who)
    answer = client.head(address, headers=HTML)
    answer = client.get(address, headers=HTML) if answer.status_code == 405 else answer
    is_html = answer.headers.get("content-type", "").startswith("text/html")
    return answer.status_code < 300 and is_html and (answer.request.method == "HEAD" or "<html" in answer.text)


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
        self._people: dict[str | None, Page] = {}
        self._scene = ""

    def open(self, scene: Scene, *, unfold: bool = True) -> Page:
        """The page of a scene, with all that is folded on it opened; each person has one tab."""
        self._scene = scene.name
        page = self._person(scene.who)
        page.goto(self.office.running.url + scene.address, wait_until="load")
        if scene.wrong_password:
            page.fill("input[name=username]", "clerk")
            page.fill("input[name=password]", "wrong-password")
            page.press("input[name=password]", "Enter")
            page.wait_for_selector("[role=alert]")
        if unfold:
            page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        return page

    def _person(self, who: str | None) -> Page:
        if who not in self._people:
            context = self.browser.new_context(
                viewport={"width": self.look.width, "height": 900},
                locale=self.look.lang,
                color_scheme="dark" if self.look.scheme == "dark" else "light",
                reduced_motion="reduce",
                java_script_enabled=self.look.script,
            )
            if who is not None:
                token = str(self.office.client(who).headers["authorization"]).removeprefix("Bearer ")
                context.add_cookies([{"name": "suijian", "value": token, "url": self.office.running.url}])
            self._people[who] = context.new_page()
            self._people[who].on("pageerror", lambda error: self.faults.append(f"{self._scene}: {error}"))
        return self._people[who]

    def close(self) -> None:
        """Ends every context."""
        for page in self._people.values():
            page.context.close()


@contextmanager
def looking(browser: Browser, office: Office, look: Look) -> Iterator[Sight]:
    """One way of looking at the office; an error of a page's script is a failure."""
    sight = Sight(browser, office, look)
    try:
        yield sight
    finally:
        sight.close()
    assert not sight.faults, sight.faults


def axe(page: Page, *only: str) -> list[str]:
    """What axe-core finds by all its rules, or `only` some; it comes in past the page's policy for scripts."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    chosen = {"resultTypes": ["violations"]} | ({"runOnly": list(only)} if only else {})
    found = page.evaluate("(chosen) => axe.run(document, chosen).then(({ violations }) => violations)", chosen)
    return [
        f"{one['id']} {node['html'][:160]} {node['failureSummary'][:240]}" for one in found for node in one["nodes"]
    ]


def fit(page: Page) -> list[str]:
    """What is wider than the window, or too small to hit."""
    wide, room = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return ([f"scrolls sideways: {wide} > {room}"] if wide > room else []) + list(page.evaluate(SMALL))


def foreign_words(page: Page) -> list[str]:
    """Latin words on a Chinese page; what stands in `code` is a code."""
    text = page.evaluate(
        """() => {
          const body = document.body.cloneNode(true);
          body.querySelectorAll('code, pre, script').forEach((one) => one.remove());
          document.body.append(body);
          const text = body.innerText;
          body.remove();
          return text;
        }"""
    )
    return re.findall(r"[A-Za-z]{2,}[A-Za-z .]*", LATIN.sub("", text))


def unsent(page: Page) -> list[str]:
    """Forms that nobody could send without script: no address, or no button."""
    return list(
        page.evaluate(
            """() => [...document.querySelectorAll('form[method=post]')]
              .filter((one) => !one.getAttribute('action') || !one.querySelector('button:not([type=button])'))
              .map((one) => `a form without address or button: ${one.outerHTML.slice(0, 160)}`)"""
        )
    )
