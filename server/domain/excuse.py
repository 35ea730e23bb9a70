"""A drawn subject that turned out dead: asked with the document of its status, confirmed by somebody else (16)."""

from __future__ import annotations

from typing import Literal

import msgspec

DEAD = ("cancelled", "suspended")
"""The statuses of a subject that takes part in no draw."""

SAID = {"cancelled": "已注销", "suspended": "已停业"}
"""How the published file says them."""


class StatusDocument(msgspec.Struct, frozen=True):
    """By which document a subject has its status since a day; of an import, what its clerk said it comes from."""

    status: str
    document: str
    on: str

    @property
    def said(self) -> str:
        """The document with its day, as lists and files show it."""
        return f"{self.document}，{self.on}"


class Excuse(msgspec.Struct, frozen=True):
    """A request to excuse a drawn subject, and what the head said; `document` is that of its status then."""

    id: str
    draw_id: str
    code: str
    document: str
    reason: str
    state: Literal["asked", "approved", "refused"]
    asked_by: str
    asked_at: str
    answer: str | None = None
    decided_by: str | None = None
    decided_at: str | None = None


def published_reason(status: str, one: Excuse, asked: str, decided: str) -> str:
    """What the file and the public page say: what befell the subject, by which document, who asked, who confirmed."""
    return f"{SAID.get(status, status)}（{one.document}）：{one.reason}（{asked}申请，{decided}确认）"
