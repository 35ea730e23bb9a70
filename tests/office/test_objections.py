"""An objection from the public form to the answer: who may do what, by when, and nobody learns who objected (R26.5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from server.domain.instant import beijing_day
from server.domain.objection import PAPER_BYTES
from server.errors import Problem
from server.office import objection_filing as filing
from server.office import objections as acts
from server.office.calendars import import_year
from server.office.printing import Printer
from server.papers.press import Press
from server.store import deadlines, objections, tables
from server.store.files import FileStore
from server.store.people import Person
from server.store.seal import open_sealer
from server.store.session import Connection, open_database
from tests import databases
from tests.office.objecting import CASE, PDF, PNG, filed, follow, guess
from tests.office.test_publication import Bureau, code
from tests.papers.reading import pages_of
from tests.phone import Phone
from tests.rules.test_calendar_years import YEAR_2027
from tests.running import Running
from tests.scene import populate

OTHERS = ("qian", "sun")
"""Two officers of the unit who weren't there."""


class Case(Bureau):
    """The small bureau with a published result, two more officers, and what the office does with an objection."""

    def __init__(self, server: Running) -> None:
        super().__init__(server)
        self.no = self.published()
        with self.db.write() as conn:
            li = dict(conn.execute(sa.select(tables.officer).where(tables.officer.c.id == "li")).mappings().one())
            for n, id in enumerate(OTHERS):
                conn.execute(
                    sa.insert(tables.officer).values(li | {"id": id, "name": id, "certificate": f"411303{n}99"})
                )
                conn.execute(sa.insert(tables.assignments).values(officer_id=id, rev=1))

    def object(self, papers: tuple[bytes, ...] = (PNG,), **form: str) -> tuple[str, str]:
        """An objection that was filed now: its id and its code."""
        answer = filed(self.server.url, self.no, papers, **form)
        assert answer.status_code == 201, answer.text
        receipt = answer.json()
        with self.db.read() as conn:
            id = conn.scalar(sa.select(tables.objection.c.id).where(tables.objection.c.no == receipt["no"]))
        return str(id), str(receipt["code"])

    def step(self, who: str, id: str, act: str, **form: Any) -> httpx.Response:
        """A step of the office, answered to a program."""
        return self.client(who).post(f"/office/objections/{id}/{act}", data={"proof": "suijian-demo"} | form)

    def done(self, who: str, id: str, act: str, **form: Any) -> None:
        """The same, done."""
        answer = self.step(who, id, act, **form)
        assert answer.status_code == 303, answer.text

    def told(self) -> int:
        """How many objections the result's page tells of."""
        return self.public(f"/results/{self.no}").text.count("收到材料")

    def corrected(self, id: str) -> None:
        """The correction that it calls for, asked and signed."""
        form = {
            "type:hazchem-storage": "no_relevant_activity",
            "main": "no_relevant_activity",
            "reason": "复核认定有误",
        }
        self.done("clerk", id, "correction", **form)
        with self.db.read() as conn:
            asked = conn.scalar(sa.select(tables.correction.c.id).where(tables.correction.c.objection_id == id))
        assert self.post("principal", f"/corrections/{asked}/sign", seen=self.seen(str(asked))).status_code == 303


@pytest.fixture(scope="module")
def shared(server: Running) -> Iterator[Case]:
    """One on the embedded database for all tests."""
    made = Case(server)
    yield made
    made.close()


@pytest.fixture(scope="module")
def on_postgres(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Iterator[Case]:
    """One on PostgreSQL for all tests."""
    with databases.fresh_postgres(postgres, databases.migrated_template(postgres)) as address:
        with closing(open_database(address)) as db:
            populate(db)
        running = Running(tmp_path_factory.mktemp("objections") / "data", SUIJIAN_DATABASE_URL=address)
        running.data.mkdir()
        made = Case(running.start())
        yield made
        made.close()
        running.kill()


@pytest.fixture(params=["shared", "on_postgres"])
def case(request: pytest.FixtureRequest) -> Case:
    """Both in turn."""
    made: Case = request.getfixturevalue(request.param)
    return made


@pytest.mark.rule("R26.5", "http")
def test_an_objection_is_followed_from_the_form_to_the_answer_and_the_corrected_result(case: Case) -> None:
    id, receipt = case.object((PNG, PDF))
    assert follow(case.server.url, receipt.lower().replace("-", " "))["state"] == "filed"
    assert case.client("clerk").get(f"/office/objections/{id}/papers/2").content == PDF
    assert code(case.client("clerk2").get(f"/office/objections/{id}")) == (404, "not_found")
    case.done("clerk", id, "accept", identity="yes")
    assert code(case.step("clerk", id, "assign", method="document_review", officers=["qian"], leader="qian")) == (
        422, "crew_too_few",
    )  # fmt: skip
    case.done("clerk", id, "assign", method="document_review", officers=list(OTHERS), leader="qian")
    case.done("clerk", id, "find", outcome="upheld", grounds="台账和照片证明已经分库存放。")
    assert follow(case.server.url, receipt)["state"] == "rechecking", "nothing is told before the head confirmed"
    assert code(case.step("clerk", id, "confirm")) == (403, "forbidden")
    case.done("head", id, "confirm")
    assert code(case.step("clerk", id, "answer")) == (409, "objection_correction_first")
    case.corrected(id)
    case.done("clerk", id, "answer")
    told = follow(case.server.url, receipt)
    assert (told["state"], told["outcome"]) == ("answered", "upheld")
    assert [one["kind"] for one in told["letters"]] == ["objection_acceptance", "objection_outcome"]
    page = case.public(f"/results/{case.no}").text
    assert "异议成立" in page and "已更正" in page and CASE["name"] not in page
    asked = {"code": receipt, "n": str(told["letters"][1]["n"])}
    letters = [httpx.post(f"{case.server.url}/objections/letter", data=asked).content for _ in range(2)]
    text = "".join(pages_of(letters[0]))
    assert letters[0] == letters[1] and "异议成立" in text and "异复〔" in text and CASE["name"] not in text


def test_without_identity_an_objection_can_only_be_refused_with_the_reason_or_its_papers_asked_for(case: Case) -> None:
    before = case.told()
    id, receipt = case.object(())
    assert code(case.step("clerk", id, "accept", identity="yes")) == (409, "objection_no_identity")
    assert code(case.step("clerk", id, "refuse", reason="dislike")) == (422, "invalid")
    case.done("clerk", id, "refuse", reason="no_identity", said="请带身份材料重新提出。")
    told = follow(case.server.url, receipt)
    assert (told["state"], told["reason"], told["said"]) == ("refused", "no_identity", "请带身份材料重新提出。")
    assert case.told() == before, "the public learns nothing of one that wasn't taken up"
    again, code_again = case.object(())
    case.done("clerk", again, "ask", missing="营业执照和委托书")
    answer = httpx.post(
        f"{case.server.url}/objections/papers", data={"code": code_again}, files=[("papers", ("a", PNG))],
        headers={"Accept": "application/json"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["state"], answer.json()["papers"]) == (200, "filed", 1)
    case.done("clerk", again, "accept", identity="yes")
    assert case.told() == before + 1


# --- by the office's own functions: days, and who may not ---------------------------------------------------------


CLERK = Person("clerk", "clerk", "clerk", "hazchem", ("unit_clerk",), None)
HEAD = Person("head", "head", "head", "hazchem", ("unit_head",), None)
INSIDER = Person("li", "li", "li", "hazchem", ("unit_clerk", "unit_head"), "li")
OWN_CREW = ("objection_own_crew", "26")
BOTH = Person("clerk", "clerk", "clerk", "hazchem", ("unit_clerk", "unit_head"), None)


def at(day: str) -> datetime:
    """Ten in the morning of a day in Beijing."""
    return datetime.fromisoformat(f"{day}T10:00:00+08:00").astimezone(UTC)


class Desk:
    """The office's functions on the shared case, on whatever day; letters are printed in this process."""

    def __init__(self, case: Case) -> None:
        self.case, self.db = case, case.db
        self.sealer = open_sealer(case.server.data / "keys")
        self.files = FileStore(case.server.data / "media")
        self.press = Press(case.server.data / "fonts")
        self.printer = Printer(self.press, self.files, "卧龙区应急管理局")
        self.filed = 0

    def file(self, day: str, papers: tuple[bytes, ...] = (PNG,)) -> str:
        """An objection that was filed on a day, from an address of its own."""
        self.filed += 1

        def file(conn: Connection) -> str:
            made = filing.check(conn, self.sealer, CASE | {"no": self.case.no}, papers)
            sealed = filing.seal_papers(self.files, self.sealer, at(day), made.id, papers)
            filing.file_objection(conn, self.sealer, at(day), f"desk-{self.filed}", made, sealed)
            return made.id

        return self.db.run_write(file)

    def do(self, act: Any, person: Person, day: str, id: str, *given: Any) -> Any:
        """An act of the office on a day."""
        return self.db.run_write(lambda conn: act(conn, person, at(day), id, *given))

    def accept(self, day: str, id: str) -> None:
        self.do(acts.accept, CLERK, day, id, {"identity": "yes"}, self.printer)

    def assign(self, day: str, id: str, *members: str, person: Person = CLERK, **values: str) -> None:
        chosen = list(members or OTHERS)
        form = {"method": "document_review", "leader": chosen[0]} | values
        self.do(acts.assign, person, day, id, form, chosen, None, b"\x00" * 32)

    def find(self, day: str, id: str, outcome: str = "upheld") -> None:
        self.do(acts.find, CLERK, day, id, {"outcome": outcome, "grounds": "台账属实。"})

    def due(self, id: str, kind: str) -> tuple[str | None, int, int | None]:
        """A deadline: its day, or how many days are known and the year that is missing."""
        with self.db.read() as conn:
            due = deadlines.deadlines_of(conn, [f"objection:{id}"], kind)[f"objection:{id}"].due
        return None if due.on is None else due.on.isoformat(), due.known, due.missing_year


def refusal(desk: Desk, act: Any, person: Person, day: str, id: str, *given: Any) -> tuple[str, str | None]:
    """Code and article with which an act is refused."""
    with pytest.raises(Problem) as refused:
        desk.do(act, person, day, id, *given)
    return refused.value.code, refused.value.article


@pytest.fixture(scope="module")
def desk(shared: Case) -> Iterator[Desk]:
    made = Desk(shared)
    yield made
    made.press.close()


@pytest.mark.rule("R26.5", "allows")
def test_the_recheck_is_due_in_20_and_the_feedback_in_15_working_days_and_others_do_it(desk: Desk) -> None:
    id = desk.file("2026-09-18")
    desk.accept("2026-09-22", id)
    assert desk.due(id, objections.RECHECK)[0] == "2026-10-22", "from the day of the papers, not of the acceptance"
    desk.assign("2026-09-23", id)
    desk.find("2026-10-16", id)
    assert desk.due(id, objections.FEEDBACK)[0] == "2026-11-06"
    desk.do(acts.confirm, HEAD, "2026-10-19", id)
    with desk.db.read() as conn:
        assert [one.act for one in objections.events_of(conn, id)] == ["file", "accept", "assign", "find", "confirm"]
        settled = deadlines.deadlines_of(conn, [f"objection:{id}"], objections.RECHECK)[f"objection:{id}"].settled_on
    assert str(settled) == "2026-10-16"


def test_papers_that_come_later_let_the_days_run_from_then_and_a_second_look_moves_no_date(desk: Desk) -> None:
    id = desk.file("2026-09-10", ())
    desk.do(acts.ask_papers, CLERK, "2026-09-11", id, {"missing": "营业执照"})
    with desk.db.write() as conn:
        it = objections.objection_of(conn, id, lock=True)
        assert it is not None
        filing.add_papers(
            conn, at("2026-09-18"), it, filing.seal_papers(desk.files, desk.sealer, at("2026-09-18"), id, [PDF])
        )
    desk.accept("2026-09-18", id)
    assert desk.due(id, objections.RECHECK)[0] == "2026-10-22"
    desk.assign("2026-09-21", id)
    desk.find("2026-10-16", id, "not_upheld")
    desk.do(acts.send_back, HEAD, "2026-10-19", id, {"why": "请补查台账"})
    desk.find("2026-10-21", id, "partly")
    assert desk.due(id, objections.FEEDBACK)[0] == "2026-11-06", "the first result counts"
    assert desk.due(id, objections.RECHECK)[0] == "2026-10-22"


def test_where_the_next_calendar_is_missing_no_date_is_guessed_and_when_it_comes_it_is_reckoned(desk: Desk) -> None:
    first, second = desk.file("2026-12-04"), desk.file("2026-12-10")
    for id, day in ((first, "2026-12-04"), (second, "2026-12-10")):
        desk.accept(day, id)
        desk.assign(day, id)
    desk.find("2026-12-10", second)
    assert desk.due(first, objections.RECHECK) == (None, 19, 2027)
    assert desk.due(second, objections.RECHECK) == (None, 15, 2027)
    assert desk.due(second, objections.FEEDBACK) == ("2026-12-31", 15, None)
    admin = Person("admin", "admin", "admin", None, ("admin",), None)
    desk.db.run_write(lambda conn: import_year(conn, admin, at("2026-12-11"), YEAR_2027))
    assert desk.due(first, objections.RECHECK) == ("2027-01-04", 20, None)
    assert desk.due(second, objections.FEEDBACK) == ("2026-12-31", 15, None)


@pytest.mark.rule("R26.5", "refuses")
def test_nobody_of_the_first_crew_has_a_hand_in_it_and_nobody_confirms_what_he_entered(desk: Desk) -> None:
    """Each refusal is the code and the article of the problem."""
    id = desk.file("2026-09-18")
    form = {"method": "document_review", "leader": "qian"}
    assert refusal(desk, acts.accept, INSIDER, "2026-09-18", id, {"identity": "yes"}, desk.printer) == OWN_CREW
    desk.accept("2026-09-18", id)
    assert refusal(desk, acts.assign, INSIDER, "2026-09-21", id, form, list(OTHERS), None, b"") == OWN_CREW
    desk.assign("2026-09-21", id)
    desk.find("2026-09-22", id)
    assert refusal(desk, acts.confirm, INSIDER, "2026-09-22", id) == OWN_CREW
    assert refusal(desk, acts.confirm, BOTH, "2026-09-22", id) == ("own_entry", "10")
    again = {"outcome": "upheld", "grounds": "x"}
    assert refusal(desk, acts.find, CLERK, "2026-09-22", id, again) == ("objection_state", "26")


def test_one_of_the_first_crew_rechecks_only_for_a_reason_that_is_kept(desk: Desk) -> None:
    id = desk.file("2026-09-18")
    desk.accept("2026-09-18", id)
    form = {"method": "document_review", "leader": "qian"}
    assert refusal(desk, acts.assign, CLERK, "2026-09-21", id, form, ["qian", "zhang"], None, b"") == ("invalid", "26")
    desk.assign("2026-09-21", id, "qian", "zhang", first_crew_why="本单位只有他能看懂这套装置")
    with desk.db.read() as conn:
        event = objections.events_of(conn, id)[-1]
    assert (event.detail["of_first_crew"], event.said) == (["zhang"], "本单位只有他能看懂这套装置")


def test_a_recheck_on_the_spot_reaches_the_phones_of_others_and_its_result_waits_for_the_final(shared: Case) -> None:
    id, _ = shared.object()
    shared.done("clerk", id, "accept", identity="yes")
    today = beijing_day(shared.server.now())
    window = {"window_from": today.isoformat(), "window_to": (today + timedelta(5)).isoformat()}
    form = {"method": "site", "officers": ["zhao", "qian"], "leader": "zhao", **window}
    assert code(shared.step("clerk", id, "assign", **form)) == (422, "invalid")
    shared.done("clerk", id, "assign", **form, what="仓库是否分区\n台账是否一致")
    with shared.db.read() as conn:
        visit = objections.events_of(conn, id)[-1].detail["visit"]
    phone = Phone(shared.server.url, "zhao").start(visit)
    assert phone.assignments.keys() == {visit}
    assert code(shared.step("clerk", id, "find", outcome="upheld", grounds="分区属实")) == (409, "objection_visit_open")
    assert code(shared.step("clerk", id, "assign", **form, what="x")) == (409, "objection_visit_open")


# --- what strangers send ------------------------------------------------------------------------------------------


def test_a_form_that_is_sent_twice_is_filed_once_and_another_mans_never_opens_by_it(shared: Case) -> None:
    key = "k" * 32
    url, no = shared.server.url, shared.no
    first, again = (filed(url, no, key=key).json() for _ in range(2))
    other = filed(url, no, key=key, name="赵一鸣").json()
    assert first == again and first["code"] != other["code"] and first["no"] != other["no"]


@pytest.mark.parametrize(
    ("papers", "fault"),
    [
        ((b"<script>window.hit=1</script>",), "paper_kind"),
        ((PNG, b"MZ" + PNG), "paper_kind"),
        ((PNG, PDF, PNG, PDF), "papers_many"),
        ((PDF + b"0" * PAPER_BYTES,), "paper_large"),
    ],
)
def test_only_a_few_pictures_and_pdfs_are_taken(shared: Case, papers: tuple[bytes, ...], fault: str) -> None:
    answer = filed(shared.server.url, shared.no, papers)
    assert answer.status_code == 422
    assert [(one["field"], one["code"]) for one in answer.json()["faults"]] == [("papers", fault)]


def test_a_body_that_is_far_too_large_is_not_read(shared: Case) -> None:
    assert filed(shared.server.url, shared.no, (PDF + b"0" * (17 << 20),)).status_code == 413


def read(value: object) -> str:
    """A value of the database as somebody reads it who looks into its file."""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def test_nothing_of_who_objected_is_in_logs_trail_tables_files_or_public_pages(case: Case) -> None:
    canaries = {
        "name": "钱小溪",
        "phone": "14000009876",
        "grounds": "金丝雀甲乙丙丁的理由",
        "wanted": "金丝雀戊己庚辛的愿望",
    }
    paper = b"%PDF-1.4 canary-of-the-identity-paper"
    id, receipt = case.object((paper,), **canaries)
    case.done("clerk", id, "accept", identity="yes")
    case.done("clerk", id, "assign", method="document_review", officers=list(OTHERS), leader="qian")
    case.done("clerk", id, "find", outcome="not_upheld", grounds="与记录一致。")
    case.done("head", id, "confirm")
    case.done("clerk", id, "answer")
    told = follow(case.server.url, receipt)
    shown = case.client("clerk").get(f"/office/objections/{id}", headers={"Accept": "text/html"}).text
    assert all(canaries[name] in shown for name in ("name", "grounds", "wanted")) and canaries["phone"] not in shown
    legal = case.client("legal").get(f"/office/objections/{id}", headers={"Accept": "text/html"}).text
    revealed = case.step("head", id, "reveal", reason="通知当事人")
    assert (revealed.status_code, canaries["phone"] in revealed.text) == (200, True)
    public = [
        case.public(path).text for path in (f"/results/{case.no}", "/results", "/results/feed.atom", "/results.json")
    ]
    with case.db.read() as conn:
        rows = [
            " ".join(map(read, row))
            for table in tables.metadata.sorted_tables
            for row in conn.execute(sa.select(table))
        ]
    files = [path.read_bytes() for path in (case.server.data / "media").rglob("*") if path.is_file()]
    letters = "".join(text for one in files if one.startswith(b"%PDF-1.7") for text in pages_of(one))
    hidden = [*canaries.values(), receipt, receipt.replace("-", "")]
    for place in (*public, *rows, case.server.log.read_text(), str(told), legal, letters):
        assert not [one for one in hidden if one in place], place[:300]
    assert files and not [one for one in files if paper in one or canaries["name"].encode() in one]


def test_what_was_filed_and_every_step_stays_as_it_is_in_the_database(case: Case) -> None:
    id, _ = case.object()
    case.done("clerk", id, "refuse", reason="no_grounds")
    statements = [
        sa.update(tables.objection).values(state="filed"),
        sa.update(tables.objection).values(name=b"x"),
        sa.delete(tables.objection),
        sa.update(tables.objection_event).values(said="x"),
        sa.delete(tables.objection_event),
        sa.update(tables.objection_paper).values(sha256="x"),
        sa.delete(tables.objection_paper),
    ]
    with case.db.write() as conn:
        for statement in statements:
            with pytest.raises(sa.exc.DatabaseError, match="append-only"), conn.begin_nested():
                conn.execute(statement)


def test_an_address_files_and_guesses_only_so_often(shared: Case) -> None:
    """The last test here: afterwards this address is refused for an hour."""
    url, answers = shared.server.url, list[httpx.Response]()
    while not answers or (answers[-1].status_code == 201 and len(answers) <= filing.FILED_MOST):
        answers.append(filed(url, shared.no, ()))
    with shared.db.read() as conn:
        mine = sa.select(sa.func.count()).where(
            tables.objection_try.c.kind == "file", tables.objection_try.c.address == "127.0.0.1"
        )
        assert conn.scalar(mine) == filing.FILED_MOST
    assert answers[-1].status_code == 429 and int(answers[-1].headers["retry-after"]) > 3000
    guesses = [guess(url, "2222-3333-4444-5555").status_code for _ in range(filing.WRONG_MOST + 1)]
    assert guesses == [404] * filing.WRONG_MOST + [429]
    assert code(guess(url, "x", Origin="https://elsewhere.example")) == (403, "bad_origin")
