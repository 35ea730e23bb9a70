"""The acts of objections: each on one of its own, filed to a published result of the demo and brought to its state."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from itertools import count
from typing import Any

import httpx

from server.demo.district import HAZCHEM
from server.demo.plans import CLERKS, HEADS
from server.domain.instant import beijing_day
from server.office import objection_filing as filing
from server.office import objections as acts
from server.office.objection_page import able
from server.settings import Settings
from server.store import objections
from server.store.files import FileStore
from server.store.seal import open_sealer
from server.store.session import Connection
from tests.office.district import HTML, Office
from tests.office.objecting import CASE, PNG
from tests.office.walks import Step
from tests.office.walks.draws import done
from tests.office.walks.publication import published

PASSWORD = "suijian-demo"
ADDRESSES = count(1)


def post(office: Office, who: str, id: str, act: str, **form: str | list[str]) -> httpx.Response:
    """A form of the room, as a page posts it."""
    return office.client(who).post(f"/office/objections/{id}/{act}", data={"proof": PASSWORD} | form, headers=HTML)


def filed(office: Office, name: str = "approved", unit: str = HAZCHEM) -> str:
    """An objection with a paper, from an address of its own; its id."""
    settings = Settings(data=office.running.data)
    sealer, no = open_sealer(settings.keys), published(office, name, unit).no

    def file(conn: Connection, now: datetime) -> str:
        made = filing.check(conn, sealer, CASE | {"no": no}, [PNG])
        sealed = filing.seal_papers(FileStore(settings.media), sealer, now, made.id, [PNG])
        filing.file_objection(conn, sealer, now, f"walk-{next(ADDRESSES)}", made, sealed)
        return made.id

    return str(done(office, file))


@cache
def sample(office: Office, name: str, unit: str) -> str:
    """One that waits for its papers to be judged."""
    return filed(office, name, unit)


def others(office: Office, id: str) -> list[str]:
    """Two of the unit who weren't of the first crew and may go there."""

    def look(conn: Connection, now: datetime) -> list[str]:
        it = objections.objection_of(conn, id)
        assert it is not None
        first = acts.first_crew(conn, it)
        return [one.id for one in able(conn, it, beijing_day(now)) if one.id not in first][:2]

    found: list[str] = done(office, look)
    return found


def accepted(office: Office) -> str:
    """One that was taken up."""
    id = filed(office)
    assert post(office, "clerk", id, "accept", identity="yes").status_code == 303
    return id


def assignment(office: Office, id: str) -> dict[str, Any]:
    """Two others recheck by the papers."""
    members = others(office, id)
    return {"method": "document_review", "officers": members, "leader": members[0]}


def rechecking(office: Office) -> str:
    """One that is being rechecked."""
    id = accepted(office)
    assert post(office, "clerk", id, "assign", **assignment(office, id)).status_code == 303
    return id


def found(office: Office, outcome: str = "not_upheld") -> str:
    """One whose result waits for the head."""
    id = rechecking(office)
    form = {"outcome": outcome, "grounds": "现场和台账与记录一致。"}
    done(office, lambda conn, now: acts.find(conn, CLERKS[HAZCHEM], now, id, form))
    return id


def confirmed(office: Office, outcome: str = "not_upheld") -> str:
    """One that waits for its answer."""
    id = found(office, outcome)
    done(office, lambda conn, now: acts.confirm(conn, HEADS[HAZCHEM], now, id))
    return id


def _step(who: str, made: Callable[[Office], str], act: str, **form: str) -> Callable[[Office], Step]:
    def walk(office: Office) -> Step:
        id = made(office)
        return Step(who, lambda: post(office, who, id, act, **form))

    return walk


def _assign(office: Office) -> Step:
    id = accepted(office)
    form = assignment(office, id)
    return Step("clerk", lambda: post(office, "clerk", id, "assign", **form))


WALKS: dict[str, Callable[[Office], Step]] = {
    "objection.accept": _step("clerk", filed, "accept", identity="yes"),
    "objection.ask_papers": _step("clerk", filed, "ask", missing="委托书"),
    "objection.refuse": _step("clerk", filed, "refuse", reason="no_grounds", said="请写明事实。"),
    "objection.assign": _assign,
    "objection.find": _step("clerk", rechecking, "find", outcome="not_upheld", grounds="与记录一致。"),
    "objection.send_back": _step("head", found, "send-back", why="请补查台账"),
    "objection.confirm": _step("head", found, "confirm"),
    "objection.answer": _step("clerk", confirmed, "answer"),
    "objection.reveal": _step("clerk", filed, "reveal", reason="通知当事人"),
}
