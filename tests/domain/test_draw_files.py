"""Files of drawn, excused and void attempts, made by chance: two checks written apart agree on good and bad ones."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from server.domain import draw as lot
from server.domain import drawing as steps
from server.domain.draw_check import check
from server.domain.draw_file import file_of
from server.domain.draw_sources import Source, bits_of
from server.domain.instant import stamp
from server.standalone import verify_draw

NOW: Final = datetime(2026, 11, 17, 2, 0, tzinfo=UTC)
CLASSES: Final = ("HIGH_C", "LOW_A", "LOW_A_FLAGGED", "MEDIUM_B")
CHAINS, LONG = 60, 6
BYTES = 3_000


class Office:
    """Draws one after another by chance, and what it published."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.prev, self.now = chance, lot.ROOT, NOW
        self.files: list[bytes] = []

    def draw(self, no: str, attempt: steps.Drawing | None = None) -> None:
        """One attempt: it ends drawn or void, and after a void there may be another."""
        frame, secret = self.frame(), f"{self.chance.getrandbits(256):064x}"
        rules, sources = self.rules(frame), self.sources()
        one = steps.commit(no, attempt, self.prev, frame, rules, sources, secret, "clerk", self.tick())
        self.prev = one.commit
        for source in sources[: self.chance.choice([0, 1, 9, 9, 9])]:
            at = self.tick()
            one = steps.contribute(one, source.id, self.value(source), at, "见证人", "e" * 64, None, "clerk", at)
        if one.state == "contributed" and self.chance.random() < 0.9:
            one = steps.run(one, frame, secret, "clerk", self.tick())
            self.publish(one, frame)
            while self.chance.random() < 0.4:
                code = self.chance.choice(one.effective) if one.effective else ""
                if not code:
                    break
                one = steps.excuse(one, code, "已注销", is_alive=False)
                self.publish(one, frame)
        if one.state != "drawn" or self.chance.random() < 0.3:
            one = steps.void(one, secret, "见证人未到场", "head", self.tick())
            self.publish(one, frame)
            if self.chance.random() < 0.7:
                self.draw(no, one)

    def publish(self, one: steps.Drawing, frame: str) -> None:
        self.files.append(file_of(one, frame, "危险化学品监管科", "2026-007"))

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def frame(self) -> str:
        rows: list[lot.Row] = []
        for place in self.chance.sample(range(10_000), self.chance.randint(1, 60)):
            code = f"{place:015}"
            if rows and self.chance.random() < 0.2:
                rows.append(lot.Row(code, "-", "X", self.chance.choice(lot.REASONS)))
            else:
                rows.append(lot.Row(code, self.chance.choice(CLASSES)))
        return lot.frame_text(rows)

    def rules(self, frame: str) -> dict[str, Any]:
        rows = lot.parse_frame(frame)
        sizes = lot.sizes(rows)
        plain = {"alg": "sdraw1", "base": len(rows), "filters": [], "item": "storage", "task": "2026-007", "year": 2026}
        floor = {"floor": {"why": "campaign", "document": "南应急〔2026〕18 号"}}
        if self.chance.random() < 0.5:
            shares = {name: self.chance.randint(1, 10_000) for name in sizes}
            return plain | floor | {"mode": "ratio", "ratio_bp": shares}
        n = self.chance.randint(1, sum(sizes.values()))
        return plain | floor | {"mode": "total", "n": n, "weights": {name: self.chance.randint(1, 9) for name in sizes}}

    def sources(self) -> list[Source]:
        due = stamp(self.now + timedelta(days=1))
        lottery = Source("kl8/1", "lottery", 61, "下一期", due)
        dice = Source("dice/1", "dice", bits_of("dice", 4), "四个骰子", due)
        beacon = Source("drand/1", "beacon", 256, "drand 第 9 轮", due)
        digits = Source("digits/1", "public_digits", bits_of("public_digits", 19), "十九位数字", due)
        return self.chance.choice([[lottery], [dice, lottery], [beacon, dice], [digits]])

    def value(self, source: Source) -> str:
        if source.kind == "lottery":
            return " ".join(f"{n:02}" for n in sorted(self.chance.sample(range(1, 81), 20)))
        if source.kind == "dice":
            return " ".join(str(self.chance.randint(1, 6)) for _ in range(4))
        return (
            f"{self.chance.getrandbits(256):064x}"
            if source.kind == "beacon"
            else f"{self.chance.randrange(10**19):019}"
        )


@pytest.fixture(scope="module")
def offices() -> list[list[bytes]]:
    """What some offices published, each with a chain of its own."""
    chance, found = random.Random(17), []
    for _ in range(CHAINS):
        office = Office(chance)
        for n in range(1, LONG + 1):
            office.draw(f"2026-{n}")
        found.append(office.files)
    return found


def commit_of(body: bytes) -> str:
    """The commitment of a file."""
    return str(json.loads(body)["commit"])


def both(*bodies: bytes) -> tuple[bool, bool]:
    """Whether the server's own check and the stdlib one are green on some files and their chain."""
    reports = [verify_draw.check(body, str(place)) for place, body in enumerate(bodies)]
    chain = [*verify_draw.check_chain(reports)] if len(reports) > 1 else []
    return check(*bodies) == [], not chain and all(report.exit_code == 0 for report in reports)


def test_whole_chains_are_green_in_both(offices: list[list[bytes]]) -> None:
    n = sum(map(len, offices))
    print(f"{n} files in {len(offices)} chains")
    assert n >= 600
    for files in offices:
        assert both(*files) == (True, True)


def test_a_single_altered_byte_is_refused_by_both(offices: list[list[bytes]]) -> None:
    chance, every = random.Random(18), [body for files in offices for body in files]
    refused = 0
    for _ in range(BYTES):
        body = bytearray(chance.choice(every))
        place = chance.randrange(len(body))
        match chance.choice(["flip", "cut", "add", "other"]):
            case "flip":
                body[place] ^= 1 << chance.randrange(8)
            case "cut":
                del body[place]
            case "add":
                body.insert(place, chance.randrange(256))
            case _:
                body[place] = (body[place] + chance.randrange(1, 256)) % 256
        assert both(bytes(body)) == (False, False), (place, bytes(body[max(0, place - 40) : place + 40]))
        refused += 1
    print(f"{refused} of {BYTES} refused by both")
    assert refused == BYTES


def test_a_draw_cut_out_of_the_chain_is_noticed_by_both(offices: list[list[bytes]]) -> None:
    """Whichever it is but the last: of what comes after the last nobody can know."""
    chance, cut = random.Random(19), 0
    for files in offices:
        commits = list(dict.fromkeys(map(commit_of, files)))
        gone = chance.choice(commits[:-1])
        assert both(*(body for body in files if commit_of(body) != gone)) == (False, False)
        cut += 1
    print(f"{cut} cut out")
    assert cut == CHAINS
