"""Who may see a photograph: an op of his visit names it, and its bytes came for that visit. All else is not found."""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Iterator
from contextlib import closing

import httpx
import pytest
from PIL import Image

from server.domain.instant import stamp
from server.store import tables
from server.store.session import Database
from tests.media.scene import ELSEWHERE, Phone, name_in_op, picture, sha256
from tests.running import Running
from tests.scene import NOW

SEES = {"li", "zhang", "clerk", "head", "legal", "principal", "steering", "auditor"}
SEES_NOT = {"wang", "zhao", "clerk2", "head2", "admin"}
WAYS = [(method, query) for method in ("GET", "HEAD") for query in ("", "?as=thumb", "?as=small")]


@pytest.fixture(scope="module")
def everybody(server: Running, beside: Database) -> Iterator[dict[str, httpx.Client]]:
    """A signed-in client for each account of the bureau."""
    clients = {name: server.signed_in(name) for name in sorted(SEES | SEES_NOT)}
    yield clients
    for client in clients.values():
        client.close()


def told(answer: httpx.Response) -> tuple[object, ...]:
    """All that an answer tells, but for the moment."""
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return answer.status_code, headers, answer.content


@pytest.mark.parametrize(("method", "query"), WAYS)
def test_members_and_their_office_see_it_and_nobody_else_is_told_anything(
    everybody: dict[str, httpx.Client], li: Phone, beside: Database, method: str, query: str
) -> None:
    digest = li.upload(picture())
    name_in_op(beside, digest, li.rid)
    nothing = secrets.token_hex(32)
    for name, client in everybody.items():
        answer = client.request(method, f"/api/media/{digest}{query}")
        assert answer.status_code == (200 if name in SEES else 404), name
        if name in SEES_NOT:
            assert told(answer) == told(client.request(method, f"/api/media/{nothing}{query}"))


def test_who_is_not_signed_in_is_asked_to(server: Running) -> None:
    with server.client() as stranger:
        assert stranger.get(f"/api/media/{'0' * 64}").status_code == 401


def test_bytes_that_no_op_names_are_seen_by_nobody_not_even_their_sender(li: Phone) -> None:
    assert li.http.get(f"/api/media/{li.upload(os.urandom(100))}").status_code == 404


def test_a_named_hash_without_bytes_is_seen_by_nobody(li: Phone, beside: Database) -> None:
    digest = secrets.token_hex(32)
    name_in_op(beside, digest, li.rid)
    assert li.http.get(f"/api/media/{digest}").status_code == 404


def test_bytes_that_came_for_another_visit_do_not_count(li: Phone, server: Running, beside: Database) -> None:
    data = os.urandom(100)
    with closing(Phone(server, "zhao")) as zhao:
        digest = zhao.upload(data, ELSEWHERE)
    name_in_op(beside, digest, li.rid)
    assert li.http.get(f"/api/media/{digest}").status_code == 404
    li.upload(data)
    assert li.http.get(f"/api/media/{digest}").content == data


def test_bytes_sent_without_a_visit_count_when_their_sender_is_or_was_in_its_crew(
    li: Phone, server: Running, beside: Database
) -> None:
    theirs, ours = os.urandom(100), os.urandom(100)
    with closing(Phone(server, "zhao")) as zhao, closing(Phone(server, "wang")) as wang:
        for phone, data in ((zhao, theirs), (wang, ours)):
            name_in_op(beside, phone.upload(data, None), li.rid)
    assert li.http.get(f"/api/media/{sha256(theirs)}").status_code == 404
    assert li.http.get(f"/api/media/{sha256(ours)}").status_code == 200


def test_a_revoked_phone_may_send_and_sees_nothing(server: Running, beside: Database) -> None:
    with closing(Phone(server, "zhang")) as lost:
        digest = lost.upload(os.urandom(100))
        name_in_op(beside, digest, lost.rid)
        assert lost.http.get(f"/api/media/{digest}").status_code == 200
        with beside.write() as conn:
            device = tables.device
            conn.execute(device.update().where(device.c.rid == lost.rid).values(revoked_at=stamp(NOW)))
        assert lost.http.get(f"/api/media/{digest}").status_code == 404
        assert lost.http.get(f"/api/media/{digest}?as=thumb").status_code == 404
        lost.upload(os.urandom(100))


def test_an_original_is_a_download_and_never_shown_in_place(li: Phone, beside: Database) -> None:
    hostile = b"<html><script>alert(1)</script></html>"
    for data, type in ((picture(), "image/jpeg"), (hostile, "application/octet-stream")):
        name_in_op(beside, li.upload(data, mime="text/html"), li.rid)
        answer = li.http.get(f"/api/media/{sha256(data)}")
        assert answer.headers["content-disposition"].startswith("attachment;")
        assert answer.headers["content-type"] == type
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.content == data


def test_a_picture_that_the_server_makes_holds_nothing_but_the_picture(li: Phone, beside: Database) -> None:
    secret = b"GPS 32.9987 112.5292"
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = secret.decode(), 6
    name_in_op(beside, li.upload(data := picture(3000, 1000, exif=exif)), li.rid)
    assert secret in data
    for size, edge in (("thumb", 320), ("small", 1600)):
        answer = li.http.get(f"/api/media/{sha256(data)}?as={size}")
        shown = Image.open(io.BytesIO(answer.content))
        assert (shown.format, shown.height) == ("JPEG", edge)
        assert secret not in answer.content


def test_the_phones_own_rendition_is_shown_where_it_came_from_the_phone_that_attached(
    li: Phone, zhang: Phone, beside: Database
) -> None:
    digest = li.upload(picture(400, 300))
    name_in_op(beside, digest, li.rid)
    forged, thumb, small = picture(33, 33, "WEBP"), picture(40, 30, "WEBP"), picture(300, 200)
    assert len(thumb) <= 20_480 < len(small)
    zhang.batch([(sha256(forged), (digest, forged, "image/webp"))])
    assert li.http.get(f"/api/media/{digest}?as=thumb").content != forged
    li.batch([(sha256(one), (digest, one, "image/webp")) for one in (thumb, small)])
    assert zhang.http.get(f"/api/media/{digest}?as=thumb").content == thumb
    assert zhang.http.get(f"/api/media/{digest}?as=small").content == small


def test_a_rendition_is_shown_before_its_original_has_come_and_is_never_evidence(li: Phone, beside: Database) -> None:
    digest, thumb = secrets.token_hex(32), picture(40, 30, "WEBP")
    name_in_op(beside, digest, li.rid)
    li.batch([(sha256(thumb), (digest, thumb, "image/webp"))])
    assert li.http.get(f"/api/media/{digest}?as=thumb").content == thumb
    assert li.http.get(f"/api/media/{digest}?as=small").content == thumb
    name_in_op(beside, sha256(thumb), li.rid)
    assert li.http.get(f"/api/media/{sha256(thumb)}").status_code == 404


@pytest.mark.parametrize(
    "name", ["..%2f..%2f..%2fsuijian.db", "%2e%2e%2fx", "uploads", "incoming", "A" * 64, "0" * 63, "0" * 65]
)
def test_what_is_no_digest_is_not_found(li: Phone, name: str) -> None:
    assert li.http.get(f"/api/media/{name}").status_code == 404


def test_a_part_of_an_original_can_be_asked_for(li: Phone, beside: Database) -> None:
    data = os.urandom(600_000)
    name_in_op(beside, li.upload(data), li.rid)

    def part(asked: str) -> tuple[int, bytes]:
        answer = li.http.get(f"/api/media/{sha256(data)}", headers={"Range": asked})
        return answer.status_code, answer.content

    assert part("bytes=0-9") == (206, data[:10])
    assert part("bytes=599990-") == (206, data[-10:])
    assert part("bytes=-10") == (206, data[-10:])
    assert part("bytes=300000-700000") == (206, data[300_000:])
    assert part("bytes=600000-")[0] == 416
    assert part("bytes=0-1,4-5") == part("nonsense") == (200, data)


def test_head_tells_what_get_would(li: Phone, beside: Database) -> None:
    name_in_op(beside, digest := li.upload(os.urandom(5_000)), li.rid)
    given, told_ahead = li.http.get(f"/api/media/{digest}"), li.http.head(f"/api/media/{digest}")
    assert told_ahead.content == b""
    assert {**told_ahead.headers, "date": ""} == {**given.headers, "date": ""}
