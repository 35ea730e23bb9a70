"""Signing in and out, over HTTP."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from tests.running import Running
from tests.scene import PASSWORD


def _sign_in(client: httpx.Client, username: str = "li", password: str = PASSWORD, **headers: str) -> httpx.Response:
    return client.post("/api/session", json={"username": username, "password": password}, headers=headers)


def test_who_signs_in_gets_a_token_that_opens_his_session(server: Running) -> None:
    with server.client() as client:
        answer = _sign_in(client)
        assert answer.status_code == 200
        assert answer.json()["officer"] == {"id": "li", "name": "li", "unit": "hazchem", "roles": ["officer"]}
    with server.signed_in("li") as li:
        assert li.get("/api/session").json()["officer"]["id"] == "li"


def test_after_signing_out_the_token_opens_nothing(any_server: Running) -> None:
    with any_server.signed_in("li") as li:
        assert li.delete("/api/session").status_code == 204
        assert li.get("/api/session").status_code == 401


def test_a_session_outlives_the_server(start_server: Callable[..., Running]) -> None:
    running = start_server()
    with running.signed_in("li") as li:
        running.kill()
        running.start()
        assert li.get("/api/session").status_code == 200


def test_every_wrong_sign_in_is_answered_in_the_same_words(server: Running) -> None:
    with server.client() as client:
        wrong = [_sign_in(client, "zhao", "x"), _sign_in(client, "nobody", "x"), _sign_in(client, "", "")]
    assert {answer.status_code for answer in wrong} == {401}
    assert len({answer.content for answer in wrong}) == 1


def test_thirty_people_of_one_office_sign_in_within_a_minute(server: Running) -> None:
    names = ("li", "zhang", "wang", "clerk", "head", "legal")
    with server.client() as client:
        for _ in range(20):
            _sign_in(client, "somebody else", "wrong")
        answers = [_sign_in(client, name) for name in names * 5]
    assert {answer.status_code for answer in answers} == {200}


def test_guessing_one_account_is_told_when_to_come_back(server: Running) -> None:
    with server.client() as client:
        answers = [_sign_in(client, "auditor", f"guess {number}") for number in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert answers[-1].json()["code"] == "slow_down"
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 601


def test_the_cookie_is_for_this_host_and_hidden_from_scripts(server: Running) -> None:
    with server.client() as client:
        cookie = _sign_in(client).headers["Set-Cookie"].lower()
    assert cookie.startswith("suijian=")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "domain" not in cookie
    assert "secure" not in cookie


def test_behind_https_the_cookie_is_bound_to_the_host(start_server: Callable[..., Running]) -> None:
    running = start_server(SUIJIAN_PUBLIC_URL="https://suijian.example.cn")
    with running.client() as client:
        answer = _sign_in(client)
        assert answer.headers["Set-Cookie"].startswith("__Host-suijian=")
        assert "secure" in answer.headers["Set-Cookie"].lower()
        assert answer.headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"


def _with_cookie(server: Running) -> httpx.Client:
    with server.client() as client:
        token = _sign_in(client).json()["token"]
    return server.client(headers={"Cookie": f"suijian={token}"})


def test_a_cookie_reads_but_changes_nothing_without_its_page(server: Running) -> None:
    with _with_cookie(server) as client:
        assert client.get("/api/session").status_code == 200
        refused = client.delete("/api/session")
        assert (refused.status_code, refused.json()["code"]) == (403, "bad_csrf")
        assert client.delete("/api/session", headers={"X-CSRF-Token": "0" * 64}).status_code == 403


def test_another_sites_page_changes_nothing_even_with_the_right_token(server: Running) -> None:
    from server.store.people import csrf_of

    with _with_cookie(server) as client:
        proof = {"X-CSRF-Token": csrf_of(client.headers["Cookie"].removeprefix("suijian="))}
        refused = client.delete("/api/session", headers=proof | {"Origin": "https://evil.example"})
        assert (refused.status_code, refused.json()["code"]) == (403, "bad_origin")
        assert client.delete("/api/session", headers=proof | {"Origin": "null"}).status_code == 403
        assert client.delete("/api/session", headers=proof | {"Origin": server.url}).status_code == 204


def test_another_site_cannot_sign_somebody_in(server: Running) -> None:
    with server.client() as client:
        assert _sign_in(client, Origin="https://evil.example").json()["code"] == "bad_origin"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b'{"username":"li"', "not_json"),
        (b"\xff\xfe", "not_json"),
        (b'{"username":"li","password":NaN}', "not_json"),
        (b'{"username":"li","username":"zhang","password":"x"}', "not_json"),
        (b'{"username":"\\ud800","password":"x"}', "not_json"),
        (b"[" * 100_000, "too_deep"),
        (b'{"username":"li","password":"x","role":"admin"}', "bad_request"),
        (b'{"username":1,"password":"x"}', "bad_request"),
        (b"[]", "bad_request"),
    ],
)
def test_a_malformed_sign_in_is_the_senders_fault(server: Running, body: bytes, code: str) -> None:
    with server.client() as client:
        answer = client.post("/api/session", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
