"""The item list: units work on their items, the legal unit releases versions (R2.1, R5.1-R5.3, R6.1, R8.2, R32.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec

from server.domain.annex import annex
from server.domain.entry import Entry
from server.domain.faults import Invalid, stops
from server.domain.instant import stamp
from server.domain.item import Item, digest_of_edition, must_be_complete, must_be_released
from server.domain.item_difference import ListDifference, difference
from server.domain.item_entry import blank_item, check_checklist, check_item, uncited
from server.domain.item_list import Coverage, coverage, looked_at, proposed
from server.errors import Problem
from server.office.act import act, digest_of, new_id, permit
from server.store import items, trail
from server.store.items import Draft, ListVersion
from server.store.people import Person
from server.store.session import Connection

BEIJING = timezone(timedelta(hours=8))


class Proposal(msgspec.Struct, frozen=True):
    """What a release would do now: the list as it would be, what differs, and the digest that names it."""

    current: ListVersion | None
    items: tuple[Item, ...]
    difference: ListDifference
    sha256: str
    pending: tuple[Draft, ...]


# --- the working draft ------------------------------------------------------------------------------------------------


def digest_of_facts(item: Item) -> str:
    """What a form of an item is based on: all but its checklist, which others may be editing meanwhile."""
    return digest_of(msgspec.structs.replace(item, checklist=(), phrases=(), state="draft"))


def digest_of_checklist(item: Item) -> str:
    """What a form of a checklist is based on."""
    return digest_of({"points": item.checklist, "phrases": item.phrases})


@act("item.add", "items.change")
def add_item(conn: Connection, person: Person, now: datetime, values: Mapping[str, str], id: str | None = None) -> Item:
    """A new item of the person's own unit, as a draft."""
    permit(person, "items.change", person.unit_id)
    added = _checked(values, blank_item(id or f"item-{new_id()[:8]}", person.unit_id))
    items.add_draft(conn, added, [person.id], now)
    _note(conn, person, now, "item.add", None, added)
    return added


@act("item.annex", "items.change")
def take_up_annex(conn: Connection, person: Person, now: datetime) -> list[Item]:
    """Adds the drafts of the annex that aren't there yet, for the person's unit to review (R32.1)."""
    permit(person, "items.change", person.unit_id)
    there = {draft.item.id for draft in items.drafts(conn)}
    added = [item for item in annex(person.unit_id) if item.id not in there]
    if not added:
        raise Problem("item_state")
    for item in added:
        items.add_draft(conn, item, [], now)
    detail = {"items": [item.id for item in added]}
    trail.append(conn, [trail.Act("item.annex", person.id, "list:draft", None, digest_of(added), detail)], now)
    return added


@act("item.change", "items.change")
def change_item(
    conn: Connection, person: Person, now: datetime, item_id: str, values: Mapping[str, str], base: str
) -> Item:
    """Changes what an item says; `base` is the digest of what the form showed, else `item_changed` (R5.1)."""
    draft = _own(conn, person, item_id)
    changed = _checked(values, draft.item)
    if digest_of_facts(draft.item) != base:
        raise Problem("item_changed")
    unit_id = draft.item.unit_id or person.unit_id
    return _put(conn, person, now, "item.change", draft, changed, state="draft", unit_id=unit_id)


@act("item.checklist", "items.change")
def change_checklist(
    conn: Connection,
    person: Person,
    now: datetime,
    item_id: str,
    values: Mapping[str, str],
    base: str,
    fresh: Callable[[], str] | None = None,
) -> Item:
    """Changes points and phrases; `base` is the digest of the checklist that the form showed, else `item_changed`."""
    draft = _own(conn, person, item_id)
    known = items.known_points(conn, item_id)
    made, faults = check_checklist(values, draft.item, known, fresh or (lambda: f"p-{new_id()[:13]}"))
    if made is None:
        raise Invalid(faults, "5")
    if digest_of_checklist(draft.item) != base:
        raise Problem("item_changed")
    return _put(
        conn, person, now, "item.checklist", draft, draft.item, state="draft", checklist=made[0], phrases=made[1]
    )


@act("item.submit", "items.change")
def submit_item(conn: Connection, person: Person, now: datetime, item_id: str) -> Item:
    """Hands a draft to the legal unit for the next release, if it is complete (R5.1) and was reviewed (R32.1)."""
    draft = _own(conn, person, item_id)
    if draft.item.state != "draft":
        raise Problem("item_state")
    must_be_complete(draft.item)
    strange = uncited(draft.item)
    if strange:
        raise Problem("item_incomplete", members={"missing": ["checklist"]}, name=draft.item.name, n=len(strange))
    if _edition_in_effect(conn, now, item_id) == digest_of_edition(draft.item):
        raise Problem("list_unchanged")
    return _put(conn, person, now, "item.submit", draft, draft.item, state="ready")


@act("item.withdraw", "items.change")
def withdraw_item(conn: Connection, person: Person, now: datetime, item_id: str, reason: str) -> Item:
    """Has the next version leave an item out, with a reason; what was never released is put away at once (R5.2)."""
    draft = _own(conn, person, item_id)
    reason = _reason(reason)
    if draft.item.state in ("withdrawing", "withdrawn"):
        raise Problem("item_state")
    is_listed = _edition_in_effect(conn, now, item_id) is not None
    state = "withdrawing" if is_listed else "withdrawn"
    return _put(conn, person, now, "item.withdraw", draft, draft.item, {"reason": reason}, state=state)


@act("item.reset", "items.change")
def reset_item(conn: Connection, person: Person, now: datetime, item_id: str) -> Item:
    """Drops what was changed since the last release, or takes a withdrawal back: the item is as the list has it."""
    draft = _own(conn, person, item_id)
    n = items.current_version(conn, day_of(now))
    if n is None or draft.item.state == "released":
        raise Problem("item_state")
    listed = items.item_at(conn, n, item_id)
    return _put(conn, person, now, "item.reset", draft, listed, kept=False)


def _own(conn: Connection, person: Person, item_id: str) -> Draft:
    """An item of the person's unit; one that nobody is responsible for yet may be taken up by any unit's clerk."""
    draft = items.draft_of(conn, item_id)
    if draft is None:
        raise Problem("not_found")
    permit(person, "items.change", draft.item.unit_id or person.unit_id)
    return draft


def _checked(values: Mapping[str, str], base: Item) -> Item:
    made, faults = check_item(values, base)
    if made is None or stops(faults):
        fields = {fault.field for fault in faults if not fault.warning}
        raise Invalid(faults, "6" if fields <= {"sector", "ratio"} else "5")
    return made


def _put(
    conn: Connection,
    person: Person,
    now: datetime,
    name: str,
    before: Draft,
    after: Item,
    detail: dict[str, Any] | None = None,
    *,
    kept: bool = True,
    **change: Any,
) -> Item:
    """Writes an item over its draft and notes it; `kept` says whether the list of who entered something goes on."""
    after = msgspec.structs.replace(after, **change)
    entered = dict.fromkeys((*before.entered_by, person.id)) if kept else {}
    if not items.put_draft(conn, before, after, list(entered), now):
        raise Problem("item_changed")
    _note(conn, person, now, name, before.item, after, detail)
    return after


def _note(
    conn: Connection,
    person: Person,
    now: datetime,
    name: str,
    before: Item | None,
    after: Item,
    detail: dict[str, Any] | None = None,
) -> None:
    old = None if before is None else digest_of(before)
    entry = trail.Act(name, person.id, f"item:{after.id}", old, digest_of(after), {"name": after.name} | (detail or {}))
    trail.append(conn, [entry], now)


def _reason(reason: str) -> str:
    entry = Entry({"reason": reason})
    kept = entry.text("reason", required=False)
    if not kept:
        raise Problem("reason_missing")
    if not entry.is_good:
        raise Invalid(entry.faults)
    return kept


# --- versions ---------------------------------------------------------------------------------------------------------


def day_of(now: datetime) -> str:
    """The day in Beijing."""
    return now.astimezone(BEIJING).date().isoformat()


def _edition_in_effect(conn: Connection, now: datetime, item_id: str) -> str | None:
    n = items.current_version(conn, day_of(now))
    return next((edition for version, edition in items.versions_with(conn, item_id) if version == n), None)


def proposal(conn: Connection) -> Proposal:
    """What a release would do now, against the newest version."""
    newest = next(iter(items.versions(conn)), None)
    before = items.items_of(conn, newest.n) if newest else []
    every = items.drafts(conn)
    after = proposed(before, [draft.item for draft in every])
    pending = tuple(draft for draft in every if draft.item.state in ("ready", "withdrawing"))
    return Proposal(newest, tuple(after), difference(before, after), items.digest_of_list(after), pending)


@act("list.release", "items.release")
def release_list(conn: Connection, person: Person, now: datetime, values: Mapping[str, str], seen: str) -> ListVersion:
    """Releases the next version; all that waited takes effect with it, and nothing else ever does (R5.2).

    `seen` is the digest of the list whose differences the page showed. Nobody releases what he himself entered.
    """
    permit(person, "items.release", None)
    entry = Entry(values)
    document, summary = entry.line("document"), entry.text("summary")
    if not entry.is_good:
        raise Invalid(entry.faults)
    found = proposal(conn)
    _may_be_released(found, person, seen)
    made = ListVersion(
        n=found.current.n + 1 if found.current else 1,
        released_on=day_of(now),
        released_at=stamp(now),
        released_by=person.id,
        document=document,
        summary=summary,
        sha256=found.sha256,
    )
    items.keep_version(conn, made, found.items)
    for draft in found.pending:
        state = "released" if draft.item.state == "ready" else "withdrawn"
        if not items.put_draft(conn, draft, msgspec.structs.replace(draft.item, state=state), [], now):
            raise Problem("list_changed")
    trail.append(conn, [_entry_of_release(person, found, made)], now)
    return made


def _may_be_released(found: Proposal, person: Person, seen: str) -> None:
    if found.sha256 != seen:
        raise Problem("list_changed")
    if found.sha256 == (found.current.sha256 if found.current else items.digest_of_list([])):
        raise Problem("list_unchanged")
    if any(person.id in draft.entered_by for draft in found.pending):
        raise Problem("own_entry")


def _entry_of_release(person: Person, found: Proposal, made: ListVersion) -> trail.Act:
    changed = found.difference
    detail = {
        "document": made.document,
        "added": [item.id for item in changed.added],
        "removed": [item.id for item in changed.removed],
        "changed": [item.id for item in changed.changed],
    }
    before = found.current.sha256 if found.current else None
    return trail.Act("list.release", person.id, f"list:{made.n}", before, made.sha256, detail)


# --- what others ask --------------------------------------------------------------------------------------------------


def for_random_task(conn: Connection, now: datetime, item_ids: Iterable[str]) -> tuple[int, list[Item]]:
    """The version that a random task of today freezes, and its items out of it (R2.1, R5.3)."""
    ids = list(item_ids)
    n = items.current_version(conn, day_of(now))
    must_be_released(items.listed_ids(conn, n), ids)
    if n is None:
        return 0, []
    return n, [items.item_at(conn, n, id) for id in ids]


def coverage_of(conn: Connection) -> list[Coverage]:
    """Every item of the draft that isn't withdrawn, with its subjects; those without any first (R8.2)."""
    living = [draft.item for draft in items.drafts(conn) if draft.item.state != "withdrawn"]
    return coverage(living, items.groups_of_subjects(conn, looked_at(living)))
