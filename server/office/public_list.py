"""What everybody may read of the item list: its versions, and what each of them changed."""

from __future__ import annotations

import msgspec

from server.domain.item_difference import ListDifference
from server.domain.public import PublicList, PublicVersion, public_difference, public_item
from server.store import directory, items
from server.store.items import ListVersion
from server.store.session import Connection


def releases(conn: Connection) -> list[PublicVersion]:
    """Every version, the newest first."""
    return [_version(one) for one in items.versions(conn)]


def published(conn: Connection, n: int, bureau: str) -> PublicList | None:
    """One version with its items; None where there is none of this number."""
    found = items.version(conn, n)
    if found is None:
        return None
    units = directory.names_of_units(conn)
    listed = tuple(public_item(one.item, units, one.template) for one in items.listed(conn, n))
    return PublicList("item-list/1", bureau, _version(found), listed)


def changes(conn: Connection, n: int) -> ListDifference:
    """What a version changed in the one before it; everything is new in the first."""
    return public_difference(items.items_of(conn, n - 1), items.items_of(conn, n))


def _version(one: ListVersion) -> PublicVersion:
    return msgspec.convert(msgspec.to_builtins(one), PublicVersion)
