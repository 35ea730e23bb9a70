"""Story A in the office, from the item list to the bystander: its sentences and its steps, told over HTTP.

It plays from 2026-08-28 on. Who needs what comes after (phones, publication) goes on from `Story.subject`'s visit.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import sqlalchemy as sa
from msgspec.structs import replace

from server.domain.instant import BEIJING, beijing_day
from server.domain.item import Point
from server.office import crew_page, merging
from server.standalone import verify_draw
from server.store import crews as crew_store
from server.store import draws, items, people, tables
from server.store.session import Connection, open_database
from server.store.tasks import task_of
from tests import databases
from tests.clocked import Clocked
from tests.crewing import officer_row
from tests.drawing import BALLS, Ceremony, code_of
from tests.office.test_draws_over_http import DICE, HTML, JSON, Hall, given, in_beijing, sources
from tests.planning import CLERK, FIRE, KEY_LIST, MAIN, NOW, STORAGE
from tests.scene import password_hash
from tests.tasking import entered

SENTENCES: Final[dict[str, str]] = {
    "A1": "item list v3 published",
    "A2": "H has 212 live subjects of the item, 3 drawn twice this year, one of those on the key list",
    "A3": "the system proposes ceil(5 %) = 11",
    "A4": "10 needs a reason",
    "A5": "commitment published",
    "A6": "contributions",
    "A7": "draw: 210 candidates, 2 exclusions with reasons",
    "A8": "the third that was drawn twice is on the key list, and stays in",
    "A9": "a witness notes the file's digest",
    "A10": "while it is sealed nobody outside gets the file",
    "A11": "lock and dispatch: the notice is public in the same transaction, 11 subjects, no names",
    "A12": "changing the list is refused",
    "A13": "crews of 2",
    "A14": "Sun only for visits until 09-30",
    "A15": "another task drew the same subject: one visit with both items is proposed",
    "A16": "and, carried out, one visit holds both items while the other is void",
    "A17": "when the task has ended a bystander recomputes the 11 from the file with that digest",
    "A18": "one changed name and verification fails",
}
DRAWN: Final = datetime(2026, 8, 28, 9, 0, tzinfo=BEIJING)
WINDOW: Final = {"window_from": "2026-09-01", "window_to": "2026-10-12"}
SUN_ENDS: Final = "2026-09-30"
DAY: Final = "2026-09-10"
"""When the visit of this story is made."""

NAMES: Final = {"li": "李明", "zhang": "张立", "wang": "王强", "zhao": "赵刚", "sun": "孙梅"}
QUESTIONS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    STORAGE: {
        "库房": ("物品按性质分区存放", "库房通道畅通", "通风设施完好", "防爆电器完好"),
        "制度": ("出入库台账齐全", "应急预案已备案"),
    },
    FIRE: {"消防": ("灭火器在有效期内", "疏散通道畅通")},
}


def points_of(item: str) -> tuple[Point, ...]:
    """The checklist that version 3 of the list brings."""
    asked = [(section, text) for section, texts in QUESTIONS[item].items() for text in texts]
    return tuple(
        Point(f"{item}-{n}", text, "现场查看", "安全生产法第六十五条", section, False)
        for n, (section, text) in enumerate(asked, 1)
    )


class Story:
    """What has happened so far, and which sentences were asserted."""

    def __init__(self, hall: Hall, url: str, sentences: dict[str, str] = SENTENCES) -> None:
        self.hall, self.db, self.sentences = hall, open_database(url), sentences
        self.stranger = hall.running.client()
        self.told: set[str] = set()
        self.task = self.other = self.draw = self.no = self.noted = self.subject = self.visit = ""

    def close(self) -> None:
        self.stranger.close()
        self.db.close()
        self.hall.close()

    def holds(self, n: str, *facts: object) -> None:
        """Asserts the facts of a sentence."""
        assert facts and all(facts), (n, self.sentences[n], [bool(one) for one in facts])
        self.told.add(n)

    def all_told(self) -> None:
        """Asserts that no sentence was left out."""
        assert self.told == set(self.sentences), [text for n, text in self.sentences.items() if n not in self.told]

    @property
    def today(self) -> str:
        return beijing_day(self.hall.running.now()).isoformat()

    def come(self, moment: datetime) -> None:
        """It is another day, and everybody of the office signs in again."""
        clock = self.hall.running
        assert isinstance(clock, Clocked)
        clock.set(moment)
        self.hall.sign_out()

    def post(self, path: str, who: str = "clerk", **form: str) -> httpx.Response:
        return self.hall.client(who).post(f"/office/tasks{path}", data=form, headers=JSON)

    def done(self, path: str, who: str = "clerk", **form: str) -> None:
        """A form of the office that is done."""
        answer = self.hall.client(who).post(f"/office{path}", data=form, headers=JSON)
        assert answer.status_code == 303, (path, answer.text)

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

    def sources(self) -> dict[str, str]:
        """The form of a commitment."""
        return sources(due=in_beijing(self.hall.running.now() + timedelta(days=1)))

    def given(self, k: str, value: str) -> dict[str, str]:
        """The form of a number from outside."""
        return given(k, value, at=in_beijing(self.hall.running.now()))


def begin(data: Path, sentences: dict[str, str] = SENTENCES) -> Story:
    """The bureau before the story: the list's version 2, three of its subjects drawn twice, and Sun."""
    data.mkdir()
    (data / "suijian.db").write_bytes(databases.migrated_file())
    url = f"sqlite:///{data / 'suijian.db'}"
    db = open_database(url)
    Ceremony(db)
    with db.write() as conn:
        _second_version(conn)
        conn.execute(sa.insert(tables.officer).values(officer_row(40, "sun", unit_id=MAIN, certificate_to=SUN_ENDS)))
        conn.execute(sa.insert(tables.assignments).values(officer_id="sun", rev=1))
        conn.execute(sa.update(tables.officer).values(domains=["other"]))  # the sector of the items
        for id, name in NAMES.items():
            conn.execute(sa.update(tables.officer).where(tables.officer.c.id == id).values(name=name))
        people.add_account(
            conn, id="sun", username="sun", name="孙梅", unit_id=MAIN, roles=["officer"],
            password_hash=password_hash(), officer_id="sun", actor="test", now=NOW,
        )  # fmt: skip
    db.close()
    return Story(Hall(Clocked(data, DRAWN).start()), url, sentences)


def _second_version(conn: Connection) -> None:
    """Version 2 stands as version 1 did; the checklists that version 3 brings are handed in."""
    first = items.version(conn, 1)
    assert first is not None
    items.keep_version(conn, replace(first, n=2, document="卧应急 2", summary="重印"), items.items_of(conn, 1))
    for id in (STORAGE, FIRE):
        before = items.draft_of(conn, id)
        assert before is not None
        after = replace(before.item, checklist=points_of(id), state="ready")
        assert items.put_draft(conn, before, after, ["clerk"], NOW)


def release(it: Story) -> None:
    """The legal unit releases the next version of the list."""
    page = it.hall.client("legal").get("/office/items/release", headers=HTML).text
    seen = page.partition('name="seen" value="')[2].partition('"')[0]
    it.done("/items/release", "legal", document="《随机抽查事项清单》（卧应急 3）", summary="补齐检查要点", seen=seen)
    it.holds("A1", "第 3 版" in it.public("/items").text, "卧应急 3" in it.public("/items").text)


def form(**more: object) -> dict[str, str]:
    """The form of the task."""
    return entered(**(WINDOW | more))


def set_up(it: Story) -> None:
    """The number: 5 % of 212 are 10.6."""
    answer = it.post("", **form(n=10))
    fields = json.dumps(answer.json(), ensure_ascii=False)
    refused = answer.status_code == 422 and "task_below_floor" in fields
    made = it.post("", **form(n=10, reason="两家正在搬迁"))
    it.task = made.headers["location"].rpartition("/")[2]
    it.holds("A4", refused, made.status_code == 303)
    assert it.post(f"/{it.task}", **form(n=11)).status_code == 303
    with it.db.read() as conn:
        task = task_of(conn, it.task)
        twice = sa.select(tables.selection.c.subject_id).group_by(tables.selection.c.subject_id)
        drawn_twice = set(conn.scalars(twice.having(sa.func.count() == 2)))
        listed = [one.id for one in conn.execute(sa.select(tables.subject)) if one.flags == [KEY_LIST]]
    assert task is not None
    it.holds("A2", task.population == 212, task.list_version == 3, len(drawn_twice) == 3, len(listed) == 1)
    it.holds("A2", drawn_twice & set(listed))
    it.holds("A3", task.proposed == 11, task.n == 11)
    it.done(f"/tasks/{it.task}/approve", "head", approval_number="宛卧应急检〔2026〕7 号", approval_on=it.today)


def draw(it: Story) -> None:
    """The ceremony."""
    it.draw = it.hall.done("clerk", f"/tasks/{it.task}", **it.sources()).rpartition("/")[2]
    with it.db.read() as conn:
        kept = draws.draw_of(conn, it.draw)
    assert kept is not None
    it.no = kept.no
    (link,) = it.public("/draws/chain.json").json()["sdraw1"]
    it.holds("A5", it.no in it.public("/draws").text, link["commit"] in it.public(f"/draws/{it.no}").text)
    it.holds("A5", kept.state == "committed", link["no"] == it.no)
    it.hall.done("clerk", f"/{it.draw}/contribute", **it.given("lottery/1", BALLS))
    it.hall.done("clerk", f"/{it.draw}/contribute", **it.given("dice/1", DICE))
    text = it.public(f"/draws/{it.no}").text
    it.holds("A6", BALLS in text, DICE in text)
    it.hall.done("clerk", f"/{it.draw}/run")


def look(it: Story) -> None:
    """What was drawn from, and what a witness and a stranger see of it."""
    file = json.loads(it.body())
    rows = [line.split("\t") for line in file["frame"].splitlines()]
    out = [row for row in rows if row[2] == "X"]
    it.holds("A7", len(rows) == 212, {row[3] for row in out} == {"DRAWN_TWICE"})
    it.holds("A7", {row[0] for row in out} == {code_of(3), code_of(150)})
    page = it.hall.page(f"/{it.draw}/list?show=all&q={code_of(7)}")
    (third,) = [row for row in rows if row[0] == code_of(7)]
    with it.db.read() as conn:
        kept = draws.frozen_of(conn, it.draw).kept
    it.holds("A8", third[2] == "E", code_of(7) in page, kept == {code_of(7): ("key_list", KEY_LIST["document"])})
    it.noted = hashlib.sha256(it.body()).hexdigest()
    it.holds("A9", it.noted in it.public(f"/draws/{it.no}").text)
    it.holds("A10", it.public(f"/draws/{it.no}/files/1-1.json").status_code == 404)


def dispatch(it: Story) -> None:
    """Lock, visits and notice."""
    assert not it.stranger.get("/notices/feed.json").json()["items"]
    assert it.post(f"/{it.task}/dispatch").status_code == 422
    it.holds("A11", not it.stranger.get("/notices/feed.json").json()["items"], not it.visits())
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
    it.holds("A11", len(visits) == 11, said["n"] == 11, not named)
    changed = it.post(f"/{it.task}", **form(n=12))
    excused = it.hall.refused(f"/{it.draw}/excuse", code=visits[0].subject_uscc, reason="已注销")
    problem = changed.status_code, changed.json()["code"], changed.json()["article"]
    it.holds("A12", problem == (409, "task_dispatched", "17"), excused == (409, "draw_locked", "17"))


def crews(it: Story) -> None:
    """The lot among those who may; Sun's certificate ends in the middle of the window."""
    room = f"/crews/{it.task}"
    with it.db.read() as conn:
        rows = crew_page.board_of(conn, CLERK, it.task, it.hall.running.now()).rows
    days = {row.seen.id: row.half_day for row in rows}
    it.subject, it.visit = rows[0].seen.subject_id, rows[0].seen.id
    days[it.visit] = f"{DAY}/am"
    it.done(f"{room}/plan", **{f"half_day:{id}": half for id, half in days.items()})
    it.done(f"{room}/commit", **it.sources())
    it.done(f"{room}/contribute", **it.given("lottery/1", BALLS))
    it.done(f"{room}/contribute", **it.given("dice/1", DICE))
    it.done(f"{room}/match")
    it.done(f"{room}/assign")
    with it.db.read() as conn:
        seen = crew_store.visits_of_task(conn, it.task)
        match = crew_store.live_match(conn, it.task)
    assert match is not None
    it.holds("A13", len(seen) == 11, all(len(set(one.members)) == 2 for one in seen))
    late = {one.code for one in seen if days[one.id][:10] > SUN_ENDS}
    hers = [days[one.id][:10] for one in seen if "sun" in one.members]
    expired = {code for code, out in match.left_out.items() if "EXPIRES" in [one["reason"] for one in out]}
    it.holds("A14", 0 < len(late) < 11, expired == late, all(one <= SUN_ENDS for one in hers))


def second(it: Story) -> None:
    """Everybody of the other item is drawn, and with them one of the eleven."""
    with it.db.write() as conn:
        traits = ["hazardous_chemicals", "industry_commerce"]
        conn.execute(sa.update(tables.subject).where(tables.subject.c.id == it.subject).values(traits=traits))
        has = sa.select(tables.subject.c.traits)
        n = sum("industry_commerce" in one for one in conn.scalars(has))
    it.other = it.post("", **form(item=FIRE, name="工贸抽查", n=n)).headers["location"].rpartition("/")[2]
    it.done(f"/tasks/{it.other}/approve", "head", approval_number="宛卧应急检〔2026〕8 号", approval_on=it.today)
    draw_id = it.hall.done("clerk", f"/tasks/{it.other}", **it.sources()).rpartition("/")[2]
    it.hall.done("clerk", f"/{draw_id}/contribute", **it.given("lottery/1", BALLS))
    it.hall.done("clerk", f"/{draw_id}/contribute", **it.given("dice/1", DICE))
    it.hall.done("clerk", f"/{draw_id}/run")
    it.done(f"/tasks/{it.other}/dispatch", confirm="yes")


def merge(it: Story) -> None:
    """One door for two matters: proposed by the page, done by the clerk."""
    page = it.hall.client("clerk").get("/office/crews", headers=HTML).text
    with it.db.read() as conn:
        (found,) = [one for one in merging.proposals(conn, MAIN) if one.kept.subject_id == it.subject]
        both = {found.kept.id, found.other.id}
        tasks = {one for id in both for one in crew_store.tasks_of_visit(conn, id)}
    offered = page.partition('id="merges"')[2].partition("</section>")[0]
    it.holds("A15", found.kept.id == it.visit, tasks == {it.task, it.other}, found.kept.name in offered)
    one = it.hall.client("clerk").get(f"/office/crews/visits/{it.visit}", headers=HTML).text
    it.holds("A15", f"/office/crews/visits/{it.visit}/merge" in one, f'name="other" value="{found.other.id}"' in one)
    it.done(f"/crews/visits/{it.visit}/merge", other=found.other.id)
    with it.db.read() as conn:
        template = sa.select(tables.template.c.body).join(tables.visit, tables.visit.c.tpl == tables.template.c.sha256)
        body = json.loads(conn.scalars(template.where(tables.visit.c.id == it.visit)).one())
        state = conn.scalar(sa.select(tables.visit.c.state).where(tables.visit.c.id == found.other.id))
        held = set(crew_store.tasks_of_visit(conn, it.visit))
    it.holds(
        "A16", held == {it.task, it.other}, state == "void", {one["id"] for one in body["items"]} == {STORAGE, FIRE}
    )


def end(it: Story) -> None:
    """The task has ended, and a bystander computes."""
    name = f"/draws/{it.no}/files/1-1.json"
    assert it.public(name).status_code == 404
    for one in it.visits():
        if one.state == "open":
            it.done(f"/tasks/{it.task}/withdrawals", subject_id=one.subject_id, reason="已搬出本区")
    with it.db.read() as conn:
        ids = list(conn.scalars(sa.select(tables.withdrawal.c.id)))
    for id in ids:
        it.done(f"/tasks/withdrawals/{id}", "head", answer="approved", reason="同意")
    body = it.public(name).content
    report = verify_draw.check(body, "file")
    file = json.loads(body)
    winners = [code for codes in file["winners"].values() for code in codes]
    it.holds("A17", hashlib.sha256(body).hexdigest() == it.noted, report.exit_code == 0, len(winners) == 11)
    it.holds("A17", sorted(winners) == sorted(one.subject_uscc for one in it.visits()))
    spare = next(code_of(place) for place in range(20, 40) if code_of(place) not in winners)
    in_list, in_result = body.replace(spare.encode(), code_of(999).encode()), file["winners"]
    next(codes for codes in in_result.values() if codes)[0] = spare
    plain = json.dumps(file, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    it.holds("A18", in_list != body, verify_draw.check(in_list, "in the list").exit_code == 1)
    told = verify_draw.check(plain, "in the result")
    it.holds("A18", len(plain) == len(body), told.exit_code == 1, "winners" in told.parts)


TO_THE_CREWS: Final = (release, set_up, draw, look, dispatch, crews, second, merge)
