"""What may stand in an op: its kinds, paths, fields and values, and the first thing that is wrong with one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Container, Mapping
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from server.sync.ops import Op

MAX_BASE: Final = 16
MAX_TEXT: Final = 8 * 1024
MAX_DEPTH: Final = 4

PHONE_KINDS: Final = frozenset(
    {"add", "set", "del", "undel", "attach", "retract", "sign", "confirm", "propose_final"}
)  # fmt: skip
SERVER_KINDS: Final = frozenset({"assign", "rule", "admit", "accept_final", "reopen", "void"})
#: Reasons of ops that can't be understood: they have no effect anywhere, not even at a signature's cut.
MALFORMED: Final = frozenset({"unknown_kind", "server_kind", "bad_path", "bad_value"})

_ID = r"[A-Za-z0-9._-]{1,64}"
_RID = r"(?:srv(?:[2-9]|[1-9][0-9]+)?|[0-9a-f]{32})"
_OP_ID = _RID + r":[1-9][0-9]{0,15}"
is_id: Final = re.compile(_ID).fullmatch
is_rid: Final = re.compile(_RID).fullmatch
is_op_id: Final = re.compile(_OP_ID).fullmatch
is_sha256: Final = re.compile(r"[0-9a-f]{64}").fullmatch
is_visit: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").fullmatch
_is_signer = re.compile(f"(?:expert:)?{_ID}").fullmatch
_is_for = re.compile(f"visit|answer:{_ID}|finding:{_OP_ID}").fullmatch
_is_time = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
).fullmatch


def fault_in(op: Op, points: Container[str] | None) -> str | None:
    """The first reason why an op can't be understood, or None; without `points` the template is left out of it."""
    fault = kind_fault(op.v, op.kind, op.rid)
    if fault or op.kind in SERVER_KINDS:
        return fault
    if not _has_place(op, points):
        return "bad_path"
    return None if _is_envelope(op) and _is_plain(op.val, 0) and _is_grounded(op) and _is_value(op) else "bad_value"


def kind_fault(v: object, kind: str, rid: str) -> str | None:
    """`unknown_kind` or `server_kind`: named before anything else is looked at."""
    if type(v) is float or (kind not in PHONE_KINDS and kind not in SERVER_KINDS):
        return "bad_value" if type(v) is float else "unknown_kind"
    if type(v) is not int or v != 1:
        return "unknown_kind"
    return "server_kind" if kind in SERVER_KINDS and not rid.startswith("srv") else None


def is_prev(value: str) -> bool:
    """The form of `prev`: a hash, or nothing."""
    return not value or bool(is_sha256(value))


Check = Callable[[Any], object]


def _is_text(value: object) -> bool:
    return type(value) is str


def _is_int(value: object) -> bool:
    return type(value) is int


def _is_bool(value: object) -> bool:
    return type(value) is bool


def _is_list(value: object) -> bool:
    return type(value) is list


def _is_object(value: object) -> bool:
    return type(value) is dict


def _like(has_form: Check) -> Check:
    return lambda value: type(value) is str and has_form(value)


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _one_of(*words: str) -> Check:
    return lambda value: type(value) is str and value in words


def _shape(**members: Check) -> Check:
    """An object of exactly these members."""

    def check(value: Any) -> bool:
        if type(value) is not dict or value.keys() != members.keys():
            return False
        return all(inner(value[key]) for key, inner in members.items())

    return check


def _are_ids(value: Any) -> bool:
    return type(value) is list and all(type(id_) is str and is_op_id(id_) for id_ in value)


def _is_ctx(value: Any) -> bool:
    return type(value) is dict and all(is_rid(rid) and type(seq) is int and seq > 0 for rid, seq in value.items())


#: The JSON kind of each field, by its group. Ids and rules are looked at when final is proposed.
FIELDS: Final[dict[str, dict[str, Check]]] = {
    "visit": {
        "arrived": _is_object, "left": _is_object, "attempts": _is_list, "methods": _is_list, "form": _is_text,
        "noncooperation": _is_object, "certificates_shown": _is_bool, "notice_read": _is_bool, "followup": _is_object,
        "attendee": _is_text, "attendee_post": _is_text, "summary": _is_text, "result": _is_text,
        "result_note": _is_text,
    },
    "answer": {"verdict": _is_text, "note": _is_text},
    "finding": {
        "text": _is_text, "point": _is_text, "basis": _is_text, "place": _is_text, "severity": _is_text,
        "measure": _is_text, "due": _is_text, "crime": _is_bool,
    },
    "media": {"caption": _is_text},
}  # fmt: skip
#: Fields of `visit` that carry a name of their own, as in `result:<item>`: an id, or the words that name a section.
NAMED_FIELDS: Final[dict[str, Check]] = {
    "no_interest": _is_object, "result": _is_list, "basis": _is_text, "section": _is_list,
}  # fmt: skip

_reason = _shape(reason=_is_text)
_maybe_reason = _or_null(_shape(reason=_or_null(_is_text)))
_hash = _like(is_sha256)
#: By kind: the value, where it doesn't hang on a field.
_VALUES: Final[dict[str, Check]] = {
    "del": _maybe_reason,
    "undel": _maybe_reason,
    "attach": _shape(
        size=lambda size: _is_int(size) and size >= 0, mime=_is_text, w=_or_null(_is_int), h=_or_null(_is_int),
        taken=_or_null(_is_text), source=_one_of("camera", "gallery"), **{"for": _like(_is_for)},
    ),
    "retract": _reason,
    "sign": _shape(
        digest=_hash, cut=_is_ctx, excluded=_are_ids, image=_or_null(_hash), strokes=_or_null(_hash),
        refused=_or_null(_is_text), role=_one_of("leader", "member", "subject", "witness", "expert"),
    ),
    "confirm": _shape(op=_like(is_op_id)),
    "propose_final": _shape(digest=_hash, cut=_is_ctx, result=_is_text, signatures=_are_ids),
}  # fmt: skip
#: By kind: the shape of its path.
_PATHS: Final[dict[str, tuple[str, Check | None]]] = {
    "add": ("finding", None), "del": ("finding", is_op_id), "undel": ("finding", is_op_id),
    "attach": ("media", is_sha256), "retract": ("media", is_sha256), "sign": ("sign", _is_signer),
    "confirm": ("sign", is_id), "propose_final": ("final", None),
}  # fmt: skip


def _field_at(path: list[str]) -> Check | None:
    """What the register at this path may hold; None where there is no such field."""
    if path[0] != "visit":
        return FIELDS[path[0]].get(path[2])
    kind, colon, id_ = path[1].partition(":")
    if not colon:
        return FIELDS["visit"].get(kind)
    return NAMED_FIELDS.get(kind) if is_id(id_) or (kind == "section" and id_ and _is_string(id_)) else None


def _has_place(op: Op, points: Container[str] | None) -> bool:
    path = op.path
    if op.kind == "set":
        return _is_register(path, points)
    group, name = _PATHS[op.kind]
    if not path or path[0] != group or len(path) != (1 if name is None else 2):
        return False
    if name is not None:
        return bool(name(path[1]))
    return op.kind != "add" or type(op.val) is not dict or op.val.keys() <= FIELDS["finding"].keys()


def _is_register(path: list[str], points: Container[str] | None) -> bool:
    group = path[0] if path else ""
    if group not in FIELDS or len(path) != (2 if group == "visit" else 3) or _field_at(path) is None:
        return False
    name = path[1]
    if group == "answer":
        return bool(is_id(name)) and (points is None or name in points)
    if group == "finding":
        return bool(is_op_id(name))
    return group == "visit" or bool(is_sha256(name))


def _is_envelope(op: Op) -> bool:
    """The form of all that stands around the value."""
    if not (is_id(op.author) and (op.via is None or is_id(op.via)) and is_sha256(op.tpl) and is_prev(op.prev)):
        return False
    return _is_moment(op.at) and _is_string(op.app) and _is_ctx(op.ctx) and _are_ids(op.base)


def _is_moment(at: str) -> bool:
    if not _is_time(at):
        return False
    try:
        datetime.fromisoformat(at)
    except ValueError:
        return False
    return True


def _is_string(text: str) -> bool:
    """NFC, and at most 8 KiB of UTF-8."""
    if text.isascii():
        return len(text) <= MAX_TEXT
    if len(text) * 4 > MAX_TEXT and len(text.encode()) > MAX_TEXT:
        return False
    return unicodedata.is_normalized("NFC", text)


def _is_plain(value: Any, depth: int) -> bool:
    kind = type(value)
    if kind is str:
        return _is_string(value)
    if kind is dict:
        if depth == MAX_DEPTH:
            return False
        return all(_is_string(key) and _is_plain(inner, depth + 1) for key, inner in value.items())
    if kind is list:
        return depth < MAX_DEPTH and all(_is_plain(inner, depth + 1) for inner in value)
    return kind is not float


def covers(ctx: Mapping[str, int], id_: str) -> bool:
    """Whether someone who had received `ctx` can have seen that op."""
    rid, _, seq = id_.rpartition(":")
    return ctx.get(rid, 0) >= int(seq)


def _is_grounded(op: Op) -> bool:
    """What an op names in `base` its own `ctx` covers: nobody replaces what he wasn't shown."""
    base = op.base
    if op.ctx.get(op.rid, 0) != op.seq - 1:
        return False
    if not base:
        return True
    if len(base) > MAX_BASE or any(a >= b for a, b in pairwise(base)):
        return False
    return all(covers(op.ctx, id_) for id_ in base)


def _is_value(op: Op) -> bool:
    if op.kind == "set":
        field = _field_at(op.path)
        return op.val is None or (field is not None and bool(field(op.val)))
    if op.kind == "add":
        fields = FIELDS["finding"]
        return type(op.val) is dict and all(val is None or fields[key](val) for key, val in op.val.items())
    return bool(_VALUES[op.kind](op.val))
