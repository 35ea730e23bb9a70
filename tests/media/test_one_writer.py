"""One upload, several writers: one at a time, in one process or in many, and never half of a part."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from urllib.parse import urlsplit

import pytest

from tests.media.scene import PART, TUS, VISIT, Phone, database_of, dispatch, sha256
from tests.running import Running

pytestmark = pytest.mark.serial


@pytest.fixture(params=["uvicorn 1", "uvicorn 2", "granian 2"])
def phone(request: pytest.FixtureRequest, start_server: Callable[..., Running]) -> Iterator[Phone]:
    """The leader's phone, with servers of one and of two processes."""
    kind, workers = request.param.split()
    server = start_server(None, SUIJIAN_SERVER=kind, SUIJIAN_WORKERS=workers)
    with closing(database_of(server)) as db:
        dispatch(db)
    with closing(Phone(server, "li")) as li:
        yield li


@contextmanager
def slow_patch(phone: Phone, url: str, body: bytes, first: int) -> Iterator[socket.socket]:
    """A PATCH under way, of which the server has got `first` bytes and no more."""
    address = urlsplit(phone.server.url)
    said = TUS | {
        "Host": "x",
        "Authorization": phone.token,
        "Content-Type": PART,
        "Upload-Offset": "0",
        "Content-Length": str(len(body)),
    }
    lines = [f"PATCH {url} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items()), "", ""]
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall("\r\n".join(lines).encode() + body[:first])
        yield connection


def test_a_second_writer_is_told_that_the_upload_is_locked(phone: Phone) -> None:
    data = os.urandom(600_000)
    url = phone.create(len(data), sha256=sha256(data), visit=VISIT).headers["location"]
    with slow_patch(phone, url, data, 400_000) as writer:
        while phone.offset(url) == 0:
            pass
        others = [phone.patch(url, offset, data[offset:]) for offset in (0, phone.offset(url)) for _ in range(4)]
        assert {(other.status_code, other.json()["code"]) for other in others} == {(423, "upload_busy")}
        assert phone.http.delete(url, headers=TUS).status_code == 423
        writer.sendall(data[400_000:])
        assert writer.recv(12) == b"HTTP/1.1 204"
    assert phone.offset(url) == len(data)


def test_a_writer_that_breaks_off_leaves_what_it_brought_and_no_lock(phone: Phone) -> None:
    data = os.urandom(600_000)
    url = phone.create(len(data), sha256=sha256(data), visit=VISIT).headers["location"]
    with slow_patch(phone, url, data, 400_000):
        while phone.offset(url) == 0:
            pass
    while (answer := phone.patch(url, offset := phone.offset(url), data[offset:])).status_code in (423, 409):
        pass
    assert (answer.status_code, offset) == (204, 400_000)


def test_of_many_writers_at_once_each_part_is_taken_from_one(phone: Phone) -> None:
    data, step = os.urandom(1_000_000), 100_000
    url = phone.create(len(data), sha256=sha256(data), visit=VISIT).headers["location"]

    def send(start: int) -> int:
        return phone.patch(url, start, data[start : start + step]).status_code

    with ThreadPoolExecutor(8) as threads:
        for start in range(0, len(data), step):
            codes = list(threads.map(send, [start] * 8))
            assert codes.count(204) == 1
            assert set(codes) <= {204, 409, 423}
    kept = phone.server.data / "media" / sha256(data)[:2] / sha256(data)
    assert kept.read_bytes() == data
