"""Every page of the office, in every scene: readable by all, nothing too small, nothing wider than the window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.office.district import Office, demo_server
from tests.office.screens import Look, axe, chromium_at, fit, foreign_words, looking, routes, scenes

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


def test_every_route_of_the_office_has_a_scene(office: Office) -> None:
    assert {scene.route for scene in scenes(office)} == routes()


@pytest.mark.parametrize("look", [Look(width=360), Look("en"), Look(scheme="dark")], ids=str)
def test_every_page_is_accessible_and_fits(office: Office, chrome: Browser, look: Look) -> None:
    faults = []
    with looking(chrome, office, look) as sight:
        for scene in scenes(office):
            page = sight.open(scene)
            said = [*axe(page), *fit(page), *(foreign_words(page) if look.lang == "zh-CN" else [])]
            faults += [f"{scene.name}: {fault}" for fault in said]
            page.close()
    assert not faults, "\n".join(faults)


def test_the_longer_english_fits_a_narrow_window_too(office: Office, chrome: Browser) -> None:
    faults = []
    with looking(chrome, office, Look("en", 360)) as sight:
        for scene in scenes(office):
            page = sight.open(scene)
            faults += [f"{scene.name}: {fault}" for fault in fit(page)]
            page.close()
    assert not faults, "\n".join(faults)
