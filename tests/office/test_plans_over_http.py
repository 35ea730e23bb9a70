"""The annual plan over HTTP: a year of it by the forms, each rule allowed and refused, and what the public sees."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import httpx
import pytest

from server.domain.instant import beijing_day
from server.store.session import open_database
from tests import databases
from tests.planning import FIRE, MAIN, OTHER, STORAGE, bureau, draw, line
from tests.running import Running

HTML = {"Accept": "text/html"}
JSON = {"Accept": "application/json"}
NUMBER = "宛卧应急〔2026〕3 号"


class Room:
    """The plan's room on a real server, and everybody's client."""

    def __init__(self, running: Running, year: int) -> None:
        self.running, self.year = running, year
        self._clients: dict[str, httpx.Client] = {}

    def close(self) -> None:
        for one in self._clients.values():
            one.close()
        self.running.kill()

    def client(self, who: str) -> httpx.Client:
        if who not in self._clients:
            self._clients[who] = self.running.signed_in(who)
        return self._clients[who]

    def post(self, who: str, path: str, files: object = None, **form: object) -> httpx.Response:
        data = {name: str(value) for name, value in form.items()}
        return self.client(who).post(f"/office/plans{path}", data=data, files=files, headers=JSON)  # type: ignore[arg-type]

    def done(self, who: str, path: str, files: object = None, **form: object) -> str:
        """The form is taken: where it leads."""
        answer = self.post(who, path, files, **form)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    def refused(self, who: str, path: str, status: int, code: str, article: str | None, **form: object) -> None:
        answer = self.post(who, path, **form)
        said = answer.json()
        assert (answer.status_code, said["code"], said.get("article")) == (status, code, article), answer.text

    def page(self, who: str, path: str = "") -> str:
        answer = self.client(who).get(f"/office/plans{path}", headers=HTML)
        assert answer.status_code == 200, answer.text
        return answer.text

    def line(self, item: str = STORAGE, **more: object) -> dict[str, str]:
        window = {"window_from": f"{self.year}-03-01", "window_to": f"{self.year}-11-30"}
        return line(item, **(window | more))

    def lines(self) -> list[str]:
        """The ids of the lines on the plan's page."""
        found = re.findall(rf"/office/plans/{self.year}/lines/([0-9a-f-]{{36}})\"", self.page("legal", f"/{self.year}"))
        return list(dict.fromkeys(found))


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Room]]:
    begun: list[Room] = []

    def fresh() -> Room:
        year = beijing_day(datetime.now(UTC)).year
        data = tmp_path_factory.mktemp("plans") / "data"
        data.mkdir()
        (data / "suijian.db").write_bytes(databases.migrated_file())
        db = open_database(f"sqlite:///{data / 'suijian.db'}")
        bureau(db)
        with db.write() as conn:
            for _ in range(0 if year == 2026 else 2):  # the bureau's own draws are of 2026
                draw(conn, 3, 7, 150, on=f"{year}-01-01")
        db.close()
        begun.append(Room(Running(data).start(), year))
        return begun[-1]

    yield fresh
    for one in begun:
        one.close()


@pytest.fixture(scope="module")
def room(start: Callable[[], Room]) -> Room:
    return start()


@pytest.mark.rule("R3.1", "http")
@pytest.mark.rule("R6.2", "http")
@pytest.mark.rule("R6.3", "http")
@pytest.mark.rule("R6.4", "http")
@pytest.mark.rule("R12.1", "http")
@pytest.mark.rule("R12.2", "http")
@pytest.mark.rule("R12.3", "http")
@pytest.mark.rule("R12.4", "http")
@pytest.mark.rule("R12.5", "http")
@pytest.mark.rule("R13.1", "http")
@pytest.mark.rule("R13.2", "http")
@pytest.mark.rule("R14.1", "http")
@pytest.mark.rule("R15a.4", "http")
def test_a_year_of_the_plan_from_its_beginning_to_an_amendment(room: Room) -> None:
    year, home = room.year, f"/{room.year}"
    room.refused("legal", "", 422, "plan_number_missing", "12", year=year, supervision_plan=" ")
    assert room.done("legal", "", year=year, supervision_plan=NUMBER) == f"/office/plans{home}"
    _lines_are_entered(room, home)
    _the_plan_goes_its_way(room, home)
    _the_plan_is_public(room)
    _it_is_amended(room, home)


def _lines_are_entered(room: Room, home: str) -> None:
    room.refused("clerk", f"{home}/lines", 422, "plan_line_invalid", "14", **room.line(own_share=79))
    room.refused("clerk", f"{home}/lines", 422, "plan_below_floor", "6", **room.line(count=10))
    room.refused("clerk2", f"{home}/lines", 403, "other_unit", "3", **room.line(unit_id=MAIN))
    room.done("clerk", f"{home}/lines", **room.line(count=10, reason="人手不足，先保证重点企业"))
    (low,) = room.lines()
    room.refused("clerk", f"{home}/submit", 409, "plan_unsigned", "12")
    room.refused("clerk", f"{home}/lines/{low}/sign", 403, "forbidden", None)
    room.done("head", f"{home}/lines/{low}/sign")
    room.done("clerk", f"{home}/submit")
    room.done("head2", f"{home}/none", reason="今年人员集中培训")
    room.refused("legal", f"{home}/consolidate", 409, "plan_no_line", "6")
    room.refused("clerk", f"{home}/lines", 409, "plan_part_in", "12", **room.line(FIRE))
    room.done("legal", f"{home}/give-back", unit_id=MAIN, reason="补车间消防")
    room.done("clerk", f"{home}/lines", **room.line(FIRE))
    fire = next(id for id in room.lines() if id != low)
    room.done("head", f"{home}/lines/{fire}/sign")
    room.done("clerk", f"{home}/submit")
    room.refused("legal", f"{home}/consolidate", 409, "plan_no_joint", "13")
    room.done("legal", f"{home}/give-back", unit_id=MAIN, reason="加一项联合抽查")
    joint = {"joint": "participant", "partner": "卧龙区市场监督管理局"}
    room.done("clerk", f"{home}/lines/{fire}", **room.line(FIRE, **joint))
    room.done("head", f"{home}/lines/{fire}/sign")
    room.done("clerk", f"{home}/submit")
    file = {"file": ("名单.csv", b"411303000000007,x\n", "text/csv")}
    room.refused("clerk", f"{home}/lines/{fire}/list", 422, "joint_list_invalid", "13", lead="市场监管局")
    form = {"lead": "市场监管局", "document": "宛卧市监 27 号", "drawn_on": f"{room.year}-01-02"}
    room.done("clerk", f"{home}/lines/{fire}/list", file, **form)
    assert "由市场监管局于1月2日抽取" in room.page("clerk", f"{home}/lines/{fire}")


def _the_plan_goes_its_way(room: Room, home: str) -> None:
    room.refused("principal", f"{home}/approve", 409, "plan_order", "12")
    room.done("legal", f"{home}/consolidate")
    room.refused("principal", f"{home}/approve", 409, "plan_undecided", "6")
    (asked,) = re.findall(r'action="/office/plans/overrides/([0-9a-f-]{36})"', room.page("principal", "/overrides"))
    room.refused("principal", f"/overrides/{asked}", 400, "reason_missing", None, answer="refused")
    room.done("principal", f"/overrides/{asked}", answer="approved")
    room.refused("legal", f"{home}/approve", 403, "forbidden", None)
    room.done("principal", f"{home}/approve")
    filing = {"authority": "南阳市应急管理局", "number": "宛应急备 4 号", "filed_on": f"{room.year}-01-02"}
    room.refused("legal", f"{home}/file", 422, "plan_filing_invalid", "12", kind="upper", **(filing | {"number": ""}))
    room.done("legal", f"{home}/file", kind="upper", **filing)
    room.refused("legal", f"{home}/release", 409, "plan_not_filed", "12")
    room.done("legal", f"{home}/file", kind="market", **filing)
    with room.running.client() as public:
        assert public.get(f"/plans/{room.year}").status_code == 404
    room.done("legal", f"{home}/release")


def _the_plan_is_public(room: Room) -> None:
    with room.running.client() as public:
        page = public.get(f"/plans/{room.year}", headers=HTML).text
    assert MAIN in page
    assert NUMBER in page
    assert "宛应急备 4 号" in page
    assert "人手不足" not in page


def _it_is_amended(room: Room, home: str) -> None:
    (low, *_others) = room.lines()
    room.refused("clerk", f"{home}/lines/{low}", 409, "plan_released", "12", **room.line(count=12))
    room.refused("legal", f"{home}/amend", 422, "plan_reason_missing", "12", reason=" ")
    room.done("legal", f"{home}/amend", reason="接到临时检查要求")
    room.refused("clerk", f"{home}/lines", 422, "plan_line_invalid", "14", **room.line(FIRE, scope=""))
    last = room.line(FIRE, window_from=f"{room.year}-04-01", count=2)
    room.done("clerk", f"{home}/lines", **last)
    room.refused("legal", f"{home}/consolidate", 409, "plan_units_open", "12")
    assert "接到临时检查要求" in room.page("clerk", home)


@pytest.mark.rule("R6.5", "http")
@pytest.mark.rule("R15a.1", "http")
@pytest.mark.rule("R15a.2", "http")
@pytest.mark.rule("R15a.3", "http")
def test_the_form_shows_the_proposal_who_is_left_out_and_who_is_kept_in(start: Callable[[], Room]) -> None:
    room = start()
    year, home = room.year, f"/{room.year}"
    room.done("legal", "", year=year, supervision_plan=NUMBER)
    page = room.page("clerk", f"{home}/lines/new?item_id={STORAGE}")
    text = re.sub(r"<[^>]+>|\s+", "", page)
    for said in ("11户", "市场主体212户", "可抽取210户", "排除2户", "已抽中2次", "到上限但保留1户", "重点关注名录"):
        assert said in text, said
    assert 'value="11"' in page
    full = room.line(count=212, window_from=f"{year}-11-01", month_11=212)
    room.refused("clerk", f"{home}/lines", 422, "plan_over_cap", "15-1", **full)
    room.done("clerk", f"{home}/lines", **(full | {"campaign": "宛应急〔2026〕18 号"}))
    db = open_database(f"sqlite:///{room.running.data / 'suijian.db'}")
    with db.write() as conn:
        conn.exec_driver_sql(
            "UPDATE subject SET flags = ? WHERE id >= 's150'",
            ('[{"kind":"complaints","document":"12350 举报 17","from":"2020-01-01","to":null}]',),
        )
    db.close()
    low = room.line(count=11, flagged_count=7)
    room.refused("clerk", f"{home}/lines", 422, "plan_below_proposal", "15-1", **low)
    flat = room.line(count=12, flagged_count=0)
    room.refused("clerk", f"{home}/lines", 422, "plan_flagged_not_raised", "6", **flat)
    room.done("clerk", f"{home}/lines", **room.line(count=12, flagged_count=7))


def test_a_refused_form_keeps_what_was_typed_and_says_what_is_wrong_beside_the_field(room: Room) -> None:
    year = room.year + 1
    room.done("legal", "", year=year, supervision_plan=NUMBER)
    form = line(window_from=f"{year}-03-01", window_to=f"{year}-11-30", own_share=79, scope="石桥镇的储存单位")
    answer = room.client("clerk").post(f"/office/plans/{year}/lines", data=form, headers=HTML)
    assert answer.status_code == 422
    assert "石桥镇的储存单位" in answer.text
    assert "两种比例合计 99%" in answer.text
    assert "统一抽查和自行抽查合计要等于 100%。" in answer.text
    low = form | {"own_share": "80", "count": "10"}
    answer = room.client("clerk").post(f"/office/plans/{year}/lines", data=low, headers=HTML)
    assert answer.status_code == 422
    assert "10 户低于抽查比例的下限。请写明理由，再由主要负责人批准。" in answer.text
    assert 'value="10"' in answer.text


def test_the_file_of_the_lines_opens_in_a_spreadsheet_and_holds_no_formula(room: Room) -> None:
    year = room.year + 2
    room.done("legal", "", year=year, supervision_plan=NUMBER)
    form = line(window_from=f"{year}-03-01", window_to=f"{year}-11-30", scope="=1+1")
    room.done("clerk", f"/{year}/lines", **form)
    answer = room.client("auditor").get(f"/office/plans/{year}/lines.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:3] == ["股室", "事项", "抽查范围"]
    assert rows[1][:3] == [MAIN, "storage检查", "'=1+1"]


def test_capacity_is_officers_times_working_days_less_other_duties(start: Callable[[], Room]) -> None:
    room = start()
    room.done("legal", "", year=room.year, supervision_plan=NUMBER)
    text = room.page("legal", f"/{room.year}/capacity")
    assert "4 人" in text
    assert OTHER in text


def test_an_address_that_names_no_plan_is_not_found(room: Room) -> None:
    for path in ("/abcd", "/99999", "/1999", "/１２３４", f"/{room.year}/versions/77", f"/{room.year}/lines/none"):
        answer = room.client("legal").get(f"/office/plans{path}", headers=HTML)
        assert answer.status_code == 404, path
    assert room.post("legal", f"/{room.year}/dance").status_code == 404
