"""Markup in every text that the database holds: every page of office and public shows it as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Browser

from tests.infested import plant
from tests.office.district import Office, demo_server
from tests.office.screens import Look, Sight, chromium_at, scenes

PAYLOAD: Final = "\"'><img src=x onerror=window.hit=1><script>window.hit=1</script>{{7*7}}"
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
        planted = plant(conn, lambda text: text + PAYLOAD, DERIVED)
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
