"""Enrolling a phone and revoking it, over HTTP."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable

import httpx
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec

from server.store import tables
from server.store.session import open_database
from tests.running import Running
from tests.subjects import row_of


def _key() -> dict[str, str]:
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    x, y = (
        base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode() for number in (numbers.x, numbers.y)
    )
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def _enrol(client: httpx.Client, rid: str, key: dict[str, str], name: str = "李的手机") -> httpx.Response:
    return client.post("/api/devices", json={"rid": rid, "name": name, "public_key": key})


def _rid() -> str:
    return secrets.token_hex(16)


def test_a_phone_is_enrolled_once_and_welcome_again(any_server: Running) -> None:
    rid, key = _rid(), _key()
    with any_server.signed_in("li") as li:
        first = _enrol(li, rid, key)
        assert first.status_code == 201
        assert set(first.json()) == {"device", "rid", "epoch", "server_time", "server_key"}
        assert set(first.json()["server_key"]) == {"kty", "crv", "x", "y"}
        again = _enrol(li, rid, key | {"ext": "true", "key_ops": "verify"})
        assert again.status_code == 200
        assert li.get("/api/session").json()["rid"] == rid


def test_a_replica_belongs_to_one_key_and_one_person(any_server: Running) -> None:
    rid, key = _rid(), _key()
    with any_server.signed_in("li") as li, any_server.signed_in("zhang") as zhang:
        assert _enrol(li, rid, key).status_code == 201
        assert _enrol(li, rid, _key()).json()["code"] == "rid_taken"
        taken = _enrol(zhang, rid, key)
        assert (taken.status_code, taken.json()["code"]) == (409, "rid_taken")


def test_enrolling_again_leaves_a_revoked_phone_revoked(server: Running) -> None:
    rid, key = _rid(), _key()
    with server.signed_in("li") as li:
        _enrol(li, rid, key)
        revoked_at = li.post(f"/api/devices/{rid}/revoke").json()["revoked_at"]
        assert _enrol(li, rid, key).status_code == 200
        assert li.post(f"/api/devices/{rid}/revoke").json()["revoked_at"] == revoked_at


def test_a_phone_is_revoked_by_its_owner_or_the_admin_and_hidden_from_others(server: Running) -> None:
    first, second = _rid(), _rid()
    with server.signed_in("li") as li, server.signed_in("zhang") as zhang, server.signed_in("admin") as admin:
        _enrol(li, first, _key())
        _enrol(li, second, _key())
        assert zhang.post(f"/api/devices/{first}/revoke").status_code == 404
        assert zhang.post(f"/api/devices/{_rid()}/revoke").status_code == 404
        assert li.post(f"/api/devices/{first}/revoke").status_code == 200
        assert admin.post(f"/api/devices/{second}/revoke").status_code == 200


def test_nobody_enrols_without_signing_in(server: Running) -> None:
    with server.client() as client:
        assert _enrol(client, _rid(), _key()).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [
        {"kty": "RSA"},
        {"crv": "P-384"},
        {"x": "AAAA"},
        {"x": "A" * 43},  # no point of the curve
        {"y": "=" * 43},
        {"d": "A" * 43},
    ],
)
def test_a_key_that_is_no_public_point_of_p256_is_refused(server: Running, wrong: dict[str, str]) -> None:
    with server.signed_in("li") as li:
        answer = _enrol(li, _rid(), _key() | wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_key")


@pytest.mark.parametrize("rid", ["", "A" * 32, "0" * 31, "srv", "../" + "0" * 29, "0" * 32 + "\n"])
def test_a_replica_has_thirty_two_hex_characters(server: Running, rid: str) -> None:
    with server.signed_in("li") as li:
        assert _enrol(li, rid, _key()).json()["code"] == "bad_request"


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\u202eb", "a\x00b"])
def test_a_phones_name_hides_nothing(server: Running, name: str) -> None:
    with server.signed_in("li") as li:
        assert _enrol(li, _rid(), _key(), name).json()["code"] == "bad_request"


def test_a_new_or_revoked_phone_moves_the_assignments_of_its_owners_crews_and_of_nobody_else(
    start_server: Callable[..., Running],
) -> None:
    running = start_server()
    db = open_database(f"sqlite:///{running.data / 'suijian.db'}")
    with db.write() as conn:
        _visit(conn, "v1", ["li", "zhang"])
        _visit(conn, "v2", ["wang", "zhao"])
    rid = _rid()

    def revs() -> dict[str, int]:
        with db.read() as conn:
            return {row.officer_id: row.rev for row in conn.execute(sa.select(tables.assignments))}

    with running.signed_in("li") as li:
        _enrol(li, rid, _key())
        assert revs() == {"li": 2, "zhang": 2, "wang": 1, "zhao": 1}
        li.post(f"/api/devices/{rid}/revoke")
        assert revs() == {"li": 3, "zhang": 3, "wang": 1, "zhao": 1}
    db.close()


def _visit(conn: sa.Connection, id: str, crew: list[str]) -> None:
    if not conn.scalar(sa.select(sa.exists(sa.select(tables.subject.c.id)))):
        conn.execute(sa.insert(tables.subject).values(row_of(id="s")))
        conn.execute(sa.insert(tables.template).values(sha256="0" * 64, title="", body=b"{}"))
    conn.execute(
        sa.insert(tables.visit).values(
            id=id,
            unit_id="hazchem",
            subject_id="s",
            subject_name="",
            subject_uscc="",
            tpl="0" * 64,
            window_from="2026-11-01",
            window_to="2026-11-30",
            nonce="",
            standing=b"",
            dispatched_at="2026-11-01T00:00:00.000Z",
        )
    )
    conn.execute(
        sa.insert(tables.visit_crew), [{"visit_id": id, "officer_id": officer, "role": "member"} for officer in crew]
    )
