"""The field app's files and the office's: any page under /app/ is the shell, whose router does the rest."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from server.errors import Problem
from server.fieldapp import FieldApp
from server.shelf import Item

ASK_EACH_TIME = "no-cache"  # the browser keeps the file, but asks whether it is still the one: 304 by its ETag


@get(["/app", "/app/{path:path}"], exclude_from_auth=True)
async def app_file(request: Request[Any, Any, Any], path: FromPath[str] = "/") -> Response[bytes]:
    """A file of the field app, or its shell for a page of the app."""
    app: FieldApp = request.app.state.field_app
    held = app.files.get(f"/app{path}")
    if held is None and "." in path.rpartition("/")[2]:
        raise Problem("not_found")
    return send(request, held or app.shell)


@get("/app/sw.js", exclude_from_auth=True)
async def worker(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The service worker; its bytes change with every file that it keeps."""
    app: FieldApp = request.app.state.field_app
    return send(request, app.worker)


@get("/app/precache.json", exclude_from_auth=True)
async def precache(request: Request[Any, Any, Any]) -> Response[bytes]:
    """What the service worker keeps."""
    app: FieldApp = request.app.state.field_app
    return send(request, app.precache)


@get("/office/assets/{name:str}", exclude_from_auth=True)
async def office_asset(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """A file of the office's pages."""
    held: Item | None = request.app.state.office_files.get(name)
    if held is None:
        raise Problem("not_found")
    return send(request, held)


def send(request: Request[Any, Any, Any], held: Item) -> Response[bytes]:
    """The file, packed where the browser takes it, or 304 where it has it."""
    headers = {"ETag": held.etag, "Cache-Control": ASK_EACH_TIME, "Vary": "Accept-Encoding"}
    if held.etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    body = held.body
    if held.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = held.packed
    return Response(body, headers=headers, media_type=held.type)


handlers = [app_file, worker, precache, office_asset]
