"""Bombs, damaged and double-faced pictures, and bodies without end: nothing fails but the picture itself."""

from __future__ import annotations

import os
import random
import socket
import struct
import zlib
from urllib.parse import urlsplit

import pytest

from server.store.session import Database
from tests.media.scene import PART, TUS, Phone, name_in_op, picture, sha256

SEED = 20261124


def shown(phone: Phone, db: Database, data: bytes, size: str = "small") -> tuple[int, bytes]:
    """What is shown of a file that an op names."""
    name_in_op(db, phone.upload(data), phone.rid)
    answer = phone.http.get(f"/api/media/{sha256(data)}?as={size}")
    return answer.status_code, answer.content


def png(width: int, height: int, rows: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    "data",
    [
        png(60_000, 60_000, b"\0" * 1_000_000),
        png(7_072, 7_072, b"\0" * (7_072 * 3 + 1) * 7_072),
        png(2**31 - 1, 2**31 - 1, b""),
        png(0, 0, b""),
        b"GIF89a" + b"\0" * 100,
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"%PDF-1.7 x",
        b"\xff\xd8\xff",
        b"RIFF\x00\x00\x00\x00WEBPVP8X",
    ],
    ids=["3600 Mpx", "50.01 Mpx", "4 Epx", "0 px", "gif", "svg", "pdf", "jpeg without frame", "webp without size"],
)
def test_what_must_not_be_decoded_is_kept_and_not_shown(li: Phone, beside: Database, data: bytes) -> None:
    data += os.urandom(8)
    assert shown(li, beside, data)[0] == 404
    assert li.http.get(f"/api/media/{sha256(data)}").content == data


def test_a_large_picture_within_the_limit_is_shown(li: Phone, beside: Database) -> None:
    data = png(7_000, 7_000, b"\0" + os.urandom(999) + b"\0" * ((7_000 * 3 + 1) * 7_000 - 1000))
    assert shown(li, beside, data)[0] == 200


def test_a_picture_that_is_a_page_too_is_shown_as_a_picture_only(li: Phone, beside: Database) -> None:
    status, content = shown(li, beside, picture() + b"<script>alert(1)</script>")
    assert (status, content[:3]) == (200, b"\xff\xd8\xff")
    assert b"script" not in content


@pytest.mark.serial
def test_damaged_pictures_are_shown_or_not_and_the_server_lives(li: Phone, beside: Database) -> None:
    chance = random.Random(SEED)
    whole = [picture(64, 48, format) for format in ("JPEG", "PNG", "WEBP")]
    for _ in range(90):
        damaged = bytearray(chance.choice(whole))
        for _ in range(chance.randint(1, 12)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        del damaged[chance.choice([len(damaged), chance.randrange(20, len(damaged))]) :]
        assert shown(li, beside, bytes(damaged), chance.choice(["thumb", "small"]))[0] in (200, 404), SEED
    assert shown(li, beside, picture())[0] == 200


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    with open(f"/proc/{pid}/statm") as numbers:
        return int(numbers.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.serial
@pytest.mark.parametrize("path", ["/api/media", "/api/media/batch", "/api/session"])
def test_a_body_of_ten_gigabytes_is_refused_in_flat_memory(li: Phone, path: str) -> None:
    assert li.server.process is not None
    pid, block = li.server.process.pid, os.urandom(1 << 20)
    li.upload(os.urandom(1 << 20))
    before, most, sent = resident(pid), 0, 0
    address = urlsplit(li.server.url)
    said = TUS | {"Host": "x", "Authorization": li.token, "Upload-Length": str(1 << 20), "Transfer-Encoding": "chunked"}
    said["Content-Type"] = {"/api/media": PART, "/api/session": "application/json"}.get(path, MULTIPART)
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in said.items()), "", ""]
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall("\r\n".join(lines).encode())
        first = VISIT_PART if path.endswith("batch") else b"x"
        connection.sendall(b"%x\r\n%s\r\n" % (len(first), first))
        connection.setblocking(False)
        answer = b""
        while sent < 10 << 30 and not answer:
            try:
                connection.setblocking(True)
                connection.sendall(b"%x\r\n" % len(block) + block + b"\r\n")
                sent += len(block)
                most = max(most, resident(pid))
                connection.setblocking(False)
                answer = connection.recv(65536)
            except BlockingIOError:
                continue
    assert answer.startswith(b"HTTP/1.1 413")
    assert most - before < 48 << 20


MULTIPART = "multipart/form-data; boundary=edge"
VISIT_PART = (
    b'--edge\r\nContent-Disposition: form-data; name="visit"\r\n\r\n\r\n'
    b'--edge\r\nContent-Disposition: form-data; name="' + b"0" * 64 + b'"; filename="blob"\r\n\r\n'
)
