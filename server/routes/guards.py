"""Who is asking, and may he: the session behind a request, and the guards that routes carry."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, cast

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.enums import RequestEncodingType
from litestar.handlers.base import BaseRouteHandler
from litestar.middleware import AbstractAuthenticationMiddleware, AuthenticationResult
from litestar.types import ASGIApp, Receive, Scope, Send

from server.domain.access import OFFICE, RIGHTS
from server.errors import Problem
from server.routes.body import posted
from server.store import people
from server.store.people import Person, Session
from server.store.session import Database

Connection = ASGIConnection[Any, Any, Any, Any]
Asked = Request[Person, Session, Any]  # what a handler behind `signed_in` takes
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
NO_AUTH = "exclude_from_auth"
ONE_TIME_OK = "one_time_ok"  # opt of the few routes that are open before a one-time password is changed


class Authentication(AbstractAuthenticationMiddleware):
    """Finds the person behind a bearer token or a cookie; a cookie that changes something must prove its page."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, exclude_from_auth_key=NO_AUTH)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sets `user` and `auth`, both None where nobody is signed in: the guards decide what that means."""
        if scope["route_handler"].opt.get(NO_AUTH):
            scope["user"] = scope["auth"] = None
        else:
            found = await self.authenticate_request(Request(scope, receive=receive))
            scope["user"], scope["auth"] = found.user, found.auth
        await self.app(scope, receive, send)

    async def authenticate_request(self, connection: Connection) -> AuthenticationResult:
        """Bearer first; else the cookie, which is sent by itself and therefore needs origin and token."""
        bearer = bearer_of(connection)
        token = bearer or cookie_of(connection)
        held = None if token is None else await _holder(connection, token)
        if held is None:
            return AuthenticationResult(user=None, auth=None)
        if bearer is None and connection.scope.get("method") not in SAFE_METHODS:
            await require_own_page(cast("Request[Any, Any, Any]", connection), cast("str", token))
        return AuthenticationResult(user=held[0], auth=held[1])


async def _holder(connection: Connection, token: str) -> tuple[Person, Session] | None:
    db: Database = connection.app.state.db
    moment = now(connection)
    if db.is_sqlite:  # a read of three pages from the cache: cheaper than the way to a thread and back
        held = _look_up(db, token, moment)
    else:
        held = await asyncio.to_thread(_look_up, db, token, moment)
    if held is not None and people.is_seen_late(held[1], moment):
        await asyncio.to_thread(db.run_write, lambda conn: people.mark_seen(conn, held[1].token_hash, moment))
    return held


def _look_up(db: Database, token: str, moment: datetime) -> tuple[Person, Session] | None:
    with db.read() as conn:
        return people.account_by_token(conn, token, moment)


def now(connection: Connection) -> datetime:
    """The moment of this request, by the app's clock."""
    moment: datetime = connection.app.state.clock()
    return moment


def bearer_of(connection: Connection) -> str | None:
    """The token of the Authorization header."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


def cookie_name(is_https: bool) -> str:
    """The name of the session's cookie: the __Host- prefix where the browser can hold us to it."""
    return "__Host-suijian" if is_https else "suijian"


def cookie_of(connection: Connection) -> str | None:
    """The token of the cookie."""
    return connection.cookies.get(cookie_name(connection.app.state.settings.is_https)) or None


def csrf_of(connection: Connection) -> str:
    """What a page of ours sends back as `X-CSRF-Token` or as the form field `csrf`; empty where no cookie came."""
    token = cookie_of(connection)
    return "" if token is None else people.csrf_of(token)


async def require_own_page(request: Request[Any, Any, Any], token: str) -> None:
    """Refuses what another site's page makes the browser send."""
    require_own_origin(request)
    given = request.headers.get("x-csrf-token")
    if given is None and request.content_type[0] in (
        RequestEncodingType.URL_ENCODED,
        RequestEncodingType.MULTI_PART,
    ):
        given = (await posted(request)).get("csrf")
    if given != people.csrf_of(token):
        raise Problem("bad_csrf")


def require_own_origin(connection: Connection) -> None:
    """Refuses a request whose Origin is neither our public address nor the host that was asked."""
    origin = connection.headers.get("origin")
    if origin is None or origin == connection.app.state.settings.origin:
        return
    if origin.partition("://")[2] != connection.headers.get("host"):
        raise Problem("bad_origin")


def address_of(connection: Connection) -> str:
    """The caller's address; behind a reverse proxy of our own the last one that it noted."""
    if connection.app.state.settings.trust_proxy:
        forwarded = connection.headers.get("x-forwarded-for", "").split(",")[-1].strip()
        if forwarded:
            return forwarded
    return connection.client.host if connection.client else "local"


def signed_in(connection: Connection, handler: BaseRouteHandler) -> None:
    """Guard: somebody is signed in, and not with a password that was given for one time."""
    person = connection.scope.get("user")
    if person is None:
        raise Problem("not_signed_in", headers={"WWW-Authenticate": "Bearer"})
    if person.must_change and not handler.opt.get(ONE_TIME_OK):
        raise Problem("password_must_change")


class has_role:  # noqa: N801  # reads as the sentence it is: guards=[has_role("admin")]
    """Guard: the person has one of these roles."""

    def __init__(self, *roles: str) -> None:
        self.roles = frozenset(roles)

    def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Refuses who is not signed in with 401, and who lacks the role with 403."""
        signed_in(connection, handler)
        if self.roles.isdisjoint(connection.scope["user"].roles):
            raise Problem("forbidden")


class has_right:  # noqa: N801  # likewise: guards=[has_right("subjects.read")]
    """Guard: the person has this right somewhere; on which units is the matter of the act or the query."""

    def __init__(self, right: str) -> None:
        self.right = right
        self.roles = frozenset(RIGHTS[right])

    def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        """Refuses who is not signed in with 401, and who lacks the right with 403."""
        signed_in(connection, handler)
        if self.roles.isdisjoint(connection.scope["user"].roles):
            raise Problem("forbidden")


is_office = has_role(*OFFICE)
is_staff = has_right("office.enter")
