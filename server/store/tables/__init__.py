"""The tables of Suijian, as the migrations make them (`server/store/migrations`).

Times are RFC 3339 text in UTC with milliseconds ("2026-11-24T02:12:00.000Z"): equal on SQLite and PostgreSQL, sortable,
and what people see in an export. Days are "YYYY-MM-DD". Bytes that a digest or a signature stands on are kept as bytes.
"""

from server.store.tables.base import metadata
from server.store.tables.house import counter, meta, trail
from server.store.tables.journal import apart, op, record, replica, review
from server.store.tables.media import blob, media, media_name, upload
from server.store.tables.officers import agency, expert, interest, leave, officer, personnel_history
from server.store.tables.people import account, device, session, sign_in_failure, unit
from server.store.tables.registries import item, subject, task, task_item, template, unit_subject
from server.store.tables.visits import assignments, visit, visit_crew, visit_task

__all__ = [
    "account",
    "agency",
    "apart",
    "assignments",
    "blob",
    "counter",
    "device",
    "expert",
    "interest",
    "item",
    "leave",
    "media",
    "media_name",
    "meta",
    "metadata",
    "officer",
    "op",
    "personnel_history",
    "record",
    "replica",
    "review",
    "session",
    "sign_in_failure",
    "subject",
    "task",
    "task_item",
    "template",
    "trail",
    "unit",
    "unit_subject",
    "upload",
    "visit",
    "visit_crew",
    "visit_task",
]
