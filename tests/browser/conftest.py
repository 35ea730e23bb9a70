"""Phones for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, sync_playwright

from tests.browser.phone import Phone
from tests.browser.proxy import Proxy
from tests.running import Running


@pytest.fixture(scope="module")
def playwright(chromium: str) -> Iterator[Playwright]:
    """What speaks with the browsers."""
    with sync_playwright() as running:
        yield running


@pytest.fixture
def new_phone(playwright: Playwright, chromium: str, tmp_path: Path) -> Iterator[Callable[[str], Phone]]:
    """Makes phones that call an address; each has a profile of its own."""
    made: list[Phone] = []

    def make(url: str) -> Phone:
        phone = Phone(playwright, chromium, tmp_path / f"phone{len(made)}", url)
        made.append(phone)
        return phone

    yield make
    for phone in made:
        phone.kill()


@pytest.fixture(scope="module")
def proxy(server: Running) -> Iterator[Proxy]:
    """A line to the server that can be disturbed."""
    with Proxy(server.port) as between:
        yield between
