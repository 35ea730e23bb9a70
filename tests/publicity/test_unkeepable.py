"""NUL and lone surrogates in every field of JSON bodies and ops: both databases answer alike and keep alike."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

import httpx
import pytest
import sqlalchemy as sa

from server.store import tables
from server.sync import shapes
from tests.dispatching import ITEM, database_of
from tests.phone import Phone
from tests.routes.test_permissions import routes_of_the_app
from tests.running import Running
from tests.scene import PASSWORD
from tests.sync.test_exchange import Group

pytestmark = pytest.mark.serial

BAD: Final = {
    "NUL": '"a\\u0000b"',
    "NUL alone": '"\\u0000"',
    "high surrogate": '"a\\ud800"',
    "low surrogate": '"\\udc00b"',
    "pair the wrong way": '"\\udc00\\ud800"',
    "no character": '"\\uffff"',
    "beyond 64 bits": "99999999999999999999999",
    "beyond a double": "1e999",
    "a million deep": "[" * 2_000 + "]" * 2_000,
    "nothing": "null",
}
"""Name -> what stands on the wire in the place of a value."""

MARK: Final = "the place of the value"

BODIES: Final[dict[str, list[Any]]] = {
    "/api/session": [{"username": "zhang", "password": "wrong"}],
    "/api/session/proof": [{"password": "wrong"}],
    "/api/session/password": [{"username": "zhang", "password": "wrong", "new_password": "another-long-one"}],
    "/api/devices": [{"rid": "f" * 32, "name": "x", "public_key": {"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}}],
    "/api/visits/{visit_id:str}/acts": [
        {"kind": "admit", "path": ["op", "0:1"], "val": {"reason": "x"}},
        {"kind": "rule", "path": ["op", "0:1"], "val": {"verdict": "late"}},
        {"kind": "assign", "path": ["crew", "li"], "val": {"role": "removed", "reason": "x"}},
        {"kind": "reopen", "path": ["round"], "val": {"round": 9, "reason": "x"}},
    ],
}
"""Route -> the bodies that it takes; those of /api/sync are made by a phone."""

NO_JSON: Final = {
    "/api/sync": "below",
    "/api/media": "headers alone",
    "/api/media/batch": "multipart",
    "/api/media/uploads/{upload_id:str}": "bytes",
    "/api/devices/{rid:str}/revoke": "no body",
}


@pytest.fixture
def both(start_server: Callable[..., Running], postgres_url: str) -> Iterator[list[Group]]:
    """The small bureau with a visit, once on each of the databases."""
    yield [Group(start_server()), Group(start_server(postgres_url))]


def test_every_json_body_with_a_value_that_can_not_be_kept_is_answered_alike(both: list[Group]) -> None:
    routes = {path for method, path in routes_of_the_app() if method == "POST" and path.startswith("/api/")}
    assert routes == BODIES.keys() | NO_JSON.keys()
    answers = [dict(_answers(group)) for group in both]
    statuses = Counter(status for status, _ in answers[0].values())
    print(f"{len(answers[0])} bodies on each: {dict(statuses)}")
    assert len(answers[0]) >= 250
    assert [case for case, (status, _) in (*answers[0].items(), *answers[1].items()) if status >= 500] == []
    assert {case: (one, answers[1][case]) for case, one in answers[0].items() if one != answers[1][case]} == {}


def _answers(group: Group) -> Iterator[tuple[str, tuple[int, str]]]:
    clerk = group.server.signed_in("clerk", PASSWORD)
    for route, bodies in BODIES.items():
        address = route.replace("{visit_id:str}", group.visit)
        for n, body in enumerate(bodies):
            for place, spoilt in _spoilt(body):
                for name, value in BAD.items():
                    raw = json.dumps(spoilt).replace(f'"{MARK}"', value).encode()
                    answer = clerk.post(address, content=raw, headers={"Content-Type": "application/json"})
                    yield f"{route} {n} {place} {name}", _said(answer)
    clerk.close()


def _said(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "") if answer.content else ""


def _spoilt(body: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """The body with the mark in the place of each value, and of each key, in turn."""
    yield place, MARK
    if isinstance(body, dict):
        for name, value in body.items():
            yield from ((inner, body | {name: changed}) for inner, changed in _spoilt(value, f"{place}.{name}"))
            yield f"{place}.{name} key", {MARK if key == name else key: one for key, one in body.items()}
    if isinstance(body, list):
        for n, value in enumerate(body):
            for inner, changed in _spoilt(value, f"{place}.{n}"):
                yield inner, [*body[:n], changed, *body[n + 1 :]]


def test_every_field_of_an_op_with_such_a_value_has_the_same_verdict_and_is_kept(both: list[Group]) -> None:
    before = _kept(both[0])
    told = [_verdicts(group) for group in both]
    print(f"{len(told[0])} ops on each: {dict(Counter(verdict for verdict, _ in told[0].values()))}")
    assert len(told[0]) >= 150
    assert {case: (one, told[1][case]) for case, one in told[0].items() if one != told[1][case]} == {}
    assert [case for case, (verdict, _) in told[0].items() if verdict >= "500" and verdict[0] == "5"] == []
    assert _kept(both[0]) == _kept(both[1])
    verdicts = [verdict for verdict, _ in told[0].values()]
    taken, dead = sum(not one.isdigit() for one in verdicts), verdicts.count("dead")
    assert _kept(both[0]) - before == {"op": taken, "apart": dead}  # a dead one leaves its place, and its bytes apart
    assert taken >= 100


SIGNED: Final = {"NUL": "a\0b"}
SPOILT: Final = ("high surrogate", "beyond 64 bits")
"""What a phone can write and sign; and where only the bytes on the wire can be spoilt."""


def _verdicts(group: Group) -> dict[str, tuple[str, str | None]]:
    """Each op from a phone of its own, so that a break in one's chain is no other's: its verdict."""
    found: dict[str, tuple[str, str | None]] = {}
    tpl = group.li.assignments[group.visit]["tpl"]
    for name in (*SIGNED, *SPOILT):
        for case, kind, path, val in _ops(SIGNED.get(name, MARK)):
            phone = Phone(group.server.url, "zhang").sign_in().enrol()
            phone.write(group.visit, kind, path, val, tpl=tpl)
            (body,) = phone.queue[group.visit]
            phone.queue[group.visit] = [body.replace(json.dumps(MARK).encode(), BAD[name].encode())]
            answer = phone.post(phone.request())
            phone.http.close()
            found[f"{case} {name}"] = _verdict(answer)
    return found


def _verdict(answer: httpx.Response) -> tuple[str, str | None]:
    if answer.status_code != 200:
        return str(answer.status_code), answer.json()["code"]
    ((_, verdict, reason),) = answer.json()["results"][0]["verdicts"]
    return verdict, None if verdict == "dead" else reason  # of a dead one it is the name under which it is kept


def _ops(mark: str) -> Iterator[tuple[str, str, list[str], Any]]:
    """Every field that an op can write, with the mark in it; made from what the product takes."""
    for group, names in shapes.FIELDS.items():
        for name in names:
            path = {"visit": [group, name], "answer": [group, "p01", name]}.get(group, [group, "0" * 64, name])
            yield f"set {group}.{name}", "set", path, mark
            yield f"set {group}.{name} deep", "set", path, {"text": [mark]}
    for name in shapes.NAMED_FIELDS:
        yield f"set visit.{name}:", "set", ["visit", f"{name}:{ITEM}"], [mark]
    yield "add", "add", ["finding"], {"text": mark}
    yield "del", "del", ["finding", "0" * 32 + ":1"], {"reason": mark}
    yield "retract", "retract", ["media", "0" * 64], {"reason": mark}
    yield "path", "set", ["visit", mark], "x"
    yield "kind", mark, ["visit", "form"], "x"


def _kept(group: Group) -> Counter[str]:
    """What the journal and the drawer beside it hold of the visit."""
    db = database_of(group.server)
    with db.read() as conn:
        counted = Counter[str]()
        for table in (tables.op, tables.apart):
            where = table.c.visit_id == group.visit
            counted[table.name] = int(conn.scalar(sa.select(sa.func.count()).select_from(table).where(where)) or 0)
    db.close()
    return counted
