"""A year of the calendar is imported, and every deadline that waited for it becomes definite (R26.1)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime
from threading import Barrier

import httpx
import pytest
import sqlalchemy as sa

from server.demo import load
from server.domain.calendar import Due
from server.domain.faults import Invalid
from server.errors import Problem
from server.office.calendars import import_year
from server.settings import Settings
from server.store import tables
from server.store.calendars import calendar, versions_of
from server.store.deadlines import Change, changes_by, deadlines_of, provisional, set_deadline
from server.store.session import Connection, Database, open_database
from server.words import Words
from tests import databases
from tests.office.district import HTML, Office
from tests.rules.people import ADMIN
from tests.running import Running
from tests.scene import NOW, populate

KIND = "publication_target"
SOURCE = {"source": "国务院办公厅关于 2027 年部分节假日安排的通知", "number": "国办发明电〔2026〕99 号"}
YEAR_2027 = SOURCE | {
    "year": "2027",
    "state": "released",
    "off": "2027-01-01 至 2027-01-03\n2027年2月5日至2027年2月11日\n2027/4/5",
    "makeup": "2027-02-20",
}
"""A calendar that nobody has released: the first of January is off, so the day after 2026-12-31 is 2027-01-04."""


@pytest.fixture
def house(any_database: Database) -> Database:
    populate(any_database)
    return any_database


def due(conn: Connection, object: str, start: str, days: int = 20) -> Due:
    return set_deadline(conn, object, KIND, date.fromisoformat(start), days, NOW).due


def brought(conn: Connection, **changes: str) -> list[Change]:
    year = import_year(conn, ADMIN, NOW, YEAR_2027 | changes)
    return changes_by(conn, year.year, year.version)


# --- what waited becomes definite -------------------------------------------------------------------------------------


@pytest.mark.rule("R26.1", "allows")
def test_after_the_years_import_what_waited_is_definite_and_the_change_is_listed(house: Database) -> None:
    with house.write() as conn:
        assert due(conn, "visit:a", "2026-12-03") == Due(date(2026, 12, 31), 20, None)
        assert due(conn, "visit:b", "2026-12-04") == Due(None, 19, 2027)
        assert due(conn, "visit:c", "2026-12-10") == Due(None, 15, 2027)
    with house.write() as conn:
        changes = brought(conn)
    assert [(one.object, one.before, one.after) for one in changes] == [
        ("visit:b", Due(None, 19, 2027), Due(date(2027, 1, 4), 20, None)),
        ("visit:c", Due(None, 15, 2027), Due(date(2027, 1, 8), 20, None)),
    ]
    with house.read() as conn:
        assert provisional(conn) == []
        kept = deadlines_of(conn, ["visit:a", "visit:b"], KIND)
    assert (kept["visit:a"].versions, kept["visit:b"].versions) == ({"2026": 1}, {"2026": 1, "2027": 1})


def test_the_trail_lists_every_change_in_the_one_entry_of_the_import(house: Database) -> None:
    with house.write() as conn:
        due(conn, "visit:b", "2026-12-04")
        brought(conn)
        rows = conn.execute(sa.select(tables.trail).where(tables.trail.c.act == "calendar.import")).all()
    (entry,) = rows
    detail = json.loads(entry.detail)
    assert (entry.object, entry.actor, detail["number"]) == ("calendar:2027", "admin", SOURCE["number"])
    (change,) = detail["changes"]
    assert (change["object"], change["before"]["known"], change["after"]["on"]) == ("visit:b", 19, "2027-01-04")


def test_a_deadline_that_is_set_while_a_year_comes_is_definite_whoever_was_first(house: Database) -> None:
    both = Barrier(2)

    def act(what: Callable[[Connection], object]) -> None:
        both.wait()
        house.run_write(what)

    with ThreadPoolExecutor(2) as pool:
        doing = [pool.submit(act, brought), pool.submit(act, lambda conn: due(conn, "visit:b", "2026-12-04"))]
    assert [one.exception() for one in doing] == [None, None]
    with house.read() as conn:
        assert provisional(conn) == []


def test_a_deadline_stays_as_it_was_first_set(house: Database) -> None:
    with house.write() as conn:
        first = due(conn, "visit:a", "2026-09-10")
        assert due(conn, "visit:a", "2026-09-30") == first == Due(date(2026, 10, 14), 20, None)


def test_a_correction_is_a_new_version_moves_what_rests_on_the_old_one_and_keeps_it(house: Database) -> None:
    with house.write() as conn:
        due(conn, "visit:b", "2026-12-04")
        brought(conn)
        changes = brought(conn, off=YEAR_2027["off"] + "\n2027-01-04", reason="通知更正")
    assert [(one.before.on, one.after.on) for one in changes] == [(date(2027, 1, 4), date(2027, 1, 5))]
    with house.read() as conn:
        kept = versions_of(conn, 2027)
        assert [one.year.version for one in kept] == [2, 1]
        assert date(2027, 1, 4) not in kept[1].year.off
        assert not calendar(conn).is_working_day(date(2027, 1, 4))


def test_a_draft_makes_nothing_definite(house: Database) -> None:
    with house.write() as conn:
        due(conn, "visit:b", "2026-12-04")
        assert brought(conn, state="draft", number="") == []
    with house.read() as conn:
        assert [one.due for one in provisional(conn)] == [Due(None, 19, 2027)]


def test_the_same_year_again_is_refused(house: Database) -> None:
    with house.write() as conn:
        brought(conn)
    with pytest.raises(Problem) as refused, house.write() as conn:
        brought(conn, reason="再来一次")
    assert (refused.value.code, refused.value.article) == ("calendar_unchanged", "26")


def test_a_year_comes_from_csv_of_excel_or_from_json_with_the_same_days(house: Database) -> None:
    days = [("2027-01-01", "放假"), ("2027/1/2", "休"), ("2027年1月9日", "上班")]
    csv = "日期,类型,备注\n" + "\n".join(f"{day},{kind},x" for day, kind in days)
    document = {"off": ["2027-01-01", "2027-01-02"], "makeup": ["2027-01-09"]}
    content = [csv.encode("gb18030"), ("\ufeff" + csv).encode(), json.dumps(document).encode()]
    years = []
    for one in content:
        with house.engine.connect() as conn, conn.begin() as began:
            years.append(import_year(conn, ADMIN, NOW, YEAR_2027, one))
            began.rollback()
    assert years[0] == years[1] == years[2]
    assert years[0].off == (date(2027, 1, 1), date(2027, 1, 2)) and years[0].makeup == (date(2027, 1, 9),)


# --- what is wrong with a year ----------------------------------------------------------------------------------------

WRONG = [
    ({"off": "2027-01-01\n2026-12-31"}, "off", "第 2 行：2026-12-31 不在 2027 年。", "请核对年份。"),
    ({"off": "2027-01-01\n\n2027-01-01"}, "off", "第 3 行：2027-01-01 前面已经有了。", "请删去重复的一行。"),
    ({"makeup": "2027-01-02"}, "makeup", "第 1 行：2027-01-02 既放假又上班。", "请只留一处。"),
    (
        {"makeup": "2027-03-01"},
        "makeup",
        "第 1 行：2027-03-01 不是周末，不用调休上班。",
        "调休上班只能是周六或周日，请核对。",
    ),
    (
        {"off": "2027-02-30"},
        "off",
        "第 1 行：「2027-02-30」不是日期。",
        "请写成 2027-01-01，或 2027-02-05 至 2027-02-11。",
    ),
    (
        {"off": "2027-02-11 至 2027-02-05"},
        "off",
        "第 1 行：「2027-02-11 至 2027-02-05」不是日期。",
        "请写成 2027-01-01，或 2027-02-05 至 2027-02-11。",
    ),
    ({"off": "", "makeup": ""}, "off", "没有一天放假。", "请填写放假的日子，或选一个文件。"),
    ({"number": ""}, "number", "没有填写。", "请填写这一项。"),
    ({"year": "2003"}, "year", "应为 2004 到 2100 之间的整数。", "请填 2004 到 2100 之间的整数。"),
    ({"year": "2026", "off": "2026-01-01", "makeup": ""}, "reason", "没有填写。", "请填写这一项。"),
]


@pytest.mark.rule("R26.1", "refuses")
@pytest.mark.parametrize(("changes", "field", "sentence", "cure"), WRONG)
def test_what_is_wrong_is_said_by_row_with_its_cure(
    database: Database, changes: dict[str, str], field: str, sentence: str, cure: str
) -> None:
    populate(database)
    with pytest.raises(Invalid) as refused, database.write() as conn:
        import_year(conn, ADMIN, NOW, YEAR_2027 | changes)
    assert (refused.value.code, refused.value.article) == ("invalid", "26")
    w, (fault,) = Words("zh-CN"), refused.value.faults
    assert fault.field == field
    assert (w(f"fault.{fault.code}", **fault.values), w(f"cure.{fault.code}", **fault.values)) == (sentence, cure)
    with database.read() as conn:
        assert versions_of(conn, 2027) == []


FILES = [
    (b"\xff\xfe\x00\xd8", "文件读不出来。"),
    (b'{"off": "2027-01-01"}', "文件的结构不对。"),
    ("日,类\n2027-01-01,放假".encode(), "第一行是「日、类」，缺少「日期」或「类型」。"),
    ("日期,类型\n2027-01-01,调休".encode(), "第 2 行：类型「调休」认不出来。"),
    (b"x" * 300_000, "文件超过 256 千字节。"),
    ("日期,类型\n".encode(), "没有一天放假。"),
]


@pytest.mark.parametrize(("content", "sentence"), FILES, ids=[sentence for _, sentence in FILES])
def test_a_file_that_is_no_calendar_is_refused_in_words(database: Database, content: bytes, sentence: str) -> None:
    populate(database)
    with pytest.raises(Invalid) as refused, database.write() as conn:
        import_year(conn, ADMIN, NOW, YEAR_2027, content)
    assert [Words("zh-CN")(f"fault.{one.code}", **one.values) for one in refused.value.faults] == [sentence]


# --- over HTTP, with visits that really ended -------------------------------------------------------------------------

ENDED = date(2026, 12, 22)
"""The demo's day for which one of its visits ended on 2026-12-04: the story's provisional one."""


@pytest.fixture(scope="module")
def december(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    data = tmp_path_factory.mktemp("december") / "data"
    data.mkdir()
    (data / "suijian.db").write_bytes(databases.migrated_file())
    settings = Settings(data=data)
    with closing(open_database(settings.database)) as db:
        load(db, settings, ENDED, datetime(2026, 12, 22, 6, tzinfo=UTC))
    office = Office(Running(data).start())
    yield office
    office.close()


def rows_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200
    return answer.text


@pytest.mark.rule("R26.1", "http")
def test_a_visit_that_ended_on_december_4_waits_for_2027_and_is_definite_after_its_import(december: Office) -> None:
    clerk, admin = december.client("clerk"), december.client("admin")
    with december.db.read() as conn:
        waiting = len(provisional(conn))
    before = rows_of(clerk.get("/office/calendar/deadlines?show=waiting", headers=HTML))
    assert "2026-12-04" in before and "已知 19 天，缺 2027 年日历" in before and "时限暂定" in before
    assert "等 2027 年日历导入后才能算定" in rows_of(admin.get("/office/calendar", headers=HTML))
    refused = admin.post("/office/calendar/import", data=YEAR_2027 | {"step": "import", "off": "2026-12-31"})
    assert (refused.status_code, refused.json()["code"], refused.json()["article"]) == (422, "invalid", "26")
    checked = rows_of(admin.post("/office/calendar/import", data=YEAR_2027 | {"step": "check"}, headers=HTML))
    assert "检查通过：2027 年" in checked and f"现有 {waiting} 个期限待算定" in checked
    assert "已知 19 天" in rows_of(clerk.get("/office/calendar/deadlines", headers=HTML))
    entries = len(december.trail())
    done = admin.post("/office/calendar/import", data=YEAR_2027 | {"step": "import"})
    assert (done.status_code, done.headers["location"]) == (303, "/office/calendar/2027?version=1")
    assert december.trail()[entries:] == [("calendar.import", "admin")]
    listed = rows_of(clerk.get(done.headers["location"], headers=HTML))
    assert "共 1 个期限改变" in listed
    assert "已知 19 天，缺 2027 年日历" in listed and "2027-01-04" in listed
    after = rows_of(clerk.get("/office/calendar/deadlines", headers=HTML))
    assert "2027-01-04" in after and "时限暂定 0" in after
    seen_by_admin = rows_of(admin.get("/office/calendar/2027", headers=HTML))
    assert f"共 {waiting} 个期限改变" in seen_by_admin and "/office/visits/" not in seen_by_admin and waiting > 1


def test_the_admin_sees_no_list_of_visits(december: Office) -> None:
    assert december.client("admin").get("/office/calendar/deadlines").status_code == 403


def test_the_demos_other_visits_of_december_are_due_by_the_calendar_of_2026(december: Office) -> None:
    with december.db.read() as conn:
        query = sa.select(tables.deadline.c.start_on, tables.deadline.c.due_on)
        found = {row.start_on: row.due_on for row in conn.execute(query)}
    assert (found["2026-12-02"], found["2026-11-10"]) == ("2026-12-30", "2026-12-08")


def test_a_file_over_http_is_shown_as_lines_before_anything_is_kept(december: Office) -> None:
    admin = december.client("admin")
    form = SOURCE | {"year": "2028", "state": "released", "step": "check"}
    file = ("2028.csv", "日期,类型\n2028-01-01,放假\n2028-01-08,上班".encode())
    answer = admin.post("/office/calendar/import", data=form, files={"file": file}, headers=HTML)
    assert answer.status_code == 200 and ">2028-01-01</textarea>" in answer.text
    assert admin.get("/office/calendar/2028").status_code == 404


def test_a_visits_page_shows_when_it_ended_by_the_phone_and_by_its_receipt_and_the_target(december: Office) -> None:
    with december.db.read() as conn:
        query = sa.select(tables.deadline.c.object).where(tables.deadline.c.start_on == "2026-12-02")
        (visit,) = conn.scalars(query).all()
    page = rows_of(december.client("clerk").get(f"/office/visits/{visit.removeprefix('visit:')}", headers=HTML))
    shown = page[page.index('aria-labelledby="h-due"') :]
    assert "2026-12-30" in shown and "2026-12-02" in shown
    assert shown.index("手机时间") < shown.index("12月2日") < shown.index("服务器收到")
