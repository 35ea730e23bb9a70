"""What the demo's inspectors find: words that could stand in a real record."""

from __future__ import annotations

from typing import Final, NamedTuple


class Found(NamedTuple):
    """A finding: the point it belongs to, and what is written. `days` is the time to put it right."""

    point: str
    text: str
    place: str
    severity: str
    measure: str
    days: int | None
    scene: str


MIXED_STORE: Final = Found(
    "hc-2.01",
    "乙类库内氧化剂与还原剂同区存放，间距约 0.6 米，共 3 桶，未设隔断。",
    "乙类库东北角",
    "major",
    "deadline",
    14,
    "drums",
)
OVER_LIMIT: Final = Found(
    "hc-2.02", "甲醇实存 14 桶，核定最大储量 10 桶。", "甲类库 2 号分区", "major", "deadline", 7, "drums"
)
LEAKING_TRAY: Final = Found(
    "hc-1.05", "托盘积液约 2 升未清理，围堰一处缺口。", "装卸区", "general", "deadline", 14, "drums"
)
FADED_SIGN: Final = Found(
    "hc-1.02", "库房入口标志褪色，看不清品名和危险性。", "甲类库入口", "general", "deadline", 14, "door"
)
EXPIRED_MASKS: Final = Found(
    "hc-5.04", "滤毒罐 4 只超过有效期。", "应急器材柜", "general", "deadline", 7, "extinguisher"
)
LOCKED_EXIT: Final = Found(
    "wf-1.01", "东侧安全出口上锁，通道堆放成品，净宽不足 0.9 米。", "二车间东侧", "general", "on_spot", None, "door"
)
LOW_PRESSURE: Final = Found(
    "wf-2.01", "灭火器 3 具压力低于绿区，检查标签停在去年。", "二车间南墙", "general", "deadline", 3, "extinguisher"
)
OPEN_PANEL: Final = Found("wf-3.05", "配电箱门未关，线缆未入槽。", "二车间配电间", "general", "deadline", 14, "panel")
UNLISTED_PIT: Final = Found(
    "cs-1.01", "污水站调节池未列入有限空间台账，入口无警示标志。", "污水站", "major", "deadline", 7, "pit"
)
DEAD_DETECTOR: Final = Found(
    "cs-4.03", "四合一检测仪检定已过期，开机后零点漂移。", "安全科器材室", "general", "deadline", 7, "panel"
)
EXPIRED_GLOVES: Final = Found(
    "so-4.01", "绝缘手套试验标签过期 2 个月，未停用。", "配电房", "general", "deadline", 7, "panel"
)
