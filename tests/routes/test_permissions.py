"""Every route against everybody: a route that isn't listed here fails the test."""

from __future__ import annotations

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
from tests.running import Running

ANYBODY, SIGNED_IN, OFFICE_ONLY = "anybody", "whoever is signed in", "the office"

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
}
"""Who passes the guard of a route; what he then sees is the matter of its own tests (own, foreign, none)."""


def handlers() -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Every method and path of the app with its handler; the schema and OPTIONS are Litestar's own."""
    app = create_app(Settings(data=Path(mkdtemp(prefix="suijian-routes-"))))
    for route in app.routes:
        if isinstance(route, HTTPRoute) and not route.path.startswith("/schema"):
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
    for name, client in everybody.items():
        if (method, path) == ("DELETE", "/api/session") and name:
            continue  # it would sign the others of this test out
        answer = client.request(method, path.replace("{rid:str}", "0" * 32), content=b"")
        role = scene.OFFICE.get(name) or scene.STRANGERS.get(name) or "officer"
        if not name and ROUTES[method, path] != ANYBODY:
            assert answer.status_code in (401, 303), (name, answer.text)
        elif ROUTES[method, path] == OFFICE_ONLY and role not in OFFICE:
            assert answer.status_code in (403, 404), (name, answer.text)
        else:
            assert answer.status_code != 401 or ROUTES[method, path] == ANYBODY, (name, answer.text)
            assert answer.status_code != 403, (name, answer.text)
