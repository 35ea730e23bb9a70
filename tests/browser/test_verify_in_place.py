"""The verifier's page where the bureau offers it: under its own policy it verifies a file, and asks nobody anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from server.verifiers import PAGE
from tests.office.district import Office, demo_server
from tests.office.screens import FLAGS
from tests.office.walks import draws as walks

pytestmark = [pytest.mark.browser, pytest.mark.serial]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("in-place") / "data"))
    yield found
    found.close()


@pytest.fixture
def page(chromium: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser.new_page(locale="zh-CN")
        browser.close()


def test_the_page_in_its_place_verifies_an_open_file_and_sends_no_request(
    office: Office, page: Page, tmp_path: Path
) -> None:
    no = walks.draw_of(office, walks.drawn(office, disclosure="open")).no
    body = office.stranger.get(f"/draws/{no}/files/1-1.json").content
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(body)
    bad.write_bytes(body.replace(b'"attempt":1', b'"attempt":3', 1))
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{office.running.url}/verify/{PAGE}")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if not request.url.startswith("blob:") else None)
    page.set_input_files("input[type=file]", str(good))
    page.get_by_text("6 步相符，2 步还没查").first.wait_for()  # no crews yet, and the chain needs the other files
    page.set_input_files("input[type=file]", str(bad))
    page.get_by_text("不相符").first.wait_for()
    assert (asked, faults) == ([], [])
