"""The real server in another month: a process whose clock stands where a test has put it, and runs on from there."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import server.__main__ as console
from server.app import create_app
from server.edge import House
from server.settings import read_settings
from tests.running import Running

NAME = "CLOCK_OF_TESTS"


class Clocked(Running):
    """A server that believes it is `moment`; `set` moves its clock while it runs."""

    command = ("tests.clocked",)

    def __init__(self, data: Path, moment: datetime, **environment: str) -> None:
        self.ahead = data.with_suffix(".clock")
        super().__init__(data, **environment)
        self.environment[NAME] = str(self.ahead)
        self.set(moment)

    def set(self, moment: datetime) -> None:
        """From now on it is `moment`."""
        fresh = self.ahead.with_suffix(".new")
        fresh.write_text(str((moment - datetime.now(UTC)).total_seconds()))
        fresh.replace(self.ahead)

    def now(self) -> datetime:
        return _moment(self.ahead)


def _moment(ahead: Path) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(ahead.read_text()))


def _app() -> House:
    ahead = Path(os.environ[NAME])
    return create_app(read_settings(os.environ), lambda: _moment(ahead))


if __name__ == "__main__":
    vars(console)["app_from_environment"] = _app
    sys.exit(console.main(["serve"]))
