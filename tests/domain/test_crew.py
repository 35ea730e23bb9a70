"""The lot of officers agrees with its vectors, with brute force, and with a max-flow of another house."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from server.domain.crew import Visit, lexmin, shuffle

CASES = Path(__file__).parents[1] / "cases"
VECTORS: list[dict[str, Any]] = json.loads((CASES / "omatch1.json").read_text())


def visits_of(case: dict[str, Any]) -> list[Visit]:
    """A case of the vectors: subjects and officers are named by their positions, half-days by numbers."""
    return [
        Visit(str(at), case["k"], str(day), tuple(map(str, elig)))
        for at, (day, elig) in enumerate(zip(case["date"], case["elig"], strict=True))
    ]


def positions(teams: dict[str, list[str]]) -> list[list[int]]:
    return [sorted(map(int, teams[str(at)])) for at in range(len(teams))]


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["seed"])
def test_the_first_assignment_and_the_shuffle_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    visits = visits_of(case)

    first, _ = lexmin(case["seed"], visits, case["cap"], 1)
    teams = {s: [str(o) for o in sorted(map(int, team))] for s, team in first.items()}
    last = shuffle(case["seed"], visits, teams, case["cap"], 1, case["rounds"])

    assert positions(first) == case["lex"]
    assert positions(last) == case["final"]
