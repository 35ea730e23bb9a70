"""One visit: who is in it, which phase it is in, and what is noted beside an operation."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Final

import msgspec

from server.domain.instant import beijing_day

PHASES: Final = ("dispatched", "started", "interrupted", "final_pending", "final", "void")
#: What intake may note beside an op that it takes.
FLAGS: Final = ("clock_ahead", "licence_expiring")
CLOCK_SLACK_MS: Final = 5 * 60 * 1000


class Crew(msgspec.Struct, frozen=True):
    """The members, sorted, the leader among them, and the round: as the server's own operations say."""

    members: list[str]
    leader: str | None
    round: int

    def stands(self, recused: Collection[str]) -> bool:
        """R18.2, R20.3: a leader, and two members at least who have declared no interest of theirs."""
        return self.leader is not None and sum(member not in recused for member in self.members) >= 2


def phase_of(*, is_started: bool, stands: bool, is_proposed: bool, is_final: bool, is_void: bool) -> str:
    """The phase: of those that hold, the last in the order of `PHASES`."""
    if is_void:
        return "void"
    if is_final:
        return "final"
    if is_proposed:
        return "final_pending"
    if not is_started:
        return "dispatched"
    return "started" if stands else "interrupted"


def flag_of(at: str, received_at: datetime, licence_until: str | None, window: tuple[str, str]) -> str | None:
    """What is noted beside an op that is taken: a phone's clock more than five minutes ahead of its receipt, or a
    certificate whose last day lies within the window of the visit (before it, the op is set aside: R19.1)."""
    if _ms(datetime.fromisoformat(at)) - _ms(received_at) > CLOCK_SLACK_MS:
        return "clock_ahead"
    return "licence_expiring" if licence_until and window[0] <= licence_until <= window[1] else None


def ended_on(claimed: datetime, received: datetime, dispatched: datetime) -> date:
    """The Beijing day on which a visit ended (R26.1): that of the phone's clock when the leader proposed final, if it
    lies between dispatch and receipt, else that of the receipt."""
    return beijing_day(claimed if dispatched <= claimed <= received else received)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
