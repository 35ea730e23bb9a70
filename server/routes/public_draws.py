"""Draws for everybody: the list, a draw with all its attempts, files once they are open, the chain, feeds (R17.1)."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from litestar import Request, Response, Router, get
from litestar.params import FromPath

from server.domain.codes import normal_code
from server.domain.instant import beijing_day
from server.domain.public_draw import PublicDraw, PublicJoint, Ticket, looked_up, opened
from server.errors import Problem
from server.office import public_draws as office
from server.office import public_joint as joint
from server.routes import feeds, guards, verify
from server.routes.draw_said import Said
from server.routes.feeds import Entry, Feed
from server.routes.public_pages import answer, on_problem, page, words_for
from server.words import Words

Anyone = Request[Any, Any, Any]
AT_ONCE: Final = 20
IN_FEED: Final = 50
WIDTH: Final = 311


@get("/draws", exclude_from_auth=True, sync_to_thread=True)
def show_draws(request: Anyone) -> Response[bytes]:
    """The draws, the latest first, and how often each unit went another way than the lot's."""
    asked = request.query_params.get("page", "")
    at = max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1
    with request.app.state.db.read() as conn:
        found = joint.listed(conn, (at - 1) * AT_ONCE, AT_ONCE + 1)
        rates = office.rates(conn)
        waits = office.undispatched(
            conn, [one for one in found if isinstance(one, PublicDraw)], beijing_day(guards.now(request))
        )
    return page(
        request,
        "draws",
        at="draws",
        feeds="/draws",
        draws=found[:AT_ONCE],
        page=at,
        more=len(found) > AT_ONCE,
        rates=rates,
        waits=waits,
        said=Said(words_for(request)),
    )


@get("/draws/{no:str}", exclude_from_auth=True, sync_to_thread=True)
def show_draw(request: Anyone, no: FromPath[str]) -> Response[bytes]:
    """One draw; with `?code=` and an open file, where that code stands."""
    if joint.is_joint(no):
        return _joint_page(request, no)
    asked = normal_code(request.query_params.get("code", ""))[:40]
    with request.app.state.db.read() as conn:
        draw = office.one(conn, no)
        found = office.newest_open(conn, draw)
        kept = office.kept(conn, found[0]) if found else 0
        waits = office.undispatched(conn, [draw], beijing_day(guards.now(request)))
        shown = opened(found[1]) if found else None
        names = office.names_of(conn, shown) if shown else {}
    ticket = looked_up(found[1], asked) if found and asked else None
    return page(
        request,
        "draw",
        at="draws",
        feeds="/draws",
        draw=draw,
        opened=shown,
        officers=found[1].get("officers") if found else None,
        kept=kept,
        waits=waits,
        names=names,
        ticket=ticket,
        bar=bar_of(ticket),
        asked=asked,
        said=Said(words_for(request)),
    )


def _joint_page(request: Anyone, no: str) -> Response[bytes]:
    with request.app.state.db.read() as conn:
        found = joint.one(conn, no)
        drawn = joint.subjects(conn, no)
        officers = joint.officers_of(joint.body_of(conn, no, joint.FILE)) if found.is_open else None
    said = Said(words_for(request))
    return page(
        request, "draw_joint", at="draws", feeds="/draws", draw=found, drawn=drawn, officers=officers, said=said
    )


def bar_of(ticket: Ticket | None) -> dict[str, float] | None:
    """Where on a line of its stratum a ticket stands, and where the cut is."""
    if ticket is None or not ticket.rank:
        return None
    cut = round(WIDTH * ticket.cut / ticket.n, 1)
    here = min(WIDTH - 5, max(5, round(WIDTH * (ticket.rank - 0.5) / ticket.n, 1)))
    return {"cut": cut, "here": here, "text": cut + 5 if cut <= 195 else cut - 5}


@get("/draws/{no:str}/files/{file_name:str}", exclude_from_auth=True, sync_to_thread=True)
def give_file(request: Anyone, no: FromPath[str], file_name: FromPath[str]) -> Response[bytes]:
    """A file as its digest was published, byte for byte."""
    with request.app.state.db.read() as conn:
        body = (joint if joint.is_joint(no) else office).body_of(conn, no, file_name)
    return answer(request, body, "application/json", name=f"draw-{no}-{file_name}")


@get("/draws/chain.json", exclude_from_auth=True, sync_to_thread=True)
def give_chain(request: Anyone) -> Response[bytes]:
    """Every commitment of both algorithms in its order, voids among them."""
    with request.app.state.db.read() as conn:
        body = msgspec.json.encode(office.chain(conn))
    return answer(request, msgspec.json.format(body, indent=1), "application/json", name="draw-chain.json")


@get("/draws/feed.atom", exclude_from_auth=True, sync_to_thread=True)
def draws_as_atom(request: Anyone) -> Response[bytes]:
    """Commitments, draws and voids as Atom."""
    return answer(request, feeds.atom(_feed(request, "atom")), "application/atom+xml; charset=utf-8")


@get("/draws/feed.json", exclude_from_auth=True, sync_to_thread=True)
def draws_as_json_feed(request: Anyone) -> Response[bytes]:
    """Commitments, draws and voids as JSON Feed."""
    return answer(request, feeds.json_feed(_feed(request, "json")), "application/feed+json; charset=utf-8")


def _feed(request: Anyone, kind: str) -> Feed:
    w, origin = words_for(request), request.app.state.settings.origin
    with request.app.state.db.read() as conn:
        found = joint.listed(conn, 0, IN_FEED)
    entries = sorted((entry for draw in found for entry in _news(w, origin, draw)), key=lambda one: one.at)[::-1]
    title = f"{w('app.bureau')} {w('public.draws')}"
    return Feed("draws", title, w("app.bureau"), f"{origin}/draws/feed.{kind}", f"{origin}/draws", entries)


def _news(w: Words, origin: str, draw: PublicDraw | PublicJoint) -> list[Entry]:
    said, address, found = Said(w), f"{origin}/draws/{draw.no}", list[Entry]()
    if isinstance(draw, PublicJoint):
        text = f"{draw.unit}\n{w('draws.by_lead', lead=draw.lead)}\n{draw.document}\n{draw.sha256}"
        return [Entry(f"draw/{draw.no}/{draw.sha256}", draw.task, address, draw.dispatched_at, text)]
    for one in draw.attempts:
        title = f"{w('draws.no', no=draw.no)} {draw.task}"
        text = f"{draw.unit}\n{w('draws.feed_committed', code=said.code(one.commit))}\n{one.commit}"
        found.append(Entry(f"draw/{one.commit}/committed", title, address, one.committed_at, text))
        for file in one.files:
            text = f"{w('draws.feed_drawn', n=one.drawn or 0, code=said.code(file.sha256))}\n{file.sha256}"
            found.append(Entry(f"draw/{one.commit}/{file.sha256}", title, address, file.at, text))
        if one.void is not None:
            text = w("draws.feed_void", reason=one.void.reason)
            found.append(Entry(f"draw/{one.commit}/void", title, address, one.void.at, text))
    return found


router = Router(
    "/",
    exception_handlers={Problem: on_problem},
    route_handlers=[
        show_draws,
        show_draw,
        give_file,
        give_chain,
        draws_as_atom,
        draws_as_json_feed,
        *verify.handlers,
    ],
)
