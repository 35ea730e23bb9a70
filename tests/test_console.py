"""The console command: 0 good, 1 found something, 2 can't run; always in sentences."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from server.store import tables
from server.store.session import open_database
from tests.databases import free_port
from tests.running import ROOT, Running


def _run(data: Path, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": str(data.parent), "SUIJIAN_DATA": str(data)} | environment
    command = [sys.executable, "-m", "server", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, input=stdin, capture_output=True, text=True, check=False)


def test_an_account_added_on_the_console_signs_in(tmp_path: Path) -> None:
    data = tmp_path / "data"
    added = _run(data, "add-user", "chen", "--name", "陈", "--role", "admin", stdin="a long password\n")
    assert (added.returncode, added.stdout) == (0, "Account 'chen' is there.\n")
    running = Running(data).start()
    with running.signed_in("chen", "a long password") as chen:
        assert chen.get("/api/session").json()["officer"]["roles"] == ["admin"]
    running.kill()


def test_a_short_password_and_a_name_that_is_taken_are_refused_in_a_sentence(tmp_path: Path) -> None:
    data = tmp_path / "data"
    short = _run(data, "add-user", "chen", "--name", "陈", "--role", "admin", stdin="short\n")
    assert (short.returncode, short.stderr) == (2, "The password has 5 characters; 10 are the least.\n")
    _run(data, "add-user", "chen", "--name", "陈", "--role", "admin", stdin="a long password\n")
    again = _run(data, "add-user", "chen", "--name", "陈", "--role", "admin", stdin="a long password\n")
    assert again.returncode == 2
    assert again.stderr.count("\n") == 1
    assert "Traceback" not in again.stderr


def test_the_doctor_finds_nothing_after_the_first_start_and_names_a_key_that_others_can_read(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert _run(data, "doctor").returncode == 1
    Running(data).start().stop()
    assert _run(data, "doctor").returncode == 0
    keys = sorted((data / "keys").iterdir())
    assert [key.name for key in keys] == ["fields.key", "log.keys", "server.pem"]
    for key in keys:
        assert key.stat().st_mode & 0o777 == 0o600
        key.chmod(0o644)
    found = _run(data, "doctor")
    said = "".join(f"{key}: others can read this key; it should have the mode 0600.\n" for key in keys)
    assert (found.returncode, "".join(sorted(found.stdout.splitlines(keepends=True)))) == (1, said)


def test_the_doctor_names_each_sealed_field_that_does_not_open(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert _run(data, "demo").returncode == 0
    assert _run(data, "doctor").returncode == 0
    with sqlite3.connect(data / "suijian.db") as db:
        db.execute("UPDATE officer SET phone = (SELECT phone FROM officer WHERE id = 'zhang') WHERE id = 'li'")
    db.close()
    moved = _run(data, "doctor")
    place = "The sealed field officer.phone of row 'li' cannot be opened"
    assert (moved.returncode, moved.stdout) == (1, f"{place}: it was altered, or belongs to another place.\n")
    (data / "keys" / "fields.key").write_text("no key\n")
    lost = _run(data, "doctor")
    assert (lost.returncode, lost.stdout.count("\n")) == (1, 1)
    assert "fields.key holds no keys of 32 bytes" in lost.stdout


def test_a_port_that_is_taken_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = _run(tmp_path / "data", "serve", SUIJIAN_PORT=str(port))
    assert ran.returncode == 2
    assert ran.stderr.startswith(f"Cannot listen on 127.0.0.1:{port} (")


def test_a_data_folder_that_cannot_be_made_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = _run(tmp_path / "file" / "data", "serve")
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr


def test_demo_accounts_are_not_served_where_others_can_reach_them(tmp_path: Path) -> None:
    data = tmp_path / "data"
    _run(data, "add-user", "li", "--name", "李", "--role", "admin", stdin="a long password\n")
    db = open_database(f"sqlite:///{data / 'suijian.db'}")
    with db.write() as conn:
        conn.execute(sa.update(tables.account).values(is_demo=True))
    db.close()
    ran = _run(data, "serve", SUIJIAN_HOST="0.0.0.0", SUIJIAN_PORT=str(free_port()))
    assert ran.returncode == 2
    assert "SUIJIAN_DEMO_ANYWHERE" in ran.stderr


@pytest.mark.parametrize("server", ["uvicorn", "granian"])
def test_both_servers_answer_and_end_cleanly_when_they_are_told_to(
    start_server: Callable[..., Running], server: str
) -> None:
    running = start_server(SUIJIAN_SERVER=server)
    with running.signed_in("li") as li:
        assert li.get("/api/session").status_code == 200
        large = li.post("/api/session", content=b"x" * 11_000_000)
        assert (large.status_code, large.json()["code"]) == (413, "too_large")
    assert running.process is not None
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait() == 0
    running.process = None
    with pytest.raises(httpx.TransportError), running.client() as client:
        client.get("/healthz")


def test_two_workers_serve_one_database(start_server: Callable[..., Running]) -> None:
    running = start_server(SUIJIAN_WORKERS="2")
    with running.signed_in("li") as li:
        assert {li.get("/api/session").status_code for _ in range(20)} == {200}
    running.stop()


def test_what_is_missing_to_set_it_up_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "sh").symlink_to("/bin/sh")
    ran = subprocess.run(
        ["/bin/sh", ROOT / "tools/need.sh"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert ran.stderr.startswith("Suijian needs Python 3.11 or newer")
    assert ran.stderr.count("\n") == 1
