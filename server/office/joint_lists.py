"""The subject list of a joint task that another department leads: kept as it came, and matched by code (R13.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Final

from server.domain.codes import normal_code, registration_faults, uscc_faults
from server.domain.entry import Entry
from server.domain.faults import Fault, stops
from server.domain.instant import beijing_day
from server.domain.text import clean
from server.errors import Problem
from server.office.act import act, digest_of, named, permit
from server.office.plans import Faulty
from server.store import joint_lists, plans, trail
from server.store.joint_lists import JointList, Row
from server.store.people import Person
from server.store.session import Connection

MOST_BYTES: Final = 2_000_000
MOST_ROWS: Final = 5_000


@act("joint_list.import", "plan_lines.change")
def import_list(
    conn: Connection,
    person: Person,
    now: datetime,
    line_id: str,
    values: Mapping[str, str],
    file: tuple[str, bytes],
) -> str:
    """Keeps a lead's list for a line in which we take part, with its document and the file's digest; its id."""
    kept = plans.line_of(conn, line_id)
    if kept is None:
        raise Problem("not_found")
    permit(person, "plan_lines.change", kept.line.unit_id)
    if kept.line.joint != "participant":
        raise Problem("joint_not_participant")
    entry = Entry(values)
    lead, document = entry.name("lead", most=80), entry.line("document", most=120)
    on = entry.day("drawn_on")
    if on is not None and not entry.faults and on > beijing_day(now).isoformat():
        entry.wrong("drawn_on", "plan_future", found=on)
    name, content = file
    rows, faults = read_list(content)
    if on is None or not entry.is_good or faults:
        raise Faulty("joint_list_invalid", [*entry.faults, *faults])
    ours = joint_lists.matched(conn, [row.code for row in rows])
    made = JointList(
        id=named(line_id, sha256(content).hexdigest()),
        year=kept.year,
        line_id=line_id,
        unit_id=kept.line.unit_id,
        lead=lead,
        document=document,
        drawn_on=on,
        file_name=clean(name)[:120],
        sha256=sha256(content).hexdigest(),
        by=person.id,
        at="",
        rows=tuple(Row(row.place, row.code, row.name, ours.get(row.code)) for row in rows),
    )
    joint_lists.add_list(conn, made, now)
    detail = {"lead": lead, "document": document, "sha256": made.sha256, "rows": len(rows), "matched": len(ours)}
    trail.append(
        conn, [trail.Act("joint_list.import", person.id, f"joint_list:{made.id}", None, digest_of(made), detail)], now
    )
    return made.id


def read_list(content: bytes) -> tuple[list[Row], list[Fault]]:
    """The subjects of a list: a line each, first the code, then the name; a line without a code is the head."""
    if not content.strip():
        return [], [Fault("file", "missing")]
    if len(content) > MOST_BYTES:
        return [], [Fault("file", "joint_too_large", {"most": MOST_ROWS})]
    text = _decoded(content)
    if text is None:
        return [], [Fault("file", "joint_not_text")]
    rows: list[Row] = []
    faults: list[Fault] = []
    seen: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        cells = re.split(r"[,，;；\t]", line, maxsplit=1)
        code = normal_code(cells[0].strip('" '))
        if not code or (number == 1 and not any(letter.isdigit() for letter in code)):
            continue
        if _is_wrong(code):
            faults.append(Fault("file", "joint_bad_code", {"row": number, "found": code[:20]}))
        elif code in seen:
            faults.append(Fault("file", "joint_twice", {"row": number, "found": code}))
        seen.add(code)
        rows.append(Row(len(rows) + 1, code, clean(cells[1].strip('" '))[:120] if len(cells) > 1 else "", None))
    if not rows:
        faults.append(Fault("file", "joint_empty"))
    if len(rows) > MOST_ROWS:
        faults.append(Fault("file", "joint_too_large", {"most": MOST_ROWS}))
    return rows, faults[:20]


def _is_wrong(code: str) -> bool:
    """Whether it is neither a credit code nor a registration number; a wrong check digit of the latter only warns."""
    return stops(registration_faults("file", code) if len(code) == 15 else uscc_faults("file", code))


def _decoded(content: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if "\0" in text else text
    return None
