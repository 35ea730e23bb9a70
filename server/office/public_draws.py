"""What everybody may read of draws: attempts, numbers from outside, digests; files only once they are open (R17.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Protocol

import msgspec

from server.domain.calendar import working_days_between
from server.domain.draw_sources import Source
from server.domain.instant import beijing_day, instant
from server.domain.public_draw import (
    Opened,
    PublicAttempt,
    PublicDraw,
    PublicFile,
    PublicSource,
    PublicVoid,
    Rates,
)
from server.errors import Problem
from server.store import crews, directory, draw_pages, draws, tasks
from server.store.calendars import calendar
from server.store.crews import Match
from server.store.draw_pages import CrewLink, Link, Tally
from server.store.draws import Draw
from server.store.session import Connection


class Given(Protocol):
    """A number that came, in the draw of subjects or in that of officers."""

    @property
    def k(self) -> str: ...
    @property
    def v(self) -> str: ...
    @property
    def at(self) -> str: ...
    @property
    def by(self) -> str: ...
    @property
    def evidence(self) -> str | None: ...
    @property
    def link(self) -> str | None: ...


class Book:
    """Names and tasks that a page of draws needs, read once."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        self.people = directory.names_of_people(conn)
        self.units = directory.names_of_units(conn)

    def name(self, id: str) -> str:
        """Who it is; a witness has no account and is named as he was written down."""
        return self.people.get(id, id)


def one(conn: Connection, no: str) -> PublicDraw:
    """A draw by its number."""
    found = draws.draws_by_no(conn, no)
    if not found:
        raise Problem("not_found")
    return draw_of(Book(conn), found)


def draw_of(book: Book, attempts: Sequence[Draw]) -> PublicDraw:
    """All attempts at one draw."""
    first = attempts[0]
    task = tasks.task_of(book.conn, first.task_id)
    if task is None:
        raise Problem("not_found")
    shown = [_attempt(book, draw) for draw in sorted(attempts, key=lambda draw: -draw.attempt)]
    if shown[0].void is None:
        shown[0] = msgspec.structs.replace(shown[0], **exceptions_of(book.conn, task.id))
    return PublicDraw(
        no=first.no,
        task_no=task.no,
        task=task.name,
        unit=book.units.get(first.unit_id, ""),
        window_to=task.window_to,
        attempts=tuple(shown),
        crews=tuple(match_of(book, match) for match in crews.matches_of_task(book.conn, task.id)[::-1]),
    )


def exceptions_of(conn: Connection, task_id: str) -> dict[str, int]:
    """How often a task left the lot's way: each was approved, and is counted in public even while it is sealed."""
    ways = [one for one in crews.ways_of_task(conn, task_id) if one.state == "approved"]
    matches = crews.matches_of_task(conn, task_id)
    return {
        "merged": sum(len(one.officers) for one in ways if one.kind == "merged_pool"),
        "direct": sum(one.kind == "direct_assignment" for one in ways),
        "replaced": sum(len(crews.changes_of_match(conn, match.id)) for match in matches),
        "withdrawn": sum(one.state == "approved" for one in tasks.withdrawals_of(conn, task_id)),
    }


def _attempt(book: Book, draw: Draw) -> PublicAttempt:
    is_open = draws.is_public(book.conn, draw)
    files = draws.files_of(book.conn, draw.id)
    return PublicAttempt(
        id=draw.id,
        attempt=draw.attempt,
        state=draw.state,
        prev=draw.prev,
        commit=draw.commit,
        committed_at=draw.committed_at,
        sources=sources_of(book, draw.sources, draw.contributions),
        files=tuple(
            PublicFile(file.version, file.why, file.at, file.sha256, href_of(draw, file.version) if is_open else None)
            for file in files
        ),
        is_open=is_open,
        drawn_at=draw.drawn_at,
        drawn=draw.drawn if draw.drawn_at else None,
        seed_digest=digest_of_seed(draw.seed),
        void=None if draw.void is None else void_of(book, draw.void.reason, draw.void.by, draw.void.at),
        excused=len(draw.excused),
    )


def href_of(draw: Draw, version: int) -> str:
    """Where a version of a file lies."""
    return address_of(draw.no, draw.attempt, version)


def address_of(no: str, attempt: int, version: int) -> str:
    """The same by the number of the draw."""
    return f"/draws/{no}/files/{attempt}-{version}.json"


def digest_of_seed(seed: str | None) -> str | None:
    """What is shown of a seed that is sealed."""
    return None if seed is None else hashlib.sha256(seed.encode()).hexdigest()


def void_of(book: Book, reason: str | None, by: str | None, at: str | None) -> PublicVoid | None:
    """Why an attempt doesn't count, and who said so by name."""
    return None if at is None else PublicVoid(reason or "", book.name(by or ""), at)


def sources_of(
    book: Book, announced: Iterable[Source | Mapping[str, Any]], given: Iterable[Given]
) -> tuple[PublicSource, ...]:
    """What was announced, each with what came."""
    came = {one.k: one for one in given}
    named = (msgspec.convert(msgspec.to_builtins(source), PublicSource) for source in announced)
    return tuple(_source(book, source, came.get(source.id)) for source in named)


def _source(book: Book, source: PublicSource, came: Given | None) -> PublicSource:
    if came is None:
        return source
    return msgspec.structs.replace(
        source, value=came.v, at=came.at, by=book.name(came.by), evidence=came.evidence, link=came.link
    )


def match_of(book: Book, match: Match) -> PublicAttempt:
    """One attempt at the officers."""
    return PublicAttempt(
        id=match.id,
        attempt=match.attempt,
        state=match.state,
        prev=match.prev,
        commit=match.commit,
        committed_at=match.committed_at,
        sources=sources_of(book, match.sources, crews.contributions_of(book.conn, match.id)),
        files=(),
        is_open=False,
        drawn_at=match.matched_at,
        drawn=len(match.teams) if match.matched_at else None,
        seed_digest=digest_of_seed(match.seed),
        void=void_of(book, match.void_reason, match.void_by, match.void_at),
    )


# --- files ------------------------------------------------------------------------------------------------------------


def body_of(conn: Connection, no: str, name: str) -> bytes:
    """A file's exact bytes by its name, `attempt-version`; a sealed one doesn't exist for the public."""
    for draw in draws.draws_by_no(conn, no):
        if draws.is_public(conn, draw):
            for file in draws.files_of(conn, draw.id):
                if f"{draw.attempt}-{file.version}.json" == name:
                    return draws.body_of(conn, draw.id, file.version) or b""
    raise Problem("not_found")


def newest_open(conn: Connection, draw: PublicDraw) -> tuple[PublicAttempt, dict[str, Any]] | None:
    """The newest file that is open, of the attempt that counts where it has one, read."""
    for attempt in draw.attempts:
        if attempt.is_open and attempt.newest is not None:
            body = draws.body_of(conn, attempt.id, attempt.newest.version)
            document: dict[str, Any] = msgspec.json.decode(body or b"{}")
            return attempt, document
    return None


def kept(conn: Connection, attempt: PublicAttempt) -> int:
    """How many an exemption kept on the list (R15a.3)."""
    draw = draws.draw_of(conn, attempt.id)
    return 0 if draw is None else draw.exempt


def names_of(conn: Connection, shown: Opened) -> dict[str, str]:
    """The names of those who were drawn, or moved up."""
    codes = [code for code, _ in shown.winners] + [one["next"] for one in shown.excused if one["next"]]
    return draw_pages.names_by_code(conn, codes)


def undispatched(conn: Connection, shown: Iterable[PublicDraw], today: date) -> dict[str, int | None]:
    """Attempt that was drawn and not dispatched yet -> for how many working days; None where the calendar ends."""
    known = calendar(conn)
    return {
        draw.last.id: working_days_between(beijing_day(instant(draw.last.drawn_at)), today, known)
        for draw in shown
        if draw.last.state == "drawn" and draw.last.drawn_at is not None
    }


# --- rates and the chain ----------------------------------------------------------------------------------------------


def rates(conn: Connection) -> list[Rates]:
    """What each unit that draws did otherwise than by lot, and how often."""
    units = directory.names_of_units(conn)
    tallies, replaced = draw_pages.tallies(conn, units), draw_pages.replacements(conn, units)
    ways, places = draw_pages.ways_out(conn, units), draw_pages.places(conn, units)
    return [
        _rates(units[id], tallies.get(id, Tally()), places.get(id, 0), replaced.get(id, 0),
               ways.get((id, "direct_assignment"), 0), ways.get((id, "merged_pool"), 0))
        for id in sorted({*tallies, *replaced, *places, *(id for id, _ in ways)})
    ]  # fmt: skip


def _rates(unit: str, its: Tally, places: int, replaced: int, direct: int, merged: int) -> Rates:
    return Rates(
        unit, its.attempts, its.voids, places, replaced, direct, merged, its.rows, its.other_case, its.undispatched
    )


def chain(conn: Connection) -> dict[str, Any]:
    """Both chains, each in its order."""
    links, crew_links = draw_pages.chain(conn), draw_pages.crew_chain(conn)
    is_open = draw_pages.open_tasks(conn, [link.task_id for link in links])
    numbers = _numbers(conn, links, crew_links)
    return {
        "t": "draw-chain/1",
        "sdraw1": [_link(link, link.task_id in is_open) for link in links],
        "omatch1": [_committed(link) | numbers[link.task_id] for link in crew_links],
    }


def _link(link: Link, is_open: bool) -> dict[str, Any]:
    no = draws.no_of(link.year, link.seq)
    files = [
        {"version": n, "sha256": sha256, "href": address_of(no, link.attempt, n) if is_open else None}
        for n, sha256 in link.files
    ]
    return _committed(link) | {"no": no, "files": files}


def _numbers(conn: Connection, links: Sequence[Link], crew_links: Sequence[CrewLink]) -> dict[str, dict[str, Any]]:
    """Task -> its number, and that of its draw; of a joint one that of the lead's."""
    first: dict[str, Link] = {}
    for link in links:
        first.setdefault(link.task_id, link)
    found: dict[str, dict[str, Any]] = {}
    for task_id, (no, joint) in tasks.numbers_of(conn, [link.task_id for link in crew_links]).items():
        drawn = first.get(task_id)
        ours = None if drawn is None else draws.no_of(drawn.year, drawn.seq)
        found[task_id] = {"task": no, "no": f"J-{no}" if joint == "participant" else ours}
    return found


def _committed(one: Link | CrewLink) -> dict[str, Any]:
    return {
        "attempt": one.attempt,
        "prev": one.prev,
        "commit": one.commit,
        "committed_at": one.committed_at,
        "state": one.state,
    }
