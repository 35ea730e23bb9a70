"""The header of a picture is read as Pillow reads it, and no damage makes the reading fail."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from server.domain.picture import Header, can_be_shown, header_of


def picture(format: str, mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (321, 123), 120 if mode == "L" else None).save(out, format, **options)
    return out.getvalue()


PICTURES = {
    "jpeg": picture("JPEG"),
    "progressive": picture("JPEG", progressive=True),
    "gray": picture("JPEG", "L"),
    "with a profile": picture("JPEG", icc_profile=b"x" * 100_000),
    "png": picture("PNG"),
    "png with alpha": picture("PNG", "RGBA"),
    "webp": picture("WEBP"),
    "lossless": picture("WEBP", lossless=True),
    "webp with alpha": picture("WEBP", "RGBA", exif=b"Exif\0\0"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_format_and_size_are_read(name: str) -> None:
    data = PICTURES[name]
    format = Image.open(io.BytesIO(data)).format
    assert header_of(data) == Header(f"image/{str(format).lower()}", 321, 123)
    assert can_be_shown(data)


@pytest.mark.parametrize("name", PICTURES)
def test_a_header_that_ends_early_is_none_or_the_same(name: str) -> None:
    data = PICTURES[name]
    assert {header_of(data[:length]) for length in range(min(len(data), 3000))} <= {None, header_of(data)}


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"%PDF", b"BM", b"<svg", b"\x00\x00\x00\x18ftypheic"])
def test_nothing_else_is_a_picture(data: bytes) -> None:
    assert header_of(data) is None
    assert not can_be_shown(data)
