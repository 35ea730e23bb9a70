"""Reads what somebody entered, field by field, and gathers everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date

from server.domain import codes, text
from server.domain.faults import Fault, stops


class Entry:
    """The fields of one thing, from a form or from an import's row; each reader gives the field as it is kept.

    A field that isn't there is an empty one. Faults come in the order in which the fields were read.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.faults: list[Fault] = []

    @property
    def is_good(self) -> bool:
        """Whether what was read so far has nothing worse than warnings."""
        return not stops(self.faults)

    def name(self, field: str, *, most: int = text.NAME_MOST, required: bool = True) -> str:
        """A name of somebody or something: look-alikes are refused."""
        return self._read(field, text.clean_name, lambda at, kept: text.name_faults(at, kept, most), required)

    def line(self, field: str, *, most: int = text.LINE_MOST, required: bool = True) -> str:
        """One line: an address, a document's number."""
        return self._read(field, text.clean, lambda at, kept: text.line_faults(at, kept, most), required)

    def text(self, field: str, *, most: int = text.TEXT_MOST, required: bool = True) -> str:
        """A free text of several lines."""
        return self._read(field, text.clean_text, lambda at, kept: text.text_faults(at, kept, most), required)

    def code(self, field: str, faults: Callable[[str, str], list[Fault]], *, required: bool = True) -> str:
        """A code, judged by one of the functions of `domain.codes`."""
        return self._read(field, codes.normal_code, faults, required)

    def phone(self, field: str, *, required: bool = True) -> str:
        """A mobile or landline."""
        return self._read(field, codes.normal_phone, codes.phone_faults, required)

    def choice(self, field: str, allowed: Collection[str], *, required: bool = True) -> str:
        """One of some words of the system."""

        def faults(at: str, kept: str) -> list[Fault]:
            return [] if kept in allowed else [Fault(at, "not_one_of", {"found": text.clean(kept)[:20]})]

        return self._read(field, str.strip, faults, required)

    def day(self, field: str, *, required: bool = True) -> str | None:
        """A day as "YYYY-MM-DD"; 2026/1/5, 2026.1.5 and 2026年1月5日 are understood; None where there is none."""
        return self._read(field, _normal_day, _day_faults, required) or None

    def number(self, field: str, least: int, most: int, *, required: bool = True) -> int | None:
        """A whole number within limits; None where there is none or it is wrong."""

        def faults(at: str, kept: str) -> list[Fault]:
            is_number = kept.isascii() and kept.isdigit() and len(kept) < 16 and least <= int(kept) <= most
            return [] if is_number else [Fault(at, "not_a_number", {"least": least, "most": most})]

        before = len(self.faults)
        kept = self._read(field, codes.normal_code, faults, required)
        return int(kept) if kept and len(self.faults) == before else None

    def wrong(self, field: str, code: str, *, warning: bool = False, **values: str | int) -> None:
        """Adds a fault of the caller's own."""
        self.faults.append(Fault(field, code, dict(values), warning))

    def _read(
        self, field: str, keep: Callable[[str], str], faults: Callable[[str, str], list[Fault]], required: bool
    ) -> str:
        kept = keep(self._values.get(field, ""))
        if kept:
            self.faults += faults(field, kept)
        elif required:
            self.faults.append(Fault(field, "missing"))
        return kept


def _normal_day(entered: str) -> str:
    plain = codes.normal_code(entered)
    for mark in "/.年月":
        plain = plain.replace(mark, "-")
    parts = plain.removesuffix("日").split("-")
    return "-".join((parts[0], *(part.zfill(2) for part in parts[1:]))) if len(parts) == 3 else plain


def _day_faults(field: str, kept: str) -> list[Fault]:
    try:
        if date.fromisoformat(kept).isoformat() == kept:
            return []
    except ValueError:
        pass
    return [Fault(field, "not_a_day", {"found": text.clean(kept)[:20]})]
