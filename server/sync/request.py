"""The request of an exchange: read strictly around the ops, while each op stays the raw bytes that came."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, UnsetType

from server.errors import Problem
from server.sync.intake import Dead, Entry, read_entry
from server.sync.ops import MAX_INT
from server.sync.shapes import is_rid, is_sha256, is_visit

PROTO: Final = 1
PROTOS: Final = range(max(1, PROTO - 2), PROTO + 1)
MOST_OPS: Final = 500
MOST_BYTES: Final = 1 << 20
MOST_BYTES_OF_ONE: Final = 4 << 20
MOST_DEPTH: Final = 64
MOST_HASHES: Final = 200


class Client(msgspec.Struct, frozen=True):
    """The app that speaks."""

    app: str = ""
    schema: int = 0


class Pending(msgspec.Struct, frozen=True):
    """What the phone still holds."""

    ops: int = 0
    media: int = 0
    bytes: int = 0
    oldest: str | None = None


class Pushed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ops of one replica in one visit."""

    visit: str
    rid: str | UnsetType | None = UNSET
    ops: list[Raw] | UnsetType = UNSET
    dead: list[Dead] | UnsetType = UNSET


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One exchange as the phone asks for it."""

    proto: int
    rid: str
    epoch: str | UnsetType | None = UNSET
    client: Client | UnsetType | None = UNSET
    push: list[Pushed] | UnsetType = UNSET
    pull: dict[str, int] | UnsetType = UNSET
    assignments_rev: int | UnsetType = UNSET
    pending: Pending | UnsetType | None = UNSET
    have_media: list[str] | UnsetType = UNSET


class Asked(msgspec.Struct, frozen=True):
    """A request whose form is right, with its ops read one by one."""

    rid: str
    epoch: str | None
    app: str | None
    pending: Pending | None
    entries: list[tuple[str, Entry]]  # visit, entry
    pull: dict[str, int]
    assignments_rev: int | None
    have_media: list[str]


class _Version(msgspec.Struct):
    proto: int


_decode = msgspec.json.Decoder(Request).decode
_encode = msgspec.json.Encoder().encode
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def inflate(body: bytes, encoding: str) -> bytes:
    """The body as it was before its Content-Encoding; never more of it than the limit for one op."""
    if encoding in ("", "identity"):
        return body
    if encoding != "gzip":
        raise Problem("unsupported_media_type")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(body, MOST_BYTES_OF_ONE + 1)
    except zlib.error as error:
        raise Problem("not_json", why="gzip") from error
    if len(plain) > MOST_BYTES_OF_ONE:
        raise Problem("too_large")
    if not unpacker.eof:
        raise Problem("not_json", why="gzip")
    return plain


def parse(body: bytes) -> Asked:
    """Reads a request or raises its Problem: `too_large`, `not_json`, `too_deep`, `bad_request`, `min_proto`."""
    if len(body) > MOST_BYTES_OF_ONE:
        raise Problem("too_large")
    request = _request(body)
    pushed = request.push or []
    raws = [[bytes(raw) for raw in entry.ops or []] for entry in pushed]
    items = sum(map(len, raws)) + sum(len(entry.dead or []) for entry in pushed)
    if items > MOST_OPS or (len(body) > MOST_BYTES and items != 1):
        raise Problem("too_large")
    entries = [
        (entry.visit, read_entry(entry.rid or request.rid, found, entry.dead or []))
        for entry, found in zip(pushed, raws, strict=True)
    ]
    is_plain = len(_encode(request)) == len(body)
    if not is_plain or any(read is None or read.fault for _, entry in entries for read in entry.reads):
        _look_closer(body, [raw for found in raws for raw in found])
    if request.proto not in PROTOS:
        raise _too_old()
    _check(request, pushed)
    return Asked(
        rid=request.rid,
        epoch=request.epoch or None,
        app=request.client.app.replace("\0", "")[:64] if request.client else None,
        pending=request.pending or None,
        entries=entries,
        pull={visit: cursor for visit, cursor in (request.pull or {}).items() if is_visit(visit)},
        assignments_rev=None if request.assignments_rev is UNSET else request.assignments_rev,
        have_media=[digest for digest in (request.have_media or [])[:MOST_HASHES] if is_sha256(digest)],
    )


def _request(body: bytes) -> Request:
    try:
        return _decode(body)
    except msgspec.ValidationError as error:
        _look_closer(body, [])
        _refuse_other_version(body)
        raise Problem("bad_request", why=str(error)) from error
    except RecursionError as error:
        raise Problem("too_deep") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if _depth(body) > MOST_DEPTH:
            raise Problem("too_deep") from error
        raise Problem("not_json", why=str(error)) from error


def _refuse_other_version(body: bytes) -> None:
    """A body of another version of the protocol may have another shape: the version is named first."""
    try:
        version = msgspec.json.decode(body, type=_Version)
    except msgspec.ValidationError:
        return
    if version.proto not in PROTOS:
        raise _too_old()


def _too_old() -> Problem:
    return Problem("min_proto", members={"min_proto": PROTOS[0]}, least=PROTOS[0])


def _look_closer(body: bytes, raws: Iterable[bytes]) -> None:
    """What msgspec lets pass: depth, bytes outside of the ops that are no UTF-8, and a key that stands twice there.

    It is looked for only where the body isn't written the shortest way, or an op in it has a fault.
    """
    if _depth(body) > MOST_DEPTH:
        raise Problem("too_deep")
    parts, at = [], 0
    for raw in raws:
        found = body.find(raw, at)
        if found >= 0:
            parts += [body[at:found], b"0"]
            at = found + len(raw)
    try:
        document = json.loads(
            b"".join([*parts, body[at:]]).decode(), object_pairs_hook=_once, parse_constant=_no_constant
        )
        json.dumps(document, ensure_ascii=False).encode()  # raises at a lone surrogate, which no text can hold
    except RecursionError as error:
        raise Problem("too_deep") from error
    except ValueError as error:
        raise Problem("not_json", why=str(error)[:200]) from error


def _depth(body: bytes) -> int:
    """How deep brackets nest, those within strings left out."""
    depth = deepest = 0
    for bracket in _STRINGS.sub(b"", body).translate(None, _NO_BRACKETS):
        if bracket in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _check(request: Request, pushed: Iterable[Pushed]) -> None:
    """Names that have no form and numbers that can't be: the whole request is somebody else's fault then."""
    if not is_rid(request.rid) or request.rid.startswith("srv"):
        raise Problem("bad_request", why="rid")
    for entry in pushed:
        if not is_visit(entry.visit) or not (entry.rid is UNSET or entry.rid is None or is_rid(entry.rid)):
            raise Problem("bad_request", why="push: visit, rid")
    if any(not 0 <= cursor <= MAX_INT for cursor in (request.pull or {}).values()):
        raise Problem("bad_request", why="pull")
