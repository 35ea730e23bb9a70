"""What everybody may read: pages without cookie or script, files safe to open, feeds that any reader understands."""

from __future__ import annotations

import csv
import io
import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest

from tests.office.district import HTML, Office, demo_server
from tests.office.walks.items import FACTS, base, new_item, post
from tests.office.walks.items import POINT as POINT_OF_WALK

ATOM = "{http://www.w3.org/2005/Atom}"
HOSTILE = {
    "name": '=HYPERLINK("http://evil")',
    "object": "<script>alert(1)</script>&amp;\"'",
    "method": "@SUM(A1:A9)",
    "department": "＝1+1",
    "level": "-2+3",
}
POINT = POINT_OF_WALK | {"point.0.text": "<img src=x onerror=alert(2)>"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The demo district, with one item more that says all that spreadsheets and browsers take for something else."""
    found = Office(demo_server(tmp_path_factory.mktemp("public") / "data"))
    path = post(found, "clerk", "/new", **(FACTS | HOSTILE)).headers["location"].removeprefix("/office/items")
    form = POINT | {"base": base(found, f"{path}/checklist")}
    assert post(found, "clerk", f"{path}/checklist", **form).status_code == 303
    assert post(found, "clerk", f"{path}/submit").status_code == 303
    form = {
        "document": "《清单》]]> & <四>",
        "summary": "<b>增加</b>一个事项",
        "seen": base(found, "/release", "seen", "legal"),
    }
    assert post(found, "legal", "/release", **form).status_code == 303
    yield found
    found.close()


@pytest.fixture(scope="module")
def public(office: Office) -> Iterator[httpx.Client]:
    with office.running.client(headers=HTML | {"Accept-Language": "zh-CN"}) as client:
        yield client


PAGES = (
    "/",
    "/items",
    "/items/versions",
    "/items/versions/1",
    "/items/versions/4",
    "/plans",
    "/plans/2026",
    "/plans/2026/versions/1",
)
FILES = (
    "/items/versions/4/items.csv",
    "/items/versions/4/items.json",
    "/items/feed.atom",
    "/items/feed.json",
    "/plans/2026/versions/1/plan.csv",
    "/plans/2026/versions/1/plan.json",
    "/plans/feed.atom",
    "/plans/feed.json",
)


@pytest.mark.parametrize("address", PAGES + FILES)
def test_it_is_read_without_cookie_and_kept_for_a_minute(public: httpx.Client, address: str) -> None:
    answer = public.get(address)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "public, max-age=60"
    again = public.get(address, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("address", PAGES)
def test_a_page_needs_no_script_and_shows_every_text_as_text(public: httpx.Client, address: str) -> None:
    text = public.get(address).text
    assert "<script" not in text
    assert "<img" not in text
    assert not re.search(r"\son\w+=|style=", re.sub(r">[^<]*<", "><", text))


@pytest.mark.parametrize(
    "address",
    [
        "/items/versions/0",
        "/items/versions/99",
        "/items/versions/9999999999999999999999",
        "/items/versions/x",
        "/items/versions/99/items.csv",
        "/plans/1",
        "/plans/99999999999999999999",
        "/assets/nothing.css",
    ],
)
def test_what_is_not_there_is_404_for_people_and_programs(public: httpx.Client, address: str) -> None:
    assert public.get(address).status_code == 404
    answer = public.get(address, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


# --- versions (R5.2, R5.3) --------------------------------------------------------------------------------------------


def test_the_list_in_effect_names_its_version_its_items_and_what_changed(public: httpx.Client) -> None:
    text = public.get("/items").text
    assert "第 4 版" in text
    assert "危险化学品储存安全检查" in text
    assert "与第 3 版相比" in text
    assert "新增 1 个事项" in text


@pytest.mark.rule("R5.3", "http")
def test_an_old_version_stays_as_it_was_and_one_that_never_was_is_not_there(public: httpx.Client) -> None:
    before = public.get("/items/versions/3/items.json").json()
    ids = [item["id"] for item in before["items"]]
    assert sorted(ids) == ["confined-space", "hazchem-storage", "special-operations", "workshop-fire"]
    answer = public.get("/items/versions/5/items.json", headers={"Accept": "application/json"})
    assert answer.status_code == 404


def test_the_second_version_tells_the_item_that_came_and_the_third_the_points_that_changed(
    public: httpx.Client,
) -> None:
    assert "特种作业安全检查" in public.get("/items/versions/2").text.partition("与第 1 版相比")[2]
    third = public.get("/items/versions/3").text.partition("与第 2 版相比")[2]
    assert all(words in third for words in ("新增 1 条要点", "1 条要点换了位置", "一般检查事项", "重点检查事项"))


def test_how_a_point_is_looked_into_stays_inside_the_bureau(office: Office, public: httpx.Client) -> None:
    sheet = Path(__file__).parents[2] / "server" / "demo" / "checklists" / "confined-space.json"
    ways = [point["how"] for section in json.loads(sheet.read_text("utf-8"))["sections"] for point in section["points"]]
    texts = [public.get(address).text for address in (*PAGES, *FILES, "/items/versions/3")]
    assert not [way for way in ways for text in texts if way in text]


def test_no_person_of_the_office_stands_in_public(office: Office, public: httpx.Client) -> None:
    names = ("周敏", "沈若兰", "郑国强", "马文博", "clerk", "legal", "principal")
    texts = {address: public.get(address).text for address in (*PAGES, *FILES)}
    assert not [(name, address) for name in names for address, text in texts.items() if name in text]


# --- plans (R12.3) ----------------------------------------------------------------------------------------------------


def test_a_plan_shows_its_lines_its_filings_and_every_version(public: httpx.Client) -> None:
    page = public.get("/plans/2026").text
    plan = public.get("/plans/2026/versions/1/plan.json").json()
    assert len(plan["filings"]) == 2
    assert all(one["authority"] in page for one in plan["filings"])
    newest = re.findall(r'<p class="big">第 (\d+) 版</p>', page)[0]
    assert [int(n) for n in re.findall(r'href="/plans/2026/versions/(\d+)">', page)] == [*range(int(newest), 0, -1)]
    assert "与第 1 版相比" in public.get("/plans/2026/versions/2").text


def test_a_line_of_a_plan_is_closed_and_names_no_person(public: httpx.Client) -> None:
    plan = public.get("/plans/2026/versions/1/plan.json").json()
    assert set(plan) == {"year", "version", "supervision_plan", "released_on", "reason", "lines", "filings"}
    assert set(plan["lines"][0]) == {
        "id", "unit", "item", "scope", "window_from", "window_to", "count", "share", "unified_share", "own_share",
        "months", "joint", "partner", "campaign",
    }  # fmt: skip


def test_the_plan_as_csv_has_a_row_a_line(public: httpx.Client) -> None:
    plan = public.get("/plans/2026/versions/1/plan.json").json()
    rows = list(csv.reader(io.StringIO(public.get("/plans/2026/versions/1/plan.csv").content.decode("utf-8-sig"))))
    assert [row[1] for row in rows[1:]] == [line["item"] for line in plan["lines"]]
    assert [int(row[5]) for row in rows[1:]] == [line["count"] for line in plan["lines"]]
    assert rows[0][:2] == ["责任股室", "抽查事项"]


def test_the_feed_of_plans_has_an_entry_a_version(public: httpx.Client) -> None:
    entries = feed(public, "/plans/feed.atom").findall(f"{ATOM}entry")
    addresses = [link.get("href", "") for entry in entries for link in entry.findall(f"{ATOM}link")]
    assert [address.partition("/plans/")[2] for address in addresses[-2:]] == ["2026/versions/2", "2026/versions/1"]
    assert len({_text(entry, "id") for entry in entries}) == len(entries)


# --- files ------------------------------------------------------------------------------------------------------------


def test_the_csv_opens_as_text_in_a_spreadsheet(public: httpx.Client) -> None:
    answer = public.get("/items/versions/4/items.csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 6
    assert {len(row) for row in rows} == {14}
    hostile = next(row for row in rows if "HYPERLINK" in row[1])
    assert hostile[1] == "'" + HOSTILE["name"]
    assert hostile[4:7] == ["'@SUM(A1:A9)", "'＝1+1", "'-2+3"]
    assert not [cell for row in rows for cell in row if cell.lstrip(" \u3000").startswith(tuple("=+-@＝＋－＠\t\r"))]


def test_the_json_has_closed_fields_and_the_digests_of_the_checklists(public: httpx.Client) -> None:
    found = public.get("/items/versions/4/items.json").json()
    assert set(found) == {"t", "bureau", "version", "items"}
    assert set(found["version"]) == {"n", "released_on", "released_at", "document", "summary", "sha256"}
    assert set(found["items"][0]) == {
        "id", "name", "object", "category", "method", "department", "level", "sector", "judged", "ratio", "unit",
        "scope", "basis", "points", "checklist",
    }  # fmt: skip
    assert all(re.fullmatch(r"[0-9a-f]{64}", item["checklist"]) for item in found["items"])


# --- feeds ------------------------------------------------------------------------------------------------------------


def feed(public: httpx.Client, address: str) -> ElementTree.Element:
    answer = public.get(address)
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    return ElementTree.fromstring(answer.content)


def test_the_atom_feed_has_what_rfc_4287_asks_and_shows_markup_as_text(office: Office, public: httpx.Client) -> None:
    root = feed(public, "/items/feed.atom")
    assert root.tag == f"{ATOM}feed"
    for element in (root, *root.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", _text(element, "updated"))
        assert uuid.UUID(_text(element, "id").removeprefix("urn:uuid:"))
    newest = root.findall(f"{ATOM}entry")[0]
    assert newest.find(f"{ATOM}content") is not None
    assert "《清单》]]> & <四>" in _text(newest, "content")
    assert "<b>增加</b>" in _text(newest, "content")
    links = {link.get("rel"): link.get("href") for link in root.findall(f"{ATOM}link")}
    assert links == {"self": f"{office.running.url.replace('127.0.0.1', 'localhost')}/items/feed.atom",
                     "alternate": f"{office.running.url.replace('127.0.0.1', 'localhost')}/items"}  # fmt: skip


def test_the_entries_ids_are_distinct_and_stay_over_releases_and_languages(office: Office) -> None:
    with office.running.client(headers={"Accept-Language": "en"}) as english, office.running.client() as chinese:
        ids = [
            [_text(entry, "id") for entry in feed(one, "/items/feed.atom").findall(f"{ATOM}entry")]
            for one in (english, chinese)
        ]
        assert ids[0] == ids[1]
        assert len(set(ids[0])) == 4
        path = new_item(office, with_points=True)
        assert post(office, "clerk", f"{path}/submit").status_code == 303
        form = {"document": "《清单》", "summary": "再增加", "seen": base(office, "/release", "seen", "legal")}
        assert post(office, "legal", "/release", **form).status_code == 303
        after = [_text(entry, "id") for entry in feed(chinese, "/items/feed.atom").findall(f"{ATOM}entry")]
        assert after[1:] == ids[0]


def test_the_json_feed_says_the_same_as_the_atom_feed(public: httpx.Client) -> None:
    found = public.get("/items/feed.json").json()
    atom = feed(public, "/items/feed.atom").findall(f"{ATOM}entry")
    assert found["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["id"] for item in found["items"]] == [_text(entry, "id") for entry in atom]
    assert [item["content_text"] for item in found["items"]] == [_text(entry, "content") for entry in atom]


def _text(element: ElementTree.Element, name: str) -> str:
    return element.findtext(f"{ATOM}{name}") or ""
