"""What a visit looks like: crew and phase, which signatures hold, what is missing, and what changed since one."""

from __future__ import annotations

import random
from typing import Any

import pytest

from server.domain.result import Item, Point
from server.sync.changes import changes_between
from server.sync.missing import CODES
from server.sync.ops import Op
from server.sync.standing import shown_at
from server.sync.view import accepted, view_of
from tests.histories import history
from tests.sync.scene import FRAME, LI, WANG, ZHAO, Journal, sha256_of

SUMMARY = ["visit", "summary"]
PHOTO = {"size": 9, "mime": "image/jpeg", "for": "visit", "w": 1, "h": 1, "taken": None, "source": "camera"}


def declared(leader: str = "li", members: tuple[str, ...] = ("wang",)) -> Journal:
    """A crew of whom each has said that he has no interest; one item, its one point passed, nothing found."""
    visit = Journal(leader, members)
    visit.items = [Item("i1", "findings", [Point("p1")])]
    for rid, officer in ((LI, "li"), (WANG, "wang"), (ZHAO, "zhao")):
        if officer in (leader, *members):
            visit.put(rid, "set", ["visit", f"no_interest:{officer}"], {"interest": False, "reason": ""})
    visit.put(LI, "set", ["answer", "p1", "verdict"], "pass")
    visit.put(LI, "set", ["visit", "result:i1"], ["no_problem_found"])
    visit.put(LI, "set", ["visit", "result"], "no_problem_found")
    return visit


def signed() -> Journal:
    visit = declared()
    for rid, signer in ((LI, "li"), (WANG, "wang"), (LI, "subject")):
        visit.sign(rid, signer)
    return visit


def propose(visit: Journal, rid: str = LI, **more: Any) -> Op:
    val: dict[str, Any] = {
        "digest": visit.look().shown.digest,
        "cut": visit.seen(),
        "result": "no_problem_found",
        "signatures": [],
    }
    return visit.put(rid, "propose_final", ["final"], val | more)


def finalize(visit: Journal) -> None:
    proposal = propose(visit)
    visit.server(
        "accept_final", ["final"], {"digest": proposal.val["digest"], "round": visit.view()["round"], "signatures": []}
    )


# --- crew and phase ---------------------------------------------------------------------------------------------------


def test_a_visit_is_dispatched_until_a_phone_does_something_that_has_effect() -> None:
    visit = Journal()
    assert visit.view()["phase"] == "dispatched"
    visit.put(LI, "set", SUMMARY, "x", verdict="quarantined", reason="template_mismatch")
    assert visit.view()["phase"] == "dispatched"
    visit.put(LI, "set", SUMMARY, "x")
    assert visit.view()["phase"] == "started"


@pytest.mark.rule("R20.3")
def test_a_visit_is_interrupted_when_fewer_than_two_without_an_interest_are_left() -> None:
    visit = declared()
    visit.put(WANG, "set", ["visit", "no_interest:wang"], {"interest": True, "reason": "亲属"}, base=[f"{WANG}:1"])
    view = visit.view()
    assert view["phase"] == "interrupted"
    assert {"code": "crew", "detail": {"officer": "wang"}} in view["missing"]
    assert {"code": "crew", "detail": {}} in view["missing"]
    visit.server("assign", ["crew", "wang"], {"role": "removed", "reason": "recusal"})
    visit.server("assign", ["crew", "zhao"], {"role": "member", "reason": "recusal"})
    assert visit.view()["phase"] == "started"
    assert {"code": "interest_undeclared", "detail": {"officer": "zhao"}} in visit.view()["missing"]
    assert "crew" not in visit.missing()


@pytest.mark.rule("R20.3")
def test_what_someone_made_before_he_stepped_back_stays_and_is_marked() -> None:
    visit = declared()
    made = visit.put(WANG, "set", SUMMARY, "他写的")
    visit.put(WANG, "set", ["visit", "no_interest:wang"], {"interest": True, "reason": "亲属"}, base=[f"{WANG}:1"])
    assert visit.view()["flags"] == [{"op": made.id, "flag": "by_recused"}]
    assert visit.view()["content"]["visit"]["summary"] == "他写的"


@pytest.mark.rule("R18.2")
def test_a_new_leader_is_the_latest_who_was_named_one() -> None:
    visit = declared()
    visit.server("assign", ["crew", "li"], {"role": "member", "reason": "post_change"})
    assert visit.view()["phase"] == "interrupted"
    visit.server("assign", ["crew", "wang"], {"role": "leader", "reason": "post_change"})
    assert (visit.view()["leader"], visit.view()["members"]) == ("wang", ["li", "wang"])
    visit.server("assign", ["crew", "li"], {"role": "leader", "reason": "post_change"})
    assert visit.view()["leader"] == "li"


def test_a_later_epoch_of_the_server_decides_over_an_earlier_one() -> None:
    visit = Journal()
    visit.put("srv2", "assign", ["crew", "wang"], {"role": "removed", "reason": ""})
    visit.put("srv", "assign", ["crew", "wang"], {"role": "leader", "reason": ""})
    assert visit.view()["members"] == ["li"]


def test_the_later_phase_wins() -> None:
    visit = signed()
    proposal = propose(visit)
    assert visit.view()["phase"] == "final_pending"
    visit.server("accept_final", ["final"], {"digest": proposal.val["digest"], "round": 1, "signatures": []})
    assert visit.view()["phase"] == "final"
    visit.server("reopen", ["round"], {"round": 2, "reason": "退回", "by": "head"})
    assert (visit.view()["phase"], visit.view()["round"]) == ("started", 2)
    visit.server("void", ["visit"], {"reason": "误派", "by": "head"})
    assert (visit.view()["phase"], visit.view()["missing"]) == ("void", [])


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_what_was_set_aside_takes_effect_when_it_is_admitted_and_loses_it_when_it_is_ruled_out() -> None:
    visit = Journal()
    late = visit.put(WANG, "set", SUMMARY, "晚到", verdict="late")
    assert (visit.view()["late"], visit.view()["content"]["visit"]) == ([late.id], {})
    visit.server("admit", ["op", late.id], {"reason": "属实", "by": "li"})
    assert (visit.view()["late"], visit.view()["content"]["visit"]) == ([], {"summary": "晚到"})
    visit.server("rule", ["op", late.id], {"verdict": "quarantined", "reason": "reassigned"})
    assert visit.view()["quarantined"] == [{"op": late.id, "reason": "reassigned"}]
    assert visit.view()["content"]["visit"] == {}


def test_a_ruling_that_a_phone_made_decides_nothing() -> None:
    visit = Journal()
    made = visit.put(LI, "set", SUMMARY, "x")
    for kind, val in (("rule", {"verdict": "late", "reason": None}), ("assign", {"role": "removed", "reason": ""})):
        visit.put(WANG, kind, ["op", made.id], val, verdict="quarantined", reason="server_kind")
    assert visit.view()["content"]["visit"] == {"summary": "x"}
    assert visit.view()["members"] == ["li", "wang"]


def test_a_flag_of_intake_shows_while_the_op_has_effect() -> None:
    visit = Journal()
    ahead = visit.put(LI, "set", SUMMARY, "x", reason="clock_ahead")
    assert visit.view()["flags"] == [{"op": ahead.id, "flag": "clock_ahead"}]
    visit.server("rule", ["op", ahead.id], {"verdict": "late", "reason": None})
    assert visit.view()["flags"] == []


def test_a_conflict_names_who_said_what_from_which_phone_and_when() -> None:
    visit = declared()
    visit.put(LI, "set", SUMMARY, "甲", ctx={})
    visit.put(WANG, "set", SUMMARY, "乙", ctx={})
    (conflict,) = visit.view()["conflicts"]
    assert conflict["path"] == SUMMARY
    assert [(it["author"], it["rid"], it["val"]) for it in conflict["heads"]] == [
        ("li", LI, "甲"),
        ("wang", WANG, "乙"),
    ]
    assert (visit.view()["digest"], visit.view()["short"]) == (None, None)
    assert {"code": "conflict", "detail": {"path": SUMMARY}} in visit.view()["missing"]


# --- signatures -------------------------------------------------------------------------------------------------------


@pytest.mark.rule("I11")
def test_members_who_sign_one_after_the_other_sign_the_same_thing() -> None:
    visit = signed()
    assert visit.states() == {"li": "current", "wang": "current", "subject": "current"}
    assert len({it["digest"] for it in visit.view()["signatures"]} | {visit.view()["digest"]}) == 1


@pytest.mark.rule("R23.3")
@pytest.mark.rule("I11")
def test_a_later_edit_makes_a_signature_stale_and_says_exactly_what_changed() -> None:
    visit = signed()
    visit.put(WANG, "set", SUMMARY, "补记")
    row = visit.put(WANG, "add", ["finding"], {"text": "通道堵塞"}).id
    (li, *_) = visit.view()["signatures"]
    assert (li["state"], li["changed"]) == ("stale", [["finding", row], SUMMARY])
    visit.put(WANG, "set", SUMMARY, None, base=[f"{WANG}:3"])
    visit.put(WANG, "del", ["finding", row])
    assert visit.view()["signatures"][0]["changed"] == [["finding", row]]


@pytest.mark.rule("I11")
def test_a_signature_is_current_again_when_the_content_returns() -> None:
    visit = signed()
    edit = visit.put(WANG, "set", SUMMARY, "补记")
    assert visit.states()["li"] == "stale"
    visit.put(WANG, "set", SUMMARY, None, base=[edit.id])
    assert visit.states()["li"] == "current"


@pytest.mark.rule("I11")
def test_an_op_that_changes_nothing_visible_makes_no_signature_stale() -> None:
    visit = signed()
    visit.put(WANG, "set", ["answer", "p1", "verdict"], "pass", ctx={})
    visit.put(WANG, "set", SUMMARY, "无效", verdict="quarantined", reason="reassigned")
    assert set(visit.states().values()) == {"current"}


def test_a_conflict_about_a_field_that_was_empty_is_a_change_too() -> None:
    visit = signed()
    visit.put(LI, "set", SUMMARY, "甲", ctx={})
    visit.put(WANG, "set", SUMMARY, "乙", ctx={})
    assert visit.view()["signatures"][0]["changed"] == [SUMMARY]


def test_a_new_round_makes_every_signature_stale() -> None:
    visit = signed()
    finalize(visit)
    visit.server("reopen", ["round"], {"round": 2, "reason": "退回", "by": "head"})
    assert visit.view()["signatures"][0]["changed"] == [["round"]]


def test_a_signature_whose_cut_names_what_is_not_here_waits_for_it() -> None:
    visit = declared()
    visit.sign(LI, cut=visit.seen() | {WANG: 7})
    assert visit.states()["li"] == "awaiting_ops"


def test_at_the_cut_verdicts_play_no_part_but_what_cannot_be_understood_stays_out() -> None:
    visit = declared()
    visit.put(WANG, "set", SUMMARY, "见过", verdict="quarantined", reason="reassigned")
    visit.put(WANG, "set", ["visit", "no_such"], 1, verdict="quarantined", reason="bad_path")
    aside = visit.view()["quarantined"]
    visit.sign(LI)
    assert visit.states()["li"] == "current"
    visit.server("admit", ["op", aside[0]["op"]], {"reason": "", "by": "li"})
    assert visit.states()["li"] == "stale"
    visit.sign(WANG, excluded=[])
    assert visit.states()["wang"] == "current"


@pytest.mark.parametrize(
    "wrong",
    [
        {"digest": "0" * 64}, {"role": "member"}, {"role": "subject"}, {"image": None}, {"refused": "不签"},
        {"author": "wang"}, {"via": "li"}, {"via": "zhao"},
    ],
    ids=str,
)  # fmt: skip
def test_a_leaders_signature_that_does_not_agree_with_its_cut_is_invalid(wrong: dict[str, Any]) -> None:
    visit = declared()
    visit.sign(LI, **wrong)
    assert visit.states()["li"] == "invalid"


@pytest.mark.parametrize(
    ("signer", "more", "state"),
    [
        ("subject", {}, "current"),
        ("subject", {"image": None, "refused": "拒签"}, "current"),
        ("subject", {"image": None}, "invalid"),
        ("subject", {"image": None, "refused": " "}, "invalid"),
        ("subject", {"refused": "拒签"}, "invalid"),
        ("subject", {"via": "wang"}, "invalid"),
        ("subject", {"author": "zhao"}, "invalid"),
        ("witness", {}, "current"),
        ("witness", {"image": None, "refused": "拒签"}, "invalid"),
        ("expert:e1", {}, "current"),
        ("expert:e1", {"role": "witness"}, "invalid"),
        ("zhao", {"role": "member"}, "invalid"),
        ("zhao", {"role": "member", "author": "zhao"}, "invalid"),
        ("zhao", {"role": "member", "author": "zhao", "via": "li"}, "invalid"),
        ("subject", {"refused": " "}, "invalid"),
    ],
)
def test_others_sign_on_a_members_phone(signer: str, more: dict[str, Any], state: str) -> None:
    visit = declared()
    visit.sign(LI, signer, **more)
    assert visit.states()[signer] == state


def test_an_officer_whose_name_is_that_of_a_role_does_not_sign_for_it() -> None:
    visit = declared(members=("wang", "subject"))
    visit.sign(WANG, "subject", author="subject", role="member")
    assert visit.states()["subject"] == "invalid"


def test_a_signature_drawn_on_anothers_phone_is_weak_until_its_signer_confirms_it_from_his_own() -> None:
    visit = declared()
    drawn = visit.sign(LI, "wang", author="wang", via="li")
    assert visit.states()["wang"] == "weak"
    visit.put(WANG, "confirm", ["sign", "wang"], {"op": drawn.id}, ctx={LI: drawn.seq})
    assert visit.states()["wang"] == "current"


@pytest.mark.parametrize(
    "wrong",
    [
        {"rid": LI, "author": "wang"},
        {"author": "li"},
        {"via": "li"},
        {"path": ["sign", "li"]},
        {"op": f"{LI}:1"},
        {"verdict": "late"},
        {"ctx": {LI: 3}},
    ],
    ids=str,
)
def test_what_does_not_confirm_a_signature(wrong: dict[str, Any]) -> None:
    visit = declared()
    drawn = visit.sign(LI, "wang", author="wang", via="li")
    given = {"rid": WANG, "path": ["sign", "wang"], "val": {"op": wrong.get("op", drawn.id)}} | wrong
    given.pop("op", None)
    visit.put(given.pop("rid"), "confirm", **given)
    assert visit.states()["wang"] == "weak"


def test_a_signature_waits_for_its_image_and_says_so_before_it_is_called_weak() -> None:
    visit = declared()
    visit.sign(LI, "wang", author="wang", via="li", here=False)
    assert visit.states()["wang"] == "awaiting_image"
    visit.here.add(sha256_of("wang"))
    assert visit.states()["wang"] == "weak"


# --- what is missing for final ----------------------------------------------------------------------------------------


@pytest.mark.rule("I12")
@pytest.mark.rule("R23.2")
def test_final_completes_when_all_have_signed_what_stands_and_the_leader_proposes_it() -> None:
    visit = signed()
    assert visit.view()["missing"] == []
    assert accepted(visit.look()) is None
    proposal = propose(visit)
    result = accepted(visit.look())
    assert result is not None
    assert result[0].id == proposal.id
    assert len(result[1]) == 3


@pytest.mark.rule("R23.2")
@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("none", "signature"),
        ("weak", "signature_weak"),
        ("awaiting_image", "signature_image"),
        ("stale", "signature_stale"),
    ],
)
def test_a_members_signature_that_does_not_count_is_named(state: str, code: str) -> None:
    visit = declared()
    if state == "weak":
        visit.sign(LI, "wang", author="wang", via="li")
    if state == "awaiting_image":
        visit.sign(WANG, here=False)
    if state == "stale":
        visit.sign(WANG)
        visit.put(LI, "set", SUMMARY, "补记")
    assert {"code": code, "detail": {"officer": "wang"}} in visit.view()["missing"]
    propose(visit)
    assert accepted(visit.look()) is None


@pytest.mark.rule("R23.2")
def test_a_refusal_of_the_subject_counts_when_someone_else_has_signed_the_same() -> None:
    visit = declared()
    visit.sign(LI, "subject", image=None, refused="拒签")
    visit.sign(LI)
    assert "subject_signature" in visit.missing()
    visit.sign(LI, "witness")
    assert "subject_signature" not in visit.missing()


@pytest.mark.rule("R23.2")
@pytest.mark.parametrize(("result", "needed"), [("unreachable", False), ("serious_noncooperation", True)])
def test_nobody_has_to_sign_for_a_subject_who_could_not_be_met(result: str, needed: bool) -> None:
    visit = declared()
    visit.put(LI, "set", ["visit", "result"], result, base=[f"{LI}:4"])
    assert ("subject_signature" in visit.missing()) is needed
    visit.put(LI, "set", ["visit", "noncooperation"], {"circumstances": ["entry_refused"], "text": ""})
    assert "subject_signature" not in visit.missing()


@pytest.mark.rule("R20.3")
def test_a_word_that_says_neither_yes_nor_no_declares_nothing() -> None:
    visit = Journal()
    visit.put(WANG, "set", ["visit", "no_interest:wang"], {"interest": "no", "reason": ""})
    assert {"code": "interest_undeclared", "detail": {"officer": "wang"}} in visit.view()["missing"]
    assert visit.look().recused == []


@pytest.mark.rule("R24.2")
def test_the_place_of_a_photo_is_that_of_its_attach() -> None:
    for geo, is_evidence in ((None, False), ({"lat_e7": 330000000, "lon_e7": 1125000000, "acc_cm": 500}, True)):
        visit = declared()
        visit.put(LI, "set", ["visit", "result:i1"], ["unreachable"], base=[f"{LI}:3"])
        visit.put(LI, "attach", ["media", "5" * 64], PHOTO | {"taken": "2026-11-24T10:00:00+08:00"}, geo=geo)
        assert ("evidence" not in visit.missing()) is is_evidence


def test_a_proposal_over_other_content_waits_and_completes_when_the_content_returns() -> None:
    visit = signed()
    proposal = propose(visit)
    edit = visit.put(WANG, "set", SUMMARY, "补记")
    assert {"code": "digest_changed", "detail": {"op": proposal.id}} in visit.view()["missing"]
    visit.put(WANG, "set", SUMMARY, None, base=[edit.id])
    assert accepted(visit.look()) is not None


def test_a_proposal_that_names_another_result_than_the_record_does_not_complete() -> None:
    visit = signed()
    proposal = propose(visit, result="qualified")
    assert visit.view()["missing"] == [{"code": "result_mismatch", "detail": {"op": proposal.id}}]


def test_only_todays_leader_proposes_and_only_for_the_round_that_he_knew() -> None:
    visit = signed()
    propose(visit, WANG)
    assert visit.look().proposals == []
    finalize(visit)
    visit.server("reopen", ["round"], {"round": 2, "reason": "退回", "by": "head"})
    assert visit.look().proposals == []
    propose(visit)
    assert visit.view()["phase"] == "final_pending"


@pytest.mark.rule("R26.6")
def test_a_final_record_still_names_the_photos_that_publication_waits_for() -> None:
    visit = declared()
    visit.put(LI, "attach", ["media", "5" * 64], PHOTO)
    for rid, signer in ((LI, "li"), (WANG, "wang"), (LI, "subject")):
        visit.sign(rid, signer)
    assert visit.missing() == set()
    finalize(visit)
    assert visit.view()["missing"] == [{"code": "media", "detail": {"sha256": "5" * 64}}]
    visit.here.add("5" * 64)
    assert visit.missing() == set()


@pytest.mark.rule("I13")
def test_what_comes_after_final_leaves_the_final_as_it_was() -> None:
    visit = signed()
    finalize(visit)
    before = visit.view()
    late = visit.put(WANG, "set", SUMMARY, "补记", verdict="late")
    after = visit.view()
    assert after.pop("late") == [late.id]
    del before["late"]
    assert (before.pop("head"), after.pop("head")) == (len(visit.entries) - 1, len(visit.entries))
    assert after == before


# --- what changed -----------------------------------------------------------------------------------------------------


def test_changes_are_told_field_by_field_and_whole_rows_as_wholes() -> None:
    visit = declared()
    row = visit.put(LI, "add", ["finding"], {"text": "一"}).id
    gone = visit.put(LI, "add", ["finding"], {}).id
    visit.put(LI, "attach", ["media", "5" * 64], PHOTO)
    then = shown_at(visit.entries, FRAME, visit.seen(), [])
    visit.put(LI, "set", ["finding", row, "text"], "二", base=[row])
    visit.put(LI, "del", ["finding", gone])
    visit.put(LI, "retract", ["media", "5" * 64], {"reason": "误拍"})
    visit.server("assign", ["crew", "zhao"], {"role": "member", "reason": ""})
    now = shown_at(visit.entries, FRAME, visit.seen(), [])
    assert changes_between(then, now) == [
        {"path": ["finding", row, "text"], "before": "一", "after": "二"},
        {"path": ["finding", gone], "before": None, "after": None},
        {"path": ["media", "5" * 64], "before": {"for": "visit", "mime": "image/jpeg", "size": 9}, "after": None},
        {"path": ["members"], "before": ["li", "wang"], "after": ["li", "wang", "zhao"]},
    ]
    assert changes_between(now, now) == []


# --- the order of arrival ---------------------------------------------------------------------------------------------


@pytest.mark.rule("I2")
def test_the_order_in_which_ops_arrived_shows_nowhere() -> None:
    for seed in range(60):
        frame, entries, facts = history(seed)
        others = [it for it in entries if not it.rid.startswith("srv")]
        random.Random(seed).shuffle(others)
        moved = [*others, *(it for it in entries if it.rid.startswith("srv"))]
        view = view_of(entries, frame, facts)
        assert view_of(moved, frame, facts) == view
        assert view["late"] == sorted(view["late"])
        codes = [CODES.index(it["code"]) for it in view["missing"]]
        assert codes == sorted(codes)
