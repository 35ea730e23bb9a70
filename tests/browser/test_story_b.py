"""Story B with phones in a real browser: a closed gate, a guard who lets nobody in, a video that arrives in pieces."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from playwright.sync_api import Playwright

from server.domain.instant import BEIJING
from server.store import tables
from server.store.session import Database, open_database
from tests import databases
from tests.browser.hands import Hand
from tests.browser.journal import held, media
from tests.browser.phone import Phone
from tests.browser.pictures import photograph
from tests.browser.proxy import Asked, Proxy
from tests.browser.reader import Reader, reading
from tests.clocked import Clocked
from tests.dispatching import CREW, ITEM, SUBJECT_NAME, USCC, checklist, dispatch, keys_of
from tests.office.publishing import PROOF, Desk
from tests.office.story_end import Kept, absent, trail_of
from tests.office.test_draws_over_http import Hall
from tests.scene import populate
from tests.subjects import VALID, row_of

pytestmark = [pytest.mark.browser, pytest.mark.serial]

SENTENCES: Final = {
    "B1": "gate closed: type 4 asks for a photo with place and time and two contact attempts",
    "B2": "with one it names what is missing",
    "B3": "1.8 km from the registered address: shown, stored, not blocking, reason given",
    "B4": "the guard lets nobody in: type 6, circumstance 'entry refused', a 38 MB video and a photo",
    "B5": "the owner refuses to sign: reason, witness, second officer",
    "B6": "the video's upload survives three cuts and a server restart",
    "B7": "until it is whole the record says 'evidence 1 of 2'",
    "B8": "until the video is whole it can't be published",
    "B9": "let in after all: back to the normal checklist, the refusal stays in the history",
    "B10": "the trail verifies",
    "B11": "no photo or signature is missing; nothing was deleted",
}
STILL_TO_COME: Final = ("the volume verifies on a machine without the server",)
"""The rest of the line with which every story ends: it comes with that room."""

MORNING: Final = datetime(2026, 11, 24, 10, 30, tzinfo=BEIJING)
AFTERNOON: Final = datetime(2026, 11, 24, 15, 40, tzinfo=BEIJING)
REGISTERED: Final = (VALID.lat_e7 / 1e7, VALID.lon_e7 / 1e7)  # type: ignore[operator]  # the subject has a place
FAR: Final = (REGISTERED[0] + 0.016188, REGISTERED[1])
"""1.8 km north of the registered address: a degree is 111.195 km."""

VIDEO: Final = 38_000_000
CUTS: Final = (5_000_000, 17_000_000, 31_000_000)
GATE, GUARD = (SUBJECT_NAME, USCC), ("宛城区一号化工厂", "91411303MA00000029")
POINTS: Final = ("p01", "p02", "p03")
WHY: Final = "登记住所的大门锁着，在路口的新厂区拍摄"
REFUSED: Final = "不认可，拒绝签字"
UNREACHABLE, OBSTRUCTED = "4 通过登记的住所（经营场所）无法联系", "6 不配合检查情节严重"
ON_RECORD: Final = ("2 张，到 1 张", "2 张，到 2 张")


class Story:
    """What has happened so far: Li leads, Zhang goes along; Li's phone is on a line that can be cut."""

    def __init__(
        self, server: Clocked, db: Database, line: Proxy, new_phone: Callable[[str], Phone], reader: Reader,
        pictures: str | None,
    ) -> None:  # fmt: skip
        self.server, self.db, self.line, self.reader = server, db, line, reader
        self.hall = Hall(server)
        self.desk, self.kept, self.told = Desk(self.hall, db), Kept(db), set[str]()
        self.gate, self.guard = _visit(db, server, *GATE, "s1"), _visit(db, server, *GUARD, "s2")
        urls = {"li": line.url, "zhang": server.url}
        self.hands = {who: Hand(new_phone(url), who, self.gate, pictures) for who, url in urls.items()}
        for hand in self.hands.values():
            hand.begin(MORNING, FAR)
        self.li, self.zhang = self.hands["li"], self.hands["zhang"]
        self.sent = self.cuts = 0
        self.saved = dict[str, set[str]]()

    def close(self) -> None:
        self.hall.sign_out()

    def at(self, visit: str) -> None:
        """Both go to a visit, and say that they have no interest."""
        for hand in self.hands.values():
            hand.visit = visit
            hand.phone.open("/app/visits")
            hand.declare()
        self.meet()

    def meet(self) -> None:
        """Both exchange, and hear each other."""
        for hand in [*self.hands.values()] * 2:
            hand.phone.sync()

    def view(self) -> dict[str, Any]:
        """The visit as the server shows it."""
        with self.server.signed_in("li") as client:
            return dict(client.get(f"/api/visits/{self.li.visit}/view").json())

    def lacks(self) -> set[str]:
        """What final still lacks of the result itself, on Li's phone and on the server."""
        views = self.li.phone.view(self.li.visit), self.view()
        here, there = ({one["code"] for one in view["missing"] if "signature" not in one["code"]} for view in views)
        assert here == there - {"media"}
        return here

    def ops(self) -> list[dict[str, Any]]:
        """Everything in the visit's log."""
        query = sa.select(tables.op.c.body).where(tables.op.c.visit_id == self.li.visit)
        with self.db.read() as conn:
            return [json.loads(body) for body in conn.scalars(query) if body]

    def office(self, page: str = "") -> str:
        """A page of the visit in the office."""
        return self.desk.page("clerk", f"/visits/{self.li.visit}{page}")

    def hindrances(self) -> list[str]:
        """What keeps the result from being published now, by the answer to a clerk who tries."""
        answer = self.desk.post("clerk", f"/publication/{self.li.visit}.t1/publish", **PROOF)
        return list(answer.json()["hindrances"]) if answer.status_code == 409 else []

    def both_sign(self) -> None:
        """Each of the crew on his own phone, over what both have."""
        self.meet()
        for hand in self.hands.values():
            hand.draw(hand.officer)
        self.meet()

    def keep(self) -> None:
        """Notes what both phones call saved, and what the database has."""
        for hand in self.hands.values():
            self.saved.setdefault(hand.visit, set()).update(hand.phone.ids(hand.visit))
        self.kept.note()

    def holds(self, n: str, *facts: object) -> None:
        """Asserts the facts of a sentence."""
        assert facts and all(facts), (n, SENTENCES[n], [bool(one) for one in facts])
        self.told.add(n)


def _visit(db: Database, server: Clocked, name: str, uscc: str, subject: str) -> str:
    """A visit of two with a checklist of three points."""
    keys, body = keys_of(db, server.data / "keys"), checklist(POINTS)
    tpl = hashlib.sha256(body).hexdigest()
    visit = dispatch(db, keys, CREW[:2], MORNING, subject_id="s1")  # makes what every visit needs; the first is let be
    with db.write() as conn:
        if not conn.scalar(sa.select(tables.template.c.sha256).where(tables.template.c.sha256 == tpl)):
            conn.execute(sa.insert(tables.template).values(sha256=tpl, title="危险化学品储存", body=body))
        if subject != "s1":
            conn.execute(sa.insert(tables.subject).values(row_of(2, id=subject, uscc=uscc, name=name)))
    del visit
    return dispatch(db, keys, CREW[:2], MORNING, tpl=tpl, subject_id=subject, subject=(name, uscc))


@pytest.fixture
def story(
    tmp_path: Path, playwright: Playwright, chromium: str, new_phone: Callable[[str], Phone],
    request: pytest.FixtureRequest,
) -> Iterator[Story]:  # fmt: skip
    data, pictures = tmp_path / "data", "story-b" if request.config.getoption("--pictures") else None
    data.mkdir()
    (data / "suijian.db").write_bytes(databases.migrated_file())
    with closing(open_database(f"sqlite:///{data / 'suijian.db'}")) as db:
        populate(db)
        server = Clocked(data, MORNING)
        try:
            server.start()
            with Proxy(server.port) as line, reading(playwright, chromium, server.url, pictures) as reader:
                made = Story(server, db, line, new_phone, reader, pictures)
                yield made
                made.close()
        finally:
            server.kill()


def the_gate_is_closed(it: Story) -> None:
    """Nobody is there; type 4 says what it needs, and takes it."""
    it.at(it.gate)
    it.li.arrive()
    it.li.at().see("距注册地址 1.8 公里")
    it.li.look("far")
    it.li.choose(ITEM, UNREACHABLE, ["unreachable"])
    it.li.see("还需要照片；没有定位的写明原因", "再记一次联系，时间要不同")
    it.li.phone.sync()
    it.holds("B1", it.lacks() == {"evidence", "attempts"})
    it.li.tried("打电话", "无人接听", 1)
    photo = it.li.at("/evidence").photograph(photograph(81))
    it.li.look("evidence")
    it.li.phone.sync()
    it.li.at("/result").see("再记一次联系，时间要不同")
    it.li.look("one-attempt")
    missing = it.li.phone.page.get_by_text("还需要照片").count()
    before = len(it.li.phone.ids(it.gate))
    it.li.phone.page.locator(".dock .btn.main").click(force=True)
    it.holds("B2", it.lacks() == {"attempts"}, missing == 0, len(it.li.phone.ids(it.gate)) == before)
    for hand in it.hands.values():
        hand.phone.context.clock.set_system_time(AFTERNOON)
    it.server.set(AFTERNOON)
    it.hall.sign_out()
    it.li.tried("问邻居或物业", "物业称已停业", 2)
    it.li.at("/result").type("结果说明", WHY, "visit.result_note")
    it.li.look("two-attempts")
    it.li.phone.sync()
    attempts = it.view()["content"]["visit"]["attempts"]
    it.holds("B1", it.lacks() == set(), [one["way"] for one in attempts] == ["phone", "neighbour"])
    it.holds("B1", [one["at"][:16] for one in attempts] == ["2026-11-24T10:30", "2026-11-24T15:40"])
    nobody_was_reached(it, photo)


def nobody_was_reached(it: Story, photo: str) -> None:
    """Both sign; the distance was in nobody's way, and stands with its reason in the record."""
    it.both_sign()
    it.li.propose()
    it.meet()
    view = it.view()
    arrived = view["content"]["visit"]["arrived"]["geo"]
    (attach,) = [op for op in it.ops() if op["kind"] == "attach"]
    it.holds("B1", attach["path"][1] == photo, attach["geo"], attach["val"]["taken"])
    it.holds("B3", arrived["lat_e7"] == round(FAR[0] * 1e7), view["phase"] == "final")
    it.li.at("/record").see("已定稿")
    it.li.look("final")
    page = it.office()
    it.holds("B3", view["content"]["visit"]["result_note"] == WHY, WHY in page, "没有进行实质检查" in page)
    it.keep()


def the_guard_lets_nobody_in(it: Story) -> str:
    """Type 6 says what it needs; Zhang takes the photo, Li chooses the video from his gallery."""
    it.at(it.guard)
    it.li.choose(ITEM, OBSTRUCTED, ["serious_noncooperation"])
    it.li.see("选不配合的情形并说明", "还需要照片")
    it.li.phone.sync()
    it.holds("B4", it.lacks() == {"circumstance", "evidence"})
    it.li.obstructed("拒绝进入", "门卫称没有老板同意谁也不能进")
    it.line.rule = lambda asked: "before" if _is_upload(asked) else None  # the gate has one bar, which isn't enough
    digest = it.li.at("/evidence").choose_video(VIDEO)
    it.li.see("视频")
    photo = it.zhang.at("/evidence").photograph(photograph(82))
    it.meet()
    content = it.view()["content"]
    it.holds("B4", it.lacks() == set(), set(content["media"]) == {digest, photo})
    it.holds("B4", content["visit"]["noncooperation"]["circumstances"] == ["entry_refused"])
    it.zhang.at("/evidence").see("视频")
    for hand in it.hands.values():
        hand.look("video")
    return digest


def _is_upload(asked: Asked) -> bool:
    """Whether a request carries bytes of an original."""
    return asked.path.startswith("/api/media") and asked.path != "/api/media/batch" and asked.method != "GET"


def the_owner_does_not_sign(it: Story) -> None:
    """Why not, in front of a witness; both officers sign, and it is final without a checklist."""
    it.both_sign()
    it.li.refuse(REFUSED)
    it.li.draw("witness")
    it.li.look("signed")
    it.li.propose()
    it.meet()
    view, page = it.view(), it.office()
    states = {one["signer"]: one["state"] for one in view["signatures"]}
    it.holds("B5", states == dict.fromkeys(("li", "zhang", "subject", "witness"), "current"), REFUSED in page)
    made = {op["path"][1]: op for op in it.ops() if op["kind"] == "sign"}
    rids = {who: it.hands[who].phone.state()["rid"] for who in it.hands}
    it.holds("B5", made["subject"]["val"]["refused"] == REFUSED, not made["subject"]["val"]["image"])
    it.holds("B5", all(made[who]["rid"] == rid for who, rid in rids.items()), made["witness"]["val"]["image"])
    it.holds("B5", view["phase"] == "final", view["content"]["answer"] == {}, "没有进行实质检查" in page)
    it.li.at("/record").see(REFUSED)
    it.li.at("/result").see("还有 1 张照片没到")
    it.li.at("/evidence").see("1/2 张已到服务器")
    it.li.look("one-of-two")
    it.holds("B7", [one["code"] for one in view["missing"]] == ["media"], ON_RECORD[0] in page)
    said = it.desk.post("clerk", f"/visits/{it.guard}/approve", round="1")
    it.holds("B8", said.status_code == 409, it.hindrances() == ["not_approved", "media_first"])
    it.keep()


def the_video_arrives(it: Story, digest: str) -> None:
    """The app sends it by tus: the line breaks three times, and the second time the server goes down with it."""
    it.line.rule = lambda asked: cut(it, asked) if _is_upload(asked) else None
    tries = 0
    while it.li.phone.call("outbox") and tries < 20:
        it.li.phone.sync()
        tries += 1
        if it.cuts < len(CUTS):
            it.holds("B7", ON_RECORD[0] in it.office())
            it.holds("B8", "media_first" in it.hindrances(), GUARD[0] not in it.reader.open("/results"))
    sent = [len(asked.body) for asked, what in it.line.done if what is None and asked.method == "PATCH"]
    kept = it.server.data / "media" / digest[:2] / digest
    it.holds("B6", it.cuts == 3, hashlib.sha256(kept.read_bytes()).hexdigest() == digest)
    it.holds("B6", kept.stat().st_size == VIDEO, sum(sent) < VIDEO)  # each cut costs less than a piece, never the whole
    it.li.at("/evidence").see("2/2 张已到服务器")
    it.li.look("two-of-two")
    it.holds("B7", ON_RECORD[1] in it.office(), it.view()["missing"] == [])
    it.holds("B8", it.hindrances() == ["not_approved"])
    it.desk.approve(it.guard)
    it.keep()


def cut(it: Story, asked: Asked) -> str | None:
    """Cuts the line in the middle of the piece that passes the next mark; at the second mark the server dies too."""
    it.sent += len(asked.body)
    if it.cuts == len(CUTS) or it.sent < CUTS[it.cuts]:
        return None
    it.cuts += 1
    if it.cuts == 2:
        it.server.kill()
        it.server.start()
    return "during"


def let_in_after_all(it: Story) -> None:
    """The head opens the record again; what stopped the check is taken out, and every point is answered."""
    it.desk.done("head", f"/visits/{it.guard}/reopen", reason="单位同意进入检查")
    it.meet()
    it.li.at().see("第 2 轮")
    it.li.obstructed("拒绝进入", "")
    it.li.choose(ITEM, "1 未发现问题", ["no_problem_found"])
    it.li.see("答完「危险化学品储存」的 3 个要点")
    it.li.look("again")
    it.meet()
    it.holds("B9", it.lacks() == {"unanswered_point"}, "noncooperation" not in it.view()["content"]["visit"])
    for hand, points in ((it.li, POINTS[:2]), (it.zhang, POINTS[2:])):
        for point in points:
            hand.answer(point, "符合", "pass")
    it.meet()
    it.both_sign()
    it.li.draw("subject")
    it.li.propose()
    it.meet()
    view = it.view()
    it.holds("B9", (view["phase"], view["round"]) == ("final", 2), len(view["content"]["media"]) == 2)
    history = it.office("/history")
    it.holds("B9", "拒签" in history, "不配合情形" in history, "服务器接受定稿，第 1 轮" in history)
    refusals = [op["val"]["refused"] for op in it.ops() if op["kind"] == "sign"]
    it.holds("B9", refusals.count(REFUSED) == 1, refusals.count(None) == 6)
    it.desk.approve(it.guard, 2)
    no = it.desk.publish(it.guard, "t1")
    said = it.reader.open(f"/results/{no}", "result")
    it.holds("B9", GUARD[0] in said, "未发现问题" in said, "不配合" not in said, REFUSED not in said)
    it.holds("B8", it.reader.page.locator("main img, main video").count() == 0)


def nothing_lost(it: Story, video: str) -> None:
    """Everything that any phone called saved is in the log, every file whole, the trail as it was written."""
    it.keep()
    for hand in it.hands.values():
        it.holds("B11", hand.phone.errors == [], hand.phone.outbox() == [])
    logged = {op for visit in it.saved for op in held(it.server, visit)}
    here = media(it.server)
    it.holds("B11", all(ids <= logged for ids in it.saved.values()), video in here, len(here) >= 12)
    it.hall.sign_out()
    code, words = trail_of(it.server)
    it.holds("B10", code == 0, words.endswith("all agrees\n"))
    it.holds("B11", absent(it.server, it.db) == set(), it.kept.gone() == [], len(it.kept) > 100)


def test_story_b_with_two_phones(story: Story) -> None:
    the_gate_is_closed(story)
    video = the_guard_lets_nobody_in(story)
    the_owner_does_not_sign(story)
    the_video_arrives(story, video)
    let_in_after_all(story)
    nothing_lost(story, video)
    assert story.told == set(SENTENCES), sorted(set(SENTENCES) - story.told)
    print(f"story B with phones: {len(SENTENCES)} sentences hold, {len(STILL_TO_COME)} come with their rooms")
