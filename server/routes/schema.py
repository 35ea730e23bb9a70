"""The OpenAPI description of this interface, for programs."""

from __future__ import annotations

from functools import cache
from typing import Any

from litestar import Litestar, Response, get
from litestar.openapi import OpenAPIConfig
from litestar.serialization import encode_json

from server import __version__


@get("/schema", sync_to_thread=True, include_in_schema=False, exclude_from_auth=True)
def schema() -> Response[bytes]:
    """The description as JSON."""
    return Response(_document(), media_type="application/vnd.oai.openapi+json")


@cache
def _document() -> bytes:
    """Written by an app that never serves: Litestar's own pages for it load foreign scripts and answer in HTML."""
    from server.routes import all_handlers

    config = OpenAPIConfig(title="Suijian", version=__version__, path="/not-served")
    handlers: Any = all_handlers()
    described = Litestar(handlers, openapi_config=config, logging_config=None)
    return encode_json(described.openapi_schema.to_schema())


handlers = [schema]
