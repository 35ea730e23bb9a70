"""Signing in and out: one opaque token, as a bearer for programs and phones and as a cookie for the office's pages."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.datastructures import Cookie

from server.domain.instant import stamp
from server.errors import Problem
from server.office import accounts
from server.routes import guards
from server.routes.body import decode
from server.routes.forms import PROOF_LIFE
from server.routes.guards import Asked, signed_in
from server.settings import Settings
from server.store import people
from server.store.people import Person, Refused, Session, SignedIn
from server.store.session import Database

Username = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$")]
"""A name that both databases can be asked for."""


class Credentials(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody types to sign in."""

    username: Username
    password: str


class Proof(msgspec.Struct, forbid_unknown_fields=True):
    """The password again."""

    password: str


class NewPassword(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody types to change his password; without a session, so that a one-time password can be changed."""

    username: Username
    password: str
    new_password: str


class Proved(msgspec.Struct):
    """Until when acts of weight need no password."""

    until: str


class Officer(msgspec.Struct):
    """The person as a phone knows him."""

    id: str
    name: str
    unit: str | None
    roles: tuple[str, ...]


class Opened(msgspec.Struct):
    """The answer to a sign-in."""

    token: str
    expires_at: str
    officer: Officer


class Present(msgspec.Struct):
    """The answer to "am I still signed in?"."""

    expires_at: str
    rid: str | None
    officer: Officer


def officer_of(person: Person) -> Officer:
    """The person as answers show him."""
    return Officer(person.id, person.name, person.unit_id, person.roles)


@post("/", status_code=200, exclude_from_auth=True)
async def open_session(request: Request[Any, Any, Any], body: bytes) -> Response[Opened]:
    """Signs in. Every wrong sign-in is answered alike."""
    guards.require_own_origin(request)
    given = decode(body, Credentials)
    signed = await try_sign_in(request, given.username, given.password)
    if signed.person.must_change:
        await asyncio.to_thread(_close, request.app.state.db, signed.session, signed.person, guards.now(request))
        raise Problem("password_must_change")
    answer = Opened(signed.token, signed.session.expires_at, officer_of(signed.person))
    return Response(answer, cookies=[session_cookie(request.app.state.settings, signed.token)])


@get("/", guards=[signed_in])
async def read_session(request: Asked) -> Present:
    """Who is signed in, and until when."""
    return Present(request.auth.expires_at, request.auth.rid, officer_of(request.user))


@delete("/", guards=[signed_in], status_code=204)
async def close_session(request: Asked) -> Response[None]:
    """Signs out."""
    db: Database = request.app.state.db
    await asyncio.to_thread(_close, db, request.auth, request.user, guards.now(request))
    return Response(None, status_code=204, cookies=[no_cookie(request.app.state.settings)])


@post("/proof", guards=[signed_in], status_code=200, sync_to_thread=True)
def prove_again(request: Asked, body: bytes) -> Proved:
    """Takes the password again; for ten minutes acts of weight (`proof_needed`) go through."""
    given = decode(body, Proof)
    found = people.prove(
        request.app.state.db,
        request.user,
        request.auth,
        given.password,
        guards.address_of(request),
        guards.now(request),
    )
    if isinstance(found, Refused):
        raise _refusal(found)
    return Proved(stamp(found + PROOF_LIFE))


@post("/password", status_code=204, exclude_from_auth=True)
async def change_password(request: Request[Any, Any, Any], body: bytes) -> None:
    """Changes one's own password by the present one; every session but the phones' ends."""
    guards.require_own_origin(request)
    given = decode(body, NewPassword)
    signed = await try_sign_in(request, given.username, given.password)
    await asyncio.to_thread(_change_password, request.app.state.db, signed, given, guards.now(request))


def _change_password(db: Database, signed: SignedIn, given: NewPassword, now: datetime) -> None:
    entered = {"old_password": given.password, "new_password": given.new_password, "again": given.new_password}
    try:
        hashed = people.hash_password(accounts.check_new_password(entered, given.username))
        db.run_write(lambda conn: accounts.change_password(conn, signed.person, now, hashed, None))
    except Problem:
        _close(db, signed.session, signed.person, now)
        raise


def _close(db: Database, held: Session, person: Person, now: datetime) -> None:
    db.run_write(lambda conn: people.sign_out(conn, held.token_hash, person.id, now))


async def try_sign_in(request: Request[Any, Any, Any], username: str, password: str) -> SignedIn:
    """The session for these words, or the Problem `wrong_credentials` or `slow_down`; for the API and the office."""
    db: Database = request.app.state.db
    now, address = guards.now(request), guards.address_of(request)
    delay = await asyncio.to_thread(people.delay_of, db, address, now)
    if delay:
        await asyncio.sleep(delay.total_seconds())
    signed = await asyncio.to_thread(people.sign_in, db, username, password, address, now)
    if isinstance(signed, SignedIn):
        return signed
    raise _refusal(signed)


def _refusal(refused: Refused) -> Problem:
    if refused.seconds is None:
        return Problem("wrong_credentials", headers={"WWW-Authenticate": "Bearer"})
    return Problem("slow_down", headers={"Retry-After": str(refused.seconds)}, seconds=refused.seconds)


def session_cookie(settings: Settings, token: str) -> Cookie:
    """The cookie that holds the token: for this host only, unreadable for scripts, never sent from another site."""
    return Cookie(
        key=guards.cookie_name(settings.is_https),
        value=token,
        path="/",
        httponly=True,
        secure=settings.is_https,
        samesite="strict",
    )


def no_cookie(settings: Settings) -> Cookie:
    """The cookie that takes the token away."""
    return Cookie(
        key=guards.cookie_name(settings.is_https),
        value="",
        path="/",
        max_age=0,
        httponly=True,
        secure=settings.is_https,
        samesite="strict",
    )


router = Router(
    "/api/session", route_handlers=[open_session, read_session, close_session, prove_again, change_password]
)
