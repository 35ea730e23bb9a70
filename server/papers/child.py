"""The child process that sets type: `python -I child.py TEMPLATE FAMILIES FONT...`, with limits on memory and time.

A line of its input is JSON: `{"sheet", "qr", "pictures": {digest: path}}`. It answers a line: `{"size": n}` and then
the n bytes of a PDF, `{"missing": [characters]}` that no font has, or `{"fault": ...}`. What is in the sheet reaches
the template as data, never as markup; pictures are drawn anew before typst sees them.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import typst
from fontTools.ttLib import TTCollection, TTFont
from PIL import Image

MEMORY = 2 << 30
SECONDS = 20
MOST_PIXELS = 50_000_000
EDGE = 900


def main(template: Path, families: Sequence[str], files: Sequence[Path]) -> None:
    """Prints documents until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("error")
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with tempfile.TemporaryDirectory() as folder:
        fonts = Path(folder, "fonts")
        fonts.mkdir()
        for n, file in enumerate(files):
            os.symlink(file, fonts / f"{n}{file.suffix}")
        press = _Press(template.read_bytes(), families, files, Path(folder), fonts)
        for line in sys.stdin.buffer:
            used = resource.getrusage(resource.RUSAGE_SELF)
            seconds = int(used.ru_utime + used.ru_stime) + SECONDS
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
            _answer(*press.pull(json.loads(line)))


def _answer(said: dict[str, Any], pdf: bytes) -> None:
    sys.stdout.buffer.write(json.dumps(said).encode() + b"\n" + pdf)
    sys.stdout.buffer.flush()


class _Press:
    def __init__(
        self, template: bytes, families: Sequence[str], files: Sequence[Path], root: Path, folder: Path
    ) -> None:
        self.template, self.root = template, root
        fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(folder)])
        there = set(fonts.families())
        self.families = [family for family in families if family in there]
        self.known = _characters(files, set(self.families))
        self.compiler = typst.Compiler(root=str(root), font_paths=fonts, ignore_system_fonts=True)

    def pull(self, order: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        missing = sorted({one for text in _texts(order["sheet"]) for one in text} - self.known - {"\n"})
        if missing:
            return {"missing": missing}, b""
        pictures = {name: made for name, path in order["pictures"].items() if (made := self._drawn(name, path))}
        inputs = {
            "sheet": json.dumps(order["sheet"], ensure_ascii=False),
            "qr": order["qr"],
            "pictures": json.dumps(pictures),
            "fonts": json.dumps(self.families),
        }
        try:
            pdf = self.compiler.compile(input=self.template, format="pdf", sys_inputs=inputs)
        except (typst.TypstError, MemoryError) as fault:
            return {"fault": str(fault)[:500]}, b""
        assert isinstance(pdf, bytes)
        return {"size": len(pdf)}, pdf

    def _drawn(self, name: str, path: str) -> str | None:
        """A picture drawn anew, grey on white, without anything else that was in its file; None where it can't be."""
        made = self.root / f"{name}.png"
        if not made.exists():
            picture = _grey(path)
            if picture is None:
                return None
            made.write_bytes(picture)
        return made.name


def _grey(path: str) -> bytes | None:
    out = io.BytesIO()
    try:
        with Image.open(path, formats=("JPEG", "PNG", "WEBP")) as original:
            if original.width * original.height > MOST_PIXELS:
                return None
            original.draft("L", (EDGE, EDGE))
            drawn = original.convert("RGBA")
            drawn.thumbnail((EDGE, EDGE))
            paper = Image.new("RGB", drawn.size, "white")
            paper.paste(drawn, mask=drawn.getchannel("A"))
            paper.convert("L").save(out, "PNG")
    except Exception:  # a hostile file may raise anything: its place says that it can't be shown
        return None
    return out.getvalue()


def _characters(files: Iterable[Path], families: set[str]) -> set[str]:
    """Every character that the fonts of these families have."""
    known = set[str]()
    for file in files:
        if "Bold" in file.name:
            continue
        for font in _fonts_in(file):
            if font["name"].getBestFamilyName() in families:
                known |= {chr(one) for one in font.getBestCmap()}
    return known


def _fonts_in(file: Path) -> Iterator[TTFont]:
    with contextlib.ExitStack() as stack:
        if file.suffix == ".ttc":
            yield from stack.enter_context(TTCollection(str(file), lazy=True)).fonts
        else:
            yield stack.enter_context(TTFont(str(file), lazy=True))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2].split("|"), [Path(one) for one in sys.argv[3:]])
