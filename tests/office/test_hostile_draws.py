"""The draw against a hostile clerk over HTTP: two at a barrier, and a thousand histories that leave one chain."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from threading import Barrier, get_ident
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from server.domain.draw_sources import Source
from server.domain.instant import stamp
from server.office import crews, draws
from server.standalone.verify_draw import Report, check, check_chain
from server.store import draws as store
from server.store import tables, tasks
from server.store.draws import Draw
from server.store.seal import open_sealer
from server.store.session import Database
from server.store.tables import unit_subject as members
from tests import crewing, databases
from tests.dispatching import database_of
from tests.drawing import BALLS, Ceremony
from tests.office.test_draws_over_http import DICE, HTML, JSON, Hall, given, in_beijing, sources
from tests.planning import CLERK, HEAD, subject_id
from tests.running import Running

pytestmark = pytest.mark.serial

PRESSES = 200
LIBRARY = 24
"""Subjects of the item in the histories: few, so that a request takes its time and not the list."""
CAMPAIGN = "宛卧应急〔2026〕专项 1 号"
"""With it a subject isn't left out for being in many of these draws at once."""


def test_two_clerks_who_press_draw_at_once_make_one_draw(any_server: Running) -> None:
    """One task, voided and committed anew each time, so that all the presses stand in one chain."""
    db, sealer = database_of(any_server), open_sealer(any_server.data / "keys")
    Ceremony(db, is_peopled=True).task("t1")
    clerks = two_clerks(any_server)
    answers = Counter[tuple[int, str]]()
    for _ in range(PRESSES):
        draw_id = db.run_write(lambda conn: _contributed(conn, sealer))
        answers += pressed(clerks, f"/office/draws/{draw_id}/run")
        with db.read() as conn:
            files, drawn = store.files_of(conn, draw_id), store.draw_of(conn, draw_id)
        assert [file.why for file in files] == ["drawn"]
        assert drawn is not None and drawn.state == "drawn"
        db.run_write(lambda conn, id=draw_id: draws.void(conn, HEAD, datetime.now(UTC), id, "再来一次", sealer))  # type: ignore[misc]
    print(f"\n{sum(answers.values())} presses in pairs: {dict(answers)}")
    assert answers == {(303, ""): PRESSES, (409, "draw_drawn"): PRESSES}
    assert PRESSES >= 200
    close(db, *clerks)


def two_clerks(running: Running) -> list[httpx.Client]:
    return [running.signed_in("clerk") for _ in range(2)]


def close(*open_ones: Database | httpx.Client) -> None:
    for one in open_ones:
        one.close()


def pressed(clerks: Sequence[httpx.Client], path: str) -> Counter[tuple[int, str]]:
    """What two clerks are answered who press at the same moment."""
    barrier = Barrier(len(clerks))

    def press(clerk: httpx.Client) -> tuple[int, str]:
        barrier.wait()
        answer = clerk.post(path, headers=JSON)
        return answer.status_code, "" if answer.status_code == 303 else answer.json()["code"]

    with ThreadPoolExecutor(len(clerks)) as all_at_once:
        return Counter(all_at_once.map(press, clerks))


def test_two_clerks_who_press_match_at_once_make_one_match(any_server: Running) -> None:
    """One task, its match voided and committed anew each time; every press leaves one record in the trail at most."""
    db = database_of(any_server)
    its = crewing.Scene(db, any_server.data / "keys", sealer=open_sealer(any_server.data / "keys"))
    with db.write() as conn:
        conn.execute(sa.update(tables.officer).values(certificate_to="2999-12-31"))
    its.plan()
    clerks = two_clerks(any_server)
    answers = Counter[tuple[int, str]]()
    for _ in range(PRESSES):
        match_id = db.run_write(lambda conn: _rolled(conn, its.sealer))
        answers += pressed(clerks, f"/office/crews/{crewing.TASK}/match")
        its.do(crews.void, match_id, "再来一次", its.sealer, person=HEAD, now=crewing.LATER)
        made = its.match(match_id)
        assert made.seed is not None and len(made.teams) == len(its.visits)
    with db.read() as conn:
        entries = sa.select(tables.trail.c.object).where(tables.trail.c.act == "crew.match")
        records = list(conn.scalars(entries))
    print(f"\n{sum(answers.values())} presses in pairs: {dict(answers)}; {len(records)} records")
    assert answers == {(303, ""): PRESSES, (409, "crew_state"): PRESSES}
    assert len(records) == len(set(records)) == PRESSES >= 200
    close(db, *clerks)


def _contributed(conn: Any, sealer: Any) -> str:
    now = datetime.now(UTC)
    due = stamp(now + timedelta(days=1))
    named = [Source("kl8", "lottery", 61, "下一期", due), Source("dice", "dice", 25, "十个骰子", due)]
    draw_id = draws.commit(conn, CLERK, now, "t1", named, hashlib.sha256(stamp(now).encode()).digest(), sealer)
    for k, value in (("kl8", BALLS), ("dice", DICE)):
        draws.contribute(conn, CLERK, now, draw_id, k, value, now, "李见证", link="https://example.cn/kl8")
    return draw_id


def _rolled(conn: Any, sealer: Any) -> str:
    secret = hashlib.sha256(stamp(datetime.now(UTC)).encode()).digest()
    match_id = crews.commit(conn, CLERK, crewing.NOW, crewing.TASK, [crewing.SOURCE], secret, sealer)
    at, link = crewing.LATER, "https://example.cn/1"
    crews.contribute(conn, CLERK, at, match_id, "dice/1", crewing.DICE, at, "见证人甲", link)
    return match_id


class Bureau(Hall):
    """A hall whose database is read beside the server; each thread has clients of its own."""

    def __init__(self, running: Running) -> None:
        super().__init__(running)
        self.db = database_of(running)
        self.ceremony = Ceremony(self.db)
        self.reports: dict[str, Report] = {}
        library = sa.delete(members).where(members.c.subject_id >= subject_id(LIBRARY))
        self.db.run_write(lambda conn: conn.execute(library))

    def close(self) -> None:
        self.db.close()
        super().close()

    def client(self, who: str) -> httpx.Client:
        name = f"{who} {get_ident()}"
        if name not in self._clients:
            self._clients[name] = self.running.signed_in(who)
        return self._clients[name]


class Clerk:
    """One history: what the clerk asks of one task, over HTTP; a refusal is an answer like any other."""

    def __init__(self, hall: Bureau, task_id: str, rng: Random) -> None:
        self.hall, self.task_id, self.rng = hall, task_id, rng
        self.seen = Counter[tuple[str, str]]()
        self.draws: list[str] = []
        self.voids = 0
        self.out: list[str] = []

    @property
    def now(self) -> Draw | None:
        """His draw as it stands."""
        with self.hall.db.read() as conn:
            return store.draw_of(conn, self.here)

    def onward(self) -> None:
        """What an honest clerk would do next."""
        stands = self.now
        getattr(self, "freeze" if stands is None else NEXT[stands.state, len(stands.contributions)])()

    def ask(self, what: str, who: str, path: str, /, room: str = "draws", **form: str) -> str | None:
        answer = self.hall.client(who).post(f"/office/{room}{path}", data=form, headers=JSON)
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

    def lock(self) -> None:
        self.ask("lock", "clerk", f"/{self.task_id}/dispatch", "tasks", confirm="yes")

    def lock_own(self) -> None:
        self.ask("lock_own", "head", f"/{self.task_id}/dispatch", "tasks", confirm="yes")

    def withdraw(self) -> None:
        """Asks for one who was drawn, or for anybody; the head lets him out."""
        with self.hall.db.read() as conn:
            drawn = [one.subject_id for one in tasks.drawn_of(conn, self.task_id) if one.state == "counted"]
        one = self.rng.choice(drawn or ["s001"])
        reason = {"reason": "整体搬迁到外区"}
        if self.ask("withdraw", "clerk", f"/{self.task_id}/withdrawals", "tasks", subject_id=one, **reason) is None:
            return
        with self.hall.db.read() as conn:
            asked = next(it.id for it in tasks.withdrawals_of(conn, self.task_id) if it.state == "asked")
        self.ask("withdraw_own", "clerk", f"/withdrawals/{asked}", "tasks", answer="approved")
        if self.ask("decide", "head", f"/withdrawals/{asked}", "tasks", answer="approved") is not None:
            self.out.append(one)

    def restart(self) -> None:
        self.hall.restart()


STEPS = (
    "freeze", "lottery", "dice", "run", "lock", "withdraw", "void", "early", "other", "weak", "run_old", "void_own",
    "excuse", "lock_own",
)  # fmt: skip
WEIGHTS = (2, 9, 9, 8, 6, 3, 2, 1, 1, 1, 1, 1, 1, 1)
ONWARD = 0.4
NEXT = {
    ("committed", 0): "lottery", ("committed", 1): "dice", ("contributed", 2): "run", ("drawn", 2): "lock",
    ("dispatched", 2): "withdraw", ("void", 0): "freeze", ("void", 1): "freeze", ("void", 2): "freeze",
}  # fmt: skip
NEVER = ("early", "other", "weak", "void_own", "excuse", "lock_own", "withdraw_own")
"""What is refused wherever a draw stands."""


WHOLE = ("freeze", "lottery", "dice", "run", "lock", "withdraw", "run_old", "void", "freeze", "withdraw")
RESTARTS = {249: 3, 499: 4, 749: 5, 999: 6}
"""Whole histories in which the server is killed, and before which step: drawn from, locked, withdrawn, changed anew."""


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Bureau]:
    data = tmp_path / "data"
    data.mkdir()
    (data / "suijian.db").write_bytes(databases.migrated_file())
    made = Bureau(Running(data).start())
    yield made
    made.close()


def history(hall: Bureau, seed: int) -> Clerk:
    """One task from its first commitment; what is still open in the end is void."""
    rng = Random(seed)
    hall.ceremony.task(f"h{seed}", disclosure="open", campaign=CAMPAIGN, n=3)
    clerk = Clerk(hall, f"h{seed}", rng)
    if seed in RESTARTS:
        steps = [*WHOLE[: RESTARTS[seed]], "restart", *WHOLE[RESTARTS[seed] :]]
    else:
        some = rng.choices(STEPS, WEIGHTS, k=rng.randrange(4, 10))
        steps = ["freeze", *("onward" if rng.random() < ONWARD else step for step in some)]
    for step in steps:
        getattr(clerk, step)()
    last = clerk.now
    if last is not None and last.state in ("committed", "contributed"):
        clerk.void()
    return clerk


def test_a_thousand_histories_leave_one_public_chain(hall: Bureau) -> None:
    """Two clerks at a time, each with tasks of his own, in one chain; the server is killed in the middle of some."""
    clerks: list[Clerk] = []
    for last in RESTARTS:
        with ThreadPoolExecutor(2) as both:
            clerks += both.map(lambda seed: history(hall, seed), range(len(clerks), last))
        clerks.append(history(hall, last))
        published(hall, clerks)
    seen = sum((one.seen for one in clerks), Counter[tuple[str, str]]())
    shown(hall, [one for one in clerks if one.out])
    voids, out, locks = sum(one.voids for one in clerks), sum(len(one.out) for one in clerks), seen["lock", "done"]
    print(f"\n{len(clerks)} histories, {sum(seen.values())} acts, {seen['freeze', 'done']} commitments,", end=" ")
    print(f"{len(hall.reports)} files, {voids} voids, {locks} locks, {out} withdrawn, {len(RESTARTS)} restarts")
    assert len(clerks) >= 1_000
    assert seen["freeze", "done"] >= len(clerks)
    assert voids > len(clerks) // 4
    assert locks > len(clerks) // 10
    assert out == seen["decide", "done"] > len(clerks) // 10
    assert {step for step, _ in seen} == {"freeze", "withdraw_own", "decide", *STEPS} - {"weak"}
    assert not [pair for pair in seen if pair[0] in NEVER and pair[1] == "done"]


def published(hall: Bureau, clerks: list[Clerk]) -> None:
    """What everybody can fetch, checked by the verifier of the standard library; what was there before still is."""
    stranger = hall.running.client()
    links = stranger.get("/draws/chain.json").json()["sdraw1"]
    assert len(links) == sum(len(one.draws) for one in clerks)
    named = {file["sha256"]: file["href"] for link in links for file in link["files"]}
    assert hall.reports.keys() <= named.keys()
    for sha256, href in named.items():
        if sha256 not in hall.reports:
            body = stranger.get(href).content
            assert hashlib.sha256(body).hexdigest() == sha256
            hall.reports[sha256] = check(body, href)
    stranger.close()
    reports = list(hall.reports.values())
    check_chain(reports)
    assert [str(fault) for report in reports for fault in report.faults] == []
    documents = [report.content for report in reports]
    assert {one["commit"] for one in documents} == {link["commit"] for link in links}
    assert len({one["commit"] for one in documents if one["void"] is not None}) == sum(one.voids for one in clerks)


def shown(hall: Bureau, clerks: list[Clerk]) -> None:
    """Every page of a draw says how many were let out of it after its lock."""
    said = {stands.no: f"撤回 {len(one.out)} 户" for one in clerks if (stands := one.now)}
    with hall.running.client() as stranger:
        assert [no for no, words in said.items() if words not in stranger.get(f"/draws/{no}", headers=HTML).text] == []
