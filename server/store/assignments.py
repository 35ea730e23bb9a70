"""The cards of visits: what the registries and the dispatch say of each, as phones carry it with them."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.store.bulk import Plain
from server.store.seal import Sealer
from server.store.subjects import open_phone
from server.store.tables import (
    crew_plan,
    device,
    item,
    officer,
    recusal,
    subject,
    task,
    task_item,
    visit,
    visit_crew,
    visit_task,
)

_mine = visit_crew.alias("mine")
_IS_MINE = sa.and_(_mine.c.officer_id == sa.bindparam("officer"), _mine.c.role != "removed")


_CARDS = Plain(
    sa.select(
        visit.c.id, visit.c.round, visit.c.head, visit.c.window_from, visit.c.window_to, visit.c.tpl, visit.c.nonce,
        visit.c.subject_name, visit.c.subject_uscc, subject.c.legal_representative, subject.c.address,
        subject.c.contact, subject.c.kind, subject.c.industry, subject.c.risk, subject.c.credit, subject.c.flags,
        subject.c.lat_e7, subject.c.lon_e7, subject.c.id, subject.c.phone, crew_plan.c.half_day,
    )
    .join(_mine, _mine.c.visit_id == visit.c.id)
    .join(subject, subject.c.id == visit.c.subject_id)
    .outerjoin(crew_plan, crew_plan.c.visit_id == visit.c.id)
    .where(_IS_MINE)
    .order_by(visit.c.id)
)  # fmt: skip
_CREWS = Plain(
    sa.select(
        visit_crew.c.visit_id, visit_crew.c.role, officer.c.id, officer.c.name, officer.c.certificate,
        officer.c.certificate_to,
    )
    .join(_mine, _mine.c.visit_id == visit_crew.c.visit_id)
    .join(officer, officer.c.id == visit_crew.c.officer_id)
    .where(_IS_MINE)
    .order_by(officer.c.id)
)  # fmt: skip
_RECUSALS = Plain(
    sa.select(
        recusal.c.visit_id, recusal.c.officer_id, recusal.c.kind, recusal.c.asked_on, recusal.c.asker, recusal.c.reason,
        recusal.c.state, recusal.c.answer, recusal.c.decided_at,
    )
    .join(_mine, _mine.c.visit_id == recusal.c.visit_id)
    .where(_IS_MINE)
    .order_by(recusal.c.entered_at, recusal.c.id)
)  # fmt: skip
_DEVICES = Plain(
    sa.select(visit_crew.c.visit_id, device.c.rid, device.c.account_id, device.c.public_key, device.c.revoked_at)
    .join(_mine, _mine.c.visit_id == visit_crew.c.visit_id)
    .join(device, device.c.account_id == visit_crew.c.officer_id)
    .where(_IS_MINE)
    .order_by(device.c.enrolled_at, device.c.rid)
)
_TASKS = Plain(
    sa.select(visit_task.c.visit_id, task.c.id, task.c.due_on, task_item.c.item_id)
    .join(_mine, _mine.c.visit_id == visit_task.c.visit_id)
    .join(task, task.c.id == visit_task.c.task_id)
    .join(task_item, task_item.c.task_id == task.c.id)
    .where(_IS_MINE)
    .order_by(visit_task.c.visit_id, task.c.id, task_item.c.item_id)
)
_PHRASES = Plain(
    sa.select(item.c.id, item.c.phrases).where(
        item.c.id.in_(
            sa.select(task_item.c.item_id)
            .join(visit_task, visit_task.c.task_id == task_item.c.task_id)
            .join(_mine, _mine.c.visit_id == visit_task.c.visit_id)
            .where(_IS_MINE)
        )
    )
)


def cards(conn: Connection, officer_id: str, sealer: Sealer | None) -> list[dict[str, Any]]:
    """One card for each visit that the officer is in, in the order of their ids.

    `half_day` (for when it is planned), `former` (who left the crew) and `recusals` (what the office knows of them) are
    there only where there are any.
    """
    (crews, former), devices = _crews(conn, officer_id), _devices(conn, officer_id)
    tasks, phrases = _tasks(conn, officer_id), dict(_PHRASES.rows(conn, officer=officer_id))
    recusals = _recusals(conn, officer_id)
    found = []
    for row in _CARDS.rows(conn, officer=officer_id):
        id_, round_, head, window_from, window_to, tpl, nonce, *about, half_day = row
        found.append(
            {
                "id": id_,
                "tasks": tasks[id_],
                "round": round_,
                "head": head,
                "window": {"from": window_from, "to": window_to},
                "subject": _subject(sealer, *about),
                "crew": crews[id_],
                "devices": devices[id_],
                "tpl": tpl,
                "nonce": nonce,
                "phrases": [phrase for task_ in tasks[id_] for one in task_["items"] for phrase in phrases[one]],
                **({"half_day": half_day} if half_day else {}),
                **({"former": former[id_]} if id_ in former else {}),
                **({"recusals": recusals[id_]} if id_ in recusals else {}),
            }
        )
    return found


_SUBJECT = ("name", "uscc", "representative", "address", "contact", "kind", "industry", "risk", "credit")


def _subject(sealer: Sealer | None, *about: Any) -> dict[str, Any]:
    """The subject card, its phone in the clear: the crew has to reach him. Name and code are those of the dispatch."""
    *said, flags, lat, lon, subject_id, phone = about
    return {
        **dict(zip(_SUBJECT, said, strict=True)),
        "phone": open_phone(sealer, subject_id, phone),
        "flags": [{"kind": flag["kind"], "document": flag["document"]} for flag in flags],
        "geo": None if lat is None or lon is None else {"lat_e7": lat, "lon_e7": lon},
    }


_Lists = dict[str, list[dict[str, Any]]]


def _crews(conn: Connection, officer_id: str) -> tuple[_Lists, _Lists]:
    """Of each visit who is in its crew, and who was."""
    crews: _Lists = defaultdict(list)
    former: _Lists = defaultdict(list)
    for visit_id, role, id_, name, certificate, certificate_to in _CREWS.rows(conn, officer=officer_id):
        if role == "removed":
            former[visit_id].append({"officer": id_, "name": name, "certificate": certificate})
            continue
        crews[visit_id].append(
            {
                "officer": id_,
                "name": name,
                "certificate": certificate,
                "certificate_to": certificate_to,
                "leader": role == "leader",
            }
        )
    return crews, former


_RECUSAL = ("officer", "kind", "asked_on", "asker", "reason", "state", "answer", "decided_at")


def _recusals(conn: Connection, officer_id: str) -> _Lists:
    """What the office holds of recusals: declared there, or asked for by the subject, with the principal's word."""
    recusals: _Lists = defaultdict(list)
    for visit_id, *said in _RECUSALS.rows(conn, officer=officer_id):
        recusals[visit_id].append(dict(zip(_RECUSAL, said, strict=True)))
    return recusals


def _devices(conn: Connection, officer_id: str) -> dict[str, list[dict[str, Any]]]:
    """The replicas of all who are or were in each visit: their ops stay to be checked."""
    devices: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for visit_id, rid, owner, public_key, revoked_at in _DEVICES.rows(conn, officer=officer_id):
        devices[visit_id].append({"rid": rid, "officer": owner, "public_key": public_key, "revoked_at": revoked_at})
    return devices


def _tasks(conn: Connection, officer_id: str) -> dict[str, list[dict[str, Any]]]:
    tasks: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for visit_id, id_, due_on, item_id in _TASKS.rows(conn, officer=officer_id):
        mine = tasks[visit_id]
        if not mine or mine[-1]["task"] != id_:
            mine.append({"task": id_, "items": [], "due_on": due_on})
        mine[-1]["items"].append(item_id)
    return tasks


def board(conn: Connection, visit_id: str) -> list[dict[str, Any]]:
    """The phones of all who are or were in the crew: when each spoke last, and what it said that it still holds."""
    query = (
        sa.select(device, officer.c.name.label("officer_name"))
        .join(visit_crew, visit_crew.c.officer_id == device.c.account_id)
        .join(officer, officer.c.id == device.c.account_id)
        .where(visit_crew.c.visit_id == visit_id)
        .order_by(device.c.account_id, device.c.enrolled_at, device.c.rid)
    )
    return [
        {
            "officer": row.account_id,
            "name": row.officer_name,
            "rid": row.rid,
            "device": row.name,
            "seen_at": row.seen_at,
            "revoked_at": row.revoked_at,
            "pending": row.pending,
        }
        for row in conn.execute(query)
    ]
