"""The office's first page: what waits for me, and the year in charts."""

from __future__ import annotations

from litestar import Response, Router, get

from server.domain.access import reach
from server.domain.instant import BEIJING
from server.errors import Problem
from server.office.home import unit_of, waiting
from server.office.year import median, year_of
from server.routes import guards
from server.routes.guards import Asked, has_right, is_staff
from server.routes.pages import on_problem, render


@get("/", guards=[is_staff], sync_to_thread=True)
def show_home(request: Asked) -> Response[str]:
    """What waits for who is signed in, by his roles; then the year, for who reads plans."""
    now = guards.now(request)
    with request.app.state.db.read() as conn:
        tasks = waiting(conn, request.user, now)
        year = None
        if reach(request.user.roles, "plans.read") is not None:
            year = year_of(conn, now.astimezone(BEIJING).date(), unit_of(request.user, "officers.read"))
    return render(
        request, "home", room="home", tasks=tasks, year=year, today=now.astimezone(BEIJING).date(), median=median
    )


@get("/year", guards=[has_right("plans.read")], sync_to_thread=True)
def show_year(request: Asked) -> Response[str]:
    """The tables behind the charts."""
    today = guards.now(request).astimezone(BEIJING).date()
    with request.app.state.db.read() as conn:
        year = year_of(conn, today, unit_of(request.user, "officers.read"))
    return render(request, "year", room="home", year=year)


router = Router("/office", exception_handlers={Problem: on_problem}, route_handlers=[show_home, show_year])
