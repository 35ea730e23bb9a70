"""What an opened file says to everybody: its list counted, the arithmetic of its places, and one's own ticket."""

from __future__ import annotations

import hashlib
import json
import subprocess
from typing import Any

import pytest

from server.domain.public_draw import Places, looked_up, opened, short_code

# The small example of the specification, by hand.
HEAD = "91411303MA"
FRAME = "".join(
    f"{HEAD}{code}\t{stratum}\t{part}\t{reason}\n"
    for code, stratum, part, reason in (
        ("3X7K2Q0X", "A", "E", "-"),
        ("40N8RW54", "B", "E", "-"),
        ("45H1JY3U", "B", "E", "-"),
        ("46PLC85K", "B", "E", "-"),
        ("47T2DU2B", "-", "X", "DRAWN_TWICE"),
        ("9GXP5T5B", "A", "E", "-"),
    )
)
SEED = "c7f94008f779864463964f01192c0f032f6df1b86a001d39d2998cfc9a401350"
DRAWN = {"A": [f"{HEAD}3X7K2Q0X"], "B": [f"{HEAD}46PLC85K", f"{HEAD}40N8RW54"]}


def document(**more: Any) -> dict[str, Any]:
    rules = {"alg": "sdraw1", "base": 6, "mode": "ratio", "ratio_bp": {"A": 5000, "B": 3400}}
    return {
        "frame": FRAME,
        "rules": json.dumps(rules),
        "seed": SEED,
        "quotas": {"A": 1, "B": 2},
        "winners": DRAWN,
        "excused": [],
    } | more


def test_the_list_is_counted_with_every_exclusion_by_its_reason() -> None:
    found = opened(document())
    assert (found.rows, found.candidates, found.excluded) == (6, 5, (("DRAWN_TWICE", 1),))
    assert found.places == (Places("A", 2, 1, 5000), Places("B", 3, 2, 3400))
    assert (found.drawn, found.planned, found.base, found.other_case) == (3, 3, 6, 0)


def test_before_the_draw_the_places_by_ratio_are_known_and_those_by_weight_are_not() -> None:
    nothing: dict[str, Any] = {"quotas": {}, "winners": {}, "seed": None}
    assert [one.q for one in opened(document(**nothing)).places] == [1, 2]
    rules = json.dumps({"mode": "total", "n": 3, "weights": {"A": 2, "B": 1}})
    found = opened(document(**nothing, rules=rules))
    assert [(one.q, one.weight) for one in found.places] == [(None, 2), (None, 1)]
    assert found.planned == 3


def test_the_share_of_those_left_out_for_another_case_is_counted() -> None:
    assert opened(document(frame=FRAME.replace("DRAWN_TWICE", "UNDER_OTHER_CASE"))).other_case == 1


def test_a_file_drawn_by_a_lead_shows_the_leads_list() -> None:
    lead = {"lead": "市场监督管理局", "codes": [f"{HEAD}9GXP5T5B"]}
    found = opened(document(frame=None, rules=None, quotas={}, winners={}, joint=lead))
    assert (found.rows, found.winners, found.drawn) == (0, ((f"{HEAD}9GXP5T5B", ""),), 1)


@pytest.mark.parametrize(
    ("code", "place"),
    [
        ("3X7K2Q0X", "drawn"),
        ("46PLC85K", "drawn"),
        ("40N8RW54", "drawn"),
        ("45H1JY3U", "not_drawn"),
        ("9GXP5T5B", "not_drawn"),
        ("47T2DU2B", "excluded"),
        ("00000000", "absent"),
    ],
)
def test_each_code_finds_its_place(code: str, place: str) -> None:
    assert looked_up(document(), HEAD + code).place == place


def test_the_line_for_doubters_gives_the_ticket_on_any_computer() -> None:
    found = looked_up(document(), f"{HEAD}46PLC85K")
    said = subprocess.run(found.command, shell=True, capture_output=True, text=True, check=True).stdout
    assert said.split()[0] == found.ticket
    assert (found.rank, found.cut, found.n) == (1, 2, 3)


def test_the_rank_is_that_of_the_tickets_in_the_own_stratum() -> None:
    codes = [f"{HEAD}{one}" for one in ("40N8RW54", "45H1JY3U", "46PLC85K")]
    tickets = {code: hashlib.sha256(f"{SEED}|S|{code}".encode()).hexdigest() for code in codes}
    order = sorted(codes, key=lambda code: tickets[code])
    found = [looked_up(document(), code) for code in order]
    assert [one.rank for one in found] == [1, 2, 3]
    assert {one.last for one in found} == {tickets[order[1]]}


def test_who_was_excused_and_who_moved_up_are_told_apart() -> None:
    excused = [{"code": f"{HEAD}46PLC85K", "reason": "已注销", "next": f"{HEAD}45H1JY3U"}]
    places = [looked_up(document(excused=excused), HEAD + one).place for one in ("46PLC85K", "45H1JY3U", "40N8RW54")]
    assert places == ["excused", "moved_up", "drawn"]


def test_a_draw_voided_before_it_was_drawn_has_no_tickets() -> None:
    found = looked_up(document(seed=None, quotas={}, winners={}), f"{HEAD}46PLC85K")
    assert (found.place, found.ticket, found.rank) == ("not_drawn", "", 0)


def test_what_people_write_down_is_sixteen_characters_in_fours() -> None:
    assert short_code("f94a36bffc48da13" + "0" * 48) == "F94A-36BF-FC48-DA13"
