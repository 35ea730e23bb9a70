"""The libraries of officers and experts, agencies, interests and leave, by the acts and over HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa

from server.domain.faults import Invalid
from server.domain.officer import OfficerEntry, check_officer
from server.errors import Problem
from server.office import agencies as agency_acts
from server.office import experts as expert_acts
from server.office import interests as interest_acts
from server.office import leave as leave_acts
from server.office import officers as acts
from server.store import experts, officers, personnel, tables
from server.store.people import Person
from server.store.seal import Sealer
from server.store.session import Connection, Database
from tests import scene
from tests.office import people
from tests.office.district import HTML, Office, demo_server

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
SEALER = Sealer([bytes(32)])
CLERK = Person("clerk", "clerk", "周敏", "hazchem", ("unit_clerk",), None)
OTHER = Person("clerk2", "clerk2", "吴越", "industry", ("unit_clerk",), None)


def entered(form: dict[str, object]) -> dict[str, str]:
    """A form of the small bureau, as the acts take it."""
    flat = {name: ",".join(value) if isinstance(value, list) else str(value) for name, value in form.items()}
    return flat | ({"unit_id": "hazchem"} if flat.get("unit_id") == "hazchem-section" else {})


@pytest.fixture
def bureau(any_database: Database) -> Database:
    scene.populate(any_database)
    return any_database


def add(conn: Connection, **changes: object) -> str:
    return acts.add_officer(conn, CLERK, NOW, SEALER, entered(people.officer(**changes)))


def refused(call: Callable[[], object]) -> Problem:
    with pytest.raises(Problem) as found:
        call()
    return found.value


def faults_of(problem: Problem) -> set[tuple[str, str]]:
    assert isinstance(problem, Invalid)
    return {(fault.field, fault.code) for fault in problem.faults}


# --- the acts, on both databases --------------------------------------------------------------------------------------


@pytest.mark.rule("R9.1", "allows")
def test_an_officer_is_stored_sealed_and_leaves_the_store_masked(bureau: Database) -> None:
    form = people.officer()
    officer_id = bureau.run_write(lambda conn: acts.add_officer(conn, CLERK, NOW, SEALER, entered(form)))
    with bureau.read() as conn:
        row = officers.officer_row(conn, officer_id)
        one = officers.officer_of(conn, SEALER, officer_id)
    assert row is not None and one is not None
    for field in ("phone", "id_number"):
        assert form[field].encode() not in bytes(row[field])
        assert SEALER.open("officer", field, officer_id, row[field]) == form[field]
    assert one.phone == f"140****{form['phone'][-4:]}"
    assert one.id_number == f"{form['id_number'][0]}{'*' * 16}{form['id_number'][-1]}"


@pytest.mark.rule("R9.1", "refuses")
def test_an_officer_who_lacks_something_is_not_taken_in(bureau: Database) -> None:
    with bureau.read() as conn:
        before = conn.scalar(sa.select(sa.func.count()).select_from(tables.officer))
    form = people.officer(phone="", id_number="411303190001010011", domains=[])
    problem = refused(lambda: bureau.run_write(lambda conn: acts.add_officer(conn, CLERK, NOW, SEALER, entered(form))))
    assert (problem.code, problem.article) == ("invalid", "9")
    assert {("phone", "missing"), ("domains", "missing")} <= faults_of(problem)
    with bureau.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(tables.officer)) == before


@pytest.mark.rule("R9.1", "refuses")
def test_nobody_is_entered_twice(bureau: Database) -> None:
    with bureau.write() as conn:
        first = people.officer()
        acts.add_officer(conn, CLERK, NOW, SEALER, entered(first))
    again = people.officer(certificate=first["certificate"].lower(), id_number=f" {first['id_number']}")
    with bureau.write() as conn:
        problem = refused(lambda: acts.add_officer(conn, CLERK, NOW, SEALER, entered(again)))
    assert (problem.code, problem.article) == ("invalid", "9")
    assert faults_of(problem) == {("certificate", "certificate_taken"), ("id_number", "id_number_taken")}


def test_two_who_enter_one_number_at_once_are_told_so(bureau: Database) -> None:
    """The database itself guards what the check can't see yet."""
    entry = {"a": _entry(people.officer(certificate="豫R1")), "b": _entry(people.officer(certificate="豫R1"))}
    problem = refused(
        lambda: bureau.run_write(lambda conn: officers.insert_officers(conn, SEALER, entry, "clerk", NOW))
    )
    assert problem.code == "taken_meanwhile"


def _entry(form: dict[str, object]) -> OfficerEntry:
    entry, _ = check_officer(entered(form), ["hazchem"], date(2026, 11, 24))
    assert entry is not None
    return entry


def test_what_only_warns_is_saved_when_it_is_meant_so(bureau: Database) -> None:
    form = people.officer(certificate_to="2026-11-01")
    with bureau.write() as conn:
        problem = refused(lambda: acts.add_officer(conn, CLERK, NOW, SEALER, entered(form)))
        assert faults_of(problem) == {("certificate_to", "certificate_over")}
        assert acts.add_officer(conn, CLERK, NOW, SEALER, entered(form) | {"anyway": "yes"})


def test_a_change_keeps_masked_numbers_and_the_history_says_what_changed(bureau: Database) -> None:
    with bureau.write() as conn:
        officer_id = add(conn, name="白晓棠")
        one = officers.officer_of(conn, SEALER, officer_id)
        assert one is not None
        kept = people.officer(name="白晓梅", certificate=one.certificate, phone=one.phone, id_number=one.id_number)
        before = officers.officer_row(conn, officer_id)
        acts.change_officer(conn, CLERK, NOW, SEALER, officer_id, entered(kept))
        after = officers.officer_row(conn, officer_id)
        assert before is not None and after is not None
        assert (after["phone"], after["id_number"]) == (before["phone"], before["id_number"])
        new_phone = people.phone()
        acts.change_officer(conn, CLERK, NOW, SEALER, officer_id, entered(kept | {"phone": new_phone}))
        history = personnel.history_of(conn, f"officer:{officer_id}")
    assert [event.act for event in history] == ["change", "change", "add"]
    assert history[0].changes == (personnel.Change("phone"),)
    assert history[1].changes == (personnel.Change("name", "白晓棠", "白晓梅"),)
    assert new_phone not in repr(history)


def test_of_two_who_change_one_officer_the_second_is_told_so(bureau: Database) -> None:
    with bureau.write() as conn:
        officer_id = add(conn)
        form = entered(people.officer()) | {"rev": "1"}
        acts.change_officer(conn, CLERK, NOW, SEALER, officer_id, form)
        problem = refused(lambda: acts.change_officer(conn, CLERK, NOW, SEALER, officer_id, form))
    assert problem.code == "changed_meanwhile"


@pytest.mark.rule("R9.2", "allows")
def test_who_leaves_is_eligible_until_then_and_the_history_stays(bureau: Database) -> None:
    with bureau.write() as conn:
        officer_id = add(conn)
        acts.officer_leaves(conn, CLERK, NOW, officer_id, {"left_on": "2026-12-01", "left_reason": "调离"})
        one = officers.officer_of(conn, SEALER, officer_id)
        assert one is not None and one.left_on == "2026-12-01"
        acts.must_be_fit(conn, one, date(2026, 11, 30), date(2026, 11, 30))
        assert [event.act for event in personnel.history_of(conn, f"officer:{officer_id}")] == ["leave", "add"]


@pytest.mark.rule("R9.2", "refuses")
def test_who_has_left_is_not_sent_nor_changed_until_he_comes_back(bureau: Database) -> None:
    with bureau.write() as conn:
        officer_id = add(conn)
        acts.officer_leaves(conn, CLERK, NOW, officer_id, {"left_on": "2026-11-24", "left_reason": "调离"})
        one = officers.officer_of(conn, SEALER, officer_id)
        assert one is not None
        day = date(2026, 11, 24)
        for call in (
            lambda: acts.must_be_fit(conn, one, day, day),
            lambda: acts.change_officer(conn, CLERK, NOW, SEALER, officer_id, entered(people.officer())),
            lambda: leave_acts.add_leave(conn, CLERK, NOW, people.leave(officer_id)),
        ):
            problem = refused(call)
            assert (problem.code, problem.article) == ("person_left", "9")
        acts.officer_returns(conn, CLERK, NOW, officer_id, {"left_reason": "借调结束"})
        acts.change_officer(conn, CLERK, NOW, SEALER, officer_id, entered(people.officer()))


@pytest.mark.parametrize("statement", ["UPDATE personnel_history SET act = 'x'", "DELETE FROM personnel_history"])
def test_nobody_can_edit_the_history(bureau: Database, statement: str) -> None:
    bureau.run_write(lambda conn: add(conn))
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), bureau.write() as conn:
        conn.exec_driver_sql(statement)


@pytest.mark.rule("R9.3", "allows")
def test_an_expert_is_kept_alike(bureau: Database) -> None:
    form = people.expert()
    with bureau.write() as conn:
        expert_id = expert_acts.add_expert(conn, CLERK, NOW, SEALER, entered(form))
        expert_acts.change_expert(conn, CLERK, NOW, SEALER, expert_id, entered(people.expert(title="教授")))
        expert_acts.expert_leaves(conn, CLERK, NOW, expert_id, {"left_on": "2027-01-01", "left_reason": "到期"})
        one = experts.expert_of(conn, SEALER, expert_id)
        history = personnel.history_of(conn, f"expert:{expert_id}")
    assert one is not None and (one.title, one.left_on) == ("教授", "2027-01-01")
    assert one.phone.startswith("140****")
    assert [event.act for event in history] == ["leave", "change", "add"]


@pytest.mark.rule("R9.3", "refuses")
def test_an_expert_without_a_number_or_with_another_s_is_not_taken_in(bureau: Database) -> None:
    first = people.expert()
    with bureau.write() as conn:
        expert_acts.add_expert(conn, CLERK, NOW, SEALER, entered(first))
        without = refused(
            lambda: expert_acts.add_expert(conn, CLERK, NOW, SEALER, entered(people.expert(id_number="")))
        )
        same = entered(people.expert(id_number=first["id_number"]))
        again = refused(lambda: expert_acts.add_expert(conn, CLERK, NOW, SEALER, same))
    assert (without.code, without.article) == ("invalid", "9")
    assert faults_of(without) == {("id_number", "missing")}
    assert faults_of(again) == {("id_number", "id_number_taken")}


def test_an_expert_is_changed_only_by_the_unit_that_keeps_him(bureau: Database) -> None:
    with bureau.write() as conn:
        expert_id = expert_acts.add_expert(conn, CLERK, NOW, SEALER, entered(people.expert()))
        problem = refused(lambda: expert_acts.change_expert(conn, OTHER, NOW, SEALER, expert_id, {}))
    assert (problem.code, problem.article) == ("other_unit", "3")


@pytest.mark.rule("R19.1", "refuses")
def test_an_officer_whose_certificate_ends_before_the_visit_is_not_fit(bureau: Database) -> None:
    with bureau.write() as conn:
        one = officers.officer_of(conn, SEALER, add(conn, certificate_to="2026-12-31"))
        assert one is not None
        acts.must_be_fit(conn, one, date(2026, 12, 1), date(2026, 12, 31))
        problem = refused(lambda: acts.must_be_fit(conn, one, date(2026, 12, 1), date(2027, 1, 1)))
    assert (problem.code, problem.article) == ("certificate_over", "19")


def _subject(conn: Connection) -> str:
    """A subject of the small bureau; its code."""
    scene_subject = {column.name: _any(column) for column in tables.subject.c if not column.nullable}
    code = "91411303MA5JN8M19J"
    conn.execute(sa.insert(tables.subject).values(scene_subject | {"id": "s1", "uscc": code, "name": "南阳某化工厂"}))
    return code


def _any(column: sa.Column[object]) -> object:
    if isinstance(column.type, sa.JSON):
        return []
    if isinstance(column.type, sa.LargeBinary):
        return b""
    return 0 if isinstance(column.type, sa.Integer | sa.Boolean) else "x"


@pytest.mark.rule("R20.2", "allows")
def test_an_interest_is_registered_and_ends_with_its_last_day(bureau: Database) -> None:
    with bureau.write() as conn:
        officer_id, code = add(conn), _subject(conn)
        one = officers.officer_of(conn, SEALER, officer_id)
        assert one is not None
        interest_id = interest_acts.add_interest(conn, CLERK, NOW, people.interest(officer_id, code))
        interest_acts.end_interest(conn, CLERK, NOW, interest_id, {"until": "2026-11-30"})
        acts.must_be_fit(conn, one, date(2026, 12, 1), date(2026, 12, 31), "s1")
        acts.must_be_fit(conn, one, date(2026, 11, 1), date(2026, 11, 30), "another")


@pytest.mark.rule("R20.2", "refuses")
def test_who_has_a_known_interest_is_not_fit_for_that_subject(bureau: Database) -> None:
    with bureau.write() as conn:
        officer_id, code = add(conn), _subject(conn)
        one = officers.officer_of(conn, SEALER, officer_id)
        assert one is not None
        interest_acts.add_interest(conn, CLERK, NOW, people.interest(officer_id, code))
        fit = refused(lambda: acts.must_be_fit(conn, one, date(2026, 12, 1), date(2026, 12, 31), "s1"))
        again = refused(lambda: interest_acts.add_interest(conn, CLERK, NOW, people.interest(officer_id, code)))
        wrong = refused(lambda: interest_acts.add_interest(conn, CLERK, NOW, people.interest(officer_id, "9141")))
    assert (fit.code, fit.article) == ("interest_known", "20")
    assert faults_of(again) == {("subject", "interest_taken")}
    assert (wrong.code, wrong.article) == ("invalid", "20")


@pytest.mark.rule("R25.2", "allows")
def test_an_agency_is_entered_with_its_contract(bureau: Database) -> None:
    with bureau.write() as conn:
        agency_id = agency_acts.add_agency(conn, CLERK, NOW, entered(people.agency()))
        longer = entered(people.agency(contract_to="2027-06-30"))
        agency_acts.change_agency(conn, CLERK, NOW, agency_id, longer)
        assert agency_acts.agency_for(conn, agency_id).contract_to == "2027-06-30"


@pytest.mark.rule("R25.2", "refuses")
def test_an_agency_without_a_contract_is_not_entered(bureau: Database) -> None:
    with bureau.write() as conn:
        problem = refused(
            lambda: agency_acts.add_agency(conn, CLERK, NOW, entered(people.agency(contract="", contract_to="")))
        )
    assert (problem.code, problem.article) == ("invalid", "25")
    assert faults_of(problem) == {("contract", "missing"), ("contract_to", "missing")}


def test_leave_is_entered_and_taken_back(bureau: Database) -> None:
    with bureau.write() as conn:
        officer_id = add(conn)
        one = officers.officer_of(conn, SEALER, officer_id)
        assert one is not None
        leave_id = leave_acts.add_leave(conn, CLERK, NOW, people.leave(officer_id))
        problem = refused(lambda: acts.must_be_fit(conn, one, date(2026, 12, 8), date(2026, 12, 9)))
        leave_acts.cancel_leave(conn, CLERK, NOW, leave_id, {"reason": "会议取消"})
        acts.must_be_fit(conn, one, date(2026, 12, 8), date(2026, 12, 9))
    assert problem.code == "on_leave"


def test_a_number_is_shown_for_a_reason_only_and_the_trail_knows_the_reason_and_not_the_number(
    bureau: Database,
) -> None:
    form = people.officer()
    asked = {"field": "id_number", "reason": "核对换证材料"}
    with bureau.write() as conn:
        officer_id = acts.add_officer(conn, CLERK, NOW, SEALER, entered(form))
        assert acts.reveal_officer(conn, CLERK, NOW, SEALER, officer_id, asked) == form["id_number"]
        last = conn.execute(sa.select(tables.trail).order_by(tables.trail.c.n.desc()).limit(1)).one()
        nothing = refused(lambda: acts.reveal_officer(conn, CLERK, NOW, SEALER, officer_id, {}))
        number = {"field": "phone", "reason": f"是不是{form['phone']}"}
        inside = refused(lambda: acts.reveal_officer(conn, CLERK, NOW, SEALER, officer_id, number))
        foreign = refused(lambda: acts.reveal_officer(conn, OTHER, NOW, SEALER, officer_id, asked))
    assert (last.act, last.object) == ("officer.reveal", f"officer:{officer_id}")
    assert "核对换证材料" in bytes(last.detail).decode() and form["id_number"] not in bytes(last.detail).decode()
    assert faults_of(nothing) == {("field", "missing"), ("reason", "missing")}
    assert faults_of(inside) == {("reason", "number_in_text")}
    assert foreign.code == "not_found"


def test_who_is_spoken_of_nowhere_can_be_taken_out_again(bureau: Database) -> None:
    """What undoes an import."""
    with bureau.write() as conn:
        officers.insert_officers(conn, SEALER, {"new": _entry(people.officer())}, "import", NOW)
        assert officers.used_officers(conn, ["new", "li"]) == {"li"}
        officers.remove_officers(conn, ["new"], "import", NOW)
        assert officers.officer_row(conn, "new") is None
        assert [event.act for event in personnel.history_of(conn, "officer:new")] == ["remove", "add"]


# --- over HTTP, in the demo district ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("officers") / "data"))
    yield found
    found.close()


def get(office: Office, path: str, who: str = "clerk") -> str:
    answer = office.client(who).get(f"/office/officers{path}", headers=HTML)
    assert answer.status_code == 200, answer.text
    return answer.text


def names(text: str) -> set[str]:
    return set(re.findall(r'<th scope="row"><a href="/office/officers/([^"]+)"', text))


@pytest.mark.rule("R9.1", "http")
def test_a_clerk_takes_somebody_in_and_sees_masks_only(office: Office) -> None:
    form = people.officer(name="白晓棠")
    officer_id = people.made(office, "/new", form)
    page = get(office, f"/{officer_id}") + get(office, "?q=bxt") + get(office, f"/{officer_id}/edit")
    assert f"140****{form['phone'][-4:]}" in page
    assert form["phone"] not in page and form["id_number"] not in page
    empty = people.post(office, "/new", {})
    assert empty.status_code == 422
    for field in ("name", "phone", "id_number", "certificate"):
        assert f'id="f-{field}-fault"' in empty.text
    problem = office.client("clerk").post("/office/officers/new", data={}).json()
    assert (problem["code"], problem["article"]) == ("invalid", "9")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=张", {"zhang"}),
        ("?q=zhangli", {"zhang"}),
        ("?q=zl", {"zhang"}),
        ("?q=豫R13000003", {"wang"}),
        ("?q=14000007001", {"li"}),
        ("?q=nobody", set()),
        ("?domain=safety_services", {"li", "liu", "song"}),
    ],
)
def test_officers_are_found_by_name_pinyin_certificate_number_and_domain(
    office: Office, query: str, found: set[str]
) -> None:
    text = get(office, query)
    assert {name for name in names(text) if len(name) < 20} == found
    assert "14000007001" not in text


def test_the_filters_by_validity_count_what_the_demo_holds(office: Office) -> None:
    assert names(get(office, "?state=soon", "principal")) == {"sun"}
    assert names(get(office, "?state=expired", "principal")) == {"officer-22"}
    assert names(get(office, "?state=left", "principal")) == set()
    assert names(get(office, "?unit=brigade&state=all", "auditor")) == {f"officer-{n}" for n in range(15, 25)}


@pytest.mark.rule("R9.2", "http")
@pytest.mark.rule("R19.1", "http")
@pytest.mark.rule("R20.2", "http")
def test_whether_somebody_may_be_sent_is_asked_for_days_and_a_subject(office: Office) -> None:
    client = office.client("legal")
    ask = "/office/officers/{}/fitness?since={}&until={}&subject={}".format
    assert client.get(ask("li", "2026-12-01", "2026-12-31", "")).json() == {"fit": True}
    over = client.get(ask("sun", "2026-12-01", "2026-12-31", "")).json()
    assert (over["code"], over["article"]) == ("certificate_over", "19")
    known = client.get(ask("zhao", "2026-12-01", "2026-12-01", people.code_of(office, "subject-120"))).json()
    assert (known["code"], known["article"]) == ("interest_known", "20")
    officer_id = people.made(office, "/new", people.officer())
    leaving = {"left_on": "2026-12-05", "left_reason": "退休"}
    assert people.post(office, f"/{officer_id}/leave", leaving).status_code == 303
    left = client.get(ask(officer_id, "2026-12-05", "2026-12-05", ""))
    assert (left.status_code, left.json()["code"], left.json()["article"]) == (409, "person_left", "9")
    page = client.get(ask(officer_id, "2026-12-05", "2026-12-05", ""), headers=HTML)
    assert "不在岗" in page.text


@pytest.mark.rule("R9.3", "http")
def test_experts_are_read_by_every_unit_and_changed_by_their_own(office: Office) -> None:
    assert names_of_experts(get(office, "/experts")) >= {f"expert-{n}" for n in range(1, 7)}
    answer = people.post(office, "/experts/expert-3/edit", people.expert())
    assert answer.status_code == 403
    assert people.made(office, "/experts/new", people.expert())
    refused_form = office.client("clerk").post("/office/officers/experts/new", data={})
    assert (refused_form.status_code, refused_form.json()["article"]) == (422, "9")


def names_of_experts(text: str) -> set[str]:
    return set(re.findall(r'href="/office/officers/experts/(expert-\d+)"', text))


@pytest.mark.rule("R25.2", "http")
def test_an_agency_is_entered_by_its_unit_and_is_never_one_of_the_two(office: Office) -> None:
    agency_id = people.made(office, "/agencies/new", people.agency())
    assert "南阳安信检测有限公司" in get(office, f"/agencies/{agency_id}", "auditor")
    without = office.client("clerk").post("/office/officers/agencies/new", data=people.agency(contract=""))
    assert (without.status_code, without.json()["code"], without.json()["article"]) == (422, "invalid", "25")
    body = {"kind": "assign", "path": ["crew", agency_id], "val": {"role": "member", "reason": "x"}}
    with office.db.read() as conn:
        visit_id = str(conn.scalar(sa.select(tables.visit.c.id).where(tables.visit.c.unit_id == "hazchem-section")))
    assert office.client("head").post(f"/api/visits/{visit_id}/acts", json=body).status_code >= 400


def test_a_number_is_shown_once_with_no_store_after_a_reason(office: Office) -> None:
    form = people.officer()
    officer_id = people.made(office, "/new", form)
    asked = {"field": "phone", "reason": "通知换证"}
    shown = people.post(office, f"/{officer_id}/reveal", asked)
    assert shown.status_code == 200 and form["phone"] in shown.text and form["id_number"] not in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert people.post(office, f"/{officer_id}/reveal", {"field": "phone"}).status_code == 422
    assert office.trail()[-1] == ("officer.reveal", "clerk")
    for who in ("auditor", "principal", "legal", "steering"):
        answer = office.client(who).post(f"/office/officers/{officer_id}/reveal", data=asked)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_leave_stands_in_its_month(office: Office) -> None:
    assert "宋佳慧" in get(office, "/leave?month=2026-11")
    assert "陈望舒" not in get(office, "/leave?month=2026-11")
    assert get(office, "/leave?month=nonsense") == get(office, "/leave")


def test_the_demo_s_interests_are_in_none_of_its_visits(office: Office) -> None:
    crew, interest, visit = tables.visit_crew, tables.interest, tables.visit
    query = (
        sa.select(interest.c.id)
        .join(crew, crew.c.officer_id == interest.c.officer_id)
        .join(visit, sa.and_(visit.c.id == crew.c.visit_id, visit.c.subject_id == interest.c.subject_id))
    )
    with office.db.read() as conn:
        assert conn.scalars(query).all() == []
        assert conn.scalar(sa.select(sa.func.count()).select_from(interest)) == 2
