"""Rule sets: the legal unit proposes a version, the principal decides; none is ever edited (R31.1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from server.domain.faults import Invalid
from server.domain.instant import beijing_day, stamp
from server.domain.rule_entry import ARTICLE, Difference, check_rules, differences, must_be_ahead
from server.domain.ruleset import RuleSet
from server.errors import Problem
from server.office.act import act, digest_of, permit
from server.store import rules, trail
from server.store.people import Person
from server.store.rules import Decision, Version
from server.store.session import Connection


@act("rules.propose", "rules.change")
def propose_rules(conn: Connection, person: Person, now: datetime, values: Mapping[str, str]) -> int:
    """Proposes a new version, to begin on a day that is still to come; gives its number."""
    permit(person, "rules.change", None)
    today = beijing_day(now)
    proposed, reason, faults = check_rules(values, rules.next_version(conn), today)
    if proposed is None:
        raise Invalid(faults, ARTICLE)
    before = rules.rule_set_on(conn, today)
    rules.add_version(conn, proposed, reason, person.id, now)
    detail = _detail(proposed, reason) | {"changes": msgspec.to_builtins(differences(before, proposed))}
    _note(conn, "rules.propose", person, proposed, digest_of(before), detail, now)
    return proposed.version


@act("rules.approve", "rules.approve")
def approve_rules(conn: Connection, person: Person, now: datetime, number: int) -> None:
    """Approves a proposed version; it is in force from its day."""
    permit(person, "rules.approve", None)
    waiting = _undecided(conn, number)
    if waiting.entered_by == person.id:
        raise Problem("own_entry")
    must_be_ahead(waiting.rules, beijing_day(now))
    _decide(conn, "rules.approve", person, now, waiting, Decision("approved", person.id, stamp(now), ""))


@act("rules.reject", "rules.approve")
def reject_rules(conn: Connection, person: Person, now: datetime, number: int, reason: str) -> None:
    """Refuses a proposed version with a reason; a better one is a version of its own."""
    permit(person, "rules.approve", None)
    waiting, why = _undecided(conn, number), _reason(reason)
    _decide(conn, "rules.reject", person, now, waiting, Decision("rejected", person.id, stamp(now), why))


@act("rules.withdraw", "rules.change")
def withdraw_rules(conn: Connection, person: Person, now: datetime, number: int, reason: str) -> None:
    """Takes back a version that nobody has decided on yet."""
    permit(person, "rules.change", None)
    waiting, why = _undecided(conn, number), _reason(reason)
    _decide(conn, "rules.withdraw", person, now, waiting, Decision("withdrawn", person.id, stamp(now), why))


def state_of(version: Version, in_force: int, today: date) -> str:
    """What a version is today: waiting, approved for a day to come, in force, or no more (or never) in force."""
    if version.decision is None:
        return "late" if version.rules.in_force_from <= today.isoformat() else "waiting"
    if not version.is_approved:
        return version.decision.state
    if version.rules.version == in_force:
        return "in_force"
    return "coming" if version.rules.in_force_from > today.isoformat() else "past"


def compare(conn: Connection, number: int, other: int) -> list[Difference]:
    """What two versions have differently; a number that no version has is `not_found`."""
    found = [rules.version(conn, one) for one in (other, number)]
    if found[0] is None or found[1] is None:
        raise Problem("not_found")
    return differences(found[0].rules, found[1].rules)


def _undecided(conn: Connection, number: int) -> Version:
    rules.hold(conn, number)
    version = rules.version(conn, number)
    if version is None:
        raise Problem("not_found")
    if version.decision is not None:
        raise Problem("rules_decided", n=number)
    return version


def _decide(conn: Connection, name: str, person: Person, now: datetime, version: Version, decision: Decision) -> None:
    rules.decide(conn, version.rules.version, decision)
    _note(conn, name, person, version.rules, digest_of(version.rules), _detail(version.rules, decision.reason), now)


def _detail(about: RuleSet, reason: str) -> dict[str, object]:
    return {"version": about.version, "in_force_from": about.in_force_from, "reason": reason}


def _note(
    conn: Connection, name: str, person: Person, about: RuleSet, before: str, detail: dict[str, object], now: datetime
) -> None:
    """One entry in the trail; a decision changes nothing of the version, so its digest is the same before and after."""
    entry = trail.Act(name, person.id, f"rules:{about.version}", before, digest_of(about), detail)
    trail.append(conn, [entry], now)


def _reason(text: str) -> str:
    if not text.strip():
        raise Problem("reason_missing")
    return text.strip()[:500]
