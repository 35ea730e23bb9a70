"""Dispatch: confirm, lock, executing unit, visits and public notice in one transaction; then the list is fixed (17)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

import msgspec

from server.domain.faults import Fault
from server.domain.instant import beijing_day, stamp
from server.domain.item import Item, covers, template_of
from server.domain.task import Locked, Task
from server.errors import Problem
from server.office import notices
from server.office.act import act, digest_of, named, permit
from server.office.draws import lock_for
from server.office.field import Field, VisitOrder
from server.office.lead_lists import lock_list
from server.office.plans import Faulty
from server.office.reasons import public_reason
from server.office.task_facts import items_of
from server.office.tasks import held, must_be_above_floor, task_for
from server.store import ledger, plans, selections, tasks, trail
from server.store.people import Person
from server.store.selections import Selection
from server.store.session import Connection
from server.store.tasks import Drawn, Withdrawal


@act("task.dispatch", "tasks.dispatch")
def dispatch_task(
    conn: Connection,
    person: Person,
    now: datetime,
    task_id: str,
    values: Mapping[str, str],
    field: Field,
    chance: bytes,
) -> str:
    """Confirms and locks the drawn list, makes the visits, and publishes the notice, all or nothing; the notice's no.

    Nothing is dispatched without a stored draw or the lead's list (R1.1), nor before the head's approval, except in an
    incident (R15b.3), nor when its window is over. `chance` are random bytes, of which ids and nonces are made.
    """
    old = task_for(conn, person, "tasks.dispatch", task_id)
    if old.approved_by is None and old.incident is None:
        raise Problem("task_not_approved")
    must_be_above_floor(conn, old)
    if old.window_to < beijing_day(now).isoformat():
        raise Problem("task_window_over", day=old.window_to)
    unit_id = _executing(conn, old, values)
    drawn = lock_list(conn, now, old) if old.is_participant else lock_for(conn, person, now, old)
    its = items_of(conn, old)
    fresh = {
        "state": "dispatched",
        "executing_unit_id": unit_id,
        "dispatched_by": person.id,
        "dispatched_at": stamp(now),
        "n": len(drawn.subjects),
    }
    made = msgspec.structs.replace(old, **fresh)
    tasks.put_some(conn, task_id, **fresh)
    _select(conn, made, drawn, beijing_day(now).isoformat())
    if made.is_participant:  # who was drawn here stands in the ledger since the draw
        listed = [(one.code, one.subject_id) for one in (*drawn.subjects, *drawn.left_out)]
        source = (ledger.LIST, f"J-{made.no}")
        ledger.enter(conn, (task_id, made.no), source, listed, chance.hex(), person.id, now)
    _open_visits(conn, person, now, made, its, drawn, field, chance)
    notice = notices.publish(conn, now, made, its)
    detail = {
        "no": made.no,
        "unit": unit_id,
        "n": len(drawn.subjects),
        "list": drawn.no,
        "notice": notice.sha256,
        "exempt": sum(one.ground is not None for one in drawn.subjects),
        "left_out": [one.code for one in drawn.left_out],
    }
    entry = trail.Act("task.dispatch", person.id, f"task:{task_id}", digest_of(old), digest_of(made), detail)
    trail.append(conn, [entry], now)
    return made.no


@act("withdrawal.ask", "tasks.dispatch")
def ask_withdrawal(conn: Connection, person: Person, now: datetime, task_id: str, subject_id: str, reason: str) -> str:
    """Asks the head to take a drawn subject out after the lock, with a reason; the request's id (R17.2)."""
    task = held(conn, person, task_id)
    if person.unit_id not in (task.unit_id, task.carried_out_by):
        permit(person, "tasks.dispatch", task.unit_id)
    _must_be_in(conn, task_id, _drawn(conn, task_id).get(subject_id))
    said = _reason(reason)
    made = Withdrawal(
        named("withdrawal", task_id, subject_id, stamp(now)), task_id, subject_id, said, person.id, stamp(now), "asked"
    )
    tasks.add_withdrawal(conn, made)
    detail = {"task": task.no, "reason": said}
    about = f"withdrawal:{made.id}"
    trail.append(conn, [trail.Act("withdrawal.ask", person.id, about, None, digest_of(made), detail)], now)
    return made.id


@act("task.withdraw", "tasks.approve")
def withdraw(
    conn: Connection, person: Person, now: datetime, withdrawal_id: str, answer: str, reason: str, field: Field
) -> None:
    """The head lets a subject out of the list, or doesn't, and never at his own request.

    Its visit is void then, unless it goes on for another task. Who was inspected meanwhile stays in.
    """
    asked = tasks.withdrawal_of(conn, withdrawal_id, lock=True)
    if asked is None:
        raise Problem("not_found")
    task = held(conn, person, asked.task_id)
    one = _drawn(conn, asked.task_id)[asked.subject_id]
    permit(person, "tasks.approve", task.carried_out_by)
    if asked.state != "asked":
        raise Problem("withdrawal_decided")
    if asked.asked_by == person.id:
        raise Problem("own_entry")
    state = "approved" if answer == "approved" else "refused"
    if state == "approved" and one.visit_state == "final":  # since it was asked
        raise Problem("withdrawal_not_possible", members={"state": "final"}, state=SAID["final"])
    said = reason.strip() if state == "approved" and not reason.strip() else _reason(reason)
    tasks.decide_withdrawal(conn, withdrawal_id, state, said, person.id, now)
    if state == "approved":
        tasks.set_selection(conn, task.id, asked.subject_id, "withdrawn")
        if one.visit_id is not None and one.visit_state == "open" and not tasks.still_counts(conn, one.visit_id):
            field.void(conn, person, now, one.visit_id, asked.reason)
    detail = {"task": task.no, "state": state, "answer": said, "reason": asked.reason}
    after = msgspec.structs.replace(asked, state=state, answer=said, decided_by=person.id, decided_at=stamp(now))
    about = f"withdrawal:{withdrawal_id}"
    entry = trail.Act("task.withdraw", person.id, about, digest_of(asked), digest_of(after), detail)
    trail.append(conn, [entry], now)


def _drawn(conn: Connection, task_id: str) -> dict[str, Drawn]:
    """The subjects of a dispatched task by id."""
    return {one.subject_id: one for one in tasks.drawn_of(conn, task_id)}


def _must_be_in(conn: Connection, task_id: str, one: Drawn | None) -> None:
    """Nobody takes out who isn't in, is out already or being taken out, or was inspected."""
    found = "missing" if one is None else _out_as(one)
    requests = tasks.withdrawals_of(conn, task_id)
    if one is not None and any((ask.subject_id, ask.state) == (one.subject_id, "asked") for ask in requests):
        found = "asked"
    if found is not None:
        raise Problem("withdrawal_not_possible", members={"state": found}, state=SAID.get(found, found))


def _out_as(one: Drawn) -> str | None:
    """Why a subject can't be taken out any more, None where it can."""
    if one.state != "counted":
        return one.state
    return one.visit_state if one.visit_state in ("final", "void") else None


SAID: Mapping[str, str] = {
    "missing": "不在名单里",
    "asked": "已有待决定的申请",
    "withdrawn": "已经撤出",
    "excused": "已经免查",
    "left_out": "本年抽满，没有列入检查",
    "final": "检查已经定稿",
    "void": "检查已经作废",
}
"""How the problem says where a subject stands."""


def _reason(text: str) -> str:
    try:
        return public_reason(text, "17")
    except Problem as problem:
        if problem.code == "reason_missing":
            raise Faulty("withdrawal_reason_missing", [Fault("reason", "missing")]) from None
        raise


# --- the parts of a dispatch ------------------------------------------------------------------------------------------


def _executing(conn: Connection, task: Task, values: Mapping[str, str]) -> str:
    """The unit that carries the task out: one that inspects; the task's own where it wasn't asked."""
    chosen = values.get("executing_unit_id", "").strip() or task.unit_id
    faults = [] if values.get("confirm") == "yes" else [Fault("confirm", "task_confirm")]
    if chosen not in {id for id, _ in plans.planning_units(conn)}:
        faults.append(Fault("executing_unit_id", "missing"))
    if faults:
        raise Faulty("task_unit_unfit", faults)
    return chosen


def _select(conn: Connection, task: Task, drawn: Locked, on: str) -> None:
    """Who counts from now on (R15a.2), by the day of the lock."""
    unit_id = task.carried_out_by
    counted = [
        Selection(task.id, one.subject_id, unit_id, on, ground=one.ground, document=one.document)
        for one in drawn.subjects
    ]
    out = [Selection(task.id, one.subject_id, unit_id, on, "left_out") for one in drawn.left_out]
    selections.add_selections(conn, [*counted, *out])


def _open_visits(
    conn: Connection,
    person: Person,
    now: datetime,
    task: Task,
    its: Sequence[Item],
    drawn: Locked,
    field: Field,
    chance: bytes,
) -> None:
    """A visit a subject, with the checklist of the items that cover it; the crews are matched afterwards (R18.1)."""
    known = tasks.frozen_subjects(conn, [one.subject_id for one in drawn.subjects])
    looked_at = {id: [item for item in its if covers(item, one)] for id, one in known.items()}
    if task.is_participant:  # the lead chose them: what none of our items covers is looked at with the first
        looked_at = {id: found or list(its[:1]) for id, found in looked_at.items()}
    bare = [known[id].code for id, found in looked_at.items() if not found]
    if bare:
        raise Problem("task_uncovered", members={"codes": bare}, codes="、".join(bare[:5]))
    for place, one in enumerate(sorted(drawn.subjects, key=lambda one: one.code)):
        subject = known[one.subject_id]
        field.open_visit(
            conn,
            person,
            now,
            VisitOrder(
                id=uuid7(now, chance, place),
                unit_id=task.carried_out_by,
                subject_id=one.subject_id,
                subject=(subject.name, subject.code),
                template=template_of(looked_at[one.subject_id]),
                window=(task.window_from, task.window_to),
                tasks=[task.id],
                nonce=sha256(chance + b"nonce" + str(place).encode()).hexdigest()[:32],
            ),
        )


def uuid7(now: datetime, chance: bytes, place: int) -> str:
    """A UUIDv7 (RFC 9562) of a moment and of chance."""
    random = int.from_bytes(sha256(chance + b"visit" + str(place).encode()).digest()[:10], "big")
    milliseconds = int(now.timestamp() * 1000)
    high, low = (random >> 62) & 0xFFF, random & ((1 << 62) - 1)
    return str(uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low))
