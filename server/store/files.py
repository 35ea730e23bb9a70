"""Photographs, recordings and signature images as files, named by digest and on the disk before any row says so."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import secrets
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

from server.errors import Problem

_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")
_UPLOAD_ID: Final = re.compile(r"[0-9a-f]{32}\Z")
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_READ_BLOCK: Final = 1 << 20


def is_digest(text: str) -> bool:
    """Whether `text` is a SHA-256 as we write it: 64 lower-case hex characters, and so safe as a file name."""
    return _DIGEST.match(text) is not None


def is_upload_id(text: str) -> bool:
    """Whether `text` has the form of the ids that `FileStore.new_id` gives."""
    return _UPLOAD_ID.match(text) is not None


def end_process(error: OSError) -> NoReturn:
    """Stop at once: after a failed fsync nobody knows what the disk holds, so nothing may be acknowledged any more."""
    sys.stderr.write(f"fsync failed ({error}): the process ends, because nothing is certain after it.\n")
    sys.stderr.flush()
    os._exit(70)


def _sync(fd: int) -> None:
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno in _FULL:  # Delayed allocation: the bytes never were called stored, so this is only a full disk.
            raise Problem("disk_full") from error
        end_process(error)


def _sync_folder(folder: str) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _sync(fd)
    finally:
        os.close(fd)


class Busy(Exception):
    """Another request, maybe of another process, is writing this file."""


class Incoming:
    """A file that is being written: locked for one writer, hashed as it grows. Its name isn't its digest yet.

    A `named` one belongs to an upload that its client can find again: it keeps its name until the rows are committed.
    """

    def __init__(self, path: str, flags: int, *, named: bool) -> None:
        self.path = path
        self.named = named
        self.is_kept = False  # It has its digest's name: nothing is left under this one.
        try:
            self._fd = os.open(path, flags | os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _as_problem(error) from error
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._fd)
            raise Busy from error
        self.size = os.lseek(self._fd, 0, os.SEEK_END)
        self._hash = hashlib.sha256() if self.size == 0 else None

    def write(self, data: bytes | memoryview) -> None:
        """Append; a full disk is a Problem, and what was written before it stays."""
        view = memoryview(data)
        while view:
            try:
                written = os.write(self._fd, view)
            except OSError as error:
                raise _as_problem(error) from error
            if self._hash is not None:
                self._hash.update(view[:written])
            self.size += written
            view = view[written:]

    def cut_to(self, size: int) -> None:
        """Drop what lies behind `size`: it was refused."""
        if self._fd < 0:
            return
        os.ftruncate(self._fd, size)
        os.lseek(self._fd, size, os.SEEK_SET)
        self.size = size
        self._hash = hashlib.sha256() if size == 0 else None

    def sha256(self) -> str:
        """The digest of all that is in the file; read back from it where an earlier request wrote a part."""
        if self._hash is None:
            self._hash = hashlib.sha256()
            os.lseek(self._fd, 0, os.SEEK_SET)
            while block := os.read(self._fd, _READ_BLOCK):
                self._hash.update(block)
        return self._hash.hexdigest()

    def head(self, size: int) -> bytes:
        """The first bytes, for a look at the header."""
        return os.pread(self._fd, size, 0)

    def sync(self) -> None:
        """Return when the bytes are on the disk."""
        _sync(self._fd)

    def close(self) -> None:
        """Give up the lock; the file stays."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def discard(self) -> None:
        """Remove the file, unless it has its digest's name already, and give up the lock."""
        if self._fd >= 0 and not self.is_kept:
            with suppress(FileNotFoundError):
                os.unlink(self.path)
        self.close()


def _as_problem(error: OSError) -> Exception:
    return Problem("disk_full") if error.errno in _FULL else error


class FileStore:
    """The folder `<data>/media`: `ab/<sha256>` for what is here, `incoming` and `refused` beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = root / "incoming"
        self._refused = root / "refused"
        self.shown = root / "shown"
        for folder in (self._incoming, self._refused, self.shown):
            folder.mkdir(parents=True, exist_ok=True)
        for first in range(256):
            (root / f"{first:02x}").mkdir(exist_ok=True)
        _sync_folder(str(root))

    def path(self, sha256: str) -> Path:
        """Where the bytes of this digest lie, or would lie."""
        if not is_digest(sha256):
            raise ValueError(f"'{sha256}' isn't a SHA-256 in lower-case hex.")
        return self.root / sha256[:2] / sha256

    def size(self, sha256: str) -> int:
        """How many bytes the file of this digest has."""
        return self.path(sha256).stat().st_size

    def new_id(self) -> str:
        """A name for an upload, not to be guessed."""
        return secrets.token_hex(16)

    def begin(self) -> Incoming:
        """A new empty file under a temporary name."""
        return Incoming(f"{self._incoming}/{self.new_id()}", os.O_EXCL, named=False)

    def resume(self, upload_id: str) -> Incoming:
        """The file of an upload under way, for its next part; `Busy` where somebody else is writing it."""
        return Incoming(self._upload(upload_id), 0, named=True)

    def length(self, upload_id: str) -> int:
        """How many bytes of an upload are here: after a crash, too, this is its offset."""
        try:
            return os.stat(self._upload(upload_id)).st_size
        except FileNotFoundError:
            return 0

    def name_upload(self, incoming: Incoming, upload_id: str) -> None:
        """Make a begun file findable for `resume`: its first request was cut."""
        path = self._upload(upload_id)
        os.rename(incoming.path, path)
        incoming.path = path
        incoming.named = True

    def keep(self, files: Sequence[Incoming]) -> None:
        """Bring these under their digests' names, durably: files first, then names, then folders."""
        for file in files:
            file.sync()
        folders: set[str] = set()
        for file in files:
            sha256 = file.sha256()
            folder = f"{self.root}/{sha256[:2]}"
            folders.add(folder)
            if file.named:
                with suppress(FileExistsError):
                    os.link(file.path, f"{folder}/{sha256}")
            else:
                os.rename(file.path, f"{folder}/{sha256}")
                file.is_kept = True
        for folder in folders:
            _sync_folder(folder)

    def set_aside(self, incoming: Incoming) -> None:
        """Keep refused bytes where nobody is served from; their name tells which upload they were."""
        os.rename(incoming.path, self._refused / os.path.basename(incoming.path))
        incoming.close()

    def put(self, blocks: Iterable[bytes]) -> tuple[str, int]:
        """Store a stream of blocks durably; its digest and size."""
        file = self.begin()
        try:
            for block in blocks:
                file.write(block)
            self.keep([file])
            return file.sha256(), file.size
        except BaseException:
            file.discard()
            raise
        finally:
            file.close()

    def drop_upload(self, upload_id: str) -> None:
        """Remove the file of an upload that ended or ran out of time."""
        with suppress(FileNotFoundError):
            os.unlink(self._upload(upload_id))

    def _upload(self, upload_id: str) -> str:
        if not is_upload_id(upload_id):
            raise ValueError(f"'{upload_id}' isn't the id of an upload.")
        return f"{self._incoming}/{upload_id}"
