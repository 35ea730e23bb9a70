"""What a client sent and no column can hold or be compared with: one refusal for it, whatever statement met it."""

from __future__ import annotations

import logging
from typing import Final

from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DataError

from server.errors import Problem

log = logging.getLogger("suijian.unkeepable")

OUT_OF_RANGE: Final = (OverflowError, UnicodeEncodeError)
"""How a driver itself refuses a number of more than 64 bits, and half of a surrogate pair."""

TOO_LONG: Final = "54000"
"""PostgreSQL's answer to a text that is too long for the index of its column."""


def refuse_unkeepable(context: ExceptionContext) -> None:
    """Listens to the errors of an engine: NUL in a text, a number out of range and their like are `bad_request`."""
    refuse(context.original_exception, context.sqlalchemy_exception)


def refuse(origin: BaseException, wrapped: BaseException | None) -> None:
    """Raises the refusal where a statement failed for a value in it, and not for what the statement is.

    The log names the kind, next to the line of the request: the value might have been ours.
    """
    is_value = isinstance(wrapped, DataError) or isinstance(origin, OUT_OF_RANGE)
    if is_value or getattr(origin, "sqlstate", None) == TOO_LONG:
        log.warning("a value that can't be kept: %s", type(origin).__name__)
        raise Problem("bad_request", why=_why(origin)) from origin


def _why(origin: BaseException) -> str:
    """What is wrong with the value, in signs that every language reads."""
    if isinstance(origin, OverflowError):
        return "> 64 bit"
    state = getattr(origin, "sqlstate", None)  # the driver alone refuses NUL, before there is one
    return "UTF-8" if isinstance(origin, UnicodeEncodeError) else f"SQLSTATE {state}" if state else "U+0000"
