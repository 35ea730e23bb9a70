"""On which days an officer may inspect, and what must be known of officers, experts, agencies and interests."""

from __future__ import annotations

from datetime import date

import pytest
from stdnum.cn import ric

from server.domain.agency import Agency, check_agency, is_commissioned
from server.domain.faults import Fault, number_faults
from server.domain.interest import Interest, barred_pairs, check_interest
from server.domain.leave import Leave, check_leave, half_days_away
from server.domain.mask import hide_numbers, mask_id, mask_phone
from server.domain.officer import (
    Officer,
    check_expert,
    check_officer,
    days_left,
    eligibility,
    is_eligible,
    must_be_eligible,
    validity,
)
from server.errors import Problem
from tests.office import people

TODAY = date(2026, 11, 24)
UNITS = ("hazchem-section", "brigade")
SUN = Officer(
    "sun", "孙立群", "male", "industry-section", "豫R13000007", "2021-10-01", "2026-09-30", ("industry_commerce",)
)
"""Story A: his certificate ends on 2026-09-30."""


def codes(faults: list[Fault]) -> set[tuple[str, str, bool]]:
    return {(fault.field, fault.code, fault.warning) for fault in faults}


def entered(form: dict[str, object]) -> dict[str, str]:
    """A form as the acts take it."""
    return {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in form.items()}


# --- eligibility ------------------------------------------------------------------------------------------------------


@pytest.mark.rule("R19.1", "allows")
@pytest.mark.parametrize("day", [date(2021, 10, 1), date(2026, 9, 1), date(2026, 9, 30)])
def test_an_officer_is_eligible_on_every_day_of_his_certificate(day: date) -> None:
    assert is_eligible(SUN, day)
    must_be_eligible(SUN, day, day)


@pytest.mark.rule("R19.1", "refuses")
@pytest.mark.parametrize(
    ("first", "last", "reason", "code"),
    [
        (date(2021, 9, 30), date(2021, 9, 30), "not_started", "certificate_not_yet"),
        (date(2026, 10, 1), date(2026, 10, 1), "expired", "certificate_over"),
        (date(2026, 9, 15), date(2026, 10, 15), "expires", "certificate_over"),
    ],
)
def test_an_officer_is_not_eligible_outside_of_it_nor_when_it_ends_between_draw_and_visit(
    first: date, last: date, reason: str, code: str
) -> None:
    bar = eligibility(SUN, first, last)
    assert bar is not None and bar.reason == reason
    with pytest.raises(Problem) as found:
        must_be_eligible(SUN, first, last)
    assert (found.value.code, found.value.article) == (code, "19")


@pytest.mark.rule("R9.2", "allows")
def test_until_the_day_before_he_leaves_an_officer_is_eligible() -> None:
    left = Officer(**{name: getattr(SUN, name) for name in SUN.__struct_fields__} | {"left_on": "2026-09-10"})
    assert is_eligible(left, date(2026, 9, 9))
    assert not is_eligible(left, date(2026, 9, 10))
    with pytest.raises(Problem, match="person_left"):
        must_be_eligible(left, date(2026, 9, 9), date(2026, 9, 10))


def test_a_whole_day_of_leave_bars_and_half_a_day_leaves_the_other_half() -> None:
    whole = Leave("1", "sun", "2026-09-01", "2026-09-03", "whole", "annual")
    half = Leave("2", "sun", "2026-09-07", "2026-09-07", "morning", "training")
    others = Leave("3", "li", "2026-09-01", "2026-09-30", "whole", "annual")
    assert not is_eligible(SUN, date(2026, 9, 3), [whole])
    assert is_eligible(SUN, date(2026, 9, 4), [whole])
    assert is_eligible(SUN, date(2026, 9, 7), [half, others])
    days = [date(2026, 9, day) for day in range(1, 11)]
    assert half_days_away([whole, half], days) == 3 * 2 + 1


@pytest.mark.parametrize(
    ("today", "stands"),
    [
        (date(2021, 9, 30), "not_started"),
        (date(2026, 8, 30), "valid"),
        (date(2026, 8, 31), "soon"),
        (date(2026, 9, 30), "soon"),
        (date(2026, 10, 1), "expired"),
    ],
)
def test_a_certificate_ends_soon_from_thirty_days_before_its_last_day(today: date, stands: str) -> None:
    assert validity(SUN, today) == stands
    assert days_left(SUN, today) == (date(2026, 9, 30) - today).days


# --- officers and experts as entered ----------------------------------------------------------------------------------


@pytest.mark.rule("R9.1", "allows")
def test_an_officer_with_everything_that_article_9_asks_is_taken() -> None:
    form = people.officer(phone="１４０ ０００９ ９９９９", certificate_to="2027年1月5日")
    entry, faults = check_officer(entered(form), UNITS, TODAY)
    assert faults == [] and entry is not None
    assert (entry.phone, entry.certificate_to, entry.domains) == (
        "14000099999",
        "2027-01-05",
        ("hazardous_chemicals",),
    )


@pytest.mark.parametrize("field", ["name", "sex", "phone", "id_number", "certificate", "certificate_to", "unit_id"])
def test_an_officer_without_one_of_them_is_not(field: str) -> None:
    entry, faults = check_officer(entered(people.officer() | {field: " "}), UNITS, TODAY)
    assert entry is None
    assert (field, "missing", False) in codes(faults)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"phone": "1400000"}, ("phone", "phone_form", False)),
        ({"id_number": "411303190001010"}, ("id_number", "id_form", False)),
        ({"id_number": "41130319000230001X"}, ("id_number", "id_date", False)),
        ({"certificate_from": "2029-01-01", "certificate_to": "2028-12-31"}, ("certificate_to", "days_swapped", False)),
        ({"certificate_to": "2026-11-23"}, ("certificate_to", "certificate_over", True)),
        ({"unit_id": "nowhere"}, ("unit_id", "not_one_of", False)),
        ({"domains": ["fireworks"]}, ("domains", "not_one_of", False)),
        ({"domains": []}, ("domains", "missing", False)),
        ({"name": "白\u202e晓"}, ("name", "bidi_character", False)),
        ({"name": "14000000001"}, ("name", "number_in_text", False)),
        ({"certificate": "x" * 33}, ("certificate", "too_long", False)),
    ],
)
def test_what_is_wrong_with_an_officer_is_named_with_its_field(
    changes: dict[str, object], fault: tuple[str, str, bool]
) -> None:
    _, faults = check_officer(entered(people.officer() | changes), UNITS, TODAY)
    assert fault in codes(faults)


def test_a_sex_that_digit_17_does_not_agree_with_is_warned_of() -> None:
    number = people.id_number("female")
    assert int(number[16]) % 2 == 0
    entry, faults = check_officer(entered(people.officer(sex="male", id_number=number)), UNITS, TODAY)
    assert entry is not None
    assert codes(faults) == {("id_number", "sex_differs", True)}


def test_the_valid_number_of_the_domain_page_is_taken_and_says_female() -> None:
    assert ric.calc_check_digit("411303198512310045") == "5"
    entry, faults = check_officer(entered(people.officer(id_number="411303198512310045")), UNITS, TODAY)
    assert entry is not None and faults == []


def test_no_fault_holds_a_number() -> None:
    phone, number = "1400009", "411303190001019999"
    _, faults = check_officer(entered(people.officer(phone=phone, id_number=number)), UNITS, TODAY)
    assert {fault.field for fault in faults} == {"phone", "id_number"}
    assert phone not in repr(faults) and number not in repr(faults)


def test_a_mask_that_comes_back_leaves_what_is_stored() -> None:
    kept = Officer(
        "1", "白", "female", "brigade", "豫R1", "2025-01-01", "2029-01-01", ("other",), None, "140****9999", "4***X"
    )
    form = people.officer(phone="140****9999", id_number="4***X")
    entry, faults = check_officer(entered(form), UNITS, TODAY, kept)
    assert faults == [] and entry is not None
    assert (entry.phone, entry.id_number) == (None, None)
    entry, faults = check_officer(entered(form), UNITS, TODAY)
    assert entry is None
    assert {fault.field for fault in faults} == {"phone", "id_number"}


@pytest.mark.rule("R9.3", "allows")
def test_an_expert_is_taken_alike() -> None:
    entry, faults = check_expert(entered(people.expert()), UNITS, TODAY)
    assert faults == [] and entry is not None
    assert entry.employer == "某设计院"


@pytest.mark.parametrize("field", ["name", "sex", "phone", "id_number", "employer", "title", "unit_id", "domains"])
def test_an_expert_without_what_must_be_known_is_not(field: str) -> None:
    entry, faults = check_expert(entered(people.expert() | {field: ""}), UNITS, TODAY)
    assert entry is None
    assert (field, "missing", False) in codes(faults)


# --- agencies, interests, leave ---------------------------------------------------------------------------------------


@pytest.mark.rule("R25.2", "allows")
def test_an_agency_counts_for_the_days_of_its_contract() -> None:
    entry, faults = check_agency(entered(people.agency()), UNITS)
    assert faults == [] and entry is not None
    agency = Agency("1", entry.name, entry.uscc, entry.contract, entry.contract_from, entry.contract_to, entry.unit_id)
    assert is_commissioned(agency, date(2026, 12, 31))
    assert not is_commissioned(agency, date(2027, 1, 1))


@pytest.mark.parametrize("field", ["name", "uscc", "contract", "contract_from", "contract_to", "unit_id"])
def test_an_agency_without_name_or_contract_counts_for_nothing(field: str) -> None:
    entry, faults = check_agency(entered(people.agency() | {field: ""}), UNITS)
    assert entry is None
    assert (field, "missing", False) in codes(faults)


@pytest.mark.rule("R20.2", "allows")
def test_a_pair_is_left_out_of_draws_while_the_interest_holds() -> None:
    brother = Interest("1", "zhao", "s1", "kinship", "declared", "2026-01-01", None)
    former = Interest("2", "li", "s2", "former_employer", "found", "2019-01-01", "2026-08-31")
    assert barred_pairs([brother, former], date(2026, 9, 1), date(2026, 9, 30)) == {("zhao", "s1")}
    assert barred_pairs([brother, former], date(2026, 8, 31), date(2026, 9, 30)) == {("zhao", "s1"), ("li", "s2")}
    assert barred_pairs([brother, former], date(2018, 1, 1), date(2018, 12, 31)) == frozenset()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"officer_id": "nobody"}, ("officer_id", "not_one_of", False)),
        ({"subject": "91411303MA5JN8M19K"}, ("subject", "no_subject", False)),
        ({"kind": "friendship"}, ("kind", "not_one_of", False)),
        ({"source": ""}, ("source", "missing", False)),
        ({"until": "2025-12-31"}, ("until", "days_swapped", False)),
        ({"kind": "other", "note": ""}, ("note", "missing", False)),
        ({"note": "他哥哥电话 140-0000-0001"}, ("note", "number_in_text", False)),
    ],
)
def test_what_is_wrong_with_an_interest_is_named(changes: dict[str, object], fault: tuple[str, str, bool]) -> None:
    code = "91411303MA5JN8M19J"
    entry, faults = check_interest(entered(people.interest("zhao", code) | changes), ["zhao"], {code: "s1"})
    assert entry is None
    assert fault in codes(faults)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"part": "morning"}, ("part", "half_of_many_days", False)),
        ({"since": "2026-12-06", "until": "2026-12-07"}, ("since", "leave_overlaps", False)),
        ({"since": "2026-12-31"}, ("until", "days_swapped", False)),
        ({"kind": "sabbatical"}, ("kind", "not_one_of", False)),
    ],
)
def test_what_is_wrong_with_a_leave_is_named(changes: dict[str, object], fault: tuple[str, str, bool]) -> None:
    known = [Leave("1", "song", "2026-12-01", "2026-12-06", "whole", "annual")]
    entry, faults = check_leave(entered(people.leave("song") | changes), ["song"], known)
    assert entry is None
    assert fault in codes(faults)


def test_two_halves_of_a_day_do_not_overlap() -> None:
    known = [Leave("1", "song", "2026-12-07", "2026-12-07", "morning", "training")]
    form = people.leave("song", until="2026-12-07", part="afternoon")
    entry, faults = check_leave(entered(form), ["song"], known)
    assert entry is not None and faults == []


# --- masks ------------------------------------------------------------------------------------------------------------


def test_masks_are_those_of_the_trust_page() -> None:
    assert mask_phone("13812345678") == "138****5678"
    assert mask_phone("0377-63123456") == "037****3456"
    assert mask_phone("63123") == "****23"
    assert mask_phone("") == ""
    assert mask_id("41130319000101002X") == "4****************X"


@pytest.mark.parametrize(
    "text", ["打 14000000001", "１４０００００００１１", "身份证41130319000101002x。", "140-0000-0001"]
)
def test_a_number_in_a_free_text_is_found(text: str) -> None:
    assert number_faults("note", text) != []


@pytest.mark.parametrize("text", ["豫R13000001", "91411303MA5JN8M19J", "2026-11-24 至 2026-12-08", "12350"])
def test_other_numbers_are_left_alone(text: str) -> None:
    assert number_faults("note", text) == []


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("打 14000000001 找他", "打 140****0001 找他"),
        ("41130319000101002x", "4****************x"),
        ("1400000-0001", "…"),
        ("１４０００００００１１", "…"),
        ("豫R13000001", "豫R13000001"),
    ],
)
def test_a_fault_never_repeats_a_number_whatever_field_it_was_typed_into(typed: str, shown: str) -> None:
    assert hide_numbers(typed) == shown
    assert Fault("sex", "not_one_of", {"found": typed, "n": 3}).values == {"found": shown, "n": 3}
