"""The item list: its working draft, and the versions that were released (R5.2, R5.3)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import rfc8785
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.instant import stamp
from server.domain.item import Item, digest_of_edition, edition_of, item_of_edition, template_of
from server.errors import Problem
from server.store.registry import keep_template
from server.store.tables import item, item_edition, list_entry, list_version, subject, unit_subject


class Draft(msgspec.Struct, frozen=True):
    """An item of the working draft: `rev` counts its changes, `entered_by` tells who made those not yet released."""

    item: Item
    rev: int
    entered_by: tuple[str, ...]
    changed_at: str | None


class ListVersion(msgspec.Struct, frozen=True):
    """A released version of the list."""

    n: int
    released_on: str
    released_at: str
    released_by: str
    document: str
    summary: str
    sha256: str


class Listed(msgspec.Struct, frozen=True):
    """An item in a version, with the digests of its edition and of its checklist alone."""

    item: Item
    edition: str
    template: str


class Group(msgspec.Struct, frozen=True):
    """How many active subjects are alike in what items look at; of one unit's library, or of all libraries at once."""

    kind: str
    industry: str
    traits: tuple[str, ...]
    n: int
    unit_id: str | None = None


# --- the working draft ------------------------------------------------------------------------------------------------


def drafts(conn: Connection) -> list[Draft]:
    """Every item of the working draft, by id."""
    return [_draft(row) for row in conn.execute(sa.select(item).order_by(item.c.id)).mappings()]


def draft_of(conn: Connection, item_id: str) -> Draft | None:
    """One item of the working draft."""
    row = conn.execute(sa.select(item).where(item.c.id == item_id)).mappings().one_or_none()
    return None if row is None else _draft(row)


def add_draft(conn: Connection, added: Item, entered_by: Sequence[str], now: datetime) -> None:
    """A new item; an id that is there already is an IntegrityError."""
    conn.execute(
        sa.insert(item).values(**msgspec.to_builtins(added), rev=1, entered_by=list(entered_by), changed_at=stamp(now))
    )


def put_draft(conn: Connection, before: Draft, after: Item, entered_by: Sequence[str], now: datetime) -> bool:
    """Writes a change over the draft that it was made from; False where somebody else was faster."""
    done = conn.execute(
        sa.update(item)
        .where(item.c.id == after.id, item.c.rev == before.rev)
        .values(**msgspec.to_builtins(after), rev=before.rev + 1, entered_by=list(entered_by), changed_at=stamp(now))
    )
    return done.rowcount == 1


def known_points(conn: Connection, item_id: str) -> set[str]:
    """The ids of all points that an item has, or ever had in a version: they may come back, and keep their meaning."""
    bodies = conn.scalars(sa.select(item_edition.c.body).where(item_edition.c.item_id == item_id))
    known = {point.id for body in bodies for point in item_of_edition(body).checklist}
    draft = draft_of(conn, item_id)
    return known | {point.id for point in draft.item.checklist} if draft else known


def _draft(row: Any) -> Draft:
    values = {str(name): value for name, value in row.items()}
    return Draft(msgspec.convert(values, Item), row["rev"], tuple(row["entered_by"]), row["changed_at"])


# --- versions ---------------------------------------------------------------------------------------------------------


def versions(conn: Connection) -> list[ListVersion]:
    """Every version, the newest first."""
    rows = conn.execute(sa.select(list_version).order_by(list_version.c.n.desc())).mappings()
    return [_version(row) for row in rows]


def version(conn: Connection, n: int) -> ListVersion | None:
    """One version."""
    row = conn.execute(sa.select(list_version).where(list_version.c.n == n)).mappings().one_or_none()
    return None if row is None else _version(row)


def _version(row: Any) -> ListVersion:
    return msgspec.convert({str(name): value for name, value in row.items()}, ListVersion)


def current_version(conn: Connection, day: str) -> int | None:
    """The number of the version in effect on a day ("YYYY-MM-DD"); None before the first release."""
    query = sa.select(sa.func.max(list_version.c.n)).where(list_version.c.released_on <= day)
    n: int | None = conn.scalar(query)
    return n


def listed(conn: Connection, n: int) -> list[Listed]:
    """The items of a version with their digests, in the order of the list."""
    query = (
        sa.select(item_edition.c.body, item_edition.c.sha256, item_edition.c.template, list_entry.c.place)
        .join(list_entry, list_entry.c.edition == item_edition.c.sha256)
        .where(list_entry.c.version == n)
    )
    rows = sorted(conn.execute(query), key=lambda row: int(row.place))
    return [Listed(item_of_edition(row.body), row.sha256, row.template) for row in rows]


def items_of(conn: Connection, n: int) -> list[Item]:
    """The items of a version, in the order of the list."""
    return [one.item for one in listed(conn, n)]


def listed_ids(conn: Connection, n: int | None) -> set[str]:
    """The ids of a version's items; of none, none. What `must_be_released` asks for."""
    return set(conn.scalars(sa.select(list_entry.c.item_id).where(list_entry.c.version == n)))


def item_at(conn: Connection, n: int, item_id: str) -> Item:
    """An item as a version has it, whatever was released since (R5.3); else `item_not_in_version`."""
    query = (
        sa.select(item_edition.c.body)
        .join(list_entry, list_entry.c.edition == item_edition.c.sha256)
        .where(list_entry.c.version == n, list_entry.c.item_id == item_id)
    )
    body: bytes | None = conn.scalar(query)
    if body is None:
        raise Problem("item_not_in_version", n=n)
    return item_of_edition(body)


def versions_with(conn: Connection, item_id: str) -> list[tuple[int, str]]:
    """The versions that have an item, each with the digest of its edition; the newest first."""
    query = (
        sa.select(list_entry.c.version, list_entry.c.edition)
        .where(list_entry.c.item_id == item_id)
        .order_by(list_entry.c.version.desc())
    )
    return [(row.version, row.edition) for row in conn.execute(query)]


def digest_of_list(items: Iterable[Item]) -> str:
    """The name of a list: the SHA-256 over the ids and editions of its items, in its order."""
    return hashlib.sha256(rfc8785.dumps([[one.id, digest_of_edition(one)] for one in items])).hexdigest()


def keep_version(conn: Connection, made: ListVersion, items: Sequence[Item]) -> None:
    """Keeps a version with all its items; a number that is taken is `list_changed`: somebody was faster."""
    kept = set(conn.scalars(sa.select(item_edition.c.sha256)))
    named = [(digest_of_edition(one), one) for one in items]
    entries = [
        {"version": made.n, "item_id": one.id, "place": place, "edition": digest}
        for place, (digest, one) in enumerate(named)
    ]
    try:
        for digest, one in named:
            if digest not in kept:
                _keep_edition(conn, one, digest)
        if entries:
            conn.execute(sa.insert(list_entry), entries)
        conn.execute(sa.insert(list_version).values(msgspec.to_builtins(made)))
    except sa.exc.IntegrityError:
        raise Problem("list_changed") from None


def _keep_edition(conn: Connection, one: Item, digest: str) -> None:
    template = template_of([one])
    keep_template(conn, template)
    body = rfc8785.dumps(dict(edition_of(one)))
    conn.execute(sa.insert(item_edition).values(sha256=digest, item_id=one.id, template=template.sha256, body=body))


# --- coverage ---------------------------------------------------------------------------------------------------------


def groups_of_subjects(conn: Connection, looked_at: Collection[str]) -> list[Group]:
    """The active subjects of all libraries, counted by what items look at: once for each unit, and once overall.

    `looked_at` names those of `kind`, `industry` and `traits` that matter; by the others nobody is told apart.
    """
    columns = {
        "kind": subject.c.kind,
        "industry": subject.c.industry,
        "traits": sa.cast(subject.c.traits, sa.Text).label("traits"),
    }
    alike = [column for name, column in columns.items() if name in looked_at]
    inside = subject.c.id.in_(sa.select(unit_subject.c.subject_id))
    active = subject.c.status == "active"
    overall = sa.select(*alike, sa.func.count().label("n")).where(inside, active).group_by(*alike)
    by_unit = (
        sa.select(*alike, unit_subject.c.unit_id, sa.func.count().label("n"))
        .join(unit_subject, unit_subject.c.subject_id == subject.c.id)
        .where(active)
        .group_by(*alike, unit_subject.c.unit_id)
    )
    return [_group(row) for query in (overall, by_unit) for row in conn.execute(query).mappings() if row["n"]]


def _group(row: Any) -> Group:
    traits = tuple(msgspec.json.decode(row.get("traits", "[]")))
    return Group(row.get("kind", ""), row.get("industry", ""), traits, row["n"], row.get("unit_id"))
