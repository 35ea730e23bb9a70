"""One attempt of a draw, step by step, and every step that it refuses; and the file that it leaves."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from server.domain import draw as lot
from server.domain import drawing as steps
from server.domain.draw_check import check
from server.domain.draw_file import file_of, sealed, with_officers
from server.domain.draw_sources import Source, bits_of, check_contribution, is_value, must_be_enough, parts_of
from server.domain.drawing import Drawing
from server.domain.instant import stamp
from server.errors import Problem

NOW = datetime(2026, 11, 17, 2, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECRET = "2a97516c354b68848cdbd8f54a226a0a55b21ed138e207ad6c5cbb9c00aa5aea"
BALLS = "01 07 09 12 15 22 23 31 33 38 40 41 47 52 55 60 61 70 74 80"
DUE = stamp(NOW + 24 * HOUR)
LOTTERY = Source("kl8/2026312", "lottery", 61, "福彩快乐8 第2026312期", DUE)
DICE = Source("witness/1", "dice", 10, "见证人掷 4 个骰子", DUE)
ROWS = [lot.Row(f"{place:015}", "LOW_B" if place < 60 else "HIGH_C") for place in range(80)]
FRAME = lot.frame_text([*ROWS, lot.Row("900000000000001", "-", "X", "DEREGISTERED")])
RULES: dict[str, Any] = {
    "alg": "sdraw1",
    "base": 80,
    "filters": [],
    "item": "storage",
    "mode": "ratio",
    "ratio_bp": {"LOW_B": 500, "HIGH_C": 1000},
    "task": "2026-007",
    "year": 2026,
}


def committed(**more: Any) -> Drawing:
    given: dict[str, Any] = {
        "no": "2026-17",
        "before": None,
        "prev": lot.ROOT,
        "frame": FRAME,
        "rules": RULES,
        "sources": [LOTTERY, DICE],
        "secret": SECRET,
        "by": "clerk",
        "now": NOW,
    }
    return steps.commit(**(given | more))


def contribute(one: Drawing, k: str, v: str, at: datetime = NOW + HOUR, **more: Any) -> Drawing:
    given: dict[str, Any] = {"by": "李见证", "evidence": "e" * 64, "link": None, "entered_by": "clerk"}
    return steps.contribute(one, k, v, at, **(given | more), now=NOW + 2 * HOUR)


def contributed() -> Drawing:
    return contribute(contribute(committed(), LOTTERY.id, BALLS), DICE.id, "4 1 6 2")


def drawn() -> Drawing:
    return steps.run(contributed(), FRAME, SECRET, "clerk", NOW + 3 * HOUR)


def void(one: Drawing, by: str = "head", reason: str = "见证人未到场") -> Drawing:
    return steps.void(one, SECRET, reason, by, NOW + 4 * HOUR)


def dispatched() -> Drawing:
    return steps.dispatch(steps.lock(drawn(), "clerk", NOW + 4 * HOUR))


def test_a_draw_goes_from_commitment_to_dispatch() -> None:
    states = [committed(), contribute(committed(), LOTTERY.id, BALLS), contributed(), drawn(), dispatched()]
    assert [one.state for one in states] == ["committed", "committed", "contributed", "drawn", "dispatched"]
    assert drawn().quotas == {"HIGH_C": 2, "LOW_B": 3}


def short(n: int) -> Source:
    return Source("six", "public_digits", bits_of("public_digits", n), "六位数字", DUE)


REFUSED: dict[str, tuple[Callable[[], object], str, str]] = {
    "six digits are not enough": (lambda: committed(sources=[short(6)]), "draw_sources_weak", "15-2"),
    "a source claims more than it has": (
        lambda: committed(sources=[msgspec.structs.replace(LOTTERY, bits=62)]),
        "draw_source_wrong",
        "15-2",
    ),
    "typed digits count nothing": (
        lambda: committed(sources=[msgspec.structs.replace(short(20), kind="digits")]),
        "draw_source_wrong",
        "15-2",
    ),
    "two sources of one name": (lambda: committed(sources=[LOTTERY, LOTTERY]), "draw_source_wrong", "15-2"),
    "a source that lies behind": (
        lambda: committed(sources=[msgspec.structs.replace(LOTTERY, due=stamp(NOW))]),
        "draw_source_past",
        "15-2",
    ),
    "a duplicate in the list": (lambda: committed(frame=FRAME + FRAME), "draw_frame_wrong", "16"),
    "nobody on the list": (lambda: committed(frame=""), "draw_nobody", "16"),
    "a class without a ratio": (
        lambda: committed(rules=RULES | {"ratio_bp": {"LOW_B": 500}}),
        "draw_class_missing",
        "16",
    ),
    "more than there are": (
        lambda: committed(rules=RULES | {"mode": "total", "n": 81, "weights": {"LOW_B": 1, "HIGH_C": 1}}),
        "draw_number_wrong",
        "15-2",
    ),
    "less than five of a hundred": (lambda: committed(rules=RULES | {"base": 101}), "draw_below_floor", "6"),
    "a second draw": (lambda: committed(before=drawn()), "draw_stands", "15-2"),
    "a redraw before the outcome is void": (lambda: committed(before=contributed()), "draw_stands", "15-2"),
    "a value from before the commitment": (
        lambda: contribute(committed(), LOTTERY.id, BALLS, NOW - timedelta(milliseconds=1)),
        "draw_early",
        "15-2",
    ),
    "a value after its deadline": (
        lambda: contribute(
            msgspec.structs.replace(committed(), sources=(msgspec.structs.replace(LOTTERY, due=stamp(NOW)), DICE)),
            LOTTERY.id,
            BALLS,
        ),
        "draw_late",
        "15-2",
    ),
    "a value from the future": (
        lambda: contribute(committed(), LOTTERY.id, BALLS, NOW + 3 * HOUR),
        "draw_future",
        "15-2",
    ),
    "a value twice": (
        lambda: contribute(contribute(committed(), LOTTERY.id, BALLS), LOTTERY.id, BALLS),
        "draw_given",
        "15-2",
    ),
    "out of order": (lambda: contribute(committed(), DICE.id, "1 2 3 4"), "draw_order", "15-2"),
    "a source nobody named": (lambda: contribute(committed(), "weather", "1"), "draw_order", "15-2"),
    "a value that the source can't bring": (
        lambda: contribute(committed(), LOTTERY.id, BALLS.replace("80", "81")),
        "draw_value_wrong",
        "15-2",
    ),
    "no evidence": (lambda: contribute(committed(), LOTTERY.id, BALLS, evidence=None), "draw_evidence_missing", "15-2"),
    "no witness": (lambda: contribute(committed(), LOTTERY.id, BALLS, by=" "), "draw_witness_missing", "15-2"),
    "another value once all are there": (lambda: contribute(contributed(), "witness/2", "1"), "draw_state", "15-2"),
    "a value after the outcome": (lambda: contribute(drawn(), LOTTERY.id, BALLS), "draw_drawn", "15-2"),
    "drawing before all are there": (
        lambda: steps.run(committed(), FRAME, SECRET, "clerk", NOW),
        "draw_waits",
        "15-2",
    ),
    "drawing twice": (lambda: steps.run(drawn(), FRAME, SECRET, "clerk", NOW), "draw_drawn", "15-2"),
    "another list": (
        lambda: steps.run(contributed(), FRAME.replace("000000000000007\t", "000000000000107\t"), SECRET, "c", NOW),
        "draw_altered",
        "15-2",
    ),
    "other rules": (
        lambda: steps.run(
            msgspec.structs.replace(contributed(), rules=contributed().rules.replace("1000", "2000")),
            FRAME,
            SECRET,
            "c",
            NOW,
        ),
        "draw_altered",
        "15-2",
    ),
    "another secret": (lambda: steps.run(contributed(), FRAME, "f" * 64, "c", NOW), "draw_altered", "15-2"),
    "excusing who lives": (
        lambda: steps.excuse(drawn(), drawn().winners["LOW_B"][0], "不想查", is_alive=True),
        "draw_alive",
        "16",
    ),
    "excusing who wasn't drawn": (
        lambda: steps.excuse(drawn(), drawn().reserve["LOW_B"][0], "已注销", is_alive=False),
        "draw_not_on_list",
        "16",
    ),
    "excusing after the lock": (
        lambda: steps.excuse(dispatched(), drawn().winners["LOW_B"][0], "已注销", is_alive=False),
        "draw_locked",
        "17",
    ),
    "excusing without a reason": (
        lambda: steps.excuse(drawn(), drawn().winners["LOW_B"][0], " ", is_alive=False),
        "reason_missing",
        "",
    ),
    "locking what isn't drawn": (lambda: steps.lock(contributed(), "clerk", NOW), "draw_state", "15-2"),
    "voiding by who committed": (lambda: void(drawn(), by="clerk"), "draw_own_void", "15-2"),
    "voiding without a reason": (lambda: void(drawn(), reason=" "), "reason_missing", ""),
    "voiding twice": (lambda: void(void(drawn())), "draw_void", "15-2"),
    "voiding after the lock": (lambda: void(dispatched()), "draw_locked", "17"),
    "drawing what is void": (
        lambda: steps.run(void(contributed()), FRAME, SECRET, "clerk", NOW),
        "draw_void",
        "15-2",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_nobody_can_do(what: str) -> None:
    act, code, article = REFUSED[what]
    with pytest.raises(Problem) as refused:
        act()
    assert (refused.value.code, refused.value.article or "") == (code, article)


def test_the_next_attempt_comes_after_a_void_only_and_keeps_the_number() -> None:
    again = committed(before=void(drawn()), prev=committed().commit)
    assert (again.no, again.attempt, again.prev) == ("2026-17", 2, committed().commit)


def test_who_turns_out_dead_makes_room_for_the_next_ticket_of_the_class() -> None:
    one = drawn()
    first, second = one.winners["LOW_B"][:2]
    once = steps.excuse(one, first, "已注销", is_alive=False)
    twice = steps.excuse(once, one.reserve["LOW_B"][0], "也已注销", is_alive=False)
    assert [gone.next for gone in twice.excused] == one.reserve["LOW_B"][:2]
    assert twice.winners == one.winners
    assert second in twice.effective and first not in twice.effective
    assert one.reserve["LOW_B"][1] in twice.effective and one.reserve["LOW_B"][0] not in twice.effective


def test_when_the_reserve_is_used_up_nobody_moves_up() -> None:
    one = drawn()
    for _ in range(11):
        last = next(code for code in one.effective if code in one.winners["LOW_B"] + one.reserve["LOW_B"])
        one = steps.excuse(one, last, "已注销", is_alive=False)
    assert one.excused[-1].next is None
    assert len(one.effective) == 4


# --- sources ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "n", "bits"),
    [
        ("lottery", 0, 61),
        ("beacon", 0, 256),
        ("dice", 1, 2),
        ("dice", 24, 61),
        ("public_digits", 6, 19),
        ("digits", 0, 0),
    ],
)
def test_the_bits_of_a_source_are_those_of_the_draw_page(kind: str, n: int, bits: int) -> None:
    assert bits_of(kind, n) == bits


@given(st.sampled_from(["dice", "public_digits"]), st.integers(1, 100))
def test_from_the_bits_one_sees_how_many_faces_there_are(kind: str, n: int) -> None:
    assert parts_of(Source("s", kind, bits_of(kind, n), "x", DUE)) == n


def test_twenty_three_dice_are_too_few_and_twenty_four_enough() -> None:
    for n, is_enough in ((23, False), (24, True)):
        dice = [Source("d", "dice", bits_of("dice", n), "掷骰子", DUE)]
        if is_enough:
            must_be_enough(dice, NOW)
        else:
            with pytest.raises(Problem) as refused:
                must_be_enough(dice, NOW)
            assert refused.value.code == "draw_sources_weak"


def test_a_value_is_kept_in_its_plain_form() -> None:
    assert check_contribution(DICE, "　４ 1\t6  ２ ") == "4 1 6 2"


@pytest.mark.parametrize(
    ("source", "value"),
    [
        (DICE, "4 1 6"),
        (DICE, "4 1 6 7"),
        (DICE, "4162"),
        (LOTTERY, " ".join(reversed(BALLS.split()))),
        (LOTTERY, BALLS[:-3]),
        (LOTTERY, BALLS.replace("01", "00")),
        (LOTTERY, BALLS.replace("07", "01")),
        (short(6), "12345"),
        (short(6), "12345x"),
        (Source("b", "beacon", 256, "drand", DUE), "0" * 63),
    ],
)
def test_a_source_brings_only_what_it_can(source: Source, value: str) -> None:
    assert not is_value(source, value)


# --- the file ---------------------------------------------------------------------------------------------------------


def body_of(one: Drawing) -> bytes:
    return file_of(one, FRAME, "危险化学品监管科", "2026-007")


def test_a_draw_that_hides_its_secret_has_no_file() -> None:
    with pytest.raises(ValueError, match="hides its secret"):
        body_of(contributed())


def test_a_file_is_canonical_with_one_line_end_and_a_hash_of_itself() -> None:
    body = body_of(drawn())
    document = json.loads(body)
    assert rfc8785.dumps(document) + b"\n" == body
    record = document.pop("record")
    assert lot.digest(rfc8785.dumps(document).decode()) == record
    assert json.loads(with_officers(body, None)) == json.loads(body)


def test_the_servers_own_check_finds_nothing_wrong_with_what_was_drawn_excused_or_void() -> None:
    excused = steps.excuse(drawn(), drawn().winners["HIGH_C"][0], "已注销", is_alive=False)
    for one in (drawn(), excused, void(committed()), void(contributed()), void(excused)):
        assert check(body_of(one)) == []


def test_attempts_form_one_chain_and_a_void_cannot_be_cut_out() -> None:
    first = void(drawn())
    second = void(committed(before=first, prev=first.commit))
    third = committed(before=second, prev=second.commit)
    files = [body_of(first), body_of(second), body_of(void(third))]
    assert check(*files) == []
    assert {one.part for one in check(files[0], files[2])} == {"void"}
    assert {one.part for one in check(files[1], files[2])} == {"void"}


def test_draws_form_one_chain_without_a_gap_or_a_fork() -> None:
    first = void(committed())
    second = void(committed(no="2026-18", prev=first.commit))
    third = void(committed(no="2026-19", prev=second.commit))
    fork = void(committed(no="2026-20", prev=first.commit))
    assert check(*map(body_of, (first, second, third))) == []
    assert check(body_of(third)) == []  # of one file nobody can say
    for files in ((first, third), (second, third), (first, second, fork)):
        assert {one.part for one in check(*map(body_of, files))} == {"chain"}, files


ALTERED: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "a row dropped": ("frame", lambda it: it.update(frame=it["frame"].partition("\n")[2])),
    "a ratio edited": ("rules", lambda it: it.update(rules=it["rules"].replace("1000", "2000"))),
    "another secret": ("commit", lambda it: it.update(secret="f" * 64)),
    "another commitment": ("commit", lambda it: it.update(commit="f" * 64)),
    "contributions swapped": ("contributions", lambda it: it["contributions"].reverse()),
    "a contribution edited": ("seed", lambda it: it["contributions"][1].update(v="4 1 6 3")),
    "a contribution from before": ("contributions", lambda it: it["contributions"][0].update(at=stamp(NOW - HOUR))),
    "fewer bits": ("sources", lambda it: it["sources"].pop()),
    "another seed": ("seed", lambda it: it.update(seed="f" * 64)),
    "a place more": ("quotas", lambda it: it["quotas"].update(LOW_B=4)),
    "a friend spared": ("winners", lambda it: it["winners"]["LOW_B"].pop()),
    "another reserve": ("reserve", lambda it: it["reserve"]["LOW_B"].reverse()),
    "somebody excused for another": (
        "excused",
        lambda it: it["excused"].append({"code": it["winners"]["LOW_B"][0], "next": None, "reason": "已注销"}),
    ),
    "a void without a reason": ("void", lambda it: it.update(void={"reason": "", "by": "head", "at": stamp(NOW)})),
    "a part more": ("form", lambda it: it.update(note="")),
    "a part less": ("form", lambda it: it.pop("reserve")),
}


@pytest.mark.parametrize("what", ALTERED)
def test_a_consistent_forgery_is_named_by_its_part(what: str) -> None:
    part, forge = ALTERED[what]
    document = json.loads(body_of(drawn()))
    forge(document)
    assert part in {one.part for one in check(sealed(document))}


def test_a_file_in_another_form_or_with_another_record_is_refused() -> None:
    body = body_of(drawn())
    assert {one.part for one in check(body[:-1])} == {"form"}
    assert {one.part for one in check(body.replace(b'"no":', b'"no": '))} == {"form"}
    assert {one.part for one in check(body.replace(b"2026-007", b"2026-008", 1))} >= {"record"}
    assert {one.part for one in check(b"\xff\x00")} == {"form"}
