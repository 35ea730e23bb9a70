"""What a password must be: long and nobody's first guess; nothing about kinds of characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.password import COMMON, LONGEST, SHORTEST, password_faults


@pytest.mark.parametrize(
    "password", ["correct horse battery staple", "清晨六点的白河很安静", "suijian-demo", "🐎🐎一匹马两匹马三四"]
)
def test_a_sentence_in_any_script_will_do(password: str) -> None:
    assert password_faults("new_password", password, "clerk") == []


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "missing"),
        ("短短短", "password_short"),
        ("x1y2z3w4" * 26, "password_long"),
        ("MyClerk-2026", "password_is_name"),
        ("Password123", "password_common"),
        ("123123123123", "password_common"),
        ("9876543210", "password_common"),
        ("abcdefghijklm", "password_common"),
    ],
)
def test_what_everybody_would_guess_is_refused(password: str, code: str) -> None:
    (fault,) = password_faults("new_password", password, "clerk")
    assert (fault.field, fault.code) == ("new_password", code)


@given(st.text(max_size=240), st.text(min_size=1, max_size=20))
def test_the_password_itself_is_in_no_fault(password: str, username: str) -> None:
    for fault in password_faults("new_password", password, username):
        assert all(isinstance(value, int) for value in fault.values.values())


def test_the_common_ones_are_long_enough_to_be_tried_at_all() -> None:
    assert all(SHORTEST <= len(password) <= LONGEST for password in COMMON)
