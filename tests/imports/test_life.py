"""An import's life: nothing is written before it is applied, nothing overwritten silently, and all is taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from random import Random
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from server.domain.importing import Choices
from server.errors import Problem
from server.office import imports as office
from server.office.import_applying import Work, apply_batch
from server.office.import_worker import Worker
from server.store import excuses, imports, tables
from server.store.people import Person
from server.store.seal import open_sealer
from server.store.session import Database, open_database
from server.store.subjects import history_of, subjects_by_codes
from tests.imports.bringing import applied, bring, brought, csv_of, progress, settled
from tests.imports.planted import COLUMNS, good_row
from tests.imports.test_big import digest
from tests.running import Running
from tests.scene import NOW

Start = Callable[..., Running]
CLERK = Person("clerk", "clerk", "clerk", "hazchem", ("unit_clerk",), None)


def rows(first: int, last: int, **cells: str) -> list[list[str]]:
    """Valid rows, always the same of a number; some cells changed."""
    made = [good_row(Random(number), number, set()) for number in range(first, last + 1)]
    for row in made:
        for column, cell in cells.items():
            row[COLUMNS.index(column)] = cell
    return made


@contextmanager
def database(running: Running) -> Iterator[Database]:
    """The database of a running server."""
    url = running.environment.get("SUIJIAN_DATABASE_URL", f"sqlite:///{running.data / 'suijian.db'}")
    with closing(open_database(url)) as db:
        yield db


def kinds(client: httpx.Client, page: str) -> dict[str, int]:
    """How many rows of each kind the check found."""
    found: dict[str, int] = progress(client, page)["counts"]["kinds"]
    return found


def undone(client: httpx.Client, page: str) -> str:
    """Takes a batch back; the state that it is in then."""
    assert client.post(f"{page}/undo").status_code == 303
    settled(client, page)
    return str(progress(client, page)["state"])


def held(client: httpx.Client, page: str, running: Running) -> list[dict[str, Any]]:
    """The rows that hold a batch where it is."""
    with database(running) as db, db.read() as conn:
        batch = imports.batch_of(conn, page.rpartition("/")[2])
    assert batch is not None
    return batch.held or []


@pytest.mark.rule("R7.2", "allows")
@pytest.mark.rule("R7.2", "http")
def test_new_and_changed_rows_are_shown_then_applied_then_undone(any_server: Running) -> None:
    with any_server.signed_in("clerk") as client:
        applied(client, brought(client, csv_of(rows(1, 3))))
        before = digest(any_server)
        sheet = [*rows(1, 1), *rows(2, 2, 风险等级="高", 信用等级="D"), *rows(4, 5)]
        page = brought(client, csv_of(sheet))
        assert kinds(client, page) == {"same": 1, "changed": 1, "new": 2}
        assert digest(any_server) == before
        shown = client.get(page, headers={"Accept": "text/html"}).text
        assert "风险等级" in shown and "信用等级" in shown and "<ins>高</ins>" in shown and "<ins>D</ins>" in shown
        assert client.post(f"{page}/apply").json()["code"] == "import_changes_unsaid"
        applied(client, page, changed="take")
        assert progress(client, page)["state"] == "applied" and digest(any_server) != before
        assert undone(client, page) == "undone"
        assert digest(any_server) == before


def test_what_is_there_can_be_left_as_it_is(server: Running) -> None:
    with server.signed_in("clerk") as client:
        applied(client, brought(client, csv_of(rows(11, 12))))
        before = digest(server)
        page = brought(client, csv_of(rows(11, 12, 风险等级="低", 信用等级="A")))
        assert kinds(client, page)["changed"] == 2
        answer = client.post(f"{page}/apply", data={"changed": "leave"})
        assert (answer.status_code, answer.json()["code"]) == (409, "import_nothing")
        assert digest(server) == before


def test_source_and_batch_stand_in_each_subjects_history(server: Running) -> None:
    with server.signed_in("clerk") as client:
        page = applied(client, brought(client, csv_of(rows(21, 21))))
    batch_id = page.rpartition("/")[2]
    code = rows(21, 21)[0][0]
    with database(server) as db, db.read() as conn:
        found = subjects_by_codes(conn, open_sealer(server.data / "keys"), [code])[code]
        events = history_of(conn, found.id)
        batch = imports.batch_of(conn, batch_id)
    assert {event.source for event in events} == {f"import:{batch_id}"}
    assert batch is not None and (batch.source, batch.filename, batch.applied_by) == ("测试名单", "名单.csv", "clerk")


def test_a_row_that_somebody_changed_since_the_check_stops_all_and_is_shown_again(server: Running) -> None:
    with server.signed_in("clerk") as client:
        applied(client, brought(client, csv_of(rows(31, 32))))
        late = brought(client, csv_of([*rows(31, 31, 风险等级="低"), *rows(33, 33)]))
        applied(client, brought(client, csv_of(rows(31, 31, 信用等级="A"))), changed="take")
        before = digest(server)
        assert client.post(f"{late}/apply", data={"changed": "take"}).status_code == 303
        settled(client, late)
        assert progress(client, late)["state"] == "checked" and digest(server) == before
        assert held(client, late, server) == [{"row": 2, "why": "changed"}]
        shown = client.get(late, headers={"Accept": "text/html"}).text
        assert "核对以后有人改动了这些行" in shown and "第 2 行：后来被人改动过" in shown
        applied(client, late, changed="take")
        assert progress(client, late)["state"] == "applied"


def test_a_code_that_somebody_entered_since_the_check_stops_all(server: Running) -> None:
    with server.signed_in("clerk") as client:
        late = brought(client, csv_of(rows(41, 43)))
        applied(client, brought(client, csv_of(rows(42, 42))))
        before = digest(server)
        assert client.post(f"{late}/apply").status_code == 303
        settled(client, late)
        assert progress(client, late)["state"] == "checked" and digest(server) == before
        assert kinds(client, late) == {"new": 2, "same": 1}


def test_rows_in_use_or_changed_since_stop_the_undoing_and_are_listed(server: Running) -> None:
    with server.signed_in("clerk") as client, server.signed_in("clerk2") as other:
        page = applied(client, brought(client, csv_of(rows(51, 53))))
        applied(client, brought(client, csv_of(rows(51, 51, 信用等级="A"))), changed="take")
        applied(other, brought(other, csv_of(rows(53, 53))), changed="take")
        before = digest(server)
        assert undone(client, page) == "applied"
        assert digest(server) == before
        assert [one["row"] for one in held(client, page, server)] == [2, 4]


def test_a_subject_of_another_unit_joins_the_own_library_as_a_change(server: Running) -> None:
    with server.signed_in("clerk") as client, server.signed_in("clerk2") as other:
        applied(client, brought(client, csv_of(rows(61, 61))))
        before = digest(server)
        page = brought(other, csv_of(rows(61, 61)))
        assert kinds(other, page) == {"changed": 1}
        applied(other, page, changed="take")
        assert digest(server) != before
        assert undone(other, page) == "undone"
        assert digest(server) == before


def test_a_batch_that_is_given_up_leaves_no_rows_and_no_file(server: Running) -> None:
    with server.signed_in("clerk") as client:
        page = brought(client, csv_of(rows(71, 72)))
        assert client.post(f"{page}/abandon").status_code == 303
        assert progress(client, page)["state"] == "abandoned"
        assert client.post(f"{page}/apply").json()["code"] == "import_not_now"
    batch_id = page.rpartition("/")[2]
    with database(server) as db, db.read() as conn:
        assert imports.rows_of(conn, batch_id, ("new",)) == []


@pytest.mark.rule("R7.2", "refuses")
@pytest.mark.parametrize(
    ("sheet", "choices", "code"),
    [
        ([*rows(1, 1), *rows(2, 2, 联系电话="1")], Choices(), "import_faults_left"),
        ([], Choices(), "import_not_now"),
    ],
)
def test_applying_is_refused_by_article_7(server: Running, sheet: list[list[str]], choices: Choices, code: str) -> None:
    with server.signed_in("clerk") as client:
        page = brought(client, csv_of(sheet or rows(81, 81)))
        if not sheet:
            client.post(f"{page}/abandon")
    with database(server) as db, pytest.raises(Problem) as refused:
        db.run_write(lambda conn: office.apply_import(conn, CLERK, NOW, page.rpartition("/")[2], choices))
    assert (refused.value.code, refused.value.document("zh")["article"]) == (code, "7")


def test_phones_are_sealed_in_the_batch_and_masked_on_its_page(server: Running) -> None:
    phone, other = "14000009901", "14000009902"
    with server.signed_in("clerk") as client:
        applied(client, brought(client, csv_of(rows(91, 91, 联系电话=phone))))
        page = brought(client, csv_of(rows(91, 91, 联系电话=other)))
        shown = client.get(page, headers={"Accept": "text/html"}).text
    assert "140****9901" in shown and "140****9902" in shown
    assert phone not in shown and other not in shown
    for path in server.data.rglob("*"):
        if path.is_file():
            held_bytes = path.read_bytes()
            assert phone.encode() not in held_bytes and other.encode() not in held_bytes, path


@pytest.mark.serial
@pytest.mark.parametrize("order", ["", "apply", "undo"])
def test_a_kill_in_the_middle_leaves_nothing_half_done_in_sight_and_the_rest_goes_on(
    start_server: Start, order: str
) -> None:
    running = start_server()
    with running.signed_in("clerk") as client:
        sheet = csv_of(rows(1, 6000))
        empty = digest(running)
        page = bring(client, sheet).headers["location"] if not order else brought(client, sheet)
        if order == "undo":
            applied(client, page)
        before = digest(running)
        if order:
            assert client.post(f"{page}/{order}").status_code == 303
        while progress(client, page)["done"] in (0, 6000):
            pass
    running.kill()
    if order != "undo":
        assert _seen(running) == 0
    running.start()
    with running.signed_in("clerk") as client:
        settled(client, page)
        expected = {"": ("checked", before), "apply": ("applied", None), "undo": ("undone", empty)}[order]
        assert progress(client, page)["state"] == expected[0]
        assert digest(running) == expected[1] if expected[1] else digest(running) != before
        if order == "apply":
            assert _seen(running) == 6000


def _seen(running: Running) -> int:
    """How many subjects are in anybody's library."""
    with database(running) as db, db.read() as conn:
        return int(conn.scalar(sa.select(sa.func.count()).select_from(tables.unit_subject)) or 0)


def test_what_fails_in_the_middle_is_said_and_goes_on_when_asked(
    server: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server.signed_in("clerk") as client:
        page = brought(client, csv_of(rows(95, 96)))
    batch_id = page.rpartition("/")[2]

    def fail(work: Work) -> None:
        raise OSError("the disk is gone")

    with database(server) as db:
        worker = Worker(db, open_sealer(server.data / "keys"), server.data / "imports", lambda: NOW)
        db.run_write(lambda conn: office.apply_import(conn, CLERK, NOW, batch_id, Choices()))
        with monkeypatch.context() as patch:
            patch.setattr("server.office.import_worker.apply_batch", fail)
            worker.work(batch_id)
    with server.signed_in("clerk") as client:
        assert "中途出了故障" in client.get(page, headers={"Accept": "text/html"}).text
        assert client.post(f"{page}/resume").status_code == 303
        settled(client, page)
        assert progress(client, page)["state"] == "applied"
    assert apply_batch is not fail


DEATH = (*COLUMNS, "停业注销文书", "停业注销日期")


def dead(number: int, status: str, document: str, on: str) -> list[str]:
    """A row of somebody who is suspended or cancelled."""
    return [*rows(number, number, 状态=status)[0], document, on]


def document_of(running: Running, number: int) -> tuple[str, str, str]:
    """By which document the library has a subject as what it is."""
    code = rows(number, number)[0][0]
    with database(running) as db, db.read() as conn:
        found = subjects_by_codes(conn, open_sealer(running.data / "keys"), [code])[code]
        its = excuses.status_documents(conn, {found.id: found.status})[found.id]
    return its.status, its.document, its.on


@pytest.mark.parametrize(
    ("status", "document", "on", "fault"),
    [
        ("注销", "", "2026-11-02", ("status_document", "missing")),
        ("吊销", "宛市监吊〔2026〕9 号", "", ("status_on", "missing")),
        ("停业", "宛市监注〔2026〕9 号", "2999-01-01", ("status_on", "day_ahead")),
        ("停业", "问 14000000001", "2026-11-02", ("status_document", "number_in_text")),
    ],
)
def test_who_is_brought_as_gone_has_the_document_that_says_so(
    server: Running, status: str, document: str, on: str, fault: tuple[str, str]
) -> None:
    with server.signed_in("clerk") as client:
        page = brought(client, csv_of([dead(71, status, document, on)], DEATH))
        assert kinds(client, page) == {"faulty": 1}
    with database(server) as db, db.read() as conn:
        found = imports.faults_of(conn, page.rpartition("/")[2])
    assert [(one.fault.field, one.fault.code) for _, one in found] == [fault]


@pytest.mark.rule("R16.2", "allows")
def test_the_document_of_a_status_comes_with_the_row_goes_with_its_undoing_and_is_not_that_of_another(
    any_server: Running,
) -> None:
    notice, order = ("停业告知〔2026〕3 号", "2026-11-01"), ("宛市监注〔2026〕9 号", "2026-11-02")
    with any_server.signed_in("clerk") as client:
        applied(client, brought(client, csv_of([*rows(73, 73)])))
        sheet = [dead(72, "停业", *notice), dead(73, "停业", *notice)]
        applied(client, brought(client, csv_of(sheet, DEATH)), changed="take")
        assert document_of(any_server, 72) == ("suspended", *notice)
        again = brought(client, csv_of(rows(72, 72, 状态="停业")))
        assert kinds(client, again) == {"same": 1}  # a sheet without these columns says nothing else
        assert kinds(client, brought(client, csv_of(rows(72, 72, 状态="注销")))) == {"faulty": 1}
        last = applied(client, brought(client, csv_of([dead(72, "注销", *order)], DEATH)), changed="take")
        assert document_of(any_server, 72) == ("cancelled", *order)
        assert undone(client, last) == "undone"
        assert document_of(any_server, 72) == ("suspended", *notice)
