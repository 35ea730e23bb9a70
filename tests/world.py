"""A visit that grows by chance: phones that work on their own, an office, and now and then a forger."""

from __future__ import annotations

import random
from typing import Any

from server.domain.result import CIRCUMSTANCES, TYPES, Item, Point
from server.sync.changes import Shown
from server.sync.fold import Frame, Subject, fold
from server.sync.ops import Op, canonical, stored
from server.sync.standing import shown_at, standing_of
from server.sync.view import Entry, Facts, Held, accepted, look_at

OFFICERS = ["li", "wang", "zhao", "sun"]
ITEMS = [
    Item("storage", "findings", [Point("p1"), Point("p2")]),
    Item("testing", "standard", [Point("q1")]),
]
POINTS = [point.id for item in ITEMS for point in item.points]
TEXTS = [
    "安全出口堵塞",
    "未建立台账",
    "𠮷野家 𝒜😀",
    "e\u0323\u0302 q\u0301",
    '\u0000\u001f"\\/\b\n\t\u007f',
    "",
    " \u3000\ufeff",
    "ﬀ\uffee\U0001f600",
    "\u2028\u2029",
    "x" * 300,
    "na",
    "deadline",
    "2026-12-01",
]
SET_ASIDE = [
    ("quarantined", "reassigned"),
    ("quarantined", "not_leader"),
    ("quarantined", "template_mismatch"),
    ("late", None),
]
MALFORMED = ["unknown_kind", "server_kind", "bad_path", "bad_value"]


class Phone:
    """A replica: whose it is, what it has received, and what it hasn't sent."""

    def __init__(self, rid: str, owner: str) -> None:
        self.rid = rid
        self.owner = owner
        self.received: dict[str, int] = {}
        self.seq = 0
        self.unsent: list[Entry] = []


class World:
    """One history in the making."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        tail = f"{rng.getrandbits(48):012x}"
        self.frame = Frame(
            f"0193a1b2-0000-7000-8000-{tail}", self.hex(64), Subject("南阳示例化工𠮷有限公司", "91411303MAAY4CL12N")
        )
        self.journal: list[Entry] = []
        self.last: dict[str, int] = {}
        self.epoch = "srv"
        self.is_honest = False
        self.crew = OFFICERS[: rng.choice([2, 2, 3, 4])]
        self.leader = self.crew[0]
        owners = [*self.crew, *rng.choices(self.crew, k=4)][: rng.choice([len(self.crew), 4])]
        self.phones = [Phone(self.hex(32), owner) for owner in owners]
        self.media = [self.hex(64) for _ in range(3)]
        for officer in self.crew:
            role = "leader" if officer == self.leader else "member"
            self.server("assign", ["crew", officer], {"role": role, "reason": ""})
        for phone in self.phones:
            phone.received = {"srv": len(self.crew)} if self.chance(0.9) else {}

    # --- chance -------------------------------------------------------------------------------------------------------

    def hex(self, length: int) -> str:
        return f"{self.rng.getrandbits(length * 4):0{length}x}"

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def deceives(self, share: float) -> bool:
        return not self.is_honest and self.chance(share)

    def text(self) -> str:
        return self.rng.choice(TEXTS)

    def at(self) -> str:
        return f"{self.rng.choice([2016, 2026, 2026, 2026, 2036])}-11-24T10:{self.rng.randrange(60):02}:00+08:00"

    # --- ops ----------------------------------------------------------------------------------------------------------

    def made(self, rid: str, seq: int, kind: str, path: list[str], val: Any, **more: Any) -> Op:
        ctx = more.pop("ctx") | ({rid: seq - 1} if seq > 1 else {})
        given = {
            "v": 1,
            "visit": self.frame.visit,
            "rid": rid,
            "seq": seq,
            "kind": kind,
            "path": path,
            "val": val,
            "base": [],
            "ctx": ctx,
            "author": "srv",
            "via": None,
            "at": self.at(),
            "clk": None,
            "tpl": self.frame.tpl,
            "app": "1.0.0",
            "geo": None,
            "prev": "" if seq == 1 else self.hex(64),
            "sig": "A" * 86,
        } | more
        made = stored(canonical(given))
        assert made is not None
        return made

    def server(self, kind: str, path: list[str], val: Any) -> None:
        seq = self.last.get(self.epoch, 0) + 1
        seen = {rid: seq for rid, seq in self.last.items() if rid != self.epoch}
        self.receive(self.entry(self.made(self.epoch, seq, kind, path, val, ctx=seen)))

    def entry(self, op: Op, verdict: str = "ok", reason: str | None = None) -> Entry:
        return Entry(None, op.rid, op.seq, op, "2026-11-24T02:30:00.000Z", verdict, reason)

    def receive(self, entry: Entry) -> None:
        n = len(self.journal) + 1
        self.journal.append(Entry(n, entry.rid, entry.seq, entry.op, entry.received_at, entry.verdict, entry.reason))
        self.last[entry.rid] = entry.seq

    def act(self, phone: Phone, kind: str, path: list[str], val: Any, **more: Any) -> Op:
        """The next op of a phone, honest or not, and what intake will say of it."""
        ctx, base = dict(phone.received), self.heads(phone, path) if kind == "set" else []
        if self.deceives(0.05):
            ctx[self.rng.choice(self.phones).rid] = self.rng.choice([1, 7, 10**9])
            ctx.pop(phone.rid, None)
        if self.deceives(0.05):
            guessed = f"{self.rng.choice(self.phones).rid}:{self.rng.randrange(1, 14)}"
            base = sorted({*base, guessed, f"{phone.rid}:{phone.seq + 1}"})
        elif self.deceives(0.1):
            base = base[:1]
        geo = {"lat_e7": 330000000, "lon_e7": 1125000000, "acc_cm": 500} if self.chance(0.3) else None
        envelope = {"author": phone.owner, "base": base, "ctx": ctx, "geo": geo} | more
        phone.seq += 1
        op = self.made(phone.rid, phone.seq, kind, path, val, **envelope)
        phone.unsent.append(self.judged(op))
        return op

    def judged(self, op: Op) -> Entry:
        final = any(entry.op and entry.op.kind == "accept_final" for entry in self.journal)
        if final and self.chance(0.8):
            return self.entry(op, "late")
        roll = 1 if self.is_honest else self.rng.random()
        if roll < 0.08:
            return self.entry(op, *self.rng.choice(SET_ASIDE))
        if roll < 0.11:
            entry = self.entry(op, "quarantined", self.rng.choice(MALFORMED))
            return Entry(
                None, op.rid, op.seq, self.rng.choice([None, op]), entry.received_at, entry.verdict, entry.reason
            )
        if roll < 0.12:
            return Entry(None, op.rid, op.seq, None, "2026-11-24T02:30:00.000Z", "dead", None)
        return self.entry(op, "ok", self.rng.choice(["clock_ahead", "licence_expiring"]) if self.chance(0.03) else None)

    # --- what a phone knows -------------------------------------------------------------------------------------------

    def known(self, phone: Phone) -> list[Entry]:
        received = phone.received | {phone.rid: phone.seq}
        return [it for it in self.journal if it.seq <= received.get(it.rid, 0)] + phone.unsent

    def heads(self, phone: Phone, path: list[str]) -> list[str]:
        on = [
            it.op
            for it in self.known(phone)
            if it.op and (it.op.path == path or it.id == path[1]) and it.verdict == "ok"
        ]
        register = fold(on, {op.id for op in on}).registers.get(tuple(path))
        return [op.id for op in register.heads] if register else []

    def exchange(self, phone: Phone) -> None:
        for entry in phone.unsent:
            self.receive(entry)
        phone.unsent = []
        phone.received = {rid: seq for rid, seq in self.last.items() if rid != phone.rid}

    def showing(self, phone: Phone) -> tuple[Shown, dict[str, int], list[str]]:
        known = self.known(phone)
        standing = standing_of(known)
        cut = phone.received | ({phone.rid: phone.seq} if phone.seq else {})
        excluded = sorted(it.id for it in known if it.op and standing[it.id].verdict != "ok")
        return shown_at(known, self.frame, cut, excluded), cut, excluded

    # --- what a phone does --------------------------------------------------------------------------------------------

    def rows(self) -> list[str]:
        made = [it.id for it in self.everything() if it.op and it.op.kind == "add"]
        return made or [f"{self.phones[0].rid}:9"]

    def everything(self) -> list[Entry]:
        return [*self.journal, *(it for phone in self.phones for it in phone.unsent)]

    def step(self) -> None:
        phone = self.rng.choice(self.phones)
        roll = self.rng.random()
        if roll < 0.12:
            self.exchange(phone)
        elif roll < 0.16:
            self.office()
        else:
            self.rng.choice([
                self.answer,
                self.answer,
                self.visit_field,
                self.visit_field,
                self.result,
                self.finding,
                self.add,
                self.row,
                self.attach,
                self.retract, self.caption, self.sign, self.confirm, self.propose,
            ])(phone)  # fmt: skip

    def answer(self, phone: Phone) -> None:
        field = self.rng.choice(["verdict", "verdict", "note"])
        val = self.rng.choice(["pass", "pass", "fail", "na", None]) if field == "verdict" else self.text()
        self.act(phone, "set", ["answer", self.rng.choice([*POINTS, "__proto__"]), field], val)

    def visit_field(self, phone: Phone) -> None:
        odd = {"\uff01": 1, "\U00010000": [True, {"é": -3}]}
        basis = f"basis:{self.rng.choice(ITEMS).id}"
        fields: list[tuple[str, Any]] = [
            ("summary", self.text()),
            ("attendee", None),
            ("result_note", self.text()),
            ("notice_read", self.chance(0.5)),
            ("arrived", {"at": self.at(), "geo": {"lat_e7": 1}, "nonce": "n"} | odd),
            ("methods", ["site", 3, None]),
            (f"no_interest:{phone.owner}", {"interest": self.chance(0.2), "reason": ""}),
            (basis, self.text()),
            ("section:储存场所𠮷", [phone.owner]),
            ("followup", {"owner": self.text(), "due": self.text()}),
            ("attempts", [{"at": self.at(), "way": "phone"}, {"at": self.at()}, None]),
            ("noncooperation", {"circumstances": self.circumstances(), "text": self.text()}),
        ]
        field, val = self.rng.choice(fields)
        self.act(phone, "set", ["visit", field], val)

    def circumstances(self) -> Any:
        return self.rng.choice([self.rng.sample(sorted(CIRCUMSTANCES), 2), ["entry_refused"], "x", [3]])

    def result(self, phone: Phone) -> None:
        item = self.rng.choice(ITEMS)
        types: list[Any] = self.rng.sample(TYPES, self.rng.choice([1, 1, 1, 2]))
        self.act(phone, "set", ["visit", "result"], types[0])
        self.act(
            phone, "set", ["visit", f"result:{item.id}"], types + [None, {}, "x"][: max(0, self.rng.randrange(-9, 4))]
        )

    def finding(self, phone: Phone) -> None:
        self.act(phone, "set", ["finding", self.rng.choice(self.rows()), *self.first_field()[:1]], self.text())

    def first_field(self) -> tuple[str, Any]:
        return self.rng.choice(
            [
                ("text", self.text()),
                ("point", self.rng.choice([*POINTS, "", "none"])),
                ("severity", "major"),
                ("due", self.text()),
                ("measure", self.rng.choice(["on_spot", "deadline", "none"])),
                ("place", None),
            ]
        )

    def add(self, phone: Phone) -> None:
        self.act(phone, "add", ["finding"], dict(self.first_field() for _ in range(self.rng.randrange(4))))

    def row(self, phone: Phone) -> None:
        self.act(
            phone,
            self.rng.choice(["del", "undel"]),
            ["finding", self.rng.choice(self.rows())],
            self.rng.choice([None, {"reason": "重复"}]),
        )

    def attach(self, phone: Phone) -> None:
        place = self.rng.choice(["visit", "visit", "answer:p1", f"finding:{self.rng.choice(self.rows())}"])
        val = {
            "size": self.rng.choice([1000, 1000, 2000]),
            "mime": self.rng.choice(["image/jpeg", "image/jpeg", "video/mp4"]),
            "for": place,
            "w": 10,
            "h": None,
            "taken": self.rng.choice([None, self.at()]),
            "source": "camera",
        }
        self.act(phone, "attach", ["media", self.rng.choice(self.media)], val)

    def retract(self, phone: Phone) -> None:
        self.act(phone, "retract", ["media", self.rng.choice(self.media)], {"reason": "误拍"})

    def caption(self, phone: Phone) -> None:
        self.act(phone, "set", ["media", self.rng.choice(self.media), "caption"], self.text())

    def sign(self, phone: Phone, signer: str = "") -> None:
        shown, cut, excluded = self.showing(phone)
        if shown.digest is None and self.chance(0.7):
            return
        signer = signer or self.rng.choice(
            [phone.owner, phone.owner, "subject", "witness", "expert:e1", self.rng.choice(self.crew)]
        )
        refused = signer == "subject" and self.chance(0.3)
        role = "expert" if signer.startswith("expert:") else signer
        if signer in OFFICERS:
            role = "leader" if signer == shown.crew.leader else "member"
        val: dict[str, Any] = {
            "digest": shown.digest or self.hex(64),
            "cut": cut,
            "excluded": excluded,
            "role": role,
            "image": None if refused else self.media_of(signer),
            "strokes": None,
            "refused": "拒签" if refused else None,
        }
        if self.deceives(0.1):
            wrong: list[dict[str, Any]] = [
                {"role": "member"},
                {"image": None},
                {"excluded": []},
                {"cut": cut | {phone.rid: 99}},
                {"refused": " "},
            ]
            val |= self.rng.choice(wrong)
        via = phone.owner if signer in OFFICERS and signer != phone.owner else None
        self.act(phone, "sign", ["sign", signer], val, author=signer if signer in OFFICERS else phone.owner, via=via)

    def media_of(self, signer: str) -> str:
        return f"{OFFICERS.index(signer) if signer in OFFICERS else 9}" * 64

    def confirm(self, phone: Phone) -> None:
        drawn = [it.id for it in self.everything() if it.op and it.op.kind == "sign" and it.op.path[1] == phone.owner]
        if drawn:
            self.act(phone, "confirm", ["sign", phone.owner], {"op": self.rng.choice(drawn)})

    def propose(self, phone: Phone) -> None:
        shown, cut, _ = self.showing(phone)
        result = "x" if self.deceives(0.1) else shown.content["content"]["visit"].get("result", "")
        digest = shown.digest or self.hex(64)
        val: dict[str, Any] = {"digest": digest, "cut": cut, "result": result, "signatures": []}
        self.act(phone, "propose_final", ["final"], val)

    # --- what the office does -----------------------------------------------------------------------------------------

    def office(self) -> None:
        aside = [it for it in self.journal if it.op and it.verdict != "ok" and it.reason not in MALFORMED]
        phones = [it for it in self.journal if it.op and not it.rid.startswith("srv") and it.reason not in MALFORMED]
        roll = self.rng.random()
        if roll < 0.4 and aside:
            self.server("admit", ["op", self.rng.choice(aside).id], {"reason": "", "by": "li"})
        elif roll < 0.7 and phones:
            verdict, reason = self.rng.choice([*SET_ASIDE, ("ok", None), ("quarantined", "stale_proposal")])
            self.server("rule", ["op", self.rng.choice(phones).id], {"verdict": verdict, "reason": reason})
        elif roll < 0.8:
            role = self.rng.choice(["member", "leader", "removed"])
            self.server("assign", ["crew", self.rng.choice(OFFICERS)], {"role": role, "reason": ""})
        elif roll < 0.85:
            self.epoch = f"srv{int(self.epoch[3:] or 1) + 1}"
        elif roll < 0.87:
            self.server("void", ["visit"], {"reason": "", "by": "head"})

    def close(self) -> None:
        """The honest end of a visit: all exchange, conflicts are settled, all sign, the leader proposes."""
        now = look_at(self.journal, self.frame, Facts()).shown
        leaders = [phone for phone in self.phones if phone.owner == now.crew.leader]
        if not leaders:
            return
        (leader, *_) = leaders
        for phone in [*self.phones, leader]:
            self.exchange(phone)
        if self.chance(0.7):
            self.settle(leader)
        for phone in self.phones:
            self.exchange(phone)
        for signer in [*now.crew.members, *(["subject", "witness"] if self.chance(0.9) else [])]:
            own = [phone for phone in self.phones if phone.owner == signer]
            phone = own[0] if own and self.chance(0.8) else leader
            self.sign(phone, signer)
            self.exchange(phone)
        for phone in self.phones:
            self.exchange(phone)
            if self.chance(0.5):
                self.confirm(phone)
                self.exchange(phone)
        self.exchange(leader)
        self.propose(leader)
        self.exchange(leader)

    def settle(self, leader: Phone) -> None:
        for register in look_at(self.journal, self.frame, Facts()).shown.folded.conflicts:
            self.act(leader, "set", list(register.path), register.values[0].val)
        for officer in OFFICERS:
            for phone in self.phones:
                if phone.owner == officer and self.chance(0.9):
                    self.act(phone, "set", ["visit", f"no_interest:{officer}"], {"interest": False, "reason": ""})
                    self.exchange(phone)
                    break
        self.exchange(leader)
        for point in POINTS:
            self.act(leader, "set", ["answer", point, "verdict"], "pass")
        type_ = "pending_followup" if self.chance(0.6) else self.rng.choice(TYPES)
        for item in ITEMS:
            self.act(leader, "set", ["visit", f"result:{item.id}"], [type_])
        self.act(leader, "set", ["visit", "result"], type_)
        self.act(leader, "set", ["visit", "followup"], {"owner": "li", "due": "2026-12-01"})
        self.act(leader, "add", ["finding"], {"text": "通道堵塞"} | dict([self.first_field()]))

    def finish(self) -> None:
        """The server takes the proposal where nothing is missing; what comes then is late, or a new round begins."""
        ready = accepted(look_at(self.journal, self.frame, self.facts(here=True)))
        if not ready:
            return
        proposal, signatures = ready
        current = look_at(self.journal, self.frame, Facts()).shown.crew.round
        self.server(
            "accept_final", ["final"], {"digest": proposal.val["digest"], "round": current, "signatures": signatures}
        )
        for _ in range(self.rng.randrange(3)):
            self.step()
        if self.chance(0.4):
            self.server("reopen", ["round"], {"round": current + 1, "reason": "退回", "by": "head"})
            for _ in range(self.rng.randrange(3)):
                self.step()

    def facts(self, *, here: bool = False) -> Facts:
        hashes = [*self.media, *(f"{digit}" * 64 for digit in (0, 1, 2, 3, 9))]
        return Facts(
            ITEMS,
            [one for one in hashes if here or self.chance(0.85)],
            [Held(f"{self.phones[-1].rid}:99", f"{self.phones[0].rid}:98")] if self.chance(0.1) else [],
        )
