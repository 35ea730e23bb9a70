"""The merge under a state machine: whatever phones, the office and forgers do, the promises of the fold hold.

The machine keeps its own book of who had truly received what, as sets of ops; it shares neither `ctx` nor sequence
numbers with the fold, and Automerge plays the honest edits once more as an independent witness.
"""

from __future__ import annotations

import copy
import json
import random
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from server.sync.fold import fold, groups_of
from server.sync.ops import Op
from server.sync.standing import shown_at, standing_of
from server.sync.view import Entry, Facts, look_at, view_of
from tests.sync.scene import FRAME, OWNERS, op, sha256_of

PHONES = ["a" * 32, "b" * 32, "c" * 32]
FIELDS = [("visit", "summary"), ("visit", "attendee"), ("answer", "p1", "verdict")]
MEDIA = [sha256_of("photo 1"), sha256_of("photo 2")]
PHOTO = {"size": 9, "mime": "image/jpeg", "for": "visit", "w": 1, "h": 1, "taken": None, "source": "camera"}
EXAMPLES, STEPS = 300, 40

phones = st.sampled_from(PHONES)
fields = st.sampled_from(FIELDS)
values = st.sampled_from(["甲", "乙", "e\u0323", "𠮷", None])
numbers = st.integers(0, 10**6)


class Merge(RuleBasedStateMachine):
    """Three phones, a journal, an office, and a forger."""

    seen: ClassVar[Counter[str]] = Counter()
    witness: ClassVar[subprocess.Popen[str] | None] = None

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[Entry] = []
        self.unsent: dict[str, list[Entry]] = {rid: [] for rid in PHONES}
        self.last: dict[str, int] = {}
        self.received: dict[str, dict[str, int]] = {rid: {} for rid in PHONES}
        self.knew: dict[str, frozenset[str]] = {}
        self.has: dict[str, set[str]] = {rid: set() for rid in PHONES}
        self.shown: dict[str, tuple[dict[str, Any], bool]] = {}
        self.script: list[tuple[str, ...]] = []
        self.is_honest = True
        for rid in PHONES:
            role = "leader" if rid == PHONES[0] else "member"
            self.server("assign", ["crew", OWNERS[rid]], {"role": role, "reason": ""})
        for rid in PHONES:
            self.exchange(rid)

    # --- the book -----------------------------------------------------------------------------------------------------

    def write(self, rid: str, kind: str, path: list[str], val: Any = None, **more: Any) -> Op:
        seq = self.last.get(rid, 0) + 1
        self.last[rid] = seq
        made = op(rid, seq, kind, path, val, **{"ctx": self.received.get(rid, {})} | more)
        own = {f"{rid}:{earlier}" for earlier in range(1, seq)}
        self.knew[made.id] = frozenset(own if more.get("ctx") == {} else self.has[rid])
        self.seen[f"kind {kind}"] += 1
        entry = Entry(None, rid, seq, made, "2026-11-24T02:00:00.000Z", "ok")
        if rid == "srv":
            self.entries.append(entry)
        else:
            self.unsent[rid].append(entry)
            self.has[rid].add(made.id)
        return made

    def server(self, kind: str, path: list[str], val: Any) -> None:
        self.write("srv", kind, path, val, ctx={})

    def ops(self) -> list[Op]:
        return [entry.op for entry in self.entries if entry.op]

    def effective(self) -> set[str]:
        return {id_ for id_, it in standing_of(self.entries).items() if it.verdict == "ok"}

    def known_to(self, rid: str) -> list[Entry]:
        sent = [it for it in self.entries if it.id in self.has[rid]]
        return [*sent, *self.unsent[rid]]

    def heads_on(self, rid: str, path: tuple[str, ...]) -> list[str]:
        known = self.known_to(rid)
        standing = standing_of(known)
        folded = fold([it.op for it in known if it.op], {id_ for id_, it in standing.items() if it.verdict == "ok"})
        return sorted(it.id for it in folded.registers[path].heads) if path in folded.registers else []

    def written(self, kinds: set[str]) -> list[Op]:
        return [it for it in self.ops() if it.kind in kinds]

    # --- what happens -------------------------------------------------------------------------------------------------

    @rule(rid=phones)
    def exchange(self, rid: str) -> None:
        """A phone sends all that it has and receives all that there is."""
        self.entries += self.unsent[rid]
        self.unsent[rid] = []
        self.has[rid] = {it.id for it in self.entries}
        self.received[rid] = {it.rid: it.seq for it in self.entries if it.rid != rid}
        self.script.append(("exchange", rid))

    @rule(rid=phones, path=fields, val=values)
    def edit(self, rid: str, path: tuple[str, ...], val: Any) -> None:
        """An honest edit replaces what was shown."""
        made = self.write(rid, "set", list(path), val, base=self.heads_on(rid, path))
        self.script.append(("set", rid, "/".join(path), made.id))

    @rule(rid=phones, path=fields, val=values, n=numbers)
    def revise(self, rid: str, path: tuple[str, ...], val: Any, n: int) -> None:
        """A member who edits what is in conflict names only one head."""
        base = self.heads_on(rid, path)
        self.is_honest &= len(base) < 2
        made = self.write(rid, "set", list(path), val, base=base[n % len(base) :][:1] if base else [])
        self.script.append(("set", rid, "/".join(path), made.id))

    @rule(rid=phones, path=fields, val=values, n=numbers)
    def forge_base(self, rid: str, path: tuple[str, ...], val: Any, n: int) -> None:
        """A forger names what he was never shown: every op of the others, there or still to come."""
        self.is_honest = False
        self.seen["forged base"] += 1
        base = sorted({f"{other}:{seq}" for other in PHONES for seq in range(1, 3 + n % 14)})
        self.write(rid, "set", list(path), val, base=base, ctx={})

    @rule(rid=phones, val=values)
    def add(self, rid: str, val: Any) -> None:
        self.write(rid, "add", ["finding"], {"text": val, "place": "库房"})

    @rule(rid=phones, n=numbers, kind=st.sampled_from(["del", "undel", "set"]), val=values)
    def row(self, rid: str, n: int, kind: str, val: Any) -> None:
        known = [it.id for it in self.known_to(rid) if it.op and it.op.kind == "add"]
        if known:
            row = known[n % len(known)]
            base = self.heads_on(rid, ("finding", row, "text")) if kind == "set" else []
            self.write(
                rid,
                kind,
                ["finding", row, *(["text"] if kind == "set" else [])],
                val if kind == "set" else None,
                base=base,
            )

    @rule(
        rid=phones,
        sha256=st.sampled_from(MEDIA),
        kind=st.sampled_from(["attach", "attach", "retract", "set"]),
        val=values,
    )
    def medium(self, rid: str, sha256: str, kind: str, val: Any) -> None:
        if kind == "set":
            path = ("media", sha256, "caption")
            self.write(rid, "set", list(path), val, base=self.heads_on(rid, path))
        else:
            self.write(rid, kind, ["media", sha256], PHOTO if kind == "attach" else {"reason": "误拍"})

    @precondition(lambda self: self.written({"set", "add", "del", "attach", "retract"}))
    @rule(n=numbers, verdict=st.sampled_from([("quarantined", "reassigned"), ("late", None)]))
    def set_aside(self, n: int, verdict: tuple[str, str | None]) -> None:
        """The office takes an op's effect away; admitting it gives it back."""
        self.is_honest = False
        given = self.written({"set", "add", "del", "attach", "retract"})
        self.server("rule", ["op", given[n % len(given)].id], {"verdict": verdict[0], "reason": verdict[1]})

    @precondition(lambda self: any(it.verdict != "ok" for it in standing_of(self.entries).values()))
    @rule(n=numbers)
    def admit(self, n: int) -> None:
        aside = [id_ for id_, it in standing_of(self.entries).items() if it.verdict != "ok"]
        self.server("admit", ["op", aside[n % len(aside)]], {"reason": "", "by": "li"})

    @rule(rid=phones, is_guest=st.booleans())
    def sign(self, rid: str, is_guest: bool) -> None:
        """Someone signs what this phone shows: its owner, or a colleague whose phone is elsewhere."""
        known = self.known_to(rid)
        standing = standing_of(known)
        cut = self.received[rid] | ({rid: self.last[rid]} if rid in self.last else {})
        excluded = sorted(it.id for it in known if standing[it.id].verdict != "ok")
        shown = shown_at(known, FRAME, cut, excluded)
        signer = OWNERS[PHONES[1]] if is_guest and rid != PHONES[1] else OWNERS[rid]
        if shown.digest is None or signer not in shown.crew.members:
            return
        val = {
            "digest": shown.digest, "cut": cut, "excluded": excluded, "image": sha256_of(signer), "strokes": None,
            "refused": None, "role": "leader" if signer == shown.crew.leader else "member",
        }  # fmt: skip
        via = OWNERS[rid] if signer != OWNERS[rid] else None
        made = self.write(rid, "sign", ["sign", signer], val, author=signer, via=via)
        self.shown[made.id] = copy.deepcopy(shown.content), via is not None

    @precondition(lambda self: self.written({"sign"}))
    @rule(n=numbers)
    def confirm(self, n: int) -> None:
        drawn = self.written({"sign"})
        self.write(PHONES[1], "confirm", ["sign", OWNERS[PHONES[1]]], {"op": drawn[n % len(drawn)].id})

    @rule(rid=phones)
    def propose(self, rid: str) -> None:
        """A proposal changes nothing that anybody sees in the record."""
        val = {"digest": sha256_of(rid), "cut": self.received[rid], "result": "unreachable", "signatures": []}
        self.write(rid, "propose_final", ["final"], val)

    # --- what always holds --------------------------------------------------------------------------------------------

    @invariant()
    def any_order_and_any_repetition_give_the_same(self) -> None:
        """I1, I2."""
        chance = random.Random(len(self.entries))
        ops, effective = self.ops(), self.effective()
        again = [*ops, *chance.choices(ops, k=5)]
        chance.shuffle(again)
        assert fold(again, effective).conflicts == fold(ops, effective).conflicts
        assert groups_of(fold(again, effective)) == groups_of(fold(ops, effective))
        assert fold(again, effective).withdrawn == fold(ops, effective).withdrawn

    @invariant()
    def a_value_stands_until_someone_who_was_shown_it_replaces_it(self) -> None:
        """I3 and I21: the heads are those that no effective op names whose author had truly received them."""
        effective = self.effective()
        acting = [it for it in self.ops() if it.id in effective]
        registers = fold(acting, effective).registers
        on: dict[tuple[str, ...], list[Op]] = {}
        for it in acting:
            if it.kind == "set":
                on.setdefault(tuple(it.path), []).append(it)
            if it.kind == "add":
                for field in it.val:
                    on.setdefault(("finding", it.id, field), []).append(it)
        for path, ops in on.items():
            replaced = {id_ for it in ops for id_ in it.base if id_ in self.knew[it.id]}
            assert [it.id for it in registers[path].heads] == sorted({it.id for it in ops} - replaced)
        assert registers.keys() == on.keys()

    @invariant()
    def a_deletion_hides_only_what_its_author_had_received(self) -> None:
        """I4 and I21: a row stands while one of its makers was unknown to each who struck it."""
        effective = self.effective()
        acting = [it for it in self.ops() if it.id in effective]
        folded = fold(acting, effective)
        for things, makers, killers, group in (
            (folded.rows, {"set", "undel"}, "del", "finding"),
            (folded.media, {"attach"}, "retract", "media"),
        ):
            named = {it.path[1] for it in acting if it.path[0] == group and it.kind in makers}
            named |= {it.id for it in acting if it.kind == "add"} if group == "finding" else set()
            assert things.keys() == named
            for name in named:
                made = [it for it in acting if it.id == name or (it.path[:2] == [group, name] and it.kind in makers)]
                struck = [it for it in acting if it.path == [group, name] and it.kind == killers]
                alive = any(all(maker.id not in self.knew[it.id] for it in struck) for maker in made)
                assert things[name].alive is alive
                self.seen["struck"] += not alive
                self.seen["survived"] += alive and bool(struck)

    @invariant()
    def every_value_in_the_content_traces_to_an_op_that_has_effect(self) -> None:
        """I14."""
        effective = self.effective()
        folded = fold(self.ops(), effective)
        for group, things in groups_of(folded).items():
            for name, fields_ in things.items():
                paths: list[tuple[str, ...]] = [(group, name, field) for field in fields_]
                for path in [(group, name)] if group == "visit" else paths:
                    if path[2:] == ("for",):
                        assert folded.media[name].first.id in effective
                        continue
                    (value,) = folded.registers[path].values
                    assert {it.id for it in value.heads} <= effective
                    assert value.val == (fields_ if group == "visit" else fields_[path[2]])

    @invariant()
    def a_signature_is_current_exactly_while_what_it_was_drawn_over_stands(self) -> None:
        """I11; and one drawn on another's phone counts only once confirmed."""
        look = look_at(self.entries, FRAME, Facts(here={sha256_of(officer) for officer in OWNERS.values()}))
        confirmed = {it.val["op"] for it in self.written({"confirm"}) if it.val["op"] in self.knew[it.id]}
        for signature in look.signatures:
            content, is_carried = self.shown[signature.op]
            same = content == look.shown.content and look.shown.digest is not None
            state = ("weak" if is_carried and signature.op not in confirmed else "current") if same else "stale"
            assert signature.state == state
            assert bool(signature.changed) is not same
            self.seen[f"signature {state}"] += 1
        self.seen["conflict"] += bool(look.shown.folded.conflicts)

    def teardown(self) -> None:
        """I15: no clock decides anything; and, once for the whole history, Automerge agrees (I3)."""
        self.seen["histories"] += 1
        self.seen["seq > 9"] += any(seq > 9 for seq in self.last.values())
        facts = Facts(here={sha256_of(officer) for officer in OWNERS.values()})
        assert timeless(view_of(self.entries, FRAME, facts)) == timeless(
            view_of([later(it) for it in self.entries], FRAME, facts)
        )
        if self.is_honest and self.witness:
            for rid in PHONES:
                self.exchange(rid)
            self.seen["witnessed by Automerge"] += 1
            assert self.asked() == self.heads()

    def heads(self) -> dict[str, list[str]]:
        registers = fold(self.ops(), self.effective()).registers
        edited = {tuple(field.split("/")) for kind, _, *rest in self.script if kind == "set" for field in rest[:1]}
        return {"/".join(path): [it.id for it in registers[path].heads] for path in edited}

    def asked(self) -> Any:
        assert self.witness
        assert self.witness.stdin
        assert self.witness.stdout
        self.witness.stdin.write(json.dumps(self.script) + "\n")
        self.witness.stdin.flush()
        return json.loads(self.witness.stdout.readline())


def later(entry: Entry) -> Entry:
    """The same entry from a phone whose clock is ten years off, one way or the other."""
    year = "2036" if entry.seq % 2 else "2016"
    assert entry.op
    return msgspec.structs.replace(entry, op=msgspec.structs.replace(entry.op, at=f"{year}-11-24T10:00:00+08:00"))


def timeless(view: dict[str, Any]) -> dict[str, Any]:
    """A view without the evidence of clocks."""
    conflicts = [it | {"heads": [head | {"at": ""} for head in it["heads"]]} for it in view["conflicts"]]
    return view | {"conflicts": conflicts, "flags": []}


@pytest.fixture
def witness() -> Iterator[subprocess.Popen[str]]:
    """Automerge in node, which answers a line for a line."""
    script = Path(__file__).with_name("oracle.mjs")
    with subprocess.Popen(["node", str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin
        process.stdin.close()


@pytest.mark.rule("I1")
@pytest.mark.rule("I2")
@pytest.mark.rule("I3")
@pytest.mark.rule("I4")
@pytest.mark.rule("I11")
@pytest.mark.rule("I14")
@pytest.mark.rule("I15")
@pytest.mark.rule("I21")
def test_whatever_happens_the_promises_of_the_merge_hold(
    witness: subprocess.Popen[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Merge.witness, Merge.seen = witness, Counter()
    run_state_machine_as_test(Merge, settings=settings(max_examples=EXAMPLES, stateful_step_count=STEPS))
    with capsys.disabled():
        print(f"\nmerge: {dict(sorted(Merge.seen.items()))}")
    assert Merge.seen["histories"] >= EXAMPLES
    kinds = "add set del undel attach retract sign confirm propose_final rule admit assign"
    wanted = [*(f"kind {kind}" for kind in kinds.split()), "conflict", "struck", "survived", "forged base", "seq > 9"]
    wanted += ["signature current", "signature stale", "signature weak", "witnessed by Automerge"]
    assert [one for one in wanted if not Merge.seen[one]] == []
