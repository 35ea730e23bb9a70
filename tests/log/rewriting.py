"""A bureau whose journal has every kind of row, and a hand that rewrites single bytes in its rows past all triggers."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from server.office import log as office
from server.standalone import verify_trail
from server.standalone.verify_trail import Report, Source
from server.store import tables, trail
from server.store.people import Person
from server.store.session import Database
from tests.dispatching import database_of, dispatch_at
from tests.phone import Phone
from tests.running import Running
from tests.scene import NOW

SUMMARY = ["visit", "summary"]
STEERING = Person("steering", "steering", "steering", "hazchem", ("steering_group",), None)


class Bureau(NamedTuple):
    """A server that stopped, its database and its keys."""

    db: Database
    url: str
    keys: Path

    def verify(self, *taken: Path, log_key: str | None = None) -> Report:
        """What the verifier finds."""
        file = None if self.url.startswith("postgresql") else Path(self.url.removeprefix("sqlite:///"))
        source = Source(file, None if file else self.url)
        try:
            return verify_trail.verify(source, self.keys, list(taken), log_key)
        finally:
            source.close()


def build(running: Running) -> Bureau:
    """Phones that record, contradict, fork and send what nobody can read; acts with numbers; an erasure; a log."""
    visit = dispatch_at(running)
    li, zhang, wang = (Phone(running.url, name).start(visit) for name in ("li", "zhang", "wang"))
    for at in range(20):
        li.set(visit, ["answer", f"p{at + 1:02}", "verdict"], "pass")
    row = zhang.write(visit, "add", ["finding"], {"text": "第 3 排货架未设防倾倒装置"})
    wanted = zhang.set(visit, ["visit", "result"], "no_problem_found")
    zhang.set(visit, SUMMARY, "由组员写")
    for phone in (li, zhang, wang):
        phone.drain()
    for kind, val in (("admit", {"reason": "组长同意"}), ("rule", {"verdict": "late", "reason": "x"})):
        act = {"kind": kind, "path": ["op", wanted if kind == "admit" else row], "val": val}
        who = li if kind == "admit" else Phone(running.url, "clerk").sign_in()
        who.http.post(f"/api/visits/{visit}/acts", json=act).raise_for_status()
    _hold_bury_and_fork(visit, li, zhang, wang)
    running.stop()
    db = database_of(running)
    log = office.Log(db, running.data / "keys", running.url)
    acts = [
        trail.Act("filing.add", "clerk", f"plan:{at}", detail={"document": f"宛应急〔2026〕{at}号"}) for at in range(8)
    ]
    acts += [trail.Act("plan.submit", "clerk", f"plan:{at}", "0" * 64, "1" * 64) for at in range(8)]
    db.run_write(lambda conn: trail.append(conn, acts, NOW))
    log.sign(NOW)
    with db.read() as conn:
        n = conn.scalar(sa.select(sa.func.max(tables.trail.c.n)).where(tables.trail.c.act == "account.add")) or 0
    db.run_write(lambda conn: office.erase(conn, STEERING, NOW, n, "本人申请更正"))
    log.change_key(NOW, "console", "每年更换")
    url = running.environment.get("SUIJIAN_DATABASE_URL", f"sqlite:///{running.data / 'suijian.db'}")
    return Bureau(db, url, running.data / "keys")


def _hold_bury_and_fork(visit: str, li: Phone, zhang: Phone, wang: Phone) -> None:
    """An op that waits, one that nobody can read, two under one name, and one that a colleague carries."""
    wang.set(visit, SUMMARY, "先写的没有送到")
    missing = wang.queue[visit].pop()
    wang.set(visit, SUMMARY, "后写的等着")
    wang.sync()
    acked = zhang.pen.chains[visit][0]
    unread = {"seq": acked + 1, "raw": base64.b64encode(b'{"v":1e400}').decode()}
    zhang.sync([{"visit": visit, "ops": [], "dead": [unread]}])
    zhang.pen.chains[visit] = (acked + 1, "")
    zhang.set(visit, SUMMARY, "之后的照收")
    zhang.sync()
    zhang.set(visit, SUMMARY, "由同事带来")
    carried = [msgspec.Raw(body) for body in zhang.queue.pop(visit)]
    li.sync([{"visit": visit, "rid": zhang.pen.rid, "ops": carried}])
    chain = li.pen.chains[visit]
    li.set(visit, SUMMARY, "一个编号")
    li.drain()
    li.pen.chains[visit] = chain
    li.set(visit, SUMMARY, "两种内容")
    li.sync()
    assert missing


# --- the hand ---------------------------------------------------------------------------------------------------------


class Cell(NamedTuple):
    """One value of one row, and the row as the verifier names it."""

    table: str
    column: str
    key: dict[str, Any]
    value: Any
    name: str


NAMES = {
    "trail": (("n",), "trail {n}"),
    "op": (("visit_id", "rid", "seq"), "op {visit_id} {rid}:{seq}"),
}


def cells(db: Database) -> list[Cell]:
    """Every value in the trail and in the journal that isn't null or empty."""
    found = []
    for table, (keys, name) in NAMES.items():
        with db.read() as conn:
            for row in conn.execute(sa.select(tables.metadata.tables[table])).mappings():
                key = {column: row[column] for column in keys}
                found += [
                    Cell(table, column, key, value, name.format(**key))
                    for column, value in row.items()
                    if value not in (None, b"", "")
                ]
    return found


def altered(value: Any, random: Random) -> Any:
    """The value with one of its bytes rewritten."""
    if isinstance(value, bytes):
        at = random.randrange(len(value))
        return value[:at] + bytes([value[at] ^ (1 << random.randrange(7))]) + value[at + 1 :]
    text = str(value)
    at = random.randrange(len(text))
    other = random.choice([one for one in ("123456789" if isinstance(value, int) else "abcXYZ019-") if one != text[at]])
    return type(value)(text[:at] + other + text[at + 1 :])


def without_triggers(db: Database) -> None:
    """What a superuser does first."""
    with db.write() as conn:
        if db.is_sqlite:
            for name in list(conn.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))):
                conn.exec_driver_sql(f"DROP TRIGGER {name}")
            return
        for table in (
            "trail",
            "trail_number",
            "op",
            "apart",
            "replica",
            "log_checkpoint",
            "log_cosignature",
            "log_key",
            "log_tile",
        ):
            conn.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER ALL")


@contextmanager
def rewritten(db: Database, changes: Sequence[tuple[Cell, Any]]) -> Iterator[list[Cell]]:
    """The database while these cells hold these values; those that a constraint refused are left out."""
    done = []
    for cell, value in changes:
        if write(db, cell, cell.key, value):
            done.append((cell, value))
    yield [cell for cell, _ in done]
    for cell, value in reversed(done):
        assert write(db, cell, cell.key | ({cell.column: value} if cell.column in cell.key else {}), cell.value)


def write(db: Database, cell: Cell, key: dict[str, Any], value: Any) -> bool:
    table = tables.metadata.tables[cell.table]
    try:
        with db.write() as conn:
            where = [table.c[name] == its for name, its in key.items()]
            return conn.execute(sa.update(table).where(*where).values({cell.column: value})).rowcount == 1
    except DBAPIError:
        return False
