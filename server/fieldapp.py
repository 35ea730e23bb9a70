"""The field app as it is served: its shell with the import map, its service worker, and what it keeps offline.

The sources under `web/` run as they stand. Where `web/pack.mjs` has packed just these sources, phones are given the
packed files instead, a third smaller; an edited source makes the pack stale, and then the sources are served again.
"""

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
NOT_SERVED_FOLDERS = ("node_modules/", "dev/", "packed/")
NOT_SERVED = ("package.json", "package-lock.json", "tsconfig.json", "index.html", "sw.js")
PACKED = "packed"
OFFICE_VENDOR = "vendor/htmx.org/"

WHOLE_LINE_COMMENT = re.compile(rb"^[ \t]*(?://[^\n]*|/\*(?:(?!\*/)[\s\S])*\*/[ \t]*)$", re.MULTILINE)

IMPORTS = {
    "preact": "preact/preact.mjs",
    "preact/hooks": "preact/hooks.mjs",
    "htm": "htm/htm.mjs",
    "idb": "idb/idb.js",
    "canonicalize": "canonicalize/canonicalize.js",
    "signature_pad": "signature_pad/signature_pad.js",
    "tus-js-client/lib/": "tus-js-client/",
}
SHIMS = {"url-parse": "url-parse.js", "js-base64": "js-base64.js"}


class _Output(msgspec.Struct):
    lazy: bool


class _Manifest(msgspec.Struct):
    """What `web/pack.mjs` wrote down: its outputs, and the sources with the digests that it read."""

    outputs: dict[str, _Output]
    sources: dict[str, str]


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
    packed = _packed(web)
    files |= {f"/app/{name}": _item(name, web / PACKED / name) for name in packed}
    version, precache = _precache(shell, _kept_offline(files, packed), _lazy(web) + _lazily(packed))
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


def _packed(web: Path) -> dict[str, bool]:
    """The packed files, each with whether it is fetched lazily; none where they weren't packed from today's sources."""
    listed = web / PACKED / "manifest.json"
    if not listed.is_file():
        return {}
    manifest = msgspec.json.decode(listed.read_bytes(), type=_Manifest)
    if any(_digest(web / name) != digest for name, digest in manifest.sources.items()):
        return {}
    return {name: output.lazy for name, output in manifest.outputs.items()}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _kept_offline(files: dict[str, Item], packed: dict[str, bool]) -> dict[str, Item]:
    """What a phone keeps: all, or with a pack only the packed scripts and sheets beside pictures and the manifest."""
    if not packed:
        return files
    return {
        url: held
        for url, held in files.items()
        if url.removeprefix("/app/") in packed or not url.endswith((".js", ".mjs", ".css"))
    }


def _lazily(packed: dict[str, bool]) -> tuple[str, ...]:
    return tuple(name for name, lazy in packed.items() if lazy)


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
