"""The acts on officers, experts, agencies, interests and leave."""

from __future__ import annotations

from typing import Any

from tests.office import people
from tests.office.district import Office
from tests.office.walks import Step


def _step(office: Office, path: str, form: dict[str, Any]) -> Step:
    return Step("clerk", lambda: people.post(office, path, form))


def _officer(office: Office) -> str:
    return people.made(office, "/new", people.officer())


def _expert(office: Office) -> str:
    return people.made(office, "/experts/new", people.expert())


def _left(office: Office, path: str) -> str:
    assert people.post(office, f"{path}/leave", LEAVING).status_code == 303
    return path


def _returns(office: Office, path: str) -> Step:
    return _step(office, f"{_left(office, path)}/return", {"left_reason": "借调结束"})


def _interest(office: Office) -> dict[str, Any]:
    return people.interest(_officer(office), people.code_of(office, "subject-005"))


def _end(office: Office) -> Step:
    assert people.post(office, "/interests/new", _interest(office)).status_code == 303
    newest = _newest(office, "interest")
    return _step(office, f"/interests/{newest}/end", {"until": "2026-11-30"})


def _cancel(office: Office) -> Step:
    assert people.post(office, "/leave/new", people.leave(_officer(office))).status_code == 303
    return _step(office, f"/leave/{_newest(office, 'leave')}/cancel", {"reason": "会议取消"})


def _newest(office: Office, table: str) -> str:
    with office.db.read() as conn:
        query = f'SELECT id FROM "{table}" ORDER BY entered_at DESC LIMIT 1'
        return str(conn.exec_driver_sql(query).scalar_one())


LEAVING = {"left_on": "2026-12-01", "left_reason": "调离"}
REVEALING = {"field": "phone", "reason": "通知换证"}

WALKS = {
    "officer.add": lambda office: _step(office, "/new", people.officer()),
    "officer.change": lambda office: _step(office, f"/{_officer(office)}/edit", people.officer(name="白晓梅")),
    "officer.leave": lambda office: _step(office, f"/{_officer(office)}/leave", LEAVING),
    "officer.return": lambda office: _returns(office, f"/{_officer(office)}"),
    "officer.reveal": lambda office: _step(office, f"/{_officer(office)}/reveal", REVEALING),
    "expert.add": lambda office: _step(office, "/experts/new", people.expert()),
    "expert.change": lambda office: _step(office, f"/experts/{_expert(office)}/edit", people.expert(title="教授")),
    "expert.leave": lambda office: _step(office, f"/experts/{_expert(office)}/leave", LEAVING),
    "expert.return": lambda office: _returns(office, f"/experts/{_expert(office)}"),
    "expert.reveal": lambda office: _step(office, f"/experts/{_expert(office)}/reveal", REVEALING),
    "agency.add": lambda office: _step(office, "/agencies/new", people.agency()),
    "agency.change": lambda office: _step(
        office,
        f"/agencies/{people.made(office, '/agencies/new', people.agency())}/edit",
        people.agency(contract_to="2027-12-31"),
    ),
    "interest.add": lambda office: _step(office, "/interests/new", _interest(office)),
    "interest.end": _end,
    "leave.add": lambda office: _step(office, "/leave/new", people.leave(_officer(office))),
    "leave.cancel": _cancel,
}
