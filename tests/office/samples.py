"""What the addresses of the app are filled with in the demo district: of the clerk's unit, and of another unit."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from random import Random
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from server.demo.district import LEGAL
from server.store import crews as crew_store
from server.store import tables
from tests.imports.bringing import brought, csv_of
from tests.imports.planted import good_row
from tests.office.district import IDS, Office
from tests.office.documenting import fresh_order
from tests.office.walks import crews as crew_walks
from tests.office.walks import draws as walks
from tests.office.walks import objections as objection_walks
from tests.office.walks import publication as public_walks
from tests.office.walks import tasks as task_walks
from tests.phone import Phone

OWN, FOREIGN = "hazchem-section", "industry-section"
"""The unit of the demo's clerk and head, and the other one with a library."""

ITEMS = {OWN: "hazchem-storage", FOREIGN: "confined-space", LEGAL: "hazchem-storage"}
"""What each of the two units draws for, and the legal unit over all units."""

OPEN = ((OWN, "fresh-two"), (FOREIGN, "fresh-zhao"))
"""A visit of each of the two units that has a crew and isn't begun."""

PUBLISHED = (("approved", OWN), ("unqualified", FOREIGN))
"""A final visit of each of the two units whose result is published for the samples."""

NOVEMBER = "?month=2026-11"
"""The month of the demo's leave."""

NOT_THERE = str(UUID(int=0))
"""An id of the right shape that nothing has."""


class Sample(NamedTuple):
    """Ids of two objects. `foreign` is None where the object belongs to the bureau as a whole; `legal` is one of the
    legal unit's, of the things that it draws over all units."""

    own: str
    foreign: str | None
    legal: str | None = None


class Listed(NamedTuple):
    """How a list shows an object of the own unit and one of the other: what is asked, and what then stands there."""

    own: tuple[str, str]
    foreign: tuple[str, str] | None


def first(office: Office, column: sa.Column[str], *where: sa.ColumnElement[bool]) -> str:
    """The least value of a column among the rows that fit: the same one each time."""
    with office.db.read() as conn:
        return str(conn.execute(sa.select(column).where(*where).order_by(column).limit(1)).scalar_one())


def by_unit(column: sa.Column[str], unit_id: sa.Column[str]) -> Callable[[Office], Sample]:
    """The first object of each of the two units."""
    return lambda office: Sample(first(office, column, unit_id == OWN), first(office, column, unit_id == FOREIGN))


def listed(path: str, name: str, query: str = "") -> Callable[[Office], Listed]:
    """A list that links the samples of a parameter, below `path`."""

    def find(office: Office) -> Listed:
        sample = SAMPLES[name](office)
        foreign = None if sample.foreign is None else (query, f'{path}/{sample.foreign}"')
        return Listed((query, f'{path}/{sample.own}"'), foreign)

    return find


def _photo(visit: str) -> Callable[[Office], str]:
    named = tables.media_name

    def find(office: Office) -> str:
        return first(office, named.c.sha256, named.c.visit_id == IDS[visit], named.c.role == "attach")

    return find


def _device(office: Office, officer: str) -> str:
    """The phone that the demo enrolled for somebody, not one that a test enrolled since."""
    device = tables.device
    query = sa.select(device.c.rid).where(device.c.account_id == officer).order_by(device.c.enrolled_at).limit(1)
    with office.db.read() as conn:
        return str(conn.execute(query).scalar_one())


def _template(office: Office) -> Sample:
    return Sample(first(office, tables.template.c.sha256, sa.true()), None)


def _upload(office: Office, officer: str) -> str:
    """An upload that somebody's phone began."""
    phone = Phone(office.running.url, officer).sign_in().enrol()
    meta = "mime " + base64.b64encode(b"image/jpeg").decode()
    begun = {"Tus-Resumable": "1.0.0", "Upload-Length": "300000", "Upload-Metadata": meta}
    answer = phone.http.post("/api/media", headers=begun)
    return answer.raise_for_status().headers["location"].rpartition("/")[2]


@cache
def _batch(office: Office, clerk: str) -> str:
    """An import that waits to be applied."""
    row = good_row(Random(clerk), 1, set())
    return brought(office.client(clerk), csv_of([row])).rpartition("/")[2]


def _lines(office: Office) -> Sample:
    """A line of each unit in the plan of 2026."""
    line = tables.plan_line.c
    own, foreign = (first(office, line.id, line.year == 2026, line.unit_id == unit) for unit in (OWN, FOREIGN))
    return Sample(own, foreign)


@cache
def _draw(office: Office, unit: str) -> str:
    """A drawn draw of a unit with a file of evidence, sealed."""
    return walks.with_evidence(office, unit, ITEMS[unit])


@cache
def _open_draw(office: Office) -> str:
    """The number of a draw whose file everybody may read."""
    return walks.draw_of(office, walks.drawn(office, disclosure="open")).no


@cache
def _task_to_draw(office: Office, unit: str) -> str:
    """A task of a unit whose draw can begin."""
    return walks.approved(office, unit, ITEMS[unit])


@cache
def _task(office: Office, unit: str) -> str:
    """A task of a unit that waits for its head."""
    return task_walks.entered(office, unit, ITEMS[unit])


@cache
def _withdrawal(office: Office, unit: str) -> str:
    """A request to take a subject out of a task of a unit."""
    return task_walks.asked(office, unit, ITEMS[unit])


@cache
def _notice(office: Office) -> str:
    """The number of a notice that everybody may read."""
    task_walks.dispatched(office)
    return first(office, tables.notice.c.no)


@cache
def _exclusion(office: Office, unit: str) -> str:
    """A request to leave a subject of a unit's library out."""
    return walks.exclusion(office, unit)


def _evidence(office: Office, unit: str) -> str:
    """What lies behind the first number of the sample draw."""
    found = walks.draw_of(office, _draw(office, unit)).contributions[0].evidence
    assert found is not None
    return found


@cache
def _crew_task(office: Office, unit: str) -> str:
    """A dispatched task of a unit whose visits have no crew."""
    return crew_walks.planned(office, unit, ITEMS[unit])


@cache
def _crew_way(office: Office, unit: str) -> str:
    """A way out of a shortage that waits for the head of a unit."""
    return crew_walks.way(office, unit, ITEMS[unit])


@cache
def _asked_of(office: Office, unit: str, visit: str, kind: str) -> str:
    """A replacement, or a recusal, at a visit of the demo."""
    with office.db.read() as conn:
        seen = crew_store.visit_seen(conn, IDS[visit])
    assert seen is not None
    made: str = getattr(crew_walks, kind)(office, seen, unit)
    return made


@cache
def _excuse(office: Office, unit: str) -> str:
    """A request to excuse a drawn subject."""
    return walks.excuse(office, unit, ITEMS[unit])


@cache
def _order(office: Office, clerk: str, visit: str) -> str:
    """An order to correct at a visit of the demo."""
    return fresh_order(office, clerk, visit)


def _by_code(office: Office, subject_id: str | None) -> tuple[str, str]:
    """The search that finds a subject, and how its line begins."""
    return f"?q={first(office, tables.subject.c.uscc, tables.subject.c.id == subject_id)}", f'/{subject_id}"'


SAMPLES: dict[str, Callable[[Office], Sample]] = {
    "visit_id": lambda office: Sample(IDS["ordered"], IDS["unqualified"]),
    "sha256": lambda office: Sample(_photo("ordered")(office), _photo("unqualified")(office)),
    "upload_id": lambda office: Sample(_upload(office, "li"), _upload(office, "zhao")),
    "rid": lambda office: Sample(_device(office, "li"), _device(office, "zhao")),
    "version": lambda office: Sample("3", None),
    "year": lambda office: Sample("2026", None),
    "item_id": lambda office: Sample("hazchem-storage", "confined-space"),
    "batch_id": lambda office: Sample(_batch(office, "clerk"), _batch(office, "clerk-ic")),
    "kind": lambda office: Sample("item", None),
    "/office/imports/templates/{name:str}": lambda office: Sample("subjects.xlsx", None),
    "account_id": lambda office: Sample("song", "chen"),
    "unit_id": lambda office: Sample("brigade", None),
    "entry_n": lambda office: Sample("1", None),
    "rules_version": lambda office: Sample("1", None),
    "calendar_year": lambda office: Sample("2026", None),
    "inspection_id": by_unit(tables.non_random.c.id, tables.non_random.c.unit_id),
    "plan_id": lambda office: Sample("2026", None),
    "plan_version": lambda office: Sample("1", None),
    "line_id": _lines,
    "override_id": lambda office: Sample(first(office, tables.plan_override.c.id), None),
    "officer_id": lambda office: Sample("liu", "zhao"),
    "subject_id": lambda office: Sample("subject-002", "subject-480"),
    "expert_id": lambda office: Sample("expert-1", "expert-3"),
    "agency_id": lambda office: Sample("agency-1", "agency-2"),
    "interest_id": lambda office: Sample("interest-2", "interest-1"),
    "leave_id": lambda office: Sample("leave-1", "leave-2"),
    "draw_id": lambda office: Sample(*(_draw(office, one) for one in ITEMS)),
    "exclusion_id": lambda office: Sample(_exclusion(office, OWN), _exclusion(office, FOREIGN)),
    "excuse_id": lambda office: Sample(_excuse(office, OWN), _excuse(office, FOREIGN)),
    "evidence_id": lambda office: Sample(_evidence(office, OWN), _evidence(office, FOREIGN)),
    "file_version": lambda office: Sample("1", None),
    "no": lambda office: Sample(_open_draw(office), None),
    "file_name": lambda office: Sample("1-1.json", None),
    "/office/draws/tasks/{task_id:str}": lambda office: Sample(*(_task_to_draw(office, one) for one in ITEMS)),
    "task_id": lambda office: Sample(*(_task(office, one) for one in ITEMS)),
    "withdrawal_id": lambda office: Sample(_withdrawal(office, OWN), _withdrawal(office, FOREIGN)),
    "/office/tasks/overrides/{override_id:str}": lambda office: Sample(task_walks.below(office), None),
    "/notices/{no:str}": lambda office: Sample(_notice(office), None),
    "crew_task_id": lambda office: Sample(_crew_task(office, OWN), _crew_task(office, FOREIGN)),
    "crew_way_id": lambda office: Sample(_crew_way(office, OWN), _crew_way(office, FOREIGN)),
    "crew_change_id": lambda office: Sample(*(_asked_of(office, *one, "change") for one in OPEN)),
    "recusal_id": lambda office: Sample(*(_asked_of(office, *one, "recusal") for one in OPEN)),
    "document_id": lambda office: Sample(_order(office, "clerk", "ordered"), _order(office, "clerk-ic", "unqualified")),
    "result_no": lambda office: Sample(public_walks.published(office).no, None),
    "version_file": lambda office: Sample("v1.json", None),
    "version_n": lambda office: Sample("1", None),
    "task_no": lambda office: Sample(_notice(office), None),
    "result_id": lambda office: Sample(*(public_walks.result_id(office, one) for one in ("ordered", "unqualified"))),
    "withholding_id": lambda office: Sample(public_walks.withholding(office, "refused"), None),
    "objection_id": lambda office: Sample(*(objection_walks.sample(office, *one) for one in PUBLISHED)),
    "paper_n": lambda office: Sample("1", "1"),
    "correction_id": lambda office: Sample(*(public_walks.correction(office, *one) for one in PUBLISHED)),
    "/office/publication/results/{no:str}/corrections": lambda office: Sample(
        *(public_walks.published(office, *one).no for one in PUBLISHED)
    ),
    "rest": lambda office: Sample("nowhere", None),
    "/api/templates/{sha256:str}": _template,
}
"""A path's parameter, or for one path alone the whole path -> what it is filled with."""

LISTED: dict[str, Callable[[Office], Listed]] = {
    "/office/items": lambda office: Listed(("", "/office/items/hazchem-storage"), ("", "/office/items/confined-space")),
    "/office/imports": lambda office: Listed(("", _batch(office, "clerk")), ("", _batch(office, "clerk-ic"))),
    "/office/accounts": listed("/office/accounts", "account_id"),
    "/office/units": listed("/office/units", "unit_id"),
    "/office/devices": listed("/office/devices", "rid"),
    "/office/non-random": listed("/office/non-random", "inspection_id"),
    "/office/plans": listed("/office/plans", "plan_id"),
    "/office/draws": listed("/office/draws", "draw_id"),
    "/office/crews": listed("/office/crews", "crew_task_id"),
    "/office/publication": lambda office: Listed(
        *(("?show=published", public_walks.result_id(office, name)) for name, _ in PUBLISHED)
    ),
    "/office/documents": listed("/office/documents", "document_id"),
    "/office/objections": listed("/office/objections", "objection_id"),
    "/office/tasks": listed("/office/tasks", "task_id"),
    "/office/subjects": lambda office: Listed(*(_by_code(office, id) for id in SAMPLES["subject_id"](office)[:2])),
    "/office/officers": listed("/office/officers", "officer_id"),
    "/office/officers/experts": listed("/office/officers/experts", "expert_id"),
    "/office/officers/agencies": listed("/office/officers/agencies", "agency_id"),
    "/office/officers/interests": lambda office: Listed(("", "/office/officers/liu"), ("", "/office/officers/zhao")),
    "/office/officers/leave": lambda office: Listed((NOVEMBER, "officers/song"), (NOVEMBER, "officers/chen")),
    "/office/calendar/deadlines": lambda office: Listed(("", IDS["ordered"]), ("", IDS["unqualified"])),
    "/office/inbox": lambda office: Listed(("?show=all", IDS["ordered"]), ("?show=all", IDS["unqualified"])),
}
"""A list's path -> the query and the text that stands in the answer, for each of the two units."""
