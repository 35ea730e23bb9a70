"""Records, memberships and history of the library of subjects, on both databases."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from server.demo import district
from server.domain.subject import Flag, Subject
from server.store import subjects, tables
from server.store.migrate import MIGRATIONS, migrate
from server.store.seal import Sealer, Unreadable
from server.store.session import Connection, Database, open_database
from server.store.terms import terms_of
from tests import databases
from tests.scene import NOW
from tests.subjects import VALID

SEALER = Sealer([bytes(32)])
OTHER = msgspec.structs.replace(VALID, id="s2", uscc=None, registration="411303000000004", phone="14000000002")


@pytest.fixture
def library(any_database: Database) -> Database:
    """Two subjects, the first in the library of unit a."""
    with any_database.write() as conn:
        conn.execute(sa.insert(tables.unit), [{"id": id, "name": id, "kind": "section"} for id in ("a", "b")])
        subjects.insert_subjects(conn, SEALER, [VALID, OTHER], by="clerk", now=NOW, source="form")
        subjects.add_to_library(conn, "a", ["s1"], by="clerk", now=NOW, source="form")
    return any_database


def kinds(conn: Connection, id: str) -> list[str]:
    return [event.kind for event in subjects.history_of(conn, id)]


@pytest.mark.rule("R8.1", "allows")
def test_a_record_is_kept_whole_and_found_by_either_code(library: Database) -> None:
    with library.read() as conn:
        assert subjects.subject_of(conn, SEALER, "s1") == VALID
        found = subjects.subjects_by_codes(conn, SEALER, [VALID.code, OTHER.code, "nobody"])
        assert found == {VALID.code: VALID, OTHER.code: OTHER}
        assert [one.id for one in subjects.subjects_in(conn, SEALER, "a")] == ["s1"]


@pytest.mark.parametrize("change", [{"uscc": VALID.uscc, "registration": None}, {"registration": OTHER.registration}])
def test_no_code_is_there_twice(library: Database, change: dict[str, str | None]) -> None:
    third = msgspec.structs.replace(VALID, **({"id": "s3", "uscc": None} | change))
    with pytest.raises(sa.exc.IntegrityError), library.write() as conn:
        subjects.insert_subjects(conn, SEALER, [third], by="clerk", now=NOW, source="form")


@pytest.mark.rule("R8.1")
def test_the_database_takes_nobody_without_a_code(library: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError), library.write() as conn:
        conn.execute(sa.update(tables.subject).where(tables.subject.c.id == "s2").values(registration=None))


def test_a_phone_is_sealed_in_its_own_row(library: Database) -> None:
    with library.write() as conn:
        kept = dict(conn.execute(sa.select(tables.subject.c.id, tables.subject.c.phone)).all())
        assert b"1400000000" not in b"".join(kept.values())
        conn.execute(sa.update(tables.subject).where(tables.subject.c.id == "s2").values(phone=kept["s1"]))
    with library.read() as conn, pytest.raises(Unreadable):
        subjects.subject_of(conn, SEALER, "s2")


@pytest.mark.rule("R8.3", "allows")
def test_a_subject_of_two_libraries_is_one_record(library: Database) -> None:
    with library.write() as conn:
        subjects.add_to_library(conn, "b", ["s1", "s2"], by="clerk2", now=NOW, source="form", reason="新增业务")
        subjects.add_to_library(conn, "b", ["s1"], by="clerk2", now=NOW, source="form")
        assert subjects.libraries_of(conn, ["s1", "s2", "s3"]) == {"s1": {"a", "b"}, "s2": {"b"}}
        assert conn.scalar(sa.select(sa.func.count()).select_from(tables.subject)) == 2
        assert kinds(conn, "s1") == ["joined", "joined", "entered"]
        subjects.take_from_library(conn, "a", ["s1", "s2"], by="clerk", now=NOW, source="form", reason="移交")
        assert subjects.libraries_of(conn, ["s1"]) == {"s1": {"b"}}
        assert (kinds(conn, "s1")[0], kinds(conn, "s2")[0]) == ("left", "joined")


def test_a_change_is_told_by_its_fields_and_counted(library: Database) -> None:
    new = msgspec.structs.replace(VALID, credit="D", phone="14000000009")
    with library.write() as conn:
        subjects.update_subjects(conn, SEALER, [new, OTHER], by="clerk", now=NOW, source="import:b1", reason="更新")
        assert subjects.subject_of(conn, SEALER, "s1") == new
        assert subjects.revs_of(conn, ["s1", "s2"]) == {"s1": 2, "s2": 1}
        event = subjects.history_of(conn, "s1")[0]
    assert (event.kind, event.source, event.reason, event.by) == ("changed", "import:b1", "更新", "clerk")
    assert event.changes == [
        {"field": "phone", "before": "140****0001", "after": "140****0009"},
        {"field": "credit", "before": "B", "after": "D"},
    ]


@pytest.mark.parametrize("statement", ["UPDATE subject_history SET by = 'x'", "DELETE FROM subject_history"])
def test_nobody_edits_the_history(library: Database, statement: str) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), library.write() as conn:
        conn.exec_driver_sql(statement.replace("by", '"by"'))


def test_what_was_done_and_undone_leaves_the_same_digest(library: Database) -> None:
    everybody = district.subjects(date(2026, 11, 24))[:40]
    with library.write() as conn:
        before = subjects.registry_digest(conn, SEALER)
        subjects.insert_subjects(conn, SEALER, everybody, by="clerk", now=NOW, source="import:b1")
        ids = [one.id for one in everybody]
        subjects.add_to_library(conn, "a", ids, by="clerk", now=NOW, source="import:b1")
        changed = msgspec.structs.replace(VALID, phone="14000000077", flags=(Flag("discredit", "1 号", "2026-01-01"),))
        subjects.update_subjects(conn, SEALER, [changed], by="clerk", now=NOW, source="import:b1")
        assert subjects.registry_digest(conn, SEALER) != before
        subjects.take_from_library(conn, "a", ids, by="clerk", now=NOW, source="undo:b1")
        subjects.remove_subjects(conn, ids)
        subjects.update_subjects(conn, SEALER, [VALID], by="clerk", now=NOW, source="undo:b1")
        assert subjects.registry_digest(conn, SEALER) == before
        numbers = set(conn.scalars(sa.select(tables.subject.c.no)))
        assert set(conn.scalars(sa.select(tables.subject_term.c.no))) == numbers


def test_the_trail_never_sees_a_phone_but_notices_another(library: Database) -> None:
    other = msgspec.structs.replace(VALID, phone="14000000003")
    assert subjects.subject_digest(SEALER, VALID) != subjects.subject_digest(SEALER, other)
    assert subjects.subject_digest(SEALER, VALID) != subjects.subject_digest(Sealer([b"1" * 32]), VALID)


def test_those_of_the_same_name_or_address_are_noticed(library: Database) -> None:
    same = [
        msgspec.structs.replace(
            VALID, id="s3", uscc=None, registration="3", name="南阳示例化工 有限公司", address="别处"
        ),
        msgspec.structs.replace(
            VALID, id="s4", uscc=None, registration="4", name="别的名称", address=VALID.address + " "
        ),
    ]
    with library.write() as conn:
        subjects.insert_subjects(conn, SEALER, same, by="clerk", now=NOW, source="form")
        subjects.add_to_library(conn, "b", ["s3", "s4"], by="clerk", now=NOW, source="form")
        found = subjects.alike(conn, VALID.name, VALID.address, "s1")
    assert [(id, which) for id, _, _, which in found] == [("s3", "name"), ("s4", "address")]


# --- a database of the first version ----------------------------------------------------------------------------------


def test_a_database_of_the_first_version_comes_through(tmp_path: Path) -> None:
    _comes_through(f"sqlite:///{tmp_path / 'old.db'}")


def test_a_database_of_the_first_version_comes_through_on_postgresql(postgres: str) -> None:
    with databases.fresh_postgres(postgres, "template1") as address:
        _comes_through(address)


def _comes_through(url: str) -> None:
    db = open_database(url)
    with db.write() as conn:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = conn
        command.upgrade(config, "0001")
        _add_as_the_first_version_did(conn, VALID)
    migrate(db)
    subjects.take_over(db, SEALER, NOW)
    subjects.take_over(db, SEALER, NOW)
    with db.write() as conn:
        assert subjects.subject_of(conn, SEALER, "s1") == VALID
        assert b"14000000001" not in conn.scalars(sa.select(tables.subject.c.phone)).one()
        assert set(conn.scalars(sa.select(tables.subject_term.c.term))) == terms_of(VALID)
        conn.execute(sa.update(tables.subject).values(uscc=None, registration="411303000000004"))
        subjects.insert_subjects(
            conn, SEALER, [msgspec.structs.replace(VALID, id="s5")], by="x", now=NOW, source="form"
        )
        assert sorted(conn.scalars(sa.select(tables.subject.c.no))) == [1, 2]
        assert conn.scalar(sa.select(tables.unit_subject.c.subject_id)) == "s1"
    db.close()


def _add_as_the_first_version_did(conn: Connection, one: Subject) -> None:
    row = msgspec.to_builtins(one)
    row.pop("registration")
    row |= {"flags": "[]", "traits": "[]"}
    names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
    conn.execute(sa.text("INSERT INTO unit (id, name, kind) VALUES ('a', 'a', 'section')"))
    conn.execute(sa.text(f"INSERT INTO subject ({names}) VALUES ({marks})"), row)
    conn.execute(sa.text("INSERT INTO unit_subject (unit_id, subject_id) VALUES ('a', 's1')"))
