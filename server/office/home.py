"""What waits for somebody: one list for the first page, to which every part of the office adds its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec

from server.domain.access import ALL, allows, reach
from server.domain.calendar import Light, light_of
from server.domain.instant import beijing_day
from server.office import crew_page, draw_page, objection_page, plan_page, publication_page, rechecks, task_page
from server.store import (
    accounts,
    calendars,
    deadlines,
    home,
    imports,
    items,
    non_random,
    objections,
    officers,
    reviews,
    rules,
)
from server.store.people import Person
from server.store.session import Connection

CERTIFICATE_WARNING: Final = timedelta(days=60)
NEXT_CALENDAR_MONTH: Final = 11
"""From November on the next year's calendar is looked for: the State Council announces it then."""


class Task(msgspec.Struct, frozen=True):
    """One thing to be done: `what`, `stuck` and `go` are words, filled from `values`; `about` names the thing."""

    what: str
    about: str
    href: str
    go: str
    stuck: str = ""
    values: dict[str, Any] = {}
    light: Light | None = None


Source = Callable[[Connection, Person, datetime], Iterator[Task]]

_URGENCY: Final = ("overdue", "past", "now", "near", "soon", "none", "far", "unknown")


def waiting(conn: Connection, person: Person, now: datetime) -> list[Task]:
    """What waits for this person, the most urgent first; each source looks at his roles itself."""
    found = [task for source in SOURCES for task in source(conn, person, now)]
    return sorted(found, key=_place)


def _place(task: Task) -> tuple[int, int]:
    kind = task.light.kind if task.light else "none"
    days = task.light.days if task.light else 0
    return _URGENCY.index(kind), -days if kind in ("overdue", "past") else days


def unit_of(person: Person, right: str) -> str | None:
    """The unit whose things a person with this right sees; None where he sees all."""
    return None if reach(person.roles, right) == ALL else person.unit_id


# --- visits -----------------------------------------------------------------------------------------------------------


def _records(conn: Connection, person: Person, now: datetime) -> Iterator[Task]:
    """Records to be reviewed by a clerk who wasn't of the crew, and returned ones that the head reopens."""
    reviews, reopens = (
        allows(person.roles, person.unit_id, f"visit.{act}", person.unit_id) for act in ("approve", "reopen")
    )
    if not (reviews or reopens):
        return
    mine = home.crews_of(conn, person.id)
    final = [one for one in home.finals(conn, person.unit_id) if one.visit_id not in mine]
    lights = _lights(conn, [one.visit_id for one in final], beijing_day(now))
    for one in final:
        href, light = f"/office/visits/{one.visit_id}", lights.get(one.visit_id)
        if one.said is None and reviews:
            yield Task("home.review", one.subject, href, "home.go_review", "home.final", {"n": one.round}, light)
        elif one.said == "returned" and reopens:
            yield Task("home.reopen", one.subject, href, "home.go_reopen", "home.returned", {"n": one.round + 1}, light)


def _refusals(conn: Connection, person: Person, _now: datetime) -> Iterator[Task]:
    """Refused signatures, told to the unit head by themselves until he says that he knows (R23.4)."""
    if not allows(person.roles, person.unit_id, "visit.note_refusal", person.unit_id):
        return
    found = {one.visit_id: one for one in reviews.refusals(conn, person.unit_id)}
    for one in found.values():
        yield Task("home.refused", one.subject, f"/office/visits/{one.visit_id}", "home.go_refused", "home.refused_say")


def _lights(conn: Connection, visits: list[str], today: date) -> dict[str, Light]:
    """The lights of the visits' publication targets (R26.1)."""
    found = deadlines.deadlines_of(conn, [f"visit:{visit}" for visit in visits], deadlines.PUBLICATION_TARGET)
    steps, known = rules.rule_set_on(conn, today).lights, calendars.calendar(conn)
    return {
        object.removeprefix("visit:"): light_of(one.due.on, None, today, steps, known) for object, one in found.items()
    }


def _provisional(conn: Connection, person: Person, _now: datetime) -> Iterator[Task]:
    """Deadlines that wait for a calendar: told to those whose visits they are, and to the admin who imports it."""
    imports_it = reach(person.roles, "calendar.change") is not None
    if not imports_it and reach(person.roles, "visits.read") is None:
        return
    unit = None if imports_it else unit_of(person, "visits.read")
    count = deadlines.count_targets(conn, unit, waiting=True) + len(objections.dated(conn, unit, waiting=True))
    if count == 0:
        return
    year = deadlines.provisional(conn)[0].due.missing_year
    href = f"/office/calendar/import?year={year}" if imports_it else "/office/calendar/deadlines"
    what, go = ("home.calendar", "home.go_calendar") if imports_it else ("home.provisional", "home.go_provisional")
    values = {"n": count, "year": year}
    yield Task(what, "", href, go, "home.no_calendar", values, Light("unknown", 0))


def _next_calendar(conn: Connection, person: Person, now: datetime) -> Iterator[Task]:
    """The calendar of the coming year, once it may have been announced."""
    today = beijing_day(now)
    missing = today.month >= NEXT_CALENDAR_MONTH and not calendars.calendar(conn).knows(today.year + 1)
    if missing and reach(person.roles, "calendar.change") and not deadlines.count_targets(conn, None, waiting=True):
        year = today.year + 1
        yield Task(
            "home.calendar",
            "",
            f"/office/calendar/import?year={year}",
            "home.go_calendar",
            "home.announced",
            {"year": year},
        )


def _publications(conn: Connection, person: Person, now: datetime) -> Iterator[Task]:
    """Results that can be published, requests for the principal, and grounds that are due for review."""
    for one in publication_page.errands(conn, person, beijing_day(now)):
        values = {"n": one.n}
        what = f"publication.waits.{one.code}"
        yield Task(what, one.about, one.href, "home.go_publication", "", values, one.light)


def _orders(conn: Connection, person: Person, now: datetime) -> Iterator[Task]:
    """Orders whose day comes near: told to the unit; who reads of all units is told of those that are overdue."""
    if reach(person.roles, "documents.read") is None:
        return
    unit = unit_of(person, "documents.read")
    for one in rechecks.followed(conn, unit, beijing_day(now)):
        if one.light.kind == "overdue" or (unit is not None and one.light.kind != "far"):
            stuck = "home.order_due" if one.it.recheck_id is None else "home.order_rechecking"
            href, values = f"/office/documents/{one.it.id}", {"due": one.it.due_on}
            yield Task("home.order", one.it.subject, href, "home.go_order", stuck, values, one.light)


def _objections(conn: Connection, person: Person, now: datetime) -> Iterator[Task]:
    """The next step of each objection, for whom it waits (R26.5)."""
    for one in objection_page.errands(conn, person, beijing_day(now)):
        yield Task(f"objections.waits.{one.code}", one.about, one.href, "home.go_objection", "", {}, one.light)


# --- registries, rules and plan ---------------------------------------------------------------------------------------


def _plans(conn: Connection, person: Person, _now: datetime) -> Iterator[Task]:
    if reach(person.roles, "plans.read") is None:
        return
    for one in plan_page.waiting(conn, person):
        yield Task(f"plan.waits.{one.code}", "", one.href, "home.go_plan", "", {"about": one.about, "n": one.n})


def _tasks(conn: Connection, person: Person, now: datetime) -> Iterator[Task]:
    if reach(person.roles, "tasks.read") is None:
        return
    for one in task_page.waiting(conn, person, beijing_day(now)):
        yield Task(f"tasks.waits.{one.code}", one.about, one.href, "home.go_task", "", {"n": one.n})


def _excuses(conn: Connection, person: Person, _now: datetime) -> Iterator[Task]:
    """Requests to excuse a drawn subject, told to who decides them."""
    for one in draw_page.waiting(conn, person):
        yield Task("draws.waits.excuse", one.code, one.href, "home.go_decide", "draws.waits.no", {"no": one.no})


def _items(conn: Connection, person: Person, _now: datetime) -> Iterator[Task]:
    """Changes of the list that wait for their release; nobody releases what he himself entered."""
    if reach(person.roles, "items.release") is None:
        return
    ready = [one for one in items.drafts(conn) if one.item.state in ("ready", "withdrawing")]
    if ready:
        names = {"n": len(ready)}
        yield Task("home.release", ready[0].item.name, "/office/items/release", "home.go_release", "home.ready", names)


def _rules(conn: Connection, person: Person, _now: datetime) -> Iterator[Task]:
    if reach(person.roles, "rules.approve") is None:
        return
    for one in rules.versions(conn):
        if one.decision is None and one.entered_by != person.id:
            n = one.rules.version
            yield Task("home.rules", "", f"/office/rules/{n}", "home.go_decide", "home.rules_say", {"n": n})


def _other_inspections(conn: Connection, person: Person, _now: datetime) -> Iterator[Task]:
    if not allows(person.roles, person.unit_id, "non_random.approve", person.unit_id):
        return
    for line in non_random.lines(conn, person.unit_id, "", "awaiting", 0, 50):
        if line.it.entered_by != person.id:
            yield Task(
                "home.non_random",
                line.subject,
                f"/office/non-random/{line.it.id}",
                "home.go_decide",
                "home.non_random_say",
            )


def _imports(conn: Connection, person: Person, _now: datetime) -> Iterator[Task]:
    """Batches that were checked and wait for the one word that applies them."""
    if not allows(person.roles, person.unit_id, "imports.run", person.unit_id):
        return
    for batch in imports.batches(conn, person.unit_id):
        if batch.state == "checked":
            values = {"n": batch.total or 0}
            yield Task(
                "home.import", batch.filename, f"/office/imports/{batch.id}", "home.go_import", "home.checked", values
            )


def _certificates(conn: Connection, person: Person, now: datetime) -> Iterator[Task]:
    """Certificates that end within sixty days (R19.1)."""
    if reach(person.roles, "officers.change") is None:
        return
    today = beijing_day(now)
    until = today + CERTIFICATE_WARNING
    for id_, name, last in officers.ending(conn, person.unit_id, today.isoformat(), until.isoformat()):
        days = (date.fromisoformat(last) - today).days
        yield Task("home.certificate", name, f"/office/officers/{id_}", "home.go_certificate", "home.ends", {"n": days})


def _crews(conn: Connection, person: Person, now: datetime) -> Iterator[Task]:
    """Requests of the unit that wait for its head or the principal, and tasks whose crews are to be matched."""
    for one in crew_page.waiting(conn, person):
        yield Task(one.what, one.about, one.href, one.go, one.stuck, {"n": one.n})


# --- the house --------------------------------------------------------------------------------------------------------


def _house(conn: Connection, person: Person, _now: datetime) -> Iterator[Task]:
    """For the admin: phones of which a copy was found, and people who haven't come in yet."""
    if reach(person.roles, "accounts.change") is None:
        return
    for rid, name in home.frozen_phones(conn):
        yield Task("home.frozen", name, f"/office/devices/{rid}", "home.go_phone", "home.frozen_say")
    fresh = sum(one.state == "new" for one in accounts.accounts(conn))
    if fresh:
        yield Task("home.fresh", "", "/office/accounts?show=new", "home.go_accounts", "home.fresh_say", {"n": fresh})


SOURCES: Final[tuple[Source, ...]] = (
    _records,
    _refusals,
    _publications,
    _objections,
    _orders,
    _provisional,
    _next_calendar,
    _plans,
    _tasks,
    _excuses,
    _items,
    _rules,
    _other_inspections,
    _imports,
    _certificates,
    _crews,
    _house,
)
"""The functions that are asked, each for its part of the office."""
