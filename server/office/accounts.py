"""Accounts and units: the admin's acts, and what everybody does with his own password and phones."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from server.domain.access import reach
from server.domain.account import check_account, check_unit, stands_under
from server.domain.entry import Entry
from server.domain.faults import Fault, Invalid
from server.domain.password import password_faults
from server.domain.registry import Unit
from server.errors import Problem
from server.office.act import act, digest_of, new_id
from server.store import accounts, devices, trail
from server.store.accounts import Account, Phone
from server.store.people import Person
from server.store.session import Connection

_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike when written down


def one_time_password() -> str:
    """A password to be given to somebody by word or on paper: 80 bits in four groups."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


# --- accounts ---------------------------------------------------------------------------------------------------------


@act("account.add", "accounts.change")
def add_account(
    conn: Connection, person: Person, now: datetime, values: Mapping[str, str], roles: Collection[str], password: str
) -> str:
    """Adds an account whose one-time password (given as its hash) must be changed; its id."""
    made = _entered(conn, values, roles, None)
    account_id = made.officer_id or new_id()
    accounts.insert_account(conn, account_id, made, password)
    _note(conn, now, "account.add", person, f"account:{account_id}", None, made, {"roles": list(made.roles)})
    return account_id


@act("account.change", "accounts.change")
def change_account(
    conn: Connection, person: Person, now: datetime, account_id: str, values: Mapping[str, str], roles: Collection[str]
) -> None:
    """Changes name, unit or roles; roles with a reason, and never one's own.

    `seen` among the values is the digest of the account as it was shown: what somebody else changed meanwhile is not
    overwritten. The last admin stays admin.
    """
    known = account_or_none(conn, account_id)
    if values.get("seen", digest_of(known)) != digest_of(known):
        raise Problem("account_changed")
    made = _entered(conn, values, roles, known)
    reason = _reason(values, needed=made.roles != known.roles or made.unit_id != known.unit_id)
    if "admin" in known.roles and "admin" not in made.roles:
        _keep_one_admin(conn, known)
    if account_id == person.id and set(made.roles) - set(known.roles):
        raise Problem("own_roles")
    accounts.update_account(conn, account_id, made)
    detail = {"roles": list(made.roles), "roles_before": list(known.roles)} | ({"reason": reason} if reason else {})
    _note(
        conn,
        now,
        "account.change",
        person,
        f"account:{account_id}",
        known,
        accounts.account_of(conn, account_id),
        detail,
    )


@act("account.disable", "accounts.change")
def disable_account(
    conn: Connection, person: Person, now: datetime, account_id: str, values: Mapping[str, str]
) -> None:
    """Disables an account and ends all its sessions at once; its phones' later records are refused at the door."""
    known = account_or_none(conn, account_id)
    reason = _reason(values, needed=True)
    if known.disabled_at is not None:
        raise Problem("account_state")
    if "admin" in known.roles:
        _keep_one_admin(conn, known)
    accounts.set_disabled(conn, account_id, now)
    ended = accounts.end_sessions(conn, account_id)
    detail = {"reason": reason, "sessions_ended": ended}
    _note(
        conn,
        now,
        "account.disable",
        person,
        f"account:{account_id}",
        known,
        accounts.account_of(conn, account_id),
        detail,
    )


@act("account.enable", "accounts.change")
def enable_account(conn: Connection, person: Person, now: datetime, account_id: str, values: Mapping[str, str]) -> None:
    """Lets a disabled account in again."""
    known = account_or_none(conn, account_id)
    reason = _reason(values, needed=True)
    if known.disabled_at is None:
        raise Problem("account_state")
    accounts.set_disabled(conn, account_id, None)
    _note(
        conn,
        now,
        "account.enable",
        person,
        f"account:{account_id}",
        known,
        accounts.account_of(conn, account_id),
        {"reason": reason},
    )


@act("account.reset", "accounts.change")
def reset_password(conn: Connection, person: Person, now: datetime, account_id: str, password: str) -> Account:
    """Gives a one-time password (as its hash) and ends every session; nobody learns or sets another's own password."""
    known = account_or_none(conn, account_id)
    if known.disabled_at is not None:
        raise Problem("account_state")
    if account_id == person.id:
        raise Problem("own_reset")
    accounts.set_password(conn, account_id, password, now, must_change=True)
    ended = accounts.end_sessions(conn, account_id)
    _note(
        conn,
        now,
        "account.reset",
        person,
        f"account:{account_id}",
        known,
        accounts.account_of(conn, account_id),
        {"sessions_ended": ended},
    )
    return known


def account_or_none(conn: Connection, account_id: str) -> Account:
    """The account, or the Problem that there is none."""
    known = accounts.account_of(conn, account_id)
    if known is None:
        raise Problem("not_found")
    return known


def _entered(conn: Connection, values: Mapping[str, str], roles: Collection[str], known: Account | None) -> Any:
    found = accounts.units(conn)
    units = {unit.id for unit in found} | ({known.unit_id} if known and known.unit_id else set())
    own = known.id if known else None
    officers = {officer_id for officer_id, *_ in accounts.officers_without_account(conn, own)}
    officers |= {known.officer_id} if known and known.officer_id else set()
    legal = {unit.id for unit in found if unit.kind == "legal_unit"}
    made, faults = check_account(values, roles, units, officers, legal)
    if made is not None and accounts.is_username_taken(conn, made.username, own):
        faults = [*faults, Fault("username", "username_taken", {"found": made.username})]
        made = None
    if known and made is not None and made.officer_id != known.officer_id:  # an officer's account bears his id
        faults, made = [*faults, Fault("officer_id", "officer_stays")], None
    if made is None:
        raise Invalid(faults)
    return made


def _keep_one_admin(conn: Connection, known: Account) -> None:
    """Refuses to lose the last account that can make others."""
    others = (one for one in accounts.accounts(conn) if one.id != known.id and one.disabled_at is None)
    if not any("admin" in one.roles for one in others):
        raise Problem("last_admin")


# --- one's own --------------------------------------------------------------------------------------------------------


def check_new_password(values: Mapping[str, str], username: str) -> str:
    """The new password that was entered twice, or what is wrong with it."""
    new, old = values.get("new_password", ""), values.get("old_password", "")
    faults = [] if old else [Fault("old_password", "missing")]
    faults += password_faults("new_password", new, username)
    if new and new == old:
        faults.append(Fault("new_password", "password_same"))
    if new != values.get("again", ""):
        faults.append(Fault("again", "password_differs"))
    if faults:
        raise Invalid(faults)
    return new


@act("password.change", "own_account")
def change_password(conn: Connection, person: Person, now: datetime, password: str, session: str | None) -> None:
    """Writes one's own new password (as its hash); every other session but the phones' ends with it."""
    accounts.set_password(conn, person.id, password, now, must_change=False)
    ended = accounts.end_sessions(conn, person.id, but=session, phones=False)
    trail.append(
        conn, [trail.Act("password.change", person.id, f"account:{person.id}", detail={"sessions_ended": ended})], now
    )


@act("device.revoke", "devices.revoke")
def revoke_phone(conn: Connection, person: Person, now: datetime, rid: str, values: Mapping[str, str]) -> None:
    """Revokes a phone with a reason: its owner's right, and the admin's. What it sends later is set aside."""
    known = phone_for(person, accounts.phones(conn), rid)
    if known.account_id != person.id and "admin" not in person.roles:
        raise Problem("forbidden")
    locked = devices.device_of(conn, rid, lock=True)
    if locked is None or locked.revoked_at is not None:
        raise Problem("phone_off")
    devices.revoke(conn, person, rid, now, _reason(values, needed=True))


def phone_for(person: Person, phones: Collection[Phone], rid: str) -> Phone:
    """A phone as somebody may see it: his own, and every one for who reads the list; else there is none."""
    sees_all = reach(person.roles, "devices.read") is not None
    found = next((one for one in phones if one.rid == rid and (sees_all or one.account_id == person.id)), None)
    if found is None:
        raise Problem("not_found")
    return found


# --- units ------------------------------------------------------------------------------------------------------------


@act("unit.add", "units.change")
def add_unit(conn: Connection, person: Person, now: datetime, values: Mapping[str, str]) -> str:
    """Adds a unit; its id."""
    known = accounts.units(conn)
    made = _unit_entered(values, known, None)
    unit_id = new_id()
    accounts.insert_unit(conn, unit_id, made)
    _note(conn, now, "unit.add", person, f"unit:{unit_id}", None, made, {"name": made.name})
    return unit_id


@act("unit.change", "units.change")
def change_unit(conn: Connection, person: Person, now: datetime, unit_id: str, values: Mapping[str, str]) -> None:
    """Renames or moves a unit; under itself it can't stand."""
    known = accounts.units(conn)
    before = unit_in(known, unit_id)
    made = _unit_entered(values, known, unit_id)
    accounts.update_unit(conn, unit_id, made)
    detail = {"name": made.name, "name_before": before.name}
    _note(
        conn, now, "unit.change", person, f"unit:{unit_id}", before, Unit(unit_id, **msgspec.to_builtins(made)), detail
    )


@act("unit.close", "units.change")
def close_unit(conn: Connection, person: Person, now: datetime, unit_id: str, values: Mapping[str, str]) -> None:
    """Closes a unit that has no people, no officers and no units under it; what it did stays under its name."""
    known = accounts.units(conn)
    before = unit_in(known, unit_id)
    reason = _reason(values, needed=True)
    people, officers = accounts.people_of(conn, [unit_id]).get(unit_id, 0), accounts.officers_of(conn, unit_id)
    below = sum(unit.parent_id == unit_id for unit in known)
    if people or officers or below:
        raise Problem("unit_in_use", people=people, officers=officers, units=below)
    accounts.close_unit(conn, unit_id, now)
    _note(conn, now, "unit.close", person, f"unit:{unit_id}", before, None, {"name": before.name, "reason": reason})


def unit_in(units: Collection[Unit], unit_id: str) -> Unit:
    """The unit, or the Problem that there is none."""
    found = next((unit for unit in units if unit.id == unit_id), None)
    if found is None:
        raise Problem("not_found")
    return found


def _unit_entered(values: Mapping[str, str], units: Collection[Unit], unit_id: str | None) -> Any:
    made, faults = check_unit(values, {unit.id for unit in units})
    if made is not None and any(unit.name == made.name and unit.id != unit_id for unit in units):
        faults = [*faults, Fault("name", "unit_name_taken", {"found": made.name})]
    if made is not None and unit_id is not None and stands_under(units, unit_id, made.parent_id):
        faults = [*faults, Fault("parent_id", "unit_loop")]
    if made is None or faults:
        raise Invalid(faults)
    return made


# --- shared -----------------------------------------------------------------------------------------------------------


def _reason(values: Mapping[str, str], *, needed: bool) -> str:
    entry = Entry(values)
    reason = entry.text("reason", most=500, required=needed)
    if not entry.is_good:
        raise Invalid(entry.faults)
    return reason


def _note(
    conn: Connection,
    now: datetime,
    name: str,
    person: Person,
    of: str,
    before: object,
    after: object,
    detail: dict[str, Any],
) -> None:
    was = None if before is None else digest_of(before)
    becomes = None if after is None else digest_of(after)
    trail.append(conn, [trail.Act(name, person.id, of, was, becomes, detail)], now)
