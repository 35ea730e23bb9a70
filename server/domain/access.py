"""Who may see and do what in the office, as one table: least privilege by unit and by visit."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

ROLES: Final = (
    "officer",
    "unit_clerk",
    "unit_head",
    "legal_unit",
    "principal",
    "steering_group",
    "auditor",
    "admin",
)
"""The roles of a person. `leader` isn't one: it is a place in the crew of one visit."""

OWN, ALL, MINE = "own", "all", "mine"
"""How far a right reaches: the person's own unit, every unit, or only what is his own."""

_READERS: Final = {"unit_clerk": OWN, "unit_head": OWN, "legal_unit": ALL, "principal": ALL}
_ALL_READERS: Final = dict.fromkeys(("unit_clerk", "unit_head", "legal_unit", "principal"), ALL)
_WATCHERS: Final = {"steering_group": ALL, "auditor": ALL}

RIGHTS: Final[dict[str, dict[str, str]]] = {
    # --- visits: `admin` has none of these, he sees no inspection content
    "visits.read": _READERS | _WATCHERS,
    "visit.admit": {"unit_clerk": OWN},
    "visit.rule": {"unit_clerk": OWN},
    "visit.assign": {"unit_clerk": OWN, "unit_head": OWN},
    "visit.replace": {"unit_head": OWN},
    "visit.reopen": {"unit_head": OWN},
    "visit.void": {"unit_head": OWN},
    "visit.merge": {"unit_clerk": OWN, "unit_head": OWN},
    "visit.approve": {"unit_clerk": OWN},
    "visit.return": {"unit_clerk": OWN},
    "visit.set_aside": {"unit_clerk": OWN},
    "visit.note_refusal": {"unit_head": OWN},
    # --- accounts, units, phones, trail
    "office.enter": _ALL_READERS | _WATCHERS | {"admin": ALL},
    "own_account": dict.fromkeys(ROLES, MINE),
    "accounts.read": {"admin": ALL, "auditor": ALL},
    "accounts.change": {"admin": ALL},
    "units.change": {"admin": ALL},
    "devices.read": {"admin": ALL, "auditor": ALL},
    "devices.revoke": dict.fromkeys(ROLES, MINE) | {"admin": ALL},
    "trail.read": _WATCHERS,
    "trail.erase": {"steering_group": ALL},
    # --- rule sets and calendar
    "rules.read": _ALL_READERS | _WATCHERS | {"admin": ALL},
    "rules.change": {"legal_unit": ALL},
    "rules.approve": {"principal": ALL},
    "calendar.read": _ALL_READERS | _WATCHERS | {"admin": ALL},
    "calendar.change": {"admin": ALL},
    "codes.read": _ALL_READERS | _WATCHERS | {"admin": ALL},
    "codes.change": {"legal_unit": ALL, "admin": ALL},
    # --- item list
    "items.read": _ALL_READERS | _WATCHERS,
    "items.change": {"unit_clerk": OWN},
    "items.release": {"legal_unit": ALL},
    # --- subjects
    "subjects.read": _READERS | _WATCHERS,
    "subjects.change": {"unit_clerk": OWN},
    "subjects.reveal": {
        "unit_clerk": OWN,
        "unit_head": OWN,
        "legal_unit": ALL,
        "principal": ALL,
        "steering_group": ALL,
    },
    # --- officers, experts, agencies, interests, leave
    "officers.read": _READERS | _WATCHERS,
    "officers.change": {"unit_clerk": OWN},
    "officers.reveal": {"unit_clerk": OWN, "unit_head": OWN},
    "experts.read": _ALL_READERS | _WATCHERS,
    "experts.change": {"unit_clerk": OWN},
    "experts.reveal": {"unit_clerk": OWN, "unit_head": OWN},
    "agencies.read": _ALL_READERS | _WATCHERS,
    "agencies.change": {"unit_clerk": OWN},
    # --- import and export, the province's platform
    "imports.read": _READERS | _WATCHERS,
    "imports.run": {"unit_clerk": OWN},
    "exports.run": {"unit_clerk": OWN, "unit_head": OWN, "legal_unit": ALL, "principal": ALL, "auditor": ALL},
    "province.read": _ALL_READERS | _WATCHERS,
    "province.change": {"unit_clerk": OWN},
    # --- the annual plan
    "plans.read": _ALL_READERS | _WATCHERS,
    "plan_lines.change": {"unit_clerk": OWN},
    "plan_lines.sign": {"unit_head": OWN},
    "plans.submit": {"unit_clerk": OWN, "unit_head": OWN},
    "plans.consolidate": {"legal_unit": ALL},
    "plans.approve": {"principal": ALL},
    "plans.release": {"legal_unit": ALL},
    "overrides.ask": {"unit_clerk": OWN, "legal_unit": ALL},
    "overrides.approve": {"principal": ALL},
    # --- tasks, draws, crews
    "tasks.read": _READERS | _WATCHERS,
    "tasks.change": {"unit_clerk": OWN, "legal_unit": OWN},
    "tasks.cancel": {"unit_clerk": OWN, "unit_head": OWN, "legal_unit": OWN, "principal": ALL},
    "tasks.approve": {"unit_head": OWN, "principal": ALL},
    "tasks.dispatch": {"unit_clerk": OWN, "legal_unit": OWN},
    "exclusions.enter": {"unit_clerk": OWN},
    "exclusions.approve": {"unit_head": OWN},
    "draws.read": _READERS | _WATCHERS,
    "draws.run": {"unit_clerk": OWN, "legal_unit": OWN},
    "draws.excuse": {"unit_head": OWN, "principal": ALL},
    "draws.void": {"unit_head": OWN, "principal": ALL},
    "crews.read": _READERS | _WATCHERS,
    "crews.run": {"unit_clerk": OWN},
    "crews.approve": {"unit_head": OWN},
    "recusals.record": {"unit_clerk": OWN},
    "recusals.decide": {"principal": ALL},
    "recusals.declare": {"officer": MINE},
    # --- publication
    "results.read": _READERS | _WATCHERS,
    "results.publish": {"unit_clerk": OWN},
    "withholdings.ask": {"unit_clerk": OWN},
    "withholdings.decide": {"principal": ALL},
    "corrections.ask": {"unit_clerk": OWN},
    "corrections.sign": {"principal": ALL},
    "objections.read": _READERS | _WATCHERS,
    "objections.papers": {"unit_clerk": OWN, "unit_head": OWN, "principal": ALL},
    "objections.handle": {"unit_clerk": OWN},
    "objections.confirm": {"unit_head": OWN},
    "documents.read": _READERS | _WATCHERS,
    "documents.make": {"unit_clerk": OWN},
    "rechecks.open": {"unit_clerk": OWN},
    "non_random.read": _READERS | _WATCHERS,
    "non_random.record": {"unit_clerk": OWN},
    "non_random.approve": {"unit_head": OWN},
}
"""Right -> role -> how far it reaches. Guards, acts and the page of permissions are made from it."""

STAFF: Final = frozenset(RIGHTS["office.enter"])
"""Who may sign in at the office's door."""

OFFICE: Final = frozenset(RIGHTS["visits.read"])
"""Who sees visits from the office: "the office" of the domain page."""

ACTS: Final[dict[str, frozenset[str]]] = {
    right.removeprefix("visit."): frozenset(roles) for right, roles in RIGHTS.items() if right.startswith("visit.")
}
"""Act on a visit -> the roles of the visit's own unit that may do it. `replace` is an `assign` that takes a drawn
officer out or puts another in his place (R20.1). The visit's leader may `admit` too; that is a matter of the crew."""


def reach(roles: Collection[str], right: str) -> str | None:
    """How far these roles reach with a right: `all`, else `own`, else `mine`, else None."""
    found = {RIGHTS[right].get(role) for role in roles}
    return next((far for far in (ALL, OWN, MINE) if far in found), None)


def allows(roles: Collection[str], person_unit: str | None, right: str, unit: str | None) -> bool:
    """Whether these roles have a right on something of `unit`; None stands for the bureau as a whole."""
    far = reach(roles, right)
    return far == ALL or (far == OWN and unit is not None and unit == person_unit)


def sees_all_units(roles: Collection[str]) -> bool:
    """Whether these roles see the visits of every unit."""
    return reach(roles, "visits.read") == ALL


def office_sees(roles: Collection[str], person_unit: str | None, visit_unit: str) -> bool:
    """Whether the office part of these roles opens a visit of `visit_unit`; its crew sees it in any case."""
    return allows(roles, person_unit, "visits.read", visit_unit)


def may(roles: Collection[str], person_unit: str | None, visit_unit: str, act: str) -> bool:
    """Whether these roles may do `act` (a key of `ACTS`) on a visit of `visit_unit`: only ever in their own unit."""
    return allows(roles, person_unit, f"visit.{act}", visit_unit)
