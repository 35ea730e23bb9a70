"""The demo's item list: three versions that the legal unit released, and what waits for the fourth."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from msgspec.structs import replace

from server.demo.district import HAZCHEM, INDUSTRY, LEGAL
from server.demo.items import items
from server.demo.plan import moment
from server.domain.item import Item
from server.domain.item_entry import checklist_values, item_values
from server.office import items as office
from server.store import items as store
from server.store.people import Person
from server.store.session import Connection

CLERKS = {
    HAZCHEM: Person("clerk", "clerk", "周敏", HAZCHEM, ("unit_clerk",), None),
    INDUSTRY: Person("clerk-ic", "clerk-ic", "", INDUSTRY, ("unit_clerk",), None),
}
LEGAL_CLERK = Person("legal", "legal", "沈若兰", LEGAL, ("legal_unit",), None)

FIRST_AGO, SECOND_AGO, THIRD_AGO = 210, 120, 62
"""On which weekday before today each version was released; the last before the tasks that froze it began."""


def release_history(conn: Connection, today: date) -> None:
    """Three releases, the drafts of the annex, and two changes that wait."""
    final = {item.id: item for item in items()}
    for item in (final["hazchem-storage"], final["workshop-fire"], _confined_space_at_first(final["confined-space"])):
        _enter(conn, today, FIRST_AGO, item)
    _release(conn, today, FIRST_AGO, "卧应急〔一〕号", "首次公布：危险化学品储存、车间消防、有限空间三个事项。")
    _enter(conn, today, SECOND_AGO, final["special-operations"])
    _release(conn, today, SECOND_AGO, "卧应急〔二〕号", "增加特种作业事项。")
    _change(conn, today, THIRD_AGO, final["confined-space"])
    _release(conn, today, THIRD_AGO, "卧应急〔三〕号", "有限空间：改为重点事项，按新的国家标准调整要点。")
    office.take_up_annex(conn, CLERKS[HAZCHEM], moment(today, 40, 9))
    _begin_next(conn, today, final)


def _confined_space_at_first(final: Item) -> Item:
    """As the first version had it: a general item, one question less, one worded otherwise, two in another order."""
    first, second, *others = final.checklist
    dropped = others.pop()
    return replace(
        final,
        category="general",
        method="现场检查",
        checklist=(second, replace(first, text="有限空间有台账，写清数量和位置"), *others),
        phrases=tuple(phrase for phrase in final.phrases if phrase.point != dropped.id),
    )


def _begin_next(conn: Connection, today: date, final: dict[str, Item]) -> None:
    """One change that was handed in, and one that its clerk is still at."""
    fire = replace(final["workshop-fire"], method=final["workshop-fire"].method + "、询问")
    clerk = CLERKS[INDUSTRY]
    base = office.digest_of_facts(final["workshop-fire"])
    office.change_item(conn, clerk, moment(today, 6, 10), fire.id, item_values(fire), base)
    office.submit_item(conn, clerk, moment(today, 6, 10, 20), fire.id)
    special = replace(final["special-operations"], object=final["special-operations"].object + "（含外包队伍）")
    base = office.digest_of_facts(final["special-operations"])
    office.change_item(conn, CLERKS[HAZCHEM], moment(today, 3, 15), special.id, item_values(special), base)


def _enter(conn: Connection, today: date, ago: int, item: Item) -> None:
    clerk = CLERKS[item.unit_id or HAZCHEM]
    office.add_item(conn, clerk, moment(today, ago, 9), item_values(item), item.id)
    _write_points(conn, clerk, today, ago, item)


def _change(conn: Connection, today: date, ago: int, item: Item) -> None:
    clerk = CLERKS[item.unit_id or HAZCHEM]
    before = _draft(conn, item)
    office.change_item(conn, clerk, moment(today, ago, 9), item.id, item_values(item), office.digest_of_facts(before))
    _write_points(conn, clerk, today, ago, item)


def _write_points(conn: Connection, clerk: Person, today: date, ago: int, item: Item) -> None:
    """Points that the item hasn't had yet get the ids that the demo's checklists give them."""
    known = store.known_points(conn, item.id)
    fresh: Iterator[str] = iter([point.id for point in item.checklist if point.id not in known])
    base = office.digest_of_checklist(_draft(conn, item))
    at = moment(today, ago, 9, 40)
    office.change_checklist(conn, clerk, at, item.id, checklist_values(item), base, lambda: next(fresh))
    office.submit_item(conn, clerk, moment(today, ago, 10), item.id)


def _release(conn: Connection, today: date, ago: int, number: str, summary: str) -> None:
    values = {"document": f"《卧龙区应急管理局随机抽查事项清单》（{number}）", "summary": summary}
    office.release_list(conn, LEGAL_CLERK, moment(today, ago, 16), values, office.proposal(conn).sha256)


def _draft(conn: Connection, item: Item) -> Item:
    draft = store.draft_of(conn, item.id)
    if draft is None:
        raise AssertionError("the item was entered before")
    return draft.item
