"""What everybody may read of draws."""

from __future__ import annotations

from litestar import Router

from server.errors import Problem
from server.routes import verify
from server.routes.public_pages import on_problem

router = Router("/", exception_handlers={Problem: on_problem}, route_handlers=[*verify.handlers])
