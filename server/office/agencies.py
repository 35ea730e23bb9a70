"""Commissioned agencies and their contracts (R25.2): every unit reads them, each enters those that it commissioned."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from server.domain.agency import Agency, AgencyEntry, check_agency
from server.domain.faults import Fault
from server.errors import Problem
from server.office.act import act, digest_of, new_id, permit
from server.office.officers import accept
from server.store import agencies, trail
from server.store.directory import names_of_units
from server.store.people import Person
from server.store.session import Connection

ARTICLE = "25"


def agency_for(conn: Connection, agency_id: str) -> Agency:
    """One agency."""
    found = agencies.agency_of(conn, agency_id)
    if found is None:
        raise Problem("not_found")
    return found


@act("agency.add", "agencies.change")
def add_agency(conn: Connection, person: Person, now: datetime, values: Mapping[str, str]) -> str:
    """Enters an agency that the person's own unit commissioned; gives its id."""
    permit(person, "agencies.change", person.unit_id)
    entry = _checked(conn, values, None)
    permit(person, "agencies.change", entry.unit_id)
    agency_id = new_id()
    agencies.insert_agencies(conn, {agency_id: entry}, person.id, now)
    after = digest_of(agency_for(conn, agency_id))
    trail.append(conn, [trail.Act("agency.add", person.id, f"agency:{agency_id}", None, after)], now)
    return agency_id


@act("agency.change", "agencies.change")
def change_agency(conn: Connection, person: Person, now: datetime, agency_id: str, values: Mapping[str, str]) -> str:
    """Changes an agency of the own unit: a contract that goes on, a name that was wrong."""
    known = agency_for(conn, agency_id)
    permit(person, "agencies.change", known.unit_id)
    entry = _checked(conn, values, known)
    permit(person, "agencies.change", entry.unit_id)
    changed = agencies.update_agencies(conn, {agency_id: entry}, person.id, now)
    fields = sorted(change.field for change in changed.get(agency_id, []))
    digests = digest_of(known), digest_of(agency_for(conn, agency_id))
    noted = trail.Act("agency.change", person.id, f"agency:{agency_id}", *digests, detail={"fields": fields})
    trail.append(conn, [noted], now)
    return agency_id


def _checked(conn: Connection, values: Mapping[str, str], kept: Agency | None) -> AgencyEntry:
    entry, faults = check_agency(values, names_of_units(conn))
    if entry is not None:
        named = (entry.uscc, entry.contract)
        held = agencies.agencies_by_contract(conn, [named]).get(named)
        if held is not None and (kept is None or held.id != kept.id):
            faults.append(Fault("contract", "contract_taken", {"name": held.name}))
    accept(faults, values, ARTICLE)
    if entry is None:
        raise AssertionError("an entry without a fault that stops is there")
    return entry
