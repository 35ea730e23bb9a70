"""Rule sets in versions: which is in force on a day, and what was proposed and decided (R31.1)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final, Literal

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.instant import stamp
from server.domain.ruleset import FIRST, RuleSet
from server.store.tables import counter, rule_set, rule_set_decision

HOUSE: Final = "suijian"
"""Who entered what a new house begins with."""

FIRST_REASON: Final = "《“双随机一公开”监管抽查工作细则》各条；风险信用矩阵为初始值，请按本局实际调整"
SEEDED_AT: Final = "2026-11-25T00:00:00.000Z"

_COUNTER: Final = "rule_set"


class Decision(msgspec.Struct, frozen=True):
    """What became of a proposed version: decided once."""

    state: Literal["approved", "rejected", "withdrawn"]
    by: str
    at: str
    reason: str


class Version(msgspec.Struct, frozen=True):
    """A rule set with who entered it and why, and the decision on it; None while it waits."""

    rules: RuleSet
    reason: str
    entered_by: str
    entered_at: str
    decision: Decision | None

    @property
    def is_approved(self) -> bool:
        """Whether it is, was or will be in force."""
        return self.decision is not None and self.decision.state == "approved"


_VERSIONS = sa.select(
    rule_set.c.body,
    rule_set.c.reason,
    rule_set.c.entered_by,
    rule_set.c.entered_at,
    rule_set_decision.c.state,
    rule_set_decision.c.by,
    rule_set_decision.c.at,
    rule_set_decision.c.reason.label("why"),
).select_from(rule_set.outerjoin(rule_set_decision))


def rule_set_on(conn: Connection, day: date) -> RuleSet:
    """The approved version that is in force on a day: of those that began, the last to begin, else the newest."""
    found = conn.scalar(
        sa.select(rule_set.c.body)
        .join(rule_set_decision)
        .where(rule_set_decision.c.state == "approved", rule_set.c.in_force_from <= day.isoformat())
        .order_by(rule_set.c.in_force_from.desc(), rule_set.c.version.desc())
        .limit(1)
    )
    if found is None:
        raise LookupError(f"No rule set is in force on {day}.")
    return msgspec.convert(found, RuleSet)


def versions(conn: Connection) -> list[Version]:
    """Every version, the newest first."""
    return [_version(row) for row in conn.execute(_VERSIONS.order_by(rule_set.c.version.desc()))]


def version(conn: Connection, number: int) -> Version | None:
    """One version by its number."""
    row = conn.execute(_VERSIONS.where(rule_set.c.version == number)).one_or_none()
    return None if row is None else _version(row)


def hold(conn: Connection, number: int) -> None:
    """Lets nobody else decide on this version until the transaction ends; on SQLite there is one writer anyway."""
    conn.execute(sa.select(rule_set.c.version).where(rule_set.c.version == number).with_for_update())


def next_version(conn: Connection) -> int:
    """The number of the next version, under its counter: two drafts at once wait for each other."""
    return int(
        conn.execute(
            sa.update(counter)
            .where(counter.c.name == _COUNTER)
            .values(value=counter.c.value + 1)
            .returning(counter.c.value)
        ).scalar_one()
    )


def add_version(conn: Connection, rules: RuleSet, reason: str, by: str, now: datetime) -> None:
    """Adds a proposed version."""
    _add(conn, rules, reason, by, stamp(now))


def decide(conn: Connection, number: int, decision: Decision) -> None:
    """Writes the decision on a version; a second one is an IntegrityError."""
    conn.execute(sa.insert(rule_set_decision).values(version=number, **msgspec.to_builtins(decision)))


def seed(conn: Connection) -> None:
    """Gives a house without rule sets its first one."""
    if conn.scalar(sa.select(sa.exists(sa.select(rule_set.c.version)))):
        return
    conn.execute(sa.insert(counter).values(name=_COUNTER, value=FIRST.version))
    _add(conn, FIRST, FIRST_REASON, HOUSE, SEEDED_AT)
    decide(conn, FIRST.version, Decision("approved", HOUSE, SEEDED_AT, FIRST_REASON))


def _add(conn: Connection, rules: RuleSet, reason: str, by: str, at: str) -> None:
    conn.execute(
        sa.insert(rule_set).values(
            version=rules.version,
            in_force_from=rules.in_force_from,
            body=msgspec.to_builtins(rules),
            reason=reason,
            entered_by=by,
            entered_at=at,
        )
    )


def _version(row: Any) -> Version:
    decision = None if row.state is None else Decision(row.state, row.by, row.at, row.why)
    return Version(msgspec.convert(row.body, RuleSet), row.reason, row.entered_by, row.entered_at, decision)
