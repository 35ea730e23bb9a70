"""Story A over HTTP, from the number the system proposes to the bystander: each sentence with its asserts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from server.domain.instant import beijing_day
from server.office import crew_page, merging
from server.standalone import verify_draw
from server.store import crews as crew_store
from server.store import draws, tables
from server.store.session import open_database
from server.store.tasks import task_of
from tests import databases
from tests.crewing import officer_row
from tests.drawing import BALLS, Ceremony, code_of
from tests.office.test_draws_over_http import DICE, HTML, JSON, Hall, given, sources
from tests.planning import CLERK, FIRE, KEY_LIST, MAIN
from tests.running import Running
from tests.tasking import entered

SENTENCES: dict[int, str] = {
    1: "The system proposes ceil(5 %) = 11",
    2: "10 needs a reason",
    3: "commitment published",
    4: "contributions",
    5: "draw: 210 candidates, 2 exclusions with reasons",
    6: "the third that was drawn twice is on the key list, and stays in",
    7: "a witness notes the file's digest",
    8: "while it is sealed nobody outside gets the file",
    9: "lock and dispatch: the notice is public in the same transaction, 11 subjects, no names",
    10: "changing the list is refused",
    11: "crews of 2",
    12: "Sun only for visits until the day her certificate ends",
    13: "another task drew the same subject: one visit with both items is proposed",
    14: "when the task has ended a bystander recomputes the 11 from the file with that digest",
    15: "one changed name and verification fails",
}


SUN_ENDS = (beijing_day(datetime.now(UTC)) + timedelta(days=14)).isoformat()
"""In the story 09-30: a day in the middle of the window."""


class Story:
    """What has happened so far, and which sentences were asserted."""

    def __init__(self, hall: Hall, url: str) -> None:
        self.hall, self.db = hall, open_database(url)
        self.stranger = hall.running.client()
        self.told: set[int] = set()
        self.task = self.draw = self.no = self.noted = ""

    def close(self) -> None:
        self.stranger.close()
        self.db.close()
        self.hall.close()

    def holds(self, n: int, *facts: object) -> None:
        """Asserts the facts of a sentence."""
        assert facts and all(facts), (n, SENTENCES[n], [bool(one) for one in facts])
        self.told.add(n)

    def post(self, path: str, who: str = "clerk", **form: str) -> httpx.Response:
        return self.hall.client(who).post(f"/office/tasks{path}", data=form, headers=JSON)

    def public(self, path: str) -> httpx.Response:
        return self.stranger.get(path, headers=HTML)

    def visits(self) -> list[Any]:
        with self.db.read() as conn:
            of = tables.visit_task.c.task_id == self.task
            query = sa.select(tables.visit).join(tables.visit_task, tables.visit_task.c.visit_id == tables.visit.c.id)
            return list(conn.execute(query.where(of)))

    def body(self) -> bytes:
        """The file as the clerk and the witnesses get it in the hall."""
        return self.hall.client("clerk").get(f"/office/draws/{self.draw}/files/1").content


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    data = tmp_path / "data"
    data.mkdir()
    (data / "suijian.db").write_bytes(databases.migrated_file())
    url = f"sqlite:///{data / 'suijian.db'}"
    db = open_database(url)
    Ceremony(db)
    with db.write() as conn:  # the three were drawn twice in the year that the server's clock shows
        first = f"{datetime.now(UTC).year}-01-01"
        conn.execute(sa.update(tables.selection).values(locked_on=first))
        conn.execute(sa.insert(tables.officer).values(officer_row(40, "sun", unit_id=MAIN, certificate_to=SUN_ENDS)))
        conn.execute(sa.insert(tables.assignments).values(officer_id="sun", rev=1))
        conn.execute(sa.update(tables.officer).values(domains=["other"]))  # the sector of the items
    db.close()
    made = Story(Hall(Running(data).start()), url)
    yield made
    made.close()


def form(**more: object) -> dict[str, str]:
    """The form of the task: the next four weeks."""
    today = beijing_day(datetime.now(UTC))
    window = {"window_from": (today + timedelta(days=1)).isoformat()}
    window["window_to"] = (today + timedelta(days=29)).isoformat()
    return entered(**(window | more))


def set_up(it: Story) -> None:
    """The number: 5 % of 212 are 10.6."""
    answer = it.post("", **form(n=10))
    fields = json.dumps(answer.json(), ensure_ascii=False)
    refused = answer.status_code == 422 and "task_below_floor" in fields
    made = it.post("", **form(n=10, reason="两家正在搬迁"))
    it.task = made.headers["location"].rpartition("/")[2]
    it.holds(2, refused, made.status_code == 303)
    assert it.post(f"/{it.task}", **form(n=11)).status_code == 303
    with it.db.read() as conn:
        task = task_of(conn, it.task)
    assert task is not None
    it.holds(1, task.population == 212, task.proposed == 11, task.n == 11)
    approval = {"approval_number": "宛卧应急检〔2026〕7 号", "approval_on": beijing_day(datetime.now(UTC)).isoformat()}
    assert it.post(f"/{it.task}/approve", "head", **approval).status_code == 303


def draw(it: Story) -> None:
    """The ceremony."""
    it.draw = it.hall.commit(it.task)
    with it.db.read() as conn:
        kept = draws.draw_of(conn, it.draw)
    assert kept is not None
    it.no = kept.no
    (link,) = it.public("/draws/chain.json").json()["sdraw1"]
    it.holds(3, it.no in it.public("/draws").text, link["commit"] in it.public(f"/draws/{it.no}").text)
    it.holds(3, kept.state == "committed", link["no"] == it.no)
    it.hall.done("clerk", f"/{it.draw}/contribute", **given("lottery/1", BALLS))
    it.hall.done("clerk", f"/{it.draw}/contribute", **given("dice/1", DICE))
    text = it.public(f"/draws/{it.no}").text
    it.holds(4, BALLS in text, DICE in text)
    it.hall.done("clerk", f"/{it.draw}/run")


def look(it: Story) -> None:
    """What was drawn from, and what a witness and a stranger see of it."""
    file = json.loads(it.body())
    rows = [line.split("\t") for line in file["frame"].splitlines()]
    out = [row for row in rows if row[2] == "X"]
    it.holds(
        5,
        len(rows) == 212,
        {row[3] for row in out} == {"DRAWN_TWICE"},
        {row[0] for row in out} == {code_of(3), code_of(150)},
    )
    page = it.hall.page(f"/{it.draw}/list?show=all&q={code_of(7)}")
    (third,) = [row for row in rows if row[0] == code_of(7)]
    with it.db.read() as conn:
        kept = draws.frozen_of(conn, it.draw).kept
    it.holds(6, third[2] == "E", code_of(7) in page, kept == {code_of(7): ("key_list", KEY_LIST["document"])})
    it.noted = hashlib.sha256(it.body()).hexdigest()
    it.holds(7, it.noted in it.public(f"/draws/{it.no}").text)
    it.holds(8, it.public(f"/draws/{it.no}/files/1-1.json").status_code == 404)


def dispatch(it: Story) -> None:
    """Lock, visits and notice."""
    assert not it.stranger.get("/notices/feed.json").json()["items"]
    assert it.post(f"/{it.task}/dispatch").status_code == 422
    it.holds(9, not it.stranger.get("/notices/feed.json").json()["items"], not it.visits())
    answer = it.post(f"/{it.task}/dispatch", confirm="yes")
    assert answer.status_code == 303, answer.text
    (item,) = it.stranger.get("/notices/feed.json").json()["items"]
    with it.db.read() as conn:
        (notice,) = conn.execute(sa.select(tables.notice)).all()
    said = json.loads(notice.body)
    page = it.public("/notices").text + json.dumps(item, ensure_ascii=False) + notice.body.decode()
    page += it.public(f"/notices/{notice.no}").text
    visits = it.visits()
    named = [one for one in visits if one.subject_name in page or one.subject_uscc in page]
    it.holds(9, len(visits) == 11, said["n"] == 11, not named)
    changed = it.post(f"/{it.task}", **form(n=12))
    excused = it.hall.refused(f"/{it.draw}/excuse", code=visits[0].subject_uscc, reason="已注销")
    problem = changed.status_code, changed.json()["code"], changed.json()["article"]
    it.holds(10, problem == (409, "task_dispatched", "17"), excused == (409, "draw_locked", "17"))


def crews(it: Story) -> None:
    """The lot among those who may; Sun's certificate ends in the middle of the window."""
    room = f"/office/crews/{it.task}"
    with it.db.read() as conn:
        rows = crew_page.board_of(conn, CLERK, it.task, datetime.now(UTC)).rows
    done(it, f"{room}/plan", **{f"half_day:{row.seen.id}": row.half_day for row in rows})
    done(it, f"{room}/commit", **sources())
    done(it, f"{room}/contribute", **given("lottery/1", BALLS))
    done(it, f"{room}/contribute", **given("dice/1", DICE))
    done(it, f"{room}/match")
    done(it, f"{room}/assign")
    with it.db.read() as conn:
        seen = crew_store.visits_of_task(conn, it.task)
        match = crew_store.live_match(conn, it.task)
    assert match is not None
    it.holds(11, len(seen) == 11, all(len(set(one.members)) == 2 for one in seen))
    day = {row.seen.id: row.half_day[:10] for row in rows}
    late = {one.code for one in seen if day[one.id] > SUN_ENDS}
    hers = [day[one.id] for one in seen if "sun" in one.members]
    expired = {code for code, out in match.left_out.items() if "EXPIRES" in [one["reason"] for one in out]}
    it.holds(12, 0 < len(late) < 11, expired == late, all(one <= SUN_ENDS for one in hers))


def done(it: Story, path: str, **form: str) -> None:
    """A form of the room of crews, that is done."""
    answer = it.hall.client("clerk").post(path, data=form, headers=JSON)
    assert answer.status_code == 303, (path, answer.text)


def second(it: Story) -> None:
    """Everybody of the other item is drawn, and with them one of the eleven."""
    visit = it.visits()[0]
    with it.db.write() as conn:
        traits = ["hazardous_chemicals", "industry_commerce"]
        conn.execute(sa.update(tables.subject).where(tables.subject.c.id == visit.subject_id).values(traits=traits))
        has = sa.select(tables.subject.c.traits)
        n = sum("industry_commerce" in one for one in conn.scalars(has))
    other = it.post("", **form(item=FIRE, name="工贸抽查", n=n)).headers["location"].rpartition("/")[2]
    today = beijing_day(datetime.now(UTC)).isoformat()
    number = {"approval_number": "宛卧应急检〔2026〕8 号", "approval_on": today}
    assert it.post(f"/{other}/approve", "head", **number).status_code == 303
    draw_id = it.hall.commit(other)
    it.hall.done("clerk", f"/{draw_id}/contribute", **given("lottery/1", BALLS))
    it.hall.done("clerk", f"/{draw_id}/contribute", **given("dice/1", DICE))
    it.hall.done("clerk", f"/{draw_id}/run")
    assert it.post(f"/{other}/dispatch", confirm="yes").status_code == 303
    page = it.hall.client("clerk").get("/office/crews", headers=HTML).text
    with it.db.read() as conn:
        found = [one for one in merging.proposals(conn, MAIN) if one.kept.subject_id == visit.subject_id]
        tasks = {
            one for each in found for id in (each.kept.id, each.other.id) for one in crew_store.tasks_of_visit(conn, id)
        }
    merge = page.partition('id="merges"')[2].partition("</section>")[0]
    it.holds(13, len(found) == 1, tasks == {it.task, other}, visit.subject_name in merge)


def end(it: Story) -> None:
    """The task has ended, and a bystander computes."""
    name = f"/draws/{it.no}/files/1-1.json"
    assert it.public(name).status_code == 404
    for one in it.visits():
        asked = it.post(f"/{it.task}/withdrawals", subject_id=one.subject_id, reason="已搬出本区")
        assert asked.status_code == 303, asked.text
    with it.db.read() as conn:
        ids = list(conn.scalars(sa.select(tables.withdrawal.c.id)))
    for id in ids:
        assert it.post(f"/withdrawals/{id}", "head", answer="approved", reason="同意").status_code == 303
    body = it.public(name).content
    report = verify_draw.check(body, "file")
    file = json.loads(body)
    winners = [code for codes in file["winners"].values() for code in codes]
    it.holds(14, hashlib.sha256(body).hexdigest() == it.noted, report.exit_code == 0, len(winners) == 11)
    it.holds(14, sorted(winners) == sorted(one.subject_uscc for one in it.visits()))
    spare = next(code_of(place) for place in range(20, 40) if code_of(place) not in winners)
    in_list, in_result = body.replace(spare.encode(), code_of(999).encode()), file["winners"]
    next(codes for codes in in_result.values() if codes)[0] = spare
    plain = json.dumps(file, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    it.holds(15, in_list != body, verify_draw.check(in_list, "in the list").exit_code == 1)
    told = verify_draw.check(plain, "in the result")
    it.holds(15, len(plain) == len(body), told.exit_code == 1, "winners" in told.parts)


STEPS: tuple[Callable[[Story], None], ...] = (set_up, draw, look, dispatch, crews, second, end)


def test_story_a_from_the_number_to_the_bystander(story: Story) -> None:
    for step in STEPS:
        step(story)
    assert story.told == set(SENTENCES), [SENTENCES[n] for n in sorted(set(SENTENCES) - story.told)]
    print(f"story A, the draw: {len(SENTENCES)} sentences hold")
