"""Uploads as tus 1.0 has them, and what becomes of those that are cut, doubled or wrong."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from email.utils import parsedate_to_datetime

import httpx
import pytest

from server.domain.instant import instant
from server.store.session import Database
from tests.media.scene import ELSEWHERE, PART, TUS, VISIT, Phone, name_in_op, sha256
from tests.running import Running


def checksum(algorithm: str, data: bytes) -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_anybody_may_ask_what_the_server_can_do(server: Running) -> None:
    with server.client() as client:
        answer = client.options("/api/media")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-extension"] == "creation,creation-with-upload,expiration,checksum,termination"
    assert answer.headers["tus-checksum-algorithm"] == "sha1,sha256"


def test_another_version_of_tus_is_refused_with_the_one_that_is_spoken(li: Phone) -> None:
    answer = li.create(5, {"Tus-Resumable": "0.2.2"})
    assert code(answer) == (412, "tus_version")
    assert answer.headers["tus-version"] == "1.0.0"


def test_only_an_enrolled_phone_sends(server: Running, beside: Database) -> None:
    said = TUS | {"Upload-Length": "3"}
    with server.client() as stranger, server.signed_in("zhao") as zhao:
        assert stranger.post("/api/media", headers=said).status_code == 401
        assert code(zhao.post("/api/media", headers=said)) == (403, "unenrolled")


def test_a_small_file_goes_in_one_request(li: Phone) -> None:
    data = os.urandom(200_000)
    answer = li.send(data, sha256=sha256(data), visit=VISIT, mime="image/jpeg")
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "200000")
    assert li.offset(answer.headers["location"]) == 200_000


def test_a_large_file_goes_in_parts_that_are_each_checked(li: Phone, beside: Database) -> None:
    data = os.urandom(700_001)
    url = li.create(len(data), sha256=sha256(data), visit=VISIT).headers["location"]
    for start in range(0, len(data), 300_000):
        part = data[start : start + 300_000]
        algorithm = "sha1" if start else "sha256"
        answer = li.patch(url, start, part, **{"Upload-Checksum": checksum(algorithm, part)})
        assert (answer.status_code, answer.headers["upload-offset"]) == (204, str(start + len(part)))
    name_in_op(beside, sha256(data), li.rid)
    assert li.http.get(f"/api/media/{sha256(data)}").content == data


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_part_that_differs_from_its_checksum_is_not_kept(li: Phone, algorithm: str) -> None:
    data = os.urandom(100_000)
    url = li.create(len(data), sha256=sha256(data)).headers["location"]
    assert li.patch(url, 0, data[:40_000]).status_code == 204
    wrong = li.patch(url, 40_000, data[40_000:], **{"Upload-Checksum": checksum(algorithm, b"other")})
    assert code(wrong) == (460, "checksum_mismatch")
    assert li.offset(url) == 40_000
    assert li.patch(url, 40_000, data[40_000:], **{"Upload-Checksum": checksum(algorithm, data[40_000:])}).is_success


def test_an_unknown_checksum_algorithm_is_refused(li: Phone) -> None:
    url = li.create(10).headers["location"]
    assert code(li.patch(url, 0, b"0123456789", **{"Upload-Checksum": "md5 AAAA"})) == (400, "bad_request")
    assert code(li.patch(url, 0, b"0123456789", **{"Upload-Checksum": "sha1 !!"})) == (400, "bad_request")


def test_bytes_that_differ_from_the_announced_digest_are_set_aside_and_the_upload_is_gone(
    li: Phone, server: Running
) -> None:
    data = os.urandom(5_000)
    url = li.create(len(data), sha256=sha256(b"something else"), visit=VISIT).headers["location"]
    assert code(li.patch(url, 0, data)) == (460, "hash_mismatch")
    assert li.http.head(url, headers=TUS).status_code == 410
    assert code(li.patch(url, 0, data)) == (410, "upload_gone")
    aside = server.data / "media" / "refused" / url.rsplit("/", 1)[1]
    assert aside.read_bytes() == data


def test_a_whole_file_with_the_wrong_digest_is_refused_at_once(li: Phone) -> None:
    assert code(li.send(b"abc", sha256=sha256(b"abd"))) == (460, "hash_mismatch")


def test_an_empty_upload_metadata_header_is_accepted(li: Phone) -> None:
    answer = li.http.post("/api/media", headers=TUS | {"Upload-Length": "4", "Upload-Metadata": ""})
    assert answer.status_code == 201
    assert li.patch(answer.headers["location"], 0, secrets.token_bytes(4)).status_code == 204


@pytest.mark.parametrize(
    "metadata", ["sha256 !!!", "sha256 YWJj", "visit YWJj", "of YWJj", f"sha256 {'QUFB' * 2000}", "name /w=="]
)
def test_metadata_that_cannot_be_read_is_refused(li: Phone, metadata: str) -> None:
    answer = li.http.post("/api/media", headers=TUS | {"Upload-Length": "4", "Upload-Metadata": metadata})
    assert code(answer) == (400, "bad_request")


@pytest.mark.parametrize("length", ["", "-1", "1.5", "x", "1" * 16, "٣"])
def test_a_length_that_is_no_number_is_refused(li: Phone, length: str) -> None:
    said = {b"Tus-Resumable": b"1.0.0", b"Upload-Length": length.encode()}
    assert li.http.post("/api/media", headers=said).status_code == 400


def test_a_file_beyond_the_limit_is_refused_before_it_is_sent(li: Phone) -> None:
    assert code(li.create(1 << 40)) == (413, "too_large")


def test_more_bytes_than_announced_are_refused_and_what_was_there_stays(li: Phone) -> None:
    url = li.create(10).headers["location"]
    assert li.patch(url, 0, b"01234").status_code == 204
    assert code(li.patch(url, 5, b"56789+")) == (413, "too_large")
    assert li.offset(url) == 5
    assert code(li.patch(url, 5, iter([b"56789", b"+"]))) == (413, "too_large")
    assert li.offset(url) == 5
    assert li.patch(url, 5, b"56789").status_code == 204


def test_a_part_from_another_offset_is_refused_with_the_right_one(li: Phone) -> None:
    url = li.create(10).headers["location"]
    answer = li.patch(url, 3, b"3456789")
    assert code(answer) == (409, "offset_mismatch")
    assert answer.headers["upload-offset"] == "0"


def test_a_part_of_another_type_is_refused(li: Phone) -> None:
    url = li.create(3).headers["location"]
    answer = li.http.patch(url, headers=TUS | {"Upload-Offset": "0", "Content-Type": "text/plain"}, content=b"abc")
    assert code(answer) == (415, "not_offset_stream")


def test_an_upload_belongs_to_who_began_it(li: Phone, zhang: Phone) -> None:
    url = li.create(3).headers["location"]
    assert zhang.http.head(url, headers=TUS).status_code == 404
    assert zhang.patch(url, 0, b"abc").status_code == 404
    assert zhang.http.delete(url, headers=TUS).status_code == 404
    assert li.offset(url) == 0


@pytest.mark.parametrize("id", ["..%2f..%2fsuijian.db", "%2e%2e", "0" * 31, "0" * 32, "A" * 32, "0" * 31 + "%00"])
def test_an_upload_id_that_was_never_given_is_not_found(li: Phone, id: str) -> None:
    assert li.http.head(f"/api/media/uploads/{id}", headers=TUS).status_code == 404
    assert li.patch(f"/api/media/uploads/{id}", 0, b"x").status_code == 404


def test_an_upload_that_was_given_up_is_gone(li: Phone) -> None:
    url = li.create(3).headers["location"]
    assert li.http.delete(url, headers=TUS).status_code == 204
    assert li.http.head(url, headers=TUS).status_code == 410


def test_clients_behind_a_narrow_proxy_patch_by_post(li: Phone) -> None:
    url = li.create(3).headers["location"]
    said = {"Upload-Offset": "0", "Content-Type": PART, "X-HTTP-Method-Override": "PATCH"}
    assert li.http.post(url, headers=TUS | said, content=b"abc").status_code == 204
    assert code(li.http.post(url, headers=TUS, content=b"")) == (405, "method_not_allowed")


def test_an_unfinished_upload_says_when_it_expires_at_least_thirty_days_on(li: Phone) -> None:
    answer = li.create(3)
    expires = parsedate_to_datetime(answer.headers["upload-expires"])
    assert (expires - parsedate_to_datetime(answer.headers["date"])).days >= 30
    assert instant(expires.isoformat()) == expires


def test_an_empty_file_is_complete_when_it_is_announced(li: Phone) -> None:
    answer = li.create(0, sha256=sha256(b""), visit=VISIT)
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "0")


def test_bytes_that_are_here_and_may_be_seen_are_not_sent_again(li: Phone, zhang: Phone, beside: Database) -> None:
    data = os.urandom(2_000_000)
    digest = li.upload(data)
    said = {"sha256": digest, "visit": VISIT}
    assert zhang.send(data, b"", **said).headers["upload-offset"] == "0"
    name_in_op(beside, digest, li.rid)
    assert zhang.send(data, b"", **said).headers["upload-offset"] == "2000000"
    assert zhang.send(data, data[:1000], **said).headers["upload-offset"] == "2000000"
    assert zhang.create(len(data), None, **said).headers["upload-offset"] == "0"
    assert zhang.send(data, b"", sha256=digest, visit=ELSEWHERE).headers["upload-offset"] == "0"


def test_a_cut_first_request_can_go_on_when_its_sender_asks_with_an_empty_body(li: Phone) -> None:
    data = os.urandom(900_000)
    said = {"sha256": sha256(data), "visit": VISIT}

    def broken() -> object:
        yield data[:500_000]
        raise ConnectionError

    with pytest.raises(ConnectionError):
        li.send(data, broken(), **said)
    while (answer := li.send(data, b"", **said)).headers["upload-offset"] == "0":
        assert li.http.delete(answer.headers["location"], headers=TUS).status_code == 204
    offset = int(answer.headers["upload-offset"])
    assert 0 < offset <= 500_000
    assert li.patch(answer.headers["location"], offset, data[offset:]).headers["upload-offset"] == "900000"


def test_the_same_bytes_are_kept_once(li: Phone, zhang: Phone, server: Running) -> None:
    data = os.urandom(1000)
    assert li.upload(data) == zhang.upload(data) == li.upload(data, ELSEWHERE)
    digest = sha256(data)
    kept = [path for path in (server.data / "media").rglob("*") if path.is_file() and path.read_bytes() == data]
    assert kept == [server.data / "media" / digest[:2] / digest]
