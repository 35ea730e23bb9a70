"""The real server as its own process, to be asked, stopped, killed and started again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.databases import free_port, is_listening
from tests.scene import PASSWORD

ROOT = Path(__file__).resolve().parent.parent


class Running:
    """One server on a data folder; `start` again after `stop` or `kill` finds the same data and the same port."""

    command: tuple[str, ...] = ("server", "serve")

    def __init__(self, data: Path, **environment: str) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data.with_suffix(".log")
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(data.parent),
            "SUIJIAN_DATA": str(data),
            "SUIJIAN_PORT": str(self.port),
        } | environment
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Running:
        """Starts it in a process group of its own and returns when it answers."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.command],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while not is_listening(self.port):
            if self.process.poll() is not None:
                raise RuntimeError(f"The server ended while it started:\n{self.log.read_text()}")
        return self

    def now(self) -> datetime:
        """The moment by its clock."""
        return datetime.now(UTC)

    def stop(self) -> None:
        """Asks it to end and waits."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait()
            self.process = None

    def kill(self) -> None:
        """SIGKILL to all its processes at once."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def client(self, **options: Any) -> httpx.Client:
        """A client that asks this server and no proxy."""
        return httpx.Client(base_url=self.url, trust_env=False, verify=False, timeout=60, **options)

    def signed_in(self, username: str, password: str = PASSWORD) -> httpx.Client:
        """A client that carries the bearer token of an account."""
        with self.client() as client:
            answer = client.post("/api/session", json={"username": username, "password": password})
        answer.raise_for_status()
        return self.client(headers={"Authorization": f"Bearer {answer.json()['token']}"})
