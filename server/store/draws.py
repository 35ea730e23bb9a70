"""Draws: attempts in their chain, frozen lists, contributions, and the published file in versions."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as insert_on_postgres
from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite
from sqlalchemy.engine import Connection

from server.domain.draw import ALG, ROOT
from server.domain.draw_sources import Source
from server.domain.drawing import OPEN, Contribution, Drawing, Excused, Void
from server.domain.instant import stamp
from server.domain.public_draw import OTHER_CASE
from server.store import tasks
from server.store.seal import Sealer
from server.store.tables import draw, draw_chain, draw_contribution, draw_file, draw_frame


class Draw(Drawing, frozen=True, kw_only=True):
    """One attempt as it is kept; `exempt` counts who is at the cap and stays in by a flag or a campaign (R15a.3)."""

    id: str
    place: int
    year: int
    seq: int
    task_id: str
    unit_id: str
    rows: int
    candidates: int
    exempt: int

    @property
    def drawn(self) -> int:
        """How many places there were."""
        return sum(self.quotas.values())


class Frozen(msgspec.Struct, frozen=True):
    """The list as it was committed: its text, whose lines these are, and the documents behind them.

    `documents` is code -> document of an exclusion, `kept` code -> ground and document of who is exempt from the cap.
    """

    frame: str
    subjects: tuple[str, ...]
    documents: Mapping[str, str]
    kept: Mapping[str, tuple[str, str]]


class Winner(msgspec.Struct, frozen=True):
    """Who is to be inspected; `ground` and `document` where the subject was kept in by exemption."""

    code: str
    subject_id: str
    ground: str | None = None
    document: str | None = None


class File(msgspec.Struct, frozen=True):
    """One version of the published file, without its bytes."""

    draw_id: str
    version: int
    why: str
    sha256: str
    at: str


class Link(msgspec.Struct, frozen=True):
    """One commitment in the bureau's chain."""

    no: str
    attempt: int
    prev: str
    commit: str
    committed_at: str
    state: str


# --- the chain --------------------------------------------------------------------------------------------------------


def hold_chain(conn: Connection) -> tuple[str, int]:
    """The head of the chain and its length, held until the transaction ends: commitments come one after another."""
    insert = insert_on_sqlite if conn.dialect.name == "sqlite" else insert_on_postgres
    conn.execute(insert(draw_chain).values(alg=ALG, head=ROOT, length=0).on_conflict_do_nothing())
    row = conn.execute(sa.select(draw_chain).where(draw_chain.c.alg == ALG).with_for_update()).one()
    return row.head, row.length


def chain(conn: Connection) -> list[Link]:
    """Every commitment of a draw of subjects, voids included, from the first."""
    query = sa.select(draw).order_by(draw.c.place)
    return [
        Link(no_of(row.year, row.seq), row.attempt, row.prev, row.commit, row.committed_at, row.state)
        for row in conn.execute(query)
    ]


def no_of(year: int, seq: int) -> str:
    """The number that a draw is called by."""
    return f"{year}-{seq}"


def next_seq(conn: Connection, year: int) -> int:
    """The next number of a year; ask it while the chain is held."""
    last = conn.scalar(sa.select(sa.func.max(draw.c.seq)).where(draw.c.year == year))
    return int(last or 0) + 1


# --- attempts ---------------------------------------------------------------------------------------------------------


def add(conn: Connection, one: Draw, sealed_secret: bytes, frozen: Frozen) -> None:
    """Adds a committed attempt at the end of the chain, which the caller holds."""
    other_case = frozen.frame.count(f"\t{OTHER_CASE}\n")
    conn.execute(sa.insert(draw).values(sealed_secret=sealed_secret, other_case=other_case, **_columns(one)))
    conn.execute(
        sa.insert(draw_frame).values(
            draw_id=one.id,
            frame=frozen.frame,
            subjects="\n".join(frozen.subjects),
            documents=dict(frozen.documents),
            kept={code: list(found) for code, found in frozen.kept.items()},
        )
    )
    conn.execute(sa.update(draw_chain).where(draw_chain.c.alg == ALG).values(head=one.commit, length=one.place))


def put(conn: Connection, one: Draw) -> None:
    """Writes where an attempt stands; what is committed or drawn is kept by triggers."""
    conn.execute(sa.update(draw).where(draw.c.id == one.id).values(_columns(one)))


def add_contribution(conn: Connection, draw_id: str, place: int, given: Contribution) -> None:
    """Adds what a source brought; a second one of the same source is an IntegrityError."""
    conn.execute(sa.insert(draw_contribution).values(draw_id=draw_id, place=place, **msgspec.to_builtins(given)))


def draw_of(conn: Connection, id: str, *, lock: bool = False) -> Draw | None:
    """An attempt by its id; `lock` holds its row until the transaction ends."""
    query = sa.select(draw).where(draw.c.id == id)
    return next(iter(_read(conn, query.with_for_update() if lock else query)), None)


def unit_of(conn: Connection, id: str) -> str | None:
    """The unit whose draw it is."""
    found: str | None = conn.scalar(sa.select(draw.c.unit_id).where(draw.c.id == id))
    return found


def draws(conn: Connection, unit_id: str | None) -> list[Draw]:
    """The attempts of a unit, or of all, the newest first."""
    query = sa.select(draw).order_by(draw.c.place.desc())
    return _read(conn, query if unit_id is None else query.where(draw.c.unit_id == unit_id))


def draws_of_task(conn: Connection, task_id: str) -> list[Draw]:
    """The attempts for a task, the first one first."""
    found = _read(conn, sa.select(draw).where(draw.c.task_id == task_id))
    return sorted(found, key=lambda one: one.attempt)


def standing_of_task(conn: Connection, task_id: str, *, lock: bool = False) -> Draw | None:
    """The attempt for a task that isn't void; there is one at most."""
    query = sa.select(draw).where(draw.c.task_id == task_id, draw.c.state != "void")
    return next(iter(_read(conn, query.with_for_update() if lock else query)), None)


def draws_by_no(conn: Connection, no: str) -> list[Draw]:
    """The attempts of a draw by its number, the last one first."""
    year, _, seq = no.partition("-")
    if not (year.isascii() and year.isdigit() and seq.isascii() and seq.isdigit()):
        return []
    if len(year) != 4 or len(seq) > 9:  # what its columns can be asked for
        return []
    query = sa.select(draw).where(draw.c.year == int(year), draw.c.seq == int(seq))
    return _read(conn, query.order_by(draw.c.attempt.desc()))


def draw_by_no(conn: Connection, no: str, attempt: int | None = None) -> Draw | None:
    """One attempt of a draw, or its last one."""
    return next((one for one in draws_by_no(conn, no) if attempt in (None, one.attempt)), None)


def frozen_of(conn: Connection, draw_id: str) -> Frozen:
    """The list of an attempt, as it was committed."""
    row = conn.execute(sa.select(draw_frame).where(draw_frame.c.draw_id == draw_id)).one()
    kept = {code: (ground, document) for code, (ground, document) in row.kept.items()}
    return Frozen(row.frame, tuple(row.subjects.split("\n")), row.documents, kept)


def reservations(conn: Connection, but: str) -> Counter[str]:
    """How many open draws of other tasks could still take each subject: they count for the cap (draw page, 2.1)."""
    query = sa.select(draw_frame.c.frame, draw_frame.c.subjects).join(draw)
    query = query.where(draw.c.state.in_(OPEN), draw.c.task_id != but)
    found: Counter[str] = Counter()
    for row in conn.execute(query):
        lines = zip(row.frame.split("\n"), row.subjects.split("\n"), strict=False)
        found.update(subject for line, subject in lines if "\tE\t" in line)
    return found


def winners_of(conn: Connection, draw_id: str) -> list[Winner]:
    """Who is to be inspected by a draw, in its order: without those excused, with those who moved up."""
    one = draw_of(conn, draw_id)
    if one is None or not one.winners:
        return []
    frozen = frozen_of(conn, draw_id)
    subject = _ids(frozen)
    return [Winner(code, subject[code], *frozen.kept.get(code, (None, None))) for code in one.effective]


def subject_ids(conn: Connection, draw_id: str) -> dict[str, str]:
    """Code -> id of every subject of an attempt's list."""
    return _ids(frozen_of(conn, draw_id))


def _ids(frozen: Frozen) -> dict[str, str]:
    codes = (line.partition("\t")[0] for line in frozen.frame.splitlines())
    return dict(zip(codes, frozen.subjects, strict=True))


def open_secret(conn: Connection, sealer: Sealer, draw_id: str) -> str:
    """The secret of an attempt that nobody has seen yet; only drawing or voiding it may ask."""
    sealed = conn.execute(sa.select(draw.c.sealed_secret).where(draw.c.id == draw_id)).scalar_one()
    return sealer.open("draw", "sealed_secret", draw_id, bytes(sealed))


def seal_secret(sealer: Sealer, draw_id: str, secret: str) -> bytes:
    """A secret as it is kept until the draw."""
    return sealer.seal("draw", "sealed_secret", draw_id, secret)


# --- the published file -----------------------------------------------------------------------------------------------


def keep_file(conn: Connection, draw_id: str, why: str, body: bytes, now: datetime) -> File:
    """Keeps a new version of the file: none is ever changed or taken away."""
    last = conn.scalar(sa.select(sa.func.max(draw_file.c.version)).where(draw_file.c.draw_id == draw_id))
    kept = File(draw_id, int(last or 0) + 1, why, hashlib.sha256(body).hexdigest(), stamp(now))
    conn.execute(sa.insert(draw_file).values(body=body, **msgspec.structs.asdict(kept)))
    return kept


def files_of(conn: Connection, draw_id: str) -> list[File]:
    """The versions of a file, the first one first."""
    columns = [draw_file.c[name] for name in File.__struct_fields__]
    query = sa.select(*columns).where(draw_file.c.draw_id == draw_id).order_by(draw_file.c.version)
    return [File(*row) for row in conn.execute(query)]


def body_of(conn: Connection, draw_id: str, version: int | None = None) -> bytes | None:
    """The bytes of a version, or of the newest one."""
    query = sa.select(draw_file.c.body).where(draw_file.c.draw_id == draw_id)
    if version is not None:
        query = query.where(draw_file.c.version == version)
    found = conn.scalar(query.order_by(draw_file.c.version.desc()).limit(1))
    return None if found is None else bytes(found)


def is_public(conn: Connection, one: Draw) -> bool:
    """Whether everybody may read the file: at once where the task is open, else when it has ended (R17.1)."""
    task = tasks.task_of(conn, one.task_id)
    if task is None:
        return False
    return task.disclosure == "open" or task.state == "cancelled" or tasks.has_ended(conn, task.id)


# --- rows -------------------------------------------------------------------------------------------------------------

_OUTSIDE = ("no", "contributions", "void")


def _columns(one: Draw) -> dict[str, Any]:
    """A row; the number is two columns, contributions have a table, a void has three columns."""
    plain: dict[str, Any] = {name: value for name, value in msgspec.to_builtins(one).items() if name not in _OUTSIDE}
    void = one.void
    return plain | {
        "void_reason": void and void.reason,
        "void_by": void and void.by,
        "void_at": void and void.at,
    }


def _read(conn: Connection, query: sa.Select[Any]) -> list[Draw]:
    rows = conn.execute(query).mappings().all()
    given = _contributions(conn, [row["id"] for row in rows])
    return [_draw(row, given.get(row["id"], [])) for row in rows]


def _contributions(conn: Connection, ids: list[str]) -> dict[str, list[Contribution]]:
    found: dict[str, list[Contribution]] = {}
    for at in range(0, len(ids), 500):
        query = sa.select(draw_contribution).where(draw_contribution.c.draw_id.in_(ids[at : at + 500]))
        for row in sorted(conn.execute(query).mappings(), key=lambda one: int(one["place"])):
            values = {name: row[name] for name in Contribution.__struct_fields__}
            found.setdefault(row["draw_id"], []).append(Contribution(**values))
    return found


def _draw(row: Any, given: list[Contribution]) -> Draw:
    values = {name: row[name] for name in Draw.__struct_fields__ if name not in _OUTSIDE}
    values["sources"] = msgspec.convert(row["sources"], tuple[Source, ...])
    values["excused"] = msgspec.convert(row["excused"], tuple[Excused, ...])
    void = None if row["void_at"] is None else Void(row["void_reason"], row["void_by"], row["void_at"])
    return Draw(no=no_of(row["year"], row["seq"]), contributions=tuple(given), void=void, **values)
