"""Bringing a file, applying it, taking it back, giving it up: the acts of an import (R7.1, R7.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from server.domain.importing import Choices, hindrance
from server.errors import Problem
from server.office.act import act, digest_of, permit
from server.store import imports, trail
from server.store.imports import Batch
from server.store.people import Person
from server.store.session import Connection
from server.store.sources import Kept

UNDONE_BY_READING = ("reading", "checked")
"""States in which a batch can be given up: nothing of it is in the library."""


@act("import.bring", "imports.run")
def bring_import(
    conn: Connection,
    person: Person,
    now: datetime,
    *,
    batch_id: str,
    layout: str,
    filename: str,
    source: str,
    kept: Kept,
    form: dict[str, Any],
) -> Batch:
    """Notes a file that was stored, to be read into the library of the person's own unit."""
    permit(person, "imports.run", person.unit_id)
    batch = Batch(
        id=batch_id,
        layout=layout,
        unit_id=str(person.unit_id),
        state="reading",
        filename=filename,
        source=source,
        sha256=kept.sha256,
        size=kept.size,
        form=form,
        total=None,
        done=0,
        counts={"kinds": {}, "codes": {}},
        choices=None,
        held=None,
        entered_by=person.id,
        entered_at=imports.moment_of(now),
        applied_by=None,
        applied_at=None,
        undone_by=None,
        undone_at=None,
    )
    imports.add_batch(conn, batch)
    detail = {"layout": layout, "filename": filename, "source": source, "sha256": kept.sha256}
    _trace(conn, person, now, "import.bring", batch_id, None, detail)
    return batch


@act("import.apply", "imports.run")
def apply_import(conn: Connection, person: Person, now: datetime, batch_id: str, choices: Choices) -> None:
    """Orders a checked batch to be applied, as the choices say (R7.2: nothing is overwritten silently)."""
    batch = _own(conn, person, batch_id)
    if batch.state != "checked":
        raise Problem("import_not_now", state=batch.state)
    why = hindrance(batch.counts["kinds"], choices)
    if why is not None:
        raise Problem(why, changed=batch.counts["kinds"].get("changed", 0))
    said = msgspec.to_builtins(choices)
    values = {"choices": said, "applied_by": person.id, "done": 0, "held": None}
    _move(conn, batch, "applying", **values)
    _trace(conn, person, now, "import.apply", batch_id, batch, said | {"kinds": batch.counts["kinds"]})


@act("import.undo", "imports.run")
def undo_import(conn: Connection, person: Person, now: datetime, batch_id: str) -> None:
    """Orders an applied batch to be taken back; rows that are used or were changed since stop it (R7.2)."""
    batch = _own(conn, person, batch_id)
    if batch.state != "applied":
        raise Problem("import_not_now", state=batch.state)
    _move(conn, batch, "undoing", undone_by=person.id, done=0, held=None)
    _trace(conn, person, now, "import.undo", batch_id, batch, {"kinds": batch.counts["kinds"]})


@act("import.abandon", "imports.run")
def abandon_import(conn: Connection, person: Person, now: datetime, batch_id: str) -> None:
    """Gives a batch up before it was applied; its rows go, that it was brought stays."""
    batch = _own(conn, person, batch_id)
    if batch.state not in UNDONE_BY_READING:
        raise Problem("import_not_now", state=batch.state)
    _move(conn, batch, "abandoned")
    imports.wipe_rows(conn, batch_id)
    _trace(conn, person, now, "import.abandon", batch_id, batch, None)


@act("import.resume", "imports.run")
def resume_import(conn: Connection, person: Person, now: datetime, batch_id: str) -> None:
    """Lets a batch go on that was interrupted."""
    batch = _own(conn, person, batch_id)
    if batch.state not in imports.BUSY:
        raise Problem("import_not_now", state=batch.state)
    _move(conn, batch, batch.state, held=None)
    _trace(conn, person, now, "import.resume", batch_id, batch, None)


def _own(conn: Connection, person: Person, batch_id: str) -> Batch:
    batch = imports.batch_of(conn, batch_id)
    if batch is None:
        raise Problem("not_found")
    permit(person, "imports.run", batch.unit_id)
    return batch


def _move(conn: Connection, batch: Batch, state: str, **values: Any) -> None:
    if not imports.set_batch(conn, batch.id, batch.state, state=state, **values):
        raise Problem("import_not_now", state=batch.state)


def _trace(
    conn: Connection,
    person: Person,
    now: datetime,
    name: str,
    batch_id: str,
    before: Batch | None,
    detail: dict[str, Any] | None,
) -> None:
    after = imports.batch_of(conn, batch_id)
    digests = (None if before is None else digest_of(before)), digest_of(after)
    trail.append(conn, [trail.Act(name, person.id, f"import:{batch_id}", *digests, detail)], now)
