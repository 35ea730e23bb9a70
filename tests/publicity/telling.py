"""The real server as a process that writes down every statement that it gives to its database, with the plan."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.running import Running

NAME = "STATEMENTS_OF_TESTS"
READS = ("SELECT", "WITH")
VALUE = re.compile(r"'[^']*'|\b\d+\b")
"""What differs in a statement each time that it is asked; its plan doesn't hang on it."""


class Said(NamedTuple):
    """A statement that read, one of its kind, and how the planner goes about it: a line a step."""

    sql: str
    plan: tuple[str, ...]


class Telling(Running):
    """A server whose statements can be read from outside while it runs."""

    command = ("tests.publicity.telling",)

    def __init__(self, data: Path, **environment: str) -> None:
        super().__init__(data, **environment)
        self.told = data.with_suffix(".sql")
        self.environment[NAME] = str(self.told)
        self.told.write_text("")
        self._read = 0

    def said(self) -> list[Said]:
        """What was read since the last call. Ask it once the answer is there."""
        with open(self.told) as told:
            told.seek(self._read)
            lines = told.readlines()
            self._read = told.tell()
        found = {VALUE.sub("?", sql): (sql, plan) for sql, plan in map(json.loads, lines)}
        return [self._explained(*given) for given in found.values()]

    def _explained(self, sql: str, plan: Any) -> Said:
        if plan is not None:
            return Said(sql, tuple(_steps(plan)))
        with sqlite3.connect(f"file:{self.data / 'suijian.db'}?mode=ro", uri=True) as conn:
            return Said(sql, tuple(str(row[3]) for row in conn.execute(f"EXPLAIN QUERY PLAN {sql}")))


def _steps(node: dict[str, Any]) -> list[str]:
    """PostgreSQL's plan in lines: kind of the step, table, index, whether it looks up, how many rows it awaits."""
    relation, index = node.get("Relation Name", "-"), node.get("Index Name", "-")
    asked = "cond" if "Index Cond" in node else "all"
    line = f"{node['Node Type'].replace(' ', '_')} {relation} {index} {asked} rows={node['Plan Rows']}"
    return [line, *(step for child in node.get("Plans", ()) for step in _steps(child))]


# --- in the server's process ------------------------------------------------------------------------------------------


def _tell(sql: str, plan: object) -> None:
    if sql.lstrip().upper().startswith(READS):
        with open(os.environ[NAME], "a") as told:
            told.write(json.dumps([sql, plan]) + "\n")


class Explaining(psycopg.Cursor[Any]):
    """A cursor that lets every statement be explained before it runs it."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Explaining:
        if isinstance(query, str) and query.lstrip().upper().startswith(READS):
            super().execute(f"EXPLAIN (FORMAT JSON) {query}", params)
            row = self.fetchone()
            _tell(query, row and row[0][0]["Plan"])
        super().execute(query, params, **options)
        return self


def _listen(connection: Any, _record: object) -> None:
    raw = getattr(connection, "driver_connection", connection)
    if isinstance(raw, sqlite3.Connection):
        raw.set_trace_callback(lambda sql: _tell(sql, None))
    else:
        raw.cursor_factory = Explaining


if __name__ == "__main__":
    import server.__main__ as console

    event.listen(Engine, "connect", _listen)
    sys.exit(console.main(["serve"]))
