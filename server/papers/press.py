"""The press: asks the child process for a document's PDF, and says what stands in its way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
import segno

from server.domain.document_sheet import Sheet
from server.domain.text import shown, text_faults
from server.errors import Problem
from server.papers.fonts import FAMILIES, fetch, font_files

CHILD: Final = Path(__file__).with_name("child.py")
TEMPLATE: Final = Path(__file__).with_name("templates") / "document.typ"
IDLE_SECONDS: Final = 60
"""How long a child without work stays: fonts and what typst remembers take up to 320 MB."""

SECONDS: Final = 30
"""How long the child may take for one document before it is ended."""


class Press:
    """Prints one document at a time. `folder` holds the fonts that were fetched where the system has none."""

    def __init__(self, folder: Path, files: list[Path] | None = None) -> None:
        self._folder, self._files = folder, files
        self._turn = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._farewell: threading.Timer | None = None

    def pull(self, sheet: Sheet, pictures: Mapping[str, Path], *, named: bool = False) -> bytes:
        """The PDF of a sheet: the same bytes each time, in every process with the same fonts and pictures.

        Characters that no font has are named in a problem; with `named` their numbers are printed in their place.
        """
        plain = _visible(msgspec.to_builtins(sheet))
        order = {"sheet": plain, "qr": _qr(sheet.qr), "pictures": {name: str(path) for name, path in pictures.items()}}
        with self._turn:
            answer, pdf = self._ask(order)
            missing = answer.get("missing", [])
            if missing and named:
                order["sheet"] = _replaced(plain, set(missing))
                answer, pdf = self._ask(order)
                missing = answer.get("missing", [])
        if missing:
            found = "、".join(shown(one) for one in missing[:20])
            raise Problem("glyphs_missing", members={"characters": missing[:200]}, n=len(missing), found=found)
        if "fault" in answer:
            raise Problem("paper_failed")
        return pdf

    def close(self) -> None:
        """Ends the child."""
        with self._turn:
            self._end()

    def _ask(self, order: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
        child = self._living_child()
        watch = threading.Timer(SECONDS, child.kill)
        watch.start()
        try:
            assert child.stdin is not None and child.stdout is not None
            child.stdin.write(json.dumps(order, ensure_ascii=True).encode() + b"\n")
            child.stdin.flush()
            answer: dict[str, Any] = json.loads(child.stdout.readline() or b'{"fault": "ended"}')
            pdf = child.stdout.read(answer.get("size", 0))
            if len(pdf) < answer.get("size", 0):
                answer = {"fault": "ended"}
        except (OSError, ValueError):
            answer, pdf = {"fault": "ended"}, b""
        finally:
            watch.cancel()
        if answer.get("fault") == "ended":
            self._end()
        else:
            self._stay()
        return answer, pdf

    def _living_child(self) -> subprocess.Popen[bytes]:
        if self._farewell is not None:
            self._farewell.cancel()
        if self._child is not None and self._child.poll() is not None:
            self._end()
        if self._child is None:
            files = self._files or font_files(self._folder)
            if not files:
                fetch(self._folder)
                raise Problem("fonts_missing", headers={"Retry-After": "60"})
            command = [sys.executable, "-I", str(CHILD), str(TEMPLATE), "|".join(FAMILIES), *map(str, files)]
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={"PATH": os.defpath},
            )
        return self._child

    def _stay(self) -> None:
        self._farewell = threading.Timer(IDLE_SECONDS, self.close)
        self._farewell.daemon = True
        self._farewell.start()

    def _end(self) -> None:
        child, self._child = self._child, None
        if self._farewell is not None:
            self._farewell.cancel()
        if child is None:
            return
        with suppress(OSError):
            child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()


def _qr(text: str) -> str:
    """The code at the foot as SVG: the path alone, without anything that depends on the day."""
    return segno.make(text, error="m").svg_inline(border=0, omitsize=True, svgclass=None, lineclass=None)


def _visible(value: Any) -> Any:
    """Texts as they can be printed: what can't be seen or turns the direction of writing stands there by its number."""
    if isinstance(value, str):
        return "".join(map(_seen, value.replace("\r\n", "\n").replace("\t", " ")))
    if isinstance(value, dict):
        return {name: _visible(part) for name, part in value.items()}
    return [_visible(part) for part in value] if isinstance(value, list | tuple) else value


def _seen(character: str) -> str:
    return f"〔{shown(character)}〕" if text_faults("", character) else character


def _replaced(value: Any, missing: set[str]) -> Any:
    if isinstance(value, str):
        return "".join(f"〔U+{ord(one):04X}〕" if one in missing else one for one in value)
    if isinstance(value, dict):
        return {name: _replaced(part, missing) for name, part in value.items()}
    return [_replaced(part, missing) for part in value] if isinstance(value, list) else value
