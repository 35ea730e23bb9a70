"""A hall whose tasks are drawn, dispatched and matched over HTTP, with phones of their crews: for stories of crews."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from server.domain.instant import beijing_day
from server.store import crews, draws, people, tables
from server.store.crews import Match, Seen
from server.store.session import Connection, open_database
from tests import databases
from tests.crewing import officer_row
from tests.drawing import BALLS, Ceremony
from tests.office.test_draws_over_http import DICE, HTML, JSON, Hall, given, sources
from tests.phone import Phone
from tests.planning import FIRE, MAIN
from tests.running import Running
from tests.scene import NOW, password_hash
from tests.tasking import entered

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
CREW = ("li", "zhang", "wang", "zhao", "sun", "zhou")
HALVES = {"am": "morning", "pm": "afternoon"}


def day(n: int) -> str:
    """The day so many days from today, in Beijing."""
    return (beijing_day(datetime.now(UTC)) + timedelta(days=n)).isoformat()


def h(text: str) -> str:
    """The hash that the draw's page calls H."""
    return hashlib.sha256(text.encode()).hexdigest()


class CrewHall:
    """Story A's bureau with six officers who may be drawn, each with an account."""

    def __init__(self, data: Path, officers: tuple[str, ...] = CREW) -> None:
        data.mkdir()
        (data / "suijian.db").write_bytes(databases.migrated_file())
        url = f"sqlite:///{data / 'suijian.db'}"
        with closing(open_database(url)) as db:
            Ceremony(db)
            with db.write() as conn:
                conn.execute(sa.update(tables.selection).values(locked_on=f"{datetime.now(UTC).year}-01-01"))
                for n, id in enumerate(CREW[4:], 40):
                    conn.execute(sa.insert(tables.officer).values(officer_row(n, id, unit_id=MAIN)))
                    give_account(conn, id)
                away = tables.officer.c.id.not_in(officers)
                conn.execute(sa.update(tables.officer).values(domains=["other"]))  # the sector of the items
                conn.execute(sa.update(tables.officer).where(away).values(left_on="2026-01-01"))
        self.hall, self.db = Hall(Running(data).start()), open_database(url)
        self.stranger = self.hall.running.client()
        self._phones: dict[tuple[str, str], Phone] = {}

    def close(self) -> None:
        """Ends the server."""
        self.stranger.close()
        self.db.close()
        self.hall.close()

    # --- the office ---------------------------------------------------------------------------------------------------

    def post(self, who: str, path: str, /, **form: Any) -> httpx.Response:
        """A form of the office, as a program sends it."""
        return self.hall.client(who).post(f"/office{path}", data=form, headers=JSON)

    def done(self, who: str, path: str, /, **form: Any) -> str:
        """A form that is done; where it leads."""
        answer = self.post(who, path, **form)
        assert answer.status_code == 303, (path, answer.text)
        return answer.headers["location"]

    def refused(self, who: str, path: str, /, **form: Any) -> tuple[int, str, str | None]:
        """Status, code and article of a refusal."""
        answer = self.post(who, path, **form)
        assert answer.status_code >= 400, (path, answer.status_code)
        return answer.status_code, answer.json()["code"], answer.json().get("article")

    def page(self, who: str, path: str) -> str:
        """A page of the office."""
        answer = self.hall.client(who).get(f"/office{path}", headers=HTML)
        assert answer.status_code == 200, answer.text
        return answer.text

    def public(self, path: str) -> httpx.Response:
        """What a stranger gets."""
        return self.stranger.get(path, headers=HTML)

    # --- a task -------------------------------------------------------------------------------------------------------

    def dispatched(self, n: int = 2, item: str = FIRE, **more: Any) -> str:
        """A task that was drawn and dispatched; its id."""
        window = {"window_from": day(0), "window_to": day(29)}
        plain = {"item": item, "n": n, "name": f"{item}抽查", "disclosure": "open", "crew_size": 2}
        task = self.done("clerk", "/tasks", **entered(**(plain | window | more))).rpartition("/")[2]
        approval = {"approval_number": "宛卧应急检〔2026〕9 号", "approval_on": day(0)}
        self.done("head", f"/tasks/{task}/approve", **approval)
        draw = self.hall.commit(task)
        self.done("clerk", f"/draws/{draw}/contribute", **given("lottery/1", BALLS))
        self.done("clerk", f"/draws/{draw}/contribute", **given("dice/1", DICE))
        self.done("clerk", f"/draws/{draw}/run")
        self.done("clerk", f"/tasks/{task}/dispatch", confirm="yes")
        return task

    def forget_draws(self) -> None:
        """Whatever was drawn so far was drawn years ago: everybody may be drawn twice again."""
        with self.db.write() as conn:
            conn.execute(sa.update(tables.selection).values(locked_on="2020-01-01"))

    def plan(self, task: str, half_days: Mapping[str, str], **more: str) -> None:
        """Saves when each visit is made: visit -> half-day."""
        self.done("clerk", f"/crews/{task}/plan", **{f"half_day:{id}": one for id, one in half_days.items()}, **more)

    def matched(self, task: str) -> None:
        """Commitment, the numbers from outside, the lot, and the way to the phones."""
        room = f"/crews/{task}"
        self.done("clerk", f"{room}/commit", **sources())
        self.done("clerk", f"{room}/contribute", **given("lottery/1", BALLS))
        self.done("clerk", f"{room}/contribute", **given("dice/1", DICE))
        self.done("clerk", f"{room}/match")
        self.done("clerk", f"{room}/assign")

    def visits(self, task: str) -> list[Seen]:
        """A task's visits with their crews of now."""
        with self.db.read() as conn:
            return crews.visits_of_task(conn, task)

    def seen(self, visit: str) -> Seen:
        """One visit."""
        with self.db.read() as conn:
            found = crews.visit_seen(conn, visit)
        assert found is not None
        return found

    def match(self, task: str) -> Match:
        """The match that stands."""
        with self.db.read() as conn:
            found = crews.live_match(conn, task)
        assert found is not None
        return found

    def next_by_lot(self, visit: str, task: str, officers: Collection[str]) -> str:
        """Who of these comes first for a crew's first substitution, by the page on draws (section 3)."""
        seed, code = self.match(task).seed, self.seen(visit).code
        return min(officers, key=lambda one: h(f"{seed}|R|{code}|{self.certificate(one)}|1"))

    def file(self, task: str) -> tuple[bytes, dict[str, Any]]:
        """The newest version of the task's published file, as a stranger gets it: the bytes, and what they say."""
        with self.db.read() as conn:
            draw = draws.standing_of_task(conn, task)
        assert draw is not None
        no = draw.no
        page = self.public(f"/draws/{no}").text
        names = sorted({one.split('"')[0] for one in page.split(f"/draws/{no}/files/")[1:]}, key=_version)
        answer = self.public(f"/draws/{no}/files/{names[-1]}")
        assert answer.status_code == 200, names
        return answer.content, answer.json()

    def certificate(self, officer: str) -> str:
        """His number in the published file."""
        with self.db.read() as conn:
            return crews.candidates_by_id(conn, [officer])[officer].certificate

    def away(self, officer: str, on: str, half: str = "am") -> None:
        """The clerk enters that an officer is on leave for half a day."""
        self.done(
            "clerk", "/officers/leave/new", officer_id=officer, since=on, until=on, part=HALVES[half], kind="annual"
        )

    # --- phones -------------------------------------------------------------------------------------------------------

    def phone(self, officer: str, visit: str) -> Phone:
        """The phone of an officer that looks at one visit only."""
        if (officer, visit) not in self._phones:
            self._phones[officer, visit] = Phone(self.hall.running.url, officer).start(visit)
        return self._phones[officer, visit]

    def recorded(self, visit: str, item: str = FIRE, *, declared: bool = False) -> None:
        """The crew declares that it has no interest, and the leader answers the item's point: nothing was found."""
        seen = self.seen(visit)
        assert seen.leader is not None
        lead = self.phone(seen.leader, visit)
        for one in seen.members if not declared else ():
            phone = self.phone(one, visit)
            phone.set(visit, ["visit", f"no_interest:{one}"], {"interest": False, "reason": None})
            phone.drain()
        lead.drain()
        lead.set(visit, ["answer", f"{item}-1", "verdict"], "pass")
        lead.set(visit, ["visit", f"result:{item}"], ["no_problem_found"])
        lead.set(visit, ["visit", "result"], "no_problem_found")
        lead.drain()

    def signed(self, visit: str) -> None:
        """The crew of now and the subject sign what the server shows."""
        seen = self.seen(visit)
        phones = [self.phone(one, visit) for one in seen.members]
        for one in phones:
            one.drain()
        digest, image = phones[0].view(visit)["digest"], phones[0].upload(visit, PNG)
        for one in phones:
            one.sign(visit, digest, "leader" if one.officer == seen.leader else "member", image=image)
        self.phone(str(seen.leader), visit).sign(visit, digest, "subject", "subject", image=image)
        for one in phones:
            one.drain()

    def proposed(self, visit: str) -> Any:
        """The leader proposes final; the view then."""
        lead = self.phone(str(self.seen(visit).leader), visit)
        lead.drain()
        view = lead.view(visit)
        lead.propose(visit, view["digest"], view["content"]["visit"]["result"], [])
        lead.drain()
        return lead.view(visit)


def give_account(conn: Connection, officer: str) -> None:
    """An account for somebody who is in the library."""
    people.add_account(
        conn, id=officer, username=officer, name=officer, unit_id=MAIN, roles=["officer"],
        password_hash=password_hash(), officer_id=officer, actor="test", now=NOW,
    )  # fmt: skip


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.removesuffix(".json").split("-"))
