"""Objecting over HTTP, as tests and walks need it: a stranger's form, and the code of his receipt."""

from __future__ import annotations

from typing import Any, Final

import httpx

PNG: Final = b"\x89PNG\r\n\x1a\n" + b"identity" * 20
PDF: Final = b"%PDF-1.7\n" + b"authorisation" * 20
CASE: Final = {
    "capacity": "representative",
    "name": "何敏之",
    "phone": "14000001234",
    "grounds": "检查当天氧化剂已经分库存放，照片拍的是隔壁的仓库。",
    "wanted": "请重新查看，更正公示的结果。",
}
"""What who objects writes."""
PROGRAM: Final = {"Accept": "application/json"}


def filed(url: str, no: str, papers: tuple[bytes, ...] = (PNG,), **form: str) -> httpx.Response:
    """The public form, sent by a program."""
    files = [("papers", (f"{n}.bin", content)) for n, content in enumerate(papers)] or None
    data = CASE | {"no": no} | form
    return httpx.post(f"{url}/objections/new", data=data, files=files, headers=PROGRAM, trust_env=False)


def guess(url: str, code: str, **headers: str) -> httpx.Response:
    """A code that somebody types, right or not."""
    return httpx.post(f"{url}/objections", data={"code": code}, headers=PROGRAM | headers, trust_env=False)


def follow(url: str, code: str) -> dict[str, Any]:
    """What the code opens."""
    answer = guess(url, code)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found
