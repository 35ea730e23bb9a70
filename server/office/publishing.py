"""Publication: a result goes public version by version, is kept back on a legal ground, or is corrected (26).

Only the inspecting unit's clerk publishes, never one of the crew. A result stands for one task of a visit (R24.6).
What was published never changes: a correction is the next version, and needs the principal's signature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any

import msgspec
import rfc8785

from server.domain import publication as rules
from server.domain.access import allows
from server.domain.entry import Entry
from server.domain.faults import Invalid, number_faults
from server.domain.instant import beijing_day, stamp
from server.domain.publication import PublicResult
from server.domain.text import same_name
from server.errors import Problem
from server.office import publication_facts
from server.office.act import act, digest_of, named, permit
from server.office.publication_facts import Result
from server.office.reasons import said_reason
from server.store import deadlines, province, publications, trail
from server.store.deadlines import PUBLICATION_TARGET
from server.store.people import Person
from server.store.publications import Correction, Published, Version, Withholding
from server.store.rules import rule_set_on
from server.store.session import Connection

ARTICLE = "26"


def id_of(visit_id: str, task_id: str) -> str:
    """How addresses name the result of a visit for one task: a visit's id has no full stop."""
    return f"{visit_id}.{task_id}"


def parts_of(result_id: str) -> tuple[str, str]:
    """Visit and task of such a name."""
    visit_id, _, task_id = result_id.partition(".")
    return visit_id, task_id


@act("result.publish", "results.publish")
def publish(conn: Connection, person: Person, now: datetime, visit_id: str, task_id: str, seen: str = "") -> str:
    """Publishes the result of a visit for one task; its number.

    `seen` is the digest of the record that the preview was made of: another record isn't published in its place.
    """
    found = publication_facts.result_for(conn, person, visit_id, task_id)
    hindrances = publication_facts.hindrances_of(conn, person, found)
    if hindrances:
        raise Problem(hindrances[0], members={"hindrances": hindrances})
    if seen and seen != found.view["digest"]:
        raise Problem("record_moved")
    today = beijing_day(now)
    place, no = publications.next_no(conn, today.year)
    result = publication_facts.public_of(conn, found, no, today, rule_set_on(conn, today).officers_published)
    head = _head(found, result, place, now)
    publications.add(conn, head, _version(head.id, result, found.round, None, person, now))
    settle(conn, visit_id, today)
    detail = {"no": no, "version": 1, "main": result.main, "task": result.task_no, "sha256": _sha256(result)}
    _note(conn, person, now, "result.publish", f"publication:{head.id}", None, result, detail)
    return no


def _head(found: Result, result: PublicResult, place: int, now: datetime) -> Published:
    return Published(
        id=named("publication", found.visit_id, found.task.id), place=place, no=result.no,
        visit_id=found.visit_id, task_id=found.task.id, unit_id=found.unit_id,
        subject_id=found.subject_id, subject_name=result.subject,
        name_key=same_name(result.subject), uscc=result.uscc, main=result.main,
        visited_on=result.visited_on, published_on=result.published_on, changed_at=stamp(now), corrected_on=None,
        version=1,
    )  # fmt: skip


def _version(
    id: str, result: PublicResult, round_: int, correction: str | None, person: Person, now: datetime
) -> Version:
    return Version(id, result.version, bytes_of(result), _sha256(result), round_, correction, person.id, stamp(now))


def bytes_of(result: PublicResult) -> bytes:
    """The canonical JSON that is published and hashed."""
    return rfc8785.dumps(msgspec.to_builtins(result))


def _sha256(result: PublicResult) -> str:
    return sha256(bytes_of(result)).hexdigest()


def settle(conn: Connection, visit_id: str, today: date) -> None:
    """The visit's target is met once each of its tasks is published or lawfully kept back.

    Where the rule set asks for the province's receipt, a published one counts only with it (R26.1); what was met stays.
    """
    object_ = f"visit:{visit_id}"
    there = publications.published_of_visits(conn, [visit_id])
    held = publications.withholdings_of_visits(conn, [visit_id])
    pairs = [(visit_id, task.id) for task in publications.tasks_of_visits(conn, [visit_id])[visit_id]]
    open_ = [pair for pair in pairs if pair not in there and all(one.state != "approved" for one in held.get(pair, ()))]
    if not open_ and rule_set_on(conn, today).province_receipt:
        open_ = _without_receipt(conn, there)
    known = deadlines.deadlines_of(conn, [object_], PUBLICATION_TARGET).get(object_)
    if open_ or known is None or known.settled_on is None:
        deadlines.settle(conn, object_, PUBLICATION_TARGET, None if open_ else today)


def _without_receipt(conn: Connection, there: Mapping[tuple[str, str], Published]) -> list[tuple[str, str]]:
    states = province.states_of(conn, "result", [one.id for one in there.values()])
    return [pair for pair, one in there.items() if one.id not in states or states[one.id].number is None]


# --- kept from the public ---------------------------------------------------------------------------------------------


@act("withholding.ask", "withholdings.ask")
def ask_withholding(
    conn: Connection, person: Person, now: datetime, visit_id: str, task_id: str, values: Mapping[str, str]
) -> str:
    """Asks the principal not to publish a result: legal ground, law and article, reason, day of review (R26.3)."""
    found = publication_facts.result_for(conn, person, visit_id, task_id)
    permit(person, "withholdings.ask", found.unit_id)
    if found.published is not None:
        raise Problem("already_published")
    entry = Entry(values)
    ground = entry.choice("ground", rules.GROUNDS)
    basis, reason, review = entry.line("basis"), entry.text("reason", most=1000), entry.day("review_on")
    entry.faults += number_faults("basis", basis) + number_faults("reason", reason)
    if review is not None and review <= beijing_day(now).isoformat():
        entry.wrong("review_on", "day_past")
    if not entry.is_good or review is None:
        raise Invalid(entry.faults, ARTICLE)
    made = Withholding(
        named("withholding", visit_id, task_id, stamp(now)), visit_id, task_id, found.unit_id, ground, basis, reason,
        review, person.id, stamp(now),
    )  # fmt: skip
    publications.add_withholding(conn, made)
    detail = {"visit": visit_id, "task": found.task.no, "ground": ground, "basis": basis, "review_on": review}
    _note(conn, person, now, "withholding.ask", f"withholding:{made.id}", None, made, detail)
    return made.id


@act("withholding.decide", "withholdings.decide")
def decide_withholding(
    conn: Connection, person: Person, now: datetime, withholding_id: str, approves: bool, answer: str
) -> None:
    """The principal's word, never on what he asked for himself (R26.3)."""
    asked = _asked(conn, withholding_id)
    permit(person, "withholdings.decide", asked.unit_id)
    if asked.state != "asked":
        raise Problem("withholding_decided")
    if asked.asked_by == person.id:
        raise Problem("own_entry")
    state, said = ("approved" if approves else "refused"), said_reason(answer, "answer", most=1000, article=ARTICLE)
    publications.decide_withholding(conn, withholding_id, state, said, person.id, now)
    settle(conn, asked.visit_id, beijing_day(now))
    _note_withholding(conn, person, now, "withholding.decide", asked, state)


@act("withholding.lift", "withholdings.decide")
def lift_withholding(conn: Connection, person: Person, now: datetime, withholding_id: str, why: str) -> None:
    """The ground is gone: the result is to be published again."""
    asked = _asked(conn, withholding_id)
    permit(person, "withholdings.decide", asked.unit_id)
    if asked.state != "approved":
        raise Problem("withholding_not_standing")
    publications.lift_withholding(
        conn, withholding_id, said_reason(why, "why", most=1000, article=ARTICLE), person.id, now
    )
    settle(conn, asked.visit_id, beijing_day(now))
    _note_withholding(conn, person, now, "withholding.lift", asked, "lifted")


def _asked(conn: Connection, id: str) -> Withholding:
    found = publications.withholding_of(conn, id, lock=True)
    if found is None:
        raise Problem("not_found")
    return found


def _note_withholding(
    conn: Connection, person: Person, now: datetime, name: str, before: Withholding, state: str
) -> None:
    after = publications.withholding_of(conn, before.id) or before
    detail = {"visit": before.visit_id, "state": state, "ground": before.ground, "review_on": before.review_on}
    _note(conn, person, now, name, f"withholding:{before.id}", before, after, detail)


# --- corrections ------------------------------------------------------------------------------------------------------


@act("correction.ask", "corrections.ask")
def ask_correction(
    conn: Connection,
    person: Person,
    now: datetime,
    no: str,
    values: Mapping[str, str],
    further: Mapping[str, Sequence[str]],
    objection_id: str | None = None,
) -> str:
    """Asks the principal to correct a published result, with a public reason and the source that shows it (R26.4).

    `values` holds `type:<item>`, the main type of each item, `main`, `reason`, `source`; `further` the types beside.
    """
    head, old = newest(conn, no, lock=True)
    if not allows(person.roles, person.unit_id, "results.read", head.unit_id):
        raise Problem("not_found")
    permit(person, "corrections.ask", head.unit_id)
    publication_facts.must_be_outside_crew(conn, person, head.visit_id)
    mains = {item.id: values.get(f"type:{item.id}", "") for item in old.items}
    items = rules.entered_results(old.items, mains, further)
    entry = Entry(values)
    main, reason, source = entry.line("main"), entry.text("reason", most=500), entry.text("source", most=500)
    entry.faults += number_faults("reason", reason)
    entry.faults += rules.correction_faults(old, items, main, publication_facts.judged_of(conn, head.visit_id))
    if not entry.is_good:
        raise Invalid(entry.faults, ARTICLE)
    made = Correction(
        named("correction", head.id, stamp(now)), head.id, head.unit_id, old.version + 1,
        msgspec.to_builtins(items), main, reason, source, objection_id, person.id, stamp(now),
    )  # fmt: skip
    publications.add_correction(conn, made)
    detail = {"no": no, "version": made.version, "main": main, "reason": reason}
    _note(conn, person, now, "correction.ask", f"correction:{made.id}", None, made, detail)
    return made.id


@act("correction.sign", "corrections.sign")
def sign_correction(conn: Connection, person: Person, now: datetime, correction_id: str, seen: str) -> int:
    """The principal signs exactly what he was shown, `seen` being its digest, and it is public: the new version.

    The digest is `next_sha256` of today; a page of yesterday is refused, so that nobody signs what he didn't see.
    """
    asked = _waiting(conn, person, correction_id)
    head = publications.published_by_id(conn, asked.publication_id, lock=True)
    if head is None:
        raise Problem("not_found")
    result = next_version(conn, asked, beijing_day(now))
    if seen != _sha256(result):
        raise Problem("correction_moved")
    publications.decide_correction(conn, correction_id, "signed", "", person.id, now)
    after = msgspec.structs.replace(
        head, main=result.main, changed_at=stamp(now), corrected_on=result.corrected and result.corrected.on,
        version=result.version,
    )  # fmt: skip
    round_ = publications.versions_of(conn, head.id)[-1].round
    publications.add_version(conn, after, _version(head.id, result, round_, correction_id, person, now))
    detail = {"no": head.no, "version": result.version, "main": result.main, "was": head.main, "sha256": seen}
    before = publications.versions_of(conn, head.id)[-2].result
    _note(conn, person, now, "correction.sign", f"publication:{head.id}", before, result, detail)
    return result.version


@act("correction.refuse", "corrections.sign")
def refuse_correction(conn: Connection, person: Person, now: datetime, correction_id: str, answer: str) -> None:
    """The principal doesn't sign, and says why; what is published stays."""
    asked = _waiting(conn, person, correction_id)
    publications.decide_correction(
        conn, correction_id, "refused", said_reason(answer, "answer", most=1000, article=ARTICLE), person.id, now
    )
    after = publications.correction_of(conn, correction_id) or asked
    detail = {"version": asked.version, "state": "refused"}
    _note(conn, person, now, "correction.refuse", f"correction:{correction_id}", asked, after, detail)


def next_version(conn: Connection, asked: Correction, today: date) -> PublicResult:
    """What the public would read if the principal signed today."""
    last = publications.versions_of(conn, asked.publication_id)[-1]
    items = tuple(msgspec.convert(asked.items, list[rules.ItemResult]))
    return rules.corrected(last.result, items, asked.main, today.isoformat(), asked.reason, last.sha256)


def next_sha256(conn: Connection, asked: Correction, today: date) -> str:
    """The digest that the principal's signature is about."""
    return _sha256(next_version(conn, asked, today))


def newest(conn: Connection, no: str, *, lock: bool = False) -> tuple[Published, PublicResult]:
    """A published result with its newest version."""
    head = publications.published(conn, no, lock=lock)
    if head is None:
        raise Problem("not_found")
    return head, publications.versions_of(conn, head.id)[-1].result


def _waiting(conn: Connection, person: Person, id: str) -> Correction:
    found = publications.correction_of(conn, id, lock=True)
    if found is None:
        raise Problem("not_found")
    permit(person, "corrections.sign", found.unit_id)
    if found.state != "asked":
        raise Problem("correction_decided")
    if found.asked_by == person.id:
        raise Problem("own_entry")
    return found


# --- what they share --------------------------------------------------------------------------------------------------


def _note(
    conn: Connection, person: Person, now: datetime, name: str, about: str, before: object, after: object,
    detail: dict[str, Any],
) -> None:  # fmt: skip
    was = None if before is None else digest_of(before)
    trail.append(conn, [trail.Act(name, person.id, about, was, digest_of(after), detail)], now)
