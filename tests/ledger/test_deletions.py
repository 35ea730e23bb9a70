"""Nobody who was drawn can vanish: a record deleted from all tables at any stage is named from public files alone."""

from __future__ import annotations

import random
from collections.abc import Callable

from server.standalone import check_ledger
from tests.ledger.scene import STAGES, Drawn, Hand
from tests.running import Running

LEAST = 1000
AT_ONCE = 350
ALONE = 1


def swept(scene: Drawn, at_once: int, alone: int) -> dict[str, int]:
    """Stage -> how many records were deleted and named there, so many at once, then some one by one."""
    chance, named, last = random.Random(2026), dict[str, int](), None
    for stage in STAGES:
        scene.reach(stage)
        before = scene.take()
        assert {line["state"] for its in before["tasks"].values() for line in its["lines"]} == {stage}
        assert check_ledger.check(before, last).faults == [], "nothing was deleted, and nothing is missing"
        hand = Hand(scene)
        everyone = chance.sample(hand.digests, len(hand.digests))
        parts = [everyone[at : at + at_once] for at in range(0, len(everyone), at_once)]
        found = set[str]()
        for gone in (*parts, *([one] for one in everyone[:alone])):
            with hand.deleted(gone) as rows:
                assert rows >= len(gone) * (1 if stage == "drawn" else 4)
                report = scene.check(before)
            texts = [text for part, text in report.faults if part == "vanished" and " line " in text]
            vanished = {text.partition("digest ")[2][:64] for text in texts}
            assert vanished == set(gone), stage
            found |= vanished
        hand.close()
        last, named[stage] = before, len(found)
    assert scene.check(last).faults == [], "what was put back is there again"
    return named


def test_on_postgresql_a_sample_of_them_is_named_alike(start_server: Callable[..., Running], postgres_url: str) -> None:
    scene = Drawn(start_server(postgres_url), tasks=2, n=15)
    named = swept(scene, at_once=15, alone=0)
    scene.close()
    assert named == dict.fromkeys(STAGES, 30)


def test_each_of_a_thousand_records_deleted_from_all_tables_at_each_stage_is_named(
    start_server: Callable[..., Running],
) -> None:
    scene = Drawn(start_server(), tasks=5, n=210)
    named = swept(scene, AT_ONCE, ALONE)
    scene.close()
    print(f"records deleted and named: {named}")
    assert all(n >= LEAST for n in named.values()) and set(named) == set(STAGES)
