"""The desk from which results go public, over HTTP: the clerk's word on a record, its order, and the publication."""

from __future__ import annotations

from typing import Final

import httpx
import sqlalchemy as sa

from server.store import tables
from server.store.session import Database
from tests.office.test_draws_over_http import HTML, JSON, Hall
from tests.scene import PASSWORD

PROOF: Final = {"proof": PASSWORD}


class Desk:
    """The office's pages about the results of one bureau."""

    def __init__(self, hall: Hall, db: Database) -> None:
        self.hall, self.db = hall, db

    def post(self, who: str, path: str, **form: str) -> httpx.Response:
        """A form of the office, answered to a program: 303, or the problem."""
        return self.hall.client(who).post(f"/office{path}", data=form, headers=JSON)

    def done(self, who: str, path: str, **form: str) -> str:
        """A form that is done; where it leads."""
        answer = self.post(who, path, **form)
        assert answer.status_code == 303, (path, answer.text)
        return answer.headers["location"]

    def refused(self, who: str, path: str, **form: str) -> tuple[int, str]:
        """Status and code of a refusal."""
        answer = self.post(who, path, **form)
        assert answer.status_code >= 400, (path, answer.status_code)
        return answer.status_code, answer.json()["code"]

    def page(self, who: str, path: str) -> str:
        """A page of the office."""
        answer = self.hall.client(who).get(f"/office{path}", headers=HTML)
        assert answer.status_code == 200, (path, answer.text)
        return answer.text

    def approve(self, visit: str, round_: int = 1) -> None:
        """The clerk's word on a round of a record."""
        self.done("clerk", f"/visits/{visit}/approve", round=str(round_))

    def order(self, visit: str) -> str:
        """The order for what was found; its number."""
        made = self.done("clerk", f"/documents/visits/{visit}/new", kind="rectification_order").rpartition("/")[2]
        with self.db.read() as conn:
            return str(conn.scalar(sa.select(tables.document.c.no).where(tables.document.c.id == made)))

    def publish(self, visit: str, task: str, **form: str) -> str:
        """Publishes the result of a visit for one task; its number."""
        self.done("clerk", f"/publication/{visit}.{task}/publish", **PROOF, **form)
        return self.no(visit, task)

    def stays(self, visit: str, task: str) -> tuple[int, str]:
        """Why it can't be published now."""
        return self.refused("clerk", f"/publication/{visit}.{task}/publish", **PROOF)

    def no(self, visit: str, task: str) -> str:
        """The number of a published result."""
        its = tables.publication.c.visit_id == visit, tables.publication.c.task_id == task
        with self.db.read() as conn:
            return str(conn.scalar(sa.select(tables.publication.c.no).where(*its)))
