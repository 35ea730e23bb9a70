"""Documents over HTTP: what may be made when, numbers, replacing, orders followed until their recheck closes them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Final

import httpx
import pytest
import sqlalchemy as sa

from server.domain.document import KINDS, Standing, lacking
from server.errors import Problem
from server.office.publication_facts import results_of
from server.store import directory, documents, numbers, tables
from server.store.session import Connection, Database
from server.sync.record import record_of
from tests.office.crew_hall import PNG
from tests.office.district import HTML, IDS, Office, demo_server
from tests.office.documenting import INTERVIEW, fresh_order, kept, made, pdf_of, posted, send_recheck
from tests.papers.reading import bare, pages_of
from tests.phone import Phone
from tests.scene import UNITS, populate

MOMENT: Final = datetime(2026, 11, 25, 2, tzinfo=UTC)
UNIT: Final = UNITS[0]
JSON: Final = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("documents") / "data", moment=MOMENT))
    yield found
    found.close()


def refusal(office: Office, who: str, name: str, kind: str, **form: str) -> tuple[int, str, str | None]:
    """Status, code and article with which a document is refused."""
    address = f"/office/documents/visits/{IDS[name]}/new"
    answer = office.client(who).post(address, data={"kind": kind, **form}, headers=JSON)
    document = answer.json()
    return answer.status_code, document["code"], document.get("article")


# --- what may be made when --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "code", "article"),
    [
        ("fresh-two", "interview_record", "document_not_begun", "23"),
        ("void", "interview_record", "document_not_begun", "23"),
        ("pending", "inspection_record", "document_not_final", "23"),
        ("stale", "rectification_order", "document_not_final", "23"),
        ("approved", "rectification_order", "document_nothing_ordered", "24"),
        ("approved", "on_site_measures", "document_nothing_major", "24"),
        ("approved", "refusal_record", "document_nothing_refused", "23"),
        ("approved", "recheck_opinion", "document_no_order", "24"),
    ],
)
def test_what_a_document_needs_is_asked_first(office: Office, name: str, kind: str, code: str, article: str) -> None:
    assert refusal(office, "clerk", name, kind) == (409, code, article)
    page = office.client("clerk").get(f"/office/documents/visits/{IDS[name]}", headers=HTML)
    assert Problem(code).sentence() in page.text


@pytest.mark.parametrize("who", ["head", "legal", "principal", "steering", "auditor", "admin"])
def test_only_the_units_clerk_makes_documents(office: Office, who: str) -> None:
    assert refusal(office, who, "ordered", "inspection_record")[:2] == (403, "forbidden")


def test_a_visit_of_another_unit_has_no_documents_for_a_clerk(office: Office) -> None:
    assert refusal(office, "clerk", "unqualified", "inspection_record")[:2] == (404, "not_found")


def test_what_was_typed_is_checked_and_comes_again(office: Office) -> None:
    wrong = INTERVIEW | {
        "talk": "没有说是谁说的",
        "until": "2026-11-24T13:00",
        "person": "",
        "place": "电话 14000001234",
    }
    answer = posted(office, "clerk", IDS["ordered"], "interview_record", **wrong)
    assert answer.status_code == 422
    for said in ("「没有说是谁说的」前面没有写", "早于开始", "没有填写", "这里写了电话或身份证号"):
        assert said in answer.text
    assert "14000001234" in answer.text  # in its own field, for him who typed it


# --- numbers ----------------------------------------------------------------------------------------------------------


class Broken(Exception):
    """What breaks a transaction off in the middle."""


def test_numbers_have_no_gap_however_many_ask_and_break_off(any_database: Database) -> None:
    populate(any_database)
    rounds = 200

    def ask(place: int) -> int | None:
        def work(conn: Connection) -> int:
            n = numbers.take(conn, UNIT, "inspection_record", 2026)
            if place % 3 == 0:
                raise Broken
            return n

        try:
            return any_database.run_write(work)
        except Broken:
            return None

    with ThreadPoolExecutor(8) as pool:
        given = [n for n in pool.map(ask, range(rounds)) if n is not None]
    assert sorted(given) == list(range(1, 1 + rounds - len(range(0, rounds, 3))))
    with any_database.read() as conn:
        assert numbers.last_of(conn, UNIT, "inspection_record", 2026) == len(given)
        assert numbers.last_of(conn, UNIT, "inspection_record", 2027) == 0


def test_clerks_who_make_documents_at_once_get_numbers_without_a_gap(office: Office) -> None:
    def make(_: int) -> httpx.Response:
        return posted(office, "clerk", IDS["returned"], "interview_record", **INTERVIEW)

    office.client("clerk").get(f"/office/documents/visits/{IDS['returned']}", headers=HTML)
    with ThreadPoolExecutor(6) as pool:
        assert [answer.status_code for answer in pool.map(make, range(18))] == [303] * 18
    with office.db.read() as conn:
        found = conn.execute(
            sa.select(tables.document.c.n, tables.document.c.no).where(tables.document.c.kind == "interview_record")
        ).all()
    assert sorted(row.n for row in found) == list(range(1, len(found) + 1))
    assert all(f"询问〔2026〕{row.n}号" in row.no for row in found)


def test_a_document_that_was_refused_takes_no_number(office: Office) -> None:
    with office.db.read() as conn:
        before = numbers.last_of(conn, "hazchem-section", "interview_record", 2026)
    fire = INTERVIEW | {"talk": "问：\U0001f525？\n答：没有。"}
    answer = posted(office, "clerk", IDS["ordered"], "interview_record", **fire)
    assert (answer.status_code, "U+1F525" in answer.text) == (422, True)
    assert 'name="named"' in answer.text
    id = made(office, "clerk", IDS["ordered"], "interview_record", **fire, named="yes")
    assert kept(office, id).n == before + 1
    assert "〔U+1F525〕" in "".join(pages_of(pdf_of(office, "clerk", id)))


def test_the_admin_says_what_a_units_numbers_begin_with(office: Office) -> None:
    admin = office.client("admin")
    first = made(office, "clerk-ic", IDS["unqualified"], "interview_record", **INTERVIEW)
    answer = admin.post("/office/documents/numbers/industry-section", data={"prefix": "卧应急工"}, headers=HTML)
    assert answer.status_code == 303
    then = kept(office, made(office, "clerk-ic", IDS["unqualified"], "interview_record", **INTERVIEW))
    assert then.no == f"卧应急工询问〔2026〕{then.n}号"
    assert then.n == kept(office, first).n + 1
    taken = admin.post("/office/documents/numbers/hazchem-section", data={"prefix": "卧应急工"}, headers=HTML)
    assert (taken.status_code, "已经用了这个字头" in taken.text) == (422, True)
    assert office.client("clerk").get("/office/documents/numbers", headers=HTML).status_code == 403


# --- bytes ------------------------------------------------------------------------------------------------------------


def test_a_reprint_is_the_bytes_that_were_numbered(office: Office) -> None:
    id = made(office, "clerk", IDS["approved"], "inspection_record")
    shown = office.client("head").get(f"/office/documents/{id}/document.pdf")
    saved = office.client("auditor").get(f"/office/documents/{id}/document.pdf?save=true")
    assert hashlib.sha256(shown.content).hexdigest() == kept(office, id).sha256
    assert shown.content == saved.content
    assert shown.headers["content-type"] == "application/pdf"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in shown.headers["cache-control"]
    assert [one.headers["content-disposition"].partition(";")[0] for one in (shown, saved)] == ["inline", "attachment"]


def test_the_record_is_printed_with_its_people_findings_results_and_code(office: Office) -> None:
    made_of, view = "unqualified", office.view("unqualified")
    body = "".join(pages_of(pdf_of(office, "clerk-ic", made(office, "clerk-ic", IDS[made_of], "inspection_record"))))
    content: Any = view["content"]
    for finding in content["finding"].values():
        assert bare(finding["text"]) in body
    with office.db.read() as conn:
        names = directory.names_of_people(conn)
    members: Any = view["members"]
    people = [f"{names[id]}（{'组长，' if id == view['leader'] else ''}执法证" for id in members]
    basis = bare(content["visit"]["basis:confined-space"])
    for said in (*people, "检查结果：不合格", "已出示执法证", content["visit"]["attendee"], basis, str(view["short"])):
        assert said in body
    assert "签名图像无法显示" not in body


def test_a_document_is_never_edited_a_new_one_replaces_it_and_says_so(office: Office) -> None:
    first = made(office, "clerk", IDS["refused"], "refusal_record", text="现场已录像")
    before = pdf_of(office, "clerk", first)
    status, code, _ = refusal(office, "clerk", "refused", "refusal_record")
    assert (status, code) == (409, "document_exists")
    assert refusal(office, "clerk", "refused", "refusal_record", replaces=first)[1] == "invalid"  # no reason
    reason = {"replaces": first, "reason": "漏写了见证人"}
    second = made(office, "clerk", IDS["refused"], "refusal_record", text="现场已录像", **reason)
    assert kept(office, second).n == kept(office, first).n + 1
    assert bare(f"本文书替代{kept(office, first).no}。替代原因：漏写了见证人") in "".join(
        pages_of(pdf_of(office, "clerk", second))
    )
    assert pdf_of(office, "clerk", first) == before
    assert refusal(office, "clerk", "refused", "refusal_record", **reason)[:2] == (409, "document_replaced")
    page = office.client("clerk").get(f"/office/documents/{first}", headers=HTML).text
    assert kept(office, second).no in page and "已被替代" in page


@pytest.mark.parametrize("table", ["document", "document_prefix", "recheck"])
@pytest.mark.parametrize("verb", ["DELETE FROM {}", "UPDATE {} SET {} = {}"])
def test_the_database_keeps_what_was_made(any_database: Database, table: str, verb: str) -> None:
    rows = {
        "document": "id, visit_id, unit_id, kind, year, n, no, round, sheet, problems, reason, sha256, size, made_by,"
        f" made_at) SELECT 'd', 'v', '{UNIT}', 'k', 2026, 1, 'n', 1, 'x', '[]', '', 's', 1, 'a', 't'",
        "document_prefix": f"unit_id, at, prefix, \"by\") SELECT '{UNIT}', 't', 'p', 'a'",
        "recheck": "visit_id, order_id, opened_by, opened_at) SELECT 'v', 'd', 'a', 't'",
    }
    populate(any_database)
    column = {"document": "no", "document_prefix": "prefix", "recheck": "opened_by"}[table]

    def work(conn: Connection) -> None:
        loose = (
            "PRAGMA defer_foreign_keys=ON" if conn.dialect.name == "sqlite" else "SET session_replication_role=replica"
        )
        conn.exec_driver_sql(loose)
        conn.exec_driver_sql(f"INSERT INTO {table} ({rows[table]}")
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("SET session_replication_role=origin")
        conn.exec_driver_sql(verb.format(table, column, column))

    with pytest.raises(Problem) as refused:
        any_database.run_write(work)
    assert refused.value.code == "append_only"


# --- orders and rechecks ----------------------------------------------------------------------------------------------


def test_an_order_is_followed_until_the_opinion_of_its_recheck_closes_it(office: Office) -> None:
    visit_id, clerk = IDS["ordered"], office.client("clerk")
    record_of(office.db, visit_id)
    with office.db.read() as conn:
        # two tasks in one visit: type 5 rests on three findings of one of them, and none is ordered yet
        assert sorted(one.orders_missing for one in results_of(conn, visit_id)) == [0, 3]
    order_id = fresh_order(office, "clerk", "ordered")
    order = kept(office, order_id)
    with office.db.read() as conn:
        assert [one.orders_missing for one in results_of(conn, visit_id)] == [0, 0]
        assert len(documents.ordered(conn, visit_id, 1)) == 3
    assert [one.n for one in order.problems] == [1, 2, 3]
    assert order.due_on == min(str(one.due) for one in order.problems)
    body = "".join(pages_of(pdf_of(office, "clerk", order_id)))
    assert all(bare(one.text) in body for one in order.problems)

    home, open_ = clerk.get("/office/", headers=HTML).text, clerk.get("/office/documents/", headers=HTML).text
    assert f"/office/documents/{order_id}" in home and f"/office/documents/{order_id}" in open_
    assert "逾期" in open_  # its days were in the middle of November

    sent = send_recheck(office, "clerk", order_id, "li", "zhang")
    assert sent.status_code == 303
    recheck = sent.headers["location"].rpartition("/")[2]
    again = office.client("clerk").post(
        f"/office/documents/{order_id}/recheck", data={"officers": ["li", "zhang"], "leader": "li",
        "window_from": "2026-11-25", "window_to": "2026-12-01"}, headers=JSON,
    )  # fmt: skip
    assert (again.status_code, again.json()["code"]) == (409, "recheck_open")
    recheck_done(office, recheck, len(order.problems))
    assert clerk.get(f"/office/visits/{recheck}", headers=HTML).status_code == 200
    assert clerk.get(f"/office/crews/visits/{recheck}", headers=HTML).status_code == 200

    opinion = made(office, "clerk", recheck, "recheck_opinion")
    body = "".join(pages_of(pdf_of(office, "clerk", opinion)))
    assert bare(order.no) in body and "尚有1项没有按要求改正（第2项）" in body
    assert body.count("已改正") == 2 and "另一处堆放" in body
    assert f"/office/documents/{order_id}" not in clerk.get("/office/documents/", headers=HTML).text
    closed = clerk.get("/office/documents/?show=closed", headers=HTML).text
    assert f"/office/documents/{order_id}" in closed and f"/office/documents/{opinion}" in closed
    ended = office.client("clerk").post(
        f"/office/documents/{order_id}/recheck", data={"officers": ["li", "zhang"], "leader": "li",
        "window_from": "2026-11-25", "window_to": "2026-12-01"}, headers=JSON,
    )  # fmt: skip
    assert (ended.status_code, ended.json()["code"]) == (409, "recheck_not_needed")


def recheck_done(office: Office, visit: str, problems: int) -> None:
    """Li and Zhang go there: the second problem isn't corrected; both sign, and the subject too."""
    li, zhang = (Phone(office.running.url, name).start(visit) for name in ("li", "zhang"))
    assert visit in li.assignments and li.assignments[visit]["tasks"] == []
    for phone in (li, zhang):
        phone.set(visit, ["visit", f"no_interest:{phone.officer}"], {"interest": False, "reason": None})
        phone.drain()
    for n in range(1, problems + 1):
        li.set(visit, ["answer", f"rc-{n:03d}", "verdict"], "fail" if n == 2 else "pass")
    li.set(visit, ["answer", "rc-002", "note"], "另一处堆放")
    finding = {
        "text": "仍在同区存放",
        "point": "rc-002",
        "severity": "major",
        "measure": "deadline",
        "due": "2026-12-20",
    }
    li.write(visit, "add", ["finding"], finding)
    li.set(visit, ["visit", "result:rectification-recheck"], ["ordered_to_correct"])
    li.set(visit, ["visit", "result"], "ordered_to_correct")
    for _ in range(2):
        li.drain()
        zhang.drain()
    digest, image = li.view(visit)["digest"], li.upload(visit, PNG)
    li.sign(visit, digest, "leader", image=image)
    li.sign(visit, digest, "subject", "subject", image=image)
    zhang.sign(visit, digest, "member", image=image)
    zhang.drain()
    li.drain()
    li.propose(visit, digest, "ordered_to_correct", [])
    li.drain()
    assert li.view(visit)["phase"] == "final", li.view(visit)["missing"]


@pytest.mark.parametrize(
    ("officers", "code"),
    [(["li"], "crew_too_few"), (["li", "li"], "crew_too_few"), (["li", "zhao"], "crew_not_qualified"),
     (["li", "nobody"], "crew_not_qualified")],
)  # fmt: skip
def test_a_recheck_is_sent_with_two_officers_of_the_unit(office: Office, officers: list[str], code: str) -> None:
    order_id = fresh_order(office, "clerk", "returned")
    form = {"window_from": "2026-11-25", "window_to": "2026-12-01", "officers": officers, "leader": "li"}
    answer = office.client("clerk").post(f"/office/documents/{order_id}/recheck", data=form, headers=JSON)
    assert (answer.json()["code"], answer.json()["article"]) == (code, "18")


def test_a_recheck_beyond_somebodys_certificate_is_refused(office: Office) -> None:
    order_id = fresh_order(office, "clerk", "returned")
    form = {"window_from": "2026-11-25", "window_to": "2099-12-01", "officers": ["li", "zhang"], "leader": "li"}
    answer = office.client("clerk").post(f"/office/documents/{order_id}/recheck", data=form, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "crew_not_qualified")


# --- the pages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_each_kind_has_a_form_or_says_what_is_missing(office: Office, language: str) -> None:
    client = office.client("clerk")
    for kind in KINDS:
        address = f"/office/documents/visits/{IDS['ordered']}/new?kind={kind}"
        page = client.get(address, headers=HTML | {"Accept-Language": language})
        assert page.status_code == 200
        assert ('name="kind"' in page.text) == (kind not in ("recheck_opinion", "refusal_record"))
    assert client.get(f"/office/documents/visits/{IDS['ordered']}/new?kind=poem", headers=HTML).status_code == 404


def test_the_visits_page_leads_to_its_documents(office: Office) -> None:
    page = office.page("clerk", "ordered").text
    assert re.search(rf'href="/office/documents/visits/{IDS["ordered"]}"', page)


def test_every_kind_needs_that_the_visit_has_begun() -> None:
    assert {lacking(kind, Standing("dispatched", None)) for kind in KINDS} == {"document_not_begun"}
