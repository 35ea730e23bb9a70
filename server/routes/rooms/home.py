"""The office's first page: what waits for me."""

from __future__ import annotations

from litestar import Response, Router, get

from server.errors import Problem
from server.routes.guards import Asked, is_staff
from server.routes.pages import on_problem, render


@get("/", guards=[is_staff], sync_to_thread=True)
def show_home(request: Asked) -> Response[str]:
    """What waits for who is signed in, by his roles."""
    return render(request, "home", room="home", tasks=[])


router = Router("/office", exception_handlers={Problem: on_problem}, route_handlers=[show_home])
