"""Crews by lot: planned, committed, matched, assigned, and changed afterwards, on both databases."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from server.domain.faults import Invalid
from server.errors import Problem
from server.office import crew_changes, crew_file, crew_page, crew_ways, merging, recusals
from server.office import crews as acts
from server.store import crews as store
from server.store import recusals as recusal_store
from server.store import tables
from server.store.people import Person
from server.store.session import Database
from server.sync.acts import Act, office_act
from tests import crewing
from tests.crewing import (
    BOTH,
    CLERK,
    CLERK2,
    CODES,
    HALF_DAYS,
    HEAD,
    HEAD2,
    LATER,
    PRINCIPAL,
    SEALER,
    SECRET,
    SOURCE,
    TASK,
    Scene,
)
from tests.dispatching import ITEM, checklist, dispatch

LI = Person("li", "li", "li", "hazchem", ("officer",), None)


@pytest.fixture
def its(any_database: Database, tmp_path: Path) -> Scene:
    return Scene(any_database, tmp_path / "keys")


def refused(call: Callable[[], object]) -> tuple[str, str | None]:
    with pytest.raises(Problem) as found:
        call()
    return found.value.code, found.value.article


def h(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


# --- the match --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("R18.1", "allows")
@pytest.mark.rule("R18.2", "allows")
def test_the_executing_unit_matches_teams_of_two_with_one_leader_and_their_phones_get_them(its: Scene) -> None:
    match = its.match(its.assigned())
    for visit, code in zip(its.visits, CODES, strict=True):
        crew = its.crew(visit)
        assert len(crew) == 2
        assert sorted(crew.values()) == ["leader", "member"]
        numbers = {f"4113031{n:03}": id for n, id in enumerate(("li", "zhang", "wang", "zhao", "sun", "qian"))}
        assert {numbers[o] for o in match.teams[code]} == set(crew)
        assert crew[numbers[match.leaders[code]]] == "leader"
    assert not set(its.crew(its.visits[0])) & set(its.crew(its.visits[1]))  # the same half-day


@pytest.mark.rule("R18.1", "refuses")
def test_another_unit_matches_nobody(its: Scene) -> None:
    its.plan()
    assert refused(lambda: its.do(acts.commit, TASK, [SOURCE], SECRET, SEALER, person=CLERK2))[0] == "not_found"
    match_id = its.do(acts.commit, TASK, [SOURCE], SECRET, SEALER)
    assert refused(lambda: its.do(acts.match, match_id, SEALER, person=CLERK2))[0] == "not_found"


@pytest.mark.rule("R18.2", "refuses")
def test_fewer_than_two_officers_are_refused(its: Scene) -> None:
    with pytest.raises(Invalid) as found:
        its.plan(**{f"k:{its.visits[0]}": "1"})
    assert found.value.article == "18"
    assert [fault.code for fault in found.value.faults] == ["not_a_number"]


def test_commitment_and_seed_follow_from_the_published_texts_alone(its: Scene) -> None:
    match = its.match(its.matched())
    visits = msgspec.json.encode(match.visits, order="sorted").decode()
    assert f'"visits":"{h(visits)}"' in match.rules
    assert match.frame_digest == h(match.frame)
    assert match.commit == h(f"omatch1|commit|{'0' * 64}|{h(match.frame)}|{h(match.rules)}|{h(SECRET.hex())}")
    given = h(f"dice/1={crewing.DICE}")
    assert match.seed == h(f"omatch1|seed|{match.commit}|{SECRET.hex()}|{given}")
    for code, team in match.teams.items():
        assert match.leaders[code] == min(team, key=lambda o, s=code: h(f"{match.seed}|L|{s}|{o}"))  # type: ignore[misc]


def test_what_is_committed_cannot_be_planned_again_nor_committed_twice(its: Scene) -> None:
    its.committed()
    assert refused(its.plan) == ("crew_committed", "18")
    assert refused(lambda: its.do(acts.commit, TASK, [SOURCE], SECRET, SEALER)) == ("crew_committed", "18")


def test_a_void_stays_in_the_chain_and_the_next_attempt_follows_it(its: Scene) -> None:
    first = its.committed()
    assert refused(lambda: its.do(acts.void, first, "名单有误", SEALER))[0] == "forbidden"
    its.do(acts.void, first, "名单有误", SEALER, person=HEAD)
    second = its.do(acts.commit, TASK, [SOURCE], SECRET, SEALER)
    one, two = its.match(first), its.match(second)
    assert (one.state, one.secret, two.attempt, two.prev) == ("void", SECRET.hex(), 2, one.commit)
    assert refused(lambda: its.do(acts.void, first, "再来", SEALER, person=HEAD)) == ("crew_state", "18")


def test_nobody_voids_what_he_committed(its: Scene) -> None:
    its.plan()
    match_id = its.do(acts.commit, TASK, [SOURCE], SECRET, SEALER, person=BOTH)
    assert refused(lambda: its.do(acts.void, match_id, "不合适", SEALER, person=BOTH))[0] == "own_entry"


def test_what_was_committed_or_drawn_is_kept_by_the_database(its: Scene) -> None:
    match_id = its.matched()
    for column, value in (("frame", "x"), ("commit", "x"), ("teams", {}), ("seed", "x")):
        change = sa.update(tables.crew_match).where(tables.crew_match.c.id == match_id).values({column: value})
        assert refused(lambda change=change: its.db.run_write(lambda conn: conn.execute(change)))[0] == "append_only"  # type: ignore[misc]


def test_a_contribution_comes_in_its_order_in_its_time_and_with_evidence(its: Scene) -> None:
    match_id = its.committed()
    give = (match_id, "dice/1", crewing.DICE)
    early = crewing.NOW.replace(hour=1)
    assert refused(lambda: its.do(acts.contribute, *give, early, "甲", "https://a.cn", now=LATER))[0] == "draw_early"
    assert refused(lambda: its.do(acts.contribute, *give, LATER, "甲", "", now=LATER))[0] == "draw_evidence_missing"
    wrong = (match_id, "other", crewing.DICE)
    assert refused(lambda: its.do(acts.contribute, *wrong, LATER, "甲", "https://a.cn", now=LATER))[0] == "draw_order"
    assert refused(lambda: its.do(acts.match, match_id, SEALER, now=LATER)) == ("crew_waits", "18")


def test_two_clerks_who_match_at_once_leave_one_record(its: Scene) -> None:
    match_id, barrier, said = its.contributed(), Barrier(2), []

    def press() -> None:
        barrier.wait()
        try:
            its.do(acts.match, match_id, SEALER, now=LATER)
            said.append("matched")
        except Problem as problem:
            said.append(problem.code)

    clerks = [Thread(target=press) for _ in range(2)]
    for one in clerks:
        one.start()
    for one in clerks:
        one.join()
    assert sorted(said) == ["crew_state", "matched"]
    with its.db.read() as conn:
        count = conn.scalar(sa.select(sa.func.count()).where(tables.trail.c.act == "crew.match"))
    assert count == 1


def test_a_crew_that_was_named_meanwhile_is_not_passed_off_as_drawn(its: Scene) -> None:
    match_id, visit = its.matched(), its.visits[0]
    for officer, role in (("li", "leader"), ("zhang", "member")):
        named = Act("assign", ["crew", officer], {"role": role, "reason": "另派"})
        office_act(its.db, its.keys, CLERK, visit, named, LATER)
    assert refused(lambda: its.do(acts.assign, match_id, its.field, now=LATER)) == ("crew_not_drawn", "18")
    assert its.match(match_id).state == "matched"
    assert its.crew(its.visits[1]) == {}


# --- who may be matched -----------------------------------------------------------------------------------------------


@pytest.mark.rule("R19.1", "allows")
def test_a_certificate_that_ends_before_a_visit_leaves_its_officer_out_of_that_visit_only(its: Scene) -> None:
    its.put_officer("sun", certificate_to="2026-12-02")
    with its.db.write() as conn:
        crewing.keep_away(conn, "zhao", "s2")
    match = its.match(its.matched())
    assert all("4113031004" not in one["elig"] for one in match.visits)
    reasons = {(s, one["o"]): one["reason"] for s, every in match.left_out.items() for one in every}
    assert reasons[CODES[0], "4113031004"] == "EXPIRES"
    assert reasons[CODES[1], "4113031003"] == "INTEREST"
    assert (CODES[0], "4113031003") not in reasons


@pytest.mark.rule("R19.1", "refuses")
def test_a_certificate_that_has_run_out_by_the_day_of_the_match_stops_it(its: Scene) -> None:
    match_id = its.contributed()
    its.put_officer("sun", certificate_to="2026-11-23")
    assert refused(lambda: its.do(acts.match, match_id, SEALER, now=LATER)) == ("crew_stale", "19")


def test_the_list_says_of_everybody_why_he_takes_no_part(its: Scene) -> None:
    its.put_officer("sun", certificate_to="2026-11-23")
    its.put_officer("qian", left_on="2026-11-24")
    with its.db.write() as conn:
        row = crewing.officer_row(9, "mine", domains=["non_coal_mines"])
        conn.execute(sa.insert(tables.officer).values(row))
    frame = its.match(its.committed()).frame
    assert [line.split("\t")[0::2] for line in frame.splitlines()][-3:] == [
        ["4113031004", "X"], ["4113031005", "X"], ["4113031009", "X"]
    ]  # fmt: skip
    assert [line.split("\t")[3] for line in frame.splitlines()][-3:] == ["EXPIRED", "LEFT", "DOMAIN"]


# --- the two ways out -------------------------------------------------------------------------------------------------


@pytest.fixture
def short(any_database: Database, tmp_path: Path) -> Scene:
    """Four officers, of whom one must keep away from the second subject: two visits of one half-day need four."""
    found = Scene(any_database, tmp_path / "keys", officers=4)
    for officer in ("zhao", "wang", "zhang"):
        with found.db.write() as conn:
            crewing.keep_away(conn, officer, "s2")
    found.plan()
    return found


GUEST = {
    "office": "宛城区应急管理局", "name": "邻甲", "sex": "male", "certificate": "41130299001",
    "certificate_from": "2024-01-01", "certificate_to": "2029-12-31",
}  # fmt: skip


def way(kind: str, visit: str | None = None, **more: str) -> dict[str, str]:
    values = {"kind": kind, "reason": "人手不够", "office": "宛城区应急管理局", "consent": "宛城应急函 12 号"}
    return values | ({"visit_id": visit} if visit else {}) | more


@pytest.mark.rule("R18.4", "allows")
def test_a_neighbours_officers_join_the_lot_by_consent_and_the_heads_approval(short: Scene) -> None:
    assert refused(lambda: short.do(acts.commit, TASK, [SOURCE], SECRET, SEALER)) == ("crew_infeasible", "18")
    guest = short.do(crew_ways.add_guest, GUEST, ("hazardous_chemicals",))
    asked = short.do(crew_ways.ask_way, TASK, way("merged_pool"), (guest,))
    short.do(crew_ways.decide_way, asked, True, "", person=HEAD)
    match_id = short.do(acts.commit, TASK, [SOURCE], SECRET, SEALER)
    short.throw(match_id)
    short.do(acts.match, match_id, SEALER, now=LATER)
    with short.db.read() as conn:
        part = crew_file.officers_part(conn, TASK)
        explanation = store.ways_of_task(conn, TASK)[0].explanation
    assert part is not None
    assert part["teams"][CODES[1]] == ["41130299001", "4113031000"]
    assert [(one["o"], one["office"], one["by"]) for one in part["merged"]] == [
        ("41130299001", "宛城区应急管理局", "head")
    ]
    assert explanation["shortage"]["lacks"][0]["short"] == 1


@pytest.fixture
def few(any_database: Database, tmp_path: Path) -> Scene:
    """Four officers for two visits of one half-day that need five; the third visit, in the afternoon, has enough."""
    found = Scene(any_database, tmp_path / "keys", officers=4)
    found.plan(**{f"k:{found.visits[0]}": "3"})
    return found


def named(its: Scene, visit: int) -> str:
    """Zhang and Wang are asked for by name."""
    form = way("direct_assignment", its.visits[visit], leader="zhang")
    return str(its.do(crew_ways.ask_way, TASK, form, ("zhang", "wang")))


@pytest.mark.rule("R18.4", "allows")
def test_officers_are_named_for_one_visit_with_the_heads_approval(few: Scene) -> None:
    few.do(crew_ways.decide_way, named(few, 0), True, "", person=HEAD)
    with few.db.read() as conn:
        found = store.ways_of_task(conn, TASK)[0]
    assert (found.state, found.decided_by, found.leader) == ("approved", "head", "zhang")


@pytest.mark.rule("R18.4", "refuses")
def test_nobody_is_named_for_a_visit_that_is_not_short(few: Scene) -> None:
    assert refused(lambda: named(few, 2)) == ("crew_feasible", "18")
    few.do(crew_ways.decide_way, named(few, 0), True, "", person=HEAD)
    assert refused(lambda: named(few, 1)) == ("crew_feasible", "18")


@pytest.mark.rule("R18.4", "refuses")
@pytest.mark.parametrize("kind", ["direct_assignment", "merged_pool"])
def test_a_way_out_is_refused_once_the_shortage_is_over_or_the_lot_has_begun(few: Scene, kind: str) -> None:
    if kind == "direct_assignment":
        asked = named(few, 0)
    else:
        guest = few.do(crew_ways.add_guest, GUEST, ("hazardous_chemicals",))
        asked = few.do(crew_ways.ask_way, TASK, way(kind), (guest,))

    def approve() -> None:
        few.do(crew_ways.decide_way, asked, True, "", person=HEAD)

    few.plan()
    assert refused(approve) == ("crew_feasible", "18")
    few.do(acts.commit, TASK, [SOURCE], SECRET, SEALER)
    few.put_officer("li", left_on="2026-11-24")
    assert refused(approve) == ("crew_committed", "18")
    few.do(crew_ways.decide_way, asked, False, "不再需要", person=HEAD)
    with few.db.read() as conn:
        assert store.ways_of_task(conn, TASK)[0].state == "refused"


@pytest.mark.rule("R18.4", "refuses")
def test_nobody_is_named_for_a_visit_that_another_shortage_leaves_alone(few: Scene) -> None:
    asked = named(few, 0)
    few.plan(**{f"k:{few.visits[2]}": "5"})
    refusal = refused(lambda: few.do(crew_ways.decide_way, asked, True, "", person=HEAD))
    assert refusal == ("crew_feasible", "18")


@pytest.mark.rule("R18.4", "refuses")
def test_no_way_out_is_open_while_the_lot_finds_teams(its: Scene) -> None:
    its.plan()
    guest = its.do(crew_ways.add_guest, GUEST, ("hazardous_chemicals",))
    assert refused(lambda: its.do(crew_ways.ask_way, TASK, way("merged_pool"), (guest,))) == ("crew_feasible", "18")


@pytest.mark.rule("R18.4", "refuses")
def test_who_must_keep_away_is_not_named_either(short: Scene) -> None:
    asked = way("direct_assignment", short.visits[1], leader="li")
    assert refused(lambda: short.do(crew_ways.ask_way, TASK, asked, ("li", "zhao"))) == ("crew_not_qualified", "18")
    assert refused(lambda: short.do(crew_ways.ask_way, TASK, asked, ("li",))) == ("crew_too_few", "18")


def test_nobody_approves_the_way_that_he_asked_for(short: Scene) -> None:
    guest = short.do(crew_ways.add_guest, GUEST, ("hazardous_chemicals",))
    asked = short.do(crew_ways.ask_way, TASK, way("merged_pool"), (guest,), person=BOTH)
    assert refused(lambda: short.do(crew_ways.decide_way, asked, True, "", person=BOTH))[0] == "own_entry"
    assert refused(lambda: short.do(crew_ways.decide_way, asked, True, "", person=HEAD2))[0] == "not_found"


@pytest.mark.rule("R18.3", "allows")
def test_an_expert_comes_by_lot_with_a_reason_and_is_not_of_the_two(its: Scene) -> None:
    with its.db.write() as conn:
        for n in range(3):
            conn.execute(
                sa.insert(tables.expert).values(
                    id=f"e{n}", name=f"专家{n}", employer="院", title="高工", domains=["hazardous_chemicals"]
                )
            )
    first = its.visits[0]
    its.plan(**{f"experts:{first}": "1", f"expert_reason:{first}": "涉及特种工艺"})
    match_id = its.do(acts.commit, TASK, [SOURCE], SECRET, SEALER)
    its.throw(match_id)
    its.do(acts.match, match_id, SEALER, now=LATER)
    match = its.match(match_id)
    first_by_lot = min(("e0", "e1", "e2"), key=lambda o: h(f"{match.seed}|E|{CODES[0]}|{o}"))
    assert [(one["s"], one["o"], one["how"]) for one in match.drawn_experts] == [(CODES[0], [first_by_lot], "lot")]
    assert first_by_lot not in match.teams[CODES[0]]
    assert len(match.teams[CODES[0]]) == 2


@pytest.mark.rule("R18.3", "refuses")
def test_an_expert_needs_a_reason_and_must_be_there(its: Scene) -> None:
    first = its.visits[0]
    with pytest.raises(Invalid) as found:
        its.plan(**{f"experts:{first}": "1"})
    assert (found.value.article, found.value.faults[0].code) == ("18", "missing")
    its.plan(**{f"experts:{first}": "1", f"expert_reason:{first}": "涉及特种工艺"})
    assert refused(lambda: its.do(acts.commit, TASK, [SOURCE], SECRET, SEALER)) == ("crew_no_expert", "18")


def in_the_library(its: Scene, *ids: str, **values: object) -> None:
    row = {"employer": "院", "title": "高工", "domains": ["non_coal_mines"], **values}
    with its.db.write() as conn:
        conn.execute(sa.insert(tables.expert), [{"id": one, "name": one, **row} for one in ids])


@pytest.mark.rule("R18.3", "allows")
def test_an_expert_may_be_appointed_with_a_reason_and_the_file_says_so(its: Scene) -> None:
    """Beside one by lot; he is in no team, leads nobody, and nobody's crew is smaller for him."""
    in_the_library(its, "named", "other")
    in_the_library(its, "e0", "e1", domains=["hazardous_chemicals"])
    first, second = its.visits[:2]
    values = {f"half_day:{visit}": day for visit, day in zip(its.visits, HALF_DAYS, strict=True)}
    values |= {f"expert_reason:{one}": "涉及特种工艺" for one in (first, second)} | {f"experts:{second}": "1"}
    its.do(acts.plan, TASK, values, {first: ["named", ""], second: ["e0"]})
    match_id = its.do(acts.commit, TASK, [SOURCE], SECRET, SEALER)
    its.throw(match_id)
    its.do(acts.match, match_id, SEALER, now=LATER)
    its.do(acts.assign, match_id, its.field, now=LATER)
    match = its.match(match_id)
    with its.db.read() as conn:
        part = crew_file.part_of(conn, match)
        view = crew_page.visit_of(conn, CLERK, first, LATER)
    told = [(one["s"], one["o"], one["how"], one["elig"], one["reason"]) for one in part["experts"]]
    assert told == [
        (CODES[0], ["named"], "appointed", [], "涉及特种工艺"),
        (CODES[1], ["e1"], "lot", ["e1"], "涉及特种工艺"),
        (CODES[1], ["e0"], "appointed", [], "涉及特种工艺"),
    ]
    assert view.experts == [("named", "appointed")]
    assert all(len(team) == 2 and "named" not in team for team in match.teams.values())
    assert "named" not in {*match.leaders.values(), *its.crew(first)}


@pytest.mark.rule("R18.3", "refuses")
def test_nobody_is_appointed_without_a_reason_or_from_outside_the_library(its: Scene) -> None:
    in_the_library(its, "named")
    in_the_library(its, "gone", left_on="2026-12-01")
    first = its.visits[0]
    values = {f"half_day:{visit}": day for visit, day in zip(its.visits, HALF_DAYS, strict=True)}

    def wrong(reason: str, *named: str) -> list[tuple[str, str]]:
        with pytest.raises(Invalid) as found:
            its.do(acts.plan, TASK, values | {f"expert_reason:{first}": reason}, {first: named})
        assert found.value.article == "18"
        return [(one.field.partition(":")[0], one.code) for one in found.value.faults]

    assert wrong("", "named") == [("expert_reason", "missing")]
    assert wrong("问 14000001234", "named") == [("expert_reason", "number_in_text")]
    for stranger in ("li", "gone", "nobody"):
        assert wrong("涉及特种工艺", "named", stranger) == [("appointed", "crew_expert_unknown")]
    its.do(acts.plan, TASK, values | {f"expert_reason:{first}": "涉及特种工艺"}, {first: ["named"]})
    with its.db.write() as conn:
        conn.execute(sa.update(tables.expert).where(tables.expert.c.id == "named").values(left_on="2026-12-01"))
    assert refused(lambda: its.do(acts.commit, TASK, [SOURCE], SECRET, SEALER)) == ("crew_expert_left", "18")


# --- replacement ------------------------------------------------------------------------------------------------------


def ask(its: Scene, out: str, kind: str = "health", **more: str) -> str:
    values = {"officer_id": out, "kind": kind, "reason": "住院治疗"} | more
    return str(its.do(crew_changes.ask_replacement, its.visits[0], values, now=LATER))


def decide(its: Scene, change: str, person: Person = HEAD) -> None:
    its.do(crew_changes.decide_replacement, change, True, "", its.field, person=person, now=LATER)


@pytest.mark.rule("R20.1", "allows")
def test_the_substitute_is_the_next_feasible_by_lot_and_the_draw_stays(its: Scene) -> None:
    match_id = its.assigned()
    before, crew = its.match(match_id), its.crew(its.visits[0])
    out = next(one for one, role in crew.items() if role == "leader")
    decide(its, ask(its, out))
    with its.db.read() as conn:
        part = crew_file.officers_part(conn, TASK)
    assert part is not None
    (entry,) = part["replaced"]
    assert entry["in"] == min(entry["elig"], key=lambda o: h(f"{before.seed}|R|{CODES[0]}|{o}|1"))
    assert (entry["attempt"], entry["kind"], entry["designated"], entry["by"]) == (1, "health", False, "head")
    assert entry["reason"] == "身体健康原因"  # what is public never tells of which illness
    assert "住院治疗" not in json.dumps(part, ensure_ascii=False)
    assert its.match(match_id).teams == before.teams
    after = its.crew(its.visits[0])
    assert out not in after
    assert sorted(after.values()) == ["leader", "member"]
    frozen = next(one["elig"] for one in before.visits if one["s"] == CODES[0])
    judged = {*entry["elig"], *(one["o"] for one in entry["left_out"]), *before.teams[CODES[0]]}
    assert set(frozen) <= judged


@pytest.mark.rule("R20.1", "refuses")
def test_nobody_is_replaced_without_a_reason_nor_by_who_asked_for_it(its: Scene) -> None:
    its.assigned()
    out = next(iter(its.crew(its.visits[0])))
    with pytest.raises(Invalid) as found:
        ask(its, out, kind="tired")
    assert found.value.article == "20"
    with pytest.raises(Invalid):
        ask(its, out, reason="")
    change = ask(its, out)
    assert refused(lambda: ask(its, out)) == ("crew_asked_already", "20")
    assert refused(lambda: decide(its, change, CLERK))[0] == "forbidden"
    mine = its.do(
        crew_changes.ask_replacement, its.visits[1], {"officer_id": next(iter(its.crew(its.visits[1]))),
        "kind": "other", "reason": "另有安排"}, person=BOTH, now=LATER,
    )  # fmt: skip
    assert refused(lambda: decide(its, mine, BOTH))[0] == "own_entry"


@pytest.mark.rule("R20.1", "allows")
def test_somebody_is_named_only_with_a_reason_and_shown_as_such(its: Scene) -> None:
    its.assigned()
    crew = its.crew(its.visits[0])
    out = next(iter(crew))
    free = next(o for o in ("li", "zhang", "wang", "zhao", "sun", "qian")
                if o not in crew and o not in its.crew(its.visits[1]))  # fmt: skip
    with pytest.raises(Invalid):
        ask(its, out, wanted_id=free)
    decide(its, ask(its, out, wanted_id=free, why_wanted="熟悉该工艺"))
    assert free in its.crew(its.visits[0])
    with its.db.read() as conn:
        part = crew_file.officers_part(conn, TASK)
    assert part is not None
    assert part["replaced"][0]["designated"] is True


def test_a_neighbours_officer_comes_as_substitute_where_nobody_else_can(its: Scene) -> None:
    its.assigned()
    crew = its.crew(its.visits[0])
    for officer in {"li", "zhang", "wang", "zhao", "sun", "qian"} - set(crew):
        with its.db.write() as conn:
            crewing.keep_away(conn, officer, "s1")
    change = ask(its, next(iter(crew)))
    assert refused(lambda: decide(its, change)) == ("crew_no_substitute", "20")
    guest = its.do(crew_ways.add_guest, GUEST, ("hazardous_chemicals",))
    asked = its.do(crew_ways.ask_way, TASK, way("merged_pool", its.visits[0]), (guest,), now=LATER)
    its.do(crew_ways.decide_way, asked, True, "", person=HEAD, now=LATER)
    decide(its, change)
    assert guest in its.crew(its.visits[0])
    with its.db.read() as conn:
        part = crew_file.officers_part(conn, TASK)
    assert part is not None
    assert [one["o"] for one in part["replaced"][0]["lent"]] == ["41130299001"]


# --- recusal ----------------------------------------------------------------------------------------------------------


def asked_of(officer: str, **more: str) -> dict[str, str]:
    return {"officer_id": officer, "asker": "某甲", "asked_on": "2026-11-23", "reason": "曾有纠纷"} | more


@pytest.mark.rule("R20.4", "allows")
def test_a_subject_asks_work_goes_on_and_the_principal_decides(its: Scene) -> None:
    its.assigned()
    visit = its.visits[0]
    officer = next(iter(its.crew(visit)))
    recusal = its.do(recusals.ask, visit, asked_of(officer), now=LATER)
    assert officer in its.crew(visit)
    its.do(recusals.decide, recusal, True, "情况属实", person=PRINCIPAL, now=LATER)
    with its.db.read() as conn:
        (change,) = store.changes_of_visit(conn, visit)
        (kept,) = recusal_store.recusals_of_visit(conn, visit)
    assert (kept.state, change.kind, change.state) == ("upheld", "recusal", "asked")
    decide(its, change.id)
    assert officer not in its.crew(visit)


@pytest.mark.rule("R20.4", "refuses")
def test_a_recusal_is_decided_by_the_principal_once_and_with_a_reason(its: Scene) -> None:
    its.assigned()
    visit = its.visits[0]
    recusal = its.do(recusals.ask, visit, asked_of(next(iter(its.crew(visit)))), now=LATER)
    assert refused(lambda: its.do(recusals.decide, recusal, True, "属实", person=HEAD))[0] == "forbidden"
    assert refused(lambda: its.do(recusals.decide, recusal, True, " ", person=PRINCIPAL))[0] == "invalid"
    its.do(recusals.decide, recusal, False, "没有依据", person=PRINCIPAL, now=LATER)
    assert refused(lambda: its.do(recusals.decide, recusal, True, "属实", person=PRINCIPAL)) == (
        "recusal_decided", "20",
    )  # fmt: skip
    with its.db.read() as conn:
        assert store.changes_of_visit(conn, visit) == []


@pytest.mark.rule("R20.2", "allows")
@pytest.mark.rule("R20.3", "allows")
def test_who_declared_his_recusal_is_left_out_of_every_later_lot_of_that_subject(its: Scene) -> None:
    match_id = its.assigned()
    visit = its.visits[0]
    officer = next(iter(its.crew(visit)))
    me = msgspec.structs.replace(LI, id=officer)
    its.do(recusals.declare, visit, "经营者是我的亲属", its.field, person=me, now=LATER)
    assert refused(lambda: its.do(recusals.declare, visit, "同上", its.field, person=me)) == ("recusal_there", "20")
    with its.db.read() as conn:
        (change,) = store.changes_of_visit(conn, visit)
        seen, match = store.visit_seen(conn, visit), store.match_of(conn, match_id)
        assert seen is not None
        one = store.candidates_by_id(conn, [officer])[officer]
        assert crew_changes.why_not(conn, [one], seen, match, LATER)[officer] in ("RECUSED", "BUSY")
    decide(its, change.id)
    assert officer not in its.crew(visit)


@pytest.mark.rule("R20.3", "refuses")
def test_nobody_declares_for_another_nor_at_a_visit_that_is_not_his(its: Scene) -> None:
    its.assigned()
    stranger = msgspec.structs.replace(LI, id="nobody")
    assert (
        refused(lambda: its.do(recusals.declare, its.visits[0], "亲属", its.field, person=stranger))[0] == "not_found"
    )
    with pytest.raises(Invalid) as found:
        its.do(recusals.declare, its.visits[0], " ", its.field, person=msgspec.structs.replace(
            LI, id=next(iter(its.crew(its.visits[0])))))  # fmt: skip
    assert found.value.article == "20"


@pytest.mark.rule("R20.2", "refuses")
def test_a_known_pair_is_not_named_as_substitute(its: Scene) -> None:
    its.assigned()
    crew = its.crew(its.visits[0])
    free = next(o for o in ("li", "zhang", "wang", "zhao", "sun", "qian") if o not in crew)
    with its.db.write() as conn:
        crewing.keep_away(conn, free, "s1")
    change = ask(its, next(iter(crew)), wanted_id=free, why_wanted="熟悉")
    assert refused(lambda: decide(its, change)) == ("crew_substitute_unfit", "20")


# --- one door for several matters -------------------------------------------------------------------------------------


@pytest.mark.rule("R22.1", "allows")
def test_two_open_visits_of_one_subject_are_proposed_for_merging_and_merged(its: Scene) -> None:
    other = dispatch(its.db, its.keys, (), crewing.NOW, window=("2026-12-01", "2026-12-20"))
    with its.db.read() as conn:
        (proposal,) = merging.proposals(conn, "hazchem")
    assert proposal.window == ("2026-12-01", "2026-12-20")
    assert {proposal.kept.id, proposal.other.id} == {its.visits[0], other}
    its.do(merging.merge, proposal.kept.id, proposal.other.id, its.field)
    with its.db.read() as conn:
        assert merging.proposals(conn, "hazchem") == []
        count = conn.scalar(sa.select(sa.func.count()).where(tables.trail.c.act == "visit.merge"))
    assert count == 1


def second_task(its: Scene, sector: str = "hazardous_chemicals", **window: Any) -> str:
    """Another task that drew the first subject; its visit."""
    with its.db.write() as conn:
        for table, key, new, more in (
            (tables.item, ITEM, "second", {"sector": sector}),
            (tables.task, TASK, "t2", {"name": "t2"}),
        ):
            row = dict(conn.execute(sa.select(table).where(table.c.id == key)).mappings().one())
            conn.execute(sa.insert(table).values(row | {"id": new} | more))
        conn.execute(sa.insert(tables.task_item).values(task_id="t2", item_id="second"))
    body = checklist(("q1",), "second")
    with its.db.write() as conn:
        conn.execute(sa.insert(tables.template).values(sha256=h(body.decode()), title="x", body=body))
    return dispatch(its.db, its.keys, (), crewing.NOW, tasks=["t2"], tpl=h(body.decode()), **window)


@pytest.mark.rule("R22.1", "allows")
def test_the_drawn_crew_goes_on_with_both_tasks(its: Scene) -> None:
    its.assigned()
    other, kept = second_task(its), its.visits[0]
    crew = its.crew(kept)
    with its.db.read() as conn:
        (proposal,) = merging.proposals(conn, "hazchem")
    assert (proposal.kept.id, proposal.other.id) == (kept, other)
    assert refused(lambda: its.do(merging.merge, other, kept, its.field)) == ("merge_crew_stays", "22")
    its.do(merging.merge, kept, other, its.field)
    assert its.crew(kept) == crew
    with its.db.read() as conn:
        assert store.tasks_of_visit(conn, kept) == [TASK, "t2"]
        assert [one.id for one in store.visits_of_task(conn, "t2")] == [kept]


@pytest.mark.rule("R22.1", "refuses")
def test_of_two_visits_with_crews_nobody_chooses_the_one_that_suits_him(its: Scene) -> None:
    its.assigned()
    other, kept = second_task(its), its.visits[0]
    its.do(acts.plan, "t2", {f"half_day:{other}": "2026-12-04/am"}, now=LATER)
    its.do(acts.commit, "t2", [SOURCE], SECRET, SEALER, now=LATER)
    with its.db.read() as conn:
        assert merging.proposals(conn, "hazchem") == []
    assert refused(lambda: its.do(merging.merge, kept, other, its.field)) == ("merge_two_crews", "22")


@pytest.mark.rule("R22.1", "refuses")
@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("merge_sector", {"sector": "non_coal_mines"}),
        ("merge_day_outside", {"window": ("2026-12-10", "2026-12-31")}),
    ],
)
def test_a_drawn_crew_gets_no_matter_and_no_day_that_is_not_its_own(its: Scene, code: str, more: Any) -> None:
    its.assigned()
    other = second_task(its, **more)
    with its.db.read() as conn:
        assert merging.proposals(conn, "hazchem") == []
    assert refused(lambda: its.do(merging.merge, its.visits[0], other, its.field)) == (code, "22")


def test_who_is_drawn_for_a_merged_visit_knows_the_matters_of_both_tasks(its: Scene) -> None:
    its.plan()
    kept, other = its.visits[0], second_task(its, sector="non_coal_mines", window=("2026-12-04", "2026-12-31"))
    for officer in ("sun", "qian"):
        its.put_officer(officer, domains=["hazardous_chemicals", "non_coal_mines"])
    its.do(merging.merge, kept, other, its.field)
    with its.db.read() as conn:
        assert kept not in store.plans_of(conn, [kept])  # its day was none of the second task's
    its.plan(("2026-12-04/am", "2026-12-03/am", "2026-12-03/pm"))
    match_id = its.do(acts.commit, TASK, [SOURCE], SECRET, SEALER)
    (elig,) = [one["elig"] for one in its.match(match_id).visits if one["s"] == CODES[0]]
    assert elig == ["4113031004", "4113031005"]


@pytest.mark.rule("R22.1", "refuses")
def test_visits_whose_windows_lie_apart_are_not_merged(its: Scene) -> None:
    other = dispatch(its.db, its.keys, (), crewing.NOW, window=("2027-03-01", "2027-03-20"))
    with its.db.read() as conn:
        assert merging.proposals(conn, "hazchem") == []
    assert refused(lambda: its.do(merging.merge, its.visits[0], other, its.field))[0] == "windows_apart"
    assert refused(lambda: its.do(merging.merge, its.visits[0], other, its.field, person=HEAD2))[0] == "not_found"
