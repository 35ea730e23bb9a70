"""What everybody may read of draws: a sealed one shows nothing of who was drawn, an open one shows all (R17.1)."""

from __future__ import annotations

import hashlib
import html
import json
import re
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

import httpx
import pytest
import sqlalchemy as sa

from server.demo.district import HAZCHEM
from server.domain.draw import ticket_of
from server.domain.public_draw import short_code
from server.standalone import verify_draw
from server.store import draws as store
from server.store import tables
from server.store.draws import Draw
from tests.leaks import Scanner
from tests.office.district import HTML, Office, demo_server
from tests.office.permissions import table
from tests.office.walks import draws as walks

CHINESE = HTML | {"Accept-Language": "zh-CN"}


class Scene(NamedTuple):
    """Draws in the states that the public can find them in."""

    office: Office
    sealed: str
    opened: str
    waiting: str
    void: str

    def draw(self, id: str) -> Draw:
        return walks.draw_of(self.office, id)

    def page(self, id: str, query: str = "") -> httpx.Response:
        return self.office.stranger.get(f"/draws/{self.draw(id).no}{query}", headers=CHINESE)

    def file(self, id: str, name: str) -> httpx.Response:
        return self.office.stranger.get(f"/draws/{self.draw(id).no}/files/{name}")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    office = Office(demo_server(tmp_path_factory.mktemp("draws") / "data"))
    void = walks.drawn(office)
    office.client("head").post(f"/office/draws/{void}/void", data={"reason": "名单漏了两户", "sure": "yes"})
    yield Scene(office, walks.drawn(office), walks.drawn(office, disclosure="open"), walks.committed(office), void)
    office.close()


def secrets_of(scene: Scene, id: str) -> list[str]:
    """What nobody outside may know of a sealed draw: secret, seed, each winner's name and code, and each ticket."""
    draw = scene.draw(id)
    assert draw.seed is not None and draw.secret is not None
    codes = [code for part in (draw.winners, draw.reserve) for codes in part.values() for code in codes]
    subject = tables.subject.c
    with scene.office.db.read() as conn:
        names = conn.scalars(sa.select(subject.name).where(subject.uscc.in_(codes))).all()
    assert len(names) == len(codes) > 12
    return [draw.seed, draw.secret, *codes, *names, *(ticket_of(draw.seed, code) for code in codes)]


def public_answers(scene: Scene) -> Iterator[tuple[str, bytes]]:
    """Every public address, with each draw, each of its files and each code that was drawn put in."""
    draws = [scene.draw(id) for id in (scene.sealed, scene.waiting, scene.void)]
    codes = [code for draw in draws for code in draw.effective[:3]]
    plain = [
        one.path for one in table() if one.cells["public"] == "any" and one.method == "GET" and "{" not in one.path
    ]
    paths = [*plain, "/draws?page=1", "/draws?page=2"]
    for draw in draws:
        paths += [f"/draws/{draw.no}", *(f"/draws/{draw.no}?code={code}" for code in codes)]
        paths += [f"/draws/{draw.no}/files/{attempt}-{n}.json" for attempt in (1, 2) for n in (1, 2, 3)]
    for path in paths:
        for language in ("zh-CN", "en"):
            answer = scene.office.stranger.get(path, headers=HTML | {"Accept-Language": language})
            yield path, answer.content + str(answer.headers).encode()


@pytest.mark.rule("R17.1", "http")
def test_a_sealed_draw_leaks_nothing_in_any_public_answer(scene: Scene) -> None:
    asked_for = {code for id in (scene.sealed, scene.void) for code in scene.draw(id).effective[:3]}
    secrets = [one for id in (scene.sealed, scene.void) for one in secrets_of(scene, id)]
    scanner = Scanner(secrets)
    leaks = [
        leak
        for path, body in public_answers(scene)
        for leak in scanner.scan(path, body)
        if leak.value not in asked_for or f"code={leak.value}" not in path
    ]
    open_codes = {code for codes in scene.draw(scene.opened).winners.values() for code in codes}
    print(f"{len(secrets)} values looked for in {scanner.places} answers")
    assert scanner.places > 60 and open_codes
    assert leaks == []


def test_the_scan_would_find_a_leak(scene: Scene) -> None:
    seed = str(scene.draw(scene.opened).seed)
    assert Scanner([seed]).scan("open", scene.file(scene.opened, "1-1.json").content)


def test_a_sealed_draw_shows_commitment_numbers_how_many_and_the_files_digest(scene: Scene) -> None:
    draw, text = scene.draw(scene.sealed), scene.page(scene.sealed).text
    with scene.office.db.read() as conn:
        (file,) = store.files_of(conn, draw.id)
    assert draw.commit in text and short_code(draw.commit) in text
    assert file.sha256 in text and "封存中" in text
    assert walks.BALLS in text and walks.DICE in text
    assert hashlib.sha256(str(draw.seed).encode()).hexdigest() in text
    assert re.search(r"<b>12</b><span>户抽中", text)
    assert scene.file(scene.sealed, "1-1.json").status_code == 404
    assert "查查自己" not in scene.page(scene.sealed, f"?code={draw.effective[0]}").text


def test_a_commitment_is_public_at_once_on_page_list_chain_and_feeds(scene: Scene) -> None:
    draw, stranger = scene.draw(scene.waiting), scene.office.stranger
    shown = [scene.page(scene.waiting), stranger.get("/draws", headers=CHINESE)]
    assert all(short_code(draw.commit) in answer.text for answer in shown)
    for path in ("/draws/chain.json", "/draws/feed.atom", "/draws/feed.json"):
        assert draw.commit in stranger.get(path).text


def test_the_file_of_an_open_draw_has_the_digest_that_was_published_and_every_verifier_agrees(scene: Scene) -> None:
    draw, answer = scene.draw(scene.opened), scene.file(scene.opened, "1-1.json")
    assert hashlib.sha256(answer.content).hexdigest() in scene.page(scene.opened).text
    assert verify_draw.check(answer.content, "open").exit_code == 0
    document = json.loads(answer.content)
    assert (document["commit"], document["secret"], document["winners"]) == (draw.commit, draw.secret, draw.winners)


def test_a_code_finds_its_ticket_rank_and_cut_and_the_line_for_doubters_gives_that_ticket(scene: Scene) -> None:
    draw = scene.draw(scene.opened)
    stratum, codes = next((name, codes) for name, codes in draw.winners.items() if len(codes) > 1)
    text = html.unescape(scene.page(scene.opened, f"?code=%20{codes[1].lower()}").text)
    ticket = ticket_of(str(draw.seed), codes[1])
    assert ticket in text and f"第 2 位，前 {draw.quotas[stratum]} 位抽中" in text
    command = re.search(r"printf %s '[^']+' \| sha256sum", text)
    assert command is not None
    said = subprocess.run(command[0], shell=True, capture_output=True, text=True, check=True).stdout
    assert said.split()[0] == ticket


@pytest.mark.parametrize("code", ["", "%00", "<script>", "x" * 5000, "91411303MAAY4CL12N", "１２３"])
def test_no_code_that_somebody_types_is_a_fault(scene: Scene, code: str) -> None:
    answer = scene.page(scene.opened, f"?code={code}")
    assert answer.status_code == 200
    assert "<script>" not in answer.text


@pytest.mark.parametrize("no", ["2026-999", "x", "2026", "-1", "2026-1-1", "9999999999-1", "２０２６-1", "%00"])
def test_a_draw_that_is_not_there_is_not_found(scene: Scene, no: str) -> None:
    assert scene.office.stranger.get(f"/draws/{no}", headers=HTML).status_code == 404
    assert scene.office.stranger.get(f"/draws/{no}/files/1-1.json").status_code == 404


def test_a_void_stays_with_its_reason_who_decided_it_and_in_the_chain(scene: Scene) -> None:
    text = scene.page(scene.void).text
    assert "名单漏了两户" in text and "郑国强 决定" in text and "这次抽取已作废" in text
    links = scene.office.stranger.get("/draws/chain.json").json()["sdraw1"]
    assert [one["prev"] for one in links] == ["0" * 64, *(one["commit"] for one in links[:-1])]
    assert [one["state"] for one in links if one["commit"] == scene.draw(scene.void).commit] == ["void"]
    draw = tables.draw.c
    with scene.office.db.read() as conn:
        states = conn.scalars(sa.select(draw.state).where(draw.unit_id == HAZCHEM)).all()
    rate = f'>{len(states)}</td><td data-label="作废">{states.count("void")}/{len(states)}，'
    assert rate in scene.office.stranger.get("/draws", headers=CHINESE).text


def test_the_feeds_tell_of_commitments_files_and_voids_and_their_ids_never_change(scene: Scene) -> None:
    first = scene.office.stranger.get("/draws/feed.json", headers={"Accept-Language": "zh-CN"}).json()["items"]
    again = scene.office.stranger.get("/draws/feed.json", headers={"Accept-Language": "en"}).json()["items"]
    assert [one["id"] for one in first] == [one["id"] for one in again]
    assert len({one["id"] for one in first}) == len(first) >= 4 + 4 + 1
    assert any("已作废：名单漏了两户" in one["content_text"] for one in first)


@pytest.mark.rule("R17.1", "http")
def test_a_sealed_file_becomes_public_when_the_task_has_ended(scene: Scene) -> None:
    draw_id = walks.drawn(scene.office)
    draw = scene.draw(draw_id)
    assert scene.file(draw_id, "1-1.json").status_code == 404
    with scene.office.db.write() as conn:  # dispatched, and no visit of it is open any more
        task = tables.task
        conn.execute(sa.update(task).where(task.c.id == draw.task_id).values(state="dispatched"))
    assert verify_draw.check(scene.file(draw_id, "1-1.json").content, "ended").exit_code == 0
    assert draw.effective[0] in scene.page(draw_id).text
