"""One line of the annual plan: its form with the live proposal, its signature, and the lead's list of a joint task."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from litestar import Response, get, post

from server.domain.access import allows
from server.domain.instant import beijing_day
from server.domain.item import Item
from server.domain.plan import JOINT, spread
from server.domain.ratio import Proposal
from server.errors import Problem
from server.office import joint_lists as joint_acts
from server.office import plan_lines as acts
from server.office.plan_facts import capacities, proposal_for, released_items
from server.routes import guards
from server.routes.forms import Filled, Form, answer_form
from server.routes.guards import Asked, has_right
from server.routes.language import words_for
from server.routes.pages import render
from server.routes.rooms.plan_said import Said
from server.store import directory, joint_lists, plans
from server.store.plans import Kept, Plan
from server.store.province import states_of
from server.store.session import Connection

ROOM: Final = "/office/plans"


def year_of(plan_id: str) -> int:
    """The year that an address names, or `not_found`."""
    if not (plan_id.isascii() and plan_id.isdigit() and len(plan_id) == 4):
        raise Problem("not_found")
    return int(plan_id)


@get("/{plan_id:str}/lines/new", guards=[has_right("plan_lines.change")], sync_to_thread=True)
def new_line(request: Asked, plan_id: str) -> Response[str]:
    """The form of a new line; with an item chosen it shows what the system proposes for it."""
    values = {name: value for name, value in request.query_params.items() if isinstance(value, str)}
    return _new_page(request, year_of(plan_id), Filled(values), 200)


def _new_page(request: Asked, year: int, filled: Filled, status: int) -> Response[str]:
    with request.app.state.db.read() as conn:
        plan = plans.plan_of(conn, year)
        if plan is None:
            raise Problem("not_found")
        return _form_page(request, conn, plan, request.user.unit_id or "", None, filled, status)


@post("/{plan_id:str}/lines", guards=[has_right("plan_lines.change")], sync_to_thread=True)
def add_line(request: Asked, plan_id: str, form: Form) -> Response[Any]:
    """Enters a line of the own unit."""
    year = year_of(plan_id)
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.add_line(conn, person, now, year, form.values),
        done=f"{ROOM}/{year}",
        again=lambda filled, status: _new_page(request, year, filled, status),
    )


@get("/{plan_id:str}/lines/{line_id:str}", guards=[has_right("plans.read")], sync_to_thread=True)
def show_line(request: Asked, plan_id: str, line_id: str) -> Response[str]:
    """A line with its proposal; a form for the clerk of its unit while the plan is open."""
    values = {name: value for name, value in request.query_params.items() if isinstance(value, str)}
    return _line_page(request, year_of(plan_id), line_id, Filled(values), 200)


def _line_page(request: Asked, year: int, line_id: str, filled: Filled, status: int) -> Response[str]:
    with request.app.state.db.read() as conn:
        plan = plans.plan_of(conn, year)
        kept = None if plan is None else plans.line_of(conn, line_id, plan.version)
        if plan is None or kept is None or kept.year != year:
            raise Problem("not_found")
        return _form_page(request, conn, plan, kept.line.unit_id, kept, filled, status)


@post("/{plan_id:str}/lines/{line_id:str}", guards=[has_right("plan_lines.change")], sync_to_thread=True)
def change_line(request: Asked, plan_id: str, line_id: str, form: Form) -> Response[Any]:
    """Changes a line."""
    year = year_of(plan_id)
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.change_line(conn, person, now, line_id, form.values),
        done=f"{ROOM}/{year}/lines/{line_id}",
        again=lambda filled, status: _line_page(request, year, line_id, filled, status),
    )


@post("/{plan_id:str}/lines/{line_id:str}/remove", guards=[has_right("plan_lines.change")], sync_to_thread=True)
def remove_line(request: Asked, plan_id: str, line_id: str, form: Form) -> Response[Any]:
    """Takes a line out."""
    year = year_of(plan_id)
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.remove_line(conn, person, now, line_id),
        done=f"{ROOM}/{year}",
        again=lambda filled, status: _line_page(request, year, line_id, filled, status),
    )


@post("/{plan_id:str}/lines/{line_id:str}/sign", guards=[has_right("plan_lines.sign")], sync_to_thread=True)
def sign_line(request: Asked, plan_id: str, line_id: str, form: Form) -> Response[Any]:
    """The unit head signs a line."""
    year = year_of(plan_id)
    return answer_form(
        request,
        form,
        lambda conn, person, now: acts.sign_line(conn, person, now, line_id),
        done=f"{ROOM}/{year}",
        again=lambda filled, status: _line_page(request, year, line_id, filled, status),
    )


@post("/{plan_id:str}/lines/{line_id:str}/list", guards=[has_right("plan_lines.change")])
async def import_list(request: Asked, plan_id: str, line_id: str, form: Form) -> Response[Any]:
    """Takes in the subject list of the department that leads a joint task."""
    import asyncio

    year, file = year_of(plan_id), form.files.get("file")
    content = b"" if file is None else await file.read(joint_acts.MOST_BYTES + 1)
    sent = "" if file is None else file.filename, content

    def work() -> Response[Any]:
        return answer_form(
            request,
            form,
            lambda conn, person, now: joint_acts.import_list(conn, person, now, line_id, form.values, sent),
            done=f"{ROOM}/{year}/lines/{line_id}",
            again=lambda filled, status: _line_page(request, year, line_id, filled, status),
        )

    return await asyncio.to_thread(work)


HANDLERS: Final = [new_line, add_line, show_line, change_line, remove_line, sign_line, import_list]


# --- the page ---------------------------------------------------------------------------------------------------------


def _form_page(
    request: Asked, conn: Connection, plan: Plan, unit_id: str, kept: Kept | None, filled: Filled, status: int
) -> Response[str]:
    today = beijing_day(guards.now(request))
    _, released = released_items(conn, today)
    is_list_form = "lead" in filled.values
    values = (values_of(kept) if kept else {}) | ({} if is_list_form else dict(filled.values))
    proposal = _proposal(conn, released, values, unit_id, plan.year, today)
    if kept is None and proposal is not None:
        values = _prefilled(values, proposal, plan.year, today)
    parts, lines = plans.parts_of(conn, plan.year, plan.version), plans.lines_of(conn, plan.year, plan.version)
    part = next((one for one in parts if one.unit_id == unit_id), None)
    can_change = allows(request.user.roles, request.user.unit_id, "plan_lines.change", unit_id)
    is_open = plan.state == "amended" or (plan.state == "draft" and part is not None and part.state == "open")
    return render(
        request,
        "plans_line",
        status,
        room="plans",
        plan=plan,
        part=part,
        kept=kept,
        units=directory.names_of_units(conn),
        items=[(one.id, one.name) for one in released.values()],
        joints=JOINT,
        proposal=proposal,
        subjects=_subjects(conn, proposal),
        capacity=next((one for one in capacities(conn, plan, parts, lines) if one.unit_id == unit_id), None),
        requests=[one for one in plans.overrides_of(conn, plan.year) if kept and one.line_id == kept.id],
        lists=joint_lists.lists_of(conn, kept.id) if kept else [],
        sent=states_of(conn, "plan", [kept.id]).get(kept.id) if kept else None,
        names=directory.names_of_people(conn),
        filled=Filled(values, filled.lists, () if is_list_form else filled.faults, filled.problem),
        list_filled=filled if is_list_form else Filled(),
        can_change=can_change and is_open,
        can_import=can_change,
        can_sign=allows(request.user.roles, request.user.unit_id, "plan_lines.sign", unit_id),
        said=Said(words_for(request)),
    )


def _proposal(
    conn: Connection, released: Mapping[str, Item], values: Mapping[str, str], unit_id: str, year: int, today: date
) -> Proposal | None:
    item = released.get(values.get("item_id", ""))
    campaign = values.get("campaign", "").strip() or None
    return None if item is None else proposal_for(conn, item, unit_id, year, today, campaign)


def _prefilled(values: Mapping[str, str], proposal: Proposal, year: int, today: date) -> dict[str, str]:
    """A new line's empty fields filled with what is proposed; what was typed stays."""
    first = min(max(date(year, 3, 1), today), date(year, 12, 31))
    last = date(year, 11, 30) if first.month < 11 else date(year, 12, 31)
    known = {
        "window_from": first.isoformat(),
        "window_to": last.isoformat(),
        "count": str(proposal.n),
        "flagged_count": str(proposal.flagged_n),
        "unified_share": "0",
        "own_share": "100",
    }
    return {**values, **{name: value for name, value in known.items() if not values.get(name, "").strip()}}


def _subjects(conn: Connection, proposal: Proposal | None) -> dict[str, tuple[str, str]]:
    """Name and code of the subjects that a proposal leaves out or keeps in by exemption."""
    if proposal is None:
        return {}
    named = [one.subject for one in proposal.excluded] + [one.subject for one in proposal.kept]
    return directory.subjects_named(conn, named)


def values_of(kept: Kept) -> dict[str, str]:
    """A line as its form shows it; months that are as they would be spread stay empty."""
    line = kept.line
    names = [name for name in line.__struct_fields__ if name != "months"]
    values = {name: "" if getattr(line, name) is None else str(getattr(line, name)) for name in names}
    if line.months != spread(line.count, line.window_from, line.window_to):
        values |= {f"month_{month}": str(n) for month, n in enumerate(line.months, 1) if n}
    return values
