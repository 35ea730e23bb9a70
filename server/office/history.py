"""The history of a visit as sentences: what each op did, by whom, on which phone."""

from __future__ import annotations

from typing import Any

import msgspec

from server.store.reviews import Past


class Said(msgspec.Struct, frozen=True):
    """One op in words: a message key with its values, and what it is about, for whoever shows it."""

    key: str
    values: dict[str, str]
    field: str | None
    """The field's message key (`field.visit.summary`), where the op writes one."""
    value: object
    """What a `set` wrote; None otherwise."""
    at: str | None
    """The phone's own time, a claim."""


UNREADABLE = Said("act.unreadable", {}, None, None, None)


def said(past: Past) -> Said:
    """The sentence of an op; one that can't be read or isn't known says so."""
    if past.verdict == "dead":
        return UNREADABLE
    op: dict[str, Any] = msgspec.json.decode(past.body)
    tell = _TELLERS.get(past.kind)
    try:
        return tell(op) if tell else _plain(op, "act.unknown")
    except (KeyError, TypeError, IndexError, AttributeError):
        return _plain(op, "act.unknown")


def field_key(path: list[str]) -> str:
    """The message key of a path's field: `["visit", "basis:fire"]` -> `field.visit.basis`."""
    return f"field.{path[0]}.{path[-1].split(':')[0]}"


def _plain(op: dict[str, Any], key: str, **values: str) -> Said:
    at = op.get("at")
    return Said(key, values, None, None, at if isinstance(at, str) else None)


def _set(op: dict[str, Any]) -> Said:
    path = op["path"]
    point = str(path[1]) if path[0] == "answer" else ""
    key = "act.clear" if op["val"] is None else "act.set"
    return Said(key, {"point": point}, field_key(path), op["val"], op["at"])


def _sign(op: dict[str, Any]) -> Said:
    if op["val"]["refused"] is not None:
        return _plain(op, "act.sign_refused", reason=str(op["val"]["refused"]))
    return _plain(op, "act.sign", role=str(op["val"]["role"]))


def _assign(op: dict[str, Any]) -> Said:
    reason = str(op["val"].get("reason") or "")
    return _plain(op, f"act.assign.{op['val']['role']}", name=str(op["path"][1]), reason=reason)


def _with_reason(key: str) -> Any:
    def tell(op: dict[str, Any]) -> Said:
        val = op["val"] or {}
        return _plain(op, key, reason=str(val.get("reason") or ""), round=str(val.get("round") or ""))

    return tell


_TELLERS: dict[str, Any] = {
    "add": lambda op: _plain(op, "act.add.finding"),
    "set": _set,
    "sign": _sign,
    "assign": _assign,
    **{
        kind: _with_reason(f"act.{kind}")
        for kind in (
            "del",
            "undel",
            "attach",
            "retract",
            "confirm",
            "propose_final",
            "rule",
            "admit",
            "accept_final",
            "reopen",
            "void",
        )
    },
}
