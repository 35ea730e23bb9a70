"""What who objects does himself, without an account: files, hands in papers, follows by his receipt's code (R26.5).

The entry in the trail says that it was done; nothing that he wrote of himself or of his cause stands there.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final

import msgspec

from server.domain import objection as rules
from server.domain.calendar import Due
from server.domain.entry import Entry
from server.domain.faults import Fault, Invalid
from server.domain.instant import beijing_day, stamp
from server.errors import Problem
from server.office.act import digest_of, new_id
from server.store import deadlines, documents, objections, publications, trail
from server.store.counting import next_of
from server.store.files import FileStore
from server.store.objections import FEEDBACK, RECHECK, Event, Objection, Paper
from server.store.seal import Sealer
from server.store.session import Connection

ARTICLE: Final = "26"
APPLICANT: Final = "applicant"
"""Who did it, in the trail: whoever objected, and nobody by name."""

FILED_MOST: Final = 10
WRONG_MOST: Final = 30
"""How often within an hour an address may file, and try codes in vain."""

KEY_LEAST: Final = 20


class Receipt(msgspec.Struct, frozen=True):
    """What who objected takes home: the code opens his objection, and nowhere else is it kept in clear."""

    no: str
    code: str
    result_no: str
    filed_at: str
    papers: int


class Letter(msgspec.Struct, frozen=True):
    """A letter that went out, by the place of its step."""

    n: int
    kind: str
    no: str
    on: str


class Followed(msgspec.Struct, frozen=True):
    """What the code opens: where it stands, the two days, and what the office said; nothing that he wrote himself.

    `state` is `rechecking` until the answer went out, whatever was found meanwhile.
    """

    no: str
    result_no: str
    subject: str
    state: str
    filed_at: str
    papers_on: str
    papers: int
    recheck: Due | None
    feedback: Due | None
    outcome: str | None
    reason: str | None
    said: str
    letters: tuple[Letter, ...]


# --- papers -----------------------------------------------------------------------------------------------------------


class Sealed(msgspec.Struct, frozen=True):
    """Papers that lie sealed in the store of files; `sizes` are those of the sealed bytes."""

    papers: tuple[Paper, ...]
    sizes: Mapping[str, int]


def paper_faults(files: Sequence[bytes], there: int = 0) -> list[Fault]:
    """What is wrong with papers: too many, too large, or neither a picture nor a PDF."""
    faults = []
    if there + len(files) > rules.PAPERS_MOST:
        faults.append(Fault("papers", "papers_many", {"most": rules.PAPERS_MOST}))
    for one in files:
        if len(one) > rules.PAPER_BYTES:
            faults.append(Fault("papers", "paper_large", {"most": rules.PAPER_BYTES >> 20}))
        elif rules.mime_of(one[:16]) is None:
            faults.append(Fault("papers", "paper_kind"))
    return faults[:1]


def seal_papers(
    store: FileStore, sealer: Sealer, now: datetime, id: str, files: Sequence[bytes], there: int = 0
) -> Sealed:
    """Puts papers into the store of files, sealed for their place in this objection."""
    papers, sizes = list[Paper](), dict[str, int]()
    for n, content in enumerate(files, start=there + 1):
        digest, size = store.put([sealer.seal_bytes("objection_paper", "content", f"{id}/{n}", content)])
        sizes[digest] = size
        papers.append(Paper(id, n, str(rules.mime_of(content[:16])), len(content), digest, stamp(now)))
    return Sealed(tuple(papers), sizes)


# --- filing -----------------------------------------------------------------------------------------------------------


class Filing(msgspec.Struct, frozen=True):
    """What was entered, checked; `result` is the publication."""

    id: str
    code: str
    no: str
    capacity: str
    said: Mapping[str, str]


def check(conn: Connection, sealer: Sealer, values: Mapping[str, str], files: Sequence[bytes]) -> Filing:
    """What was entered as it is to be filed, or every fault at once."""
    entry = Entry(values)
    no = entry.line("no", most=20)
    capacity = entry.choice("capacity", rules.CAPACITIES)
    said = {
        "name": entry.name("name", most=60),
        "phone": entry.phone("phone"),
        "grounds": entry.text("grounds"),
        "wanted": entry.text("wanted", most=1000),
    }
    if no and publications.published(conn, no) is None:
        entry.wrong("no", "no_such_result")
    faults = [*entry.faults, *paper_faults(files)]
    if faults:
        raise Invalid(faults, ARTICLE)
    return Filing(new_id(), _code(sealer, values.get("key", ""), no, said), no, capacity, said)


def _code(sealer: Sealer, key: str, no: str, said: Mapping[str, str]) -> str:
    """The code of what was entered in one form: sent twice it is the same, so that nothing is filed twice.

    `key` is the chance that the form came with; where it is too short for that, the code is of our own chance.
    """
    if len(key) < KEY_LEAST:
        return rules.code_of(secrets.token_bytes(32))
    digest = sha256(json.dumps([key, no, *said.values()]).encode()).hexdigest()
    return rules.code_of(bytes.fromhex(sealer.blind("objection.code", digest)))


def file_objection(
    conn: Connection, sealer: Sealer, now: datetime, address: str, filing: Filing, sealed: Sealed
) -> Receipt:
    """Files an objection; one entry in the trail. What was filed by this very form already isn't filed again."""
    next_of(conn, "objection_filing")  # its row is locked: of two that send one form at once the second sees the first
    there = objections.objection_by_code(conn, str(rules.code_hash(filing.code)))
    if there is not None:
        return _receipt(conn, there, filing.code)
    wait = objections.wait_of(conn, "file", address, now, FILED_MOST)
    if wait is not None:
        raise Problem("slow_down", headers={"Retry-After": str(wait)}, seconds=wait)
    made = _made(conn, now, filing)
    objections.add_objection(conn, sealer, made, str(rules.code_hash(filing.code)), filing.said)
    objections.add_papers(conn, sealed.papers, sealed.sizes)
    objections.add_event(conn, made, "file", APPLICANT, now, made.state, detail={"papers": len(sealed.papers)})
    objections.note_try(conn, "file", address, now)
    _note(conn, now, "objection.file", None, made, len(sealed.papers))
    return _receipt(conn, made, filing.code)


def _made(conn: Connection, now: datetime, filing: Filing) -> Objection:
    head = publications.published(conn, filing.no)
    if head is None:
        raise Problem("not_found")
    today = beijing_day(now)
    return Objection(
        id=filing.id,
        no=f"{today.year}-{next_of(conn, f'objection:{today.year}'):04}",
        publication_id=head.id,
        version=head.version,
        unit_id=head.unit_id,
        visit_id=head.visit_id,
        capacity=filing.capacity,
        filed_at=stamp(now),
        papers_on=today.isoformat(),
        state="filed",
        outcome=None,
        changed_at=stamp(now),
        result_no=head.no,
        subject=head.subject_name,
        subject_id=head.subject_id,
    )


def _receipt(conn: Connection, it: Objection, code: str) -> Receipt:
    return Receipt(it.no, code, it.result_no, it.filed_at, len(objections.papers_of(conn, it.id)))


def _note(conn: Connection, now: datetime, name: str, before: Objection | None, after: Objection, papers: int) -> None:
    detail = {"no": after.no, "result": after.result_no, "capacity": after.capacity, "papers": papers}
    was = None if before is None else digest_of(before)
    trail.append(conn, [trail.Act(name, APPLICANT, f"objection:{after.id}", was, digest_of(after), detail)], now)


# --- following --------------------------------------------------------------------------------------------------------


def held_by(conn: Connection, code: str, address: str, now: datetime, *, lock: bool = False) -> Objection:
    """The objection that a code opens. Who tried too many in vain has to wait; the caller counts what wasn't found."""
    if not code:
        raise Invalid([Fault("code", "missing")], ARTICLE)
    wait = objections.wait_of(conn, "code", address, now, WRONG_MOST)
    if wait is not None:
        raise Problem("slow_down", headers={"Retry-After": str(wait)}, seconds=wait)
    hashed = rules.code_hash(code)
    found = None if hashed is None else objections.objection_by_code(conn, hashed, lock=lock)
    if found is None:
        raise Problem("objection_unknown")
    return found


def add_papers(conn: Connection, now: datetime, it: Objection, sealed: Sealed) -> None:
    """Hands in what was missing: the days of the recheck run from now. `it` is locked."""
    state = rules.after(it.state, "add_papers")
    if state is None:
        raise Problem("objection_state")
    objections.add_papers(conn, sealed.papers, sealed.sizes)
    objections.move(conn, it.id, now, state=state, papers_on=beijing_day(now).isoformat())
    objections.add_event(conn, it, "add_papers", APPLICANT, now, state, detail={"papers": len(sealed.papers)})
    after = objections.objection_of(conn, it.id) or it
    _note(conn, now, "objection.add_papers", it, after, len(sealed.papers))


def followed(conn: Connection, it: Objection) -> Followed:
    """What who holds the code reads."""
    events = objections.events_of(conn, it.id)
    last = next((one for one in reversed(events) if one.act in ("ask_papers", "refuse")), None)
    speaks = last if it.state in ("papers_asked", "refused") else None
    return Followed(
        no=it.no,
        result_no=it.result_no,
        subject=it.subject,
        state="rechecking" if it.state in ("found", "confirmed") else it.state,
        filed_at=it.filed_at,
        papers_on=it.papers_on,
        papers=len(objections.papers_of(conn, it.id)),
        recheck=due_of(conn, it, RECHECK),
        feedback=due_of(conn, it, FEEDBACK) if it.state == "answered" else None,
        outcome=it.outcome if it.state == "answered" else None,
        reason=None if speaks is None else speaks.detail.get("reason"),
        said="" if speaks is None else speaks.said,
        letters=tuple(_letters(conn, events)),
    )


def due_of(conn: Connection, it: Objection, kind: str) -> Due | None:
    """One of the two deadlines, where it was set."""
    found = deadlines.deadlines_of(conn, [f"objection:{it.id}"], kind).get(f"objection:{it.id}")
    return None if found is None else found.due


def _letters(conn: Connection, events: Sequence[Event]) -> list[Letter]:
    found = []
    for one in events:
        kept = None if one.document_id is None else documents.document_of(conn, one.document_id)
        if kept is not None:
            found.append(Letter(one.n, kept.kind, kept.no, kept.made_at))
    return found


def letter_digest(conn: Connection, it: Objection, n: int) -> str:
    """SHA-256 of the letter that went out with a step."""
    event = next((one for one in objections.events_of(conn, it.id) if one.n == n), None)
    kept = None if event is None or event.document_id is None else documents.document_of(conn, event.document_id)
    if kept is None:
        raise Problem("not_found")
    return kept.sha256


def no_paper() -> list[Fault]:
    """What is wrong where papers were to be handed in and none came."""
    return [Fault("papers", "no_file")]
