"""The draw of subjects: committed in public, fed from outside, drawn by nobody's choice, locked or void (15 to 17)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from server.domain import drawing as rules
from server.domain.access import allows
from server.domain.draw_file import file_of, record_of
from server.domain.draw_sources import Source
from server.domain.instant import beijing_day
from server.domain.ratio import window_start
from server.domain.task import Chosen, Locked, Task, must_be_ready
from server.errors import Problem
from server.office.act import act, digest_of, named, permit
from server.office.frames import Frame, preview_of, rules_of
from server.office.reasons import said_reason
from server.store import draws, ledger, selections, tasks, trail
from server.store.draws import Draw, File
from server.store.people import Person, unit_name
from server.store.rules import rule_set_on
from server.store.seal import Sealer
from server.store.session import Connection


@act("draw.commit", "draws.run")
def commit(
    conn: Connection,
    person: Person,
    now: datetime,
    task_id: str,
    sources: Sequence[Source],
    secret: bytes,
    sealer: Sealer,
) -> str:
    """Freezes the list of a saved task and commits to it, to the rules and to a secret of 32 bytes; the attempt's id.

    The commitment is public from now on, chained to the bureau's one before. After a void it is the next attempt of the
    same draw; where one stands there is no other.
    """
    task = tasks.task_of(conn, task_id, lock=True)
    if task is None or not allows(person.roles, person.unit_id, "draws.read", task.unit_id):
        raise Problem("not_found")
    permit(person, "draws.run", task.unit_id)
    must_be_ready(task)
    prev, length = draws.hold_chain(conn)
    before = next(reversed(draws.draws_of_task(conn, task_id)), None)
    frame = preview_of(conn, task, now)
    year = beijing_day(now).year if before is None else before.year
    seq = draws.next_seq(conn, year) if before is None else before.seq
    no = draws.no_of(year, seq)
    frozen = frame.frozen
    done = rules.commit(
        no, before, prev, frozen.frame, rules_of(conn, task, frame, now), sources, secret.hex(), person.id, now
    )
    made = Draw(
        id=named("draw", done.commit),
        place=length + 1,
        year=year,
        seq=seq,
        task_id=task.id,
        unit_id=task.unit_id,
        rows=len(frame.lines),
        candidates=frame.candidates,
        exempt=len(frame.kept),
        **_fields(done),
    )
    draws.add(conn, made, draws.seal_secret(sealer, made.id, secret.hex()), frozen)
    note(conn, "draw.commit", person, now, None, made, _of_commit(made, task, frame), public=made.commit)
    return made.id


@act("draw.contribute", "draws.run")
def contribute(
    conn: Connection,
    person: Person,
    now: datetime,
    draw_id: str,
    k: str,
    value: str,
    at: datetime,
    by: str,
    evidence: str | None = None,
    link: str | None = None,
    file: tuple[str, str] | None = None,
) -> None:
    """Enters what a source brought, with its evidence: the SHA-256 of a stored `file` (name and type), or a link."""
    before = held(conn, person, draw_id, "draws.run")
    after = rules.contribute(before, k, value, at, by, evidence, link, person.id, now, file)
    given = after.contributions[-1]
    draws.add_contribution(conn, draw_id, len(after.contributions), given)
    draws.put(conn, after)
    detail = {"no": after.no, "attempt": after.attempt, **msgspec.to_builtins(given)}
    note(conn, "draw.contribute", person, now, before, after, detail)


@act("draw.run", "draws.run")
def run(conn: Connection, person: Person, now: datetime, draw_id: str, sealer: Sealer) -> None:
    """Draws, once: the secret is opened, and everything else follows; the file's digest is public at once (R17.1)."""
    before = held(conn, person, draw_id, "draws.run")
    frozen = draws.frozen_of(conn, draw_id)
    secret = draws.open_secret(conn, sealer, draw_id) if before.state == "contributed" else ""
    after = rules.run(before, frozen.frame, secret, person.id, now)
    draws.put(conn, after)
    file = publish(conn, after, frozen.frame, "drawn", now)
    enter(conn, person, now, after, after.effective)
    detail = of_file(after, file) | {"n": after.drawn}
    note(conn, "draw.run", person, now, before, after, detail, public=file[0].sha256)


@act("draw.void", "draws.void")
def void(conn: Connection, person: Person, now: datetime, draw_id: str, reason: str, sealer: Sealer) -> None:
    """Voids an attempt, in public and with a reason; its commitment stays in the chain, and its secret is shown."""
    before = held(conn, person, draw_id, "draws.void")
    said = said_reason(reason, required=False, article="16")
    secret = before.secret or draws.open_secret(conn, sealer, draw_id)
    after = rules.void(before, secret, said, person.id, now)
    draws.put(conn, after)
    file = publish(conn, after, draws.frozen_of(conn, draw_id).frame, "void", now)
    note(conn, "draw.void", person, now, before, after, of_file(after, file) | {"reason": said}, public=file[0].sha256)


def lock_for(conn: Connection, person: Person, now: datetime, task: Task) -> Locked:
    """Fixes the list of a task's draw within its dispatch (R17.1); nobody gets past the cap by it (R15a.2).

    The chain is held, so that no list is frozen while reservations become selections.
    """
    draws.hold_chain(conn)
    before = draws.standing_of_task(conn, task.id, lock=True)
    if before is None or before.state in ("committed", "contributed"):
        raise Problem("task_not_drawn")
    locked = rules.lock(before, person.id, now)
    winners = draws.winners_of(conn, before.id)
    _must_be_within_cap(conn, winners, now)
    draws.put(conn, rules.dispatch(locked))
    detail = {"no": before.no, "attempt": before.attempt, "n": len(winners)}
    note(conn, "draw.lock", person, now, before, locked, detail)
    return Locked(before.no, tuple(Chosen(one.code, one.subject_id, one.ground, one.document) for one in winners))


def _must_be_within_cap(conn: Connection, winners: Sequence[draws.Winner], now: datetime) -> None:
    day = beijing_day(now)
    in_force = rule_set_on(conn, day)
    times = selections.times_drawn(conn, window_start(day, in_force.cap_window), day)
    for one in winners:
        if one.ground is None and times.get(one.subject_id, 0) >= in_force.cap:
            raise Problem("draw_twice", found=one.code, cap=in_force.cap)


# --- the parts of an act ----------------------------------------------------------------------------------------------


def held(conn: Connection, person: Person, draw_id: str, right: str) -> Draw:
    """An attempt that this person may act on, held until the transaction ends: two clerks at once act in turn."""
    found = draws.draw_of(conn, draw_id, lock=True)
    if found is None or not allows(person.roles, person.unit_id, "draws.read", found.unit_id):
        raise Problem("not_found")
    permit(person, right, found.unit_id)
    return found


def publish(conn: Connection, one: Draw, frame: str, why: str, now: datetime) -> tuple[File, str]:
    """Keeps a version of the file; the officers' part stays as the last version has it."""
    last = draws.body_of(conn, one.id)
    officers = None if last is None else msgspec.json.decode(last)["officers"]
    task = tasks.task_of(conn, one.task_id)
    body = file_of(one, frame, unit_name(conn, one.unit_id), "" if task is None else task.no, officers)
    return draws.keep_file(conn, one.id, why, body, now), record_of(body)


def enter(conn: Connection, person: Person, now: datetime, one: Draw, codes: Sequence[str]) -> None:
    """Enters those who were drawn just now, or moved up, in the public ledger."""
    ids = draws.subject_ids(conn, one.id)
    task = tasks.task_of(conn, one.task_id)
    of, source = (one.task_id, "" if task is None else task.no), (one.id, f"{one.no}/{one.attempt}")
    ledger.enter(conn, of, source, [(code, ids[code]) for code in codes], one.secret or "", person.id, now)


def _fields(done: rules.Drawing) -> dict[str, Any]:
    return {name: getattr(done, name) for name in done.__struct_fields__}


def _of_commit(one: Draw, task: Task, frame: Frame) -> dict[str, Any]:
    """What the trail says of a freeze: its digests, who was left out and why, and each ground of who was kept in."""
    return {
        "no": one.no,
        "attempt": one.attempt,
        "task": task.no,
        "commit": one.commit,
        "prev": one.prev,
        "frame": one.frame_digest,
        "rules": one.rules_digest,
        "rows": one.rows,
        "candidates": one.candidates,
        "left_out": frame.left_out,
        "exempt": [{"code": line.code, "ground": line.ground, "document": line.document} for line in frame.kept],
    }


def of_file(one: Draw, published: tuple[File, str]) -> dict[str, Any]:
    file, record = published
    about = {"no": one.no, "attempt": one.attempt}
    return about | {"version": file.version, "sha256": file.sha256, "record": record}


def note(
    conn: Connection,
    name: str,
    person: Person,
    now: datetime,
    before: Draw | None,
    after: Draw,
    detail: dict[str, Any],
    public: str | None = None,
) -> None:
    """The entry of an act; of one that made something public its digest stands in `after`, for everybody to find."""
    was = None if before is None else digest_of(before)
    becomes = public or digest_of(after)
    trail.append(conn, [trail.Act(name, person.id, f"draw:{after.id}", was, becomes, detail)], now)
