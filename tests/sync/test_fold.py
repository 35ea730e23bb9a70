"""What a set of operations adds up to: the published cases to the byte, and the six sentences of the merge."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from server.sync.fold import Folded, Frame, Subject, content_of, digest, digest_of, fold, groups_of, short_code
from server.sync.ops import canonical, read
from tests.sync import scene
from tests.sync.scene import FRAME, LI, WANG, ZHAO, op

HERE = Path(__file__).parent.parent / "cases"
CASES = [case for part in (1, 2) for case in json.loads((HERE / f"fold-{part}.json").read_bytes())]
SUMMARY = ["visit", "summary"]


def outcome(case: dict[str, Any], seed: int) -> dict[str, Any]:
    ops = scene.ops_of(case["ops"])
    random.Random(seed).shuffle(ops)
    folded = fold(ops, {it.id for it in ops} - set(case["quarantined"]))
    frame = Frame(case["visit"], case["tpl"], Subject(**case["subject"]))
    content = content_of(folded, frame, case["members"], case["leader"], case["round"])
    return {
        "content": content["content"],
        "withdrawn": content["withdrawn"],
        "media": content["media"],
        "conflicts": [{"path": list(it.path), "heads": [head.id for head in it.heads]} for it in folded.conflicts],
        "digest": digest(folded, content),
    }


def test_there_are_as_many_cases_as_were_published() -> None:
    assert len(CASES) == 71
    assert sum(len(case["ops"]) for case in CASES) == 997


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.get("name", case["visit"][-8:]))
def test_every_case_gives_the_published_content_and_digest_in_any_order(case: dict[str, Any]) -> None:
    for seed in range(3):
        assert canonical(outcome(case, seed)) == canonical(case["expect"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.get("name", case["visit"][-8:]))
def test_every_op_has_the_published_hash(case: dict[str, Any]) -> None:
    assert {it.id: it.hash for it in (read(canonical(given)) for given in case["ops"])} == case["hashes"]


def conflicts(folded: Folded) -> list[tuple[str, ...]]:
    return [it.path for it in folded.conflicts]


@pytest.mark.rule("I3")
def test_two_values_made_unseen_of_each_other_both_stay_and_are_a_conflict() -> None:
    folded = scene.fold(op(LI, 1, "set", SUMMARY, "甲"), op(WANG, 1, "set", SUMMARY, "乙"))
    assert conflicts(folded) == [("visit", "summary")]
    assert groups_of(folded)["visit"] == {}


@pytest.mark.rule("I3")
def test_only_an_edit_that_names_all_heads_settles_a_conflict() -> None:
    two = [op(LI, 1, "set", SUMMARY, "甲"), op(WANG, 1, "set", SUMMARY, "乙")]
    own = op(WANG, 2, "set", SUMMARY, "丙", base=[f"{WANG}:1"], ctx={LI: 1})
    both = op(LI, 2, "set", SUMMARY, "丁", base=[f"{LI}:1", f"{WANG}:2"], ctx={WANG: 2})
    assert [it.val for it in scene.fold(*two, own).conflicts[0].values] == ["甲", "丙"]
    assert groups_of(scene.fold(*two, own, both))["visit"] == {"summary": "丁"}


def test_the_same_value_from_two_people_is_one_value_of_both() -> None:
    folded = scene.fold(op(LI, 1, "set", SUMMARY, "同"), op(WANG, 1, "set", SUMMARY, "同"))
    assert folded.value("visit", "summary") == "同"
    assert [head.author for head in folded.registers["visit", "summary"].values[0].heads] == ["li", "wang"]


def test_a_cleared_field_is_left_out() -> None:
    folded = scene.fold(op(LI, 1, "set", SUMMARY, "甲"), op(LI, 2, "set", SUMMARY, None, base=[f"{LI}:1"]))
    assert groups_of(folded) == {"answer": {}, "finding": {}, "media": {}, "visit": {}}


def test_to_clear_a_field_is_a_value_like_another() -> None:
    folded = scene.fold(op(LI, 1, "set", SUMMARY, "甲"), op(WANG, 1, "set", SUMMARY, None))
    assert conflicts(folded) == [("visit", "summary")]


@pytest.mark.rule("I4")
def test_a_row_survives_the_deletion_by_someone_who_had_not_received_the_edit() -> None:
    row = f"{LI}:1"
    history = [
        op(LI, 1, "add", ["finding"], {"text": "通道堵塞"}),
        op(LI, 2, "set", ["finding", row, "place"], "库房"),
        op(WANG, 1, "del", ["finding", row], None, ctx={LI: 1}),
    ]
    assert groups_of(scene.fold(*history))["finding"] == {row: {"text": "通道堵塞", "place": "库房"}}
    assert scene.fold(history[0], history[2]).withdrawn == [row]


@pytest.mark.rule("I4")
def test_a_conflict_inside_a_struck_row_counts_for_nothing() -> None:
    row = f"{LI}:1"
    history = [
        op(LI, 1, "add", ["finding"], {"text": "一"}),
        op(WANG, 1, "set", ["finding", row, "text"], "二"),
        op(ZHAO, 1, "del", ["finding", row], {"reason": "重复"}, ctx={LI: 1, WANG: 1}),
    ]
    assert conflicts(scene.fold(*history)) == []
    assert conflicts(scene.fold(*history[:2])) == [("finding", row, "text")]


def attach(rid: str, seq: int, sha256: str, **val: Any) -> Any:
    given = {"size": 9, "mime": "image/jpeg", "for": "visit", "w": 1, "h": 1, "taken": None, "source": "camera"}
    return op(rid, seq, "attach", ["media", sha256], given | val)


def test_the_attach_with_the_smallest_id_speaks_for_a_medium_also_when_it_was_retracted() -> None:
    sha256 = "5" * 64
    retracted = op(ZHAO, 1, "retract", ["media", sha256], {"reason": "误拍"}, ctx={LI: 1})
    folded = scene.fold(attach(LI, 1, sha256), attach(WANG, 1, sha256, **{"for": "answer:p1"}), retracted)
    assert groups_of(folded)["media"] == {sha256: {"for": "visit"}}
    assert scene.fold(attach(LI, 1, sha256), retracted).withdrawn == [sha256]


def test_ids_are_compared_by_their_bytes_so_that_ten_comes_before_nine() -> None:
    sha256 = "5" * 64
    folded = scene.fold(attach(LI, 9, sha256), attach(LI, 10, sha256, **{"for": "answer:p1"}))
    assert groups_of(folded)["media"] == {sha256: {"for": "answer:p1"}}


def test_a_caption_of_a_medium_that_nobody_attached_leaves_nothing() -> None:
    assert groups_of(scene.fold(op(LI, 1, "set", ["media", "5" * 64, "caption"], "门口")))["media"] == {}


@pytest.mark.rule("I11")
def test_the_order_in_which_two_members_sign_does_not_move_the_digest() -> None:
    content = content_of(scene.fold(op(LI, 1, "set", SUMMARY, "甲")), FRAME, ["wang", "li"], "li", 1)
    signed = op(LI, 2, "sign", ["sign", "li"], {"digest": digest_of(content)})
    after = content_of(scene.fold(op(LI, 1, "set", SUMMARY, "甲"), signed), FRAME, ["li", "wang"], "li", 1)
    assert digest_of(after) == digest_of(content)


def test_the_short_code_is_made_to_be_read_aloud() -> None:
    assert short_code("3f7a91c2" + "0" * 56) == "3F7A-91C2"
    assert short_code(None) is None
