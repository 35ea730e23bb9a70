"""Which draws somebody sees, and what he may do with one as it stands."""

from __future__ import annotations

from collections.abc import Callable

from server.domain.access import allows, reach
from server.domain.drawing import OPEN
from server.errors import Problem
from server.office import draw_page
from server.office.draw_page import View
from server.routes.guards import Asked
from server.store import draws
from server.store.people import Person


def may_of(person: Person) -> Callable[[str, str | None], bool]:
    """Whether this person has a right on a unit."""
    return lambda right, unit: allows(person.roles, person.unit_id, right, unit)


def unit_of(person: Person) -> str | None:
    """The unit whose draws this person sees; None for all."""
    return None if reach(person.roles, "draws.read") == "all" else person.unit_id


def seen(request: Asked, draw_id: str) -> View:
    """A draw that this person may see; for who may not it isn't there."""
    with request.app.state.db.read() as conn:
        view = draw_page.view_of(conn, draw_id)
    if not may_of(request.user)("draws.read", view.draw.unit_id):
        raise Problem("not_found")
    return view


def must_see(request: Asked, draw_id: str) -> str:
    """The unit of a draw; refuses who may not see it, as `seen` does, without reading its list."""
    with request.app.state.db.read() as conn:
        unit = draws.unit_of(conn, draw_id)
    if unit is None or not may_of(request.user)("draws.read", unit):
        raise Problem("not_found")
    return unit


def acts_of(view: View, person: Person) -> set[str]:
    """What this person may do now: whoever committed never voids."""
    can, draw = may_of(person), view.draw
    runs, voids = can("draws.run", draw.unit_id), can("draws.void", draw.unit_id)
    found = {
        "contribute": runs and view.next is not None,
        "run": runs and draw.state == "contributed",
        "excuse": runs and draw.state == "drawn",
        "confirm": can("draws.excuse", draw.unit_id) and draw.state == "drawn",
        "void": voids and draw.state in OPEN and draw.committed_by != person.id,
        "again": runs and draw.state == "void" and view.is_last,
    }
    return {name for name, may in found.items() if may}
