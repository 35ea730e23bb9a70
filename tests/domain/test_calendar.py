"""Working days: the table of the rules' page, the library counted day by day, and what isn't known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.calendar import Calendar, CalendarYear, Due, due_date, light_of, working_days_between
from server.domain.visit import ended_on
from server.store.calendars import calendar, from_library, years
from server.store.session import Database

CALENDAR = Calendar(from_library())
STEPS = (10, 5, 1)
DAY = timedelta(1)

TABLE = """
2026-01-01 2026-01-22 2026-01-29
2026-01-30 2026-02-27 2026-03-05
2026-02-13 2026-03-12 2026-03-19
2026-02-14 2026-03-13 2026-03-20
2026-04-20 2026-05-13 2026-05-20
2026-09-10 2026-10-08 2026-10-14
2026-09-18 2026-10-15 2026-10-22
2026-09-30 2026-10-27 2026-11-03
2026-10-16 2026-11-06 2026-11-13
2026-12-03 2026-12-24 2026-12-31
"""
CELLS = [
    (start, days, due)
    for start, fifteen, twenty in (line.split() for line in TABLE.split("\n") if line)
    for days, due in ((15, fifteen), (20, twenty))
]


def day(text: str) -> date:
    return date.fromisoformat(text)


def counted(start: date, days: int) -> date:
    """The oracle: the library asked day by day."""
    found, current = 0, start
    while found < days:
        current += DAY
        found += chinese_calendar.is_workday(current)
    return current


@pytest.mark.rule("R26.1", "allows")
@pytest.mark.parametrize(("start", "days", "due"), CELLS)
def test_the_table_of_working_days_holds(start: str, days: int, due: str) -> None:
    assert due_date(day(start), days, CALENDAR) == Due(day(due), days, None)


@pytest.mark.parametrize(("start", "days", "due"), [("2026-12-04", 15, "2026-12-25"), ("2026-12-10", 15, "2026-12-31")])
def test_a_short_deadline_in_december_is_definite(start: str, days: int, due: str) -> None:
    assert due_date(day(start), days, CALENDAR) == Due(day(due), days, None)


@pytest.mark.rule("R26.1", "allows")
@pytest.mark.parametrize(("start", "known"), [("2026-12-04", 19), ("2026-12-10", 15), ("2026-12-31", 0)])
def test_past_the_known_years_a_deadline_is_provisional_and_no_date_is_guessed(start: str, known: int) -> None:
    assert due_date(day(start), 20, CALENDAR) == Due(None, known, 2027)


def test_two_thousand_random_dates_agree_with_the_library_counted_day_by_day() -> None:
    rng = Random(20261125)
    first, last = date(2020, 1, 1), date(2026, 12, 31)
    agreed = 0
    while agreed < 2000:
        start, days = first + DAY * rng.randrange((last - first).days), rng.choice((1, 3, 5, 10, 15, 20))
        try:
            expected = counted(start, days)
        except NotImplementedError:  # the library ends with 2026
            assert due_date(start, days, CALENDAR).missing_year == 2027
            continue
        assert due_date(start, days, CALENDAR).on == expected, (start, days)
        agreed += 1


def test_every_day_that_the_library_knows_is_a_working_day_here_when_it_is_one_there() -> None:
    here, there = CALENDAR.is_working_day, chinese_calendar.is_workday
    days = (date(2004, 1, 1) + DAY * n for n in range((date(2027, 1, 1) - date(2004, 1, 1)).days))
    assert [one for one in days if here(one) != there(one)] == []


def test_a_day_of_an_unknown_year_is_neither_worked_nor_off() -> None:
    with pytest.raises(ValueError, match="2027"):
        CALENDAR.is_working_day(date(2027, 1, 4))


def test_a_draft_counts_for_nothing_and_of_two_versions_the_newer_counts() -> None:
    def version(number: int, state: str, *off: date) -> CalendarYear:
        return CalendarYear(2027, number, state, "国办发明电", "1 号", off, ())  # type: ignore[arg-type]

    monday, tuesday = date(2027, 3, 1), date(2027, 3, 2)
    known = Calendar([version(2, "released", tuesday), version(1, "released", monday), version(3, "draft")])
    assert (known.is_working_day(monday), known.is_working_day(tuesday)) == (True, False)
    assert known.versions(2026, 2028) == {"2027": 2}
    assert not Calendar([version(1, "draft")]).knows(2027)


known_days = st.dates(date(2020, 1, 1), date(2026, 10, 1))
lengths = st.integers(1, 40)


@given(known_days, lengths)
def test_a_deadline_is_a_working_day_with_so_many_working_days_before_it(start: date, days: int) -> None:
    due = due_date(start, days, CALENDAR)
    assert due.on is not None and CALENDAR.is_working_day(due.on)
    assert working_days_between(start, due.on, CALENDAR) == days == due.known
    assert working_days_between(due.on, start, CALENDAR) == -days


@given(known_days, lengths)
def test_a_later_start_is_never_due_earlier_and_a_longer_deadline_always_later(start: date, days: int) -> None:
    due = due_date(start, days, CALENDAR).on
    later, longer = due_date(start + DAY, days, CALENDAR).on, due_date(start, days + 1, CALENDAR).on
    assert due is not None and later is not None and longer is not None
    assert due <= later and due < longer


@given(st.dates(date(2026, 10, 1), date(2026, 12, 31)), lengths)
def test_what_is_known_of_a_provisional_deadline_is_what_is_left_of_the_year(start: date, days: int) -> None:
    due = due_date(start, days, CALENDAR)
    left = working_days_between(start, date(2026, 12, 31), CALENDAR)
    assert left is not None
    assert (due.on is None) == (left < days)
    assert due.known == min(left, days)


@pytest.mark.parametrize(
    ("today", "kind", "days"),
    [
        ("2026-09-10", "far", 20),  # due on 2026-10-14, five of its days off
        ("2026-09-22", "far", 11),
        ("2026-09-23", "soon", 10),
        ("2026-10-08", "near", 5),
        ("2026-10-13", "now", 1),
        ("2026-10-14", "now", 0),
        ("2026-10-15", "past", 1),
        ("2026-10-20", "past", 4),
        ("2026-10-21", "overdue", 1),
    ],
)
def test_the_lights_change_ten_five_and_one_working_days_before_the_target(today: str, kind: str, days: int) -> None:
    light = light_of(day("2026-10-14"), day("2026-10-20"), day(today), STEPS, CALENDAR)
    assert (light.kind, light.days) == (kind, days)


def test_without_a_legal_date_nobody_is_accused() -> None:
    assert light_of(day("2026-10-14"), None, day("2026-12-01"), STEPS, CALENDAR).kind == "past"


def test_a_provisional_target_shows_no_number() -> None:
    assert light_of(None, None, day("2026-12-10"), STEPS, CALENDAR).kind == "unknown"


def test_a_visit_ended_on_the_day_of_the_proposal_by_a_clock_that_is_possible_else_of_its_receipt() -> None:
    def at(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    dispatched, received = at("2026-12-01T08:00"), at("2026-12-04T17:00")
    assert ended_on(at("2026-12-03T15:59"), received, dispatched) == date(2026, 12, 3)
    assert ended_on(at("2026-12-03T16:00"), received, dispatched) == date(2026, 12, 4)  # midnight in Beijing
    assert ended_on(at("2026-12-30T08:00"), received, dispatched) == date(2026, 12, 5)
    assert ended_on(at("2026-11-30T08:00"), received, dispatched) == date(2026, 12, 5)


def test_a_new_house_knows_2004_to_2026_and_says_from_where(any_database: Database) -> None:
    with any_database.read() as conn:
        assert sorted(calendar(conn).years) == list(range(2004, 2027))
        assert {kept.year.source.split()[0] for kept in years(conn)} == {"chinesecalendar"}
