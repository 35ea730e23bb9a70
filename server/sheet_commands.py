"""`suijian import` and `suijian export`: thin shells over what the office's pages do themselves."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from server.domain.faults import Fault, Invalid
from server.domain.importing import Choices
from server.domain.instant import beijing_day
from server.domain.layout import LAYOUTS
from server.errors import Problem
from server.office import exports as export_office
from server.office import imports as office
from server.office.act import new_id
from server.office.exports import Wish
from server.office.import_page import header_of_field
from server.office.import_reading import opened
from server.office.import_worker import Worker
from server.office.libraries import Place
from server.settings import Settings
from server.sheets.writing import csv_lines, write_workbook
from server.store import imports
from server.store.imports import Batch
from server.store.people import Person
from server.store.seal import open_sealer
from server.store.session import Database
from server.store.sources import sha256_of
from server.words import Words, language_of

Clock = Callable[[], datetime]
GOOD, FOUND = 0, 1


class Refused(Exception):
    """The command can't run; its text is the sentence that says why."""


def add_commands(commands: Any, import_: Callable[..., int], export: Callable[..., int]) -> None:
    """The arguments of both."""
    reader = commands.add_parser("import", help="check a sheet against a library, and apply it if told to")
    reader.add_argument("file", type=Path)
    reader.add_argument("--layout", required=True, choices=LAYOUTS)
    reader.add_argument("--unit", required=True, help="id of the unit whose library it is")
    reader.add_argument("--source", default="", help="where the file comes from; its name where nothing is said")
    reader.add_argument("--apply", action="store_true", help="apply it; without this nothing is changed")
    reader.add_argument("--skip-faulty", action="store_true", help="leave faulty rows out")
    reader.add_argument("--changed", choices=("take", "leave"), default="", help="what of rows that differ")
    reader.set_defaults(run=import_)
    writer = commands.add_parser("export", help="write a library as a sheet, numbers of people masked")
    writer.add_argument("file", type=Path, help="what to write: its name ends in .xlsx or .csv")
    writer.add_argument("--layout", required=True, choices=LAYOUTS)
    writer.add_argument("--unit", help="id of the unit; all of them where it isn't given")
    writer.set_defaults(run=export)


def console(unit_id: str | None) -> Person:
    """Who acts: whoever has the machine may do what a unit's clerk does, or read all units."""
    roles = ("unit_clerk",) if unit_id else ("legal_unit",)
    return Person("console", "console", "console", unit_id, roles, None)


def import_file(given: argparse.Namespace, settings: Settings, db: Database, clock: Clock) -> int:
    """Reads, tells each fault in a line, and applies where it is told to; 1 where anything was found."""
    w = Words(language_of(os.environ.get("LANG", "").replace("_", "-"), None))
    worker = Worker(db, open_sealer(settings.keys), settings.data / "imports", clock)
    person, batch_id = console(given.unit), new_id()
    with _said(w, given.file.name):
        _require_unit(db, given.unit)
        _bring(given, worker, db, person, batch_id, clock())
        worker.work(batch_id)
        faulty = _tell(db, batch_id, w)
        choices = Choices(given.skip_faulty, given.changed)
        if given.apply and (not faulty or given.skip_faulty):
            db.run_write(lambda conn: office.apply_import(conn, person, clock(), batch_id, choices))
            worker.work(batch_id)
        elif not given.apply:
            db.run_write(lambda conn: office.abandon_import(conn, person, clock(), batch_id))
            worker.sources.drop(batch_id)
    print(f"{given.file.name}: {_batch(db, batch_id).state} ({batch_id})")
    return FOUND if faulty else GOOD


def _bring(
    given: argparse.Namespace, worker: Worker, db: Database, person: Person, batch_id: str, now: datetime
) -> None:
    with open(given.file, "rb") as file:
        form = opened(LAYOUTS[given.layout], file)
        kept = worker.sources.keep(batch_id, file)
    more: dict[str, Any] = {"layout": given.layout, "filename": given.file.name, "kept": kept, "form": form}
    source = given.source or given.file.name
    db.run_write(lambda conn: office.bring_import(conn, person, now, batch_id=batch_id, source=source, **more))


def _tell(db: Database, batch_id: str, w: Words) -> bool:
    """A line each: file, row, column, what is wrong, what to do; whether any stops its row."""
    batch = _batch(db, batch_id)
    with db.read() as conn:
        for _, one in imports.faults_of(conn, batch_id, limit=10**9):
            column = header_of_field(batch, one.fault.field)
            print(f"{batch.filename}:{one.row}: {column}: {_sentence(w, one.fault)}")
    kinds = batch.counts["kinds"]
    print(", ".join(f"{w(f'imports.kind.{kind}')} {n}" for kind, n in kinds.items()))
    return bool(kinds.get("faulty") or kinds.get("duplicate"))


def _batch(db: Database, batch_id: str) -> Batch:
    with db.read() as conn:
        batch = imports.batch_of(conn, batch_id)
    if batch is None:
        raise Refused(f"The import '{batch_id}' is no longer there.")
    return batch


def _sentence(w: Words, fault: Fault) -> str:
    return f"{w(f'fault.{fault.code}', **fault.values)} {w(f'cure.{fault.code}', **fault.values)}"


@contextmanager
def _said(w: Words, name: str) -> Iterator[None]:
    """A problem as the sentence of a command that can't run."""
    try:
        yield
    except Invalid as invalid:
        raise Refused(f"{name}: {' '.join(_sentence(w, fault) for fault in invalid.faults)}") from None
    except Problem as problem:
        raise Refused(f"{name}: {problem.sentence('en' if w.language == 'en' else 'zh')}") from None


def _require_unit(db: Database, unit_id: str | None) -> None:
    with db.read() as conn:
        units = imports.units_by_name(conn)
    if unit_id is not None and unit_id not in units.values():
        raise Refused(f"There is no unit '{unit_id}'. The units are: {', '.join(sorted(units.values()))}.")


def export_file(given: argparse.Namespace, settings: Settings, db: Database, clock: Clock) -> int:
    """Writes the file, after its export was noted in the trail."""
    kind = given.file.suffix.removeprefix(".")
    if kind not in ("xlsx", "csv"):
        raise Refused(f"'{given.file.name}' ends neither in .xlsx nor in .csv.")
    _require_unit(db, given.unit)
    person, wish = console(given.unit), Wish(given.layout, given.unit)
    with open(given.file, "w+b") as file:
        with db.read() as conn:
            day, sealer = beijing_day(clock()), open_sealer(settings.keys)
            place = Place(given.unit or "", imports.units_by_name(conn), day, sealer)
            rows = list(export_office.rows_of(conn, place, wish))
        if kind == "xlsx":
            write_workbook(file, LAYOUTS[given.layout].sheet, iter(rows))
        else:
            file.writelines(csv_lines(iter(rows)))
        file.flush()
        facts: dict[str, Any] = {"form": kind, "count": len(rows) - 1, "sha256": sha256_of(file)}
    db.run_write(lambda conn: export_office.note_export(conn, person, clock(), wish, **facts))
    print(f"{given.file}: {len(rows) - 1} rows")
    sys.stdout.flush()
    return GOOD
