"""Bodies that never stand whole in memory: read block by block, sent block by block."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from litestar import Request
from litestar.concurrency import sync_to_thread

from server.errors import Problem

BLOCK: Final = 1 << 18
HOLD_SECONDS: Final = 1.0
"""How long bytes may wait for their block to fill: what a slow phone sent is on the disk a second later."""

P = ParamSpec("P")
T = TypeVar("T")


class Cut(Exception):
    """The connection broke before the body's end."""


async def in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run what blocks beside the event loop."""
    return await sync_to_thread(work, *args, **kwargs)


async def blocks(request: Request[Any, Any, Any], most: int) -> AsyncIterator[tuple[bytes, bool]]:
    """The body in blocks, each with whether it is the last, which may be empty.

    Raises `Cut` after the last bytes that came of a body that broke off, and `too_large` as soon as there are too many.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most:
        raise Problem("too_large")
    loop = asyncio.get_running_loop()
    waiting: list[bytes] = []
    held = came = 0
    since = loop.time()
    more = True
    while more:
        message: Any = await request.receive()
        is_cut = message["type"] != "http.request"
        part: bytes = b"" if is_cut else message.get("body", b"")
        more = not is_cut and message.get("more_body", False)
        came += len(part)
        held += len(part)
        if came > most:
            raise Problem("too_large")
        is_cut = is_cut or (not more and announced.isdigit() and came < int(announced))
        waiting.append(part)
        if not more or held >= BLOCK or loop.time() - since > HOLD_SECONDS:
            yield waiting[0] if len(waiting) == 1 else b"".join(waiting), not more and not is_cut
            waiting, held, since = [], 0, loop.time()
        if is_cut:
            raise Cut


async def file_blocks(path: Path, start: int, length: int) -> AsyncIterator[bytes]:
    """A part of a file, block by block."""
    fd = await in_thread(os.open, path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while length > 0:
            block = await in_thread(os.pread, fd, min(BLOCK, length), start)
            if not block:
                return
            start += len(block)
            length -= len(block)
            yield block
    finally:
        os.close(fd)
