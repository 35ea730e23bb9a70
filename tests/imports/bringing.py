"""Brings files over HTTP as the office does, and waits until somebody has to decide."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import httpx

from tests.imports.planted import COLUMNS

WORKING = ("reading", "applying", "undoing")


def csv_of(rows: Sequence[Sequence[str]], header: Sequence[str] = COLUMNS, encoding: str = "utf-8-sig") -> bytes:
    """Rows under a header as the bytes of a CSV."""
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return out.getvalue().encode(encoding)


def bring(
    client: httpx.Client, content: bytes, name: str = "名单.csv", layout: str = "subjects", source: str = "测试名单"
) -> httpx.Response:
    """Uploads a file, as the form does."""
    return client.post(
        "/office/imports", data={"layout": layout, "source": source}, files={"file": (name, content)}, timeout=120
    )


def brought(client: httpx.Client, content: bytes, name: str = "名单.csv", layout: str = "subjects") -> str:
    """Uploads a file that can be read, and waits until it is checked; the address of its page."""
    answer = bring(client, content, name, layout)
    assert answer.status_code == 303, answer.text
    return settled(client, answer.headers["location"])


def settled(client: httpx.Client, page: str) -> str:
    """Waits until the machine is no longer at work on it."""
    while progress(client, page)["state"] in WORKING:
        pass
    return page


def progress(client: httpx.Client, page: str) -> dict[str, Any]:
    """How far a batch is."""
    found: dict[str, Any] = client.get(f"{page}/progress").raise_for_status().json()
    return found


def applied(client: httpx.Client, page: str, **choices: str) -> str:
    """Applies a checked batch."""
    answer = client.post(f"{page}/apply", data=choices)
    assert answer.status_code == 303, answer.text
    return settled(client, page)
