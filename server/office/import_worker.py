"""Does what batches of import wait for, beside the requests: one batch at a time, in a thread of its own."""

from __future__ import annotations

import fcntl
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from server.domain.faults import Invalid
from server.domain.instant import beijing_day
from server.office.import_applying import Work, apply_batch, undo_batch
from server.office.import_reading import GivenUp, read_batch
from server.office.keepers import library_of
from server.office.libraries import Place, Stroke
from server.store import imports
from server.store.imports import Batch
from server.store.seal import Sealer
from server.store.session import Connection, Database
from server.store.sources import Sources

log = logging.getLogger("suijian.imports")


class Worker:
    """Works batches off. A batch is locked while it is at work, so that no two processes of one house do the same."""

    def __init__(self, db: Database, sealer: Sealer, folder: Path, clock: Callable[[], datetime]) -> None:
        self._db, self._sealer, self._clock = db, sealer, clock
        self._folder = folder
        self.sources = Sources(folder, sealer)
        self._turn = threading.Lock()

    def start(self, batch_id: str) -> threading.Thread:
        """Lets a batch go on, in the background."""
        thread = threading.Thread(target=self.work, args=(batch_id,), name=f"import-{batch_id[:8]}", daemon=True)
        thread.start()
        return thread

    def resume(self) -> None:
        """Lets all go on that a stopped server left in the middle."""
        with self._db.read() as conn:
            waiting = imports.batches_at_work(conn)
        for batch_id in waiting:
            self.start(batch_id)

    def work(self, batch_id: str) -> None:
        """Works a batch until somebody has to decide; what breaks leaves it where it stands, and its page says so."""
        with self._turn, self._alone(batch_id) as is_mine:
            try:
                while is_mine and self._step(batch_id):
                    pass
            except Exception as fault:
                log.exception("An import broke off.", extra={"batch": batch_id, "fault": type(fault).__name__})
                self._note_failure(batch_id)

    def _step(self, batch_id: str) -> bool:
        """One state's work; whether there was any."""
        with self._db.read() as conn:
            batch = imports.batch_of(conn, batch_id)
            units = imports.units_by_name(conn)
        if batch is None or batch.state not in imports.BUSY:
            return False
        now = self._clock()
        place = Place(batch.unit_id, units, beijing_day(now), self._sealer)
        library = library_of(batch.layout, place)
        if batch.state == "reading":
            try:
                read_batch(self._db, self.sources, self._sealer, library, batch)
            except GivenUp:
                return False
            except Invalid as refused:
                self._give_up(batch, refused)
            return True
        by = batch.applied_by if batch.state == "applying" else batch.undone_by
        work = Work(self._db, self._sealer, library, batch, Stroke(str(by), now, f"import:{batch.id}"))
        (apply_batch if batch.state == "applying" else undo_batch)(work)
        return True

    def _give_up(self, batch: Batch, refused: Invalid) -> None:
        """A file that breaks in the middle: nothing of it is used."""
        held = [{"row": 0, "code": fault.code, "values": fault.values} for fault in refused.faults]

        def give_up(conn: Connection) -> None:
            imports.wipe_rows(conn, batch.id)
            imports.set_batch(conn, batch.id, "reading", state="abandoned", held=held)

        self._db.run_write(give_up)

    def _note_failure(self, batch_id: str) -> None:
        def note(conn: Connection) -> None:
            batch = imports.batch_of(conn, batch_id)
            if batch is not None and batch.state in imports.BUSY:
                imports.set_batch(conn, batch_id, batch.state, held=[{"row": 0, "why": "failed"}])

        self._db.run_write(note)

    @contextmanager
    def _alone(self, batch_id: str) -> Iterator[bool]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with open(self.sources.path(batch_id).with_suffix(".lock"), "wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True
