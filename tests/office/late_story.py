"""Story E: what is wrong after publication, and the year's end; its sentences and its steps, told over HTTP.

What a stranger does and reads goes through a `Front`: a program's, or a browser's.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Protocol

import httpx
import sqlalchemy as sa

from server.domain.instant import BEIJING
from server.store import tables
from server.store.session import Connection, Database, open_database
from server.sync import ops
from tests import databases
from tests.browser.pictures import photograph
from tests.clocked import Clocked
from tests.crewing import officer_row
from tests.dispatching import ITEM, checklist, dispatch, keys_of, prepare
from tests.log.rewriting import without_triggers
from tests.office.crew_hall import PNG, give_account
from tests.office.objecting import CASE, PDF, follow
from tests.office.publishing import PROOF, Desk
from tests.office.story_end import Kept, absent, trail_of
from tests.office.test_draws_over_http import HTML, JSON, Hall
from tests.phone import Phone, forget_sessions
from tests.rules.test_calendar_years import YEAR_2027
from tests.scene import populate
from tests.subjects import row_of

SENTENCES: Final = {
    "E1": "published as type 10 on 2026-09-15",
    "E2": "objection received 09-18, recheck due 10-22",
    "E3": "by officers of another crew",
    "E4": "found wrong 10-16, feedback due 11-06",
    "E5": "the correction needs the principal's signature",
    "E6": "the page then shows type 9, 'corrected on'",
    "E7": "feeds carry the correction",
    "E8": "editing the row by API is refused",
    "E9": "editing the row by SQL is refused, or found",
    "E10": "another objection is upheld",
    "E11": "a third has no identity and is refused with the reason",
    "E12": "an inspection that ended 2026-12-03 is due 12-31",
    "E13": "one that ended 12-04 is provisional",
    "E14": "after the 2027 calendar is imported all provisional deadlines are recomputed and listed",
    "E15": "a result is withheld: ground, approver, review date",
    "E16": "the trail verifies",
    "E17": "no photo or signature is missing; nothing was deleted",
}
STILL_TO_COME: Final = (
    "the watch list shows unexecuted tasks",
    "the watch list shows late publications",
    "the watch list shows a lead without a transfer receipt",
    "the watch list shows that there was no joint task",
    "the watch list shows 4.7 % < 5 % with its reason",
    "the duty-performed report of a task prints",
    "the volume verifies on a machine without the server",
)
"""Sentences of story E that belong to rooms that aren't there yet."""

FIRST, SECOND, LATE, LATER, SECRET = ("溢彩漆料经营部", "一号化工厂", "二号化工厂", "三号化工厂", "四号化工厂")
CODES: Final = {
    FIRST: "91411303MA00000010", SECOND: "91411303MA00000029", LATE: "91411303MA00000037",
    LATER: "91411303MA00000049", SECRET: "91411303MA0000005C",
}  # fmt: skip
POINTS: Final = ("p01", "p02")
STANDARD: Final = "GB 15603-2022"
TEN, NINE = "不合格", "合格"
OTHERS: Final = ("qian", "sun")
"""Two officers who weren't there."""


def at(day: str, hour: int = 10) -> datetime:
    """An hour of a day in Beijing."""
    return datetime.fromisoformat(day).replace(hour=hour, tzinfo=BEIJING)


class Front(Protocol):
    """What strangers have before them."""

    def read(self, path: str) -> str:
        """A public page."""

    def object(self, no: str, papers: Sequence[bytes]) -> str:
        """Objects to a result; the code of the receipt."""

    def follow(self, code: str) -> str:
        """What the code opens."""


class Wire:
    """A program that asks for the pages that people get, and sends their forms."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def read(self, path: str) -> str:
        answer = self.client.get(path, headers=HTML)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    def object(self, no: str, papers: Sequence[bytes]) -> str:
        files = [("papers", (f"{n}.bin", one)) for n, one in enumerate(papers)] or None
        answer = self.client.post("/objections/new", data=CASE | {"no": no}, files=files, headers=HTML)
        found = re.search(r'id="code">([^<]+)<', answer.text)
        assert answer.status_code == 201 and found, answer.text
        return found[1]

    def follow(self, code: str) -> str:
        return self.client.post("/objections", data={"code": code}, headers=HTML).text


class Pen(Phone):
    """A phone that goes by the server's clock."""

    def __init__(self, clock: Clocked, username: str) -> None:
        super().__init__(clock.url, username)
        self.clock = clock

    def write(self, visit: str, kind: str, path: Sequence[str], val: Any, **more: Any) -> str:
        return super().write(visit, kind, path, val, **({"at": self.clock.now()} | more))


class Story:
    """What has happened so far, and which sentences were asserted."""

    def __init__(self, server: Clocked, db: Database) -> None:
        self.server, self.db, self.hall = server, db, Hall(server)
        self.desk, self.kept, self.told = Desk(self.hall, db), Kept(db), set[str]()
        self.stranger = server.client()
        self.front: Front = Wire(self.stranger)
        self.visits = dict[str, str]()
        self.no = self.other = ""

    def close(self) -> None:
        self.stranger.close()
        self.hall.close()

    def holds(self, n: str, *facts: object) -> None:
        """Asserts the facts of a sentence."""
        assert facts and all(facts), (n, SENTENCES[n], [bool(one) for one in facts])
        self.told.add(n)

    def come(self, day: str, hour: int = 10) -> None:
        """It is another day, and everybody signs in again."""
        self.server.set(at(day, hour))
        self.hall.sign_out()
        forget_sessions(self.server.url)

    # --- a visit ------------------------------------------------------------------------------------------------------

    def inspected(self, name: str, day: str) -> str:
        """A visit of Li and Zhang that is final on a day: type 10, with a photo and three signatures."""
        self.come(day, 8)
        visit = self.visits[name] = self._dispatched(name)
        li, zhang = (Pen(self.server, who).start(visit) for who in ("li", "zhang"))
        for phone in (li, zhang):
            phone.set(visit, ["visit", f"no_interest:{phone.officer}"], {"interest": False, "reason": None})
        li.set(visit, ["answer", "p01", "verdict"], "fail")
        zhang.set(visit, ["answer", "p02", "verdict"], "pass")
        row = li.write(visit, "add", ["finding"], {"text": "氧化剂与还原剂混放", "point": "p01", "severity": "general"})
        photo = photograph(len(self.visits) + 20)
        li.attach(visit, photo, f"finding:{row}")
        li.upload(visit, photo, "image/jpeg")
        li.set(visit, ["visit", f"basis:{ITEM}"], STANDARD)
        li.set(visit, ["visit", f"result:{ITEM}"], ["unqualified"])
        li.set(visit, ["visit", "result"], "unqualified")
        self._signed(visit, li, zhang)
        li.propose(visit, li.view(visit)["digest"], "unqualified", [])
        li.drain()
        assert li.view(visit)["phase"] == "final", li.view(visit)["missing"]
        for phone in (li, zhang):
            phone.http.close()
        self.kept.note()
        return visit

    def _dispatched(self, name: str) -> str:
        with self.db.read() as conn:
            place = conn.scalar(sa.select(tables.subject.c.id).where(tables.subject.c.uscc == CODES[name]))
            tpl = conn.scalar(sa.select(tables.template.c.sha256).where(tables.template.c.title == STANDARD))
        return dispatch(
            self.db, keys_of(self.db, self.server.data / "keys"), (("li", "leader"), ("zhang", "member")),
            self.server.now(), tpl=tpl, subject_id=place, subject=(name, CODES[name]),
            window=("2026-09-01", "2026-12-31"),
        )  # fmt: skip

    def _signed(self, visit: str, li: Phone, zhang: Phone) -> None:
        for phone in (li, zhang) * 2:
            phone.drain()
        digest, image = li.view(visit)["digest"], li.upload(visit, PNG)
        li.sign(visit, digest, "leader", image=image)
        zhang.sign(visit, digest, "member", image=image)
        li.sign(visit, digest, "subject", "subject", image=image)
        for phone in (li, zhang) * 2:
            phone.drain()

    # --- an objection -------------------------------------------------------------------------------------------------

    def objection(self) -> str:
        """The id of the one that was filed last."""
        with self.db.read() as conn:
            newest = sa.select(tables.objection.c.id).order_by(tables.objection.c.filed_at.desc()).limit(1)
            return str(conn.scalar(newest))

    def step(self, who: str, id: str, act: str, **form: Any) -> str:
        """A step of the office that is done; where it leads."""
        return self.desk.done(who, f"/objections/{id}/{act}", **PROOF, **form)

    def stays(self, who: str, id: str, act: str, **form: Any) -> tuple[int, str]:
        """Why a step isn't done."""
        return self.desk.refused(who, f"/objections/{id}/{act}", **PROOF, **form)

    def told_to(self, code: str) -> dict[str, Any]:
        """What a program reads by the code."""
        return follow(self.server.url, code)


def begin(data: Path) -> Story:
    """The small bureau with two more officers, five subjects, and an item that is judged by a standard."""
    data.mkdir()
    (data / "suijian.db").write_bytes(databases.migrated_file())
    db = open_database(f"sqlite:///{data / 'suijian.db'}")
    populate(db)
    prepare(db)
    judged = json.loads(checklist(POINTS)) | {"title": STANDARD}
    judged["items"][0]["judged"] = "standard"
    body = ops.canonical(judged)
    with db.write() as conn:
        tpl = {"sha256": hashlib.sha256(body).hexdigest(), "title": STANDARD, "body": body}
        conn.execute(sa.insert(tables.template).values(tpl))
        _people(conn)
        for n, name in enumerate(list(CODES)[1:], 2):
            conn.execute(sa.insert(tables.subject).values(row_of(n, id=f"s{n}", uscc=CODES[name], name=name)))
    return Story(Clocked(data, at("2026-09-10", 8)).start(), db)  # type: ignore[arg-type]  # start gives itself


def _people(conn: Connection) -> None:
    for n, id in enumerate(OTHERS, 50):
        conn.execute(sa.insert(tables.officer).values(officer_row(n, id)))
        conn.execute(sa.insert(tables.assignments).values(officer_id=id, rev=1))
        give_account(conn, id)


# --- wrong after publication ------------------------------------------------------------------------------------------


def published(it: Story) -> None:
    """Two results of type 10 go public on the same day."""
    for name in (FIRST, SECOND):
        it.inspected(name, "2026-09-10")
    it.come("2026-09-15")
    for name in (FIRST, SECOND):
        it.desk.approve(it.visits[name])
    it.no, it.other = (it.desk.publish(it.visits[name], "t1") for name in (FIRST, SECOND))
    page = it.front.read(f"/results/{it.no}")
    data = it.stranger.get(f"/results/{it.no}/v1.json").json()
    it.holds("E1", FIRST in page, TEN in page, "2026年9月15日" in page, data["published_on"] == "2026-09-15")
    it.holds("E1", data["main"] == "unqualified", data["items"][0]["types"] == ["unqualified"])


def objected(it: Story) -> str:
    """The subject objects with its papers; others are sent to recheck."""
    it.come("2026-09-18")
    code = it.front.object(it.no, (PNG, PDF))
    id = it.objection()
    it.come("2026-09-21")
    it.step("clerk", id, "accept", identity="yes")
    said = it.front.follow(code)
    it.holds("E2", it.told_to(code)["recheck"]["on"] == "2026-10-22", "2026年10月22日" in said, "2026年9月18日" in said)
    it.holds(
        "E2", "复核" in it.front.read(f"/results/{it.no}"), "2026-10-22" in it.desk.page("clerk", f"/objections/{id}")
    )
    own = {"method": "document_review", "officers": ["li", "qian"], "leader": "qian"}
    it.holds("E3", it.stays("clerk", id, "assign", **own) == (422, "invalid"))
    it.step("clerk", id, "assign", method="document_review", officers=list(OTHERS), leader="qian")
    page = it.desk.page("clerk", f"/objections/{id}")
    it.holds("E3", all(one in page for one in OTHERS), it.told_to(code)["state"] == "rechecking")
    return code


def found_wrong(it: Story, code: str) -> None:
    """What was found is entered by the clerk and confirmed by the head; the feedback has its day."""
    id = it.objection()
    it.come("2026-10-16")
    it.step("clerk", id, "find", outcome="upheld", grounds="复核时按标准检测，混放的是空桶。")
    own = it.stays("clerk", id, "confirm")
    it.come("2026-10-19")
    it.step("head", id, "confirm")
    it.holds("E4", own == (403, "forbidden"), "2026-11-06" in it.desk.page("clerk", f"/objections/{id}"))
    it.holds("E4", it.told_to(code)["outcome"] is None)  # who objected hears of it by the answer
    it.kept.note()


def corrected(it: Story, code: str) -> None:
    """The clerk asks; only the principal's signature under what he sees makes the new version."""
    id = it.objection()
    it.come("2026-10-20")
    before = it.stranger.get(f"/results/{it.no}/v1.json").content
    early = it.stays("clerk", id, "answer")
    form = {f"type:{ITEM}": "qualified", "main": "qualified", "reason": "经复核，检测合格"}
    where = it.step("clerk", id, "correction", **form).removeprefix("/office")
    waits = it.front.read(f"/results/{it.no}")
    page = it.desk.page("principal", where)
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', page)
    assert seen is not None
    signing = {"seen": seen[1]} | PROOF
    others = [it.desk.refused(who, f"{where}/sign", **signing) for who in ("clerk", "head")]
    unseen = it.desk.refused("principal", f"{where}/sign", **(signing | {"seen": "0" * 64}))
    it.holds("E5", early == (409, "objection_correction_first"), "已更正" not in waits, TEN in waits)
    it.holds("E5", others == [(403, "forbidden")] * 2, unseen == (409, "correction_moved"))
    it.desk.done("principal", f"{where}/sign", **signing)
    it.step("clerk", id, "answer")
    shown = it.front.read(f"/results/{it.no}")
    main = it.stranger.get(f"/results/{it.no}/v2.json").json()
    it.holds("E6", NINE in shown, "10月20日" in shown, "更正" in shown, "异议成立" in shown, CASE["name"] not in shown)
    it.holds("E6", main["main"] == "qualified", main["corrected"]["on"] == "2026-10-20", main["version"] == 2)
    it.holds("E6", it.stranger.get(f"/results/{it.no}/v1.json").content == before, TEN in it.front.read(
        f"/results/{it.no}/versions/1"))  # fmt: skip
    told = it.told_to(code)
    it.holds(
        "E4", told["feedback"]["on"] == "2026-11-06", told["outcome"] == "upheld", "11月6日" in it.front.follow(code)
    )
    it.holds("E5", told["state"] == "answered", "principal" in _signer(it))
    feeds(it)


def _signer(it: Story) -> str:
    """Who made the newest version."""
    query = sa.select(tables.publication_version.c.by).order_by(tables.publication_version.c.at.desc()).limit(1)
    with it.db.read() as conn:
        return str(conn.scalar(query))


def feeds(it: Story) -> None:
    """Whoever follows the results hears of it: as news, and in both files."""
    atom, rss = (it.stranger.get(f"/results/feed.{kind}") for kind in ("atom", "json"))
    newest = rss.json()["items"][0]
    told = newest.get("content_text", "") + newest["title"]
    it.holds(
        "E7", FIRST in told, NINE in told, "更正" in told, atom.text.count(f"/results/{it.no}<") or FIRST in atom.text
    )
    entries = atom.text.split("<entry>")[1:]
    it.holds("E7", "更正" in entries[0], FIRST in entries[0], len(entries) == 2, len(rss.json()["items"]) == 2)
    listed = {one["no"]: one for one in it.stranger.get("/results/results.json").json()["results"]}
    table = it.stranger.get("/results/results.csv").text
    it.holds("E7", listed[it.no]["main"] == "qualified", "2026-10-20" in table)


def by_api(it: Story) -> None:
    """No address takes a change of what is published, from whomever."""
    before = it.stranger.get(f"/results/{it.no}/v2.json").content
    paths = (f"/results/{it.no}", f"/results/{it.no}/v2.json", f"/results/{it.no}/versions/2",
             f"/office/publication/{it.visits[FIRST]}.t1")  # fmt: skip
    for who in ("clerk", "principal", "admin"):
        for path in paths:
            for method in ("PUT", "PATCH", "DELETE", "POST"):
                answer = it.hall.client(who).request(method, path, json={"main": "no_problem_found"}, headers=JSON)
                it.holds("E8", answer.status_code in (403, 404, 405), answer.status_code < 500)
    it.holds("E8", it.desk.stays(it.visits[FIRST], "t1") == (409, "already_published"))
    it.holds("E8", it.stranger.get(f"/results/{it.no}/v2.json").content == before)


def by_sql(it: Story) -> None:
    """The database refuses; of a superuser who takes its guards away first every change is named."""
    table = tables.publication_version
    with it.db.read() as conn:
        row = conn.execute(sa.select(table).where(table.c.version == 2)).mappings().one()
    its = sa.and_(table.c.publication_id == row["publication_id"], table.c.version == 2)
    forged = row["body"].replace(b"qualified", b"unqualified")
    for change in (sa.update(table).where(its).values(body=forged), sa.delete(table).where(its)):
        refused = ""
        try:
            with it.db.write() as conn:
                conn.execute(change)
        except sa.exc.DatabaseError as fault:
            refused = str(fault)
        it.holds("E9", "append-only" in refused)
    it.holds("E9", forged != row["body"], all(_found(it, row, values) for values in _edits(forged)))
    code, words = trail_of(it.server)
    assert code == 0, words
    it.holds("E9", words.endswith("all agrees\n"))


def _edits(forged: bytes) -> list[dict[str, Any] | None]:
    """What somebody writes over the row: other bytes, with or without their hash; or he takes it away."""
    return [{"body": forged}, {"body": forged, "sha256": hashlib.sha256(forged).hexdigest()}, None]


def _found(it: Story, row: Any, values: dict[str, Any] | None) -> bool:
    """Whether the program that auditors take along names the row that was edited in a copy without its triggers."""
    table = tables.publication_version
    copy = it.server.data.parent / "edited"
    copy.mkdir(exist_ok=True)
    for path in copy.iterdir():
        path.unlink()
    with (
        closing(sqlite3.connect(it.server.data / "suijian.db")) as there,
        closing(sqlite3.connect(copy / "suijian.db")) as here,
    ):
        there.backup(here)
    db = open_database(f"sqlite:///{copy / 'suijian.db'}")
    without_triggers(db)
    its = sa.and_(table.c.publication_id == row["publication_id"], table.c.version == row["version"])
    with db.write() as conn:
        conn.execute(sa.delete(table).where(its) if values is None else sa.update(table).where(its).values(values))
    db.close()
    code, words = trail_of(it.server, copy)
    return code == 1 and f"publication_version {row['publication_id']} {row['version']}: " in words


# --- two more objections ----------------------------------------------------------------------------------------------


def upheld(it: Story) -> None:
    """The other subject is right too: two others go and look with their phones, and its result is corrected."""
    it.come("2026-10-21")
    code = it.front.object(it.other, (PDF,))
    id = it.objection()
    it.step("clerk", id, "accept", identity="yes")
    days = {"window_from": "2026-10-21", "window_to": "2026-10-30", "what": "氧化剂放在哪里\n货架上有没有标识"}
    it.step("clerk", id, "assign", method="site", officers=list(OTHERS), leader="qian", **days)
    visit = _recheck(it, id)
    early = it.stays("clerk", id, "find", outcome="upheld", grounds="混放的是空桶。")
    _looked(it, visit)
    it.step("clerk", id, "find", outcome="upheld", grounds="现场查看，混放的是空桶。")
    it.step("head", id, "confirm")
    form = {f"type:{ITEM}": "qualified", "main": "qualified", "reason": "经现场复核，合格"}
    where = it.step("clerk", id, "correction", **form).removeprefix("/office")
    seen = re.search(r'name="seen" value="([0-9a-f]{64})"', it.desk.page("principal", where))
    assert seen is not None
    it.desk.done("principal", f"{where}/sign", seen=seen[1], **PROOF)
    it.step("clerk", id, "answer")
    page, told = it.front.read(f"/results/{it.other}"), it.told_to(code)
    it.holds("E10", early[0] == 409, told["outcome"] == "upheld", told["state"] == "answered")
    it.holds("E10", "异议成立" in page, NINE in page, "更正" in page, len(told["letters"]) == 2)
    it.kept.note()


def _recheck(it: Story, id: str) -> str:
    """The visit that was sent to the phones."""
    with it.db.read() as conn:
        events = conn.execute(sa.select(tables.objection_event).where(tables.objection_event.c.objection_id == id))
        return next(str(one["detail"]["visit"]) for one in events.mappings() if one["act"] == "assign")


def _looked(it: Story, visit: str) -> None:
    """The two of the recheck answer its points, photograph, and sign."""
    first, second = (Pen(it.server, who).start(visit) for who in OTHERS)
    for phone in (first, second):
        phone.set(visit, ["visit", f"no_interest:{phone.officer}"], {"interest": False, "reason": None})
    template = it.hall.client("clerk").get(f"/api/templates/{first.assignments[visit]['tpl']}").json()
    (item,) = template["items"]
    for point in item["points"]:
        first.set(visit, ["answer", point["id"], "verdict"], "pass")
    photo = photograph(91)
    first.attach(visit, photo)
    first.upload(visit, photo, "image/jpeg")
    first.set(visit, ["visit", f"result:{item['id']}"], ["no_problem_found"])
    first.set(visit, ["visit", "result"], "no_problem_found")
    it._signed(visit, first, second)
    first.propose(visit, first.view(visit)["digest"], "no_problem_found", [])
    first.drain()
    assert first.view(visit)["phase"] == "final", first.view(visit)["missing"]
    for phone in (first, second):
        phone.http.close()


def nobody(it: Story) -> None:
    """Without any paper nobody knows who objects."""
    it.come("2026-10-22")
    before = it.front.read(f"/results/{it.other}")
    code = it.front.object(it.other, ())
    id = it.objection()
    taken = it.stays("clerk", id, "accept", identity="yes")
    bare = it.stays("clerk", id, "refuse", said="x")
    it.step("clerk", id, "refuse", reason="no_identity", said="请带身份材料重新提出。")
    told, said = it.told_to(code), it.front.follow(code)
    it.holds("E11", taken == (409, "objection_no_identity"), bare[0] == 422, "请带身份材料重新提出。" in said)
    it.holds("E11", (told["state"], told["reason"]) == ("refused", "no_identity"), len(told["letters"]) == 1)
    it.holds("E11", it.front.read(f"/results/{it.other}").count("异议") == before.count("异议"))


# --- the year's end ---------------------------------------------------------------------------------------------------


def december(it: Story) -> None:
    """One visit ends on the last day that this year's calendar reaches, one on the day after."""
    it.inspected(LATE, "2026-12-03")
    known = it.desk.page("clerk", f"/visits/{it.visits[LATE]}").partition('id="h-due"')[2].partition("</section>")[0]
    it.holds("E12", "2026-12-31" in known)
    it.inspected(LATER, "2026-12-04")
    open_ = it.desk.page("clerk", f"/visits/{it.visits[LATER]}").partition('id="h-due"')[2].partition("</section>")[0]
    it.holds("E13", "19" in open_, "2027" in open_, "2027-01" not in open_, "2026-12-31" not in open_)
    with it.db.read() as conn:
        due = dict(conn.execute(sa.select(tables.deadline.c.object, tables.deadline.c.due_on)).all())
    it.holds("E12", due[f"visit:{it.visits[LATE]}"] == "2026-12-31")
    it.holds("E13", due[f"visit:{it.visits[LATER]}"] is None)


def withheld(it: Story) -> None:
    """The principal lets a result be kept back, on a ground, until a day of review."""
    visit = it.inspected(SECRET, "2026-12-07")
    it.desk.approve(visit)
    path = f"/publication/{visit}.t1"
    form = {
        "ground": "trade_secret",
        "basis": "政府信息公开条例第十五条",
        "reason": "涉及工艺参数",
        "review_on": "2027-03-05",
    }
    bare = it.desk.refused("clerk", f"{path}/withhold", **(form | {"ground": "dislike"}))
    it.desk.done("clerk", f"{path}/withhold", **form)
    with it.db.read() as conn:
        asked = conn.scalar(sa.select(tables.withholding.c.id).where(tables.withholding.c.visit_id == visit))
    others = [it.desk.refused(who, f"/publication/withholdings/{asked}", answer="approved", reason="同意")
              for who in ("clerk", "head")]  # fmt: skip
    it.desk.done("principal", f"/publication/withholdings/{asked}", answer="approved", reason="同意")
    page = it.desk.page("clerk", path)
    it.holds("E15", bare[0] == 422, others == [(403, "forbidden")] * 2, it.desk.stays(visit, "t1") == (409, "withheld"))
    it.holds("E15", "商业秘密" in page, "政府信息公开条例第十五条" in page, "2027年3月5日" in page or "3月5日" in page)
    it.holds("E15", "principal" in page, SECRET not in it.front.read("/results"))


def new_year(it: Story) -> None:
    """An objection of December waits for the calendar as well; when that comes, everything that waited is listed."""
    it.come("2026-12-10")
    code = it.front.object(it.no, (PNG,))
    id = it.objection()
    it.step("clerk", id, "accept", identity="yes")
    waits = it.told_to(code)["recheck"]
    with it.db.read() as conn:
        empty = sa.select(tables.deadline.c.object).where(tables.deadline.c.due_on.is_(None))
        provisional = set(conn.scalars(empty))
    it.holds("E14", waits == {"on": None, "known": 15, "missing_year": 2027})
    names = {f"visit:{it.visits[LATER]}", f"visit:{it.visits[SECRET]}", f"objection:{id}"}
    it.holds("E14", names <= provisional, "15" in it.front.follow(code))
    it.come("2026-12-11")
    where = it.desk.done("admin", "/calendar/import", step="import", **YEAR_2027)
    with it.db.read() as conn:
        left = set(conn.scalars(empty))
        changed = {row.object: row.after["on"] for row in conn.execute(sa.select(tables.deadline_change))}
    page = it.desk.page("clerk", where.removeprefix("/office"))
    it.holds("E14", left == set(), set(changed) == provisional, changed[f"visit:{it.visits[LATER]}"] == "2027-01-04")
    it.holds(
        "E14", LATER in page, SECRET in page, "2027-01-04" in page, it.told_to(code)["recheck"]["on"] == "2027-01-08"
    )
    it.holds("E14", "2027-01-04" in it.desk.page("clerk", f"/visits/{it.visits[LATER]}"))


def end(it: Story) -> None:
    """With what every story ends."""
    it.kept.note()
    it.hall.sign_out()
    code, words = trail_of(it.server)
    it.holds("E16", code == 0, words.endswith("all agrees\n"), "published versions" in words)
    it.holds("E17", absent(it.server, it.db) == set(), it.kept.gone() == [], len(it.kept) > 300)


def tell(it: Story) -> None:
    """All of it."""
    published(it)
    code = objected(it)
    found_wrong(it, code)
    corrected(it, code)
    by_api(it)
    by_sql(it)
    upheld(it)
    nobody(it)
    december(it)
    withheld(it)
    new_year(it)
    end(it)
    assert it.told == set(SENTENCES), sorted(set(SENTENCES) - it.told)
