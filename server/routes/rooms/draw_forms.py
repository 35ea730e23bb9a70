"""What the forms of a draw bring: the numbers from outside that are announced, and each of them once it is there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from litestar.datastructures import UploadFile

from server.domain import picture, text
from server.domain.entry import Entry
from server.domain.faults import Fault
from server.domain.instant import BEIJING, stamp
from server.routes.forms import Form, refuse
from server.store.files import FileStore

KINDS: Final = ("lottery", "dice", "beacon", "public_digits", "digits")
SOURCES: Final = 4
"""How many numbers from outside the form has room for."""

MOST_BYTES: Final = 20 << 20
PDF: Final = b"%PDF-"
_BLOCK: Final = 1 << 20


class Given(Entry):
    """An `Entry` that reads moments too, as the field `datetime-local` sends them: in Beijing."""

    def moment(self, field: str) -> str | None:
        """A moment as it is kept; None where it is missing or wrong."""
        typed = text.clean(self.line(field, most=40))
        if not typed:
            return None
        try:
            moment = datetime.fromisoformat(typed.replace("/", "-"))
            return stamp(moment if moment.tzinfo else moment.replace(tzinfo=BEIJING))
        except (ValueError, OverflowError):
            self.wrong(field, "not_a_moment", found=typed[:20])
            return None

    def link(self, field: str) -> str | None:
        """An address of the web, if there is one."""
        typed = self.line(field, most=500, required=False)
        if typed and not typed.startswith(("https://", "http://")):
            self.wrong(field, "not_a_link", found=typed[:20])
        return typed or None


def now_in_beijing(now: datetime) -> str:
    """A moment as a form's field shows it."""
    return now.astimezone(BEIJING).strftime("%Y-%m-%dT%H:%M")


def evidence_of(files: FileStore, upload: UploadFile | None) -> tuple[str, str] | None:
    """Stores a photo or a document; its digest and type. Anything else is a fault of the field, and isn't kept."""
    if upload is None or not upload.filename:
        return None
    head = upload.file.read(picture.HEADER_BYTES)
    size = upload.file.seek(0, 2)
    header = picture.header_of(head)
    mime = header.mime if header else "application/pdf" if head.startswith(PDF) else None
    refuse([] if mime else [Fault("evidence", "file_kind")])
    refuse([Fault("evidence", "file_large", {"n": MOST_BYTES >> 20})] if size > MOST_BYTES else [])
    upload.file.seek(0)
    sha256, _ = files.put(iter(lambda: upload.file.read(_BLOCK), b""))
    return sha256, mime or ""


def typed_sources(values: Mapping[str, str]) -> list[dict[str, str]]:
    """The rows of the form in which anything was typed."""
    rows = (
        {part: values.get(f"source.{n}.{part}", "").strip() for part in ("kind", "what", "n")} for n in range(SOURCES)
    )
    return [row for row in rows if any(row.values())]


def contribution_form(form: Form) -> Given:
    """The fields of a number that came."""
    return Given(form.values)
