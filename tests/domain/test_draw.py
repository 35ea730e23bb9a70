"""The lot of subjects: the same for everybody, exact in its places, and blind to everything but list and seed."""

from __future__ import annotations

import hashlib
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain import draw as lot
from server.domain.codes import is_uscc

VECTOR: dict[str, Any] = json.loads((Path(__file__).parents[1] / "cases" / "sdraw1.json").read_text())

HEAD = "91411303MA"
SMALL = "".join(
    f"{HEAD}{rest}\n"
    for rest in (
        "3X7K2Q0X\tA\tE\t-",
        "40N8RW54\tB\tE\t-",
        "45H1JY3U\tB\tE\t-",
        "46PLC85K\tB\tE\t-",
        "47T2DU2B\t-\tX\tDRAWN_TWICE",
        "9GXP5T5B\tA\tE\t-",
    )
)
SMALL_RULES = '{"alg":"sdraw1","mode":"ratio","ratio_bp":{"A":5000,"B":3400}}'
SMALL_SECRET = "2a97516c354b68848cdbd8f54a226a0a55b21ed138e207ad6c5cbb9c00aa5aea"
SMALL_GIVEN = [("kl8/2026312", "01 07 09 12 15 22 23 31 33 38 40 41 47 52 55 60 61 70 74 80"), ("witness/1", "4711")]


def test_the_small_example_of_the_draw_page_comes_out_to_the_byte() -> None:
    rows = lot.parse_frame(SMALL)
    assert lot.digest(SMALL) == "67005ee8bca8ffafb355028965d8b0d490fcc29589ebabf88582597bf6a06cbd"
    assert lot.digest(SMALL_RULES) == "dc33100370b92107601200a5e29c0ba19905b8afac4cd2eea48e64ce5628b890"
    assert lot.canonical(json.loads(SMALL_RULES)) == SMALL_RULES
    commit = lot.commit_of("0" * 64, lot.digest(SMALL), lot.digest(SMALL_RULES), SMALL_SECRET)
    assert commit == "c514bd6a0304de0da237288384a42a646ab15ef770664dadbf22aead52ce241a"
    seed = lot.seed_of(commit, SMALL_SECRET, SMALL_GIVEN)
    assert seed == "c7f94008f779864463964f01192c0f032f6df1b86a001d39d2998cfc9a401350"
    places = lot.quotas(lot.sizes(rows), json.loads(SMALL_RULES), seed)
    assert places == {"A": 1, "B": 2}
    won = lot.draw(lot.candidates(rows), places, seed).winners
    assert won == {"A": [f"{HEAD}3X7K2Q0X"], "B": [f"{HEAD}46PLC85K", f"{HEAD}40N8RW54"]}


def test_the_vector_of_three_hundred_comes_out_to_the_byte() -> None:
    rows = lot.parse_frame(VECTOR["frame"])
    assert len(rows) == 300
    assert lot.frame_text(rows) == VECTOR["frame"]
    assert lot.digest(VECTOR["frame"]) == VECTOR["frame_digest"]
    assert lot.digest(VECTOR["rules"]) == VECTOR["rules_digest"]
    parts = (VECTOR["prev"], VECTOR["frame_digest"], VECTOR["rules_digest"], VECTOR["secret"])
    assert lot.commit_of(*parts) == VECTOR["commit"]
    seed = lot.seed_of(VECTOR["commit"], VECTOR["secret"], VECTOR["contributions"])
    assert seed == VECTOR["seed"]
    assert lot.sizes(rows) == VECTOR["population"]
    places = lot.quotas(lot.sizes(rows), json.loads(VECTOR["rules"]), seed)
    assert places == VECTOR["quotas"]
    assert lot.draw(lot.candidates(rows), places, seed).winners == VECTOR["winners"]


# --- tickets ----------------------------------------------------------------------------------------------------------


def codes(n: int) -> list[str]:
    """Codes in form, for tickets only."""
    return [f"{place:015}" for place in range(n)]


def sorted_by_hand(seed: str, members: Sequence[str]) -> list[str]:
    """Every ticket computed and sorted: the definition."""
    return sorted(members, key=lambda code: (hashlib.sha256(f"{seed}|S|{code}".encode()).hexdigest(), code))


@given(st.integers(1, 400), st.data())
def test_winners_are_the_smallest_tickets_whatever_the_order_of_the_list(n: int, data: st.DataObject) -> None:
    members = codes(n)
    shuffled = data.draw(st.permutations(members))
    seed = lot.digest(str(data.draw(st.integers())))
    q = data.draw(st.integers(0, n))
    won = lot.draw({"A": shuffled}, {"A": q}, seed)
    expected = sorted_by_hand(seed, members)
    assert won.winners["A"] == expected[:q]
    assert won.reserve["A"] == expected[q : q + 10]


def test_a_ticket_hangs_on_nobody_else() -> None:
    seed = lot.digest("one")
    all_of_them = lot.draw({"A": codes(500)}, {"A": 40}, seed).winners["A"]
    without = [code for code in codes(500) if code != all_of_them[0]]
    assert lot.draw({"A": without}, {"A": 39}, seed).winners["A"] == all_of_them[1:]


def test_the_provisional_cut_loses_nobody_however_unlikely_the_tickets_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """With tickets that all lie high the first cut catches nobody: it is raised until everybody wanted is under it."""

    class High:
        def __init__(self, text: bytes, **_: object) -> None:
            self._text = text

        def digest(self) -> bytes:
            return b"\xf0" + hashlib.new("sha256", self._text).digest()[1:]

    expected = sorted(codes(300), key=lambda code: hashlib.new("sha256", f"seed|S|{code}".encode()).digest()[1:])
    monkeypatch.setattr(hashlib, "sha256", High)
    assert [code for _, code in lot.smallest("seed", codes(300), 15)] == expected[:15]


# --- places -----------------------------------------------------------------------------------------------------------

CLASSES = st.dictionaries(
    st.sampled_from(["HIGH_C", "LOW_A", "LOW_B", "MEDIUM_B", "MEDIUM_D"]),
    st.tuples(st.integers(1, 60), st.integers(1, 40)),
    min_size=1,
)


def taken_by_definition(sizes: Mapping[str, int], weights: Mapping[str, int], n: int) -> dict[str, Fraction]:
    """The exact share of each class as the draw page words it: whole classes first, round by round, then by weight."""
    share: dict[str, Fraction] = {}
    left, rest = n, dict(sizes)
    while rest:
        whole = sum(size * weights[name] for name, size in rest.items())
        taken = [name for name in rest if left * weights[name] >= whole]
        if not taken:
            break
        for name in taken:
            share[name] = Fraction(rest.pop(name))
        left = n - sum(size for name, size in sizes.items() if name not in rest)
    whole = sum(size * weights[name] for name, size in rest.items())
    return share | {name: Fraction(left * size * weights[name], whole) for name, size in rest.items()}


@given(CLASSES, st.data())
def test_places_by_weight_are_never_more_than_rounding_away_from_the_exact_share(
    classes: dict[str, tuple[int, int]], data: st.DataObject
) -> None:
    sizes = {name: size for name, (size, _) in classes.items()}
    weights = {name: weight for name, (_, weight) in classes.items()}
    n = data.draw(st.integers(1, sum(sizes.values())))
    seed = lot.digest(str(data.draw(st.integers())))
    places = lot.quotas(sizes, {"mode": "total", "n": n, "weights": weights}, seed)
    exact = taken_by_definition(sizes, weights, n)
    assert sum(places.values()) == n
    for name, share in exact.items():
        assert share // 1 <= places[name] <= -(-share // 1) <= sizes[name]


@given(CLASSES, st.data())
@settings(max_examples=60)
def test_places_by_weight_are_exact_on_average(classes: dict[str, tuple[int, int]], data: st.DataObject) -> None:
    """Over every start there is, in whole numbers: the mean is the share, not nearly so."""
    sizes = {name: size for name, (size, _) in classes.items()}
    weights = {name: weight for name, (_, weight) in classes.items()}
    n = data.draw(st.integers(1, sum(sizes.values())))
    exact = taken_by_definition(sizes, weights, n)
    shares = {name: share for name, share in exact.items() if share != sizes[name]}
    whole = sum(sizes[name] * weights[name] for name in shares)
    if not shares or whole > 20_000:
        return
    seed = lot.digest(str(data.draw(st.integers())))
    order = sorted(shares, key=lambda name: lot.digest(f"{seed}|Q|{name}"))
    sums: Counter[str] = Counter()
    for start in range(whole):
        at = start
        for name in order:
            after = at + int(shares[name] * whole)
            sums[name] += after // whole - at // whole
            at = after
    assert {name: Fraction(sums[name], whole) for name in shares} == shares
    start = int(lot.digest(f"{seed}|Q|round"), 16) % whole
    places = lot.quotas(sizes, {"mode": "total", "n": n, "weights": weights}, seed)
    at = start
    for name in order:
        after = at + int(shares[name] * whole)
        assert places[name] == after // whole - at // whole
        at = after


def test_a_class_whose_share_is_just_the_whole_of_it_is_taken_before_the_others_are_rounded() -> None:
    """Four places for 2 x 4 + 3 + 5 = 16: the first class is taken whole, and the rest is rounded by 8, not by 16."""
    sizes, weights = {"HIGH": 2, "LOW": 3, "MID": 5}, {"HIGH": 4, "LOW": 1, "MID": 1}
    for number in range(40):
        seed = lot.digest(f"whole {number}")
        start = int(lot.digest(f"{seed}|Q|round"), 16) % 8
        first, second = sorted(("LOW", "MID"), key=lambda name: lot.digest(f"{seed}|Q|{name}"))
        of_first = (start + 2 * sizes[first]) // 8
        expected = {"HIGH": 2, first: of_first, second: 2 - of_first}
        assert lot.quotas(sizes, {"mode": "total", "n": 4, "weights": weights}, seed) == expected


def test_over_many_seeds_each_class_gets_its_share() -> None:
    """E[q] = n*N*w/W: over 20,000 seeds the sums lie within 4 sigma of it, where three lots for high risk would not."""
    sizes, weights, n, seeds = {"HIGH": 17, "LOW": 144, "MID": 52}, {"HIGH": 3, "LOW": 1, "MID": 2}, 20, 20_000
    sums: Counter[str] = Counter()
    for number in range(seeds):
        sums.update(lot.quotas(sizes, {"mode": "total", "n": n, "weights": weights}, lot.digest(f"seed {number}")))
    whole = sum(sizes[name] * weights[name] for name in sizes)
    for name in sizes:
        share = Fraction(n * sizes[name] * weights[name], whole)
        up = share - share // 1
        sigma = float(seeds * up * (1 - up)) ** 0.5
        assert abs(sums[name] - seeds * share) <= 4 * sigma, (name, sums[name], float(seeds * share))


@given(CLASSES)
def test_places_by_ratio_round_up_and_never_pass_the_class(classes: dict[str, tuple[int, int]]) -> None:
    sizes = {name: size for name, (size, _) in classes.items()}
    shares = {name: weight * 300 for name, (_, weight) in classes.items()}
    places = lot.quotas(sizes, {"mode": "ratio", "ratio_bp": shares}, "any")
    for name, size in sizes.items():
        wanted = Fraction(size * shares[name], 10_000)
        assert places[name] == min(size, -(-wanted // 1))


# --- evenness: shows the absence of gross bias, and nothing more ------------------------------------------------------

MEMBERS, PLACES, SEEDS = 50, 10, 2_000
LIMIT = 85.35  # chi-square with 49 degrees of freedom, upper 0.1 %

Tickets = Callable[[str, str], Any]


def chi_square(ticket: Tickets) -> float:
    """How uneven a way of drawing is over fixed seeds; drawing without replacement spreads less than chance."""
    members = codes(MEMBERS)
    hits: Counter[str] = Counter()
    for number in range(SEEDS):
        seed = lot.digest(f"evenness {number}")
        hits.update(sorted(members, key=lambda code: (ticket(seed, code), code))[:PLACES])
    expected = SEEDS * PLACES / MEMBERS
    shrink = 1 - PLACES / MEMBERS
    return sum((hits[code] - expected) ** 2 for code in members) / expected / shrink * (MEMBERS - 1) / MEMBERS


def test_every_subject_is_drawn_about_as_often() -> None:
    assert chi_square(lot.ticket_of) < LIMIT


def test_tickets_of_four_bits_fail_the_same_test() -> None:
    assert chi_square(lambda seed, code: lot.ticket_of(seed, code)[0]) > LIMIT


def test_a_congruential_generator_seeded_by_place_fails_the_same_test() -> None:
    def rand(seed: str, code: str) -> int:
        start = int(seed[:7], 16) % 1000 + int(code)  # rand(seed + i)
        return (1_103_515_245 * start + 12_345) % 2**31

    assert chi_square(rand) > LIMIT


# --- the list and the rules -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (SMALL[:-1], "no end"),
        (SMALL + SMALL.splitlines(keepends=True)[-1], "twice"),
        ("".join(reversed(SMALL.splitlines(keepends=True))), "out of order"),
        (SMALL.replace("\tA\tE", "\ta\tE"), "no class"),
        (SMALL.replace("DRAWN_TWICE", "FRIEND"), "without a reason"),
        (SMALL.replace("\t-\tX\tDRAWN_TWICE", "\tB\tX\tDRAWN_TWICE"), "without a reason"),
        (SMALL.replace(f"{HEAD}3X7K2Q0X", f"{HEAD}3X7K2Q0x"), "no code"),
        (SMALL.replace(f"{HEAD}3X7K2Q0X", f"{HEAD}3X7K2QOX"), "no code"),
        (SMALL.replace("\tE\t", " E "), "four parts"),
        ("\n", "four parts"),
    ],
)
def test_a_list_has_one_form(text: str, why: str) -> None:
    with pytest.raises(lot.BadFrame, match=why):
        lot.parse_frame(text)


@pytest.mark.parametrize("value", [1.0, True, None])
def test_rules_hold_text_and_whole_numbers_only(value: object) -> None:
    with pytest.raises(ValueError, match="text and whole numbers"):
        lot.canonical({"alg": "sdraw1", "n": value})


def test_each_byte_of_what_is_committed_changes_the_commitment() -> None:
    parts = (VECTOR["prev"], VECTOR["frame"], VECTOR["rules"], VECTOR["secret"])
    chance = random.Random(4)
    for _ in range(300):
        which = chance.randrange(4)
        place = chance.randrange(len(parts[which]))
        altered = list(parts)
        altered[which] = parts[which][:place] + chr(ord(parts[which][place]) ^ 1) + parts[which][place + 1 :]
        prev, frame, rules, secret = altered
        assert lot.commit_of(prev, lot.digest(frame), lot.digest(rules), secret) != VECTOR["commit"]


def test_the_codes_of_the_examples_are_credit_codes() -> None:
    assert all(is_uscc(row.code) and lot.is_code(row.code) for row in lot.parse_frame(VECTOR["frame"]))
