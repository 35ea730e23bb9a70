"""Codes are kept in one form, and a wrong one is told what was found and what was expected."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_10

from server.domain import codes
from server.domain.faults import Fault

USCC_SET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
PEOPLE = st.dates(date(1900, 1, 1), date(1910, 12, 31))


@st.composite
def credit_codes(draw: st.DrawFn) -> str:
    head = "".join(draw(st.lists(st.sampled_from(USCC_SET), min_size=2, max_size=2)))
    body = draw(st.from_regex(r"[0-9]{6}", fullmatch=True)) + "".join(
        draw(st.lists(st.sampled_from(USCC_SET), min_size=9, max_size=9))
    )
    return head + body + str(uscc.calc_check_digit(head + body))


@st.composite
def id_numbers(draw: st.DrawFn) -> str:
    body = draw(st.from_regex(r"[1-6][0-9]{5}", fullmatch=True)) + f"{draw(PEOPLE):%Y%m%d}"
    body += draw(st.from_regex(r"[0-9]{3}", fullmatch=True))
    return body + by_gb_11643(body)


def by_gb_11643(seventeen: str) -> str:
    """The last character of an ID number as GB 11643 prints it: weights, and a table of remainders."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return "10X98765432"[sum(weight * int(digit) for weight, digit in zip(weights, seventeen, strict=True)) % 11]


def by_the_standard(seventeen: str) -> str:
    """The check character as GB 32100 prints it: 31 minus the weighted sum modulo 31, weights the powers of 3."""
    total = sum(USCC_SET.index(one) * pow(3, place, 31) for place, one in enumerate(seventeen))
    return USCC_SET[-total % 31]


def by_iso_7064(fourteen: str) -> str:
    """The check digit by the pure system MOD 11,10, as the standard's procedure goes."""
    rest = 10
    for digit in fourteen:
        total = (int(digit) + rest) % 10 or 10
        rest = total * 2 % 11
    return str((11 - rest) % 10)


def kinds(faults: list[Fault]) -> list[str]:
    return [fault.code for fault in faults]


@pytest.mark.rule("R8.1", "allows")
@given(credit_codes())
def test_every_code_with_the_right_last_character_is_taken(code: str) -> None:
    assert code[-1] == by_the_standard(code[:17])
    assert codes.uscc_faults("uscc", code) == []


@pytest.mark.rule("R8.1", "allows")
@pytest.mark.parametrize("code", ["N2411303MF1234567E", "91350100M000100Y43"])
def test_codes_of_the_page_and_of_the_standard_are_taken(code: str) -> None:
    assert codes.is_uscc(code)


@pytest.mark.rule("R8.1")
@given(credit_codes(), st.sampled_from(USCC_SET))
def test_a_wrong_last_character_is_told_the_right_one(code: str, other: str) -> None:
    faults = codes.uscc_faults("uscc", code[:17] + other)
    right = by_the_standard(code[:17])
    expected = [] if other == right else [Fault("uscc", "uscc_check", {"found": other, "expected": right})]
    assert faults == expected


@pytest.mark.parametrize(
    ("code", "kind", "values"),
    [
        ("", "uscc_length", {"n": 0}),
        ("91411303MA12345", "uscc_length", {"n": 15}),
        ("91411303MA12345O78", "uscc_character", {"found": "O (U+004F)", "at": 16}),
        ("914113O3MA12345678", "uscc_digit", {"found": "O (U+004F)", "at": 7}),
        ("9141130\u202eMA12345678", "uscc_digit", {"found": "U+202E", "at": 8}),
        ("91411303МА12345678", "uscc_character", {"found": "М (U+041C)", "at": 9}),
    ],
)
def test_the_form_of_a_credit_code_is_told_by_its_place(code: str, kind: str, values: dict[str, str | int]) -> None:
    assert codes.uscc_faults("uscc", code) == [Fault("uscc", kind, values)]


@given(credit_codes())
def test_full_width_small_letters_and_blanks_are_made_plain(code: str) -> None:
    wide = "".join(chr(ord(one) + 0xFEE0) for one in code.lower())
    assert codes.normal_code(f" {wide[:8]}\u3000{wide[8:]}\t") == code


@pytest.mark.rule("R8.1", "allows")
@given(st.from_regex(r"[0-9]{14}", fullmatch=True))
def test_a_registration_number_ends_in_its_check_digit(fourteen: str) -> None:
    assert mod_11_10.calc_check_digit(fourteen) == by_iso_7064(fourteen)
    assert codes.registration_faults("registration", fourteen + by_iso_7064(fourteen)) == []


@given(st.from_regex(r"[0-9]{15}", fullmatch=True))
def test_a_registration_number_with_another_end_only_warns(number: str) -> None:
    right = by_iso_7064(number[:14])
    faults = codes.registration_faults("registration", number)
    values: dict[str, str | int] = {"found": number[-1], "expected": right}
    assert faults == ([] if number[-1] == right else [Fault("registration", "registration_check", values, True)])


@pytest.mark.rule("R8.1")
@pytest.mark.parametrize("number", ["1234", "41130300000000X", "٤١١٣٠٣٠٠٠٠٠٠٠٠٠"])
def test_a_registration_number_has_fifteen_digits(number: str) -> None:
    assert kinds(codes.registration_faults("registration", number)) == ["registration_form"]


@given(id_numbers())
def test_an_id_number_says_day_and_sex(number: str) -> None:
    assert codes.id_faults("id_number", number) == []
    assert f"{codes.born_on(number):%Y%m%d}" == number[6:14]
    assert codes.sex_of(number) == ("male" if number[16] in "13579" else "female")


def test_an_id_number_of_a_younger_county_is_valid_and_a_womans() -> None:
    assert codes.id_faults("id_number", "411303198512310045") == []
    assert codes.sex_of("411303198512310045") == "female"


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("41130319100101001", "id_form"),
        ("４１１３０３191001010011", "id_form"),
        ("411303190002290011", "id_date"),
        ("411303190013010011", "id_date"),
        ("411303198512310046", "id_check"),
    ],
)
def test_what_is_wrong_with_an_id_number_is_said_without_saying_it(number: str, kind: str) -> None:
    faults = codes.id_faults("id_number", number)
    assert kinds(faults) == [kind]
    assert number[1:17] not in str(faults[0].values)


def test_nobody_was_born_in_the_future() -> None:
    number = "41130319100101001"
    number += by_gb_11643(number)
    assert kinds(codes.id_faults("id_number", number, date(1910, 1, 1))) == []
    assert kinds(codes.id_faults("id_number", number, date(1909, 12, 31))) == ["id_date"]


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ("14000000001", "14000000001"),
        ("+86 140 0000 0001", "14000000001"),
        ("１４０－００００－０００１", "140-0000-0001"),
        ("0377-63123456", "0377-63123456"),
        ("（０３７７）63123456转801", "0377-63123456-801"),
        ("01063123456", "010-63123456"),
        ("63123456", "63123456"),
        ("4000001234", "400-000-1234"),
    ],
)
def test_a_phone_is_kept_in_one_form(entered: str, kept: str) -> None:
    assert codes.normal_phone(entered) == kept


@pytest.mark.parametrize("phone", ["140-0000-000", "12345678901", "1400000000", "电话", "14000000001;14000000002"])
def test_what_is_no_phone_is_refused_with_its_mask(phone: str) -> None:
    (fault,) = codes.phone_faults("phone", codes.normal_phone(phone))
    assert fault.code == "phone_form"
    assert "*" in str(fault.values["found"])


@pytest.mark.parametrize("code", ["411303", "110101", "659001"])
def test_a_region_has_six_digits_of_a_province(code: str) -> None:
    assert codes.region_faults("region", code) == []


@pytest.mark.parametrize("code", ["41130", "4113030", "991303", "41130a", "卧龙区"])
def test_what_is_no_region_is_refused(code: str) -> None:
    assert codes.region_faults("region", code) == [Fault("region", "region_form", {"found": code})]


@pytest.mark.parametrize("code", ["C", "C26", "C261", "C2619", "A0519"])
def test_an_industry_is_a_letter_and_up_to_four_digits(code: str) -> None:
    assert codes.industry_faults("industry", code) == []


@pytest.mark.parametrize("code", ["2619", "U2619", "C2", "C26190", "化工"])
def test_what_is_no_industry_is_refused(code: str) -> None:
    assert codes.industry_faults("industry", code) == [Fault("industry", "industry_form", {"found": code})]
