"""Canaries: a text of its own for every field in which people write, so that one knows which of them got out."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from itertools import count
from typing import Any, Final

import httpx
from PIL import Image

from tests.office.district import Office
from tests.publicity.filling import id_number

SIGNS: Final = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳"
"""The digits of a canary; with the bird before them they stand in no text of ours."""

CHINESE: Final = re.compile("[\u4e00-\u9fff]")
PHONE: Final = re.compile(r"1400000\d{4}")
ID: Final = re.compile(r"\d{17}[\dX]")


CHOSEN: Final = re.compile(r" (certificate|point\.\d+\.basis\.\d+|off|makeup|\w*password|again)$|items/new basis")
"""Fields that hold a code, a choice or a secret, though Chinese may stand in them."""


class Canaries:
    """Every canary with the field that it was put into."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}
        self._numbers = count(1)

    def text(self, field: str) -> str:
        """A canary for a text or a name."""
        n = next(self._numbers)
        made = "雀" + "".join(SIGNS[n >> shift & 15] for shift in (12, 8, 4, 0))
        self.of[made] = field
        return made

    def phone(self, field: str) -> str:
        """A phone that nobody else has."""
        made = f"1400000{6000 + next(self._numbers) % 4000}"
        self.of[made] = field
        return made

    def id_number(self, field: str, like: str) -> str:
        """An ID number that nobody else has, of the same sex, with its check digit."""
        made = id_number(300 + next(self._numbers), 1 - int(like[16]) % 2)
        self.of[made] = field
        return made

    def put(self, field: str, value: Any) -> Any:
        """A value as somebody would type it, with a canary in it; what is chosen from a list stays."""
        if CHOSEN.search(field):
            return value
        if isinstance(value, str):
            if PHONE.fullmatch(value):
                return self.phone(field)
            if ID.fullmatch(value):
                return self.id_number(field, value)
            return value + self.text(field) if CHINESE.search(value) else value
        if isinstance(value, list):
            return [self.put(field, one) for one in value]
        if isinstance(value, Mapping):
            return {name: self.put(f"{field}.{name}", one) for name, one in value.items()}
        return value


class Typist(httpx.Client):
    """Somebody's client that puts a canary into every field that it sends; what is refused is sent once more bare."""

    def __init__(self, canaries: Canaries, like: httpx.Client) -> None:
        super().__init__(base_url=like.base_url, headers=like.headers, trust_env=False, timeout=60)
        self.canaries = canaries
        self.taken: set[str] = set()

    def request(self, method: str, url: Any, **given: Any) -> httpx.Response:
        """As the client's own."""
        planted, before = dict(given), set(self.canaries.of)
        place = re.sub(r"/[^/?]*\d[^/?]*", "/*", str(url).partition("?")[0])
        for part in ("data", "json"):
            if isinstance(given.get(part), Mapping):
                planted[part] = {name: self.canaries.put(f"{place} {name}", it) for name, it in given[part].items()}
        if isinstance(given.get("files"), Mapping):
            planted["files"] = {name: self._named(place, name, it) for name, it in given["files"].items()}
        answer = super().request(method, url, **planted)
        fresh = self.canaries.of.keys() - before
        if answer.status_code >= 400 and fresh:
            return super().request(method, url, **given)
        self.taken |= fresh
        return answer

    def _named(self, place: str, name: str, it: Any) -> Any:
        if not isinstance(it, tuple) or not it[0]:
            return it
        stem, dot, kind = str(it[0]).rpartition(".")
        return (f"{stem}{self.canaries.text(f'{place} {name} file name')}{dot}{kind}", *it[1:])


class Typing(Office):
    """The demo district's office, everybody in it a typist."""

    def __init__(self, running: Any) -> None:
        super().__init__(running)
        self.canaries = Canaries()

    def client(self, username: str) -> httpx.Client:
        """Somebody's client."""
        if username not in self._clients:
            with self.running.signed_in(username) as like:
                self._clients[username] = Typist(self.canaries, like)
        return self._clients[username]

    @property
    def taken(self) -> set[str]:
        """The canaries of what was taken."""
        found = set[str]()
        return found.union(*(one.taken for one in self._clients.values() if isinstance(one, Typist)))


def photo(canaries: Canaries, field: str) -> bytes:
    """A photo that says in its EXIF who made it, with what, and of what."""
    exif = Image.Exif()
    for tag, name in ((0x010E, "ImageDescription"), (0x013B, "Artist"), (0x8298, "Copyright"), (0x010F, "Make")):
        exif[tag] = canaries.text(f"{field} EXIF {name}")
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (len(canaries.of) % 255, 90, 120)).save(out, "JPEG", exif=exif)
    return out.getvalue()
