"""What every page of the office is made with: words, frame, fragment or page, and errors as pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response
from litestar.response import Redirect

from server.errors import Problem
from server.routes import guards
from server.words import Words, language_of, messages

TEMPLATES: Final = Path(__file__).parent.parent / "templates"
LANGUAGE_COOKIE: Final = "suijian-language"

_pages = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def words_for(request: Request[Any, Any, Any]) -> Words:
    """The words in the reader's language: chosen by cookie, else by the browser."""
    return Words(language_of(request.headers.get("accept-language"), request.cookies.get(LANGUAGE_COOKIE)))


def render(request: Request[Any, Any, Any], name: str, status: int = 200, **values: Any) -> Response[str]:
    """A page, or with htmx's partial request the fragment that the caller named."""
    w = words_for(request)
    frame: dict[str, Any] = {
        "w": w,
        "known": messages(w.language),
        "person": request.scope.get("user"),
        "csrf": guards.csrf_of(request),
        "here": request.url.path,
        "room": None,
        "waiting": 0,
        "unit": "",
    }
    text = _pages.get_template(f"office/{name}.html").render(frame | values)
    return Response(
        text, status_code=status, media_type="text/html; charset=utf-8", headers={"Cache-Control": "no-store"}
    )


def is_partial(request: Request[Any, Any, Any]) -> bool:
    """Whether htmx asks for a fragment (version 4 says so itself)."""
    return request.headers.get("hx-request-type") == "partial"


async def form_of(request: Request[Any, Any, Any]) -> Mapping[str, str]:
    """The fields of a posted form, each as text."""
    return {key: value for key, value in (await request.form()).items() if isinstance(value, str)}


def on_problem(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    """A page for people and problem+json for programs; who isn't signed in is led to the door."""
    if "text/html" not in request.headers.get("accept", ""):
        answer: Response[Any] = request.app.exception_handlers[Problem](request, problem)
        return answer
    if problem.code == "not_signed_in":
        return Redirect("/office/sign-in", status_code=303)
    language = "en" if words_for(request).language == "en" else "zh"
    return render(request, "error", problem.status, sentence=problem.sentence(language), code=problem.code)
