"""Operations on the wire: reading one, what is wrong with one, its canonical bytes, its hash and its seal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Container, Mapping
from typing import Any, Final

import msgspec
import rfc8785

from server.sync.shapes import (
    fault_in,
    is_id,
    is_prev,
    is_rid,
    is_visit,
    kind_fault,
)

MAX_OP: Final = 64 * 1024
MAX_INT: Final = 2**53 - 1


class Unreadable(Exception):
    """These bytes are no op of anybody's: the verdict is `dead`, and the bytes are kept."""


class Clock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the phone's clock was off when last measured against ours, and how long ago that was."""

    off_ms: int
    age_s: int


class Geo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place in WGS-84, in whole ten-millionths of a degree and centimetres."""

    lat_e7: int
    lon_e7: int
    acc_cm: int


class Op(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One operation, as it was signed; what the server adds (n, receipt, verdict) stands beside it."""

    v: int
    visit: str
    rid: str
    seq: int
    kind: str
    path: list[str]
    val: Any
    base: list[str]
    ctx: dict[str, int]
    author: str
    via: str | None
    at: str
    clk: Clock | None
    tpl: str
    app: str
    geo: Geo | None
    prev: str
    sig: str = ""

    @property
    def id(self) -> str:
        """The name under which other ops mention this one."""
        return f"{self.rid}:{self.seq}"


class Read(msgspec.Struct, frozen=True):
    """An op that could be read, with all that intake asks of it.

    `body` is what is stored: its canonical bytes, `sig` included; `signed` are those that were signed and hashed.
    `ctx` holds the well-formed entries for other replicas than its own: what the op must wait for.
    `prev` is None where there is none or it has no form. `op` is None iff the envelope hasn't its form, and `fault`
    is then set; `fault` is the first of `unknown_kind` `server_kind` `bad_path` `bad_value` that needs no template
    (`fault_of` looks at the template too).
    """

    visit: str
    rid: str
    seq: int
    prev: str | None
    hash: str
    body: bytes
    signed: bytes
    sig: str
    kind: str
    author: str | None
    ctx: dict[str, int]
    op: Op | None
    fault: str | None

    @property
    def id(self) -> str:
        """The op's name."""
        return f"{self.rid}:{self.seq}"


# --- canonical JSON ---------------------------------------------------------------------------------------------------

_encoder = msgspec.json.Encoder(order="sorted")
_decode = msgspec.json.Decoder().decode


def canonical(value: object) -> bytes:
    """The bytes of RFC 8785 (JCS); what has none (a number beyond 2^53-1, NaN) raises ValueError.

    msgspec gives the same bytes forty times as fast, but for floats and for keys beyond U+D7FF, which JCS sorts by
    UTF-16 units: those go through rfc8785.
    """
    plain = msgspec.to_builtins(value) if isinstance(value, msgspec.Struct) else value
    return _encoder.encode(plain) if _is_fast(plain) else rfc8785.dumps(plain)  # type: ignore[arg-type]


def _is_fast(value: object) -> bool:
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        return -MAX_INT <= value <= MAX_INT  # type: ignore[operator]
    if kind is list:
        return all(map(_is_fast, value))  # type: ignore[call-overload]
    if kind is dict:
        for key, inner in value.items():  # type: ignore[attr-defined]
            if type(key) is not str or not (key.isascii() or max(key) < "\ud800"):
                return False
            if type(inner) is not str and not _is_fast(inner):
                return False
        return True
    return False


def hash_of(op: Op) -> str:
    """The op's hash: SHA-256 of its canonical bytes without `sig`; the next op of its replica names it in `prev`."""
    given = msgspec.to_builtins(op)
    del given["sig"]
    return hashlib.sha256(canonical(given)).hexdigest()


def seal(op: Mapping[str, Any], sign: Callable[[bytes], str]) -> bytes:
    """The stored bytes of an op that is made here: `sign` gives the base64url signature of the bytes to be signed."""
    unsigned = {key: value for key, value in op.items() if key != "sig"}
    return canonical({**unsigned, "sig": sign(canonical(unsigned))})


# --- reading ----------------------------------------------------------------------------------------------------------


def read(raw: bytes) -> Read:
    """Reads one op from untrusted bytes; raises Unreadable for what is to be set aside as `dead`."""
    return _read_usual(raw) or _read_any(raw)


def _read_usual(raw: bytes) -> Read | None:
    """The short way, for what an honest phone sends; None where anything at all is unusual.

    The bytes that were signed are those of the whole without the first `sig`: none of the keys before it can hold one.
    """
    try:
        op = _op_decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not (is_visit(op.visit) and is_rid(op.rid) and 1 <= op.seq <= MAX_INT and len(raw) <= MAX_OP and op.sig):
        return None
    if not (_is_fast(op.val) and _is_fast(op.ctx) and _is_fast(op.v) and _has_small_numbers(op)):
        return None
    body = _encoder.encode(op)
    if len(body) != len(raw):  # white space, escapes, or a key that came twice: see `_canonical_body`
        return None
    signed = body.replace(b',"sig":' + _encoder.encode(op.sig), b"", 1)
    return Read(
        visit=op.visit,
        rid=op.rid,
        seq=op.seq,
        prev=_text(op.prev, is_prev),
        hash=hashlib.sha256(signed).hexdigest(),
        body=body,
        signed=signed,
        sig=op.sig,
        kind=op.kind,
        author=_text(op.author, is_id),
        ctx=_others(op.ctx, op.rid),
        op=op,
        fault=fault_in(op, None),
    )


def _has_small_numbers(op: Op) -> bool:
    clock = op.clk is None or (_is_fast(op.clk.off_ms) and _is_fast(op.clk.age_s))
    return clock and (op.geo is None or all(map(_is_fast, (op.geo.lat_e7, op.geo.lon_e7, op.geo.acc_cm))))


def _read_any(raw: bytes) -> Read:
    given = _document(raw)
    visit, rid, seq = given.get("visit"), given.get("rid"), given.get("seq")
    if not (type(visit) is str and is_visit(visit) and type(rid) is str and is_rid(rid)):
        raise Unreadable("identity missing")
    if type(seq) is not int or seq < 1:
        raise Unreadable("identity missing")
    body = _canonical_body(raw, given)
    if len(body) > MAX_OP:
        raise Unreadable("over 64 KiB")
    signed = canonical({key: value for key, value in given.items() if key != "sig"}) if "sig" in given else body
    op = _op_of(given)
    return Read(
        visit=visit,
        rid=rid,
        seq=seq,
        prev=_text(given.get("prev"), is_prev),
        hash=hashlib.sha256(signed).hexdigest(),
        body=body,
        signed=signed,
        sig=_text(given.get("sig"), bool) or "",
        kind=_text(given.get("kind"), bool) or "",
        author=_text(given.get("author"), is_id),
        ctx=_others(given.get("ctx"), rid),
        op=op,
        fault=_envelope_fault(given) if op is None else fault_in(op, None),
    )


def stored(body: bytes) -> Op | None:
    """The op in bytes that are already in the journal; None where its envelope never had its form."""
    try:
        return _op_decoder.decode(body)
    except msgspec.ValidationError:
        return None


_op_decoder = msgspec.json.Decoder(Op)


def _document(raw: bytes) -> dict[str, Any]:
    try:
        given = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(str(error)) from error
    if type(given) is not dict:
        raise Unreadable("not an object")
    return given


def _canonical_body(raw: bytes, given: dict[str, Any]) -> bytes:
    """Canonical bytes of the whole, or Unreadable for a number out of range or a key that comes twice.

    Without floats, JCS is the shortest way to write a document. So bytes of just that length hold nothing that the
    decoder dropped; only longer ones (white space, escapes, or a second key) are read again with an eye on the keys.
    """
    has_float = _has_float(given)
    try:
        body = canonical(given)
        if has_float:
            canonical(_decode(body))  # 1e20 becomes a whole number, and one that nobody could read again
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from error
    if has_float or len(body) != len(raw):
        json.loads(raw.decode(), object_pairs_hook=_once)
    return body


def _once(pairs: list[tuple[str, Any]]) -> None:
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise Unreadable("a key comes twice")


def _has_float(value: object) -> bool:
    kind = type(value)
    if kind is dict:
        return any(map(_has_float, value.values()))  # type: ignore[attr-defined]
    return kind is float or (kind is list and any(map(_has_float, value)))  # type: ignore[call-overload]


def _op_of(given: dict[str, Any]) -> Op | None:
    try:
        return msgspec.convert(given, Op)
    except msgspec.ValidationError:
        return None


def _text(value: object, has_form: Callable[[str], object]) -> str | None:
    return value if isinstance(value, str) and has_form(value) else None


def _others(ctx: object, rid: str) -> dict[str, int]:
    if not isinstance(ctx, dict):
        return {}
    return {other: seq for other, seq in ctx.items() if other != rid and is_rid(other) and type(seq) is int and seq > 0}


def fault_of(read: Read, points: Container[str]) -> str | None:
    """The first reason why an op can't be understood, or None; `points` are those of the visit's template."""
    return read.fault if read.op is None else fault_in(read.op, points)


def _envelope_fault(given: dict[str, Any]) -> str:
    """Why an op without the envelope's form can't be understood: a newer version or kind is named before the form."""
    kind = given.get("kind")
    known = kind_fault(given["v"], kind, given["rid"]) if "v" in given and isinstance(kind, str) else None
    return known or "bad_value"
