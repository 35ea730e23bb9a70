"""The demo district on a real server, and the office's people asking it."""

from __future__ import annotations

import atexit
import re
import shutil
import tempfile
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import httpx
import msgspec
import sqlalchemy as sa

from server.demo import load
from server.settings import Settings
from server.store import tables
from server.store.people import csrf_of
from server.store.session import Database, open_database
from server.sync.record import record_of
from tests import databases
from tests.clocked import Clocked
from tests.dispatching import database_of
from tests.running import Running

TODAY = date(2026, 11, 24)
HTML = {"Accept": "text/html"}
_FOLDER: Final = Path(tempfile.mkdtemp(prefix="suijian-demo-"))
_LOADED: Final = _FOLDER / "data"
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)


def _load(data: Path, database_url: str | None = None) -> dict[str, str]:
    settings = Settings(data=data, database_url=database_url) if database_url else Settings(data=data)
    with closing(open_database(settings.database)) as db:
        return load(db, settings, TODAY, datetime(2026, 11, 24, 6, tzinfo=UTC))


def _loaded() -> dict[str, str]:
    """Loads the demo once; every server on the embedded database begins with a copy."""
    _LOADED.mkdir()
    (_LOADED / "suijian.db").write_bytes(databases.migrated_file())
    return _load(_LOADED)


IDS: Final = _loaded()
"""Name of a visit in the demo's plays -> its id; the lot says whose it is."""


def demo_server(data: Path, database_url: str | None = None, moment: datetime | None = None) -> Running:
    """A server with the demo district, started; on the embedded database where no other is given."""
    environment = demo_data(data, database_url)
    running = Running(data, **environment) if moment is None else Clocked(data, moment, **environment)
    return running.start()


def demo_data(data: Path, database_url: str | None = None) -> dict[str, str]:
    """Lays the demo district into a folder, or a database; what a server on it is started with."""
    if database_url is None:
        shutil.copytree(_LOADED, data)
        return {}
    data.mkdir(parents=True)
    assert _load(data, database_url) == IDS
    return {"SUIJIAN_DATABASE_URL": database_url}


class Office:
    """The demo district and its server, seen from outside and in its database."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.db: Database = database_of(running)
        self._clients: dict[str, httpx.Client] = {}
        self.stranger = running.client()

    def client(self, username: str) -> httpx.Client:
        """Somebody's bearer client."""
        if username not in self._clients:
            self._clients[username] = self.running.signed_in(username)
        return self._clients[username]

    def browser(self, username: str) -> httpx.Client:
        """Somebody who signed in by the form, as a browser does: with a cookie and pages for people."""
        client = self.running.client(headers=HTML)
        answer = client.post("/office/sign-in", data={"username": username, "password": "suijian-demo"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/office/")
        return client

    def page(self, username: str, name: str, more: str = "") -> httpx.Response:
        """A visit's page for somebody."""
        return self.client(username).get(f"/office/visits/{IDS[name]}{more}", headers=HTML)

    def act(self, username: str, name: str, act: str, **form: str) -> httpx.Response:
        """An act on a visit by somebody, as a form without script."""
        return self.client(username).post(f"/office/visits/{IDS[name]}/{act}", data=form, headers=HTML)

    def view(self, name: str) -> dict[str, object]:
        """The record's view."""
        found = record_of(self.db, IDS[name])
        assert found is not None
        decoded: dict[str, object] = msgspec.json.decode(found.view)
        return decoded

    def trail(self) -> list[tuple[str, str]]:
        """Act and actor of each trail entry, but for sign-ins."""
        query = sa.select(tables.trail.c.act, tables.trail.c.actor).order_by(tables.trail.c.n)
        with self.db.read() as conn:
            return [(row.act, row.actor) for row in conn.execute(query) if not row.act.startswith("session.")]

    def close(self) -> None:
        """Ends the server."""
        for client in (*self._clients.values(), self.stranger):
            client.close()
        self.db.close()
        self.running.kill()


def csrf(client: httpx.Client) -> str:
    """What the pages of this browser send back."""
    return csrf_of(str(client.cookies["suijian"]))


def listed(answer: httpx.Response) -> list[str]:
    """The names, in the demo's plan, of the visits in an inbox page, in its order."""
    names = {id: name for name, id in IDS.items()}
    return [names[id] for id in re.findall(r'<th scope="row"><a href="/office/visits/([^"]+)"', answer.text)]


def pills(answer: httpx.Response) -> dict[str, int]:
    """The filters of an inbox page with their counts."""
    found = re.findall(r'class="pill" href="/office/inbox\?show=(\w+)[^>]*>.*?(\d+)</a>', answer.text, re.S)
    return {name: int(count) for name, count in found}
