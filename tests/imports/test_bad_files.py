"""Each kind of bad file is refused at the door: the exact sentence, what to do, and nothing is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from server.domain.layout import SUBJECTS
from server.office.import_reading import opened
from server.sheets.reading import BadSheet
from server.words import Words
from tests.imports import hostile
from tests.imports.bringing import bring, csv_of
from tests.imports.planted import COLUMNS
from tests.running import Running

W = Words("zh-CN")
ROW = ["91411303MA00000010", *["x"] * (len(COLUMNS) - 1)]
HTML = {"Accept": "text/html"}
WITHOUT_PHONE = [name for name in COLUMNS if name != "联系电话"]

BAD: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "empty": (lambda: b"", "文件是空的。", "请确认选对了文件，或下载模板填写后再导入。"),
    "only a header": (lambda: csv_of([]), "第 1 行是表头，下面没有内容。", "请在表头下面逐行填写后再导入。"),
    "a picture": (
        hostile.png,
        "这不是表格文件。",
        "请导入 XLSX 或 CSV 文件；其他格式请先用表格软件打开，另存为 XLSX。",
    ),
    "a web page": (
        lambda: "<html><table><tr><td>名称</td></tr></table></html>".encode(),
        "这不是表格文件。",
        "请导入 XLSX 或 CSV 文件；其他格式请先用表格软件打开，另存为 XLSX。",
    ),
    "an old workbook": (hostile.old_book, "这是旧的 XLS 格式。", "请用表格软件打开，另存为 XLSX 后再导入。"),
    "a password": (hostile.password_book, "文件设了打开密码。", "请去掉密码后另存，再导入。"),
    "a damaged workbook": (hostile.truncated_book, "文件损坏，打不开。", "请用表格软件打开检查，另存后再导入。"),
    "macros": (
        hostile.macro_book,
        "文件里带有宏（xl/vbaProject.bin）。",
        "请另存为不带宏的 XLSX 后再导入。",
    ),
    "external links": (
        hostile.linked_book,
        "文件链接到了别的文件或数据源（xl/externalLinks/externalLink1.xml）。",
        "请断开链接、只留数值，另存后再导入。",
    ),
    "a zip bomb": (
        hostile.zip_bomb,
        "部件 xl/worksheets/sheet2.xml 展开后是压缩时的 1028 倍，不像正常的表格。",
        "请把内容复制到新的表格里，另存为 XLSX 后再导入。",
    ),
    "a swarm of parts": (
        hostile.swarm,
        "文件里有 2010 个部件，最多 1000 个。",
        "请只保留要导入的工作表，另存为新的 XLSX 后再导入。",
    ),
    "parts that overlap": (
        hostile.overlapping,
        "部件 xl/worksheets/extra1.xml 与别的部件重叠，文件的结构不正常。",
        "请把内容复制到新的表格里，另存为 XLSX 后再导入。",
    ),
    "an XML bomb": (
        hostile.xml_bomb,
        "部件 xl/sharedStrings.xml 里有文档类型声明，正常的表格没有。",
        "请把内容复制到新的表格里，另存为 XLSX 后再导入。",
    ),
    "a sheet without end": (
        hostile.far_cell,
        "读这个文件用的内存或时间超过了限度，已停下。",
        "请删去多余的内容和格式，或分成几个文件导入。",
    ),
    "the wrong sheet": (
        lambda: hostile.workbook([COLUMNS, ROW], "执法人员"),
        "没有名为「市场主体」的工作表，文件里有：执法人员。",
        "请把要导入的工作表改名为「市场主体」，并确认选对了导入的种类。",
    ),
    "UTF-16": (
        lambda: csv_of([ROW], encoding="utf-16"),
        "文件的编码是 UTF-16，这里读不了。",
        "请另存为「CSV UTF-8」或 XLSX 后再导入。",
    ),
    "no encoding that we read": (
        lambda: csv_of([ROW]) + b"\r\n\xff\xff\xff,\xff",
        "文件的编码既不是 UTF-8 也不是 GB18030，从第 4 行起读不出来。",
        "请另存为「CSV UTF-8」或 XLSX 后再导入。",
    ),
    "no header": (
        lambda: csv_of([ROW], header=["甲", "乙", "丙"]),
        "前 20 行里没有找到表头。",
        (
            "表头要有这些列：统一社会信用代码、名称、法定代表人、注册地址、联系人、联系电话、主体类型、行业代码、"
            "行政区划代码、风险等级、信用等级、状态。请对照模板改好。"
        ),
    ),
    "a missing column": (
        lambda: csv_of([ROW[1:]], header=WITHOUT_PHONE),
        "第 1 行的表头缺少必填列「联系电话」。",
        "请加上「联系电话」这一列，或把对应的列改成这个名称。",
    ),
    "an unknown column": (
        lambda: csv_of([[*ROW, "x"]], header=[*COLUMNS, "备注"]),
        "第 1 行 R 列「备注」不是这个表的列。",
        "请改成说明里的列名；用不着的列请删掉。",
    ),
    "a column twice": (
        lambda: csv_of([[*ROW, "x"]], header=[*COLUMNS, "单位名称"]),
        "第 1 行 R 列又是「名称」，出现了两次。",
        "请删掉多余的一列。",
    ),
    "too many columns": (
        lambda: csv_of([ROW], header=[*COLUMNS, *(f"列{n}" for n in range(300))]),
        "有 317 列，最多 200 列。",
        "请删去表格右边多余的列。",
    ),
    "a quotation mark that never ends": (
        lambda: csv_of([ROW]) + b'"' + b"x" * 200_000,
        "第 3 行读不下去，多半少了一个引号。",
        "请检查这一行的引号，或另存为 XLSX 后再导入。",
    ),
}


@pytest.mark.rule("R7.1", "refuses")
@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_its_sentence_and_its_cure(name: str, tmp_path: Path) -> None:
    make, what, cure = BAD[name]
    file = tmp_path / "file"
    file.write_bytes(make())
    with pytest.raises(BadSheet) as refused, file.open("rb") as brought:
        opened(SUBJECTS, brought)
    fault = refused.value.faults[0]
    assert (W(f"fault.{fault.code}", **fault.values), W(f"cure.{fault.code}", **fault.values)) == (what, cure)
    document = refused.value.document("zh")
    assert (document["code"], document["article"], document["status"]) == ("bad_sheet", "7", 422)


@pytest.mark.rule("R7.1", "http")
@pytest.mark.parametrize(
    "name", ["empty", "a zip bomb", "an XML bomb", "macros", "the wrong sheet", "a missing column"]
)
def test_the_page_says_it_beside_the_file_and_keeps_nothing(server: Running, name: str) -> None:
    make, what, cure = BAD[name]
    with server.signed_in("clerk") as client:
        client.headers.update(HTML)
        answer = bring(client, make())
        assert answer.status_code == 422
        assert what in answer.text and cure in answer.text and "测试名单" in answer.text
    assert not list((server.data / "imports").glob("*.sealed"))


def test_a_bomb_that_lies_about_its_size_is_stopped_by_its_limits(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(hostile.lying_bomb())
    with pytest.raises(BadSheet) as refused, file.open("rb") as brought:
        opened(SUBJECTS, brought)
    assert refused.value.faults[0].code in ("broken_file", "too_hard", "missing_column", "bomb_ratio")


def test_a_form_without_file_source_or_kind_says_all_three(server: Running) -> None:
    with server.signed_in("clerk") as client:
        answer = client.post("/office/imports", data={})
    assert answer.status_code == 422
    assert [(fault["field"], fault["code"]) for fault in answer.json()["faults"]] == [
        ("layout", "not_one_of"),
        ("source", "missing"),
        ("file", "no_file"),
    ]


def test_more_than_64_megabytes_is_too_large(server: Running) -> None:
    with server.signed_in("clerk") as client:
        answer: httpx.Response = bring(client, bytes(66 << 20))
    assert answer.status_code == 413
