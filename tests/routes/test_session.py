"""Signing in and out, over HTTP."""

from __future__ import annotations

from tests.running import Running
from tests.scene import PASSWORD


def test_who_signs_in_gets_a_token_that_opens_his_session(server: Running) -> None:
    with server.client() as client:
        answer = client.post("/api/session", json={"username": "li", "password": PASSWORD})
        assert answer.status_code == 200
        assert answer.json()["officer"] == {"id": "li", "name": "li", "unit": "hazchem", "roles": ["officer"]}
    with server.signed_in("li") as li:
        assert li.get("/api/session").json()["officer"]["id"] == "li"


def test_after_signing_out_the_token_opens_nothing(any_server: Running) -> None:
    with any_server.signed_in("li") as li:
        assert li.delete("/api/session").status_code == 204
        assert li.get("/api/session").status_code == 401
