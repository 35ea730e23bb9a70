"""What is wrong with the plan of a statement behind a public page: a table read whole, or rows sorted by themselves."""

from __future__ import annotations

import re
from typing import Final

from tests.publicity.telling import Said

SMALL: Final = {
    "account": "a row for each who works there",
    "officer": "a row for each who works there",
    "unit": "a row a unit",
    "calendar_year": "a row a year and correction",
    "list_version": "a row a release of the list of items",
    "plan": "a row a year",
    "log_key": "a row a key of the log",
    "log_witness": "a row a witness",
}
"""Tables that results don't make longer: a page may read them whole."""

WHOLE: Final = {
    "/draws/chain.json": {"draw", "draw_file", "crew_match"},
}
"""Files that have a line for each row of these tables: they are walked by an index, in its order, once."""

OPEN_ONES: Final = "SCAN visit USING INDEX ix_visit_open"
"""The index that has the open visits only, of which there are as many as the crews have to do."""


def faults_of(route: str, said: Said) -> list[str]:
    """What is wrong with the plan of one statement: a table read whole, or rows sorted beside the index."""
    judge = _postgres_step if "rows=" in said.plan[0] else _sqlite_step
    found = [step for step in said.plan if not judge(route, said.sql, step)]
    return [f"{step} -- {said.sql[:3000]}" for step in found]


_LOOKS: Final = re.compile(
    r"SEARCH |SCAN CONSTANT|SCAN \(subquery|SCAN anon_|SCAN \d+ CONSTANT|LIST SUBQUERY|CO-ROUTINE|CORRELATED|SCALAR|"
    r"MULTI-INDEX OR|INDEX \d|COMPOUND|UNION|LEFT-MOST|MATERIALIZE"
)
_WALKS: Final = re.compile(r"SCAN (\w+)( USING (?:COVERING )?INDEX \w+)?$")


def _sqlite_step(route: str, sql: str, step: str) -> bool:
    """Whether a step looks something up, or walks along an index no further than the page is long."""
    if step == OPEN_ONES or _LOOKS.match(step):
        return True
    walk = _WALKS.match(step)
    if walk is None:
        return False  # a sort beside the index, or what nobody has judged yet
    if walk[1] in SMALL:
        return True
    return walk[2] is not None and (" LIMIT " in sql or walk[1] in WHOLE.get(route, ()))


def _postgres_step(route: str, sql: str, step: str) -> bool:
    """The same."""
    kind, table, index, asked, _ = step.split(" ")
    if kind in ("Sort", "Incremental_Sort"):
        return False
    if table in SMALL or table == "-" or asked == "cond" or index == "ix_visit_open" or kind == "Bitmap_Heap_Scan":
        return True
    return index != "-" and (" LIMIT " in sql or table in WHOLE.get(route, ()))
