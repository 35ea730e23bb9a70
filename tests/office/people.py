"""Forms of officers, experts, agencies, interests and leave, all of nobody: valid unless a test says otherwise."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
from stdnum.cn import ric

from tests.office.district import HTML, Office

_numbers = itertools.count(57)  # the demo gives 51 to 56 to its experts

USCC = "91411300MA9F2T6K9W"


def phone() -> str:
    """A phone that rings nowhere, another each time."""
    return f"1400000{9000 + next(_numbers) % 1000}"


def id_number(sex: str = "female") -> str:
    """A valid ID number of nobody, another each time."""
    n = next(_numbers)
    body = f"411303{1900 + n % 11}{1 + n % 12:02d}{1 + n % 28:02d}{50 + n % 50:02d}{2 if sex == 'female' else 1}"
    return body + str(ric.calc_check_digit(body + "0"))


def officer(**changes: Any) -> dict[str, Any]:
    """The form of an officer of the clerk's unit."""
    return {
        "name": "白晓棠",
        "sex": "female",
        "phone": phone(),
        "id_number": id_number(changes.get("sex", "female")),
        "certificate": f"豫R99{next(_numbers):06d}",
        "certificate_from": "2025-01-01",
        "certificate_to": "2029-12-31",
        "unit_id": "hazchem-section",
        "domains": ["hazardous_chemicals"],
    } | changes


def expert(**changes: Any) -> dict[str, Any]:
    """The form of an expert whom the clerk's unit keeps."""
    return {
        "name": "柴若水",
        "sex": "female",
        "phone": phone(),
        "id_number": id_number(changes.get("sex", "female")),
        "employer": "某设计院",
        "title": "高级工程师",
        "unit_id": "hazchem-section",
        "domains": ["hazardous_chemicals", "other"],
    } | changes


def agency(**changes: Any) -> dict[str, Any]:
    """The form of an agency that the clerk's unit commissioned."""
    return {
        "name": "南阳安信检测有限公司",
        "uscc": USCC,
        "contract": f"委〔2026〕{next(_numbers)} 号",
        "contract_from": "2026-01-01",
        "contract_to": "2026-12-31",
        "unit_id": "hazchem-section",
    } | changes


def interest(officer_id: str, code: str, **changes: Any) -> dict[str, Any]:
    """The form of an interest."""
    return {
        "officer_id": officer_id,
        "subject": code,
        "kind": "kinship",
        "source": "declared",
        "since": "2026-01-01",
        "until": "",
        "note": "",
    } | changes


def leave(officer_id: str, **changes: Any) -> dict[str, Any]:
    """The form of two days of leave."""
    return {
        "officer_id": officer_id,
        "since": "2026-12-07",
        "until": "2026-12-08",
        "part": "whole",
        "kind": "annual",
        "reason": "",
    } | changes


def post(office: Office, path: str, form: dict[str, Any], who: str = "clerk") -> httpx.Response:
    """A form sent to a part of the officers' room, as a browser does."""
    return office.client(who).post(f"/office/officers{path}", data=form, headers=HTML)


def made(office: Office, path: str, form: dict[str, Any], who: str = "clerk") -> str:
    """The id of what a form makes."""
    answer = post(office, path, form, who)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rpartition("/")[2]


def code_of(office: Office, subject_id: str) -> str:
    """The credit code of a subject of the demo."""
    with office.db.read() as conn:
        row = conn.exec_driver_sql(f"SELECT * FROM subject WHERE id = '{subject_id}'").mappings().one()
    return str(row["uscc"])
