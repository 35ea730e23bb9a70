"""`docs/import.zh.md`, written from the layouts: a test compares them."""

from __future__ import annotations

from collections.abc import Iterator

from server.domain.layout import LAYOUTS
from server.sheets.reading import MOST_COLUMNS, MOST_ROWS
from server.sheets.writing import EXPLAINED, explanation

LEAD = f"""<!-- Written by `make docs` from the code: change it there. -->
# 导入、导出的表格格式

导入和导出用同一种格式，导出的文件可以原样再导入。文件可以是 XLSX，也可以是 CSV（UTF-8 或 GB18030 编码；
用逗号、制表符或分号分隔），最多 {MOST_ROWS:,} 行、{MOST_COLUMNS} 列、64 MB。

- 列按名称认，先后随意；表头前可以有标题，表头须在前 20 行内。
- 不认识的列名会被指出来，不会悄悄丢掉。文件里没有的选填列，库中原来的内容不动。
- 代码、证件号、电话所在的列请先设成「文本」再填。电子表格只保留 15 位数字，更长的会丢掉末几位，丢了就找不回来。
- 带宏的文件、有密码的文件、链接到别的文件的表格不收。
- 导入先核对、后写入：先看新增、变化、有错各多少行，逐行的错误和改法；确认以后才写入，整批可以撤销。
- 导出时电话和证件号默认打码；以「=」等符号开头的内容前面加一个单引号，防止被当成公式。
"""


def layout_page() -> str:
    """The page."""
    return LEAD + "".join(f"\n## {layout.title}\n\n" + "".join(_table(layout.id)) for layout in LAYOUTS.values())


def _table(layout: str) -> Iterator[str]:
    yield f"工作表名：「{LAYOUTS[layout].sheet}」。\n\n"
    yield f"| {' | '.join(EXPLAINED)} |\n|{' --- |' * len(EXPLAINED)}\n"
    for column in LAYOUTS[layout].columns:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in explanation(column))} |\n"
