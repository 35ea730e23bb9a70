"""Accounts, units and phones: what the admin does, what he can't, and what everybody does for himself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import sqlalchemy as sa

from server.store import tables
from tests.crewing import officer_row
from tests.dispatching import database_of
from tests.office.accounts import add_account, add_unit, make_proof_old
from tests.office.district import HTML
from tests.phone import Phone
from tests.running import Running
from tests.scene import PASSWORD

NEW = "清晨六点的白河很安静"


class Bureau:
    """The small bureau's server, its database, and who asks it."""

    def __init__(self, running: Running) -> None:
        self.running, self.db = running, database_of(running)
        self.admin = running.signed_in("admin")
        self.admin.headers.update(HTML)

    def value(self, column: sa.Column[object], id_: str) -> object:
        with self.db.read() as conn:
            return conn.execute(sa.select(column).where(column.table.c.id == id_)).scalar_one()

    def last(self) -> tuple[str, str, str]:
        columns = tables.trail.c.act, tables.trail.c.actor, tables.trail.c.object
        with self.db.read() as conn:
            row = conn.execute(sa.select(*columns).order_by(tables.trail.c.n.desc()).limit(1)).one()
        return row.act, row.actor, row.object

    def browser(self, username: str, password: str = PASSWORD) -> httpx.Client:
        client = self.running.client(headers=HTML)
        client.last = client.post("/office/sign-in", data={"username": username, "password": password})  # type: ignore[attr-defined]
        return client


@pytest.fixture(scope="module")
def bureau(server: Running) -> Iterator[Bureau]:
    found = Bureau(server)
    yield found
    found.admin.close()
    found.db.close()


def csrf(page: httpx.Response) -> str:
    return str(re.findall(r'name="csrf" value="([0-9a-f]+)"', page.text)[0])


# --- accounts ---------------------------------------------------------------------------------------------------------


def test_a_new_account_changes_its_one_time_password_before_anything_else(bureau: Bureau) -> None:
    form = {"name": "韩雪", "username": "hanxue", "roles": ["unit_clerk", "auditor"], "unit_id": "hazchem"}
    made = bureau.admin.post("/office/accounts/new", data=form)
    (password,) = re.findall(r'class="code">([a-z0-9-]{19})<', made.text)
    assert made.headers["cache-control"] == "no-store"
    assert bureau.last()[0] == "account.add"

    api = bureau.running.client()
    assert api.post("/api/session", json={"username": "hanxue", "password": password}).json()["code"] == (
        "password_must_change"
    )
    browser = bureau.browser("hanxue", password)
    assert browser.last.headers["location"] == "/office/me/password"  # type: ignore[attr-defined]
    assert browser.get("/office/inbox").headers["location"] == "/office/me/password"
    page = browser.get("/office/me/password")
    given = {"csrf": csrf(page), "old_password": password, "new_password": NEW, "again": NEW}
    assert browser.post("/office/me/password", data=given).headers["location"] == "/office/me"
    assert browser.get("/office/inbox").status_code == 200
    assert api.post("/api/session", json={"username": "hanxue", "password": NEW}).status_code == 200
    for client in (api, browser):
        client.close()


def test_a_program_changes_a_one_time_password_without_a_session(bureau: Bureau) -> None:
    account = add_account(bureau.db)
    made = bureau.admin.post(f"/office/accounts/{account}/reset", data={})
    (password,) = re.findall(r'class="code">([a-z0-9-]{19})<', made.text)
    with bureau.running.client() as api:
        short = {"username": account, "password": password, "new_password": "short"}
        assert api.post("/api/session/password", json=short).json()["faults"][0]["code"] == "password_short"
        assert api.post("/api/session/password", json=short | {"new_password": NEW}).status_code == 204
        assert api.post("/api/session", json={"username": account, "password": NEW}).status_code == 200


def test_what_is_wrong_is_said_beside_every_field_and_nothing_typed_is_lost(bureau: Bureau) -> None:
    form = {"name": "", "username": "9x", "roles": ["officer"], "unit_id": ""}
    answer = bureau.admin.post("/office/accounts/new", data=form)
    assert answer.status_code == 422
    for field in ("name", "username", "unit_id", "officer_id"):
        assert f'id="f-{field}-fault"' in answer.text
        assert f'<a href="#f-{field}">' in answer.text
    assert 'value="9x"' in answer.text
    assert re.search(r'value="officer" checked', answer.text)


def test_a_user_name_is_given_once(bureau: Bureau) -> None:
    form = {"name": "另一个", "username": "clerk", "roles": ["auditor"]}
    answer = bureau.admin.post("/office/accounts/new", data=form, headers={"Accept": "application/json"})
    assert [(fault["field"], fault["code"]) for fault in answer.json()["faults"]] == [("username", "username_taken")]


def test_roles_change_with_a_reason(bureau: Bureau) -> None:
    account = add_account(bureau.db)
    form = {"name": "新名", "username": account, "roles": ["auditor", "principal"]}
    answer = bureau.admin.post(f"/office/accounts/{account}", data=form)
    assert (answer.status_code, 'id="f-reason-fault"' in answer.text) == (422, True)
    done = bureau.admin.post(f"/office/accounts/{account}", data=form | {"reason": "任命"})
    assert done.headers["location"] == f"/office/accounts/{account}"
    assert bureau.value(tables.account.c.roles, account) == ["principal", "auditor"]
    assert bureau.last() == ("account.change", "admin", f"account:{account}")


def test_an_account_of_the_office_never_becomes_an_officers(bureau: Bureau) -> None:
    """Phones and crews know an officer by the id of his account: with another he would be nobody's colleague."""
    with bureau.db.write() as conn:
        conn.execute(sa.insert(tables.officer).values(officer_row(77, "late", unit_id="hazchem")))
    account = add_account(bureau.db)
    form = {"name": "新名", "username": account, "roles": ["officer"], "unit_id": "hazchem", "officer_id": "late"}
    answer = bureau.admin.post(
        f"/office/accounts/{account}", data=form | {"reason": "任命"}, headers={"Accept": "application/json"}
    )
    assert [fault["code"] for fault in answer.json()["faults"]] == ["officer_stays"]


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(bureau: Bureau) -> None:
    account = add_account(bureau.db)
    seen = re.findall(r'name="seen" value="(\w+)"', bureau.admin.get(f"/office/accounts/{account}").text)[0]
    form = {"name": "先改的", "username": account, "roles": ["auditor"], "seen": seen}
    assert bureau.admin.post(f"/office/accounts/{account}", data=form).status_code == 303
    late = bureau.admin.post(f"/office/accounts/{account}", data=form | {"name": "后改的"})
    assert (late.status_code, 'value="后改的"' in late.text) == (409, True)
    assert bureau.value(tables.account.c.name, account) == "先改的"


def test_who_is_disabled_is_out_at_once_and_may_come_back(bureau: Bureau) -> None:
    account = add_account(bureau.db)
    client = bureau.running.signed_in(account)
    assert bureau.admin.post(f"/office/accounts/{account}/disable", data={"reason": "离岗"}).status_code == 303
    assert client.get("/api/session").status_code == 401
    client.close()
    assert bureau.admin.post(f"/office/accounts/{account}/disable", data={"reason": "离岗"}).status_code == 409
    assert bureau.admin.post(f"/office/accounts/{account}/enable", data={"reason": "返岗"}).status_code == 303
    bureau.running.signed_in(account).close()


def test_the_last_admin_stays_and_nobody_gives_himself_a_role(bureau: Bureau) -> None:
    form = {"name": "admin", "username": "admin", "unit_id": "hazchem", "reason": "x"}
    for roles, code in (["auditor"], "last_admin"), (["admin", "principal"], "own_roles"):
        answer = bureau.admin.post(
            "/office/accounts/admin", data=form | {"roles": roles}, headers={"Accept": "application/json"}
        )
        assert answer.json()["code"] == code
    off = bureau.admin.post("/office/accounts/admin/disable", data={"reason": "x"})
    assert off.status_code == 409

    second = add_account(bureau.db, roles=("admin", "auditor"))
    other = bureau.running.signed_in(second)
    gone = {"name": second, "username": second, "roles": ["auditor"], "reason": "换人"}
    assert other.post(f"/office/accounts/{second}", data=gone).status_code == 303
    assert other.get("/office/accounts").status_code == 200, "the auditor reads"
    assert other.get("/office/accounts/new").status_code == 403
    other.close()


# --- the password again -----------------------------------------------------------------------------------------------


def test_a_password_given_long_ago_is_asked_again_and_what_was_typed_stays(bureau: Bureau) -> None:
    account = add_account(bureau.db)
    make_proof_old(bureau.db, "admin")
    form = {"name": "改了", "username": account, "roles": ["auditor"]}
    programs = {"Accept": "application/json"}
    asked = bureau.admin.post(f"/office/accounts/{account}", data=form, headers=programs)
    assert (asked.status_code, asked.json()["code"]) == (403, "proof_needed")

    page = bureau.admin.post(f"/office/accounts/{account}", data=form)
    assert (page.status_code, 'value="改了"' in page.text, 'name="proof"' in page.text) == (422, True, True)
    wrong = bureau.admin.post(f"/office/accounts/{account}", data=form | {"proof": "wrong-password"})
    assert (wrong.status_code, "wrong-password" in wrong.text) == (422, False)
    assert bureau.admin.post(f"/office/accounts/{account}", data=form | {"proof": PASSWORD}).status_code == 303
    assert bureau.value(tables.account.c.name, account) == "改了"
    fresh = bureau.admin.post(f"/office/accounts/{account}", data=form | {"name": "又改", "proof": "wrong-password"})
    assert fresh.status_code == 422  # though none was needed any more
    assert bureau.value(tables.account.c.name, account) == "改了"


def test_a_program_gives_the_password_again_by_itself(bureau: Bureau) -> None:
    make_proof_old(bureau.db, "admin")
    assert bureau.admin.post("/api/session/proof", json={"password": "wrong-password"}).status_code == 401
    assert bureau.admin.post("/api/session/proof", json={"password": PASSWORD}).json()["until"] > "2026"
    account = add_account(bureau.db)
    assert bureau.admin.post(f"/office/accounts/{account}/reset", data={}).status_code == 200


@pytest.mark.parametrize(
    ("back", "leads_to"),
    [
        ("/office/accounts?q=张&show=on", "/office/accounts?q=%E5%BC%A0&show=on"),
        ("https://elsewhere.example/", "/office/"),
        ("//elsewhere.example/office/", "/office/"),
        ("/office/\\elsewhere.example", "/office/"),
        ("/office/..//elsewhere.example", "/office/"),
    ],
)
def test_after_the_password_one_is_led_on_but_never_elsewhere(bureau: Bureau, back: str, leads_to: str) -> None:
    answer = bureau.admin.post("/office/confirm", data={"proof": PASSWORD, "back": back})
    assert (answer.status_code, answer.headers["location"]) == (303, leads_to)


# --- one's own --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("new", "again", "code"),
    [
        ("short", "short", "password_short"),
        ("1234567890", "1234567890", "password_common"),
        ("abcdefghijkl", "abcdefghijkl", "password_common"),
        ("aaaaaaaaaaaa", "aaaaaaaaaaaa", "password_common"),
        ("i-am-the-Clerk", "i-am-the-Clerk", "password_is_name"),
        (PASSWORD, PASSWORD, "password_same"),
        (NEW, f"{NEW}!", "password_differs"),
        ("x" * 201, "x" * 201, "password_long"),
    ],
)
def test_a_new_password_is_long_and_no_common_one(bureau: Bureau, new: str, again: str, code: str) -> None:
    clerk = bureau.running.signed_in("clerk")
    answer = clerk.post(
        "/office/me/password", data={"old_password": PASSWORD, "new_password": new, "again": again}, headers=HTML
    )
    assert answer.status_code == 422
    assert f"{len(new)} 个字符" in answer.text if code in ("password_short", "password_long") else True
    assert new not in answer.text
    clerk.close()
    bureau.running.signed_in("clerk").close()


def test_the_present_password_is_asked_for_a_new_one(bureau: Bureau) -> None:
    clerk = bureau.running.signed_in("clerk")
    form = {"old_password": "not-the-password", "new_password": NEW, "again": NEW}
    answer = clerk.post("/office/me/password", data=form, headers=HTML)
    assert (answer.status_code, 'id="f-old_password-fault"' in answer.text) == (422, True)
    clerk.close()


def test_with_a_new_password_the_other_sessions_end_but_this_one_and_the_phones(bureau: Bureau) -> None:
    account = add_account(bureau.db, roles=("officer",))
    here, there = bureau.running.signed_in(account), bureau.running.signed_in(account)
    phone = Phone(bureau.running.url, account).sign_in().enrol()
    form = {"old_password": PASSWORD, "new_password": NEW, "again": NEW}
    assert here.post("/office/me/password", data=form, headers=HTML).status_code == 303
    assert here.get("/api/session").status_code == 200
    assert there.get("/api/session").status_code == 401
    assert phone.http.get("/api/session").status_code == 200
    for client in (here, there):
        client.close()


# --- phones -----------------------------------------------------------------------------------------------------------


def test_a_phone_is_listed_and_revoked_with_a_reason(bureau: Bureau) -> None:
    rid = Phone(bureau.running.url, "li").sign_in().enrol("李的手机").pen.rid
    assert "李的手机" in bureau.admin.get("/office/devices?q=李的手机").text
    address = f"/office/devices/{rid}"
    assert bureau.admin.post(f"{address}/revoke", data={}).status_code == 422
    assert bureau.admin.post(f"{address}/revoke", data={"reason": "丢在出租车上"}).headers["location"] == address
    assert "丢在出租车上" in bureau.admin.get(address).text
    assert bureau.last() == ("device.revoke", "admin", f"device:{rid}")
    assert bureau.admin.post(f"{address}/revoke", data={"reason": "再来"}).status_code == 409


def test_an_officer_revokes_his_own_phone_and_knows_of_no_other(bureau: Bureau) -> None:
    own = Phone(bureau.running.url, "zhang").sign_in().enrol("张的手机")
    other = Phone(bureau.running.url, "wang").sign_in().enrol()
    for method, more in (("GET", ""), ("POST", "/revoke")):
        answer = own.http.request(method, f"/office/devices/{other.pen.rid}{more}", headers=HTML, data={"reason": "x"})
        assert answer.status_code == 404
    assert own.http.post(f"/office/devices/{own.pen.rid}/revoke", data={"reason": "换机"}).status_code == 303


# --- units ------------------------------------------------------------------------------------------------------------


def test_a_unit_moves_in_the_tree_but_never_under_itself(bureau: Bureau) -> None:
    top = add_unit(bureau.db)
    middle = add_unit(bureau.db, top)
    low = add_unit(bureau.db, middle)
    form = {"name": "顶", "kind": "bureau", "parent_id": low}
    answer = bureau.admin.post(f"/office/units/{top}", data=form)
    assert (answer.status_code, 'id="f-parent_id-fault"' in answer.text) == (422, True)
    assert bureau.admin.post(
        f"/office/units/{low}", data={"name": "低", "kind": "section", "parent_id": top}
    ).is_redirect
    assert bureau.value(tables.unit.c.parent_id, low) == top


def test_a_unit_with_people_or_units_under_it_is_not_closed(bureau: Bureau) -> None:
    top = add_unit(bureau.db)
    low = add_unit(bureau.db, top)
    add_account(bureau.db, unit_id=low)
    for unit in (top, low):
        answer = bureau.admin.post(f"/office/units/{unit}/close", data={"reason": "机构改革"})
        assert answer.status_code == 409
    empty = add_unit(bureau.db)
    assert bureau.admin.post(f"/office/units/{empty}/close", data={"reason": "机构改革"}).is_redirect
    assert bureau.value(tables.unit.c.closed_at, empty) is not None


def test_two_units_never_have_one_name(bureau: Bureau) -> None:
    add = {"name": "安全生产执法二队", "kind": "brigade"}
    assert bureau.admin.post("/office/units", data=add).is_redirect
    assert bureau.admin.post("/office/units", data=add).status_code == 422


# --- who may what -----------------------------------------------------------------------------------------------------


def test_the_page_of_permissions_is_the_table_itself(bureau: Bureau) -> None:
    from server.domain.access import RIGHTS, ROLES

    rows = re.findall(r'<tr><th scope="row">[^<]+</th>(.*?)</tr>', bureau.admin.get("/office/permissions").text, re.S)
    assert len(rows) == len(RIGHTS)
    shown = [[bool(re.search(r"class=\"tag", cell)) for cell in row.split("<td>")[1:]] for row in rows]
    assert shown == [[role in RIGHTS[right] for role in ROLES] for right in RIGHTS]


def test_a_page_that_needs_the_password_leads_through_the_page_that_asks_it(bureau: Bureau) -> None:
    """The address that was asked is not lost on the way."""
    from server.routes.pages import is_ours

    assert is_ours("/office/imports/exports?what=subjects")
    query = parse_qs(urlsplit("/office/confirm?back=%2Foffice%2Faccounts%3Fq%3D1").query)
    page = bureau.admin.get("/office/confirm", params={"back": query["back"][0]})
    assert 'value="/office/accounts?q=1"' in page.text
