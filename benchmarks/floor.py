"""The least that keeping one visit can cost on this machine: hash the files, fsync them, and one transaction."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import sqlite3
import sys
import time
from pathlib import Path

RECORDS, RECORD_BYTES = 81, 640
FILES = [12_000] * 3 + [200_000] * 10


def main() -> None:
    """`python -m benchmarks.floor <folder> <visits>`: prints CPU-ms and wall-ms per visit."""
    folder, visits = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True)
    for first in range(256):
        (folder / f"{first:02x}").mkdir()
    db = sqlite3.connect(folder / "floor.db", isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE op (visit TEXT, seq INTEGER, n INTEGER, body BLOB, PRIMARY KEY (visit, seq))")
    noise = os.urandom(4 << 20)
    prepared = [
        [os.urandom(32) + noise[secrets.randbelow(1 << 20) :][: size - 32] for size in FILES] for _ in range(visits)
    ]
    cpu, wall = time.process_time(), time.perf_counter()
    for number, files in enumerate(prepared):
        for data in files:
            _keep(folder, data)
        db.execute("BEGIN IMMEDIATE")
        db.executemany(
            "INSERT INTO op VALUES (?, ?, ?, ?)",
            [(str(number), seq, seq, noise[seq : seq + RECORD_BYTES]) for seq in range(RECORDS)],
        )
        db.execute("COMMIT")
    print((time.process_time() - cpu) * 1000 / visits, (time.perf_counter() - wall) * 1000 / visits)
    db.close()
    shutil.rmtree(folder)


def _keep(folder: Path, data: bytes) -> None:
    digest = hashlib.sha256(data).hexdigest()
    temporary = f"{folder}/{digest}"
    fd = os.open(temporary, os.O_CREAT | os.O_WRONLY)
    os.write(fd, data)
    os.fsync(fd)
    os.close(fd)
    os.rename(temporary, f"{folder}/{digest[:2]}/{digest}")
    fd = os.open(f"{folder}/{digest[:2]}", os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


if __name__ == "__main__":
    main()
