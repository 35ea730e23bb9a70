"""A log line names what went wrong and where, and nothing that somebody typed."""

from __future__ import annotations

import json
import logging
import sys

from server.logs import Lines
from server.store.seal import Unreadable


def logged(fault: BaseException) -> str:
    record = logging.LogRecord("suijian.fault", logging.ERROR, __file__, 1, "fault", None, (type(fault), fault, None))
    record.exc_info = sys.exc_info()
    return str(json.loads(Lines().format(record))["trace"])


def test_a_library_s_exception_is_logged_by_its_kind_and_place_only() -> None:
    typed, known = "14000008170", {"sex": "female"}
    try:
        try:
            known[typed]
        except KeyError as first:
            raise ValueError(f"{typed} is no such thing") from first
    except ValueError as fault:
        trace = logged(fault)
    assert typed not in trace
    assert "builtins.KeyError" in trace and "builtins.ValueError" in trace
    assert "test_logs.py" in trace and "known[typed]" in trace


def test_our_own_exceptions_say_what_they_say() -> None:
    try:
        raise Unreadable("officer", "phone", "li", "it was altered")
    except Unreadable as fault:
        assert "officer.phone of row 'li'" in logged(fault)
