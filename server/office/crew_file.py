"""The officers' part of a draw's published file, and the new version of the file that each change of it makes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from server.domain.crew import ALG
from server.domain.draw_file import with_officers
from server.store import crews, draws
from server.store.crews import Match
from server.store.session import Connection


def officers_part(conn: Connection, task_id: str) -> dict[str, Any] | None:
    """The latest attempt as the file has it; None while nothing is matched or void."""
    told = [one for one in crews.matches_of_task(conn, task_id) if one.state in ("matched", "assigned", "void")]
    return part_of(conn, told[-1]) if told else None


def part_of(conn: Connection, match: Match) -> dict[str, Any]:
    """One attempt with what was changed afterwards."""
    void = {"reason": match.void_reason, "by": match.void_by, "at": match.void_at} if match.state == "void" else None
    part: dict[str, Any] = {
        "alg": ALG,
        "attempt": match.attempt,
        "prev": match.prev,
        "frame": match.frame,
        "frame_digest": match.frame_digest,
        "rules": match.rules,
        "rules_digest": match.rules_digest,
        "sources": match.sources,
        "commit": match.commit,
        "committed_at": match.committed_at,
        "contributions": [
            {"k": one.k, "v": one.v, "at": one.at, "by": one.by, "evidence": one.evidence}
            for one in crews.contributions_of(conn, match.id)
        ],
        "secret": match.secret,
        "seed": match.seed,
        "visits": match.visits,
        "cap": match.cap,
        "slots": match.slots,
        "teams": match.teams,
        "leaders": match.leaders,
        "direct": match.ways["direct"],
        "merged": match.ways["merged"],
        "replaced": [one.record for one in crews.changes_of_match(conn, match.id)],
        "void": void,
    }
    return part | ({"experts": match.drawn_experts} if match.drawn_experts else {})


def keep_version(conn: Connection, task_id: str, why: str, now: datetime) -> None:
    """Keeps the draw's file with the officers as they stand now; a task without a draw of its own here has none."""
    draw = draws.standing_of_task(conn, task_id)
    body = None if draw is None else draws.body_of(conn, draw.id)
    if draw is not None and body is not None:
        draws.keep_file(conn, draw.id, why, with_officers(body, officers_part(conn, task_id)), now)
