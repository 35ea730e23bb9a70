"""How every story ends: the trail verifies, no photo or signature is missing, nothing was deleted."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpx
import sqlalchemy as sa

from server.store import tables
from server.store.session import Connection, Database
from tests.browser.journal import media
from tests.running import ROOT, Running

PROGRAM: Final = ROOT / "server" / "standalone" / "verify_trail.py"
PASSING: Final = {"session", "upload", "sign_in_failure", "objection_try", "log_tile"}
"""Who is signed in, who tried how often, what is on its way, what is reckoned from the trail: such rows come and go."""


def trail_of(running: Running, data: Path | None = None) -> tuple[int, str]:
    """What the one file says that an auditor takes along, alone in a folder with a copy of the database: its end, its
    words. `data` is another folder with a database than the server's own."""
    with TemporaryDirectory() as folder:
        shutil.copy(PROGRAM, folder)
        for path in (data or running.data).glob("suijian.db*"):
            shutil.copy(path, folder)
        command = [sys.executable, "-I", PROGRAM.name, "suijian.db", "--keys", str(running.data / "keys")]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def absent(running: Running, db: Database) -> set[str]:
    """Every file that a record names and whose bytes the server hasn't got: photos, videos, signatures, strokes."""
    with db.read() as conn:
        bodies = [json.loads(body) for body in conn.scalars(sa.select(tables.op.c.body)) if body]
    return {digest for op in bodies for digest in _named(op)} - media(running)


def _named(op: dict[str, Any]) -> Iterator[str]:
    if op["kind"] == "attach":
        yield op["path"][1]
    if op["kind"] == "sign":
        yield from (op["val"][name] for name in ("image", "strokes") if op["val"][name])


def tables_there(conn: Connection) -> list[sa.Table]:
    """Every table of the database that the product knows."""
    there = set(sa.inspect(conn).get_table_names())
    return [table for name, table in sorted(tables.metadata.tables.items()) if name in there]


class Kept:
    """Every row that was there at some moment of a story, by its key."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.there: dict[str, set[Any]] = {}

    def note(self) -> None:
        """What is there now is to be there at the end."""
        for name, keys in self._keys().items():
            self.there.setdefault(name, set()).update(keys)

    def gone(self) -> list[tuple[str, Any]]:
        """The rows that are no longer there."""
        now = self._keys()
        return [(name, key) for name, keys in self.there.items() for key in keys - now[name]]

    def __len__(self) -> int:
        return sum(map(len, self.there.values()))

    def _keys(self) -> dict[str, set[Any]]:
        with self.db.read() as conn:
            return {
                table.name: {tuple(row) for row in conn.execute(sa.select(*table.primary_key))}
                for table in tables_there(conn)
                if table.name not in PASSING
            }


# --- everything that the public gets ----------------------------------------------------------------------------------


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in ("href", "src") and value]


NOT_PUBLIC: Final = ("/app", "/office", "/static", "/schema")


def public_answers(client: httpx.Client, first: Iterable[str] = ("/",)) -> dict[str, httpx.Response]:
    """Every public address that a stranger reaches from the start by links, with what it answers."""
    waiting, got = list(first), dict[str, httpx.Response]()
    while waiting:
        address = waiting.pop()
        if address in got:
            continue
        answer = got[address] = client.get(address, headers={"Accept": "text/html", "Accept-Language": "zh-CN"})
        if answer.headers.get("content-type", "").startswith("text/html"):
            links = _Links()
            links.feed(answer.text)
            waiting += [one for link in links.found if (one := _own(address, link)) is not None]
    return got


def _own(page: str, link: str) -> str | None:
    """A link of this site to something that is public, as an address."""
    parts = urlsplit(urljoin(f"http://here{page}", link))
    if parts.netloc != "here" or parts.scheme != "http" or parts.path.startswith(NOT_PUBLIC):
        return None
    return parts.path + (f"?{parts.query}" if parts.query else "")
