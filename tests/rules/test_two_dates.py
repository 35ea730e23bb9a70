"""Both dates of a result in the course of a year, on a real server whose clock goes with it (R26.1, R31.1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from hashlib import sha256
from pathlib import Path

import httpx
import msgspec
import pytest
import sqlalchemy as sa

from server.domain.ruleset import FIRST
from server.store import rules, tables
from server.store.rules import Decision
from server.store.session import open_database
from tests import databases
from tests.clocked import Clocked
from tests.dispatching import CREW, ITEM, checklist, dispatch, keys_of, prepare
from tests.domain.test_calendar import TABLE
from tests.office.district import HTML
from tests.phone import Phone, forget_sessions
from tests.rules.test_calendar_years import YEAR_2027
from tests.scene import PASSWORD, populate
from tests.sync.test_exchange import Group

POINT = "p01"
BEIJING = timezone(timedelta(hours=8))
BEGINNING = datetime(2025, 12, 31, 1, tzinfo=UTC)
DUE = {
    start: {15: fifteen, 20: twenty} for start, fifteen, twenty in (line.split() for line in TABLE.split("\n") if line)
} | {"2026-12-04": {15: "2026-12-25", 20: "19"}, "2026-12-10": {15: "2026-12-31", 20: "15"}}
"""Start -> days -> the date of the rules' table; a number of known days where it is provisional."""

AFTER_2027 = {"2026-12-04": "2027-01-04", "2026-12-10": "2027-01-08"}
"""Counted by hand with the calendar of `YEAR_2027`: 1 to 3 January are off, nothing else is before the 9th."""

TWICE = ("2026-09-10", "2026-09-18", "2026-10-16")
"""When the three visits of one task ended: two by a final, the last one by the head, without a result."""


class Year:
    """A bureau whose rule set gives so many days, from the first of January on."""

    def __init__(self, data: Path, days: int) -> None:
        data.mkdir()
        (data / "suijian.db").write_bytes(databases.migrated_file())
        self.db = open_database(f"sqlite:///{data / 'suijian.db'}")
        populate(self.db)
        prepare(self.db)
        body = checklist([POINT])
        self.tpl = sha256(body).hexdigest()
        with self.db.write() as conn:
            conn.execute(sa.insert(tables.template).values(sha256=self.tpl, title="一个要点", body=body))
            rules.seed(conn)
            if days != FIRST.publication_days:
                others = msgspec.structs.replace(
                    FIRST, version=2, in_force_from="2026-01-01", publication_days=days
                )  # fmt: skip
                rules.add_version(conn, others, "试行", "legal", BEGINNING)
                rules.decide(conn, 2, Decision("approved", "principal", "2025-12-31T01:00:00.000Z", ""))
        self.server = Clocked(data, BEGINNING)
        self.server.start()
        self.keys = keys_of(self.db, data / "keys")
        self.clients: list[httpx.Client] = []

    def close(self) -> None:
        """Ends the server."""
        for client in self.clients:
            client.close()
        self.db.close()
        self.server.kill()

    def at(self, day: str, hour: int, minute: int = 0) -> datetime:
        """From now on it is this moment in Beijing, and everybody signs in anew."""
        moment = datetime.combine(date.fromisoformat(day), time(hour, minute), BEIJING)
        self.server.set(moment)
        forget_sessions(self.server.url)
        return moment

    def client(self, who: str) -> httpx.Client:
        """Somebody of the office who signs in now."""
        self.clients.append(self.server.signed_in(who))
        return self.clients[-1]

    def task(self, id: str) -> str:
        """A task that is dispatched, for visits of its own."""
        with self.db.write() as conn:
            row = conn.execute(sa.select(tables.task).where(tables.task.c.id == "t1")).mappings().one()
            conn.execute(sa.insert(tables.task).values({**row, "id": id, "name": id, "state": "dispatched"}))
            conn.execute(sa.insert(tables.task_item).values(task_id=id, item_id=ITEM))
        return id

    def visit(self, task: str, day: str) -> Group:
        """A visit of a task that the crew takes up in the morning of a day."""
        group = Group.__new__(Group)
        group.server = self.server
        group.visit = dispatch(self.db, self.keys, now=self.at(day, 8), tasks=[task], tpl=self.tpl)
        group.li, group.zhang, group.wang = (Phone(self.server.url, name).start(group.visit) for name, _ in CREW)
        return group

    def ended(self, task: str, day: str, *, overnight: bool) -> Group:
        """A visit that ends on a day: by the phone's clock where the proposal comes the next morning, by its receipt
        where that clock is years off."""
        group = self.visit(task, day)
        group.li.set(group.visit, ["answer", POINT, "verdict"], "pass")
        group.li.set(group.visit, ["visit", f"result:{ITEM}"], ["no_problem_found"])
        group.li.set(group.visit, ["visit", "result"], "no_problem_found")
        for phone in group.phones:
            phone.set(group.visit, ["visit", f"no_interest:{phone.officer}"], {"interest": False, "reason": None})
        group.settle()
        group.sign()
        digest = group.view()["digest"]
        claimed = datetime.combine(date.fromisoformat(day), time(23, 59), BEIJING)
        group.li.propose(group.visit, digest, "no_problem_found", [], at=claimed if overnight else BEGINNING)
        if overnight:
            self.at((claimed + timedelta(1)).date().isoformat(), 8)
            for phone in group.phones:
                phone.sign_in().enrol()
        group.settle()
        return group

    def shown(self, clerk: httpx.Client, group: Group, task: str) -> list[str]:
        """Target and legal date on the result's page: a day, how many days are known, or that the task goes on."""
        page = clerk.get(f"/office/publication/{group.visit}.{task}", headers=HTML).text
        part = page[page.index('id="h-due"') :]
        found = re.findall(
            r'<span class="mono">(\d{4}-\d\d-\d\d)</span>|已知 (\d+) 天，缺 2027 年日历|(任务还没有全部结束)', part
        )
        return ["".join(one) for one in found[:2]]


@pytest.fixture
def years(tmp_path: Path) -> Iterator[Callable[[int], Year]]:
    """Makes bureaus by the days that their rule sets give."""
    made: list[Year] = []

    def make(days: int) -> Year:
        made.append(Year(tmp_path / f"year{days}", days))
        return made[-1]

    yield make
    for year in made:
        year.close()


@pytest.mark.rule("R31.1", "http")
def test_another_rule_set_gives_other_days(years: Callable[[int], Year]) -> None:
    bureau = years(15)
    visits = {start: bureau.ended(bureau.task(start), start, overnight=False) for start in DUE}
    clerk = bureau.client("clerk")
    shown = {start: bureau.shown(clerk, group, start) for start, group in visits.items()}
    assert shown == {start: [due[15]] * 2 for start, due in DUE.items()}
    print(f"\n15 working days: {len(shown)} starts, {2 * len(shown)} dates read on pages")
    assert len(shown) == 12


@pytest.mark.rule("R26.1", "http")
def test_every_date_of_the_table_is_shown_and_nothing_later_moves_it(years: Callable[[int], Year]) -> None:
    bureau = years(20)
    alone: dict[str, Group] = {}
    together: dict[str, Group] = {}
    bureau.task("three")
    third = bureau.visit("three", BEGINNING.date().isoformat())
    for place, start in enumerate(DUE):
        alone[start] = bureau.ended(bureau.task(start), start, overnight=place % 2 == 0)
        if start in TWICE[:2]:
            together[start] = bureau.ended("three", start, overnight=place % 2 == 1)
        if start == TWICE[1]:
            bureau.at(start, 20)
            assert bureau.shown(bureau.client("clerk"), together[start], "three")[1] == "任务还没有全部结束"
        if start == TWICE[2]:
            bureau.at(start, 20)
            assert third.act("head", "void", ["visit"], {"reason": "企业已迁出"}).status_code == 201
    bureau.at("2026-12-11", 9)
    clerk = bureau.client("clerk")

    def dates() -> dict[tuple[str, str], list[str]]:
        found = {(start, "alone"): bureau.shown(clerk, group, start) for start, group in alone.items()}
        return found | {(start, "three"): bureau.shown(clerk, group, "three") for start, group in together.items()}

    expected = {(start, "alone"): [due[20]] * 2 for start, due in DUE.items()}
    expected |= {(start, "three"): [DUE[start][20], DUE[TWICE[2]][20]] for start in TWICE[:2]}
    assert dates() == expected
    checked = 2 * len(expected)

    reviewed, reopened = alone["2026-09-10"], together["2026-09-18"]
    returned = clerk.post(f"/office/visits/{reviewed.visit}/return", data={"round": "1", "comment": "请补照片"})
    assert returned.status_code == 303
    for group in (reviewed, reopened):
        assert group.act("head", "reopen", ["round"], {"round": 2, "reason": "补照片"}).status_code == 201
        for phone in group.phones:
            phone.sign_in().enrol()
        group.settle()
        assert dates() == expected
        group.sign()
        group.li.propose(group.visit, group.view()["digest"], "no_problem_found", [])
        group.settle()
        assert group.view()["phase"] == "final" and group.view()["round"] == 2
    assert dates() == expected
    checked += 4 * len(expected)

    admin = bureau.client("admin")
    done = admin.post("/office/calendar/import", data=YEAR_2027 | {"step": "import"})
    assert done.status_code == 303
    expected |= {(start, "alone"): [due] * 2 for start, due in AFTER_2027.items()}
    assert dates() == expected
    listed = clerk.get(done.headers["location"], headers=HTML).text
    assert all(due in listed for due in AFTER_2027.values())
    everything = clerk.get("/office/calendar/deadlines?show=waiting", headers=HTML).text
    assert "缺 2027 年日历" not in everything
    checked += 2 * len(expected)

    approved = clerk.post(f"/office/visits/{reviewed.visit}/approve", data={"round": "2"})
    published = clerk.post(f"/office/publication/{reviewed.visit}.2026-09-10/publish", data={"proof": PASSWORD})
    assert (approved.status_code, published.status_code) == (303, 303)
    assert dates() == expected
    checked += 2 * len(expected)
    print(f"\n20 working days: {len(DUE)} starts, {checked} dates read on pages")
    assert (len(DUE), checked) == (12, 140)
