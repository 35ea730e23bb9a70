"""Tasks with drawn subjects on a real server, taken stage by stage to their results; and a hand that deletes them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import rfc8785
import sqlalchemy as sa

from server.domain.ledger import batch_digest
from server.domain.publication import ItemResult, PublicResult
from server.office.log import Log
from server.standalone import check_ledger
from server.standalone.check_ledger import Report
from server.store import publications, tables, trail
from server.store.publications import Published, Version
from tests.dispatching import database_of
from tests.planning import STORAGE
from tests.running import Running
from tests.tasking import Tasking

Json = dict[str, Any]
STAGES: Final = ("drawn", "dispatched", "synced", "final", "reviewed", "published")
AT: Final = "2026-12-04T02:00:00.000Z"
PHONE: Final = "0123456789abcdef"
UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
OF_LINE: Final = ("ledger_entry", "selection")
"""Tables whose rows name a line by its task and its subject."""


class Drawn:
    """A bureau whose tasks are drawn, and dispatched once that stage is asked for."""

    def __init__(self, running: Running, tasks: int, n: int) -> None:
        self.running, self.db = running, database_of(running)
        self.its = Tasking(self.db, running.data / "keys", is_peopled=True)
        self.log = Log(self.db, running.data / "keys", running.url)
        self.taken: dict[str, Json] = {}
        self.ids = [self.its.task(f"t{at}", n=n, campaign="宛安委〔2026〕9 号") for at in range(1, tasks + 1)]
        for id in self.ids:
            self.its.drawn(id)
        self.log.sign(self.its.tick())

    def close(self) -> None:
        self.db.close()

    def reach(self, stage: str) -> None:
        """Takes every line one stage on, as the acts would leave it, and signs the log."""
        if stage != "drawn":
            {"dispatched": self._dispatch, "published": self._publish}.get(stage, lambda: self._go(stage))()
        self.log.sign(self.its.tick())

    def _dispatch(self) -> None:
        for id in self.ids:
            self.its.dispatch(id)

    def visits(self) -> list[Any]:
        """Each visit with its task."""
        both = sa.select(tables.visit, tables.visit_task.c.task_id).join(tables.visit_task)
        with self.db.read() as conn:
            return list(conn.execute(both.order_by(tables.visit.c.id)))

    def _go(self, stage: str) -> None:
        visits = self.visits()
        with self.db.write() as conn:
            if stage == "synced":
                conn.execute(sa.insert(tables.op), [_op(one.id) for one in visits])
                conn.execute(sa.update(tables.visit).values(head=tables.visit.c.head + 1))
                acts = [trail.Act("op.set", "li", f"op:{one.id}:{PHONE}:1", None, "0" * 64) for one in visits]
            elif stage == "final":
                conn.execute(sa.update(tables.visit).values(state="final"))
                ended = [_deadline(f"visit:{one.id}", "publication_target") for one in visits]
                ended += [_deadline(f"task:{id}", "publication_legal") for id in self.ids]
                conn.execute(sa.insert(tables.deadline), ended)
                acts = [trail.Act("op.propose_final", "li", f"op:{one.id}:{PHONE}:2", None, "0" * 64) for one in visits]
            else:
                said = {"round": 1, "state": "approved", "by": "clerk", "at": AT}
                conn.execute(sa.insert(tables.review), [{"visit_id": one.id} | said for one in visits])
                acts = [trail.Act("approve_record", "clerk", f"visit:{one.id}") for one in visits]
            trail.append(conn, acts, self.its.tick())

    def _publish(self) -> None:
        with self.db.write() as conn:
            for one in self.visits():
                place, no = publications.next_no(conn, 2026)
                result = _result(one, no)
                head = _head(one, result, place)
                body = rfc8785.dumps(msgspec.to_builtins(result))
                sha256 = hashlib.sha256(body).hexdigest()
                publications.add(conn, head, Version(head.id, 1, body, sha256, 1, None, "clerk", AT))
                entry = trail.Act("result.publish", "clerk", f"publication:{head.id}", None, sha256)
                trail.append(conn, [entry], self.its.now)

    # --- the public, and whoever deletes --------------------------------------------------------------------------

    def take(self) -> Json:
        """What everybody can take now, over HTTP, as the checker takes it."""
        return check_ledger.take(self.running.url)

    def check(self, before: Json | None = None) -> Report:
        """What the checker says of now."""
        return check_ledger.check(self.take(), before)


def _op(visit_id: str) -> Json:
    return {
        "visit_id": visit_id, "rid": PHONE, "seq": 1, "n": 1, "kind": "set", "author": "li", "hash": "0" * 64,
        "body": b"{}", "received_at": AT, "verdict": "ok", "standing": "ok",
    }  # fmt: skip


def _deadline(about: str, kind: str) -> Json:
    return {
        "object": about, "kind": kind, "start_on": "2026-12-03", "days": 20,
        "due_on": "2026-12-31", "known": 20, "versions": {"2026": 1}, "set_at": AT,
    }  # fmt: skip


def _result(one: Any, no: str) -> PublicResult:
    return PublicResult(
        no=no, version=1, subject=one.subject_name, uscc=one.subject_uscc, task_no=f"2026-{one.task_id}",
        task="危险化学品经营单位抽查", items=(ItemResult(STORAGE, "储存", ("no_problem_found",)),),
        main="no_problem_found", unit="hazchem", visited_on="2026-12-03", due_on="2026-12-31",
        published_on="2026-12-04", officers=(), corrected=None, record="0" * 64, prev=None,
    )  # fmt: skip


def _head(one: Any, result: PublicResult, place: int) -> Published:
    id = f"{one.id[:-12]}{place:012x}"
    return Published(
        id=id, place=place, no=result.no, visit_id=one.id, task_id=one.task_id, unit_id=one.unit_id,
        subject_id=one.subject_id, subject_name=result.subject, name_key=result.subject, uscc=result.uscc,
        main=result.main, visited_on=result.visited_on, published_on=result.published_on, changed_at=AT,
        corrected_on=None, version=1,
    )  # fmt: skip


# --- the hand ---------------------------------------------------------------------------------------------------------


class Hand:
    """A superuser without triggers and foreign keys, who knows every row in which a record has left a trace."""

    def __init__(self, scene: Drawn) -> None:
        url = scene.db.engine.url
        self.is_sqlite = scene.db.is_sqlite
        self.engine = sa.create_engine(url)
        self.of = self._traces()
        if self.is_sqlite:
            with self.engine.begin() as conn:
                for name in list(conn.scalars(sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'"))):
                    conn.exec_driver_sql(f"DROP TRIGGER {name}")

    def close(self) -> None:
        self.engine.dispose()

    @property
    def digests(self) -> list[str]:
        """Every record, by the digest of its line."""
        return list(self.of)

    def _traces(self) -> dict[str, list[tuple[sa.Table, Json]]]:
        """Digest -> table and row: by the ids of its visit and its result, or by task and subject."""
        with self.engine.begin() as conn:
            rows = {
                table: [dict(row) for row in conn.execute(sa.select(table)).mappings()]
                for table in tables.metadata.sorted_tables
            }
        lines = {(row["task_id"], row["subject_id"]): row["digest"] for row in rows[tables.ledger_entry]}
        tasks = {row["visit_id"]: row["task_id"] for row in rows[tables.visit_task]}
        visits = [row for row in rows[tables.visit] if row["id"] in tasks]
        ids = {row["id"]: lines[tasks[row["id"]], row["subject_id"]] for row in visits}
        ids |= {row["id"]: lines[row["task_id"], row["subject_id"]] for row in rows[tables.publication]}
        places = {row["place"]: ids[row["id"]] for row in rows[tables.publication]}
        found: dict[str, list[tuple[sa.Table, Json]]] = {digest: [] for digest in lines.values()}
        for table, its in rows.items():
            for row in its:
                for digest in self._about(table, row, lines, ids, places):
                    found[digest].append((table, row))
        return found

    @staticmethod
    def _about(
        table: sa.Table, row: Json, lines: dict[tuple[str, str], str], ids: dict[str, str], places: dict[int, str]
    ) -> set[str]:
        if table.name in OF_LINE:
            its = (row["task_id"], row["subject_id"])
            return {lines[its]} if its in lines else set()
        if table is tables.publication_term:
            return {places[row["place"]]}
        texts = [value for value in row.values() if isinstance(value, str)]
        return {ids[id] for text in texts for id in UUID.findall(text) if id in ids}

    @contextmanager
    def deleted(self, digests: Sequence[str], *, puts_back: bool = True) -> Iterator[int]:
        """The database without any row of these records; how many rows that are."""
        rows = [trace for digest in digests for trace in self.of[digest]]
        by_table: dict[sa.Table, list[Json]] = {}
        for table, row in rows:
            by_table.setdefault(table, []).append(row)
        with self.unguarded() as conn:
            for table, its in by_table.items():
                keys = list(table.primary_key)
                where = sa.and_(*(column == sa.bindparam(f"k_{column.name}") for column in keys))
                conn.execute(sa.delete(table).where(where), [{f"k_{c.name}": row[c.name] for c in keys} for row in its])
        yield len(rows)
        if puts_back:
            with self.unguarded() as conn:
                for table, its in by_table.items():
                    conn.execute(sa.insert(table), its)

    @contextmanager
    def unguarded(self) -> Iterator[sa.Connection]:
        with self.engine.begin() as conn:
            if not self.is_sqlite:
                conn.exec_driver_sql("SET LOCAL session_replication_role = replica")
            yield conn


def forged(scene: Drawn, hand: Hand, digest: str) -> None:
    """Closes every gap that a deleted record left: numbers, draw, notice, trail, tree; and signs it by the real key."""
    entry, draw, notice = tables.ledger_entry, tables.draw, tables.notice
    (code,) = (row["code"] for table, row in hand.of[digest] if table is entry)
    with hand.unguarded() as conn:
        lines = [dict(row) for row in conn.execute(sa.select(entry).order_by(entry.c.place)).mappings()]
        conn.execute(sa.delete(entry))
        lines = [line | {"place": at, "n": at} for at, line in enumerate(lines, 1)]
        drawn = conn.execute(sa.select(draw)).mappings().one()
        winners = {name: [one for one in codes if one != code] for name, codes in drawn["winners"].items()}
        fewer = {name: len(codes) for name, codes in winners.items()}
        conn.execute(sa.update(draw).values(winners=winners, quotas=fewer))
        said = json.loads(conn.scalar(sa.select(notice.c.body)) or b"")
        conn.execute(sa.update(notice).values(body=rfc8785.dumps(said | {"n": len(lines)})))
        told = batch_digest((line["place"], line["n"], line["digest"]) for line in lines)
        numbers = _renumbered(conn, f"ledger:{said['no']}:1-{len(lines)}:{told}")
        conn.execute(sa.insert(entry), [line | {"entry": numbers[line["entry"]]} for line in lines])
        for name, value in (("ledger", len(lines)), ("trail", len(numbers)), ("log", 0)):
            conn.execute(sa.update(tables.counter).where(tables.counter.c.name == name).values(value=value))
        for table in (tables.log_tile, tables.log_cosignature, tables.log_checkpoint):
            conn.execute(sa.delete(table))
    scene.log.sign(scene.its.tick())


def _renumbered(conn: sa.Connection, entered: str) -> dict[int, int]:
    """The trail without a hole, each leaf written anew; its old numbers by the new ones."""
    table, numbers = tables.trail, dict[int, int]()
    rows = [dict(row) for row in conn.execute(sa.select(table).order_by(table.c.n)).mappings()]
    conn.execute(sa.delete(tables.trail_number))
    conn.execute(sa.delete(table))
    for n, row in enumerate(rows, 1):
        numbers[row["n"]] = n
        leaf = json.loads(row["leaf"]) | {"n": n}
        if row["act"] == "ledger.enter":
            leaf["object"] = row["object"] = entered
        row |= {"n": n, "leaf": rfc8785.dumps(leaf)}
    conn.execute(sa.insert(table), rows)
    return numbers
