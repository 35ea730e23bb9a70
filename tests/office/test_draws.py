"""The draw in the office: who may do what, which list is frozen, and that nobody is drawn once too often."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial

import pytest
import sqlalchemy as sa

from server.domain.draw_check import check
from server.domain.faults import Invalid
from server.errors import Problem
from server.office import draw_page, frames
from server.office import draws as acts
from server.standalone import verify_draw
from server.store import draws, selections, tables, tasks
from server.store.seal import Unreadable
from server.store.selections import Selection
from server.store.session import Database, open_database
from tests.drawing import BALLS, DICE, LOTTERY, SEALER, SECRET, Ceremony, code_of, directed
from tests.planning import BOTH, CLERK, CLERK2, HEAD2, KEY_LIST, LEGAL, MAIN, OTHER, PRINCIPAL, draw, subject_id


@pytest.fixture
def hall(any_database: Database) -> Ceremony:
    """A bureau with one approved task."""
    made = Ceremony(any_database)
    made.task()
    return made


def refused(act: Callable[[], object]) -> tuple[str, str | None]:
    """Code and article of the problem that an act raises."""
    with pytest.raises(Problem) as caught:
        act()
    return caught.value.code, caught.value.article


def entries(db: Database, act: str) -> list[dict[str, object]]:
    """What the trail says of an act."""
    with db.read() as conn:
        found = conn.execute(sa.select(tables.trail.c.detail).where(tables.trail.c.act == act).order_by("n"))
        return [json.loads(bytes(row.detail)) for row in found]


def set_status(db: Database, place: int, status: str) -> None:
    with db.write() as conn:
        conn.execute(sa.update(tables.subject).where(tables.subject.c.id == subject_id(place)).values(status=status))


# --- R15b.1, R15b.2 ---------------------------------------------------------------------------------------------------


@pytest.mark.rule("R15b.1", "allows")
@pytest.mark.rule("R15b.2", "allows")
@pytest.mark.rule("R16.1", "allows")
def test_subjects_are_drawn_for_a_saved_task_and_anybody_can_compute_them_again(hall: Ceremony) -> None:
    draw_id = hall.drawn()
    one, body = hall.draw(draw_id), hall.body(draw_id)
    assert (one.no, one.attempt, one.state, one.drawn) == ("2026-1", 1, "drawn", 11)
    assert check(body) == []
    assert verify_draw.check(body, "file").exit_code == 0
    assert len(hall.rows(draw_id)) == 212  # the whole library, live or not
    assert hall.lock().no == "2026-1"
    assert hall.draw(draw_id).state == "dispatched"


@pytest.mark.rule("R15b.1", "refuses")
def test_nothing_is_drawn_for_a_task_that_is_not_saved_or_not_approved(hall: Ceremony) -> None:
    assert refused(lambda: hall.commit("nothing"))[0] == "not_found"
    hall.task("t2", state="draft", approved_by=None, approved_at=None, approval_number=None, approval_on=None)
    code, article = refused(lambda: hall.commit("t2"))
    assert (code, article) == ("task_not_approved", "15-2")


@pytest.mark.rule("R15b.3", "allows")
def test_in_an_incident_a_draw_may_begin_before_the_approval(hall: Ceremony) -> None:
    later = {"state": "draft", "approval_number": None, "approval_on": None, "approved_by": None, "approved_at": None}
    hall.task("t2", **later, incident="11·24 泄漏事故，同类企业先查")
    hall.task("t3", **later)
    hall.task("t4", state="cancelled", incident="11·24 泄漏事故，同类企业先查")
    with hall.db.read() as conn:
        found = {id: draw_page.hindrance(conn, one) for id in ("t2", "t3", "t4") if (one := tasks.task_of(conn, id))}
        begins = {one.id for one in draw_page.ready(conn, MAIN)}
    assert found == {"t2": None, "t3": "not_approved", "t4": "not_approved"}
    assert begins & {"t1", "t2", "t3", "t4"} == {"t1", "t2"}
    hall.commit("t2")


@pytest.mark.rule("R15b.2", "refuses")
def test_nothing_is_drawn_before_the_numbers_from_outside_are_there_nor_twice(hall: Ceremony) -> None:
    draw_id = hall.commit()
    code, article = refused(lambda: hall.run(draw_id))
    assert (code, article) == ("draw_waits", "15-2")
    hall.contribute(draw_id, LOTTERY, BALLS)
    hall.contribute(draw_id, DICE, "4 1 6 2")
    hall.run(draw_id)
    assert refused(lambda: hall.run(draw_id)) == ("draw_drawn", "15-2")
    assert refused(lambda: hall.commit()) == ("draw_stands", "15-2")
    assert refused(lambda: hall.contribute(draw_id, LOTTERY, BALLS)) == ("draw_drawn", "15-2")


def test_the_secret_is_sealed_until_the_draw_and_shown_by_it(hall: Ceremony) -> None:
    draw_id = hall.commit()
    with hall.db.read() as conn:
        kept = bytes(conn.execute(sa.select(tables.draw.c.sealed_secret)).scalar_one())
        assert SECRET not in kept and SECRET.hex().encode() not in kept
        assert draws.open_secret(conn, SEALER, draw_id) == SECRET.hex()
        with pytest.raises(Unreadable):
            SEALER.open("draw", "sealed_secret", "another", kept)
    assert hall.draw(draw_id).secret is None
    assert SECRET.hex() not in str(entries(hall.db, "draw.commit"))


def test_the_commitment_is_public_at_once_and_chained(hall: Ceremony) -> None:
    hall.task("t2")
    first, second = hall.commit(), hall.commit("t2")
    with hall.db.read() as conn:
        links = draws.chain(conn)
    assert [link.commit for link in links] == [hall.draw(first).commit, hall.draw(second).commit]
    assert [link.prev for link in links] == ["0" * 64, links[0].commit]
    assert [link.no for link in links] == ["2026-1", "2026-2"]


def test_a_void_leaves_its_attempt_in_the_chain_and_the_next_one_counts_on(hall: Ceremony) -> None:
    first = hall.drawn()
    hall.void(first)
    second = hall.drawn()
    assert (hall.draw(second).no, hall.draw(second).attempt) == ("2026-1", 2)
    assert check(hall.body(first), hall.body(second)) == []
    assert {finding.part for finding in check(hall.body(second), hall.body(second))} == set()
    assert entries(hall.db, "draw.void")[0]["reason"] == "见证人未到场"


def test_who_committed_cannot_void_and_the_other_unit_neither(hall: Ceremony) -> None:
    draw_id = hall.commit()
    assert refused(lambda: hall.void(draw_id, CLERK)) == ("forbidden", None)
    assert refused(lambda: hall.void(draw_id, HEAD2)) == ("not_found", None)
    assert refused(lambda: hall.run(draw_id, CLERK2)) == ("not_found", None)
    assert refused(lambda: hall.commit("t1", CLERK2)) == ("not_found", None)
    hall.void(draw_id, PRINCIPAL)


def test_every_version_of_the_file_is_kept_and_named_in_the_trail(hall: Ceremony) -> None:
    draw_id = hall.drawn()
    gone = hall.draw(draw_id).effective[0]
    hall.dead(gone)
    hall.excuse(draw_id, gone)
    hall.void(draw_id)
    with hall.db.read() as conn:
        files = draws.files_of(conn, draw_id)
        bodies = [draws.body_of(conn, draw_id, file.version) for file in files]
    assert [(file.version, file.why) for file in files] == [(1, "drawn"), (2, "excused"), (3, "void")]
    assert [body is not None and check(body) for body in bodies] == [[], [], []]
    said = [entries(hall.db, f"draw.{act}")[0]["sha256"] for act in ("run", "excuse", "void")]
    assert said == [file.sha256 for file in files]


EDITS = [
    "UPDATE draw SET frame_digest = ''",
    "UPDATE draw SET rules = ''",
    "UPDATE draw SET winners = '{}'",
    "UPDATE draw SET committed_at = ''",
    "UPDATE draw SET seed = NULL",
    "DELETE FROM draw",
    "UPDATE draw_frame SET frame = ''",
    "DELETE FROM draw_frame",
    "UPDATE draw_contribution SET v = '1'",
    "DELETE FROM draw_contribution",
    "UPDATE draw_file SET sha256 = ''",
    "DELETE FROM draw_file",
]


def test_the_database_itself_keeps_what_was_committed_contributed_and_drawn(hall: Ceremony) -> None:
    hall.drawn()
    for statement in EDITS:
        code, article = refused(lambda text=statement: hall.db.run_write(lambda conn: conn.exec_driver_sql(text)))  # type: ignore[misc]
        assert (code, article) == ("append_only", "10"), statement


# --- R16.1, R16.2 -----------------------------------------------------------------------------------------------------


@pytest.mark.rule("R16.1", "refuses")
def test_a_directed_draw_takes_only_who_meets_the_condition(hall: Ceremony) -> None:
    hall.task("t2", **directed(risks=("medium",)), n=11)
    draw_id = hall.drawn("t2")
    rows = hall.rows(draw_id)
    assert Counter(row[3] for row in rows) == {"OUT_OF_FILTER": 150, "-": 61, "DRAWN_TWICE": 1}
    assert {row[1] for row in rows if row[2] == "E"} == {"MEDIUM_B"}
    assert '"filters":["risks=medium"]' in hall.draw(draw_id).rules
    hall.task("t3", **directed(risks=("high",)), n=11)
    code, article = refused(lambda: hall.commit("t3"))
    assert (code, article) == ("draw_nobody", "16")


@pytest.mark.rule("R16.2", "allows")
def test_each_exclusion_stands_in_the_frozen_list_with_its_reason(hall: Ceremony) -> None:
    set_status(hall.db, 20, "cancelled")
    set_status(hall.db, 21, "suspended")
    hall.exclude(code_of(22))
    hall.exclude(code_of(23), "NO_AUTHORITY")
    hall.exclude(code_of(24), decide=False)
    draw_id = hall.commit()
    parts = {row[0]: row[3] for row in hall.rows(draw_id)}
    assert [parts[code_of(place)] for place in (3, 7, 20, 21, 22, 23, 24, 150)] == [
        "DRAWN_TWICE",
        "-",  # at the cap, but on the key list
        "DEREGISTERED",
        "SUSPENDED",
        "UNDER_OTHER_CASE",
        "NO_AUTHORITY",
        "-",  # asked for, not approved
        "DRAWN_TWICE",
    ]
    with hall.db.read() as conn:
        assert draws.frozen_of(conn, draw_id).documents[code_of(22)] == "立案审批表〔2026〕9 号"
    set_status(hall.db, 30, "cancelled")  # after the freeze
    assert {row[0]: row[2] for row in hall.rows(draw_id)}[code_of(30)] == "E"


@pytest.mark.rule("R16.2", "refuses")
def test_a_list_with_a_code_that_is_none_is_not_frozen(hall: Ceremony) -> None:
    with hall.db.write() as conn:
        conn.execute(sa.update(tables.subject).where(tables.subject.c.id == "s000").values(registration="12"))
    code, article = refused(lambda: hall.commit())
    assert (code, article) == ("draw_frame_wrong", "16")


def test_the_head_decides_on_an_exclusion_and_nobody_on_his_own(hall: Ceremony) -> None:
    asked = hall.exclude(code_of(5), decide=False)
    assert refused(lambda: hall.decide(asked, HEAD2)) == ("not_found", None)
    assert refused(lambda: hall.decide(asked, CLERK)) == ("forbidden", None)
    assert refused(lambda: hall.decide(asked, approved=False)) == ("reason_missing", None)
    hall.decide(asked, approved=False, answer="已结案")
    assert refused(lambda: hall.decide(asked)) == ("exclusion_decided", "16")
    assert {row[0]: row[2] for row in hall.rows(hall.commit())}[code_of(5)] == "E"


@pytest.mark.rule("R16.2", "refuses")
def test_a_drawn_subject_is_excused_only_when_the_library_has_it_as_gone_by_a_document(hall: Ceremony) -> None:
    draw_id = hall.drawn()
    one = hall.draw(draw_id)
    gone = one.winners["LOW_B"][0]
    assert refused(lambda: hall.excuse(draw_id, gone)) == ("draw_alive", "16")
    assert refused(lambda: hall.excuse(draw_id, code_of(999))) == ("draw_not_on_list", "16")
    set_status(hall.db, int(gone) - 411303000000000, "suspended")
    assert refused(lambda: hall.excuse(draw_id, gone)) == ("draw_no_document", "16")
    hall.dead(gone, "suspended")
    hall.excuse(draw_id, gone)
    codes = [chosen.code for chosen in hall.lock().subjects]
    assert gone not in codes and one.reserve["LOW_B"][0] in codes and len(codes) == 11


@pytest.mark.rule("R16.2", "allows")
def test_the_clerk_asks_and_the_head_confirms_and_all_of_it_stands_in_the_file_and_the_trail(hall: Ceremony) -> None:
    draw_id = hall.drawn()
    gone, reserve = hall.draw(draw_id).winners["LOW_B"][0], hall.draw(draw_id).reserve["LOW_B"]
    hall.dead(gone)
    asked = hall.ask_excuse(draw_id, gone)
    assert hall.draw(draw_id).excused == ()  # asking changes nothing
    assert refused(lambda: hall.ask_excuse(draw_id, gone)) == ("draw_excuse_asked", "16")
    hall.confirm(asked)
    (excused,) = hall.file(draw_id)["excused"]
    assert (excused["code"], excused["next"]) == (gone, reserve[0])
    for part in ("已注销", "宛市监注〔2026〕9 号", "2026-11-20", "登记机关已注销"):
        assert part in excused["reason"]
    assert (entries(hall.db, "excuse.ask")[0]["code"], entries(hall.db, "draw.excuse")[0]["code"]) == (gone, gone)
    assert entries(hall.db, "draw.excuse")[0]["document"] == "宛市监注〔2026〕9 号，2026-11-20"
    assert check(hall.body(draw_id)) == []
    assert refused(lambda: hall.confirm(asked)) == ("draw_excuse_decided", "16")


@pytest.mark.rule("R16.2", "refuses")
def test_nobody_excuses_alone_nor_for_another_unit_and_a_refusal_leaves_the_list(hall: Ceremony) -> None:
    draw_id = hall.drawn()
    gone = hall.draw(draw_id).winners["LOW_B"][0]
    hall.dead(gone)
    mine = hall.ask_excuse(draw_id, gone, who=BOTH)
    assert refused(lambda: hall.confirm(mine, BOTH)) == ("own_entry", "10")
    assert refused(lambda: hall.confirm(mine, CLERK)) == ("forbidden", None)
    assert refused(lambda: hall.confirm(mine, HEAD2)) == ("not_found", None)
    assert refused(lambda: hall.confirm(mine, approved=False)) == ("invalid", "16")
    hall.confirm(mine, approved=False, answer="经核实仍在营业")
    assert hall.draw(draw_id).excused == ()
    again = hall.ask_excuse(draw_id, gone)
    set_status(hall.db, int(gone) - 411303000000000, "active")
    assert refused(lambda: hall.confirm(again)) == ("draw_alive", "16")  # looked at again
    with pytest.raises(sa.exc.IntegrityError, match="append-only"), hall.db.write() as conn:
        conn.execute(sa.update(tables.excuse).where(tables.excuse.c.id == mine).values(answer="x"))


@pytest.mark.rule("R16.2", "allows")
def test_who_is_dead_before_the_freeze_stands_on_the_list_with_the_document(hall: Ceremony) -> None:
    hall.dead(code_of(11))
    hall.dead(code_of(12), "suspended")
    draw_id = hall.commit()
    reasons = {row[0]: row[3] for row in hall.rows(draw_id)}
    assert (reasons[code_of(11)], reasons[code_of(12)]) == ("DEREGISTERED", "SUSPENDED")
    with hall.db.read() as conn:
        documents = draws.frozen_of(conn, draw_id).documents
    assert documents[code_of(11)] == documents[code_of(12)] == "宛市监注〔2026〕9 号，2026-11-20"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("已停业，找 14000000001", "number_in_text"),
        ("已停业\u202e业停已", "bidi_character"),
        ("已停业\x07", "control_character"),
        ("长" * 501, "too_long"),
    ],
)
def test_what_is_said_in_public_holds_no_number_and_no_character_that_deceives(
    hall: Ceremony, text: str, fault: str
) -> None:
    draw_id = hall.drawn()
    gone = hall.draw(draw_id).winners["LOW_B"][0]
    hall.dead(gone, "suspended")
    asked = hall.exclude(code_of(5), decide=False)
    told: list[tuple[str, Callable[[], object]]] = [
        ("reason", partial(hall.excuse, draw_id, gone, text)),
        ("reason", partial(hall.void, draw_id, reason=text)),
        ("answer", partial(hall.decide, asked, approved=False, answer=text)),
        ("answer", partial(hall.decide, asked, answer=text)),
    ]
    if fault != "too_long":  # a request inside the office may be longer
        told += [
            ("reason", partial(hall.exclude, code_of(6), reason=text)),
            ("document", partial(hall.exclude, code_of(6), document=text)),
        ]
    for field, act in told:
        with pytest.raises(Invalid) as caught:
            act()
        assert [(one.field, one.code) for one in caught.value.faults] == [(field, fault)]
    assert hall.draw(draw_id).state == "drawn"


def test_the_preview_is_the_list_that_the_commitment_freezes(hall: Ceremony) -> None:
    with hall.db.read() as conn:
        seen = frames.preview(conn, "t1", hall.now)
    draw_id = hall.commit()
    with hall.db.read() as conn:
        assert draws.frozen_of(conn, draw_id).frame == seen.text
        again = frames.preview(conn, "t1", hall.now)
    assert (seen.base, seen.candidates, seen.left_out) == (212, 210, {"DRAWN_TWICE": 2})
    assert again == seen  # its own reservation doesn't stand in its way


def test_below_five_of_a_hundred_the_rules_name_the_ground_or_nothing_is_frozen(hall: Ceremony) -> None:
    hall.task("t2", n=10)
    assert refused(lambda: hall.commit("t2")) == ("draw_below_floor", "6")
    hall.task("t3", n=10, campaign="南应急〔2026〕18 号")
    assert '"floor":{"document":"南应急〔2026〕18 号","why":"campaign"}' in hall.draw(hall.commit("t3")).rules


def test_a_class_of_which_nobody_shall_be_drawn_stays_without_a_place(hall: Ceremony) -> None:
    hall.task("t2", mode="ratio", n=13, shares={"LOW_B": 0, "MEDIUM_B": 2000})
    draw_id = hall.drawn("t2")
    assert hall.draw(draw_id).quotas == {"LOW_B": 0, "MEDIUM_B": 13}  # 62 of medium risk, 20 %, rounded up
    assert verify_draw.check(hall.body(draw_id)).exit_code == 0


# --- R15a.2, R15a.3 ---------------------------------------------------------------------------------------------------


@pytest.mark.rule("R15a.3", "allows")
def test_who_is_at_the_cap_stays_in_by_a_flag_and_the_trail_names_the_ground(hall: Ceremony) -> None:
    draw_id = hall.commit()
    assert hall.draw(draw_id).exempt == 1
    with hall.db.read() as conn:
        kept = draws.frozen_of(conn, draw_id).kept
    assert kept == {code_of(7): ("key_list", KEY_LIST["document"])}
    [said] = entries(hall.db, "draw.commit")
    assert said["exempt"] == [{"code": code_of(7), "ground": "key_list", "document": KEY_LIST["document"]}]


def test_a_campaign_is_not_bound_by_the_cap_and_the_trail_names_it_for_each(hall: Ceremony) -> None:
    hall.task("t2", campaign="南应急〔2026〕18 号")
    draw_id = hall.commit("t2")
    with hall.db.read() as conn:
        kept = draws.frozen_of(conn, draw_id).kept
    assert {code: ground for code, (ground, _) in kept.items()} == {
        code_of(3): "campaign",
        code_of(7): "key_list",
        code_of(150): "campaign",
    }


@pytest.mark.rule("R15a.2", "allows")
def test_an_open_draw_is_a_reservation_until_it_is_void_or_locked(hall: Ceremony) -> None:
    with hall.db.write() as conn:
        draw(conn, *range(40))
    hall.task("t2")
    first = hall.commit()
    twice = {row[0] for row in hall.rows(hall.commit("t2")) if row[3] == "DRAWN_TWICE"}
    assert twice == {code_of(place) for place in (*range(40), 150)} - {code_of(7)}
    hall.void(first)
    hall.task("t3")
    with hall.db.read() as conn:
        seen = frames.preview(conn, "t3", hall.now)
    assert {line.code for line in seen.lines if line.part == "X"} == {code_of(3), code_of(150)}


@pytest.mark.rule("R15a.2", "refuses")
def test_the_lock_itself_refuses_a_third_draw(hall: Ceremony) -> None:
    draw_id = hall.drawn()
    place = int(hall.draw(draw_id).effective[0]) - 411303000000000
    with hall.db.write() as conn:
        draw(conn, place)  # a lead's lists, meanwhile
        draw(conn, place)
    code, article = refused(lambda: hall.lock())
    assert (code, article) == ("draw_twice", "15-1")
    assert hall.draw(draw_id).state == "drawn"


def test_a_frozen_class_is_that_of_the_flags_in_force(any_database: Database) -> None:
    hall = Ceremony(any_database, flags=(1, 2))
    hall.task()
    parts = {row[0]: row[1] for row in hall.rows(hall.commit())}
    assert [parts[code_of(place)] for place in (0, 1, 2, 160)] == [
        "LOW_B",
        "LOW_B_FLAGGED",
        "LOW_B_FLAGGED",
        "MEDIUM_B",
    ]


# --- two at once ------------------------------------------------------------------------------------------------------


def at_once(*acts: Callable[[], object]) -> Counter[str]:
    """Lets acts begin at one moment: how each ended."""
    barrier, ended = threading.Barrier(len(acts)), Counter[str]()

    def go(act: Callable[[], object]) -> None:
        barrier.wait()
        try:
            act()
            ended["done"] += 1
        except Problem as problem:
            ended[problem.code] += 1

    threads = [threading.Thread(target=go, args=(act,)) for act in acts]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return ended


def test_two_clerks_at_once_leave_one_commitment_one_value_and_one_outcome(hall: Ceremony) -> None:
    assert at_once(hall.commit, lambda: hall.commit(secret=bytes(32))) == {"done": 1, "draw_stands": 1}
    with hall.db.read() as conn:
        [one] = draws.draws_of_task(conn, "t1")
        assert len(draws.chain(conn)) == 1
    for k, *values in ((LOTTERY, BALLS, BALLS.replace("01", "02")), (DICE, "4 1 6 2", "1 1 1 1")):
        ended = at_once(*(partial(hall.contribute, one.id, k, value) for value in values))
        assert ended["done"] == 1 and ended.total() == 2
    ended = at_once(lambda: hall.run(one.id), lambda: hall.run(one.id))
    assert ended == {"done": 1, "draw_drawn": 1}
    assert len(entries(hall.db, "draw.run")) == 1
    with hall.db.read() as conn:
        assert len(draws.files_of(conn, one.id)) == 1


def test_on_postgresql_no_list_is_frozen_while_another_one_is_being_locked(postgres_url: str) -> None:
    """Reservations become selections at the lock: who froze in between would count neither."""
    db = open_database(postgres_url)
    hall = Ceremony(db)
    hall.task()
    hall.task("t2")
    hall.drawn()
    with db.write() as locking:
        assert lock_and_select(hall, locking, "t1") == 11
        with pytest.raises(sa.exc.OperationalError, match="lock timeout"), db.write() as freezing:
            freezing.exec_driver_sql("SET LOCAL lock_timeout = '20ms'")
            draws.hold_chain(freezing)  # what a commitment begins with, before it reads who was drawn
    hall.commit("t2")
    db.close()


def test_parallel_tasks_never_give_anybody_a_third_draw(any_database: Database) -> None:
    """Four tasks of everybody at once, over and over, in whatever order the acts fall: nobody passes the cap."""
    hall, rounds = Ceremony(any_database), 2
    for number in range(rounds):
        ids = [hall.task(f"p{number}-{place}", n=60) for place in range(4)]

        def whole(id: str) -> None:
            with suppress(Problem):  # the list may be empty of candidates by now
                hall.drawn(id)
                found = hall.db.run_write(lambda conn: lock_and_select(hall, conn, id))
                assert found

        at_once(*(partial(whole, id) for id in ids))
    with any_database.read() as conn:
        first, last = datetime(2026, 1, 1, tzinfo=UTC).date(), datetime(2026, 12, 31, tzinfo=UTC).date()
        times = selections.times_drawn(conn, first, last)
        chain = draws.chain(conn)
    print(f"{len(chain)} draws, {sum(times.values())} places")
    assert len(chain) >= 4 and sum(times.values()) > 100
    assert max(n for id, n in times.items() if id != subject_id(7)) <= 2
    assert [link.prev for link in chain[1:]] == [link.commit for link in chain[:-1]]


def lock_and_select(hall: Ceremony, conn: sa.Connection, id: str) -> int:
    """What dispatch does with a list: locks it, and counts everybody on it."""
    task = tasks.task_of(conn, id, lock=True)
    assert task is not None
    locked = acts.lock_for(conn, CLERK, hall.tick(), task)
    rows = [Selection(id, one.subject_id, MAIN, "2026-11-24", "counted", one.ground) for one in locked.subjects]
    selections.add_selections(conn, rows)
    return len(rows)


def test_a_unified_draw_freezes_the_libraries_of_all_units(hall: Ceremony) -> None:
    with hall.db.write() as conn:
        conn.execute(sa.insert(tables.unit_subject).values(unit_id=OTHER, subject_id=subject_id(0)))
        conn.execute(sa.delete(tables.unit_subject).where(tables.unit_subject.c.unit_id == MAIN))
    hall.task("t2", unified=True, n=1)
    assert [row[0] for row in hall.rows(hall.commit("t2", LEGAL))] == [code_of(0)]


def test_the_trail_has_one_entry_an_act(hall: Ceremony) -> None:
    hall.drawn()
    hall.lock()
    with hall.db.read() as conn:
        acts = Counter(conn.scalars(sa.select(tables.trail.c.act).where(tables.trail.c.act.like("draw.%"))))
    assert acts == {"draw.commit": 1, "draw.contribute": 2, "draw.run": 1, "draw.lock": 1}
