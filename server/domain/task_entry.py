"""What somebody entered of a task, and when it can be taken: complete before any draw (R15b.1, R2.1, R6.4, R13.1)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

import msgspec

from server.domain.codes import normal_code
from server.domain.entry import Entry
from server.domain.faults import Fault
from server.domain.ratio import Proposal, needs, portion
from server.domain.ruleset import CREDITS, RISKS, WHOLE
from server.domain.subject import KINDS, TRAITS
from server.domain.task import (
    DISCLOSURES,
    DRAWS,
    FORMS,
    JOINT,
    LEAST_CREW,
    METHODS,
    MODES,
    Filter,
    Task,
)

MOST_CREW: Final = 9
MOST: Final = 1_000_000
TICKED: Final = {"kinds": KINDS, "traits": TRAITS, "risks": RISKS, "credits": CREDITS}
"""The conditions of a directed draw that are ticked, each a field of its own: `filter.risks.high` is "yes"."""


class Line(msgspec.Struct, frozen=True):
    """What a task looks at of the plan's line that it carries out."""

    id: str
    item_id: str
    unit_id: str
    window_from: str
    window_to: str
    joint: str | None
    partner: str | None
    campaign: str | None


class Capped(msgspec.Struct, frozen=True):
    """A subject that was drawn, or is reserved, as often as the cap has it; `ground` is what keeps it in."""

    code: str
    name: str
    ground: str | None = None
    document: str | None = None


class Frame(msgspec.Struct, frozen=True):
    """Who could be drawn: the proposal for the whole population, how many each stratum has, and who is left out why.

    `capped` are those at the cap, left out or kept in, as the list that would be frozen now has them.
    """

    proposal: Proposal
    sizes: Mapping[str, int]
    left_out: Mapping[str, int] = {}
    capped: Sequence[Capped] = ()

    @property
    def candidates(self) -> int:
        """How many can be drawn."""
        return sum(self.sizes.values())

    @property
    def twice(self) -> list[Capped]:
        """Who is left out at the cap."""
        return [one for one in self.capped if one.ground is None]

    @property
    def kept(self) -> list[Capped]:
        """Who is kept in by exemption."""
        return [one for one in self.capped if one.ground is not None]


class Known(msgspec.Struct, frozen=True):
    """What an entry is judged by: the released items, the plan's line, the lists that came for it, today."""

    items: Collection[str]
    today: str
    line: Line | None = None
    lists: Collection[str] = ()


def read_task(values: Mapping[str, str], known: Known, base: Task) -> tuple[Task, list[Fault]]:
    """The task as entered upon `base`, without number and shares, and everything that is wrong with it."""
    entry = Entry(values)
    name = entry.line("name", most=80)
    item = entry.choice("item", known.items)
    more = tuple(one for one in known.items if values.get(f"more.{one}") == "yes" and one != item)
    first, last = entry.day("window_from"), entry.day("window_to")
    joint = entry.choice("joint", JOINT, required=False)
    partner = entry.name("partner", most=80, required=joint != "")
    campaign = entry.line("campaign", most=200, required=False)
    draw = entry.choice("draw", DRAWS) if joint != "participant" else "undirected"
    methods = tuple(one for one in METHODS if values.get(f"method.{one}") == "yes")
    form = entry.choice("form", FORMS, required=False)
    disclosure = entry.choice("disclosure", DISCLOSURES)
    crew = entry.number("crew_size", LEAST_CREW, MOST_CREW)
    reason = entry.text("reason", most=1000, required=False)
    incident = entry.text("incident", most=1000, required=False)
    if not methods:
        entry.wrong("methods", "missing")
    conditions = _filter(entry, values) if draw == "directed" else Filter()
    if draw == "directed" and not conditions and joint != "participant":
        entry.wrong("filter", "task_no_filter")
    _check_window(entry, first, last, known, has_reason=bool(reason))
    _check_line(entry, item, joint, known.line)
    given = _list_of(entry, joint, known)
    made = msgspec.structs.replace(
        base,
        name=name,
        items=(item, *more),
        window_from=first or "",
        window_to=last or "",
        due_on=last or "",
        joint=joint or None,
        partner=partner or None,
        joint_list=given,
        campaign=campaign or None,
        draw=draw,
        filter=conditions,
        methods=methods,
        form=form or None,
        disclosure=disclosure,
        crew_size=crew or LEAST_CREW,
        reason=reason or None,
        incident=incident or None,
        origin="temporary" if known.line is None else "plan",
        plan_line_id=None if known.line is None else known.line.id,
    )
    return made, entry.faults


def _filter(entry: Entry, values: Mapping[str, str]) -> Filter:
    ticked = {
        name: tuple(one for one in words if values.get(f"filter.{name}.{one}") == "yes")
        for name, words in TICKED.items()
    }
    industries, regions = (_codes(entry, f"filter.{name}") for name in ("industries", "regions"))
    for code in industries:
        if not re.fullmatch(r"[A-T][0-9]{0,4}", code):
            entry.wrong("filter.industries", "industry_prefix", found=code[:20])
    for code in regions:
        if not (code.isascii() and code.isdigit() and len(code) <= 12):
            entry.wrong("filter.regions", "task_region", found=code[:20])
    return Filter(industries=industries, regions=regions, **ticked)


def _codes(entry: Entry, field: str) -> tuple[str, ...]:
    text = entry.line(field, most=200, required=False)
    for mark in "、，,；;":
        text = text.replace(mark, " ")
    return tuple(dict.fromkeys(map(normal_code, text.split())))


def _check_window(entry: Entry, first: str | None, last: str | None, known: Known, *, has_reason: bool) -> None:
    if not {"window_from", "window_to"}.isdisjoint({one.field for one in entry.faults}) or not first or not last:
        return
    if last < first:
        entry.wrong("window_to", "plan_ends_before", start=first)
    elif last < known.today:
        entry.wrong("window_to", "task_past", found=last)
    elif known.line and not (known.line.window_from <= first and last <= known.line.window_to) and not has_reason:
        entry.wrong("window_to", "task_outside_plan", start=known.line.window_from, end=known.line.window_to)


def _check_line(entry: Entry, item: str, joint: str, line: Line | None) -> None:
    """A task from the plan is for the plan's item, and is joint where the plan says so (R14.1)."""
    if line is None:
        return
    if item and item != line.item_id:
        entry.wrong("item", "task_other_item")
    if joint != (line.joint or ""):
        entry.wrong("joint", "task_other_joint")


def _list_of(entry: Entry, joint: str, known: Known) -> str | None:
    """The lead's list of a task in which we take part (R13.1): it came for the plan's line."""
    if joint != "participant":
        return None
    if known.line is None or not known.lists:
        entry.wrong("joint_list", "task_no_list")
        return None
    return entry.choice("joint_list", known.lists) or None


# --- how many ---------------------------------------------------------------------------------------------------------


def read_number(
    values: Mapping[str, str], task: Task, frame: Frame, shares: Mapping[str, int], has_reason: bool
) -> tuple[Task, list[Fault]]:
    """How many are drawn of which stratum, and what that lacks; `shares` stand where nothing was typed.

    Below the proposal, or where flagged subjects get no higher share than the rest, a reason is needed (R6.4, R6.5); a
    campaign with its document is bound by none of it (R15a.3).
    """
    entry = Entry(values)
    mode = entry.choice("mode", MODES)
    most = WHOLE if mode == "ratio" else MOST
    kept = {name: _share(entry, name, shares[name], mode, most) for name in sorted(frame.sizes)}
    n = ratio_sum(frame.sizes, kept) if mode == "ratio" else entry.number("n", 1, MOST)
    if n is not None and mode and entry.is_good:
        if n > frame.candidates:
            entry.wrong("n", "task_too_many", n=frame.candidates)
        elif n == 0:
            entry.wrong("n", "task_nobody")
        elif not has_reason:
            for code in lacking(frame, n, kept):
                entry.wrong("reason", f"task_{code}", n=n, proposed=frame.proposal.n, floor=frame.proposal.floor)
    proposal = frame.proposal
    made = msgspec.structs.replace(
        task,
        mode=mode or "total",
        n=n or 0,
        shares=kept,
        proposed=proposal.n,
        floor=proposal.floor,
        population=proposal.population,
    )
    return made, entry.faults


def _share(entry: Entry, stratum: str, proposed: int, mode: str, most: int) -> int:
    least = 0 if mode == "ratio" else 1
    given = entry.number(f"share.{stratum}", least, most, required=False)
    return proposed if given is None else given


def ratio_sum(sizes: Mapping[str, int], shares: Mapping[str, int]) -> int:
    """How many a draw by ratio takes: each stratum rounds up, and takes no more than there are."""
    return sum(min(n, portion(n, shares[name])) for name, n in sizes.items())


def lacking(frame: Frame, n: int, shares: Mapping[str, int]) -> tuple[str, ...]:
    """What a number needs, as codes of `ratio.needs`; the shares say whether flagged ones are raised (R6.5)."""
    if frame.proposal.campaign is not None:
        return ()
    found = [code for code in needs(frame.proposal, n, frame.proposal.flagged) if code != "flagged_not_raised"]
    if any(not _is_raised(name, frame.sizes, shares) for name in frame.sizes if name.endswith("_FLAGGED")):
        found.append("flagged_not_raised")
    return tuple(found)


def _is_raised(flagged: str, sizes: Mapping[str, int], shares: Mapping[str, int]) -> bool:
    rest = flagged.removesuffix("_FLAGGED")
    return not sizes.get(rest) or not sizes[flagged] or shares[flagged] > shares[rest]
