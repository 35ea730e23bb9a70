"""How Chinese characters are read: pypinyin's table of single characters, without tones, and without its phrases.

The library itself takes 56 MB of memory, nearly all for phrases; its table alone takes a few. It is read at first use.
"""

from __future__ import annotations

import importlib.util
import unicodedata
from functools import lru_cache
from pathlib import Path

import msgspec


@lru_cache(maxsize=1)
def _table() -> dict[str, str]:
    """Code point in decimal -> its readings with commas between, the usual one first."""
    found = importlib.util.find_spec("pypinyin")  # names the folder without running the library
    if found is None or not found.submodule_search_locations:
        raise RuntimeError("pypinyin isn't installed.")
    path = Path(next(iter(found.submodule_search_locations))) / "pinyin_dict.json"
    return msgspec.json.decode(path.read_bytes(), type=dict[str, str])


@lru_cache(maxsize=30_000)
def readings(character: str) -> tuple[str, ...]:
    """The readings of a character in plain letters, ü as v; of one that has none, itself."""
    sounds = "" if character.isascii() else _table().get(str(ord(character)), "")
    return tuple(dict.fromkeys(plain for sound in sounds.split(",") if (plain := _plain(sound)))) or (character,)


def pinyin(text: str) -> str:
    """A text in the usual readings of its characters."""
    return "".join(readings(character)[0] for character in text).lower()


def initials(text: str) -> str:
    """The first letter of each character's usual reading."""
    return "".join(readings(character)[0][0] for character in text).lower()


def _plain(sound: str) -> str:
    """A reading without its tones: of the marks on a letter only the two dots count."""
    spelt = unicodedata.normalize("NFD", sound).replace("u\u0308", "v").replace("\u00ea", "e")
    return spelt.encode("ascii", "ignore").decode()
