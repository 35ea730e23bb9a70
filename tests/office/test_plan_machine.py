"""Whatever people try in whatever order: the plan stands where a small model says; what was public never changes."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from server.errors import Problem
from server.store import plans
from server.store.session import open_database
from tests import databases
from tests.planning import CLERK, CLERK2, FIRE, HEAD, HEAD2, JOINT, MAIN, OTHER, STORAGE, YEAR, Office, bureau, line

OPEN = ("draft", "amended")
MONTHS = range(1, 11)


class PlanMachine(RuleBasedStateMachine):
    """The model: state, version, how far each unit is, which lines are signed, which filings are there."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="suijian-plan-"))
        (self.folder / "suijian.db").write_bytes(databases.migrated_file())
        self.db = open_database(f"sqlite:///{self.folder / 'suijian.db'}")
        bureau(self.db)
        self.office = Office(self.db)
        self.state, self.version = "none", 0
        self.parts: dict[str, str] = {}
        self.lines: dict[str, bool] = {}
        self.filed: set[str] = set()
        self.changed = False
        self.public: dict[int, bytes] = {}

    def teardown(self) -> None:
        """Every example has a database of its own."""
        self.db.close()
        shutil.rmtree(self.folder)

    @initialize()
    def begin(self) -> None:
        """A plan with both items entered and signed: what is missing later is only what people do."""
        self.office.open()
        for one in (line(STORAGE), line(FIRE, **JOINT)):
            id = self.office.add(one)
            self.office.sign(id)
            self.lines[id] = True
        self.state, self.version = "draft", 1
        self.parts = {MAIN: "open", OTHER: "open"}

    def attempt(self, allowed: bool, act: object) -> bool:
        """The act is taken exactly where the model allows it."""
        try:
            act()  # type: ignore[operator]
        except Problem:
            assert not allowed
            return False
        assert allowed
        return True

    def may_change(self) -> bool:
        return self.state == "amended" or (self.state == "draft" and self.parts[MAIN] == "open")

    def _is_changed(self) -> None:
        self.parts[MAIN] = "open"
        self.changed = True

    @rule(month=st.sampled_from(MONTHS))
    @precondition(lambda self: len(self.lines) < 5)
    def add(self, month: int) -> None:
        entered = line(FIRE, window_from=f"2026-{month:02}-02", count=1)
        with self.db.read() as conn:
            known = {one.line.window_from for one in plans.lines_of(conn, YEAR, self.version)}
        allowed = self.may_change() and entered["window_from"] not in known
        ids: list[str] = []
        if self.attempt(allowed, lambda: ids.append(self.office.add(entered))):
            self.lines[ids[0]] = False
            self._is_changed()

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        extra = [id for at, id in enumerate(self.lines) if at > 1]
        if extra:
            id = data.draw(st.sampled_from(extra))
            if self.attempt(self.may_change(), lambda: self.office.remove(id)):
                del self.lines[id]
                self._is_changed()

    @rule(data=st.data())
    def sign(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(list(self.lines)))
        allowed = self.state in OPEN and self.parts[MAIN] == "open" and not self.lines[id]
        if self.attempt(allowed, lambda: self.office.sign(id, HEAD)):
            self.lines[id] = True

    @rule()
    def submit(self) -> None:
        allowed = self.state in OPEN and self.parts[MAIN] == "open" and all(self.lines.values())
        if self.attempt(allowed, lambda: self.office.submit(CLERK)):
            self._ready(MAIN, "submitted")

    @rule()
    def plan_nothing(self) -> None:
        if self.attempt(self.state in OPEN, lambda: self.office.none(HEAD2, OTHER)):
            self._ready(OTHER, "none")

    def _ready(self, unit: str, how: str) -> None:
        self.parts[unit] = how
        if self.state == "draft" and "open" not in self.parts.values():
            self.state = "submitted"

    @rule(unit=st.sampled_from([MAIN, OTHER]))
    def give_back(self, unit: str) -> None:
        states = ("draft", "submitted", "consolidated", "amended")
        allowed = self.state in states and self.parts[unit] != "open"
        if self.attempt(allowed, lambda: self.office.give_back(unit)):
            self.parts[unit] = "open"
            self.state = "draft" if self.version == 1 else "amended"

    @rule()
    def consolidate(self) -> None:
        is_ready = "open" not in self.parts.values() and all(self.lines.values())
        allowed = self.state in ("submitted", "amended") and is_ready and (self.version == 1 or self._differs())
        if self.attempt(allowed, self.office.consolidate):
            self.state = "consolidated"

    def _differs(self) -> bool:
        with self.db.read() as conn:
            old = {one.id for one in plans.lines_of(conn, YEAR, self.version - 1)}
        return old != set(self.lines)

    @rule()
    def refuse(self) -> None:
        if self.attempt(self.state == "consolidated", self.office.refuse):
            self.state = "submitted" if self.version == 1 else "amended"

    @rule()
    def approve(self) -> None:
        if self.attempt(self.state == "consolidated", self.office.approve):
            self.state = "approved"

    @rule(kind=st.sampled_from(["upper", "market"]))
    def file(self, kind: str) -> None:
        allowed = self.state == "approved" and kind not in self.filed
        if self.attempt(allowed, lambda: self.office.file(kind)):
            self.filed.add(kind)
            self.state = "filed" if len(self.filed) == 2 else "approved"

    @rule()
    def release(self) -> None:
        if self.attempt(self.state == "filed", self.office.release):
            self.state = "released"

    @rule()
    def amend(self) -> None:
        if self.attempt(self.state == "released", self.office.amend):
            self.state, self.version, self.filed = "amended", self.version + 1, set()

    @rule()
    def go_on(self) -> None:
        """What the next one in turn would do: so that the machine comes round to amendments of amendments."""
        if self.state in OPEN:
            for id in [id for id, signed in self.lines.items() if not signed and self.parts[MAIN] == "open"]:
                self.office.sign(id)
                self.lines[id] = True
            for unit, do in ((MAIN, self.submit), (OTHER, self.plan_nothing)):
                if self.parts[unit] == "open":
                    do()
        {"submitted": self.consolidate, "amended": self.consolidate, "consolidated": self.approve}.get(
            self.state, lambda: None
        )()
        for kind in ("upper", "market"):
            if self.state == "approved" and kind not in self.filed:
                self.file(kind)

    @rule()
    def strangers_do_nothing(self) -> None:
        self.attempt(False, lambda: self.office.submit(CLERK2, MAIN))
        self.attempt(False, lambda: self.office.approve(CLERK))
        self.attempt(False, lambda: self.office.release(HEAD))

    @invariant()
    def it_stands_where_the_model_says(self) -> None:
        if self.state == "none":
            return
        with self.db.read() as conn:
            found = plans.plan_of(conn, YEAR)
            assert found is not None
            assert (found.state, found.version) == (self.state, self.version)
            parts = {one.unit_id: one.state for one in plans.parts_of(conn, YEAR, self.version)}
            signed = {one.id: one.signed_by is not None for one in plans.lines_of(conn, YEAR, self.version)}
            bodies = {one.version: one.body for one in plans.versions_of(conn, YEAR) if one.body is not None}
        assert parts == self.parts
        assert signed == self.lines
        for version, body in self.public.items():
            assert bodies[version] == body
        self.public = {version: body for version, body in bodies.items() if body is not None}


def test_the_plan_stands_where_the_model_says(soak: bool) -> None:

    examples = 600 if soak else 25
    run_state_machine_as_test(
        PlanMachine, settings=settings(max_examples=examples, stateful_step_count=40, deadline=None)
    )
