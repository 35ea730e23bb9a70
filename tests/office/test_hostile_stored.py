"""Markup in every text that the database holds: every page of office and public shows it as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser

from server.store import tables
from server.store.session import Connection
from tests.office.district import Office, demo_server
from tests.office.screens import Look, Sight, chromium_at, scenes

PAYLOAD: Final = "\"'><img src=x onerror=window.hit=1><script>window.hit=1</script>{{7*7}}"
CHINESE: Final = re.compile("[\u4e00-\u9fff]")
KINDS: Final = (sa.String, sa.JSON, sa.LargeBinary)
DERIVED: Final = {"subject_term", "trail", "op", "apart", "record", "session"}
"""Tables that are made from others, or whose rows are hashed as they came."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("stored") / "data"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def chrome(chromium: str) -> Iterator[Browser]:
    with chromium_at(chromium) as browser:
        yield browser


@pytest.mark.browser
@pytest.mark.serial
def test_markup_in_any_stored_text_is_shown_and_never_run(office: Office, chrome: Browser) -> None:
    shown = scenes(office)
    with office.db.write() as conn:
        planted = plant(conn)
    assert planted > 40, "columns that hold what people wrote"
    faults: list[str] = []
    seen = 0
    sight = Sight(chrome, office, Look())
    for scene in shown:
        page = sight.open(scene)
        seen += "<script>window.hit=1" in page.inner_text("body")
        if page.evaluate("window.hit !== undefined || document.querySelector('main script, main [onerror]') !== null"):
            faults.append(f"{scene.name}: the markup came to life")
        if page.locator("main").count() == 0:
            faults.append(f"{scene.name}: no page")
    sight.close()
    assert [*faults, *sight.faults] == []
    assert seen > 30, "pages that show what was planted"


def plant(conn: Connection) -> int:
    """Puts the markup into every column where people wrote Chinese; gives the number of columns."""
    for name in conn.execute(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
        conn.execute(sa.text(f"DROP TRIGGER {name}"))
    return sum(
        _plant_column(conn, table, column)
        for table in tables.metadata.sorted_tables
        if table.name not in DERIVED
        for column in table.columns
        if isinstance(column.type, KINDS) and not column.primary_key and not column.foreign_keys
    )


def _plant_column(conn: Connection, table: sa.Table, column: sa.Column[Any]) -> bool:
    keys = list(table.primary_key.columns)
    rows = conn.execute(sa.select(column, *keys)).all()
    changed = [(row, with_markup(row[0])) for row in rows]
    changed = [(row, value) for row, value in changed if value != row[0]]
    for row, value in changed:
        here = sa.and_(*(key == given for key, given in zip(keys, row[1:], strict=True)))
        conn.execute(sa.update(table).where(here).values({column: value}))
    return bool(changed)


def with_markup(value: Any) -> Any:
    """The markup behind every Chinese text, however deep it lies."""
    if isinstance(value, str):
        return value + PAYLOAD if CHINESE.search(value) else value
    if isinstance(value, bytes):  # what is kept as it was published
        return msgspec.json.encode(with_markup(msgspec.json.decode(value))) if value.startswith(b"{") else value
    if isinstance(value, list):
        return [with_markup(one) for one in value]
    if isinstance(value, dict):
        return {name: with_markup(one) for name, one in value.items()}
    return value
