"""What the public reads of a dispatched task (R17.1): a closed set of fields without any subject or person."""

from __future__ import annotations

import msgspec


class Notice(msgspec.Struct, frozen=True):
    """A notice as it was published: kept as canonical JSON under its digest, and never changed."""

    no: str
    name: str
    items: tuple[str, ...]
    list_version: int
    unit: str
    window_from: str
    window_to: str
    n: int
    draw: str
    joint: str | None
    partner: str | None
    origin: str
    methods: tuple[str, ...]
    form: str | None
    disclosure: str
    published_at: str
    version: int = 1
    extended_for: str | None = None
    """Why the window is longer than in the version before."""
