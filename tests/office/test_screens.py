"""Every page of the office, in every scene: readable by all, nothing too small, nothing wider than the window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.office.district import HTML, Office, demo_server
from tests.office.permissions import REFUSED
from tests.office.screens import (
    DEMO,
    Look,
    Scene,
    address_of,
    axe,
    chromium_at,
    fit,
    foreign_words,
    looking,
    pages,
    scenes,
    unsent,
)

pytestmark = [pytest.mark.browser, pytest.mark.serial]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("screens") / "data"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def chrome(chromium: str) -> Iterator[Browser]:
    with chromium_at(chromium) as browser:
        yield browser


@pytest.fixture(scope="module")
def shown(office: Office) -> list[Scene]:
    return scenes(office)


def test_every_page_of_office_and_public_has_a_scene(office: Office, shown: list[Scene]) -> None:
    without = {route.path for route in pages()} - {scene.route for scene in shown}
    no_pages = {path for path in without if is_no_page(office, path)}
    assert without - no_pages == set()
    assert len(shown) > 20


def is_no_page(office: Office, path: str) -> bool:
    """Whether a route gives a file or a fragment, or leads elsewhere."""
    route = next(one for one in pages() if one.path == path)
    who = next(name for role, name in DEMO.items() if route.cells[role] != REFUSED)
    client = office.stranger if who is None else office.client(who)
    answer = client.get(address_of(office, route), headers=HTML)
    is_page = answer.headers["content-type"].startswith("text/html") and "<html" in answer.text
    return 300 <= answer.status_code <= 400 or not is_page  # 400: it wants to be told what it shall prove


def test_every_page_is_accessible_and_fits_a_narrow_window(office: Office, shown: list[Scene], chrome: Browser) -> None:
    faults = []
    with looking(chrome, office, Look(width=360)) as sight:
        for scene in shown:
            page = sight.open(scene)
            faults += [f"{scene.name}: {fault}" for fault in (*axe(page), *fit(page), *foreign_words(page))]
    assert not faults, "\n".join(faults)


def test_every_page_can_be_read_in_the_dark_and_fits_a_desk(
    office: Office, shown: list[Scene], chrome: Browser
) -> None:
    faults = []
    with looking(chrome, office, Look(scheme="dark")) as sight:
        for scene in shown:
            page = sight.open(scene)
            faults += [f"{scene.name}: {fault}" for fault in (*axe(page, "color-contrast"), *fit(page))]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("look", [Look("en", 360), Look(width=360, script=False)], ids=str)
def test_the_longer_english_and_a_browser_without_script_fit_a_narrow_window_too(
    office: Office, shown: list[Scene], chrome: Browser, look: Look
) -> None:
    faults = []
    with looking(chrome, office, look) as sight:
        for scene in shown:
            page = sight.open(scene)
            faults += [f"{scene.name}: {fault}" for fault in (*fit(page), *unsent(page))]
    assert not faults, "\n".join(faults)
