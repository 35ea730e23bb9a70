"""The log for everybody: checkpoints, leaves and proofs for programs, a page that explains them, a witness's hand."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec
import segno
from litestar import Request, Response, Router, get, post

from server.domain.text import clean
from server.errors import Problem
from server.office import log as office
from server.routes import guards
from server.routes.public_pages import answer, on_problem, page
from server.routes.static import send
from server.routes.stream import in_thread
from server.shelf import Item, item
from server.store import checkpoints, log
from server.store.checkpoints import Checkpoint
from server.store.session import Connection

Anyone = Request[Any, Any, Any]
PLAIN: Final = "text/plain"
JSON: Final = "application/json"
MOST: Final = 1000
"""How many entries are given at once."""

MOST_NOTE: Final = 2**16
"""Of the note that a witness gives back; one with a hundred cosignatures is a fifth of it."""

PROGRAMS: Final = ("witness.py", "verify_trail.py")
STANDALONE: Final = Path(__file__).parent.parent / "standalone"


@get("/log", exclude_from_auth=True, sync_to_thread=True)
def show_log(request: Anyone) -> Response[bytes]:
    """The newest checkpoint with its QR, who witnesses it, and how anyone checks it."""
    with request.app.state.db.read() as conn:
        recent, keys, witnesses = checkpoints.recent(conn, 10), checkpoints.keys(conn), checkpoints.witnesses(conn)
        newest = office.latest_checkpoint(conn)
    return page(
        request,
        "log",
        at="log",
        newest=newest,
        qr=newest and qr_of(newest.qr),
        recent=recent,
        keys=keys,
        witnesses=witnesses,
        programs=[(name, programs()[name].sha256) for name in PROGRAMS],
        address=request.app.state.settings.origin,
    )


@lru_cache(maxsize=16)
def qr_of(content: str) -> str:
    """A QR code as an address that the page's policy lets a picture have."""
    return segno.make(content, error="l", micro=False).svg_data_uri(scale=4, border=2)


@get("/log/checkpoint", exclude_from_auth=True, sync_to_thread=True)
def give_checkpoint(request: Anyone) -> Response[bytes]:
    """The newest checkpoint as a signed note; with `?size=` the one of that size."""
    with request.app.state.db.read() as conn:
        newest = _newest(conn)
        size = _number(request, "size", 0, newest.size, newest.size)
        found = newest if size == newest.size else checkpoints.checkpoint_of(conn, size)
    if found is None:
        raise Problem("log_none", size=size)
    return answer(request, found.whole.encode(), PLAIN)


@get("/log/entries", exclude_from_auth=True, sync_to_thread=True)
def give_entries(request: Anyone) -> Response[bytes]:
    """The leaves from one index to another, both included, a thousand at most; never a detail or a salt."""
    with request.app.state.db.read() as conn:
        size = _newest(conn).size
        start = _number(request, "start", 0, size - 1, 0)
        end = _number(request, "end", start, 2**53, size - 1)
        found = log.leaves(conn, start, min(end, size - 1, start + MOST - 1))
    entries = [{"index": one.n - 1, "n": one.n, "hash": one.hash, "leaf": one.leaf.decode()} for one in found]
    return _json(request, {"size": size, "entries": entries})


@get("/log/inclusion", exclude_from_auth=True, sync_to_thread=True)
def give_inclusion(request: Anyone) -> Response[bytes]:
    """The proof that an entry is in the log of a size, by its index: its number less one."""
    with request.app.state.db.read() as conn:
        newest = _newest(conn)
        size = _number(request, "size", 1, newest.size, newest.size)
        index = _number(request, "index", 0, size - 1)
        proof, leaf = office.inclusion(conn, index, size), log.leaves(conn, index, index)[0]
    return _json(request, {"index": index, "size": size, "hash": leaf.hash, "root": proof.root, "path": proof.path})


@get("/log/consistency", exclude_from_auth=True, sync_to_thread=True)
def give_consistency(request: Anyone) -> Response[bytes]:
    """The proof that the log of a first size is how that of a second size began."""
    with request.app.state.db.read() as conn:
        newest = _newest(conn)
        second = _number(request, "second", 0, newest.size, newest.size)
        first = _number(request, "first", 0, second)
        proof = office.consistency(conn, first, second)
    return _json(request, {"first": first, "second": second, "root": proof.root, "path": proof.path})


@get("/log/opening", exclude_from_auth=True, sync_to_thread=True)
def give_opening(request: Anyone) -> Response[bytes]:
    """Of the entry of a public act: the digest that its leaf commits to, and the key to check that by."""
    with request.app.state.db.read() as conn:
        index = _number(request, "index", 0, _newest(conn).size - 1)
        found = office.opening(conn, index)
    return _json(request, {"index": index, "n": found.n, "after": found.after, "key": found.key})


@get("/log/keys", exclude_from_auth=True, sync_to_thread=True)
def give_keys(request: Anyone) -> Response[bytes]:
    """Every key that the log signed with, each after the first with a note by the one before it; and the witnesses."""
    with request.app.state.db.read() as conn:
        keys, witnesses = checkpoints.keys(conn), checkpoints.witnesses(conn)
    shown = [{name: getattr(one, name) for name in ("origin", "key", "size", "at", "note")} for one in keys]
    return _json(request, {"keys": shown, "witnesses": witnesses})


@post("/log/cosignatures", exclude_from_auth=True, request_max_body_size=MOST_NOTE)
async def take_cosignature(request: Anyone) -> Response[bytes]:
    """A checkpoint with a witness's line under it; whose key isn't named here isn't taken."""
    try:
        note = (await request.body()).decode()
    except UnicodeDecodeError:
        raise Problem("note_bad", why="UTF-8") from None
    return await in_thread(_cosign, request, note)


def _cosign(request: Anyone, note: str) -> Response[bytes]:
    now = guards.now(request)
    kept = request.app.state.db.run_write(lambda conn: office.cosign(conn, note, now))
    return Response(kept.line.encode(), status_code=201, media_type=PLAIN)


@get([f"/log/{name}" for name in PROGRAMS], exclude_from_auth=True)
async def give_program(request: Anyone) -> Response[bytes]:
    """The programs that work without this server, as files to keep."""
    name = request.url.path.rpartition("/")[2]
    given = send(request, programs()[name])
    given.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return given


def _newest(conn: Connection) -> Checkpoint:
    found = office.latest_checkpoint(conn)
    if found is None:
        raise Problem("log_none", size=0)
    return found


def _number(request: Anyone, name: str, least: int, most: int, otherwise: int | None = None) -> int:
    given = request.query_params.get(name, "")
    if given == "" and otherwise is not None:
        return otherwise
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 17 else -1
    if not least <= number <= most:
        raise Problem("log_number", name=name, least=least, most=max(least, most), given=clean(given)[:20])
    return number


def _json(request: Anyone, told: object) -> Response[bytes]:
    return answer(request, msgspec.json.encode(told), JSON)


@lru_cache(maxsize=1)
def programs() -> dict[str, Item]:
    """The files by their names, read once."""
    return {name: item(f"/log/{name}", "text/x-python", (STANDALONE / name).read_bytes()) for name in PROGRAMS}


router = Router(
    "/",
    exception_handlers={Problem: on_problem},
    route_handlers=[
        show_log,
        give_checkpoint,
        give_entries,
        give_inclusion,
        give_consistency,
        give_opening,
        give_keys,
        take_cosignature,
        give_program,
    ],
)
