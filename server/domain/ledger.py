"""The completeness ledger: under which digest a drawn subject stands, and how far it came (trust page, section 2).

A line is opened by its salt: SHA-256 of "secret|ledger|source|code", where the source is the draw with its attempt,
"2026-17/1", or the joint task, "J-2026-007". Its digest is SHA-256 of "salt|code". Both are texts that anybody can hash
with `sha256sum`; without the secret, 32 random bytes in hexadecimal digits, the digest says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

import msgspec
import rfc8785

WAY: Final = ("drawn", "dispatched", "synced", "final", "reviewed", "published")
"""How a line goes on; back only where a record was reopened (R23.3)."""

KEPT_BACK: Final = "withheld"
"""Not published, on a legal ground and by the principal's word (R26.3); it may be lifted."""

EXCEPTIONS: Final = ("draw_void", "excused", "cancelled", "left_out", "withdrawn", "visit_void")
"""Where a line ends without a result: each is an act that the log has."""

STATES: Final = (*WAY, KEPT_BACK, *EXCEPTIONS)


class Facts(msgspec.Struct, frozen=True):
    """What the database has of a line: `selection` and `visit` are states, None where there is none yet."""

    draw_void: bool = False
    excused: bool = False
    cancelled: bool = False
    selection: str | None = None
    visit: str | None = None
    synced: bool = False
    approved: bool = False
    withheld: bool = False
    published: bool = False


def state_of(line: Facts) -> str:
    """Where a line stands: what ended it before the result first, then the result, then how far its visit came."""
    ended = (
        ("draw_void", line.draw_void),
        ("excused", line.excused or line.selection == "excused"),
        ("published", line.published),
        ("left_out", line.selection == "left_out"),
        ("withdrawn", line.selection == "withdrawn"),
        ("cancelled", line.cancelled),
        ("visit_void", line.visit == "void"),
        ("withheld", line.withheld),
        ("reviewed", line.visit == "final" and line.approved),
        ("final", line.visit == "final"),
        ("synced", line.synced),
        ("dispatched", line.visit is not None),
    )
    return next((state for state, holds in ended if holds), "drawn")


def salt_of(secret: str, source: str, code: str) -> str:
    """What opens the line of a subject, and no other line."""
    return _hash(f"{secret}|ledger|{source}|{code}")


def digest_of(salt: str, code: str) -> str:
    """What stands in the ledger while the subject is sealed."""
    return _hash(f"{salt}|{code}")


def batch_digest(lines: Iterable[Sequence[int | str]]) -> str:
    """What the log keeps of lines that were entered together: each as place, number within its task, digest."""
    return sha256(rfc8785.dumps([list(line) for line in lines])).hexdigest()


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
