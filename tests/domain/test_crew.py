"""The lot of officers agrees with its vectors, with brute force, and with a max-flow of another house."""

from __future__ import annotations

import json
import random
from itertools import combinations, islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.crew import (
    NotFeasible,
    Visit,
    cap_of,
    experts,
    in_order,
    leaders,
    lexmin,
    match,
    rounds_of,
    shuffle,
    substitute,
)
from server.domain.crew_shuffle import below, words
from tests.domain import crew_oracle as oracle

CASES = Path(__file__).parents[1] / "cases"
VECTORS: list[dict[str, Any]] = json.loads((CASES / "omatch1.json").read_text())
MORE: list[dict[str, Any]] = json.loads((CASES / "crew-more.json").read_text())


def visits_of_vector(case: dict[str, Any]) -> list[Visit]:
    """A case of the vectors: subjects and officers are named by their positions, half-days by numbers."""
    return [
        Visit(str(at), case["k"], str(day), tuple(map(str, elig)))
        for at, (day, elig) in enumerate(zip(case["date"], case["elig"], strict=True))
    ]


def visits_of(cases: list[dict[str, Any]]) -> list[Visit]:
    return [
        Visit(one["s"], one["k"], one["half_day"], tuple(one["elig"]), tuple(one["lead"]) if "lead" in one else None)
        for one in cases
    ]


def positions(teams: dict[str, list[str]]) -> list[list[int]]:
    return [sorted(map(int, teams[str(at)])) for at in range(len(teams))]


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["seed"])
def test_the_first_assignment_and_the_shuffle_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    visits = visits_of_vector(case)

    first, _ = lexmin(case["seed"], visits, case["cap"], 1)
    teams = {s: [str(o) for o in sorted(map(int, team))] for s, team in first.items()}
    last = shuffle(case["seed"], visits, teams, case["cap"], 1, case["rounds"])

    assert positions(first) == case["lex"]
    assert positions(last) == case["final"]


def test_there_are_twelve_vectors_and_three_cases_of_each_further_kind() -> None:
    assert len(VECTORS) == 12
    assert {kind: sum(case["kind"] == kind for case in MORE) for kind in oracle.KINDS} == dict.fromkeys(oracle.KINDS, 3)


def test_the_further_cases_are_what_the_slow_oracle_says() -> None:
    assert oracle.make() == MORE


@pytest.mark.parametrize("case", MORE, ids=lambda case: f"{case['kind']}-{case['seed'][:4]}")
def test_the_lot_agrees_with_the_further_cases(case: dict[str, Any]) -> None:
    visits = visits_of(case["visits"])
    random.Random(case["seed"]).shuffle(visits)

    found = match(case["seed"], visits, case["e_rows"], case["slots"])

    assert rounds_of(visits) == case["rounds"]
    assert found.cap == cap_of(visits, case["e_rows"], case["slots"]) == case["cap"]
    assert lexmin(case["seed"], visits, case["cap"], case["slots"])[0] == case["lex"]
    assert found.teams == case["teams"]
    assert found.leaders == leaders(case["seed"], visits, case["teams"]) == case["leaders"]


@pytest.mark.parametrize("case", MORE, ids=lambda case: f"{case['kind']}-{case['seed'][:4]}")
def test_experts_and_substitutes_agree_with_the_further_cases(case: dict[str, Any]) -> None:
    for one in case["experts"]:
        assert experts(case["seed"], one["s"], one["elig"], one["n"]) == one["o"]
    for one in case["replaced"]:
        assert substitute(case["seed"], one["s"], one["elig"], one["attempt"]) == one["in"]


def test_nobody_comes_where_nobody_can() -> None:
    assert substitute("00", "A", [], 1) is None


def test_a_team_in_which_nobody_may_lead_is_led_by_one_of_them_by_lot() -> None:
    visit = Visit("A", 2, "d", ("1", "2", "3"), lead=("3",))

    assert leaders("seed", [visit], {"A": ["1", "2"]})["A"] in ("1", "2")
    assert leaders("seed", [visit], {"A": ["1", "3"]})["A"] == "3"


# --- the first assignment is a definition -----------------------------------------------------------------------------


@st.composite
def small_tasks(draw: st.DrawFn) -> tuple[list[dict[str, Any]], int, int]:
    """Up to six visits and six officers, often without any lawful teams; cap and slots."""
    officers = [f"o{n}" for n in range(draw(st.integers(2, 6)))]
    visits = []
    for at in range(draw(st.integers(1, 6))):
        elig = draw(st.lists(st.sampled_from(officers), unique=True, min_size=1))
        k = draw(st.integers(1, min(2, len(elig))))
        visits.append({"s": f"s{at}", "k": k, "half_day": draw(st.sampled_from("xyz")), "elig": sorted(elig)})
    return visits, draw(st.integers(1, 4)), draw(st.integers(1, 2))


def by_definition(seed: str, visits: list[dict[str, Any]], lawful: list[dict[str, list[str]]]) -> dict[str, list[str]]:
    """The first assignment, from the list of all lawful ones: whoever is next by lot stays iff one of them has him."""
    for visit in sorted(visits, key=lambda visit: oracle.sha(f"{seed}|O|{visit['s']}")):
        s, taken = visit["s"], 0
        for o in sorted(visit["elig"], key=lambda o: oracle.sha(f"{seed}|P|{s}|{o}")):
            with_him = [one for one in lawful if o in one[s]]
            if taken < visit["k"] and with_him:
                lawful, taken = with_him, taken + 1
    [only] = lawful
    return only


@settings(max_examples=400, deadline=None, derandomize=True)
@given(small_tasks(), st.text("0123456789abcdef", min_size=1, max_size=8))
def test_the_first_assignment_is_that_of_brute_force(task: tuple[list[dict[str, Any]], int, int], seed: str) -> None:
    visits, cap, slots = task
    lawful = oracle.assignments(visits, cap, slots)

    if not lawful:
        with pytest.raises(NotFeasible):
            lexmin(seed, visits_of(visits), cap, slots)
    else:
        assert lexmin(seed, visits_of(visits), cap, slots)[0] == by_definition(seed, visits, lawful)


@pytest.mark.parametrize("turn", range(12))
def test_the_first_assignment_is_that_of_a_max_flow_asked_at_each_step(turn: int) -> None:
    chance = random.Random(f"step {turn}")
    slots = 1 + turn % 2
    visits = oracle.planted(chance, 16, 8 // slots, 8, slots, 4 * slots, extra=0.25)
    cap = oracle.cap(visits, 100, slots)

    assert lexmin(f"seed {turn}", visits_of(visits), cap, slots)[0] == oracle.lexmin(f"seed {turn}", visits, cap, slots)


def test_the_order_in_which_visits_and_officers_are_given_counts_for_nothing() -> None:
    case = MORE[0]
    expected = match(case["seed"], visits_of(case["visits"]), case["e_rows"], case["slots"])
    for turn in range(20):
        chance = random.Random(turn)
        mixed = [{**one, "elig": chance.sample(one["elig"], len(one["elig"]))} for one in case["visits"]]
        chance.shuffle(mixed)
        found = match(case["seed"], visits_of(mixed), case["e_rows"], case["slots"])
        assert (found.cap, found.teams, found.leaders) == (expected.cap, expected.teams, expected.leaders)
        assert lexmin(case["seed"], visits_of(mixed), case["cap"], case["slots"])[0] == case["lex"]


@pytest.mark.parametrize(("officers", "listed", "n"), [(300, 250, 60), (100, 100, 50)])
def test_long_lists_of_which_only_the_start_is_ranked_give_what_whole_lists_give(
    officers: int, listed: int, n: int
) -> None:
    numbers = [f"{number:06d}" for number in range(officers)]
    chance = random.Random(5)
    visits: list[dict[str, Any]] = [
        {"s": f"s{at:02d}", "k": 2, "half_day": f"{at % 3}", "elig": sorted(chance.sample(numbers, listed))}
        for at in range(n)
    ]
    seen: set[str] = set()

    teams, skips = lexmin("long", visits_of(visits), 1, 1)

    for visit in sorted(visits, key=lambda visit: oracle.sha(f"long|O|{visit['s']}")):
        s = str(visit["s"])
        free = [o for o in visit["elig"] if o not in seen]
        assert teams[s] == sorted(sorted(free, key=lambda o: oracle.sha(f"long|P|{s}|{o}"))[:2])
        seen.update(teams[s])
    assert all(skip.why in ("busy", "full") for skip in skips)


# --- every skip has a reason ------------------------------------------------------------------------------------------


def test_each_officer_who_was_passed_over_has_one_reason_and_it_is_true() -> None:
    kinds = set()
    for turn in range(12):
        visits = oracle.planted(random.Random(f"skip {turn}"), 16, 8, 8, 1, 4, extra=0.25)
        by_s = {visit["s"]: visit for visit in visits}
        teams, skips = lexmin("skip", visits_of(visits), 4)

        passed = {(skip.s, skip.o) for skip in skips}
        for visit in visits:
            ranked = sorted(visit["elig"], key=lambda o: oracle.sha(f"skip|P|{visit['s']}|{o}"))
            last = max(ranked.index(o) for o in teams[visit["s"]])
            assert {o for s, o in passed if s == visit["s"]} == set(ranked[: last + 1]) - set(teams[visit["s"]])
        for skip in skips:
            kinds.add(skip.why)
            if skip.why != "needed":
                assert all(skip.o in teams[s] for s in skip.visits)
            if skip.why == "busy":
                assert {by_s[s]["half_day"] for s in skip.visits} == {by_s[skip.s]["half_day"]}
            if skip.why == "full":
                assert len(skip.visits) == 4
        assert len(passed) == len(skips)
    assert kinds == {"busy", "full", "needed"}


# --- feasible whenever max-flow says so -------------------------------------------------------------------------------


def greedy(visits: list[dict[str, Any]], cap: int, chance: random.Random) -> bool:
    """Plain random greedy: visits in random order take random officers that have room; whether all are served."""
    load: dict[str, int] = {}
    busy = set()
    for visit in chance.sample(visits, len(visits)):
        free = [o for o in visit["elig"] if load.get(o, 0) < cap and (o, visit["half_day"]) not in busy]
        if len(free) < visit["k"]:
            return False
        for o in chance.sample(free, visit["k"]):
            load[o] = load.get(o, 0) + 1
            busy.add((o, visit["half_day"]))
    return True


def test_sixty_tight_tasks_in_which_greedy_always_fails_are_all_matched() -> None:
    solved = 0
    for turn in range(60):
        chance = random.Random(f"tight {turn}")
        visits = oracle.planted(chance, 40, 20, 8, 1, 4, extra=0.2)
        assert oracle.is_feasible(visits, 4, 1)
        assert not any(greedy(visits, 4, chance) for _ in range(20))

        teams, _ = lexmin(f"{turn}", visits_of(visits), 4)

        assert is_lawful(visits, teams, 4, 1)
        solved += 1
    assert solved == 60


def is_lawful(visits: list[dict[str, Any]], teams: dict[str, list[str]], cap: int, slots: int) -> bool:
    """Whether the teams break no rule, counted pair by pair."""
    days = {visit["s"]: visit["half_day"] for visit in visits}
    pairs = [(s, o) for s, team in teams.items() for o in team]
    return (
        teams.keys() == days.keys()
        and all(
            len(set(teams[visit["s"]])) == len(teams[visit["s"]]) == visit["k"]
            and set(teams[visit["s"]]) <= set(visit["elig"])
            for visit in visits
        )
        and all(sum(o == other for _, other in pairs) <= cap for _, o in pairs)
        and all(sum((o, days[s]) == (other, days[t]) for t, other in pairs) <= slots for s, o in pairs)
    )


@settings(max_examples=300, deadline=None, derandomize=True)
@given(small_tasks())
def test_a_cap_is_found_exactly_where_max_flow_finds_teams(task: tuple[list[dict[str, Any]], int, int]) -> None:
    visits, e_rows, slots = task
    if oracle.is_feasible(visits, len(visits), slots):
        assert cap_of(visits_of(visits), e_rows, slots) == oracle.cap(visits, e_rows, slots)
    else:
        with pytest.raises(NotFeasible):
            cap_of(visits_of(visits), e_rows, slots)


# --- the shuffle ------------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None, derandomize=True)
@given(small_tasks(), st.integers(0, 60))
def test_the_shuffle_leaves_teams_lawful_after_any_number_of_rounds(
    task: tuple[list[dict[str, Any]], int, int], rounds: int
) -> None:
    visits, cap, slots = task
    lawful = oracle.assignments(visits, cap, slots)
    if lawful:
        assert is_lawful(visits, shuffle("f", visits_of(visits), lawful[0], cap, slots, rounds), cap, slots)


def test_tight_tasks_stay_lawful_through_the_whole_lot() -> None:
    for turn in range(20):
        slots = 1 + turn % 2
        visits = oracle.planted(random.Random(f"lawful {turn}"), 40, 20 // slots, 8, slots, 4 * slots, extra=0.35)
        found = match(f"{turn}", visits_of(visits), 20 // slots, slots)
        assert is_lawful(visits, found.teams, found.cap, slots)


SMALL = {
    "no half-day twice": ("u12345 v12346 w2345 x13456 y2456", 2, 1),
    "busy half-days": ("x12345 x12346 y1245 y2345 y1356", 3, 1),
    "uneven lists": ("x123 x23456 y12456 z3456 z12456", 2, 1),
    "two visits a half-day": ("x12345 x12346 x13456 y2456 y1356", 2, 2),
}
"""Tasks of five visits: the half-day of each and its officers; cap and slots."""

SAMPLES = 5000


def frequencies(samples: list[dict[str, list[str]]]) -> dict[tuple[str, ...], float]:
    """How often each pair of officers was the team of each visit."""
    found: dict[tuple[str, ...], float] = {}
    for one in samples:
        for s, team in one.items():
            for pair in combinations(sorted(team), 2):
                found[s, *pair] = found.get((s, *pair), 0) + 1 / len(samples)
    return found


def distance(one: dict[tuple[str, ...], float], other: dict[tuple[str, ...], float], visits: int) -> float:
    """The mean total variation between the pairs of a visit."""
    return sum(abs(one.get(key, 0) - other.get(key, 0)) for key in one.keys() | other.keys()) / 2 / visits


@pytest.mark.parametrize("name", SMALL)
def test_pairs_come_as_often_as_in_a_lot_over_all_lawful_assignments(name: str) -> None:
    rows, cap, slots = SMALL[name]
    cases = [{"s": f"s{at}", "k": 2, "half_day": row[0], "elig": list(row[1:])} for at, row in enumerate(rows.split())]
    lawful = oracle.assignments(cases, cap, slots)
    visits, exact = in_order(visits_of(cases)), frequencies(lawful)
    chance = random.Random(name)
    ideal = [distance(frequencies(chance.choices(lawful, k=SAMPLES)), exact, len(cases)) for _ in range(20)]
    noise = sum(ideal) / len(ideal)

    seeds = [oracle.sha(f"{name}|{n}") for n in range(SAMPLES)]
    first = [lexmin(seed, visits, cap, slots)[0] for seed in seeds]
    last = [
        shuffle(seed, visits, teams, cap, slots, rounds_of(visits)) for seed, teams in zip(seeds, first, strict=True)
    ]
    measured, before = (distance(frequencies(found), exact, len(cases)) for found in (last, first))

    print(
        f"{name}: {len(lawful)} lawful assignments, {SAMPLES} samples, noise {noise:.5f}, shuffled {measured:.5f} "
        f"({measured / noise:.2f} x), not shuffled {before / noise:.2f} x"
    )
    assert measured <= 1.3 * noise < before


def test_words_that_would_favour_some_are_passed_over_and_every_number_costs_one() -> None:
    end = 2**32 - 2**32 % 3
    source = iter([end, 2**32 - 1, end - 1, 7, 5])

    assert [below(source, n) for n in (3, 1, 2**32)] == [2, 0, 5]


def test_the_random_words_are_the_hashes_of_numbered_blocks() -> None:
    blocks = "".join(oracle.sha(f"seed|X|{n}") for n in range(12))

    assert [f"{word:08x}" for word in islice(words("seed"), 96)] == [blocks[n : n + 8] for n in range(0, 768, 8)]
