"""Accounts and the tree of units: what belongs together, and that no unit stands under itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.domain.access import ROLES
from server.domain.account import check_account, check_unit, stands_under, tree_of
from server.domain.registry import Unit

GOOD = {"username": "hanxue", "name": "韩雪", "unit_id": "hazchem", "officer_id": ""}


def faults(roles: list[str], **changes: str) -> list[tuple[str, str]]:
    _, found = check_account(GOOD | changes, roles, {"hazchem"}, {"officer-09"})
    return [(fault.field, fault.code) for fault in found]


def test_roles_come_in_the_order_of_the_table_and_once() -> None:
    made, _ = check_account(GOOD, ["principal", "unit_clerk", "principal"], {"hazchem"}, ())
    assert made is not None
    assert made.roles == tuple(role for role in ROLES if role in ("principal", "unit_clerk"))


def test_a_role_of_a_unit_needs_the_unit_and_one_of_the_bureau_does_not() -> None:
    assert faults(["unit_head"], unit_id="") == [("unit_id", "unit_missing")]
    assert faults(["principal"], unit_id="") == []


def test_the_role_of_the_legal_unit_is_for_its_own_people() -> None:
    made, found = check_account(GOOD | {"unit_id": "law"}, ["legal_unit"], {"hazchem", "law"}, (), {"law"})
    assert made is not None
    assert (made.unit_id, found) == ("law", [])
    assert faults(["legal_unit"], officer_id="") == [("roles", "legal_unit_elsewhere")]


def test_officer_and_role_of_officer_come_together() -> None:
    assert faults(["officer"]) == [("officer_id", "officer_missing")]
    assert faults(["auditor"], officer_id="officer-09") == [("officer_id", "officer_without_role")]
    assert faults(["officer"], officer_id="officer-09") == []


def test_what_is_not_offered_is_not_taken() -> None:
    assert faults([], unit_id="elsewhere") == [("unit_id", "not_one_of"), ("roles", "role_missing")]
    assert faults(["king"]) == [("roles", "not_one_of")]
    assert faults(["auditor"], username="Han Xue") == [("username", "username_form")]


def test_a_unit_has_name_and_kind() -> None:
    _, found = check_unit({"name": "", "kind": "club", "parent_id": "nowhere"}, {"top"})
    assert [(fault.field, fault.code) for fault in found] == [
        ("name", "missing"),
        ("kind", "not_one_of"),
        ("parent_id", "not_one_of"),
    ]


@given(st.lists(st.integers(0, 11), min_size=12, max_size=12))
def test_moves_that_are_let_through_never_close_a_loop(moves: list[int]) -> None:
    parents: dict[str, str | None] = {str(n): None for n in range(12)}
    for n, above in enumerate(moves):
        units = [Unit(id_, id_, "section", parent) for id_, parent in parents.items()]
        if not stands_under(units, str(n), str(above)):
            parents[str(n)] = str(above)
    for start in parents:
        seen, at = set(), parents[start]
        while at is not None:
            assert at not in seen
            seen.add(at)
            at = parents[at]
    tree = tree_of([Unit(id_, id_, "section", parent) for id_, parent in parents.items()])
    assert sorted(unit.id for _, unit in tree) == sorted(parents)
    for depth, unit in tree:
        assert (depth == 0) == (unit.parent_id is None)
