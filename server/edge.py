"""The outermost layer of the app: the headers of every answer, bodies that are too large, a log line a request."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from contextlib import suppress
from typing import Any, cast

from litestar import Litestar
from litestar.types import Message, Receive, Scope, Send

from server.errors import Problem
from server.settings import Settings

log = logging.getLogger("suijian.request")

DRAIN = 32 * 2**20  # a refused body is read to here, so that its sender lives to read the answer
DRAIN_SECONDS = 3
SILENCE_SECONDS = 60  # between two parts of a body: a phone on 50 kbit/s sends one every few seconds
PERMISSIONS = (
    "accelerometer=(), autoplay=(), camera=(self), display-capture=(), encrypted-media=(), fullscreen=(self), "
    "geolocation=(self), gyroscope=(), magnetometer=(), microphone=(self), midi=(), payment=(), usb=()"
)


def headers_of_every_answer(settings: Settings, importmap_hash: str) -> dict[str, str]:
    """The written set: what every answer carries, whatever the route and the status."""
    policy = {
        "default-src": "'none'",
        "script-src": f"'self' '{importmap_hash}'",
        "style-src": "'self'",
        "img-src": "'self' blob: data:",
        "media-src": "'self' blob:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "worker-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    headers = {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        # not `no-referrer`: that makes browsers send `Origin: null` with our own forms, and they would be refused
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS,
    }
    if settings.is_https:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    return headers


class House(Litestar):
    """Litestar with our edge around it, so that its own answers (404, 405, 413) have it too."""

    async def __call__(self, scope: Scope | Any, receive: Receive | Any, send: Send | Any) -> None:
        """Serves one request through an `_Exchange`; lifespan and the rest go straight on."""
        if scope["type"] == "http":
            await _Exchange(scope, receive, send, self.state["every_header"]).run(super().__call__)
        else:
            await super().__call__(scope, receive, send)


class _Exchange:
    """One request and its answer."""

    __slots__ = ("_headers", "_receive", "_scope", "_send", "_started", "got_all", "status")

    def __init__(self, scope: Any, receive: Any, send: Any, headers: list[tuple[bytes, bytes]]) -> None:
        self._scope, self._receive, self._send, self._headers = scope, receive, send, headers
        self._started = time.perf_counter()
        self.got_all = False
        self.status = 0

    async def run(self, app: Any) -> None:
        """Lets the app answer and writes the log line; neither addresses nor queries stand in it, since people do."""
        state = self._scope.setdefault("state", {})
        state["request_id"] = secrets.token_hex(6)
        try:
            await app(self._scope, self.receive, self.send)
        finally:
            if log.isEnabledFor(logging.INFO):
                log.info(
                    "request",
                    extra={
                        "method": self._scope["method"],
                        "route": self._scope.get("path_template") or "-",
                        "status": self.status,
                        "ms": round((time.perf_counter() - self._started) * 1000, 1),
                        "request_id": state["request_id"],
                    },
                )

    async def receive(self) -> Message:
        """Hands a part of the body on, and remembers whether it was the last; who sends nothing for long is refused."""
        if self.got_all:
            return cast("Message", await self._receive())
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                message: Message = await self._receive()
        except TimeoutError:
            self.got_all = True
            raise Problem("too_slow", headers={"Connection": "close"}) from None
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self.got_all = True
        return message

    async def send(self, message: Message) -> None:
        """Adds our headers, but for those that the answer has of its own; a refusal first reads what is still sent."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.status >= 400 and not self.got_all:
                await self._drain()
            headers = list(message["headers"])
            theirs = {name.lower() for name, _ in headers}
            if b"cache-control" not in theirs:
                headers.append((b"cache-control", b"no-store"))
            message["headers"] = headers + [one for one in self._headers if one[0] not in theirs]
        await self._send(message)

    async def _drain(self) -> None:
        read = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self.got_all and read < DRAIN:
                    message = await self.receive()
                    read += len(message.get("body", b""))  # type: ignore[arg-type]  # a disconnect has no body
