"""Finding accounts and phones in their lists: a bureau has hundreds of them, so that they are looked at one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from server.store.accounts import Account, Phone

STATES: Final = ("on", "new", "off")
PHONE_STATES: Final = ("on", "frozen", "off")


class Choice(Protocol):
    """What a list's address says: `routes.lists.Look`."""

    def __getitem__(self, name: str) -> str: ...

    @property
    def sort(self) -> str:
        """The column of the order."""

    @property
    def is_down(self) -> bool:
        """Whether from large to small."""


def found_accounts(accounts: Sequence[Account], unit_names: Mapping[str, str], look: Choice) -> list[Account]:
    """Those that the address asks for, in its order; the state is left to the pills, which count it."""

    def fits(one: Account) -> bool:
        return (
            look["q"].casefold() in f"{one.name} {one.username}".casefold()
            and look["role"] in ("", *one.roles)
            and look["unit"] in ("", one.unit_id)
        )

    def place(one: Account) -> tuple[str, str]:
        first = {"name": one.name, "username": one.username, "unit": unit_names.get(one.unit_id or "", "")}
        return first[look.sort], one.username

    return sorted(filter(fits, accounts), key=place, reverse=look.is_down)


def counted(accounts: Sequence[Account], state: str) -> int:
    """How many accounts are in a state."""
    return sum(one.state == state for one in accounts)


def state_of(phone: Phone) -> str:
    """`off` where it was revoked, `frozen` where a copy of it was found, else `on`."""
    return "off" if phone.revoked_at else "frozen" if phone.frozen_at else "on"


def found_phones(phones: Sequence[Phone], look: Choice) -> list[Phone]:
    """The phones that the address asks for, in its order."""

    def place(one: Phone) -> tuple[str, str]:
        first = {"owner": one.owner, "enrolled": one.enrolled_at, "seen": one.seen_at or ""}
        return first[look.sort], one.rid

    said = look["q"].casefold()
    return sorted(
        (one for one in phones if said in f"{one.owner} {one.name} {one.rid}".casefold()),
        key=place,
        reverse=look.is_down,
    )
