"""What a task's rules rest on, read from list, plan and library: items, the plan's line, who could be drawn."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from server.domain.item import Item
from server.domain.ruleset import RuleSet
from server.domain.task import Filter, Task
from server.domain.task_entry import Frame, Known, Line
from server.office.plan_facts import released_items
from server.store import items as item_store
from server.store import joint_lists, plans, registry, tasks
from server.store.plans import Kept
from server.store.session import Connection


def planned(conn: Connection, line_id: str | None) -> Kept | None:
    """A line of the plan as it was released last; nobody draws from a plan that isn't released."""
    found = None if not line_id else plans.line_of(conn, line_id)
    if found is None:
        return None
    released = [one.version for one in plans.versions_of(conn, found.year) if one.released_at is not None]
    return plans.line_of(conn, found.id, max(released)) if released else None


def known_for(conn: Connection, line_id: str | None, today: date) -> tuple[int, dict[str, Item], Known]:
    """Number and items of today's list, and what an entry is judged by."""
    version, released = released_items(conn, today)
    kept = planned(conn, line_id)
    lists = [] if kept is None else [one.id for one in joint_lists.lists_of(conn, kept.id)]
    return version, released, Known(list(released), today.isoformat(), _line(kept), lists)


def _line(kept: Kept | None) -> Line | None:
    if kept is None:
        return None
    one = kept.line
    return Line(kept.id, one.item_id, one.unit_id, one.window_from, one.window_to, one.joint, one.partner, one.campaign)


def library_of(task: Task) -> str | None:
    """Whose library a task draws from: its unit's, or with a unified draw every unit's."""
    return None if task.unified else task.unit_id


def default_shares(frame: Frame, item: Item, rules: RuleSet) -> dict[str, int]:
    """Ratio per 10,000 of each stratum by the matrix, or by the statute; the weights of a draw by number alike."""
    return {name: share_of(name, item, rules) for name in frame.sizes}


def share_of(stratum: str, item: Item, rules: RuleSet) -> int:
    """The ratio of one stratum, at least 1."""
    risk, credit, *flagged = stratum.split("_")
    ratio = rules.share(risk.lower(), credit, bool(flagged))
    if item.ratio is not None:
        ratio = max(ratio, item.ratio) if flagged else item.ratio
    return max(ratio, 1)


def items_of(conn: Connection, task: Task) -> list[Item]:
    """The items of a task as the version of the list that it froze has them (R5.3)."""
    if task.list_version is None:
        return []
    return [item_store.item_at(conn, task.list_version, id) for id in task.items]


def names_of_items(conn: Connection, found: list[Task]) -> dict[str, str]:
    """The names of the items of some tasks, by id."""
    return {id: one.name for id, one in registry.items_by_id(conn, {id for task in found for id in task.items}).items()}


def plan_override(conn: Connection, task: Task, n: int) -> str | None:
    """The principal's approval of the plan's line that stands for this number too (R6.4): its id."""
    kept = planned(conn, task.plan_line_id)
    if kept is None:
        return None
    found = [
        one
        for one in plans.overrides_of(conn, kept.year)
        if one.kind == "ratio" and one.line_id == kept.id and one.state == "approved" and one.asked <= n
    ]
    return found[0].id if found else None


def floor_reason(conn: Connection, task: Task) -> Mapping[str, str] | None:
    """Why a task's draw may stay below the floor, as the draw's rules name it: a campaign, or the principal's word."""
    if task.campaign is not None:
        return {"why": "campaign", "document": task.campaign}
    id = _own_override(conn, task) or plan_override(conn, task, task.n)
    return None if id is None else {"why": "override", "document": id}


def _own_override(conn: Connection, task: Task) -> str | None:
    """The principal's approval of this task, where it was given for its floor and for no higher number."""
    found = [one for one in tasks.overrides_of(conn, task.id) if one.state == "approved"]
    return next((one.id for one in found if one.least == task.floor and one.asked <= task.n), None)


def filter_values(conditions: Filter) -> dict[str, str]:
    """The conditions of a directed draw as the form's fields have them."""
    values = {f"filter.{name}": " ".join(getattr(conditions, name)) for name in ("industries", "regions")}
    for name in ("kinds", "traits", "risks", "credits"):
        values |= {f"filter.{name}.{one}": "yes" for one in getattr(conditions, name)}
    return values
