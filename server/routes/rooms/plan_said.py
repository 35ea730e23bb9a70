"""How the annual plan is said: months, shares, windows, what changed, and the columns of its file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

from server.domain.plan import Change
from server.store.plans import Kept
from server.words import Words


def percent(share: int) -> str:
    """A ratio per 10,000 as people read it, cut to two places: 518 is 5.18%."""
    whole, rest = divmod(share, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + "%"


class Said:
    """The plan's values in one language."""

    def __init__(self, w: Words) -> None:
        self.w = w

    def percent(self, share: int) -> str:
        """A ratio per 10,000."""
        return percent(share)

    def ratio(self, n: int, of: int) -> str:
        """A number in a population as a percentage, or nothing where there is nobody."""
        return percent(n * 10_000 // of) if of else ""

    def window(self, first: str, last: str) -> str:
        """From one day to another."""
        return self.w("plan.window", first=self.w.day(first), last=self.w.day(last))

    def months(self, months: Sequence[int]) -> str:
        """How many in which month: months of one number that follow each other are said at once."""
        runs = [(n, [month for month, _ in run]) for n, run in groupby(enumerate(months, 1), lambda one: one[1]) if n]
        return self.w("list.comma").join(
            self.w("plan.month", month=run[0], n=n)
            if len(run) == 1
            else self.w("plan.month_run", first=run[0], last=run[-1], n=n)
            for n, run in runs
        )

    def field(self, name: str) -> str:
        """The label of a line's field."""
        return self.w(f"field.plan_line.{name}")

    def value(self, name: str, value: Any) -> str | None:
        """A line's value as it is read in a difference."""
        if value is None or value == "":
            return None
        if name in ("window_from", "window_to"):
            return self.w.day(value)
        if name == "months":
            return self.months(value)
        if name in ("unified_share", "own_share"):
            return f"{value}%"
        return self.w(f"plan.joint.{value}") if name == "joint" else str(value)

    def rows(self, change: Change) -> list[tuple[str, str | None, str | None]]:
        """A change of a line, field by field."""
        return [
            (self.field(name), self.value(name, before), self.value(name, after))
            for name, before, after in change.fields
        ]


COLUMNS: Final = (
    "unit",
    "item",
    "scope",
    "window_from",
    "window_to",
    "count",
    "share",
    "unified_share",
    "own_share",
    "joint",
    "partner",
    "months",
    "campaign",
    "reason",
    "signed",
)


def csv_rows(w: Words, lines: Sequence[Kept]) -> Iterator[list[str]]:
    """The head, then a row a line."""
    said = Said(w)
    yield [w(f"field.plan_line.{name}") for name in COLUMNS]
    for one in lines:
        line = one.line
        values: dict[str, object] = {
            "unit": one.unit,
            "item": one.item,
            "share": percent(line.count * 10_000 // one.population) if one.population else "",
            "joint": w(f"plan.joint.{line.joint}") if line.joint else "",
            "signed": w("plan.signed") if one.signed_by else w("plan.unsigned"),
            "months": said.months(line.months),
        }
        yield [str(values.get(name, getattr(line, name, "")) or "") for name in COLUMNS]
