"""The fonts of documents: the system's Noto CJK or Source Han where it has them, else what `make fonts` fetched."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

log = logging.getLogger("suijian.papers")

FAMILIES: Final = (
    "Noto Serif CJK SC",
    "Source Han Serif SC",
    "Noto Serif SC",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "Noto Sans SC",
    "Noto Sans JP",
)
"""In the order in which they are tried for a character: serif on documents where there is one."""

PACKAGES: Final = ("@expo-google-fonts/noto-sans-sc", "@expo-google-fonts/noto-sans-jp")
"""Where the system has no such font: both, since one has 䶮 and the other 𠮷."""

SYSTEM: Final = (
    Path("/usr/share/fonts"),
    Path("/usr/local/share/fonts"),
    Path("~/.local/share/fonts").expanduser(),
    Path("~/.fonts").expanduser(),
)
_OURS: Final = re.compile(
    r"(?:NotoSerifCJK|NotoSansCJK|NotoSerifSC|NotoSansSC|NotoSansJP|SourceHanSerif|SourceHanSans)"
    r"(?:sc|SC|CN)?[-_]?(?:\d+)?(?:Regular|Bold)\.(?:ttc|otf|ttf)"
)


def font_files(folder: Path, system: Iterable[Path] = SYSTEM) -> list[Path]:
    """The font files that documents are set with, from the system, else from the folder of fetched ones."""
    return _found(system) or _found([folder])


def _found(roots: Iterable[Path]) -> list[Path]:
    files = [
        Path(place, name)
        for root in roots
        for place, _, names in os.walk(root)
        for name in names
        if _OURS.fullmatch(name)
    ]
    return sorted(files)


_fetching: Final = threading.Lock()


def fetch(folder: Path) -> None:
    """Begins to fetch the fonts from npm, in the background, unless somebody else does already."""
    threading.Thread(target=_fetch, args=(folder,), name="fonts", daemon=True).start()


def _fetch(folder: Path) -> None:
    if not _fetching.acquire(blocking=False):
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "--loglevel=error", "install", "--ignore-scripts", "--prefix", str(folder), *PACKAGES]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=600)
    except (OSError, subprocess.SubprocessError) as fault:
        log.warning("The fonts of documents could not be fetched; 'make fonts' does it.", extra={"fault": repr(fault)})
    finally:
        _fetching.release()
