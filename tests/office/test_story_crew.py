"""Story C over HTTP, with phones: illness, conflict of interest, a neighbour's officer; a sentence an assert."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from server.standalone import verify_draw
from server.store import tables
from server.store.crews import Seen
from tests.office.crew_hall import CREW, PNG, CrewHall, day, give_account
from tests.phone import Phone
from tests.planning import FIRE

SENTENCES: dict[str, str] = {
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
TO_COME = ("the trail verifies", "the volume verifies on a machine without the server")
"""The rest of the line with which every story ends: it comes with those rooms."""

SICK, KIN, RECUSED = "突发疾病", "店主是我姐夫", ["visit", "no_interest:{}"]
GUEST = {
    "office": "宛城区应急管理局", "name": "邻甲", "sex": "male", "certificate": "41130299001", "domains": "other",
    "certificate_from": "2024-01-01", "certificate_to": "2029-12-31",
}  # fmt: skip
ACT = ["finding"]


class Story:
    """What has happened so far. Whom the lot gave which part: `li` leads, `wang` falls ill, `zhao` comes for him."""

    def __init__(self, hall: CrewHall) -> None:
        self.at, self.told = hall, set[str]()
        self.task = hall.dispatched(2)
        one, two = hall.visits(self.task)
        hall.plan(self.task, {one.id: f"{day(1)}/am", two.id: f"{day(1)}/pm"})
        hall.matched(self.task)
        self.visit, self.second = one.id, two.id
        crew = self.seen().crew
        self.li, self.wang = crew[0][0], crew[1][0]
        self.zhao = self.guest = self.away = ""
        self.findings: list[str] = []
        self.late: list[str] = []
        self.first_file = hall.file(self.task)

    def holds(self, name: str, *facts: object) -> None:
        """Asserts the facts of a sentence."""
        assert facts and all(facts), (name, SENTENCES[name], [bool(one) for one in facts])
        self.told.add(name)

    def seen(self) -> Seen:
        return self.at.seen(self.visit)

    def phone(self, who: str) -> Phone:
        return self.at.phone(who, self.visit)

    def view(self) -> Any:
        return self.phone(self.li).view(self.visit)

    def declare(self, who: str, *, interest: bool = False, base: tuple[str, ...] = ()) -> str:
        val = {"interest": interest, "reason": KIN if interest else None}
        return self.phone(who).set(self.visit, ["visit", f"no_interest:{who}"], val, base)

    def ask(self, who: str, kind: str, reason: str) -> str:
        """The clerk asks for a replacement; where the head answers."""
        self.at.done("clerk", f"/crews/visits/{self.visit}/replace", officer_id=who, kind=kind, reason=reason)
        with self.at.db.read() as conn:
            of = tables.crew_change.c.visit_id == self.visit, tables.crew_change.c.state == "asked"
            return f"/crews/changes/{conn.scalar(sa.select(tables.crew_change.c.id).where(*of))}"

    def quarantined(self) -> dict[str, str]:
        return {one["op"]: one["reason"] for one in self.view()["quarantined"]}

    def replaced(self) -> list[dict[str, Any]]:
        return list(self.at.file(self.task)[1]["officers"]["replaced"])


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    hall = CrewHall(tmp_path / "data")
    yield Story(hall)
    hall.close()


def begin(it: Story) -> None:
    """Li and Wang start; what Wang writes last is still on his phone when he falls ill."""
    for one in (it.li, it.wang):
        it.declare(one)
        it.phone(one).drain()
    it.phone(it.wang).set(it.visit, ["visit", "attendee"], "门卫")
    it.phone(it.wang).drain()
    it.late = [it.phone(it.wang).write(it.visit, "add", ACT, {"text": text}) for text in ("通道堵塞", "台账缺页")]
    assert it.view()["phase"] == "started"


def illness(it: Story) -> None:
    """Asked by the clerk, agreed by the head, drawn by the lot among those who can come."""
    spare = {one for one in CREW if one not in it.seen().members}
    it.away = it.at.next_by_lot(it.visit, it.task, spare)  # who would come, were he there
    it.at.away(it.away, day(1))
    room = f"/crews/visits/{it.visit}/replace"
    bare = it.at.refused("clerk", room, officer_id=it.wang, kind="health", reason="")
    kind = it.at.refused("clerk", room, officer_id=it.wang, kind="tired", reason=SICK)
    change = it.ask(it.wang, "health", SICK)
    own = it.at.refused("clerk", change, decision="approve")[:2]
    unchanged = it.wang in it.seen().members
    it.at.done("head", change, decision="approve", answer="同意")
    (entry,) = it.replaced()
    it.holds("C1", bare == kind == (422, "invalid", "20"), own == (403, "forbidden"), unchanged)
    it.holds("C1", (entry["kind"], entry["by"], entry["designated"]) == ("health", "head", False))
    it.holds("C1", SICK not in it.at.file(it.task)[0].decode())  # of which illness is nobody's business outside
    able = spare - {it.away}
    free, came = sorted(map(it.at.certificate, able)), it.at.next_by_lot(it.visit, it.task, able)
    out = {one["o"]: one["reason"] for one in entry["left_out"]}
    it.zhao = next(one for one in it.seen().members if one != it.li)
    it.holds("C2", len(free) == 3, entry["elig"] == free, it.zhao == came, entry["in"] == it.at.certificate(came))
    it.holds("C2", out == {it.at.certificate(it.away): "LEAVE"}, entry["out"] == it.at.certificate(it.wang))
    before, (body, after) = it.first_file[1], it.at.file(it.task)
    stays = ("commit", "contributions", "seed", "teams", "leaders", "visits", "frame")
    it.holds("C3", all(before["officers"][one] == after["officers"][one] for one in stays))
    it.holds("C3", before["winners"] == after["winners"], verify_draw.check(body, "file").exit_code == 0)


def dropped(it: Story) -> None:
    """Wang's phone wakes: it hears that he is out, and what it still held is taken, apart."""
    wang, li = it.phone(it.wang), it.phone(it.li)
    wang.sync()
    given = wang.last["assignments"]
    it.holds("C4", it.visit not in wang.assignments, it.visit in given["withdrawn"])
    wang.drain()
    knew = wang.write(it.visit, "add", ACT, {"text": "事后补记"})
    wang.drain()
    closed = [wang.http.get(f"/api/visits/{it.visit}/{what}").status_code for what in ("view", "board")]
    it.holds("C4", closed == [404, 404])
    verdicts = [wang.verdict(it.visit, one) for one in (*it.late, knew)]
    it.holds("C5", verdicts == [("quarantined", "reassigned")] * 2 + [("quarantined", "not_member")])
    it.holds("C5", not any(wang.queue.values()), len(wang.own) == 5)
    li.drain()
    aside = {one["op"]["val"]["text"] for one in li.entries[it.visit].values() if one["verdict"] == "quarantined"}
    it.holds("C5", aside == {"通道堵塞", "台账缺页", "事后补记"}, it.quarantined().keys() == {*it.late, knew})
    page = it.at.page("clerk", f"/visits/{it.visit}")
    it.holds("C5", page.count(f'name="op" value="{it.late[0]}"') == 1, it.view()["content"]["finding"] == {})
    admitted = {"kind": "admit", "path": ["op", it.late[1]], "val": {"reason": "情况属实"}}
    it.holds("C5", li.http.post(f"/api/visits/{it.visit}/acts", json=admitted).status_code == 201)
    it.holds("C5", list(it.view()["content"]["finding"]) == [it.late[1]])


def gate(it: Story) -> None:
    """Zhao has no network: two findings, then he sees who the owner is; the phones hear of it later."""
    zhao, li = it.phone(it.zhao), it.phone(it.li)
    zhao.drain()
    said = it.declare(it.zhao)
    words = (
        {"text": "配电箱无盖", "point": f"{FIRE}-1", "severity": "general", "measure": "on_spot"},
        {"text": "地面积水"},
    )
    it.findings = [zhao.write(it.visit, "add", ACT, one) for one in words]
    recusal = it.declare(it.zhao, interest=True, base=(said,))
    after = zhao.write(it.visit, "add", ACT, {"text": "回避以后写的"})
    signed = zhao.sign(it.visit, "0" * 64, "member", image="1" * 64)
    unheard = it.view()["phase"]
    zhao.drain()
    verdicts = [zhao.verdict(it.visit, one) for one in (recusal, after, signed)]
    it.holds("C6", unheard == "started", verdicts == [("ok", None)] + [("quarantined", "recused")] * 2)
    li.drain()
    view = it.view()
    it.holds("C7", view["phase"] == "interrupted", it.zhao in view["members"])
    it.holds("C7", "检查中断" in it.at.page("head", f"/visits/{it.visit}"))
    digest = li.view(it.visit)["digest"]
    li.propose(it.visit, digest, "ordered_to_correct", [])
    li.drain()
    view = it.view()
    lacks = [one["detail"] for one in view["missing"] if one["code"] == "crew"]
    it.holds("C7", view["phase"] != "final", lacks == [{"officer": it.zhao}, {}])
    it.holds("C7", after not in view["content"]["finding"], it.quarantined()[after] == "recused")
    marked = {one["op"] for one in view["flags"] if one["flag"] == "by_recused"}
    it.holds("C8", {*it.findings} <= view["content"]["finding"].keys(), {*it.findings} <= marked, after not in marked)


def neighbour(it: Story) -> None:
    """Nobody of the own unit can come any more, so the neighbour's officer may."""
    rest = [one for one in CREW if one not in {it.li, it.wang, it.zhao, it.away}]
    lend = {"kind": "merged_pool", "visit_id": it.visit, "reason": "本局无人可换", "office": GUEST["office"]}
    consent = {"consent": "宛城应急函〔2026〕12 号"}
    it.at.done("clerk", "/crews/guests", **GUEST)
    with it.at.db.read() as conn:
        named = tables.officer.c.certificate == GUEST["certificate"]
        it.guest = str(conn.scalar(sa.select(tables.officer.c.id).where(named)))
    early = it.at.refused("clerk", f"/crews/{it.task}/ways", **lend, **consent, officers=it.guest)
    for one in rest:
        it.at.away(one, day(1))
    change = it.ask(it.zhao, "recusal", KIN)
    nobody = it.at.refused("head", change, decision="approve")
    bare = it.at.refused("clerk", f"/crews/{it.task}/ways", **lend, officers=it.guest)
    it.at.done("clerk", f"/crews/{it.task}/ways", **lend, **consent, officers=it.guest)
    with it.at.db.read() as conn:
        way = conn.execute(sa.select(tables.crew_way)).one()
    own = it.at.refused("clerk", f"/crews/ways/{way.id}", decision="approve")[:2]
    it.at.done("head", f"/crews/ways/{way.id}", decision="approve", answer="同意")
    it.at.done("head", change, decision="approve")
    it.holds("C10", early == (409, "crew_feasible", "18"), nobody == (409, "crew_no_substitute", "20"))
    it.holds("C10", bare == (422, "invalid", "18"), own == (403, "forbidden"))
    it.holds("C10", way.explanation["substitute"] == it.seen().code, len(way.explanation["left_out"]) >= 2)
    body, file = it.at.file(it.task)
    entry = file["officers"]["replaced"][-1]
    lent = {"o": GUEST["certificate"], "office": GUEST["office"], **consent}
    it.holds("C10", entry["lent"] == [lent], entry["in"] == GUEST["certificate"], entry["attempt"] == 2)
    it.holds("C10", verify_draw.check(body, "file").exit_code == 0, set(it.seen().members) == {it.li, it.guest})
    with it.at.db.write() as conn:
        give_account(conn, it.guest)
    card = it.phone(it.guest).assignments[it.visit]
    it.holds("C10", {one["officer"] for one in card["crew"]} == {it.li, it.guest}, it.view()["phase"] == "started")


def asked(it: Story) -> None:
    """The owner asks that Li keeps away; Li goes on until the principal has spoken, and after."""
    who = {"officer_id": it.li, "asker": "某甲", "asked_on": day(0), "reason": "曾有纠纷"}
    it.at.done("clerk", f"/crews/visits/{it.visit}/recusal", **who)
    twice = it.at.refused("clerk", f"/crews/visits/{it.visit}/recusal", **who)
    with it.at.db.read() as conn:
        row = conn.execute(sa.select(tables.recusal).where(tables.recusal.c.state == "asked")).one()
    li = it.phone(it.li)
    li.drain()
    (told,) = [one for one in it.view()["recusals"] if one["kind"] == "asked"]
    carried = [one for one in li.assignments[it.visit]["recusals"] if one["kind"] == "asked"]
    page = it.at.page("clerk", f"/visits/{it.visit}")
    it.holds("C12", (told["officer"], told["asker"], told["state"]) == (it.li, "某甲", "asked"), carried == [told])
    it.holds("C12", "曾有纠纷" in page, twice == (409, "recusal_there", "20"))
    meanwhile = li.set(it.visit, ["visit", "summary"], "发现配电箱无盖，已当场改正")
    li.drain()
    it.holds("C14", li.verdict(it.visit, meanwhile) == ("ok", None), it.view()["leader"] == it.li)
    answer = {"decision": "refuse", "answer": "没有证据"}
    others = [it.at.refused(one, f"/crews/recusals/{row.id}", **answer)[:2] for one in ("clerk", "head")]
    silent = it.at.refused("principal", f"/crews/recusals/{row.id}", decision="refuse", answer=" ")
    it.at.done("principal", f"/crews/recusals/{row.id}", **answer)
    li.drain()
    (told,) = [one for one in it.view()["recusals"] if one["kind"] == "asked"]
    page = it.at.page("clerk", f"/visits/{it.visit}")
    it.holds("C13", others == [(403, "forbidden")] * 2, silent[:2] == (422, "invalid"))
    it.holds("C13", (told["state"], told["answer"]) == ("dismissed", "没有证据"), "没有证据" in page)
    it.holds("C13", told in li.assignments[it.visit]["recusals"], it.view()["leader"] == it.li)


def sign(it: Story) -> None:
    """Of Zhao's findings one is set aside and one stays; Li and the neighbour sign, who left can't."""
    li, guest = it.phone(it.li), it.phone(it.guest)
    it.declare(it.guest)
    guest.write(it.visit, "del", ["finding", it.findings[1]], {"reason": "与检查无关"})
    guest.drain()
    li.drain()
    li.write(it.visit, "del", ["finding", it.late[1]], {"reason": "重复"})
    li.set(it.visit, ["answer", f"{FIRE}-1", "verdict"], "fail")
    li.set(it.visit, ["visit", f"result:{FIRE}"], ["ordered_to_correct"])
    li.set(it.visit, ["visit", "result"], "ordered_to_correct")
    li.drain()
    photo = PNG + b"1"
    li.attach(it.visit, photo, f"finding:{it.findings[0]}", "image/png")
    li.drain()
    li.upload(it.visit, photo)
    digest, gone = it.view()["digest"], [it.wang, it.zhao]
    drawn = [it.phone(one).sign(it.visit, digest, "member", image="1" * 64) for one in gone]
    for one in gone:
        it.phone(one).drain()
    it.holds("C15", {it.quarantined()[one] for one in drawn} <= {"not_member", "recused", "reassigned"})
    it.at.signed(it.visit)
    view = it.at.proposed(it.visit)
    signers = {one["signer"] for one in view["signatures"] if one["state"] == "current"}
    it.holds("C15", view["phase"] == "final", signers == {it.li, it.guest, "subject"})
    it.holds("C15", set(view["members"]) == {it.li, it.guest}, {it.quarantined()[one] for one in drawn} != set())
    flags = {one["op"] for one in view["flags"] if one["flag"] == "by_recused"}
    it.holds("C9", list(view["content"]["finding"]) == [it.findings[0]], it.findings[1] in view["withdrawn"])
    it.holds("C9", it.findings[0] in flags, signers >= {it.li, it.guest}, view["missing"] == [])
    page = it.at.page("head", f"/visits/{it.visit}")
    said = page.partition('id="h-crew"')[2].partition("</section>")[0]
    ops = [one["op"] for one in li.entries[it.visit].values() if one["op"] and one["op"]["kind"] == "assign"]
    removed = {one["path"][1]: one["val"]["reason"] for one in ops if one["val"]["role"] == "removed"}
    it.holds("C16", SICK in said, KIN in said, it.wang in said, it.zhao in said)
    it.holds("C16", removed.keys() == {it.wang, it.zhao}, SICK in removed[it.wang], KIN in removed[it.zhao])
    kept = {f"{row.rid}:{row.seq}" for row in _journal(it)}
    phones = [it.phone(one) for one in (it.li, it.wang, it.zhao, it.guest)]
    made = {id.partition("/")[2] for one in phones for id in one.own}
    it.holds("C17", made <= kept, len(made) > 20, view["missing"] == [])


def _journal(it: Story) -> list[Any]:
    with it.at.db.read() as conn:
        return list(conn.execute(sa.select(tables.op).where(tables.op.c.visit_id == it.visit)))


def ended(it: Story) -> None:
    """One of the other visit's crew has a certificate that ended yesterday."""
    seen = it.at.seen(it.second)
    who = next(one for one in seen.members if one != it.li)
    phone = it.at.phone(who, it.second)
    form = {
        "name": who, "sex": "female", "phone": "14000009999", "id_number": "411303190001015128",
        "certificate": it.at.certificate(who), "certificate_from": "2024-01-01", "certificate_to": day(-1),
        "unit_id": "hazchem", "domains": "other", "anyway": "yes",
    }  # fmt: skip
    it.at.done("clerk", f"/officers/{who}/edit", **form)
    phone.drain()
    (card,) = [one for one in phone.assignments[it.second]["crew"] if one["officer"] == who]
    tried = phone.set(it.second, ["visit", "arrived"], {"at": f"{day(0)}T09:00:00+08:00", "geo": None, "nonce": "n"})
    phone.drain()
    view = phone.view(it.second)
    it.holds("C11", card["certificate_to"] == day(-1))  # what the phone carries with it to where there is no network
    it.holds("C11", phone.verdict(it.second, tried) == ("quarantined", "no_licence_at_time"))
    it.holds("C11", view["phase"] == "dispatched", view["content"]["visit"] == {})
    page = it.at.page("clerk", f"/crews/visits/{it.second}")
    it.holds("C11", "执法证已过期，不能开始检查" in page)
    asking = {"officer_id": who, "kind": "other", "reason": "执法证到期未换"}
    it.at.done("clerk", f"/crews/visits/{it.second}/replace", **asking)
    with it.at.db.read() as conn:
        of = tables.crew_change.c.visit_id == it.second
        change = conn.scalar(sa.select(tables.crew_change.c.id).where(of))
    it.at.done("head", f"/crews/changes/{change}", decision="approve")
    (came,) = {*it.at.seen(it.second).members} - {*seen.members}
    fresh = it.at.phone(came, it.second)
    begun = fresh.set(it.second, ["visit", "notice_read"], True)
    fresh.drain()
    it.holds("C11", fresh.verdict(it.second, begun) == ("ok", None), fresh.view(it.second)["phase"] == "started")


STEPS: tuple[Callable[[Story], None], ...] = (begin, illness, dropped, gate, neighbour, asked, sign, ended)


@pytest.mark.rule("R20.1", "http")
@pytest.mark.rule("R20.3", "http")
@pytest.mark.rule("R20.4", "http")
@pytest.mark.rule("R18.4", "http")
@pytest.mark.rule("R19.1", "http")
def test_story_c_illness_and_a_conflict_of_interest(story: Story) -> None:
    for step in STEPS:
        step(story)
    assert story.told == set(SENTENCES), [SENTENCES[n] for n in sorted(set(SENTENCES) - story.told)]
    print(f"story C: {len(SENTENCES)} sentences hold; to come: {'; '.join(TO_COME)}")
