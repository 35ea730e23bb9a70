"""What everybody may read: item list, plans, and their feeds."""

from __future__ import annotations

from litestar import Router

router = Router("/", route_handlers=[])
