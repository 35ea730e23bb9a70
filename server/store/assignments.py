"""The cards of visits: what the registries and the dispatch say of each, as phones carry it with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.store.tables import device, item, officer, subject, task, task_item, visit, visit_crew, visit_task


def cards(conn: Connection, visit_ids: Sequence[str]) -> list[dict[str, Any]]:
    """One card a visit, in the order of their ids."""
    if not visit_ids:
        return []
    crews, devices = _crews(conn, visit_ids), _devices(conn, visit_ids)
    tasks, phrases = _tasks(conn, visit_ids)
    query = (
        sa.select(visit, subject)
        .join(subject, subject.c.id == visit.c.subject_id)
        .where(visit.c.id.in_(visit_ids))
        .order_by(visit.c.id)
        .set_label_style(sa.LABEL_STYLE_TABLENAME_PLUS_COL)
    )
    found = []
    for row in conn.execute(query).mappings():
        id_ = row["visit_id"]
        found.append(
            {
                "id": id_,
                "tasks": tasks[id_],
                "round": row["visit_round"],
                "head": row["visit_head"],
                "window": {"from": row["visit_window_from"], "to": row["visit_window_to"]},
                "subject": _subject(row),
                "crew": crews[id_],
                "devices": devices[id_],
                "tpl": row["visit_tpl"],
                "nonce": row["visit_nonce"],
                "phrases": [phrase for task_ in tasks[id_] for one in task_["items"] for phrase in phrases[one]],
            }
        )
    return found


def _subject(row: Any) -> dict[str, Any]:
    """The subject card. Name and code are those of the dispatch, which the digest stands on."""
    place = None
    if row["subject_lat_e7"] is not None and row["subject_lon_e7"] is not None:
        place = {"lat_e7": row["subject_lat_e7"], "lon_e7": row["subject_lon_e7"]}
    return {
        "name": row["visit_subject_name"],
        "uscc": row["visit_subject_uscc"],
        "representative": row["subject_legal_representative"],
        "address": row["subject_address"],
        "contact": row["subject_contact"],
        "phone": row["subject_phone"],
        "kind": row["subject_kind"],
        "industry": row["subject_industry"],
        "risk": row["subject_risk"],
        "credit": row["subject_credit"],
        "flags": [{"kind": flag["kind"], "document": flag["document"]} for flag in row["subject_flags"]],
        "geo": place,
    }


def _crews(conn: Connection, visit_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    query = (
        sa.select(
            visit_crew.c.visit_id, visit_crew.c.role, officer.c.id, officer.c.name, officer.c.certificate,
            officer.c.certificate_to,
        )
        .join(officer, officer.c.id == visit_crew.c.officer_id)
        .where(visit_crew.c.visit_id.in_(visit_ids), visit_crew.c.role != "removed")
        .order_by(officer.c.id)
    )  # fmt: skip
    crews: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in conn.execute(query):
        crews[row.visit_id].append(
            {
                "officer": row.id,
                "name": row.name,
                "certificate": row.certificate,
                "certificate_to": row.certificate_to,
                "leader": row.role == "leader",
            }
        )
    return crews


def _devices(conn: Connection, visit_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The replicas of all who are or were in each visit: their ops stay to be checked."""
    query = (
        sa.select(visit_crew.c.visit_id, device.c.rid, device.c.account_id, device.c.public_key, device.c.revoked_at)
        .join(device, device.c.account_id == visit_crew.c.officer_id)
        .where(visit_crew.c.visit_id.in_(visit_ids))
        .order_by(device.c.enrolled_at, device.c.rid)
    )
    devices: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in conn.execute(query):
        devices[row.visit_id].append(
            {"rid": row.rid, "officer": row.account_id, "public_key": row.public_key, "revoked_at": row.revoked_at}
        )
    return devices


def _tasks(conn: Connection, visit_ids: Sequence[str]) -> tuple[dict[str, list[dict[str, Any]]], dict[str, list[Any]]]:
    query = (
        sa.select(visit_task.c.visit_id, task.c.id, task.c.due_on, task_item.c.item_id, item.c.phrases)
        .join(task, task.c.id == visit_task.c.task_id)
        .join(task_item, task_item.c.task_id == task.c.id)
        .join(item, item.c.id == task_item.c.item_id)
        .where(visit_task.c.visit_id.in_(visit_ids))
        .order_by(visit_task.c.visit_id, task.c.id, task_item.c.item_id)
    )
    tasks: dict[str, list[dict[str, Any]]] = defaultdict(list)
    phrases: dict[str, list[Any]] = defaultdict(list)
    for row in conn.execute(query):
        mine = tasks[row.visit_id]
        if not mine or mine[-1]["task"] != row.id:
            mine.append({"task": row.id, "items": [], "due_on": row.due_on})
        mine[-1]["items"].append(row.item_id)
        phrases[row.item_id] = row.phrases
    return tasks, phrases


def board(conn: Connection, visit_id: str) -> list[dict[str, Any]]:
    """The phones of the crew: when each spoke last, and what it said that it still holds."""
    query = (
        sa.select(device, officer.c.name.label("officer_name"))
        .join(visit_crew, visit_crew.c.officer_id == device.c.account_id)
        .join(officer, officer.c.id == device.c.account_id)
        .where(visit_crew.c.visit_id == visit_id, visit_crew.c.role != "removed")
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
