"""The files that people brought, sealed block by block as they come in; in clear only where nothing is left behind."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from server.store.seal import Sealer

BLOCK: Final = 1 << 20
_LENGTH: Final = 4


class Kept(NamedTuple):
    """What was stored: the SHA-256 and the size of the file as it was brought."""

    sha256: str
    size: int


class Sources:
    """The folder `<data>/imports`: one sealed file a batch, which goes when the batch is abandoned."""

    def __init__(self, folder: Path, sealer: Sealer) -> None:
        self._folder, self._sealer = folder, sealer

    def path(self, batch_id: str) -> Path:
        """Where the sealed file of a batch lies."""
        return self._folder / f"{hashlib.sha256(batch_id.encode()).hexdigest()[:32]}.sealed"

    def keep(self, batch_id: str, file: BinaryIO) -> Kept:
        """Seals and stores a file durably."""
        self._folder.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        path = self.path(batch_id)
        temporary = path.with_suffix(".part")
        file.seek(0)
        with open(temporary, "wb") as out:
            for number, block in enumerate(_blocks(file)):
                digest.update(block)
                size += len(block)
                sealed = self._sealer.seal_bytes("import_batch", f"source/{number}", batch_id, block)
                out.write(len(sealed).to_bytes(_LENGTH, "big") + sealed)
            out.flush()
            os.fsync(out.fileno())
        temporary.rename(path)
        return Kept(digest.hexdigest(), size)

    def open(self, batch_id: str, sha256: str) -> BinaryIO:
        """The file in clear, in memory that belongs to no path; altered or cut, it raises."""
        plain, digest, number = anonymous(), hashlib.sha256(), 0
        with open(self.path(batch_id), "rb") as file:
            while length := int.from_bytes(file.read(_LENGTH), "big"):
                block = self._sealer.open_bytes("import_batch", f"source/{number}", batch_id, file.read(length))
                digest.update(block)
                plain.write(block)
                number += 1
        if digest.hexdigest() != sha256:
            raise ValueError(f"The file of the import '{batch_id}' isn't the one that was brought.")
        plain.seek(0)
        return plain

    def drop(self, batch_id: str) -> None:
        """Removes the file of a batch."""
        with suppress(FileNotFoundError):
            self.path(batch_id).unlink()


def anonymous() -> BinaryIO:
    """An empty file that no path leads to, gone when it is closed."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("suijian"), "w+b")
    return tempfile.TemporaryFile()


def sha256_of(file: BinaryIO) -> str:
    """The digest of a whole file, which is at its beginning again afterwards."""
    digest = hashlib.sha256()
    file.seek(0)
    for block in _blocks(file):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()


def _blocks(file: BinaryIO) -> Iterable[bytes]:
    while block := file.read(BLOCK):
        yield block
