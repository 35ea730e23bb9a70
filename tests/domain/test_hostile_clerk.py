"""A clerk tries everything: the published files alone still form one chain, and nobody chose a winner."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from stdnum.cn import uscc

from server.domain import drawing
from server.domain.draw_file import file_of
from server.domain.draw_sources import Source
from server.domain.drawing import Drawing
from server.domain.instant import stamp
from server.errors import Problem
from server.standalone.verify_draw import check, check_chain

HISTORIES = 100_000
PARTS = 10
START = datetime(2026, 11, 2, tzinfo=UTC)
CODES = sorted(body + uscc.calc_check_digit(body) for body in (f"91411303MA{n:07}" for n in range(1, 13)))
SUBJECTS = len(CODES)
FRAME = "".join(f"{code}\tMID\tE\t-\n" for code in CODES)
DRAWN = 3
RULES: dict[str, Any] = {
    "alg": "sdraw1", "base": SUBJECTS, "filters": [], "item": "storage", "mode": "ratio", "ratio_bp": {"MID": 2500},
    "year": 2026,
}  # fmt: skip
TASKS = ("2026-1", "2026-2")


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Bureau:
    """Two tasks, their attempts, and what was published of them. `bug` names a fault that is planted on purpose."""

    def __init__(self, rng: Random, bug: str | None = None) -> None:
        self.rng, self.bug = rng, bug
        self.now = START
        self.current: dict[str, Drawing] = {}
        self.secrets: dict[str, str] = {}
        self.prev = "0" * 64
        self.files: list[bytes] = []
        self.voids = 0
        self.locked: dict[str, bytes] = {}
        self.out: dict[str, list[str]] = {}
        self.first: list[Drawing] = []
        self.tried: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()

    def tick(self) -> datetime:
        self.now += timedelta(minutes=self.rng.randrange(1, 30))
        return self.now

    # --- what he does; each may be refused

    def freeze(self, no: str, frame: str = FRAME, rules: dict[str, Any] | None = None) -> None:
        before = self.current.get(no)
        if before is not None and self.bug == "redraw after seeing" and before.state == "drawn":
            self.publish(before)
            before = msgspec.structs.replace(before, state="void")
        now = self.tick()
        due = stamp(now + timedelta(hours=2))
        sources = [Source("kl8/1", "lottery", 61, "下一期", due), Source("witness/1", "dice", 5, "两个骰子", due)]
        secret = self.best_secret(no)
        made = drawing.commit(
            no, before, self.prev, frame, (rules or RULES) | {"task": no}, sources, secret, "clerk", now
        )
        self.current[no], self.prev, self.secrets[made.commit] = made, made.commit, secret

    def best_secret(self, no: str) -> str:
        """He tries a few against the numbers that he guesses, to spare his friend; the numbers come out otherwise."""
        tries = [self.rng.randbytes(32).hex() for _ in range(2)]
        return min(tries, key=lambda secret: sha(secret + no + CODES[0]))

    def contribute(self, no: str) -> None:
        mine = self.held(no)
        source = mine.waits_for
        now = self.tick()
        k = "witness/1" if source is None else source.id
        self.give(mine, k, self.value(k), now, now)

    def contribute_early(self, no: str) -> None:
        mine = self.held(no)
        k = mine.waits_for.id if mine.waits_for else "kl8/1"
        early = datetime.fromisoformat(mine.committed_at) - timedelta(minutes=1)
        self.give(mine, k, self.value(k), early, self.tick())

    def contribute_twice(self, no: str) -> None:
        mine = self.held(no)
        now = self.tick()
        self.give(mine, "kl8/1", self.value("kl8/1"), now, now)

    def contribute_other(self, no: str) -> None:
        mine = self.held(no)
        now = self.tick()
        self.give(
            mine, self.rng.choice(["witness/2", "kl8/1", "witness/1"]), self.rng.choice(["123456", "7 7"]), now, now
        )

    def give(self, mine: Drawing, k: str, value: str, at: datetime, now: datetime) -> None:
        if self.bug == "early source accepted" and mine.state == "committed" and mine.waits_for is not None:
            k = mine.waits_for.id
            given = drawing.Contribution(k, self.value(k), stamp(at), "w", "e" * 64, None, "clerk", stamp(now))
            done = (*mine.contributions, given)
            state = "contributed" if len(done) == len(mine.sources) else "committed"
            self.current[mine.no] = msgspec.structs.replace(mine, contributions=done, state=state)
            return
        self.current[mine.no] = drawing.contribute(mine, k, value, at, "w", "e" * 64, None, "clerk", now)

    def run(self, no: str, frame: str = FRAME) -> None:
        mine = self.held(no)
        drawn = drawing.run(mine, frame, self.secrets[mine.commit], "clerk", self.tick())
        self.current[no] = drawn
        if drawn.attempt == 1:
            self.first.append(drawn)

    def run_other_list(self, no: str) -> None:
        self.run(no, FRAME.replace(f"{CODES[0]}\tMID\tE\t-\n", ""))

    def run_other_rules(self, no: str) -> None:
        mine = self.held(no)
        self.current[no] = msgspec.structs.replace(mine, rules=mine.rules.replace("2500", "5000"))
        try:
            self.run(no)
        except Problem:
            self.current[no] = mine
            raise

    def run_other_secret(self, no: str) -> None:
        mine = self.held(no)
        drawing.run(mine, FRAME, "ab" * 32, "clerk", self.tick())

    def void(self, no: str, by: str = "head") -> None:
        mine = self.held(no)
        if self.bug == "void without trace" and mine.state == "drawn":
            self.prev = mine.prev
            del self.current[no]
            return
        gone = drawing.void(mine, self.secrets[mine.commit], "见证人未到", by, self.tick())
        self.current[no] = gone
        self.voids += 1
        self.publish(gone)

    def void_own(self, no: str) -> None:
        self.void(no, "clerk")

    def lock(self, no: str) -> None:
        self.current[no] = drawing.dispatch(drawing.lock(self.held(no), "clerk", self.tick()))
        self.locked[no] = self.body(self.current[no])

    def withdraw(self, no: str) -> None:
        """After the lock a subject is let out of the visits, and what was drawn stays as it is."""
        mine = self.held(no)
        left = [code for code in mine.effective if code not in self.out.get(no, ())]
        if no not in self.locked or not left:
            raise Problem("withdrawal_not_possible", members={"state": "missing"}, state="不在名单里")
        self.out.setdefault(no, []).append(left[0])
        if self.bug == "withdrawn without trace":
            fewer = {name: [code for code in codes if code != left[0]] for name, codes in mine.winners.items()}
            self.current[no] = msgspec.structs.replace(mine, winners=fewer)

    def excuse(self, no: str) -> None:
        mine = self.held(no)
        self.current[no] = drawing.excuse(mine, self.rng.choice(CODES), "已注销", is_alive=self.rng.random() < 0.7)

    def restart(self, no: str) -> None:
        mine = self.held(no)
        self.current[no] = msgspec.convert(msgspec.to_builtins(mine), Drawing)

    def short_of_floor(self, no: str) -> None:
        self.freeze(no, rules=RULES | {"mode": "total", "n": 0, "weights": {"MID": 1}})

    def twice_in_list(self, no: str) -> None:
        self.freeze(no, frame=FRAME + FRAME[-len(f"{CODES[0]}\tMID\tE\t-\n") :])

    # --- what comes of it

    def held(self, no: str) -> Drawing:
        if no not in self.current:
            raise Problem("not_found")
        return self.current[no]

    def value(self, k: str) -> str:
        if k.startswith("kl8"):
            return " ".join(f"{n:02}" for n in sorted(self.rng.sample(range(1, 81), 20)))
        return f"{self.rng.randrange(1, 7)} {self.rng.randrange(1, 7)}"

    def body(self, mine: Drawing) -> bytes:
        shown = mine if mine.secret else msgspec.structs.replace(mine, secret=self.secrets[mine.commit])
        return file_of(shown, FRAME, "危化股", mine.no)

    def publish(self, mine: Drawing) -> None:
        self.files.append(self.body(mine))

    def attempt(self, act: str, no: str) -> None:
        self.tried[act] += 1
        try:
            getattr(self, act)(no)
        except Problem as problem:
            assert 400 <= problem.status < 500
            self.refused[act] += 1

    def onward(self, no: str) -> str:
        """What an honest clerk would do next."""
        return NEXT[self.current[no].state] if no in self.current else "freeze"

    def close(self) -> None:
        """At the end of the year nothing is open: what isn't drawn is void."""
        for no, mine in self.current.items():
            if mine.state in ("committed", "contributed"):
                self.void(no)
            elif mine.state != "void":
                self.publish(mine)


ACTS = (
    "freeze", "contribute", "run", "void", "lock", "excuse", "withdraw", "restart", "contribute_early",
    "contribute_twice", "contribute_other", "run_other_list", "run_other_rules", "run_other_secret",
    "void_own", "short_of_floor", "twice_in_list",
)  # fmt: skip
WEIGHTS = (6, 24, 12, 3, 3, 1, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
NEXT = {"committed": "contribute", "contributed": "run", "drawn": "lock", "dispatched": "withdraw", "void": "freeze"}
ONWARD, SECOND = 0.25, 0.2
"""How often he does what should be done, and how often with the second task."""
NEVER = ("run_other_list", "run_other_rules", "run_other_secret", "void_own", "short_of_floor", "twice_in_list")
"""What is refused wherever a draw stands."""


def history(seed: int, bug: str | None = None) -> Bureau:
    rng = Random(seed)
    bureau = Bureau(rng, bug)
    for act in rng.choices(ACTS, WEIGHTS, k=rng.randrange(6, 16)):
        no = TASKS[rng.random() < SECOND]
        bureau.attempt(bureau.onward(no) if rng.random() < ONWARD else act, no)
    bureau.close()
    return bureau


def faults_of(bureau: Bureau) -> list[str]:
    """What the verifier of the standard library says of the files alone, and what the clerk's own books say of them."""
    reports = [check(body, f"{place}.json") for place, body in enumerate(bureau.files)]
    found = [str(fault) for report in reports for fault in report.faults]
    if len(reports) > 1:
        found += [str(fault) for fault in check_chain(reports)]
    documents: list[dict[str, Any]] = [msgspec.json.decode(body) for body in bureau.files]
    if sum(one["void"] is not None for one in documents) != bureau.voids:
        found.append("a void is missing")
    if not set(bureau.locked.values()) <= set(bureau.files):
        found.append("a list was changed after its lock")
    if documents and len({one["commit"] for one in documents}) != len(bureau.secrets):
        found.append("a commitment is missing")
    return found + [f"winners of {one['no']}" for one in documents if one["seed"] and one["winners"] != winners(one)]


def winners(one: dict[str, Any]) -> dict[str, list[str]]:
    """By hand, from commitment and contributions."""
    parts = [sha(f"{given['k']}={given['v']}") for given in one["contributions"]]
    seed = sha("|".join(["sdraw1", "seed", one["commit"], one["secret"], *parts]))
    return {"MID": sorted(CODES, key=lambda code: (sha(f"{seed}|S|{code}"), code))[:DRAWN]}


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_a_clerk_tries_the_files_form_one_chain_and_nobody_chose(part: int) -> None:
    size = HISTORIES // PARTS
    tried, refused, hits = Counter[str](), Counter[str](), Counter[str]()
    files, voids, draws, locks, out = 0, 0, 0, 0, 0
    for seed in range(part * size, (part + 1) * size):
        bureau = history(seed)
        assert faults_of(bureau) == [], f"seed {seed}"
        tried += bureau.tried
        refused += bureau.refused
        files += len(bureau.files)
        voids += bureau.voids
        locks += len(bureau.locked)
        out += sum(map(len, bureau.out.values()))
        for drawn in bureau.first:
            draws += 1
            hits.update(drawn.winners["MID"])
    acts = f"{sum(tried.values())} acts, {sum(refused.values())} refused"
    print(f"\n{size} histories, {acts}, {files} files, {voids} voids, {locks} locks, {out} withdrawn")
    assert set(tried) == set(ACTS)
    assert size >= 10_000
    assert files > size
    assert voids > size // 4
    assert out > locks // 4 > size // 40
    assert all(refused[act] == tried[act] for act in NEVER)
    share = DRAWN / SUBJECTS
    sigma = (draws * share * (1 - share)) ** 0.5
    assert all(abs(hits[code] - draws * share) < 4 * sigma for code in CODES), hits


@pytest.mark.parametrize(
    "bug", ["redraw after seeing", "early source accepted", "void without trace", "withdrawn without trace"]
)
def test_a_planted_fault_is_caught(bug: str) -> None:
    caught = [seed for seed in range(400) if faults_of(history(seed, bug))]
    print(f"\n{bug}: {len(caught)} of 400 histories show it")
    assert len(caught) > 5
