"""When the office may approve or return a record, and what it is told when not."""

from __future__ import annotations

import pytest

from server.office.review import Standing, hindrance

FINAL = Standing(phase="final", round=1, media_missing=0, reviewed=False)
CLERK = frozenset({"unit_clerk"})


@pytest.mark.parametrize("act", ["approve", "return"])
def test_the_units_clerk_reviews_a_final_record(act: str) -> None:
    assert hindrance(CLERK, "u", "u", False, FINAL, act) is None


@pytest.mark.parametrize("act", ["approve", "return"])
@pytest.mark.parametrize(
    ("roles", "unit", "in_crew", "standing", "code"),
    [
        (CLERK, "other", False, FINAL, "other_unit"),
        (frozenset({"unit_head"}), "u", False, FINAL, "other_unit"),
        (frozenset({"principal"}), "u", False, FINAL, "other_unit"),
        (CLERK, "u", True, FINAL, "own_crew"),
        (CLERK, "u", False, Standing("final", 1, 0, True), "already_reviewed"),
        (CLERK, "u", False, Standing("final_pending", 1, 0, False), "not_final_yet"),
        (CLERK, "u", False, Standing("void", 1, 0, False), "not_final_yet"),
    ],
)
def test_what_stands_in_the_way_is_named(
    act: str, roles: frozenset[str], unit: str, in_crew: bool, standing: Standing, code: str
) -> None:
    assert hindrance(roles, unit, "u", in_crew, standing, act) == code


def test_a_record_whose_photos_are_not_here_can_be_returned_but_not_approved() -> None:
    waiting = Standing("final", 1, 2, False)
    assert hindrance(CLERK, "u", "u", False, waiting, "approve") == "media_first"
    assert hindrance(CLERK, "u", "u", False, waiting, "return") is None


def test_material_without_a_word_stops_the_approval_and_can_be_returned_or_left_out_by_nobody_of_the_crew() -> None:
    waiting = Standing("final", 1, 0, False, unsettled=1)
    assert hindrance(CLERK, "u", "u", False, waiting, "approve") == "material_first"
    assert hindrance(CLERK, "u", "u", False, waiting, "return") is None
    assert hindrance(CLERK, "u", "u", False, waiting, "set_aside") is None
    assert hindrance(CLERK, "u", "u", True, waiting, "set_aside") == "own_crew"
    approved = Standing("final", 1, 0, True, unsettled=1)
    assert hindrance(CLERK, "u", "u", False, approved, "set_aside") is None, "what comes after the approval"
