"""A shortage of officers is explained with true figures, the rules that cost it, and sentences in both languages."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.domain.crew import Skip, Visit, lexmin
from server.domain.crew_reasons import RULES, Help, Infeasible, Lack, explain, said, skip_said
from server.words import LANGUAGES, Words, messages
from tests.domain import crew_oracle as oracle

MORNING = "2026-12-03/am"
CHINESE, ENGLISH = Words("zh-CN"), Words("en")
SHORT = [Visit("A", 2, MORNING, ("1", "2", "3")), Visit("B", 2, MORNING, ("1", "2", "3"))]


def test_where_everybody_can_be_served_there_is_nothing_to_explain() -> None:
    assert explain([Visit("A", 2, MORNING, ("1", "2")), Visit("B", 2, "2026-12-03/pm", ("1", "2"))]) is None


def test_two_visits_that_need_four_and_find_three_are_one_short() -> None:
    found = explain([*SHORT, Visit("C", 2, MORNING, ("7", "8")), Visit("D", 2, "2026-12-04/am", ("1", "2"))])

    assert found == Infeasible(
        (Lack(MORNING, ("A", "B"), need=4, able=3, room=3, short=1, helps=(Help("slots", 0, True),)),), ("slots",), 1
    )


def test_a_shortage_is_said_in_chinese_and_in_english() -> None:
    found = explain(SHORT, {"A": {"4": ["EXPIRES"], "5": ["LEAVE"]}, "B": {"5": ["LEAVE", "BUSY"]}})
    assert found is not None

    assert said(found, CHINESE, {"A": "甲店"}) == [
        "12月3日上午：2 家检查共需要 4 名检查人员，符合条件的只有 3 名，还差 1 名。",
        "涉及：甲店、B。",
        "只看“证件有效期”这一条：有 1 名检查人员仅因它不能参加，若没有这一条，人手就够了。",
        "只看“请假”这一条：有 1 名检查人员仅因它不能参加，若没有这一条，人手就够了。",
        "只看“每人半天的检查家数”这一条：若没有这一上限，人手就够了。",
        (
            "可行的办法（第十八条）：改到另一个半天；经批准与邻近单位合并抽取（仍由同一次摇号随机匹配，公示标明）；"
            "经批准直接指派（仍须两名持证且无须回避的检查人员，公示标明）。"
        ),
    ]
    english = said(found, ENGLISH)
    assert english[0] == "12-03 am: 2 visits need 4 officers, only 3 qualify, 1 short."
    assert english[-1].startswith("Ways out (article 18): another half-day; merge with a neighbour, on approval")


def test_one_visit_alone_and_no_rule_to_blame() -> None:
    found = explain([Visit("A", 2, "2026-12-04/pm", ("1",))], {"A": {"2": ["LEAVE", "DOMAIN"]}})
    assert found is not None

    assert [lack.helps for lack in found.lacks] == [()]
    assert said(found, CHINESE)[:3] == [
        "12月4日下午：1 家检查需要 2 名检查人员，符合条件的只有 1 名，还差 1 名。",
        "涉及：A。",
        "没有哪一条规则单独造成缺人。",
    ]
    assert said(found, ENGLISH)[2] == "No single rule is the cause of this shortage."


def test_a_rule_that_would_not_be_enough_is_said_so() -> None:
    visits = [Visit(s, 2, MORNING, ("1",)) for s in "ABC"]
    found = explain(visits, {s: {"2": ["INTEREST"]} for s in "ABC"})
    assert found is not None

    assert found.lacks[0].helps == (Help("interest", 1, False),)
    assert "只看“回避和利害关系”这一条：有 1 名检查人员仅因它不能参加，但加上他们也还不够。" in said(found, CHINESE)


def test_one_officer_can_not_come_back_to_two_shortages_at_once() -> None:
    visits = [Visit("A", 2, MORNING, ("1",)), Visit("B", 2, MORNING, ("2",))]
    found = explain(visits, {"A": {"3": ["DOMAIN"]}, "B": {"3": ["DOMAIN"]}})
    assert found is not None

    assert [lack.visits for lack in found.lacks] == [("A",), ("B",)]
    assert found.helps == ()
    assert "整个任务：没有哪一条规则单独造成全部缺人。" in said(found, CHINESE)
    apart = explain([visits[0], Visit("B", 2, "2026-12-03/pm", ("2",))], {s: {"3": ["DOMAIN"]} for s in "AB"})
    assert apart is not None and apart.helps == ("domain",)
    assert "整个任务：只去掉下列任何一条，人手都够了：执法领域。" in said(apart, CHINESE)


def test_several_visits_a_half_day_and_a_cap_that_is_too_low_are_said_in_seats() -> None:
    crowded = explain([Visit(s, 2, MORNING, ("1", "2")) for s in "ABC"], slots=2)
    capped = explain([Visit("A", 2, MORNING, ("1", "2")), Visit("B", 2, "2026-12-03/pm", ("1", "2"))], cap=1)
    assert crowded is not None and capped is not None

    assert said(crowded, CHINESE)[0] == (
        "12月3日上午：3 家检查共需要 6 人次；符合条件的有 2 名，每人半天至多 2 家，合计只能出 4 人次，还差 2 人次。"
    )
    assert capped.helps == ("cap",)
    assert said(capped, CHINESE)[0] == (
        "2 家检查共需要 4 人次；符合条件的有 2 名，每人在本任务中至多 1 家，合计只能出 2 人次，还差 2 人次。"
    )


def test_many_subjects_are_named_up_to_five() -> None:
    found = explain([Visit(f"S{n}", 2, MORNING, ("1", "2")) for n in range(8)])
    assert found is not None

    assert "涉及：S0、S1、S2、S3、S4等，另有 3 家。" in said(found, CHINESE)


def test_an_explanation_can_be_stored_and_read_again() -> None:
    found = explain(SHORT)

    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(found)), Infeasible) == found


def test_each_kind_of_skip_has_its_sentence() -> None:
    skips = [Skip("A", "7", "busy", ("B",)), Skip("A", "7", "full", ("B", "C")), Skip("A", "7", "needed", ("D",))]

    assert [skip_said(skip, CHINESE, {"A": "甲店", "7": "王一"}) for skip in skips] == [
        "王一未派给甲店：当时这半天已派给B。",
        "王一未派给甲店：在本任务中已派满，即B、C。",
        "王一未派给甲店：派了就会使其他检查缺人，即D。",
    ]
    assert skip_said(Skip("A", "7", "needed", ()), ENGLISH) == (
        "7 wasn't taken for A: that would leave the whole task short."
    )


def test_an_officer_whom_another_visit_needs_is_passed_over_with_its_name() -> None:
    needy = Visit("N", 2, MORNING, ("1", "2"))
    free = Visit("F", 2, MORNING, ("1", "2", "3", "4"))
    skips = [skip for n in range(20) for skip in lexmin(f"{n}", [needy, free], 2)[1] if skip.why == "needed"]

    assert skips
    assert {(skip.s, skip.visits) for skip in skips} == {("F", ("N",))}


# --- the figures are true ---------------------------------------------------------------------------------------------

REASONS = sorted(reason for reasons in RULES.values() for reason in reasons)


@st.composite
def short_tasks(draw: st.DrawFn) -> tuple[list[dict[str, Any]], dict[str, dict[str, list[str]]], int]:
    """Up to seven visits on two half-days, each officer in the list of a visit or kept off it by one or two reasons."""
    officers = [f"o{n}" for n in range(draw(st.integers(2, 7)))]
    visits: list[dict[str, Any]] = []
    losses: dict[str, dict[str, list[str]]] = {}
    for at in range(draw(st.integers(1, 7))):
        elig = draw(st.lists(st.sampled_from(officers), unique=True))
        visits.append({"s": f"s{at}", "k": 2, "half_day": draw(st.sampled_from("xy")), "elig": sorted(elig)})
        losses[f"s{at}"] = {
            o: draw(st.lists(st.sampled_from(REASONS), unique=True, min_size=1, max_size=2))
            for o in officers
            if o not in elig
        }
    return visits, losses, draw(st.integers(1, 2))


def as_visits(cases: list[dict[str, Any]]) -> list[Visit]:
    return [Visit(one["s"], one["k"], one["half_day"], tuple(one["elig"])) for one in cases]


def served(visits: list[dict[str, Any]], slots: int) -> int:
    """How many seats can be filled at most, by Hall's theorem over all sets of visits."""
    total: int = sum(visit["k"] for visit in visits)
    return total - max(deficit(part, slots) for part in subsets(visits))


def subsets(visits: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return [[v for at, v in enumerate(visits) if mask >> at & 1] for mask in range(1 << len(visits))]


def deficit(visits: list[dict[str, Any]], slots: int) -> int:
    could: dict[tuple[str, str], int] = {}
    for visit in visits:
        for o in visit["elig"]:
            could[o, visit["half_day"]] = could.get((o, visit["half_day"]), 0) + 1
    return 2 * len(visits) - sum(min(slots, n) for n in could.values())


@settings(max_examples=200, deadline=None, derandomize=True)
@given(short_tasks())
def test_the_figures_of_an_explanation_are_those_of_the_worst_set_of_visits(
    task: tuple[list[dict[str, Any]], dict[str, dict[str, list[str]]], int],
) -> None:
    visits, losses, slots = task
    found = explain(as_visits(visits), losses, slots)

    assert (found is None) == oracle.is_feasible(visits, len(visits), slots)
    by_s = {visit["s"]: visit for visit in visits}
    lacks = found.lacks if found is not None else ()
    named = [s for lack in lacks for s in lack.visits]
    assert len(named) == len(set(named))
    for lack in lacks:
        part = [by_s[s] for s in lack.visits]
        assert {visit["half_day"] for visit in part} == {lack.half_day}
        assert lack.need == lack.room + lack.short == 2 * len(part)
        assert lack.able == len({o for visit in part for o in visit["elig"]})
        assert lack.short == deficit(part, slots) > 0
    assert sum(lack.short for lack in lacks) == sum(visit["k"] for visit in visits) - served(visits, slots)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(short_tasks())
def test_the_rules_that_help_are_those_without_which_max_flow_serves_everybody(
    task: tuple[list[dict[str, Any]], dict[str, dict[str, list[str]]], int],
) -> None:
    visits, losses, slots = task
    found = explain(as_visits(visits), losses, slots)
    if found is None:
        return
    for rule, reasons in RULES.items():
        wider = [
            {**visit, "elig": [*visit["elig"], *(o for o, why in losses[visit["s"]].items() if set(why) <= reasons)]}
            for visit in visits
        ]
        assert (rule in found.helps) == oracle.is_feasible(wider, len(visits), slots)
    assert ("slots" in found.helps) == oracle.is_feasible(visits, len(visits), len(visits))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_has_its_words(language: str) -> None:
    known = messages(language)

    assert {f"crew_reasons.rule.{rule}" for rule in (*RULES, "slots", "cap")} == {
        key for key in known if key.startswith("crew_reasons.rule.")
    }
