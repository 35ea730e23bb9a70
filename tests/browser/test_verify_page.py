"""The page that checks draws, opened from a file in Chromium without any network."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page

from tests.office.screens import axe, chromium_at, fit

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "server" / "standalone" / "verify-draw.html"
SUBJECTS: Final = 100_000
pytestmark = [pytest.mark.browser, pytest.mark.serial]


@pytest.fixture(scope="module")
def chrome(chromium: str) -> Iterator[Browser]:
    """One browser for all tests."""
    with chromium_at(chromium) as running:
        yield running


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published draw of 100,000 subjects."""
    return made(SUBJECTS, tmp_path_factory.mktemp("draws") / "draw-2026-1.json")


def made(subjects: int, path: Path) -> Path:
    """A published draw, made beside the page."""
    subprocess.run(["node", str(ROOT / "tests/web/make_draw.mjs"), str(subjects), str(path)], check=True)
    return path


@pytest.fixture
def page(chrome: Browser) -> Iterator[Page]:
    """The page from its file, offline; whatever it asks for must be a file or a blob, and no script of it may fail."""
    context = chrome.new_context(locale="zh-CN", viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_offline(True)
    opened, asked, faults = context.new_page(), [], []
    context.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    opened.goto(PAGE.as_uri())
    yield opened
    context.close()
    assert [url for url in asked if not url.startswith(("file:", "blob:"))] == []
    assert faults == []


def check(page: Page, *paths: Path) -> str:
    """Chooses files as people do; what the headline says in the end."""
    before = page.get_attribute("body", "data-checked")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="选择抽取文件" if page.is_visible("#start") else "换文件").click()
    chooser.value.set_files(paths)
    page.wait_for_function(
        "(before) => (document.body.dataset.checked ?? null) !== before", arg=before, timeout=120_000
    )
    return page.inner_text("#headline")


WATCH: Final = """() => {
  window.seen = [];
  new MutationObserver(() => window.seen.push(document.getElementById('percent').textContent))
    .observe(document.getElementById('percent'), { childList: true, characterData: true, subtree: true });
}"""


def test_a_draw_of_100000_subjects_is_checked_without_network_and_a_forged_one_goes_red(
    page: Page, drawn: Path, tmp_path: Path
) -> None:
    """With progress; what was forged is named, and both values are shown."""
    page.evaluate(WATCH)
    assert check(page, drawn) == "6 步相符，2 步还没查"
    assert any(0 < int(text.rstrip("%")) < 100 for text in page.evaluate("window.seen")), "no progress was shown"
    assert page.locator("#steps > li").count() == 8 and page.locator("#steps > li.bad").count() == 0
    assert "99999 户候选" in page.inner_text("#steps")

    file = json.loads(drawn.read_bytes())
    winner = file["winners"]["LOW"][2]
    page.fill("#code", winner)
    assert "第 3 位，前 3334 位抽中" in page.inner_text("#fate")
    assert page.inner_text("#command") == f"printf %s '{file['seed']}|S|{winner}' | sha256sum"
    page.fill("#slip", file["commit"][:16])
    assert page.inner_text("#slip-said") == "和文件里的承诺相同"

    file["winners"]["LOW"][2] = file["reserve"]["LOW"][0]
    forged = tmp_path / "forged.json"
    forged.write_bytes(json.dumps(file, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    assert check(page, forged) == "第 6 步不相符"
    assert page.locator("#steps > li.bad code").all_inner_texts().count("winners") == 1
    assert "算出来的" in page.inner_text("#steps > li.bad:has-text('抽中的相同')")


def test_a_list_above_200000_rows_is_checked_in_a_worker(page: Page, tmp_path: Path) -> None:
    """The page stays free meanwhile; the Worker comes out of the page itself."""
    assert check(page, made(250_000, tmp_path / "large.json")) == "6 步相符，2 步还没查"
    assert page.get_attribute("body", "data-by") == "worker"


def test_the_vectors_come_out_in_chromium_too(page: Page) -> None:
    """Subjects and crews, as in node and in Python."""
    tight = json.loads((ROOT / "tests/cases/omatch1.json").read_bytes())
    again = """(cases) => cases.map(({ seed, elig, date, k, cap, O, rounds }) => {
      const visits = elig.map((list, s) => ({ s, k, half_day: date[s], elig: list }));
      const lex = lexmin(seed, visits, cap, 1);
      return { cap: capOf(visits, O, 1), lex, final: shuffle(seed, visits, lex, cap, 1, rounds) };
    })"""
    assert page.evaluate(again, tight) == [{key: one[key] for key in ("cap", "lex", "final")} for one in tight]
    more = json.loads((ROOT / "tests/cases/crew-more.json").read_bytes())
    matched = "(cases) => cases.map((one) => matchOf(one.seed, one.visits, one.e_rows, one.slots))"
    assert page.evaluate(matched, more) == [{key: one[key] for key in ("cap", "teams", "leaders")} for one in more]
    known = json.loads((ROOT / "tests/cases/sdraw1.json").read_bytes())
    drawing = """(known) => {
      const given = known.contributions.map(([k, v]) => ({ k, v }));
      const seed = seedOf('sdraw1', known.commit, known.secret, given);
      const rows = rowsOf(known.frame, isSubject, (line) => { throw new Error(line); });
      const { quotas } = quotasOf(rows.counts, JSON.parse(known.rules), seed);
      const running = ticketsOf(rows, encoder.encode(known.frame), seed);
      let step = running.next();
      while (!step.done) step = running.next();
      const winners = Object.fromEntries(rows.strata.map((name, n) =>
        [name, smallest(rows, step.value, n, quotas[name], rows.counts[name])
          .map((at) => known.frame.slice(rows.starts[at], rows.ends[at]))]));
      return { seed, quotas, winners };
    }"""
    assert page.evaluate(drawing, known) == {key: known[key] for key in ("seed", "quotas", "winners")}


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_the_page_can_be_read_and_worked_by_everybody(
    chrome: Browser, tmp_path: Path, width: int, scheme: str, lang: str
) -> None:
    """Empty, green and red, in both languages, on a phone and on a desk: axe is content, nothing is too small."""
    context = chrome.new_context(
        locale=lang, color_scheme="dark" if scheme == "dark" else "light", viewport={"width": width, "height": 900}
    )
    page = context.new_page()
    page.goto(PAGE.as_uri())
    assert axe(page) + fit(page) == []
    good = made(300, tmp_path / "good.json")
    bad = tmp_path / "bad.json"
    bad.write_bytes(good.read_bytes().replace(b'"LOW":10', b'"LOW":11'))
    for path, steps in ((good, 0), (bad, 1)):
        page.set_input_files("#files-in", path)
        page.wait_for_function("(n) => document.querySelectorAll('#steps li.bad').length >= n", arg=steps)
        page.wait_for_selector("#result", state="visible")
        page.fill("#code", "91411303MA00000009")
        page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
        assert axe(page) + fit(page) == []
        page.screenshot(path=tmp_path / f"{steps}.png", full_page=True)
    context.close()
