"""Who may do what: the table of rights as a page, made from the table that the guards use."""

from __future__ import annotations

from itertools import groupby

from litestar import Response, Router, get

from server.domain.access import RIGHTS, ROLES
from server.errors import Problem
from server.routes.guards import Asked, is_staff
from server.routes.pages import on_problem, render


@get("/permissions", guards=[is_staff])
async def show_permissions(request: Asked) -> Response[str]:
    """Right by role, in the table's own groups."""
    return render(request, "permissions", room="permissions", roles=ROLES, groups=groups(), table=RIGHTS)


def groups() -> list[tuple[str, list[str]]]:
    """The rights by what they are about: the word before the dot."""
    return [(about, list(rights)) for about, rights in groupby(RIGHTS, key=lambda right: right.partition(".")[0])]


router = Router("/office", exception_handlers={Problem: on_problem}, route_handlers=[show_permissions])
