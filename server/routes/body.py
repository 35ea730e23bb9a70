"""Reads a JSON body strictly: what is wrong with it is the sender's 400, never our 500."""

from __future__ import annotations

import json
from typing import TypeVar

import msgspec

from server.errors import Problem

T = TypeVar("T")


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
