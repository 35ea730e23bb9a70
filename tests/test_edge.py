"""The outermost layer: bodies that never end, and bodies that never come."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from server import edge
from server.app import create_app
from server.edge import House
from server.settings import Settings

CHUNK = b"x" * 2**16


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The app, not served by anything."""
    return create_app(Settings(data=tmp_path))


async def _ask(house: House, receive: Any) -> tuple[int, dict[str, Any]]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/session",
        "raw_path": b"/api/session",
        "query_string": b"",
        "root_path": "",
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    await house(scope, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


def test_a_body_that_never_ends_is_refused_after_a_bounded_part_of_it(house: House) -> None:
    read = 0

    async def receive() -> dict[str, object]:
        nonlocal read
        read += len(CHUNK)
        return {"type": "http.request", "body": CHUNK, "more_body": True}

    status, problem = asyncio.run(_ask(house, receive))
    assert (status, problem["code"]) == (413, "too_large")
    assert read <= edge.DRAIN + 2 * 2**20


def test_a_sender_that_falls_silent_in_mid_body_is_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "SILENCE_SECONDS", 0.01)
    parts = iter([{"type": "http.request", "body": b"{", "more_body": True}])

    async def receive() -> dict[str, object]:
        for part in parts:
            return part
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    status, problem = asyncio.run(_ask(house, receive))
    assert (status, problem["code"]) == (408, "too_slow")


def test_a_sender_that_is_refused_early_and_falls_silent_gets_its_answer(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "DRAIN_SECONDS", 0.01)
    parts = iter([{"type": "http.request", "body": b"x" * (2**20 + 1), "more_body": True}])

    async def receive() -> dict[str, object]:
        for part in parts:
            return part
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    status, problem = asyncio.run(_ask(house, receive))
    assert (status, problem["code"]) == (413, "too_large")
