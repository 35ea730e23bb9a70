"""A line between phones and the server that answers in its stead, cuts requests short, or holds them."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Callable
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any, NamedTuple, Self

HTML = b"<!doctype html><title>Welcome</title><p>Please accept the terms of the hotel.</p>"
CODES = {400: "not_json", 413: "too_large", 500: "internal"}


class Asked(NamedTuple):
    """A request as the line saw it."""

    method: str
    path: str
    head: bytes
    body: bytes

    @property
    def plain(self) -> bytes:
        """The body, inflated."""
        return gzip.decompress(self.body) if b"content-encoding: gzip" in self.head.lower() else self.body


Rule = Callable[[Asked], str | None]
"""What to do with a request. None passes it on; `html`, `400`, `413`, `500` answer it without the server; `before`,
`during` and `after` cut the line before, while and after the server has it; `hold` keeps it until the phone goes."""


class Proxy(ThreadingTCPServer):
    """Listens on a free port; `rule` is asked for each request."""

    daemon_threads = True

    def __init__(self, upstream: int) -> None:
        super().__init__(("127.0.0.1", 0), _Line)
        self.upstream = upstream
        self.rule: Rule = lambda asked: None
        self.done: list[tuple[Asked, str | None]] = []
        self.held = threading.Event()
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()

    @property
    def url(self) -> str:
        """What phones call."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def disturb(self, method: str, path: str, what: str, times: int = 1) -> None:
        """Does `what` to the next requests of this kind."""
        left = times

        def rule(asked: Asked) -> str | None:
            nonlocal left
            if left and asked.method == method and asked.path.startswith(path):
                left -= 1
                return what
            return None

        self.held.clear()
        self.rule = rule

    def clear(self) -> None:
        """Passes everything on."""
        self.rule = lambda asked: None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A phone that went away in the middle is what these tests are about."""


class _Line(StreamRequestHandler):
    """One request of a phone."""

    server: Proxy

    def handle(self) -> None:
        asked = self._read()
        if asked is None:
            return
        what = self.server.rule(asked)
        self.server.done.append((asked, what))
        if what is None:
            self._pass_on(asked, len(asked.body), self.wfile.write)
        elif what == "hold":
            self.server.held.set()
            self.rfile.read()
        elif what == "during":
            self._pass_on(asked, len(asked.body) // 2, None)
        elif what == "after":
            self._pass_on(asked, len(asked.body), lambda data: None)
        elif what != "before":
            self.wfile.write(_answer(what))

    def _read(self) -> Asked | None:
        lines = []
        while (line := self.rfile.readline()) != b"\r\n":
            if not line:
                return None
            lines.append(line)
        method, path, _ = lines[0].decode().split(" ")
        length = next((int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")), 0)
        return Asked(method, path, b"".join(lines), self.rfile.read(length))

    def _pass_on(self, asked: Asked, upto: int, take: Callable[[bytes], Any] | None) -> None:
        first, _, rest = asked.head.partition(b"\r\n")
        kept = [line for line in rest.split(b"\r\n") if line and not line.lower().startswith(b"connection:")]
        with socket.create_connection(("127.0.0.1", self.server.upstream)) as up:
            up.sendall(b"\r\n".join([first, b"Connection: close", *kept, b"", b""]) + asked.body[:upto])
            while take and (data := up.recv(65536)):
                take(data)


def _answer(what: str) -> bytes:
    kind, body = "text/html", HTML
    if what != "html":
        problem = {"type": "about:blank", "title": "x", "status": int(what), "detail": "x", "code": CODES[int(what)]}
        kind, body = "application/problem+json", json.dumps(problem).encode()
    status = "200 OK" if what == "html" else f"{what} X"
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body
