"""The phones' door: one exchange, one round trip."""

from __future__ import annotations

import gzip

from litestar import Response, post

from server.routes import guards
from server.routes.guards import Asked, signed_in
from server.sync.exchange import exchange
from server.sync.request import MOST_BYTES_OF_ONE, inflate

SMALL = 192  # an answer up to this length isn't made smaller by packing it


@post(
    "/api/sync",
    guards=[signed_in],
    status_code=200,
    sync_to_thread=True,
    request_max_body_size=2 * MOST_BYTES_OF_ONE,
)
def sync(request: Asked, body: bytes) -> Response[bytes]:
    """Takes what the phone pushes and gives what is new for it."""
    state = request.app.state
    plain = inflate(body, request.headers.get("content-encoding", "").strip().lower())
    answer = exchange(state["db"], state["keys"], request.user, plain, guards.now(request))
    headers = {"Vary": "Accept-Encoding"}
    if len(answer) > SMALL and "gzip" in request.headers.get("accept-encoding", ""):
        answer = gzip.compress(answer, compresslevel=6, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(answer, media_type="application/json", headers=headers)


handlers = [sync]
