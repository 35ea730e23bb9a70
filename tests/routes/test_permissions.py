"""Every route against everybody: a route that isn't listed here fails the test."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import httpx
import pytest
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from server.app import create_app
from server.domain.access import OFFICE
from server.settings import Settings
from tests import scene
from tests.dispatching import dispatch_at
from tests.running import Running

ANYBODY, SIGNED_IN, ENROLLED, OFFICE_ONLY = "anybody", "whoever is signed in", "an enrolled phone", "the office"

ROUTES: dict[tuple[str, str], str] = {
    ("GET", "/"): ANYBODY,
    ("GET", "/healthz"): ANYBODY,
    ("GET", "/app"): ANYBODY,
    ("GET", "/app/{path:path}"): ANYBODY,
    ("GET", "/app/sw.js"): ANYBODY,
    ("GET", "/app/precache.json"): ANYBODY,
    ("GET", "/office/assets/{name:str}"): ANYBODY,
    ("POST", "/api/session"): ANYBODY,
    ("GET", "/api/session"): SIGNED_IN,
    ("DELETE", "/api/session"): SIGNED_IN,
    ("POST", "/api/devices"): SIGNED_IN,
    ("POST", "/api/devices/{rid:str}/revoke"): SIGNED_IN,
    ("POST", "/api/sync"): SIGNED_IN,
    ("GET", "/api/templates/{sha256:str}"): SIGNED_IN,
    ("GET", "/api/visits/{visit_id:str}/view"): SIGNED_IN,
    ("GET", "/api/visits/{visit_id:str}/board"): SIGNED_IN,
    ("POST", "/api/visits/{visit_id:str}/acts"): SIGNED_IN,
    ("POST", "/api/media"): ENROLLED,
    ("POST", "/api/media/batch"): ENROLLED,
    ("GET", "/api/media/{sha256:str}"): SIGNED_IN,
    ("HEAD", "/api/media/{sha256:str}"): SIGNED_IN,
    ("POST", "/api/media/uploads/{upload_id:str}"): ENROLLED,
    ("HEAD", "/api/media/uploads/{upload_id:str}"): ENROLLED,
    ("PATCH", "/api/media/uploads/{upload_id:str}"): ENROLLED,
    ("DELETE", "/api/media/uploads/{upload_id:str}"): ENROLLED,
    ("GET", "/schema"): ANYBODY,
    ("GET", "/office"): ANYBODY,
    ("GET", "/office/sign-in"): ANYBODY,
    ("POST", "/office/sign-in"): ANYBODY,
    ("POST", "/office/sign-out"): ANYBODY,
    ("POST", "/office/language"): OFFICE_ONLY,
    ("GET", "/office/inbox"): OFFICE_ONLY,
    ("GET", "/office/visits/{visit_id:str}"): OFFICE_ONLY,
    ("GET", "/office/visits/{visit_id:str}/history"): OFFICE_ONLY,
    ("GET", "/office/visits/{visit_id:str}/photos/{sha256:str}"): OFFICE_ONLY,
    ("POST", "/office/visits/{visit_id:str}/{act:str}"): OFFICE_ONLY,
    ("GET", "/office/visits/{visit_id:str}/{act:str}"): OFFICE_ONLY,
    ("GET", "/office/{rest:path}"): OFFICE_ONLY,
}
"""Who passes the guard of a route; what he then sees is the matter of its own tests (own, foreign, none)."""


SIGNING_OUT = {("DELETE", "/api/session"), ("POST", "/office/sign-out")}


def handlers() -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Every method and path of the app with its handler; OPTIONS is Litestar's own."""
    app = create_app(Settings(data=Path(mkdtemp(prefix="suijian-routes-"))))
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                for method in sorted(set(handler.http_methods) - {"OPTIONS"}):
                    yield str(method), route.path, handler


def test_every_route_is_listed_and_every_listed_route_is_there() -> None:
    found = {(method, path) for method, path, _ in handlers()}
    assert found - set(ROUTES) == set(), "say who may use these routes"
    assert set(ROUTES) - found == set(), "these routes are gone"


@pytest.fixture(scope="module")
def everybody(server: Running) -> Iterator[dict[str, httpx.Client]]:
    """A client for everybody in the bureau."""
    clients = {name: server.signed_in(name) for name in (*scene.OFFICERS, *scene.OFFICE, *scene.STRANGERS)}
    clients[""] = server.client()
    yield clients
    for client in clients.values():
        client.close()


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda text: text)
def test_the_guard_of_a_route_lets_exactly_these_people_pass(
    everybody: dict[str, httpx.Client], method: str, path: str
) -> None:
    allowed = ROUTES[method, path]
    for name, client in everybody.items():
        if (method, path) in SIGNING_OUT and name:
            continue  # it would sign the others of this test out
        answer = client.request(method, re.sub(r"\{[^}]*\}", "0" * 32, path), content=b"")
        code = answer.json()["code"] if answer.content and _is_problem(answer) else None
        if allowed == ANYBODY:
            assert code not in ("not_signed_in", "forbidden"), name
        elif not name:
            assert answer.status_code in (302, 303, 401), name  # the office's pages lead to its door
        elif allowed == ENROLLED:
            assert answer.status_code == 403 if method == "HEAD" else code == "unenrolled", name
        elif allowed == OFFICE_ONLY and _role(name) not in OFFICE:
            assert answer.status_code in (403, 404), name
        else:
            assert answer.status_code != 401, name
            assert "sign-in" not in answer.headers.get("Location", ""), name
            assert code != "forbidden", name


def _is_problem(answer: httpx.Response) -> bool:
    return "application/problem+json" in answer.headers.get("Content-Type", "")


def _role(name: str) -> str:
    return scene.OFFICE.get(name) or scene.STRANGERS.get(name) or "officer"


SEES = {"li", "zhang", "wang", "clerk", "head", "legal", "principal", "steering", "auditor"}
"""The crew, the clerk and head of its unit, and who sees all units: never the admin, never another crew."""


@pytest.fixture(scope="module")
def visit(server: Running) -> str:
    """A visit of li, zhang and wang for the unit of clerk and head."""
    return dispatch_at(server)


@pytest.mark.parametrize(
    "path", ["/api/visits/{}/view", "/api/visits/{}/board", "/office/visits/{}", "/office/visits/{}/history"]
)
def test_a_visit_is_seen_by_its_crew_and_its_office_and_is_not_there_for_others(
    everybody: dict[str, httpx.Client], visit: str, path: str
) -> None:
    missing = str(uuid.uuid4())
    for name, client in everybody.items():
        own, none = client.get(path.format(visit)), client.get(path.format(missing))
        may = name in SEES and not (path.startswith("/office/") and _role(name) == "officer")
        assert (own.status_code == 200) == may, (name, own.status_code)
        if not may:
            assert (own.status_code, own.content) == (none.status_code, none.content), name


@pytest.mark.parametrize("kind", ["admit", "rule", "assign", "reopen", "void"])
def test_an_act_on_a_visit_that_somebody_cannot_see_is_answered_as_on_one_that_is_not_there(
    everybody: dict[str, httpx.Client], visit: str, kind: str
) -> None:
    for name in set(everybody) - SEES - {""}:
        client = everybody[name]
        body = {"kind": kind, "path": ["visit"], "val": {}}
        own = client.post(f"/api/visits/{visit}/acts", json=body)
        none = client.post(f"/api/visits/{uuid.uuid4()}/acts", json=body)
        assert own.status_code == 404, name
        assert own.content == none.content, name
