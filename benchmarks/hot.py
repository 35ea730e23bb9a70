"""Where the time goes: the same requests through the app in one process under cProfile, the three dearest functions."""

from __future__ import annotations

import asyncio
import cProfile
import pstats
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.bureau import Bureau
from benchmarks.wire import Request
from server.app import create_app
from server.settings import read_settings

VISITS = 12


def dearest(data: Path, what: str) -> list[str]:
    """The top three by own time, with their shares, of `records`, `visit` (all of it) or `first` (a first sync)."""
    bureau = Bureau(data)
    app: Any = create_app(read_settings({"SUIJIAN_DATA": str(data), "SUIJIAN_LOG_LEVEL": "warning"}))
    phone, *mates = bureau.phones(3)
    visits = bureau.dispatch([phone, *mates], VISITS)
    if what == "first":
        phone.rev, phone.cursors = 0, {}
        requests = [bureau.exchange(phone) for _ in visits]
    else:
        prepared = [bureau.prepare(phone, visit) for visit in visits]
        requests = [
            each
            for one in prepared
            for each in ([one.records] if what == "records" else [one.records, one.batch, *one.photos])
        ]
    profile = cProfile.Profile()
    asyncio.run(_play(app, requests, profile))
    stats: Any = pstats.Stats(profile)
    ranked = sorted(stats.stats.items(), key=lambda item: item[1][2], reverse=True)[:3]
    return [f"{_name(place)} {100 * figures[2] / stats.total_tt:.0f} %" for place, figures in ranked]


async def _play(app: Any, requests: Sequence[Request], profile: cProfile.Profile) -> None:
    loop = asyncio.get_running_loop()
    # What handlers hand to threads is run here instead, so that the profile sees it.
    loop.run_in_executor = lambda _, work, *given: _done(loop, work(*given))  # type: ignore[method-assign]
    for request in requests[:2]:
        await call(app, request)
    profile.enable()
    for request in requests[2:]:
        await call(app, request)
    profile.disable()


def _done(loop: asyncio.AbstractEventLoop, result: Any) -> asyncio.Future[Any]:
    future = loop.create_future()
    future.set_result(result)
    return future


async def call(app: Any, request: Request) -> int:
    """One request through the ASGI app; its status."""
    said = {"host": "127.0.0.1", "authorization": f"Bearer {request.token}", "content-length": str(len(request.body))}
    headers = [(name.lower().encode(), value.encode()) for name, value in (said | request.headers).items()]
    path, _, query = request.path.partition("?")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request.method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "headers": headers,
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {}, "extensions": {},
    }  # fmt: skip
    blocks = [request.body[at : at + 65536] for at in range(0, len(request.body), 65536)] or [b""]
    status: list[int] = []

    async def receive() -> dict[str, Any]:
        block = blocks.pop(0)
        return {"type": "http.request", "body": block, "more_body": bool(blocks)}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])

    await app(scope, receive, send)
    return status[0]


def _name(place: tuple[str, int, str]) -> str:
    file, _, function = place
    if file.startswith("~"):
        return f"`{function.strip('<>')}`"
    parts = Path(file).with_suffix("").parts
    return f"`{'.'.join(parts[-2:])}.{function}`"
