"""A joint task that another office led, as everybody reads it: drawn by the lead, not here; our own match (R13.1)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from server.office import crews
from server.standalone import verify_draw
from server.store import crews as crew_store
from server.store import tables
from tests import databases
from tests.crewing import DICE, SEALER, SECRET, SOURCE
from tests.dispatching import database_of
from tests.office.test_dispatch import _joined, _participant
from tests.office.test_draws_over_http import HTML
from tests.planning import CLERK
from tests.running import Running
from tests.tasking import Tasking

CODES = ["411303000000005", "411303000000009"]


class Joined:
    """A bureau that took part in a joint task, its server, and everybody."""

    def __init__(self, data: Path) -> None:
        data.mkdir()
        (data / "suijian.db").write_bytes(databases.migrated_file())
        self.running = Running(data)
        self.its = Tasking(database_of(self.running), data / "keys")
        with self.its.db.write() as conn:
            conn.execute(sa.update(tables.officer).values(domains=["other"]))
        self.id = self.its.approved(**_participant(*_joined(self.its)))
        self.no = f"J-{self.its.dispatch(self.id)}"
        self.stranger = self.running.start().client(headers=HTML | {"Accept-Language": "zh-CN"})

    def close(self) -> None:
        self.stranger.close()
        self.its.db.close()
        self.running.kill()

    def match(self) -> None:
        with self.its.db.read() as conn:
            visits = [one.id for one in crew_store.visits_of_task(conn, self.id)]
        days = zip(visits, ("2026-11-26/am", "2026-11-26/pm"), strict=True)
        self.its.act(crews.plan, CLERK, self.id, {f"half_day:{visit}": day for visit, day in days})
        match_id = self.its.act(crews.commit, CLERK, self.id, [SOURCE], SECRET, SEALER)
        now = self.its.tick()
        self.its.act(crews.contribute, CLERK, match_id, "dice/1", DICE, now, "见证人甲", "https://example.cn/1")
        self.its.act(crews.match, CLERK, match_id, SEALER)

    def finish(self) -> None:
        with self.its.db.write() as conn:
            conn.execute(sa.update(tables.visit).values(state="final"))

    def get(self, path: str) -> httpx.Response:
        return self.stranger.get(path)

    def page(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200
        return unescape(re.sub(r"<[^>]+>", " ", answer.text))


@pytest.fixture
def joined(tmp_path: Path) -> Iterator[Joined]:
    made = Joined(tmp_path / "data")
    yield made
    made.close()


@pytest.mark.rule("R13.1", "http")
def test_everybody_reads_who_drew_by_which_list_and_checks_our_own_match(joined: Joined) -> None:
    document = joined.its.of(joined.id).joint_list
    with joined.its.db.read() as conn:
        received = conn.execute(sa.select(tables.joint_list).where(tables.joint_list.c.id == document)).one()
    joined.match()
    for path in ("/draws", f"/draws/{joined.no}"):
        page = joined.page(path)
        assert f"由{received.lead}抽取" in page
        assert received.document in page
    sealed = joined.page(f"/draws/{joined.no}")
    assert received.sha256 in sealed
    assert "承诺" in sealed and "已匹配" in sealed
    assert not any(code in sealed for code in CODES)
    assert joined.get(f"/draws/{joined.no}/files/1-1.json").status_code == 404
    assert received.sha256 in joined.get("/draws/feed.json").text

    joined.finish()
    opened = joined.page(f"/draws/{joined.no}")
    assert all(code in opened for code in CODES)
    body = joined.get(f"/draws/{joined.no}/files/1-1.json").content
    report = verify_draw.check(body)
    assert report.faults == []
    assert [line.en for line in report.lines if line.part == "joint"] == [f"drawn by {received.lead}, not here"]
    file = json.loads(body)
    told = {"lead": received.lead, "document": received.document, "sha256": received.sha256, "codes": CODES}
    assert (file["joint"], file["no"], file["winners"]) == (told, joined.no, {})
    assert sorted(file["officers"]["teams"]) == CODES
    link = joined.get("/draws/chain.json").json()["omatch1"][-1]
    assert (link["no"], link["commit"]) == (joined.no, file["officers"]["commit"])


def test_a_number_that_is_no_joint_task_of_ours_has_no_page(joined: Joined) -> None:
    own = joined.its.dispatched()
    for no in (f"J-{joined.its.of(own).no}", "J-2026-999", "J-"):
        assert joined.get(f"/draws/{no}").status_code == 404
        assert joined.get(f"/draws/{no}/files/1-1.json").status_code == 404
    assert joined.get(f"/draws/{joined.no}/files/1-2.json").status_code == 404
