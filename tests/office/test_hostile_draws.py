"""The draw against a hostile clerk over HTTP: two at a barrier, and a thousand histories that leave one chain."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Barrier
from typing import Any

import httpx
import msgspec
import pytest

from server.domain.draw_sources import Source
from server.domain.instant import stamp
from server.office import draws
from server.standalone.verify_draw import check, check_chain
from server.store import draws as store
from server.store.seal import open_sealer
from tests import databases
from tests.dispatching import database_of
from tests.drawing import BALLS, Ceremony
from tests.office.test_draws_over_http import DICE, Hall, given, in_beijing, sources
from tests.planning import CLERK, HEAD
from tests.running import Running

pytestmark = pytest.mark.serial

PRESSES = 200
HISTORIES = 1_000
CAMPAIGN = "宛卧应急〔2026〕专项 1 号"
"""With it a subject isn't left out for being in many of these draws at once."""


def test_two_clerks_who_press_draw_at_once_make_one_draw(any_server: Running) -> None:
    """One task, voided and committed anew each time, so that all the presses stand in one chain."""
    db, sealer = database_of(any_server), open_sealer(any_server.data / "keys")
    Ceremony(db, is_peopled=True).task("t1")
    clerks = [any_server.signed_in("clerk") for _ in range(2)]
    barrier = Barrier(2)

    def press(clerk: httpx.Client, draw_id: str) -> httpx.Response:
        barrier.wait()
        return clerk.post(f"/office/draws/{draw_id}/run", headers={"Accept": "application/json"})

    answers = Counter[tuple[int, str]]()
    with ThreadPoolExecutor(2) as both:
        for _ in range(PRESSES):
            draw_id = db.run_write(lambda conn: _contributed(conn, sealer))
            for answer in both.map(press, clerks, [draw_id, draw_id]):
                code = "" if answer.status_code == 303 else answer.json()["code"]
                answers[answer.status_code, code] += 1
            with db.read() as conn:
                files, drawn = store.files_of(conn, draw_id), store.draw_of(conn, draw_id)
            assert [file.why for file in files] == ["drawn"]
            assert drawn is not None and drawn.state == "drawn"
            db.run_write(lambda conn, id=draw_id: draws.void(conn, HEAD, datetime.now(UTC), id, "再来一次", sealer))  # type: ignore[misc]
    print(f"\n{sum(answers.values())} presses in pairs: {dict(answers)}")
    assert answers == {(303, ""): PRESSES, (409, "draw_drawn"): PRESSES}
    assert PRESSES >= 200
    for clerk in clerks:
        clerk.close()
    db.close()


def _contributed(conn: Any, sealer: Any) -> str:
    now = datetime.now(UTC)
    due = stamp(now + timedelta(days=1))
    named = [Source("kl8", "lottery", 61, "下一期", due), Source("dice", "dice", 25, "十个骰子", due)]
    draw_id = draws.commit(conn, CLERK, now, "t1", named, hashlib.sha256(stamp(now).encode()).digest(), sealer)
    for k, value in (("kl8", BALLS), ("dice", DICE)):
        draws.contribute(conn, CLERK, now, draw_id, k, value, now, "李见证", link="https://example.cn/kl8")
    return draw_id


class Clerk:
    """One history: what the clerk asks of one task, over HTTP; a refusal is an answer like any other."""

    def __init__(self, hall: Hall, task_id: str, rng: Random, seen: Counter[tuple[str, str]]) -> None:
        self.hall, self.task_id, self.rng, self.seen = hall, task_id, rng, seen
        self.draws: list[str] = []
        self.voids = 0

    def ask(self, what: str, who: str, path: str, **form: str) -> str | None:
        answer = self.hall.post(who, path, **form)
        assert answer.status_code < 500, answer.text
        ok = answer.status_code == 303
        self.seen[what, "done" if ok else answer.json()["code"]] += 1
        return answer.headers["location"] if ok else None

    @property
    def here(self) -> str:
        return self.draws[-1] if self.draws else "none"

    def freeze(self, **more: str) -> None:
        made = self.ask("freeze", "clerk", f"/tasks/{self.task_id}", **sources(**more))
        if made is not None:
            self.draws.append(made.rpartition("/")[2])

    def weak(self) -> None:
        self.freeze(**{"source.0.kind": "digits", "source.0.n": "6", "source.1.kind": "", "source.1.what": ""})

    def lottery(self) -> None:
        balls = " ".join(f"{n:02}" for n in sorted(self.rng.sample(range(1, 81), 20)))
        self.ask("lottery", "clerk", f"/{self.here}/contribute", **given("lottery/1", balls))

    def dice(self) -> None:
        faces = " ".join(str(self.rng.randrange(1, 7)) for _ in range(10))
        self.ask("dice", "clerk", f"/{self.here}/contribute", **given("dice/1", faces))

    def early(self) -> None:
        at = in_beijing(datetime.now(UTC) - timedelta(hours=1))
        self.ask("early", "clerk", f"/{self.here}/contribute", **given("lottery/1", BALLS, at=at))

    def other(self) -> None:
        self.ask("other", "clerk", f"/{self.here}/contribute", **given("dice/1", "9 9 9"))

    def run(self) -> None:
        self.ask("run", "clerk", f"/{self.here}/run")

    def run_old(self) -> None:
        self.ask("run_old", "clerk", f"/{self.rng.choice(self.draws or ['none'])}/run")

    def void(self) -> None:
        form = {"reason": "见证人未到场", "sure": "yes"}
        if self.ask("void", "head", f"/{self.here}/void", **form) is not None:
            self.voids += 1

    def void_own(self) -> None:
        self.ask("void_own", "clerk", f"/{self.here}/void", reason="不满意", sure="yes")

    def excuse(self) -> None:
        self.ask("excuse", "clerk", f"/{self.here}/excuse", code="411303000000001", reason="不想查")


STEPS = (
    "freeze", "lottery", "dice", "run", "void", "early", "other", "weak", "run_old", "void_own", "excuse",
)  # fmt: skip
WEIGHTS = (2, 9, 9, 8, 1, 1, 1, 1, 1, 1, 1)
NEVER = ("early", "other", "weak", "void_own", "excuse")
"""What is refused wherever a draw stands."""


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    data = tmp_path / "data"
    data.mkdir()
    (data / "suijian.db").write_bytes(databases.migrated_file())
    made = Hall(Running(data).start())
    yield made
    made.close()


def test_a_thousand_histories_leave_one_public_chain(hall: Hall) -> None:
    seen, made, voids = Counter[tuple[str, str]](), 0, 0
    db = database_of(hall.running)
    ceremony = Ceremony(db)
    for seed in range(HISTORIES):
        ceremony.task(f"h{seed}", disclosure="open", campaign=CAMPAIGN)
        rng = Random(seed)
        clerk = Clerk(hall, f"h{seed}", rng, seen)
        for step in ("freeze", *rng.choices(STEPS, WEIGHTS, k=rng.randrange(6, 16))):
            getattr(clerk, step)()
        with db.read() as conn:
            last = store.draw_of(conn, clerk.here)
        if last is not None and last.state in ("committed", "contributed"):
            clerk.void()
        made, voids = made + len(clerk.draws), voids + clerk.voids
        if seed % 250 == 249:
            hall.restart()
            published(hall, made, voids)
    db.close()
    files = published(hall, made, voids)
    acts = sum(seen.values())
    print(f"\n{HISTORIES} histories, {acts} acts, {made} commitments, {files} files, {voids} voids")
    assert HISTORIES >= 1_000
    assert made >= HISTORIES
    assert voids > HISTORIES // 4
    assert {step for step, _ in seen} == {"freeze", *STEPS} - {"weak"}
    assert not [pair for pair in seen if pair[0] in NEVER and pair[1] == "done"]


def published(hall: Hall, made: int, voids: int) -> int:
    """What everybody can fetch, checked by the verifier of the standard library; how many files there are."""
    stranger = hall.running.client()
    links = stranger.get("/draws/chain.json").json()["sdraw1"]
    assert len(links) == made
    bodies = [stranger.get(file["href"]).content for link in links for file in link["files"]]
    stranger.close()
    reports = [check(body, f"{place}.json") for place, body in enumerate(bodies)]
    check_chain(reports)
    assert [str(fault) for report in reports for fault in report.faults] == []
    documents: list[dict[str, Any]] = [msgspec.json.decode(body) for body in bodies]
    assert {one["commit"] for one in documents} == {link["commit"] for link in links}
    assert len({one["commit"] for one in documents if one["void"] is not None}) == voids
    return len(bodies)
