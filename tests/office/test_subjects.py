"""The library of subjects by the acts of the office, and over HTTP (R8.1, R8.3, R6.5, R15a.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import httpx
import msgspec
import pytest
import sqlalchemy as sa
from markupsafe import escape

from server.domain.faults import Invalid
from server.domain.subject import Flag, values_of
from server.domain.task import Task
from server.errors import Problem
from server.office import subject_year
from server.office import subjects as acts
from server.store import selections, subjects, tables
from server.store.people import Person
from server.store.seal import Sealer
from server.store.session import Connection, Database
from server.store.tasks import add_task
from tests import scene
from tests.office.district import HTML, Office, demo_server
from tests.office.walks.subjects import FORM, fields_of
from tests.subjects import VALID

NOW = datetime(2026, 11, 24, 2, tzinfo=UTC)
TODAY = date(2026, 11, 24)
SEALER = Sealer([bytes(32)])
CLERK = Person("clerk", "clerk", "周敏", "hazchem", ("unit_clerk",), None)
OTHER = Person("clerk2", "clerk2", "吴越", "industry", ("unit_clerk",), None)
STEERING = Person("steering", "steering", "黄思远", None, ("steering_group",), None)
ENTERED = values_of(VALID) | {"flags": ""}


@pytest.fixture
def conn(any_database: Database) -> Iterator[Connection]:
    """The small bureau, in a transaction that is thrown away."""
    scene.populate(any_database)
    with any_database.engine.connect() as found, found.begin() as begun:
        yield found
        begun.rollback()


def enter(conn: Connection, **changed: str) -> str:
    return acts.enter_subject(conn, CLERK, NOW, SEALER, ENTERED | changed)


def refused(act: Callable[[], object]) -> list[tuple[str, str]]:
    """Field and code of each fault for which an act is refused; the article is that of the libraries."""
    with pytest.raises(Invalid) as caught:
        act()
    assert caught.value.document()["article"] == "8"
    return [(fault.field, fault.code) for fault in caught.value.faults]


# --- R8.1 -------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("R8.1", "allows")
def test_a_clerk_enters_a_subject_into_his_units_library(conn: Connection) -> None:
    one = enter(conn, name="　南阳ＡＢ化工有限公司 ", uscc=" 91411303maay4cl12n ")
    found = acts.subject_for(conn, CLERK, SEALER, one)
    assert found.subject == msgspec.structs.replace(VALID, id=one, name="南阳AB化工有限公司")
    assert (found.units, found.shows_phone) == (("hazchem",), True)


@pytest.mark.rule("R8.1", "refuses")
def test_what_is_wrong_is_refused_all_at_once_and_nothing_is_kept(conn: Connection) -> None:
    faults = refused(lambda: enter(conn, uscc="91411303MAAY4CL120", phone="1", name="南阳\u202e厂", region=""))
    assert faults == [
        ("name", "bidi_character"), ("uscc", "uscc_check"), ("phone", "phone_form"), ("region", "missing"),
    ]  # fmt: skip
    assert conn.scalar(sa.select(sa.func.count()).select_from(tables.subject)) == 0


def test_a_wrong_registration_number_warns_and_is_taken_when_it_is_meant_so(conn: Connection) -> None:
    given = {"uscc": "", "registration": "411303000000000"}
    assert refused(lambda: enter(conn, **given)) == [("registration", "registration_check")]
    assert enter(conn, **given, anyway="yes")


# --- R8.3 -------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("R8.3", "refuses")
def test_nobody_is_entered_twice(conn: Connection) -> None:
    enter(conn)

    def again() -> object:
        return acts.enter_subject(conn, OTHER, NOW, SEALER, ENTERED | {"name": "换个名称"})

    assert ("uscc", "code_taken") in refused(again)


@pytest.mark.rule("R8.3", "allows")
def test_the_same_subject_is_taken_into_another_library_as_one_record(conn: Connection) -> None:
    one = enter(conn)
    with pytest.raises(Problem, match="not_found"):
        acts.subject_for(conn, OTHER, SEALER, one)
    values = {"code": "９１411303maay4cl12n", "reason": "新增危化品使用"}
    assert acts.take_in(conn, OTHER, NOW, SEALER, values) == one
    assert acts.subject_for(conn, OTHER, SEALER, one).units == ("hazchem", "industry")
    assert subjects.history_of(conn, one)[0].reason == "新增危化品使用"


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"code": "91411303MA00000010", "reason": "x"}, ("code", "code_unknown")),
        ({"code": VALID.code, "reason": "x"}, ("code", "code_in_library")),
        ({"code": VALID.code, "reason": ""}, ("reason", "missing")),
        ({"code": "", "reason": "x"}, ("code", "missing")),
    ],
)
def test_only_what_is_there_is_taken_in_and_with_a_reason(
    conn: Connection, values: dict[str, str], fault: tuple[str, str]
) -> None:
    enter(conn)
    assert fault in refused(lambda: acts.take_in(conn, CLERK, NOW, SEALER, values))


def test_a_similar_one_is_shown_before_another_is_entered(conn: Connection) -> None:
    enter(conn)
    given = {"uscc": "", "registration": "411303000000004"}
    assert refused(lambda: enter(conn, **given)) == [("name", "same_name")]
    assert refused(lambda: enter(conn, **given, name="别的名称")) == [("address", "same_address")]
    assert enter(conn, **given, anyway="yes")


def test_a_subject_is_given_out_with_a_reason_unless_only_this_unit_knows_what_was_drawn(conn: Connection) -> None:
    one = enter(conn)

    def leave(reason: str) -> object:
        return acts.give_out(conn, CLERK, NOW, SEALER, one, {"leave_reason": reason})

    assert refused(lambda: leave(" ")) == [("leave_reason", "missing")]
    _draw(conn, one, "2026-03-02")
    with pytest.raises(Problem) as caught:
        leave("移交")
    assert (caught.value.code, caught.value.document()["article"]) == ("subject_used", "8")
    acts.take_in(conn, OTHER, NOW, SEALER, {"code": VALID.code, "reason": "接手"})
    leave("移交")
    assert subjects.libraries_of(conn, [one]) == {one: {"industry"}}


@pytest.mark.parametrize("person", [OTHER, STEERING])
def test_nobody_else_changes_a_subject(conn: Connection, person: Person) -> None:
    one = enter(conn)
    for act in (acts.change_subject, acts.set_status, acts.add_flag, acts.end_flag, acts.give_out):
        with pytest.raises(Problem) as caught:
            act(conn, person, NOW, SEALER, one, ENTERED)
        assert caught.value.code in ("not_found", "forbidden")


def test_of_two_changes_at_once_the_second_is_told_so(conn: Connection) -> None:
    one = enter(conn)

    def change(**more: str) -> object:
        return acts.change_subject(conn, CLERK, NOW, SEALER, one, ENTERED | {"rev": "1"} | more)

    change(contact="某丙")
    with pytest.raises(Problem, match="changed_meanwhile"):
        change(contact="某丁")


def test_the_form_changes_neither_status_nor_flags(conn: Connection) -> None:
    one = enter(conn)
    flags = '[{"kind":"complaints","document":"x","from":"2026-01-01","to":null}]'
    acts.change_subject(conn, CLERK, NOW, SEALER, one, ENTERED | {"status": "cancelled", "flags": flags, "risk": "low"})
    kept = acts.subject_for(conn, CLERK, SEALER, one).subject
    assert (kept.status, kept.flags, kept.risk) == ("active", (), "low")


def test_a_status_is_changed_with_a_reason_and_a_dead_one_by_a_document(conn: Connection) -> None:
    one = enter(conn)

    def change(**values: str) -> object:
        return acts.set_status(conn, CLERK, NOW, SEALER, one, values)

    assert refused(lambda: change(status="cancelled", status_reason="")) == [
        ("status_reason", "missing"), ("status_document", "missing"), ("status_on", "missing"),
    ]  # fmt: skip
    paper = {"status_document": "宛市监注〔2026〕9 号", "status_on": "2026-11-20"}
    ahead = paper | {"status_on": "2099-01-01"}
    assert refused(lambda: change(status="cancelled", status_reason="已注销", **ahead)) == [("status_on", "day_ahead")]
    number = paper | {"status_document": "见 13800000000 来电"}
    assert refused(lambda: change(status="cancelled", status_reason="已注销", **number)) == [
        ("status_document", "number_in_text")
    ]
    assert refused(lambda: change(status="active", status_reason="x")) == [("status", "same_status")]
    change(status="cancelled", status_reason="执照已注销", **paper)
    event = subjects.history_of(conn, one)[0]
    assert (event.reason, event.changes) == (
        "执照已注销（宛市监注〔2026〕9 号，2026-11-20）",
        [{"field": "status", "before": "active", "after": "cancelled"}],
    )


# --- flags ------------------------------------------------------------------------------------------------------------


@pytest.mark.rule("R6.5", "allows")
@pytest.mark.rule("R15a.3", "allows")
def test_a_flag_with_its_document_counts_from_its_day_until_it_is_ended(conn: Connection) -> None:
    one = enter(conn)
    given = {"kind": "complaints", "document": "12350 举报〔2026〕7 号", "from": "2026-11-01", "to": ""}
    acts.add_flag(conn, CLERK, NOW, SEALER, one, given)
    acts.end_flag(conn, CLERK, NOW, SEALER, one, {"flag": "0", "until": "2026-11-20", "unflag_reason": "已办结"})
    kept = acts.subject_for(conn, CLERK, SEALER, one).subject
    assert kept.flags == (Flag("complaints", "12350 举报〔2026〕7 号", "2026-11-01", "2026-11-20"),)
    assert [len(kept.flags_on(day)) for day in ("2026-10-31", "2026-11-01", "2026-11-20", "2026-11-21")] == [0, 1, 1, 0]


@pytest.mark.rule("R15a.3", "refuses")
def test_a_flag_without_document_or_twice_or_ended_before_it_began_is_refused(conn: Connection) -> None:
    one = enter(conn)
    given = {"kind": "complaints", "document": "7 号", "from": "2026-11-01", "to": ""}

    def add(**more: str) -> object:
        return acts.add_flag(conn, CLERK, NOW, SEALER, one, given | more)

    assert refused(lambda: add(document="")) == [("document", "missing")]
    add()
    assert refused(add) == [("document", "flag_there")]
    end = {"flag": "0", "until": "2026-10-01", "unflag_reason": "x"}
    assert refused(lambda: acts.end_flag(conn, CLERK, NOW, SEALER, one, end)) == [("until", "flag_ends_before")]


# --- the phone --------------------------------------------------------------------------------------------------------


def test_a_phone_is_a_mask_for_others_until_they_say_what_for(conn: Connection) -> None:
    one = enter(conn)
    assert acts.subject_for(conn, STEERING, SEALER, one).subject.phone == "140****0001"

    def reveal(reason: str) -> object:
        return acts.reveal_phone(conn, STEERING, NOW, SEALER, one, {"reason": reason})

    assert refused(lambda: reveal("")) == [("reason", "missing")]
    assert refused(lambda: reveal("打 14000000001")) == [("reason", "number_in_text")]
    assert reveal("核实举报") == "14000000001"
    row = conn.execute(sa.select(tables.trail).order_by(tables.trail.c.n.desc()).limit(1)).one()
    assert (row.act, row.actor) == ("subject.reveal", "steering")
    assert msgspec.json.decode(row.detail) == {"field": "phone", "reason": "核实举报"}


def test_no_entry_of_the_trail_and_no_history_holds_a_phone(conn: Connection) -> None:
    one = enter(conn)
    acts.change_subject(conn, CLERK, NOW, SEALER, one, ENTERED | {"phone": "14000000008"})
    for table in (tables.trail, tables.subject_history, tables.subject, tables.subject_term):
        for row in conn.execute(sa.select(table)):
            assert not re.search(r"1400000000[18]", repr(tuple(row)))


# --- the year ---------------------------------------------------------------------------------------------------------


def _draw(conn: Connection, one: str, day: str, state: str = "counted") -> None:
    task = Task(f"t-{day}-{state}", f"抽查 {day}", "hazchem", "undirected", day, day, day, ())
    add_task(conn, task)
    selections.add_selections(conn, [selections.Selection(task.id, one, "hazchem", day, state)])


@pytest.mark.rule("R15a.3", "allows")
def test_the_year_counts_draws_against_the_cap_and_names_the_exemption(conn: Connection) -> None:
    one = enter(conn)
    for day, state in (("2025-12-31", "counted"), ("2026-03-02", "counted"), ("2026-05-06", "excused")):
        _draw(conn, one, day, state)

    def look() -> subject_year.Year:
        return subject_year.year_of(conn, CLERK, acts.subject_for(conn, CLERK, SEALER, one).subject, 2026, TODAY)

    assert (look().drawn, look().cap, look().is_at_cap) == (1, 2, False)
    _draw(conn, one, "2026-09-01")
    assert (look().drawn, look().is_at_cap, look().exempt) == (2, True, ())
    flag = {"kind": "key_list", "document": "名录 2 号", "from": "2026-01-01", "to": ""}
    acts.add_flag(conn, CLERK, NOW, SEALER, one, flag)
    assert [flag.document for flag in look().exempt] == ["名录 2 号"]
    assert [(check.day, check.state) for check in look().checks] == [
        ("2026-09-01", "counted"), ("2026-05-06", "excused"), ("2026-03-02", "counted"),
    ]  # fmt: skip


# --- over HTTP --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("subjects") / "data"))
    yield found
    found.close()


def get(office: Office, who: str, path: str) -> httpx.Response:
    return office.client(who).get(f"/office/subjects{path}", headers=HTML)


def post(office: Office, who: str, path: str, form: dict[str, str]) -> httpx.Response:
    return office.client(who).post(f"/office/subjects{path}", data=form, headers=HTML)


@pytest.mark.rule("R8.1", "http")
def test_over_http_a_subject_is_entered_found_and_changed(office: Office) -> None:
    wrong = post(office, "clerk", "/new", FORM | {"uscc": FORM["uscc"][:17] + "0", "phone": "12"})
    assert wrong.status_code == 422
    assert "校验位" in wrong.text
    assert f'value="{FORM["name"]}"' in wrong.text, "what was typed is still there"
    entered = post(office, "clerk", "/new", FORM)
    assert entered.status_code == 303
    one = entered.headers["location"].rpartition("/")[2]
    assert f'/{one}"' in get(office, "clerk", "?q=zoufangqiti").text
    form = fields_of(get(office, "clerk", f"/{one}/edit").text) | {"contact": "某丙", "anyway": "yes"}
    assert post(office, "clerk", f"/{one}/edit", form).status_code == 303
    assert "某丙" in get(office, "clerk", f"/{one}").text


@pytest.mark.rule("R8.3", "http")
def test_over_http_a_subject_of_another_library_is_offered_and_taken_in(office: Office) -> None:
    assert get(office, "clerk", "/subject-482").status_code == 404
    page = get(office, "clerk-ic", "/subject-482")
    code = page.text.partition('<dd class="mono">')[2][:18]
    again = post(office, "clerk", "/new", FORM | {"uscc": code, "name": "另一个名称", "address": "别处"})
    assert (again.status_code, f"/office/subjects/join?code={code}" in again.text) == (422, True)
    assert post(office, "clerk", "/join", {"code": code, "reason": "新增储存"}).status_code == 303
    assert get(office, "clerk", "/subject-482").status_code == 200


@pytest.mark.rule("R15a.3", "http")
@pytest.mark.rule("R6.5", "http")
def test_over_http_a_flag_is_added_and_filters_the_list(office: Office) -> None:
    form = {"kind": "serious_violation", "document": "执法〔2026〕3 号", "from": "2026-11-01", "to": ""}
    refused = post(office, "clerk", "/subject-008/flags", form | {"document": ""})
    assert (refused.status_code, '<details class="panel act" id="flag" open' in refused.text) == (422, True)
    assert post(office, "clerk", "/subject-008/flags", form).status_code == 303
    assert "执法〔2026〕3 号" in get(office, "clerk", "/subject-008").text
    assert re.findall(
        r'href="/office/subjects/(subject-\d+)"', get(office, "clerk", "?flag=serious_violation").text
    ) == ["subject-008"]


def test_the_three_at_the_cap_say_so_and_one_is_exempt(office: Office) -> None:
    texts = {one: get(office, "clerk", f"/{one}").text for one in ("subject-003", "subject-049", "subject-053")}
    assert all("已抽 2 次，上限 2 次" in text for text in texts.values())
    assert "不受次数限制" in texts["subject-003"]
    assert all("随机抽取时排除" in texts[one] for one in ("subject-049", "subject-053"))


def test_a_phone_is_shown_in_clear_to_its_units_only_and_revealed_once(office: Office) -> None:
    assert "14000000002" in get(office, "clerk", "/subject-002").text
    assert "14000000002" in get(office, "head", "/subject-002").text
    for who in ("legal", "principal", "steering", "auditor"):
        page = get(office, who, "/subject-002").text
        assert "14000000002" not in page
        assert "140****0002" in page
    shown = post(office, "steering", "/subject-002/reveal", {"reason": "核实举报"})
    assert "14000000002" in shown.text
    assert shown.headers["cache-control"] == "no-store"
    assert office.trail()[-1] == ("subject.reveal", "steering")


def test_a_fragment_is_asked_as_one_types_and_the_address_holds_the_filters(office: Office) -> None:
    answer = office.client("clerk").get(
        "/office/subjects?q=jiayou&risk=medium&status=active", headers=HTML | {"HX-Request-Type": "partial"}
    )
    assert answer.status_code == 200
    assert 'id="list"' in answer.text
    assert '<option value="medium" selected>' in answer.text
    assert "没有符合的主体" in get(office, "clerk", "?q=qqqqqq").text


@pytest.mark.parametrize(
    "query",
    ["after=x", "after=1.", "after=99999999999.a", "sort=-x", "status=%00", "q=%ED%A0%80", "q=" + "a" * 5000, "year=9",
     "unit=%27--", "flag=x", "after=5.%F0%9F%91%BB"],
)  # fmt: skip
def test_whatever_stands_in_the_address_has_an_answer(office: Office, query: str) -> None:
    assert get(office, "steering", f"?{query}").status_code in (200, 400)
    assert get(office, "steering", f"/subject-002?{query}").status_code in (200, 400)


HOSTILE = ("<script>alert(1)</script>", "{{7*7}}", "'; DROP TABLE subject; --", '"><img src=x onerror=alert(1)>')


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_words_like_others(office: Office, text: str) -> None:
    form = FORM | {"address": text, "uscc": "", "registration": "411303000000004", "anyway": "yes"}
    one = post(office, "clerk", "/new", form).headers["location"].removeprefix("/office/subjects")
    post(
        office,
        "clerk",
        f"{one}/status",
        {"status": "cancelled", "status_reason": text, "status_document": "注〔2026〕1 号", "status_on": "2026-11-20"},
    )
    shown = get(office, "clerk", one).text
    assert shown.count(str(escape(text))) >= 2
    assert ("<script>alert" in shown, "onerror=alert(1)>" in shown) == (False, False)
    with office.db.write() as conn:
        subjects.take_from_library(conn, "hazchem-section", [one[1:]], by="test", now=NOW, source="form")
        subjects.remove_subjects(conn, [one[1:]])
