"""Resumable uploads: tus 1.0 with creation, creation-with-upload, expiration, checksum and termination."""

from __future__ import annotations

import base64
from email.utils import format_datetime
from typing import Any, Final

from litestar import Request, Response, Router, delete, head, patch, post, route

from server.domain.instant import instant
from server.errors import Problem
from server.routes.guards import Asked, now, signed_in
from server.routes.stream import Cut, blocks, in_thread
from server.store.files import is_digest, is_upload_id
from server.sync import media
from server.sync.media import Checksum, Desk, Progress, Reception, Wish

VERSION: Final = {"Tus-Resumable": "1.0.0"}
ABOUT: Final = VERSION | {
    "Tus-Version": "1.0.0",
    "Tus-Extension": "creation,creation-with-upload,expiration,checksum,termination",
    "Tus-Max-Size": str(media.MOST_BYTES),
    "Tus-Checksum-Algorithm": "sha1,sha256",
}
PART: Final = "application/offset+octet-stream"
MOST_METADATA: Final = 4096


def enrolled(connection: Any, handler: Any) -> None:
    """Guard: an officer on a phone that is enrolled; for which visit he sends is not asked."""
    signed_in(connection, handler)
    if connection.scope["auth"].rid is None:
        raise Problem("unenrolled")


def desk_of(request: Request[Any, Any, Any]) -> Desk:
    """What acts on uploads need of the app."""
    state = request.app.state
    return Desk(state.db, state.files, state["keys"], now(request))


@route(["/", "/uploads/{upload_id:str}"], http_method=["OPTIONS"], exclude_from_auth=True, sync_to_thread=False)
def about() -> Response[None]:
    """What this server can do."""
    return Response(None, status_code=204, headers=ABOUT)


@post("/", guards=[enrolled], request_max_body_size=None)
async def create(request: Asked) -> Response[bytes]:
    """Begin an upload; with a body, take its first part, which may be all of it."""
    _require_version(request)
    desk = desk_of(request)
    upload = media.new_upload(desk, request.user, request.auth.rid, _whole(request, "upload-length"), _wish(request))
    if request.headers.get("content-type", "") != PART:
        return _created(await in_thread(media.announce, desk, request.user, upload))
    if request.headers.get("content-length") == "0":
        return _created(await in_thread(media.find_or_announce, desk, request.user, upload))
    reception = media.receive_new(desk, request.user, upload, _checksum(request))
    return _created(await _receive(request, reception))


@head("/uploads/{upload_id:str}", guards=[enrolled])
async def ask(request: Asked, upload_id: str) -> Response[None]:
    """Tell where an upload stands."""
    _require_version(request)
    progress = await in_thread(media.standing_of, desk_of(request), request.user, _id(upload_id))
    headers = _headers(progress) | {"Upload-Length": str(progress.upload.size)}
    if progress.upload.metadata:
        headers["Upload-Metadata"] = progress.upload.metadata
    return Response(None, status_code=200, headers=headers)


@patch("/uploads/{upload_id:str}", guards=[enrolled], request_max_body_size=None)
async def append(request: Asked, upload_id: str) -> Response[None]:
    """Take the next part of an upload."""
    return await _append(request, upload_id)


@delete("/uploads/{upload_id:str}", guards=[enrolled])
async def end(request: Asked, upload_id: str) -> Response[None]:
    """Give an upload up."""
    return await _end(request, upload_id)


@post("/uploads/{upload_id:str}", guards=[enrolled], request_max_body_size=None)
async def override(request: Asked, upload_id: str) -> Response[None]:
    """PATCH or DELETE for clients whose surroundings let only POST through."""
    wanted = request.headers.get("x-http-method-override", "")
    if wanted == "PATCH":
        return await _append(request, upload_id)
    if wanted == "DELETE":
        return await _end(request, upload_id)
    raise Problem("method_not_allowed", method="POST", headers={"Allow": "DELETE, HEAD, OPTIONS, PATCH"})


async def _append(request: Asked, upload_id: str) -> Response[None]:
    _require_version(request)
    if request.headers.get("content-type", "") != PART:
        raise Problem("not_offset_stream")
    offset, checksum = _whole(request, "upload-offset"), _checksum(request)
    desk = desk_of(request)
    reception = await in_thread(media.receive_more, desk, request.user, _id(upload_id), offset, checksum)
    progress = await _receive(request, reception)
    return Response(None, status_code=204, headers=_headers(progress))


async def _end(request: Asked, upload_id: str) -> Response[None]:
    _require_version(request)
    await in_thread(media.drop, desk_of(request), request.user, _id(upload_id))
    return Response(None, status_code=204, headers=VERSION)


async def _receive(request: Asked, reception: Reception) -> Progress:
    """Bring the body into the upload; the last block goes with the finishing, so that a small body is one step."""
    try:
        async for block, is_last in blocks(request, reception.room):
            if is_last:
                return await in_thread(reception.finish, block)
            await in_thread(reception.write, block)
        raise AssertionError("a body ends with its last block or with a cut")
    except Cut as cut:
        await in_thread(reception.cut)
        raise Problem("truncated") from cut
    except BaseException:
        await in_thread(reception.refuse)
        raise
    finally:
        reception.close()


def _created(progress: Progress) -> Response[bytes]:
    headers = _headers(progress) | {"Location": f"/api/media/uploads/{progress.upload.id}"}
    return Response(b"", status_code=201, headers=headers)


def _headers(progress: Progress) -> dict[str, str]:
    headers = VERSION | {"Upload-Offset": str(progress.offset)}
    if progress.upload.state == "open":
        headers["Upload-Expires"] = format_datetime(instant(progress.upload.expires_at), usegmt=True)
    return headers


def _require_version(request: Asked) -> None:
    if request.headers.get("tus-resumable") != "1.0.0":
        raise Problem("tus_version", headers={"Tus-Version": "1.0.0"})


def _whole(request: Asked, name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise Problem("bad_request", why=name.title())
    return int(text)


def _checksum(request: Asked) -> Checksum | None:
    header = request.headers.get("upload-checksum")
    return None if header is None else Checksum.of_header(header)


def _id(text: str) -> str:
    if not is_upload_id(text):
        raise Problem("not_found")
    return text


def _wish(request: Asked) -> Wish:
    """Read Upload-Metadata, which may be empty or absent; keys of other clients are left alone."""
    header = request.headers.get("upload-metadata", "").strip()
    if len(header) > MOST_METADATA:
        raise Problem("bad_request", why="Upload-Metadata")
    said = dict(_pair(part) for part in header.split(",") if part.strip())
    return Wish(
        sha256=_digest(said, "sha256"),
        visit_id=media.visit_named(said.get("visit", "")),
        mime=media.mime_of(said.get("mime") or said.get("filetype") or said.get("type") or ""),
        of=_digest(said, "of"),
        metadata=header,
    )


def _pair(part: str) -> tuple[str, str]:
    name, _, value = part.strip().partition(" ")
    try:
        return name, base64.b64decode(value, validate=True).decode()
    except ValueError as error:
        raise Problem("bad_request", why="Upload-Metadata") from error


def _digest(said: dict[str, str], name: str) -> str | None:
    text = said.get(name, "")
    if text and not is_digest(text):
        raise Problem("bad_request", why=f"Upload-Metadata: {name}")
    return text or None


router = Router("/api/media", route_handlers=[about, create, ask, append, end, override])
