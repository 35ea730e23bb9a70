"""Commissioned agencies (R25.2): inspectors towards who refuses them, never one of the two officers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Final

import msgspec

from server.domain.codes import uscc_faults
from server.domain.entry import Entry
from server.domain.faults import Fault
from server.domain.officer import period, said

CONTRACT_MOST: Final = 64


class Agency(msgspec.Struct, frozen=True):
    """An agency and the contract that a unit commissioned it by; it holds on both of its days."""

    id: str
    name: str
    uscc: str
    contract: str
    contract_from: str
    contract_to: str
    unit_id: str


class AgencyEntry(msgspec.Struct, frozen=True):
    """What was entered about an agency."""

    name: str
    uscc: str
    contract: str
    contract_from: str
    contract_to: str
    unit_id: str


def check_agency(values: Mapping[str, str], units: Collection[str]) -> tuple[AgencyEntry | None, list[Fault]]:
    """An agency as entered; without a contract it may not stand in for anybody."""
    entry = Entry(values)
    name, uscc = said(entry, "name", entry.name("name")), entry.code("uscc", uscc_faults)
    contract = entry.line("contract", most=CONTRACT_MOST)
    since, until = period(entry, "contract_from", "contract_to")
    unit = entry.choice("unit_id", units)
    if not entry.is_good or since is None or until is None:
        return None, entry.faults
    return AgencyEntry(name, uscc, contract, since, until, unit), entry.faults


def is_commissioned(agency: Agency, day: date) -> bool:
    """Whether its contract holds on that day, so that refusing it counts as refusing the inspectors."""
    return agency.contract_from <= day.isoformat() <= agency.contract_to
