"""Acts on a visit: its dispatch, and what leader and office decide about it, each one signed op of the server's."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from server.domain.access import may, office_sees
from server.domain.item import Template, template_of_both
from server.errors import Problem
from server.store import publications, registry, trail, visits
from server.store.journal import Row
from server.store.people import Person
from server.store.session import Connection, Database
from server.store.visits import Locked
from server.sync import desk, ops
from server.sync.book import Book
from server.sync.finals import judge_proposals
from server.sync.intake import hear, obstacle, retry
from server.sync.judge import ADMISSIBLE, Assigned, Standing, is_member, leader_of, role_of
from server.sync.keys import SERVER_RID, Keys
from server.sync.shapes import is_id, is_op_id


def open_visit(
    conn: Connection,
    keys: Keys,
    *,
    visit_id: str,
    unit_id: str,
    subject_id: str,
    subject: tuple[str, str],
    tpl: str,
    window: tuple[str, str],
    tasks: Sequence[str],
    crew: Sequence[tuple[str, str]],
    now: datetime,
    actor: str,
    nonce: str | None = None,
) -> None:
    """Dispatches a visit: its row, and one `assign` for each of its crew, pairs of officer and role (R18.2).

    `subject` is name and code as they are frozen now; `window` first and last day, `tasks` the ids of its tasks.
    `nonce` proves "not before": it is drawn at random unless the same visit has to come out alike twice.
    """
    visits.add(
        conn, id=visit_id, unit_id=unit_id, subject_id=subject_id, subject=subject, tpl=tpl, window=window,
        nonce=nonce or secrets.token_hex(16), standing=desk.standing_bytes(Standing()), tasks=tasks, now=now,
    )  # fmt: skip
    trail.append(conn, [trail.Act("visit.dispatch", actor, f"visit:{visit_id}", None, tpl)], now)
    book = desk.open_book(conn, keys, visit_id, now)
    for officer, role in crew:
        book.write("assign", ["crew", officer], {"role": role, "reason": "dispatch"}, actor)
    for officer, _ in crew:
        hear(book, visits.rids_of(conn, officer))
    desk.save(conn, book)


class Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An act as it is asked for."""

    kind: str
    path: list[str]
    val: dict[str, Any]


class Done(msgspec.Struct, frozen=True):
    """The op that an act became."""

    n: int
    op: str


MOST_TEXT: Final = 8 * 1024
ROLES: Final = ("leader", "member", "removed")


def office_act(
    db: Database, keys: Keys, person: Person, visit_id: str, act: Act | dict[str, Any], now: datetime
) -> Done:
    """Does an act on a visit, or raises the Problem in its way: unseen, malformed, no right, wrong state."""
    given = msgspec.convert(act, Act) if isinstance(act, dict) else act
    return db.run_write(lambda conn: _done(_desk_at(conn, keys, person, visit_id, now, alone=True), given))


def act_in(conn: Connection, keys: Keys, person: Person, visit_id: str, act: Act, now: datetime) -> Done:
    """Does an act on a visit in the transaction that is open, as part of an act of the office."""
    return _done(_desk_at(conn, keys, person, visit_id, now), act)


def _done(at: _Desk, act: Act) -> Done:
    do = _ACTS.get(act.kind)
    if do is None:
        raise Problem("bad_request", why="kind")
    book, written = at.book, do(at, act)
    if book.facts is not None and book.facts.standing.proposals:
        judge_proposals(at.conn)(book)
    desk.save(at.conn, book)
    return Done(written.n or 0, written.id)


def sees(book: Book, row: Locked, person: Person) -> bool:
    """Whether the visit exists for this person: its crew, and the office (domain page, section 2)."""
    return is_member(book.facts, person.id) or office_sees(person.roles, person.unit_id, row.unit_id)


class _Desk(msgspec.Struct, frozen=True):
    """What an act is done with."""

    conn: Connection
    book: Book
    row: Locked
    person: Person
    alone: bool = False
    """Whether the act was posted by itself: no lot and no approval of the office stands behind it."""

    @property
    def state(self) -> str:
        return self.book.facts.state if self.book.facts else "void"

    @property
    def crew(self) -> list[Assigned]:
        return self.book.facts.standing.crew if self.book.facts else []

    def require(self, act: str) -> None:
        """The right of the person's roles in the unit of the visit."""
        if not may(self.person.roles, self.person.unit_id, self.row.unit_id, act):
            raise Problem("forbidden")

    def require_open(self) -> None:
        """Nothing is decided on a record that stands."""
        if self.state != "open":
            raise Problem("final")

    def target(self, act: Act) -> Row:
        """The op that an act speaks of."""
        if len(act.path) != 2 or act.path[0] != "op" or not is_op_id(act.path[1]):
            raise Problem("bad_request", why="path")
        rid, _, seq = act.path[1].rpartition(":")
        row = self.book.look_up(rid, int(seq))
        if row is None or (row.n is None and row.verdict != "held"):
            raise Problem("not_found")
        return row


def _text(act: Act, name: str, *, needed: bool = True) -> str:
    """A text of the act's value, in NFC."""
    text = act.val.get(name, "")
    if not isinstance(text, str) or len(text.encode(errors="replace")) > MOST_TEXT or (needed and not text.strip()):
        raise Problem("bad_request", why=f"val.{name}")
    return unicodedata.normalize("NFC", text)


def _only(act: Act, *names: str) -> None:
    if not act.val.keys() <= {*names, "by"}:
        raise Problem("bad_request", why="val")


def _admit(at: _Desk, act: Act) -> Row:
    """The leader or the unit's clerk gives an op its effect; nobody does it for his own, nor after his own recusal."""
    book, person = at.book, at.person
    _only(act, "reason")
    reason = _text(act, "reason")
    leads = book.facts is not None and leader_of(book.facts.standing.crew) == person.id
    if book.facts is not None and any(it.officer == person.id for it in book.facts.standing.interests):
        leads = False  # who recused himself decides nothing on this visit (R20.3)
    if not leads:
        at.require("admit")
    target = at.target(act)
    device = book.device(target.rid)
    if person.id in (target.author, device.owner if device else None):
        raise Problem("own_op")
    at.require_open()
    if target.standing == "ok":
        raise Problem("already_effective")
    if not _is_admissible(book, target):
        raise Problem("not_admissible", reason=target.standing_reason or target.standing)
    written = book.write("admit", ["op", target.id], {"reason": reason, "by": person.id}, person.id)
    if target.verdict == "held":
        retry(book, target, despite_ctx=True)
    else:
        book.decide(target, "ok", None)
    return written


def _is_admissible(book: Book, target: Row) -> bool:
    if target.verdict == "held":
        device = book.device(target.rid)
        if device is None:
            return False
        waits_for = obstacle(book, ops.read(target.body), book.is_heard(device.owner))
        return waits_for is None or not waits_for.startswith(f"{target.rid}:")
    if target.standing == "late":
        return target.kind != "propose_final"
    return target.standing == "quarantined" and target.standing_reason in ADMISSIBLE and target.kind != "propose_final"


def _rule(at: _Desk, act: Act) -> Row:
    """The unit's clerk takes an op's effect away (or gives it back, where it could be admitted)."""
    _only(act, "verdict", "reason")
    verdict, reason = act.val.get("verdict"), _text(act, "reason", needed=False) or None
    if verdict not in ("ok", "quarantined", "late"):
        raise Problem("bad_request", why="val.verdict")
    at.require("rule")
    target = at.target(act)
    at.require_open()
    if target.verdict in ("held", "dead") or SERVER_RID.match(target.rid):
        raise Problem("not_admissible", reason=target.verdict)
    if (target.standing, target.standing_reason) == (verdict, reason) or target.standing == verdict == "ok":
        raise Problem("already_effective")
    if verdict == "ok" and not _is_admissible(at.book, target):
        raise Problem("not_admissible", reason=target.standing_reason or target.standing)
    return at.book.rule(target.id, verdict, reason, at.person.id)


def _assign(at: _Desk, act: Act) -> Row:
    """Puts an officer into the crew, changes who leads, or takes one out, which is for the unit head (R20.1).

    Crews of drawn visits come by lot, and change by an approved replacement: nobody posts them by himself (R18.1).
    """
    _only(act, "role", "reason")
    if len(act.path) != 2 or act.path[0] != "crew" or not is_id(act.path[1]):
        raise Problem("bad_request", why="path")
    officer, role, reason = act.path[1], act.val.get("role"), _text(act, "reason", needed=False)
    if role not in ROLES:
        raise Problem("bad_request", why="val.role")
    at.require("assign")
    if role == "removed" and not may(at.person.roles, at.person.unit_id, at.row.unit_id, "replace"):
        raise Problem("needs_approval")
    if at.alone and role != "removed" and visits.is_drawn(at.conn, at.row.id):  # the lot names, or an approved change
        raise Problem("needs_approval")
    at.require_open()
    if not visits.known_officer(at.conn, officer):
        raise Problem("bad_request", why="path: officer")
    crew = at.crew
    last, leader = role_of(crew, officer), leader_of(crew)
    if (last.role if last else "removed") == role:
        raise Problem("already_effective")
    if role == "leader" and leader is not None:
        at.book.write("assign", ["crew", leader], {"role": "member", "reason": reason}, at.person.id)
    written = at.book.write("assign", ["crew", officer], {"role": role, "reason": reason}, at.person.id)
    if last is None:
        hear(at.book, visits.rids_of(at.conn, officer))
    return written


def _reopen(at: _Desk, act: Act) -> Row:
    """The unit head starts the next round of a record that stands."""
    _only(act, "round", "reason")
    number, reason = act.val.get("round"), _text(act, "reason")
    if act.path != ["round"] or type(number) is not int:
        raise Problem("bad_request", why="path, val.round")
    at.require("reopen")
    if at.book.facts is None or at.state != "final" or number != at.book.facts.round + 1:
        raise Problem("not_final")
    val = {"round": number, "reason": reason, "by": at.person.id}
    return at.book.write("reopen", ["round"], val, at.person.id)


def _void(at: _Desk, act: Act) -> Row:
    """The unit head ends a visit that shall have no record; what the public has read of keeps its own."""
    _only(act, "reason")
    reason = _text(act, "reason")
    if act.path != ["visit"]:
        raise Problem("bad_request", why="path")
    at.require("void")
    if at.state == "void":
        raise Problem("already_effective")
    at.require_open()
    if publications.published_of_visits(at.conn, [at.book.visit]):
        raise Problem("already_published")
    return at.book.write("void", ["visit"], {"reason": reason, "by": at.person.id}, at.person.id)


_ACTS: Final[dict[str, Callable[[_Desk, Act], Row]]] = {
    "admit": _admit,
    "assign": _assign,
    "reopen": _reopen,
    "rule": _rule,
    "void": _void,
}


def recuse_in(conn: Connection, keys: Keys, person: Person, visit_id: str, reason: str, now: datetime) -> Done:
    """An officer's own word that he must keep away, said in the office, as it would come from his phone (R20.3).

    From the ops that have received it on he is set aside. It names his words before in its base: nobody else could
    settle a conflict about it.
    """
    at = _desk_at(conn, keys, person, visit_id, now)
    at.require_open()
    path = ["visit", f"no_interest:{person.id}"]
    said = [row.id for row in at.book.entries() if row.standing == "ok" and _is_on(row, path)]
    written = at.book.write("set", path, {"interest": True, "reason": reason}, person.id, said)
    if at.book.facts is not None and at.book.facts.standing.proposals:
        judge_proposals(conn)(at.book)
    desk.save(conn, at.book)
    return Done(written.n or 0, written.id)


def _is_on(row: Row, path: list[str]) -> bool:
    op = ops.stored(row.body) if row.kind == "set" else None
    return op is not None and op.path == path


MERGED: Final = "并入同一检查对象的另一次检查"


def merge_visits(db: Database, keys: Keys, person: Person, visit_id: str, other_id: str, now: datetime) -> Done:
    """One door for several matters (R22.1): the other visit is void, its tasks and its checklist become this one's.

    Only while neither has an op of a phone. The crew stays this one's; the window is what both have in common. An op
    made meanwhile with the old checklist is `template_mismatch`. Gives the op that voids the other visit.
    """
    return db.run_write(lambda conn: merge_in(conn, keys, person, visit_id, other_id, now))


def merge_in(conn: Connection, keys: Keys, person: Person, visit_id: str, other_id: str, now: datetime) -> Done:
    """Merges in the transaction that is open."""
    if visit_id == other_id:
        raise Problem("bad_request", why="other")
    at = {id_: _desk_at(conn, keys, person, id_, now) for id_ in sorted((visit_id, other_id))}
    mine, other = at[visit_id], at[other_id]
    for one in (mine, other):
        one.require("merge")
        one.require_open()
    if mine.row.subject_id != other.row.subject_id:
        raise Problem("other_subject")
    if _is_begun(mine.book) or _is_begun(other.book):
        raise Problem("visit_started")
    window = max(mine.row.window_from, other.row.window_from), min(mine.row.window_to, other.row.window_to)
    if window[0] > window[1]:
        raise Problem("windows_apart")
    both = _template_of_both(conn, mine.row.tpl, other.row.tpl)
    registry.keep_template(conn, both)
    visits.move_tasks(conn, other_id, visit_id)
    visits.refit(conn, visit_id, both.sha256, window)
    voided = other.book.write("void", ["visit"], {"reason": MERGED, "by": person.id}, person.id)
    desk.save(conn, other.book)
    visits.move_assignments(conn, {it.officer for one in (mine, other) for it in one.crew})
    act = trail.Act(
        "visit.merge", person.id, f"visit:{visit_id}", mine.row.tpl, both.sha256, detail={"other": other_id}
    )
    trail.append(conn, [act], now)
    return Done(voided.n or 0, voided.id)


def _desk_at(
    conn: Connection, keys: Keys, person: Person, visit_id: str, now: datetime, *, alone: bool = False
) -> _Desk:
    book = desk.open_book(conn, keys, visit_id, now)
    row = visits.look(conn, visit_id)
    if row is None or not sees(book, row, person):
        raise Problem("not_found")
    return _Desk(conn, book, row, person, alone)


def _is_begun(book: Book) -> bool:
    """Whether an op of a phone came, in whatever verdict; those of strangers are not the visit's."""
    rids = [rid for rid, reach in book.reaches.items() if reach.acked] + [row.rid for row in book.held_rows()]
    return any(book.is_theirs(rid) for rid in rids if not SERVER_RID.match(rid))


def _template_of_both(conn: Connection, mine: str, other: str) -> Template:
    bodies = [registry.template_body(conn, tpl) or b'{"items":[]}' for tpl in (mine, other)]
    try:
        return template_of_both(bodies[0], bodies[1])
    except ValueError as clash:
        raise Problem("points_clash") from clash
