"""Objections as pure rules: every act in every state, who has no hand in it, and the codes of receipts (R26.5)."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain import objection as rules
from server.domain.objection import STATES, Standing, after, code_hash, code_of, hindrance, mime_of, recheck_list

TABLE = """
              filed papers_asked accepted   rechecking found      confirmed answered refused
ask_papers    papers_asked -     -          -          -          -         -        -
add_papers    -     filed        -          -          -          -         -        -
accept        accepted -         -          -          -          -         -        -
refuse        refused refused    -          -          -          -         -        -
assign        -     -            rechecking rechecking -          -         -        -
find          -     -            -          found      -          -         -        -
send_back     -     -            -          -          rechecking -         -        -
confirm       -     -            -          -          confirmed  -         -        -
answer        -     -            -          -          -          answered  -        -
"""
"""Act by state -> the state after it: papers first, then the recheck, the head's word, the answer."""


def table() -> dict[tuple[str, str], str | None]:
    head, *lines = [line.split() for line in TABLE.strip().splitlines()]
    return {
        (line[0], state): None if to == "-" else to for line in lines for state, to in zip(head, line[1:], strict=True)
    }


def test_every_act_in_every_state_leads_where_the_table_says() -> None:
    expected = table()
    assert set(expected) == set(product(rules.TRANSITIONS, STATES)) and len(expected) == 72
    assert {(act, state): after(state, act) for act, state in expected} == expected


@given(st.lists(st.sampled_from(sorted(rules.TRANSITIONS)), max_size=40))
def test_whatever_is_tried_no_recheck_is_skipped_and_nothing_follows_the_end(acts: list[str]) -> None:
    state, done = "filed", list[str]()
    for act in acts:
        to = after(state, act)
        if to is not None:
            assert state not in rules.CLOSED
            state, done = to, [*done, act]
    if state == "answered":
        order = [done.index(act) for act in ("accept", "assign", "find", "confirm", "answer")]
        assert order == sorted(order) and done.count("accept") == done.count("answer") == 1
        assert "refuse" not in done


def test_from_every_open_state_an_end_can_be_reached() -> None:
    ends = set(rules.CLOSED)
    for _ in STATES:
        ends |= {state for state in STATES for act in rules.TRANSITIONS if after(state, act) in ends}
    assert ends == set(STATES)


@pytest.mark.parametrize(("act", "state"), sorted(table()))
def test_nobody_of_the_first_crew_has_a_hand_in_any_act(act: str, state: str) -> None:
    assert hindrance(act, "li", True, Standing(state, papers=1)) == "objection_own_crew"
    said = hindrance(act, "clerk", False, Standing(state, papers=1, visit=None))
    assert said == (None if table()[act, state] else "objection_state")


@pytest.mark.parametrize(
    ("act", "standing", "code"),
    [
        ("accept", Standing("filed", papers=0), "objection_no_identity"),
        ("confirm", Standing("found", entered_by="clerk"), "own_entry"),
        ("send_back", Standing("found", entered_by="clerk"), None),
        ("find", Standing("rechecking", visit="started"), "objection_visit_open"),
        ("find", Standing("rechecking", visit="void"), "objection_visit_open"),
        ("find", Standing("rechecking", visit="final"), None),
        ("assign", Standing("rechecking", visit="dispatched"), "objection_visit_open"),
        ("assign", Standing("rechecking", visit="void"), None),
        ("answer", Standing("confirmed", outcome="upheld"), "objection_correction_first"),
        ("answer", Standing("confirmed", outcome="upheld", correction=True), None),
        ("answer", Standing("confirmed", outcome="partly"), None),
        ("answer", Standing("confirmed", outcome="not_upheld"), None),
    ],
)
def test_what_else_is_in_the_way(act: str, standing: Standing, code: str | None) -> None:
    assert hindrance(act, "clerk", False, standing) == code


# --- receipts and papers ----------------------------------------------------------------------------------------------


def test_ten_thousand_codes_are_all_different_and_found_however_they_are_typed() -> None:
    chance = Random(26)
    codes = {code_of(chance.randbytes(32)) for _ in range(10_000)}
    hashes = {code_hash(code) for code in codes}
    print(f"{len(codes)} codes, {len(hashes)} digests")
    assert len(codes) == len(hashes) == 10_000 and None not in hashes
    for code in sorted(codes)[:200]:
        assert [len(group) for group in code.split("-")] == [4, 4, 4, 4]
        assert not set(code) & set("01ILOU")
        wide = "".join(chr(ord(one) + 0xFEE0) if one != "-" else " " for one in code)
        assert code_hash(code.lower()) == code_hash(f"  {code} ") == code_hash(wide) == code_hash(code)
        assert code not in str(code_hash(code))


@pytest.mark.parametrize(
    "typed", ["", "ABCD", "0000-0000-0000-0000", "IIII-LLLL-OOOO-UUUU", "A" * 5000, "异议", "\x00"]
)
def test_what_is_no_code_opens_nothing(typed: str) -> None:
    assert code_hash(typed) is None


@pytest.mark.parametrize(
    ("head", "mime"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"%PDF-1.4", "application/pdf"),
        (b"<html>", None),
        (b"MZ", None),
        (b"GIF89a", None),
        (b"", None),
    ],
)
def test_a_paper_is_what_its_first_bytes_say(head: bytes, mime: str | None) -> None:
    assert mime_of(head) == mime


def test_a_recheck_on_the_spot_asks_for_each_line_and_is_named_by_its_bytes() -> None:
    made = recheck_list("2026-0003", ["仓库分区", "台账"])
    assert made == recheck_list("2026-0003", ["仓库分区", "台账"]) != recheck_list("2026-0003", ["仓库分区"])
    assert made.body.decode().count('"id":"ob-00') == 2 and "仓库分区" in made.body.decode()
