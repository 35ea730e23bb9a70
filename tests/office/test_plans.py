"""The annual plan's rules, through the acts that the routes call: what each allows and what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from hashlib import sha256
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from server.domain.plan import is_red
from server.domain.ratio import Proposal
from server.errors import CODES, Problem
from server.office.plan_facts import day_of, proposal_for, released_items
from server.office.plan_page import view_of, waiting
from server.store import joint_lists, plans, selections, tables
from server.store.rules import rule_set_on
from server.store.session import Database
from tests.planning import (
    BOTH,
    CLERK,
    CLERK2,
    FIRE,
    HEAD,
    HEAD2,
    JOINT,
    LEGAL,
    MAIN,
    OTHER,
    PRINCIPAL,
    STORAGE,
    TODAY,
    YEAR,
    Office,
    bureau,
    draw,
    line,
    subject_id,
)


@pytest.fixture
def office(database: Database) -> Office:
    bureau(database)
    return Office(database)


@contextmanager
def refused(code: str, article: str | None, office: Office) -> Iterator[pytest.ExceptionInfo[Problem]]:
    """The act is refused with this code and article, and leaves nothing: no entry, no change of the plan."""
    before = standing(office)
    with pytest.raises(Problem) as caught:
        yield caught
    assert (caught.value.code, CODES[code].article) == (code, article)
    assert standing(office) == before


def standing(office: Office) -> object:
    with office.db.read() as conn:
        found = plans.plan_of(conn, YEAR)
        entries = conn.scalar(sa.select(sa.func.count()).select_from(tables.trail))
        if found is None:
            return entries
        return (
            entries,
            found,
            plans.lines_of(conn, YEAR, found.version),
            plans.parts_of(conn, YEAR, found.version),
            plans.overrides_of(conn, YEAR),
        )


def state(office: Office) -> tuple[str, int]:
    with office.db.read() as conn:
        found = plans.plan_of(conn, YEAR)
    assert found is not None
    return found.state, found.version


def proposal(office: Office, campaign: str | None = None) -> Proposal:
    with office.db.read() as conn:
        item = released_items(conn, TODAY)[1][STORAGE]
        return proposal_for(conn, item, MAIN, YEAR, TODAY, campaign)


# --- ratio, frequency, cap --------------------------------------------------------------------------------------------


@pytest.mark.rule("R6.2", "allows")
@pytest.mark.rule("R15a.2", "allows")
def test_the_bureaus_own_library_gives_the_proposal_of_the_story(office: Office) -> None:
    found = proposal(office)
    assert (found.n, found.population, len(found.candidates)) == (11, 212, 210)
    assert [one.subject for one in found.excluded] == ["s003", "s150"]
    assert [(one.subject, one.ground.kind) for one in found.kept] == [("s007", "key_list")]


@pytest.mark.rule("R6.2", "refuses")
@pytest.mark.rule("R6.4", "refuses")
def test_ten_of_212_is_refused_without_a_reason(office: Office) -> None:
    office.open()
    with refused("plan_below_floor", "6", office):
        office.add(line(count=10))


@pytest.mark.rule("R6.4", "allows")
def test_ten_with_a_reason_waits_for_the_principal_who_approves_it(office: Office) -> None:
    office.open()
    low = office.add(line(count=10, reason="人手不足，先保证重点企业"))
    with office.db.read() as conn:
        (asked,) = plans.overrides_of(conn, YEAR)
    assert (asked.kind, asked.line_id, asked.least, asked.asked, asked.state) == ("ratio", low, 11, 10, "asked")
    ids = [low, office.add(line(FIRE, **JOINT))]
    for one in ids:
        office.sign(one)
    office.submit()
    office.none()
    office.consolidate()
    with refused("plan_undecided", "6", office):
        office.approve()
    office.decide(asked.id)
    office.approve()
    assert state(office) == ("approved", 1)


def test_what_the_principal_refused_is_still_missing(office: Office) -> None:
    office.open()
    ids = [office.add(line(count=10, reason="人手不足")), office.add(line(FIRE, **JOINT))]
    for one in ids:
        office.sign(one)
    office.submit()
    office.none()
    with office.db.read() as conn:
        (asked,) = plans.overrides_of(conn, YEAR)
    office.decide(asked.id, "refused", reason="按比例执行")
    with refused("plan_below_floor_sum", "6", office):
        office.consolidate()


def test_a_request_is_decided_once_and_by_nobody_who_asked(office: Office) -> None:
    office.open()
    office.add(line(count=10, reason="人手不足"))
    with office.db.read() as conn:
        (asked,) = plans.overrides_of(conn, YEAR)
    own = type(PRINCIPAL)("clerk", "clerk", "clerk", MAIN, ("unit_clerk", "principal"), None)
    with refused("own_entry", "10", office):
        office.decide(asked.id, who=own)
    with refused("reason_missing", None, office):
        office.decide(asked.id, "refused", reason=" ")
    office.decide(asked.id)
    with refused("override_decided", "6", office):
        office.decide(asked.id, "refused", reason="再想想")


def test_a_line_that_changes_withdraws_what_was_asked_for_it(office: Office) -> None:
    office.open()
    low = office.add(line(count=10, reason="人手不足"))
    office.change(low, line(count=9, reason="人手更少"))
    office.change(low, line(count=11))
    with office.db.read() as conn:
        states = sorted((one.asked, one.state) for one in plans.overrides_of(conn, YEAR))
    assert states == [(9, "withdrawn"), (10, "withdrawn")]


def test_two_lines_of_one_item_are_reckoned_together(office: Office) -> None:
    office.open()
    office.add(line(count=6, window_to="2026-06-30", reason="下半年还有一批"))
    office.add(line(count=5, window_from="2026-07-01"))
    with office.db.read() as conn:
        last = plans.lines_of(conn, YEAR, 1)[-1]
    assert (last.line.count, last.needs) == (5, ())


def test_a_units_refused_line_stays_missing_though_the_bureau_reaches_its_ratio(office: Office) -> None:
    with office.db.write() as conn:
        many = [{"unit_id": OTHER, "subject_id": subject_id(place)} for place in range(100)]
        conn.execute(sa.insert(tables.unit_subject), many)
    office.open()
    for one in (office.add(line(count=12)), office.add(line(FIRE, **JOINT))):
        office.sign(one)
    office.sign(office.add(line(count=4, reason="人手不足"), CLERK2), HEAD2)
    office.submit()
    office.submit(CLERK2, OTHER)
    with office.db.read() as conn:
        (asked,) = plans.overrides_of(conn, YEAR)
    office.decide(asked.id, "refused", reason="按比例执行")
    with refused("plan_below_floor_sum", "6", office):
        office.consolidate()


def test_what_was_approved_for_a_number_does_not_stand_for_a_smaller_one(office: Office) -> None:
    office.open()
    low = office.add(line(count=10, reason="人手不足"))
    with office.db.read() as conn:
        (asked,) = plans.overrides_of(conn, YEAR)
    office.decide(asked.id)
    office.change(low, line(count=9, reason="人手更少"))
    with office.db.read() as conn:
        states = {one.asked: one.state for one in plans.overrides_of(conn, YEAR)}
        view = view_of(conn, YEAR, TODAY)
    assert states == {10: "approved", 9: "asked"}
    assert [one.about for one in view.missing if one.code == "ratio"] == ["fire检查"]
    assert [one.missing.get("ratio") for one in view.items if one.item.id == STORAGE] == [2]
    office.change(low, line(count=10, reason="人手不足"))
    with office.db.read() as conn:
        assert [one.state for one in plans.overrides_of(conn, YEAR)] == ["withdrawn", "approved"]


@pytest.mark.rule("R6.3", "refuses")
def test_an_item_without_any_draw_stops_the_consolidation(office: Office) -> None:
    office.open()
    one = office.add(line(STORAGE, **JOINT))
    office.sign(one)
    office.submit()
    office.none()
    with refused("plan_no_line", "6", office):
        office.consolidate()


@pytest.mark.rule("R6.3", "allows")
def test_an_item_without_a_draw_goes_with_the_principals_approval(office: Office) -> None:
    office.open()
    one = office.add(line(STORAGE, **JOINT))
    office.sign(one)
    office.submit()
    office.none()
    for kind in ("frequency", "ratio"):
        office.decide(office.ask(kind, FIRE))
    with refused("override_asked", "6", office):
        office.ask("ratio", FIRE)
    with refused("override_not_needed", "6", office):
        office.ask("ratio", STORAGE)
    office.consolidate()
    office.approve()
    assert state(office) == ("approved", 1)


@pytest.mark.rule("R6.5", "refuses")
def test_complaints_without_a_higher_ratio_need_a_reason(database: Database) -> None:
    bureau(database, flags=(20, 21, 22))
    office = Office(database)
    office.open()
    with refused("plan_flagged_not_raised", "6", office):
        office.add(line(count=14, flagged_count=0))


@pytest.mark.rule("R6.5", "allows")
def test_complaints_raise_the_ratio_or_a_reason_is_given(database: Database) -> None:
    bureau(database, flags=(20, 21, 22))
    office = Office(database)
    office.open()
    office.add(line(count=14, flagged_count=1))
    office.add(line(FIRE, count=2, flagged_count=0, reason="举报已查实办结"))
    with office.db.read() as conn:
        assert {one.line.item_id: one.needs for one in plans.lines_of(conn, YEAR, 1)} == {STORAGE: (), FIRE: ()}


@pytest.mark.rule("R15a.1", "refuses")
def test_less_than_the_matrix_gives_needs_a_reason_even_above_the_floor(database: Database) -> None:
    bureau(database, flags=tuple(range(150, 212)))
    office = Office(database)
    found = proposal(office)
    assert found.n > found.floor == 11
    office.open()
    with refused("plan_below_proposal", "15-1", office):
        office.add(line(count=11, flagged_count=7))


@pytest.mark.rule("R15a.1", "allows")
def test_the_matrix_asks_more_of_whom_complaints_raise(database: Database) -> None:
    bureau(database, flags=tuple(range(150, 212)))
    office = Office(database)
    found = proposal(office)
    office.open()
    office.add(line(count=found.n, flagged_count=found.flagged_n))
    with database.read() as conn:
        assert plans.lines_of(conn, YEAR, 1)[0].needs == ()


@pytest.mark.rule("R15a.2", "refuses")
def test_subjects_at_the_cap_are_not_there_to_be_planned(office: Office) -> None:
    office.open()
    with refused("plan_over_cap", "15-1", office):
        office.add(line(count=212, window_from="2026-11-01", month_11=212))


@pytest.mark.rule("R15a.3", "allows")
def test_a_campaign_with_its_document_is_bound_by_neither_cap_nor_ratio(office: Office) -> None:
    office.open()
    office.add(line(count=212, window_from="2026-11-01", month_11=212, campaign="宛应急〔2026〕18 号"))
    office.add(line(count=1, window_from="2026-10-01", campaign="宛应急〔2026〕19 号"))
    found = proposal(office, "宛应急〔2026〕18 号")
    assert (len(found.candidates), found.excluded) == (212, ())
    grounds = [one.ground.kind for one in found.kept]
    assert grounds == ["campaign", "key_list", "campaign"]


@pytest.mark.rule("R15a.3", "refuses")
def test_without_a_document_there_is_no_campaign(office: Office) -> None:
    office.open()
    with refused("plan_below_floor", "6", office):
        office.add(line(count=1, campaign="  "))


@pytest.mark.parametrize("what", ["withdrawn", "excused", "cancelled"])
def test_who_was_withdrawn_excused_or_cancelled_is_not_counted(office: Office, what: str) -> None:
    with office.db.write() as conn:
        draw(conn, 10, 11, state=what)
        draw(conn, 10, state=what, unit=OTHER)
    assert len(proposal(office).candidates) == 210


def test_the_cap_counts_over_all_units_by_the_day_of_the_lock(office: Office) -> None:
    with office.db.write() as conn:
        draw(conn, 10, on="2026-01-01")
        draw(conn, 10, 11, on="2026-11-24", unit=OTHER)
        draw(conn, 11, on="2025-12-31")
    assert [one.subject for one in proposal(office).excluded] == ["s003", "s010", "s150"]


def test_with_the_setting_the_cap_looks_back_twelve_months(office: Office) -> None:
    with office.db.write() as conn:
        draw(conn, 11, on="2025-12-31")
        draw(conn, 11, on="2026-11-24")
        draw(conn, 12, on="2025-11-24")
        draw(conn, 12, on="2026-11-24")
    with office.db.read() as conn:
        rolling = msgspec.structs.replace(rule_set_on(conn, TODAY), cap_window="rolling_12_months")
        item = released_items(conn, TODAY)[1][STORAGE]
        drawn = {one.id: one.drawn for one in selections.population(conn, item, MAIN, rolling, TODAY)}
    assert (drawn["s011"], drawn["s012"]) == (2, 1)


def test_a_subject_that_is_not_active_or_in_no_library_is_nobodys(office: Office) -> None:
    with office.db.write() as conn:
        conn.execute(sa.update(tables.subject).where(tables.subject.c.id == "s000").values(status="suspended"))
        conn.execute(sa.delete(tables.unit_subject).where(tables.unit_subject.c.subject_id == "s001"))
    assert proposal(office).population == 210


def test_a_flag_counts_from_its_first_to_its_last_day(office: Office) -> None:
    late = [{"kind": "complaints", "document": "举报 2", "from": "2026-11-25", "to": None}]
    over = [{"kind": "complaints", "document": "举报 1", "from": "2026-01-01", "to": "2026-11-23"}]
    with office.db.write() as conn:
        for id, flags in (("s020", late), ("s021", over)):
            conn.execute(sa.update(tables.subject).where(tables.subject.c.id == id).values(flags=flags))
    assert proposal(office).flagged == 0


def test_a_plan_of_another_year_is_reckoned_on_the_nearest_of_its_days() -> None:
    assert [day_of(year, TODAY).isoformat() for year in (2025, 2026, 2027)] == [
        "2025-12-31",
        "2026-11-24",
        "2027-01-01",
    ]


def test_a_statutory_ratio_is_the_floor(database: Database) -> None:
    bureau(database, ratio=1000)
    office = Office(database)
    office.open()
    with refused("plan_below_floor", "6", office):
        office.add(line(count=21))
    office.add(line(count=22))


# --- lines ------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("R14.1", "allows")
def test_a_line_has_scope_window_count_and_shares(office: Office) -> None:
    office.open()
    id = office.add(line())
    with office.db.read() as conn:
        kept = plans.line_of(conn, id)
    assert kept is not None
    assert (kept.line.scope, kept.line.window_from, kept.line.count) == ("全区有关单位", "2026-03-01", 11)
    assert (kept.line.unified_share, kept.line.own_share, sum(kept.line.months)) == (20, 80, 11)
    assert (kept.population, kept.proposed, kept.floor, kept.list_version) == (212, 11, 11, 1)


@pytest.mark.rule("R14.1", "refuses")
@pytest.mark.parametrize(
    ("wrong", "field", "code"),
    [
        ({"scope": ""}, "scope", "missing"),
        ({"window_to": ""}, "window_to", "missing"),
        ({"window_from": "2025-03-01"}, "window_from", "plan_other_year"),
        ({"window_to": "2026-02-01"}, "window_to", "plan_ends_before"),
        ({"count": "十一"}, "count", "not_a_number"),
        ({"own_share": 79}, "own_share", "plan_shares"),
        ({"own_share": 101, "unified_share": 0}, "own_share", "not_a_number"),
        ({"flagged_count": 12}, "flagged_count", "plan_more_flagged"),
        ({"month_4": 5}, "months", "plan_months"),
        ({"month_1": 11}, "months", "plan_month_outside"),
        ({"joint": "lead"}, "partner", "missing"),
        ({"count": 3000}, "count", "plan_too_many"),
        ({"flagged_count": 1}, "flagged_count", "plan_too_many_flagged"),
    ],
)
def test_a_line_that_lacks_something_is_refused(
    office: Office, wrong: dict[str, object], field: str, code: str
) -> None:
    office.open()
    with refused("plan_line_invalid", "14", office) as caught:
        office.add(line(STORAGE, **wrong))
    known = msgspec.convert(caught.value.members["faults"], list[dict[str, Any]])
    faults = [(fault["field"], fault["code"]) for fault in known]
    assert (field, code) in faults


@pytest.mark.rule("R2.1", "refuses")
def test_only_items_of_the_released_list_are_planned(office: Office) -> None:
    office.open()
    with refused("item_not_released", "2", office):
        office.add(line("annex-u"))


def test_one_item_and_window_stands_once(office: Office) -> None:
    office.open()
    office.add(line())
    with refused("plan_line_taken", "14", office):
        office.add(line())


@pytest.mark.rule("R3.1", "refuses")
def test_another_units_clerk_enters_changes_and_signs_nothing(office: Office) -> None:
    office.open()
    id = office.add(line())
    for act in (
        lambda: office.add(line(unit_id=MAIN), CLERK2),
        lambda: office.change(id, line(count=12), CLERK2),
        lambda: office.remove(id, CLERK2),
        lambda: office.sign(id, HEAD2),
        lambda: office.submit(CLERK2, MAIN),
        lambda: office.none(HEAD2, MAIN),
    ):
        with refused("other_unit", "3", office):
            act()


@pytest.mark.rule("R3.1", "allows")
def test_what_is_public_names_the_unit_that_planned_it(office: Office) -> None:
    office.released()
    with office.db.read() as conn:
        public = plans.public_plan(conn, YEAR)
    assert public is not None
    assert {one.unit for one in public.lines} == {MAIN}


def test_nobody_signs_what_he_entered_and_a_change_takes_the_signature_away(office: Office) -> None:
    office.open()
    own = office.add(line(), BOTH)
    with refused("own_entry", "10", office):
        office.sign(own, BOTH)
    office.sign(own)
    with refused("plan_signed_already", "12", office):
        office.sign(own)
    office.change(own, line(count=12))
    with refused("plan_unsigned", "12", office):
        office.submit()


# --- the way of the plan ----------------------------------------------------------------------------------------------


@pytest.mark.rule("R12.1", "allows")
@pytest.mark.rule("R12.2", "allows")
@pytest.mark.rule("R12.3", "allows")
@pytest.mark.rule("R12.5", "allows")
def test_the_whole_way_leads_to_the_public(any_database: Database) -> None:
    bureau(any_database)
    office = Office(any_database)
    office.open()
    office.entered()
    assert state(office) == ("submitted", 1)
    office.consolidate()
    office.approve()
    office.file("upper")
    assert state(office) == ("approved", 1)
    office.file("market")
    assert state(office) == ("filed", 1)
    with any_database.read() as conn:
        assert plans.public_plan(conn, YEAR) is None
    office.release()
    with any_database.read() as conn:
        public = plans.public_plan(conn, YEAR)
    assert public is not None
    assert (public.supervision_plan, public.released_on) == ("宛卧应急〔2026〕3 号", "2026-11-24")
    assert [(one.item, one.count, one.share) for one in public.lines] == [
        ("fire检查", 1, 500),
        ("storage检查", 11, 518),
    ]
    assert [(one.kind, one.number, one.filed_on) for one in public.filings] == [
        ("upper", "upper〔2026〕1 号", "2026-11-20"),
        ("market", "market〔2026〕1 号", "2026-11-20"),
    ]


@pytest.mark.rule("R12.1", "refuses")
def test_no_step_is_left_out(office: Office) -> None:
    office.open()
    with refused("plan_units_open", "12", office):
        office.consolidate()
    with refused("plan_order", "12", office):
        office.file("upper")
    for step in (office.approve, office.release, office.amend, office.refuse):
        with refused("plan_order", "12", office):
            step()
    office.entered()
    with refused("plan_order", "12", office):
        office.approve()
    with refused("plan_part_in", "12", office):
        office.submit()
    with refused("plan_year_taken", "12", office):
        office.open()


def test_a_part_that_was_handed_in_is_changed_only_after_it_was_given_back(office: Office) -> None:
    office.open()
    id = office.add(line())
    office.sign(id)
    office.submit()
    with refused("plan_part_in", "12", office):
        office.change(id, line(count=12))
    with refused("plan_nothing_to_give_back", "12", office):
        office.give_back(OTHER)
    office.give_back()
    office.change(id, line(count=12))


def test_a_unit_without_lines_says_why(office: Office) -> None:
    office.open()
    with refused("plan_empty", "12", office):
        office.submit()
    with refused("reason_missing", None, office):
        office.none(reason=" ")
    office.add(line())
    with refused("plan_has_lines", "12", office):
        office.none(HEAD, MAIN)


def test_the_principal_gives_back_and_approves_nothing_that_he_entered(office: Office) -> None:
    office.open()
    office.entered()
    office.consolidate()
    own = type(PRINCIPAL)("clerk", "clerk", "clerk", MAIN, ("unit_clerk", "principal"), None)
    with refused("own_entry", "10", office):
        office.approve(own)
    office.refuse()
    assert state(office) == ("submitted", 1)
    office.consolidate()
    office.give_back()
    assert state(office) == ("draft", 1)


@pytest.mark.rule("R12.2", "refuses")
def test_nothing_is_released_before_both_filings_are_there_with_number_and_date(office: Office) -> None:
    office.open()
    office.entered()
    office.consolidate()
    office.approve()
    for more in ({"number": ""}, {"filed_on": ""}, {"filed_on": "2026-11-25"}, {"authority": ""}):
        with refused("plan_filing_invalid", "12", office):
            office.file("upper", LEGAL, **more)
    office.file("upper")
    with refused("plan_filed_already", "12", office):
        office.file("upper")
    with refused("plan_not_filed", "12", office):
        office.release()


@pytest.mark.rule("R12.3", "refuses")
def test_a_plan_that_nobody_released_is_not_public(office: Office) -> None:
    office.open()
    office.entered()
    with refused("plan_order", "12", office):
        office.release()
    with office.db.read() as conn:
        assert (plans.public_plan(conn, YEAR), plans.public_plans(conn), plans.public_versions(conn, YEAR)) == (
            None,
            [],
            [],
        )


@pytest.mark.rule("R12.4", "refuses")
def test_a_released_plan_is_amended_with_a_reason_or_not_at_all(office: Office) -> None:
    ids = office.released()
    for act in (
        lambda: office.add(line(count=12, window_from="2026-05-01")),
        lambda: office.change(ids[0], line(count=12)),
        lambda: office.remove(ids[0]),
        office.submit,
        office.consolidate,
    ):
        with refused("plan_released", "12", office):
            act()
    with refused("plan_reason_missing", "12", office):
        office.amend(" ")


@pytest.mark.rule("R12.4", "allows")
def test_an_amendment_is_a_new_version_that_goes_the_whole_way_again(any_database: Database) -> None:
    bureau(any_database)
    office = Office(any_database)
    ids = office.released()
    office.amend()
    assert state(office) == ("amended", 2)
    with refused("plan_unchanged", "12", office):
        office.consolidate()
    office.change(ids[0], line(count=12))
    with refused("plan_units_open", "12", office):
        office.consolidate()
    office.sign(ids[0])
    office.submit()
    office.consolidate()
    with any_database.read() as conn:
        public = plans.public_plan(conn, YEAR)
    assert public is not None
    assert public.version == 1
    office.approve()
    with refused("plan_not_filed", "12", office):
        office.release()
    office.file("market")
    office.file("upper")
    office.release()
    with any_database.read() as conn:
        first, second = plans.public_plan(conn, YEAR, 1), plans.public_plan(conn, YEAR)
    assert first is not None
    assert second is not None
    assert (second.version, second.reason) == (2, "上级部署专项")
    assert [one.count for one in first.lines] == [1, 11]
    assert [one.count for one in second.lines] == [1, 12]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE plan_version SET reason = 'x'",
        "DELETE FROM plan_version",
        "UPDATE plan_line SET count = 99",
        "DELETE FROM plan_line",
        "UPDATE plan_unit SET other_days = 1",
        "DELETE FROM filing",
        "INSERT INTO filing SELECT year, version, 'third', authority, number, filed_on, by, at FROM filing",
    ],
)
def test_the_database_keeps_a_released_version_as_it_is(any_database: Database, statement: str) -> None:
    bureau(any_database)
    Office(any_database).released()
    with pytest.raises(sa.exc.DBAPIError, match="never edited"), any_database.write() as conn:
        conn.exec_driver_sql(statement)


@pytest.mark.rule("R12.5", "refuses")
@pytest.mark.parametrize("number", ["", "   "])
def test_a_plan_without_the_number_of_the_yearly_supervision_plan_is_not_begun(office: Office, number: str) -> None:
    with refused("plan_number_missing", "12", office):
        office.open(number)


# --- joint tasks, temporary checks ------------------------------------------------------------------------------------


@pytest.mark.rule("R13.2", "refuses")
def test_a_plan_without_a_joint_task_is_not_consolidated(office: Office) -> None:
    office.open()
    for item in (STORAGE, FIRE):
        office.sign(office.add(line(item)))
    office.submit()
    office.none()
    with refused("plan_no_joint", "13", office):
        office.consolidate()


@pytest.mark.rule("R13.2", "allows")
@pytest.mark.parametrize("role", ["lead", "participant"])
def test_a_joint_task_led_or_joined_is_enough(office: Office, role: str) -> None:
    office.open()
    office.sign(office.add(line(STORAGE)))
    office.sign(office.add(line(FIRE, joint=role, partner="卧龙区市场监督管理局")))
    office.submit()
    office.none()
    office.consolidate()
    assert state(office) == ("consolidated", 1)


def test_a_year_without_a_joint_task_is_red_from_the_fourth_quarter() -> None:
    days = [date(2026, 9, 30), date(2026, 10, 1), date(2027, 1, 1), date(2025, 12, 31)]
    assert [is_red(0, 1, day, 2026, 4) for day in days] == [False, True, True, False]
    assert not is_red(1, 1, date(2026, 10, 1), 2026, 4)


LIST = "信用代码,名称\n411303000000007,南阳第7号有限公司\n91411303MAAY4CL12N,不认识的企业\n".encode()


@pytest.mark.rule("R13.1", "allows")
def test_a_leads_list_is_kept_with_document_and_digest_and_matched_by_code(office: Office) -> None:
    office.open()
    joined = office.add(line(FIRE, joint="participant", partner="卧龙区市场监督管理局"))
    office.import_list(joined, LIST)
    with office.db.read() as conn:
        (kept,) = joint_lists.lists_of(conn, joined)
    assert (kept.lead, kept.document, kept.drawn_on) == ("卧龙区市场监督管理局", "宛卧市监〔2026〕27 号", "2026-11-02")
    assert kept.sha256 == sha256(LIST).hexdigest()
    assert [(row.code, row.subject_id) for row in kept.rows] == [
        ("411303000000007", subject_id(7)),
        ("91411303MAAY4CL12N", None),
    ]


def test_a_subject_that_is_added_later_is_found_in_the_leads_list(office: Office) -> None:
    office.open()
    joined = office.add(line(FIRE, joint="participant", partner="卧龙区市场监督管理局"))
    office.import_list(joined, LIST)
    with office.db.write() as conn:
        conn.execute(sa.update(tables.subject).where(tables.subject.c.id == "s009").values(uscc="91411303MAAY4CL12N"))
    with office.db.read() as conn:
        (kept,) = joint_lists.lists_of(conn, joined)
    assert [row.subject_id for row in kept.rows] == [subject_id(7), "s009"]


@pytest.mark.rule("R13.1", "refuses")
def test_a_leads_list_comes_with_its_document_for_a_task_that_we_join(office: Office) -> None:
    office.open()
    joined = office.add(line(FIRE, joint="participant", partner="卧龙区市场监督管理局"))
    led = office.add(line(STORAGE, **JOINT))
    with refused("joint_not_participant", "13", office):
        office.import_list(led, LIST)
    for more in ({"document": ""}, {"lead": ""}, {"drawn_on": "2026-12-01"}):
        with refused("joint_list_invalid", "13", office):
            office.import_list(joined, LIST, CLERK, **more)
    for content in (b"", b"\xff\xfe\x00a", b"91411303MAAY4CL12M,x", LIST + b"91411303MAAY4CL12N,again"):
        with refused("joint_list_invalid", "13", office):
            office.import_list(joined, content)
    office.import_list(joined, LIST)
    with refused("joint_list_known", "13", office):
        office.import_list(joined, LIST)


@pytest.mark.rule("R15a.4", "refuses")
def test_a_temporary_check_is_bound_by_the_same_rules(office: Office) -> None:
    office.released()
    office.amend("接到临时检查要求")
    with refused("plan_line_invalid", "14", office):
        office.add(line(FIRE, window_from="2026-11-25", own_share=70))
    extra = office.add(line(FIRE, window_from="2026-11-25", count=2))
    with refused("plan_unsigned", "12", office):
        office.submit()
    office.sign(extra)
    office.submit()
    office.consolidate()
    office.approve()
    with refused("plan_not_filed", "12", office):
        office.release()


@pytest.mark.rule("R15a.4", "allows")
def test_a_temporary_check_enters_the_plan_by_an_amendment(office: Office) -> None:
    office.released()
    office.amend("接到临时检查要求")
    office.sign(office.add(line(FIRE, window_from="2026-11-25", count=2)))
    office.submit()
    office.consolidate()
    office.approve()
    office.file("upper")
    office.file("market")
    office.release()
    assert state(office) == ("released", 2)


# --- what waits, and what each act leaves -----------------------------------------------------------------------------


def test_what_waits_is_shown_to_whoever_can_do_it(office: Office) -> None:
    def codes(*people: object) -> list[list[str]]:
        with office.db.read() as conn:
            return [[one.code for one in waiting(conn, person)] for person in people]  # type: ignore[arg-type]

    office.open()
    assert codes(CLERK, HEAD, LEGAL, PRINCIPAL) == [["enter"], [], [], []]
    low = office.add(line(count=10, reason="人手不足"))
    assert codes(CLERK, HEAD, CLERK2, PRINCIPAL) == [["submit"], ["sign"], ["enter"], ["override"]]
    office.sign(low)
    office.sign(office.add(line(FIRE, **JOINT)))
    office.submit()
    office.none()
    assert codes(CLERK, HEAD, LEGAL, PRINCIPAL) == [[], [], ["submitted"], ["override"]]
    office.consolidate()
    assert codes(LEGAL, PRINCIPAL) == [[], ["consolidated", "override"]]


def test_every_step_leaves_its_entry(office: Office) -> None:
    office.released()
    query = sa.select(tables.trail.c.act).where(tables.trail.c.act.like("plan%")).order_by(tables.trail.c.n)
    with office.db.read() as conn:
        acts = list(conn.scalars(query))
    lines = ["plan_line.add", "plan_line.add", "plan_line.sign", "plan_line.sign"]
    rest = ["submit", "none", "consolidate", "approve", "file", "file", "release"]
    assert acts == ["plan.open", *lines, *(f"plan.{one}" for one in rest)]


def test_the_page_of_a_plan_says_who_is_next_and_what_is_missing(office: Office) -> None:
    office.open()
    office.add(line(count=10, reason="人手不足"))
    with office.db.read() as conn:
        view = view_of(conn, YEAR, TODAY)
    assert (view.next_role, view.next_act) == ("units", "submit")
    assert {one.code for one in view.missing} == {"open_unit", "unsigned", "frequency", "ratio", "joint"}
    years = {
        one.item.id: (one.year.population, one.year.planned, one.year.drawn, one.year.at_cap) for one in view.items
    }
    assert years == {STORAGE: (212, 10, 3, 3), FIRE: (20, 0, 0, 0)}
