"""Every route x role x object of the own unit, of another, and of none, by docs/permissions.csv."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import httpx
import pytest
from litestar.routes import HTTPRoute
from sqlalchemy.exc import NoResultFound

from server.app import create_app
from server.settings import Settings
from tests import scene
from tests.dispatching import dispatch_at
from tests.office.district import HTML, Office, demo_server
from tests.office.permissions import ANY, MINE, OWN, REFUSED, ROLES, Route, permits, reading, table
from tests.office.samples import LISTED, NOT_THERE, SAMPLES, Sample
from tests.phone import Phone
from tests.running import Running

DEMO = {
    "unit_clerk": "clerk",
    "unit_head": "head",
    "legal_unit": "legal",
    "principal": "principal",
    "steering_group": "steering",
    "auditor": "auditor",
    "admin": "admin",
}
"""Role -> who has it in the demo district. The officer is li, with the phone that he enrolled."""

LEAST_CELLS = 600
JSON = {"Accept": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Tus-Resumable": "1.0.0"}
DOORS = {("POST", "/api/session"), ("POST", "/api/session/password"), ("POST", "/office/sign-in")}
"""Where 401 and 429 are about the password that was typed."""
SIGNING_OUT = {("DELETE", "/api/session"), ("POST", "/office/sign-out")}
PART = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
ACT = {"Content-Type": "application/json"}
ACTS = {
    "admit": b'{"kind":"admit","path":["op","0:1"],"val":{"reason":"x"}}',
    "rule": b'{"kind":"rule","path":["op","0:1"],"val":{"verdict":"late"}}',
    "assign": b'{"kind":"assign","path":["crew","li"],"val":{"role":"leader"}}',
    "reopen": b'{"kind":"reopen","path":["round"],"val":{"round":9,"reason":"x"}}',
    "void": b'{"kind":"void","path":["visit"],"val":{"reason":"x"}}',
}
SPOKEN: dict[tuple[str, str], tuple[dict[str, str], bytes]] = {
    ("PATCH", "/api/media/uploads/{upload_id:str}"): (PART, b"xyz"),
    ("POST", "/api/media/uploads/{upload_id:str}"): (PART | {"X-HTTP-Method-Override": "PATCH"}, b"xyz"),
} | {("POST", f"/api/visits/{{visit_id:str}}/acts?kind={kind}"): (ACT, body) for kind, body in ACTS.items()}
"""Routes that aren't asked by a form: the headers and the body that their callers send."""
asked: set[tuple[str, str, str, str]] = set()
"""Method, path, role and object of every cell that was asked."""


def routes_of_the_app() -> set[tuple[str, str]]:
    """Method and path of every route; OPTIONS is Litestar's own."""
    app = create_app(Settings(data=Path(mkdtemp(prefix="suijian-routes-"))))
    return {
        (str(method), route.path)
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method in route.methods
        if method != "OPTIONS"
    }


def test_every_route_is_in_the_table_and_every_line_of_it_is_a_route() -> None:
    found, listed = routes_of_the_app(), {route.address for route in table()}
    assert sorted(found - listed) == [], "say in docs/permissions.csv who may use these routes"
    assert sorted(listed - found) == [], "these routes are gone"


def test_the_table_is_well_formed() -> None:
    lines = [(route.method, route.path) for route in table()]
    assert len(lines) == len(set(lines))
    for route in table():
        assert set(route.cells.values()) <= {REFUSED, OWN, MINE, "all", ANY}, route.path
        known = route.path in SAMPLES or all(name in SAMPLES or _is_free(route) for name in route.parameters)
        assert known, f"say in tests/office/samples.py what {route.path} is filled with"
        assert not route.lists or route.path in LISTED, f"say in tests/office/samples.py what {route.path} lists"


def _is_free(route: Route) -> bool:
    """A route that everybody may ask for anything: what is in its address is no object of the bureau's."""
    return {cell for role, cell in route.cells.items() if role != "public"} == {ANY}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("permissions") / "data"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def roles(office: Office) -> Iterator[dict[str, httpx.Client]]:
    """A client for each role, li with his phone; and one who isn't signed in."""
    phone = Phone(office.running.url, "li").sign_in().enrol()
    clients = {role: office.client(username) for role, username in DEMO.items()}
    with office.running.client() as stranger:
        yield clients | {"officer": phone.http, "public": stranger}


@pytest.fixture(scope="module")
def cases(office: Office) -> dict[str, dict[str, dict[str, str]]]:
    """Path -> case -> what its parameters are filled with."""
    known = {name: _sample(office, name) for name in SAMPLES}
    return {route.path: _cases(route, known) for route in table()}


def nothing(route: Route) -> dict[str, str]:
    """Values of the right shape that nothing has."""
    return {name: "999999999" if type_ == "int" else NOT_THERE for name, type_ in route.parameters.items()}


def _sample(office: Office, name: str) -> Sample | None:
    try:
        return SAMPLES[name](office)
    except NoResultFound:
        return None  # the tests of its routes fail, the others run


def _cases(route: Route, known: dict[str, Sample | None]) -> dict[str, dict[str, str]]:
    samples = {name: known.get(route.path) or known.get(name) for name in route.parameters}
    lacking = [name for name, sample in samples.items() if sample is None and name in SAMPLES]
    if lacking:
        return {"lacking": dict.fromkeys(lacking, "")}
    found = {"none": nothing(route)}
    if samples and None not in samples.values():
        named = {name: sample for name, sample in samples.items() if sample is not None}
        found["own"] = {name: sample.own for name, sample in named.items()}
        for case in ("foreign", "legal"):
            values = {name: getattr(sample, case) for name, sample in named.items()}
            if None not in values.values():
                found[case] = values
    return found


def _ask(office: Office, roles: dict[str, httpx.Client], route: Route, role: str, address: str) -> httpx.Response:
    headers, body = SPOKEN.get((route.method, route.path), (FORM, b""))
    if route.address in SIGNING_OUT and role != "public":
        with office.running.signed_in(DEMO.get(role, "li")) as once:  # he is signed out by this
            return once.request(route.method, address, headers=JSON | headers)
    return roles[role].request(route.method, address, headers=JSON | headers, content=body)


def _in_order(cells: dict[str, str]) -> list[str]:
    """Those who are refused first: whoever is allowed may change what the others are asked about."""
    return sorted(cells, key=lambda role: cells[role] != REFUSED)


def _reading_first() -> list[Route]:
    """Reading changes nothing, so it is asked before any act."""
    return sorted(table(), key=lambda route: not route.is_reading)


@pytest.mark.parametrize("route", _reading_first(), ids=lambda route: f"{route.method} {route.path}")
def test_a_route_answers_each_role_about_each_object_as_the_table_says(
    office: Office, roles: dict[str, httpx.Client], cases: dict[str, dict[str, dict[str, str]]], route: Route
) -> None:
    faults = []
    assert "lacking" not in cases[route.path], f"the demo has none for {sorted(cases[route.path]['lacking'])}"
    for role in _in_order(route.cells):
        none = _ask(office, roles, route, role, route.filled(cases[route.path]["none"]))
        for case, values in cases[route.path].items():
            answer = none if case == "none" else _ask(office, roles, route, role, route.filled(values))
            fault = _fault(route, role, case, answer, none)
            faults += [f"{role}, {case}: {fault}: {answer.status_code} {answer.text[:200]}"] if fault else []
            asked.add((route.method, route.path, role, case))
    assert not faults, "\n".join(faults)


def _fault(route: Route, role: str, case: str, answer: httpx.Response, none: httpx.Response) -> str | None:
    """What is wrong with an answer, or None."""
    cell, status = route.cells[role], answer.status_code
    if status >= 500:
        return "a fault of the server's"
    if role == "public" and cell == REFUSED:
        return None if status == 401 else "nobody is signed in, so 401"
    if route.address in DOORS:
        return None if status in (400, 401, 422, 429) else "the door refuses an empty form"
    if cell == ANY:
        missing = status == 404 and not (route.parameters or route.address in SIGNING_OUT)
        return "he may" if status in (401, 403) or missing else None
    if case == "none" and route.parameters:
        if cell == REFUSED:
            return None if status in (403, 404) else "refused"
        return None if status == 404 else "an id that isn't there is 404"
    if case == "none" or permits(role, cell, case):
        refused = cell == REFUSED
        if status == 403 and not refused and answer.json().get("code") == "needs_approval":
            return None  # the act is his; on a drawn crew it wants somebody's agreement beside (R20.1)
        return None if (status in (403, 404)) == refused and status != 401 else ("refused" if refused else "he may")
    return _unpermitted(route, role, case, answer, none)


def _unpermitted(route: Route, role: str, case: str, answer: httpx.Response, none: httpx.Response) -> str | None:
    """Who may read is told that he may not; for who may not read it is as if it weren't there."""
    page = reading(route)
    same = (answer.status_code, answer.content) == (none.status_code, none.content)
    if page is not route and page.parameters and permits(role, page.cells[role], case):
        is_said = answer.status_code == 403 or (route.is_reading and same)
        return None if is_said else "he may read it, but not do this: 403"
    if answer.status_code not in (403, 404):
        return "refused"
    return None if same else f"an id that isn't there is answered otherwise ({none.status_code} {none.text[:200]})"


@pytest.mark.parametrize("route", [one for one in table() if one.lists], ids=lambda one: one.path)
def test_a_list_shows_the_own_unit_or_all_units(office: Office, roles: dict[str, httpx.Client], route: Route) -> None:
    shown = LISTED[route.path](office)
    for role in set(ROLES) - {"public"}:
        cell = route.cells[role]
        if cell == REFUSED:
            continue
        for (query, text), may in ((shown.own, True), (shown.foreign or shown.own, cell != OWN)):
            answer = roles[role].get(route.filled({}) + query, headers=HTML)
            assert answer.status_code == 200, (role, answer.status_code)
            if shown.foreign is not None or may:
                assert (text in answer.text) == may, (role, query, text)


@pytest.mark.parametrize(
    "route",
    [
        one
        for one in table()
        if one.path.startswith("/office") and one.cells["public"] == REFUSED and one.method == "GET"
    ],
    ids=lambda one: one.path,
)
def test_a_page_leads_who_is_not_signed_in_to_the_door(office: Office, route: Route) -> None:
    with office.running.client() as stranger:
        answer = stranger.get(route.filled(nothing(route)), headers=HTML)
    assert (answer.status_code, answer.headers["location"]) == (303, "/office/sign-in")


def test_every_cell_was_asked(request: pytest.FixtureRequest) -> None:
    ran = sum("answers_each_role" in item.name for item in request.session.items)
    if ran < len(table()):
        return  # somebody runs a part of this file
    print(f"{len(asked)} cells of route x role x object were asked on {len(table())} lines")
    assert len(asked) >= LEAST_CELLS


# --- the visits of the small bureau: their crews, and those above the units -------------------------------------------


@pytest.fixture(scope="module")
def everybody(server: Running) -> Iterator[dict[str, httpx.Client]]:
    """A client for everybody in the bureau."""
    clients = {name: server.signed_in(name) for name in (*scene.OFFICERS, *scene.OFFICE, *scene.STRANGERS)}
    clients[""] = server.client()
    yield clients
    for client in clients.values():
        client.close()


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
