"""Whatever byte of trail or journal somebody rewrites past the triggers, the verifier names its row."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
import rfc8785
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from server.domain.checkpoint import Tree
from server.standalone.verify_trail import Report, canonical, without_signature
from server.store import checkpoints, log, tables
from server.store.log_keys import open_signer
from server.sync import ops
from tests.conftest import _bureau
from tests.log.rewriting import Bureau, altered, build, cells, rewritten, without_triggers
from tests.running import ROOT

REWRITTEN = 400
MORE = [("op", "body")] * 8 + [("trail", "leaf"), ("trail", "detail")] * 3
"""Where there is most to rewrite."""
FILE = ROOT / "server" / "standalone" / "verify_trail.py"
IS_OP = tables.trail.c.act.like("op.%")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def bureau(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_url_of_module")
    running = _bureau(tmp_path_factory.mktemp("verify") / "data", url, {}).start()
    found = build(running)
    without_triggers(found.db)
    yield found
    found.db.close()
    running.kill()


def test_what_nobody_touched_agrees_and_what_was_erased_is_named_as_erased(bureau: Bureau) -> None:
    report = bureau.verify()
    assert report.faults == {}
    assert [note for note in report.notes if "erased by entry" in note and "本人申请更正" in note]
    with bureau.db.read() as conn:
        journal = sa.select(tables.op.c.verdict, sa.func.count()).group_by(tables.op.c.verdict)
        verdicts = dict(map(tuple, conn.execute(journal)))
        assert verdicts.keys() >= {"ok", "quarantined", "held", "dead"}
        assert conn.scalar(sa.select(sa.func.count()).select_from(tables.apart)) == 2
        assert conn.scalar(sa.select(sa.func.count()).where(tables.op.c.carrier.is_not(None))) == 1
        told = [json.loads(one)["verdict"] for one in conn.scalars(sa.select(tables.trail.c.detail).where(IS_OP))]
    assert set(told) >= {"ok", "quarantined", "held", "dead"}
    assert report.counts["operations"] == sum(verdicts.values())
    assert (report.counts["checkpoints"], report.counts["bodies apart"]) >= (2, 2)


def test_each_of_400_rewritten_bytes_is_named(bureau: Bureau) -> None:
    random, hit, by_column = Random(400), 0, Counter[str]()
    every = cells(bureau.db)
    columns = sorted({(cell.table, cell.column) for cell in every}) + MORE
    while hit < REWRITTEN:
        column = columns[hit % len(columns)]
        cell = random.choice([cell for cell in every if (cell.table, cell.column) == column])
        with rewritten(bureau.db, [(cell, altered(cell.value, random))]) as done:
            if not done:
                continue
            report = bureau.verify()
            said = [row for row, why in report.faults.items() if cell.name == row or cell.name[3:] in " ".join(why)]
            assert said, (cell, report.faults)
        hit += 1
        by_column[f"{cell.table}.{cell.column}"] += 1
    assert bureau.verify().faults == {}
    print(f"{hit} rewritten bytes, each alone: {dict(by_column)}")
    assert min(by_column.values()) >= 10


# --- more than a byte -------------------------------------------------------------------------------------------------

TABLES = ("trail", "op", "apart", "replica", "log_witness", "log_checkpoint", "log_cosignature", "log_key", "log_tile")


@contextmanager
def changed(bureau: Bureau, change: Callable[[sa.Connection], None]) -> Iterator[Report]:
    """What the verifier finds after a change; then all is as it was."""
    every = [tables.metadata.tables[name] for name in TABLES]
    with bureau.db.read() as conn:
        rows = [[dict(row) for row in conn.execute(sa.select(one)).mappings()] for one in every]
    with bureau.db.write() as conn:
        change(conn)
    yield bureau.verify()
    with bureau.db.write() as conn:
        for one in reversed(every):
            conn.execute(sa.delete(one))
        for one, found in zip(every, rows, strict=True):
            if found:
                conn.execute(sa.insert(one), found)


def statement(text: str) -> Callable[[sa.Connection], None]:
    def change(conn: sa.Connection) -> None:
        conn.exec_driver_sql(text)

    return change


def an_op(bureau: Bureau, kind: str = "set") -> Any:
    with bureau.db.read() as conn:
        query = sa.select(tables.op).where(tables.op.c.kind == kind, tables.op.c.verdict == "ok")
        return conn.execute(query.order_by(tables.op.c.n).limit(1)).one()


def test_a_row_that_was_taken_away_is_named(bureau: Bureau) -> None:
    with changed(bureau, statement("DELETE FROM trail WHERE n = 9")) as report:
        assert report.faults["trail 9"] == ["it is missing"]
    op = an_op(bureau)
    gone = f"DELETE FROM op WHERE visit_id = '{op.visit_id}' AND rid = '{op.rid}' AND seq = {op.seq}"
    with changed(bureau, statement(gone)) as report:
        assert f"the op {op.visit_id} {op.rid}:{op.seq} that it took is gone or altered" in str(report.faults)
        assert f"no op has the number {op.n}" in str(report.faults[f"visit {op.visit_id}"])
    with changed(bureau, statement("DELETE FROM trail WHERE n > 40")) as report:
        assert report.faults["counter trail"]
        assert [row for row in report.faults if row.startswith("log_checkpoint")]


def test_an_op_that_the_server_slipped_in_has_no_entry_and_no_signature(bureau: Bureau) -> None:
    op = an_op(bureau)

    def slip(conn: sa.Connection) -> None:
        body = msgspec.json.decode(op.body) | {"val": "换了", "seq": 999}
        forged = ops.canonical(body)
        values = op._asdict() | {"seq": 999, "n": 999, "body": forged}
        values["hash"] = hashlib.sha256(without_signature(forged)[0]).hexdigest()
        conn.execute(sa.insert(tables.op).values(values))

    with changed(bureau, slip) as report:
        why = "; ".join(report.faults[f"op {op.visit_id} {op.rid}:999"])
    assert "no entry of the trail took an op of this hash" in why
    assert "its device's signature isn't good" in why


def test_a_verdict_that_was_changed_with_all_that_hangs_on_it_is_named_by_the_entry_that_took_the_op(
    bureau: Bureau,
) -> None:
    op = an_op(bureau)
    change = (
        "UPDATE op SET verdict = 'quarantined', reason = 'not_leader', standing = 'quarantined',"
        f" standing_reason = 'not_leader' WHERE visit_id = '{op.visit_id}' AND rid = '{op.rid}' AND seq = {op.seq}"
    )
    with changed(bureau, statement(change)) as report:
        (why,) = report.faults[f"op {op.visit_id} {op.rid}:{op.seq}"]
    assert why.startswith("verdict or reason not as entry")


def test_what_was_erased_can_be_put_back_by_nobody(bureau: Bureau) -> None:
    with bureau.db.read() as conn:
        gone = conn.scalar(sa.select(tables.trail.c.object).where(tables.trail.c.act == "trail.erase")) or ""
    n = gone.removeprefix("entry:")
    for column, value in (("detail", "'{}'"), ("after", "'x'"), ("salt", "'x'")):
        with changed(bureau, statement(f"UPDATE trail SET {column} = {value} WHERE n = {n}")) as report:
            assert f"trail {n}" in report.faults, column


def forge(conn: sa.Connection, n: int) -> None:
    """An entry whose columns and leaf agree, and say something else."""
    row = conn.execute(sa.select(tables.trail).where(tables.trail.c.n == n)).one()
    leaf = rfc8785.dumps(json.loads(row.leaf) | {"actor": "wang"})
    conn.execute(sa.update(tables.trail).where(tables.trail.c.n == n).values(actor="wang", leaf=leaf))


def rehash(conn: sa.Connection) -> None:
    """The tree anew, over what the entries say now."""
    conn.execute(sa.delete(tables.log_tile))
    conn.execute(sa.update(tables.counter).where(tables.counter.c.name == "log").values(value=0))
    while not log.build(conn):
        pass


def test_an_entry_that_was_forged_whole_is_named_by_the_tree(bureau: Bureau) -> None:
    with changed(bureau, lambda conn: forge(conn, 12)) as report:
        assert report.faults == {"trail 12": ["its hash is not the one in the tree"]}


def test_a_tree_that_was_hashed_again_is_named_by_its_checkpoints(bureau: Bureau) -> None:
    def hash_again(conn: sa.Connection) -> None:
        forge(conn, 12)
        rehash(conn)

    with changed(bureau, hash_again) as report:
        assert {row.partition(" ")[0] for row in report.faults} == {"log_checkpoint"}
        assert "neither the entries nor the kept tree" in str(report.faults)


def test_a_log_that_was_signed_again_is_told_by_the_checkpoint_that_somebody_took_home(
    bureau: Bureau, tmp_path: Path
) -> None:
    with bureau.db.read() as conn:
        newest = checkpoints.latest_checkpoint(conn)
    assert newest is not None
    taken = tmp_path / "taken-home.txt"
    taken.write_text(newest.whole)
    assert bureau.verify(taken).faults == {}

    def sign_again(conn: sa.Connection) -> None:
        forge(conn, 12)
        rehash(conn)
        signer, key = open_signer(bureau.keys), checkpoints.keys(conn)[-1].public
        sizes = list(conn.scalars(sa.select(tables.log_checkpoint.c.size)))
        conn.execute(sa.delete(tables.log_checkpoint))
        for size in sizes:
            tree = Tree(key.name, size, log.root(conn, size))
            note = tree.text + "\n" + signer.sign(key, tree.text).line
            checkpoints.keep(conn, checkpoints.Checkpoint(size, tree.root.hex(), note, "2026-11-24T02:00:00.000Z"))

    with changed(bureau, sign_again) as report:
        assert report.faults == {}, "who holds the keys can make the database agree with itself"
        told = bureau.verify(taken).faults
    assert told == {str(taken): ["neither the entries nor the kept tree make the root that was signed"]}


@pytest.mark.parametrize(
    ("change", "row"),
    [
        ("UPDATE log_checkpoint SET note = replace(note, 'log', 'lag')", "log_checkpoint"),
        ("UPDATE log_checkpoint SET root = '{zeros}'", "log_checkpoint"),
        ("UPDATE log_key SET note = replace(note, 'new', 'old') WHERE place = 2", "log_key 2"),
        ("UPDATE log_key SET origin = 'x'", "log_key 1"),
        ("DELETE FROM log_tile", "log_tile 0/0"),
        ("INSERT INTO log_tile (level, place, hashes) SELECT 3, 0, hashes FROM log_tile", "log_tile 3/0"),
        ("UPDATE trail SET detail = NULL WHERE detail IS NOT NULL AND n = (SELECT max(n) - 1 FROM trail)", "trail"),
        ("DELETE FROM trail_number", "trail"),
        ("UPDATE replica SET acked = acked - 1 WHERE rid = (SELECT max(rid) FROM replica)", "replica"),
        ("UPDATE apart SET kind = 'x'", "apart"),
    ],
)
def test_what_belongs_to_the_log_is_compared_too(bureau: Bureau, change: str, row: str) -> None:
    with bureau.db.read() as conn:
        numbers = [dict(one) for one in conn.execute(sa.select(tables.trail_number)).mappings()]
    with changed(bureau, statement(change.format(zeros="0" * 64))) as report:
        assert [name for name in report.faults if name.startswith(row)], report.faults
    with bureau.db.write() as conn:
        conn.execute(sa.delete(tables.trail_number))
        conn.execute(sa.insert(tables.trail_number), numbers)
    assert bureau.verify().faults == {}


def test_a_phone_s_key_that_was_changed_for_another_is_named(bureau: Bureau) -> None:
    with bureau.db.read() as conn:
        first, second = conn.execute(sa.select(tables.device.c.rid, tables.device.c.public_key).limit(2)).all()
    of_first = sa.update(tables.device).where(tables.device.c.rid == first.rid)
    with bureau.db.write() as conn:
        conn.execute(of_first.values(public_key=second.public_key))
    faults = bureau.verify().faults
    with bureau.db.write() as conn:
        conn.execute(of_first.values(public_key=first.public_key))
    assert faults[f"device {first.rid}"] == ["its key is not the one that was enrolled"]


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_file_alone_says_it_and_ends_with_0_1_or_2(bureau: Bureau, tmp_path: Path) -> None:
    shutil.copy(FILE, tmp_path)
    where = ["--postgres", bureau.url] if "postgres" in bureau.url else [bureau.url.removeprefix("sqlite:///")]

    def alone(*given: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "verify_trail.py", *given]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    good = alone(*where, "--keys", str(bureau.keys))
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.endswith("all agrees\n")
    cell = next(cell for cell in cells(bureau.db) if cell.name == "trail 9" and cell.column == "actor")
    with rewritten(bureau.db, [(cell, "nobody")]):
        found = alone(*where)
    assert found.returncode == 1
    assert "trail 9: actor not as hashed" in found.stdout.splitlines()
    assert "1 rows do not agree" in found.stdout
    for wrong in (["nowhere.db"], ["--postgres", "postgresql://nobody@127.0.0.1:1/x"], [], [str(FILE)]):
        ended = alone(*wrong)
        assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (2, "", 1), wrong


def test_the_server_s_command_knows_where_its_database_is(bureau: Bureau) -> None:
    environment = {"PATH": "/usr/bin", "SUIJIAN_DATA": str(bureau.keys.parent), "SUIJIAN_DATABASE_URL": bureau.url}
    command = [sys.executable, "-m", "server", "verify-trail"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "all agrees" in done.stdout


@given(
    st.dictionaries(
        st.text(max_size=5) | st.sampled_from(["sig", "sig2", "a", "z"]),
        st.recursive(st.text() | st.integers(-(2**53) + 1, 2**53 - 1) | st.none(), st.lists, max_leaves=5),
        max_size=6,
    )
)
def test_the_signature_is_cut_out_of_any_canonical_object(op: dict[str, Any]) -> None:
    told = {name: value for name, value in op.items() if name != "sig"}
    signed, sig = without_signature(rfc8785.dumps(op))
    assert signed == rfc8785.dumps(told)
    assert sig == (op["sig"] if isinstance(op.get("sig"), str) else "")
    assert canonical(told) == rfc8785.dumps(told) or any(ord(sign) > 0xFFFF for name in told for sign in name)
