"""The record: what the journal of a visit adds up to, folded when somebody looks and kept until something moves."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from server.domain.result import Item
from server.store import journal, records, uploads, visits
from server.store.journal import Row
from server.store.records import Kept
from server.store.session import Connection, Database
from server.store.visits import Locked
from server.sync import ops
from server.sync.view import Entry, Facts, Frame, Held, Look, Subject, as_json, look_at

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Record(msgspec.Struct, frozen=True):
    """A visit as it stands: `view` is the JSON of GET /api/visits/<id>/view, `summary` what a list shows of it."""

    visit: str
    head: int
    phase: str
    digest: str | None
    view: bytes
    summary: dict[str, Any]


class _Checklist(msgspec.Struct):
    items: list[Item]


def record_of(db: Database, visit_id: str) -> Record | None:
    """The record of a visit; None where there is no such visit."""
    return records_of(db, [visit_id]).get(visit_id)


def records_of(db: Database, visit_ids: Sequence[str]) -> dict[str, Record]:
    """The records of visits, those that moved folded anew and kept."""
    found, folded = {}, []
    with db.read() as conn:
        for row in visits.look_all(conn, visit_ids):
            kept, is_new = _current(conn, row)
            found[row.id] = _with_held(conn, kept)
            if is_new:
                folded.append(kept)
    if folded:
        db.run_write(lambda conn: records.keep(conn, folded))
    return found


def phases_of(conn: Connection, visit_ids: Sequence[str]) -> dict[str, str]:
    """The phase of each visit, within a transaction that only reads."""
    return {row.id: _current(conn, row)[0].phase for row in visits.look_all(conn, visit_ids)}


def _current(conn: Connection, row: Locked) -> tuple[Kept, bool]:
    media_rev = records.media_rev(conn, row.id)
    kept = records.kept(conn, row.id)
    if kept is not None and (kept.head, kept.media_rev, kept.summary.get("tpl")) == (row.head, media_rev, row.tpl):
        return kept, False
    look = fold_visit(conn, row, journal.released(conn, row.id))
    here = uploads.here_for(conn, row.id)
    view = as_json(look)
    return Kept(row.id, row.head, media_rev, look.phase, view["digest"], _encode(view), _summary(look, here)), True


def _with_held(conn: Connection, kept: Kept) -> Record:
    """The record with what waits now: a held op has no number, so the head doesn't tell of it."""
    waiting = journal.held(conn, kept.visit_id)
    view = kept.view
    if waiting:
        document = _decode(view)
        document["held"] = [{"op": row.id, "waits_for": row.waits_for} for row in sorted(waiting, key=lambda r: r.id)]
        view = _encode(document)
    return Record(kept.visit_id, kept.head, kept.phase, kept.digest, view, kept.summary)


def fold_visit(conn: Connection, row: Locked, rows: Sequence[Row]) -> Look:
    """Folds the released ops of a visit."""
    facts = Facts(items=items_of(conn, row.tpl), here=uploads.here_for(conn, row.id), held=list[Held]())
    return look_at([entry_of(one) for one in rows], frame_of(row), facts)


def frame_of(row: Locked) -> Frame:
    """What was frozen at the dispatch."""
    return Frame(row.id, row.tpl, Subject(row.subject_name, row.subject_uscc))


def entry_of(row: Row) -> Entry:
    """An op of the journal as the fold takes it."""
    op = ops.stored(row.body) if row.body else None
    return Entry(row.n, row.rid, abs(row.seq), op, row.received_at, row.verdict, row.reason)


def items_of(conn: Connection, tpl: str) -> list[Item]:
    """The items of a checklist, which never changes under its name."""
    known = _known_items(tpl)
    if not known:
        body = visits.points_body(conn, tpl)
        known += msgspec.json.decode(body, type=_Checklist).items if body is not None else []
    return known


@lru_cache(maxsize=256)
def _known_items(_tpl: str) -> list[Item]:
    return []


def _summary(look: Look, here: set[str]) -> dict[str, Any]:
    """What the office's lists show of a visit."""
    content = look.shown.content["content"]
    verdicts = [it.verdict for it in look.standing.values()]
    crew = look.shown.crew
    accepted = [op for op in look.ops.values() if op.kind == "accept_final" and op.val["round"] == crew.round]
    signed = {it.signer for it in look.signatures if it.state == "current"} & set(crew.members)
    return {
        "tpl": look.shown.content["tpl"],  # merging gives a visit another one, without any op in it
        "records": sum(1 for id_, it in look.standing.items() if not id_.startswith("srv") and it.verdict != "dead"),
        "media": len(content["media"]),
        "media_here": len(content["media"].keys() & here),
        "conflicts": len(look.shown.folded.conflicts),
        "quarantined": verdicts.count("quarantined"),
        "late": verdicts.count("late"),
        "crew": sorted(crew.members, key=lambda officer: (officer != crew.leader, officer)),
        "result": content["visit"].get("result"),
        "signed": len(signed),
        "final_at": accepted[-1].at if accepted else None,
    }
