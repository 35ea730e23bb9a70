"""Logs as one JSON object a line; messages are words of the programmers', never a person's data."""

from __future__ import annotations

import json
import logging
import sys
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
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def start_logging(level: str) -> None:
    """Sends all logs to stderr; the HTTP servers' own access lines are off, since they hold addresses."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    for name in ("uvicorn.access", "granian.access"):
        logging.getLogger(name).disabled = True
