"""The child process that decodes: it makes the pictures that people are shown, under limits, and no more.

It is run as a file of its own by `server.store.painter`, so that no hostile picture is ever opened in the server. A
line of its input is `<kind> TAB <original> TAB <picture to make>`; it answers `ok` or `no` for each.
"""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import warnings

from PIL import Image, ImageOps

EDGES = {"thumb": 320, "small": 1600}
QUALITY = {"thumb": 60, "small": 80}
MOST_PIXELS = 50_000_000
MEMORY = 1 << 30
SECONDS = 10
MOST_FILE = 8 << 20


def main() -> None:
    """Make pictures until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_FILE, MOST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("error")
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    for line in sys.stdin:
        kind, source, target = line.rstrip("\n").split("\t")
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(used.ru_utime + used.ru_stime) + SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
        print("ok" if make(kind, source, target) else "no", flush=True)


def make(kind: str, source: str, target: str) -> bool:
    """Write the picture anew, turned upright, without anything that was in the file beside the picture."""
    draft = f"{target}.part"
    try:
        with Image.open(source, formats=("JPEG", "PNG", "WEBP")) as original:
            if original.width * original.height > MOST_PIXELS:
                return False
            edge = EDGES[kind]
            original.draft("RGB", (edge, edge))
            shown = ImageOps.exif_transpose(original)
            shown.thumbnail((edge, edge))
            _on_white(shown).save(draft, "JPEG", quality=QUALITY[kind], optimize=True)
        os.replace(draft, target)
        return True
    except Exception:  # a hostile file may raise anything: it only isn't shown
        with contextlib.suppress(OSError):
            os.unlink(draft)
        return False


def _on_white(picture: Image.Image) -> Image.Image:
    """Paper behind what is transparent, as a signature is."""
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    drawn = picture.convert("RGBA")
    paper = Image.new("RGB", drawn.size, "white")
    paper.paste(drawn, mask=drawn.getchannel("A"))
    return paper


if __name__ == "__main__":
    main()
