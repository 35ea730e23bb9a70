"""The log as the office watches it: what was signed and countersigned, by which keys, and what auditors take along."""

from __future__ import annotations

from typing import Final

from litestar import Response, Router, get

from server.domain.instant import beijing_day, instant
from server.errors import Problem
from server.routes import guards
from server.routes.guards import Asked, has_right
from server.routes.log import programs
from server.routes.pages import on_problem, render
from server.store import checkpoints, log

SHOWN: Final = 30


@get("/", guards=[has_right("trail.read")], sync_to_thread=True)
def show_log(request: Asked) -> Response[str]:
    """Whether today is signed, who countersigned what, the witnesses, every key in its turn, and the two programs."""
    with request.app.state.db.read() as conn:
        recent = checkpoints.recent(conn, SHOWN)
        cosigned = checkpoints.cosigners(conn, [one.size for one in recent])
        keys, witnesses, written = checkpoints.keys(conn), checkpoints.witnesses(conn), log.written(conn)
    newest = recent[0] if recent else None
    return render(
        request,
        "log",
        room="log",
        newest=newest,
        recent=recent,
        cosigned=cosigned,
        keys=keys,
        witnesses=witnesses,
        waiting=written - (newest.size if newest else 0),
        is_today=newest is not None and beijing_day(instant(newest.at)) == beijing_day(guards.now(request)),
        programs=[(name, file.sha256) for name, file in programs().items()],
        address=request.app.state.settings.origin,
    )


router = Router("/office/log", exception_handlers={Problem: on_problem}, route_handlers=[show_log])
