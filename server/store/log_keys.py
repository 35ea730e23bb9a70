"""The keys of the log: Ed25519, one a line in `<data>/keys/log.keys`, the last one signs; and checking signatures."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from server.domain.checkpoint import LOG, WITNESS, Key, Note, Signature, cosigned, signatures_by, time_of

KEY_FILE: Final = "log.keys"


class Signer:
    """The private keys of the log, oldest first."""

    def __init__(self, path: Path, privates: Sequence[Ed25519PrivateKey]) -> None:
        if not privates:
            raise ValueError(f"{path} holds no key.")
        self.path = path
        self._privates = {private.public_key().public_bytes_raw(): private for private in privates}

    @property
    def newest(self) -> bytes:
        """The public key of the one that signs."""
        return list(self._privates)[-1]

    def holds(self, key: Key) -> bool:
        """Whether the private key of this one is here."""
        return key.public in self._privates

    def sign(self, key: Key, text: str) -> Signature:
        """The signature of a note's text by a key that is here."""
        return Signature(key.name, key.id, self._privates[key.public].sign(text.encode()))

    def with_new(self) -> Signer:
        """Makes one more key, keeps it in the file behind the others, and gives all of them."""
        private = Ed25519PrivateKey.generate()
        lines = self.path.read_bytes() + _line(private)
        temporary = self.path.with_suffix(f".{os.getpid()}")
        _write(temporary, lines)
        temporary.replace(self.path)
        _sync_folder(self.path.parent)
        return Signer(self.path, [*self._privates.values(), private])


def open_signer(folder: Path) -> Signer:
    """Reads the keys; the first is made at the first start, and read by nobody else."""
    path = folder / KEY_FILE
    if not path.exists():
        _make(path)
    try:
        raws = [base64.b64decode(line, validate=True) for line in path.read_text("ascii").split()]
        return Signer(path, [Ed25519PrivateKey.from_private_bytes(raw) for raw in raws])
    except (ValueError, binascii.Error) as error:
        raise ValueError(f"{path} holds no Ed25519 keys in base64, one a line.") from error


def key_of(name: str, public: bytes) -> Key:
    """A key of the log by its name."""
    return Key(name, LOG, public)


def is_by(key: Key, text: str, signature: Signature) -> bool:
    """Whether a signature is this key's over this text; that of a witness names the time that it signed too."""
    if (signature.name, signature.key_id) != (key.name, key.id):
        return False
    if key.kind == WITNESS:
        if len(signature.raw) != 72:
            return False
        return _is_signed(key.public, cosigned(text, time_of(signature)), signature.raw[8:])
    return _is_signed(key.public, text.encode(), signature.raw)


def signers_of(note: Note, keys: Sequence[Key]) -> list[Key]:
    """Which of these keys have signed a note."""
    return [key for key, signature in signatures_by(note, keys) if is_by(key, note.text, signature)]


def _is_signed(public: bytes, message: bytes, raw: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(raw, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _line(private: Ed25519PrivateKey) -> bytes:
    return base64.b64encode(private.private_bytes_raw()) + b"\n"


def _make(path: Path) -> None:
    """Writes a first key whole or not at all; where another process was first, its key stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}")
    _write(temporary, _line(Ed25519PrivateKey.generate()))
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    _sync_folder(path.parent)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
