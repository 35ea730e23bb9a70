"""The field app as it is served: its shell with the import map, its service worker, and what it keeps offline."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import msgspec

from server.shelf import Item, files_under, item, type_of

WEB = Path(__file__).resolve().parent.parent / "web"
IMPORTMAP_PLACE = b"<!--importmap-->"
VERSION_PLACE = b"__VERSION__"
NOT_SERVED_SUFFIXES = (".mjs", ".ts", ".md", ".txt", ".stamp")
NOT_SERVED_FOLDERS = ("node_modules/", "dev/")
NOT_SERVED = ("package.json", "package-lock.json", "tsconfig.json", "index.html", "sw.js")
OFFICE_VENDOR = "vendor/htmx.org/"

WHOLE_LINE_COMMENT = re.compile(rb"^[ \t]*(?://[^\n]*|/\*(?:(?!\*/)[\s\S])*\*/[ \t]*)$", re.MULTILINE)

IMPORTS = {
    "preact": "preact/preact.mjs",
    "preact/hooks": "preact/hooks.mjs",
    "htm": "htm/htm.mjs",
    "idb": "idb/idb.js",
    "canonicalize": "canonicalize/canonicalize.js",
    "signature_pad": "signature_pad/signature_pad.js",
    "tus-js-client": "tus-js-client/browser/index.js",
}
SHIMS = {"url-parse": "url-parse.js", "js-base64": "js-base64.js"}


class FieldApp(msgspec.Struct, frozen=True):
    """All that is served under /app/."""

    shell: Item
    worker: Item
    precache: Item
    files: dict[str, Item]
    importmap_hash: str


def load(web: Path = WEB) -> FieldApp:
    """Reads the folder once: what is served from now on is what stands here now."""
    files = {f"/app/{name}": _item(name, path) for name, path in _served(web)}
    importmap = _importmap()
    shell = _shell(web, importmap)
    version, precache = _precache(shell, files, _lazy(web))
    worker_path = web / "sw.js"
    worker = worker_path.read_bytes() if worker_path.is_file() else b""
    return FieldApp(
        shell,
        item("/app/sw.js", type_of("sw.js"), worker.replace(VERSION_PLACE, version.encode())),
        precache,
        files,
        "sha256-" + base64.b64encode(hashlib.sha256(importmap).digest()).decode(),
    )


def _item(name: str, path: Path) -> Item:
    body = path.read_bytes()
    if name.endswith(".js") and not name.startswith("vendor/"):
        body = without_comments(body)
    return item(f"/app/{name}", type_of(name), body)


def without_comments(script: bytes) -> bytes:
    """A script of ours with its whole-line comments blank: a fifth less to send, and lines keep their numbers."""
    return WHOLE_LINE_COMMENT.sub(lambda found: b"\n" * found[0].count(b"\n"), script)


def _served(web: Path) -> list[tuple[str, Path]]:
    if not web.is_dir():
        return []
    return [(name, path) for name, path in files_under(web) if _is_served(name)]


def _is_served(name: str) -> bool:
    if name.startswith("vendor/"):
        return not name.startswith(OFFICE_VENDOR) and not name.endswith((".txt", ".stamp"))
    return not (name in NOT_SERVED or name.endswith(NOT_SERVED_SUFFIXES) or name.startswith(NOT_SERVED_FOLDERS))


def _importmap() -> bytes:
    imports = {name: f"/app/vendor/{path}" for name, path in IMPORTS.items()}
    imports |= {name: f"/app/shims/{path}" for name, path in SHIMS.items()}
    return json.dumps({"imports": imports}, separators=(",", ":")).encode()


def _shell(web: Path, importmap: bytes) -> Item:
    page = web / "index.html"
    body = page.read_bytes() if page.is_file() else b"<!doctype html><title>Suijian</title><!--importmap-->"
    filled = body.replace(IMPORTMAP_PLACE, b'<script type="importmap">' + importmap + b"</script>")
    return item("/app/", type_of("index.html"), filled)


def _lazy(web: Path) -> tuple[str, ...]:
    """Path prefixes that the app fetches when it first needs them, as `web/package.json` lists them."""
    package = web / "package.json"
    if not package.is_file():
        return ()
    return tuple(json.loads(package.read_bytes()).get("suijian", {}).get("lazy", ()))


def _precache(shell: Item, files: dict[str, Item], lazy: tuple[str, ...]) -> tuple[str, Item]:
    listed = [
        {
            "url": held.url,
            "sha256": held.sha256,
            "bytes": len(held.body),
            "lazy": held.url.removeprefix("/app/").startswith(lazy) if lazy else False,
        }
        for held in (shell, *files.values())
    ]
    version = hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest()
    document = json.dumps({"version": version, "files": listed}).encode()
    return version, item("/app/precache.json", "application/json", document)
