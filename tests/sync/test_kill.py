"""I5: the server killed a hundred times during push and upload; what it had acknowledged is there, byte for byte."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import msgspec
import pytest
import sqlalchemy as sa

from server.store import tables
from server.store.files import FileStore
from server.store.session import Database
from server.sync import ops
from tests.dispatching import CREW, POINTS, database_of, dispatch_at
from tests.phone import Phone
from tests.running import Running

KILLS = 25
"""In each of four cases: one phone and eight, on both databases."""

IN_FLIGHT = 18
"""So many of them, at least, with a request under way."""

PART = 40_000


class Flight:
    """Counts the requests that are under way, and lets the killer wait until some have begun."""

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self.open = self.begun = 0

    @contextmanager
    def request(self) -> Iterator[None]:
        """One request, from before it is sent until its answer is read or the connection broke."""
        with self._moved:
            self.open += 1
            self.begun += 1
            self._moved.notify_all()
        try:
            yield
        finally:
            with self._moved:
                self.open -= 1

    def wait(self, count: int) -> None:
        """Returns as soon as so many more requests have begun."""
        with self._moved:
            aim = self.begun + count
            self._moved.wait_for(lambda: self.begun >= aim)


class Upload:
    """A file on its way by tus, and how much of it the server has acknowledged."""

    def __init__(self, visit: str, data: bytes) -> None:
        self.visit, self.data = visit, data
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.url: str | None = None
        self.acked = 0


class Worker:
    """One phone that pushes and uploads without pause, and remembers all that it was told is safe."""

    def __init__(self, running: Running, visit: str, place: int, flight: Flight) -> None:
        self.phone = Phone(running.url, CREW[place % 3][0]).start()
        self.visit, self.flight = visit, flight
        self.rng = random.Random(place)
        self.numbers: dict[str, int] = {}
        self.stored: dict[str, int] = {}
        self.uploads: list[Upload] = []
        self.recent: list[bytes] = []

    def work(self) -> None:
        """Until the connection breaks."""
        try:
            while True:
                self.rng.choice((self.push, self.push, self.send_batch, self.send_part))()
        except httpx.TransportError:
            return

    def push(self) -> None:
        """Writes some ops and exchanges."""
        for _ in range(self.rng.randint(1, 12)):
            text = self.rng.randbytes(12).hex()
            self.phone.set(self.visit, ["answer", self.rng.choice(POINTS), "note"], text)
        with self.flight.request():
            self.phone.sync()
        self.recent = [self.phone.own[key] for key in list(self.phone.verdicts)[-40:]]

    def send_batch(self) -> None:
        """A few small files in one request."""
        files = [self.rng.randbytes(self.rng.randint(100, 20_000)) for _ in range(self.rng.randint(1, 4))]
        named = [(hashlib.sha256(data).hexdigest(), ("blob", data, "image/png")) for data in files]
        with self.flight.request():
            answer = self.phone.http.post("/api/media/batch", data={"visit": self.visit}, files=named)
        answer.raise_for_status()
        for sha256 in answer.json()["stored"]:
            self.stored[sha256] = 1

    def send_part(self) -> None:
        """The next part of a larger file, or its announcement."""
        if not self.uploads or self.uploads[-1].acked == len(self.uploads[-1].data):
            self.uploads.append(Upload(self.visit, self.rng.randbytes(self.rng.randint(1, 4 * PART))))
        upload = self.uploads[-1]
        if upload.url is None:
            self._announce(upload)
        else:
            self._patch(upload)

    def _announce(self, upload: Upload) -> None:
        said = {"sha256": upload.sha256, "visit": upload.visit, "mime": "image/jpeg"}
        metadata = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(upload.data)), "Upload-Metadata": metadata}
        with self.flight.request():
            answer = self.phone.http.post("/api/media", headers=headers)
        assert answer.status_code == 201
        upload.url = answer.headers["location"]

    def _patch(self, upload: Upload) -> None:
        headers = {
            "Tus-Resumable": "1.0.0",
            "Upload-Offset": str(upload.acked),
            "Content-Type": "application/offset+octet-stream",
        }
        part = upload.data[upload.acked : upload.acked + PART]
        with self.flight.request():
            answer = self.phone.http.patch(str(upload.url), headers=headers, content=part)
        assert answer.status_code == 204
        upload.acked = int(answer.headers["upload-offset"])
        if upload.acked == len(upload.data):
            self.stored[upload.sha256] = 1

    # --- after the restart --------------------------------------------------------------------------------------------

    def check(self, journal: dict[str, Any], files: FileStore, blobs: set[str]) -> None:
        """All that was acknowledged is here as it was, and what was told stays told."""
        for key in self.phone.verdicts:
            row = journal[key]
            assert row.body == self.phone.own[key]
            assert row.verdict == "ok"
            assert self.numbers.setdefault(key, row.n) == row.n
        for n, entry in self.phone.entries.get(self.visit, {}).items():
            assert journal[f"{self.visit}/{entry['op']['rid']}:{entry['op']['seq']}"].n == n
        for sha256 in self.stored:
            assert sha256 in blobs
            assert hashlib.sha256(files.path(sha256).read_bytes()).hexdigest() == sha256

    def resume(self) -> None:
        """What was taken is `dup`, and a cut upload goes on from where it was acknowledged, or from further."""
        if self.recent:
            again = [{"visit": self.visit, "ops": [msgspec.Raw(body) for body in self.recent]}]
            answer = self.phone.post(self.phone.request(again))
            verdicts = answer.json()["results"][0]["verdicts"]
            assert {verdict for _, verdict, _ in verdicts} == {"dup"}
        for upload in self.uploads[-1:]:
            if upload.url is None:
                continue
            answer = self.phone.http.head(upload.url, headers={"Tus-Resumable": "1.0.0"})
            assert answer.status_code == 200
            assert int(answer.headers["upload-offset"]) >= upload.acked
            upload.acked = int(answer.headers["upload-offset"])
            if upload.acked == len(upload.data):
                self.stored[upload.sha256] = 1


def journal_of(db: Database) -> dict[str, Any]:
    """Every op that has a number, under its visit and name."""
    columns = (tables.op.c[name] for name in ("visit_id", "rid", "seq", "n", "hash", "body", "verdict"))
    with db.read() as conn:
        rows = conn.execute(sa.select(*columns).order_by(tables.op.c.visit_id, tables.op.c.rid, tables.op.c.seq)).all()
    return {f"{row.visit_id}/{row.rid}:{row.seq}": row for row in rows}


def assert_chained(journal: dict[str, Any]) -> None:
    """In each visit the numbers have no hole, and every replica's ops follow each other by `prev`."""
    last: dict[tuple[str, str], tuple[int, str]] = {}
    numbers: dict[str, list[int]] = {}
    for row in journal.values():
        seq, before = last.get((row.visit_id, row.rid), (0, ""))
        assert row.seq == seq + 1
        assert json.loads(row.body)["prev"] == before
        assert ops.read(row.body).hash == row.hash
        last[row.visit_id, row.rid] = row.seq, row.hash
        numbers.setdefault(row.visit_id, []).append(row.n)
    assert all(sorted(found) == list(range(1, len(found) + 1)) for found in numbers.values())


def blobs_of(db: Database) -> set[str]:
    with db.read() as conn:
        return set(conn.scalars(sa.select(tables.blob.c.sha256)))


def kill_during(running: Running, workers: list[Worker], flight: Flight, rng: random.Random) -> bool:
    """Kills the server at a random moment of the workers' burst; whether a request was under way."""
    with ThreadPoolExecutor(len(workers)) as pool:
        working = [pool.submit(worker.work) for worker in workers]
        flight.wait(rng.randint(1, 8 * len(workers)))
        threading.Event().wait(rng.random() * 0.03)  # anywhere within a request, not only at its beginning
        was_open = flight.open > 0
        running.kill()
        for one in working:
            one.result()
    return was_open


@pytest.mark.serial
@pytest.mark.parametrize("phones", [1, 8])
def test_what_was_acknowledged_survives_a_kill(any_server: Running, phones: int) -> None:
    visits, flight, rng = [dispatch_at(any_server) for _ in range(min(phones, 2))], Flight(), random.Random(phones)
    workers = [Worker(any_server, visits[place % len(visits)], place, flight) for place in range(phones)]
    db, files = database_of(any_server), FileStore(any_server.data / "media")
    in_flight = 0
    for _ in range(KILLS):
        in_flight += kill_during(any_server, workers, flight, rng)
        any_server.start()
        journal, blobs = journal_of(db), blobs_of(db)
        assert_chained(journal)
        for worker in workers:
            worker.check(journal, files, blobs)
            worker.resume()
    for worker in workers:
        worker.phone.drain()
    journal = journal_of(db)
    assert_chained(journal)
    for worker in workers:
        assert worker.phone.own.keys() <= journal.keys()
        worker.check(journal, files, blobs_of(db))
    db.close()
    assert in_flight >= IN_FLIGHT
