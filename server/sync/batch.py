"""Many small files in one multipart/form-data body, read as a stream: `visit` first, then parts named by digests."""

from __future__ import annotations

from typing import Final

import msgspec
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, MultipartState, parse_options_header

from server.errors import Problem
from server.store.files import Incoming, is_digest
from server.store.people import Person
from server.sync import media
from server.sync.media import Desk

MOST_BYTES: Final = 32 << 20
"""The largest body of a batch; more is a matter for tus, which can go on after a cut."""

MOST_PARTS: Final = 200
MOST_FIELD_BYTES: Final = 256


class Refusal(msgspec.Struct, frozen=True):
    """A part that wasn't stored, and the code that says why."""

    sha256: str
    code: str


class Taken(msgspec.Struct, frozen=True):
    """The answer to a batch."""

    stored: list[str]
    refused: list[Refusal]


class _Part:
    """One part while its bytes come."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.name = ""
        self.mime = "application/octet-stream"
        self.of: str | None = None
        self.field = bytearray()
        self.file: Incoming | None = None

    def read_headers(self) -> None:
        """Take name, type and `of` from the headers; a file name that is no digest says nothing."""
        _, options = parse_options_header(self.headers.get("content-disposition", ""))
        self.name = options.get(b"name", b"").decode("utf-8", "replace")
        filename = options.get(b"filename", b"").decode("utf-8", "replace")
        if is_digest(filename) and filename != self.name:
            self.of = filename
        self.mime = media.mime_of(self.headers.get("content-type", ""))


class BatchReader:
    """Feed it the body block by block, then `finish`; `close` always. Of a body that ends early nothing is kept."""

    def __init__(self, desk: Desk, person: Person, rid: str | None, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data" or not options.get(b"boundary"):
            raise Problem("unsupported_media_type")
        self._desk, self._person, self._rid = desk, person, rid
        self._visit: str | None = None
        self._has_visit = False
        self._part = _Part()
        self._parts = 0
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._good: list[tuple[Incoming, str, str | None]] = []
        self._open: list[Incoming] = []
        self._refused: list[Refusal] = []
        try:
            self._parser = MultipartParser(
                options[b"boundary"],
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._add_header_name,
                    "on_header_value": self._add_header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._add_data,
                    "on_part_end": self._end_part,
                },
            )
        except FormParserError as error:
            raise Problem("unsupported_media_type") from error

    def feed(self, block: bytes) -> None:
        """Take the next bytes of the body."""
        try:
            self._parser.write(block)
        except FormParserError as error:
            raise Problem("bad_request", why="multipart/form-data") from error

    def finish(self, last: bytes) -> Taken:
        """Store what verified. The parser itself doesn't notice a body that ends early: only its state tells."""
        self.feed(last)
        if self._parser.state != MultipartState.END:
            raise Problem("truncated")
        if not self._has_visit:
            raise Problem("bad_request", why="visit")
        media.keep_batch(self._desk, self._person, self._rid, self._visit, self._good)
        return Taken(list(dict.fromkeys(file.sha256() for file, _, _ in self._good)), self._refused)

    def close(self) -> None:
        """Remove what wasn't kept."""
        for file in self._open:
            file.discard()

    def _begin_part(self) -> None:
        self._part = _Part()
        self._parts += 1
        if self._parts > MOST_PARTS + 1:
            raise Problem("too_large")

    def _add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        self._part.headers[self._header_name.decode("latin-1").lower()] = self._header_value.decode("latin-1")
        self._header_name.clear()
        self._header_value.clear()

    def _end_headers(self) -> None:
        part = self._part
        part.read_headers()
        if not self._has_visit:
            if part.name != "visit":
                raise Problem("bad_request", why="visit")
        elif is_digest(part.name):
            part.file = self._desk.files.begin()
            self._open.append(part.file)

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if part.file is not None:
            part.file.write(memoryview(data)[start:end])
        elif not self._has_visit:
            part.field += data[start:end]
            if len(part.field) > MOST_FIELD_BYTES:
                raise Problem("bad_request", why="visit")

    def _end_part(self) -> None:
        part = self._part
        if not self._has_visit:
            self._visit = media.visit_named(part.field.decode("utf-8", "replace"))
            self._has_visit = True
        elif part.file is None:
            self._refused.append(Refusal(part.name[:64], "bad_name"))
        else:
            self._judge(part, part.file)

    def _judge(self, part: _Part, file: Incoming) -> None:
        fault = media.fault_in_part(part.name, part.of, file)
        if fault is None:
            self._good.append((file, part.mime, part.of))
        else:
            self._refused.append(Refusal(part.name, fault))
            file.discard()
