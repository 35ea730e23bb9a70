"""Turns whatever was raised into one shape of answer: application/problem+json."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from server.errors import CODES, Problem, language_of

log = logging.getLogger("suijian.fault")

BY_STATUS = {
    400: "bad_request",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    429: "too_many_requests",
    503: "unavailable",
}


def answer(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    """The problem as its answer, in the language that the asker prefers."""
    language = language_of(request.headers.get("accept-language"))
    body = msgspec.json.encode(problem.document(language))
    headers = {"Content-Language": "en" if language == "en" else "zh-CN", "Vary": "Accept-Language"} | problem.headers
    if request.method == "HEAD":
        headers["Content-Length"] = str(len(body))
    return Response(body, status_code=problem.status, media_type="application/problem+json", headers=headers)


def on_problem(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    """Ours."""
    return answer(request, problem)


def on_litestar(request: Request[Any, Any, Any], fault: HTTPException) -> Response[bytes]:
    """Litestar's own 400, 404, 405, 413 and the like."""
    code = BY_STATUS.get(fault.status_code)
    if code is None:
        code = "bad_request" if fault.status_code < 500 else "internal"
    if code == "internal":
        return on_fault(request, fault)
    allowed = {name: value for name, value in (fault.headers or {}).items() if name.lower() == "allow"}
    return answer(request, Problem(code, headers=allowed, method=request.method, why=_why(fault)))


def on_unreadable(request: Request[Any, Any, Any], _fault: Exception) -> Response[bytes]:
    """A query, form or cookie that isn't text."""
    return answer(request, Problem("bad_request", why="UTF-8"))


def on_fault(request: Request[Any, Any, Any], fault: Exception) -> Response[bytes]:
    """A fault of ours: logged with the number that the asker is given."""
    request_id = request.scope["state"].get("request_id", "-")
    log.error("fault", exc_info=fault, extra={"request_id": request_id, "route": request.scope.get("path_template")})
    return answer(request, Problem("internal", request_id=request_id))


def _why(fault: HTTPException) -> str:
    extra = fault.extra if isinstance(fault.extra, list) else []
    named = [f"{one.get('key', '')}: {one.get('message', '')}" for one in extra if isinstance(one, dict)]
    return "; ".join(named)[:200] or fault.detail[:200]


assert set(BY_STATUS.values()) <= set(CODES)

HANDLERS: dict[Any, Any] = {Problem: on_problem, HTTPException: on_litestar, Exception: on_fault}
