"""What the office does with an objection: judges the papers, sends others to recheck, confirms, answers (R26.5).

Nobody who was of the first crew has a hand in it, and nobody confirms what he entered himself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from server.domain import objection as rules
from server.domain.access import allows
from server.domain.calendar import Due, due_date
from server.domain.crew_frame import LEAST
from server.domain.entry import Entry
from server.domain.faults import Invalid, number_faults
from server.domain.instant import beijing_day
from server.domain.objection_letters import correction_said
from server.errors import Problem
from server.office import objection_letters, publishing
from server.office.act import act, digest_of, permit
from server.office.dispatch import uuid7
from server.office.field import Field, VisitOrder
from server.office.printing import Printer
from server.office.reasons import said_reason
from server.office.rechecks import fit_for
from server.store import calendars, deadlines, directory, objections, publications, reviews, trail, visits
from server.store.objections import FEEDBACK, RECHECK, Event, Objection
from server.store.people import Person
from server.store.rules import rule_set_on
from server.store.seal import Sealer
from server.store.session import Connection

ARTICLE: Final = "26"
HANDLE, CONFIRM, PAPERS = "objections.handle", "objections.confirm", "objections.papers"


def objection_for(conn: Connection, person: Person, id: str, *, lock: bool = False) -> Objection:
    """An objection that this person may read; for others there is none."""
    found = objections.objection_of(conn, id, lock=lock)
    if found is None or not allows(person.roles, person.unit_id, "objections.read", found.unit_id):
        raise Problem("not_found")
    return found


def standing_of(conn: Connection, it: Objection) -> rules.Standing:
    """Where it stands, as the rules look at it."""
    found, sent = last_of(conn, it, "find"), last_of(conn, it, "assign")
    visit_id = None if sent is None else sent.detail.get("visit")
    visit = None if visit_id is None else visits.look(conn, visit_id)
    return rules.Standing(
        state=it.state,
        papers=len(objections.papers_of(conn, it.id)),
        outcome=it.outcome,
        entered_by=None if found is None else found.by,
        visit=None if visit is None else visit.state,
        correction=any(state != "refused" for _, state in objections.corrections_because_of(conn, it.id)),
    )


def last_of(conn: Connection, it: Objection, act: str) -> Event | None:
    """The last step of a kind."""
    return next((one for one in reversed(objections.events_of(conn, it.id)) if one.act == act), None)


def hindrance(conn: Connection, person: Person, it: Objection, act: str) -> str | None:
    """The code of what keeps this person from an act now; None where he may do it."""
    in_crew = reviews.crew_member(conn, it.visit_id, person.id)
    return rules.hindrance(act, person.id, in_crew, standing_of(conn, it))


def _begun(conn: Connection, person: Person, id: str, act: str, right: str = HANDLE) -> Objection:
    """The objection, locked for an act that this person may do now."""
    it = objection_for(conn, person, id, lock=True)
    permit(person, right, it.unit_id)
    code = hindrance(conn, person, it, act)
    if code is not None:
        raise Problem(code)
    return it


def _done(
    conn: Connection, person: Person, now: datetime, before: Objection, act: str, *, said: str = "",
    detail: Mapping[str, Any] | None = None, letter: str | None = None, **values: str | None,
) -> None:  # fmt: skip
    """Moves the state, writes the step down, and leaves the entry in the trail."""
    state = rules.after(before.state, act)
    if state is None:
        raise Problem("objection_state")
    objections.move(conn, before.id, now, state=state, **values)
    objections.add_event(conn, before, act, person.id, now, state, said, detail, letter)
    after = objections.objection_of(conn, before.id) or before
    told = {"no": before.no, "result": before.result_no, "state": state, **(detail or {}), "letter": letter}
    object = f"objection:{before.id}"
    done = trail.Act(f"objection.{act}", person.id, object, digest_of(before), digest_of(after), told)
    trail.append(conn, [done], now)


# --- the papers -------------------------------------------------------------------------------------------------------


@act("objection.accept", HANDLE)
def accept(
    conn: Connection, person: Person, now: datetime, id: str, values: Mapping[str, str], printer: Printer
) -> None:
    """Takes it up: the identity is proved. The recheck is due 20 working days after the day of the papers."""
    it = _begun(conn, person, id, "accept")
    if values.get("identity") != "yes":
        entry = Entry(values)
        entry.wrong("identity", "missing")
        raise Invalid(entry.faults, ARTICLE)
    days = rule_set_on(conn, date.fromisoformat(it.papers_on)).recheck_days
    deadlines.set_deadline(conn, f"objection:{it.id}", RECHECK, date.fromisoformat(it.papers_on), days, now)
    letter = objection_letters.send(
        conn, person, now, it, "objection_acceptance", printer, **_letter_said(conn, it, "accept", values)
    )
    _done(conn, person, now, it, "accept", letter=letter, detail={"papers_on": it.papers_on})


@act("objection.ask_papers", HANDLE)
def ask_papers(conn: Connection, person: Person, now: datetime, id: str, values: Mapping[str, str]) -> None:
    """Asks who objected for what is missing; he reads it by his code."""
    it = _begun(conn, person, id, "ask_papers")
    _done(
        conn,
        person,
        now,
        it,
        "ask_papers",
        said=said_reason(values.get("missing", ""), "missing", most=500, article=ARTICLE),
    )


@act("objection.refuse", HANDLE)
def refuse(
    conn: Connection, person: Person, now: datetime, id: str, values: Mapping[str, str], printer: Printer
) -> None:
    """Doesn't take it up, for one of the reasons, by letter."""
    it = _begun(conn, person, id, "refuse")
    said = _letter_said(conn, it, "refuse", values)
    letter = objection_letters.send(conn, person, now, it, "objection_refusal", printer, **said)
    _done(conn, person, now, it, "refuse", said=said["said"], detail={"reason": said["reason"]}, letter=letter)


# --- the recheck ------------------------------------------------------------------------------------------------------


@act("objection.assign", HANDLE)
def assign(
    conn: Connection, person: Person, now: datetime, id: str, values: Mapping[str, str], members: Sequence[str],
    field: Field, chance: bytes,
) -> None:  # fmt: skip
    """Names who rechecks, by the papers or on the spot; on the spot the visit reaches their phones as any does.

    They are of another crew than the first, or the reason why one isn't is kept. `chance` is for the visit's id.
    """
    it = _begun(conn, person, id, "assign")
    entry, leader, first = Entry(values), values.get("leader", ""), first_crew(conn, it)
    method = entry.choice("method", rules.METHODS)
    lines = _lines(entry) if method == "site" else []
    today = beijing_day(now).isoformat()
    begin, end = (entry.day("window_from"), entry.day("window_to")) if method == "site" else (today, today)
    why = entry.text("first_crew_why", most=500, required=not first.isdisjoint(members))
    for name, text in (("first_crew_why", why), ("what", "\n".join(lines))):
        entry.faults += number_faults(name, text)
    if begin and end and end < begin:
        entry.wrong("window_to", "days_swapped", since=begin, until=end)
    if not entry.is_good or begin is None or end is None:
        raise Invalid(entry.faults, ARTICLE)
    _must_be_crew(conn, it, members, leader, (begin, end))
    visit = None
    if method == "site":
        visit = uuid7(now, chance, 0)
        field.open_visit(conn, person, now, _order(conn, it, visit, (begin, end), lines, members, leader, chance))
    detail = {"method": method, "officers": sorted(set(members)), "leader": leader, "visit": visit,
              "of_first_crew": sorted(first & set(members))}  # fmt: skip
    _done(conn, person, now, it, "assign", said=why, detail=detail)


def first_crew(conn: Connection, it: Objection) -> set[str]:
    """Everybody who is or was of the crew whose result is objected to."""
    return objections.crew_of(conn, it.visit_id)


def _lines(entry: Entry) -> list[str]:
    found = [line.strip() for line in entry.text("what").splitlines() if line.strip()]
    if len(found) > rules.LINES_MOST:
        entry.wrong("what", "too_long", n=len(found), most=rules.LINES_MOST)
    return found


def _must_be_crew(
    conn: Connection, it: Objection, members: Sequence[str], leader: str, window: tuple[str, str]
) -> None:
    """Two at least, one leading (R18.2), each with a certificate in these days and nothing against him."""
    if len(set(members)) < LEAST or leader not in members:
        raise Problem("crew_too_few")
    if not {one.id for one in fit_for(conn, it.unit_id, it.subject_id, window)}.issuperset(members):
        raise Problem("crew_not_qualified")


def _order(
    conn: Connection, it: Objection, visit_id: str, window: tuple[str, str], lines: Sequence[str],
    members: Sequence[str], leader: str, chance: bytes,
) -> VisitOrder:  # fmt: skip
    first = visits.look(conn, it.visit_id)
    if first is None:
        raise Problem("not_found")
    return VisitOrder(
        id=visit_id,
        unit_id=it.unit_id,
        subject_id=first.subject_id,
        subject=(first.subject_name, first.subject_uscc),
        template=rules.recheck_list(it.no, lines),
        window=window,
        tasks=[],
        crew=[(one, "leader" if one == leader else "member") for one in sorted(set(members))],
        nonce=chance.hex()[:32],
    )


@act("objection.find", HANDLE)
def find(conn: Connection, person: Person, now: datetime, id: str, values: Mapping[str, str]) -> None:
    """Enters the recheck's result with its grounds. The feedback is due 15 working days after this day."""
    it = _begun(conn, person, id, "find")
    entry = Entry(values)
    outcome, grounds = entry.choice("outcome", rules.OUTCOMES), entry.text("grounds")
    entry.faults += number_faults("grounds", grounds)
    if not entry.is_good:
        raise Invalid(entry.faults, ARTICLE)
    today = beijing_day(now)
    deadlines.settle(conn, f"objection:{it.id}", RECHECK, today)
    days = rule_set_on(conn, today).feedback_days
    deadlines.set_deadline(conn, f"objection:{it.id}", FEEDBACK, today, days, now)
    detail = {"outcome": outcome, "on": today.isoformat()}
    _done(conn, person, now, it, "find", said=grounds, detail=detail, outcome=outcome)


@act("objection.send_back", CONFIRM)
def send_back(conn: Connection, person: Person, now: datetime, id: str, values: Mapping[str, str]) -> None:
    """The head isn't convinced: the recheck goes on, and is due again."""
    it = _begun(conn, person, id, "send_back", CONFIRM)
    said = said_reason(values.get("why", ""), "why", most=500, article=ARTICLE)
    deadlines.settle(conn, f"objection:{it.id}", RECHECK, None)
    _done(conn, person, now, it, "send_back", said=said, outcome=None)


@act("objection.confirm", CONFIRM)
def confirm(conn: Connection, person: Person, now: datetime, id: str) -> None:
    """The head confirms what somebody else entered."""
    it = _begun(conn, person, id, "confirm", CONFIRM)
    _done(conn, person, now, it, "confirm", detail={"outcome": it.outcome})


# --- correction and answer --------------------------------------------------------------------------------------------


def ask_correction(
    conn: Connection, person: Person, now: datetime, id: str, values: Mapping[str, str],
    further: Mapping[str, Sequence[str]],
) -> str:  # fmt: skip
    """Asks the principal for the correction that the recheck calls for; its id."""
    it = objection_for(conn, person, id, lock=True)
    if it.outcome not in rules.WRONG or it.state not in ("confirmed", "answered"):
        raise Problem("objection_not_wrong")
    source = values.get("source") or f"异议复核 {it.no}"
    return publishing.ask_correction(conn, person, now, it.result_no, {**values, "source": source}, further, it.id)


@act("objection.answer", HANDLE)
def answer(conn: Connection, person: Person, now: datetime, id: str, printer: Printer) -> None:
    """Tells who objected, by letter; the outcome is public from now on."""
    it = _begun(conn, person, id, "answer")
    said = _letter_said(conn, it, "answer", {})
    letter = objection_letters.send(conn, person, now, it, "objection_outcome", printer, **said)
    deadlines.settle(conn, f"objection:{it.id}", FEEDBACK, beijing_day(now))
    _done(conn, person, now, it, "answer", letter=letter, detail={"outcome": it.outcome})


LETTERS: Final = {"accept": "objection_acceptance", "refuse": "objection_refusal", "answer": "objection_outcome"}


def warm(
    conn: Connection, person: Person, now: datetime, id: str, act: str, values: Mapping[str, str], printer: Printer
) -> None:
    """Prints the letter of an act before it; what is in the act's way is said by the act itself."""
    it = objection_for(conn, person, id)
    if hindrance(conn, person, it, act) is None and allows(person.roles, person.unit_id, HANDLE, it.unit_id):
        said = _letter_said(conn, it, act, values)
        objection_letters.warm(conn, now, it, LETTERS[act], printer, **said)


def _letter_said(conn: Connection, it: Objection, act: str, values: Mapping[str, str]) -> dict[str, Any]:
    """What the letter of an act says besides what the objection and the result do."""
    if act == "accept":
        return {"due": _recheck_due(conn, it)}
    if act == "refuse":
        entry = Entry(values)
        reason, said = entry.choice("reason", rules.REFUSALS), entry.text("said", most=500, required=False)
        entry.faults += number_faults("said", said)
        if not entry.is_good:
            raise Invalid(entry.faults, ARTICLE)
        return {"reason": reason, "said": said}
    return _outcome_said(conn, it)


def _recheck_due(conn: Connection, it: Objection) -> Due:
    start = date.fromisoformat(it.papers_on)
    return due_date(start, rule_set_on(conn, start).recheck_days, calendars.calendar(conn))


def _outcome_said(conn: Connection, it: Objection) -> dict[str, Any]:
    found, sent = last_of(conn, it, "find"), last_of(conn, it, "assign")
    if found is None or sent is None or it.outcome is None:
        raise Problem("objection_state")
    names = directory.names_of_people(conn)
    corrected = ""
    for id, _ in objections.corrections_because_of(conn, it.id):
        asked = publications.correction_of(conn, id)
        if asked is not None:
            decided = beijing_day(datetime.fromisoformat(asked.decided_at)) if asked.decided_at else ""
            corrected = correction_said(asked.state, asked.main, str(decided))
    return {
        "outcome": it.outcome,
        "said": found.said,
        "method": sent.detail["method"],
        "officers": [names.get(one, one) for one in sent.detail["officers"]],
        "found_on": found.detail["on"],
        "corrected_to": corrected,
    }


# --- what is sealed ---------------------------------------------------------------------------------------------------


@act("objection.reveal", PAPERS)
def reveal_phone(
    conn: Connection, person: Person, now: datetime, sealer: Sealer, id: str, values: Mapping[str, str]
) -> str:
    """The phone of who objected, in clear, for a reason that goes into the trail; the number itself goes nowhere."""
    it = objection_for(conn, person, id)
    permit(person, PAPERS, it.unit_id)
    reason = said_reason(values.get("reason", ""), "reason", most=200, article=ARTICLE)
    detail = {"no": it.no, "field": "phone", "reason": reason}
    trail.append(conn, [trail.Act("objection.reveal", person.id, f"objection:{it.id}", detail=detail)], now)
    return objections.opened(conn, sealer, it.id, "phone")
