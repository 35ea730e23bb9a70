"""The task for which subjects are drawn: what is set up before the draw, and where it stands (R15b.1, R16.1, R17.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import msgspec

from server.domain.ruleset import CREDITS, RISKS, is_flagged
from server.errors import Problem

STATES: Final = ("draft", "approved", "dispatched", "cancelled")
"""Where a task stands; `ended` is computed from its visits, nobody sets it."""

DRAWS: Final = ("undirected", "directed")
ORIGINS: Final = ("plan", "temporary")
JOINT: Final = ("lead", "participant")
MODES: Final = ("total", "ratio")
DISCLOSURES: Final = ("sealed", "open")
METHODS: Final = ("document_review", "site", "testing", "inquiry", "other")
FORMS: Final = ("comprehensive", "risk_class", "campaign")
LEAST_CREW: Final = 2
"""R18.2: at least two officers a subject."""


class Filter(msgspec.Struct, frozen=True):
    """The conditions of a directed draw: of each kind that is given one value is enough, and each kind must be met."""

    kinds: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    credits: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is any condition."""
        return any(getattr(self, name) for name in self.__struct_fields__)


class Filtered(Protocol):
    """What a filter looks at of a subject."""

    @property
    def kind(self) -> str: ...
    @property
    def industry(self) -> str: ...
    @property
    def traits(self) -> Sequence[str]: ...
    @property
    def region(self) -> str: ...
    @property
    def risk(self) -> str: ...
    @property
    def credit(self) -> str: ...


def fits(conditions: Filter, subject: Filtered) -> bool:
    """Whether a subject may be drawn by a directed draw; industries and regions are met by their beginning."""
    return (
        (not conditions.kinds or subject.kind in conditions.kinds)
        and (not conditions.industries or subject.industry.startswith(conditions.industries))
        and (not conditions.traits or not set(conditions.traits).isdisjoint(subject.traits))
        and (not conditions.regions or subject.region.startswith(conditions.regions))
        and (not conditions.risks or subject.risk in conditions.risks)
        and (not conditions.credits or subject.credit in conditions.credits)
    )


def said(conditions: Filter) -> list[str]:
    """A filter as the draw's rules name it: a text a kind, such as "risks=high,medium"; sorted, so always the same."""
    return [
        f"{name}={','.join(sorted(getattr(conditions, name)))}"
        for name in sorted(conditions.__struct_fields__)
        if getattr(conditions, name)
    ]


def stratum_of(risk: str, credit: str, flags: Sequence[str]) -> str:
    """The stratum of a subject: its class, by itself where a flag raises it (R6.5): HIGH_C, LOW_A_FLAGGED."""
    return f"{risk.upper()}_{credit}" + ("_FLAGGED" if is_flagged(flags) else "")


STRATA: Final = tuple(
    f"{risk.upper()}_{credit}{end}" for risk in RISKS for credit in CREDITS for end in ("", "_FLAGGED")
)
"""Every stratum there can be."""


class Task(msgspec.Struct, frozen=True):
    """What is drawn for, and until when it is to be done.

    The first of `items` is the drawn one, whose population is the frame; the others are looked at where they cover the
    drawn subject. `list_version` is the version of the item list that it froze (R5.3). `joint` says whether we lead or
    take part (R13.1), then `joint_list` is the lead's list. `unified` is a draw over all units' libraries. `n` is the
    number to be drawn as it was set up; `shares` the ratio (per 10,000) or the weight of each stratum, by `mode`.
    `incident` is why the head's approval of the check comes after dispatch (R15b.3).
    """

    id: str
    name: str
    unit_id: str
    draw: str
    window_from: str
    window_to: str
    due_on: str
    items: tuple[str, ...]
    joint: str | None = None
    partner: str | None = None
    list_version: int | None = None
    no: str = ""
    filter: Filter = Filter()
    unified: bool = False
    joint_list: str | None = None
    origin: str = "temporary"
    plan_line_id: str | None = None
    campaign: str | None = None
    methods: tuple[str, ...] = ()
    form: str | None = None
    mode: str = "total"
    n: int = 0
    shares: dict[str, int] = {}
    proposed: int = 0
    floor: int = 0
    population: int = 0
    disclosure: str = "sealed"
    crew_size: int = LEAST_CREW
    state: str = "dispatched"
    reason: str | None = None
    incident: str | None = None
    approval_number: str | None = None
    approval_on: str | None = None
    approved_by: str | None = None
    approved_at: str | None = None
    entered_by: str | None = None
    entered_at: str | None = None
    executing_unit_id: str | None = None
    dispatched_by: str | None = None
    dispatched_at: str | None = None
    cancelled_by: str | None = None
    cancelled_at: str | None = None
    cancelled_why: str | None = None

    @property
    def drawn_item(self) -> str:
        """The item whose population is the frame."""
        return self.items[0]

    @property
    def is_participant(self) -> bool:
        """Whether another department draws the subjects (R13.1)."""
        return self.joint == "participant"

    @property
    def carried_out_by(self) -> str:
        """The unit whose head answers for what happens after dispatch."""
        return self.executing_unit_id or self.unit_id


def must_be_open(task: Task) -> None:
    """Refuses to change a task that was dispatched or cancelled (R17.2)."""
    if task.state == "dispatched":
        raise Problem("task_dispatched")
    if task.state == "cancelled":
        raise Problem("task_cancelled")


def must_be_ready(task: Task) -> None:
    """Refuses a draw for a task that isn't approved; in an incident the approval may come afterwards (R15b.3)."""
    must_be_open(task)
    if task.is_participant:
        raise Problem("task_drawn_elsewhere", lead=task.partner or "")
    if task.state != "approved" and task.incident is None:
        raise Problem("task_not_approved")


class Chosen(msgspec.Struct, frozen=True):
    """One subject that is to be inspected; `ground` and `document` where it was kept in by exemption (R15a.3)."""

    code: str
    subject_id: str
    ground: str | None = None
    document: str | None = None


class Locked(msgspec.Struct, frozen=True):
    """The list that dispatch fixes: of which draw, or of which list of a lead; `left_out` have been drawn twice."""

    no: str
    subjects: tuple[Chosen, ...]
    left_out: tuple[Chosen, ...] = ()
