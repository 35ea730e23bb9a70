"""Reads docs/permissions.csv, which is written by hand from the domain page, and asks the running app by it."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

ROLES: Final = (
    "public",
    "officer",
    "unit_clerk",
    "unit_head",
    "legal_unit",
    "principal",
    "steering_group",
    "auditor",
    "admin",
)
REFUSED, OWN, MINE, ALL, ANY = "-", "own", "mine", "all", "any"
TABLE: Final = Path(__file__).resolve().parents[2] / "docs" / "permissions.csv"
PARAMETER: Final = re.compile(r"\{(?P<name>\w+)(?::(?P<type>\w+))?(?:=(?P<value>[^}]*))?\}")


@dataclass(frozen=True)
class Route:
    """One line of the table. A path may fix a parameter, `{act:str=approve}`, or what the body asks for, `?kind=admit`:
    then there is one line for each value."""

    method: str
    path: str
    cells: dict[str, str]
    lists: str

    @property
    def address(self) -> tuple[str, str]:
        """Method and path as the app knows them."""
        return self.method, re.sub(r"=[^}]*\}|\?.*", lambda found: "}" if found[0].endswith("}") else "", self.path)

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the path that aren't fixed, with their types."""
        found = [one for one in PARAMETER.finditer(self.path) if one["value"] is None]
        return {one["name"]: one["type"] or "str" for one in found}

    def filled(self, values: dict[str, str]) -> str:
        """The address with these values."""
        return PARAMETER.sub(lambda found: found["value"] or values[found["name"]], self.path)

    @property
    def is_reading(self) -> bool:
        """Whether it is a way to read."""
        return self.method in ("GET", "HEAD")


@cache
def table() -> tuple[Route, ...]:
    """Every line, in the order of the file."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(
        Route(row["method"], row["path"], {role: row[role] for role in ROLES}, row["lists"].strip()) for row in rows
    )


def reading(route: Route) -> Route:
    """Where one reads what a route is about: the page of the object in its address, else the list that it is in."""
    pages = [one for one in table() if one.method == "GET" and "=" not in one.path]
    for beginning in _beginnings(route.path):
        found = [page for page in pages if page.path == beginning] or [
            page
            for page in pages
            if "{" in beginning and page.path.startswith(f"{beginning}/") and not route.is_reading
        ]
        if found:
            return found[0]
    return route


def _beginnings(path: str) -> list[str]:
    """The address as far as each of its parameters, the longest first, then what stands before all of them."""
    plain = re.sub(r"/?\{\w+:\w+=[^}]*\}", "", path)
    cuts = [plain[: found.end()] for found in PARAMETER.finditer(plain)]
    return [*reversed(cuts), plain.partition("{")[0].rstrip("/")]


def permits(role: str, cell: str, case: str) -> bool:
    """Whether a cell allows an object of the `own` unit (or of one's own), a `foreign` or a `legal` unit's one."""
    own = "legal" if role == "legal_unit" else "own"
    return cell in (ALL, ANY) or (cell in (OWN, MINE) and case == own)
