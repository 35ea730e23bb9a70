"""Tells a supervisor whether the server can do its work."""

from __future__ import annotations

from typing import Any

from litestar import Request, get

from server.store.session import Database


@get("/healthz", sync_to_thread=True, exclude_from_auth=True)
def health(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Good where the database answers."""
    db: Database = request.app.state.db
    db.ping()
    return {"status": "ok"}


handlers = [health]
