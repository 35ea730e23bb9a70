"""A district with as many published results as one likes: rows past the acts, shaped as the acts leave them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa
from stdnum.cn import ric, uscc

from server.domain.officer import OfficerEntry
from server.domain.publication import Inspector, ItemResult, PublicResult
from server.domain.subject import Subject
from server.domain.text import same_name
from server.store import officers, subjects
from server.store import tables as t
from server.store.bulk import insert_rows
from server.store.deadlines import PUBLICATION_LEGAL, PUBLICATION_TARGET
from server.store.publications import pairs_of
from server.store.seal import Sealer
from server.store.session import Connection, Database

WORDS: Final = json.loads((Path(__file__).parents[2] / "server/demo/names.json").read_text("utf-8"))
COMMON: Final = [chr(code) for code in range(0x4E00, 0x9FA6) if chr(code).encode("gb2312", "ignore")][:3755]
MAINS: Final = (*["no_problem_found"] * 12, *["ordered_to_correct"] * 5, "pending_followup", "unreachable", "qualified")
OFFICERS, PER_SUBJECT, BLOCK = 200, 4, 5000
FIRST_DAY: Final = date(2017, 1, 3)
DAYS: Final = 3500
NOW: Final = datetime(2026, 11, 25, tzinfo=UTC)


class Filled(NamedTuple):
    """What was put in: how much, whose numbers nobody may read, and some of what may be asked for."""

    results: int
    phones: frozenset[str]
    numbers: frozenset[str]
    names: list[str]
    codes: list[str]


class Task(NamedTuple):
    """A task of the filled district with the day of its dispatch."""

    id: str
    no: str
    name: str
    unit: str
    item: str
    day: date


def fill(db: Database, sealer: Sealer, results: int, per_task: int = 500) -> Filled:
    """Fills a database that has the demo district, and gives the planner its statistics."""
    listed = list(_subjects(max(results // PER_SUBJECT, per_task)))
    with db.write() as conn:
        people = _officers(conn, sealer)
        _put_subjects(conn, sealer, listed)
        _checkpoints(conn)
        tasks = _tasks(conn, -(-results // per_task))
        _results(conn, tasks, listed, [Inspector(one.name, one.certificate) for one in people], results)
    settle(db)
    some = Random(7).sample(listed, 20)
    phones = {str(one.phone) for one in people} | {one.phone for one in listed}
    return Filled(
        results,
        frozenset(phones),
        frozenset(str(one.id_number) for one in people),
        [one.name for one in some],
        [one.code for one in some],
    )


def settle(db: Database) -> None:
    """Gives the planner its statistics, as the databases do by themselves in time."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("PRAGMA analysis_limit = 1000" if db.is_sqlite else "VACUUM ANALYZE")
        if db.is_sqlite:
            conn.exec_driver_sql("ANALYZE")


# --- people and subjects ----------------------------------------------------------------------------------------------


def id_number(n: int, less: int = 0) -> str:
    """An ID number of nobody: born from 1900 to 1910, a man, or with `less` 1 a woman; with its check digit."""
    born = date(1900, 1, 1) + timedelta(n * 17 % 4000)
    body = f"411303{born:%Y%m%d}{n % 500 * 2 + 1 - less:03}"
    return body + str(ric.calc_check_digit(body + "0"))


def _officers(conn: Connection, sealer: Sealer) -> list[OfficerEntry]:
    """Officers with phone and ID number, sealed as the office seals them."""
    rng, units = Random(3), _units(conn)
    made = [
        OfficerEntry(
            name=rng.choice(WORDS["surnames"]) + rng.choice(WORDS["given_two"]),
            sex="male",
            unit_id=units[n % len(units)][0],
            certificate=f"豫R77{n:06}",
            certificate_from="2017-01-01",
            certificate_to="2029-12-31",
            domains=("hazardous_chemicals",),
            phone=f"1400000{n:04}",
            id_number=id_number(n),
        )
        for n in range(OFFICERS)
    ]
    officers.insert_officers(conn, sealer, {f"of-{n:03}": one for n, one in enumerate(made)}, "clerk", NOW)
    return made


def _units(conn: Connection) -> list[tuple[str, str]]:
    return [(row.id, row.name) for row in conn.execute(sa.select(t.unit.c.id, t.unit.c.name).order_by(t.unit.c.id))]


def _subjects(many: int) -> Iterator[Subject]:
    """Subjects by the demo's words, with brands of any two common characters, so that some parts are rare."""
    rng = Random(1)
    for n in range(many):
        trade, town = rng.choice(WORDS["hazardous_chemicals"]), rng.choice(WORDS["places"])
        person = rng.choice(WORDS["surnames"]) + rng.choice(WORDS["given_two"])
        yield Subject(
            id=f"fs{n:07}",
            uscc=_code(n),
            name=f"南阳{rng.choice(COMMON)}{rng.choice(COMMON)}{trade['name']}有限公司",
            legal_representative=person,
            address=f"河南省南阳市卧龙区{town['name']}{rng.choice(town['roads'])}{rng.randint(1, 2888)}号",
            contact=person,
            phone=f"1400000{n % 10_000:04}",
            kind="company",
            industry=trade["industry"],
            region="411303",
            risk=trade["risk"],
            credit="B",
            status="active",
            lat_e7=None,
            lon_e7=None,
        )


def _code(n: int) -> str:
    """A code of its own for every place, scattered as real ones are."""
    scattered, digits = n * 7_654_321 % 31**6, ""
    for _ in range(6):
        scattered, rest = divmod(scattered, 31)
        digits += "0123456789ABCDEFGHJKLMNPQRTUWXY"[rest]
    body = f"91411303MB{digits}0"
    return body + str(uscc.calc_check_digit(body))


def _put_subjects(conn: Connection, sealer: Sealer, listed: Sequence[Subject]) -> None:
    first = int(conn.scalar(sa.select(sa.func.max(t.subject.c.no))) or 0) + 1
    for at in range(0, len(listed), BLOCK):
        part = enumerate(listed[at : at + BLOCK], first + at)
        insert_rows(conn, t.subject, subjects.WRITTEN, [subjects.row_for(sealer, one, NOW, no) for no, one in part])
    _count(conn, "subject", first + len(listed))


def _count(conn: Connection, name: str, value: int) -> None:
    conn.execute(sa.update(t.counter).where(t.counter.c.name == name).values(value=value))


# --- tasks with their draws -------------------------------------------------------------------------------------------


def _tasks(conn: Connection, many: int) -> list[Task]:
    """Tasks, each with notice, draw and match, as copies of one of the demo's that was dispatched."""
    query = sa.select(t.task).join(t.draw, t.draw.c.task_id == t.task.c.id).join(t.crew_match)
    stands = sa.and_(t.draw.c.state == "dispatched", t.crew_match.c.state == "assigned")
    model = conn.execute(query.where(stands).order_by(t.task.c.no).limit(1)).mappings().one()
    item = conn.scalar(sa.select(t.task_item.c.item_id).where(t.task_item.c.task_id == model["id"]))
    units, made = _units(conn), []
    for n in range(many):
        day = FIRST_DAY + timedelta(n * DAYS // many)
        unit = units[n % len(units)][0]
        made.append(
            Task(f"ft{n:05}", f"{day.year}-{n + 100:04}", f"{day.year}年危险化学品抽查第{n}批", unit, str(item), day)
        )
    conn.execute(sa.insert(t.task), [dict(model) | _as_task(one) for one in made])
    conn.execute(sa.insert(t.task_item), [{"task_id": one.id, "item_id": item, "place": 0} for one in made])
    _notices(conn, model["id"], made)
    _attempts(conn, t.draw, "draw_id", (t.draw_frame, t.draw_contribution, t.draw_file), model["id"], made)
    _attempts(conn, t.crew_match, "match_id", (t.crew_contribution,), model["id"], made)
    return made


def _as_task(one: Task) -> dict[str, Any]:
    day = one.day.isoformat()
    return {
        "id": one.id, "no": one.no, "name": one.name, "unit_id": one.unit, "executing_unit_id": one.unit,
        "window_from": day, "window_to": (one.day + timedelta(60)).isoformat(), "entered_at": f"{day}T01:00:00.000Z",
        "dispatched_at": f"{day}T08:00:00.000Z",
    }  # fmt: skip


def _notices(conn: Connection, of: str, made: Sequence[Task]) -> None:
    model = dict(conn.execute(sa.select(t.notice).where(t.notice.c.task_id == of).limit(1)).mappings().one())
    said = json.loads(model["body"])
    rows = []
    for one in made:
        at = f"{one.day.isoformat()}T08:00:00.000Z"
        body = json.dumps(said | {"no": one.no, "name": one.name, "published_at": at}, ensure_ascii=False).encode()
        rows.append({"no": one.no, "version": 1, "task_id": one.id, "published_at": at, "body": body,
                     "sha256": hashlib.sha256(body).hexdigest()})  # fmt: skip
    conn.execute(sa.insert(t.notice), rows)


def _attempts(
    conn: Connection, table: sa.Table, key: str, parts: Iterable[sa.Table], of: str, made: Sequence[Task]
) -> None:
    """For each task a copy of the model's attempt that stands, with all that hangs on it."""
    model = dict(
        conn.execute(sa.select(table).where(table.c.task_id == of, table.c.state != "void").limit(1)).mappings().one()
    )
    first = int(conn.scalar(sa.select(sa.func.max(table.c.place))) or 0) + 1
    rows = []
    for n, one in enumerate(made):
        own = {"id": f"{table.name[:2]}{one.id}", "task_id": one.id, "unit_id": one.unit, "place": first + n,
               "prev": _hash(table.name, "prev", n), "commit": _hash(table.name, "commit", n),
               "committed_at": f"{one.day.isoformat()}T02:00:00.000Z", "year": one.day.year, "seq": n + 100,
               "attempt": 1}  # fmt: skip
        rows.append(model | {name: value for name, value in own.items() if name in table.c})
    conn.execute(sa.insert(table), rows)
    for part in parts:
        kept = [dict(row) for row in conn.execute(sa.select(part).where(part.c[key] == model["id"])).mappings()]
        conn.execute(sa.insert(part), [old | {key: row["id"]} for row in rows for old in kept])


def _checkpoints(conn: Connection) -> None:
    """Checkpoints of the log with what three witnesses put under each."""
    at, names = "2026-11-24T02:00:00.000Z", [f"witness{n}.example.cn" for n in range(3)]
    sizes = range(1, 501)
    conn.execute(sa.insert(t.log_checkpoint), [{"size": n, "root": "0" * 64, "note": "", "at": at} for n in sizes])
    conn.execute(sa.insert(t.log_witness), [{"name": one, "key": one, "who": one, "added_at": at} for one in names])
    lines = [{"size": n, "witness": one, "line": f"{one} {n}\n", "at": at} for n in sizes for one in names]
    conn.execute(sa.insert(t.log_cosignature), lines)


def _hash(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


# --- results ----------------------------------------------------------------------------------------------------------

_VISIT: Final = (
    "id", "unit_id", "subject_id", "subject_name", "subject_uscc", "tpl", "window_from", "window_to", "nonce",
    "dispatched_at", "head", "round", "state", "standing",
)  # fmt: skip
_HEAD: Final = (
    "id", "place", "no", "visit_id", "task_id", "unit_id", "subject_id", "subject_name", "name_key", "uscc", "main",
    "visited_on", "published_on", "changed_at", "corrected_on", "version",
)  # fmt: skip
_VERSION: Final = ("publication_id", "version", "body", "sha256", "round", "correction_id", "by", "at")
_ENTRY: Final = ("n", "at", "act", "actor", "object", "after", "salt", "leaf")
_SELECTION: Final = ("task_id", "subject_id", "unit_id", "locked_on", "state")
_LEDGER: Final = ("place", "task_id", "n", "source", "subject_id", "code", "salt", "digest", "drawn_at", "entry")
_DEADLINE: Final = ("object", "kind", "start_on", "days", "due_on", "known", "versions", "set_at", "settled_on")


class _Rows(NamedTuple):
    """The rows of some results, table by table."""

    visits: list[tuple[Any, ...]]
    of_tasks: list[tuple[str, str]]
    selections: list[tuple[Any, ...]]
    ledger: list[tuple[Any, ...]]
    deadlines: list[tuple[Any, ...]]
    heads: list[tuple[Any, ...]]
    versions: list[tuple[Any, ...]]
    entries: list[tuple[Any, ...]]
    terms: list[tuple[str, int]]


def _results(
    conn: Connection, tasks: Sequence[Task], listed: Sequence[Subject], people: Sequence[Inspector], results: int
) -> None:
    """A visit, a published result and an entry of the trail for each."""
    tpl, units = conn.scalar(sa.select(t.template.c.sha256).limit(1)), dict(_units(conn))
    places = [int(conn.scalar(sa.select(sa.func.max(column))) or 0) + 1
              for column in (t.publication.c.place, t.ledger_entry.c.place, t.trail.c.n)]  # fmt: skip
    rng = Random(5)
    _begin_terms(conn)
    for begin in range(0, results, BLOCK):
        rows = _Rows([], [], [], [], [], [], [], [], [])
        for n in range(begin, min(begin + BLOCK, results)):
            k = n * len(tasks) // results
            task, number = tasks[k], n + 1 + -k * results // len(tasks)
            _one(rows, n, number, [first + n for first in places], task, units[task.unit], listed[n % len(listed)],
                 rng.sample(people, 2), rng.choice(MAINS), tpl)  # fmt: skip
        _put(conn, rows)
    _end_terms(conn)
    _count(conn, "publication", places[0] + results - 1)
    _count(conn, "ledger", places[1] + results - 1)
    _count(conn, "trail", places[2] + results - 1)


def _one(
    rows: _Rows, n: int, number: int, places: Sequence[int], task: Task, unit: str, subject: Subject,
    crew: Sequence[Inspector], main: str, tpl: str | None,
) -> None:  # fmt: skip
    place, in_ledger, entry = places
    day = (task.day + timedelta(20 + n % 30)).isoformat()
    at, no, visit, id = f"{day}T03:00:{n % 60:02}.000Z", f"{day[:4]}-{place:06}", f"fv{n:07}", f"fp{n:07}"
    result = PublicResult(
        no=no, version=1, subject=subject.name, uscc=subject.code, task_no=task.no, task=task.name,
        items=(ItemResult(task.item, "危险化学品储存", (main,)),), main=main, unit=unit, visited_on=day, due_on=day,
        published_on=day, officers=tuple(crew), corrected=None, record=_hash("record", n), prev=None,
    )  # fmt: skip
    body = msgspec.json.encode(msgspec.to_builtins(result), order="sorted")
    sha256, key = hashlib.sha256(body).hexdigest(), same_name(subject.name)
    dispatched, salt = f"{task.day.isoformat()}T08:00:00.000Z", _hash("salt", n)
    rows.visits.append((visit, task.unit, subject.id, subject.name, subject.code, tpl, task.day.isoformat(), day,
                        _hash("nonce", n)[:32], dispatched, 55, 1, "final", b"{}"))  # fmt: skip
    rows.of_tasks.append((visit, task.id))
    rows.selections.append((task.id, subject.id, task.unit, task.day.isoformat(), "counted"))
    digest = hashlib.sha256(f"{salt}|{subject.code}".encode()).hexdigest()
    rows.ledger.append((in_ledger, task.id, number, f"dr{task.id}", subject.id, subject.code, salt, digest,
                        dispatched, entry))  # fmt: skip
    rows.deadlines.append((f"visit:{visit}", PUBLICATION_TARGET, day, 20, day, 20, "{}", at, day))
    if number == 1:
        rows.deadlines.append((f"task:{task.id}", PUBLICATION_LEGAL, day, 20, day, 20, "{}", at, day))
    rows.heads.append((id, place, no, visit, task.id, task.unit, subject.id, subject.name, key, subject.code, main, day,
                       day, at, None, 1))  # fmt: skip
    rows.versions.append((id, 1, body, sha256, 1, None, "clerk", at))
    leaf = f'{{"act":"result.publish","actor":"clerk","after":"{sha256}","at":"{at}","before":null,"detail":null,'
    leaf += f'"n":{entry},"object":"publication:{id}","t":"trail/1"}}'
    rows.entries.append((entry, at, "result.publish", "clerk", f"publication:{id}", sha256, b"", leaf.encode()))
    rows.terms.extend((term, place) for term in pairs_of(key))


def _put(conn: Connection, rows: _Rows) -> None:
    insert_rows(conn, t.visit, _VISIT, rows.visits)
    insert_rows(conn, t.visit_task, ("visit_id", "task_id"), rows.of_tasks)
    insert_rows(conn, t.selection, _SELECTION, rows.selections)
    insert_rows(conn, t.ledger_entry, _LEDGER, rows.ledger)
    insert_rows(conn, t.deadline, _DEADLINE, rows.deadlines)
    insert_rows(conn, t.publication, _HEAD, rows.heads)
    insert_rows(conn, t.publication_version, _VERSION, rows.versions)
    insert_rows(conn, t.trail, _ENTRY, rows.entries)
    insert_rows(conn, GATHERED, ("term", "place"), rows.terms)


GATHERED: Final = sa.Table("gathered", sa.MetaData(), sa.Column("term", sa.Text), sa.Column("place", sa.BigInteger))
"""Pairs are gathered without an order first, and put into their index in order at the end."""


def _begin_terms(conn: Connection) -> None:
    conn.exec_driver_sql("CREATE TEMPORARY TABLE gathered (term TEXT, place BIGINT)")


def _end_terms(conn: Connection) -> None:
    conn.exec_driver_sql("INSERT INTO publication_term SELECT term, place FROM gathered ORDER BY term, place")
    conn.exec_driver_sql("DROP TABLE gathered")
