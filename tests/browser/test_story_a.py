"""Story A with phones in a real browser: two officers on one finding, from the list to what the public reads of it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Playwright

from server.domain.instant import BEIJING
from server.store import tables
from tests.browser.hands import Hand
from tests.browser.journal import held, media
from tests.browser.phone import Phone
from tests.browser.pictures import photograph
from tests.browser.proxy import Asked, Proxy
from tests.browser.reader import Reader, reading
from tests.leaks import Scanner
from tests.office import draw_story
from tests.office.draw_story import NAMES, TO_THE_CREWS, Story, end
from tests.office.publishing import Desk
from tests.office.story_end import Kept, absent, public_answers, tables_there, trail_of
from tests.office.test_draws_over_http import HTML
from tests.phone import Phone as Sender
from tests.planning import FIRE, MAIN, STORAGE
from tests.subjects import VALID

pytestmark = [pytest.mark.browser, pytest.mark.serial]

SENTENCES: Final = draw_story.SENTENCES | {
    "A19": "Li and Zhang go offline in a basement, both open finding F7",
    "A20": "Zhang writes 'general' and the place 'by the east door' and photo P1",
    "A21": "Li writes 'major' and photo P2",
    "A22": "after both synced: P1 and P2, and Zhang's place",
    "A23": "severity in conflict with both values, authors, times",
    "A24": "final is refused until Li settles it",
    "A25": "the board shows Li 14/14, Zhang 9/11",
    "A26": "then 11/11",
    "A27": "both sign one digest",
    "A28": "the manager signs on Li's phone",
    "A29": "one item type 5 with order and deadline, the other type 1",
    "A30": "main result 5; 1 is refused",
    "A31": "final 2026-09-10, due 2026-10-14",
    "A32": "published 10-13",
    "A33": "without phones, ID numbers, photos",
    "A34": "replaying every request changes nothing",
    "A35": "the trail verifies",
    "A36": "no photo or signature is missing; nothing was deleted",
}
STILL_TO_COME: Final = ("the volume verifies on a machine without the server",)
"""Sentences of story A that belong to rooms that aren't there yet."""

MORNING: Final = datetime(2026, 9, 10, 9, 0, tzinfo=BEIJING)
SITE: Final = (32.99, 112.53)
BESIDE_F7: Final = {"measure": "on_spot", "severity": "general", "point": f"{STORAGE}-1"}
P1, P2 = photograph(71), photograph(72)


class Scene:
    """The office's story, its two phones on one line to the server, and all that they have called saved."""

    def __init__(
        self, it: Story, line: Proxy, new_phone: Callable[[str], Phone], reader: Reader, pictures: bool
    ) -> None:
        self.it, self.line, self.visit, self.reader = it, line, it.visit, reader
        self.desk, self.kept = Desk(it.hall, it.db), Kept(it.db)
        with it.db.read() as conn:
            self.subject = str(conn.scalar(sa.select(tables.visit.c.subject_name).where(tables.visit.c.id == it.visit)))
            crew = sa.select(tables.visit_crew.c.role, tables.visit_crew.c.officer_id)
            self.roles = {
                row.role: row.officer_id for row in conn.execute(crew.where(tables.visit_crew.c.visit_id == it.visit))
            }
        folder = "story-a" if pictures else None
        self.li, self.zhang = (
            Hand(new_phone(line.url), self.roles[role], it.visit, folder).begin(MORNING, SITE)
            for role in ("leader", "member")
        )
        self.saved: set[str] = set()

    @property
    def both(self) -> tuple[Hand, Hand]:
        return self.li, self.zhang

    def view(self) -> dict[str, Any]:
        """The visit as the server shows it."""
        with self.it.hall.running.signed_in(self.li.officer) as client:
            return dict(client.get(f"/api/visits/{self.visit}/view").json())

    def views(self) -> list[dict[str, Any]]:
        return [self.view(), *(hand.phone.view(self.visit) for hand in self.both)]

    def office(self) -> str:
        """The visit's page in the office."""
        return self.it.hall.client("clerk").get(f"/office/visits/{self.visit}", headers=HTML).text

    def ops_of(self, hand: Hand) -> int:
        """How many records of an officer the server has."""
        with self.it.db.read() as conn:
            bodies = conn.scalars(sa.select(tables.op.c.body).where(tables.op.c.visit_id == self.visit))
            return sum(json.loads(body)["author"] == hand.officer for body in bodies if body)

    def keep(self) -> None:
        """Notes every record that a phone holds now."""
        for hand in self.both:
            self.saved |= set(hand.phone.ids(self.visit))


@pytest.fixture
def scene(
    tmp_path: Path, playwright: Playwright, chromium: str, new_phone: Callable[[str], Phone],
    request: pytest.FixtureRequest,
) -> Iterator[Scene]:  # fmt: skip
    it, pictures = draw_story.begin(tmp_path / "data", SENTENCES), bool(request.config.getoption("--pictures"))
    with closing(it), Proxy(it.hall.running.port) as line:
        for step in TO_THE_CREWS:
            step(it)
        it.come(MORNING)
        with reading(playwright, chromium, it.hall.running.url, "story-a" if pictures else None) as reader:
            yield Scene(it, line, new_phone, reader, pictures)


def at_the_door(at: Scene) -> None:
    """One visit with both matters lies on both phones; the four steps, and what is found upstairs."""
    for hand in at.both:
        hand.phone.open("/app/visits")
        hand.look("visits")
        hand.at().see("进一次门，查 2 件事")
        hand.look("visit")
        hand.declare()
    at.li.show_certificates()
    at.li.arrive()
    at.li.read_notice()
    at.li.answer(f"{FIRE}-1", "符合", "pass")
    at.li.look("checklist")
    at.li.answer(f"{FIRE}-2", "符合", "pass")
    for place in ("北门", "西墙", "一号库", "二号库"):
        at.li.phone.act(at.visit, "add", ["finding"], BESIDE_F7 | {"text": "警示标志褪色", "place": place})
    at.zhang.answer(f"{STORAGE}-1", "不符合", "fail")
    at.zhang.answer(f"{STORAGE}-2", "不符合", "fail")
    for n in (3, 4, 5):
        at.zhang.answer(f"{STORAGE}-{n}", "符合", "pass")
    at.zhang.phone.sync()
    at.li.phone.sync()
    at.li.answer(f"{STORAGE}-6", "不符合", "fail")
    for hand in (at.li, at.zhang, at.li):
        hand.phone.sync()
        hand.at("/findings").look("findings")


def in_the_basement(at: Scene) -> None:
    """Without any network, on the same finding."""
    for hand in at.both:
        hand.phone.offline()
        row = hand.findings()[6]
        hand.open_finding(row)
        hand.see("问题 7")
        at.it.holds("A19", hand.phone.page.evaluate("navigator.onLine") is False, len(hand.findings()) == 7)
    (f7,) = {hand.findings()[6] for hand in at.both}
    at.zhang.type("位置", "东门旁", f"finding['{f7}'].place")
    at.zhang.phone.offline(False).sync()  # on the stairs there is one bar
    at.zhang.phone.offline()
    at.zhang.open_finding(f7)
    at.zhang.pick(f7, "一般隐患", "severity", "general")
    p1 = at.zhang.photograph(P1)
    at.zhang.look("finding-offline")
    mine = at.zhang.phone.view(at.visit)["content"]["finding"][f7]
    at.it.holds("A20", mine["severity"] == "general", mine["place"] == "东门旁", p1 == digest(P1))
    at.li.pick(f7, "重大隐患", "severity", "major")
    p2 = at.li.photograph(P2)
    theirs = at.li.phone.view(at.visit)["content"]["finding"][f7]
    at.it.holds("A21", theirs["severity"] == "major", "place" not in theirs, p2 == digest(P2))
    at.it.holds("A19", len(at.zhang.phone.outbox()) == 3, len(at.li.phone.outbox()) == 3)


def back_in_the_light(at: Scene) -> None:
    """Li's records arrive; of Zhang's the server first hears only that they are there."""
    at.li.phone.offline(False).sync()
    rid, left = at.zhang.phone.state()["rid"], ["500", "500", "hold"]

    def stammer(asked: Asked) -> str | None:
        pushes = asked.path == "/api/sync" and (said := json.loads(asked.plain))["rid"] == rid and said["push"]
        return left.pop(0) if pushes and left else None

    at.line.rule = stammer
    at.zhang.phone.offline(False).page.evaluate("() => void import('/app/store.js').then((store) => store.syncNow())")
    at.line.held.wait()
    board(at, "A25", "9/11 条已到服务器")
    at.it.holds("A25", at.ops_of(at.li) == 14, at.ops_of(at.zhang) == 9, len(records(at.zhang)) == 2)
    at.line.clear()
    at.zhang.at().phone.sync()  # what hung on the line is let go with the page
    board(at, "A26", "11/11 条已到服务器")
    at.it.holds("A26", at.ops_of(at.zhang) == 11, {one["state"] for one in at.zhang.phone.outbox()} == {"conflict"})
    at.zhang.phone.sync()


def board(at: Scene, n: str, zhang: str) -> None:
    """What the leader reads of the group."""
    at.li.at("/group").phone.sync()
    rows = at.li.phone.page.locator("article.member")
    for hand, words in ((at.li, "14/14 条已到服务器"), (at.zhang, zhang)):
        rows.filter(has_text=NAMES[hand.officer]).get_by_text(words).wait_for()
    at.li.look("group")
    said = rows.filter(has_text=NAMES[at.zhang.officer]).inner_text()
    at.it.holds(n, rows.count() == 2, ("手机里还有 2 条" in said) == (n == "A25"))


def records(hand: Hand) -> list[dict[str, Any]]:
    """What waits in the outbox, photos aside."""
    return [one for one in hand.phone.outbox() if one["kind"] != "photo"]


def two_versions(at: Scene) -> None:
    """Everything of both is there; one field has two versions, and the leader settles it."""
    (f7,) = {hand.findings()[6] for hand in at.both}
    of_f7 = f"finding:{f7}"
    for view in at.views():
        shown = {sha for sha, one in view["content"]["media"].items() if one["for"] == of_f7}
        at.it.holds("A22", shown == {digest(P1), digest(P2)}, view["content"]["finding"][f7]["place"] == "东门旁")
        (conflict,) = view["conflicts"]
        values = {(head["author"], head["val"]) for head in conflict["heads"]}
        at.it.holds("A23", conflict["path"] == ["finding", f7, "severity"], view["digest"] is None)
        at.it.holds("A23", values == {(at.li.officer, "major"), (at.zhang.officer, "general")})
        at.it.holds("A23", all(head["at"].startswith("2026-09-10T09:") for head in conflict["heads"]))
    names = [NAMES[hand.officer] for hand in at.both]
    for hand in at.both:
        hand.at("/conflicts").see("重大隐患", "一般隐患", *names)
        hand.look("conflicts")
        at.it.holds("A23", len(re.findall(r"09:\d\d 写下\n09:\d\d 收到", hand.said)) == 2)
    at.it.holds("A23", all(words in at.office() for words in ("重大", "一般", "写于 9月10日 09:", *names)))
    final_is_refused(at)
    at.li.at("/conflicts").phone.page.locator("button.ver", has_text="重大隐患").click()
    at.li.tap("采用「重大隐患」")
    at.li.knows("it.view.conflicts.length === 0")
    everybody(at)
    settled = [(view["conflicts"], view["content"]["finding"][f7]["severity"]) for view in at.views()]
    at.it.holds("A24", settled == [([], "major")] * 3)


def final_is_refused(at: Scene) -> None:
    """By the screen, and by the server where a phone proposes all the same."""
    at.li.at("/result").see("选定 1 处两种说法")
    at.li.look("result-conflict")
    before = len(at.li.phone.ids(at.visit))
    at.li.phone.page.locator(".dock .btn.main").click(force=True)
    at.it.holds("A24", len(at.li.phone.ids(at.visit)) == before)
    at.li.at(f"/sign?who={at.li.officer}").see("还有两种说法，选定后才能签字")
    other = Sender(at.it.hall.running.url, at.li.officer).start(at.visit)
    proposed = other.propose(at.visit, "0" * 64, "ordered_to_correct", [], at=at.it.hall.running.now())
    other.drain()
    view = at.view()
    at.it.holds("A24", other.verdict(at.visit, proposed)[0] == "ok", view["phase"] != "final")
    at.it.holds("A24", "conflict" in {one["code"] for one in view["missing"]})
    at.it.holds("A24", "两种说法" in at.office())
    other.http.close()


def everybody(at: Scene) -> None:
    """Both phones have everything of each other."""
    for hand in (*at.both, *at.both):
        hand.phone.sync()


def results(at: Scene) -> None:
    """Type 5 with order and deadline for one matter, type 1 for the other; the visit's main result can only be 5."""
    (f7,) = {hand.findings()[6] for hand in at.both}
    at.li.open_finding(f7)
    at.li.type("发现了什么", "氧化剂与还原剂混放", f"finding['{f7}'].text")
    at.li.pick(f7, "限期改正", "measure", "deadline")
    at.li.type("改正期限", "2026-09-24", f"finding['{f7}'].due")
    at.li.look("finding")
    at.li.choose(STORAGE, "5 发现问题已责令改正", ["ordered_to_correct"])
    at.li.choose(FIRE, "1 未发现问题", ["no_problem_found"])
    mains = at.li.phone.page.get_by_role("radiogroup", name="整户的主结果").get_by_role("radio")
    mains.first.wait_for()
    at.it.holds("A30", [one.strip() for one in mains.all_inner_texts()] == ["发现问题已责令改正"])
    at.li.phone.act(at.visit, "set", ["visit", "result"], "no_problem_found")
    everybody(at)
    at.it.holds("A30", {"code": "result_mismatch", "detail": {}} in at.view()["missing"])
    at.li.at("/result").look("result-mismatch")
    mains.first.click()
    at.li.knows("it.view.content.visit.result === 'ordered_to_correct'")
    at.li.look("result")
    everybody(at)
    for view in at.views():
        said, order = view["content"]["visit"], view["content"]["finding"][f7]
        at.it.holds("A29", said[f"result:{STORAGE}"] == ["ordered_to_correct"], order["measure"] == "deadline")
        at.it.holds("A29", said[f"result:{FIRE}"] == ["no_problem_found"], order["due"] == "2026-09-24")
        codes = {one["code"] for one in view["missing"]} - {"signature", "subject_signature", "digest_changed"}
        at.it.holds("A30", said["result"] == "ordered_to_correct", not codes)


def signatures(at: Scene) -> None:
    """Over one digest, each on his own phone; the manager on Li's."""
    at.li.at("/record").look("record")
    digests = {view["digest"] for view in at.views()}
    for hand in at.both:
        hand.draw(hand.officer)
    at.li.draw("subject")
    at.li.look("signed")
    everybody(at)
    for view in at.views():
        made = {one["signer"]: (one["state"], one["digest"]) for one in view["signatures"]}
        at.it.holds("A27", len(digests) == 1, {made[hand.officer] for hand in at.both} == {("current", *digests)})
        at.it.holds("A28", made["subject"] == ("current", *digests))
    with at.it.db.read() as conn:
        bodies = [json.loads(body) for body in conn.scalars(sa.select(tables.op.c.body)) if body]
    (his,) = [op for op in bodies if op["path"] == ["sign", "subject"] and op["visit"] == at.visit]
    at.it.holds("A28", his["rid"] == at.li.phone.state()["rid"], his["val"]["image"], not his["val"]["refused"])


def final(at: Scene) -> None:
    """The leader proposes, the server accepts; the days are those of the story."""
    at.li.propose()
    everybody(at)
    at.li.at("/record").see("已定稿")
    at.li.look("final")
    at.it.holds("A31", {view["phase"] for view in at.views()} == {"final"})
    page = at.office()
    days = page.partition('id="h-due"')[2].partition("</section>")[0]
    at.it.holds("A31", "2026-09-10" in days, "2026-10-14" in days or "10月14日" in days)


def replay(at: Scene) -> None:
    """Each request of both phones once more, byte by byte."""
    at.keep()
    view = at.view()
    said = once_more(at, lambda one: None)
    at.it.holds("A34", len(said) > 30, max(said) < 500, 200 in said, view == at.view())
    at.kept.note()


def once_more(at: Scene, fresh: Callable[[Asked], str | None]) -> list[int]:
    """Every request of the phones again, in the name of who sent it; no row of any table may change."""
    before = tables_of(at)
    asked = [one for one, what in at.line.done if what is None and one.method in ("POST", "PATCH", "PUT", "DELETE")]
    with at.it.hall.running.client() as client:
        said = [again(client, one, fresh(one)) for one in asked if not one.path.startswith("/api/session")]
    after = tables_of(at)
    changed = [name for name in before if before[name] != after[name]]
    assert not changed, changed
    return said


def the_other_days(at: Scene) -> None:
    """The clerk looks through the record and makes the order; nobody else is seen any more, and the task has ended."""
    at.it.come(datetime(2026, 9, 11, 9, 0, tzinfo=BEIJING))
    first = [at.desk.stays(at.visit, task) for task in (at.it.task, at.it.other)]
    at.desk.approve(at.visit)
    bare = at.desk.stays(at.visit, at.it.task)
    no = at.desk.order(at.visit)
    at.it.holds("A29", first == [(409, "not_approved")] * 2, bare == (409, "order_first"), "责改〔2026〕1号" in no)
    at.kept.note()
    at.it.come(datetime(2026, 10, 12, 16, 0, tzinfo=BEIJING))
    end(at.it)


def published(at: Scene) -> None:
    """A result for each of the two tasks goes public; no script is needed to read it."""
    at.it.come(datetime(2026, 10, 13, 9, 0, tzinfo=BEIJING))
    numbers = [give_numbers(at, hand.officer, n) for n, hand in enumerate(at.both)]
    nothing = [at.it.public(path).text for path in ("/results", "/results/feed.atom")]
    preview = at.desk.page("clerk", f"/publication/{at.visit}.{at.it.task}")
    five, one = (at.desk.publish(at.visit, task) for task in (at.it.task, at.it.other))
    name, types = at.subject, ("发现问题已责令改正", "未发现问题")
    at.it.holds("A32", name not in "".join(nothing), name in preview, types[0] in preview, five != one)
    for no, type_, task in ((five, types[0], "危险化学品储存抽查"), (one, types[1], "工贸抽查")):
        said = at.reader.open("/results", "results")
        at.it.holds("A32", said.count(name) == 2)
        at.reader.page.locator(f"a[href='/results/{no}']").first.click()
        said = at.reader.said(f"result-{no}")
        days = "2026年10月13日" in said, "10月14日" in said, "2026年9月10日" in said
        at.it.holds("A32", name in said, type_ in said, task in said, *days, "第 1 版" in said)
        at.it.holds("A33", at.reader.page.locator("main img, main video, main script").count() == 0)
        data = at.it.stranger.get(f"/results/{no}/v1.json").json()
        at.it.holds("A32", data["published_on"] == "2026-10-13", data["due_on"] == "2026-10-14")
    for kind in ("atom", "json"):
        at.it.holds("A32", at.it.public(f"/results/feed.{kind}").text.count(name) >= 2)
    nobody(at, [*numbers[0], *numbers[1]])


def give_numbers(at: Scene, officer: str, n: int) -> tuple[str, str]:
    """The office knows phone and ID number of each of the crew."""
    phone, id_number = f"1400000777{n}", ("411303190001015128", "411303190102030028")[n]
    with at.it.db.read() as conn:
        certificate = conn.scalar(sa.select(tables.officer.c.certificate).where(tables.officer.c.id == officer))
    at.desk.done(
        "clerk", f"/officers/{officer}/edit", name=NAMES[officer], sex="female", phone=phone, id_number=id_number,
        certificate=str(certificate), certificate_from="2024-01-01", certificate_to="2029-12-31", unit_id=MAIN,
        domains="other", anyway="yes",
    )  # fmt: skip
    return phone, id_number


def nobody(at: Scene, numbers: list[str]) -> None:
    """Whatever a stranger gets, from the start on, holds no number of anybody, nobody of the subject, and no photo."""
    photos = [digest(P1), digest(P2), *(shot for hand in at.both for shot in (one["sha256"] for one in hand.media()))]
    people = [VALID.phone, VALID.legal_representative, VALID.contact, VALID.address]
    scanner = Scanner([*numbers, *people, *photos])
    answers = public_answers(at.it.stranger)
    leaks = [leak for path, answer in answers.items() for leak in scanner.scan(path, answer.content)]
    assert not leaks, leaks
    kinds = {answer.headers["content-type"].partition(";")[0] for answer in answers.values()}
    broken = [path for path, answer in answers.items() if answer.status_code != 200]
    with_result = [path for path, answer in answers.items() if at.subject in answer.text]
    images = {kind for kind in kinds if kind.startswith(("image/", "video/"))} - {"image/svg+xml"}  # icons
    at.it.holds("A33", len(answers) > 30, len(with_result) > 5, not broken, not images)
    at.it.holds("A33", scanner.scan("office", at.office().encode()))  # who may see them does see some of them
    print(f"story A: {len(answers)} public answers, {scanner.bytes} bytes hold none of {len(scanner.values)} values")


def for_good(at: Scene) -> None:
    """Once more everything that the phones said, and what the office did for the publication; then the end of all."""
    officers = {hand.phone.state()["rid"]: hand.officer for hand in at.both}
    theirs = {door(one): officers[json.loads(one.plain)["rid"]] for one, _ in at.line.done if one.path == "/api/sync"}
    tokens = {officer: str(at.it.hall.client(officer).headers["Authorization"]) for officer in officers.values()}
    said = once_more(at, lambda one: tokens[theirs[door(one)]])
    at.it.holds("A34", len(said) > 30, max(said) < 500, said.count(200) > 10)
    twice = [at.desk.stays(at.visit, task) for task in (at.it.task, at.it.other)]
    at.it.holds("A34", twice == [(409, "already_published")] * 2)
    code, words = trail_of(at.it.hall.running)
    at.it.holds("A35", code == 0, words.endswith("all agrees\n"))
    log, here = held(at.it.hall.running, at.visit), media(at.it.hall.running)
    drawn = [json.loads(body)["val"]["image"] for body in bodies_of(at, "sign")]
    at.it.holds("A36", {digest(P1), digest(P2)} <= here, len(drawn) == 3, set(drawn) <= here)
    at.it.holds("A36", absent(at.it.hall.running, at.it.db) == set(), at.kept.gone() == [], len(at.kept) > 500)
    at.it.holds("A36", at.saved <= log.keys(), all(hand.phone.outbox() == [] for hand in at.both))
    at.it.holds("A36", all(hand.phone.errors == [] for hand in at.both))


def heads_of(one: Asked) -> dict[str, str]:
    """The head of a request, but for what belongs to its line."""
    head = [line.decode().split(": ", 1) for line in one.head.split(b"\r\n")[1:] if line]
    given = {name.lower(): value for name, value in head}
    return {name: value for name, value in given.items() if name not in ("host", "content-length", "connection")}


def door(one: Asked) -> str:
    """The token that a request came with."""
    return heads_of(one).get("authorization", "")


def again(client: httpx.Client, one: Asked, token: str | None) -> int:
    """Sends a request as it was, or with a session of another day; the status of its answer."""
    heads = heads_of(one)
    if token is not None:
        heads = {name: value for name, value in heads.items() if name != "cookie"} | {"authorization": token}
    return client.request(one.method, one.path, content=one.body, headers=heads).status_code


def bodies_of(at: Scene, kind: str) -> list[bytes]:
    """The ops of a kind in the visit's log."""
    with at.it.db.read() as conn:
        bodies = list(conn.scalars(sa.select(tables.op.c.body).where(tables.op.c.visit_id == at.visit)))
    return [body for body in bodies if body and json.loads(body)["kind"] == kind]


PASSING: Final = {"session", "device", "upload"}
"""What only says who spoke last, and through which door."""


def tables_of(at: Scene) -> dict[str, list[Any]]:
    """Every row of every table that holds what was done."""
    with at.it.db.read() as conn:
        return {
            table.name: sorted(map(repr, conn.execute(sa.select(table))))
            for table in tables_there(conn)
            if table.name not in PASSING
        }


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


STEPS: Final = (
    at_the_door, in_the_basement, back_in_the_light, two_versions, results, signatures, final, replay, the_other_days,
    published, for_good,
)  # fmt: skip


def test_story_a_with_two_phones(scene: Scene) -> None:
    for step in STEPS:
        step(scene)
    scene.it.all_told()
    print(f"story A with phones: {len(SENTENCES)} sentences hold, {len(STILL_TO_COME)} come with their rooms")
