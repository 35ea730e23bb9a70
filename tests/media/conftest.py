"""A running server with two visits in it, and the phones of their crews."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from server.store.session import Database
from tests.media.scene import Phone, database_of, dispatch
from tests.running import Running


@pytest.fixture(scope="module")
def beside(server: Running) -> Iterator[Database]:
    """The module's server's database with the two visits in it."""
    db = database_of(server)
    dispatch(db)
    yield db
    db.close()


@pytest.fixture(scope="module")
def li(server: Running, beside: Database) -> Iterator[Phone]:
    """The phone of the leader of `VISIT`."""
    with closing(Phone(server, "li")) as phone:
        yield phone


@pytest.fixture(scope="module")
def zhang(server: Running, beside: Database) -> Iterator[Phone]:
    """The phone of a member of `VISIT`."""
    with closing(Phone(server, "zhang")) as phone:
        yield phone
