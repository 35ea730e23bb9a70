"""The lot of officers once more, slowly: each question of the specification is asked of networkx or answered by hand.

It shares no line with the code that it judges. `python -m tests.domain.crew_oracle` writes tests/cases/crew-more.json.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Set
from itertools import combinations, product
from pathlib import Path
from typing import Any

import networkx as nx  # type: ignore[import-untyped]

CASES = Path(__file__).parents[1] / "cases" / "crew-more.json"
Case = dict[str, Any]
Pairs = set[tuple[str, str]]


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def is_feasible(visits: list[Case], cap: int, slots: int, fixed: Set[tuple[str, str]] = frozenset()) -> bool:
    """Whether max-flow serves every visit with the fixed pairs in their places."""
    graph: Any = nx.DiGraph()
    graph.add_nodes_from(["source", "sink"])
    left = dict.fromkeys({o for visit in visits for o in visit["elig"]}, cap)
    busy = {(o, visit["half_day"]): slots for visit in visits for o in visit["elig"]}
    wanted = {visit["s"]: visit["k"] for visit in visits}
    days = {visit["s"]: visit["half_day"] for visit in visits}
    for s, o in fixed:
        left[o] -= 1
        busy[o, days[s]] -= 1
        wanted[s] -= 1
    if min([*left.values(), *busy.values(), *wanted.values()], default=0) < 0:
        return False
    for visit in visits:
        graph.add_edge("source", ("visit", visit["s"]), capacity=wanted[visit["s"]])
        for o in visit["elig"]:
            if (visit["s"], o) not in fixed:
                graph.add_edge(("visit", visit["s"]), ("then", o, visit["half_day"]), capacity=1)
    for (o, day), n in busy.items():
        graph.add_edge(("then", o, day), ("officer", o), capacity=n)
    for o, n in left.items():
        graph.add_edge(("officer", o), "sink", capacity=n)
    total = sum(wanted.values())
    return total == 0 or bool(nx.maximum_flow_value(graph, "source", "sink") == total)


def cap(visits: list[Case], e_rows: int, slots: int) -> int:
    """The page's formula, with the smallest feasible found by trying."""
    total = sum(visit["k"] for visit in visits)
    smallest = next(n for n in range(1, len(visits) + 1) if is_feasible(visits, n, slots))
    formula: int = (11 * total + 10 * e_rows - 1) // (10 * e_rows)
    return max(smallest, formula)


def lexmin(seed: str, visits: list[Case], cap: int, slots: int) -> dict[str, list[str]]:
    """The definition, word by word: one is skipped iff taking it makes the whole task infeasible."""
    fixed: Pairs = set()
    for visit in sorted(visits, key=lambda visit: sha(f"{seed}|O|{visit['s']}")):
        s, taken = visit["s"], 0
        for o in sorted(visit["elig"], key=lambda o: sha(f"{seed}|P|{s}|{o}")):
            if taken < visit["k"] and is_feasible(visits, cap, slots, fixed | {(s, o)}):
                fixed.add((s, o))
                taken += 1
    return {visit["s"]: sorted(o for s, o in fixed if s == visit["s"]) for visit in visits}


class Words:
    """The random words, each looked up by its number."""

    def __init__(self, seed: str) -> None:
        self.seed, self.spent = seed, 0

    def below(self, n: int) -> int:
        while True:
            block = sha(f"{self.seed}|X|{self.spent // 8}")
            at = self.spent % 8 * 8
            self.spent += 1
            word = int(block[at : at + 8], 16)
            if word < 2**32 - 2**32 % n:
                return word % n


def shuffle(
    seed: str, visits: list[Case], teams: dict[str, list[str]], cap: int, slots: int, rounds: int
) -> dict[str, list[str]]:
    """The page's rounds, one sentence a line."""
    words, by_s = Words(seed), {visit["s"]: visit for visit in visits}
    order = sorted(by_s)
    teams = {s: sorted(teams[s]) for s in order}
    lists: dict[str, list[str]] = {o: [] for visit in visits for o in visit["elig"]}
    for s in order:
        for o in teams[s]:
            lists[o].append(s)
    seats = [(s, seat) for s in order for seat in range(len(teams[s]))]
    for _ in range(rounds):
        s, seat = seats[words.below(len(seats))]
        lists[teams[s].pop(seat)].remove(s)
        while True:
            elig = sorted(by_s[s]["elig"])
            o = elig[words.below(len(elig))]
            if o in teams[s]:
                continue
            then = [t for t in lists[o] if by_s[t]["half_day"] == by_s[s]["half_day"]]
            loser = None
            if len(then) >= slots:
                loser = then[words.below(len(then))] if len(then) > 1 else then[0]
            elif len(lists[o]) >= cap:
                loser = lists[o][words.below(len(lists[o]))]
            if loser is not None:
                lists[o].remove(loser)
                teams[loser].remove(o)
            teams[s].append(o)
            lists[o].append(s)
            if loser is None:
                break
            s = loser
    return {s: sorted(team) for s, team in teams.items()}


def leaders(seed: str, visits: list[Case], teams: dict[str, list[str]]) -> dict[str, str]:
    found = {}
    for visit in visits:
        s = visit["s"]
        may = [o for o in teams[s] if o in (visit["lead"] if "lead" in visit else visit["elig"])] or teams[s]
        found[s] = sorted(may, key=lambda o: sha(f"{seed}|L|{s}|{o}"))[0]
    return found


def experts(seed: str, s: str, elig: list[str], n: int) -> list[str]:
    return sorted(elig, key=lambda o: sha(f"{seed}|E|{s}|{o}"))[:n]


def substitute(seed: str, s: str, elig: list[str], attempt: int) -> str | None:
    ranked = sorted(elig, key=lambda o: sha(f"{seed}|R|{s}|{o}|{attempt}"))
    return ranked[0] if ranked else None


def assignments(visits: list[Case], cap: int, slots: int) -> list[dict[str, list[str]]]:
    """Every lawful assignment, by enumeration."""
    found = []
    for teams in product(*(combinations(sorted(visit["elig"]), visit["k"]) for visit in visits)):
        load: dict[str, int] = {}
        busy: dict[tuple[str, str], int] = {}
        for visit, team in zip(visits, teams, strict=True):
            for o in team:
                load[o] = load.get(o, 0) + 1
                busy[o, visit["half_day"]] = busy.get((o, visit["half_day"]), 0) + 1
        if max(load.values(), default=0) <= cap and max(busy.values(), default=0) <= slots:
            found.append({visit["s"]: list(team) for visit, team in zip(visits, teams, strict=True)})
    return found


# --- tasks ------------------------------------------------------------------------------------------------------------


def planted(chance: random.Random, n: int, officers: int, days: int, slots: int, cap: int, **more: float) -> list[Case]:
    """A tight task around lawful teams that are hidden in it, of at most `n` visits; `extra` is how many others fit."""
    numbers = [f"16140{o:05d}" for o in range(officers)]
    left = dict.fromkeys(numbers, cap)
    busy: dict[tuple[str, int], int] = {}
    visits: list[Case] = []
    for at in range(n):
        k = 2 + (chance.random() < more.get("three", 0))
        then = [[o for o in numbers if left[o] and busy.get((o, day), 0) < slots] for day in range(days)]
        open_days = [day for day, free in enumerate(then) if len(free) >= k]
        if not open_days:
            break
        day = chance.choice(open_days)
        free = then[day]
        chance.shuffle(free)
        team = sorted(free, key=lambda o: -left[o])[:k]
        for o in team:
            left[o] -= 1
            busy[o, day] = busy.get((o, day), 0) + 1
        others = [o for o in numbers if o not in team and chance.random() < more.get("extra", 0.4)]
        visit: Case = {
            "s": f"91411303MA{at:02d}{chance.randrange(10**6):06d}",
            "k": k,
            "half_day": f"2026-09-{8 + day // 2:02d}/{'pm' if day % 2 else 'am'}",
            "elig": sorted([*team, *others]),
        }
        if chance.random() < more.get("lead", 0):
            visit["lead"] = [o for o in visit["elig"] if chance.random() < 0.3]
        visits.append(visit)
    return sorted(visits, key=lambda visit: str(visit["s"]))


def judged(kind: str, chance: random.Random, visits: list[Case], e_rows: int, slots: int) -> Case:
    """A case with all its answers."""
    seed = sha(f"{kind}|{chance.random()}")
    most = cap(visits, e_rows, slots)
    first = lexmin(seed, visits, most, slots)
    rounds = 20 * sum(visit["k"] for visit in visits)
    teams = shuffle(seed, visits, first, most, slots, rounds)
    replaced: list[Case] = []
    drawn: list[Case] = []
    for visit in chance.sample(visits, 6):
        s = visit["s"]
        for attempt in (1, 2, 3):
            elig = [o for o in visit["elig"] if o not in teams[s] and chance.random() < 0.8]
            given = {"s": s, "attempt": attempt, "elig": elig, "in": substitute(seed, s, elig, attempt)}
            replaced.append(given)
        pool = [f"Z{n:03d}" for n in sorted(chance.sample(range(40), 7))]
        n = 1 + len(drawn) % 3
        drawn.append({"s": s, "elig": pool, "n": n, "o": experts(seed, s, pool, n)})
    return {
        "kind": kind, "seed": seed, "e_rows": e_rows, "slots": slots, "visits": visits, "cap": most, "rounds": rounds,
        "lex": first, "teams": teams, "leaders": leaders(seed, visits, teams), "experts": drawn, "replaced": replaced,
    }  # fmt: skip


KINDS: dict[str, tuple[dict[str, Any], int]] = {
    "slots 2": ({"n": 18, "officers": 8, "days": 4, "slots": 2, "cap": 5, "three": 0.2, "extra": 0.4}, 10),
    "cap from the formula": ({"n": 18, "officers": 12, "days": 6, "slots": 1, "cap": 4, "extra": 0.5}, 10),
    "cap above the formula": ({"n": 16, "officers": 8, "days": 8, "slots": 1, "cap": 4, "extra": 0.2}, 24),
    "leaders": ({"n": 16, "officers": 12, "days": 6, "slots": 1, "cap": 4, "lead": 0.8, "three": 0.4}, 12),
}
"""A task of each kind, and the rows of its officers' frame (some in the frame qualify for none of the visits)."""


def make() -> list[Case]:
    """Three cases of each kind."""
    found = []
    for kind, (shape, e_rows) in KINDS.items():
        for turn in range(3):
            chance = random.Random(f"{kind}|{turn}")
            found.append(judged(kind, chance, planted(chance, **shape), e_rows, shape["slots"]))
    return found


if __name__ == "__main__":
    CASES.write_text("[\n" + ",\n".join(json.dumps(case) for case in make()) + "\n]\n")
