"""What the pages of draws ask beside the draws themselves: names by code, and how often units left the lot's way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.store.tables import crew_change, crew_match, crew_way, draw, draw_file, subject, task
from server.store.tasks import going_on

_CODE = sa.func.coalesce(subject.c.uscc, subject.c.registration).label("code")
_AT_ONCE = 400
"""How many codes are asked for by one statement."""


def names_by_code(conn: Connection, codes: Collection[str]) -> dict[str, str]:
    """The names of subjects by the codes that a list has."""
    wanted, found = sorted(set(codes)), dict[str, str]()
    for part in (wanted[at : at + _AT_ONCE] for at in range(0, len(wanted), _AT_ONCE)):
        for column in (subject.c.uscc, subject.c.registration):
            rows = conn.execute(sa.select(_CODE, subject.c.name).where(column.in_(part)))
            found |= {code: name for code, name in rows if code in part}
    return found


def draws_and_joint(conn: Connection, first: int, most: int) -> list[tuple[int, int, str | None]]:
    """Year and number of some draws, the latest first, and among them the tasks for which another office drew."""
    upto = first + most
    begun = draw.c.committed_at
    ours = sa.select(begun, draw.c.year, draw.c.seq).where(draw.c.attempt == 1)
    ours = ours.order_by(begun.desc(), draw.c.year.desc(), draw.c.seq.desc()).limit(upto)
    theirs = sa.select(task.c.dispatched_at, task.c.id).where(
        task.c.joint == "participant", task.c.dispatched_at.is_not(None), task.c.joint_list.is_not(None)
    )
    theirs = theirs.order_by(task.c.dispatched_at.desc(), task.c.id.desc()).limit(upto)
    found: list[tuple[str, int, int, str | None]] = [(at, year, seq, None) for at, year, seq in conn.execute(ours)]
    found += [(at, 0, 0, id) for at, id in conn.execute(theirs)]
    found.sort(key=lambda one: (one[0], one[1], one[2], one[3] or ""), reverse=True)
    return [(year, seq, task_id) for _, year, seq, task_id in found[first:upto]]


class Link(msgspec.Struct, frozen=True):
    """A commitment in the bureau's chain with the digests of its files: version and SHA-256."""

    id: str
    year: int
    seq: int
    attempt: int
    prev: str
    commit: str
    committed_at: str
    state: str
    task_id: str
    files: tuple[tuple[int, str], ...] = ()


def chain(conn: Connection) -> list[Link]:
    """Every commitment of a draw of subjects, from the first; it is always given whole."""
    files: dict[str, list[tuple[int, str]]] = {}
    versions = sa.select(draw_file.c.draw_id, draw_file.c.version, draw_file.c.sha256)
    for id, version, sha256 in conn.execute(versions.order_by(draw_file.c.draw_id, draw_file.c.version)):
        files.setdefault(id, []).append((version, sha256))
    columns = [draw.c[name] for name in Link.__struct_fields__[:-1]]
    rows = conn.execute(sa.select(*columns).order_by(draw.c.place)).mappings()
    named = ({str(name): value for name, value in row.items()} for row in rows)
    return [Link(**row, files=tuple(files.get(row["id"], ()))) for row in named]


class CrewLink(msgspec.Struct, frozen=True):
    """A commitment of the officers' lot, with its task."""

    attempt: int
    prev: str
    commit: str
    committed_at: str
    state: str
    task_id: str


def crew_chain(conn: Connection) -> list[CrewLink]:
    """Every commitment of a match of officers, from the first."""
    columns = [crew_match.c[name] for name in CrewLink.__struct_fields__]
    return [CrewLink(*row) for row in conn.execute(sa.select(*columns).order_by(crew_match.c.place))]


def open_tasks(conn: Connection, ids: Collection[str]) -> frozenset[str]:
    """Of these tasks those whose files everybody may read (R17.1)."""
    going, found, asked = going_on(conn), set[str](), sorted(set(ids))
    for at in range(0, len(asked), _AT_ONCE):
        query = sa.select(task.c.id, task.c.disclosure, task.c.state)
        for id, disclosure, state in conn.execute(query.where(task.c.id.in_(asked[at : at + _AT_ONCE]))):
            if disclosure == "open" or state == "cancelled" or (state == "dispatched" and id not in going):
                found.add(id)
    return frozenset(found)


# --- how often units left the lot's way -------------------------------------------------------------------------------


class Tally(msgspec.Struct, frozen=True):
    """The draws of a unit: attempts, voids, what is drawn and not dispatched; rows of open lists and what left them."""

    attempts: int = 0
    voids: int = 0
    undispatched: int = 0
    rows: int = 0
    other_case: int = 0


def tallies(conn: Connection, units: Collection[str]) -> dict[str, Tally]:
    """Unit -> its draws, from an index that has all that is summed."""
    columns = (draw.c.unit_id, draw.c.state, draw.c.task_id, draw.c.rows, draw.c.other_case)
    rows = conn.execute(sa.select(*columns).where(draw.c.unit_id.in_(list(units)))).all()
    is_open = open_tasks(conn, [row.task_id for row in rows])
    found: dict[str, Tally] = {}
    for unit, state, task_id, n, other in rows:
        old, shown = found.get(unit, Tally()), task_id in is_open
        found[unit] = Tally(
            old.attempts + 1,
            old.voids + (state == "void"),
            old.undispatched + (state == "drawn"),
            old.rows + n * shown,
            old.other_case + other * shown,
        )
    return found


def replacements(conn: Connection, units: Collection[str]) -> dict[str, int]:
    """Unit -> how many drawn officers were replaced."""
    query = sa.select(crew_change.c.unit_id, sa.func.count())
    query = query.where(crew_change.c.unit_id.in_(list(units)), crew_change.c.state == "approved")
    return {unit: int(n) for unit, n in conn.execute(query.group_by(crew_change.c.unit_id))}


def ways_out(conn: Connection, units: Collection[str]) -> dict[tuple[str, str], int]:
    """Unit and kind -> how many merged pools and direct assignments were approved."""
    query = sa.select(crew_way.c.unit_id, crew_way.c.kind)
    query = query.where(crew_way.c.unit_id.in_(list(units)), crew_way.c.state == "approved")
    return dict(Counter((unit, kind) for unit, kind in conn.execute(query)))


def places(conn: Connection, units: Collection[str]) -> dict[str, int]:
    """Unit -> how many places in crews were filled by lot."""
    query = sa.select(crew_match.c.unit_id, sa.func.sum(crew_match.c.filled))
    query = query.where(crew_match.c.unit_id.in_(list(units)), crew_match.c.state.in_(("matched", "assigned")))
    return {unit: int(n or 0) for unit, n in conn.execute(query.group_by(crew_match.c.unit_id))}
