"""Rows of the media: uploads under way, bytes that are here, and where an op names them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from server.domain.instant import stamp
from server.store.bulk import Plain, insert_rows
from server.store.tables import blob, device, media, media_name, upload, visit, visit_crew


class Upload(msgspec.Struct, frozen=True):
    """A tus upload. Its offset isn't here: that is the length of its file."""

    id: str
    account_id: str
    rid: str | None
    size: int
    sha256: str | None
    visit_id: str | None
    mime: str
    of: str | None
    metadata: str
    created_at: str
    expires_at: str
    state: str = "open"


class Arrival(NamedTuple):
    """Verified bytes on the disk, and what their sender said of them."""

    sha256: str
    size: int
    visit_id: str | None
    mime: str
    of: str | None


class Place(NamedTuple):
    """A visit that names some bytes which are here for it, as one person relates to it."""

    visit_id: str
    unit_id: str
    role: str | None
    """His role in the crew, `removed` included; None where he never was in it."""


_UPLOAD_COLUMNS = [upload.c[name] for name in Upload.__struct_fields__]
_FIND = Plain(sa.select(*_UPLOAD_COLUMNS).where(upload.c.id == sa.bindparam("upload_id")))
_END = Plain(sa.update(upload).where(upload.c.id == sa.bindparam("upload_id")).values(state=sa.bindparam("ended")))


def add_upload(conn: Connection, new: Upload) -> None:
    """Write down an upload."""
    insert_rows(conn, upload, Upload.__struct_fields__, [msgspec.structs.astuple(new)])


def upload_of(conn: Connection, upload_id: str) -> Upload | None:
    """The upload of this id."""
    row = _FIND.row(conn, upload_id=upload_id)
    return None if row is None else Upload(*row)


def cut_upload_of(conn: Connection, like: Upload) -> Upload | None:
    """The newest upload of the same bytes, visit and person that was cut off and can go on."""
    row = conn.execute(
        sa.select(*_UPLOAD_COLUMNS)
        .where(
            upload.c.account_id == like.account_id,
            upload.c.sha256 == like.sha256,
            upload.c.size == like.size,
            upload.c.visit_id.is_not_distinct_from(like.visit_id),
            upload.c.of.is_not_distinct_from(like.of),
            upload.c.rid.is_not_distinct_from(like.rid),
            upload.c.state == "open",
            upload.c.expires_at > like.created_at,
        )
        .order_by(upload.c.created_at.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Upload(*row)


def end_upload(conn: Connection, upload_id: str, state: str) -> None:
    """Mark an upload `done` or `refused`."""
    _END.run(conn, upload_id=upload_id, ended=state)


def take_expired(conn: Connection, now: datetime) -> list[str]:
    """Forget the uploads whose time is over; the ids of those that may have a file."""
    late = upload.c.expires_at <= stamp(now)
    found = list(conn.scalars(sa.select(upload.c.id).where(late)))
    conn.execute(sa.delete(upload).where(late))
    return found


def record_arrivals(
    conn: Connection, arrivals: Sequence[Arrival], account_id: str, rid: str | None, now: datetime
) -> None:
    """Write down bytes that are on the disk; the same bytes of the same sender for the same visit only once."""
    at = stamp(now)
    fresh = {one.sha256: (one.sha256, one.size, at) for one in arrivals}
    added = insert_rows(conn, blob, ("sha256", "size", "stored_at"), list(fresh.values()), new=False)
    known = set() if added == len(fresh) else _known(conn, fresh, account_id, rid)
    rows = {
        (one.sha256, one.visit_id, one.of): (one.sha256, one.visit_id, one.mime, one.of, account_id, rid, at)
        for one in arrivals
        if (one.sha256, one.visit_id, one.of) not in known
    }
    insert_rows(conn, media, _MEDIA_COLUMNS, list(rows.values()))


_MEDIA_COLUMNS = ("sha256", "visit_id", "mime", "of", "account_id", "rid", "stored_at")


def _known(
    conn: Connection, digests: Collection[str], account_id: str, rid: str | None
) -> set[tuple[str, str | None, str | None]]:
    query = sa.select(media.c.sha256, media.c.visit_id, media.c.of).where(
        media.c.sha256.in_(digests), media.c.account_id == account_id, media.c.rid.is_not_distinct_from(rid)
    )
    return {(row.sha256, row.visit_id, row.of) for row in conn.execute(query)}


_sender = visit_crew.alias("sender")


def _is_for(visit_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether a `media` row counts for a visit: uploaded for it, or for none by someone who is or was in its crew."""
    in_crew = sa.exists().where(_sender.c.visit_id == visit_id, _sender.c.officer_id == media.c.account_id)
    in_crew = in_crew.correlate_except(_sender)
    return sa.or_(media.c.visit_id == visit_id, sa.and_(media.c.visit_id.is_(None), in_crew))


_PLACES = (
    sa.select(visit.c.id, visit.c.unit_id, visit_crew.c.role)
    .select_from(media_name)
    .join(visit, visit.c.id == media_name.c.visit_id)
    .join(
        visit_crew,
        sa.and_(visit_crew.c.visit_id == visit.c.id, visit_crew.c.officer_id == sa.bindparam("person")),
        isouter=True,
    )
    .where(media_name.c.sha256 == sa.bindparam("digest"))
    .distinct()
)
_IS_ORIGINAL_HERE = sa.exists().where(
    media.c.sha256 == sa.bindparam("digest"), media.c.of.is_(None), _is_for(visit.c.id)
)


def places_naming(conn: Connection, sha256: str, person_id: str) -> list[Place]:
    """The visits whose ops name these bytes, whether they are here or not."""
    return [Place(*row) for row in conn.execute(_PLACES, {"digest": sha256, "person": person_id})]


def places_holding(conn: Connection, sha256: str, person_id: str) -> list[Place]:
    """The visits whose ops name these bytes and for which they are here."""
    return [
        Place(*row) for row in conn.execute(_PLACES.where(_IS_ORIGINAL_HERE), {"digest": sha256, "person": person_id})
    ]


def renditions_of(conn: Connection, sha256: str, visits: Collection[str]) -> list[tuple[str, int]]:
    """Digest and size of an original's renditions that came from the device which attached it there, smallest first."""
    attached = sa.exists().where(
        media_name.c.sha256 == media.c.of,
        media_name.c.role == "attach",
        media_name.c.rid == media.c.rid,
        media_name.c.visit_id.in_(visits),
        _is_for(media_name.c.visit_id),
    )
    query = (
        sa.select(blob.c.sha256, blob.c.size)
        .join(media, media.c.sha256 == blob.c.sha256)
        .where(media.c.of == sha256, attached)
        .distinct()
        .order_by(blob.c.size, blob.c.sha256)
    )
    return [(row.sha256, row.size) for row in conn.execute(query)]


def is_revoked(conn: Connection, rid: str) -> bool:
    """Whether a device was revoked."""
    return conn.scalar(sa.select(device.c.revoked_at).where(device.c.rid == rid)) is not None


_HERE_FOR = (
    sa.select(media_name.c.sha256)
    .where(
        media_name.c.visit_id == sa.bindparam("visit"),
        sa.exists().where(media.c.sha256 == media_name.c.sha256, media.c.of.is_(None), _is_for(media_name.c.visit_id)),
    )
    .distinct()
)


def here_for(conn: Connection, visit_id: str) -> set[str]:
    """Of the bytes that the visit's ops name, those that are here for it, verified."""
    return set(conn.scalars(_HERE_FOR, {"visit": visit_id}))


_MISSING = (
    sa.select(media_name.c.sha256)
    .join(visit_crew, visit_crew.c.visit_id == media_name.c.visit_id)
    .where(
        visit_crew.c.officer_id == sa.bindparam("person"),
        media_name.c.sha256.in_(sa.bindparam("digests", expanding=True)),
        ~sa.exists().where(media.c.sha256 == media_name.c.sha256, media.c.of.is_(None), _is_for(media_name.c.visit_id)),
    )
    .distinct()
)


def missing_for(conn: Connection, person_id: str, digests: Sequence[str]) -> set[str]:
    """Of these, what ops of visits that the person is or was in name, and what isn't here for one of them."""
    return set(conn.scalars(_MISSING, {"person": person_id, "digests": list(digests)}))


def visits_waiting_for(conn: Connection, sha256: str, person_id: str) -> set[str]:
    """The visits of a person's present or past that name bytes which he uploaded without naming a visit."""
    query = (
        sa.select(media_name.c.visit_id)
        .join(visit_crew, visit_crew.c.visit_id == media_name.c.visit_id)
        .where(media_name.c.sha256 == sha256, visit_crew.c.officer_id == person_id)
    )
    return set(conn.scalars(query))
