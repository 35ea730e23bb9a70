"""The phones' door: one exchange, one round trip."""

from __future__ import annotations

from typing import Final

from litestar import Response, post

from server.routes import guards
from server.routes.body import packed
from server.routes.guards import Asked, signed_in
from server.routes.stream import in_thread
from server.sync.exchange import exchange, glance
from server.sync.request import MOST_BYTES_OF_ONE, inflate

MOST_GLANCE: Final = 4096
"""A request up to this length may be one for which nothing has to be written, and is looked at for that first."""


@post("/api/sync", guards=[signed_in], status_code=200, request_max_body_size=2 * MOST_BYTES_OF_ONE)
async def sync(request: Asked) -> Response[bytes]:
    """Takes what the phone pushes and gives what is new for it."""
    body = await request.body()
    if len(body) <= MOST_GLANCE and request.app.state["db"].is_sqlite:  # a few reads cost less than the way to a thread
        found = _glance(request, body)
        if found is not None:
            return found
    return await in_thread(_exchange, request, body)


def _glance(request: Asked, body: bytes) -> Response[bytes] | None:
    state = request.app.state
    answer = glance(state["db"], state["keys"], request.user, _plain(request, body), guards.now(request))
    return None if answer is None else packed(request, answer)


def _exchange(request: Asked, body: bytes) -> Response[bytes]:
    state = request.app.state
    answer = exchange(state["db"], state["keys"], request.user, _plain(request, body), guards.now(request))
    return packed(request, answer)


def _plain(request: Asked, body: bytes) -> bytes:
    return inflate(body, request.headers.get("content-encoding", "").strip().lower())


handlers = [sync]
