"""I19: the server is put back to an older backup, and what it had acknowledged comes back from the phones."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from server.store import tables
from server.store.migrate import new_epoch
from tests.dispatching import database_of
from tests.phone import Phone, forget_sessions
from tests.running import Running
from tests.scene import NOW
from tests.sync.test_exchange import PATH, PNG, Group

FILES = ("suijian.db", "suijian.db-wal", "suijian.db-shm")


class Restorable(Group):
    """Three phones, and a server whose database is copied and put back."""

    def __init__(self, server: Running, safe: Path) -> None:
        super().__init__(server)
        self.safe = safe

    def back_up(self) -> None:
        """A copy of the database as it is now."""
        self.server.stop()
        self.safe.mkdir()
        self._copy(self.server.data, self.safe)
        self.server.start()

    def restore(self) -> str:
        """The copy in the database's place, in a new epoch; the server's new replica."""
        self.server.stop()
        for name in FILES:
            (self.server.data / name).unlink(missing_ok=True)
        self._copy(self.safe, self.server.data)
        db = database_of(self.server)
        replica = new_epoch(db)
        db.close()
        self.server.start()
        forget_sessions(self.server.url)
        return replica

    def _copy(self, source: Path, target: Path) -> None:
        for name in FILES:
            if (source / name).exists():
                shutil.copyfile(source / name, target / name)

    def stored(self) -> dict[str, bytes]:
        """All ops of the visit that are stored and not waiting, by id."""
        db = database_of(self.server)
        with db.read() as conn:
            query = sa.select(tables.op).where(tables.op.c.visit_id == self.visit, tables.op.c.verdict != "held")
            found = {f"{row.rid}:{row.seq}": bytes(row.body) for row in conn.execute(query)}
        db.close()
        return found

    def standing(self) -> Any:
        """What the view says of content, effect and people; numbers and waiting aside."""
        view = self.view()
        return {name: view[name] for name in view if name not in ("head", "missing", "held")}

    def come_back(self, phones: Sequence[Phone]) -> None:
        """Each phone exchanges once as ever, hears of the other epoch, and makes its two round trips."""
        for phone in phones:
            phone.sync()
            phone.return_all()


@pytest.fixture
def group(start_server: Callable[..., Running], tmp_path: Path) -> Restorable:
    return Restorable(start_server(), tmp_path / "backup")


def test_nothing_acknowledged_is_missing_after_two_round_trips_of_each_phone(group: Restorable) -> None:
    group.li.set(group.visit, PATH, "before the backup")
    group.settle()
    group.back_up()
    row = group.zhang.write(group.visit, "add", ["finding"], {"text": "甲"})
    group.settle()
    group.li.set(group.visit, ["finding", row, "text"], "乙", base=[row])
    note = group.wang.set(group.visit, ["visit", "result_note"], "not the leader's, but right")
    group.settle()
    assert group.act("clerk", "admit", ["op", note], {"reason": "true"}).status_code == 201
    assert group.act("clerk", "rule", ["op", f"{group.li.pen.rid}:1"], {"verdict": "late", "reason": "x"})
    assert group.act("clerk", "assign", ["crew", "zhao"], {"role": "member", "reason": "x"}).status_code == 201
    zhao = Phone(group.server.url, "zhao").start(group.visit)
    zhao.set(group.visit, ["answer", "p01", "note"], "丙")
    zhao.drain()
    group.settle()
    acked, before = group.stored(), group.standing()
    unsent = zhao.set(group.visit, PATH, "comes before the word that made him a member")
    assert group.restore() == "srv2"
    assert len(group.stored()) < len(acked)
    zhao.sign_in().enrol()
    group.come_back([zhao, *group.phones])
    assert group.stored().items() - acked.items() == {(unsent, zhao.own[f"{group.visit}/{unsent}"])}
    assert group.stored().items() >= acked.items()
    after = group.standing()
    assert after.pop("quarantined") == [{"op": unsent, "reason": "not_member"}]
    assert after == {name: before[name] for name in after}
    again = group.li.sync([{"visit": group.visit, "rid": rid, "ops": [msgspec.Raw(acked[id_])]} for id_, rid in (
        (f"{group.li.pen.rid}:1", group.li.pen.rid), (note, group.wang.pen.rid))])  # fmt: skip
    assert [it["verdicts"][0][1:] for it in again["results"]] == [["dup", "late"], ["dup", None]]
    group.settle()
    zhao.sync()
    zhao.drain()
    ids = [{(e["op"]["rid"], e["op"]["seq"]) for e in it.entries[group.visit].values()} for it in (*group.phones, zhao)]
    assert all(one == ids[0] for one in ids) and len(ids[0]) == len(acked) + 1


@pytest.mark.parametrize("first", ["its own", "the server's"])
def test_a_record_that_was_let_through_need_not_wait_again(group: Restorable, first: str) -> None:
    group.back_up()
    group.wang.pen.receive(group.visit, "e" * 32, 1)
    waiting = group.wang.set(group.visit, PATH, "waits for a phone that is lost")
    group.wang.sync()
    admitted = group.act("clerk", "admit", ["op", waiting], {"reason": "true"})
    assert admitted.json()["op"] == "srv:4"
    group.settle()
    acked = group.stored()
    group.restore()
    group.wang.sync()
    entries = [(waiting, group.wang.pen.rid), ("srv:4", "srv")]
    for id_, rid in entries if first == "its own" else reversed(entries):
        group.wang.sync([{"visit": group.visit, "rid": rid, "ops": [msgspec.Raw(acked[id_])]}])
    assert group.view()["held"] == [] and group.view()["content"]["visit"] == {
        "summary": "waits for a phone that is lost"
    }


def test_who_was_assigned_meanwhile_is_heard_when_that_word_comes_back(group: Restorable) -> None:
    group.back_up()
    group.act("clerk", "assign", ["crew", "zhao"], {"role": "member", "reason": "x"})
    group.settle()
    group.restore()
    zhao = Phone(group.server.url, "zhao").sign_in().enrol()
    too_early = zhao.set(group.visit, PATH, "x")
    zhao.sync()
    assert group.view()["quarantined"] == []
    group.come_back([group.li])
    assert group.view()["quarantined"] == [{"op": too_early, "reason": "not_member"}]


def test_a_phone_that_enrolled_meanwhile_brings_what_others_could_not_carry_for_it(group: Restorable) -> None:
    group.back_up()
    group.act("clerk", "assign", ["crew", "zhao"], {"role": "member", "reason": "x"})
    zhao = Phone(group.server.url, "zhao").start(group.visit)
    zhao.set(group.visit, PATH, "x")
    zhao.drain()
    group.act("clerk", "rule", ["op", f"{zhao.pen.rid}:1"], {"verdict": "late", "reason": "x"})
    group.settle()
    zhao.drain()
    acked, before = group.stored(), group.standing()
    group.restore()
    group.come_back(group.phones)
    zhao.sign_in().enrol()
    group.come_back([zhao])
    assert group.stored().keys() == acked.keys()
    assert group.standing() == before


def test_the_server_goes_on_as_its_next_replica(group: Restorable) -> None:
    group.back_up()
    removed = group.act("head", "assign", ["crew", "wang"], {"role": "removed", "reason": "health"}).json()["op"]
    assert removed == "srv:4"
    group.settle()
    group.restore()
    meanwhile = group.act("head", "assign", ["crew", "zhang"], {"role": "removed", "reason": "health"})
    assert meanwhile.json()["op"] == "srv2:1"
    group.come_back([group.li])
    assert group.act("clerk", "assign", ["crew", "zhao"], {"role": "member", "reason": "x"}).json()["op"] == "srv2:2"
    assert group.view()["members"] == ["li", "zhao"]
    group.settle()
    assert group.li.entries[group.visit][5]["op"]["rid"] == "srv"


def test_a_later_epochs_word_on_an_officer_wins(group: Restorable) -> None:
    group.back_up()
    group.act("head", "assign", ["crew", "wang"], {"role": "removed", "reason": "health"})
    group.settle()
    group.restore()
    group.act("head", "assign", ["crew", "zhang"], {"role": "leader", "reason": "health"})
    group.come_back([group.li])
    assert (group.view()["leader"], group.view()["members"]) == ("zhang", ["li", "zhang"])


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_final_comes_back_as_it_was_whoever_comes_first(group: Restorable, order: tuple[int, int, int]) -> None:
    group.record()
    group.li.upload(group.visit, PNG)
    group.back_up()
    group.sign()
    group.propose()
    group.settle()
    late = group.wang.set(group.visit, PATH, "too late, and it doesn't know")
    group.wang.sync()
    group.settle()
    acked, before = group.stored(), group.standing()
    assert before["late"] == [late] and before["phase"] == "final"
    group.restore()
    group.come_back([group.phones[number] for number in order])
    assert group.standing() == before
    assert group.stored().items() >= acked.items()
    assert len([id_ for id_ in group.stored() if id_.startswith("srv2:")]) == 0


def test_a_late_record_that_comes_back_before_its_final_stays_late(group: Restorable) -> None:
    """Its phone never heard of the final: what the final's own op had not received came after it."""
    group.record()
    group.li.upload(group.visit, PNG)
    group.back_up()
    group.sign()
    group.propose()
    late = group.wang.set(group.visit, PATH, "too late")
    group.li.drain()
    group.wang.post(group.wang.request())  # its answer is lost
    before = group.standing()
    assert (before["late"], before["phase"]) == ([late], "final")
    group.restore()
    group.wang.sync()
    group.come_back([group.wang, group.li])
    assert group.standing() == before


def test_of_two_finals_of_a_round_the_one_that_stands_stays(group: Restorable) -> None:
    """The leader's phone never heard of the final, so the server accepts it anew before the old one comes back."""
    group.record()
    group.sign()
    group.back_up()
    proposal = group.propose()
    group.li.post(group.li.request())  # its answer is lost
    group.zhang.drain()
    assert group.view()["phase"] == "final"
    group.restore()
    group.li.sync()
    assert group.view()["phase"] == "final" and group.li.verdict(group.visit, proposal) == ("ok", None)
    group.come_back([group.zhang])
    view = group.view()
    assert (view["phase"], view["late"]) == ("final", ["srv:4"])


def test_nobody_brings_an_op_in_the_servers_name_that_it_never_signed(group: Restorable) -> None:
    group.back_up()
    forged = group.li.pen.write(group.visit, "void", ["visit"], {"reason": "x", "by": "head"}, tpl="0" * 64,
                                at=NOW, rid="srv", seq=4)  # fmt: skip
    group.restore()
    group.li.sync()
    answer = group.li.sync([{"visit": group.visit, "rid": "srv", "ops": [msgspec.Raw(forged)]}])
    assert [verdict for _, verdict, _ in answer["results"][0]["verdicts"]] == ["dead"]
    assert group.view()["phase"] == "dispatched"


def test_a_name_that_the_replaced_database_used_is_never_used_again(group: Restorable) -> None:
    db = database_of(group.server)
    assert [new_epoch(db), new_epoch(db), new_epoch(db, replaced="srv7")] == ["srv2", "srv3", "srv8"]
    db.close()
