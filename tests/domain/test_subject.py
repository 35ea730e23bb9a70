"""What a subject is made of, and what is said about one that isn't right."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.faults import Fault, stops
from server.domain.subject import Flag, check_flag, check_subject, differences, masked, values_of
from tests.subjects import VALID

FORM = values_of(VALID)
REQUIRED = (
    "name", "legal_representative", "address", "contact", "phone", "kind", "industry", "region", "risk", "credit",
    "status",
)  # fmt: skip


def faults_of(**changed: str) -> list[Fault]:
    return check_subject(FORM | changed, "s1")[1]


@pytest.mark.rule("R8.1", "allows")
def test_a_subject_that_is_shown_in_a_form_comes_back_as_it_was() -> None:
    full = msgspec.structs.replace(
        VALID,
        registration="411303000000004",
        traits=("hazardous_chemicals", "special_operations"),
        flags=(Flag("key_list", "名录〔2026〕2 号", "2026-01-01", "2026-12-31"),),
    )
    again, faults = check_subject(values_of(full), "s1")
    assert again == full
    assert not stops(faults)


@pytest.mark.rule("R8.1", "allows")
def test_either_code_is_enough() -> None:
    by_number, _ = check_subject(FORM | {"uscc": "", "registration": "411303000000004"}, "s1")
    assert by_number is not None
    assert (by_number.uscc, by_number.code) == (None, "411303000000004")


@pytest.mark.rule("R8.1")
def test_without_any_code_nobody_is_entered() -> None:
    assert faults_of(uscc="", registration=" ") == [Fault("uscc", "code_missing")]


@pytest.mark.rule("R8.1")
@pytest.mark.parametrize("field", REQUIRED)
def test_every_field_of_the_rule_must_be_there(field: str) -> None:
    subject, faults = check_subject({name: value for name, value in FORM.items() if name != field}, "s1")
    assert subject is None
    assert faults == [Fault(field, "missing")]


def test_all_that_is_wrong_is_said_at_once() -> None:
    faults = faults_of(
        name="南\u202e阳", uscc="91411303MAAY4CL120", phone="12", risk="", industry="化工", lat="99", lon="112"
    )
    assert [(fault.field, fault.code) for fault in faults] == [
        ("name", "bidi_character"),
        ("uscc", "uscc_check"),
        ("phone", "phone_form"),
        ("industry", "industry_form"),
        ("risk", "missing"),
        ("lat", "not_degrees"),
    ]


def test_no_fault_holds_the_phone_that_was_entered() -> None:
    (fault,) = faults_of(phone="140000123456789")
    assert "140000123456789" not in str(fault)


@pytest.mark.parametrize(
    ("lat", "lon", "field", "code"),
    [("32.99", "", "lon", "missing"), ("", "112.5", "lat", "missing"), ("2.9", "112.5", "lat", "not_degrees")],
)
def test_a_place_is_whole_and_in_china(lat: str, lon: str, field: str, code: str) -> None:
    assert [(fault.field, fault.code) for fault in faults_of(lat=lat, lon=lon)] == [(field, code)]


@given(st.integers(3 * 10**7, 54 * 10**7))
def test_degrees_are_kept_to_the_last_digit(lat_e7: int) -> None:
    subject, _ = check_subject(values_of(msgspec.structs.replace(VALID, lat_e7=lat_e7)), "s1")
    assert subject is not None
    assert subject.lat_e7 == lat_e7


@pytest.mark.rule("R15a.3", "allows")
def test_a_flag_has_a_document_and_holds_from_day_to_day() -> None:
    flag, faults = check_flag({"kind": "complaints", "document": "举报〔2026〕7 号", "from": "2026年3月1日", "to": ""})
    assert faults == []
    assert flag == Flag("complaints", "举报〔2026〕7 号", "2026-03-01", None)
    ended = msgspec.structs.replace(flag, until="2026-03-31")
    assert [ended.holds_on(day) for day in ("2026-02-28", "2026-03-01", "2026-03-31", "2026-04-01")] == [
        False, True, True, False,
    ]  # fmt: skip


@pytest.mark.rule("R15a.3")
@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"document": ""}, Fault("document", "missing")),
        ({"kind": "rumour"}, Fault("kind", "not_one_of", {"found": "rumour"})),
        ({"from": "昨天"}, Fault("from", "not_a_day", {"found": "昨天"})),
        ({"to": "2026-02-01"}, Fault("to", "flag_ends_before", {"since": "2026-03-01"})),
    ],
)
def test_a_flag_without_its_document_or_days_is_refused(changed: dict[str, str], fault: Fault) -> None:
    values = {"kind": "complaints", "document": "举报〔2026〕7 号", "from": "2026-03-01", "to": ""}
    assert check_flag(values | changed) == (None, [fault])


def test_what_changes_is_told_field_by_field_and_a_phone_by_its_mask() -> None:
    new = msgspec.structs.replace(VALID, phone="14000000002", risk="low")
    assert differences(VALID, new) == [
        {"field": "phone", "before": "140****0001", "after": "140****0002"},
        {"field": "risk", "before": "high", "after": "low"},
    ]


def test_a_mask_leaves_everything_else() -> None:
    assert masked(VALID) == msgspec.structs.replace(VALID, phone="140****0001")
