"""The ten results of article 24: what each needs, what forbids it, and which may stand together."""

from __future__ import annotations

from typing import Any

import pytest

from server.domain.result import (
    ALONE,
    NUMBERS,
    TYPES,
    Item,
    Material,
    Medium,
    Point,
    evidence_of,
    findings_of,
    main_choices,
    may_join,
    needs_subject,
    nothing_inspected,
    result_missing,
    stand_together,
)

STORAGE = Item("storage", "findings", [Point("p1"), Point("p2")])
TESTING = Item("testing", "standard", [Point("q1")])
PASSED = {"p1": {"verdict": "pass"}, "p2": {"verdict": "pass"}, "q1": {"verdict": "pass"}}
FOUND = {"r1": {"text": "未公示许可证"}}
GB: dict[str, Any] = {"basis:testing": "GB 50016"}
ALL_TYPES = {number: type_ for type_, number in NUMBERS.items()}


def photo(place: str = "visit", **more: Any) -> Medium:
    given: dict[str, Any] = {
        "mime": "image/jpeg",
        "taken": "2026-11-24T10:00:00+08:00",
        "has_geo": True,
        "caption": None,
    }
    return Medium(place=place, **(given | more))


def material(
    answers: Any = PASSED, findings: Any = None, media: list[Medium] | None = None, **visit: Any
) -> Material:  # fmt: skip
    content = {"answer": answers, "finding": findings or {}, "media": {}, "visit": visit}
    return Material(content, findings or {}, media or [])


def missing(
    type_: str, item: Item = STORAGE, further: tuple[Any, ...] = (), **more: Any
) -> list[tuple[str, dict[str, str]]]:
    """What a visit of one item lacks for this type as its result."""
    visit: dict[str, Any] = {f"result:{item.id}": [type_, *further], "result": type_}
    return [(it.code, it.detail) for it in result_missing(material(**(visit | more)), [item])]


def codes(type_: str, item: Item = STORAGE, **more: Any) -> set[str]:
    return {code for code, _ in missing(type_, item, **more)}


@pytest.mark.rule("R24.1")
def test_there_are_exactly_ten_types_in_the_order_of_proposal() -> None:
    assert list(NUMBERS.values()) == [6, 3, 10, 5, 8, 2, 4, 7, 1, 9]
    assert len(set(TYPES)) == 10


@pytest.mark.rule("R24.2")
def test_each_type_is_complete_with_just_what_its_row_asks_for() -> None:
    two = [{"at": "a"}, {"at": "b"}]
    assert missing("no_problem_found") == []
    assert missing("info_not_disclosed", findings=FOUND) == []
    assert missing("info_false", findings=FOUND, media=[photo("finding:r1")]) == []
    assert missing("unreachable", answers={}, media=[photo()], attempts=two) == []
    assert missing("ordered_to_correct", findings={"r1": {"measure": "on_spot"}}) == []
    assert missing("ordered_to_correct", findings={"r1": {"measure": "deadline", "due": "2026-12-01"}}) == []
    refused = {"circumstances": ["entry_refused"], "text": ""}
    assert missing("serious_noncooperation", answers={}, media=[photo()], noncooperation=refused) == []
    assert missing("no_relevant_activity", answers={}, media=[photo()], result_note="院内无生产迹象") == []
    assert missing("pending_followup", findings=FOUND, followup={"owner": "li", "due": "2026-12-01"}) == []
    assert missing("qualified", TESTING, **GB) == []
    assert missing("unqualified", TESTING, findings=FOUND, **GB) == []


@pytest.mark.rule("R24.2")
@pytest.mark.parametrize(
    ("number", "item", "lacks"),
    [
        (1, STORAGE, {"unanswered_point"}), (2, STORAGE, {"finding", "unanswered_point"}),
        (3, STORAGE, {"finding", "evidence", "unanswered_point"}), (4, STORAGE, {"evidence", "attempts"}),
        (5, STORAGE, {"finding", "unanswered_point"}), (6, STORAGE, {"circumstance", "evidence"}),
        (7, STORAGE, {"evidence", "result"}), (8, STORAGE, {"finding", "followup", "unanswered_point"}),
        (9, TESTING, {"basis", "unanswered_point"}), (10, TESTING, {"basis", "finding", "unanswered_point"}),
    ],
)  # fmt: skip
def test_each_type_names_all_that_its_row_asks_for(number: int, item: Item, lacks: set[str]) -> None:
    assert codes(ALL_TYPES[number], item, answers={}) == lacks


@pytest.mark.rule("R24.2")
def test_a_finding_that_names_no_information_is_not_enough_for_type_2() -> None:
    assert codes("info_not_disclosed", findings={"r1": {"place": "大厅"}}) == {"finding"}


@pytest.mark.rule("R24.2")
def test_type_3_wants_evidence_on_the_finding_itself() -> None:
    assert codes("info_false", findings=FOUND, media=[photo("visit"), photo("answer:p1")]) == {"evidence"}


@pytest.mark.rule("R24.2")
@pytest.mark.parametrize(
    ("more", "is_enough"),
    [({}, True), ({"taken": None}, False), ({"mime": "video/mp4"}, False), ({"has_geo": False}, False),
     ({"has_geo": False, "caption": "室内无信号"}, True), ({"has_geo": False, "caption": "  "}, False)],
)  # fmt: skip
def test_article_27_wants_a_photo_that_says_when_and_where_or_why_not_where(
    more: dict[str, Any], is_enough: bool
) -> None:
    lacks = codes("unreachable", media=[photo(**more)], attempts=[{"at": "a"}, {"at": "b"}])
    assert ("evidence" not in lacks) is is_enough


@pytest.mark.rule("R24.2")
@pytest.mark.parametrize(
    "attempts", [[], [{"at": "a"}], [{"at": "a"}, {"at": "a"}], [{"at": "a"}, {"way": "visit"}, None, "b"]]
)
def test_two_attempts_at_different_times_are_wanted_before_a_subject_is_unreachable(attempts: list[Any]) -> None:
    assert codes("unreachable", media=[photo()], attempts=attempts) == {"attempts"}


@pytest.mark.rule("R24.2")
def test_an_order_with_a_deadline_wants_the_day() -> None:
    assert missing("ordered_to_correct", findings={"r1": {"measure": "deadline"}}) == [
        ("order_deadline", {"item": "storage", "finding": "r1"})
    ]
    assert codes("ordered_to_correct", findings={"r1": {"measure": "none"}}) == {"finding"}


@pytest.mark.rule("R24.2")
@pytest.mark.parametrize(
    "followup",
    [{}, {"owner": "li"}, {"due": "2026-12-01"}, {"owner": " ", "due": "2026-12-01"}, {"owner": 1, "due": 2}],
)
def test_a_follow_up_has_an_owner_and_a_day(followup: dict[str, Any]) -> None:
    assert codes("pending_followup", findings=FOUND, followup=followup) == {"followup"}


@pytest.mark.rule("R25.1")
@pytest.mark.parametrize(
    ("circumstances", "text", "allowed"),
    [(["entry_refused"], "", True), (["other_obstruction"], "拖延两小时", True), (["other_obstruction"], "", False),
     ([], "x", False), (["rude"], "x", False), ("entry_refused", "x", False), ([3], "x", False)],
)  # fmt: skip
def test_type_6_wants_a_circumstance_of_article_25(circumstances: Any, text: str, allowed: bool) -> None:
    said = {"circumstances": circumstances, "text": text}
    assert ("circumstance" not in codes("serious_noncooperation", media=[photo()], noncooperation=said)) is allowed


@pytest.mark.rule("R25.1")
def test_a_circumstance_sets_no_result() -> None:
    said = {"circumstances": ["entry_refused"], "text": ""}
    assert missing("no_problem_found", noncooperation=said) == []


@pytest.mark.rule("R24.3")
@pytest.mark.parametrize("alone", sorted(ALONE))
def test_types_1_4_7_and_9_stand_alone(alone: str) -> None:
    assert may_join(alone) == []
    for other in TYPES:
        if other != alone:
            assert not stand_together([alone, other])
            assert not stand_together([other, alone])


@pytest.mark.rule("R24.2")
def test_the_other_six_may_stand_together_none_twice() -> None:
    six = [type_ for type_ in TYPES if type_ not in ALONE]
    assert stand_together(six)
    assert all(may_join(type_) == [other for other in six if other != type_] for type_ in six)
    assert not stand_together(["info_false", "info_false"])
    assert not stand_together(["no_such_type"])
    assert not stand_together(["info_false", None])


@pytest.mark.rule("R24.3")
def test_types_that_do_not_stand_together_are_named_by_their_item() -> None:
    assert missing("no_problem_found", further=("info_false",)) == [("result_mismatch", {"item": "storage"})]
    assert ("result_mismatch", {"item": "storage"}) in missing("info_false", further=({}, 3))


@pytest.mark.rule("R24.4")
@pytest.mark.parametrize(
    ("mains", "choices"),
    [
        ([4, 4], {4}), ([4, 1], set()), ([4, 6], set()), ([7, 7], {7}), ([7, 1], {1}), ([1, 9], {1, 9}),
        ([1, 1], {1}),
        ([1, 5], {5}), ([9, 10], {10}), ([7, 5], {5}), ([6, 5], {6, 5}), ([2, 3], {2, 3}), ([8], {8}),
        ([7, 9, 1], {1, 9}),
    ],
)  # fmt: skip
def test_the_main_result_of_a_visit_is_the_main_type_of_one_of_its_items(mains: list[int], choices: set[int]) -> None:
    assert {NUMBERS[it] for it in main_choices([ALL_TYPES[main] for main in mains])} == choices


@pytest.mark.rule("R24.4")
def test_a_further_type_of_an_item_is_not_the_main_result_of_the_visit() -> None:
    visit: dict[str, Any] = {"result:storage": ["info_not_disclosed", "info_false"], "result": "info_false"}
    found = result_missing(material(findings=FOUND, media=[photo("finding:r1")], **visit), [STORAGE])
    assert [(it.code, it.detail) for it in found] == [("result_mismatch", {})]


@pytest.mark.rule("R24.5")
@pytest.mark.parametrize(("number", "item"), [(1, TESTING), (9, STORAGE), (10, STORAGE)])
def test_an_item_says_by_what_it_is_judged(number: int, item: Item) -> None:
    assert ("result_mismatch", {"item": item.id}) in missing(ALL_TYPES[number], item)


@pytest.mark.rule("R24.2")
@pytest.mark.parametrize(
    ("type_", "item", "point"), [("no_problem_found", STORAGE, "p1"), ("qualified", TESTING, "q1")]
)
def test_a_failed_point_or_a_live_finding_forbids_1_and_9(type_: str, item: Item, point: str) -> None:
    failed = missing(type_, item, answers=PASSED | {point: {"verdict": "fail"}}, **GB)
    assert failed == [("result_mismatch", {"item": item.id, "point": point})]
    found = missing(type_, item, findings={"r1": {}}, **GB)
    assert found == [("result_mismatch", {"item": item.id, "finding": "r1"})]


@pytest.mark.rule("R24.7")
def test_every_point_is_answered_by_one_of_three_words() -> None:
    for verdict in (None, "", "maybe"):
        lacks = missing("info_not_disclosed", findings=FOUND, answers=PASSED | {"p2": {"verdict": verdict}})
        assert lacks == [("unanswered_point", {"item": "storage", "point": "p2"})]


@pytest.mark.rule("R24.2")
def test_not_applicable_wants_a_why_where_nothing_was_found() -> None:
    unsaid = PASSED | {"p2": {"verdict": "na"}, "q1": {"verdict": "na"}}
    assert missing("no_problem_found", answers=unsaid) == [("unanswered_point", {"item": "storage", "point": "p2"})]
    assert missing("no_problem_found", answers=unsaid | {"p2": {"verdict": "na", "note": "无仓库"}}) == []
    assert missing("qualified", TESTING, answers=unsaid, **GB) == []


@pytest.mark.rule("R27.1")
@pytest.mark.rule("R24.7")
def test_where_nothing_could_be_inspected_the_checklist_stays_open() -> None:
    for type_ in ("unreachable", "no_relevant_activity", "serious_noncooperation"):
        assert "unanswered_point" not in codes(type_, answers={})
    assert "unanswered_point" not in {
        code for code, _ in missing("info_false", further=("serious_noncooperation",), answers={})
    }
    assert "unanswered_point" in codes("info_false", answers={})


@pytest.mark.rule("R27.1")
def test_a_record_says_that_nothing_was_inspected_where_nobody_was_reached_or_nothing_answered() -> None:
    def says(main: str | None, **answers: dict[str, str]) -> bool:
        return nothing_inspected({"visit": {} if main is None else {"result": main}, "answer": answers})

    assert says("unreachable") and says("serious_noncooperation")
    assert says("serious_noncooperation", p1={"note": "门卫不答"})
    assert not says("serious_noncooperation", p1={"verdict": "pass"})
    assert not says("no_relevant_activity") and not says("no_problem_found") and not says(None)


@pytest.mark.rule("R24.7")
def test_a_finding_belongs_to_the_item_of_its_point_and_without_one_to_all() -> None:
    findings = {
        "r1": {"point": "p1"},
        "r2": {"point": "q1"},
        "r3": {},
        "r4": {"point": ""},
        "r5": {"point": "elsewhere"},
    }
    assert list(findings_of(material(findings=findings), STORAGE)) == ["r1", "r3", "r4"]
    assert list(findings_of(material(findings=findings), TESTING)) == ["r2", "r3", "r4"]


@pytest.mark.rule("R24.7")
def test_a_finding_whose_point_is_in_no_item_belongs_to_every_item() -> None:
    strayed = {"r1": {"text": "x", "point": "of another checklist"}}
    visit: dict[str, Any] = {"result:storage": ["no_problem_found"], "result:testing": ["qualified"]}
    named = [
        (it.code, it.detail)
        for it in result_missing(material(findings=strayed, result="qualified", **visit, **GB), [STORAGE, TESTING])
    ]
    assert named == [
        ("result_mismatch", {"item": "storage", "finding": "r1"}),
        ("result_mismatch", {"item": "testing", "finding": "r1"}),
    ]


@pytest.mark.rule("R24.7")
def test_evidence_stands_for_the_visit_a_point_or_a_finding_of_the_item() -> None:
    media = [photo(place) for place in ("visit", "answer:p1", "answer:q1", "finding:r1", "finding:r2")]
    seen = material(findings={"r1": {"point": "p2"}, "r2": {"point": "q1"}}, media=media)
    assert [it.place for it in evidence_of(seen, STORAGE)] == ["visit", "answer:p1", "finding:r1"]


@pytest.mark.rule("R22.2")
def test_nothing_is_preset_to_a_good_result() -> None:
    found = result_missing(material(answers={}), [STORAGE, TESTING])
    assert [(it.code, it.detail) for it in found] == [
        ("result", {"item": "storage"}),
        ("unanswered_point", {"item": "storage", "point": "p1"}),
        ("unanswered_point", {"item": "storage", "point": "p2"}),
        ("result", {"item": "testing"}),
        ("unanswered_point", {"item": "testing", "point": "q1"}),
        ("result", {}),
    ]


@pytest.mark.rule("R22.1")
def test_each_item_of_a_visit_is_judged_by_its_own_rules() -> None:
    visit: dict[str, Any] = {
        "result:storage": ["info_not_disclosed"],
        "result:testing": ["qualified"],
        "result": "info_not_disclosed",
    }
    findings = {"r1": {"text": "未公示", "point": "p1"}}
    found = result_missing(material(findings=findings, **visit, **GB), [STORAGE, TESTING])
    assert found == []


@pytest.mark.rule("R23.2")
@pytest.mark.parametrize(
    ("result", "circumstances", "needed"),
    [("unreachable", [], False), ("serious_noncooperation", ["entry_refused"], False),
     ("serious_noncooperation", ["material_refused"], True), ("no_relevant_activity", [], True), (None, [], True)],
)  # fmt: skip
def test_when_the_subject_has_to_sign(result: str | None, circumstances: list[str], needed: bool) -> None:
    visit = {"result": result, "noncooperation": {"circumstances": circumstances}}
    assert needs_subject({"visit": visit}) is needed
