"""What the forms of a draw bring: the numbers from outside that are announced, and each of them once it is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from litestar.datastructures import UploadFile

from server.domain import picture, text
from server.domain.draw_sources import KINDS, MOST_PARTS, PER_HUNDRED, Source, bits_of
from server.domain.entry import Entry
from server.domain.faults import Fault
from server.domain.instant import BEIJING, stamp
from server.routes.forms import refuse
from server.store.files import FileStore

HOME: Final = "/office/draws"
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


def typed_sources(values: Mapping[str, str]) -> list[tuple[int, dict[str, str]]]:
    """The rows of the form in which a kind was chosen or anything named."""
    parts = ("kind", "what", "n")
    rows = [{part: text.clean(values.get(f"source.{n}.{part}", "")) for part in parts} for n in range(SOURCES)]
    return [(n, row) for n, row in enumerate(rows) if row["kind"] or row["what"]]


def bits_typed(values: Mapping[str, str]) -> int:
    """How many bits the form's rows come to, as far as they can be understood."""
    return sum(_bits(row["kind"], row["n"]) for _, row in typed_sources(values))


def _bits(kind: str, n: str) -> int:
    is_number = n.isascii() and n.isdigit() and len(n) < 5
    return bits_of(kind, int(n) if is_number else 0) if kind in KINDS else 0


def sources_of(values: Mapping[str, str]) -> tuple[Source, ...]:
    """The numbers from outside that a form announces; what is wrong is said beside its field."""
    entry, found = Given(values), []
    due = entry.moment("due") or ""
    counted: Counter[str] = Counter()
    for n, _ in typed_sources(values):
        kind = entry.choice(f"source.{n}.kind", KINDS)
        what = entry.line(f"source.{n}.what", most=120)
        parts = entry.number(f"source.{n}.n", 1, MOST_PARTS, required=kind in PER_HUNDRED)
        counted[kind] += 1
        if kind in KINDS:
            found.append(Source(f"{kind}/{counted[kind]}", kind, bits_of(kind, parts or 0), what, due))
    if not found and entry.is_good:
        entry.wrong("source.0.kind", "missing")
    refuse(entry.faults)
    return tuple(found)
