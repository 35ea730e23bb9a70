"""The office's pages over HTTP: who sees which visits, under which filter, in which words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from server.demo.tasks import UNIT_OF
from server.store import reviews
from tests.office.district import HTML, IDS, Office, csrf, demo_server, listed, pills

OWN = {name for name, unit in UNIT_OF.items() if unit == "hazchem-section"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    found = Office(demo_server(tmp_path_factory.mktemp("rooms") / "data"))
    yield found
    found.close()


@pytest.mark.parametrize("username", ["clerk", "head"])
def test_a_unit_sees_its_own_visits_and_no_others(office: Office, username: str) -> None:
    answer = office.client(username).get("/office/inbox?show=all", headers=HTML)
    assert set(listed(answer)) == OWN


@pytest.mark.parametrize("username", ["principal", "legal", "steering", "auditor"])
def test_who_stands_above_the_units_sees_all_visits(office: Office, username: str) -> None:
    answer = office.client(username).get("/office/inbox?show=all", headers=HTML)
    assert set(listed(answer)) == set(IDS)


@pytest.mark.parametrize("username", ["admin", "li", "zhao"])
def test_the_office_is_closed_to_admin_and_officers(office: Office, username: str) -> None:
    for path in ("/office/inbox", f"/office/visits/{IDS['ordered']}", f"/office/visits/{IDS['ordered']}/history"):
        answer = office.client(username).get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_who_is_not_signed_in_is_led_to_the_door(office: Office) -> None:
    with office.running.client() as stranger:
        page = stranger.get("/office/inbox", headers=HTML)
        assert (page.status_code, page.headers["location"]) == (303, "/office/sign-in")
        program = stranger.get("/office/inbox", headers={"Accept": "application/json"})
        assert (program.status_code, program.json()["code"]) == (401, "not_signed_in")
        assert stranger.get("/office/sign-in").status_code == 200


def test_a_visit_of_another_unit_does_not_exist_for_the_clerk(office: Office) -> None:
    for more in ("", "/history", "/photos/" + "0" * 64):
        assert office.page("clerk", "unqualified", more).status_code == 404
    assert office.page("principal", "unqualified").status_code == 200
    answer = office.act("clerk", "unqualified", "approve", round="1")
    assert answer.status_code == 404


def test_the_filters_count_what_the_demo_holds(office: Office) -> None:
    answer = office.client("clerk").get("/office/inbox", headers=HTML)
    wanted = {"pending": 2, "all": 15, "conflict": 1, "quarantine": 3, "late": 1, "returned": 1, "approved": 2}
    assert pills(answer) == wanted


@pytest.mark.parametrize(
    ("show", "names"),
    [
        ("pending", {"ordered", "refused"}),
        ("conflict", {"conflict"}),
        ("quarantine", {"conflict", "interrupted", "void"}),
        ("late", {"ordered"}),
        ("returned", {"returned"}),
        ("approved", {"approved", "unreachable"}),
        ("nonsense", {"ordered", "refused"}),
    ],
)
def test_a_filter_shows_what_it_says(office: Office, show: str, names: set[str]) -> None:
    assert set(listed(office.client("clerk").get(f"/office/inbox?show={show}", headers=HTML))) == names


def test_the_inbox_finds_a_subject_by_name_and_by_code(office: Office) -> None:
    with office.db.read() as conn:
        visit = reviews.one_received(conn, IDS["ordered"])
    assert visit is not None
    for typed in (visit.subject_name[2:6], visit.subject_uscc[8:], visit.subject_uscc.lower()):
        answer = office.client("clerk").get("/office/inbox", params={"show": "all", "q": typed}, headers=HTML)
        assert "ordered" in listed(answer)
    empty = office.client("clerk").get("/office/inbox", params={"q": "没有这家"}, headers=HTML)
    assert listed(empty) == []
    assert pills(empty)["all"] == 0


@pytest.mark.parametrize("name", sorted(OWN))
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_visit_opens_with_its_history_in_both_languages(office: Office, name: str, language: str) -> None:
    client = office.client("clerk")
    for more in ("", "/history"):
        answer = client.get(f"/office/visits/{IDS[name]}{more}", headers=HTML | {"Accept-Language": language})
        assert answer.status_code == 200
        assert f'<html lang="{language}">' in answer.text
        assert answer.headers["cache-control"] == "no-store"


def test_a_page_says_what_stands_in_the_record(office: Office) -> None:
    text = office.page("clerk", "conflict").text
    for words in ("乙类库东北角，靠近卷帘门", "围堰缺口长 0.3 米", "围堰西南角有缺口", "和另一条重复"):
        assert words in text


def test_a_photo_opens_and_an_unknown_one_does_not(office: Office) -> None:
    content = office.view("ordered")["content"]
    assert isinstance(content, dict)
    for sha256 in content["media"]:
        assert office.page("clerk", "ordered", f"/photos/{sha256}").status_code == 200
        for size in ("", "?as=thumb"):
            picture = office.client("clerk").get(f"/api/media/{sha256}{size}")
            assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
    assert office.page("clerk", "ordered", "/photos/" + "0" * 64).status_code == 404


def test_a_fragment_is_given_to_htmx_and_a_page_to_all_others(office: Office) -> None:
    path = f"/office/visits/{IDS['stale']}"
    client = office.client("clerk")
    assert "<html" in client.get(path, headers=HTML).text
    fragment = client.get(path, headers=HTML | {"HX-Request": "true", "HX-Request-Type": "partial"}).text
    assert "<html" not in fragment
    assert "<h1>" in fragment


def test_an_error_is_a_page_for_people_and_a_problem_for_programs(office: Office) -> None:
    client = office.client("clerk")
    for path in ("/office/visits/none", "/office/nothing/here"):
        page = client.get(path, headers=HTML)
        assert page.status_code == 404
        assert page.headers["content-type"].startswith("text/html")
        program = client.get(path, headers={"Accept": "application/json"})
        assert program.status_code == 404
        assert program.headers["content-type"] == "application/problem+json"


def test_who_reloads_the_answer_to_an_act_is_shown_the_visit(office: Office) -> None:
    answer = office.page("clerk", "stale", "/approve")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/office/visits/{IDS['stale']}")
    assert office.page("clerk", "stale", "/dance").status_code == 404


def test_language_is_chosen_by_the_page_and_kept(office: Office) -> None:
    browser = office.browser("clerk")
    answer = browser.post("/office/language", data={"csrf": csrf(browser), "language": "en", "back": "/office/inbox"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/office/inbox")
    assert '<html lang="en">' in browser.get("/office/inbox").text
    away = browser.post(
        "/office/language", data={"csrf": csrf(browser), "language": "en", "back": "https://evil.test/"}
    )
    assert away.headers["location"] == "/office/"
    browser.close()


def test_signing_out_ends_the_session(office: Office) -> None:
    browser = office.browser("head")
    answer = browser.post("/office/sign-out", data={"csrf": csrf(browser)})
    assert (answer.status_code, answer.headers["location"]) == (303, "/office/sign-in")
    assert browser.get("/office/inbox").status_code == 303
    browser.close()


def test_an_officer_cannot_come_in_by_the_form_and_a_wrong_password_says_nothing_more(office: Office) -> None:
    with office.running.client(headers=HTML) as client:
        officer = client.post("/office/sign-in", data={"username": "li", "password": "suijian-demo"})
        assert officer.status_code == 403
        assert "set-cookie" not in officer.headers
        wrong = client.post("/office/sign-in", data={"username": "clerk", "password": "wrong"})
        nobody = client.post("/office/sign-in", data={"username": "nobody", "password": "wrong"})
        assert wrong.status_code == nobody.status_code == 401
        assert wrong.text.replace("clerk", "") == nobody.text.replace("nobody", "")
