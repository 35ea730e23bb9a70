"""The ceremony's big screen, and the slip that everybody present takes home."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import msgspec
import segno
from litestar import Response, get
from litestar.params import FromPath

from server.domain.public_draw import PublicSource, PublicVoid
from server.office.draw_page import View, Won, agreeing
from server.routes import guards
from server.routes.draw_said import Said
from server.routes.guards import Asked, has_right
from server.routes.pages import render, words_for
from server.routes.rooms.draw_forms import HOME
from server.routes.rooms.draw_seen import seen

FEW: Final = 12
"""How many names stand in one column, readable at eight metres."""

ON_A_SCREEN: Final = 22
SECONDS: Final = 12
"""How long a screen of names stays before the next one comes."""

SUMS: Final = 3


class Hall(msgspec.Struct, frozen=True):
    """What stands on the big screen and on the slip."""

    no: str
    attempt: int
    task: str
    unit: str
    state: str
    is_open: bool
    steps: list[tuple[str, str]]
    commit: str
    committed_at: str
    candidates: int
    list_said: str
    sums: list[str]
    sources: tuple[PublicSource, ...]
    witnesses: int
    drawn: int | None
    drawn_at: str | None
    seed_digest: str | None
    sha256: str | None
    agree: int | None
    void: PublicVoid | None
    winners: tuple[Won, ...]
    first: int
    page: int
    pages: int

    @property
    def many(self) -> bool:
        """Whether the names need two columns."""
        return len(self.winners) > FEW or self.pages > 1


def hall_of(view: View, said: Said, moment: int, agree: int | None) -> Hall:
    """The screen of a draw; `moment` in seconds turns the screens of names where there are several."""
    pages = max(1, -(-len(view.winners) // ON_A_SCREEN))
    page = moment // SECONDS % pages
    return Hall(
        no=view.draw.no,
        attempt=view.draw.attempt,
        task=view.task.name,
        unit=view.unit,
        state=view.draw.state,
        is_open=view.is_open,
        steps=view.steps,
        commit=view.draw.commit,
        committed_at=view.draw.committed_at,
        candidates=view.counted.candidates,
        list_said=list_said(view, said),
        sums=sums_of(view, said),
        sources=view.sources,
        witnesses=sum(one.kind in ("dice", "public_digits") and one.value is not None for one in view.sources),
        drawn=view.drawn,
        drawn_at=view.draw.drawn_at,
        seed_digest=view.seed_digest,
        sha256=view.sha256,
        agree=agree,
        void=view.void,
        winners=view.winners[page * ON_A_SCREEN : (page + 1) * ON_A_SCREEN],
        first=page * ON_A_SCREEN + 1,
        page=page + 1,
        pages=pages,
    )


def list_said(view: View, said: Said) -> str:
    """How many are on the list, and why some are left out."""
    w, counted = said.w, view.counted
    if not counted.excluded:
        return w("draws.hall_list_all", rows=counted.rows)
    why = w("list.comma").join(said.reason(reason) for reason, _ in counted.excluded)
    return w("draws.hall_list", rows=counted.rows, n=counted.rows - counted.candidates, why=why)


def sums_of(view: View, said: Said) -> list[str]:
    """The arithmetic of the places, class by class as far as there is room."""
    w, places = said.w, view.counted.places
    shown = places if len(places) <= SUMS else places[: SUMS - 1]
    found = [w("draws.hall_sum", stratum=said.stratum(one.stratum), sum=said.places(one)) for one in shown]
    return found if shown == places else [*found, w("draws.hall_more", n=len(places) - len(shown))]


@lru_cache(maxsize=64)
def qr_of(content: str) -> str:
    """A QR code as an address that the page's policy lets a picture have."""
    return segno.make(content, error="l", micro=False).svg_data_uri(scale=4, border=1)


def address_of(request: Asked, no: str) -> str:
    """The public page of a draw."""
    return f"{request.app.state.settings.origin}/draws/{no}"


def _shown(request: Asked, draw_id: str, name: str) -> Response[str]:
    view = seen(request, draw_id)
    moment = int(guards.now(request).timestamp())
    hall = hall_of(view, Said(words_for(request)), moment, agreeing(request.app.state.db, view))
    address = address_of(request, hall.no)
    return render(
        request,
        name,
        hall=hall,
        said=Said(words_for(request)),
        qr=qr_of(f"{address}#{hall.sha256 or hall.commit}"),
        address=address,
        home=f"{HOME}/{draw_id}",
        still=hall.void is not None,
    )


@get("/{draw_id:str}/hall", guards=[has_right("draws.read")], sync_to_thread=True)
def show_hall(request: Asked, draw_id: FromPath[str]) -> Response[str]:
    """The big screen: it looks again every few seconds by itself."""
    return _shown(request, draw_id, "draws_hall")


@get("/{draw_id:str}/slip", guards=[has_right("draws.read")], sync_to_thread=True)
def show_slip(request: Asked, draw_id: FromPath[str]) -> Response[str]:
    """The slip, made for A5."""
    return _shown(request, draw_id, "draws_slip")


handlers: list[Any] = [show_hall, show_slip]
