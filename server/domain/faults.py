"""What is wrong with one field of what somebody entered, said the same beside a form's field and in an import's row."""

from __future__ import annotations

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """One fault: the words are `fault.<code>` (what is wrong) and `cure.<code>` (what to do), filled from `values`.

    `field` is the name of the column or form field. A `warning` is shown and doesn't stop anything.
    """

    field: str
    code: str
    values: dict[str, str | int] = {}
    warning: bool = False


def stops(faults: list[Fault]) -> bool:
    """Whether any of them is more than a warning."""
    return any(not fault.warning for fault in faults)
