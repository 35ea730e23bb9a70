"""What a publication rests on: the record that is final, its review, its task's items, and what is in the way (26)."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from server.domain import publication as rules
from server.domain.access import allows
from server.domain.calendar import Due
from server.domain.document_order import rows_of_type_5
from server.domain.publication import ItemResult, PublicResult, Standing
from server.domain.result import Item
from server.errors import Problem
from server.store import deadlines, directory, documents, publications, records, reviews, visits
from server.store.deadlines import PUBLICATION_LEGAL, PUBLICATION_TARGET
from server.store.people import Person
from server.store.publications import Published, VisitTask, Withholding
from server.store.session import Connection


class Result(msgspec.Struct, frozen=True):
    """The result of a visit for one task, published or not; `view` is the record as it stands.

    `due` and `legal` are the two dates (R26.1), None before the visit or the task ended; `types` are of the task's
    items that the visit looked at.
    """

    visit_id: str
    unit_id: str
    subject_id: str
    subject: tuple[str, str]
    round: int
    phase: str
    view: dict[str, Any]
    task: VisitTask
    items: tuple[ItemResult, ...]
    approved: bool
    media_missing: int
    orders_missing: int
    unsettled: int
    ended_on: date | None
    due: Due | None
    legal: Due | None
    withholdings: tuple[Withholding, ...]
    published: Published | None

    @property
    def main(self) -> str | None:
        """The main result of this task alone (R24.6); None where the leader hasn't chosen all yet."""
        chosen = self.view["content"]["visit"].get("result")
        whole = chosen and self.items and all(item.types for item in self.items)
        return rules.main_of(chosen, self.items) if whole else None

    @property
    def withheld(self) -> bool:
        """Whether the principal let it be kept back (R26.3)."""
        return any(one.state == "approved" for one in self.withholdings)

    @property
    def standing(self) -> Standing:
        """What keeps it from being published, as the rule looks at it."""
        is_open = any(one.is_open for one in self.withholdings)
        return Standing(
            self.phase, self.approved, self.media_missing, self.orders_missing, is_open, self.published is not None,
            self.unsettled,
        )  # fmt: skip


def result_of(conn: Connection, visit_id: str, task_id: str, *, lock: bool = False) -> Result:
    """The result of a visit for one of its tasks; with `lock` the record can't move until the transaction ends."""
    found = [one for one in results_of(conn, visit_id, lock=lock) if one.task.id == task_id]
    if not found:
        raise Problem("not_found")
    return found[0]


def result_for(conn: Connection, person: Person, visit_id: str, task_id: str) -> Result:
    """The result, locked for an act of this person; one that he may not see doesn't exist for him."""
    found = result_of(conn, visit_id, task_id, lock=True)
    if not allows(person.roles, person.unit_id, "results.read", found.unit_id):
        raise Problem("not_found")
    return found


def results_of(conn: Connection, visit_id: str, *, lock: bool = False) -> list[Result]:
    """The results of a visit, one a task (R24.6). The record must be folded, else `record_moved`."""
    row = visits.lock(conn, visit_id) if lock else visits.look(conn, visit_id)
    kept = records.kept(conn, visit_id)
    if row is None:
        raise Problem("not_found")
    if kept is None or kept.head != row.head or kept.media_rev != records.media_rev(conn, visit_id):
        raise Problem("record_moved")
    view: dict[str, Any] = msgspec.json.decode(kept.view)
    listed = directory.checklist(conn, row.tpl)["items"]
    said = reviews.reviews_of(conn, [visit_id]).get(visit_id, [])
    ended, due = _target(conn, visit_id)
    held = publications.withholdings_of_visits(conn, [visit_id])
    ordered = documents.ordered(conn, visit_id, row.round)
    there = publications.published_of_visits(conn, [visit_id])
    unsettled = len(reviews.unsettled(conn, [visit_id]).get(visit_id, {}))
    return [
        Result(
            visit_id=visit_id,
            unit_id=row.unit_id,
            subject_id=row.subject_id,
            subject=(row.subject_name, row.subject_uscc),
            round=row.round,
            phase=kept.phase,
            view=view,
            task=task,
            items=items,
            approved=any(word.round == row.round and word.state == "approved" for word in said),
            media_missing=kept.summary["media"] - kept.summary["media_here"],
            orders_missing=len(_to_be_ordered(view, items, listed) - ordered),
            unsettled=unsettled,
            ended_on=ended,
            due=due,
            legal=_due(conn, f"task:{task.id}", PUBLICATION_LEGAL),
            withholdings=tuple(held.get((visit_id, task.id), ())),
            published=there.get((visit_id, task.id)),
        )
        for task in publications.tasks_of_visits(conn, [visit_id]).get(visit_id, [])
        for items in [_items(view, task, listed)]
    ]


def hindrances_of(conn: Connection, person: Person, found: Result) -> list[str]:
    """Why this person can't publish the result now, in the order in which it is said."""
    in_crew = reviews.crew_member(conn, found.visit_id, person.id)
    return rules.hindrances(person.roles, person.unit_id, found.unit_id, in_crew, found.standing)


def must_be_outside_crew(conn: Connection, person: Person, visit_id: str) -> None:
    """Nobody has a hand in what becomes of a visit of whose crew he was."""
    if reviews.crew_member(conn, visit_id, person.id):
        raise Problem("own_crew")


def public_of(conn: Connection, found: Result, no: str, today: date, names_officers: bool) -> PublicResult:
    """What the public would read of a final result (R26.7)."""
    view = found.view
    crew = sorted(view["members"], key=lambda id: (id != view["leader"], id))
    known = publications.inspectors(conn, crew) if names_officers else {}
    return PublicResult(
        no=no,
        version=1,
        subject=found.subject[0],
        uscc=found.subject[1],
        task_no=found.task.no,
        task=found.task.name,
        items=found.items,
        main=rules.main_of(view["content"]["visit"]["result"], found.items),
        unit=directory.names_of_units(conn)[found.unit_id],
        visited_on=(found.ended_on or today).isoformat(),
        due_on=None if found.due is None or found.due.on is None else found.due.on.isoformat(),
        published_on=today.isoformat(),
        officers=tuple(known[id] for id in crew if id in known),
        corrected=None,
        record=view["digest"],
        prev=None,
    )


def judged_of(conn: Connection, visit_id: str) -> dict[str, str]:
    """Item -> how it is judged, by the checklist that the visit used (R24.5)."""
    row = visits.look(conn, visit_id)
    found = directory.checklist(conn, row.tpl)["items"] if row is not None else []
    return {item["id"]: item["judged"] for item in found}


def _items(view: dict[str, Any], task: VisitTask, listed: list[dict[str, Any]]) -> tuple[ItemResult, ...]:
    """The task's items that the visit looked at, with the types that were chosen for them."""
    chosen = view["content"]["visit"]
    names = {item["id"]: item["name"] for item in listed}
    return tuple(ItemResult(id, names[id], tuple(chosen.get(f"result:{id}", ()))) for id in task.items if id in names)


def _to_be_ordered(view: dict[str, Any], items: tuple[ItemResult, ...], listed: list[dict[str, Any]]) -> set[str]:
    """The findings of these items that need an order document: what another task of the visit found is its own."""
    findings = list(view["content"]["finding"].items())
    return rows_of_type_5(view["content"], findings, msgspec.convert(listed, list[Item]), [item.id for item in items])


def _target(conn: Connection, visit_id: str) -> tuple[date | None, Due | None]:
    found = deadlines.deadlines_of(conn, [f"visit:{visit_id}"], PUBLICATION_TARGET).get(f"visit:{visit_id}")
    return (None, None) if found is None else (found.start_on, found.due)


def _due(conn: Connection, object: str, kind: str) -> Due | None:
    found = deadlines.deadlines_of(conn, [object], kind).get(object)
    return None if found is None else found.due
