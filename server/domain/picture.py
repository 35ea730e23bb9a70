"""What the first bytes of a picture say of it, read without decoding anything: format, width, height."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

MOST_PIXELS: Final = 50_000_000
"""A picture with more is stored like any other evidence, and never decoded."""

HEADER_BYTES: Final = 1 << 18
"""How much of a file `header_of` wants: a JPEG may carry colour profiles and thumbnails before its frame header."""

_NO_FRAME: Final = frozenset({0xC4, 0xC8, 0xCC})


class Header(NamedTuple):
    """Format and size as the header claims them."""

    mime: str
    width: int
    height: int


def header_of(data: bytes) -> Header | None:
    """The header of a JPEG, PNG or WebP; None for all else, and for one that is damaged."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return _jpeg(data)
        if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
            return Header("image/png", *struct.unpack_from(">II", data, 16))
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
    except (struct.error, IndexError):
        return None
    return None


def can_be_shown(data: bytes) -> bool:
    """Whether these first bytes are those of a picture that may be decoded: of a known format and not too large."""
    header = header_of(data)
    return header is not None and 0 < header.width * header.height <= MOST_PIXELS


def _jpeg(data: bytes) -> Header | None:
    at = 2
    while data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
        elif 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return Header("image/jpeg", width, height)
        else:
            at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    return None


def _webp(data: bytes) -> Header | None:
    kind = data[12:16]
    if len(data) < 30:
        return None
    if kind == b"VP8X":
        width = int.from_bytes(data[24:27], "little") + 1
        height = int.from_bytes(data[27:30], "little") + 1
    elif kind == b"VP8L" and data[20] == 0x2F:
        (bits,) = struct.unpack_from("<I", data, 21)
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    else:
        return None
    return Header("image/webp", width, height)
