"""Ratios, days and caps are data: proposed, approved by another, in force from a day, and never edited (R31.1)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
import sqlalchemy as sa

from server.domain.faults import Invalid
from server.domain.rule_entry import check_rules, differences, fields_of, laxer_than_printed
from server.domain.ruleset import FIRST, classes
from server.errors import Problem
from server.office.rules import approve_rules, propose_rules, reject_rules, withdraw_rules
from server.store.rules import rule_set_on, version, versions
from server.store.session import Database
from tests.rules.people import LEGAL, PRINCIPAL, later, person
from tests.running import Running
from tests.scene import NOW, populate

TODAY = date(2026, 11, 24)
BEGINS = "2027-01-01"


def entered(**changes: str) -> dict[str, str]:
    return fields_of(FIRST) | {"in_force_from": BEGINS, "reason": "按年度评估调整"} | changes


def proposed(db: Database, **changes: str) -> int:
    with db.write() as conn:
        return propose_rules(conn, LEGAL, NOW, entered(**changes))


@pytest.fixture
def house(any_database: Database) -> Database:
    populate(any_database)
    return any_database


def codes_of(**changes: str) -> list[tuple[str, str]]:
    _, _, faults = check_rules(entered(**changes), 2, TODAY)
    return [(fault.field, fault.code) for fault in faults]


# --- what a new house has ---------------------------------------------------------------------------------------------


def test_a_new_house_has_the_printed_numbers(house: Database) -> None:
    with house.read() as conn:
        rules = rule_set_on(conn, TODAY)
    assert (rules.floor, rules.frequency, rules.cap, rules.cap_window) == (500, 1, 2, "calendar_year")
    assert (rules.publication_days, rules.recheck_days, rules.feedback_days) == (20, 20, 15)
    assert (rules.lights, rules.transfer_days, rules.transfer_hours) == ((10, 5, 1), 3, 24)
    assert (rules.disclosure, rules.joint_tasks, rules.joint_red_quarter) == ("sealed", 1, 4)
    assert laxer_than_printed(rules) == []


@pytest.mark.rule("R15a.1", "allows")
def test_riskier_less_trusted_and_flagged_classes_never_get_less_and_a_low_one_may_get_less_than_the_floor() -> None:
    for risk, credit, flagged in classes():
        share = FIRST.share(risk, credit, flagged)
        assert share <= FIRST.share("high", credit, flagged)
        assert share <= FIRST.share(risk, "D", flagged)
        if not flagged:
            assert share < FIRST.share(risk, credit, True)
    assert FIRST.share("low", "A", False) < FIRST.floor


# --- a version's way --------------------------------------------------------------------------------------------------


@pytest.mark.rule("R31.1", "allows")
def test_an_approved_version_is_in_force_from_its_day_and_the_old_one_until_then(house: Database) -> None:
    number = proposed(house, cap="1", floor="6")
    with house.write() as conn:
        approve_rules(conn, PRINCIPAL, NOW, number)
    with house.read() as conn:
        before, after = rule_set_on(conn, date(2026, 12, 31)), rule_set_on(conn, date(2027, 1, 1))
    assert (before.version, before.cap, before.floor) == (1, 2, 500)
    assert (after.version, after.cap, after.floor) == (number, 1, 600)


def test_a_version_that_waits_or_was_refused_is_never_in_force(house: Database) -> None:
    waiting, refused, withdrawn = (proposed(house, cap=cap) for cap in "134")
    with house.write() as conn:
        reject_rules(conn, PRINCIPAL, NOW, refused, "依据不足")
        withdraw_rules(conn, LEGAL, NOW, withdrawn, "数字有误")
    with house.read() as conn:
        assert rule_set_on(conn, date(2030, 1, 1)).version == 1
        states = {one.rules.version: one.decision and one.decision.state for one in versions(conn)}
    assert states == {1: "approved", waiting: None, refused: "rejected", withdrawn: "withdrawn"}


def test_of_two_versions_the_one_that_began_last_counts(house: Database) -> None:
    later_one, earlier = proposed(house, cap="1", in_force_from="2027-06-01"), proposed(house, cap="3")
    with house.write() as conn:
        for number in (later_one, earlier):
            approve_rules(conn, PRINCIPAL, NOW, number)
    with house.read() as conn:
        assert rule_set_on(conn, date(2027, 5, 31)).cap == 3
        assert rule_set_on(conn, date(2027, 6, 1)).cap == 1


@pytest.mark.rule("R31.1", "refuses")
def test_a_decided_version_is_not_decided_again(house: Database) -> None:
    number = proposed(house)
    with house.write() as conn:
        approve_rules(conn, PRINCIPAL, NOW, number)
    for act, who in ((reject_rules, PRINCIPAL), (withdraw_rules, LEGAL)):
        with pytest.raises(Problem) as refused, house.write() as conn:
            act(conn, who, NOW, number, "改主意了")
        assert (refused.value.code, refused.value.article) == ("rules_decided", "31")


@pytest.mark.rule("R31.1", "refuses")
def test_a_version_whose_day_has_come_is_not_approved_any_more(house: Database) -> None:
    number = proposed(house, in_force_from="2026-12-01")
    with pytest.raises(Problem) as refused, house.write() as conn:
        approve_rules(conn, PRINCIPAL, later(7), number)
    assert (refused.value.code, refused.value.article) == ("rules_late", "31")


@pytest.mark.rule("R31.1", "refuses")
def test_a_version_never_begins_in_the_past_and_every_fault_is_said_at_once(house: Database) -> None:
    with pytest.raises(Invalid) as refused, house.write() as conn:
        propose_rules(conn, LEGAL, NOW, entered(in_force_from="2026-11-24", cap="零", floor="101"))
    assert (refused.value.code, refused.value.article) == ("invalid", "31")
    assert [fault.field for fault in refused.value.faults] == ["in_force_from", "floor", "cap"]
    with house.read() as conn:
        assert len(versions(conn)) == 1


def test_nobody_approves_what_he_himself_proposed(house: Database) -> None:
    both = person("legal", "legal_unit", "principal")
    with house.write() as conn:
        number = propose_rules(conn, both, NOW, entered())
    with pytest.raises(Problem) as refused, house.write() as conn:
        approve_rules(conn, both, NOW, number)
    assert refused.value.code == "own_entry"
    with house.read() as conn:
        kept = version(conn, number)
    assert kept is not None and kept.decision is None


def test_of_two_who_decide_at_once_one_is_told_so(house: Database) -> None:
    number, both = proposed(house), Barrier(2)

    def decide(act: Callable[..., None], *more: str) -> str:
        both.wait()
        try:
            house.run_write(lambda conn: act(conn, PRINCIPAL, NOW, number, *more))
        except Problem as problem:
            return problem.code
        return "done"

    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(decide, approve_rules), pool.submit(decide, reject_rules, "依据不足")]
    assert sorted(answer.result() for answer in answers) == ["done", "rules_decided"]


@pytest.mark.parametrize("reason", ["", "  "])
def test_a_refusal_says_why(house: Database, reason: str) -> None:
    number = proposed(house)
    with pytest.raises(Problem, match="reason_missing"), house.write() as conn:
        reject_rules(conn, PRINCIPAL, NOW, number, reason)


@pytest.mark.parametrize("table", ["rule_set", "rule_set_decision", "calendar_year"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET reason = 'x'", "DELETE FROM {}"])
def test_the_database_itself_keeps_versions_as_they_were(house: Database, table: str, statement: str) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), house.write() as conn:
        conn.exec_driver_sql(statement.format(table))


# --- what is entered --------------------------------------------------------------------------------------------------


def test_the_form_of_a_rule_set_reads_back_as_the_same_rule_set() -> None:
    rules, reason, faults = check_rules(entered(), 2, TODAY)
    assert rules is not None and (reason, faults) == ("按年度评估调整", [])
    assert differences(FIRST, rules) == []


def test_numbers_may_be_typed_full_width_and_with_the_sign() -> None:
    rules, _, _ = check_rules(entered(floor="６．２５％", cap="３"), 2, TODAY)
    assert rules is not None and (rules.floor, rules.cap) == (625, 3)


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"in_force_from": "2026-11-24"}, [("in_force_from", "not_ahead")]),
        ({"in_force_from": "明年"}, [("in_force_from", "not_a_day")]),
        ({"reason": " "}, [("reason", "missing")]),
        ({"floor": "5.125"}, [("floor", "not_a_percent")]),
        ({"floor": "100.01"}, [("floor", "not_a_percent")]),
        ({"floor": "-5"}, [("floor", "not_a_percent")]),
        ({"cap": "0"}, [("cap", "not_a_number")]),
        ({"publication_days": ""}, [("publication_days", "missing")]),
        ({"cap_window": "forever"}, [("cap_window", "not_one_of")]),
        ({"disclosure": ""}, [("disclosure", "missing")]),
        ({"light_near": "10"}, [("light_soon", "lights_order")]),
    ],
)
def test_a_number_outside_its_limits_is_a_fault_of_its_field(
    changes: dict[str, str], faults: list[tuple[str, str]]
) -> None:
    assert codes_of(**changes) == faults


@pytest.mark.rule("R15a.1", "refuses")
def test_a_riskier_or_less_trusted_class_with_less_is_refused(house: Database) -> None:
    assert ("ratio_high_A_plain", "matrix_order") in codes_of(ratio_high_A_plain="4")
    assert ("ratio_low_D_plain", "matrix_order") in codes_of(ratio_low_D_plain="2")
    assert ("times_high_D_flagged", "matrix_order_times") in codes_of(times_high_D_flagged="1")
    with pytest.raises(Invalid) as refused, house.write() as conn:
        propose_rules(conn, LEGAL, NOW, entered(ratio_high_A_plain="4"))
    assert (refused.value.code, refused.value.article) == ("invalid", "31")


def test_complaints_must_raise_the_ratio() -> None:
    assert codes_of(ratio_low_A_flagged="3") == [("ratio_low_A_flagged", "not_raised")]


def test_numbers_laxer_than_the_printed_rules_are_taken_and_shown_with_the_article() -> None:
    rules, _, faults = check_rules(entered(floor="4", cap="3", publication_days="25"), 2, TODAY)
    assert rules is not None and faults == []
    shown = [(one.field, one.printed, one.article) for one in laxer_than_printed(rules)]
    assert shown == [("floor", 500, "6"), ("cap", 2, "15-1"), ("publication_days", 20, "26")]


# --- over HTTP --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("R31.1", "http")
@pytest.mark.rule("R15a.1", "http")
def test_a_version_is_proposed_compared_and_approved_over_http(server: Running) -> None:
    begins = "2099-01-01"
    with server.signed_in("legal") as legal, server.signed_in("principal") as principal:
        wrong = legal.post("/office/rules/new", data=entered(in_force_from=begins, ratio_high_A_plain="4"))
        assert (wrong.status_code, wrong.json()["code"], wrong.json()["article"]) == (422, "invalid", "31")
        made = legal.post("/office/rules/new", data=entered(in_force_from=begins, cap="1"))
        assert made.status_code == 303
        address = made.headers["location"]
        page = principal.get(address, headers={"Accept": "text/html"}).text
        assert "同一市场主体抽中次数上限" in page and "<del>2 次</del>" in page and "<ins>1 次</ins>" in page
        assert legal.post(f"{address}/approve").status_code == 403
        assert principal.post(f"{address}/approve").status_code == 303
        again = principal.post(f"{address}/reject", data={"reason": "改主意了"})
        assert (again.status_code, again.json()["code"], again.json()["article"]) == (409, "rules_decided", "31")
        assert "已批准，待生效" in legal.get("/office/rules", headers={"Accept": "text/html"}).text
