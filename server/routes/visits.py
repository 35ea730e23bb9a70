"""A visit for those who may see it: its checklist, its view, who is where with it, and the acts on it."""

from __future__ import annotations

import gzip
from functools import lru_cache

import msgspec
from litestar import Response, get, post

from server.domain.access import office_sees
from server.errors import Problem
from server.office import receipts as office
from server.routes import guards
from server.routes.body import decode, packed
from server.routes.guards import Asked, signed_in
from server.store import assignments, recusals, visits
from server.store.people import Person
from server.store.session import Connection, Database
from server.sync.acts import Act, Done, office_act
from server.sync.record import record_of
from server.sync.shapes import is_sha256, is_visit

FOR_EVER = "private, max-age=31536000, immutable"


def require_sight(conn: Connection, person: Person, visit_id: str) -> None:
    """The crew and the office see a visit; for all others it isn't there."""
    row = visits.look(conn, visit_id) if is_visit(visit_id) else None
    if row is None:
        raise Problem("not_found")
    member = visits.memberships(conn, person.id, [visit_id]).get(visit_id)
    if (member is None or member.role == "removed") and not office_sees(person.roles, person.unit_id, row.unit_id):
        raise Problem("not_found")


@get("/api/templates/{sha256:str}", guards=[signed_in], sync_to_thread=True)
def template(request: Asked, sha256: str) -> Response[bytes]:
    """A checklist, as the bytes that its name is the hash of."""
    db: Database = request.app.state["db"]
    with db.read() as conn:
        body = visits.points_body(conn, sha256) if is_sha256(sha256) else None
    if body is None:
        raise Problem("not_found")
    headers = {"Cache-Control": FOR_EVER, "ETag": f'"{sha256}"', "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        body = _packed(body)
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type="application/json", headers=headers)


@lru_cache(maxsize=64)
def _packed(checklist: bytes) -> bytes:
    """A checklist for the wire, packed once for all phones."""
    return gzip.compress(checklist, compresslevel=9, mtime=0)


@get("/api/visits/{visit_id:str}/view", guards=[signed_in], sync_to_thread=True)
def view(request: Asked, visit_id: str) -> Response[bytes]:
    """What the server's own fold shows, for a phone to check its own against."""
    db: Database = request.app.state["db"]
    with db.read() as conn:
        require_sight(conn, request.user, visit_id)
    record = record_of(db, visit_id)
    if record is None:
        raise Problem("not_found")
    with db.read() as conn:
        told = recusals.told_of(conn, [visit_id]).get(visit_id)
    return Response(_with(record.view, recusals=told) if told else record.view, media_type="application/json")


def _with(view: bytes, **more: object) -> bytes:
    """The view with what the office knows besides the journal: a key of its own, and only where there is something."""
    return msgspec.json.encode(msgspec.json.decode(view) | more)


@get("/api/visits/{visit_id:str}/board", guards=[signed_in], sync_to_thread=True)
def board(request: Asked, visit_id: str) -> dict[str, list[dict[str, object]]]:
    """The phones of the crew: when each was heard of last, and what it still holds."""
    db: Database = request.app.state["db"]
    with db.read() as conn:
        require_sight(conn, request.user, visit_id)
        return {"board": assignments.board(conn, visit_id)}


@post("/api/visits/{visit_id:str}/acts", guards=[signed_in], status_code=201, sync_to_thread=True)
def act(request: Asked, visit_id: str, body: bytes) -> Done:
    """Does an act of leader or office on a visit."""
    state = request.app.state
    with state["db"].read() as conn:
        require_sight(conn, request.user, visit_id)
    return office_act(state["db"], state["keys"], request.user, visit_id, decode(body, Act), guards.now(request))


@get("/api/visits/{visit_id:str}/receipts", guards=[signed_in], sync_to_thread=True)
def receipts(request: Asked, visit_id: str) -> Response[bytes]:
    """Where in the log a phone's own operations stand, with all that it needs to check that by itself."""
    rid, after = (request.query_params.get(name, "") for name in ("rid", "after"))
    seq = int(after) if after.isascii() and after.isdigit() and len(after) < 16 else 0
    with request.app.state["db"].read() as conn:
        found = office.receipts(conn, request.user, visit_id, rid, seq)
    return packed(request, msgspec.json.encode(found))


handlers = [template, view, board, act, receipts]
