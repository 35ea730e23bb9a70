"""Photographs as a camera makes them: noise doesn't compress, so they are as large as asked."""

from __future__ import annotations

import io
import random
from functools import cache

from PIL import Image


@cache
def photograph(seed: int, megabytes: float = 0.3) -> bytes:
    """A JPEG of at least so many megabytes, with the time and place of its shot."""
    width, height = 1600, int(500 * megabytes / 0.8) + 200
    chance = random.Random(seed)
    picture = Image.frombytes("RGB", (width, height), chance.randbytes(width * height * 3))
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:11:24 10:00:00"
    exif.get_ifd(0x8769)[0x9011] = "+08:00"
    exif.get_ifd(0x8825).update({1: "N", 2: (32.0, 59.0, 24.5), 3: "E", 4: (112.0, 31.0, 48.0)})
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90, exif=exif)
    return out.getvalue()
