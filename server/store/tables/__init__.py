"""The tables of Suijian, as the migrations make them (`server/store/migrations`).

Times are RFC 3339 text in UTC with milliseconds ("2026-11-24T02:12:00.000Z"): equal on SQLite and PostgreSQL, sortable,
and what people see in an export. Days are "YYYY-MM-DD". Bytes that a digest or a signature stands on are kept as bytes.
"""

from server.store.tables.base import metadata
from server.store.tables.crews import crew_change, crew_contribution, crew_match, crew_plan, crew_way, recusal
from server.store.tables.documents import document, document_prefix, document_series, recheck
from server.store.tables.draws import draw, draw_chain, draw_contribution, draw_file, draw_frame, exclusion, excuse
from server.store.tables.house import counter, meta, trail, trail_number
from server.store.tables.imports import (
    code_set,
    import_batch,
    import_fault,
    import_row,
    province_mapping,
    province_state,
)
from server.store.tables.items import item, item_edition, list_entry, list_version
from server.store.tables.journal import apart, op, record, refusal_note, replica, review, set_aside
from server.store.tables.log import log_checkpoint, log_cosignature, log_key, log_tile, log_witness
from server.store.tables.media import blob, media, media_name, upload
from server.store.tables.non_random import non_random
from server.store.tables.objection import objection, objection_event, objection_paper, objection_try
from server.store.tables.officers import agency, expert, interest, leave, officer, personnel_history
from server.store.tables.people import account, device, session, sign_in_failure, unit
from server.store.tables.plans import (
    filing,
    joint_list,
    joint_list_row,
    plan,
    plan_line,
    plan_override,
    plan_unit,
    plan_version,
    selection,
)
from server.store.tables.publication import (
    correction,
    ledger_entry,
    publication,
    publication_term,
    publication_version,
    withholding,
)
from server.store.tables.registries import (
    notice,
    task,
    task_extension,
    task_item,
    task_override,
    template,
    withdrawal,
)
from server.store.tables.rules import calendar_year, deadline, deadline_change, rule_set, rule_set_decision
from server.store.tables.subjects import subject, subject_history, subject_status, subject_term, unit_subject
from server.store.tables.visits import assignments, visit, visit_crew, visit_task

__all__ = [
    "account",
    "agency",
    "apart",
    "assignments",
    "blob",
    "calendar_year",
    "code_set",
    "correction",
    "counter",
    "crew_change",
    "crew_contribution",
    "crew_match",
    "crew_plan",
    "crew_way",
    "deadline",
    "deadline_change",
    "device",
    "document",
    "document_prefix",
    "document_series",
    "draw",
    "draw_chain",
    "draw_contribution",
    "draw_file",
    "draw_frame",
    "exclusion",
    "excuse",
    "expert",
    "filing",
    "import_batch",
    "import_fault",
    "import_row",
    "interest",
    "item",
    "item_edition",
    "joint_list",
    "joint_list_row",
    "leave",
    "ledger_entry",
    "list_entry",
    "list_version",
    "log_checkpoint",
    "log_cosignature",
    "log_key",
    "log_tile",
    "log_witness",
    "media",
    "media_name",
    "meta",
    "metadata",
    "non_random",
    "notice",
    "objection",
    "objection_event",
    "objection_paper",
    "objection_try",
    "officer",
    "op",
    "personnel_history",
    "plan",
    "plan_line",
    "plan_override",
    "plan_unit",
    "plan_version",
    "province_mapping",
    "province_state",
    "publication",
    "publication_term",
    "publication_version",
    "recheck",
    "record",
    "recusal",
    "refusal_note",
    "replica",
    "review",
    "rule_set",
    "rule_set_decision",
    "selection",
    "session",
    "set_aside",
    "sign_in_failure",
    "subject",
    "subject_history",
    "subject_status",
    "subject_term",
    "task",
    "task_extension",
    "task_item",
    "task_override",
    "template",
    "trail",
    "trail_number",
    "unit",
    "unit_subject",
    "upload",
    "visit",
    "visit_crew",
    "visit_task",
    "withdrawal",
    "withholding",
]
