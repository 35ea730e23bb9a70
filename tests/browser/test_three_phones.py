"""Two members and a leader, each alone with his phone, meet again in any order: one signed record comes out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright

from tests.browser.journal import held, media
from tests.browser.phone import Phone
from tests.browser.pictures import photograph
from tests.dispatching import ITEM, POINTS, dispatch_at
from tests.running import Running

CREW = ("li", "zhang", "wang")
ORDERS = [*permutations(CREW)]
SHARE = {"li": POINTS[:20], "zhang": POINTS[20:40], "wang": POINTS[40:]}


@pytest.fixture(scope="module")
def phones(
    playwright: Playwright, chromium: str, server: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Phone]]:
    """A phone for each of the crew, with a profile of its own."""
    folder: Path = tmp_path_factory.mktemp("phones")
    crew = {who: Phone(playwright, chromium, folder / who, server.url).start().enter(who) for who in CREW}
    yield crew
    for phone in crew.values():
        phone.kill()


class Group:
    """The crew on one visit, and every id that a phone has called saved."""

    def __init__(self, server: Running, phones: dict[str, Phone]) -> None:
        self.server, self.phones = server, phones
        self.visit = dispatch_at(server)
        self.saved: set[str] = set()
        self.photos: set[str] = set()
        self.meet(*CREW)

    def act(self, who: str, kind: str, path: list[str], val: Any, base: list[str] | None = None) -> str:
        op = self.phones[who].act(self.visit, kind, path, val, base)
        self.saved.add(op)
        return op

    def photograph(self, who: str, target: str, seed: int) -> None:
        for number in range(2):
            [kept] = self.phones[who].photos(self.visit, target, [photograph(seed + number, 2.2)])
            self.saved.add(kept["op"])
            self.photos.add(kept["sha256"])

    def meet(self, *order: str) -> None:
        """Each has a network again, one after the other; then all hear the rest."""
        for who in order:
            self.phones[who].offline(False).sync()
        for who in order:
            self.phones[who].sync()

    def part(self) -> None:
        for phone in self.phones.values():
            phone.offline()

    def views(self) -> dict[str, dict[str, Any]]:
        """The visit as the server and each phone show it."""
        with self.server.signed_in("li") as client:
            server = client.get(f"/api/visits/{self.visit}/view").json()
        return {"server": server} | {who: phone.view(self.visit) for who, phone in self.phones.items()}

    def digest(self) -> str:
        """The one digest that server, phones and office page show."""
        views = self.views()
        [digest] = {view["digest"] for view in views.values()}
        with self.server.signed_in("clerk") as client:
            page = client.get(f"/office/visits/{self.visit}").text
        assert f"{digest[:4]}-{digest[4:8]}".upper() in page
        return str(digest)

    def shows(self, who: str, page: str, *words: str) -> None:
        """Waits until a page of the app says all of these words: a part of it may come after the rest."""
        phone = self.phones[who]
        phone.open(f"/app/visits/{self.visit}{page}")
        for word in words:
            phone.page.locator("main").get_by_text(word).first.wait_for()


def work_alone(group: Group, shared: str, struck: str) -> None:
    """At least twenty ops and two photos a phone; two write one finding, one strikes a row that another edits."""
    for seed, (who, points) in enumerate(SHARE.items()):
        for point in points:
            group.act(who, "set", ["answer", point, "verdict"], "pass")
        group.act(who, "set", ["visit", f"no_interest:{who}"], {"interest": False, "reason": ""})
        group.photograph(who, f"finding:{shared}", 10 * seed)
    group.act("li", "set", ["finding", shared, "text"], "组长：通道被货架占用")
    group.act("zhang", "set", ["finding", shared, "text"], "张立：通道被纸箱占用")
    group.act("zhang", "del", ["finding", struck], {"reason": "重复"})
    group.act("wang", "set", ["finding", struck, "place"], "二号库")


def begin(group: Group) -> tuple[str, str]:
    """Two findings that everybody has seen."""
    first = {"text": "通道", "severity": "general", "measure": "on_spot", "point": POINTS[0], "place": "一号库"}
    shared = group.act("li", "add", ["finding"], first)
    struck = group.act("li", "add", ["finding"], {**first, "text": "门未关"})
    group.meet("li", "zhang", "wang")
    return shared, struck


def settle(group: Group, shared: str) -> None:
    """The two versions are shown with their authors, and the leader writes the one that stands."""
    versions = {view["digest"] is None and _said(view) for view in group.views().values()}
    assert versions == {(("li", "组长：通道被货架占用"), ("zhang", "张立：通道被纸箱占用"))}
    group.shows("li", "/conflicts", "li", "zhang", "组长：通道被货架占用", "张立：通道被纸箱占用")
    path = ["finding", shared, "text"]
    base = group.phones["li"].call("heads", group.visit, path)
    assert len(base) == 2
    group.act("li", "set", path, "通道被货架和纸箱占用", base)
    group.act("li", "set", ["visit", f"result:{ITEM}"], ["ordered_to_correct"])
    group.act("li", "set", ["visit", "result"], "ordered_to_correct")
    group.meet("li", "zhang", "wang")


def _said(view: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    [conflict] = view["conflicts"]
    return tuple(sorted((head["author"], head["val"]) for head in conflict["heads"]))


def sign_all(group: Group) -> None:
    """One signs early; a late edit makes that stale, by exactly this edit; then all sign, and the subject too."""
    digest = group.digest()
    early = group.phones["zhang"].sign(group.visit, "zhang", digest)
    path = ["answer", POINTS[59], "note"]
    group.act("wang", "set", path, "补记：已当场清理")
    group.meet("wang", "zhang", "li")
    for view in group.views().values():
        [signature] = view["signatures"]
        assert (signature["op"], signature["state"], signature["changed"]) == (early, "stale", [path])
    changes = group.phones["zhang"].call("changesSince", group.visit, early)
    assert changes == [{"path": path, "then": None, "now": "补记：已当场清理"}]
    group.shows("zhang", "/record", "补记：已当场清理")
    digest = group.digest()
    group.part()
    signs = {group.phones[who].sign(group.visit, who, digest) for who in CREW}
    signs.add(group.phones["li"].sign(group.visit, "subject", digest))
    group.saved |= signs | {early}
    group.meet("wang", "li", "zhang")
    for view in group.views().values():
        assert {it["op"]: it["state"] for it in view["signatures"]} == {early: "stale"} | dict.fromkeys(
            signs, "current"
        )


def finalize(group: Group) -> None:
    """The leader proposes, the server accepts, the office sees the final with every photo."""
    digest = group.digest()
    group.saved.add(str(group.phones["li"].call("proposeFinal", group.visit)))
    group.meet("li", "zhang", "wang")
    assert {(view["phase"], view["digest"]) for view in group.views().values()} == {("final", digest)}
    assert group.digest() == digest
    with group.server.signed_in("clerk") as client:
        page = client.get(f"/office/visits/{group.visit}").text
        for sha256 in group.photos:
            assert sha256 in page
            assert client.get(f"/office/visits/{group.visit}/photos/{sha256}").status_code == 200


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_three_phones_make_one_record(server: Running, phones: dict[str, Phone], order: tuple[str, ...]) -> None:
    group = Group(server, phones)
    shared, struck = begin(group)
    group.part()
    work_alone(group, shared, struck)
    group.meet(*order)
    settle(group, shared)
    assert struck in group.views()["server"]["content"]["finding"]
    sign_all(group)
    finalize(group)
    _nothing_lost(group)


def test_the_same_where_the_server_is_dead_instead(server: Running, phones: dict[str, Phone]) -> None:
    group = Group(server, phones)
    shared, struck = begin(group)
    server.kill()
    work_alone(group, shared, struck)
    group.phones["zhang"].sync()
    assert group.phones["zhang"].state()["online"] is False
    server.start()
    group.meet("wang", "zhang", "li")
    settle(group, shared)
    sign_all(group)
    finalize(group)
    _nothing_lost(group)


def _nothing_lost(group: Group) -> None:
    log = held(group.server, group.visit)
    assert group.saved <= log.keys()
    assert group.photos <= media(group.server)
    for phone in group.phones.values():
        assert phone.outbox() == []
        assert set(phone.ids(group.visit)) == log.keys()
        assert phone.errors == []
