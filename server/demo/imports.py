"""The demo's import: a list that waits to be applied, with new rows, changed ones, and three that are wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from random import Random
from typing import Final

from server.demo import district
from server.domain.instant import beijing_day
from server.domain.layout import SUBJECTS
from server.office import imports as office
from server.office import province as province_office
from server.office.exports import plain
from server.office.import_reading import opened
from server.office.import_worker import Worker
from server.office.libraries import Place
from server.office.subject_library import Subjects
from server.settings import Settings
from server.sheets.writing import csv_lines
from server.store import imports, search
from server.store.people import Person
from server.store.seal import Sealer
from server.store.session import Connection, Database
from server.store.sources import anonymous, sha256_of

BATCH: Final = "demo-import"
CLERK: Final = Person("clerk", "clerk", "周敏", district.HAZCHEM, ("unit_clerk",), None)
NUMBER: Final = "HN411303-2026-0001"


def fill(db: Database, settings: Settings, sealer: Sealer, now: datetime) -> None:
    """Brings the list and has it checked; exports the item list to the province, whose platform confirmed one item."""
    worker = Worker(db, sealer, settings.data / "imports", lambda: now)
    with db.read() as conn:
        place = Place(district.HAZCHEM, imports.units_by_name(conn), beijing_day(now), sealer)
        rows = list(_rows(conn, place))
    with anonymous() as file:
        file.writelines(csv_lines(iter(rows)))
        file.flush()
        form = opened(SUBJECTS, file)
        kept = worker.sources.keep(BATCH, file)
    more = {"layout": "subjects", "filename": "市场监管局共享名单.csv", "source": "市场监管局 11 月共享名单"}
    db.run_write(lambda conn: office.bring_import(conn, CLERK, now, batch_id=BATCH, kept=kept, form=form, **more))
    worker.work(BATCH)
    db.run_write(lambda conn: _report(conn, place, now))


def _rows(conn: Connection, place: Place) -> Iterator[Sequence[str]]:
    """The header; ten of the library, two of them changed; five new ones; three that are wrong."""
    yield [column.header for column in SUBJECTS.columns]
    library, rng = Subjects(place), Random(district.SEED)
    found = search.find_subjects(conn, search.Query(unit_id=place.unit_id), 18)
    known = library.known(conn, [str(row.uscc) for row in found.rows])
    for number, row in enumerate(found.rows):
        fields = library.fields(known[str(row.uscc)].entry)
        line = {column.field: plain(column, fields[column.field]) for column in SUBJECTS.columns}
        yield list((line | _twist(number, line, rng)).values())


def _twist(number: int, line: dict[str, str], rng: Random) -> dict[str, str]:
    """What is different about a row."""
    new = {"uscc": district.credit_code(rng, "91"), "name": f"{line['name']}二厂", "units": ""}
    return {
        0: {"risk": "高", "contact": "何文"},
        1: {"status": "停业" if line["status"] != "停业" else "正常经营"},
        15: {"phone": "1400000"},
        16: new | {"uscc": "91411303MA00000011"},
        17: {"legal_representative": ""},
    }.get(number, new if number >= 10 else {})


def _report(conn: Connection, place: Place, now: datetime) -> None:
    rows = list(province_office.rows_of(conn, place, "item"))
    with anonymous() as file:
        file.write("".join(row.name for row in rows).encode())
        digest = sha256_of(file)
    province_office.note_export(conn, CLERK, now, "item", rows, digest)
    if rows:
        province_office.confirm(conn, CLERK, now, "item", place, rows[0].object, NUMBER)
