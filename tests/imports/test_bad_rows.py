"""Each kind of bad cell is told by row, column, reason and cure; good cells are taken as people write them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from random import Random

import httpx
import pytest

from tests.imports import hostile
from tests.imports.bringing import brought, csv_of, progress
from tests.imports.planted import COLUMNS, good_row
from tests.running import Running

CODE, NAME = "统一社会信用代码", "名称"
LOST = "请先把整列设成「文本」，再对照原件重新填写。"


@pytest.fixture(scope="module")
def clerk(server: Running) -> Iterator[httpx.Client]:
    """The clerk of a unit."""
    with server.signed_in("clerk") as client:
        yield client


def row(seed: int = 1, **cells: str) -> list[str]:
    """A valid row with some cells changed."""
    made = good_row(Random(seed), seed, set())
    for column, cell in cells.items():
        made[COLUMNS.index(column)] = cell
    return made


def told(client: httpx.Client, content: bytes, name: str = "名单.csv") -> list[list[str]]:
    """The faults of a file as the office downloads them."""
    page = brought(client, content, name)
    text = client.get(f"{page}/faults").content.decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))[1:]


BAD: dict[str, tuple[dict[str, str], list[str]]] = {
    "a wrong check digit": (
        {CODE: "91411303MA00000011"},
        [
            CODE,
            "统一社会信用代码的校验位是 1，按前 17 位应为 0。",
            "请对照营业执照逐位核对，多半有一位抄错。",
        ],
    ),
    "full-width digits in a code": (
        {CODE: "９１４１１３０３ＭＡ００００００１０"},
        [CODE, "有全角数字或字母，已按半角处理。", "不用改；请顺便核对一遍。"],
    ),
    "full-width letters for a grade": (
        {"信用等级": "高"},
        ["信用等级", "「高」不是可用的词。", "请改成其中之一：A、B、C、D。"],
    ),
    "a control character": (
        {NAME: "南阳\x07化工有限公司"},
        [NAME, "第 3 个字是控制字符 U+0007。", "请删去这个字符，或重新输入这一项。"],
    ),
    "a bidi character": (
        {"注册地址": "南阳市\u202e卧龙区"},
        ["注册地址", "第 4 个字是改变文字方向的字符 U+202E。", "请删去这个字符，或重新输入这一项。"],
    ),
    "a name that is too long": (
        {NAME: "长" * 121},
        [NAME, "有 121 个字，最多 120 个。", "请缩短到 120 个字以内。"],
    ),
    "a number in scientific notation": (
        {CODE: "9.14113E+17"},
        [CODE, "这一格被当成了数字（9.14113E+17），末几位已经丢失。", LOST],
    ),
    "a long number that lost its end": (
        {CODE: "914113030000000000"},
        [CODE, "18 位数字的末几位全是 0，是表格当成数字后丢掉的。", LOST],
    ),
    "a phone that is none": (
        {"联系电话": "12345678"},
        ["联系电话", "电话 123****5678 既不是手机号，也不是座机号。", "手机填 11 位；座机写成 0377-63123456。"],
    ),
    "nothing where something must be": ({"法定代表人": ""}, ["法定代表人", "没有填写。", "请填写这一项。"]),
    "a flag that isn't written as one": (
        {"关注标记": "重点关注 名录1号"},
        [
            "关注标记",
            "「重点关注 名录1号」不是关注标记的写法。",
            "请写成「类别|文号|起|止」，如：重点关注名录|名录〔2026〕1号|2026-01-01|。",
        ],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_cell_is_told_by_row_column_reason_and_cure(clerk: httpx.Client, name: str) -> None:
    cells, expected = BAD[name]
    assert told(clerk, csv_of([row(1), row(2, **cells)])) == [["3", *expected]]


def test_a_duplicate_names_the_row_that_came_first(clerk: httpx.Client) -> None:
    same = row(1)[0]
    assert told(clerk, csv_of([row(1), row(2), row(3, **{CODE: same})])) == [
        ["4", CODE, "与本文件第 2 行重复。", "请留下正确的一行，删去另一行。"]
    ]


def test_a_number_cell_of_a_workbook_that_lost_digits_is_explained(clerk: httpx.Client) -> None:
    cells: list[object] = [*row(2)]
    cells[0] = 411303190001011234
    book = hostile.workbook([COLUMNS, row(1), cells])
    assert told(clerk, book, "名单.xlsx") == [["3", CODE, "这一格被当成了数字（4.11303E+17），末几位已经丢失。", LOST]]


def test_another_units_library_is_left_to_that_unit(clerk: httpx.Client) -> None:
    header, sheet = [*COLUMNS, "所属股室"], [[*row(1), "hazchem、industry"], [*row(2), "无此股"]]
    assert told(clerk, csv_of(sheet, header)) == [
        ["2", "所属股室", "改动了「industry」的名录库。", "各股室只维护自己的名录库。请照库中现有的写，或空着。"],
        ["3", "所属股室", "没有名为「无此股」的股室。", "请写股室的全称；几个股室用「、」隔开。"],
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_text_is_read_in_the_encoding_and_with_the_delimiter_that_it_has(
    clerk: httpx.Client, encoding: str, delimiter: str
) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows([COLUMNS, row(1, **{NAME: "南阳䶮𠮷化工有限公司"})])
    page = brought(clerk, out.getvalue().encode(encoding))
    assert progress(clerk, page)["counts"] == {"kinds": {"new": 1}, "codes": {}}


def test_columns_may_stand_in_any_order_under_a_title_and_by_their_other_names(clerk: httpx.Client) -> None:
    header, cells = list(reversed(COLUMNS)), list(reversed(row(1)))
    header[header.index(NAME)] = "* 单位名称 "
    content = "市场主体名单\r\n填表人：某\r\n".encode() + csv_of([cells], header, "utf-8")
    page = brought(clerk, content)
    assert progress(clerk, page)["counts"] == {"kinds": {"new": 1}, "codes": {}}


def test_the_file_comes_back_with_its_faults_marked_and_mended_can_be_brought_again(clerk: httpx.Client) -> None:
    page = brought(clerk, csv_of([row(1), row(2, 法定代表人="")]))
    marked = clerk.get(f"{page}/marked").content.decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(marked)))
    assert lines[0][-1] == "核对结果" and lines[1][-1] == "" and lines[2][-1] == "没有填写。请填写这一项。"
    lines[2][COLUMNS.index("法定代表人")] = "某人"
    again = brought(clerk, csv_of(lines[1:], lines[0]))
    assert progress(clerk, again)["counts"] == {"kinds": {"new": 2}, "codes": {}}
