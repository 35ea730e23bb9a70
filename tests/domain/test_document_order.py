"""Orders to correct: which findings one of a task's items rests on (R24.6, R26.6)."""

from __future__ import annotations

from typing import Any

from server.domain.document_order import rows_of_type_5
from server.domain.result import Item, Point

BOTH = [Item("gas", "findings", [Point("g-1")]), Item("fire", "findings", [Point("f-1")])]
FINDINGS: list[tuple[str, dict[str, Any]]] = [
    ("of-gas", {"point": "g-1", "measure": "deadline"}),
    ("of-fire", {"point": "f-1", "measure": "on_spot"}),
    ("of-none", {"point": None, "measure": "on_spot"}),
    ("of-nowhere", {"point": "unheard-of", "measure": "on_spot"}),
    ("nothing-ordered", {"point": "f-1", "measure": "advice"}),
]
TYPE_5 = ["ordered_to_correct"]


def rows(own: list[str], **types: list[str]) -> set[str]:
    content = {"visit": {f"result:{item}": said for item, said in types.items()}}
    return rows_of_type_5(content, FINDINGS, BOTH, own)


def test_what_one_task_of_a_merged_visit_orders_is_not_asked_of_the_other() -> None:
    both = {"gas": TYPE_5, "fire": TYPE_5}
    assert rows(["gas"], **both) == {"of-gas", "of-none", "of-nowhere"}
    assert rows(["fire"], **both) == {"of-fire", "of-none", "of-nowhere"}
    assert rows(["gas", "fire"], **both) == {"of-gas", "of-fire", "of-none", "of-nowhere"}


def test_an_item_without_type_5_needs_no_order() -> None:
    assert rows(["fire"], gas=TYPE_5, fire=["pending_followup"]) == set()
    assert rows(["gas"], gas=["info_not_disclosed", *TYPE_5], fire=[]) == {"of-gas", "of-none", "of-nowhere"}
