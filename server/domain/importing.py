"""When a batch may be applied: nothing is overwritten, no faulty row left out, unless somebody says so (R7.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

Changed = Literal["take", "leave", ""]


class Choices(msgspec.Struct, frozen=True):
    """What the clerk said: leave the faulty rows out; take the changes, or leave what is there as it is."""

    skip_faulty: bool = False
    changed: Changed = ""


def hindrance(kinds: Mapping[str, int], choices: Choices) -> str | None:
    """The code of what stands against applying rows of these kinds, or None."""
    faulty = kinds.get("faulty", 0) + kinds.get("duplicate", 0)
    changed = kinds.get("changed", 0)
    if faulty and not choices.skip_faulty:
        return "import_faults_left"
    if changed and not choices.changed:
        return "import_changes_unsaid"
    if not kinds.get("new", 0) and not (changed and choices.changed == "take"):
        return "import_nothing"
    return None
