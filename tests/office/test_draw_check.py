"""The server's own check of the officers: green on what the office matched, and each forgery is named by its part."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from server.domain import drawing as steps
from server.domain.draw_check import check
from server.domain.draw_file import file_of, sealed, with_officers
from server.office import crews
from server.office.crew_file import officers_part
from server.store.session import Database, open_database
from tests import databases
from tests.crewing import HEAD, LATER, SEALER, TASK, Scene
from tests.domain import test_drawing as drawing


def body_of(its: Scene) -> bytes:
    """A drawn file with the officers of the scene."""
    with its.db.read() as conn:
        part = officers_part(conn, TASK)
    rules = drawing.RULES | {"task": ""}
    one = drawing.committed(rules=rules)
    one = drawing.contribute(drawing.contribute(one, drawing.LOTTERY.id, drawing.BALLS), drawing.DICE.id, "4 1 6 2")
    drawn = steps.run(one, drawing.FRAME, drawing.SECRET, "clerk", drawing.NOW)
    return with_officers(file_of(drawn, drawing.FRAME, "危险化学品监管科", ""), part)


def a_team(part: dict[str, Any]) -> list[str]:
    """The first team."""
    found: list[str] = part["teams"][min(part["teams"])]
    return found


def other_of(part: dict[str, Any]) -> str:
    """Somebody of the first team who doesn't lead it."""
    return next(o for o in a_team(part) if o != part["leaders"][min(part["teams"])])


ALTERED: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "a row dropped": ("officers.frame", lambda it: it.update(frame=it["frame"].partition("\n")[2])),
    "another secret": ("officers.secret", lambda it: it.update(secret="f" * 64)),
    "another number from outside": ("officers.seed", lambda it: it["contributions"][0].update(v="1 " * 23 + "1")),
    "a number from before": ("officers.contributions", lambda it: it["contributions"][0].update(at="2026-01-01")),
    "other rules": ("officers.rules", lambda it: it.update(rules=it["rules"].replace("2026", "2027"))),
    "somebody kept out of the lot": ("officers.rules", lambda it: it["visits"][0]["elig"].pop()),
    "a third place": ("officers.rules", lambda it: it["visits"][0].update(k=3)),
    "another cap": ("teams", lambda it: it.update(cap=it["cap"] + 1)),
    "a friend in the team": (
        "teams",
        lambda it: a_team(it).__setitem__(0, next(o for o in it["visits"][0]["elig"] if o not in a_team(it))),
    ),
    "another leader": (
        "leaders",
        lambda it: it["leaders"].update({min(it["teams"]): other_of(it)}),
    ),
    "somebody appointed without a reason": (
        "direct",
        lambda it: it["direct"].append(
            {"s": "x", "o": sorted(a_team(it)), "leader": a_team(it)[0], "reason": "", "by": "head", "at": ""}
        ),
    ),
    "a neighbour nobody lent": (
        "merged",
        lambda it: it["merged"].append(
            {"o": "nobody", "office": "邻县", "consent": "函", "reason": "不足", "by": "head", "at": ""}
        ),
    ),
    "an officer chosen for another": (
        "replaced",
        lambda it: it["replaced"].append(
            {
                "s": min(it["teams"]),
                "out": a_team(it)[0],
                "in": next(o for o in it["visits"][0]["elig"] if o not in a_team(it)),
                "attempt": 1,
                "kind": "other",
                "reason": "换一位",
                "by": "head",
                "at": "",
                "designated": False,
                "elig": [],
                "left_out": [],
            }
        ),
    ),
    "a void before the match with teams": ("teams", lambda it: it.update(seed=None)),
}


@pytest.fixture(scope="module")
def matched(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("check")
    (folder / "suijian.db").write_bytes(databases.migrated_file())
    db = open_database(f"sqlite:///{folder / 'suijian.db'}")
    its = Scene(db, folder)
    its.matched()
    body = body_of(its)
    db.close()
    return body


def test_what_the_office_matched_is_green(matched: bytes) -> None:
    assert check(matched) == []


@pytest.mark.parametrize("what", ALTERED)
def test_a_consistent_forgery_of_the_officers_is_named_by_its_part(matched: bytes, what: str) -> None:
    part, forge = ALTERED[what]
    document = json.loads(matched)
    forge(document["officers"])
    assert part in {one.part for one in check(sealed(document))}


def test_a_void_match_stays_in_the_chain_of_matches(database: Database, tmp_path: Path) -> None:
    its = Scene(database, tmp_path)
    match_id = its.contributed()
    its.do(crews.void, match_id, "骰子掉到桌下", SEALER, person=HEAD, now=LATER)
    first = body_of(its)
    assert check(first) == []
    its.matched()
    second = body_of(its)
    assert check(first, second) == []
