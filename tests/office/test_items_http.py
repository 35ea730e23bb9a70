"""The item list's room over HTTP, as forms post it: refusals with their article, two editors, release, coverage."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.office.district import HTML, Office, demo_server
from tests.office.walks.items import FACTS, POINT, base, new_item, post, ready_item
from tests.running import Running

JSON = {"Accept": "application/json"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("items") / "data"))
    yield found
    found.close()


def page(office: Office, who: str, path: str) -> str:
    answer = office.client(who).get(f"/office/items{path}", headers=HTML)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.text


def said(text: str) -> str:
    """What stands on a page, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", text))


def problem(answer: httpx.Response) -> tuple[int, str, object]:
    document = answer.json()
    return answer.status_code, document["code"], document.get("article")


@pytest.mark.rule("R5.1", "http")
def test_a_form_with_faults_comes_back_with_all_that_was_typed_and_a_sentence_at_each_field(office: Office) -> None:
    answer = post(office, "clerk", "/new", **(FACTS | {"name": "", "ratio": "900", "object": "我打的字"}))
    assert answer.status_code == 422
    assert 'value="我打的字"' in answer.text
    assert 'href="#f-name"' in answer.text
    assert "「900」不是 0.01 到 100 之间的百分数。" in answer.text
    assert "有 2 处" in said(answer.text)


@pytest.mark.rule("R6.1", "http")
def test_the_form_offers_the_sectors_of_article_6_and_refuses_others(office: Office) -> None:
    form = page(office, "clerk", "/new")
    assert re.findall(
        r'<option value="([a-z_]+)"[^>]*>(?:危险化学品|非煤矿山|安全评价检测检验机构|工矿商贸|其他)<', form
    ) == [
        "hazardous_chemicals",
        "non_coal_mines",
        "safety_services",
        "industry_commerce",
        "other",
    ]
    answer = office.client("clerk").post("/office/items/new", data=FACTS | {"sector": "catering"}, headers=JSON)
    assert problem(answer) == (422, "invalid", "6")
    assert [fault["field"] for fault in answer.json()["faults"]] == ["sector"]


@pytest.mark.rule("R32.1", "http")
def test_the_annex_stands_in_the_room_as_eight_drafts_to_review(office: Office) -> None:
    assert len(re.findall(r'href="/office/items/(1a|1b|[2-6]|annex-u)"', page(office, "clerk", "?state=review"))) == 8
    answer = office.client("clerk").post("/office/items/1b/submit", headers=JSON)
    assert problem(answer) == (409, "item_needs_review", "32")


@pytest.mark.rule("R2.1", "http")
def test_an_item_that_the_list_does_not_have_says_so_on_its_page(office: Office) -> None:
    path = ready_item(office)
    assert "还没有公布过。" in page(office, "clerk", path)
    assert path.strip("/") not in office.stranger.get("/items", headers=HTML).text


@pytest.mark.rule("R5.2", "http")
def test_the_release_page_shows_what_a_release_then_does(office: Office) -> None:
    path = ready_item(office)
    before = page(office, "legal", "/release")
    assert "新增" in before
    assert "仓库通风检查" in before
    seen = base(office, "/release", "seen", "legal")
    ready_item(office)
    form = {"document": "《清单》", "summary": "增加", "seen": seen}
    refused = office.client("legal").post("/office/items/release", data=form, headers=JSON)
    assert problem(refused) == (409, "list_changed", "5")
    form["seen"] = base(office, "/release", "seen", "legal")
    done = post(office, "legal", "/release", **form)
    assert (done.status_code, done.headers["location"]) == (303, "/office/items/versions")
    assert "现行" in page(office, "clerk", path)
    again = office.client("legal").post("/office/items/release", data=form, headers=JSON)
    assert problem(again)[1:] in (("list_changed", "5"), ("list_unchanged", "5"))


def test_the_office_sees_the_difference_between_draft_and_list(office: Office) -> None:
    text = said(page(office, "clerk", "/workshop-fire"))
    assert "与第 3 版的差异" in text or "现行" in text
    assert "询问" in text


def test_the_second_of_two_editors_sees_both_versions_and_loses_nothing(office: Office) -> None:
    path = new_item(office, with_points=True)
    old = base(office, f"{path}/checklist")
    shown = POINT | {"point.0.id": base(office, f"{path}/checklist", "point.0.id"), "base": old}
    first = post(office, "clerk", f"{path}/checklist", **(shown | {"point.0.text": "第一位写的"}))
    assert first.status_code == 303
    more = {name.replace("point.0.", "point.1."): text for name, text in POINT.items()} | {"point.1.text": "他加的"}
    second = post(office, "clerk", f"{path}/checklist", **(shown | more | {"point.0.text": "第二位写的"}))
    assert second.status_code == 409
    assert "别人保存的" in second.text
    assert "第一位写的" in said(second.text)
    assert "只在你写的里面：1 条要点" in said(second.text)
    assert 'value="第二位写的"' in second.text
    new = str(re.findall(r'name="base" value="([0-9a-f]{64})"', second.text)[0])
    assert (
        post(office, "clerk", f"{path}/checklist", **(POINT | {"point.0.text": "合在一起", "base": new})).status_code
        == 303
    )
    assert "合在一起" in page(office, "clerk", path)


def test_of_two_who_edit_the_facts_the_second_loses_nothing_either(office: Office) -> None:
    path = new_item(office)
    old = base(office, f"{path}/edit")
    assert post(office, "clerk", f"{path}/edit", **(FACTS | {"level": "市级", "base": old})).status_code == 303
    second = post(office, "clerk", f"{path}/edit", **(FACTS | {"level": "省级", "base": old}))
    assert second.status_code == 409
    assert "市级" in said(second.text)
    assert 'value="省级"' in second.text


def test_moving_a_point_saves_nothing_and_keeps_what_was_typed(office: Office) -> None:
    path = new_item(office, with_points=True)
    form = POINT | {
        "base": base(office, f"{path}/checklist"),
        "point.1.text": "刚打的第二条",
        "point.1.section": "现场",
        "do": "up:1",
    }
    answer = post(office, "clerk", f"{path}/checklist", **form)
    assert answer.status_code == 200
    assert re.findall(r'name="point\.\d\.text" type="text" value="([^"]+)"', answer.text) == [
        "刚打的第二条",
        "通风机开着",
    ]
    assert "刚打的第二条" not in page(office, "clerk", path)


def test_a_hostile_text_is_refused_or_shown_as_text(office: Office) -> None:
    path = new_item(office)
    form = FACTS | {"object": "<script>alert(1)</script>", "base": base(office, f"{path}/edit")}
    assert post(office, "clerk", f"{path}/edit", **form).status_code == 303
    for where in (path, f"{path}/edit", ""):
        assert "<script>alert" not in page(office, "clerk", where)
    form = FACTS | {"object": "储存\u202e单位", "base": base(office, f"{path}/edit")}
    answer = post(office, "clerk", f"{path}/edit", **form)
    assert answer.status_code == 422
    assert "改变文字方向的字符" in answer.text


@pytest.mark.rule("R8.2", "http")
def test_the_coverage_lists_items_without_any_subject_as_page_and_file(office: Office) -> None:
    text = page(office, "principal", "/coverage")
    assert "没有主体" in said(text)
    answer = office.client("principal").get("/office/items/coverage.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    found = {row[1]: int(row[2]) for row in rows[1:]}
    assert (found["1a"], found["hazchem-storage"]) == (0, 90)
    assert rows[0][:3] == ["抽查事项", "编号", "主体合计"]


@pytest.mark.rule("R8.2", "refuses")
def test_the_coverage_is_for_the_office_and_a_clerk_sees_only_his_own_library_in_it(office: Office) -> None:
    refused = office.client("admin").get("/office/items/coverage", headers=JSON)
    assert problem(refused) == (403, "forbidden", None)
    assert "工矿商贸监管股" not in re.findall(r"<thead>.*?</thead>", page(office, "clerk", "/coverage"), re.S)[0]
    assert "工矿商贸监管股" in re.findall(r"<thead>.*?</thead>", page(office, "principal", "/coverage"), re.S)[0]


def test_the_room_works_alike_on_both_databases(any_server: Running) -> None:
    with any_server.signed_in("clerk") as clerk, any_server.signed_in("legal") as legal:
        made = clerk.post("/office/items/new", data=FACTS, headers=HTML)
        path = made.headers["location"]
        shown = clerk.get(f"{path}/checklist", headers=HTML).text
        point = POINT | {"base": re.findall(r'name="base" value="([0-9a-f]{64})"', shown)[0]}
        assert clerk.post(f"{path}/checklist", data=point, headers=HTML).status_code == 303
        assert clerk.post(f"{path}/submit", headers=HTML).status_code == 303
        shown = legal.get("/office/items/release", headers=HTML).text
        form = {
            "document": "《清单》",
            "summary": "首次公布",
            "seen": re.findall(r'name="seen" value="(\w{64})"', shown)[0],
        }
        assert legal.post("/office/items/release", data=form, headers=HTML).status_code == 303
        for address in ("/office/items", path, "/office/items/versions", "/office/items/coverage", "/items"):
            assert legal.get(address, headers=HTML).status_code == 200, address
        assert "仓库通风检查" in legal.get("/items", headers=HTML).text
