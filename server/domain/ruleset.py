"""Ratios, days and caps as data: one rule set with a version, in force from a day (R31.1, R15a.1)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final, Literal

import msgspec

Risk = Literal["low", "medium", "high"]
Credit = Literal["A", "B", "C", "D"]

RISKS: Final[tuple[Risk, ...]] = ("low", "medium", "high")
CREDITS: Final[tuple[Credit, ...]] = ("A", "B", "C", "D")
WHOLE: Final = 10_000
"""Ratios are whole numbers of ten-thousandths: 500 is 5 %."""

RAISING: Final = ("complaints", "serious_violation")
"""The attention flags that must raise a subject's class (R6.5)."""


class Cell(msgspec.Struct, frozen=True):
    """One class of subjects: its ratio in ten-thousandths, and how often a year its subjects are to be drawn from."""

    risk: Risk
    credit: Credit
    flagged: bool
    ratio: int
    frequency: int


class RuleSet(msgspec.Struct, frozen=True):
    """Every number that the rules leave to the bureau.

    `floor` is article 6's share of an item's supervised population that the sum of all classes reaches; `frequency` its
    least draws a year; `cap` how often a subject is drawn in `cap_window` (R15a.2). Days are working days, but
    `transfer_days`, which are calendar days, and `transfer_hours`.
    """

    version: int
    in_force_from: str
    floor: int
    frequency: int
    cap: int
    cap_window: Literal["calendar_year", "rolling_12_months"]
    joint_tasks: int
    joint_red_quarter: int
    publication_days: int
    lights: tuple[int, int, int]
    recheck_days: int
    feedback_days: int
    transfer_days: int
    transfer_hours: int
    province_receipt: bool
    disclosure: Literal["sealed", "open"]
    officers_published: bool
    matrix: tuple[Cell, ...]

    def cell(self, risk: str, credit: str, flagged: bool) -> Cell:
        """The class of a subject; a grade that the matrix doesn't know is a KeyError."""
        for cell in self.matrix:
            if (cell.risk, cell.credit, cell.flagged) == (risk, credit, flagged):
                return cell
        raise KeyError((risk, credit, flagged))

    def share(self, risk: str, credit: str, flagged: bool) -> int:
        """The ratio of a class in ten-thousandths."""
        return self.cell(risk, credit, flagged).ratio

    def times(self, risk: str, credit: str, flagged: bool) -> int:
        """How often a year a class is to be drawn from."""
        return self.cell(risk, credit, flagged).frequency


def is_flagged(kinds: Collection[str]) -> bool:
    """Whether these kinds of attention flags put a subject into the flagged half of the matrix (R6.5)."""
    return not frozenset(RAISING).isdisjoint(kinds)


def percent(ratio: int) -> str:
    """A ratio as people write it, without the sign: 500 is "5", 1250 is "12.5"."""
    whole, rest = divmod(ratio, 100)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".")


def classes() -> Iterator[tuple[Risk, Credit, bool]]:
    """Every class that a matrix has, in its order."""
    for flagged in (False, True):
        for risk in RISKS:
            for credit in CREDITS:
                yield risk, credit, flagged


_PLAIN: Final = (300, 300, 500, 1000, 500, 500, 1000, 1000, 1000, 1000, 1000, 1000)
_FLAGGED: Final = (500, 500, 1000, 2000, 1000, 1000, 2000, 2000, 2000, 2000, 2000, 2000)


def _first_matrix() -> tuple[Cell, ...]:
    return tuple(
        Cell(risk, credit, flagged, ratio, 2 if flagged else 1)
        for (risk, credit, flagged), ratio in zip(classes(), _PLAIN + _FLAGGED, strict=True)
    )


FIRST: Final = RuleSet(
    version=1,
    in_force_from="2004-01-01",
    floor=500,
    frequency=1,
    cap=2,
    cap_window="calendar_year",
    joint_tasks=1,
    joint_red_quarter=4,
    publication_days=20,
    lights=(10, 5, 1),
    recheck_days=20,
    feedback_days=15,
    transfer_days=3,
    transfer_hours=24,
    province_receipt=False,
    disclosure="sealed",
    officers_published=True,
    matrix=_first_matrix(),
)
"""What a new house begins with: the numbers of the bureau's own detailed rules, and a matrix to be adjusted."""
