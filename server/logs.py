"""Logs as one JSON object a line; messages are words of the programmers', never a person's data."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime

from server.domain.instant import stamp

FIELDS = ("method", "route", "status", "ms", "request_id", "port")


class Lines(logging.Formatter):
    """Writes a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Time, level, logger, message, the fields that we know, and a traceback without values."""
        line: dict[str, object] = {
            "at": stamp(datetime.fromtimestamp(record.created, UTC)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info:
            line["trace"] = "".join(_trace(record.exc_info[1]))
        return json.dumps(line, ensure_ascii=False)


def _trace(fault: BaseException | None) -> Iterator[str]:
    """Where it was raised, and for what it was raised while; of a library's exception the kind alone.

    `KeyError: '138...'` is what somebody typed; only our own exceptions are known to hold nothing of it.
    """
    if fault is None:
        return
    before = fault.__cause__ or (None if fault.__suppress_context__ else fault.__context__)
    if before is not None:
        yield from _trace(before)
        yield "--\n"
    yield from traceback.format_tb(fault.__traceback__)
    kind = type(fault)
    yield f"{kind.__module__}.{kind.__qualname__}"
    yield f": {fault}\n" if kind.__module__.partition(".")[0] == "server" else "\n"


def start_logging(level: str) -> None:
    """Sends all logs to stderr; the HTTP servers' own access lines are off, since they hold addresses."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    for name in ("uvicorn.access", "granian.access"):
        logging.getLogger(name).disabled = True
