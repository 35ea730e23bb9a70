"""What the demo's lots are made of: secrets, numbers from outside, and the evidence for them; the same each time."""

from __future__ import annotations

import hashlib
from datetime import datetime
from random import Random
from typing import Final

from server.demo.district import SEED
from server.domain.draw_sources import Source, bits_of
from server.domain.instant import stamp

LINK: Final = "https://www.cwl.gov.cn/"
WITNESS: Final = "区政协委员 见证"
DICE: Final = 12


def sources(due: datetime, issue: str) -> list[Source]:
    """A lottery and twelve dice, to be there by a moment."""
    lottery = Source(f"kl8/{issue}", "lottery", bits_of("lottery"), "福彩快乐8 下一期开奖号码", stamp(due))
    dice = Source(f"witness/{issue}", "dice", bits_of("dice", DICE), "见证人当众掷 12 个骰子，按先后记下", stamp(due))
    return [lottery, dice]


def values(issue: str) -> tuple[str, str]:
    """What the two of them brought."""
    rng = Random(f"{SEED}|{issue}")
    balls = sorted(rng.sample(range(1, 81), 20))
    faces = [rng.randint(1, 6) for _ in range(DICE)]
    return " ".join(f"{ball:02d}" for ball in balls), " ".join(map(str, faces))


def secret(name: str) -> bytes:
    """The same each time: a demo keeps no secret."""
    return hashlib.sha256(f"{SEED}|{name}".encode()).digest()
