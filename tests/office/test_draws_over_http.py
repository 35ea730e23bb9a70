"""The draw over HTTP: a ceremony by the forms, what each step refuses, and that the file checks by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from server.domain.instant import BEIJING
from server.standalone import verify_draw
from server.store.session import open_database
from tests import databases
from tests.drawing import BALLS, Ceremony, code_of, directed
from tests.running import Running

JSON, HTML = {"Accept": "application/json"}, {"Accept": "text/html"}
DICE = "1 2 3 4 5 6 1 2 3 4"


class Hall:
    """The room of draws on a real server, and everybody's client."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self._clients: dict[str, httpx.Client] = {}

    def close(self) -> None:
        for one in self._clients.values():
            one.close()
        self.running.kill()

    def restart(self) -> None:
        """Ends the server in the middle of whatever it does, and starts it again on the same data."""
        self.running.kill()
        self.sign_out()
        self.running.start()

    def sign_out(self) -> None:
        """Everybody leaves: who is asked for next signs in anew."""
        for one in self._clients.values():
            one.close()
        self._clients.clear()

    def client(self, who: str) -> httpx.Client:
        if who not in self._clients:
            self._clients[who] = self.running.signed_in(who)
        return self._clients[who]

    def post(self, who: str, path: str, **form: str) -> httpx.Response:
        return self.client(who).post(f"/office/draws{path}", data=form, headers=JSON)

    def done(self, who: str, path: str, **form: str) -> str:
        answer = self.post(who, path, **form)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def refused(self, path: str, who: str = "clerk", **form: str) -> tuple[int, str, str | None]:
        answer = self.post(who, path, **form)
        return answer.status_code, answer.json()["code"], answer.json().get("article")

    def commit(self, task_id: str) -> str:
        return self.done("clerk", f"/tasks/{task_id}", **sources()).rpartition("/")[2]

    def page(self, path: str, who: str = "clerk") -> str:
        answer = self.client(who).get(f"/office/draws{path}", headers=HTML)
        assert answer.status_code == 200, answer.text
        return answer.text


def in_beijing(moment: datetime) -> str:
    return moment.astimezone(BEIJING).strftime("%Y-%m-%dT%H:%M:%S.%f")


def sources(**more: str) -> dict[str, str]:
    """The form of a commitment: the next lottery and ten dice, due tomorrow."""
    return {
        "source.0.kind": "lottery",
        "source.0.what": "福彩快乐8 第2026312期",
        "source.1.kind": "dice",
        "source.1.what": "见证人掷骰子",
        "source.1.n": "10",
        "due": in_beijing(datetime.now(UTC) + timedelta(days=1)),
    } | more


def given(k: str, value: str, **more: str) -> dict[str, str]:
    """The form of a number from outside."""
    now = in_beijing(datetime.now(UTC))
    return {"k": k, "value": value, "at": now, "by": "李见证", "link": "https://example.cn/kl8"} | more


@pytest.fixture(scope="module")
def hall(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    data = tmp_path_factory.mktemp("draws") / "data"
    data.mkdir()
    (data / "suijian.db").write_bytes(databases.migrated_file())
    db = open_database(f"sqlite:///{data / 'suijian.db'}")
    ceremony = Ceremony(db)
    ceremony.task("open", disclosure="open")
    ceremony.task("draft", state="draft", approved_by=None, approved_at=None)
    ceremony.task("directed", **directed(risks=("medium",)))
    ceremony.task("nobody", **directed(risks=("high",)))
    ceremony.task("other")
    db.close()
    made = Hall(Running(data).start())
    yield made
    made.close()


@pytest.mark.rule("R15b.1", "http")
@pytest.mark.rule("R15b.2", "http")
@pytest.mark.rule("R16.1", "http")
def test_a_ceremony_goes_by_the_forms_and_its_file_checks_by_itself(hall: Hall) -> None:
    assert hall.refused("/tasks/draft", **sources()) == (409, "task_not_approved", "15-2")
    draw_id = hall.commit("open")
    assert hall.refused("/tasks/open", **sources()) == (409, "draw_stands", "15-2")
    assert hall.refused(f"/{draw_id}/run") == (409, "draw_waits", "15-2")
    early = in_beijing(datetime.now(UTC) - timedelta(hours=1))
    lottery, dice = f"/{draw_id}/contribute", given("dice/1", DICE)
    assert hall.refused(lottery, **given("lottery/1", BALLS, at=early)) == (422, "draw_early", "15-2")
    assert hall.refused(lottery, **dice) == (409, "draw_order", "15-2")
    hall.done("clerk", lottery, **given("lottery/1", BALLS))
    assert hall.refused(lottery, **given("lottery/1", BALLS)) == (409, "draw_given", "15-2")
    hall.done("clerk", lottery, **dice)
    hall.done("clerk", f"/{draw_id}/run")
    assert hall.refused(f"/{draw_id}/run") == (409, "draw_drawn", "15-2")
    body = hall.client("clerk").get(f"/office/draws/{draw_id}/files/1").content
    report = verify_draw.check(body, "file")
    assert report.exit_code == 0, report.faults
    assert len(re.findall("\n", json.loads(body)["frame"])) == 212


def test_weak_sources_are_refused_by_the_form(hall: Hall) -> None:
    weak = {"source.0.kind": "public_digits", "source.0.n": "6", "source.1.kind": "", "source.1.what": ""}
    assert hall.refused("/tasks/other", **sources(**weak)) == (422, "draw_sources_weak", "15-2")


@pytest.mark.rule("R16.2", "http")
def test_who_is_left_out_and_why_stands_on_the_page_of_the_list(hall: Hall) -> None:
    asked = {
        "code": code_of(151),
        "kind": "UNDER_OTHER_CASE",
        "document": "立案审批表〔2026〕9 号",
        "reason": "另案查办",
        "since": "2026-01-01",
        "until": f"{datetime.now(UTC).year + 1}-12-31",
    }
    hall.done("clerk", "/exclusions", **asked)
    found = re.search(r'action="/office/draws/exclusions/([0-9a-f-]{36})"', hall.page("/exclusions", "head"))
    assert found is not None
    hall.done("head", f"/exclusions/{found[1]}", decision="approved")
    assert hall.refused("/tasks/nobody", **sources()) == (409, "draw_nobody", "16")
    draw_id = hall.commit("directed")
    page = hall.page(f"/{draw_id}/list?show=all&q={code_of(151)}")
    assert code_of(151) in page and "立案审批表〔2026〕9 号" in page


def test_a_void_needs_somebody_else_and_gives_way_to_the_next_attempt(hall: Hall) -> None:
    draw_id = hall.commit("other")
    assert hall.refused(f"/{draw_id}/void", reason="见证人未到场", sure="yes")[:2] == (403, "forbidden")
    hall.done("head", f"/{draw_id}/void", reason="见证人未到场", sure="yes")
    assert hall.refused(f"/{draw_id}/contribute", **given("lottery/1", BALLS)) == (409, "draw_void", "15-2")
    assert hall.commit("other") != draw_id
