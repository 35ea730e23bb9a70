"""A slow, obvious maker of published draws (draw/1), written from the page alone; it shares no line with a verifier."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import rfc8785

from tests.domain import crew_oracle as crews

ROOT = "0" * 64
STRATA = ("HIGH_C", "LOW_A", "LOW_A_FLAGGED", "MEDIUM_B")
REASONS = ("DRAWN_TWICE", "DEREGISTERED", "SUSPENDED", "OUT_OF_FILTER", "NO_AUTHORITY", "UNDER_OTHER_CASE")
LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
File = dict[str, Any]


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(value: object) -> str:
    return rfc8785.dumps(value).decode()  # type: ignore[arg-type]


def body_of(file: File) -> bytes:
    """The bytes that are published, with the record that belongs to them."""
    rest = {key: value for key, value in file.items() if key != "record"}
    return (canonical({**rest, "record": sha(canonical(rest))}) + "\n").encode()


def commit_of(part: File, alg: str) -> str:
    hashes = [sha(part["frame"]), sha(part["rules"]), sha(part["secret"])]
    return sha("|".join([f"{alg}|commit", part["prev"], *hashes]))


def seed_of(part: File, alg: str) -> str:
    given = [sha(f"{one['k']}={one['v']}") for one in part["contributions"]]
    return sha("|".join([f"{alg}|seed", part["commit"], part["secret"], *given]))


def strata_of(frame: str) -> dict[str, list[str]]:
    """The codes that take part, by stratum."""
    found: dict[str, list[str]] = {}
    for line in frame.splitlines():
        code, stratum, kind, _reason = line.split("\t")
        if kind == "E":
            found.setdefault(stratum, []).append(code)
    return found


def quotas_of(counts: dict[str, int], rules: File, seed: str) -> dict[str, int]:
    if rules["mode"] == "ratio":
        return {name: min(n, (n * rules["ratio_bp"][name] + 9999) // 10000) for name, n in counts.items()}
    quotas: dict[str, int] = {}
    left, weights = rules["n"], rules["weights"]
    while True:
        rest = {name: n * weights[name] for name, n in counts.items() if name not in quotas}
        whole = [name for name in rest if left * weights[name] >= sum(rest.values())]
        if not whole:
            break
        quotas.update({name: counts[name] for name in whole})
        left -= sum(counts[name] for name in whole)
    if rest:
        total = sum(rest.values())
        at = int(sha(f"{seed}|Q|round"), 16) % total
        for name in sorted(rest, key=lambda name: sha(f"{seed}|Q|{name}")):
            quotas[name] = (at + left * rest[name]) // total - at // total
            at += left * rest[name]
    return quotas


def draw(file: File, rules: File) -> None:
    """Seed, quotas, winners and reserve, from what stands in the file."""
    file["seed"] = seed_of(file, "sdraw1")
    strata = strata_of(file["frame"])
    file["quotas"] = quotas_of({name: len(codes) for name, codes in strata.items()}, rules, file["seed"])
    for name, codes in strata.items():
        q, order = file["quotas"][name], sorted(codes, key=lambda code: (sha(f"{file['seed']}|S|{code}"), code))
        file["winners"][name], file["reserve"][name] = order[:q], order[q : q + 10]


def uscc(chance: random.Random) -> str:
    """A unified code with its check character (GB 32100)."""
    text = "91411303MA" + "".join(chance.choices(LETTERS, k=7))
    return text + LETTERS[-sum(LETTERS.index(c) * 3**at % 31 for at, c in enumerate(text)) % 31]


class Bureau:
    """One office that draws again and again; what it publishes is one chain an algorithm."""

    def __init__(self, seed: str, crews: float = 0.5) -> None:
        self.chance, self.crews = random.Random(seed), crews
        self.now = datetime(2026, 11, 17, 2, 0, tzinfo=UTC)
        self.prev = {"sdraw1": ROOT, "omatch1": ROOT}
        self.files: list[File] = []

    def tick(self) -> str:
        self.now += timedelta(seconds=self.chance.randrange(1, 4000))
        return self.now.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def sources(self) -> list[File]:
        n = self.chance.randint(24, 30)
        due = "2026-12-30T02:00:00.000Z"
        some = [
            {"id": "kl8/2026312", "kind": "lottery", "bits": 61, "what": "快乐8第2026312期", "due": due},
            {"id": "beacon/7", "kind": "beacon", "bits": 256, "what": "信标第 7 轮", "due": due},
            {"id": "dice/1", "kind": "dice", "bits": n * 258 // 100, "what": "见证人掷骰", "due": due},
            {"id": "public/1", "kind": "public_digits", "bits": n * 332 // 100, "what": "现场摇号", "due": due},
        ]
        typed = {"id": "witness/1", "kind": "digits", "bits": 0, "what": "见证人写下的数字", "due": due}
        return [*self.chance.sample(some, self.chance.randint(1, 2)), *([typed] if self.chance.random() < 0.5 else [])]

    def value(self, source: File) -> str:
        some = self.chance
        if source["kind"] == "lottery":
            return " ".join(f"{n:02d}" for n in sorted(some.sample(range(1, 81), 20)))
        if source["kind"] == "beacon":
            return f"{some.getrandbits(256):064x}"
        if source["kind"] == "dice":
            return " ".join(str(some.randint(1, 6)) for _ in range(30))
        return "".join(some.choices("0123456789", k=30))

    def lot(self, alg: str, attempt: int, frame: str, rules: File, sources: list[File]) -> File:
        """What both kinds of draw have up to the commitment."""
        text = canonical(rules)
        part: File = {
            "attempt": attempt, "prev": self.prev[alg], "frame": frame, "frame_digest": sha(frame), "rules": text,
            "rules_digest": sha(text), "sources": sources, "committed_at": self.tick(), "contributions": [],
            "secret": f"{self.chance.getrandbits(256):064x}", "seed": None, "void": None,
        }  # fmt: skip
        part["commit"] = self.prev[alg] = commit_of(part, alg)
        return part

    def give(self, part: File, most: int = 9) -> None:
        for source in part["sources"][:most]:
            proof = self.chance.choice([None, "e" * 64])
            one = {"k": source["id"], "v": self.value(source), "at": self.tick(), "by": "见证人", "evidence": proof}
            part["contributions"].append(one)

    def void(self) -> File:
        return {"reason": "见证人未到场", "by": "head", "at": self.tick()}

    def frame(self) -> str:
        some, lines = self.chance, list[str]()
        names = some.sample(STRATA, some.randint(1, 4))
        for code in sorted({uscc(some) for _ in range(some.randint(6, 30))}):
            left_out = lines and some.random() < 0.2
            lines.append(
                f"{code}\t-\tX\t{some.choice(REASONS)}\n" if left_out else f"{code}\t{some.choice(names)}\tE\t-\n"
            )
        return "".join(lines)

    def rules(self, frame: str, task: str, sources: list[File], mode: str) -> File:
        some, strata = self.chance, strata_of(frame)
        base = len(frame.splitlines())
        rules: File = {
            "alg": "sdraw1", "base": base, "filters": [], "item": "A-01", "mode": mode,
            "sources": [one["id"] for one in sources], "task": task, "year": 2026,
        }  # fmt: skip
        if mode == "ratio":
            rules["ratio_bp"] = {name: some.choice([500, 3400, 5000, 10000]) for name in strata}
        else:
            rules["weights"] = {name: some.randint(1, 6) for name in strata}
            rules["n"] = some.randint(1, sum(map(len, strata.values())))
        q = quotas_of({name: len(codes) for name, codes in strata.items()}, rules, ROOT)
        if 20 * sum(q.values()) < base:
            rules["floor"] = {"why": "override", "document": "宛应急批〔2026〕3号"}
        return rules

    def publish(self, no: str, mode: str, attempt: int = 1) -> None:
        """One attempt, drawn or void; after a void comes the next. A void of crews makes another version."""
        task, frame, sources = "2026-007", self.frame(), self.sources()
        rules = self.rules(frame, task, sources, mode)
        file: File = {"t": "draw/1", "no": no, "office": "危险化学品监管科", "task": task}
        file |= {"quotas": {}, "winners": {}, "reserve": {}, "excused": [], "officers": None}
        file |= self.lot("sdraw1", attempt, frame, rules, sources)
        is_early = self.chance.random() < 0.15
        self.give(file, self.chance.randint(0, 1) if is_early else 9)
        if not is_early:
            draw(file, rules)
            self.excuse(file)
        if is_early or self.chance.random() < 0.15:
            file["void"] = self.void()
        elif self.chance.random() < self.crews:
            self.with_crews(file, task, self.standing(file))
            return
        self.files.append(file)
        if file["void"] and self.chance.random() < 0.7:
            self.publish(no, mode, attempt + 1)

    def join(self, no: str) -> None:
        """A joint inspection in which another bureau drew: its list, and crews of our own."""
        codes = sorted({uscc(self.chance) for _ in range(self.chance.randint(2, 4))})
        lead = {"lead": "市消防救援支队", "document": "宛消〔2026〕8号", "sha256": "d" * 64, "codes": codes}
        nothing: File = dict.fromkeys(
            ("prev", "frame", "frame_digest", "rules", "rules_digest", "commit", "committed_at", "secret", "seed")
        )
        file: File = {
            "t": "draw/1",
            "no": no,
            "office": "危险化学品监管科",
            "task": "2026-008",
            "attempt": 1,
            **nothing,
        }
        file |= {"sources": [], "contributions": [], "quotas": {}, "winners": {}, "reserve": {}, "excused": []}
        file |= {"void": None, "joint": lead, "officers": None}
        self.with_crews(file, "2026-008", codes)

    def with_crews(self, file: File, task: str, codes: list[str]) -> None:
        """The versions of a file: one for each attempt at the crews, all but the last of them void."""
        attempt = 1
        while self.chance.random() < 0.25:
            is_early = self.chance.random() < 0.5
            part = self.officers(codes, task, attempt, is_early)
            self.files.append({**file, "officers": {**part, "void": self.void()}})
            attempt += 1
        self.files.append({**file, "officers": self.officers(codes, task, attempt)})

    def standing(self, file: File) -> list[str]:
        """Whom the draw left on the list."""
        gone = {one["code"] for one in file["excused"]}
        drawn = {one["next"] for one in file["excused"] if one["next"]} | set().union(*file["winners"].values())
        return sorted(drawn - gone)

    def excuse(self, file: File) -> None:
        for name, codes in file["winners"].items():
            if codes and self.chance.random() < 0.2:
                after = [*file["reserve"][name], None][0]
                file["excused"].append({"code": self.chance.choice(codes), "reason": "已注销", "next": after})

    def officers(self, standing: list[str], task: str, attempt: int, is_early: bool = False) -> File:
        """Crews for some of the subjects drawn; the first may be assigned directly. `is_early`: void before a match."""
        codes, some, slots = standing[:4], self.chance, self.chance.choice([1, 1, 2, 3])
        numbers = [f"16140{n:05d}" for n in range(some.randint(6, 9))]
        by_hand = codes[:1] if some.random() < 0.3 else []
        visits = [self.visit(code, numbers) for code in codes[len(by_hand) :]]
        if not visits or not crews.is_feasible(visits, len(visits), slots):
            by_hand, visits = by_hand or codes[:1], []
        frame = "".join(f"{number}\tWHP,GM\tE\t-\n" for number in numbers) + "1614100000\t-\tX\tEXPIRED\n"
        total, sources = sum(visit["k"] for visit in visits), self.sources()
        rules = {
            "alg": "omatch1", "rounds": 20 * total, "slots": slots, "sources": [one["id"] for one in sources],
            "task": task, "visits": sha(canonical(visits)), "year": 2026,
        }  # fmt: skip
        part = self.lot("omatch1", attempt, frame, rules, sources)
        self.give(part, some.randint(0, 1) if is_early else 9)
        part |= {"alg": "omatch1", "visits": visits, "slots": slots, "replaced": []}
        why = {"reason": "人手不足", "by": "head", "at": self.tick()}
        part["direct"] = [{"s": s, "o": numbers[:2], "leader": numbers[0], **why} for s in by_hand]
        lent = {"o": numbers[-1], "office": "工贸监管科", "consent": "同意 2026-3"}
        part["merged"] = [{**lent, **why}] if some.random() < 0.3 else []
        part |= {"cap": 0, "teams": {}, "leaders": {}}
        if not is_early:
            part["seed"] = seed_of(part, "omatch1")
            self.match(part, visits, len(numbers))
            self.expert(part, codes[0], numbers)
        return part

    def expert(self, part: File, s: str, numbers: list[str]) -> None:
        """Experts of one visit, by lot or by name or both; they have no certificate's number."""
        pool, told = [f"expert-{n}" for n in range(5)], []
        if self.chance.random() < 0.3:
            elig = sorted(self.chance.sample(pool[:3], 2))
            told.append({"s": s, "o": crews.experts(part["seed"], s, elig, 1), "how": "lot", "elig": elig})
        if self.chance.random() < 0.3:
            told.append({"s": s, "o": pool[3:], "how": "appointed", "elig": []})
        if told:
            part["experts"] = [{**one, "reason": "涉及特种工艺"} for one in told]

    def visit(self, code: str, numbers: list[str]) -> File:
        elig = sorted(self.chance.sample(numbers, self.chance.randint(4, len(numbers))))
        half = self.chance.choice(["2026-12-08/am", "2026-12-08/pm", "2026-12-09/am"])
        lead = {"lead": sorted(self.chance.sample(elig, 2))} if self.chance.random() < 0.3 else {}
        return {"s": code, "k": self.chance.choice([2, 2, 3]), "half_day": half, "elig": elig, **lead}

    def match(self, part: File, visits: list[File], e_rows: int) -> None:
        if not visits:
            return
        seed, slots = part["seed"], part["slots"]
        cap = crews.cap(visits, e_rows, slots)
        teams = crews.lexmin(seed, visits, cap, slots)
        teams = crews.shuffle(seed, visits, teams, cap, slots, 20 * sum(visit["k"] for visit in visits))
        part |= {"cap": cap, "teams": teams, "leaders": crews.leaders(seed, visits, teams)}
        if self.chance.random() < 0.5:
            part["replaced"].append(self.replacement(part, visits[0]))

    def replacement(self, part: File, visit: File) -> File:
        s, team = visit["s"], part["teams"][visit["s"]]
        able = [o for o in visit["elig"] if o not in team]
        is_lent = self.chance.random() < 0.3
        kept = able[: self.chance.randint(0 if is_lent else 1, len(able))]
        guests = ["1899900001", "1899900002"] if is_lent else []
        lent = [{"o": o, "office": "镇平县应急管理局", "consent": "同意 2026-9"} for o in guests]
        came = sorted(kept + guests)
        found = {
            "s": s, "out": team[0], "in": crews.substitute(part["seed"], s, came, 1), "attempt": 1, "kind": "LEAVE",
            "reason": "病假", "by": "head", "at": self.tick(), "designated": False, "elig": came,
            "left_out": [{"o": o, "reason": "BUSY"} for o in able if o not in kept],
        }  # fmt: skip
        return found | ({"lent": lent} if lent else {})


def chains(n: int, seed: str = "2026") -> list[list[File]]:
    """Chains of published draws, as many as it takes for `n` files, modes by turns."""
    found: list[list[File]] = []
    while sum(map(len, found)) < n:
        bureau = Bureau(f"{seed}|{len(found)}")
        for turn in range(5):
            bureau.publish(f"2026-{turn + 1}", ("ratio", "total")[turn % 2])
        bureau.join("J-2026-008")
        found.append(bureau.files)
    return found
