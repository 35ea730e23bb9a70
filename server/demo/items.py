"""The item list of the demo district: four released items with checklists, and the drafts of the annex (R32.1)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from server.demo.district import HAZCHEM, INDUSTRY
from server.domain.annex import annex
from server.domain.item import Basis, Item, Phrase, Point, Scope

FOLDER: Final = Path(__file__).parent / "checklists"

RELEASED: Final = ("hazchem-storage", "workshop-fire", "confined-space", "special-operations")

_DEPARTMENT: Final = "卧龙区应急管理局"
_WITH_FIRE: Final = "卧龙区应急管理局、卧龙区消防救援大队"
_OF: Final[dict[str, tuple[str, str, Scope]]] = {
    "hazchem-storage": (HAZCHEM, _DEPARTMENT, Scope(traits=("hazardous_chemicals",))),
    "workshop-fire": (INDUSTRY, _WITH_FIRE, Scope(traits=("industry_commerce",))),
    "confined-space": (INDUSTRY, _DEPARTMENT, Scope(traits=("confined_space",))),
    "special-operations": (HAZCHEM, _DEPARTMENT, Scope(traits=("special_operations",))),
}
"""Item -> the unit responsible, the department, and whom the item covers."""


def items() -> list[Item]:
    """Every item: the released ones first."""
    laws = _laws()
    return [_released(id, laws) for id in RELEASED] + annex(HAZCHEM)


def _laws() -> dict[str, dict[str, Any]]:
    laws: dict[str, dict[str, Any]] = json.loads((FOLDER / "laws.json").read_text("utf-8"))
    return laws


def _released(id: str, laws: dict[str, dict[str, Any]]) -> Item:
    sheet = json.loads((FOLDER / f"{id}.json").read_text("utf-8"))
    rows = [
        (f"{sheet['prefix']}-{chapter}.{place:02d}", section["name"], row)
        for chapter, section in enumerate(sheet["sections"], 1)
        for place, row in enumerate(section["points"], 1)
    ]
    cited = dict.fromkeys((law, article) for _, _, row in rows for law, article in row["basis"])
    unit_id, department, scope = _OF[id]
    return Item(
        **{name: sheet[name] for name in ("id", "name", "object", "category", "method", "level", "sector", "judged")},
        basis=tuple(msgspec.convert({**laws[law], "article": article}, Basis) for law, article in cited),
        state="released",
        needs_review=False,
        checklist=tuple(_point(point, section, row, laws) for point, section, row in rows),
        phrases=tuple(Phrase(point, text) for point, _, row in rows for text in row["phrases"])
        + tuple(Phrase(None, text) for text in sheet["phrases"]),
        department=department,
        unit_id=unit_id,
        scope=scope,
    )


def _point(id: str, section: str, row: dict[str, Any], laws: dict[str, dict[str, Any]]) -> Point:
    cited = "；".join(laws[law]["document"] + (article or "") for law, article in row["basis"])
    return Point(id, row["text"], row["how"], f"{cited}：{row['gist']}", section, row.get("major", False))
