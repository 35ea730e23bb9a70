"""Pictures of originals whose phone sent no rendition: asked for here, made in a limited child, never in the server."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

CHILD: Final = Path(__file__).with_name("pictures.py")
SECONDS: Final = 15
"""How long the child may take for one picture before it is ended."""

IDLE_SECONDS: Final = 20
"""How long a child without work stays."""

Key = tuple[str, str]


class Painter:
    """Makes one picture at a time; who asks for one that is being made waits for the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._under_way: dict[Key, asyncio.Task[bool]] = {}
        self._turn: asyncio.Lock | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._farewell: asyncio.TimerHandle | None = None

    def place(self, sha256: str, kind: str) -> Path:
        """Where the picture lies when it is made; an empty file there says that it can't be."""
        return self._folder / f"{sha256}.{kind}.jpg"

    async def picture(self, source: Path, sha256: str, kind: str) -> Path | None:
        """The `thumb` or `small` picture of an original; None where it has none: damaged, too large, not a picture."""
        place = self.place(sha256, kind)
        if not place.exists():
            key = (sha256, kind)
            if key not in self._under_way:
                task = asyncio.create_task(self._make(source, place, kind))
                self._under_way[key] = task
                task.add_done_callback(lambda _: self._under_way.pop(key, None))
            await asyncio.shield(self._under_way[key])
        return place if place.stat().st_size else None

    async def close(self) -> None:
        """End the child."""
        child, self._child = self._child, None
        if child is not None and child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()

    async def _make(self, source: Path, place: Path, kind: str) -> bool:
        if self._turn is None:
            self._turn = asyncio.Lock()
        async with self._turn:
            made = await self._ask(f"{kind}\t{source}\t{place}\n".encode())
        if not made:
            place.touch()
        return made

    async def _ask(self, line: bytes) -> bool:
        if self._farewell is not None:
            self._farewell.cancel()
        try:
            async with asyncio.timeout(SECONDS):
                child = await self._living_child()
                if child.stdin is None or child.stdout is None:
                    return False
                child.stdin.write(line)
                await child.stdin.drain()
                answer = await child.stdout.readline()
        except (TimeoutError, OSError):
            answer = b""
        if answer == b"":
            await self.close()
        loop = asyncio.get_running_loop()
        self._farewell = loop.call_later(IDLE_SECONDS, self._dismiss)
        return answer == b"ok\n"

    def _dismiss(self) -> None:
        if self._child is not None and self._child.stdin is not None:
            self._child.stdin.close()
            self._child = None

    async def _living_child(self) -> asyncio.subprocess.Process:
        if self._child is None or self._child.returncode is not None:
            self._child = await asyncio.create_subprocess_exec(
                sys.executable,
                "-I",
                str(CHILD),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={"PATH": os.defpath},
            )
        return self._child
