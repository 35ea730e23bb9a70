"""What every page of the office is made with: words, frame, fragment or page, and errors as pages."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response
from litestar.response import Redirect

from server.domain.access import reach
from server.errors import Problem
from server.routes import guards
from server.routes.body import posted
from server.routes.forms import Filled, proof_is_stale, wants_page
from server.routes.language import LANGUAGE_COOKIE, sentence_for, words_for
from server.routes.nav import rooms_of
from server.store import people
from server.words import messages

TEMPLATES: Final = Path(__file__).parent.parent / "templates"

__all__ = ["LANGUAGE_COOKIE", "is_ours", "is_partial", "on_problem", "render", "words_for"]

_pages = Environment(
    loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def render(request: Request[Any, Any, Any], name: str, status: int = 200, **values: Any) -> Response[str]:
    """A page, or with htmx's partial request the fragment that the caller named."""
    text = _pages.get_template(f"office/{name}.html").render(_frame(request) | values)
    return Response(text, status_code=status, media_type="text/html", headers={"Cache-Control": "no-store"})


def _frame(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """What every page has: words, who reads, his rooms, and an empty form."""
    w, person = words_for(request), request.scope.get("user")
    return {
        "w": w,
        "known": messages(w.language),
        "person": person,
        "csrf": guards.csrf_of(request),
        "here": request.url.path,
        "room": None,
        "rooms": [] if person is None else rooms_of(person.roles),
        "may": lambda right: person is not None and reach(person.roles, right) is not None,
        "inbox_count": 0,
        "unit": _unit_of(request),
        "filled": Filled(),
        "proof_is_stale": proof_is_stale(request.scope.get("auth"), guards.now(request)),
    }


def _unit_of(request: Request[Any, Any, Any]) -> str:
    person = request.scope.get("user")
    if person is None or person.unit_id is None:
        return ""
    with request.app.state.db.read() as conn:
        return people.unit_name(conn, person.unit_id)


def is_partial(request: Request[Any, Any, Any]) -> bool:
    """Whether htmx asks for a fragment (version 4 says so itself)."""
    return request.headers.get("hx-request-type") == "partial"


async def form_of(request: Request[Any, Any, Any]) -> Mapping[str, str]:
    """The fields of a posted form, each as text."""
    return {key: value for key, value in (await posted(request)).items() if isinstance(value, str)}


def on_problem(request: Request[Any, Any, Any], problem: Problem) -> Response[Any]:
    """A page for people and problem+json for programs; who isn't signed in is led to the door."""
    if not wants_page(request):
        answer: Response[Any] = request.app.exception_handlers[Problem](request, problem)
        return answer
    if problem.code == "not_signed_in":
        return Redirect("/office/sign-in", status_code=303)
    if problem.code == "password_must_change":
        return Redirect("/office/me/password", status_code=303)
    if problem.code == "proof_needed" and request.method == "GET":
        return Redirect(f"/office/confirm?{urlencode({'back': _asked(request)})}", status_code=303)
    here = "/office/"  # not the address: somebody may have typed what nobody should read into it
    return render(
        request, "error", problem.status, sentence=sentence_for(request, problem), code=problem.code, here=here
    )


def _asked(request: Request[Any, Any, Any]) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def is_ours(address: str) -> bool:
    """Whether a page may lead to this address after it has done its work: one of the office's own, and no other's."""
    return address.startswith("/office/") and "\\" not in address and "//" not in address and address.isprintable()
