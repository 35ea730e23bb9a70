"""Story C with phones in a real browser: illness, a conflict of interest at the gate, a neighbour's officer."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from playwright.sync_api import Error

from server.store import tables
from tests.browser.hands import Hand
from tests.browser.journal import held, media
from tests.browser.phone import Phone
from tests.browser.pictures import photograph
from tests.office.crew_hall import CREW, CrewHall, day, give_account
from tests.planning import FIRE

pytestmark = [pytest.mark.browser, pytest.mark.serial]

SENTENCES: Final = {
    "C1": "Wang reports sick: replacement with reason and the unit head's approval",
    "C2": "the next by lot among the qualified and free",
    "C3": "the draw stays",
    "C4": "his phone drops the visit",
    "C5": "and keeps his unsent work visible",
    "C6": "At the gate Zhao sees his brother-in-law and recuses himself offline: his phone locks the visit",
    "C7": "with one officer left it is interrupted, nothing can be added",
    "C8": "his 2 findings are kept, marked",
    "C9": "and confirmed or set aside by two others",
    "C10": "A substitute from the neighbouring district joins (merged pool, reason, consent)",
    "C11": "A certificate that ran out yesterday stops the start, offline too",
    "C12": "The subject asks for Li's recusal: stored",
    "C13": "decided by the principal",
    "C14": "work goes on until then",
    "C15": "Only the current crew signs",
    "C16": "former members stand in the record with the reason",
    "C17": "no photo or signature is missing; nothing was deleted",
}
SICK, KIN = "突发疾病", "店主是我姐夫"
GUEST = {
    "office": "宛城区应急管理局", "name": "邻甲", "sex": "male", "certificate": "41130299001", "domains": "other",
    "certificate_from": "2024-01-01", "certificate_to": "2029-12-31",
}  # fmt: skip
CONSENT = {"office": GUEST["office"], "consent": "宛城应急函〔2026〕12 号"}
WRITING = ("checklist", "findings", "evidence", "sign", "result", "conflicts")
CLOSED, RECUSED, INTERRUPTED = "已不在这个检查组", "你已回避这户检查", "执法人员不足 2 名"
FINDINGS = ("配电箱无盖", "地面积水")


class Story:
    """What has happened so far. Whom the lot gave which part: `li` leads, `wang` falls ill, `zhao` comes for him."""

    def __init__(self, hall: CrewHall, new_phone: Callable[[str], Phone], pictures: str | None) -> None:
        self.at, self.new_phone, self.pictures = hall, new_phone, pictures
        self.told = set[str]()
        self.task = hall.dispatched(2)
        one, two = hall.visits(self.task)
        hall.plan(self.task, {one.id: f"{day(1)}/am", two.id: f"{day(1)}/pm"})
        hall.matched(self.task)
        self.visit, self.second, self.name = one.id, two.id, one.name
        (self.li, _), (self.wang, _) = hall.seen(one.id).crew
        self.zhao = self.guest = ""
        self.hands: dict[str, Hand] = {}
        self.spare = {one for one in CREW if one not in (self.li, self.wang)}
        self.away = hall.next_by_lot(self.visit, self.task, self.spare)  # who would come, were he there
        self.file = hall.file(self.task)[1]
        self.photos: set[str] = set()
        self.saved: set[str] = set()

    def holds(self, name: str, *facts: object) -> None:
        """Asserts the facts of a sentence."""
        assert facts and all(facts), (name, SENTENCES[name], [bool(one) for one in facts])
        self.told.add(name)

    def hand(self, who: str) -> Hand:
        """Somebody with his phone at the visit; switched on and signed in when he is first met."""
        if who not in self.hands:
            phone = self.new_phone(self.at.hall.running.url).start().enter(who)
            self.hands[who] = Hand(phone, who, self.visit, self.pictures)
        return self.hands[who]

    def meet(self, *who: str) -> None:
        """Each has a network, one after the other; then all hear the rest."""
        for one in who * 2:
            self.hand(one).phone.offline(False).sync()

    def view(self) -> dict[str, Any]:
        """The visit as the server shows it."""
        return dict(self.at.hall.client(self.li).get(f"/api/visits/{self.visit}/view").json())

    def add(self, who: str, text: str, **more: str) -> str:
        """A finding, as his screen makes it."""
        hand = self.hand(who)
        row = hand.phone.act(self.visit, "add", ["finding"], {"text": text, **more})
        self.saved.add(row)
        return row

    def ask(self, who: str, kind: str, reason: str) -> str:
        """The clerk asks for a replacement; where the head answers."""
        self.at.done("clerk", f"/crews/visits/{self.visit}/replace", officer_id=who, kind=kind, reason=reason)
        with self.at.db.read() as conn:
            of = tables.crew_change.c.visit_id == self.visit, tables.crew_change.c.state == "asked"
            return f"/crews/changes/{conn.scalar(sa.select(tables.crew_change.c.id).where(*of))}"


@pytest.fixture
def story(tmp_path: Path, new_phone: Callable[[str], Phone], request: pytest.FixtureRequest) -> Iterator[Story]:
    hall = CrewHall(tmp_path / "data")
    yield Story(hall, new_phone, "story-c" if request.config.getoption("--pictures") else None)
    hall.close()


def begin(it: Story) -> None:
    """Li and Wang start; then Wang has no network, writes on, and falls ill."""
    li, wang = it.hand(it.li), it.hand(it.wang)
    li.at().see("上午上门")
    for hand in (li, wang):
        hand.declare()
    li.show_certificates()
    it.meet(it.li, it.wang)
    wang.phone.offline()
    for text in ("通道堵塞", "台账缺页"):
        it.add(it.wang, text)
    it.photos.add(wang.at("/evidence").photograph(photograph(31)))
    wang.phone.open("/app/visits")
    wang.see(it.name)


def illness(it: Story) -> None:
    """Asked by the clerk with a reason, agreed by the head, drawn by the lot among those who can come."""
    it.at.away(it.away, day(1))
    room = f"/crews/visits/{it.visit}/replace"
    bare = it.at.refused("clerk", room, officer_id=it.wang, kind="health", reason="")
    change = it.ask(it.wang, "health", SICK)
    own = it.at.refused("clerk", change, decision="approve")[:2]
    it.hand(it.li).phone.sync()
    before = it.hand(it.li).phone.view(it.visit)["members"]
    it.at.done("head", change, decision="approve", answer="同意")
    it.zhao = next(one for one in it.at.seen(it.visit).members if one != it.li)
    it.hand(it.li).phone.sync()
    it.holds("C1", bare[:2] == (422, "invalid"), own == (403, "forbidden"), set(before) == {it.li, it.wang})
    it.holds("C1", set(it.hand(it.li).phone.view(it.visit)["members"]) == {it.li, it.zhao})
    file = it.at.file(it.task)[1]
    (entry,) = file["officers"]["replaced"]
    able = it.spare - {it.away}
    came = it.at.next_by_lot(it.visit, it.task, able)
    it.holds("C2", len(able) == 3, {*entry["elig"]} == {*map(it.at.certificate, able)}, it.zhao == came)
    it.holds("C2", entry["in"] == it.at.certificate(came), not entry["designated"])
    it.holds("C3", file["winners"] == it.file["winners"], file["officers"]["teams"] == it.file["officers"]["teams"])


def dropped(it: Story) -> None:
    """Wang's phone wakes: the visit leaves his list, and what he wrote stays to be seen and to be taken away."""
    wang = it.hand(it.wang)
    unsent = [one for one in wang.phone.outbox() if one["visit"] == it.visit]
    wang.phone.open("/app/outbox")
    wang.look("outbox-before")
    it.holds("C5", len(unsent) == 4, {one["state"] for one in unsent} == {"saved"})
    wang.phone.offline(False).sync()
    wang.phone.open("/app/visits")
    wang.phone.page.get_by_role("heading", name="我的检查").wait_for()
    wang.look("visits")
    it.holds("C4", wang.phone.page.locator(".visit, .live").filter(has_text=it.name).count() == 0)
    for page in ("", "/checklist", "/findings", "/sign", "/record"):
        wang.at(page).see(CLOSED)
        it.holds("C4", wang.phone.page.locator("main textarea, main input").count() == 0)
    with pytest.raises(Error, match="withdrawn"):
        wang.phone.act(it.visit, "add", ["finding"], {"text": "事后补记"})
    wang.at().see(SICK, "暂存待审", "通道堵塞", "台账缺页")
    wang.look("left")
    aside = {one["op"]: one["reason"] for one in it.view()["quarantined"]}
    it.holds("C5", {one["id"] for one in wang.phone.outbox()} >= it.saved, len(aside) == 3)
    it.holds("C5", set(aside.values()) == {"reassigned"}, it.saved <= aside.keys())
    it.holds("C5", exported(wang) >= it.saved)


def exported(hand: Hand) -> set[str]:
    """The records in the file that the button gives."""
    with hand.phone.page.expect_download() as waiting:
        hand.tap("导出备份")
    with tarfile.open(fileobj=io.BytesIO(waiting.value.path().read_bytes())) as tar:
        lines = tar.extractfile("ops.jsonl")
        assert lines is not None
        return {f"{row['rid']}:{row['seq']}" for row in map(json.loads, lines.read().splitlines())}


def gate(it: Story) -> None:
    """Zhao's phone has the visit, and first wants his word; then, offline, he sees who the owner is."""
    zhao, li = it.hand(it.zhao), it.hand(it.li)
    zhao.phone.open("/app/visits")
    zhao.see(it.name)
    zhao.at("/checklist").see("先声明你与这户有没有利害关系")
    zhao.look("first-the-word")
    zhao.declare()
    zhao.phone.offline()
    zhao.at("/record").see("已换出的检查人员", SICK)
    it.holds("C16", it.wang in zhao.said)
    zhao.look("record-offline")
    words = {"severity": "general", "measure": "on_spot", "point": f"{FIRE}-1"}
    rows = [it.add(it.zhao, FINDINGS[0], **words), it.add(it.zhao, FINDINGS[1])]
    zhao.at("?step=interest").tap("有，要回避", "radio")
    zhao.phone.page.locator("#interest-reason").fill(KIN)
    zhao.look("recusal")
    zhao.tap("我声明：回避")
    zhao.knows(f"it.view.content.visit['no_interest:{it.zhao}'].interest")
    zhao.see(RECUSED)
    zhao.look("locked")
    for page in WRITING:
        zhao.at(f"/{page}").see(RECUSED)
        it.holds("C6", zhao.phone.page.locator("main textarea, main input, canvas").count() == 0)
    before = zhao.phone.ids(it.visit)
    with pytest.raises(Error, match="recused"):
        zhao.phone.act(it.visit, "add", ["finding"], {"text": "回避以后写的"})
    it.holds("C6", zhao.phone.ids(it.visit) == before, li.phone.view(it.visit)["phase"] == "started")
    it.meet(it.zhao, it.li)
    interrupted(it, rows)


def interrupted(it: Story, rows: list[str]) -> None:
    """Li is alone: he reads, and adds nothing; Zhao's findings stand there under his name."""
    li = it.hand(it.li)
    it.holds("C7", it.view()["phase"] == li.phone.view(it.visit)["phase"] == "interrupted")
    li.phone.offline()
    for page in WRITING:
        li.at(f"/{page}").see(INTERRUPTED)
        it.holds("C7", li.phone.page.locator("main textarea, main input, canvas").count() == 0)
    li.at("/record").see(INTERRUPTED)
    it.holds("C7", li.phone.page.locator("main a[href*='/sign'], main a[href$='/result']").count() == 0)
    before = li.phone.ids(it.visit)
    for kind, path, val in (("set", ["visit", "summary"], "一个人写的"), ("add", ["finding"], {"text": "同上"})):
        with pytest.raises(Error, match="interrupted"):
            li.phone.act(it.visit, kind, path, val)
    it.holds("C7", li.phone.ids(it.visit) == before)
    li.at().see(INTERRUPTED, "有 2 条要另外两人核对")
    li.look("interrupted")
    li.phone.page.get_by_text("有 2 条要另外两人核对").click()
    li.see(*FINDINGS)
    li.look("marked")
    listed = li.phone.page.locator("main button.item")
    it.holds("C8", listed.count() == 2, all(it.zhao in one for one in listed.all_inner_texts()))
    listed.first.click()
    li.phone.page.locator("dialog[open]").wait_for()
    it.holds("C8", li.phone.page.locator("dialog[open] a.btn, dialog[open] button.btn").count() == 0)
    view = it.view()
    marked = {one["op"] for one in view["flags"] if one["flag"] == "by_recused"}
    it.holds("C8", list(view["content"]["finding"]) == sorted(rows), {*rows} <= marked)


def neighbour(it: Story) -> None:
    """Nobody of the own unit can come any more, so a neighbour's officer may: with reason, consent, and the head."""
    lend = {"kind": "merged_pool", "visit_id": it.visit, "reason": "本局无人可换"}
    it.at.done("clerk", "/crews/guests", **GUEST)
    with it.at.db.read() as conn:
        named = tables.officer.c.certificate == GUEST["certificate"]
        it.guest = str(conn.scalar(sa.select(tables.officer.c.id).where(named)))
    for one in it.spare - {it.zhao, it.away}:
        it.at.away(one, day(1))
    change = it.ask(it.zhao, "recusal", KIN)
    nobody = it.at.refused("head", change, decision="approve")[:2]
    bare = it.at.refused("clerk", f"/crews/{it.task}/ways", **lend, officers=it.guest)[:2]
    it.at.done("clerk", f"/crews/{it.task}/ways", **lend, **CONSENT, officers=it.guest)
    with it.at.db.read() as conn:
        way = conn.scalar(sa.select(tables.crew_way.c.id))
    own = it.at.refused("clerk", f"/crews/ways/{way}", decision="approve")[:2]
    it.at.done("head", f"/crews/ways/{way}", decision="approve", answer="同意")
    it.at.done("head", change, decision="approve")
    it.holds("C10", nobody == (409, "crew_no_substitute"), bare == (422, "invalid"), own == (403, "forbidden"))
    with it.at.db.write() as conn:
        give_account(conn, it.guest)
    guest, li = it.hand(it.guest), it.hand(it.li)
    guest.phone.open("/app/visits")
    guest.see(it.name)
    guest.at().see("无利害关系声明")
    guest.look("visit")
    guest.declare()
    it.meet(it.guest, it.li)
    li.at("/group").see(GUEST["name"], "已换出", KIN)
    li.look("group")
    shown = {who: it.hand(who).phone.view(it.visit) for who in (it.guest, it.li)}
    it.holds("C10", all(set(one["members"]) == {it.li, it.guest} for one in shown.values()))
    it.holds("C10", {one["phase"] for one in shown.values()} == {"started"}, li.said.count("已换出") == 2)


def asked(it: Story) -> None:
    """The owner asks that Li keeps away: both phones say so; Li writes on until the principal has spoken, and after."""
    who = {"officer_id": it.li, "asker": "某甲", "asked_on": day(0), "reason": "曾有纠纷"}
    it.at.done("clerk", f"/crews/visits/{it.visit}/recusal", **who)
    with it.at.db.read() as conn:
        recusal = conn.scalar(sa.select(tables.recusal.c.id).where(tables.recusal.c.state == "asked"))
    li, both = it.hand(it.li), (it.li, it.guest)
    it.meet(*both)
    for one in both:
        hand = it.hand(one)
        hand.phone.offline()
        hand.at().see("曾有纠纷", "决定前照常检查")
        hand.look("asked")
        hand.at("/record").see("回避申请")
        it.holds("C12", "某甲" in hand.said, "曾有纠纷" in hand.said, "在办公室声明" not in hand.said)
    li.answer(f"{FIRE}-1", "不符合", "fail")
    it.meet(*both)
    it.holds("C14", it.view()["content"]["answer"][f"{FIRE}-1"] == {"verdict": "fail"}, it.view()["leader"] == it.li)
    answer = {"decision": "refuse", "answer": "没有证据"}
    others = [it.at.refused(one, f"/crews/recusals/{recusal}", **answer)[:2] for one in ("clerk", "head")]
    it.at.done("principal", f"/crews/recusals/{recusal}", **answer)
    it.meet(*both)
    for one in both:
        it.hand(one).at("/record").see("决定不回避：没有证据")
        it.hand(one).look("decided")
    li.at("/findings")
    it.holds("C13", others == [(403, "forbidden")] * 2, li.phone.page.get_by_text(RECUSED).count() == 0)


def checked(it: Story) -> None:
    """Of Zhao's findings the neighbour strikes one, the other stays; both sign, and only then it is confirmed."""
    guest, li = it.hand(it.guest), it.hand(it.li)
    guest.at("/recused").phone.page.locator("main button.item", has_text=FINDINGS[1]).click()
    guest.look("one")
    guest.tap("划去这个问题")
    guest.phone.page.get_by_label("为什么划去").fill("与检查无关")
    guest.tap("划去")
    guest.see("已撤下或改写")
    guest.look("struck")
    it.meet(it.guest, it.li)
    (kept,) = it.view()["content"]["finding"]
    li.open_finding(kept)
    li.see("回避人员所写，待核对")
    li.look("finding")
    it.photos.add(li.photograph(photograph(32)))
    li.at(f"/result?item={FIRE}").phone.page.get_by_role("radio").filter(has_text="发现问题已责令改正").first.click()
    li.knows("it.view.content.visit.result === 'ordered_to_correct'")
    it.meet(it.li, it.guest)
    li.at("/recused").see(f"{GUEST['name']} 已撤下", "还没有人签字确认")
    nobody = it.view()
    it.holds("C9", kept in nobody["content"]["finding"], len(nobody["withdrawn"]) == 1, not nobody["signatures"])
    sign(it, kept)


def sign(it: Story, kept: str) -> None:
    """Li, the neighbour and the owner; the phones of those who left offer no signature, and take none."""
    guest, li = it.hand(it.guest), it.hand(it.li)
    digest = it.view()["digest"]
    it.meet(it.zhao)
    for who in (it.wang, it.zhao):
        it.hand(who).at(f"/sign?who={who}").see(CLOSED)
        it.holds("C15", it.hand(who).phone.page.locator("canvas").count() == 0)
        with pytest.raises(Error, match="withdrawn"):
            it.hand(who).phone.sign(it.visit, who, digest)
    guest.draw(it.guest)
    it.meet(it.guest, it.li)
    li.at("/recused").see("还差一人", "等核对")
    it.holds("C9", li.phone.page.get_by_text("已确认", exact=True).count() == 0)
    li.draw(it.li)
    li.draw("subject")
    it.meet(it.li, it.guest)
    for hand in (guest, li):
        hand.at("/recused").see("已确认", "已签字确认")
        hand.look("confirmed")
        it.holds("C9", hand.phone.page.get_by_text("还差一人").count() == 0)
    listed = li.at("/record").phone.page.locator(".sig b").all_inner_texts()
    li.look("record")
    current = {one["signer"] for one in it.view()["signatures"] if one["state"] == "current"}
    it.holds("C15", current == {it.li, it.guest, "subject"}, len(listed) == 3, it.wang not in listed)
    li.propose()
    it.meet(it.li, it.guest)
    view = it.view()
    it.holds("C9", view["phase"] == "final", view["missing"] == [], list(view["content"]["finding"]) == [kept])
    for hand in (guest, li):
        hand.at("/record").see("已定稿", "已换出的检查人员")
        hand.look("final")
        said = hand.said
        it.holds("C16", all(one in said for one in (it.wang, SICK, it.zhao, KIN)))


def ended(it: Story) -> None:
    """In the other crew one certificate ended yesterday: his mate begins nothing, without a network either."""
    who, mate = sorted(it.at.seen(it.second).members, key=lambda one: one in it.hands)
    before = Hand(it.hand(mate).phone.sync(), mate, it.second, it.pictures)
    before.declare()
    form = {
        "name": who, "sex": "female", "phone": "14000009999", "id_number": "411303190001015128",
        "certificate": it.at.certificate(who), "certificate_from": "2024-01-01", "certificate_to": day(-1),
        "unit_id": "hazchem", "domains": "other", "anyway": "yes",
    }  # fmt: skip
    it.at.done("clerk", f"/officers/{who}/edit", **form)
    before.phone.sync().offline()
    for page in WRITING:
        before.at(f"/{page}").see("现在不能开始检查", who)
        it.holds("C11", before.phone.page.locator("main button, main textarea, main input").count() == 0)
    before.look("ended")
    for step in ("certificates", "arrival", "notice"):
        before.at(f"?step={step}").phone.page.locator("dialog[open]").get_by_text("现在不能开始检查").wait_for()
        it.holds("C11", before.phone.page.locator("dialog[open] button.btn").count() == 0)
    before.look("ended-steps")


def nothing_lost(it: Story) -> None:
    """All that any phone has called saved is in the log, every photo whole, and no phone has failed."""
    for hand in it.hands.values():
        hand.phone.offline(False).sync()
        if hand.officer in (it.li, it.wang, it.zhao, it.guest):  # the lot may have given the other visit to others
            it.saved |= set(hand.phone.ids(it.visit))
        it.holds("C17", hand.phone.errors == [])
    log = held(it.at.hall.running, it.visit)
    made = signs(it)
    images = {one["val"]["image"] for one in made}  # the test's hand draws the same strokes for each
    it.holds("C17", it.saved <= log.keys(), len(it.saved) > 20, len(made) == 3, None not in images)
    it.holds("C17", it.photos | images <= media(it.at.hall.running), it.view()["missing"] == [])


def signs(it: Story) -> list[dict[str, Any]]:
    """The signatures in the log."""
    with it.at.db.read() as conn:
        bodies = conn.scalars(sa.select(tables.op.c.body).where(tables.op.c.visit_id == it.visit))
        ops = [json.loads(body) for body in bodies if body]
    return [op for op in ops if op["kind"] == "sign"]


STEPS: tuple[Callable[[Story], None], ...] = (
    begin, illness, dropped, gate, neighbour, asked, checked, ended, nothing_lost,
)  # fmt: skip


def test_story_c_with_phones(story: Story) -> None:
    for step in STEPS:
        step(story)
    assert story.told == set(SENTENCES), sorted(set(SENTENCES) - story.told)
    print(f"story C in the browser: {len(SENTENCES)} sentences hold")
