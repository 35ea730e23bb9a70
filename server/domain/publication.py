"""What the public reads of a result, what keeps it from being published, and how a correction is made (R24.6, R26)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from server.domain.access import allows
from server.domain.faults import Fault
from server.domain.result import NUMBERS, main_choices, stand_together


class ItemResult(msgspec.Struct, frozen=True):
    """An item of the task with its types, the main one first (R24.2)."""

    id: str
    name: str
    types: tuple[str, ...]


class Inspector(msgspec.Struct, frozen=True):
    """An officer of the crew, the leader first."""

    name: str
    certificate: str


class Corrected(msgspec.Struct, frozen=True, rename={"was": "from"}):
    """That a version replaces the one before: on which day, what the main result was, and why (R26.4)."""

    on: str
    was: str
    reason: str


class PublicResult(msgspec.Struct, frozen=True):
    """A result as everybody reads it (R26.7): a closed set of fields, in which nothing else of a person has a place.

    `record` is the digest that the crew signed, `prev` the SHA-256 of the version before; days are Beijing days.
    """

    no: str
    version: int
    subject: str
    uscc: str
    task_no: str
    task: str
    items: tuple[ItemResult, ...]
    main: str
    unit: str
    visited_on: str
    due_on: str | None
    published_on: str
    officers: tuple[Inspector, ...]
    corrected: Corrected | None
    record: str
    prev: str | None
    t: str = "result/1"


GROUNDS: Final = ("state_secret", "public_security", "trade_secret", "privacy", "enforcement_file")
"""The legal grounds on which a result may be kept from the public (R26.3): those for which a law closes information."""

CODES: Final = (
    "other_unit",
    "own_crew",
    "already_published",
    "withheld",
    "not_final_yet",
    "not_approved",
    "material_first",
    "media_first",
    "order_first",
)
"""Why a result can't be published now, in the order in which it is said; each is a problem's code."""


class Standing(msgspec.Struct, frozen=True):
    """Where a visit's result for one task stands: `approved` is of the round that is final now (R26.6).

    `orders_missing` counts findings with a measure whose order document hasn't its number yet, `unsettled` what came in
    without effect and waits for a word, after the approval too.
    """

    phase: str
    approved: bool
    media_missing: int
    orders_missing: int
    withheld: bool = False
    published: bool = False
    unsettled: int = 0


def hindrances(
    roles: Collection[str], person_unit: str | None, visit_unit: str, in_crew: bool, standing: Standing
) -> list[str]:
    """Every reason why this person can't publish the result now, in the order of `CODES`; none where he can (R26.2)."""
    holds = {
        "other_unit": not allows(roles, person_unit, "results.publish", visit_unit),
        "own_crew": in_crew,
        "already_published": standing.published,
        "withheld": standing.withheld,
        "not_final_yet": standing.phase != "final",
        "not_approved": standing.phase == "final" and not standing.approved,
        "material_first": standing.phase == "final" and standing.unsettled > 0,
        "media_first": standing.media_missing > 0,
        "order_first": standing.orders_missing > 0,
    }
    return [code for code in CODES if holds[code]]


def main_of(visit_main: str, items: Sequence[ItemResult]) -> str:
    """The main result of one task of a visit (R24.6): the visit's, where it is one of its items' main types, else the
    first that article 24's rules let stand for these items alone."""
    mains = [item.types[0] for item in items]
    return visit_main if visit_main in mains else next(iter(main_choices(mains)), mains[0])


def entered_results(
    items: Sequence[ItemResult], main_types: Mapping[str, str], further: Mapping[str, Sequence[str]]
) -> tuple[ItemResult, ...]:
    """The items with the types that a correction gives them: the main one of `main_types`, then the further ones."""
    return tuple(
        msgspec.structs.replace(item, types=_types(main_types.get(item.id, ""), further.get(item.id, ())))
        for item in items
    )


def _types(main: str, further: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(type_ for type_ in (main, *further) if type_))


def correction_faults(
    old: PublicResult, items: Iterable[ItemResult], main: str, judged: Mapping[str, str]
) -> list[Fault]:
    """What is wrong with a correction: types that can't stand (R24.2 to R24.5), or nothing that would change."""
    entered = list(items)
    faults = [
        Fault(f"type:{item.id}", "result_types")
        for item in entered
        if not item.types or not stand_together(item.types) or not _fits(item.types, judged.get(item.id, ""))
    ]
    if faults:
        return faults
    if main not in main_choices([item.types[0] for item in entered]):
        faults.append(Fault("main", "result_main"))
    elif (tuple(entered), main) == (old.items, old.main):
        faults.append(Fault("main", "nothing_corrected"))
    return faults


def _fits(types: Sequence[str], judged: str) -> bool:
    """R24.5: type 1 only of an item judged by findings, 9 and 10 only of one judged by a standard."""
    wanted = {"no_problem_found": "findings", "qualified": "standard", "unqualified": "standard"}
    return all(wanted.get(type_, judged) == judged for type_ in types)


def corrected(
    old: PublicResult, items: tuple[ItemResult, ...], main: str, on: str, reason: str, prev: str
) -> PublicResult:
    """The next version: the old one stays as it is, and the new one says what was there (R26.4)."""
    return msgspec.structs.replace(
        old,
        version=old.version + 1,
        items=items,
        main=main,
        corrected=Corrected(on, old.main, reason),
        prev=prev,
    )


def number_of(type_: str) -> int:
    """The number that article 24 prints for a type."""
    return NUMBERS[type_]
