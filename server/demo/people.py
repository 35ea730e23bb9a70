"""The demo's accounts: one for each role, and for each officer who holds a phone in the demo's visits."""

from __future__ import annotations

from typing import Final, NamedTuple

from server.demo.district import BRIGADE, HAZCHEM, INDUSTRY, LEGAL

PASSWORD: Final = "suijian-demo"


class Account(NamedTuple):
    """An account of the demo. An officer's has the officer's id."""

    username: str
    name: str
    unit_id: str | None
    roles: tuple[str, ...]
    is_officer: bool


ACCOUNTS: Final = (
    Account("li", "李承远", HAZCHEM, ("officer",), True),
    Account("zhang", "张立", HAZCHEM, ("officer",), True),
    Account("wang", "王楠", HAZCHEM, ("officer",), True),
    Account("liu", "刘启明", HAZCHEM, ("officer",), True),
    Account("song", "宋佳慧", HAZCHEM, ("officer",), True),
    Account("zhao", "赵一诺", INDUSTRY, ("officer",), True),
    Account("sun", "孙立群", INDUSTRY, ("officer",), True),
    Account("chen", "陈望舒", INDUSTRY, ("officer",), True),
    Account("clerk", "周敏", HAZCHEM, ("unit_clerk",), False),
    Account("head", "郑国强", HAZCHEM, ("unit_head",), False),
    Account("clerk-ic", "罗秋燕", INDUSTRY, ("unit_clerk",), False),
    Account("head-ic", "田振华", INDUSTRY, ("unit_head",), False),
    Account("clerk-brigade", "田玉洁", BRIGADE, ("unit_clerk",), False),
    Account("head-brigade", "任志刚", BRIGADE, ("unit_head",), False),
    Account("legal", "沈若兰", LEGAL, ("legal_unit",), False),
    Account("principal", "马文博", None, ("principal",), False),
    Account("steering", "黄思远", None, ("steering_group",), False),
    Account("auditor", "何清", None, ("auditor",), False),
    Account("admin", "林涛", None, ("admin",), False),
    Account("gao", "高志远", INDUSTRY, ("officer",), True),
    Account("xu", "徐静雯", INDUSTRY, ("officer",), True),
    Account("luo", "罗建平", INDUSTRY, ("officer",), True),
)
