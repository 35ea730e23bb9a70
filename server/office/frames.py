"""The list that a draw freezes: everybody of the item, each in its class or left out with a reason (R16.1, R16.2)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from server.domain.draw import ALG, frame_line
from server.domain.drawing import number_of
from server.domain.exclusion import Exclusion
from server.domain.excuse import StatusDocument
from server.domain.instant import beijing_day
from server.domain.item import Item, covers
from server.domain.ratio import Ground, exemption, window_start
from server.domain.ruleset import RuleSet
from server.domain.task import Filter, Task, fits, said, stratum_of
from server.errors import Problem
from server.office.task_facts import floor_reason, items_of, library_of, share_of
from server.store import draws, exclusions, excuses, frames, selections, tasks
from server.store.draws import Frozen
from server.store.frames import Listed
from server.store.rules import rule_set_on
from server.store.session import Connection

_GONE: Final = {"cancelled": "DEREGISTERED", "suspended": "SUSPENDED"}
_ONE_IN: Final = 20  # 5 % as one in twenty


class Line(msgspec.Struct, frozen=True, gc=False):
    """A subject of the list; `document` is that of its exclusion or status, or of the `ground` that exempts it."""

    code: str
    name: str
    stratum: str
    part: str
    reason: str
    subject_id: str
    document: str | None = None
    ground: str | None = None


class Frame(msgspec.Struct, frozen=True):
    """The list in its order, with `base`: how many are supervised, for the floor of article 6."""

    lines: tuple[Line, ...]
    base: int

    @property
    def text(self) -> str:
        """The list as it is hashed."""
        return "".join(frame_line(one.code, one.stratum, one.part, one.reason) for one in self.lines)

    @property
    def sizes(self) -> dict[str, int]:
        """How many candidates each class has."""
        return dict(Counter(one.stratum for one in self.lines if one.part == "E"))

    @property
    def candidates(self) -> int:
        """How many can be drawn."""
        return sum(self.sizes.values())

    @property
    def left_out(self) -> dict[str, int]:
        """How many are left out, by reason."""
        return dict(Counter(one.reason for one in self.lines if one.part == "X"))

    @property
    def kept(self) -> list[Line]:
        """Who is at the cap and stays in by a flag or a campaign (R15a.3)."""
        return [one for one in self.lines if one.ground is not None]

    @property
    def frozen(self) -> Frozen:
        """What is kept of it."""
        return Frozen(
            self.text,
            tuple(one.subject_id for one in self.lines),
            {one.code: one.document for one in self.lines if one.part == "X" and one.document},
            {one.code: (one.ground, one.document or "") for one in self.lines if one.ground is not None},
        )


def preview(conn: Connection, task_id: str, now: datetime) -> Frame:
    """The list as it would be frozen for a task at this moment; `not_found` where there is no such task."""
    task = tasks.task_of(conn, task_id)
    if task is None:
        raise Problem("not_found")
    return preview_of(conn, task, now)


def preview_of(conn: Connection, task: Task, now: datetime) -> Frame:
    """The same for a task as it stands, saved or not."""
    day = beijing_day(now)
    rules = rule_set_on(conn, day)
    item = items_of(conn, task)[0]
    unit_id = library_of(task)
    times = Counter(selections.times_drawn(conn, window_start(day, rules.cap_window), day))
    judge = _Judge(
        day=day.isoformat(),
        cap=rules.cap,
        times=times + draws.reservations(conn, task.id),
        conditions=task.filter if task.draw == "directed" and task.filter else None,
        campaign=None if task.campaign is None else Ground("campaign", task.campaign),
        exclusions=exclusions.in_force(conn, unit_id, day.isoformat()),
    )
    found = [one for one in frames.listed(conn, unit_id) if covers(item, one)]
    gone = excuses.status_documents(conn, {one.id: one.status for one in found if one.status in _GONE})
    lines = sorted((judge.line(one, gone.get(one.id)) for one in found), key=lambda line: line.code)
    return Frame(tuple(lines), sum(one.status == "active" for one in found))


class _Judge(msgspec.Struct, frozen=True):
    """Where each subject stands, from stored data only."""

    day: str
    cap: int
    times: Mapping[str, int]
    conditions: Filter | None
    campaign: Ground | None
    exclusions: Mapping[str, Exclusion]

    def line(self, one: Listed, gone: StatusDocument | None) -> Line:
        grounds = selections.grounds(one.flags, self.day)
        if one.status in _GONE:
            return _out(one, _GONE[one.status], None if gone is None else gone.said)
        if one.id in self.exclusions:
            return _out(one, self.exclusions[one.id].kind, self.exclusions[one.id].document)
        if self.conditions is not None and not fits(self.conditions, one):
            return _out(one, "OUT_OF_FILTER")
        stratum = stratum_of(one.risk, one.credit, [flag.kind for flag in grounds])
        if self.times.get(one.id, 0) < self.cap:
            return Line(one.code, one.name, stratum, "E", "-", one.id)
        ground = exemption(grounds, self.campaign)
        if ground is None:
            return _out(one, "DRAWN_TWICE")
        return Line(one.code, one.name, stratum, "E", "-", one.id, ground.document, ground.kind)


def _out(one: Listed, reason: str, document: str | None = None) -> Line:
    return Line(one.code, one.name, "-", "X", reason, one.id, document)


# --- the rules --------------------------------------------------------------------------------------------------------


def rules_of(conn: Connection, task: Task, frame: Frame, now: datetime) -> dict[str, Any]:
    """The rules that are committed with the list: what the task says, and the ratio of each class that there is."""
    day = beijing_day(now)
    item = items_of(conn, task)[0]
    shares = _shares(task, frame.sizes, item, rule_set_on(conn, day))
    head: dict[str, Any] = {
        "alg": ALG,
        "base": frame.base,
        "filters": said(task.filter) if task.draw == "directed" else [],
        "item": item.id,
        "task": task.no,
        "year": day.year,
    }
    how = {"ratio_bp": shares} if task.mode == "ratio" else {"n": task.n, "weights": shares}
    rules = {**head, "mode": task.mode, **how}
    floor = _below(conn, task, item, rules, frame)
    return rules if floor is None else {**rules, "floor": floor}


def _shares(task: Task, sizes: Mapping[str, int], item: Item, rules: RuleSet) -> dict[str, int]:
    typed = task.shares
    return {name: typed[name] if name in typed else share_of(name, item, rules) for name in sorted(sizes)}


def _below(conn: Connection, task: Task, item: Item, rules: Mapping[str, Any], frame: Frame) -> dict[str, str] | None:
    """On what the number may stay below 5 %: a campaign, the principal's approval, or a ratio set by statute."""
    if _ONE_IN * number_of(frame.sizes, rules) >= frame.base:
        return None
    if found := floor_reason(conn, task):
        return dict(found)
    if item.ratio is None:
        return None
    return {"why": "statutory", "document": item.basis[0].label if item.basis else item.id}
