"""What is wrong with one field of what somebody entered, said the same beside a form's field and in an import's row."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from server.domain.mask import hide_numbers, holds_number
from server.errors import Problem


class Fault(msgspec.Struct, frozen=True):
    """One fault: the words are `fault.<code>` (what is wrong) and `cure.<code>` (what to do), filled from `values`.

    `field` is the name of the column or form field. A `warning` is shown and doesn't stop anything. Faults are stored
    and sent, so a phone or ID number among the `values`, in whichever field somebody typed it, is masked.
    """

    field: str
    code: str
    values: dict[str, str | int] = {}
    warning: bool = False

    def __post_init__(self) -> None:
        if self.values:
            shown = {name: hide_numbers(one) if isinstance(one, str) else one for name, one in self.values.items()}
            msgspec.structs.force_setattr(self, "values", shown)


def number_faults(field: str, text: str) -> list[Fault]:
    """Whether a text that is kept in clear holds somebody's mobile or ID number, which belong into their own fields."""
    return [Fault(field, "number_in_text")] if holds_number(text) else []


def stops(faults: Sequence[Fault]) -> bool:
    """Whether any of them is more than a warning."""
    return any(not fault.warning for fault in faults)


class Invalid(Problem):
    """What was entered can't be taken: every fault at once, each with its field; nothing was changed.

    `article` is the one that asks for these fields.
    """

    def __init__(self, faults: Sequence[Fault], article: str | None = None) -> None:
        self.faults = tuple(faults)
        members: dict[str, object] = {"faults": msgspec.to_builtins(self.faults)}
        if article is not None:
            members["article"] = article
        super().__init__("invalid", members=members, n=sum(not fault.warning for fault in faults))
