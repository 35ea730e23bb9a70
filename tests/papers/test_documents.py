"""Documents as PDF: what was given stands there and nothing else, the same bytes each time, and nothing of it acts."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pypdfium2
import pytest
from PIL import Image

from server.domain.document import KINDS
from server.domain.document_entry import Typed
from server.domain.document_sheet import Sheet, Signer, texts_of
from server.errors import Problem
from server.papers.fonts import font_files
from server.papers.press import Press
from tests.papers.cases import CASES, case, finding, sheet, shortest, typed
from tests.papers.reading import active_in, bare, letters, pages_of

PAYLOADS = (
    '=HYPERLINK("http://evil.example","点")',
    "+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd",
    "-2+3",
    "<script>window.hit=1</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    '#panic("x")',
    '#read("/etc/passwd")',
    '#eval("1+1") #import "@preview/x:1.0.0": *',
    "#sys.inputs #set page(width: 1pt) #show: none",
    "$ x^2 $ *粗* _斜_ `原` = 题 - 项 + 号 / 词: 义 @ref <label> ~ -- --- ...",
    "\\u{202e} \\ \\# // 注 /* 注 */ http://evil.example/",
    "]]} ) #{ let x = 1 } #[",
    '{"t":"words","text":"x"}',
    "../../../../etc/passwd",
    "%PDF-1.7 endstream endobj trailer << /Root 1 0 R >>",
    "(a) Tj ET /JS (app.alert(1)) /URI (http://evil.example)",
)
HIDDEN = {
    "\u202e": "〔U+202E〕",
    "\u2066": "〔U+2066〕",
    "\u200b": "〔U+200B〕",
    "\x07": "〔U+0007〕",
    "\ufeff": "〔U+FEFF〕",
}
"""What turns or hides text -> how it stands on paper."""


@pytest.fixture(scope="module")
def press(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Press]:
    found = Press(tmp_path_factory.mktemp("fonts"))
    yield found
    found.close()


def expected(given: Sheet, pages: int) -> list[str]:
    """All texts that the paper has: those of the sheet, and the foot of each page."""
    shown = msgspec.structs.replace(given, kind="", t="", qr="", short="", says="", no="")
    foot = [text for n in range(1, pages + 1) for text in (given.short, given.says, given.no, f"第{n}页共{pages}页")]
    images = [signer.image for signer in given.signers if signer.image]
    texts = [text for text in texts_of(shown) if text not in ("words", "table", *images)]
    return [*texts, given.no, *foot, "（以下空白）"]


def heads_again(given: Sheet, pages: list[str]) -> list[str]:
    """The heads of tables once more for each further page that they reach."""
    heads = ["".join(getattr(block, "head", ())) for block in given.blocks]
    return [head for head in filter(None, heads) for _ in range("".join(pages).count(bare(head)) - 1)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", CASES)
def test_the_text_of_the_paper_is_the_data_and_nothing_else(press: Press, name: str, kind: str) -> None:
    given = sheet(kind, CASES[name]())
    pages = pages_of(press.pull(given, {}))
    assert letters(pages) == letters(expected(given, len(pages)) + heads_again(given, pages))
    body = "".join(page.replace(bare(given.says), "") for page in pages)
    for text in texts_of(given.facts):
        assert bare(text) in body
    assert pages[-1].index("（以下空白）") > 0 and sum("（以下空白）" in page for page in pages) == 1
    assert all(f"第{n}页共{len(pages)}页" in page for n, page in enumerate(pages, start=1))


@pytest.mark.parametrize("kind", KINDS)
def test_sixty_findings_stand_there_one_after_another(press: Press, kind: str) -> None:
    given = sheet(kind, CASES["longest"]())
    body = "".join(pages_of(press.pull(given, {})))
    rows = [row for block in given.blocks if (rows_ := getattr(block, "rows", ())) for row in rows_]
    assert all(bare(text) in body for row in rows for text in row)
    if kind in ("inspection_record", "rectification_order", "on_site_measures", "recheck_opinion"):
        assert sum("𠮷野䶮" in cell for row in rows for cell in row) == 60


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_print_the_same_bytes(press: Press, kind: str, tmp_path: Path) -> None:
    given, image = sheet(kind, CASES["longest"]()), tmp_path / "s.png"
    Image.new("L", (600, 240), 200).save(image)
    given = msgspec.structs.replace(given, signers=[Signer("检查组长", "王甲", "ab" * 32), *given.signers])
    other = Press(tmp_path)
    try:
        pdf = press.pull(given, {"ab" * 32: image})
        assert pdf == other.pull(given, {"ab" * 32: image})
        assert b"CreationDate" not in pdf and b"CreateDate" not in pdf  # nor would another day change them
    finally:
        other.close()


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_in_any_field_acts_or_is_read_as_markup(press: Press, kind: str) -> None:
    assert len(PAYLOADS) >= 18
    for payload in PAYLOADS:
        findings = {"r:1": finding(1, payload, place=payload, basis=payload, point=payload)}
        names = ("attendee", "attendee_post", "summary", "result_note", "basis:hc", "result")
        fields = dict.fromkeys(names, payload) | {"noncooperation": {"circumstances": [payload], "text": payload}}
        hostile = case(findings, fields, payload, 2, ())
        given = sheet(kind, msgspec.structs.replace(hostile, tasks=[payload], address=payload), typed(payload))
        pdf = press.pull(given, {})
        pages = pages_of(pdf)
        assert letters(pages) == letters(expected(given, len(pages))), payload
        assert bare(payload) in "".join(pages)
        assert active_in(pdf) == []


@pytest.mark.parametrize("hidden", HIDDEN, ids=HIDDEN.values())
def test_what_turns_or_hides_text_stands_there_by_its_number(press: Press, hidden: str) -> None:
    given = sheet("interview_record", shortest(), typed(f"甲{hidden}乙"))
    body = "".join(pages_of(press.pull(given, {})))
    assert f"甲{HIDDEN[hidden]}乙" in body
    assert hidden not in body


def test_a_character_that_no_font_has_is_named_and_printed_by_its_number_where_that_is_wanted(press: Press) -> None:
    given = sheet("interview_record", shortest(), typed("甲\U0001f525乙\u05d0"))
    with pytest.raises(Problem) as refused:
        press.pull(given, {})
    assert (refused.value.code, refused.value.members["characters"]) == ("glyphs_missing", ["\u05d0", "\U0001f525"])
    assert "U+1F525" in refused.value.sentence() and "U+05D0" in refused.value.sentence("en")
    body = "".join(pages_of(press.pull(given, {}, named=True)))
    assert "甲〔U+1F525〕乙〔U+05D0〕" in body


def test_without_fonts_it_says_so_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[Path]()
    monkeypatch.setattr("server.papers.press.font_files", lambda _: [])
    monkeypatch.setattr("server.papers.press.fetch", asked.append)
    with pytest.raises(Problem) as refused:
        Press(tmp_path).pull(sheet("refusal_record", shortest()), {})
    assert (refused.value.code, refused.value.status, asked) == ("fonts_missing", 503, [tmp_path])
    assert "make fonts" in refused.value.sentence()


def test_the_fonts_are_the_systems_else_those_that_were_fetched(tmp_path: Path) -> None:
    system, fetched = tmp_path / "system", tmp_path / "fetched"
    files = {
        system: ("NotoSerifCJK-Regular.ttc", "NotoSans-Regular.ttf", "NotoSansCJK-Light.ttc"),
        fetched: ("NotoSansSC_400Regular.ttf", "NotoSansJP_700Bold.ttf", "NotoSansSC_100Thin.ttf"),
    }
    for place, names in files.items():
        place.mkdir()
        for name in names:
            (place / name).touch()
    assert [file.name for file in font_files(fetched, [system])] == ["NotoSerifCJK-Regular.ttc"]
    assert [file.name for file in font_files(fetched, [])] == ["NotoSansJP_700Bold.ttf", "NotoSansSC_400Regular.ttf"]


@pytest.mark.parametrize("damage", ["not a picture", "cut", "bomb", "svg"])
def test_a_signature_that_is_no_picture_is_said_and_stops_nothing(press: Press, damage: str, tmp_path: Path) -> None:
    good, file = io.BytesIO(), tmp_path / "s"
    Image.new("L", (600, 240)).save(good, "PNG")
    bomb = bytearray(good.getvalue())
    bomb[16:24] = b"\0\x01\0\0\0\x01\0\0"  # a header that claims 65,536 by 65,536
    file.write_bytes({"not a picture": b"hello", "cut": good.getvalue()[:60], "bomb": bytes(bomb),
                      "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}[damage])  # fmt: skip
    name = {"not a picture": "1", "cut": "2", "bomb": "3", "svg": "4"}[damage] * 64
    given = msgspec.structs.replace(sheet("refusal_record", shortest()), signers=[Signer("检查组长", "王甲", name)])
    assert "签名图像无法显示，原件在案卷内" in "".join(pages_of(press.pull(given, {name: file})))


def test_a_signature_stands_in_its_place(press: Press, tmp_path: Path) -> None:
    file = tmp_path / "s.png"
    Image.new("L", (600, 240), 0).save(file)
    bare_sheet = msgspec.structs.replace(sheet("refusal_record", shortest()), signers=[Signer("检查组长", "王甲")])
    signed = msgspec.structs.replace(bare_sheet, signers=[Signer("检查组长", "王甲", "ef" * 32)])

    def ink(given: Sheet) -> int:
        with pypdfium2.PdfDocument(press.pull(given, {"ef" * 32: file})) as paper:
            return sum(paper[0].render(scale=1).to_pil().convert("L").histogram()[:64])

    assert ink(signed) - ink(bare_sheet) > 1000


def test_the_child_that_was_ended_is_followed_by_another(press: Press) -> None:
    given = sheet("refusal_record", shortest())
    before = press.pull(given, {})
    assert press._child is not None
    press._child.kill()
    press._child.wait()
    assert press.pull(given, {}) == before


def test_every_field_that_is_typed_is_tried_with_the_payloads() -> None:
    assert all(getattr(typed("x"), name) for name in Typed.__struct_fields__)


def test_the_code_at_the_foot_names_record_and_checkpoint() -> None:
    qr = sheet("inspection_record", shortest()).qr
    assert re.fullmatch(r"suijian/1 no=卧应急检记〔2026〕1号 record=c04e7b19(5a){28} log=4711:(be){32}", qr)
