"""Seals what is personal before it is stored: AES-256-GCM per field, and a blind index to search it by equality."""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import unicodedata
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

VERSION: Final = b"\x01"
"""The first byte of what is sealed: 1 is AES-256-GCM with a random nonce of 96 bits."""

KEY_FILE: Final = "fields.key"

_KEY, _ID, _NONCE = 32, 4, 12
_HEAD: Final = len(VERSION) + _ID + _NONCE


class Unreadable(Exception):
    """A sealed field can't be opened: it was altered, moved to another place, or sealed by a key that isn't here."""

    def __init__(self, table: str, column: str, row_id: str, why: str) -> None:
        super().__init__(f"The sealed field {table}.{column} of row '{row_id}' cannot be opened: {why}.")


class Sealer:
    """Seals and opens by the keys of one bureau: the last one seals, each of them opens what it sealed.

    The blind index hangs on the first key for as long as that one is kept, since equality must outlive a rotation.
    """

    def __init__(self, masters: Sequence[bytes]) -> None:
        if not masters or any(len(master) != _KEY for master in masters):
            raise ValueError("A sealer needs at least one key of 32 bytes.")
        self._ciphers = {_derived(master, "id", _ID): AESGCM(_derived(master, "seal", _KEY)) for master in masters}
        self._newest = _derived(masters[-1], "id", _ID)
        self._index = _derived(masters[0], "blind", _KEY)

    def seal(self, table: str, column: str, row_id: str, text: str) -> bytes:
        """A text, sealed so that it opens in this column of this row only."""
        return self.seal_bytes(table, column, row_id, text.encode())

    def open(self, table: str, column: str, row_id: str, sealed: bytes) -> str:
        """The text; an `Unreadable` names the place and nothing of the content."""
        return self.open_bytes(table, column, row_id, sealed).decode()

    def seal_bytes(self, table: str, column: str, row_id: str, content: bytes) -> bytes:
        """Bytes, as `seal` does it with text: the source file of an import, for one."""
        head = VERSION + self._newest + os.urandom(_NONCE)
        return head + self._ciphers[self._newest].encrypt(head[-_NONCE:], content, _place(head, table, column, row_id))

    def open_bytes(self, table: str, column: str, row_id: str, sealed: bytes) -> bytes:
        """The bytes that `seal_bytes` sealed for this place."""
        head, body = sealed[:_HEAD], sealed[_HEAD:]
        if len(head) < _HEAD or head[:1] != VERSION:
            raise Unreadable(table, column, row_id, "it has no form that is known here")
        cipher = self._ciphers.get(head[1 : 1 + _ID])
        if cipher is None:
            raise Unreadable(table, column, row_id, f"the key {head[1 : 1 + _ID].hex()} is not here")
        try:
            return cipher.decrypt(head[-_NONCE:], body, _place(head, table, column, row_id))
        except InvalidTag:
            raise Unreadable(table, column, row_id, "it was altered, or belongs to another place") from None

    def blind(self, column: str, text: str) -> str:
        """What is compared instead of the text, equal for equal normal forms; `column` as in `officer.phone`."""
        return hmac.new(self._index, _joined(column, normal(text)), sha256).hexdigest()


def normal(text: str) -> str:
    """The form in which two numbers are the same: full-width made plain, capitals, no blanks or hyphens."""
    return "".join(unicodedata.normalize("NFKC", text).upper().split()).replace("-", "")


def open_sealer(folder: Path) -> Sealer:
    """The sealer of the keys in `<folder>/fields.key`, one a line in base64, made at the first start.

    A line that is added at the end seals from then on; an old line stays while anything is sealed by it.
    """
    path = folder / KEY_FILE
    if not path.exists():
        _make(path)
    try:
        return Sealer([base64.b64decode(line, validate=True) for line in path.read_text("ascii").split()])
    except (ValueError, binascii.Error) as error:
        raise ValueError(f"{path} holds no keys of 32 bytes in base64, one a line.") from error


def _derived(master: bytes, purpose: str, length: int) -> bytes:
    return HKDFExpand(hashes.SHA256(), length, f"suijian/fields/1/{purpose}".encode()).derive(master)


def _place(head: bytes, table: str, column: str, row_id: str) -> bytes:
    return head + _joined(table, column, row_id)


def _joined(*parts: str) -> bytes:
    """Each part after its length, so that no two lists of parts read the same."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in map(str.encode, parts))


def _make(path: Path) -> None:
    """Writes a new key whole or not at all; where another process was first, its key stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.b64encode(os.urandom(_KEY)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
