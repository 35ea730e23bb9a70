"""Who may see and do what with a visit: the table of the rules, section 2, spelled out by hand."""

from __future__ import annotations

import pytest

from server.domain.access import ACTS, ROLES, may, office_sees

SEES_OWN_UNIT = {"unit_clerk", "unit_head", "legal_unit", "principal", "steering_group", "auditor"}
SEES_FOREIGN_UNIT = {"legal_unit", "principal", "steering_group", "auditor"}
MAY = {
    "admit": {"unit_clerk"},
    "rule": {"unit_clerk"},
    "assign": {"unit_clerk", "unit_head"},
    "replace": {"unit_head"},
    "reopen": {"unit_head"},
    "void": {"unit_head"},
    "merge": {"unit_clerk", "unit_head"},
    "approve": {"unit_clerk"},
    "return": {"unit_clerk"},
    "set_aside": {"unit_clerk"},
    "note_refusal": {"unit_head"},
}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_its_unit_and_only_the_bureau_wide_ones_see_the_others(role: str) -> None:
    assert office_sees({role}, "u1", "u1") == (role in SEES_OWN_UNIT)
    assert office_sees({role}, "u1", "u2") == (role in SEES_FOREIGN_UNIT)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("role", ROLES)
def test_an_act_is_for_its_role_in_its_own_unit(role: str, act: str) -> None:
    assert may({role}, "u1", "u1", act) == (role in MAY[act])
    assert not may({role}, "u1", "u2", act)
