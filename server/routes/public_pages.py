"""How public answers are made: pages without cookie or script, with an ETag, and for a minute out of a cache."""

from __future__ import annotations

import gzip
import hashlib
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response

from server.errors import Problem
from server.routes.forms import wants_page
from server.routes.pages import TEMPLATES
from server.words import Words, language_of, messages

MINUTE: Final = "public, max-age=60"
HTML: Final = "text/html"

_pages = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def words_for(request: Request[Any, Any, Any]) -> Words:
    """The words in the language that the browser prefers: public pages know no cookie."""
    return Words(language_of(request.headers.get("accept-language"), None))


def page(request: Request[Any, Any, Any], name: str, status: int = 200, **values: Any) -> Response[bytes]:
    """A public page."""
    w = words_for(request)
    frame: dict[str, Any] = {"w": w, "known": messages(w.language), "at": None, "feeds": None}
    text = _pages.get_template(f"public/{name}.html").render(frame | values)
    return answer(request, text.encode(), HTML, status)


def answer(
    request: Request[Any, Any, Any], body: bytes, type: str, status: int = 200, name: str | None = None
) -> Response[bytes]:
    """Public bytes: 304 where the asker has them, packed where he takes it; `name` makes it a file to keep."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": MINUTE, "Vary": "Accept-Encoding, Accept-Language, Accept"}
    if status != 200:
        headers = {"Cache-Control": "no-store", "Vary": "Accept-Language, Accept"}
    elif etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    if name is not None:
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = gzip.compress(body, 6, mtime=0)
    return Response(body, status_code=status, media_type=type, headers=headers)


def on_problem(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    """A page for people and problem+json for programs."""
    if not wants_page(request):
        refused: Response[Any] = request.app.exception_handlers[Problem](request, problem)
        return refused
    language = "en" if words_for(request).language == "en" else "zh"
    return page(request, "error", problem.status, sentence=problem.sentence(language), code=problem.code)
