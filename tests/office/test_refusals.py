"""A refused signature is reported to the unit head by itself, until he says that he knows of it (R23.4)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from server.errors import Problem
from server.office import review
from server.store import reviews
from server.store.people import Person
from server.store.session import Database
from tests.dispatching import database_of
from tests.office.district import HTML
from tests.rules.people import CLERK, HEAD, person
from tests.running import Running
from tests.scene import UNITS
from tests.sync.test_exchange import Group

TOLD = "有人拒绝签字"
ELSEWHERE = person("head2", "unit_head", "steering_group", unit=UNITS[1])


class Refused(Group):
    """A record that everybody signed but the subject, who won't."""

    def __init__(self, server: Running) -> None:
        super().__init__(server)
        self.record()
        digest = self.view()["digest"]
        self.li.sign(self.visit, digest, "leader")
        self.li.sign(self.visit, digest, "subject", "subject", refused="对认定有意见")
        self.settle()
        self.db: Database = database_of(server)

    def note(self, who: Person) -> None:
        """The head, or somebody else, says that he knows of it."""
        with self.db.write() as conn:
            review.note_refusal(conn, who, datetime.now(UTC), self.visit)

    def refusal(self, who: Person) -> tuple[str, str | None]:
        """Code and article with which that is refused."""
        with pytest.raises(Problem) as refused:
            self.note(who)
        return refused.value.code, refused.value.article


@pytest.fixture
def refused(any_server: Running) -> Iterator[Refused]:
    made = Refused(any_server)
    yield made
    made.db.close()


@pytest.mark.rule("R23.4", "allows")
@pytest.mark.rule("R23.4", "refuses")
@pytest.mark.rule("R23.4", "http")
def test_the_head_is_told_by_itself_and_nobody_else_can_say_that_he_knows(refused: Refused) -> None:
    clients = {who: refused.server.signed_in(who) for who in ("head", "head2", "clerk")}
    home = {who: client.get("/office/", headers=HTML).text for who, client in clients.items()}
    assert {who for who, page in home.items() if TOLD in page} == {"head"}
    assert f"/office/visits/{refused.visit}" in home["head"]
    with refused.db.read() as conn:
        (one,) = reviews.refusals(conn, UNITS[0])
        assert one.visit_id == refused.visit and reviews.refusals(conn, UNITS[1]) == []
    problem = Problem("refusal_noted")
    assert (problem.code, problem.article) == ("refusal_noted", "23")
    assert refused.refusal(ELSEWHERE) == ("other_unit", "3")
    assert refused.refusal(CLERK)[0] == "forbidden"
    path = f"/office/visits/{refused.visit}/note_refusal"
    assert clients["clerk"].post(path).status_code == 403 and clients["head2"].post(path).status_code == 404
    assert clients["head"].post(path, headers=HTML).status_code == 303
    assert TOLD not in clients["head"].get("/office/", headers=HTML).text
    assert refused.refusal(HEAD) == (problem.code, problem.article)
    for client in clients.values():
        client.close()
