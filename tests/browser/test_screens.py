"""Every view of the router, in every scene: readable by all, nothing too small or too wide, no word missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, FilePayload, Page

from tests.browser.stage import AXE, WEB, Look, address, browser, first_row, looking, show, views

pytestmark = [pytest.mark.browser]

SCENES: dict[str, list[str] | None] = {
    "full": None,
    "empty": None,
    "error": None,
    "member": ["checklist", "finding", "conflicts", "result"],
    "stale": ["group", "record", "sign", "result"],
    "recused": ["visit", "checklist", "findings", "finding", "evidence", "group", "record", "recused"],
    "left": ["visits", "visit", "record", "outbox"],
}
ALWAYS_SIGNED_OUT = {"sign-in": "out", "enrol": "new"}
LATIN_ALLOWED = re.compile(
    r"English|Wi-Fi|[KMG]B|iPhone \d+|GB \d+|MA46\w+|[0-9A-F]{4}-[0-9A-F]{4}|[0-9a-f]{8,}|±|li|zhang|\b[A-D] 级|km|m\b"
)
SMALL = """() => [
  ...document.querySelectorAll('a[href], button, input:not([hidden]), select, textarea, summary'),
].filter((one) => {
  if (one.closest('p, li, dd > span, .tag, .notice') && getComputedStyle(one).display === 'inline') return false;
  if (!one.checkVisibility({ visibilityProperty: true })) return false;
  const box = one.getBoundingClientRect();
  return box.width > 0 && (box.height < 43.9 || box.width < 43.9);
}).map((one) => {
  const { width, height } = one.getBoundingClientRect();
  return `${one.tagName} ${one.className} ${one.textContent.trim().slice(0, 20)} ${width}x${height}`;
})"""
LABELS = """() => [...document.querySelectorAll('[aria-label], [alt], [placeholder]')]
  .map((one) => [one.ariaLabel, one.alt, one.placeholder].join(' ')).join(' ')"""
MESSAGES = """() => Promise.all(['zh-CN', 'zh-CN.later', 'en'].map(
  (name) => import(`/app/messages/${name}.js`).then((module) => module.default)))"""


@pytest.fixture(scope="module")
def chrome(chromium: str) -> Iterator[Browser]:
    """One browser for all screens."""
    with browser(chromium) as running:
        yield running


@pytest.fixture(scope="module")
def table(chrome: Browser) -> list[dict[str, Any]]:
    """The router's table of views."""
    return views(chrome)


def each_screen(chrome: Browser, table: list[dict[str, Any]], look: Look) -> Iterator[tuple[str, Page]]:
    """Opens every view of the table in one scene."""
    with looking(chrome, look) as page:
        row = first_row(page)
        for view in table:
            if view["name"] in ALWAYS_SIGNED_OUT:
                continue
            show(page, address(view["path"], row))
            yield view["name"], page
    for name in [view["name"] for view in table if view["name"] in ALWAYS_SIGNED_OUT]:
        scene = ALWAYS_SIGNED_OUT[name]
        with looking(chrome, Look(**{**look.__dict__, "scene": scene})) as page:
            show(page, f"/app/{name}")
            yield name, page


@pytest.mark.parametrize("scene", SCENES)
def test_every_view_is_accessible_and_fits_a_phone(chrome: Browser, table: list[dict[str, Any]], scene: str) -> None:
    faults = []
    shown = [view for view in table if view["name"] in (SCENES[scene] or view["name"])]
    for name, page in each_screen(chrome, shown, Look(scene=scene)):
        faults += [f"{name}: {fault}" for fault in [*axe(page), *fit(page), *words(page)]]
    assert not faults, "\n".join(faults)


SHEETS = [
    ("visit?step=interest", None),
    ("visit?step=certificates", None),
    ("visit?step=arrival", None),
    ("visit?step=notice", None),
    ("visit", "更多"),
    ("checklist", "搜索要点"),
    ("checklist", "章节"),
    ("checklist", "写备注"),
    ("checklist", "不适用"),
    ("finding", "更多"),
    ("finding", "要点"),
    ("evidence", "已到服务器"),
    ("group", "结果说明"),
    ("record", "补充笔录"),
    ("result?sheet=Attempts", None),
    ("result?sheet=Circumstances", None),
    ("result?sheet=Followup", None),
    ("settings", "退出登录"),
]


RECUSED_SHEETS = [("recused", "问题 2"), ("recused", "照片"), ("recused", "在场人员"), ("recused", "问题 4")]


@pytest.mark.parametrize("scene", ["full", "recused"])
def test_every_sheet_is_accessible_and_fits_too(chrome: Browser, table: list[dict[str, Any]], scene: str) -> None:
    paths = {view["name"]: view["path"] for view in table}
    faults = []
    with looking(chrome, Look(scene=scene)) as page:
        row = first_row(page)
        for where, button in SHEETS if scene == "full" else RECUSED_SHEETS:
            name, _, query = where.partition("?")
            show(page, address(paths[name], row) + (query and f"?{query}"))
            if button:
                page.locator("button", has_text=button).or_(page.get_by_label(button)).first.click()
            page.wait_for_selector("dialog[open]")
            faults += [f"{where} {button}: {fault}" for fault in [*axe(page), *fit(page), *words(page)]]
    assert not faults, "\n".join(faults)


def test_a_witness_begins_anew_and_refuses_nothing(chrome: Browser, table: list[dict[str, Any]]) -> None:
    path = next(view["path"] for view in table if view["name"] == "sign")
    with looking(chrome, Look(scene="stale")) as page:
        show(page, address(path, first_row(page)) + "?who=subject")
        page.get_by_role("radio", name="对方拒签").click()
        page.get_by_label("为什么拒签").fill("不认可")
        page.get_by_role("link", name="请见证人签字").click()
        page.get_by_role("heading", name="见证人 签字").wait_for()
        assert page.get_by_label("为什么拒签").count() == 0
        assert page.get_by_role("radio", name="手写").is_checked()


@pytest.mark.parametrize("theme", ["dark", "sun"])
def test_every_theme_keeps_its_contrast(chrome: Browser, table: list[dict[str, Any]], theme: str) -> None:
    faults = []
    for name, page in each_screen(chrome, table, Look(scene="full", theme=theme)):
        faults += [f"{name}: {fault}" for fault in [*axe(page), *fit(page)]]
    assert not faults, "\n".join(faults)


def test_english_screens_miss_no_message_and_fit_too(chrome: Browser, table: list[dict[str, Any]]) -> None:
    faults = []
    for name, page in each_screen(chrome, table, Look(scene="full", lang="en", text="large")):
        missing = re.findall(r"⟦[^⟧]*⟧", page.content())
        faults += [f"{name}: {fault}" for fault in [*axe(page), *fit(page), *missing]]
    assert not faults, "\n".join(faults)


def test_the_largest_text_clips_nothing(chrome: Browser, table: list[dict[str, Any]]) -> None:
    for name, page in each_screen(chrome, table, Look(scene="full", text="largest")):
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name


def test_both_languages_know_the_same_messages_with_the_same_gaps(chrome: Browser) -> None:
    with looking(chrome, Look(scene="out")) as page:
        show(page, "/app/sign-in")
        zh, later, en = page.evaluate(MESSAGES)
        assert not zh.keys() & later.keys()
        zh |= later
    assert zh.keys() == en.keys()
    gaps = {key: (_gaps(zh[key]), _gaps(en[key])) for key in zh}
    assert not {key: both for key, both in gaps.items() if both[0] != both[1]}


def test_the_icons_are_well_formed_so_that_a_page_may_use_them_from_the_file() -> None:
    sprite = ElementTree.parse(WEB / "icons.svg").getroot()
    used = set(re.findall(r'(?:icon|Icon} name)="([a-z-]+)"', _sources()))
    drawn = {symbol.get("id") for symbol in sprite}
    assert used <= drawn, used - drawn


def _sources() -> str:
    return "".join(path.read_text() for folder in ("ui", "views") for path in (WEB / folder).glob("*.js"))


def test_a_failing_database_leaves_no_input_behind_it(chrome: Browser) -> None:
    with looking(chrome, Look(scene="fault")) as page:
        show(page, "/app/visits")
        assert page.locator("input, textarea, select").count() == 0
        page.get_by_role("button", name="导出备份").wait_for()
        assert not axe(page)


def test_an_answer_is_given_with_one_key_and_taken_back_with_one_tap(chrome: Browser) -> None:
    with looking(chrome, Look(scene="empty")) as page:
        show(page, address("/app/visits/:visit/checklist"))
        first = page.locator("#now-q").inner_text()
        page.keyboard.press("2")
        page.wait_for_selector(".toast")
        assert "1.01 记为「不符合」" in page.locator(".toast").inner_text()
        assert page.locator("#now-q").inner_text() != first
        page.get_by_role("button", name="撤销").click()
        page.wait_for_selector(".toast", state="detached")
        assert page.locator("#now-q").inner_text() == first
        assert page.locator(".top .line b").inner_text() == "0"


def test_a_field_saves_itself_over_the_heads_that_were_shown(chrome: Browser) -> None:
    with looking(chrome, Look(scene="full")) as page:
        row = first_row(page)
        show(page, address("/app/visits/:visit/findings/:row", row))
        box = page.get_by_label("位置")
        box.focus()
        base = page.evaluate(HEADS, ["place"])
        box.fill("乙类库 C 区")
        page.wait_for_selector(".lab .tag.k-saved")
        written = page.evaluate(
            "import('/app/store.js').then(async ({ visits }) => (await visits())[0].entries.at(-1).op)"
        )
        assert (written["val"], written["base"]) == ("乙类库 C 区", base)


HEADS = """([field]) => import('/app/store.js').then(async ({ visits, heads }) => {
  const [v] = await visits();
  return heads(v.id, ['finding', [...v.folded.rows.keys()][0], field]);
})"""


def test_the_same_photo_can_be_chosen_twice(chrome: Browser) -> None:
    photo: FilePayload = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff\xe0"}
    with looking(chrome, Look(scene="full")) as page:
        show(page, address("/app/visits/:visit/evidence"))
        for _ in range(2):
            page.locator("input[data-source=gallery]").first.set_input_files(photo)
            page.wait_for_timeout(100)
        assert [call[0] for call in page.evaluate("window.calls")] == ["addPhotos", "addPhotos"]


def test_a_signature_is_drawn_taken_back_and_confirmed(chrome: Browser) -> None:
    with looking(chrome, Look(scene="ready")) as page:
        show(page, address("/app/visits/:visit/sign"))
        pad = page.locator("canvas")
        box = pad.bounding_box()
        assert box
        for start in (40, 120):
            page.mouse.move(box["x"] + start, box["y"] + 60)
            page.mouse.down()
            page.mouse.move(box["x"] + start + 40, box["y"] + 140, steps=6)
            page.mouse.up()
        page.get_by_role("button", name="退一笔").click()
        page.get_by_role("button", name="确认签字").click()
        page.wait_for_url("**/record")
        [name, _visit, signer, mark, digest] = page.evaluate(
            """(([act, visit, signer, { strokes, png }, digest]) =>
              [act, visit, signer, { strokes: strokes.strokes.length, size: png.size }, digest])(window.calls[0])"""
        )
        assert (name, signer, mark["strokes"], len(digest)) == ("captureSignature", "o-li", 1, 64)
        assert mark["size"] > 300


def test_types_that_are_out_of_question_say_why(chrome: Browser) -> None:
    with looking(chrome, Look(scene="full")) as page:
        show(page, address("/app/visits/:visit/result"))
        page.get_by_role("button", name=re.compile("其余")).click()
        numbers = [text.split(" ")[0] for text in page.locator("[role=radio] .t").all_inner_texts()]
        assert numbers == ["6", "3", "10", "5", "8", "2", "4", "7", "1", "9"]
        out = page.locator("[role=radio][aria-disabled=true]")
        assert out.count() == 3
        assert all("不能选：" in text for text in out.all_inner_texts())


def test_the_leader_proposes_while_a_member_still_confirms_and_is_told_what_final_waits_for(chrome: Browser) -> None:
    with looking(chrome, Look(scene="weak")) as page:
        show(page, address("/app/visits/:visit/result"))
        assert page.get_by_text("办完这 1 件事就自动定稿").is_visible()
        assert page.get_by_text("张立 用自己的手机确认签字").is_visible()
        page.get_by_role("button", name="提交定稿").click()
        page.wait_for_function("window.calls?.length")
        assert page.evaluate("window.calls[0][0]") == "proposeFinal"
        assert not [*axe(page), *fit(page), *words(page)]
    with looking(chrome, Look(scene="stale")) as page:
        show(page, address("/app/visits/:visit/result"))
        assert page.get_by_role("button", name="暂不能定稿").get_attribute("aria-disabled") == "true"


def axe(page: Page) -> list[str]:
    """What axe-core finds, with no rule disabled."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)")
    return [
        f"{one['id']} {node['html'][:160]} {node['failureSummary'][:200]}" for one in found for node in one["nodes"]
    ]


def fit(page: Page) -> list[str]:
    """What is wider than the phone, or too small for a glove."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    return ([f"scrolls sideways: {wide}"] if wide > 360 else []) + list(page.evaluate(SMALL))


def words(page: Page) -> list[str]:
    """Missing messages, and words that aren't Chinese."""
    text = page.locator("body").inner_text()
    labels = page.evaluate(LABELS)
    plain = LATIN_ALLOWED.sub("", f"{text} {labels}")
    return re.findall(r"⟦[^⟧]*⟧|[A-Za-z]{2,}[A-Za-z .]*", plain)


def _gaps(text: str) -> list[str]:
    return sorted(set(re.findall(r"\{(\w+)", text)))
