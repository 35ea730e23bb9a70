"""What people do on a visit of the demo, step by step: enter, answer, find, sum up, sign, propose."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from server.demo.findings import Found
from server.demo.phone import BEIJING, Phone
from server.domain.item import Item
from server.domain.subject import Subject


class Visit(NamedTuple):
    """A visit of the demo and who goes there; the leader's phone comes first."""

    id: str
    subject: Subject
    items: tuple[Item, ...]
    phones: tuple[Phone, ...]

    @property
    def leader(self) -> Phone:
        """The leader's phone."""
        return self.phones[0]

    @property
    def geo(self) -> dict[str, int]:
        """A place some 80 metres from the registered address."""
        return {
            "lat_e7": (self.subject.lat_e7 or 0) + 5200,
            "lon_e7": (self.subject.lon_e7 or 0) - 6100,
            "acc_cm": 1200,
        }


def meet(visit: Visit, moment: datetime) -> None:
    """Everybody's clock shows the same moment, and every phone has what the server has."""
    for phone in visit.phones:
        phone.clock = moment + timedelta(seconds=7 * visit.phones.index(phone))
    exchange(visit)


def exchange(visit: Visit) -> None:
    """Each phone exchanges, and once more, so that each has what the others sent."""
    latest = max(phone.clock for phone in visit.phones)
    for round_ in range(2):
        for place, phone in enumerate(visit.phones):
            phone.clock = latest + timedelta(seconds=20 + 30 * round_ + 5 * place)
            phone.sync()


def enter(visit: Visit) -> None:
    """The four steps at the gate, and the leader's sharing out of the sections."""
    for phone in visit.phones:
        phone.set(visit.id, f"visit/no_interest:{phone.person.id}", {"interest": False, "reason": ""})
    leader = visit.leader
    leader.set(visit.id, "visit/certificates_shown", True)
    leader.set(visit.id, "visit/arrived", _moment(visit))
    leader.set(visit.id, "visit/notice_read", True)
    leader.set(visit.id, "visit/methods", ["site", "document_review", "inquiry"])
    leader.set(visit.id, "visit/form", "risk_class")
    for place, section in enumerate(_sections(visit.items)):
        leader.set(visit.id, f"visit/section:{section}", [visit.phones[place % len(visit.phones)].person.id])
    exchange(visit)


def attend(visit: Visit, name: str, post: str) -> None:
    """Who was there for the subject."""
    visit.leader.set(visit.id, "visit/attendee", name)
    visit.leader.set(visit.id, "visit/attendee_post", post)


def answer(visit: Visit, fails: Collection[str] = (), *, share: float = 1.0) -> None:
    """Each answers his own sections: `fails` don't hold, what isn't there isn't applicable; `share` of all points."""
    for place, section in enumerate(_sections(visit.items)):
        phone = visit.phones[place % len(visit.phones)]
        points = [point for item in visit.items for point in item.checklist if point.section == section]
        for point in points[: round(len(points) * share)]:
            is_absent = "不适用" in point.how and point.id not in fails
            verdict = "fail" if point.id in fails else "na" if is_absent else "pass"
            phone.set(visit.id, f"answer/{point.id}/verdict", verdict)
            if is_absent:
                phone.set(visit.id, f"answer/{point.id}/note", "现场没有此类情形，经负责人确认。")


def find(visit: Visit, phone: Phone, found: Found, *, is_sent: bool = True) -> str:
    """Writes a finding down, with a photo; the row's id."""
    due = (phone.clock + timedelta(found.days or 0)).astimezone(BEIJING).date().isoformat()
    fields: dict[str, object] = {
        "point": found.point,
        "text": found.text,
        "place": found.place,
        "severity": found.severity,
        "measure": found.measure,
        "basis": _basis(visit.items, found.point),
    }
    if found.days is not None:
        fields["due"] = due
    row = phone.act(visit.id, "add", ["finding"], fields)
    phone.shoot(visit.id, f"finding:{row}", found.scene, visit.geo, is_sent=is_sent)
    return row


def conclude(visit: Visit, results: Mapping[str, list[str]], main: str, summary: str) -> None:
    """The leader sums up and chooses the results."""
    leader = visit.leader
    leader.set(visit.id, "visit/summary", summary)
    for item, types in results.items():
        leader.set(visit.id, f"visit/result:{item}", types)
    leader.set(visit.id, "visit/result", main)
    leader.set(visit.id, "visit/left", _moment(visit))
    exchange(visit)


def sign_all(visit: Visit, *, subject: bool = True, refusal: str | None = None) -> list[str]:
    """Every member signs on his own phone, the subject's representative on the leader's, or his refusal is recorded."""
    signed = [
        phone.sign(visit.id, phone.person.id, "leader" if phone is visit.leader else "member") for phone in visit.phones
    ]
    if subject:
        signed.append(visit.leader.sign(visit.id, "subject", "subject", refused=refusal))
    exchange(visit)
    return signed


def finish(visit: Visit, main: str, signed: Iterable[str]) -> None:
    """The leader proposes final, and the server answers."""
    visit.leader.propose(visit.id, main, list(signed))
    exchange(visit)


def _moment(visit: Visit) -> dict[str, object]:
    at = visit.leader.clock.astimezone(BEIJING).isoformat(timespec="seconds")
    return {"at": at, "geo": visit.geo, "nonce": visit.leader.pages[visit.id].card["nonce"]}


def _sections(items: Iterable[Item]) -> list[str]:
    return list(dict.fromkeys(point.section for item in items for point in item.checklist))


def _basis(items: Iterable[Item], point: str) -> str:
    return next(found.basis for item in items for found in item.checklist if found.id == point)
