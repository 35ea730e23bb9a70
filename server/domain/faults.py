"""What is wrong with one field of what somebody entered, said the same beside a form's field and in an import's row."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from server.errors import Problem


class Fault(msgspec.Struct, frozen=True):
    """One fault: the words are `fault.<code>` (what is wrong) and `cure.<code>` (what to do), filled from `values`.

    `field` is the name of the column or form field. A `warning` is shown and doesn't stop anything.
    """

    field: str
    code: str
    values: dict[str, str | int] = {}
    warning: bool = False


def stops(faults: Sequence[Fault]) -> bool:
    """Whether any of them is more than a warning."""
    return any(not fault.warning for fault in faults)


class Invalid(Problem):
    """What was entered can't be taken: every fault at once, each with its field; nothing was changed."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("invalid", members={"faults": msgspec.to_builtins(self.faults)}, n=len(self.faults))
