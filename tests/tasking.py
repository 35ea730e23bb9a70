"""A bureau that sets tasks up, has them drawn, and dispatches them: the acts one by one, over story A's library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from server.domain.task import Task
from server.office import dispatch, tasks
from server.office.field import Field
from server.store import tasks as store
from server.store.people import Person
from server.sync.field import SyncField
from tests.dispatching import keys_of
from tests.drawing import Ceremony
from tests.planning import CLERK, HEAD, PRINCIPAL, STORAGE

CHANCE = bytes(range(32))
CONFIRMED = {"confirm": "yes"}


def entered(**more: object) -> dict[str, str]:
    """What a clerk enters for a task: valid by default, eleven of 212."""
    values: dict[str, object] = {
        "item": STORAGE,
        "name": "危险化学品储存抽查",
        "window_from": "2026-12-01",
        "window_to": "2026-12-31",
        "draw": "undirected",
        "mode": "total",
        "n": 11,
        "method.site": "yes",
        "disclosure": "sealed",
        "crew_size": 2,
    }
    return {name: str(value) for name, value in (values | more).items() if value is not None}


class Tasking(Ceremony):
    """The acts of tasks on one database, each in a transaction of its own, a minute after the one before."""

    def __init__(self, db: Any, folder: Path, **more: Any) -> None:
        super().__init__(db, **more)
        self.field: Field = SyncField(keys_of(db, folder))

    def act(self, call: Callable[..., Any], who: Person, *args: Any) -> Any:
        now = self.tick()
        return self.db.run_write(lambda conn: call(conn, who, now, *args))

    def add(self, who: Person = CLERK, **more: Any) -> str:
        id: str = self.act(tasks.add_task, who, entered(**more))
        return id

    def change(self, id: str, who: Person = CLERK, **more: Any) -> None:
        self.act(tasks.change_task, who, id, entered(**more))

    def approve(
        self, id: str, who: Person = HEAD, number: str = "宛卧应急检〔2026〕7 号", on: str = "2026-11-23"
    ) -> None:
        self.act(tasks.approve_task, who, id, {"approval_number": number, "approval_on": on})

    def cancel(self, id: str, who: Person = CLERK, reason: str = "合并到下个月") -> None:
        self.act(tasks.cancel_task, who, id, reason)

    def decide(self, id: str, who: Person = PRINCIPAL, answer: str = "approved", reason: str = "") -> None:  # type: ignore[override]
        self.act(tasks.decide_override, who, id, answer, reason)

    def dispatch(self, id: str, who: Person = CLERK, **more: str) -> str:
        no: str = self.act(dispatch.dispatch_task, who, id, CONFIRMED | more, self.field, CHANCE)
        return no

    def ask(self, id: str, subject: str, who: Person = CLERK, reason: str = "已搬出本区") -> str:
        request: str = self.act(dispatch.ask_withdrawal, who, id, subject, reason)
        return request

    def withdraw(self, request: str, who: Person = HEAD, answer: str = "approved", reason: str = "") -> None:
        self.act(dispatch.withdraw, who, request, answer, reason, self.field)

    def of(self, id: str) -> Task:
        with self.db.read() as conn:
            found = store.task_of(conn, id)
        assert found is not None
        return found

    def approved(self, **more: Any) -> str:
        id = self.add(**more)
        self.approve(id)
        return id

    def dispatched(self, **more: Any) -> str:
        """The whole way to the visits."""
        id = self.approved(**more)
        self.drawn(id)
        self.dispatch(id)
        return id
