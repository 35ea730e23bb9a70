"""The trail numbers without a hole and commits to personal data without holding it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
import rfc8785
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from server.store import tables, trail
from server.store.session import Database
from tests.scene import NOW

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
acts = st.builds(trail.Act, texts, texts, texts, st.none() | texts, st.none() | texts)


def _entries(db: Database) -> list[sa.Row[tuple[object, ...]]]:
    with db.read() as conn:
        return list(conn.execute(sa.select(tables.trail).order_by(tables.trail.c.n)))


def test_entries_are_numbered_without_a_hole_even_where_a_transaction_failed(any_database: Database) -> None:
    one = trail.Act("visit.open", "clerk", "visit:1")
    with any_database.write() as conn:
        trail.append(conn, [one, one], NOW)
    with pytest.raises(LookupError), any_database.write() as conn:
        trail.append(conn, [one], NOW)
        raise LookupError
    with any_database.write() as conn:
        trail.append(conn, [one], NOW)
    assert [entry.n for entry in _entries(any_database)] == [1, 2, 3]


@given(act=acts, n=st.integers(1, 2**53 - 1))
def test_a_leaf_is_canonical_json(act: trail.Act, n: int) -> None:
    leaf: Any = trail._row(act, n, "2026-11-24T02:00:00.000Z", bytes(16))[-1]
    assert leaf == rfc8785.dumps(json.loads(leaf))


def opened(salt: bytes, column: str, value: bytes) -> str:
    """The commitment as docs/log.md has it."""
    return hashlib.sha256(hashlib.sha256(salt + column.encode()).digest() + value).hexdigest()


def test_a_leaf_holds_a_salted_commitment_to_the_detail_and_not_the_detail(database: Database) -> None:
    with database.write() as conn:
        trail.append(conn, [trail.Act("x", "li", "account:li", detail={"name": "李承远"})] * 2, NOW)
    first, second = _entries(database)
    assert "李承远".encode() in first.detail
    assert "李承远".encode() not in first.leaf
    assert json.loads(first.leaf)["detail"] == opened(first.salt, "detail", first.detail)
    assert json.loads(first.leaf)["detail"] != json.loads(second.leaf)["detail"]


def test_what_was_digested_before_and_after_stands_in_the_leaf_only_under_the_salt(database: Database) -> None:
    """Who guesses a leave's reason or an op's fields can't try it on the public log."""
    with database.write() as conn:
        trail.append(conn, [trail.Act("x", "li", "leave:1", "a" * 64, "b" * 64), trail.Act("x", "li", "x:1")], NOW)
    one, bare = _entries(database)
    leaf = json.loads(one.leaf)
    assert leaf["before"] == opened(one.salt, "before", b"a" * 64)
    assert leaf["after"] == opened(one.salt, "after", b"b" * 64)
    assert (len(one.salt), leaf["detail"]) == (16, None)
    assert (bare.salt, json.loads(bare.leaf)["after"]) == (b"", None)
