"""The team of a visit as it stands: as drawn or named, with those who came in somebody's place since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple


class Team(NamedTuple):
    """Officers by their numbers, and who leads."""

    officers: tuple[str, ...]
    leader: str


def standing(s: str, officers: Iterable[str], leader: str, replaced: Iterable[Mapping[str, Any]]) -> Team:
    """The team of subject `s` after the replacements, in their order: who comes for the leader leads."""
    team = list(officers)
    for one in replaced:
        if one["s"] == s and one["out"] in team:
            team[team.index(one["out"])] = one["in"]
            leader = one["in"] if leader == one["out"] else leader
    return Team(tuple(sorted(team)), leader)
