"""The demo district is what the setting-up page promises."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest

from server.demo import district
from server.demo.officers import expert_entries, officer_entries
from server.demo.people import ACCOUNTS
from server.domain.access import ROLES
from server.domain.codes import is_uscc, normal_code

TODAY = date(2026, 11, 24)


def test_there_are_four_units_24_officers_and_six_experts() -> None:
    by_unit = Counter(officer.unit_id for officer in officer_entries(TODAY).values())
    assert len(district.UNITS) == 4
    assert sum(by_unit.values()) == 24
    assert by_unit[district.BRIGADE] == 10
    assert len(expert_entries()) == 6


def test_each_domain_has_at_least_four_officers() -> None:
    domains = Counter(domain for officer in officer_entries(TODAY).values() for domain in officer.domains)
    assert min(domains.values()) >= 4


def test_one_certificate_ends_in_ten_days_and_one_ran_out() -> None:
    last_days = sorted(date.fromisoformat(officer.certificate_to) for officer in officer_entries(TODAY).values())
    assert last_days[0] < TODAY
    assert last_days[1] == TODAY + timedelta(10)
    assert last_days[2] > TODAY + timedelta(300)


def test_the_subjects_are_as_many_as_promised() -> None:
    everyone = district.subjects(TODAY)
    traits = Counter(trait for subject in everyone for trait in subject.traits)
    assert len(everyone) == 600
    assert traits["hazardous_chemicals"] == 90
    assert traits["industry_commerce"] == 500
    assert traits["confined_space"] == 120
    assert traits["safety_services"] == 10


@pytest.mark.rule("R8.1")
def test_every_subject_has_its_own_valid_code_and_name() -> None:
    everyone = district.subjects(TODAY)
    codes = [subject.uscc or "" for subject in everyone]
    assert all(is_uscc(code) and code[2:8] == district.REGION for code in codes)
    assert len({subject.uscc for subject in everyone}) == 600
    assert len({subject.name for subject in everyone}) == 600


def test_no_telephone_of_the_demo_rings_anywhere() -> None:
    assert all(subject.phone.startswith("1400000") for subject in district.subjects(TODAY))


def test_one_subject_is_on_the_key_list_and_two_have_complaints() -> None:
    kinds = Counter(flag.kind for subject in district.subjects(TODAY) for flag in subject.flags)
    assert kinds["key_list"] == 1
    assert kinds["complaints"] == 2


def test_the_district_is_the_same_on_every_machine() -> None:
    assert district.subjects(TODAY) == district.subjects(TODAY)
    assert district.subjects(TODAY)[0].uscc == "91411303MA5JN8M19J"


@pytest.mark.rule("R8.3")
def test_every_subject_is_in_a_library() -> None:
    everyone = district.subjects(TODAY)
    assert {who for _, who in district.memberships(everyone)} == {subject.id for subject in everyone}


def test_every_role_has_an_account_and_officers_have_their_own_id() -> None:
    officers = set(officer_entries(TODAY))
    assert {role for account in ACCOUNTS for role in account.roles} == set(ROLES)
    assert all(account.username in officers for account in ACCOUNTS if account.is_officer)


@pytest.mark.parametrize("code", ["N2411303MF1234567E", "91411303MA5JN8M19J"])
def test_a_valid_code_is_taken(code: str) -> None:
    assert is_uscc(code)


@pytest.mark.parametrize(
    "code", ["91411303MA5JN8M19K", "91411303MA5JN8M19", "91411303MI5JN8M19J", "n2411303MF1234567E", ""]
)
def test_a_wrong_code_is_refused(code: str) -> None:
    assert not is_uscc(code)


def test_full_width_and_lower_case_are_normalised() -> None:
    assert normal_code(" Ｎ2411303mf1234567e ") == "N2411303MF1234567E"
