"""Files that are served as they are: read, hashed and compressed once, at the start."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from pathlib import Path

import msgspec

TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
WORTH_PACKING = 256  # bytes; below it gzip's head eats the gain


class Item(msgspec.Struct, frozen=True):
    """One file, ready to be sent."""

    url: str
    type: str
    body: bytes
    packed: bytes | None
    sha256: str

    @property
    def etag(self) -> str:
        """Names these bytes."""
        return f'"{self.sha256[:32]}"'


def item(url: str, type: str, body: bytes) -> Item:
    """Bytes as an item of the shelf; gzip only where it makes them smaller."""
    packed = gzip.compress(body, 9, mtime=0) if len(body) >= WORTH_PACKING else None
    if packed is not None and len(packed) >= len(body):
        packed = None
    return Item(url, type, body, packed, hashlib.sha256(body).hexdigest())


def type_of(name: str) -> str:
    """The content type of a file by its name."""
    return TYPES.get(Path(name).suffix, mimetypes.guess_type(name)[0] or "application/octet-stream")


def files_under(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file below a folder with its path as a URL has it, in order; what begins with a dot or `_` is left out."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not any(part.startswith((".", "_")) for part in name.split("/")):
            yield name, path
