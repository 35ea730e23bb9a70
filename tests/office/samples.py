"""What the addresses of the app are filled with in the demo district: of the clerk's unit, and of another unit."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from server.store import tables
from tests.office.district import IDS, Office
from tests.phone import Phone

OWN, FOREIGN = "hazchem-section", "industry-section"
"""The unit of the demo's clerk and head, and the other one with a library."""

NOT_THERE = str(UUID(int=0))
"""An id of the right shape that nothing has."""


class Sample(NamedTuple):
    """Ids of two objects. `foreign` is None where the object belongs to the bureau as a whole."""

    own: str
    foreign: str | None


class Listed(NamedTuple):
    """How a list shows an object of the own unit and one of the other: what is asked, and what then stands there."""

    own: tuple[str, str]
    foreign: tuple[str, str] | None


def first(office: Office, column: sa.Column[str], *where: sa.ColumnElement[bool]) -> str:
    """The least value of a column among the rows that fit: the same one each time."""
    with office.db.read() as conn:
        return str(conn.execute(sa.select(column).where(*where).order_by(column).limit(1)).scalar_one())


def _photo(visit: str) -> Callable[[Office], str]:
    named = tables.media_name

    def find(office: Office) -> str:
        return first(office, named.c.sha256, named.c.visit_id == IDS[visit], named.c.role == "attach")

    return find


def _device(office: Office, officer: str) -> str:
    return first(office, tables.device.c.rid, tables.device.c.account_id == officer)


def _template(office: Office) -> Sample:
    return Sample(first(office, tables.template.c.sha256, sa.true()), None)


def _upload(office: Office, officer: str) -> str:
    """An upload that somebody's phone began."""
    phone = Phone(office.running.url, officer).sign_in().enrol()
    meta = "mime " + base64.b64encode(b"image/jpeg").decode()
    begun = {"Tus-Resumable": "1.0.0", "Upload-Length": "300000", "Upload-Metadata": meta}
    answer = phone.http.post("/api/media", headers=begun)
    return answer.raise_for_status().headers["location"].rpartition("/")[2]


SAMPLES: dict[str, Callable[[Office], Sample]] = {
    "visit_id": lambda office: Sample(IDS["ordered"], IDS["unqualified"]),
    "sha256": lambda office: Sample(_photo("ordered")(office), _photo("unqualified")(office)),
    "upload_id": lambda office: Sample(_upload(office, "li"), _upload(office, "zhao")),
    "rid": lambda office: Sample(_device(office, "li"), _device(office, "zhao")),
    "item_id": lambda office: Sample("hazchem-storage", "confined-space"),
    "rest": lambda office: Sample("nowhere", None),
    "/api/templates/{sha256:str}": _template,
}
"""A path's parameter, or for one path alone the whole path -> what it is filled with."""

LISTED: dict[str, Callable[[Office], Listed]] = {
    "/office/items": lambda office: Listed(("", "/office/items/hazchem-storage"), ("", "/office/items/confined-space")),
    "/office/inbox": lambda office: Listed(("?show=all", IDS["ordered"]), ("?show=all", IDS["unqualified"])),
}
"""A list's path -> the query and the text that stands in the answer, for each of the two units."""
