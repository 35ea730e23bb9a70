"""Lists of the office: filter, order and page as they stand in the address, and the addresses of every other choice."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request


class Look(msgspec.Struct, frozen=True):
    """How a list is looked at: `params` are the address's known parameters that aren't empty."""

    path: str
    params: Mapping[str, str]
    sorts: Collection[str] = ()
    first: str = ""

    def __getitem__(self, name: str) -> str:
        return self.params.get(name, "")

    @property
    def sort(self) -> str:
        """The column that the list is ordered by."""
        asked = self["sort"].removeprefix("-")
        return asked if asked in self.sorts else self.first.removeprefix("-")

    @property
    def is_down(self) -> bool:
        """Whether the order is from large to small."""
        asked = self["sort"] if self["sort"].removeprefix("-") in self.sorts else self.first
        return asked.startswith("-")

    @property
    def page(self) -> int:
        """The number of the page, from 1."""
        asked = self["page"]
        return max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1

    def href(self, **changes: object) -> str:
        """The address with some parameters changed; None or an empty text takes one out. Pages start anew."""
        kept = {name: value for name, value in self.params.items() if name not in ("page", "after")}
        kept |= {name: "" if value is None else str(value) for name, value in changes.items()}
        query = urlencode({name: value for name, value in kept.items() if value})
        return f"{self.path}?{query}" if query else self.path

    def sorted_by(self, column: str) -> str:
        """The address that orders by a column, or turns its order round."""
        return self.href(sort=f"-{column}" if column == self.sort and not self.is_down else column)

    def without(self, *names: str) -> Mapping[str, str]:
        """What a search form keeps as hidden fields beside its own."""
        return {name: value for name, value in self.params.items() if name not in {*names, "page", "after"}}


def look_of(
    request: Request[Any, Any, Any], *params: str, sorts: Collection[str] = (), first: str = "", path: str | None = None
) -> Look:
    """Reads the address: only the parameters named here and `sort`, `page`, `after`; `first` is the order unasked."""
    names = (*params, "sort", "page", "after")
    found = {name: request.query_params[name].strip() for name in names if request.query_params.get(name, "").strip()}
    return Look(path or request.url.path, found, tuple(sorts), first)
