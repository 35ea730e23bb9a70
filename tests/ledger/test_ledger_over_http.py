"""The ledger as everybody reads it: sealed and opened lines, exceptions with their reasons, days, pages and files."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from server.office.log import Log
from server.standalone import check_ledger
from server.store import tables
from server.store.session import Database
from tests import databases
from tests.dispatching import database_of
from tests.drawing import SECRET
from tests.office.test_dispatch import _joined, _participant
from tests.running import Running
from tests.tasking import CHANCE, Tasking

FIVE, NINE = "411303000000005", "411303000000009"
Json = dict[str, Any]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class Bureau:
    """A sealed task with one withdrawn, an open one drawn twice and with one excused, a list that another drew."""

    def __init__(self, data: Path) -> None:
        data.mkdir()
        (data / "suijian.db").write_bytes(databases.migrated_file())
        self.running = Running(data)
        self.its = its = Tasking(database_of(self.running), data / "keys")
        self.sealed = its.dispatched()
        its.withdraw(its.ask(self.sealed, self.subjects(self.sealed)[0]))
        self.open = its.approved(name="公开的任务", disclosure="open")
        its.void(its.drawn(self.open))
        standing = its.drawn(self.open)
        self.dead = its.draw(standing).effective[0]
        its.dead(self.dead)
        its.excuse(standing, self.dead)
        its.dispatch(self.open)
        self.joint = its.approved(**_participant(*_joined(its)))
        its.dispatch(self.joint)
        self.running.start()
        self.log = Log(its.db, data / "keys", self.running.url)
        self.log.sign(its.tick())
        self.http = self.running.client(headers={"Accept": "text/html", "Accept-Language": "zh-CN"})

    def close(self) -> None:
        self.http.close()
        self.its.db.close()
        self.running.kill()

    def subjects(self, task_id: str) -> list[str]:
        with self.its.db.read() as conn:
            table = tables.selection
            return list(conn.scalars(sa.select(table.c.subject_id).where(table.c.task_id == task_id)))

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path)

    def lines(self, task_id: str) -> list[Json]:
        found: list[Json] = self.get(f"/ledger/{self.its.of(task_id).no}.json").json()["lines"]
        return found

    def page(self, task_id: str) -> str:
        answer = self.get(f"/ledger/{self.its.of(task_id).no}")
        assert answer.status_code == 200
        return answer.text

    def names(self, task_id: str) -> list[str]:
        """Code and name of everybody who was drawn for a task."""
        entry, subject = tables.ledger_entry, tables.subject
        query = sa.select(entry.c.code, subject.c.name).join(subject).where(entry.c.task_id == task_id)
        with self.its.db.read() as conn:
            return [text for row in conn.execute(query) for text in row]


@pytest.fixture(scope="module")
def bureau(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    made = Bureau(tmp_path_factory.mktemp("ledger") / "data")
    yield made
    made.close()


@pytest.mark.rule("R17.1", "http")
def test_of_a_sealed_task_everybody_sees_how_many_and_how_far_and_nobody_sees_whom(bureau: Bureau) -> None:
    lines, names = bureau.lines(bureau.sealed), bureau.names(bureau.sealed)
    assert Counter(line["state"] for line in lines) == {"dispatched": 10, "withdrawn": 1}
    assert (
        len(lines)
        == len(names) / 2
        == bureau.get(f"/notices/{bureau.its.of(bureau.sealed).no}.json").json()["notice"]["n"]
    )
    assert all(line["opened"] is line["reason"] is None for line in lines)
    public = [bureau.page(bureau.sealed), str(lines), bureau.get("/ledger").text, bureau.get("/ledger.json").text]
    assert [name for name in names if any(name in text for text in public)] == []
    assert "撤出名单" in public[0] and "已搬出本区" not in public[0]
    source = bureau.its.draw(_standing(bureau, bureau.sealed)).no
    hashes = {sha256(f"{sha256(f'{SECRET.hex()}|ledger|{source}/1|{code}')}|{code}") for code in names[::2]}
    assert {line["digest"] for line in lines} == hashes
    assert [line["digest"] for line in lines] == sorted(hashes), "their order says nothing of their codes"


def _standing(bureau: Bureau, task_id: str) -> str:
    with bureau.its.db.read() as conn:
        query = sa.select(tables.draw.c.id).where(tables.draw.c.task_id == task_id, tables.draw.c.state != "void")
        return str(conn.scalar(query))


def test_of_an_open_task_each_line_is_open_and_says_why_it_ended_without_a_result(bureau: Bureau) -> None:
    lines, page = bureau.lines(bureau.open), bureau.page(bureau.open)
    assert Counter(line["state"] for line in lines) == {"draw_void": 11, "excused": 1, "dispatched": 11}
    assert all(sha256(f"{line['opened']['salt']}|{line['opened']['code']}") == line["digest"] for line in lines)
    assert [name for name in bureau.names(bureau.open) if name not in page] == []
    (excused,) = (line for line in lines if line["state"] == "excused")
    assert (excused["opened"]["code"], excused["reason"]) == (bureau.dead, "登记机关已注销")
    assert {line["reason"] for line in lines if line["state"] == "draw_void"} == {"见证人未到场"}
    assert [line["n"] for line in lines] == list(range(1, 24))
    sources = bureau.get(f"/ledger/{bureau.its.of(bureau.open).no}.json").json()["sources"]
    assert [(one["state"], one["drawn"], one["excused"]) for one in sources] == [("void", 11, 0), ("dispatched", 11, 1)]


def test_whom_another_office_drew_stands_in_the_ledger_from_our_dispatch_on(bureau: Bureau) -> None:
    no = f"J-{bureau.its.of(bureau.joint).no}"
    salts = {sha256(f"{CHANCE.hex()}|ledger|{no}|{code}"): code for code in (FIVE, NINE)}
    lines = bureau.lines(bureau.joint)
    assert {line["digest"] for line in lines} == {sha256(f"{salt}|{code}") for salt, code in salts.items()}
    assert {line["source"] for line in lines} == {no}


def test_places_are_dense_over_all_tasks_and_each_page_goes_on(bureau: Bureau) -> None:
    tasks = (bureau.sealed, bureau.open, bureau.joint)
    places = [line["place"] for id in tasks for line in bureau.lines(id)]
    whole = bureau.get("/ledger.json").json()
    assert sorted(places) == list(range(1, whole["size"] + 1)) and whole["size"] == 36
    assert [one["lines"] for one in whole["tasks"]] == [2, 23, 11]
    no = bureau.its.of(bureau.open).no
    assert [line["n"] for line in bureau.get(f"/ledger/{no}.json?after=20").json()["lines"]] == [21, 22, 23]
    assert [one["no"] for one in bureau.get(f"/ledger.json?before={no}").json()["tasks"]] == [
        bureau.its.of(bureau.sealed).no
    ]
    for path in ("/ledger/2026-999", "/ledger/2026-999.json", f"/ledger/{'9' * 200}"):
        assert bureau.get(path).status_code == 404
    assert "自己怎么查" in bureau.get("/ledger").text and f'href="/ledger/{no}"' in bureau.get("/ledger").text
    assert f'href="/ledger/{no}"' in bureau.get(f"/notices/{no}").text
    assert 'href="/ledger"' in bureau.get("/results").text + bureau.get("/").text
    english = httpx.get(f"{bureau.running.url}/ledger/{no}", headers={"Accept": "text/html", "Accept-Language": "en"})
    assert "Excused" in english.text and "Draw void" in english.text


def test_the_log_names_what_was_entered_in_the_clear(bureau: Bureau) -> None:
    lines = bureau.lines(bureau.sealed)
    (index,) = {line["entry"] for line in lines}
    (entry,) = bureau.get(f"/log/entries?start={index}&end={index}").json()["entries"]
    told = "[" + ",".join(f'[{line["place"]},{line["n"]},"{line["digest"]}"]' for line in lines) + "]"
    about = f"ledger:{bureau.its.of(bureau.sealed).no}:{lines[0]['place']}-{lines[-1]['place']}:{sha256(told)}"
    assert '"act":"ledger.enter"' in entry["leaf"] and f'"object":"{about}"' in entry["leaf"]


def test_the_checker_is_green_over_all_of_it_and_is_given_as_a_file(bureau: Bureau) -> None:
    taken = check_ledger.take(bureau.running.url)
    report = check_ledger.check(taken, taken)
    assert (report.faults, report.notes) == ([], [])
    assert bureau.get("/ledger/check_ledger.py").content == Path(check_ledger.__file__).read_bytes()


def test_once_a_task_ended_its_lines_are_open_for_ever_and_say_how_the_days_go(bureau: Bureau) -> None:
    visit, its = (
        tables.visit,
        sa.select(tables.visit_task.c.visit_id).where(tables.visit_task.c.task_id == bureau.sealed),
    )
    row = {
        "days": 20,
        "known": 20,
        "due_on": "2026-12-24",
        "versions": {"2026": 1},
        "set_at": "2026-11-26T02:00:00.000Z",
    }
    with bureau.its.db.write() as conn:
        ids = list(conn.scalars(its.order_by(tables.visit_task.c.visit_id)))
        conn.execute(sa.update(visit).where(visit.c.id.in_(ids), visit.c.state == "open").values(state="final"))
        dates = [(f"visit:{ids[1]}", "publication_target"), (f"task:{bureau.sealed}", "publication_legal")]
        late = (f"visit:{ids[2]}", "publication_target")
        rows = [
            {"object": one, "kind": kind, "start_on": "2026-11-26", "missing_year": None} | row for one, kind in dates
        ]
        waits = {"object": late[0], "kind": late[1], "start_on": "2026-12-10"} | row
        rows.append(waits | {"due_on": None, "known": 15, "missing_year": 2027})
        conn.execute(sa.insert(tables.deadline), rows)
    assert all(line["opened"] for line in bureau.lines(bureau.sealed))
    with bureau.its.db.write() as conn:
        conn.execute(sa.update(visit).where(visit.c.id == ids[3]).values(state="open", round=2))
    lines = bureau.lines(bureau.sealed)
    assert all(line["opened"] for line in lines), "one was reopened, and everybody knows them already"
    days = {line["days"]["ended_on"]: line["days"] for line in lines if line["days"]}
    assert (days["2026-11-26"]["of"], days["2026-11-26"]["due_on"]) == (20, "2026-12-24")
    provisional = days["2026-12-10"]
    assert (provisional["due_on"], provisional["known"], provisional["missing_year"]) == (None, 15, 2027)
    page = bureau.page(bureau.sealed)
    assert "只知道其中 15 天，缺 2027 年的日历" in page and "应在12月24日以前公示" in page
    report = check_ledger.check(check_ledger.take(bureau.running.url))
    assert [part for part, _ in report.faults] == ["exception"], "a round that no act in the log began"


@pytest.mark.parametrize("statement", ["UPDATE ledger_entry SET code = 'x'", "DELETE FROM ledger_entry"])
def test_no_line_can_be_changed_or_taken_out_in_the_database(
    any_database: Database, tmp_path: Path, statement: str
) -> None:
    its = Tasking(any_database, tmp_path / "keys")
    its.drawn(its.approved())
    with pytest.raises(sa.exc.DatabaseError, match="append-only"), any_database.write() as conn:
        conn.exec_driver_sql(statement)
