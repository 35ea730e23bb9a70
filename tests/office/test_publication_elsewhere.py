"""Results at other platforms: the province's state and receipt, and the codes by which others call them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from server.domain.instant import beijing_day
from server.domain.result_codes import ARTICLE_24, FIRST, ORDER, PLAIN, check_set, values_of
from server.errors import Problem
from server.office import province as acts
from server.office.libraries import Place
from server.store import deadlines, imports, rules
from server.store.rules import Decision
from tests.office.district import HTML
from tests.office.test_publication_rules import Case
from tests.rules.people import CLERK
from tests.running import Running
from tests.scene import PASSWORD

KIND = "/office/province/kinds/result"
FORM = {"format": "csv", "which": "all", "proof": PASSWORD}


class Sent(Case):
    """A published result, and the platform to which it is sent."""

    def __init__(self, server: Running) -> None:
        super().__init__(server)
        self.pass_review()
        self.no = self.publish()

    @property
    def settled(self) -> bool:
        """Whether the visit's target is met."""
        object_ = f"visit:{self.group.visit}"
        with self.db.read() as conn:
            return deadlines.deadlines_of(conn, [object_], deadlines.PUBLICATION_TARGET)[object_].settled_on is not None

    def page(self) -> str:
        """The result's page, as the clerk reads it."""
        return self.client("clerk").get(f"/office/publication/{self.id}", headers=HTML).text

    def exported(self, **instead: str) -> list[list[str]]:
        """The rows of the export to the province, the header first."""
        answer = self.client("clerk").post(f"{KIND}/export", data=FORM | instead)
        assert answer.status_code == 200, answer.text
        return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))

    def mine(self, rows: list[list[str]]) -> dict[str, str]:
        """The row of this result."""
        (row,) = [row for row in rows if row[0] == self.no]
        return dict(zip(rows[0], row, strict=True))

    def confirm(self, number: str) -> httpx.Response:
        """The clerk notes the platform's number."""
        form = {"object": str(self.row()["id"]), "number": number}
        return self.client("clerk").post(f"{KIND}/confirm", data=form)


@pytest.fixture
def asks_for_receipt(server: Running) -> None:
    """The bureau's rule set asks for the province's receipt; it does so for the tests after it too."""
    case = Case.__new__(Case)
    Case.__init__(case, server)
    with case.db.write() as conn:
        today = beijing_day(datetime.now(UTC))
        now = rules.rule_set_on(conn, today)
        if not now.province_receipt:
            version = rules.next_version(conn)
            asking = msgspec.structs.replace(
                now, version=version, in_force_from=today.isoformat(), province_receipt=True
            )  # fmt: skip
            rules.add_version(conn, asking, "以省平台回执为准", "legal", datetime.now(UTC))
            rules.decide(conn, version, Decision("approved", "principal", "2026-11-25T00:00:00.000Z", ""))
    case.close()


@pytest.fixture
def sent(server: Running) -> Iterator[Sent]:
    made = Sent(server)
    yield made
    made.close()


# --- the sets of codes ------------------------------------------------------------------------------------------------


def test_every_set_has_a_code_and_a_label_for_each_of_the_ten() -> None:
    assert len(ORDER) == 10 and {one.id for one in FIRST} == {"article-24", "plain-4"}
    for one in FIRST:
        assert set(one.codes) == set(ORDER) and all(code.code and code.label for code in one.codes.values())
    assert [ARTICLE_24.codes[type_].code for type_ in ORDER] == [str(n) for n in range(1, 11)]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("id", "两位", "codes_id"),
        ("id", "", "missing"),
        ("name", "", "missing"),
        ("source", "", "missing"),
        ("in_force_from", "soon", "not_a_day"),
        ("code:qualified", "", "missing"),
        ("label:unreachable", "", "missing"),
        ("label:unreachable", "长" * 61, "too_long"),
    ],
)
def test_what_a_set_lacks_is_said_at_its_field(field: str, value: str, code: str) -> None:
    made, faults = check_set(values_of(PLAIN) | {field: value}, 1)
    assert made is None and [(fault.field, fault.code) for fault in faults] == [(field, code)]


def test_a_set_that_is_entered_is_chosen_in_public_data_and_its_next_version_waits_for_its_day(sent: Sent) -> None:
    form = values_of(PLAIN) | {"id": "sjpt", "name": "数据平台", "in_force_from": "2026-01-01"}
    for who in ("clerk", "principal", "head"):
        assert sent.client(who).post("/office/codes", data=form).status_code == 403
    assert sent.client("admin").post("/office/codes", data=form | {"code:qualified": ""}).json()["article"] == "24"
    assert sent.client("admin").post("/office/codes", data=form).status_code == 303
    later = form | {"code:no_problem_found": "Z9", "in_force_from": "2999-01-01"}
    assert sent.client("legal").post("/office/codes", data=later).status_code == 303
    page = sent.client("legal").get("/office/codes?set=sjpt", headers=HTML).text
    assert "数据平台" in page and "第 2 版" in page and 'value="sjpt"' in page
    table = list(csv.reader(io.StringIO(sent.public("/results/results.csv?codes=sjpt").content.decode("utf-8-sig"))))
    assert table[0][-2:] == ["数据平台", "名称"]
    assert {tuple(row[-2:]) for row in table[1:] if row[0] == sent.no} == {("A", "正常")}
    data: dict[str, Any] = sent.public("/results/results.json?codes=sjpt").json()
    assert data["codes"]["version"] == 1
    assert {one["no"]: one["code"] for one in data["results"]}[sent.no] == {"code": "A", "label": "正常"}
    plain = sent.public("/results/results.json").json()
    assert "codes" not in plain and all("code" not in one for one in plain["results"])
    assert sent.public("/results/results.csv?codes=none").status_code == 404


# --- the province's platform ------------------------------------------------------------------------------------------


@pytest.mark.rule("R7.3", "http")
def test_a_result_keeps_its_state_at_the_province_from_not_sent_to_its_number(sent: Sent) -> None:
    assert "未报送" in sent.page()
    assert sent.confirm("HN-1").json()["code"] == "province_not_exported"
    row = sent.mine(sent.exported())
    assert (row["检查结果代码"], row["检查结果"], row["公示编号"]) == ("01", "未发现问题", sent.no)
    other = sent.mine(sent.exported(codes="plain-4"))
    assert (other["检查结果代码"], other["检查结果"]) == ("A", "正常")
    assert sent.client("clerk").post(f"{KIND}/export", data=FORM | {"codes": "none"}).status_code == 422
    assert "已导出" in sent.page()
    assert sent.confirm("HN-2026-77").status_code == 303
    page = sent.page()
    assert "已回执" in page and "HN-2026-77" in page
    listed = sent.client("clerk").get("/office/publication?show=published", headers=HTML).text
    assert "HN-2026-77" in listed and sent.no in listed
    assert sent.no not in [row[0] for row in sent.exported(which="new")], "what is confirmed isn't sent again"
    with sent.db.read() as conn:
        place = Place("industry", imports.units_by_name(conn), beijing_day(datetime.now(UTC)), None)  # type: ignore[arg-type]
        assert acts.counts_of(conn, place, "result") == {} and not acts.belongs(conn, place, "result", "x")


def test_without_the_setting_a_published_result_is_in_time_by_itself(sent: Sent) -> None:
    assert sent.settled and "等省平台回执" not in sent.page()


@pytest.mark.rule("R26.1", "allows")
@pytest.mark.rule("R26.1", "refuses")
def test_with_the_setting_a_result_is_in_time_only_once_the_platforms_number_is_stored(
    asks_for_receipt: None, server: Running
) -> None:
    sent = Sent(server)
    assert not sent.settled and "等省平台回执" in sent.page()
    with pytest.raises(Problem) as early, sent.db.write() as conn:
        now, units = datetime.now(UTC), imports.units_by_name(conn)
        place = Place("hazchem", units, beijing_day(now), None)  # type: ignore[arg-type]
        acts.confirm(conn, CLERK, now, "result", place, str(sent.row()["id"]), "HN-9")
    assert (early.value.code, early.value.article) == ("province_not_exported", "7")
    sent.exported()
    assert not sent.settled, "an export is no receipt"
    assert sent.confirm("HN-2026-78").status_code == 303
    assert sent.settled and "等省平台回执" not in sent.page()
    with sent.db.read() as conn:
        state = acts.province.states_of(conn, "result", [str(sent.row()["id"])])[str(sent.row()["id"])]
    assert (state.number, state.by) == ("HN-2026-78", "clerk")
    assert datetime.now(UTC) - datetime.fromisoformat(state.at) < timedelta(hours=1)
    sent.close()
