"""Gathers the case of a document: the record as it stands, who signed it, and the names around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from server.domain.access import allows
from server.domain.document import Standing
from server.domain.document_case import Case, Mark, Seal, Who, list_of, part_of, text_of
from server.domain.instant import beijing_day
from server.errors import Problem
from server.office.act import permit
from server.store import crews, directory, documents, officers, records, reviews, uploads, visits
from server.store.checkpoints import latest_checkpoint
from server.store.deadlines import PUBLICATION_TARGET, deadlines_of
from server.store.people import Person
from server.store.reviews import Past
from server.store.session import Connection
from server.store.visits import Locked


def record_for(conn: Connection, visit: Locked) -> Mapping[str, Any]:
    """The view of a visit as it stands; where the kept one is of before, the caller has to look again."""
    kept = records.kept(conn, visit.id)
    if kept is None or (kept.head, kept.media_rev) != (visit.head, records.media_rev(conn, visit.id)):
        raise Problem("record_moved")
    view: dict[str, Any] = msgspec.json.decode(kept.view)
    return view


def visit_for(conn: Connection, person: Person, right: str, visit_id: str, *, lock: bool = False) -> Locked:
    """A visit that this person sees and has a right on; for who doesn't see it there is none."""
    found = visits.lock(conn, visit_id) if lock else visits.look(conn, visit_id)
    if found is None or not allows(person.roles, person.unit_id, "documents.read", found.unit_id):
        raise Problem("not_found")
    permit(person, right, found.unit_id)
    return found


def standing_of(conn: Connection, visit: Locked, view: Mapping[str, Any], marks: Sequence[Mark]) -> Standing:
    """What decides which documents can be made."""
    content = view["content"]
    circumstances = list_of(part_of(content["visit"].get("noncooperation"), "circumstances"))
    return Standing(
        phase=view["phase"],
        digest=view["digest"],
        findings=list(content["finding"].values()),
        circumstances=[one for one in circumstances if isinstance(one, str)],
        signature_refused=any(one.role == "subject" and one.refused is not None for one in marks),
        is_recheck=documents.order_of_recheck(conn, visit.id) is not None,
    )


def case_of(conn: Connection, visit: Locked, view: Mapping[str, Any], now: datetime, org: str = "") -> Case:
    """The case of a visit today; `org` is the bureau in whose name documents are made."""
    history = reviews.history(conn, visit.id)
    template = directory.checklist(conn, visit.tpl)
    unit = reviews.unit_name(conn, visit.unit_id)
    tasks = reviews.tasks_of(conn, [visit.id]).get(visit.id, [])
    place = documents.place_of(conn, visit.subject_id)
    sealed = latest_checkpoint(conn)
    crew = _crew(conn, view)
    return Case(
        org=org or unit,
        unit=unit,
        visit_id=visit.id,
        subject=visit.subject_name,
        code=visit.subject_uscc,
        address=place.address,
        at=(place.lat_e7, place.lon_e7),
        tasks=list(dict.fromkeys(task for task, _ in tasks)),
        items=[(item["id"], item["name"]) for item in template["items"]],
        points=points_of(template),
        crew=crew,
        marks=marks_of(conn, visit, view, history, {one.id: one.name for one in crew}),
        rows=[f"{past.rid}:{past.seq}" for past in history if past.kind == "add" and past.standing == "ok"],
        view=view,
        ended_on=_ended_on(conn, visit.id, view, now),
        today=beijing_day(now).isoformat(),
        seal=None if sealed is None else Seal(sealed.size, sealed.root),
    )


def points_of(template: Mapping[str, Any]) -> dict[str, str]:
    """The number of each point as people know it: "section.place"."""
    sections: dict[str, list[str]] = {}
    for item in template["items"]:
        for point in item["points"]:
            sections.setdefault(point["section"], []).append(point["id"])
    return {
        point: f"{place}.{n:02d}"
        for place, points in enumerate(sections.values(), start=1)
        for n, point in enumerate(points, start=1)
    }


def marks_of(
    conn: Connection, visit: Locked, view: Mapping[str, Any], history: Sequence[Past], names: Mapping[str, str]
) -> list[Mark]:
    """The signatures that count, the latest of each signer, with their pictures where those are here."""
    bodies = {f"{past.rid}:{past.seq}": past.body for past in history if past.kind == "sign"}
    here, fields = uploads.here_for(conn, visit.id), view["content"]["visit"]
    experts = [one["signer"][7:] for one in view["signatures"] if one["signer"].startswith("expert:")]
    known = {**names, **{f"expert:{id}": name for id, name in crews.names_of_experts(conn, experts).items()}}
    known["subject"] = text_of(fields.get("attendee"))
    found: dict[str, Mark] = {}
    for one in view["signatures"]:
        if one["state"] == "current" and one["op"] in bodies:
            op = msgspec.json.decode(bodies[one["op"]])
            image = op["val"]["image"] if op["val"]["image"] in here else None
            signer = one["signer"]
            made = Mark(signer, one["role"], known.get(signer, ""), image, op["val"]["refused"], op["at"])
            found[signer] = max(found.get(signer, made), made, key=lambda mark: mark.at)
    return list(found.values())


def _crew(conn: Connection, view: Mapping[str, Any]) -> list[Who]:
    """The members, the leader first, each with the certificate that he shows."""
    rows = officers.officer_rows(conn, view["members"])
    ordered = sorted(view["members"], key=lambda id: (id != view["leader"], id))
    return [Who(id, rows[id]["name"], rows[id]["certificate"]) for id in ordered if id in rows]


def _ended_on(conn: Connection, visit_id: str, view: Mapping[str, Any], now: datetime) -> str:
    """The day on which the visit ended: by the first final, else as the phones say."""
    target = deadlines_of(conn, [f"visit:{visit_id}"], PUBLICATION_TARGET).get(f"visit:{visit_id}")
    if target is not None:
        return target.start_on.isoformat()
    left = text_of(part_of(view["content"]["visit"].get("left"), "at"))
    return left[:10] or beijing_day(now).isoformat()
