"""What every answer has in common, found from the app's own list of routes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import httpx
import pytest
from litestar.routes import HTTPRoute

from server.app import create_app
from server.edge import headers_of_every_answer
from server.settings import Settings
from tests.running import Running

SHAPE = {"type", "title", "status", "detail", "code"}
SIGNING_OUT = {("/api/session", "DELETE"), ("/office/sign-out", "POST")}
OWN_POLICY = "/verify/verify-draw.html"
"""The one page with a policy of its own: see `test_verify`."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE")


@cache
def routes() -> tuple[tuple[str, frozenset[str]], ...]:
    """Every path of the app with its methods, its parameters filled with something that isn't there."""
    app = create_app(Settings(data=Path(mkdtemp(prefix="suijian-routes-"))))
    found = {
        (re.sub(r"\{[^}]*\}", "0" * 32, route.path), frozenset(map(str, route.methods)))
        for route in app.routes
        if isinstance(route, HTTPRoute)
    }
    return tuple(sorted(found, key=lambda one: one[0]))


def _is_problem(path: str, answer: httpx.Response) -> bool:
    if path.startswith("/office/") and answer.headers["Content-Type"].startswith("text/html"):
        return True  # a page of the office says on the page what is wrong
    members = set(answer.json()) if answer.content else SHAPE
    shape = SHAPE | ({"faults"} if "faults" in members and answer.status_code == 422 else set())  # of each field
    return answer.headers["Content-Type"] == "application/problem+json" and members - {"article"} == shape


@pytest.fixture(scope="module")
def clients(server: Running) -> Iterator[list[httpx.Client]]:
    """Nobody, an officer and a clerk."""
    people = [server.client(), server.signed_in("li"), server.signed_in("clerk")]
    yield people
    for client in people:
        client.close()


BODIES: dict[str, bytes] = {
    "no JSON": b"{",
    "no UTF-8": b"\xff\xfe",
    "a list": b"[]",
    "NaN": b'{"a":NaN}',
    "surrogate": b'{"a":"\\ud800"}',
    "deep": b"[" * 100_000,
    "large": b"x" * 11_000_000,
}


def _asked(clients: list[httpx.Client], method: str, path: str, body: bytes) -> None:
    """Asks as each of the clients: no answer is a 5xx, and every refusal has the one shape."""
    if (path, method) in SIGNING_OUT:
        return
    for client in clients:
        answer = client.request(method, path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code < 500, (method, path, answer.text)
        assert answer.headers.get("content-type", "").count("charset") <= 1, (method, path, answer.headers)
        if answer.status_code >= 400:
            assert _is_problem(path, answer), (method, path, answer.status_code, answer.headers, answer.text)


def test_every_method_on_every_route_is_answered_or_refused_in_one_shape(clients: list[httpx.Client]) -> None:
    for path, _ in routes():
        for method in METHODS:
            _asked(clients, method, path, b"")


@pytest.mark.parametrize("body", BODIES)
def test_whatever_is_sent_to_a_route_is_never_a_fault_of_the_servers(clients: list[httpx.Client], body: str) -> None:
    for path, methods in routes():
        for method in sorted(methods - {"OPTIONS"}):
            _asked(clients[1:2], method, path, BODIES[body])


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer \xff"},
        {"Authorization": "Basic bGk6eA=="},
        {"Cookie": "suijian=\xff; ;=;a"},
        {"Content-Type": "multipart/form-data"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "\xff"},
        {"Accept-Language": "en;q=x,,;q=,zh;q=9e9" * 100},
        {"Accept": "\xff"},
        {"Origin": "\xff"},
        {"Origin": "http://[::1"},
        {"Content-Encoding": "gzip"},
        {"If-None-Match": "\xff"},
        {"Range": "bytes=9-1,x"},
        {"X-CSRF-Token": "\xff"},
    ],
    ids=lambda headers: ",".join(headers),
)
def test_no_header_that_a_client_can_send_makes_a_5xx(clients: list[httpx.Client], headers: dict[str, str]) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    for path, methods in routes():
        for method in sorted(methods):
            if (path, method) in SIGNING_OUT:
                continue
            for client in clients[:2]:
                answer = client.request(method, path, content=b"{}", headers=raw)
                assert answer.status_code < 500, (method, path, answer.text)


@pytest.mark.parametrize("query", ["?a=%ff", "?visit=%00", "?as=%ed%a0%80", "?" + "a=1&" * 3000, "?=&&=%"])
def test_no_query_makes_a_5xx(clients: list[httpx.Client], query: str) -> None:
    for path, methods in routes():
        if "GET" in methods:
            for client in clients:
                assert client.get(path + query).status_code < 500, path


@pytest.mark.parametrize("tail", ["%00", "%ff", "..%2f..%2fetc%2fpasswd", "%ed%a0%80", "a" * 5000, "%0d%0aX:1"])
def test_no_path_makes_a_5xx(clients: list[httpx.Client], tail: str) -> None:
    for path, methods in routes():
        filled = path.replace("0" * 32, tail)
        for method in sorted(methods):
            for client in clients[1:]:
                if filled != path:
                    assert client.request(method, filled, content=b"{}").status_code < 500, (method, filled)


@pytest.mark.parametrize("public_url", ["", "https://suijian.example.cn"])
def test_every_answer_carries_the_written_set_of_headers(start_server: Callable[..., Running], public_url: str) -> None:
    running = start_server(**({"SUIJIAN_PUBLIC_URL": public_url} if public_url else {}))
    with running.client() as client:
        script_hash = re.search(r"'(sha256-[^']+)'", client.get("/app/").headers["Content-Security-Policy"])
        assert script_hash is not None
        expected = headers_of_every_answer(Settings(public_url=public_url), script_hash[1])
        assert ("Strict-Transport-Security" in expected) == bool(public_url)
        for path, _ in (*routes(), ("/nothing/here", frozenset())):
            for method in METHODS:
                answer = client.request(method, path)
                own = {"Content-Security-Policy"} if (method, path) == ("GET", OWN_POLICY) else set()
                wanted = {name: value for name, value in expected.items() if name not in own}
                assert {name: answer.headers.get(name) for name in wanted} == wanted, (method, path)
                assert "server" not in answer.headers
                if path.startswith("/api/"):
                    assert answer.headers["Cache-Control"] == "no-store", (method, path)


def test_refusals_speak_chinese_unless_english_is_preferred(server: Running) -> None:
    with server.client() as client:
        plain = client.get("/nothing")
        assert plain.json()["title"] == "没有找到"
        assert plain.headers["Content-Language"] == "zh-CN"
        english = client.get("/nothing", headers={"Accept-Language": "en-GB,zh;q=0.5"})
        assert english.json()["title"] == "Not found"
        assert client.get("/nothing", headers={"Accept-Language": "zh-CN,en;q=0.9"}).json()["title"] == "没有找到"
        assert client.get("/nothing", headers={"Accept-Language": "fr"}).json()["title"] == "没有找到"


def test_the_log_is_json_and_holds_no_name_no_token_and_no_address(start_server: Callable[..., Running]) -> None:
    running = start_server()
    with running.signed_in("li") as li:
        token = li.headers["Authorization"].split()[1]
        li.get("/api/session?name=李承远")
        li.post("/api/devices/13812345678/revoke")
    running.stop()
    lines = [line for line in running.log.read_text().splitlines() if line.startswith("{")]
    requests = [json.loads(line) for line in lines]
    assert {"POST", "GET"} <= {line.get("method") for line in requests}
    text = "\n".join(lines).replace(f"127.0.0.1:{running.port}", "where it listens")
    assert not any(word in text for word in (token, "李承远", "13812345678", "127.0.0.1:5", '"li"'))
