"""The item list of the demo district: four released items with checklists, and the drafts of the annex (R32.1)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from server.domain.item import Basis, Item, Phrase, Point

FOLDER: Final = Path(__file__).parent / "checklists"

RELEASED: Final = ("hazchem-storage", "workshop-fire", "confined-space", "special-operations")

_ANNEX: Final = (
    ("1a", "对安全评价、安全生产检测检验机构的行政检查", "safety_services"),
    ("1b", "对未依法进行地震安全性评估或未按照地震安全性评估报告结果进行抗震设防的行政检查", "other"),
    (
        "2",
        "对侵占、毁损、拆除或者擅自移动地震监测设施，危害地震观测环境，破坏典型地震遗址、遗迹行为的行政检查",
        "other",
    ),
    ("3", "对违规开展地震安全性评估的单位的行政检查", "other"),
    ("4", "对未按照地震动参数复核或者地震小区划结果确定的抗震设防要求进行抗震设防行为的行政检查", "other"),
    ("5", "对未按照法律、法规和国家有关标准进行专用地震监测台网建设的行政检查", "other"),
    ("6", "对未按照要求增建抗干扰设施或者新建地震监测设施行为的行政检查", "other"),
    ("annex-u", "对有关单位的行政检查", "other"),
)


def items() -> list[Item]:
    """Every item: the released ones first."""
    laws = _laws()
    return [_released(id, laws) for id in RELEASED] + [_draft(*row) for row in _ANNEX]


def _laws() -> dict[str, dict[str, Any]]:
    laws: dict[str, dict[str, Any]] = json.loads((FOLDER / "laws.json").read_text("utf-8"))
    return laws


def _released(id: str, laws: dict[str, dict[str, Any]]) -> Item:
    sheet = json.loads((FOLDER / f"{id}.json").read_text("utf-8"))
    rows = [
        (f"{sheet['prefix']}-{chapter}.{place:02d}", section["name"], row)
        for chapter, section in enumerate(sheet["sections"], 1)
        for place, row in enumerate(section["points"], 1)
    ]
    cited = dict.fromkeys((law, article) for _, _, row in rows for law, article in row["basis"])
    return Item(
        **{name: sheet[name] for name in ("id", "name", "object", "category", "method", "level", "sector", "judged")},
        basis=tuple(msgspec.convert({**laws[law], "article": article}, Basis) for law, article in cited),
        state="released",
        needs_review=False,
        checklist=tuple(_point(point, section, row, laws) for point, section, row in rows),
        phrases=tuple(Phrase(point, text) for point, _, row in rows for text in row["phrases"])
        + tuple(Phrase(None, text) for text in sheet["phrases"]),
    )


def _point(id: str, section: str, row: dict[str, Any], laws: dict[str, dict[str, Any]]) -> Point:
    cited = "；".join(laws[law]["document"] + (article or "") for law, article in row["basis"])
    return Point(id, row["text"], row["how"], f"{cited}：{row['gist']}", section, row.get("major", False))


def _draft(id: str, name: str, sector: str) -> Item:
    return Item(
        id=id,
        name=name,
        object="待核",
        category="general",
        method="现场检查",
        level="区级",
        sector=sector,
        judged="findings",
        basis=(),
        state="draft",
        needs_review=True,
        checklist=(),
        phrases=(),
    )
