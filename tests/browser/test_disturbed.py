"""Whatever happens on the way to the server, the queue stays, drains later, and the server holds each item once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Playwright

from tests.browser.journal import expire_sessions, held, media
from tests.browser.phone import Phone
from tests.browser.pictures import photograph
from tests.browser.proxy import Asked, Proxy
from tests.dispatching import dispatch_at
from tests.running import Running

WAYS = ["html", "400", "413", "500", "before", "during", "after"]


class Scene:
    """A phone with a queue for one visit, behind a line that can be disturbed."""

    def __init__(self, server: Running, proxy: Proxy, phone: Phone) -> None:
        self.server, self.proxy, self.phone = server, proxy, phone
        self.visit = dispatch_at(server)
        proxy.clear()
        phone.offline(False).enter("li").offline()

    def fill(self, ops: int = 12, photos: int = 0) -> list[str]:
        """Fills the queue; what is in it, by id."""
        for number in range(1, ops + 1):
            self.phone.act(self.visit, "set", ["answer", f"p{number:02}", "verdict"], "pass")
        if photos:
            self.phone.photos(self.visit, "visit", [photograph(seed) for seed in range(photos)])
        return self.queue()

    def queue(self) -> list[str]:
        """Ids in the outbox."""
        return sorted(item["id"] for item in self.phone.outbox())

    def drained(self, ids: list[str]) -> None:
        """Nothing waits any longer, and the server has all of it, each once."""
        self.proxy.clear()
        self.phone.offline(False)
        self.phone.sync()
        assert self.queue() == []
        log = held(self.server, self.visit)
        assert {id for id in ids if ":" in id} <= log.keys()
        assert {id for id in ids if ":" not in id} <= media(self.server)
        assert set(log.values()) == {"ok"}
        assert log.keys() == set(self.phone.ids(self.visit))


@pytest.fixture(scope="module")
def phone(
    playwright: Playwright, chromium: str, proxy: Proxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Phone]:
    """One phone for all of these tests; each has a visit of its own."""
    made = Phone(playwright, chromium, tmp_path_factory.mktemp("phone") / "profile", proxy.url).start()
    yield made
    made.kill()


@pytest.fixture
def scene(server: Running, proxy: Proxy, phone: Phone) -> Scene:
    return Scene(server, proxy, phone)


@pytest.mark.parametrize("way", WAYS)
def test_a_push_that_goes_wrong_leaves_the_queue_as_it_was(scene: Scene, way: str) -> None:
    queue = scene.fill()
    scene.proxy.disturb("POST", "/api/sync", way, times=100 if way in ("html", "413") else 2)
    scene.phone.offline(False)
    scene.phone.call("syncNow")
    assert scene.queue() == queue
    scene.drained(queue)


@pytest.mark.parametrize("way", WAYS)
def test_an_upload_that_goes_wrong_leaves_the_photos_in_the_queue(scene: Scene, way: str) -> None:
    scene.phone.photos(scene.visit, "visit", [photograph(7, 2.2)])
    queue = scene.queue()
    photos = [id for id in queue if ":" not in id]
    is_refused = way in ("400", "413")
    scene.proxy.disturb("POST" if is_refused else "PATCH", "/api/media", way, times=100 if is_refused else 2)
    scene.phone.offline(False)
    scene.phone.call("syncNow")
    assert [id for id in scene.queue() if ":" not in id] == photos
    scene.drained(queue)


@pytest.mark.parametrize("when", ["before", "during", "after"])
@pytest.mark.parametrize("path", ["/api/sync", "/api/media"])
def test_a_reload_at_any_moment_loses_nothing(scene: Scene, path: str, when: str) -> None:
    queue = scene.fill(photos=1)
    if when != "before":
        scene.proxy.disturb("POST", path, "hold" if when == "during" else "after")
        scene.phone.offline(False)
        scene.phone.page.evaluate("() => void import('/app/store.js').then((store) => store.syncNow())")
        if when == "during":
            scene.proxy.held.wait()
        else:
            scene.phone.until("now.online === false" if path == "/api/sync" else "now.online")
    # The page that comes back exchanges by itself; what it sends by then may not pass before the queue was looked at.
    scene.proxy.disturb("POST", "/api/sync", "500", times=1000)
    scene.phone.page.reload()
    scene.phone.until("now.ready")
    assert set(scene.queue()) <= set(queue)
    if path == "/api/sync":
        assert scene.queue() == queue
    scene.drained(queue)


def test_two_tabs_share_one_queue_and_send_it_once(scene: Scene) -> None:
    phone = scene.phone
    first = scene.fill(4)
    second = phone.context.new_page()
    second.goto(f"{phone.url}/app/visits")
    phone.until("now.ready", second)
    from_second = second.evaluate(
        "async (visit) => { const store = await import('/app/store.js'); await store.visit(visit);"
        "return store.act(visit, 'set', ['answer', 'p60', 'verdict'], 'pass'); }",
        scene.visit,
    )
    phone.until(f"store.outbox().then((items) => items.some(({{id}}) => id === '{from_second}'))")
    queue = scene.queue()
    assert queue == sorted([*first, from_second])
    assert sorted(int(id.split(":")[1]) for id in queue) == [1, 2, 3, 4, 5]
    phone.offline(False)
    seen = len(scene.proxy.done)
    second.evaluate("() => void import('/app/store.js').then((store) => store.syncNow())")
    phone.call("syncNow")
    scene.drained(queue)
    pushed = [it for it, _ in scene.proxy.done[seen:] if it.path == "/api/sync" and b'"push":[{' in it.plain]
    assert len(pushed) == 1
    second.close()


def test_an_expired_token_pauses_and_never_clears(scene: Scene) -> None:
    queue = scene.fill(photos=1)
    expire_sessions(scene.server)
    scene.phone.offline(False)
    scene.phone.sync()
    assert scene.phone.state()["paused"] == "signin"
    assert scene.queue() == queue
    scene.phone.enter("li")
    assert scene.phone.state()["paused"] is None
    scene.drained(queue)


def test_one_item_that_never_passes_does_not_keep_the_others(scene: Scene) -> None:
    scene.fill(9)
    scene.phone.act(scene.visit, "set", ["answer", "p10", "note"], "毒")
    queue = sorted([*scene.queue(), scene.phone.act(scene.visit, "set", ["answer", "p11", "verdict"], "pass")])

    def rule(asked: Asked) -> str | None:
        return "400" if asked.path == "/api/sync" and "毒".encode() in asked.plain else None

    scene.proxy.rule = rule
    scene.phone.offline(False)
    for _ in range(3):
        scene.phone.sync()
    assert scene.queue() == []
    assert held(scene.server, scene.visit).keys() >= set(queue)


def test_another_officer_sees_only_how_much_is_unsent(scene: Scene) -> None:
    queue = scene.fill(3)
    scene.phone.offline(False)
    scene.proxy.disturb("POST", "/api/sync", "500", times=100)
    answer = scene.phone.call("signOut")
    assert answer == {"done": False, "unsent": 3, "confirm": "3"}
    assert scene.phone.call("signOut", "3")["done"]
    scene.proxy.clear()
    scene.phone.enter("zhang")
    assert scene.phone.state()["others"] == [{"id": "li", "name": "li", "unsent": 3}]
    assert not scene.phone.outbox()
    assert not [id for id in scene.phone.ids(scene.visit) if id in queue]
    scene.phone.call("signOut", "0")
    scene.phone.enter("li")
    scene.drained(queue)
