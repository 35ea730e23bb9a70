"""A proxy before the server that cuts connections in the middle of a body, and gives a browser the clients to test."""

from __future__ import annotations

import asyncio
import json
import mimetypes
import re
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "web" / "node_modules"
LIB, ICON = b"GET /lib/", b"GET /favicon.ico "
REQUIRE = re.compile(r"require\(['\"]([^'\"]+)['\"]\)")

IMPORTS = {
    "tus-js-client": "/lib/tus.mjs",
    "@uppy/core": "/lib/@uppy/core/lib/index.js",
    "@uppy/core/utils": "/lib/@uppy/core/lib/utils/index.js",
    "@uppy/tus": "/lib/@uppy/tus/lib/index.js",
    "@transloadit/prettier-bytes": "/lib/@transloadit/prettier-bytes/dist/prettierBytes.js",
    "nanoid/non-secure": "/lib/nanoid/non-secure/index.js",
    "p-queue": "/lib/p-queue/dist/index.js",
    "p-timeout": "/lib/p-timeout/index.js",
    "p-retry": "/lib/p-retry/index.js",
    "is-network-error": "/lib/is-network-error/index.js",
    "eventemitter3": "/lib/eventemitter3/index.mjs",
    "preact": "/lib/@uppy/core/node_modules/preact/dist/preact.mjs",
    "preact/hooks": "/lib/@uppy/core/node_modules/preact/hooks/dist/hooks.mjs",
    "preact/compat": "/lib/@uppy/core/node_modules/preact/compat/dist/compat.mjs",
    "preact/jsx-runtime": "/lib/@uppy/core/node_modules/preact/jsx-runtime/dist/jsxRuntime.mjs",
    "classnames": "/lib/classnames/index.js?cjs",
    "lodash/throttle.js": "/lib/lodash/throttle.js?cjs",
    "lodash/debounce.js": "/lib/lodash/debounce.js?cjs",
    "mime-match": "/lib/mime-match/index.js?cjs",
    "namespace-emitter": "/lib/namespace-emitter/index.js?cjs",
}
PAGE = f"""<!doctype html><meta charset="utf-8"><title>clients</title>
<script src="/lib/tus-js-client/dist/tus.min.js"></script>
<script type="importmap">{json.dumps({"imports": IMPORTS})}</script>"""
TUS_MODULE = (
    "export const { Upload, DefaultHttpStack, DetailedError, canStoreURLs, defaultOptions, isSupported } = tus;"
)


class Cutter:
    """Forwards to `port`; of all bytes going up, at each count in `cuts` the connection is broken off.

    After the cut number `restart_at` no connection is let through until `restart` has returned.
    """

    def __init__(self, port: int, cuts: list[int], restart_at: int = 0, restart: Callable[[], object] = bool) -> None:
        self._target = port
        self._cuts = list(cuts)
        self._restart_at, self._restart = restart_at, restart
        self._up = 0
        self.done = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever)

    def __enter__(self) -> Cutter:
        self._thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def url(self) -> str:
        """Where clients go."""
        return f"http://127.0.0.1:{self.port}"

    async def _listen(self) -> int:
        self._open.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def _end(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(65536)
        if first.startswith((LIB, ICON)):
            writer.write(library(first.split(b" ", 2)[1].decode().removeprefix("/lib/")))
            await writer.drain()
            writer.close()
            return
        await self._open.wait()
        there_reader, there = await asyncio.open_connection("127.0.0.1", self._target)
        back = asyncio.create_task(_copy(there_reader, writer))
        try:
            await self._forward(first, reader, there, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            there.close()
            back.cancel()
            writer.close()

    async def _forward(
        self, block: bytes, reader: asyncio.StreamReader, there: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        while block:
            if self._cuts and self._up + len(block) >= self._cuts[0]:
                there.write(block[: self._cuts[0] - self._up])
                await there.drain()
                self._up = self._cuts.pop(0)
                await self._cut(there, back)
                return
            self._up += len(block)
            there.write(block)
            await there.drain()
            block = await reader.read(16384)

    async def _cut(self, there: asyncio.StreamWriter, back: asyncio.StreamWriter) -> None:
        self.done += 1
        if self.done == self._restart_at:
            self._open.clear()
            await asyncio.get_running_loop().run_in_executor(None, self._restart)
            self._open.set()
        there.transport.abort()
        back.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while block := await reader.read(65536):
            writer.write(block)
            await writer.drain()
        writer.close()
    except ConnectionError:
        pass


def library(name: str) -> bytes:
    """The HTTP answer for one file below `web/node_modules`; CommonJS is wrapped so that a browser can import it."""
    path, _, query = name.partition("?")
    if path in (
        "page.html",
        "/favicon.ico",
    ):  # the browser asks for an icon, and shall not keep that connection for more
        return _answer(PAGE, "text/html")
    if path == "tus.mjs":
        return _answer(TUS_MODULE, "text/javascript")
    file = MODULES / path
    if not file.exists():
        file = file.with_suffix(".js")
    text = file.read_text()
    if query == "cjs":
        text = _module(text)
    return _answer(text, mimetypes.guess_type(file.name)[0] or "text/javascript")


def _module(text: str) -> str:
    wanted = list(dict.fromkeys(REQUIRE.findall(text)))
    lines = [f"import r{at} from {json.dumps(_place(name))};" for at, name in enumerate(wanted)]
    table = ", ".join(f"{json.dumps(name)}: r{at}" for at, name in enumerate(wanted))
    lines += [
        "const module = { exports: {} }, exports = module.exports;",
        f"const require = (name) => ({{ {table} }})[name];",
    ]
    return "\n".join([*lines, f"(function () {{ {text}\n}})();", "export default module.exports;"])


def _place(name: str) -> str:
    return f"{name}.js?cjs" if name.startswith(".") else f"/lib/{name}/index.js?cjs"


def _answer(text: str, type: str) -> bytes:
    body = text.encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
