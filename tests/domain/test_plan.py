"""The pure parts of the annual plan: moves, months, differences, capacity, and how values are said."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest
from chinese_calendar import is_workday
from hypothesis import given
from hypothesis import strategies as st

from server.domain.plan import (
    MOVES,
    STATES,
    Capacity,
    Missing,
    PublicLine,
    days_of,
    differences,
    must_be_complete,
    must_be_open,
    spread,
    state_after,
)
from server.domain.ratio import Year
from server.errors import Problem
from server.routes.rooms.plan_said import Said, percent
from server.store.calendars import calendar
from server.store.session import Database
from server.words import Words

A_LINE = PublicLine(
    id="1",
    unit="危险化学品监管股",
    item="储存检查",
    scope="全区",
    window_from="2026-03-01",
    window_to="2026-11-30",
    count=11,
    share=518,
    unified_share=20,
    own_share=80,
    months=spread(11, "2026-03-01", "2026-11-30"),
    joint=None,
    partner=None,
    campaign=None,
)
LINES = st.lists(
    st.builds(
        msgspec.structs.replace,
        st.just(A_LINE),
        id=st.sampled_from("123456"),
        count=st.integers(1, 3),
        scope=st.sampled_from(["全区", "石桥镇"]),
    ),
    unique_by=lambda one: one.id,
    max_size=6,
)


def test_every_state_is_reached_and_left_by_the_table_alone() -> None:
    assert set(MOVES.values()) | {"draft"} == set(STATES)
    assert {state for state, _ in MOVES} == set(STATES)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("move", sorted({move for _, move in MOVES} | {"dance"}))
def test_what_the_table_lacks_is_refused(state: str, move: str) -> None:
    if (state, move) in MOVES:
        assert state_after(state, move, 1) == MOVES[state, move]
    else:
        with pytest.raises(Problem) as caught:
            state_after(state, move, 1)
        assert caught.value.code == ("plan_released" if state == "released" else "plan_order")


def test_a_later_version_that_is_given_back_is_an_amendment_again() -> None:
    assert state_after("consolidated", "give_back", 2) == "amended"
    assert state_after("consolidated", "refuse", 2) == "amended"
    assert state_after("consolidated", "refuse", 1) == "submitted"


@pytest.mark.parametrize(
    ("state", "code"),
    [("submitted", "plan_part_in"), ("approved", "plan_order"), ("released", "plan_released")],
)
def test_lines_are_changed_in_a_draft_or_an_amendment_only(state: str, code: str) -> None:
    must_be_open("draft")
    must_be_open("amended")
    with pytest.raises(Problem) as caught:
        must_be_open(state)
    assert caught.value.code == code


def test_all_that_is_missing_stands_in_the_problem_and_the_first_kind_in_its_sentence() -> None:
    found = [Missing("open_unit", "工矿股"), Missing("open_unit", "大队"), Missing("joint")]
    with pytest.raises(Problem) as caught:
        must_be_complete(found)
    assert caught.value.sentence() == "还有股室没有提交：工矿股、大队。没有抽查计划的，请注明原因。"
    assert caught.value.members["missing"] == msgspec.to_builtins(found)
    must_be_complete([])


@given(st.integers(0, 500), st.integers(1, 12), st.integers(1, 12))
def test_a_count_is_spread_over_the_months_of_its_window(count: int, one: int, other: int) -> None:
    first, last = min(one, other), max(one, other)
    months = spread(count, f"2026-{first:02}-01", f"2026-{last:02}-28")
    inside = months[first - 1 : last]
    assert (sum(months), sum(inside), len(months)) == (count, count, 12)
    assert max(inside) - min(inside) <= 1
    assert list(inside) == sorted(inside, reverse=True)


@given(LINES, LINES)
def test_the_difference_leads_from_one_version_to_the_other(before: list[PublicLine], after: list[PublicLine]) -> None:
    found = {one.line_id: one for one in differences(before, after)}
    old, new = {one.id: one for one in before}, {one.id: one for one in after}
    made = dict(old)
    for id, change in found.items():
        if change.kind == "removed":
            del made[id]
        elif change.kind == "added":
            made[id] = new[id]
        else:
            assert all(getattr(old[id], name) == was != becomes for name, was, becomes in change.fields)
            made[id] = msgspec.structs.replace(made[id], **{name: becomes for name, _, becomes in change.fields})
    assert made == new


def test_a_difference_is_read_field_by_field() -> None:
    months = (0, 0, *[2] * 3, *[1] * 6, 0)
    changed = msgspec.structs.replace(A_LINE, count=12, months=months, joint="lead", partner="消防")
    (change,) = differences([A_LINE], [changed])
    assert Said(Words("zh-CN")).rows(change) == [
        ("预估数量（户）", "11", "12"),
        ("部门联合", None, "联合抽查，我方牵头"),
        ("联合部门", None, "消防"),
        ("各月数量", "3月至4月每月 2 户、5月至11月每月 1 户", "3月至5月每月 2 户、6月至11月每月 1 户"),
    ]


@pytest.mark.parametrize(("share", "said"), [(518, "5.18%"), (500, "5%"), (550, "5.5%"), (0, "0%"), (10_000, "100%")])
def test_a_ratio_is_said_with_at_most_two_places(share: int, said: str) -> None:
    assert percent(share) == said


def test_capacity_is_counted_in_half_days() -> None:
    unit = Capacity(officers=5, working_days=248, leave_half_days=7, other_days=60, visits=30)
    assert (unit.half_days, unit.needed, unit.is_enough) == (2 * (5 * 248 - 60) - 7, 60, True)
    alone = Capacity(officers=1, working_days=248, leave_half_days=0, other_days=0, visits=1)
    assert not alone.is_enough
    nobody = Capacity(officers=0, working_days=248, leave_half_days=0, other_days=60, visits=0)
    assert (nobody.half_days, nobody.is_enough) == (0, True)


def test_the_working_days_of_a_year_agree_with_the_library(database: Database) -> None:
    with database.read() as conn:
        known = calendar(conn)
    assert days_of(2026, known) == [day for day in _all_days(2026) if is_workday(day)]


def _all_days(year: int) -> list[date]:
    first = date(year, 1, 1).toordinal()
    return [date.fromordinal(first + n) for n in range(365)]


def test_a_year_names_what_is_short_and_not_approved() -> None:
    year = Year(population=212, floor=11, planned=10, drawn=3, done=1, draws=0, frequency=1, at_cap=3)
    assert year.missing() == {"ratio": 1, "frequency": 1}
    assert msgspec.structs.replace(year, overridden=frozenset({"ratio"})).missing() == {"frequency": 1}
    assert msgspec.structs.replace(year, population=0).missing() == {}
