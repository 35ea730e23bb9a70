"""Article 10 over HTTP: every step leaves who, when, what, before and after; nobody can edit or delete it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from server.domain.access import RIGHTS
from server.routes import all_handlers
from server.store import tables
from server.store.trail_search import Entry, Search, agreement, find
from server.words import LANGUAGES, messages
from tests.office.accounts import add_account, add_unit
from tests.office.district import HTML, Office, demo_server

PEOPLE = ("li", "clerk", "head", "legal", "principal", "steering", "auditor", "admin")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("trail") / "data"))
    yield found
    found.close()


def newest(office: Office, **asked: str) -> Entry:
    with office.db.read() as conn:
        return find(conn, Search(**asked), 1)[0]  # type: ignore[arg-type]


@pytest.mark.rule("R10.1", "allows")
@pytest.mark.rule("R10.1", "http")
def test_a_step_leaves_who_when_what_before_and_after(office: Office) -> None:
    unit = add_unit(office.db)
    for name in ("矿山监管一股", "矿山监管二股"):
        form = {"name": name, "kind": "section"}
        assert office.client("admin").post(f"/office/units/{unit}", data=form).is_redirect
    with office.db.read() as conn:
        second, first = find(conn, Search(object=f"unit:{unit}"), 2)
    assert (second.act, second.actor, second.object) == ("unit.change", "admin", f"unit:{unit}")
    assert second.at >= first.at
    assert second.before == first.after
    assert second.after != second.before
    assert agreement(second) == "agrees"


@pytest.mark.rule("R10.2", "allows")
def test_what_was_done_is_added_to_and_every_entry_before_stays_byte_for_byte(office: Office) -> None:
    columns = [tables.trail.c[name] for name in ("n", "leaf", "salt", "detail")]
    query = sa.select(*columns).order_by(tables.trail.c.n)
    with office.db.read() as conn:
        before = conn.execute(query).all()
    account = add_account(office.db)
    assert office.client("admin").post(f"/office/accounts/{account}/reset", data={}).status_code == 200
    with office.db.read() as conn:
        after = conn.execute(query).all()
    assert after[: len(before)] == before
    assert [row.n for row in after] == list(range(1, len(after) + 1))


@pytest.mark.rule("R10.2", "http")
@pytest.mark.parametrize("who", PEOPLE)
def test_no_role_has_a_way_to_edit_or_delete_an_entry(office: Office, who: str) -> None:
    client = office.client(who)
    count = newest(office).n
    for method in ("PUT", "PATCH", "DELETE", "POST"):
        for path in ("/office/trail", "/office/trail/1"):
            assert client.request(method, path).status_code in (403, 404, 405)
    assert newest(office).n == count


@pytest.mark.parametrize("who", PEOPLE)
def test_auditor_and_steering_group_read_it(office: Office, who: str) -> None:
    may = who in ("steering", "auditor")
    assert office.client(who).get("/office/trail", headers=HTML).status_code == (200 if may else 403)
    assert ("/office/trail" in office.client("clerk").get("/office/me", headers=HTML).text) is False


def test_the_page_finds_what_is_asked_and_says_whether_each_leaf_agrees(office: Office) -> None:
    page = (
        office.client("auditor").get("/office/trail", params={"act": "unit.change", "who": "林涛"}, headers=HTML).text
    )
    rows = re.findall(r'<tr><th scope="row"><a href="/office/trail/(\d+)"', page)
    assert rows
    assert page.count("相符") == len(rows)
    entry = office.client("auditor").get(f"/office/trail/{rows[0]}", headers=HTML).text
    assert newest(office, act="unit.change").digest in entry
    assert "&#34;act&#34;:&#34;unit.change&#34;" in entry


def test_pages_go_on_to_the_very_first_entry(office: Office) -> None:
    client, address, seen = office.client("auditor"), "/office/trail", []
    while address:
        page = client.get(address.replace("&amp;", "&"), headers=HTML).text
        seen += [int(n) for n in re.findall(r'<tr><th scope="row"><a href="/office/trail/(\d+)"', page)]
        address = next(iter(re.findall(r'rel="next" href="([^"]+)"', page)), "")
    assert sorted(seen, reverse=True) == list(range(max(seen), 0, -1))
    assert len(seen) == len(set(seen))


def test_every_right_has_a_name_in_both_languages() -> None:
    all_handlers()
    for language in LANGUAGES:
        assert not [right for right in RIGHTS if f"right.{right}" not in messages(language)]
