"""The trail is found by act, person, object, period and document, newest first, by an index; each entry is checked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import sqlalchemy as sa

from server.office.trail_search import all_acts, people_meant, search_of
from server.store import trail
from server.store.accounts import Account
from server.store.session import Connection, Database
from server.store.trail_search import Search, agreement, entry, find, queries
from server.sync.shapes import PHONE_KINDS, SERVER_KINDS
from server.words import LANGUAGES, messages

BEGIN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


def filled(db: Database) -> None:
    """Forty entries, one a minute: two people, four acts, five objects; every tenth names a document."""

    def work(conn: Connection) -> None:
        for n in range(40):
            detail = {"document": f"宛龙应急〔2026〕{n // 10}号"} if n % 10 == 0 else {"reason": "x"}
            act = trail.Act(f"subject.{'abcd'[n % 4]}", "li" if n % 2 else "wang", f"subject:{n % 5}", detail=detail)
            trail.append(conn, [act], BEGIN + timedelta(minutes=n))

    db.run_write(work)


def found(db: Database, limit: int = 100, **asked: object) -> list[int]:
    with db.read() as conn:
        return [one.n for one in find(conn, msgspec.convert(asked, Search), limit)]


def test_the_newest_come_first_and_pages_go_on_without_a_gap(any_database: Database) -> None:
    filled(any_database)
    pages, after = [], ""
    while True:
        with any_database.read() as conn:
            page = find(conn, Search(after=after), 7)
        if not page:
            break
        pages += [one.n for one in page]
        after = page[-1].key
    assert pages == list(range(40, 0, -1))


def test_each_way_of_searching_narrows(any_database: Database) -> None:
    filled(any_database)
    assert found(any_database, act="subject.a") == [37, 33, 29, 25, 21, 17, 13, 9, 5, 1]
    assert found(any_database, actors=("li",), limit=3) == [40, 38, 36]
    assert found(any_database, actors=("li", "wang"), limit=3) == [40, 39, 38]
    assert found(any_database, object="subject:2", limit=3) == [38, 33, 28]
    assert found(any_database, number="宛龙应急〔2026〕2号") == [21]
    assert found(any_database, since="2026-03-02T01:10:00.000Z", until="2026-03-02T01:13:00.000Z") == [13, 12, 11]
    assert found(any_database, act="subject.a", actors=("wang",), object="subject:0") == [21, 1]


def test_a_visit_is_found_with_the_operations_in_it(any_database: Database) -> None:
    def work(conn: Connection) -> None:
        for n, of in enumerate(("visit:v1", "op:v1:r:1", "op:v10:r:1", "op:v1:r:2", "visit:v2")):
            trail.append(conn, [trail.Act("op.set", "li", of)], BEGIN + timedelta(minutes=n))

    any_database.run_write(work)
    assert found(any_database, object="visit:v1") == [4, 2, 1]


SEARCHES = {
    "all": Search(),
    "act": Search(act="subject.a"),
    "person": Search(actors=("li",)),
    "object": Search(object="subject:2"),
    "period": Search(since="2026-03-02T01:10:00.000Z", until="2026-03-02T01:13:00.000Z"),
    "number": Search(number="宛龙应急〔2026〕2号"),
    "a later page": Search(actors=("li",), after="2026-03-02T01:10:00.000Z_11"),
}


@pytest.mark.parametrize("asked", SEARCHES.values(), ids=SEARCHES.keys())
def test_a_search_goes_by_an_index_and_sorts_nothing(any_database: Database, asked: Search) -> None:
    """On PostgreSQL the planner looks at how much there is, so that there is something to look at."""
    if not any_database.is_sqlite:
        with any_database.write() as conn:
            conn.exec_driver_sql(
                "INSERT INTO trail (n, at, act, actor, object, salt, leaf) SELECT n, to_char(timestamp '2026-03-02' + "
                "n * interval '1 second', 'YYYY-MM-DD\"T\"HH24:MI:SS.000\"Z\"'), 'subject.' || chr(97 + mod(n, 20)), "
                "'p' || mod(n, 50), 'subject:' || mod(n, 9), '', '' FROM generate_series(1, 20000) AS n"
            )
            conn.exec_driver_sql("INSERT INTO trail_number SELECT 'x' || n, at, n FROM trail")
            conn.exec_driver_sql("ANALYZE trail, trail_number")
    with any_database.read() as conn:
        plans = [plan_of(conn, query.limit(50), any_database.is_sqlite) for query in queries(asked)]
    for plan in plans:
        assert "index" in plan.lower(), plan
        assert not any(word in plan for word in ("TEMP B-TREE", "SCAN trail\n", "Seq Scan", "Sort")), plan


def plan_of(conn: Connection, query: sa.Select[tuple[object, ...]], is_sqlite: bool) -> str:
    text = str(query.compile(conn.engine, compile_kwargs={"literal_binds": True})).replace("%%", "%")
    rows = conn.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' if is_sqlite else ''}{text}").all()
    return "\n".join(str(row[-1]) for row in rows) + "\n"


def test_a_leaf_agrees_with_what_its_columns_say_until_somebody_meddles(any_database: Database) -> None:
    filled(any_database)
    with any_database.read() as conn:
        one = entry(conn, 7)
    assert one is not None
    assert agreement(one) == "agrees"
    assert agreement(msgspec.structs.replace(one, actor="li")) == "differs"
    assert agreement(msgspec.structs.replace(one, detail=b'{"reason":"y"}')) == "differs"
    assert agreement(msgspec.structs.replace(one, after="0" * 64)) == "differs"
    assert agreement(msgspec.structs.replace(one, detail=None)) == "differs"
    assert agreement(msgspec.structs.replace(one, detail=None, salt=b"")) == "erased"
    assert agreement(msgspec.structs.replace(one, detail=None, salt=b"", actor="li")) == "differs"


def test_a_document_number_can_be_neither_edited_nor_deleted(any_database: Database) -> None:
    filled(any_database)
    for statement in ("UPDATE trail_number SET number = 'x'", "DELETE FROM trail_number"):
        with pytest.raises(sa.exc.DBAPIError, match="append-only"), any_database.write() as conn:
            conn.exec_driver_sql(statement)
    assert found(any_database, number="宛龙应急〔2026〕3号") == [31]


def test_every_act_has_a_name_in_both_languages() -> None:
    from server.routes import all_handlers

    all_handlers()  # every room is imported, so every act is known
    kinds = {f"op.{kind}" for kind in PHONE_KINDS | SERVER_KINDS}
    assert kinds <= set(all_acts())
    for language in LANGUAGES:
        assert not [act for act in all_acts() if f"act.{act}" not in messages(language)]


def account(id_: str, name: str) -> Account:
    return Account(id_, id_, name, None, (), None, None, False, None)


def test_a_name_means_its_bearer_else_all_whose_names_hold_it() -> None:
    everybody = [account("li", "李承远"), account("li2", "李承远之"), account("wang", "王楠")]
    assert people_meant("李承远", everybody) == ("li",)
    assert people_meant("李", everybody) == ("li", "li2")
    assert people_meant("wang", everybody) == ("wang",)
    assert people_meant("console", everybody) == ("console",)
    assert people_meant("", everybody) == ()


def test_days_are_those_of_beijing_and_both_are_meant() -> None:
    asked = search_of({"since": "2026-03-02", "until": "2026-03-02"}, [])
    assert (asked.since, asked.until) == ("2026-03-01T16:00:00.000Z", "2026-03-02T16:00:00.000Z")
    assert search_of({"since": "2026-02-30"}, []).since == ""
