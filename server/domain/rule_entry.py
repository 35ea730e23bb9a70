"""A new rule set as it is entered: checked, compared with another, and held against the printed rules (R31.1)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final

import msgspec

from server.domain.codes import normal_code
from server.domain.entry import Entry
from server.domain.faults import Fault
from server.domain.ruleset import CREDITS, RISKS, WHOLE, Cell, RuleSet, classes, percent
from server.errors import Problem

ARTICLE: Final = "31"

NUMBERS: Final[Mapping[str, tuple[int, int]]] = {
    "frequency": (0, 12),
    "cap": (1, 12),
    "joint_tasks": (0, 12),
    "joint_red_quarter": (1, 4),
    "publication_days": (1, 60),
    "light_soon": (1, 60),
    "light_near": (1, 60),
    "light_now": (0, 60),
    "recheck_days": (1, 60),
    "feedback_days": (1, 60),
    "transfer_days": (1, 30),
    "transfer_hours": (1, 240),
}
"""Field -> the least and the most that can be entered."""

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "cap_window": ("calendar_year", "rolling_12_months"),
    "disclosure": ("sealed", "open"),
}
SWITCHES: Final = ("province_receipt", "officers_published")
REASON_MOST: Final = 500

_LIGHTS: Final = ("light_soon", "light_near", "light_now")
_PERCENT: Final = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))?%?", re.ASCII)
_PRINTED: Final[Mapping[str, tuple[int, bool, str]]] = {
    "floor": (500, True, "6"),
    "frequency": (1, True, "6"),
    "cap": (2, False, "15-1"),
    "joint_tasks": (1, True, "13"),
    "publication_days": (20, False, "26"),
    "recheck_days": (20, False, "26"),
    "feedback_days": (15, False, "26"),
}
"""Field -> what the printed rules say, whether as the least, and the article."""


class Difference(msgspec.Struct, frozen=True):
    """One number that two rule sets have differently, as it stands in the form."""

    field: str
    before: str
    after: str


class Laxer(msgspec.Struct, frozen=True):
    """A number that asks for less than the printed rules do, with theirs and the article."""

    field: str
    value: int
    printed: int
    article: str


def cell_field(what: str, cell: tuple[str, str, bool]) -> str:
    """The name of a cell's field: `ratio_high_D_flagged`, `times_low_A_plain`."""
    risk, credit, flagged = cell
    return f"{what}_{risk}_{credit}_{'flagged' if flagged else 'plain'}"


def fields_of(rules: RuleSet) -> dict[str, str]:
    """Every number of a rule set under the name of its field, as the form shows it; the order is that of the form."""
    body: dict[str, Any] = msgspec.to_builtins(rules)
    lights = dict(zip(_LIGHTS, rules.lights, strict=True))
    fields = {"floor": percent(rules.floor)}
    fields |= {name: str(lights.get(name, body.get(name))) for name in NUMBERS}
    fields |= {name: body[name] for name in CHOICES}
    fields |= {name: "yes" if body[name] else "" for name in SWITCHES}
    for cell in rules.matrix:
        key = cell.risk, cell.credit, cell.flagged
        fields[cell_field("ratio", key)] = percent(cell.ratio)
        fields[cell_field("times", key)] = str(cell.frequency)
    return fields


def differences(before: RuleSet, after: RuleSet) -> list[Difference]:
    """What two rule sets have differently, in the order of the form; versions and days are their own matter."""
    old, new = fields_of(before), fields_of(after)
    return [Difference(name, old.get(name, ""), value) for name, value in new.items() if old.get(name) != value]


def laxer_than_printed(rules: RuleSet) -> list[Laxer]:
    """Where a rule set asks for less than the printed rules: allowed as data, and shown to whoever decides."""
    found = []
    for name, (printed, is_least, article) in _PRINTED.items():
        value = getattr(rules, name)
        if value < printed if is_least else value > printed:
            found.append(Laxer(name, value, printed, article))
    return found


def check_rules(values: Mapping[str, str], version: int, today: date) -> tuple[RuleSet | None, str, list[Fault]]:
    """What was entered as a new version with its reason, or every fault at once; it begins after today."""
    entry = Entry(values)
    begins = entry.day("in_force_from")
    if begins is not None and entry.is_good and begins <= today.isoformat():
        entry.wrong("in_force_from", "not_ahead", day=begins)
    reason = entry.text("reason", most=REASON_MOST)
    numbers = {"floor": _percent(entry, "floor")}
    numbers |= {name: entry.number(name, *limits) for name, limits in NUMBERS.items()}
    choices = {name: entry.choice(name, allowed) for name, allowed in CHOICES.items()}
    switches = {name: values.get(name, "") == "yes" for name in SWITCHES}
    _check_lights(entry, numbers)
    matrix = _matrix(entry)
    if not entry.is_good:
        return None, reason, entry.faults
    lights = [numbers.pop(name) for name in _LIGHTS]
    body = {"version": version, "in_force_from": begins, "lights": lights, "matrix": matrix}
    return msgspec.convert(body | numbers | choices | switches, RuleSet), reason, entry.faults


def must_be_ahead(rules: RuleSet, today: date) -> None:
    """A version begins after the day on which it is approved: nothing is judged by rules that came later."""
    if rules.in_force_from <= today.isoformat():
        raise Problem("rules_late", day=rules.in_force_from)


def _percent(entry: Entry, field: str) -> int | None:
    """A share with at most two places, as ten-thousandths."""
    text = normal_code(entry.line(field))
    if not text:
        return None
    found = _PERCENT.fullmatch(text)
    ratio = None if found is None else int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))
    if ratio is None or ratio > WHOLE:
        entry.wrong(field, "not_a_percent", found=text[:20])
        return None
    return ratio


def _check_lights(entry: Entry, numbers: Mapping[str, int | None]) -> None:
    soon, near, now = (numbers[name] for name in _LIGHTS)
    if soon is not None and near is not None and now is not None and not soon > near > now:
        entry.wrong("light_soon", "lights_order", soon=soon, near=near, now=now)


def _matrix(entry: Entry) -> list[dict[str, Any]]:
    """Every class; a riskier, a less trusted or a flagged one never gets less than its neighbour (R15a.1, R6.5)."""
    cells: dict[tuple[str, str, bool], Cell] = {}
    for key in classes():
        ratio, times = _percent(entry, cell_field("ratio", key)), entry.number(cell_field("times", key), 0, 12)
        if ratio is not None and times is not None:
            cells[key] = Cell(*key, ratio, times)
    for at, cell in cells.items():
        for lower in filter(None, map(cells.get, _lower(at))):
            _check_step(entry, lower, cell)
    return [msgspec.to_builtins(cell) for cell in cells.values()]


def _lower(key: tuple[str, str, bool]) -> Iterator[tuple[str, str, bool]]:
    """The classes just below one: less risky, more trusted, without a flag."""
    risk, credit, flagged = key
    at, trusted = RISKS.index(risk), CREDITS.index(credit)
    if at:
        yield RISKS[at - 1], credit, flagged
    if trusted:
        yield risk, CREDITS[trusted - 1], flagged
    if flagged:
        yield risk, credit, False


def _check_step(entry: Entry, lower: Cell, cell: Cell) -> None:
    key = cell.risk, cell.credit, cell.flagged
    if cell.flagged and not lower.flagged:
        if cell.ratio <= lower.ratio < WHOLE:
            entry.wrong(cell_field("ratio", key), "not_raised", found=percent(cell.ratio), plain=percent(lower.ratio))
    elif cell.ratio < lower.ratio:
        entry.wrong(cell_field("ratio", key), "matrix_order", found=percent(cell.ratio), least=percent(lower.ratio))
    if cell.frequency < lower.frequency:
        entry.wrong(cell_field("times", key), "matrix_order_times", found=cell.frequency, least=lower.frequency)
