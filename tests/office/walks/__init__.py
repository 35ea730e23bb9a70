"""Every act of the office, performed over HTTP by the right person: one module a room, each with its WALKS."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.office.district import Office


class Step(NamedTuple):
    """An act that is ready to be done: by whom, and the request that does it, with an answer below 400."""

    who: str
    do: Callable[[], httpx.Response]


Walk = Callable[[Office], Step]
"""Prepares an object of its own, which may leave what entries it likes, and gives the step that is looked at."""


def all_walks() -> dict[str, Walk]:
    """Name of an act -> its walk, from every module of this package."""
    found: dict[str, Walk] = {}
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        walks: dict[str, Walk] = import_module(f"tests.office.walks.{module.name}").WALKS
        twice = found.keys() & walks.keys()
        assert not twice, f"walked twice: {twice}"
        found |= walks
    return found
