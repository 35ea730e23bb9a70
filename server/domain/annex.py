"""The matters of the annex (R32.1): eight drafts that somebody has to review before they can enter the list."""

from __future__ import annotations

from typing import Final

from server.domain.item import Item

_ROWS: Final = (
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
"""Row 1 of the annex holds two matters run together; the last line has no number."""


def annex(unit_id: str | None = None) -> list[Item]:
    """The eight drafts; `unit_id` is the unit that takes them up."""
    return [
        Item(
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
            unit_id=unit_id,
        )
        for id, name, sector in _ROWS
    ]
