"""What an import costs: `python -m benchmarks.imports [ROWS]` reads, applies, undoes a planted file, and tries bombs.

Beside the whole time of each step it prints its longest transaction, which is what a phone may have to wait for.
"""

from __future__ import annotations

import io
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import machine
from server.domain.importing import Choices
from server.domain.layout import SUBJECTS
from server.office import imports as office
from server.office.import_reading import opened
from server.office.import_worker import Worker
from server.sheets.reading import BadSheet
from server.store.people import Person
from server.store.seal import Sealer
from server.store.session import Connection, open_database
from tests import databases
from tests.imports import hostile, planted
from tests.scene import NOW, populate

CLERK = Person("clerk", "clerk", "clerk", "hazchem", ("unit_clerk",), None)
BOMBS = {
    "zip bomb": hostile.zip_bomb,
    "lying bomb": hostile.lying_bomb,
    "overlapping parts": hostile.overlapping,
    "XML bomb": hostile.xml_bomb,
    "sheet without end": hostile.far_cell,
}


class Timed:
    """The longest of the transactions of a database."""

    def __init__(self, run: Callable[[Any], Any]) -> None:
        self._run, self.longest = run, 0.0

    def __call__(self, work: Callable[[Connection], Any]) -> Any:
        """Runs one and looks at the clock."""
        begun = time.perf_counter()
        done = self._run(work)
        self.longest = max(self.longest, time.perf_counter() - begun)
        return done


def main() -> int:
    """Measures in a new folder of the repository's disk."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    base = machine.ROOT / "data"
    base.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=base))
    for name, value in machine.description(folder).items():
        print(f"{name}: {value}")
    try:
        _bombs()
        for kind in ("xlsx", "csv"):
            _walk(folder / kind, kind, count)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _bombs() -> None:
    for name, make in BOMBS.items():
        content, begun = io.BytesIO(make()), time.perf_counter()
        with tempfile.TemporaryFile() as file:
            file.write(content.getbuffer())
            file.flush()
            begun = time.perf_counter()
            try:
                opened(SUBJECTS, file)
            except BadSheet as refused:
                print(f"{name}: {refused.faults[0].code} after {time.perf_counter() - begun:.2f} s")


def _walk(folder: Path, kind: str, count: int) -> None:
    folder.mkdir()
    (folder / "suijian.db").write_bytes(databases.migrated_file())
    db = open_database(f"sqlite:///{folder / 'suijian.db'}")
    populate(db)
    file = folder / f"list.{kind}"
    (planted.write_xlsx if kind == "xlsx" else planted.write_csv)(file, count, 2026)
    timed = Timed(db.run_write)
    db.run_write = timed  # type: ignore[method-assign]  # to look at the clock
    worker = Worker(db, Sealer([bytes(32)]), folder / "imports", lambda: datetime.now(UTC))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{count} rows, {kind}, {file.stat().st_size >> 20} MB")
    with file.open("rb") as brought:
        form = _said("  door", timed, lambda: opened(SUBJECTS, brought))
        kept = worker.sources.keep("b", brought)
    more: dict[str, Any] = {"layout": "subjects", "filename": file.name, "source": "", "kept": kept, "form": form}
    db.run_write(lambda conn: office.bring_import(conn, CLERK, NOW, batch_id="b", **more))
    _said("  read", timed, lambda: worker.work("b"))
    db.run_write(lambda conn: office.apply_import(conn, CLERK, NOW, "b", Choices(skip_faulty=True)))
    _said("  apply", timed, lambda: worker.work("b"))
    db.run_write(lambda conn: office.undo_import(conn, CLERK, NOW, "b"))
    _said("  undo", timed, lambda: worker.work("b"))
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"  memory: +{grown >> 10} MB here, {children >> 10} MB in the child that reads")
    db.close()


def _said(name: str, timed: Timed, work: Callable[[], Any]) -> Any:
    timed.longest, begun = 0.0, time.perf_counter()
    cpu = time.process_time()
    done = work()
    spent, busy = time.perf_counter() - begun, time.process_time() - cpu
    print(f"{name}: {spent:.1f} s, {busy:.1f} CPU s, longest transaction {timed.longest:.2f} s", flush=True)
    return done


if __name__ == "__main__":
    sys.exit(main())
