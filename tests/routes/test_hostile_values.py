"""Whatever stands in an address or a form is answered, on both databases: a client can't bring about a 5xx."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.office.district import HTML, IDS, Office, demo_server
from tests.office.forms import forms_of
from tests.office.permissions import PARAMETER
from tests.office.samples import NOT_THERE
from tests.office.screens import scenes
from tests.routes.test_permissions import routes_of_the_app

HOSTILE = (
    "%00",
    "a%00b",
    "9999999999999999999999",
    "9999999999",
    "9999999999-1",
    "-1",
    "0",
    "2026-99999999999999",
    "x" * 10_000,
    "%E2%80%AE",
    "%F0%9F%98%80",
    "%ED%A0%80",
    "..%2f",
)
"""What is put into an address, as it stands on the wire."""

ASKED_FOR = ("%00", "9999999999", "9999999999999999999999", "%ED%A0%80")
"""What is put into a query: the values that one of the databases or drivers has no place for."""

TYPED = {"NUL": "a\x00b", "over 32 bits": "9999999999"}
"""The like for forms; `test_hostile_forms` has many more, on one database."""

THERE = {"visit_id": IDS["fresh-two"], "plan_id": "2026", "year": "2026", "plan_version": "1", "no": "2026-1"}
"""What an address is filled with beside the hostile value, where it isn't something that isn't there."""

LEAST_REQUESTS = 1500


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The demo district on each of the databases."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_url_of_module")
    found = Office(demo_server(tmp_path_factory.mktemp("hostile") / "data", url))
    yield found
    found.close()


def _addresses() -> list[str]:
    """Every GET route that has parameters, with each of the values in each of them and then in all at once."""
    found: dict[str, None] = {}
    for path in sorted(path for method, path in routes_of_the_app() if method == "GET" and "{" in path):
        names = [one["name"] for one in PARAMETER.finditer(path)]
        for value in HOSTILE:
            for spoilt in (*([name] for name in names), names):
                filled = {name: value if name in spoilt else THERE.get(name, NOT_THERE) for name in names}
                found[PARAMETER.sub(lambda one, filled=filled: filled[one["name"]], path)] = None  # type: ignore[misc]
    return list(found)


def _faults(client: httpx.Client, addresses: list[str]) -> list[str]:
    answers = ((address, client.get(address, headers=HTML).status_code) for address in addresses)
    return [f"{address[:120]}: {status}" for address, status in answers if status >= 500]


def test_no_value_in_an_address_is_a_fault_of_the_servers(office: Office) -> None:
    addresses = _addresses()
    people = (office.client("clerk"), office.stranger)
    faults = [fault for client in people for fault in _faults(client, addresses)]
    print(f"{len(people) * len(addresses)} requests, {len(faults)} answered with a 5xx")
    assert len(people) * len(addresses) >= LEAST_REQUESTS
    assert not faults, "\n".join(faults)


def test_no_value_in_a_query_is_a_fault_of_the_servers(office: Office) -> None:
    """The names are those that the links and the search forms of each list use."""
    paths = sorted(path for method, path in routes_of_the_app() if method == "GET" and "{" not in path)
    asked, faults = 0, []
    for client in (office.client("clerk"), office.stranger):
        for path in paths:
            text = client.get(path, headers=HTML).text
            names = set(re.findall(r"[?&](?:amp;)?(\w+)=", text)) | set(re.findall(r'name="(\w+)"', text))
            addresses = [f"{path}?{name}={value}" for name in sorted(names) for value in ASKED_FOR]
            asked += len(addresses)
            faults += _faults(client, addresses)
    print(f"{asked} requests, {len(faults)} answered with a 5xx")
    assert asked >= LEAST_REQUESTS
    assert not faults, "\n".join(faults)


def test_no_value_in_a_form_is_a_fault_of_the_servers(office: Office) -> None:
    forms, sent, faults = forms_of(office, scenes(office)), 0, []
    for form in forms:
        for name, value in TYPED.items():
            files = {"": (None, "")} if form.has_file else None
            answer = office.client(form.who).post(form.action, data=form.filled(value), files=files, headers=HTML)
            sent += 1
            if answer.status_code >= 500:
                faults.append(f"{form.who} {form.page} -> {form.action}, {name}: {answer.status_code}")
    print(f"{sent} forms sent, {len(faults)} answered with a 5xx")
    assert sent >= 100
    assert not faults, "\n".join(faults)
