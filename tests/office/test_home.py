"""The first page: what waits for whom, the most urgent first, and the year's charts with their tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from server.domain.calendar import Light
from server.office.home import Task, _place, waiting
from server.store.home import crews_of
from server.store.people import Person
from tests.office.accounts import add_account
from tests.office.district import HTML, Office, demo_server

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("home") / "data"))
    yield found
    found.close()


def tasks_of(office: Office, id_: str, unit: str | None, *roles: str, now: datetime = NOON) -> list[Task]:
    with office.db.read() as conn:
        return waiting(conn, Person(id_, id_, id_, unit, roles, None), now)


def whats(tasks: list[Task]) -> set[str]:
    return {task.what for task in tasks}


def test_the_most_urgent_comes_first() -> None:
    kinds = [("far", 20), ("now", 1), None, ("overdue", 2), ("overdue", 9), ("near", 4), ("unknown", 0), ("past", 1)]
    tasks = [Task(str(kind), "", "", "", light=kind and Light(*kind)) for kind in kinds]  # type: ignore[arg-type]
    ordered = [task.light and (task.light.kind, task.light.days) for task in sorted(tasks, key=_place)]
    assert ordered == [
        ("overdue", 9), ("overdue", 2), ("past", 1), ("now", 1), ("near", 4), None, ("far", 20), ("unknown", 0),
    ]  # fmt: skip


def test_a_clerk_is_told_which_records_wait_for_his_review(office: Office) -> None:
    shown = office.client("clerk").get("/office/inbox?show=pending", headers=HTML).text
    pending = set(re.findall(r'href="(/office/visits/[^"]+)"', shown))
    told = {
        task.href for task in tasks_of(office, "clerk", "hazchem-section", "unit_clerk") if task.what == "home.review"
    }
    assert told == pending
    assert told


def test_who_was_of_the_crew_is_not_asked_to_review_it(office: Office) -> None:
    told = {
        name: {
            task.href for task in tasks_of(office, name, "hazchem-section", "unit_clerk") if task.what == "home.review"
        }
        for name in ("clerk", "li")
    }
    with office.db.read() as conn:
        own = {f"/office/visits/{visit}" for visit in crews_of(conn, "li")}
    assert told["clerk"] & own
    assert told["li"] == told["clerk"] - own


def test_the_head_is_told_what_was_returned_and_the_clerk_is_not(office: Office) -> None:
    assert "home.reopen" in whats(tasks_of(office, "head", "hazchem-section", "unit_head"))
    assert "home.reopen" not in whats(tasks_of(office, "clerk", "hazchem-section", "unit_clerk"))


def test_the_admin_sees_accounts_and_calendars_and_nothing_of_an_inspection(office: Office) -> None:
    account = add_account(office.db)
    office.client("admin").post(f"/office/accounts/{account}/reset", data={})
    asked = whats(tasks_of(office, "admin", None, "admin"))
    assert asked <= {"home.fresh", "home.frozen", "home.calendar"}
    assert {"home.fresh", "home.calendar"} <= asked
    page = office.client("admin").get("/office/", headers=HTML).text
    assert "抽查比例" not in page
    assert not re.search(r'href="/office/(inbox|visits|subjects|plans)', page)


def test_nobody_is_told_what_is_for_others(office: Office) -> None:
    assert whats(tasks_of(office, "auditor", None, "auditor")) <= {"home.provisional"}
    assert tasks_of(office, "li", "hazchem-section", "officer") == []


def test_each_word_of_a_task_is_in_the_catalogue_and_each_way_can_be_gone(office: Office) -> None:
    for name in ("clerk", "head", "clerk-ic", "head-ic", "legal", "principal", "steering", "auditor", "admin"):
        client = office.client(name)
        page = client.get("/office/", headers=HTML)
        assert page.status_code == 200
        for href in re.findall(r'class="go"><a href="([^"]+)"', page.text):
            assert client.get(href, headers=HTML).status_code == 200, (name, href)


def test_the_number_in_the_title_is_that_of_the_rows(office: Office) -> None:
    page = office.client("clerk").get("/office/", headers=HTML).text
    (said,) = re.findall(r"<h1>今天先办 (\d+) 件</h1>", page)
    assert int(said) == page.count('<td class="go">')


def test_charts_are_images_with_a_sentence_and_have_their_table(office: Office) -> None:
    page = office.client("clerk").get("/office/", headers=HTML).text
    sentences = re.findall(r'role="img" aria-label="([^"]+)"', page)
    assert len(sentences) == 3
    table = office.client("clerk").get("/office/year", headers=HTML).text
    for name in re.findall(r'<span class="name">([^<]+)</span>', page):
        assert f'<th scope="row">{name}</th>' in table
        assert name in sentences[0]
