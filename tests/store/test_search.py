"""Whatever part of a subject somebody remembers, it is found, by an index, on both databases, in its own library."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from random import Random
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from pypinyin import Style
from pypinyin import pinyin as by_the_library

from server.demo import district
from server.domain.subject import Flag, Subject
from server.store import reading, search, subjects, tables
from server.store.seal import Sealer
from server.store.search import Query, find_subjects
from server.store.session import Connection, Database, open_database
from tests import databases
from tests.scene import NOW
from tests.subjects import VALID

SEALER = Sealer([bytes(32)])
EVERYBODY = district.subjects(date(2026, 11, 24))
NAMED = [
    msgspec.structs.replace(VALID, id=f"n{place}", uscc=None, registration=f"{place:015}", name=name, address=address)
    for place, (name, address) in enumerate(
        [
            ("南阳𠮷祥商贸有限公司", "河南省南阳市卧龙区石桥镇一号"),
            ("䶮记商行", "河南省南阳市卧龙区蒲山镇二号"),
            ("南阳长盛ＡＢＣ（集团）有限公司", "河南省南阳市卧龙区工业路 88 号 B座"),
            ("重庆路加油站", "河南省南阳市卧龙区重庆路3号"),
            ("女娲绿化厂", "河南省南阳市卧龙区英庄镇4号"),
        ]
    )
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """The demo's subjects in the libraries of their units, and five with strange names in a third one."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            path = tmp_path_factory.mktemp("library") / "suijian.db"
            path.write_bytes(databases.migrated_file())
            url = f"sqlite:///{path}"
        else:
            postgres = request.getfixturevalue("postgres")
            url = stack.enter_context(databases.fresh_postgres(postgres, databases.migrated_template(postgres)))
        db = open_database(url)
        fill(db)
        yield db
        db.close()


def fill(db: Database) -> None:
    with db.write() as conn:
        units = ("hazchem-section", "industry-section", "brigade", "strange", "empty")
        conn.execute(sa.insert(tables.unit), [{"id": id, "name": id, "kind": "section"} for id in units])
        district.fill(conn, SEALER, EVERYBODY, NOW)
        subjects.insert_subjects(conn, SEALER, NAMED, by="test", now=NOW, source="form")
        ids = [one.id for one in NAMED]
        subjects.add_to_library(conn, "strange", ids, by="test", now=NOW, source="form")
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("ANALYZE")


def names(db: Database, query: Query) -> set[str]:
    """The names on all pages."""
    found, after = [], query.after
    with db.read() as conn:
        while True:
            page = find_subjects(conn, msgspec.structs.replace(query, after=after), limit=40)
            found += [one.name for one in page.rows]
            if page.more is None:
                break
            after = page.more
    assert len(found) == len(set(found)), "nobody is listed twice"
    return set(found)


def plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(one for one in folded if unicodedata.category(one)[0] in "LNM")


def sounds(text: str) -> list[str]:
    """Each character's usual reading, by the library itself."""
    read = (by_the_library(one, style=Style.NORMAL, v_to_u=False, errors=lambda text: text) for one in plain(text))
    return [sound[0][0] for sound in read]


@pytest.mark.parametrize("seed", range(3))
def test_every_part_of_a_name_or_address_finds_just_those_that_have_it(library: Database, seed: int) -> None:
    rng = Random(seed)
    for _ in range(25):
        text = plain(rng.choice([rng.choice(EVERYBODY).name, rng.choice(EVERYBODY).address]))
        begin = rng.randrange(len(text) - 1)
        part = text[begin : begin + rng.choice((2, 2, 3, 5, 9))]
        expected = {one.name for one in EVERYBODY + NAMED if part in plain(one.name) or part in plain(one.address)}
        assert names(library, Query(part)) == expected, part


@pytest.mark.parametrize("seed", range(2))
def test_pinyin_and_initials_find_from_any_character_on(library: Database, seed: int) -> None:
    rng = Random(seed)
    for _ in range(12):
        one = rng.choice(EVERYBODY)
        read = sounds(one.name)
        begin = rng.randrange(len(read) - 4)
        for typed in ("".join(read[begin : begin + 3]), "".join(sound[0] for sound in read[begin : begin + 4])):
            assert one.name in names(library, Query(typed)), typed


def test_the_readings_are_those_of_the_library() -> None:
    strange = set()
    for code in range(0x4E00, 0x9FA6):
        expected = by_the_library(chr(code), style=Style.NORMAL, heteronym=True, v_to_u=False)[0]
        if list(reading.readings(chr(code))) != expected:
            strange.add(chr(code))
    assert strange == {"欸", "誒"}, "two are read ê, which nobody can type"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("𠮷祥", "南阳𠮷祥商贸有限公司"),
        ("𠮷", "南阳𠮷祥商贸有限公司"),
        ("䶮", "䶮记商行"),
        ("yjsh", "䶮记商行"),
        ("abc", "南阳长盛ＡＢＣ（集团）有限公司"),
        ("ＡＢＣ集团", "南阳长盛ＡＢＣ（集团）有限公司"),
        ("长盛abc(集团)", "南阳长盛ＡＢＣ（集团）有限公司"),
        ("changsheng", "南阳长盛ＡＢＣ（集团）有限公司"),
        ("nycs", "南阳长盛ＡＢＣ（集团）有限公司"),
        ("chongqinglu", "重庆路加油站"),
        ("zqljyz", "重庆路加油站"),
        ("nvwa", "女娲绿化厂"),
        ("nüwa", "女娲绿化厂"),
        ("工业路88号", "南阳长盛ＡＢＣ（集团）有限公司"),
        ("88号b座", "南阳长盛ＡＢＣ（集团）有限公司"),
        ("000000000000003", "重庆路加油站"),
        ("0003", "重庆路加油站"),
        ("路 重庆", "重庆路加油站"),
    ],
)
def test_rare_characters_widths_second_readings_and_ends_of_codes(library: Database, typed: str, found: str) -> None:
    assert found in names(library, Query(typed, unit_id="strange"))


def test_a_code_is_found_by_its_beginning_and_by_its_end(library: Database) -> None:
    one = EVERYBODY[17]
    for typed in (one.code, one.code[:14], one.code.lower(), one.code[-4:], one.code[-6:]):
        assert one.name in names(library, Query(typed)), typed


@pytest.mark.parametrize("typed", ["龘龘", "qqqqq", "%", "_", "'", "--", "👻", "\u202e", "#status", "~~", "9" * 300])
def test_what_nobody_has_finds_nobody(library: Database, typed: str) -> None:
    assert names(library, Query(typed)) == set()


@pytest.mark.rule("R8.3", "allows")
def test_a_library_lists_its_own_and_those_that_it_shares(library: Database) -> None:
    shared = {id for unit, id in district.memberships(EVERYBODY) if unit == "hazchem-section"}
    assert names(library, Query(unit_id="hazchem-section")) == {one.name for one in EVERYBODY if one.id in shared}
    assert names(library, Query("南阳", unit_id="strange")) == {one.name for one in NAMED}
    assert names(library, Query(unit_id="empty")) == set()


@pytest.mark.rule("R8.3")
def test_who_is_in_no_library_is_in_no_list(any_database: Database) -> None:
    library = any_database
    fill(library)
    lonely = msgspec.structs.replace(VALID, id="lonely", name="南阳孤独有限公司")
    with library.write() as conn:
        subjects.insert_subjects(conn, SEALER, [lonely], by="test", now=NOW, source="import:1")
    for query in (Query("孤独"), Query("gudu"), Query(VALID.code), Query("南阳", trait=None, risk="high")):
        assert lonely.name not in names(library, query)


@pytest.mark.parametrize(
    "query",
    [
        Query(status="cancelled"),
        Query(unit_id="hazchem-section", risk="high"),
        Query("化工", credit="B"),
        Query("加油", unit_id="hazchem-section", risk="medium"),
        Query(trait="confined_space", status="suspended"),
        Query(flag="key_list"),
        Query("有限", risk="low", credit="A"),
        Query("公司", sort="changed"),
    ],
)
@pytest.mark.parametrize("few", [3000, 5])
def test_filters_leave_just_those_that_fit(
    library: Database, monkeypatch: pytest.MonkeyPatch, query: Query, few: int
) -> None:
    monkeypatch.setattr(search, "FEW", few)  # with 5 nearly every word is one that many have
    own = {id for unit, id in district.memberships(EVERYBODY) if unit == query.unit_id}
    everybody = EVERYBODY if own else EVERYBODY + NAMED
    assert names(library, query) == {one.name for one in everybody if _fits(one, query) and (not own or one.id in own)}


def _fits(one: Subject, query: Query) -> bool:
    words = plain(query.text) in plain(one.name) or plain(query.text) in plain(one.address)
    grades = all(getattr(query, name) in (None, getattr(one, name)) for name in ("status", "risk", "credit"))
    marks = query.trait in (None, *one.traits) and query.flag in (None, *(flag.kind for flag in one.flags))
    return words and grades and marks


@pytest.mark.parametrize("few", [3000, 5])
@pytest.mark.parametrize("text", ["", "石桥", "nanyang", "有限", "张 石桥"])
def test_pages_follow_one_another_without_hole_or_repetition(
    library: Database, monkeypatch: pytest.MonkeyPatch, text: str, few: int
) -> None:
    monkeypatch.setattr(search, "FEW", few)
    with library.read() as conn:
        at_once = [one.name for one in find_subjects(conn, Query(text), limit=700).rows]
        in_pages, after = [], None
        while True:
            page = find_subjects(conn, Query(text, after=after), limit=7)
            in_pages += [one.name for one in page.rows]
            if page.more is None:
                break
            after = page.more
    assert in_pages == at_once


def test_a_changed_name_is_found_by_its_new_one_only_and_a_removed_one_not_at_all(any_database: Database) -> None:
    library = any_database
    fill(library)
    old = EVERYBODY[5]
    new = msgspec.structs.replace(
        old, name="南阳焕然一新有限公司", flags=(Flag("discredit", "失信 1 号", "2026-01-01"),)
    )
    with library.write() as conn:
        subjects.update_subjects(conn, SEALER, [new], by="test", now=NOW, source="form")
    assert names(library, Query("焕然一新")) == names(library, Query("hryx")) == {new.name}
    assert old.name not in names(library, Query(old.name))
    assert new.name in names(library, Query(flag="discredit"))
    with library.write() as conn:
        subjects.take_from_library(conn, "hazchem-section", [old.id], by="test", now=NOW, source="form")
        subjects.take_from_library(conn, "brigade", [old.id], by="test", now=NOW, source="form")
        number = conn.scalar(sa.select(tables.subject.c.no).where(tables.subject.c.id == old.id))
        subjects.remove_subjects(conn, [old.id])
        left = conn.scalar(
            sa.select(sa.func.count()).select_from(tables.subject_term).where(tables.subject_term.c.no == number)
        )
    assert left == 0


# --- the plan ---------------------------------------------------------------------------------------------------------


@contextmanager
def asked_of(conn: Connection) -> Iterator[list[tuple[str, Any]]]:
    """The statements that are sent meanwhile, with what goes into them."""
    sent: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        sent.append((statement, parameters))

    sa.event.listen(conn, "before_cursor_execute", note)
    yield sent
    sa.event.remove(conn, "before_cursor_execute", note)


def plan_of(conn: Connection, statement: str, parameters: Any) -> str:
    begin = "EXPLAIN QUERY PLAN " if conn.dialect.name == "sqlite" else "EXPLAIN "
    rows = conn.exec_driver_sql(begin + statement, parameters)
    return "\n".join(str(row[-1] if conn.dialect.name == "sqlite" else row[0]) for row in rows)


USES_INDEX = {
    "sqlite": ("SEARCH subject_term USING PRIMARY KEY (term",),
    "postgresql": ("on pk_subject_term", "using pk_subject_term"),
}
READS_ALL = {"sqlite": "SCAN subject_term", "postgresql": "Seq Scan on subject_term"}


@pytest.mark.parametrize(
    "text", ["隆升", "石桥镇", "nanyang", "lsw", "南阳隆升危险化学品", "91411303MA5J", "8M19J", "南阳 石桥"]
)
@pytest.mark.parametrize("few", [3000, 5])
def test_terms_are_read_by_their_index(library: Database, monkeypatch: pytest.MonkeyPatch, text: str, few: int) -> None:
    monkeypatch.setattr(search, "FEW", few)
    with library.read() as conn:
        with asked_of(conn) as sent:
            find_subjects(conn, Query(text, unit_id="hazchem-section"))
        plans = [plan_of(conn, *one) for one in sent if "subject_term" in one[0]]
    dialect = library.engine.dialect.name
    assert plans
    assert all(any(word in plan for word in USES_INDEX[dialect]) for plan in plans), plans
    assert not any(READS_ALL[dialect] in plan for plan in plans), plans


def test_a_page_of_everybody_is_read_along_its_index(library: Database) -> None:
    with library.read() as conn:
        if not library.is_sqlite:
            conn.exec_driver_sql(
                "SET LOCAL enable_seqscan = off"
            )  # with 600 rows reading all of them is the cheaper way
        with asked_of(conn) as sent:
            find_subjects(conn, Query())
        page = next(one for one in sent if "ORDER BY" in one[0])
        assert "ix_subject_pinyin_no" in plan_of(conn, *page)
