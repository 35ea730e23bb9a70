"""The verifiers for everybody: a page that says what they are, and each of them as it is kept."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get

from server.errors import Problem
from server.routes.public_pages import page
from server.routes.static import send
from server.shelf import Item
from server.verifiers import PAGE, PROGRAM, Verifiers

Anyone = Request[Any, Any, Any]
POLICY: Final = "Content-Security-Policy"


@get("/verify", exclude_from_auth=True, sync_to_thread=True)
def show_verifiers(request: Anyone) -> Response[bytes]:
    """Both verifiers with their digests, and how to compare them."""
    return page(request, "verify", at="draws", verifiers=_kept(request), PAGE=PAGE, PROGRAM=PROGRAM)


@get(f"/verify/{PAGE}", exclude_from_auth=True)
async def give_page(request: Anyone) -> Response[bytes]:
    """The page in its place, under a policy that lets its own script run and nothing leave it."""
    answer = _give(request, _kept(request).page)
    answer.headers[POLICY] = _kept(request).policy
    return answer


@get(f"/verify/{PROGRAM}", exclude_from_auth=True)
async def give_program(request: Anyone) -> Response[bytes]:
    """The program as a file to keep."""
    answer = _give(request, _kept(request).program)
    answer.headers["Content-Disposition"] = f'attachment; filename="{PROGRAM}"'
    return answer


def _kept(request: Anyone) -> Verifiers:
    found: Verifiers = request.app.state.verifiers
    return found


def _give(request: Anyone, held: Item | None) -> Response[bytes]:
    if held is None:
        raise Problem("not_found")
    return send(request, held)


handlers = [show_verifiers, give_page, give_program]
