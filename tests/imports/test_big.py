"""A hundred thousand subjects: read with progress, told row by row, applied, and undone to what was before."""

from __future__ import annotations

import csv
import io
import re
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from server.domain.layout import SUBJECTS
from server.store.seal import open_sealer
from server.store.session import open_database
from server.store.subjects import registry_digest
from server.words import Words
from tests.imports import planted
from tests.imports.bringing import WORKING, bring, progress
from tests.running import Running

MOST_MORE = 200
"""Megabytes that an import may add to the server's process."""

pytestmark = pytest.mark.serial


def peak(running: Running) -> int:
    """The most memory that the server's process ever had, in megabytes."""
    assert running.process is not None
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) // 1024  # type: ignore[index]  # every process has it


def digest(running: Running) -> str:
    """The digest of all subjects and memberships."""
    url = running.environment.get("SUIJIAN_DATABASE_URL", f"sqlite:///{running.data / 'suijian.db'}")
    with closing(open_database(url)) as db, db.read() as conn:
        return registry_digest(conn, open_sealer(running.data / "keys"))


def alive(running: Running) -> None:
    """A moment in which the server doesn't end."""
    assert running.process is not None
    with pytest.raises(subprocess.TimeoutExpired):
        running.process.wait(0.1)


def watched(running: Running, client: httpx.Client, page: str) -> list[int]:
    """What the page says while the machine is at work: the rows done, each time that they have grown."""
    seen: list[int] = []
    while (said := progress(client, page))["state"] in WORKING:
        if said["total"] and (not seen or said["done"] > seen[-1]):
            seen.append(said["done"])
        alive(running)
    return seen


def told(client: httpx.Client, page: str) -> list[tuple[int, str, str, str]]:
    """The faults as the office downloads them: row, column, what is wrong, what to do."""
    text = client.get(f"{page}/faults").raise_for_status().content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["行", "列", "错在哪里", "怎么改"]
    return [(int(row), column, what, cure) for row, column, what, cure in rows[1:]]


def sentence(key: str) -> re.Pattern[str]:
    """A message as a pattern: its places may hold anything."""
    parts = re.split(r"\{\w+\}", Words("zh-CN").known(key, ""))
    return re.compile(".*".join(re.escape(part) for part in parts))


def through(running: Running, client: httpx.Client, count: int, tmp_path: Path, least_seen: int) -> None:
    """Brings a file of `count` rows with its planted errors, and walks it to its undoing."""
    file = tmp_path / "名单.xlsx"
    errors = planted.write_xlsx(file, count, seed=2026)
    before, start = digest(running), peak(running)
    answer = bring(client, file.read_bytes(), file.name)
    assert answer.status_code == 303, answer.text
    page = answer.headers["location"]
    seen = watched(running, client, page)
    assert len(seen) >= least_seen and seen[0] < count

    counts = progress(client, page)["counts"]
    kinds = {code: sum(error.code == code for error in errors) for _, code in planted.ERRORS}
    assert counts["codes"] == kinds and len(kinds) == 10
    assert counts["kinds"]["new"] == count - len(errors)

    lines = told(client, page)
    assert [(row, column) for row, column, _, _ in lines] == [(error.row, error.column) for error in errors]
    for (_, _, what, cure), error in zip(lines, errors, strict=True):
        assert sentence(f"fault.{error.code}").fullmatch(what)
        assert sentence(f"cure.{error.code}").fullmatch(cure)

    assert client.post(f"{page}/apply").json()["code"] == "import_faults_left"
    assert client.post(f"{page}/apply", data={"skip_faulty": "yes"}).status_code == 303
    assert len(watched(running, client, page)) >= least_seen
    assert progress(client, page)["state"] == "applied"
    assert digest(running) != before

    assert client.post(f"{page}/undo").status_code == 303
    watched(running, client, page)
    assert progress(client, page)["state"] == "undone"
    assert digest(running) == before
    more = peak(running) - start
    print(f"an import of {count} rows added {more} MB to the server's {start} MB")
    assert more <= MOST_MORE


@pytest.mark.rule("R7.1", "http")
@pytest.mark.rule("R7.2", "http")
def test_a_hundred_thousand_subjects_are_checked_applied_and_undone_to_the_same_digest(
    start_server: Callable[..., Running], tmp_path: Path
) -> None:
    running = start_server()
    with running.signed_in("clerk") as client:
        through(running, client, 100_000, tmp_path, least_seen=5)


def test_on_postgresql_five_thousand(start_server: Callable[..., Running], postgres_url: str, tmp_path: Path) -> None:
    running = start_server(postgres_url)
    with running.signed_in("clerk") as client:
        through(running, client, 5_000, tmp_path, least_seen=1)


def test_the_layout_has_every_column_that_the_big_file_fills() -> None:
    of_the_dead = {"停业注销文书", "停业注销日期"}  # all in the big file live
    assert set(planted.COLUMNS) == {column.header for column in SUBJECTS.columns} - {"所属股室"} - of_the_dead
