"""How a draw is said, in the office and in public: strata, reasons, sources, and the arithmetic of places."""

from __future__ import annotations

from typing import Final

from server.domain.instant import BEIJING, instant
from server.domain.public_draw import Places, PublicSource, is_exact, short_code
from server.routes.rooms.plan_said import percent
from server.words import Words

_FLAGGED: Final = "FLAGGED"


class Said:
    """A draw's values in one language."""

    def __init__(self, w: Words) -> None:
        self.w = w

    def code(self, digest: str | None) -> str:
        """A digest as people write it down."""
        return short_code(digest) if digest else ""

    def stratum(self, name: str) -> str:
        """A class of subjects: HIGH_C is 高风险、信用 C."""
        parts = name.split("_")
        if len(parts) not in (2, 3) or parts[2:] not in ([], [_FLAGGED]):
            return name
        risk = self.w.known(f"risk.{parts[0].lower()}", parts[0])
        said = self.w("draws.stratum", risk=risk, credit=self.w.known(f"credit.{parts[1]}", parts[1]))
        return self.w("draws.stratum_flagged", stratum=said) if parts[2:] else said

    def reason(self, code: str) -> str:
        """Why a subject takes no part."""
        return self.w.known(f"draws.reason.{code}", code)

    def kind(self, source: PublicSource) -> str:
        """What kind of number a source brings, and how many bits it counts."""
        return self.w("draws.kind_bits", kind=self.w.known(f"draws.kind.{source.kind}", source.kind), n=source.bits)

    def share(self, n: int, of: int) -> str:
        """A part of a whole as a percentage; nothing of nothing."""
        return percent(n * 10_000 // of) if of else ""

    def places(self, one: Places) -> str:
        """The arithmetic of a stratum's places, as one would write it down."""
        if one.q is None:
            return self.w("draws.to_weight", n=one.n, weight=one.weight or 0)
        if one.bp is None:
            return self.w("draws.by_weight", n=one.n, weight=one.weight or 0, q=one.q)
        product, share = _decimal(one.n * one.bp), percent(one.bp)
        if is_exact(one.n, one.bp):
            return self.w("draws.by_ratio_exact", n=one.n, share=share, q=one.q)
        return self.w("draws.by_ratio", n=one.n, share=share, product=product, q=one.q)

    def when(self, at: str | None) -> str:
        """A moment with its year."""
        if at is None:
            return ""
        local = instant(at).astimezone(BEIJING)
        return self.w("draws.when", year=local.year, day=self.w.day(local.date()), clock=f"{local:%H:%M}")


def _decimal(product: int) -> str:
    """A product of a number and a share per 10,000, exact: 106000 is 10.6."""
    whole, rest = divmod(product, 10_000)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")
