"""Story A, its first half, walked by four people in four browsers; with --pictures it photographs the guide."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from server.demo.people import PASSWORD
from server.domain.instant import beijing_day
from tests.office import story
from tests.office.screens import axe, chromium_at, fit
from tests.running import Running

pytestmark = [pytest.mark.browser, pytest.mark.serial]

YEAR: Final = beijing_day(datetime.now(UTC)).year
ITEM, OTHER_ITEM = "危险化学品储存", "特种作业"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    found = story.bureau(tmp_path_factory.mktemp("story") / "data")
    yield found
    found.kill()


@pytest.fixture(scope="module")
def chrome(chromium: str) -> Iterator[Browser]:
    with chromium_at(chromium) as browser:
        yield browser


class Cast:
    """The four people, each in a browser profile of his own, and the public."""

    def __init__(self, chrome: Browser, running: Running, takes_pictures: bool) -> None:
        self.chrome, self.url, self.takes_pictures = chrome, running.url, takes_pictures
        self.faults: list[str] = []
        self.ugly: list[str] = []
        self.pages = {name: self._page() for name in (*story.CAST, "public")}
        for name in story.CAST:
            self._sign_in(name)

    def __getitem__(self, name: str) -> Page:
        return self.pages[name]

    def _page(self) -> Page:
        context = self.chrome.new_context(
            viewport={"width": 1280, "height": 900}, locale="zh-CN", accept_downloads=True
        )
        page = context.new_page()
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("response", lambda one: self.faults.append(f"{one.status} {one.url}") if one.status >= 500 else None)
        return page

    def _sign_in(self, name: str) -> None:
        page = self[name]
        page.goto(self.url + "/office/sign-in")
        page.fill("input[name=username]", name)
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_url(re.compile(r"/office/?$"))

    def open(self, name: str, path: str) -> Page:
        """A page for one of them."""
        self[name].goto(self.url + path)
        return self[name]

    def show(self, page: Page, name: str) -> None:
        """Looks whether a page is accessible and fits at both widths; with --pictures also photographs it."""
        if self.takes_pictures:
            story.picture(page.screenshot(full_page=True), story.GUIDE_PICTURES / f"{name}.png")
        page.set_viewport_size({"width": 360, "height": 780})
        narrow = fit(page)
        page.set_viewport_size({"width": 1280, "height": 900})
        self.ugly += [f"{name}: {fault}" for fault in (*axe(page), *fit(page), *narrow)]


def test_story_a_until_the_plan_is_public(
    running: Running, chrome: Browser, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    cast = Cast(chrome, running, bool(request.config.getoption("--pictures")))
    legal_releases_version_3(cast)
    clerk_imports_212_subjects(cast, tmp_path)
    story.draw_twice(running, [row[0] for row in story.rows()])
    clerk_enters_the_flag_of_one_of_them(cast)
    legal_begins_the_plan(cast)
    clerk_plans_10_of_212(cast)
    clerk_plans_a_joint_line(cast)
    head_signs_and_hands_in(cast)
    legal_consolidates(cast)
    principal_approves(cast)
    legal_files_and_releases(cast)
    everybody_reads_the_plan(cast)
    a_released_plan_cannot_be_changed(cast, running)
    assert cast.faults == []
    assert not cast.ugly, "\n".join(cast.ugly)


def legal_releases_version_3(cast: Cast) -> None:
    """1. Item list v3 is released by the legal unit, who reads the difference first."""
    page = cast.open("legal", "/office/items/release")
    expect(page.locator("h1")).to_contain_text("3")
    difference = page.locator("main .left").inner_text()
    assert "特种作业" in difference  # 1.1 the new item
    assert "现场检查" in difference  # 1.2 what stood there before
    cast.show(page, "items-release")
    page.fill("[name=document]", "《卧龙区应急管理局随机抽查事项清单》（卧应急〔三〕号）")
    page.fill("[name=summary]", "增加特种作业；危险化学品储存改用两种检查方式。")
    page.click("main form:has([name=document]) .btn.main")
    page.wait_for_url("**/office/items/versions*")
    expect(page.locator("main")).to_contain_text("第 3 版")  # 1.3 it is released
    cast.show(page, "items-versions")
    public = cast.open("public", "/items")
    expect(public.locator("main")).to_contain_text("第 3 版")  # 1.4 and public at once
    cast.show(public, "public-items")


def clerk_imports_212_subjects(cast: Cast, folder: Path) -> None:
    """2. The clerk imports 212 subjects: the dry run names one error, which he mends; then he applies."""
    table = story.rows()
    wrong = story.write_workbook(folder / "危化品名单.xlsx", story.with_a_wrong_code(table))
    page = bring(cast, wrong)
    counts = page.locator(".counts").inner_text()
    assert "211" in counts  # 2.1 as many would be new
    assert "1" in counts.split()
    faults = page.locator("main").inner_text()
    assert str(story.MENDED + 2) in faults  # 2.2 the row, counted as the sheet does
    assert "统一社会信用代码" in faults  # 2.3 the column
    cast.show(page, "import-faults")
    right = story.write_workbook(folder / "危化品名单（已改）.xlsx", table)
    page = bring(cast, right)
    assert "212" in page.locator(".counts").inner_text()  # 2.4 nothing is wrong any more
    library = cast.open("clerk", "/office/subjects")
    assert library.locator("main tbody tr").count() == 0  # 2.5 and nothing was entered before it is applied
    page.go_back()
    cast.show(page, "import-checked")
    page.click("main form[action$='/apply'] .btn.main")
    expect(page.get_by_text("撤销").first).to_be_visible(timeout=30_000)
    cast.show(page, "import-applied")
    subjects = cast.open("clerk", "/office/subjects")
    expect(subjects.locator("main")).to_contain_text("212")  # 2.6 all of them are in the library
    cast.show(subjects, "subjects")


def bring(cast: Cast, file: Path) -> Page:
    """Uploads a file and waits until it is checked."""
    page = cast.open("clerk", "/office/imports")
    page.select_option("[name=layout]", "subjects")
    page.fill("[name=source]", "市场监管局登记数据，经核对")
    page.set_input_files("[name=file]", file)
    page.click("main form:has([name=file]) .btn.main")
    expect(page.locator(".counts")).to_be_visible(timeout=30_000)
    return page


def clerk_enters_the_flag_of_one_of_them(cast: Cast) -> None:
    """3. One of those drawn twice comes onto the key list: the flag, its document and its first day."""
    code = story.rows()[story.ON_THE_KEY_LIST][0]
    page = cast.open("clerk", f"/office/subjects?q={code}")
    page.click("main tbody th a")
    expect(page.locator("main")).to_contain_text(code)  # 3.1 found by its code
    expect(page.locator("main")).to_contain_text("第2次")  # 3.2 its year shows both draws
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    form = page.locator("form[action$='/flags']")
    choose(form.locator("[name=kind]"), "key_list")
    form.locator("[name=document]").fill(f"重点关注名录通知〔{YEAR}〕9号")
    form.locator("[name=from]").fill(f"{YEAR}-01-05")
    form.locator(".btn").last.click()
    expect(page.locator("main")).to_contain_text(f"重点关注名录通知〔{YEAR}〕9号")  # 3.3 with its document
    cast.show(page, "subject")


def choose(field: Locator, value: str) -> None:
    """A select, or one of several radios."""
    if field.first.evaluate("(one) => one.tagName") == "SELECT":
        field.first.select_option(value)
    else:
        field.locator(f"xpath=self::*[@value='{value}']").check()


def legal_begins_the_plan(cast: Cast) -> None:
    """4. The legal unit begins the plan of the year, under the number of the yearly safety-supervision plan."""
    page = cast.open("legal", "/office/plans")
    page.fill("[name=year]", str(YEAR))
    page.fill("[name=supervision_plan]", f"宛卧应急〔{YEAR}〕1号")
    page.click("main form:has([name=supervision_plan]) .btn.main")
    page.wait_for_url(f"**/office/plans/{YEAR}")
    expect(page.locator("main")).to_contain_text("填报中")


def clerk_plans_10_of_212(cast: Cast) -> None:
    """5. The system proposes ceil(5 %) = 11 of 212; 10 is refused without a reason, and taken with one."""
    page = cast.open("clerk", f"/office/plans/{YEAR}/lines/new")
    page.select_option("[name=item_id]", label=ITEM if has_option(page, ITEM) else option_like(page, ITEM))
    page.click("text=看建议")
    aside = page.locator("main aside")
    expect(aside).to_contain_text("212")
    said = aside.inner_text()
    assert "11" in said  # 5.1 the proposal
    assert "210" in said  # 5.2 candidates
    assert "排除 2 户" in said  # 5.3 exclusions
    assert said.count("已抽中 2 次，到上限") == 2  # 5.4 each with its reason
    assert "到上限但保留 1 户" in said  # 5.5 the one on the key list stays in
    assert f"重点关注名录通知〔{YEAR}〕9号" in said  # 5.6 by its document
    cast.show(page, "plan-proposal")
    fill_line(page, "10", "抽取本区危险化学品储存经营单位")
    page.click("#line .submit .btn.main")
    refusal = page.locator("main [role=alert]").first
    expect(refusal).to_contain_text("理由")  # 5.7 ten needs a reason
    assert page.input_value("[name=count]") == "10"  # 5.8 and nothing typed is lost
    cast.show(page, "plan-refused")
    page.fill("[name=reason]", "两名执法人员长期借调，由区级统一抽查补足。")
    page.click("#line .submit .btn.main")
    arrived(page, f"/office/plans/{YEAR}")
    expect(page.locator("main")).to_contain_text("等主要负责人决定")  # 5.9 the principal is asked


def arrived(page: Page, path: str) -> None:
    """The act was taken and led on; where it wasn't, what the page says is the fault."""
    page.wait_for_load_state()
    said = page.locator("main [role=alert]")
    assert page.url.endswith(path), said.first.inner_text() if said.count() else page.url


def has_option(page: Page, label: str) -> bool:
    """Whether a select of items has exactly this label."""
    return label in [one.strip() for one in page.locator("[name=item_id] option").all_inner_texts()]


def option_like(page: Page, part: str) -> str:
    """The label of the item whose name has this in it."""
    return next(one.strip() for one in page.locator("[name=item_id] option").all_inner_texts() if part in one)


def fill_line(page: Page, count: str, scope: str) -> None:
    page.fill("[name=scope]", scope)
    page.fill("[name=window_from]", f"{YEAR}-11-26")
    page.fill("[name=window_to]", f"{YEAR}-12-31")
    page.fill("[name=count]", count)
    page.fill("[name=unified_share]", "40")
    page.fill("[name=own_share]", "60")


def clerk_plans_a_joint_line(cast: Cast) -> None:
    """6. And a joint task under our lead, which every year needs."""
    page = cast.open("clerk", f"/office/plans/{YEAR}/lines/new")
    page.select_option("[name=item_id]", label=option_like(page, OTHER_ITEM))
    fill_line(page, "11", "和消防救援大队联合抽查特种作业持证情况")
    page.select_option("[name=joint]", "lead")
    page.fill("[name=partner]", "卧龙区消防救援大队")
    page.click("#line .submit .btn.main")
    arrived(page, f"/office/plans/{YEAR}")
    expect(page.locator("main")).to_contain_text("联合抽查，我方牵头")
    cast.show(page, "plan-lines")


def head_signs_and_hands_in(cast: Cast) -> None:
    """7. The head signs each line, which the clerk can't, and hands the unit's part in."""
    assert cast["clerk"].locator("main form[action$='/sign']").count() == 0  # 7.1 the clerk signs nothing
    page = cast.open("head", f"/office/plans/{YEAR}")
    expect(page.locator("main")).to_contain_text("轮到你")
    cast.show(page, "plan-sign")
    for left in (2, 1):
        expect(page.locator("main form[action$='/sign']")).to_have_count(left)
        page.locator("main form[action$='/sign'] button").first.click()
        page.wait_for_load_state()
    expect(page.locator("main form[action$='/sign']")).to_have_count(0)  # 7.2 both bear his signature
    page.click("main form[action$='/submit'] button")
    expect(page.locator("main .now")).to_contain_text("已提交")  # 7.3


def legal_consolidates(cast: Cast) -> None:
    """8. The legal unit consolidates."""
    page = cast.open("legal", f"/office/plans/{YEAR}")
    page.click("main form[action$='/consolidate'] button")
    expect(page.locator("main .now")).to_contain_text("已汇总")


def principal_approves(cast: Cast) -> None:
    """9. The principal first decides what was asked, then approves; before that the plan can't be approved."""
    page = cast.open("principal", f"/office/plans/{YEAR}")
    page.click("main form[action$='/approve'] button")
    expect(page.locator("main .now")).to_contain_text("已汇总")  # 9.1 refused while the request is open
    expect(page.locator("main [role=alert]").first).to_contain_text("决定")
    page = cast.open("principal", "/office/plans/overrides")
    expect(page.locator("main")).to_contain_text("下限 11 户，申请 10 户")  # 9.2 what is asked
    expect(page.locator("main")).to_contain_text("两名执法人员长期借调")  # 9.3 and why
    cast.show(page, "plan-request")
    page.click("main button[value=approved]")
    expect(page.locator("main")).to_contain_text("已同意")
    page = cast.open("principal", f"/office/plans/{YEAR}")
    page.click("main form[action$='/approve'] button")
    expect(page.locator("main .now")).to_contain_text("已批准")  # 9.4


def legal_files_and_releases(cast: Cast) -> None:
    """10. Two filings with number and date, then the release."""
    page = cast.open("legal", f"/office/plans/{YEAR}")
    for kind, authority, number in (
        ("upper", "南阳市应急管理局", f"宛应急备〔{YEAR}〕12号"),
        ("market", "卧龙区市场监督管理局", f"宛卧市监备〔{YEAR}〕7号"),
    ):
        assert page.locator("main form[action$='/release']").count() == 0  # 10.1 nothing is released before
        page.select_option("[name=kind]", kind)
        page.fill("[name=authority]", authority)
        page.fill("[name=number]", number)
        page.fill("[name=filed_on]", beijing_day(datetime.now(UTC)).isoformat())
        if kind == "market":
            cast.show(page, "plan-filing")
        page.click("main form[action$='/file'] .btn.main")
        expect(page.locator("main")).to_contain_text(number)
    expect(page.locator("main .now")).to_contain_text("已备案")  # 10.2
    page.click("main form[action$='/release'] .btn.main")
    expect(page.locator("main .now")).to_contain_text("已公布")  # 10.3
    cast.show(page, "plan-released")


def everybody_reads_the_plan(cast: Cast) -> None:
    """11. The public page shows it: lines, shares, filings, and no names of subjects or people."""
    page = cast.open("public", f"/plans/{YEAR}")
    text = page.locator("main").inner_text()
    for words in (
        ITEM,
        "10",
        "南阳市应急管理局",
        "卧龙区市场监督管理局",
        f"宛卧应急〔{YEAR}〕1号",
        "卧龙区消防救援大队",
    ):
        assert words in text, words  # 11.1
    for words in ("化工经营部", "周敏", "郑国强", "马文博", "沈若兰", "借调"):
        assert words not in text, words  # 11.2
    cast.show(page, "public-plan")


def a_released_plan_cannot_be_changed(cast: Cast, running: Running) -> None:
    """12. Changing the released plan is refused: there is no form, and a request by hand is answered 409."""
    page = cast.open("clerk", f"/office/plans/{YEAR}")
    assert page.locator("main a[href$='/lines/new']").count() == 0  # 12.1
    page.locator("main th a").first.click()
    assert page.locator("main [name=count]").count() == 0  # 12.2
    line = page.url.removeprefix(running.url)
    with running.signed_in("clerk") as clerk:
        answer = clerk.post(line, data={"count": "9"})
        assert (answer.status_code, answer.json()["code"]) == (409, "plan_released")  # 12.3
        assert answer.json()["article"] == "12"
        again = clerk.post(f"/office/plans/{YEAR}/lines", data={"count": "9"})
        assert (again.status_code, again.json()["code"]) == (409, "plan_released")  # 12.4
