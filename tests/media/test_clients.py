"""tuspy, tus-js-client and Uppy, unchanged, through three cuts in mid-chunk and a server that is killed and started."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright
from tusclient.client import TusClient

from tests.media.cutting import Cutter
from tests.media.scene import VISIT, Phone, database_of, dispatch, sha256
from tests.running import Running

SIZE = 5 << 20
CUTS = [700_000, 2_500_000, 4_200_000]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
pytestmark = pytest.mark.serial


@pytest.fixture
def own(start_server: Callable[..., Running]) -> Running:
    """A server that this test may kill, with the visits in it."""
    server = start_server()
    with closing(database_of(server)) as db:
        dispatch(db)
    return server


@pytest.fixture
def phone(own: Running) -> Iterator[Phone]:
    """The leader's phone."""
    with closing(Phone(own, "li")) as li:
        yield li


@pytest.fixture
def page(chromium: str) -> Iterator[Page]:
    """A page of a real browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser.new_page()
        browser.close()


def restarting(server: Running) -> Callable[[], object]:
    def restart() -> None:
        server.kill()
        server.start()

    return restart


def file_of(server: Running, data: bytes) -> Path:
    digest = sha256(data)
    return server.data / "media" / digest[:2] / digest


@pytest.mark.parametrize("checked", [False, True])
def test_tuspy_brings_a_file_through(own: Running, phone: Phone, checked: bool) -> None:
    data = os.urandom(SIZE)
    with Cutter(own.port, CUTS, 2, restarting(own)) as proxy:
        client = TusClient(f"{proxy.url}/api/media", headers={"Authorization": phone.token})
        uploader = client.uploader(
            file_stream=io.BytesIO(data),
            chunk_size=1 << 20,
            retries=50,
            retry_delay=0,
            metadata={"sha256": sha256(data), "visit": VISIT},
            upload_checksum=checked,
        )
        uploader.upload()
        assert proxy.done == 3
    assert file_of(own, data).read_bytes() == data


def test_tuspy_works_without_any_metadata(own: Running, phone: Phone) -> None:
    data = os.urandom(100_000)
    client = TusClient(f"{own.url}/api/media", headers={"Authorization": phone.token})
    client.uploader(file_stream=io.BytesIO(data), chunk_size=30_000).upload()
    assert file_of(own, data).read_bytes() == data


TUS_JS = """async ([text, token, metadata, options]) => {
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const file = new File([bytes], '照片.jpg', { type: 'image/jpeg' });
  await new Promise((resolve, reject) => new tus.Upload(file, {
    endpoint: '/api/media', chunkSize: 1 << 20, retryDelays: Array(50).fill(50), headers: { Authorization: token },
    metadata, onSuccess: resolve, onError: reject, ...options,
  }).start());
}"""


@pytest.mark.parametrize("options", [{}, {"uploadDataDuringCreation": True}, {"overridePatchMethod": True}])
def test_tus_js_client_brings_a_file_through(own: Running, phone: Phone, page: Page, options: dict[str, Any]) -> None:
    data = os.urandom(SIZE)
    with Cutter(own.port, CUTS, 2, restarting(own)) as proxy:
        page.goto(f"{proxy.url}/lib/page.html")
        metadata = {"sha256": sha256(data), "visit": VISIT, "mime": "image/jpeg"}
        page.evaluate(TUS_JS, [base64.b64encode(data).decode(), phone.token, metadata, options])
        assert proxy.done == 3
    assert file_of(own, data).read_bytes() == data


UPPY = """async ([text, token]) => {
  const { default: Uppy } = await import('@uppy/core');
  const { default: Tus } = await import('@uppy/tus');
  const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  const uppy = new Uppy().use(Tus, {
    endpoint: '/api/media', chunkSize: 1 << 20, retryDelays: Array(50).fill(50), headers: { Authorization: token },
  });
  uppy.addFile({ name: '照片.jpg', type: 'image/jpeg', data: new Blob([bytes]) });
  const result = await uppy.upload();
  return [result.successful.length, result.failed.map((file) => String(file.error))];
}"""


def test_uppy_brings_a_file_through(own: Running, phone: Phone, page: Page) -> None:
    data = os.urandom(SIZE)
    with Cutter(own.port, CUTS, 2, restarting(own)) as proxy:
        page.goto(f"{proxy.url}/lib/page.html")
        assert page.evaluate(UPPY, [base64.b64encode(data).decode(), phone.token]) == [1, []]
        assert proxy.done == 3
    assert file_of(own, data).read_bytes() == data
