"""Checkpoints as text: C2SP signed notes, the names of keys, and when the next one is due.

Formats: https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint, https://c2sp.org/tlog-cosignature. A note is a
text, an empty line, and a line for each signature: an em dash, the key's name, and base64 of four bytes of the key's
hash before the signature.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import msgspec

from server.domain.instant import beijing_day

LOG, WITNESS = b"\x01", b"\x04"
"""How a key signs: Ed25519 over the text, or an Ed25519 cosignature, which names its time."""

DASH: Final = "\u2014 "
OFTEN: Final = timedelta(hours=1)
"""A log that grows is signed this often, and on each day; on demand whenever somebody asks."""

AT_ONCE: Final = frozenset(
    (
        "op.accept_final",
        "draw.commit",
        "draw.run",
        "draw.void",
        "crew.commit",
        "crew.match",
        "result.publish",
        "correction.sign",
    )
)
"""Acts after which the log is signed at once: what is final, drawn or public shall not be movable for an hour."""

_NAME = re.compile(r"[^\s+]{1,200}\Z")
_SIGNED = re.compile("\u2014 ([^\\s+]{1,200}) ([A-Za-z0-9+/]{8,200}={0,2})\\Z")
_SIZE = re.compile(r"(?:0|[1-9][0-9]{0,15})\Z")


class Key(msgspec.Struct, frozen=True):
    """A public key as notes name it: `name+hash+key`, the line that people compare and keep."""

    name: str
    kind: bytes
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes by which a signature names its key."""
        return hashlib.sha256(self.name.encode() + b"\n" + self.kind + self.public).digest()[:4]

    @property
    def text(self) -> str:
        """The key in one line."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(self.kind + self.public).decode()}"


class Signature(msgspec.Struct, frozen=True):
    """A line under a note: who says to have signed, by which key, and the signature's bytes."""

    name: str
    key_id: bytes
    raw: bytes

    @property
    def line(self) -> str:
        """The line as it stands in the note."""
        return f"{DASH}{self.name} {base64.b64encode(self.key_id + self.raw).decode()}\n"


class Tree(msgspec.Struct, frozen=True):
    """What a checkpoint says: the log's name, how many entries it has, and the root over them."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


class Note(msgspec.Struct, frozen=True):
    """A text with its signatures, none of them checked yet."""

    text: str
    signatures: tuple[Signature, ...]

    @property
    def whole(self) -> str:
        """The note as it is handed on."""
        return self.text + "\n" + "".join(one.line for one in self.signatures)


def read_key(text: str) -> Key:
    """Reads `name+hash+key`; a `ValueError` says what is wrong with it."""
    name, _, rest = text.strip().partition("+")
    digest, _, body = rest.partition("+")
    try:
        raw = base64.b64decode(body, validate=True)
    except binascii.Error:
        raw = b""
    if not _NAME.match(name) or len(raw) != 33 or raw[:1] not in (LOG, WITNESS):
        raise ValueError("not a key like name+01234567+base64")
    found = Key(name, raw[:1], raw[1:])
    if found.id.hex() != digest:
        raise ValueError(f"the key's hash is {found.id.hex()}, not {digest}")
    return found


def is_name(text: str) -> bool:
    """Whether a key may be called so: no blank and no plus sign."""
    return _NAME.match(text) is not None


def read_note(text: str) -> Note:
    """Takes a note apart; a `ValueError` says where it isn't one."""
    head, gap, tail = text.rpartition("\n\n")
    if not gap or not tail.endswith("\n"):
        raise ValueError("no empty line before the signatures, or no line's end after the last one")
    return Note(head + "\n", tuple(read_signature(line) for line in tail[:-1].split("\n")))


def read_signature(line: str) -> Signature:
    """Reads one line under a note."""
    found = _SIGNED.match(line.rstrip("\n"))
    if found is None:
        raise ValueError("not a line of a signature")
    try:
        raw = base64.b64decode(found[2], validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
    return Signature(found[1], raw[:4], raw[4:])


def read_tree(text: str) -> Tree:
    """Reads the text of a checkpoint."""
    lines = text.split("\n")
    if len(lines) < 4 or not lines[0] or not _SIZE.match(lines[1]):
        raise ValueError("not the three lines of a checkpoint")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except binascii.Error:
        raise ValueError("the root isn't base64") from None
    if len(root) != 32:
        raise ValueError("the root isn't 32 bytes long")
    return Tree(lines[0], int(lines[1]), root)


def cosigned(text: str, seconds: int) -> bytes:
    """What a witness signs of a checkpoint at a time."""
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def time_of(signature: Signature) -> int:
    """When a witness says to have signed, in seconds since 1970."""
    return int.from_bytes(signature.raw[:8], "big")


def key_text(origin: str, new: Key) -> str:
    """What the old key and the new one both sign when a log changes its key; it can't be read as a checkpoint."""
    return f"{origin}\nnew key\n{new.text}\n"


def origin_of(address: str) -> str:
    """A log's name: where it is published when it begins, without the scheme."""
    return f"{urlsplit(address).netloc}/log"


def is_due(last: tuple[str, int] | None, size: int, now: datetime) -> bool:
    """Whether a checkpoint is due: `last` is the time and the size of the newest, `size` what the log has now."""
    if last is None:
        return True
    at, signed = datetime.fromisoformat(last[0]), last[1]
    return size > signed and (now - at >= OFTEN or beijing_day(now) != beijing_day(at))


def signatures_by(note: Note, keys: Sequence[Key]) -> list[tuple[Key, Signature]]:
    """The signatures whose name and key are among these."""
    by = {(key.name, key.id): key for key in keys}
    return [(by[one.name, one.key_id], one) for one in note.signatures if (one.name, one.key_id) in by]
