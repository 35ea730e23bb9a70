"""The number that a draw must take, against an oracle in fractions; and who is left out of it."""

from __future__ import annotations

import math
from datetime import date
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.ratio import Ground, Member, Proposal, is_raised, needs, portion, propose, window_start
from server.domain.ruleset import FIRST, RISKS, Cell, Credit, Risk, RuleSet, classes

KEY_LIST = Ground("key_list", "重点关注名录通知〔2026〕2 号")
COMPLAINT = Ground("complaints", "12350 举报件登记表 2026-017")
ORDER = Ground("campaign", "南应急〔2026〕18 号")


def matrix(floor: int = 500, cap: int = 2) -> RuleSet:
    """A small rule set: low risk may go lower, high and discredited higher, flagged subjects higher still."""
    ratios = (300, 500, 1000, 2000)

    def cell(risk: Risk, credit: Credit, flagged: bool) -> Cell:
        place = max(RISKS.index(risk), 2 if credit == "D" else 0) + flagged
        return Cell(risk, credit, flagged, ratios[place], 2 if place > 2 else 1)

    cells = tuple(cell(risk, credit, flagged) for risk, credit, flagged in classes())
    return msgspec.structs.replace(FIRST, floor=floor, cap=cap, matrix=cells)


RULES = matrix()
GROUNDS = st.sampled_from([COMPLAINT, KEY_LIST, Ground("serious_violation", "移送 3")])
MEMBERS = st.builds(
    Member,
    id=st.uuids().map(str),
    risk=st.sampled_from(["low", "low", "medium", "high"]),
    credit=st.sampled_from("ABCD"),
    flags=st.lists(GROUNDS, max_size=1).map(tuple),
    drawn=st.sampled_from([0, 0, 0, 1, 2, 3]),
)
POPULATIONS = st.lists(MEMBERS, max_size=60, unique_by=lambda one: one.id)
MATRICES = st.builds(matrix, floor=st.integers(0, 10_000), cap=st.integers(1, 3))
STATUTES = st.none() | st.integers(1, 10_000)


def story_a() -> list[Member]:
    """212 live subjects, 3 of them drawn twice this year, one of those on the key list."""
    everybody = [Member(f"s{n:03}", "low" if n < 150 else "medium", "B") for n in range(212)]
    for at in (3, 150):
        everybody[at] = msgspec.structs.replace(everybody[at], drawn=2)
    everybody[7] = msgspec.structs.replace(everybody[7], drawn=2, flags=(KEY_LIST,))
    return everybody


@pytest.mark.rule("R6.2", "allows")
@pytest.mark.rule("R15a.3", "allows")
def test_of_212_subjects_11_are_proposed_two_are_left_out_and_one_is_kept_in_by_its_flag() -> None:
    found = propose(story_a(), RULES)
    assert (found.n, found.floor, found.population, len(found.candidates)) == (11, 11, 212, 210)
    assert [(one.subject, one.reason, one.drawn) for one in found.excluded] == [
        ("s003", "drawn_twice", 2),
        ("s150", "drawn_twice", 2),
    ]
    assert [(one.subject, one.ground, one.drawn) for one in found.kept] == [("s007", KEY_LIST, 2)]
    assert "s007" in found.candidates


def test_ten_instead_of_eleven_needs_a_reason_and_eleven_needs_none() -> None:
    found = propose(story_a(), RULES)
    assert needs(found, 11, found.flagged_n) == ()
    assert needs(found, 10, found.flagged_n) == ("below_floor",)


def test_flagged_subjects_without_a_higher_ratio_need_a_reason() -> None:
    everybody = [Member(f"s{n:03}", "low", "B", (COMPLAINT,) if n < 3 else ()) for n in range(212)]
    found = propose(everybody, RULES)
    assert (found.flagged, found.flagged_n, needs(found, found.n, 1)) == (3, 1, ())
    assert needs(found, found.n, 0) == ("flagged_not_raised",)


@pytest.mark.rule("R6.5", "allows")
def test_a_complaint_raises_the_ratio_of_its_subject() -> None:
    calm = propose([Member(f"s{n}", "low", "A") for n in range(100)], RULES)
    flagged = propose([Member(f"s{n}", "low", "A", (COMPLAINT,) if n < 20 else ()) for n in range(100)], RULES)
    assert (calm.n, calm.flagged_n) == (5, 0)
    assert (flagged.flagged, flagged.flagged_n, flagged.n) == (20, 2, 6)


@pytest.mark.rule("R15a.1", "allows")
def test_low_risk_gets_less_and_high_risk_and_discredited_subjects_more() -> None:
    low, high, discredited = (
        propose([Member(f"s{n}", risk, credit) for n in range(1000)], matrix(floor=0))
        for risk, credit in (("low", "A"), ("high", "A"), ("low", "D"))
    )
    assert (low.n, high.n, discredited.n) == (30, 100, 100)
    assert (low.frequency, high.frequency) == (1, 1)


def test_low_risk_classes_may_get_less_as_long_as_the_sum_reaches_the_floor() -> None:
    found = propose([Member(f"s{n}", "low" if n < 80 else "high", "A") for n in range(100)], RULES)
    assert [(one.share, one.n) for one in found.strata] == [(1000, 2), (300, 3)]
    assert found.n == 5 == found.floor


@pytest.mark.rule("R15a.3", "allows")
def test_a_campaign_is_bound_by_neither_cap_nor_ratio_and_every_ground_is_named() -> None:
    found = propose(story_a(), RULES, campaign=ORDER)
    assert (len(found.candidates), found.excluded, found.floor) == (212, (), 0)
    assert [one.ground for one in found.kept] == [ORDER, KEY_LIST, ORDER]
    assert needs(found, 1, 0) == ()


def test_a_statutory_ratio_takes_the_place_of_the_matrix() -> None:
    found = propose([Member(f"s{n}", "low", "A") for n in range(100)], RULES, statutory=2000)
    assert (found.n, found.floor) == (20, 20)
    assert needs(found, 19, 0) == ("below_floor",)


@pytest.mark.parametrize(
    ("size", "share", "n"), [(100, 700, 7), (212, 500, 11), (1, 1, 1), (0, 500, 0), (200, 500, 10)]
)
def test_a_portion_is_rounded_up_without_floats(size: int, share: int, n: int) -> None:
    assert portion(size, share) == n == math.ceil(Fraction(size * share, 10_000))


def test_where_the_cap_leaves_too_few_the_floor_is_missed_and_says_so() -> None:
    found = propose([Member(f"s{n}", "low", "A", drawn=2 if n else 0) for n in range(100)], RULES)
    assert (found.n, found.floor) == (1, 5)
    assert needs(found, 1, 0) == ("below_floor",)


def marked(one: Member) -> bool:
    """Complaints and signs of serious violation raise a class; the key list only exempts."""
    return any(flag.kind in ("complaints", "serious_violation") for flag in one.flags)


def slow(population: list[Member], rules: RuleSet, statutory: int | None) -> tuple[int, int]:
    """The number and the floor, the long way: classes one by one, fractions, subjects added until it is enough."""
    free = {one.id for one in population if one.drawn < rules.cap or one.flags}
    classes: dict[tuple[bool, Fraction], list[Member]] = {}
    for one in population:
        share = Fraction(rules.cell(one.risk, one.credit, marked(one)).ratio, 10_000)
        if statutory is not None:
            share = max(share, Fraction(statutory, 10_000)) if marked(one) else Fraction(statutory, 10_000)
        classes.setdefault((marked(one), share), []).append(one)
    able = {key: sum(one.id in free for one in them) for key, them in classes.items()}
    n = {key: min(able[key], math.ceil(key[1] * len(them))) for key, them in classes.items()}
    least = Fraction(rules.floor if statutory is None else statutory, 10_000)
    floor = math.ceil(least * len(population))
    order = sorted(classes, key=lambda key: (-key[1], not key[0]))
    while sum(n.values()) < floor and any(n[key] < able[key] for key in order):
        weights = {
            key: (key[1] * len(classes[key]) / (n[key] + 1), Fraction(len(classes[key]), n[key] + 1))
            for key in order
            if n[key] < able[key]
        }
        n[max(weights, key=lambda key: weights[key])] += 1
    raised, others = ([key for key in order if key[0] is side] for side in (True, False))
    while raised and others:
        sizes = [sum(len(classes[key]) for key in side) for side in (raised, others)]
        drawn = [sum(n[key] for key in side) for side in (raised, others)]
        if Fraction(drawn[0], sizes[0]) > Fraction(drawn[1], sizes[1]) or drawn[0] == sizes[0]:
            break
        n[next(key for key in raised if n[key] < able[key])] += 1
    return sum(n.values()), floor


@given(POPULATIONS, MATRICES, STATUTES)
def test_the_proposal_is_that_of_the_slow_oracle(
    population: list[Member], rules: RuleSet, statutory: int | None
) -> None:
    found = propose(population, rules, statutory=statutory)
    assert (found.n, found.floor) == slow(population, rules, statutory)


@given(POPULATIONS, MATRICES, STATUTES, st.none() | st.just(ORDER))
def test_every_subject_is_either_candidate_or_excluded_and_the_numbers_fit(
    population: list[Member], rules: RuleSet, statutory: int | None, campaign: Ground | None
) -> None:
    found = propose(population, rules, statutory=statutory, campaign=campaign)
    out = [one.subject for one in found.excluded]
    assert sorted([*found.candidates, *out]) == sorted(one.id for one in population)
    assert all(one.n <= one.candidates <= one.size for one in found.strata)
    assert sum(one.candidates for one in found.strata) == len(found.candidates)
    assert {one.subject for one in found.kept} <= set(found.candidates)
    assert found.n >= min(found.floor, len(found.candidates))
    assert set(needs(found, found.n, found.flagged_n)) <= {"below_floor"}
    assert ("below_floor" in needs(found, found.n, found.flagged_n)) == (found.n < found.floor)


@given(POPULATIONS, MATRICES)
def test_the_order_of_the_library_changes_nothing_but_the_order(population: list[Member], rules: RuleSet) -> None:
    def gist(found: Proposal) -> object:
        return found.n, found.floor, found.strata, sorted(found.candidates)

    assert gist(propose(population, rules)) == gist(propose(population[::-1], rules))


@given(POPULATIONS, MATRICES, st.integers(0, 80), st.integers(0, 80))
def test_what_a_number_needs_is_as_fractions_say(
    population: list[Member], rules: RuleSet, n: int, flagged_n: int
) -> None:
    found = propose(population, rules)
    needed = needs(found, n, flagged_n)
    assert ("below_floor" in needed) == (n < math.ceil(Fraction(rules.floor, 10_000) * len(population)))
    rest = found.population - found.flagged
    if found.flagged and rest and flagged_n < found.flagged:
        raised = Fraction(flagged_n, found.flagged) > Fraction(n - flagged_n, rest)
        assert ("flagged_not_raised" in needed) == (not raised)


def test_all_that_there_are_is_enough() -> None:
    assert is_raised(3, 3, 10, 10)
    assert not is_raised(3, 1, 9, 3)
    assert is_raised(0, 0, 9, 3)


@pytest.mark.parametrize(
    ("day", "window", "first"),
    [
        ("2026-11-24", "calendar_year", "2026-01-01"),
        ("2026-01-01", "calendar_year", "2026-01-01"),
        ("2026-11-24", "rolling_12_months", "2025-11-25"),
        ("2028-02-29", "rolling_12_months", "2027-03-01"),
        ("2027-02-28", "rolling_12_months", "2026-03-01"),
    ],
)
def test_the_days_whose_draws_count(day: str, window: str, first: str) -> None:
    assert window_start(date.fromisoformat(day), window) == date.fromisoformat(first)
