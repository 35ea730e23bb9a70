"""Photographs and signatures for the demo's visits, drawn from a seed: small, and of nobody."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from random import Random
from typing import Final, NamedTuple

from PIL import Image, ImageDraw, ImageFilter

Ink = tuple[int, int, int]

_SIZE: Final = (960, 720)
_FLOOR: Final = 430


class Photo(NamedTuple):
    """A JPEG as a camera would give it, and the phone's thumbnail of it."""

    jpeg: bytes
    thumb: bytes
    width: int
    height: int


class Signature(NamedTuple):
    """A signature as the pad gives it: the picture and the strokes."""

    png: bytes
    strokes: bytes


def photo(scene: str, seed: int) -> Photo:
    """A photograph of one of `SCENES`."""
    rng = Random(seed)
    image = _room(rng)
    SCENES[scene](ImageDraw.Draw(image), rng)
    image = image.filter(ImageFilter.GaussianBlur(0.8))
    thumb = image.resize((240, 180))
    return Photo(_jpeg(image, 78), _jpeg(thumb, 70), *_SIZE)


def signature(seed: int) -> Signature:
    """A signature of two or three characters."""
    rng = Random(seed)
    strokes = [_stroke(rng, 60 + 170 * place) for place in range(rng.choice((2, 3))) for _ in range(rng.randint(3, 5))]
    image = Image.new("L", (600, 240), 255)
    pen = ImageDraw.Draw(image)
    for stroke in strokes:
        pen.line([(x, y) for x, y, _ in stroke], fill=0, width=5, joint="curve")
    out = io.BytesIO()
    image.save(out, "PNG", optimize=False)
    points = [[{"x": x, "y": y, "time": time} for x, y, time in stroke] for stroke in strokes]
    return Signature(out.getvalue(), json.dumps({"w": 600, "h": 240, "strokes": points}).encode())


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _stroke(rng: Random, left: int) -> list[tuple[int, int, int]]:
    x, y, time = left + rng.randint(0, 70), 70 + rng.randint(0, 60), rng.randint(0, 50)
    right, down = rng.choice(((9, 1), (1, 9), (7, 6), (-5, 8)))
    stroke = []
    for _ in range(rng.randint(7, 12)):
        stroke.append((x, y, time))
        x, y, time = x + right + rng.randint(-3, 3), y + down + rng.randint(-3, 3), time + 16
    return stroke


def _room(rng: Random) -> Image.Image:
    """A wall and a floor in a light that falls off to one side."""
    wall, floor = rng.randint(168, 205), rng.randint(118, 146)
    rows = [wall - y // 12 if y < _FLOOR else floor + (y - _FLOOR) // 9 for y in range(_SIZE[1])]
    column = Image.new("L", (1, _SIZE[1]))
    column.putdata(rows)
    grey = column.resize(_SIZE)
    noise = Image.frombytes("L", (240, 180), rng.randbytes(240 * 180)).resize(_SIZE)
    return Image.merge("RGB", [Image.blend(grey.point(lambda v, k=k: v - k), noise, 0.04) for k in (0, 4, 12)])


def _drums(pen: ImageDraw.ImageDraw, rng: Random) -> None:
    for place in range(rng.randint(4, 6)):
        left = 70 + place * 150 + rng.randint(-8, 8)
        ink = rng.choice(((36, 74, 124), (150, 48, 40), (58, 110, 72), (70, 76, 84)))
        pen.rectangle((left, 250, left + 120, 560), fill=ink)
        pen.ellipse((left, 232, left + 120, 270), fill=_lighter(ink))
        for ring in (340, 450):
            pen.line((left, ring, left + 120, ring), fill=_lighter(ink), width=6)
        pen.polygon([(left + 60, 360), (left + 92, 395), (left + 60, 430), (left + 28, 395)], fill=(232, 190, 60))


def _door(pen: ImageDraw.ImageDraw, rng: Random) -> None:
    pen.rectangle((330, 120, 630, 600), fill=(92, 98, 104))
    pen.rectangle((344, 134, 478, 600), fill=(116, 124, 130))
    pen.rectangle((484, 134, 616, 600), fill=(116, 124, 130))
    pen.rectangle((390, 60, 570, 108), fill=(40, 128, 76))
    pen.arc((452, 350, 508, 430), 150, 30, fill=(60, 60, 60), width=9)
    pen.rectangle((450, 395, 510, 445), fill=(196, 160, 60))
    _boxes(pen, rng, 120)


def _boxes(pen: ImageDraw.ImageDraw, rng: Random, left: int) -> None:
    for place in range(rng.randint(3, 6)):
        x, y = left + (place % 3) * 96 + rng.randint(-6, 6), 540 - (place // 3) * 90
        pen.rectangle((x, y, x + 92, y + 88), fill=(176, 134, 88), outline=(126, 92, 58), width=3)
        pen.line((x, y + 40, x + 92, y + 40), fill=(204, 176, 132), width=8)


def _extinguisher(pen: ImageDraw.ImageDraw, rng: Random) -> None:
    for place in range(rng.randint(2, 3)):
        left = 250 + place * 170
        pen.rounded_rectangle((left, 260, left + 96, 560), 30, fill=(186, 36, 34))
        pen.rectangle((left + 32, 220, left + 64, 262), fill=(52, 52, 52))
        pen.ellipse((left + 26, 300, left + 70, 344), fill=(240, 240, 236), outline=(40, 40, 40), width=3)
        angle = (left + 30, 334) if place == 0 else (left + 58, 306)
        pen.line((left + 48, 322, *angle), fill=(180, 30, 30), width=4)


def _panel(pen: ImageDraw.ImageDraw, rng: Random) -> None:
    pen.rectangle((300, 130, 640, 520), fill=(206, 206, 198), outline=(110, 110, 106), width=8)
    for row in range(3):
        for place in range(5):
            left = 330 + place * 58
            pen.rectangle((left, 170 + row * 100, left + 44, 240 + row * 100), fill=(58, 62, 68))
            pen.rectangle((left + 14, 190 + row * 100, left + 30, 214 + row * 100), fill=(220, 220, 214))
    for _ in range(rng.randint(4, 7)):
        start = rng.randint(330, 600)
        pen.line(
            (start, 520, start + rng.randint(-80, 80), 690), fill=rng.choice(((30, 30, 30), (160, 40, 34))), width=7
        )


def _gate(pen: ImageDraw.ImageDraw, rng: Random) -> None:
    pen.rectangle((0, 0, _SIZE[0], 250), fill=(176, 200, 222))
    pen.rectangle((40, 190, 170, 640), fill=(150, 110, 92))
    pen.rectangle((790, 190, 920, 640), fill=(150, 110, 92))
    for place in range(24):
        pen.rectangle((176 + place * 26, 250, 184 + place * 26, 620), fill=(64, 70, 76))
    pen.rectangle((176, 300, 790, 316), fill=(64, 70, 76))
    pen.rectangle((176, 540, 790, 556), fill=(64, 70, 76))
    pen.rectangle((452, 400, 512, 452), fill=(190 - rng.randint(0, 20), 156, 60))


def _pit(pen: ImageDraw.ImageDraw, rng: Random) -> None:
    pen.polygon([(210, 500), (750, 500), (860, 690), (100, 690)], fill=(104, 102, 98))
    pen.ellipse((330, 520, 640, 660), fill=(34, 34, 36), outline=(150, 148, 140), width=12)
    for place in range(4):
        left = 180 + place * 180 + rng.randint(-10, 10)
        pen.line((left, 300, left, 500), fill=(214, 176, 52), width=12)
    pen.line((160, 340, 800, 340), fill=(214, 176, 52), width=10)


def _lighter(ink: Ink) -> Ink:
    return (min(255, ink[0] + 40), min(255, ink[1] + 40), min(255, ink[2] + 40))


SCENES: Final[dict[str, Callable[[ImageDraw.ImageDraw, Random], None]]] = {
    "drums": _drums,
    "door": _door,
    "extinguisher": _extinguisher,
    "panel": _panel,
    "gate": _gate,
    "pit": _pit,
}
"""What a photograph can be of."""
