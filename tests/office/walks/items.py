"""The acts on the item list: each on an item of its own, so that the order of the walks doesn't matter."""

from __future__ import annotations

import re

import httpx

from tests.office.district import HTML, Office
from tests.office.walks import Step

LAW = {
    "basis.0.document": "《危险化学品安全法》",
    "basis.0.number": "主席令第六十四号",
    "basis.0.article": "第四十一条",
    "basis.0.from": "2026-05-01",
}
FACTS = {
    "name": "仓库通风检查",
    "object": "储存单位",
    "category": "general",
    "method": "现场检查",
    "department": "卧龙区应急管理局",
    "level": "区级",
    "sector": "hazardous_chemicals",
    "judged": "findings",
    "scope.traits.hazardous_chemicals": "yes",
    "do": "save",
} | LAW
POINT = {
    "point.0.id": "",
    "point.0.text": "通风机开着",
    "point.0.how": "看",
    "point.0.section": "现场",
    "point.0.basis.0": "《危险化学品安全法》第四十一条",
    "do": "save",
}


def post(office: Office, who: str, path: str, **form: str) -> httpx.Response:
    """A form of the room, as a page posts it."""
    return office.client(who).post(f"/office/items{path}", data=form, headers=HTML)


def base(office: Office, path: str, field: str = "base", who: str = "clerk") -> str:
    """A hidden field of a form: most often the digest that it is based on."""
    page = office.client(who).get(f"/office/items{path}", headers=HTML).text
    return str(re.findall(rf'name="{field}" value="([^"]+)"', page)[0])


def new_item(office: Office, *, with_points: bool = False) -> str:
    """An item that the clerk just entered."""
    answer = post(office, "clerk", "/new", **FACTS)
    path = answer.headers["location"].removeprefix("/office/items")
    if with_points:
        saved = post(office, "clerk", f"{path}/checklist", **POINT, base=base(office, f"{path}/checklist"))
        assert saved.status_code == 303, saved.text[:600]
    return str(path)


def ready_item(office: Office) -> str:
    """An item that was handed in."""
    path = new_item(office, with_points=True)
    assert post(office, "clerk", f"{path}/submit").status_code == 303
    return path


def _change(office: Office) -> Step:
    path = new_item(office)
    form = FACTS | {"level": "市级", "base": base(office, f"{path}/edit")}
    return Step("clerk", lambda: post(office, "clerk", f"{path}/edit", **form))


def _points(office: Office) -> Step:
    path = new_item(office)
    form = POINT | {"base": base(office, f"{path}/checklist")}
    return Step("clerk", lambda: post(office, "clerk", f"{path}/checklist", **form))


def _submit(office: Office) -> Step:
    path = new_item(office, with_points=True)
    return Step("clerk", lambda: post(office, "clerk", f"{path}/submit"))


def _withdraw(office: Office) -> Step:
    path = new_item(office)
    return Step("clerk", lambda: post(office, "clerk", f"{path}/withdraw", reason="重复"))


def _reset(office: Office) -> Step:
    path = "/special-operations"  # its clerk is at it
    return Step("clerk", lambda: post(office, "clerk", f"{path}/reset"))


def _annex(office: Office) -> Step:
    """The last line of the annex is taken out of the draft, so that it can be taken up again."""
    with office.db.write() as conn:
        conn.exec_driver_sql("DELETE FROM item WHERE id = 'annex-u'")
    return Step("clerk", lambda: post(office, "clerk", "/annex"))


def _release(office: Office) -> Step:
    ready_item(office)
    seen = base(office, "/release", "seen", "legal")
    form = {"document": "《清单》（卧应急〔四〕号）", "summary": "增加一个事项。", "seen": seen}
    return Step("legal", lambda: post(office, "legal", "/release", **form))


WALKS = {
    "item.add": lambda office: Step("clerk", lambda: post(office, "clerk", "/new", **FACTS)),
    "item.annex": _annex,
    "item.change": _change,
    "item.checklist": _points,
    "item.submit": _submit,
    "item.withdraw": _withdraw,
    "item.reset": _reset,
    "list.release": _release,
}
