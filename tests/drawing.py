"""A bureau that draws: an approved task over story A's library, sources from outside, and the acts one by one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from server.domain.draw_sources import Source
from server.domain.excuse import StatusDocument
from server.domain.instant import stamp
from server.domain.task import Filter, Locked, Task
from server.office import draws, exclusions, excuses
from server.store import draws as draw_store
from server.store import excuses as excuse_store
from server.store import tables, tasks
from server.store.draws import Draw
from server.store.people import Person
from server.store.seal import Sealer
from server.store.session import Database
from tests import planning
from tests.planning import CLERK, HEAD, MAIN, NOW, STORAGE

SECRET = bytes.fromhex("2a97516c354b68848cdbd8f54a226a0a55b21ed138e207ad6c5cbb9c00aa5aea")
SEALER = Sealer([bytes(32)])
BALLS = "01 07 09 12 15 22 23 31 33 38 40 41 47 52 55 60 61 70 74 80"
LOTTERY, DICE = "kl8/2026312", "witness/1"
EVIDENCE = "e" * 64


def sources(due: datetime, *more: Source) -> list[Source]:
    """The next lottery, and four dice of a witness."""
    lottery = Source(LOTTERY, "lottery", 61, "福彩快乐8 第2026312期", stamp(due))
    return [lottery, Source(DICE, "dice", 10, "见证人掷 4 个骰子", stamp(due)), *more]


def a_task(id: str = "t1", **more: Any) -> Task:
    """An approved task over the storage item of 212 subjects: eleven by number."""
    plain: dict[str, Any] = {
        "id": id,
        "name": "危险化学品经营单位抽查",
        "unit_id": MAIN,
        "draw": "undirected",
        "window_from": "2026-12-01",
        "window_to": "2026-12-31",
        "due_on": "2026-12-31",
        "items": (STORAGE,),
        "list_version": 1,
        "no": f"2026-{id}",
        "mode": "total",
        "n": 11,
        "state": "approved",
        "approval_number": "宛卧应急检〔2026〕1 号",
        "approval_on": "2026-11-20",
        "approved_by": "head",
        "approved_at": stamp(NOW),
        "entered_by": "clerk",
        "entered_at": stamp(NOW),
    }
    return Task(**(plain | more))


class Ceremony:
    """The acts of a draw on one database, each in a transaction of its own, a minute after the one before."""

    def __init__(
        self, db: Database, *, flags: tuple[int, ...] = (), ratio: int | None = None, is_peopled: bool = False
    ) -> None:
        self.db, self.now = db, NOW
        if is_peopled:
            planning.fill(db, flags=flags, ratio=ratio)
        else:
            planning.bureau(db, flags=flags, ratio=ratio)

    def tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def task(self, id: str = "t1", **more: Any) -> str:
        self.db.run_write(lambda conn: tasks.add_task(conn, a_task(id, **more)))
        return id

    def commit(
        self, task_id: str = "t1", who: Person = CLERK, secret: bytes = SECRET, due: datetime | None = None
    ) -> str:
        now = self.tick()
        named = sources(due or now + timedelta(days=1))
        return self.db.run_write(lambda conn: draws.commit(conn, who, now, task_id, named, secret, SEALER))

    def contribute(self, draw_id: str, k: str, value: str, at: datetime | None = None, **more: Any) -> None:
        now = self.tick()
        given = {"evidence": EVIDENCE, "by": "李见证"} | more
        self.db.run_write(lambda conn: draws.contribute(conn, CLERK, now, draw_id, k, value, at or now, **given))

    def contributed(self, task_id: str = "t1") -> str:
        draw_id = self.commit(task_id)
        self.contribute(draw_id, LOTTERY, BALLS)
        self.contribute(draw_id, DICE, "4 1 6 2")
        return draw_id

    def run(self, draw_id: str, who: Person = CLERK) -> None:
        self.db.run_write(lambda conn: draws.run(conn, who, self.tick(), draw_id, SEALER))

    def drawn(self, task_id: str = "t1") -> str:
        draw_id = self.contributed(task_id)
        self.run(draw_id)
        return draw_id

    def dead(self, code: str, status: str = "cancelled") -> None:
        """The library has a subject as dead since, by a document."""
        at = stamp(self.tick())
        with self.db.write() as conn:
            subject = tables.subject
            found = sa.or_(subject.c.uscc == code, subject.c.registration == code)
            id = conn.scalars(sa.select(subject.c.id).where(found)).one()
            conn.execute(sa.update(subject).where(found).values(status=status))
            excuse_store.add_status(conn, id, StatusDocument(status, "宛市监注〔2026〕9 号", "2026-11-20"), "clerk", at)

    def ask_excuse(self, draw_id: str, code: str, reason: str = "登记机关已注销", who: Person = CLERK) -> str:
        return self.db.run_write(lambda conn: excuses.ask(conn, who, self.tick(), draw_id, code, reason))

    def excuse(
        self, draw_id: str, code: str, reason: str = "登记机关已注销", *, approved: bool = True, answer: str = ""
    ) -> None:
        """Asked by the clerk, answered by the head."""
        id = self.ask_excuse(draw_id, code, reason)
        self.confirm(id, approved=approved, answer=answer)

    def confirm(self, id: str, who: Person = HEAD, *, approved: bool = True, answer: str = "") -> None:
        self.db.run_write(lambda conn: excuses.decide(conn, who, self.tick(), id, approved=approved, answer=answer))

    def void(self, draw_id: str, who: Person = HEAD, reason: str = "见证人未到场") -> None:
        self.db.run_write(lambda conn: draws.void(conn, who, self.tick(), draw_id, reason, SEALER))

    def lock(self, task_id: str = "t1") -> Locked:
        def locking(conn: Any) -> Locked:
            task = tasks.task_of(conn, task_id)
            assert task is not None
            return draws.lock_for(conn, CLERK, self.tick(), task)

        return self.db.run_write(locking)

    def draw(self, draw_id: str) -> Draw:
        with self.db.read() as conn:
            found = draw_store.draw_of(conn, draw_id)
        assert found is not None
        return found

    def file(self, draw_id: str) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(self.body(draw_id))
        return found

    def body(self, draw_id: str) -> bytes:
        with self.db.read() as conn:
            found = draw_store.body_of(conn, draw_id)
        assert found is not None
        return found

    def rows(self, draw_id: str) -> list[list[str]]:
        with self.db.read() as conn:
            return [line.split("\t") for line in draw_store.frozen_of(conn, draw_id).frame.splitlines()]

    def exclude(self, code: str, kind: str = "UNDER_OTHER_CASE", *, decide: bool = True, **more: str) -> str:
        values = {
            "code": code,
            "kind": kind,
            "document": "立案审批表〔2026〕9 号",
            "reason": "另案查办",
            "since": "2026-11-01",
            "until": "2026-12-31",
        } | more
        id = self.db.run_write(lambda conn: exclusions.enter(conn, CLERK, self.tick(), values))
        if decide:
            self.decide(id)
        return id

    def decide(self, id: str, who: Person = HEAD, *, approved: bool = True, answer: str = "") -> None:
        self.db.run_write(lambda conn: exclusions.decide(conn, who, self.tick(), id, approved=approved, answer=answer))


def directed(**conditions: Any) -> dict[str, Any]:
    """What makes a task a directed one."""
    return {"draw": "directed", "filter": Filter(**conditions)}


def code_of(place: int) -> str:
    """The code of the subject at a place of the library."""
    return f"{411303000000000 + place}"
