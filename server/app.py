"""The one place where the parts are joined."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.middleware import DefineMiddleware

from server import fieldapp, verifiers
from server.edge import House, headers_of_every_answer
from server.faults import HANDLERS
from server.fieldapp import WEB
from server.office.import_worker import Worker
from server.office.log import Log
from server.papers.press import Press
from server.routes import all_handlers
from server.routes.guards import Authentication
from server.settings import Settings, read_settings
from server.shelf import Item, item, type_of
from server.store.files import FileStore
from server.store.migrate import EPOCH, REPLICA, meta_of, migrate
from server.store.painter import Painter
from server.store.seal import open_sealer
from server.store.session import Database, open_database
from server.store.subjects import take_over
from server.sync.field import SyncField
from server.sync.keys import open_keys
from server.sync.media import Desk, sweep

Clock = Callable[[], datetime]
MOST_BODY = 2**20  # of a JSON request; routes that take more say so themselves
LOOK_EVERY = 300  # seconds between two looks whether the log wants a signature
ASSETS = Path(__file__).parent / "assets"
log = logging.getLogger("suijian.log")


def wall_clock() -> datetime:
    """The moment that it is."""
    return datetime.now(UTC)


def create_app(settings: Settings, clock: Clock = wall_clock) -> House:
    """The app on its database, migrated; `clock` is the only source of the time of day."""
    db = open_database(settings.database, settings.data)
    migrate(db)
    take_over(db, open_sealer(settings.keys), clock())
    handlers: Any = all_handlers()
    return House(
        handlers,
        state=State(_parts(db, settings, clock)),
        middleware=[DefineMiddleware(Authentication)],
        exception_handlers=HANDLERS,
        request_max_body_size=MOST_BODY,
        openapi_config=None,  # `routes.schema` serves the description
        logging_config=None,
        on_startup=[_sweep, _spare_the_collector, _go_on_importing, _keep_signing],
        on_shutdown=[_close],
    )


def _parts(db: Database, settings: Settings, clock: Clock) -> dict[str, object]:
    """What handlers find in `app.state`."""
    with db.read() as conn:
        replica, epoch = meta_of(conn, REPLICA), meta_of(conn, EPOCH)
    app = fieldapp.load()
    every_header = headers_of_every_answer(settings, app.importmap_hash)
    files = FileStore(settings.media)
    sealer = open_sealer(settings.keys)
    keys = open_keys(settings.keys, str(replica), str(epoch))
    return {
        "db": db,
        "settings": settings,
        "clock": clock,
        "keys": keys,
        "field": SyncField(keys),
        "log": Log(db, settings.keys, settings.origin),
        "sealer": sealer,
        "imports": Worker(db, sealer, settings.data / "imports", clock),
        "files": files,
        "painter": Painter(files.shown),
        "press": Press(settings.data / "fonts"),
        "field_app": app,
        "office_files": _office_files(),
        "public_files": _public_files(),
        "verifiers": verifiers.load(),
        "every_header": [(name.lower().encode(), value.encode()) for name, value in every_header.items()],
    }


async def _sweep(app: Litestar) -> None:
    """Takes away the uploads that nobody finished in time."""
    desk = Desk(app.state.db, app.state.files, app.state["keys"], app.state.clock())
    await asyncio.to_thread(sweep, desk)


def _spare_the_collector() -> None:
    """What the app is made of stays, so the collector need not look at it: a push costs a fifth less for it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _go_on_importing(app: Litestar) -> None:
    """Imports that a stopped server left in the middle go on."""
    app.state["imports"].resume()


async def _keep_signing(app: Litestar) -> None:
    """Signs the log now if that is due, and looks again when it is told to, and every few minutes."""
    await _sign(app)
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    app.state.db.tell = partial(_tell, loop, told)
    app.state["signing"] = asyncio.create_task(_go_on_signing(app, told))


def _tell(loop: asyncio.AbstractEventLoop, told: asyncio.Event) -> None:
    """From any thread; a loop that ends meanwhile needs no telling."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(told.set)


async def _go_on_signing(app: Litestar, told: asyncio.Event) -> None:
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(told.wait(), LOOK_EVERY)
        told.clear()
        await _sign(app)


async def _sign(app: Litestar) -> None:
    try:
        await asyncio.to_thread(app.state["log"].sign_if_due, app.state.clock())
    except Exception:  # a full disk passes, and a log that isn't signed this time is signed the next
        log.exception("The log could not be signed.")


async def _close(app: Litestar) -> None:
    app.state["signing"].cancel()
    await app.state.painter.close()
    await asyncio.to_thread(app.state.press.close)
    app.state.db.close()


def app_from_environment() -> House:
    """The app as a server process of several workers makes it for itself."""
    return create_app(read_settings(os.environ))


def _office_files() -> dict[str, Item]:
    """What the office's pages load: their own files, and the ones that they share with the field app."""
    paths = {path.name: path for path in (ASSETS / "office.css", ASSETS / "hall.css", ASSETS / "mark.svg")}
    paths |= {"tokens.css": WEB / "tokens.css", "icons.svg": WEB / "icons.svg"}
    paths["htmx.js"] = WEB / "vendor/htmx.org/htmx.min.js"
    return {
        name: item(f"/office/assets/{name}", type_of(name), path.read_bytes())
        for name, path in paths.items()
        if path.is_file()
    }


def _public_files() -> dict[str, Item]:
    """What the public pages load."""
    paths = (ASSETS / "public.css", ASSETS / "mark.svg", WEB / "tokens.css", WEB / "icons.svg")
    return {path.name: item(f"/assets/{path.name}", type_of(path.name), path.read_bytes()) for path in paths}
