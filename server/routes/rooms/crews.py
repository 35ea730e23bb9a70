"""Crews: see the pages of the room."""

from __future__ import annotations

from litestar import Router

from server.errors import Problem
from server.routes.pages import on_problem

router = Router("/office/crews", exception_handlers={Problem: on_problem}, route_handlers=[])
