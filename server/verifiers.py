"""The verifiers that anyone can take along: read and hashed at the start, with the policy that their page needs."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

import msgspec

from server.shelf import Item, item

FOLDER: Final = Path(__file__).parent / "standalone"
PAGE, PROGRAM = "verify-draw.html", "verify_draw.py"

_INLINE: Final = {
    "script-src": re.compile(rb"<script[^>]*>(.*?)</script>", re.S),
    "style-src": re.compile(rb"<style[^>]*>(.*?)</style>", re.S),
}


class Verifiers(msgspec.Struct, frozen=True):
    """The page and the program, byte for byte as they are kept; `policy` is the page's own."""

    page: Item | None
    program: Item | None
    policy: str

    @property
    def all(self) -> list[tuple[str, Item]]:
        """Name and file of each that is there."""
        return [(name, one) for name, one in ((PAGE, self.page), (PROGRAM, self.program)) if one is not None]


def load(folder: Path = FOLDER) -> Verifiers:
    """What is in the folder."""
    page = _read(folder / PAGE, "text/html")
    return Verifiers(page, _read(folder / PROGRAM, "text/x-python"), policy_of(page.body if page else b""))


def _read(path: Path, type: str) -> Item | None:
    return item(f"/verify/{path.name}", type, path.read_bytes()) if path.is_file() else None


def policy_of(page: bytes) -> str:
    """Nothing from anywhere, no network at all; of scripts and styles only those that stand in these bytes."""
    allowed = {name: " ".join(_hash(found) for found in pattern.findall(page)) for name, pattern in _INLINE.items()}
    policy = {
        "default-src": "'none'",
        **{name: hashes or "'none'" for name, hashes in allowed.items()},
        "worker-src": "blob:",
        "img-src": "data:",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in policy.items())


def _hash(found: bytes) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(found).digest()).decode()}'"
