"""A dispatched task for tests: three subjects, six officers of the domain, and a match taken as far as asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from server.domain.draw_sources import Source
from server.domain.instant import stamp
from server.office import crews as acts
from server.store import crews as store
from server.store import tables
from server.store.people import Person
from server.store.seal import Sealer
from server.store.session import Connection, Database
from server.sync.field import SyncField
from tests import scene
from tests.dispatching import dispatch, keys_of
from tests.subjects import row_of

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
TASK = "t1"
SEALER = Sealer([bytes(32)])
SECRET = bytes(range(32))

CLERK = Person("clerk", "clerk", "clerk", "hazchem", ("unit_clerk",), None)
HEAD = Person("head", "head", "head", "hazchem", ("unit_head",), None)
HEAD2 = Person("head2", "head2", "head2", "industry", ("unit_head",), None)
CLERK2 = Person("clerk2", "clerk2", "clerk2", "industry", ("unit_clerk",), None)
PRINCIPAL = Person("principal", "principal", "principal", "hazchem", ("principal",), None)
BOTH = Person("both", "both", "both", "hazchem", ("unit_clerk", "unit_head"), None)

CODES = ("91411303MA00000010", "91411303MA00000029", "91411303MA00000037")
HALF_DAYS = ("2026-12-03/am", "2026-12-03/am", "2026-12-03/pm")
DICE = " ".join("162534" * 4)
SOURCE = Source("dice/1", "dice", 24 * 258 // 100, "两位见证人各掷骰子十二次", "2026-11-24T09:00:00.000Z")


class Scene:
    """The database with its visits, and the field that acts on them."""

    def __init__(self, db: Database, folder: Path, officers: int = 6, sealer: Sealer = SEALER) -> None:
        self.db, self.sealer = db, sealer
        with db.read() as conn:
            is_peopled = conn.scalar(sa.select(sa.func.count()).select_from(tables.unit))
        if not is_peopled:
            scene.populate(db)
        keys = keys_of(db, folder)
        self.keys, self.field = keys, SyncField(keys)
        self.visits = [dispatch(db, keys, (), NOW)]
        with db.write() as conn:
            for n, code in enumerate(CODES[1:], 2):
                conn.execute(sa.insert(tables.subject).values(row_of(n, id=f"s{n}", uscc=code, name=f"示例{n}公司")))
            more = ("sun", "qian")[: officers - 4]
            conn.execute(
                sa.insert(tables.officer), [officer_row(n, id) for n, id in enumerate(more, 4)]
            ) if more else None
        for n, code in enumerate(CODES[1:], 2):
            self.visits.append(dispatch(db, keys, (), NOW, subject_id=f"s{n}", subject=(f"示例{n}公司", code)))

    def do(self, call: Any, *args: Any, person: Person = CLERK, now: datetime = NOW, **more: Any) -> Any:
        """An act in a transaction of its own."""
        return self.db.run_write(lambda conn: call(conn, person, now, *args, **more))

    def plan(self, half_days: Sequence[str] = HALF_DAYS, **more: str) -> None:
        """Saves half-days for the visits."""
        values = {f"half_day:{visit}": day for visit, day in zip(self.visits, half_days, strict=True)}
        self.do(acts.plan, TASK, values | more)

    def committed(self) -> str:
        """Planned and committed."""
        self.plan()
        return str(self.do(acts.commit, TASK, [SOURCE], SECRET, self.sealer))

    def contributed(self) -> str:
        """And the dice are thrown."""
        match_id = self.committed()
        self.throw(match_id)
        return match_id

    def throw(self, match_id: str, now: datetime = LATER) -> None:
        """The witnesses throw their dice."""
        self.do(acts.contribute, match_id, "dice/1", DICE, now, "见证人甲", "https://example.cn/1", now=now)

    def matched(self) -> str:
        """And the crews are drawn."""
        match_id = self.contributed()
        self.do(acts.match, match_id, self.sealer, now=LATER)
        return match_id

    def assigned(self) -> str:
        """And the phones have them."""
        match_id = self.matched()
        self.do(acts.assign, match_id, self.field, now=LATER)
        return match_id

    def match(self, match_id: str) -> store.Match:
        """How the match stands."""
        with self.db.read() as conn:
            found = store.match_of(conn, match_id)
        assert found is not None
        return found

    def crew(self, visit_id: str) -> Mapping[str, str]:
        """Officer -> role."""
        with self.db.read() as conn:
            seen = store.visit_seen(conn, visit_id)
        assert seen is not None
        return dict(seen.crew)

    def put_officer(self, id: str, **values: Any) -> None:
        """Changes an officer past the acts."""
        with self.db.write() as conn:
            conn.execute(sa.update(tables.officer).where(tables.officer.c.id == id).values(**values))


def officer_row(number: int, id: str, **values: Any) -> dict[str, Any]:
    """An officer of the domain."""
    row = {
        "id": id,
        "name": id,
        "sex": "female",
        "unit_id": "hazchem",
        "certificate": f"4113031{number:03}",
        "certificate_from": "2024-01-01",
        "certificate_to": "2029-12-31",
        "domains": ["hazardous_chemicals"],
        "left_on": None,
    }
    return row | values


def keep_away(conn: Connection, officer: str, subject: str) -> None:
    """Enters an interest."""
    conn.execute(
        sa.insert(tables.interest).values(
            id=f"i-{officer}-{subject}", officer_id=officer, subject_id=subject, kind="kinship", source="declared",
            from_on="2026-01-01", to_on=None, note="", entered_by="clerk", entered_at=stamp(NOW),
        )
    )  # fmt: skip
