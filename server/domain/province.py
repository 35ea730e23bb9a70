"""The province's layout as data: what its platform calls our columns and results; a clerk adjusts it (R7.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from server.domain.codes import normal_code
from server.domain.entry import Entry
from server.domain.faults import Fault

KINDS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "item": (
        ("id", "事项编号"),
        ("name", "抽查事项"),
        ("object", "抽查对象"),
        ("category", "事项类别"),
        ("method", "检查方式"),
        ("department", "实施部门"),
        ("level", "实施层级"),
        ("sector", "领域"),
        ("basis", "检查依据"),
    ),
    "subject": (
        ("uscc", "统一社会信用代码"),
        ("registration", "注册号"),
        ("name", "主体名称"),
        ("legal_representative", "法定代表人"),
        ("address", "住所"),
        ("kind", "主体类型"),
        ("industry", "行业代码"),
        ("region", "行政区划代码"),
        ("risk", "风险等级"),
        ("credit", "信用等级"),
        ("status", "经营状态"),
    ),
    "officer": (
        ("name", "姓名"),
        ("sex", "性别"),
        ("certificate", "执法证号"),
        ("certificate_from", "证件有效期起"),
        ("certificate_to", "证件有效期止"),
        ("domains", "执法领域"),
        ("unit_id", "所属单位"),
    ),
    "expert": (("name", "姓名"), ("employer", "工作单位"), ("title", "职称"), ("domains", "专业领域")),
    "plan": (
        ("id", "计划行编号"),
        ("unit", "实施单位"),
        ("item", "抽查事项"),
        ("scope", "抽查范围"),
        ("window_from", "开始日期"),
        ("window_to", "结束日期"),
        ("count", "计划抽查数"),
        ("unified_share", "区级统一抽查比例"),
        ("own_share", "本局自行抽查比例"),
    ),
    "result": (
        ("no", "公示编号"),
        ("subject", "主体名称"),
        ("uscc", "统一社会信用代码"),
        ("task_no", "任务编号"),
        ("task", "抽查任务"),
        ("items", "抽查事项及结果"),
        ("code", "检查结果代码"),
        ("main", "检查结果"),
        ("unit", "实施单位"),
        ("visited_on", "检查日期"),
        ("published_on", "公示日期"),
        ("version", "版本"),
        ("corrected_on", "更正日期"),
    ),
}
"""Kind -> its fields that the platform may hold, and what it calls them at first. No phones and no ID numbers."""

LATER: Final = ("task", "draw")
"""Kinds whose rows come with tasks and draws; their states are kept in the same table."""

RESULTS: Final = (
    "no_problem_found",
    "info_not_disclosed",
    "info_false",
    "unreachable",
    "ordered_to_correct",
    "serious_noncooperation",
    "no_relevant_activity",
    "pending_followup",
    "qualified",
    "unqualified",
)
"""The ten types in the order of article 24."""

HEADER_MOST: Final = 40
CODE_MOST: Final = 20


class Mapped(msgspec.Struct, frozen=True):
    """One column of a kind: our field, and what the platform calls it."""

    field: str
    header: str


class ProvinceMapping(msgspec.Struct, frozen=True):
    """Columns by kind in the platform's order, and its code for each of the ten results."""

    columns: dict[str, tuple[Mapped, ...]]
    results: dict[str, str]

    def columns_of(self, kind: str) -> tuple[Mapped, ...]:
        """The columns of a kind; of one that is newer than the mapping those of a new house."""
        return self.columns[kind] if kind in self.columns else FIRST.columns[kind]


FIRST: Final = ProvinceMapping(
    {kind: tuple(Mapped(field, header) for field, header in fields) for kind, fields in KINDS.items()},
    {name: f"{n:02}" for n, name in enumerate(RESULTS, 1)},
)
"""What a new house begins with."""


def check_mapping(values: Mapping[str, str]) -> tuple[ProvinceMapping | None, list[Fault]]:
    """A mapping from its form: `item.name` is what a column is called (none: left out), `item.name.at` its place."""
    entry = Entry(values)
    columns = {kind: _columns(entry, kind) for kind in KINDS}
    results = {name: _code(entry, name) for name in RESULTS}
    for name, code in results.items():
        if code and list(results.values()).count(code) > 1:
            entry.wrong(f"result.{name}", "province_code_twice", found=code)
    return (ProvinceMapping(columns, results) if entry.is_good else None), entry.faults


def _columns(entry: Entry, kind: str) -> tuple[Mapped, ...]:
    found: list[tuple[int, int, Mapped]] = []
    for n, (field, _) in enumerate(KINDS[kind], 1):
        name = f"{kind}.{field}"
        header = entry.line(name, most=HEADER_MOST, required=False)
        at = entry.number(f"{name}.at", 1, 99, required=False)
        if header and any(header == other.header for _, _, other in found):
            entry.wrong(name, "province_header_twice", found=header)
        elif header:
            found.append((at or n, n, Mapped(field, header)))
    if not found:
        entry.wrong(f"{kind}.{KINDS[kind][0][0]}", "province_no_column")
    return tuple(mapped for _, _, mapped in sorted(found, key=lambda one: one[:2]))


def _code(entry: Entry, name: str) -> str:
    return normal_code(entry.line(f"result.{name}", most=CODE_MOST))


def values_of(mapping: ProvinceMapping) -> dict[str, str]:
    """The mapping as its form shows it."""
    values = {f"result.{name}": code for name, code in mapping.results.items()}
    for kind in KINDS:
        for at, mapped in enumerate(mapping.columns_of(kind), 1):
            values |= {f"{kind}.{mapped.field}": mapped.header, f"{kind}.{mapped.field}.at": str(at)}
    return values
