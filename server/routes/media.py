"""Photos and signatures: a batch of small files comes in, originals and their pictures go out."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final, Literal

from litestar import Response, Router, post, route
from litestar.response import Stream

from server.domain import picture
from server.errors import Problem
from server.routes.guards import Asked, signed_in
from server.routes.stream import Cut, blocks, file_blocks, in_thread
from server.routes.tus import desk_of, enrolled
from server.store.painter import Painter
from server.sync import batch, media
from server.sync.batch import BatchReader, Taken

RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})\Z")
ENDINGS: Final = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp"}


@post("/batch", guards=[enrolled], status_code=200, request_max_body_size=batch.MOST_BYTES)
async def take_batch(request: Asked) -> Taken:
    """Store many small files at once: those that verify, whatever the others are."""
    content_type = request.headers.get("content-type", "")
    reader = BatchReader(desk_of(request), request.user, request.auth.rid, content_type)
    try:
        async for block, is_last in blocks(request, batch.MOST_BYTES):
            if is_last:
                return await in_thread(reader.finish, block)
            await in_thread(reader.feed, block)
        raise AssertionError("a body ends with its last block or with a cut")
    except Cut as cut:
        raise Problem("truncated") from cut
    finally:
        await in_thread(reader.close)


@route("/{sha256:str}", http_method=["GET", "HEAD"], guards=[signed_in])
async def give(request: Asked, sha256: str) -> Response[Any]:
    """An original as a download, never inline; with `?as=thumb` or `?as=small` a picture of it to be shown."""
    size = request.query_params.get("as")
    if size is None:
        return await _send(request, await in_thread(_original, request, sha256), is_shown=False)
    if size == "thumb" or size == "small":
        return await _send(request, await _picture(request, sha256, size), is_shown=True)
    raise Problem("bad_request", why="as")


def _original(request: Asked, sha256: str) -> Path:
    desk = desk_of(request)
    with desk.db.read() as conn:
        if not media.visits_showing(conn, request.user, request.auth.rid, sha256):
            raise Problem("not_found")
    return desk.files.path(sha256)


async def _picture(request: Asked, sha256: str, size: Literal["thumb", "small"]) -> Path:
    """The phone's rendition; else one made beside the server; else the phone's rendition of the other size."""
    desk = desk_of(request)
    found = await in_thread(_rendition, request, sha256, size)
    if found.exact is not None:
        return desk.files.path(found.exact)
    painter: Painter = request.app.state.painter
    made = await painter.picture(desk.files.path(sha256), sha256, size) if found.original_is_here else None
    if made is not None:
        return made
    if found.near is not None:
        return desk.files.path(found.near)
    raise Problem("no_picture")


def _rendition(request: Asked, sha256: str, size: str) -> media.Rendition:
    with desk_of(request).db.read() as conn:
        found = media.rendition_for(conn, request.user, request.auth.rid, sha256, size)
    if found is None or not (found.exact or found.near or found.original_is_here):
        raise Problem("not_found")
    return found


async def _send(request: Asked, path: Path, *, is_shown: bool) -> Response[Any]:
    length, mime = await in_thread(_look_at, path)
    start, end = _range(request.headers.get("range", ""), length)
    name = f"{path.name[:16]}{ENDINGS.get(mime, '')}"
    headers = {
        "Content-Length": str(end - start),
        "Content-Disposition": "inline" if is_shown else f'attachment; filename="{name}"',
        "Accept-Ranges": "bytes",
    }
    is_part = (start, end) != (0, length)
    if is_part:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{length}"
    status = 206 if is_part else 200
    if request.method == "HEAD":
        return Response(b"", status_code=status, headers=headers, media_type=mime)
    return Stream(file_blocks(path, start, end - start), status_code=status, headers=headers, media_type=mime)


def _look_at(path: Path) -> tuple[int, str]:
    """Size and type; the type is read from the bytes, whatever their sender called them."""
    with path.open("rb") as file:
        header = picture.header_of(file.read(picture.HEADER_BYTES))
    return path.stat().st_size, "application/octet-stream" if header is None else header.mime


def _range(header: str, length: int) -> tuple[int, int]:
    """From and to of the part that is asked for; the whole where none is, or several are."""
    asked = RANGE.match(header)
    if asked is None or asked.groups() == ("", ""):
        return 0, length
    first, last = asked.groups()
    start = max(0, length - int(last)) if first == "" else int(first)
    end = length if first == "" or last == "" else min(length, int(last) + 1)
    if start >= end:
        raise Problem("bad_range", headers={"Content-Range": f"bytes */{length}"})
    return start, end


router = Router("/api/media", route_handlers=[take_batch, give])
