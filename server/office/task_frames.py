"""Who could be drawn for a task: the proposal for the item's whole population, and the list as it would be frozen."""

from __future__ import annotations

from datetime import datetime

from server.domain.instant import beijing_day
from server.domain.item import Item
from server.domain.ratio import Ground, propose
from server.domain.task import Task
from server.domain.task_entry import Capped, Frame
from server.office.frames import preview_of
from server.office.plan_facts import day_of
from server.office.task_facts import library_of
from server.store import selections
from server.store.rules import rule_set_on
from server.store.session import Connection


def frame_of(conn: Connection, task: Task, item: Item, now: datetime) -> Frame:
    """Proposal and list of a task, saved or not; its drawn item is `item`."""
    today = beijing_day(now)
    day = day_of(today.year, today)
    rules = rule_set_on(conn, day)
    people = selections.population(conn, item, library_of(task), rules, day)
    ground = None if task.campaign is None else Ground("campaign", task.campaign)
    listed = preview_of(conn, task, now)
    capped = [one for one in listed.lines if one.reason == "DRAWN_TWICE" or one.ground is not None]
    return Frame(
        propose(people, rules, statutory=item.ratio, campaign=ground),
        listed.sizes,
        listed.left_out,
        [Capped(one.code, one.name, one.ground, one.document) for one in capped],
    )
