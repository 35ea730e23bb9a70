"""A client that costs little: prepared requests over kept connections, many at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Request:
    """One request, ready for the wire."""

    method: str
    path: str
    token: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def head(self) -> bytes:
        """Request line and headers."""
        said = {"Host": "127.0.0.1", "Authorization": f"Bearer {self.token}", "Content-Length": str(len(self.body))}
        lines = [
            f"{self.method} {self.path} HTTP/1.1",
            *(f"{name}: {value}" for name, value in (said | self.headers).items()),
        ]
        return "\r\n".join([*lines, "", ""]).encode()


@dataclass
class Answer:
    """What came back, how long it took, and the bytes of both ways, headers apart."""

    status: int
    body: bytes
    seconds: float
    up: int
    down: int


class Wire:
    """One kept connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def send(self, request: Request) -> Answer:
        """Sends one request and reads its answer."""
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        begun = time.perf_counter()
        self._writer.write(request.head())
        if request.body:
            self._writer.write(request.body)
            await self._writer.drain()
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = next(
            (int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length:")), 0
        )
        body = await self._reader.readexactly(length) if length else b""
        return Answer(int(head.split(" ", 2)[1]), body, time.perf_counter() - begun, len(request.body), len(body))

    def close(self) -> None:
        """Ends the connection."""
        if self._writer is not None:
            self._writer.close()


async def play(port: int, parts: Sequence[Sequence[Request]]) -> list[list[Answer]]:
    """Each part is one phone: its requests one after another, all phones at once."""

    async def one(requests: Sequence[Request]) -> list[Answer]:
        wire = Wire(port)
        try:
            return [await wire.send(request) for request in requests]
        finally:
            wire.close()

    return list(await asyncio.gather(*(one(requests) for requests in parts)))
