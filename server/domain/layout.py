"""The layouts of import and export (R7.1): a library's columns, their names, and what may stand in them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from server.domain.faults import Fault
from server.domain.officer import DOMAINS, SEXES

Kind = Literal["text", "code", "day", "word", "words", "flags", "units"]


class Column(msgspec.Struct, frozen=True):
    """One column. `words` may stand in it, each for a code, and `also` are understood; `said` tells people the form."""

    field: str
    header: str
    kind: Kind
    said: str
    example: str
    aliases: tuple[str, ...] = ()
    required: bool = False
    words: tuple[tuple[str, str], ...] = ()
    also: tuple[tuple[str, str], ...] = ()
    personal: bool = False


class Layout(msgspec.Struct, frozen=True):
    """One library as a sheet; `key` is the column by which a row is known to be somebody who is there already."""

    id: str
    title: str
    sheet: str
    key: str
    columns: tuple[Column, ...]

    def column(self, field: str) -> Column:
        """The column of a field."""
        return next(column for column in self.columns if column.field == field)


IGNORED: Final = ("核对结果",)
"""Columns that our own files carry beside the layout: the original with its faults can be mended and brought again."""

SEX: Final = tuple((word, code) for code, word in SEXES.items())
RISK: Final = (("高", "high"), ("中", "medium"), ("低", "low"))
CREDIT: Final = (("A", "A"), ("B", "B"), ("C", "C"), ("D", "D"))
STATUS: Final = (("正常经营", "active"), ("停业", "suspended"), ("注销", "cancelled"))
KINDS: Final = (
    ("公司", "company"),
    ("个体工商户", "individual"),
    ("农民专业合作社", "cooperative"),
    ("集体企业", "collective"),
    ("个人独资企业", "sole_proprietorship"),
    ("合伙企业", "partnership"),
    ("分支机构", "branch"),
    ("事业单位和社会组织", "institution"),
    ("其他", "other"),
)
TRAITS: Final = (
    ("涉及危险化学品", "hazardous_chemicals"),
    ("工矿商贸", "industry_commerce"),
    ("有限空间", "confined_space"),
    ("特种作业", "special_operations"),
    ("安全评价检测检验机构", "safety_services"),
    ("非煤矿山", "non_coal_mines"),
)
FLAGS: Final = (
    ("多次被投诉举报", "complaints"),
    ("重点关注名录", "key_list"),
    ("失信记录", "discredit"),
    ("严重违法违规记录", "serious_violation"),
)
KINDS_ALSO: Final = (("企业", "company"), ("集体经济组织", "collective"), ("事业单位", "institution"))
STATUS_ALSO: Final = (("在营", "active"), ("存续", "active"), ("吊销", "cancelled"))
TRAITS_ALSO: Final = (("危险化学品", "hazardous_chemicals"), ("评价检测机构", "safety_services"))
FLAGS_ALSO: Final = (
    ("投诉举报", "complaints"),
    ("重点名录", "key_list"),
    ("重点关注", "key_list"),
    ("失信", "discredit"),
    ("严重违法", "serious_violation"),
    ("严重违法迹象", "serious_violation"),
)
FIELDS: Final = tuple((word, code) for code, word in DOMAINS.items())

_DAY: Final = "日期，写成 2026-01-31；2026/1/31、2026年1月31日 也认"
_ONE: Final = "从允许的词里选一个"
_ID: Final = "18 位，整列先设成「文本」再填"
_UNIT: Final = "股室的名称；空着就是导入人的股室"
_CODE: Final = "18 位；只有 15 位注册号的空着，填「注册号」；整列先设成「文本」再填"
_DEATH: Final = "状态改为停业或注销的必填：文书的名称和文号；正常经营的空着"
_DEATH_DAY: Final = "同一文书的日期，写成 2026-01-31"
_SEVERAL: Final = "可写几个，用「、」隔开"
_FLAGS: Final = "每条写「类别|文号|起|止」，止可空着；几条用「；」隔开"

SUBJECTS: Final = Layout(
    "subjects",
    "市场主体",
    "市场主体",
    "uscc",
    (
        Column("uscc", "统一社会信用代码", "code", _CODE, "91411303MA00000010", ("信用代码", "社会信用代码"), True),
        Column("registration", "注册号", "code", "15 位工商注册号；有统一社会信用代码的空着", "", ("工商注册号",)),
        Column(
            "name", "名称", "text", "营业执照上的全称", "南阳市卧龙区示例化工有限公司", ("单位名称", "企业名称"), True
        ),
        Column("legal_representative", "法定代表人", "text", "姓名", "张三", ("负责人", "经营者"), True),
        Column(
            "address",
            "注册地址",
            "text",
            "登记的住所（经营场所）",
            "河南省南阳市卧龙区示例路1号",
            ("登记的住所", "住所", "地址"),
            True,
        ),
        Column("contact", "联系人", "text", "姓名", "李四", ("联系人姓名",), True),
        Column(
            "phone", "联系电话", "code", "手机号或带区号的座机号", "14000000001", ("电话", "手机"), True, personal=True
        ),
        Column("kind", "主体类型", "word", _ONE, "公司", ("类型",), True, KINDS, KINDS_ALSO),
        Column("industry", "行业代码", "code", "GB/T 4754 行业代码，如 C2614", "C2614", ("行业",), True),
        Column("region", "行政区划代码", "code", "GB/T 2260 六位代码", "411303", ("区划代码",), True),
        Column("risk", "风险等级", "word", _ONE, "中", ("风险分级",), True, RISK),
        Column("credit", "信用等级", "word", _ONE, "B", ("信用分级",), True, CREDIT),
        Column("status", "状态", "word", _ONE, "正常经营", ("经营状态",), True, STATUS, STATUS_ALSO),
        Column("status_document", "停业注销文书", "text", _DEATH, "", ("状态文书", "注销文书")),
        Column("status_on", "停业注销日期", "day", _DEATH_DAY, "", ("状态日期", "注销日期")),
        Column("lat", "纬度", "code", "度，小数，如 32.9907", "32.9907", ()),
        Column("lon", "经度", "code", "度，小数，如 112.5283", "112.5283", ()),
        Column(
            "flags",
            "关注标记",
            "flags",
            _FLAGS,
            "重点关注名录|示例名录〔2026〕1号|2026-01-01|",
            (),
            words=FLAGS,
            also=FLAGS_ALSO,
        ),
        Column(
            "traits",
            "监管领域",
            "words",
            _SEVERAL,
            "涉及危险化学品、特种作业",
            ("监管类别", "类别"),
            words=TRAITS,
            also=TRAITS_ALSO,
        ),
        Column(
            "units", "所属股室", "units", "把它列入名录库的股室，用「、」隔开；空着就是导入人的股室", "", ("名录库",)
        ),
    ),
)

OFFICERS: Final = Layout(
    "officers",
    "执法人员",
    "执法人员",
    "certificate",
    (
        Column("name", "姓名", "text", "姓名", "张三", (), True),
        Column("sex", "性别", "word", _ONE, "女", (), True, SEX),
        Column("phone", "手机号", "code", "11 位手机号", "14000000001", ("联系电话", "电话"), True, personal=True),
        Column(
            "id_number",
            "身份证号",
            "code",
            _ID,
            "411303190001010028",
            (),
            True,
            personal=True,
        ),
        Column("certificate", "执法证号", "code", "证件上的编号", "豫R13000001", ("证号", "执法证编号"), True),
        Column("certificate_from", "有效期起", "day", _DAY, "2024-01-01", ("发证日期",), True),
        Column("certificate_to", "有效期止", "day", _DAY, "2028-12-31", ("有效期至",), True),
        Column("domains", "专业领域", "words", _SEVERAL, "危险化学品、工矿商贸", ("执法领域",), True, FIELDS),
        Column("unit_id", "所属股室", "text", _UNIT, "", ()),
    ),
)

EXPERTS: Final = Layout(
    "experts",
    "专家",
    "专家",
    "id_number",
    (
        Column("name", "姓名", "text", "姓名", "王五", (), True),
        Column("sex", "性别", "word", _ONE, "女", (), True, SEX),
        Column("phone", "手机号", "code", "11 位手机号", "14000000001", ("联系电话", "电话"), True, personal=True),
        Column("id_number", "身份证号", "code", _ID, "411303190001010028", (), True, personal=True),
        Column("employer", "工作单位", "text", "单位全称", "示例设计院", ("单位",), True),
        Column("title", "职称", "text", "职称或职业资格", "高级工程师", ("职务",), True),
        Column("domains", "专业领域", "words", _SEVERAL, "危险化学品", (), True, FIELDS),
        Column("unit_id", "所属股室", "text", _UNIT, "", ()),
    ),
)

AGENCIES: Final = Layout(
    "agencies",
    "专业机构",
    "专业机构",
    "uscc",
    (
        Column("uscc", "统一社会信用代码", "code", "18 位", "91411303MA00000010", ("信用代码",), True),
        Column("name", "机构名称", "text", "全称", "示例检测有限公司", ("名称",), True),
        Column("contract", "合同编号", "code", "委托合同的编号", "示例合同〔2026〕1号", ("委托合同", "合同"), True),
        Column("contract_from", "合同期起", "day", _DAY, "2026-01-01", (), True),
        Column("contract_to", "合同期止", "day", _DAY, "2026-12-31", (), True),
        Column("unit_id", "委托股室", "text", _UNIT, "", ("所属股室",)),
    ),
)

LAYOUTS: Final = {layout.id: layout for layout in (SUBJECTS, OFFICERS, EXPERTS, AGENCIES)}

# --- the header -------------------------------------------------------------------------------------------------------

HEADER_WITHIN: Final = 20
"""The header is looked for in so many rows: a title and a note may stand above it."""


class Header(msgspec.Struct, frozen=True):
    """Where the header stands, and which column of the sheet is which of ours."""

    row: int
    columns: tuple[tuple[int, Column], ...]


def plain_name(text: str) -> str:
    """A header as it is compared: without blanks, stars and brackets, full-width made plain."""
    text = unicodedata.normalize("NFKC", text)
    return re.sub(r"[\s*:]|\(.*?\)", "", text).casefold()


def header_of(layout: Layout, rows: Sequence[tuple[int, Sequence[Any]]]) -> tuple[Header | None, list[Fault]]:
    """The header by its names, in whatever order; a missing required column and an unknown one are said."""
    known = {plain_name(name): column for column in layout.columns for name in (column.header, *column.aliases)}
    best = max(rows[:HEADER_WITHIN], key=lambda row: _hits(row[1], known), default=None)
    if best is None or _hits(best[1], known) < min(2, len(layout.columns)):
        return None, [
            Fault("file", "no_header", {"columns": "、".join(c.header for c in layout.columns if c.required)})
        ]
    number, cells = best
    found: list[tuple[int, Column]] = []
    faults: list[Fault] = []
    ignored = {plain_name(name) for name in IGNORED}
    for at, cell in enumerate(cells):
        name = str(cell).strip()
        column = known.get(plain_name(name))
        if column is None:
            if name and plain_name(name) not in ignored:
                faults.append(Fault("file", "unknown_column", {"column": name[:40], "at": letters(at), "row": number}))
        elif any(column is other for _, other in found):
            faults.append(Fault("file", "double_column", {"column": column.header, "at": letters(at), "row": number}))
        else:
            found.append((at, column))
    have = {column.field for _, column in found}
    faults += [
        Fault("file", "missing_column", {"column": column.header, "row": number})
        for column in layout.columns
        if column.required and column.field not in have
    ]
    return (None if faults else Header(number, tuple(found))), faults


def _hits(cells: Sequence[Any], known: Mapping[str, Column]) -> int:
    return sum(isinstance(cell, str) and plain_name(cell) in known for cell in cells)


def letters(at: int) -> str:
    """The name that a spreadsheet gives a column: 0 is A, 26 is AA."""
    name = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, 26)
        name = chr(65 + rest) + name
    return name


# --- one row ----------------------------------------------------------------------------------------------------------

_EXACT: Final = 10**15
"""Spreadsheets keep fifteen digits of a number; what is longer has lost its end."""

_WIDE: Final = re.compile("[０-９Ａ-Ｚａ-ｚ]")
_SCIENTIFIC: Final = re.compile(r"[0-9](\.[0-9]+)?E\+[0-9]+", re.IGNORECASE)


def values_of(header: Header, cells: Sequence[Any]) -> tuple[dict[str, str], list[Fault]]:
    """The row's values by field, words as codes and days as days, as the library's own check takes them."""
    values: dict[str, str] = {}
    faults: list[Fault] = []
    for at, column in header.columns:
        text = _text(column, cells[at] if at < len(cells) else "", faults)
        values[column.field] = _value(column, text, faults) if text else ""
    return values, faults


def _text(column: Column, cell: Any, faults: list[Fault]) -> str:
    if isinstance(cell, str):
        return _from_text(column, cell, faults)
    if isinstance(cell, int | float) and abs(cell) >= _EXACT:
        faults.append(Fault(column.field, "number_not_text", {"value": f"{cell:.5E}"}))
        return ""
    return plain_text(cell)


def plain_text(cell: Any) -> str:
    """A cell as text: a number without a point where it has none, a day as "2026-01-31"."""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, list):
        return str(cell[1])
    if isinstance(cell, float) and cell == int(cell):
        return str(int(cell))
    return str(cell)


def _from_text(column: Column, cell: str, faults: list[Fault]) -> str:
    if column.kind != "text":
        cell = cell.strip()
    if column.kind == "code" and _SCIENTIFIC.fullmatch(cell):
        faults.append(Fault(column.field, "number_not_text", {"value": cell}))
        return ""
    if column.kind in ("code", "day") and _WIDE.search(cell):
        faults.append(Fault(column.field, "full_width", {}, warning=True))
    return cell


def _value(column: Column, text: str, faults: list[Fault]) -> str:
    match column.kind:
        case "word":
            return _word(column, text, faults)
        case "words":
            return ",".join(filter(None, (_word(column, word, faults) for word in split(text))))
        case _:
            return text


def split(text: str) -> list[str]:
    """The words of a cell that holds several."""
    return [word for word in (part.strip() for part in re.split(r"[、，,;；\n]", text)) if word]


def _word(column: Column, text: str, faults: list[Fault]) -> str:
    plain = unicodedata.normalize("NFKC", text).strip()
    for word, code in (*column.words, *column.also):
        if plain in (word, code):
            return code
    faults.append(Fault(column.field, "unknown_word", {"value": text[:40], "allowed": plain_words(column)}))
    return ""


def word_of(column: Column, code: str) -> str:
    """The Chinese word for a code, as an export writes it."""
    return next((word for word, its in column.words if its == code), code)


def plain_words(column: Column) -> str:
    """The words that may stand in a column, as people read them."""
    return "、".join(word for word, _ in column.words)
