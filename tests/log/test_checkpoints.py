"""Checkpoints: signed as C2SP says, when they are due; keys that change; and nothing signed can be edited."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from server.domain.checkpoint import AT_ONCE, Key, is_due, read_key, read_note, read_signature, read_tree
from server.domain.instant import stamp
from server.errors import Problem
from server.office import log as office
from server.store import checkpoints, tables, trail
from server.store import log as log_store
from server.store.log_keys import KEY_FILE, open_signer, signers_of
from server.store.migrate import new_epoch
from server.store.session import Database
from server.words import messages
from tests.log.scene import ORIGIN, later, log_of, verified, write
from tests.scene import NOW

NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SAID = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
"""The key and the note of the documentation of golang.org/x/mod/sumdb/note."""


def keys_of(db: Database) -> list[str]:
    with db.read() as conn:
        return [one.key for one in checkpoints.keys(conn)]


def test_the_note_of_the_format_s_own_documentation_is_read_and_found_good() -> None:
    note = read_note(SAID)
    assert note.whole == SAID
    assert [key.name for key in signers_of(note, [read_key(NEUMANN)])] == ["PeterNeumann"]
    assert signers_of(read_note(SAID.replace("your problem is", "my problem is")), [read_key(NEUMANN)]) == []
    assert read_key(NEUMANN).text == NEUMANN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "a\n\n",
        "a\n\n— b",
        "a\n\n- b AAAAAAAAAAAA\n",
        "a\n\n— b AAAA\n",
        "a\n\n— b c d\n",
        "a\n\n— b AAAAAAAAAAA\n",
    ],
)
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_note(text)


@pytest.mark.parametrize(
    "text", ["", "a\n1\n", "a\n-1\nAA==\n", "a\n01\n" + "A" * 43 + "=\n", "a\n1\nAAAA\n", "\n1\nx\n"]
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_tree(text)


@pytest.mark.parametrize(
    "key", ["", "a", "a+b+c", NEUMANN[:-1], NEUMANN.replace("c74f20a3", "c74f20a4"), "+" + NEUMANN]
)
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_key(key)


def test_a_checkpoint_is_a_note_over_all_that_was_written(any_database: Database, tmp_path: Path) -> None:
    log = log_of(any_database, tmp_path)
    write(any_database, 5)
    made = log.sign(NOW)
    (key,) = keys_of(any_database)
    assert verified(made.whole, [key]) == (ORIGIN, 5, bytes.fromhex(made.root))
    assert key.startswith(f"{ORIGIN}+")
    with any_database.read() as conn:
        assert office.latest_checkpoint(conn) == made
        assert checkpoints.checkpoint_of(conn, 5) == made
        assert checkpoints.checkpoint_of(conn, 4) is None
    assert log.sign(later(1)) == made, "nothing was written since: the old one says all"
    assert made.qr == made.note
    assert made.code == f"{made.root[:4]}-{made.root[4:8]}".upper()


def test_the_empty_log_can_be_signed(database: Database, tmp_path: Path) -> None:
    made = log_of(database, tmp_path).sign(NOW)
    assert (made.size, made.root) == (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


def test_the_key_is_made_at_the_first_start_and_is_its_owner_s_alone(tmp_path: Path) -> None:
    first = open_signer(tmp_path / "keys")
    assert open_signer(tmp_path / "keys").newest == first.newest
    assert stat.S_IMODE((tmp_path / "keys" / KEY_FILE).stat().st_mode) == 0o600
    first.with_new()
    assert stat.S_IMODE((tmp_path / "keys" / KEY_FILE).stat().st_mode) == 0o600
    assert len((tmp_path / "keys" / KEY_FILE).read_text().split()) == 2


@pytest.mark.parametrize(
    ("last", "size", "hours", "due"),
    [
        (None, 0, 0, True),
        (5, 5, 100, False),
        (5, 6, 0.9, False),
        (5, 6, 1, True),
        (5, 6, 14.1, True),
    ],
)
def test_a_log_that_grows_is_signed_each_hour(last: int | None, size: int, hours: float, due: bool) -> None:
    assert is_due(None if last is None else (stamp(NOW), last), size, later(hours)) is due


def test_a_new_day_in_beijing_asks_for_a_checkpoint() -> None:
    before_midnight = stamp(later(13.8))  # 23:48
    assert not is_due((before_midnight, 5), 6, later(13.9))
    assert is_due((before_midnight, 5), 6, later(14.1))


def test_what_is_final_drawn_or_public_is_signed_at_once_and_whoever_waits_is_told_when_it_is_committed(
    any_database: Database, tmp_path: Path
) -> None:
    assert messages("zh-CN").keys() >= {f"act.{name}" for name in AT_ONCE}
    log, told = log_of(any_database, tmp_path), list[int]()
    write(any_database, 3)
    log.sign(NOW)
    any_database.tell = lambda: told.append(written(any_database))
    for at, act in enumerate(sorted(AT_ONCE)):
        write(any_database, 2)
        assert (log.sign_if_due(later(at / 100)), told) == (None, [])
        with any_database.write() as conn:
            trail.append(conn, [trail.Act(act, "li", "x:1")], NOW)
            assert told == []
        assert told == [3 * at + 6]
        told.clear()
        made = log.sign_if_due(later(at / 100))
        assert made is not None
        assert made.size == 3 * at + 6
    with pytest.raises(LookupError), any_database.write() as conn:
        trail.append(conn, [trail.Act("op.accept_final", "srv", "x:2")], NOW)
        raise LookupError
    assert (told, log.sign_if_due(later(0.1))) == ([], None)


def written(db: Database) -> int:
    with db.read() as conn:
        return log_store.written(conn)


def test_the_server_signs_when_it_is_due_and_else_not(database: Database, tmp_path: Path) -> None:
    log = log_of(database, tmp_path)
    write(database, 3)
    first = log.sign_if_due(NOW)
    assert first is not None
    write(database, 2)
    assert log.sign_if_due(later(0.5)) is None
    second = log.sign_if_due(later(2))
    assert second is not None
    assert (first.size, second.size) == (3, 5)
    assert log.sign_if_due(later(30)) is None


def test_two_processes_that_sign_at_once_make_one_checkpoint(any_database: Database, tmp_path: Path) -> None:
    write(any_database, 300)
    logs = [log_of(any_database, tmp_path) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda log: log.sign(NOW), logs))
    assert len({(one.size, one.root) for one in made}) == 1
    assert len(keys_of(any_database)) == 1


def test_a_new_key_is_vouched_for_by_the_old_one_and_leaves_an_entry(any_database: Database, tmp_path: Path) -> None:
    log = log_of(any_database, tmp_path)
    write(any_database, 3)
    before = log.sign(NOW)
    after = log.change_key(later(1), "console", "每年更换")
    first, second = keys_of(any_database)
    assert verified(before.note, [first])[1] == 3
    assert verified(after.note, [second])[1] == 4
    with any_database.read() as conn:
        note = checkpoints.keys(conn)[1].note or ""
        entry = conn.execute(sa.select(tables.trail).order_by(tables.trail.c.n.desc()).limit(1)).one()
    signed = read_note(note)
    assert signed.text == f"{ORIGIN}\nnew key\n{second}\n"
    assert {key.text for key in signers_of(signed, [read_key(first), read_key(second)])} == {first, second}
    assert (entry.act, entry.actor, entry.object) == ("log.key", "console", f"log:{ORIGIN}")
    assert second.encode() in entry.detail
    write(any_database, 1)
    assert verified(log_of(any_database, tmp_path).sign(later(2)).note, [second])[1] == 5


def test_a_server_that_runs_takes_the_key_that_another_process_changed(database: Database, tmp_path: Path) -> None:
    running = log_of(database, tmp_path)
    running.sign(NOW)
    log_of(database, tmp_path).change_key(later(1), "console", "每年更换")
    write(database, 1)
    assert verified(running.sign(later(2)).note, keys_of(database)[-1:])
    assert len(keys_of(database)) == 2


def test_where_the_key_is_lost_another_signs_and_nobody_vouches_for_it(database: Database, tmp_path: Path) -> None:
    log_of(database, tmp_path).sign(NOW)
    (tmp_path / "keys" / KEY_FILE).unlink()
    made = log_of(database, tmp_path).sign_if_due(later(1))
    assert made is None or made.size == 0, "the log didn't grow, so the old checkpoint stands"
    write(database, 2)
    assert verified(log_of(database, tmp_path).sign(later(2)).note, keys_of(database)[-1:])
    with database.read() as conn:
        assert [one.note for one in checkpoints.keys(conn)] == [None, None]
        acts = list(conn.scalars(sa.select(tables.trail.c.act).where(tables.trail.c.act == "log.key")))
    assert acts == ["log.key"]


def test_after_a_backup_was_restored_another_log_begins(database: Database, tmp_path: Path) -> None:
    write(database, 3)
    log_of(database, tmp_path).sign(NOW)
    new_epoch(database)
    write(database, 1)
    made = log_of(database, tmp_path).sign(later(1))
    assert read_tree(read_note(made.note).text).origin == f"{ORIGIN}2"


def test_nothing_that_was_signed_can_be_edited(any_database: Database, tmp_path: Path) -> None:
    write(any_database, 1)
    made = log_of(any_database, tmp_path).sign(NOW)
    key = Key("witness.example.cn", b"\x04", bytes(32))
    any_database.run_write(lambda conn: office.name_witness(conn, "console", NOW, key, "审计局"))
    line = read_signature("— witness.example.cn AAAAAAAAAAAAAAAAAAAAAAAA").line
    given = checkpoints.Cosignature(key.name, line, stamp(NOW))
    any_database.run_write(lambda conn: checkpoints.keep_cosignature(conn, made.size, given))
    for table in ("log_checkpoint", "log_cosignature", "log_key"):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET at = 'x'"):
            refuse(any_database, statement)


def refuse(db: Database, statement: str) -> None:
    with pytest.raises(Problem) as refused:
        db.run_write(lambda conn: conn.exec_driver_sql(statement))
    assert refused.value.code == "append_only", statement


FORBIDDEN = (
    "detail = NULL WHERE n = 1",
    "detail = NULL, salt = {empty} WHERE n = 2",
    "detail = NULL, salt = {empty}, actor = 'x' WHERE n = 1",
    "detail = NULL, salt = {empty}, leaf = {empty} WHERE n = 1",
    "salt = {empty} WHERE n = 1",
    "detail = NULL, after = NULL WHERE n = 1",
    "detail = NULL, salt = {empty}, after = 'x' WHERE n = 1",
)


def test_an_erasure_takes_the_detail_of_the_entry_that_it_names_and_nothing_else(any_database: Database) -> None:
    write(any_database, 2)
    entry = trail.Act("trail.erase", "steering", "entry:1", detail={"reason": "x"})
    any_database.run_write(lambda conn: trail.append(conn, [entry], NOW))
    empty = "x''" if any_database.is_sqlite else "''::bytea"
    for change in FORBIDDEN:
        refuse(any_database, "UPDATE trail SET " + change.format(empty=empty))
    with any_database.write() as conn:
        conn.exec_driver_sql(f"UPDATE trail SET detail = NULL, salt = {empty} WHERE n = 1")
