"""Numbers that are handed out one after another: a counter's row is locked until the commit, so there is no hole."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from server.store.tables import counter


def next_of(conn: Connection, name: str) -> int:
    """The next value of a counter, from 1; the counter is made where it isn't there."""
    raised = sa.update(counter).where(counter.c.name == name).values(value=counter.c.value + 1)
    n = conn.scalar(raised.returning(counter.c.value))
    if n is None:
        insert = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert
        conn.execute(insert(counter).values(name=name, value=0).on_conflict_do_nothing())
        n = conn.scalar(raised.returning(counter.c.value))
    return int(n or 0)
