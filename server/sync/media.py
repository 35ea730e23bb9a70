"""What phones photograph and draw: how its bytes come in, when they count as here, and who may see them."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec

from server.domain import access, picture
from server.domain.instant import instant, stamp
from server.errors import Problem
from server.store import uploads
from server.store.files import Busy, FileStore, Incoming, is_digest
from server.store.people import Person
from server.store.session import Connection, Database
from server.store.uploads import Arrival, Place, Upload
from server.sync import finals
from server.sync.keys import Keys

MOST_BYTES: Final = 512 << 20
"""The largest file that is taken."""

MOST_RENDITION_BYTES: Final = 2 << 20
"""The largest rendition: the phone makes them of some 300 KB."""

THUMB_BYTES: Final = 20 << 10
"""A rendition up to this size is a thumbnail."""

LIFE: Final = timedelta(days=35)
"""How long an upload that was cut off waits for its client."""


class Wish(msgspec.Struct, frozen=True):
    """What a sender says of a file: all of it may be missing."""

    sha256: str | None = None
    visit_id: str | None = None
    mime: str = "application/octet-stream"
    of: str | None = None
    metadata: str = ""


_MIME: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}\Z")
_VISIT: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


def mime_of(claim: str) -> str:
    """The type that a sender claims, without parameters; what has no such form is some bytes."""
    mime = claim.partition(";")[0].strip().lower()
    return mime if _MIME.match(mime) else "application/octet-stream"


def visit_named(text: str) -> str | None:
    """The visit id that a sender names; empty names none."""
    name = text.strip()
    if name and not _VISIT.match(name):
        raise Problem("bad_request", why="visit")
    return name or None


class Checksum:
    """The Upload-Checksum of one request: what its bytes must hash to."""

    def __init__(self, algorithm: str, wanted: bytes) -> None:
        self._hash = hashlib.sha1(usedforsecurity=False) if algorithm == "sha1" else hashlib.sha256()
        self._wanted = wanted

    @classmethod
    def of_header(cls, header: str) -> Checksum:
        """Read "sha1 <base64>" or "sha256 <base64>"."""
        algorithm, _, text = header.strip().partition(" ")
        try:
            wanted = base64.b64decode(text, validate=True)
        except ValueError as error:
            raise Problem("bad_request", why="Upload-Checksum") from error
        if algorithm not in ("sha1", "sha256"):
            raise Problem("bad_request", why=f"Upload-Checksum: {algorithm[:32]}")
        return cls(algorithm, wanted)

    def update(self, data: bytes) -> None:
        """Take the next bytes."""
        self._hash.update(data)

    def holds(self) -> bool:
        """Whether all bytes together hash to what was announced."""
        return self._hash.digest() == self._wanted


class Desk(NamedTuple):
    """What every act on uploads needs: the database, the files, the server's keys (an upload may complete a final)."""

    db: Database
    files: FileStore
    keys: Keys
    now: datetime


class Progress(NamedTuple):
    """Where an upload stands after a request."""

    upload: Upload
    offset: int


class Reception:
    """The bytes of one request on their way into an upload: `write` each block, then `finish`, or `cut`."""

    def __init__(
        self, desk: Desk, person: Person, upload: Upload, file: Incoming | None, checksum: Checksum | None
    ) -> None:
        self._desk = desk
        self._person = person
        self._upload = upload
        self._file = file
        self._start = 0 if file is None else file.size
        self._checksum = checksum
        self.room = upload.size - self._start

    def write(self, block: bytes) -> None:
        """Append a block; more than the upload's length is refused."""
        if self._file is None:
            self._file = self._desk.files.begin()
        self.room -= len(block)
        if self.room < 0:
            raise Problem("too_large")
        if self._checksum is not None:
            self._checksum.update(block)
        self._file.write(block)

    def finish(self, last: bytes = b"") -> Progress:
        """The request has ended well: make durable what came, and complete the upload where that was all."""
        self.write(last)
        file = self._the_file
        if self._checksum is not None and not self._checksum.holds():
            raise Problem("checksum_mismatch")
        if self.room == 0:
            self._upload = complete(self._desk, self._upload, file)
            return Progress(self._upload, self._upload.size)
        file.sync()
        if not file.named:
            known = find_known(self._desk, self._person, self._upload)
            if known is not None:
                return known
            self._enter()
        return Progress(self._upload, file.size)

    def cut(self) -> None:
        """The connection broke: what came stays, as the next request's start, unless a checksum was to vouch for it."""
        if self._checksum is not None:
            self.refuse()
        elif not self._the_file.named and self._upload.sha256 is not None:
            self._enter()

    def refuse(self) -> None:
        """Take back what this request brought."""
        if self._file is None:
            return
        if not self._file.named:
            self._file.discard()
        elif self._file.size > self._start:
            self._file.cut_to(self._start)

    def close(self) -> None:
        """Let the next writer in."""
        if self._file is None:
            return
        if not self._file.named:
            self._file.discard()
        self._file.close()

    @property
    def _the_file(self) -> Incoming:
        if self._file is None:
            self._file = self._desk.files.begin()
        return self._file

    def _enter(self) -> None:
        """Make the upload one that its client can find again."""
        self._desk.files.name_upload(self._the_file, self._upload.id)
        self._desk.db.run_write(lambda conn: uploads.add_upload(conn, self._upload))


def new_upload(desk: Desk, person: Person, rid: str | None, size: int, wish: Wish) -> Upload:
    """An upload as its client announces it; nothing is written down yet."""
    if size > MOST_BYTES or (wish.of is not None and size > MOST_RENDITION_BYTES):
        raise Problem("too_large")
    return Upload(
        id=desk.files.new_id(),
        account_id=person.id,
        rid=rid,
        size=size,
        sha256=wish.sha256,
        visit_id=wish.visit_id,
        mime=wish.mime,
        of=wish.of,
        metadata=wish.metadata,
        created_at=stamp(desk.now),
        expires_at=stamp(desk.now + LIFE),
    )


def announce(desk: Desk, person: Person, upload: Upload) -> Progress:
    """A plain creation: an upload that starts at 0."""
    if upload.size == 0:
        reception = receive_new(desk, person, upload, None)
        try:
            return reception.finish()
        finally:
            reception.close()
    desk.db.run_write(lambda conn: uploads.add_upload(conn, upload))
    return Progress(upload, 0)


def find_or_announce(desk: Desk, person: Person, upload: Upload) -> Progress:
    """A creation with an empty body: what is here of these bytes already, or an upload that starts at 0."""
    return find_again(desk, person, upload) or announce(desk, person, upload)


def find_again(desk: Desk, person: Person, upload: Upload) -> Progress | None:
    """The upload's bytes, where they are here already and the person may see them, or where a cut one can go on."""
    known = find_known(desk, person, upload)
    if known is not None or upload.sha256 is None:
        return known
    with desk.db.read() as conn:
        cut = uploads.cut_upload_of(conn, upload)
    return None if cut is None else Progress(cut, desk.files.length(cut.id))


def find_known(desk: Desk, person: Person, upload: Upload) -> Progress | None:
    """The upload as one that is complete, where its bytes are here for that visit and the person may see them."""
    if upload.sha256 is None or upload.of is not None:
        return None
    with desk.db.read() as conn:
        if upload.visit_id not in visits_showing(conn, person, upload.rid, upload.sha256):
            return None
    done = msgspec.structs.replace(upload, state="done", size=desk.files.size(upload.sha256))
    desk.db.run_write(lambda conn: uploads.add_upload(conn, done))
    return Progress(done, done.size)


def receive_new(desk: Desk, person: Person, upload: Upload, checksum: Checksum | None) -> Reception:
    """Begin to take the body that came with a creation."""
    return Reception(desk, person, upload, None, checksum)


def receive_more(desk: Desk, person: Person, upload_id: str, offset: int, checksum: Checksum | None) -> Reception:
    """Begin to take the next part of an upload: by one writer at a time, and only from where it stands."""
    upload = own_upload(desk, person, upload_id)
    if upload.state == "done":
        raise _misplaced(upload.size)
    try:
        file = desk.files.resume(upload_id)
    except Busy as busy:
        raise Problem("upload_busy") from busy
    if file.size != offset or file.size > upload.size:
        file.close()
        raise _misplaced(file.size)
    return Reception(desk, person, upload, file, checksum)


def _misplaced(offset: int) -> Problem:
    return Problem("offset_mismatch", offset=offset, headers={"Upload-Offset": str(offset)})


def own_upload(desk: Desk, person: Person, upload_id: str) -> Upload:
    """The person's upload; another's is as one that isn't there, a refused or expired one is gone."""
    with desk.db.read() as conn:
        upload = uploads.upload_of(conn, upload_id)
    if upload is None or upload.account_id != person.id:
        raise Problem("not_found")
    if upload.state == "refused" or instant(upload.expires_at) <= desk.now:
        raise Problem("upload_gone")
    return upload


def standing_of(desk: Desk, person: Person, upload_id: str) -> Progress:
    """Where an upload stands. One that came whole just before the server died is completed now."""
    upload = own_upload(desk, person, upload_id)
    if upload.state == "done":
        return Progress(upload, upload.size)
    offset = desk.files.length(upload_id)
    if offset < upload.size:
        return Progress(upload, offset)
    try:
        file = desk.files.resume(upload_id)
    except Busy:
        return Progress(upload, offset)
    try:
        return Progress(complete(desk, upload, file), upload.size)
    finally:
        file.close()


def drop(desk: Desk, person: Person, upload_id: str) -> None:
    """End an upload at its client's wish; what it completed stays."""
    upload = own_upload(desk, person, upload_id)
    if upload.state == "open":
        try:
            file = desk.files.resume(upload_id)
        except Busy as busy:
            raise Problem("upload_busy") from busy
        file.discard()
    desk.db.run_write(lambda conn: uploads.end_upload(conn, upload_id, "refused"))


def complete(desk: Desk, upload: Upload, file: Incoming) -> Upload:
    """All bytes are here: compare, give them their name on the disk, then write the rows in one transaction."""
    fault = _fault_in(upload, file)
    done = msgspec.structs.replace(upload, state="done" if fault is None else "refused")
    if fault is not None:
        _refuse(desk, done, file)
        raise Problem(fault)
    desk.files.keep([file])
    arrival = Arrival(file.sha256(), upload.size, upload.visit_id, upload.mime, upload.of)

    def write(conn: Connection) -> None:
        if file.named:
            uploads.end_upload(conn, upload.id, "done")
        else:
            uploads.add_upload(conn, done)
        _arrive(conn, desk, [arrival], upload.account_id, upload.rid)

    desk.db.run_write(write)
    if file.named:
        desk.files.drop_upload(upload.id)
    return done


def _refuse(desk: Desk, refused: Upload, file: Incoming) -> None:
    was_named = file.named
    if not was_named:
        desk.files.name_upload(file, refused.id)
    desk.files.set_aside(file)

    def write(conn: Connection) -> None:
        if was_named:
            uploads.end_upload(conn, refused.id, "refused")
        else:
            uploads.add_upload(conn, refused)

    desk.db.run_write(write)


def _fault_in(upload: Upload, file: Incoming) -> str | None:
    if upload.sha256 is not None and file.sha256() != upload.sha256:
        return "hash_mismatch"
    if upload.of is not None and not picture.can_be_shown(file.head(picture.HEADER_BYTES)):
        return "bad_rendition"
    return None


def fault_in_part(wanted: str, of: str | None, file: Incoming) -> str | None:
    """What is wrong with one part of a batch: a problem code, or None."""
    if file.sha256() != wanted:
        return "hash_mismatch"
    if of is not None and (
        file.size > MOST_RENDITION_BYTES or not picture.can_be_shown(file.head(picture.HEADER_BYTES))
    ):
        return "bad_rendition"
    return None


def keep_batch(
    desk: Desk, person: Person, rid: str | None, visit_id: str | None, parts: Sequence[tuple[Incoming, str, str | None]]
) -> None:
    """Store the verified parts of a batch (file, mime, `of`): all files durable first, then one transaction."""
    desk.files.keep([file for file, _, _ in parts])
    arrivals = [Arrival(file.sha256(), file.size, visit_id, mime, of) for file, mime, of in parts]
    if arrivals:
        desk.db.run_write(lambda conn: _arrive(conn, desk, arrivals, person.id, rid))


def _arrive(conn: Connection, desk: Desk, arrivals: Sequence[Arrival], account_id: str, rid: str | None) -> None:
    uploads.record_arrivals(conn, arrivals, account_id, rid, desk.now)
    visits: set[str] = set()
    for arrival in arrivals:
        if arrival.of is not None:
            continue
        if arrival.visit_id is not None:
            visits.add(arrival.visit_id)
        else:
            visits |= uploads.visits_waiting_for(conn, arrival.sha256, account_id)
    if visits:
        finals.media_arrived(conn, desk.keys, sorted(visits), desk.now)


def sweep(desk: Desk) -> int:
    """Remove the uploads whose time is over; how many there were."""
    ids = desk.db.run_write(lambda conn: uploads.take_expired(conn, desk.now))
    for upload_id in ids:
        desk.files.drop_upload(upload_id)
    return len(ids)


# --- who may see what -------------------------------------------------------------------------------------------------


def visits_showing(conn: Connection, person: Person, rid: str | None, sha256: str) -> list[str]:
    """The visits through which a person may see these bytes: an op names them, they are here for it, and he sees it."""
    return _seen(conn, person, rid, uploads.places_holding(conn, sha256, person.id)) if is_digest(sha256) else []


def rendition_for(conn: Connection, person: Person, rid: str | None, sha256: str, size: str) -> Rendition | None:
    """The phone's `thumb` or `small` of an original that the person may see; None where he may not."""
    if not is_digest(sha256):
        return None
    visits = _seen(conn, person, rid, uploads.places_naming(conn, sha256, person.id))
    if not visits:
        return None
    holding = {place.visit_id for place in uploads.places_holding(conn, sha256, person.id)}
    found = uploads.renditions_of(conn, sha256, visits)
    thumbs = [digest for digest, length in found if length <= THUMB_BYTES]
    larger = [digest for digest, length in found if length > THUMB_BYTES]
    best = thumbs[:1] if size == "thumb" else larger[-1:]
    return Rendition(
        exact=best[0] if best else None,
        near=found[-1][0] if found else None,
        original_is_here=not holding.isdisjoint(visits),
    )


class Rendition(NamedTuple):
    """What there is to show of an original: the phone's rendition of that size, any other, whether one can be made."""

    exact: str | None
    near: str | None
    original_is_here: bool


def _seen(conn: Connection, person: Person, rid: str | None, places: Collection[Place]) -> list[str]:
    if not places or (rid is not None and uploads.is_revoked(conn, rid)):
        return []
    return [place.visit_id for place in places if _sees(person, place)]


def _sees(person: Person, place: Place) -> bool:
    return place.role in ("leader", "member") or access.office_sees(person.roles, person.unit_id, place.unit_id)


# --- for the exchange and the record ----------------------------------------------------------------------------------


def missing_of(conn: Connection, person: Person, hashes: Sequence[str]) -> list[str]:
    """Of the hashes that a phone holds, those that stored ops of his visits name and whose bytes aren't here."""
    missing = uploads.missing_for(conn, person.id, hashes)
    return [digest for digest in dict.fromkeys(hashes) if digest in missing]


def here_for(conn: Connection, visit_id: str) -> set[str]:
    """Of the bytes that a visit's ops name, those that are here for it and verified."""
    return uploads.here_for(conn, visit_id)


def is_here(conn: Connection, visit_id: str, sha256: str) -> bool:
    """Whether bytes that an op of the visit names are here for it, verified."""
    return sha256 in uploads.here_for(conn, visit_id)
