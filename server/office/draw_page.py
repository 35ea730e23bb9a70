"""A draw as the office sees it: its steps, its list, what came from outside, who was drawn, and what is next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from server.domain.access import ALL, reach
from server.domain.draw_check import check
from server.domain.excuse import Excuse
from server.domain.public_draw import Opened, PublicFile, PublicSource, PublicVoid, opened, rows_of
from server.domain.task import Task
from server.errors import Problem
from server.office.public_draws import Book, digest_of_seed, sources_of, void_of
from server.standalone import verify_draw
from server.store import directory, draw_pages, draws, excuses, tasks
from server.store.draws import Draw, Frozen
from server.store.people import Person
from server.store.session import Connection, Database

STEPS: Final = ("freeze", "commit", "contribute", "draw", "lock")
"""The five steps, as the ceremony names them."""

_DONE: Final = {"committed": 2, "contributed": 3, "drawn": 4, "locked": 5, "dispatched": 5}


class Listed(msgspec.Struct, frozen=True):
    """A line of the list of draws; `at` is when it came to where it stands."""

    draw: Draw
    task: str
    unit: str
    at: str
    drawn: int | None
    is_open: bool


class Won(msgspec.Struct, frozen=True):
    """A subject that was drawn; `excused` says why it isn't inspected, `moved_up` that it came in such a place."""

    code: str
    name: str
    stratum: str
    excused: str | None = None
    moved_up: bool = False


class View(msgspec.Struct, frozen=True):
    """One draw with all that its pages show."""

    draw: Draw
    task: Task
    unit: str
    is_open: bool
    sources: tuple[PublicSource, ...]
    counted: Opened
    kept: int
    files: tuple[PublicFile, ...]
    winners: tuple[Won, ...]
    others: tuple[Draw, ...]
    void: PublicVoid | None
    names: dict[str, str]
    excuses: tuple[Excuse, ...] = ()

    @property
    def steps(self) -> list[tuple[str, str]]:
        """Each step with how far it is; a void stays where it was."""
        return steps_of(self.draw)

    @property
    def left(self) -> list[PublicSource]:
        """The numbers that are still to come."""
        return [one for one in self.sources if one.value is None]

    @property
    def next(self) -> PublicSource | None:
        """The number that is to come next, in the order in which they were announced."""
        return self.left[0] if self.draw.state == "committed" and self.left else None

    @property
    def bits(self) -> int:
        """How many bits were announced."""
        return sum(one.bits for one in self.sources)

    @property
    def drawn(self) -> int | None:
        """How many were drawn."""
        return self.draw.drawn if self.draw.drawn_at else None

    @property
    def asked(self) -> dict[str, Excuse]:
        """Code -> the request to excuse it that waits."""
        return {one.code: one for one in self.excuses if one.state == "asked"}

    @property
    def is_last(self) -> bool:
        """Whether no further attempt was made."""
        return all(one.attempt < self.draw.attempt for one in self.others)

    @property
    def seed_digest(self) -> str | None:
        """What may be shown of the seed."""
        return digest_of_seed(self.draw.seed)

    @property
    def sha256(self) -> str | None:
        """The digest that witnesses take home: that of the first file."""
        return self.files[0].sha256 if self.files else None


def steps_of(draw: Draw | None) -> list[tuple[str, str]]:
    """Each step of a draw with `done`, `now` or `wait`; before there is one the first is now, in a void none is."""
    done = 0 if draw is None else _DONE.get(draw.state, 4 if draw.drawn_at else 2)
    state = None if draw is None else draw.state
    now = {"drawn": done - 1, "void": None}.get(state or "", done)
    return [(name, "now" if n == now else "done" if n < done else "wait") for n, name in enumerate(STEPS)]


def hindrance(conn: Connection, task: Task) -> str | None:
    """Why no draw can begin for a task: `participant`, `not_approved`, or `stands` where there is one already.

    In an incident the approval may come afterwards (R15b.3).
    """
    if task.is_participant:
        return "participant"
    if not (task.state == "approved" or (task.state == "draft" and task.incident)):
        return "not_approved"
    return None if draws.standing_of_task(conn, task.id) is None else "stands"


def ready(conn: Connection, unit_id: str | None) -> list[Task]:
    """The tasks whose draw can begin."""
    return [one for one in tasks.tasks(conn, unit_id, ("draft", "approved")) if hindrance(conn, one) is None]


class Waits(msgspec.Struct, frozen=True):
    """A request to excuse a drawn subject that waits for this person's word."""

    code: str
    no: str
    href: str


def waiting(conn: Connection, person: Person) -> Iterator[Waits]:
    """The requests that this person decides: of the own unit, or of a draw over all units; never his own."""
    far = reach(person.roles, "draws.excuse")
    if far is None:
        return
    for one in excuses.waiting(conn, None if far == ALL else person.unit_id):
        draw = draws.draw_of(conn, one.draw_id)
        task = None if draw is None else tasks.task_of(conn, draw.task_id)
        if draw is None or task is None or one.asked_by == person.id:
            continue
        if task.unified or draw.unit_id == person.unit_id:
            yield Waits(one.code, draw.no, f"/office/draws/{draw.id}#w-{one.code}")


def listed(conn: Connection, unit_id: str | None) -> list[Listed]:
    """Every attempt of a unit, or of all, the latest first."""
    units, names = directory.names_of_units(conn), {one.id: one.name for one in tasks.tasks(conn, unit_id)}
    return [
        Listed(
            draw,
            names.get(draw.task_id, ""),
            units.get(draw.unit_id, ""),
            draw.void.at if draw.void else draw.drawn_at or draw.committed_at,
            draw.drawn if draw.drawn_at else None,
            draws.is_public(conn, draw),
        )
        for draw in draws.draws(conn, unit_id)
    ]


def view_of(conn: Connection, draw_id: str) -> View:
    """One draw."""
    draw = draws.draw_of(conn, draw_id)
    task = None if draw is None else tasks.task_of(conn, draw.task_id)
    if draw is None or task is None:
        raise Problem("not_found")
    book = Book(conn)
    files = draws.files_of(conn, draw.id)
    return View(
        draw=draw,
        task=task,
        unit=book.units.get(draw.unit_id, ""),
        is_open=draws.is_public(conn, draw),
        sources=sources_of(book, draw.sources, draw.contributions),
        counted=opened(document_of(draw, draws.frozen_of(conn, draw.id).frame)),
        kept=draw.exempt,
        files=tuple(PublicFile(one.version, one.why, one.at, one.sha256, None) for one in files),
        winners=_winners(conn, draw),
        others=tuple(one for one in draws.draws_by_no(conn, draw.no) if one.id != draw.id),
        void=None if draw.void is None else void_of(book, draw.void.reason, draw.void.by, draw.void.at),
        names=book.people,
        excuses=tuple(excuses.of_draw(conn, draw.id)),
    )


def document_of(draw: Draw, frame: str) -> dict[str, Any]:
    """What a file would say of the list, before there is one."""
    return {
        "frame": frame,
        "rules": draw.rules,
        "quotas": draw.quotas,
        "winners": draw.winners,
        "excused": draw.excused,
    }


def _winners(conn: Connection, draw: Draw) -> tuple[Won, ...]:
    gone = {one.code: one.reason for one in draw.excused}
    strata = {code: stratum for stratum, codes in sorted(draw.winners.items()) for code in codes}
    up = {one.next: strata.get(one.code, "") for one in draw.excused if one.next}
    names = draw_pages.names_by_code(conn, [*strata, *up])
    return tuple(
        Won(code, names.get(code, code), stratum, gone.get(code), code in up) for code, stratum in (strata | up).items()
    )


def agreeing(db: Database, view: View) -> int | None:
    """How many programs come to the same draw: the server's own check, and the verifier that anybody may take; else 0.

    None where nothing was drawn yet.
    """
    if not view.files or view.draw.seed is None:
        return None
    newest = view.files[-1]
    return 2 if _is_verified(db, view.draw.id, newest.version, newest.sha256) else 0


@lru_cache(maxsize=256)
def _is_verified(db: Database, draw_id: str, version: int, sha256: str) -> bool:
    """What both say of one version; a version never changes, so they are asked once."""
    with db.read() as conn:
        body = draws.body_of(conn, draw_id, version) or b""
    return check(body) == [] and verify_draw.check(body, sha256).exit_code == 0


# --- lists ------------------------------------------------------------------------------------------------------------


class Row(msgspec.Struct, frozen=True):
    """A subject of a list: a candidate, or left out with a reason; `ground` exempts it from the cap."""

    code: str
    stratum: str
    reason: str
    document: str
    ground: str
    name: str = ""


class Listing(msgspec.Struct, frozen=True):
    """A list with what it comes to."""

    rows: list[Row]
    counted: Opened
    kept: int


def listing(frozen: Frozen, rules: str, quotas: Mapping[str, int] | None = None) -> Listing:
    """A frozen list, or one as it would be frozen, by the rules of its draw; the places where it was drawn."""
    document = {"frame": frozen.frame, "rules": rules, "quotas": quotas or {}, "winners": {}, "excused": []}
    return Listing([_row(frozen, *line) for line in rows_of(frozen.frame)], opened(document), len(frozen.kept))


def named(conn: Connection, rows: Iterable[Row]) -> list[Row]:
    """Rows with the names of today."""
    found = list(rows)
    names = draw_pages.names_by_code(conn, [row.code for row in found])
    return [msgspec.structs.replace(row, name=names.get(row.code, "")) for row in found]


def _row(frozen: Frozen, code: str, stratum: str, part: str, reason: str) -> Row:
    ground, document = frozen.kept.get(code, ("", ""))
    is_out = part == "X"
    return Row(code, stratum, reason if is_out else "", frozen.documents.get(code, "") if is_out else document, ground)
