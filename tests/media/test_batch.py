"""Many small files in one body: what verifies is stored, what doesn't is named, and half a body is nothing."""

from __future__ import annotations

import os
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from server.store.session import Database
from tests.media.scene import VISIT, Phone, name_in_op, picture, sha256
from tests.running import Running

BOUNDARY = "edge"
TYPE = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def part(name: str, data: bytes, filename: str | None = None, type: str = "image/png") -> bytes:
    said = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename is not None else "")
    return f"--{BOUNDARY}\r\nContent-Disposition: {said}\r\nContent-Type: {type}\r\n\r\n".encode() + data + b"\r\n"


def body_of(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def visit(id: str = VISIT) -> bytes:
    return part("visit", id.encode())


def named(data: bytes, filename: str = "blob") -> bytes:
    return part(sha256(data), data, filename)


def post(phone: Phone, body: bytes) -> httpx.Response:
    return phone.http.post("/api/media/batch", content=body, headers=TYPE)


def kept(server: Running) -> set[str]:
    """The names of the files that are here for good; what is on its way lies in `incoming`."""
    paths = (server.data / "media").rglob("*")
    return {path.name for path in paths if path.is_file() and path.parent.name != "incoming"}


def test_a_batch_is_stored_and_may_be_seen_once_an_op_names_it(li: Phone, beside: Database) -> None:
    images = [os.urandom(12_000) for _ in range(3)]
    answer = li.batch([(sha256(one), ("blob", one, "image/png")) for one in images])
    assert answer.status_code == 200
    assert answer.json() == {"stored": [sha256(one) for one in images], "refused": []}
    name_in_op(beside, sha256(images[0]), li.rid, role="image")
    assert li.http.get(f"/api/media/{sha256(images[0])}").content == images[0]
    assert li.http.get(f"/api/media/{sha256(images[1])}").status_code == 404


def test_a_part_that_differs_from_its_name_is_refused_and_the_others_are_stored(li: Phone, server: Running) -> None:
    good, bad = os.urandom(500), os.urandom(500)
    answer = post(li, body_of(visit(), part("f" * 64, bad, "blob"), named(good)))
    assert answer.json() == {"stored": [sha256(good)], "refused": [{"sha256": "f" * 64, "code": "hash_mismatch"}]}
    assert sha256(bad) not in kept(server)


@pytest.mark.parametrize(
    "name", ["../../evil", "/etc/passwd", "a" * 63, "A" * 64, "..%2f", "", "\\\\x", "a" * 64 + "/.."]
)
def test_a_part_with_another_name_than_a_digest_is_refused(li: Phone, server: Running, name: str) -> None:
    before = kept(server)
    answer = post(li, body_of(visit(), part(name, b"x", "blob")))
    assert [one["code"] for one in answer.json()["refused"]] == ["bad_name"]
    assert kept(server) == before


@pytest.mark.parametrize("back", [3, 4, 5, 10, 200, 5_000, 11_000, 12_200])
def test_nothing_is_kept_of_a_body_that_ends_early(li: Phone, server: Running, back: int) -> None:
    before = kept(server)
    answer = post(li, body_of(visit(), named(os.urandom(6_000)), named(os.urandom(6_000)))[:-back])
    assert (answer.status_code, answer.json()["code"]) == (400, "truncated")
    assert kept(server) == before


def test_nothing_is_kept_of_a_body_whose_connection_breaks(li: Phone, server: Running) -> None:
    before = kept(server)
    body = body_of(visit(), named(os.urandom(300_000)))
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port)) as broken:
        lines = [
            "POST /api/media/batch HTTP/1.1",
            "Host: x",
            f"Authorization: {li.token}",
            f"Content-Length: {len(body)}",
        ]
        head = "\r\n".join([*lines, f"Content-Type: {TYPE['Content-Type']}", "", ""])
        broken.sendall(head.encode() + body[:-1000])
    assert post(li, body_of(visit())).json() == {"stored": [], "refused": []}
    assert kept(server) == before


@pytest.mark.parametrize(
    "body",
    [
        body_of(named(b"abc")),
        body_of(),
        body_of(visit("not-a-visit"), named(b"abc")),
        body_of(visit("x" * 300), named(b"abc")),
        b"no multipart at all",
        b"",
    ],
)
def test_a_body_without_its_visit_first_is_refused(li: Phone, body: bytes) -> None:
    assert post(li, body).status_code == 400


@pytest.mark.parametrize(
    "type", ["", "text/plain", "multipart/form-data", f"multipart/form-data; boundary={'x' * 300}"]
)
def test_a_body_of_another_type_is_refused(li: Phone, type: str) -> None:
    answer = li.http.post("/api/media/batch", content=body_of(visit()), headers={"Content-Type": type})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_too_many_parts_are_too_large(li: Phone) -> None:
    answer = post(li, body_of(visit(), *(named(str(number).encode()) for number in range(201))))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_rendition_must_be_a_picture(li: Phone) -> None:
    original, good = sha256(b"the original"), picture(32, 24, "WEBP")
    answer = post(li, body_of(visit(), named(good, original), named(b"<script>", original)))
    assert answer.json()["stored"] == [sha256(good)]
    assert answer.json()["refused"] == [{"sha256": sha256(b"<script>"), "code": "bad_rendition"}]
