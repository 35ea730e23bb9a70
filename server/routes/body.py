"""Reads a body strictly, JSON or a form: what is wrong with it is the sender's 400, never our 500; packs answers."""

from __future__ import annotations

import gzip
import json
from typing import Any, Final, TypeVar

import msgspec
from litestar import Request, Response
from litestar.datastructures import FormMultiDict

from server.errors import Problem

T = TypeVar("T")

SMALL: Final = 192
"""An answer up to this length isn't made smaller by packing it."""


def decode(body: bytes, type: type[T]) -> T:
    """The body as `type`; no JSON or a duplicate key is `not_json`, a wrong shape `bad_request`, depth `too_deep`."""
    try:
        document = json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
        _in_unicode(document)
        return msgspec.convert(document, type)
    except msgspec.ValidationError as fault:
        raise Problem("bad_request", why=str(fault)) from None
    except RecursionError:
        raise Problem("too_deep") from None
    except ValueError as fault:  # UnicodeError and JSONDecodeError are ValueErrors
        raise Problem("not_json", why=str(fault)[:200]) from None


async def posted(request: Request[Any, Any, Any]) -> FormMultiDict:
    """The fields of a form; texts that are no UTF-8 (a file without a name counts as one) are `bad_request`."""
    try:
        return await request.form()
    except UnicodeDecodeError:
        raise Problem("bad_request", why="a field is no UTF-8") from None


def packed(request: Request[Any, Any, Any], answer: bytes) -> Response[bytes]:
    """JSON, packed where the asker can unpack it and it is worth it."""
    headers = {"Vary": "Accept-Encoding"}
    if len(answer) > SMALL and "gzip" in request.headers.get("accept-encoding", ""):
        answer = gzip.compress(answer, compresslevel=6, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(answer, media_type="application/json", headers=headers)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _in_unicode(document: object) -> None:
    """Raises at a lone surrogate, which JSON can escape but no text can hold."""
    json.dumps(document, ensure_ascii=False).encode()
