"""The phases of a visit, its crew, and what is noted beside an operation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.domain.visit import Crew, flag_of, phase_of

WINDOW = ("2026-11-01", "2026-11-30")
RECEIVED = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)


@pytest.mark.rule("R18.2")
def test_a_crew_stands_with_a_leader_and_two_who_have_no_interest() -> None:
    assert Crew(["li", "wang"], "li", 1).stands(set())
    assert not Crew(["li", "wang"], None, 1).stands(set())
    assert not Crew(["li"], "li", 1).stands(set())
    assert not Crew(["li", "wang"], "li", 1).stands({"wang"})
    assert Crew(["li", "wang", "zhao"], "li", 1).stands({"wang"})


def test_the_later_phase_wins() -> None:
    def phase(started: bool, stands: bool, proposed: bool, final: bool, void: bool) -> str:
        return phase_of(is_started=started, stands=stands, is_proposed=proposed, is_final=final, is_void=void)

    assert phase(False, False, False, False, False) == "dispatched"
    assert phase(True, True, False, False, False) == "started"
    assert phase(True, False, False, False, False) == "interrupted"
    assert phase(True, False, True, False, False) == "final_pending"
    assert phase(True, True, True, True, False) == "final"
    assert phase(True, True, True, True, True) == "void"


@pytest.mark.rule("I15")
@pytest.mark.parametrize(("ahead", "flag"), [(0, None), (300, None), (301, "clock_ahead"), (-(10**8), None)])
def test_a_clock_more_than_five_minutes_ahead_is_noted_and_one_behind_is_not(ahead: int, flag: str | None) -> None:
    at = (RECEIVED + timedelta(seconds=ahead)).isoformat()
    assert flag_of(at, RECEIVED, "2030-01-01", WINDOW) == flag


@pytest.mark.rule("R19.1")
@pytest.mark.parametrize(
    ("until", "flag"),
    [("2026-11-01", "licence_expiring"), ("2026-11-30", "licence_expiring"), ("2026-12-01", None), (None, None)],
)
def test_a_certificate_that_ends_within_the_window_is_noted(until: str | None, flag: str | None) -> None:
    assert flag_of("2026-11-24T10:00:00+08:00", RECEIVED, until, WINDOW) == flag
