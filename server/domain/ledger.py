"""The completeness ledger: under which digest a drawn subject stands, and where its line stands (trust page, section 2).

A line is opened by its salt: SHA-256 of "secret|ledger|code". Its digest is SHA-256 of "salt|code". Both are texts that
anybody can hash with `sha256sum`; without the secret, 32 random bytes in hexadecimal digits, the digest says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final

import rfc8785

WAY: Final = ("drawn", "dispatched", "synced", "final", "reviewed", "published")
"""How a line goes on; back only where a record was reopened (R23.3)."""

KEPT_BACK: Final = "withheld"
"""Not published, on a legal ground and by the principal's word (R26.3); it may be lifted."""

EXCEPTIONS: Final = ("draw_void", "excused", "cancelled", "left_out", "withdrawn", "visit_void")
"""Where a line ends without a result: each is an act that the log has."""

STATES: Final = (*WAY, KEPT_BACK, *EXCEPTIONS)


def salt_of(secret: str, code: str) -> str:
    """What opens the line of a subject, and no other line."""
    return _hash(f"{secret}|ledger|{code}")


def digest_of(salt: str, code: str) -> str:
    """What stands in the ledger while the subject is sealed."""
    return _hash(f"{salt}|{code}")


def batch_digest(lines: Iterable[Sequence[int | str]]) -> str:
    """What the log keeps of lines that were entered together: each as place, number within its task, digest."""
    return sha256(rfc8785.dumps([list(line) for line in lines])).hexdigest()


def _hash(text: str) -> str:
    return sha256(text.encode()).hexdigest()
