"""The console command `suijian`: thin shells over the functions that the server uses itself.

It ends with 0 (good), 1 (found something, one line each) or 2 (cannot run: a sentence on stderr).
"""

from __future__ import annotations

import argparse
import getpass
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from server import __version__, sheet_commands
from server.app import app_from_environment, wall_clock
from server.domain.access import ROLES
from server.domain.checkpoint import WITNESS, Key, read_key
from server.errors import Problem
from server.office import log
from server.settings import SettingFault, Settings, read_settings
from server.standalone import check_ledger, verify_draw, verify_trail, witness
from server.store import people
from server.store.migrate import DEMO, meta_of, migrate, newest_version, version_of
from server.store.seal import KEY_FILE, open_sealer
from server.store.sealed import unreadable
from server.store.session import Connection, Database, open_database

GOOD, FOUND, CANNOT = 0, 1, 2
APP = "server.app:app_from_environment"


class Cannot(Exception):
    """A command that can't run; its text is the sentence that people read."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit code."""
    given = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace, Settings], int] = given.run
    try:
        return command(given, read_settings(os.environ))
    except (SettingFault, Cannot) as fault:
        print(fault, file=sys.stderr)
    except Problem as problem:
        print(problem.sentence("en"), file=sys.stderr)
    except SQLAlchemyError as fault:
        print(f"The database cannot be used: {_first_line(fault)}", file=sys.stderr)
    except OSError as fault:
        print(f"{fault.strerror}: {fault.filename or ''}".rstrip(": "), file=sys.stderr)
    return CANNOT


def _first_line(fault: SQLAlchemyError) -> str:
    return str(getattr(fault, "orig", None) or fault).strip().splitlines()[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="suijian", description="Suijian (随检): inspections, offline and in one record."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="command")
    serve_ = commands.add_parser("serve", help="serve the office and the phones")
    serve_.add_argument("--demo", action="store_true", help="load the demo district first, where the database is new")
    serve_.set_defaults(run=serve)
    demo_ = commands.add_parser("demo", help="load the demo district into a new database")
    demo_.add_argument("--today", type=date.fromisoformat, help="the day that its dates hang on (YYYY-MM-DD)")
    demo_.set_defaults(run=demo)
    commands.add_parser("migrate", help="bring the database to the tables of this version").set_defaults(run=migrate_)
    user = commands.add_parser("add-user", help="add an account; the password is read from the terminal or from stdin")
    user.add_argument("username")
    user.add_argument("--name", required=True, help="the person's name")
    user.add_argument("--role", action="append", required=True, choices=ROLES, help="may be given several times")
    user.add_argument("--unit", help="id of the unit")
    user.add_argument("--officer", help="id of the officer whose account this is")
    user.set_defaults(run=add_user)
    sheet_commands.add_commands(commands, import_, export)
    verify = commands.add_parser("verify-draw", help="check published draws: every part, green or red")
    verify_draw.add_arguments(verify)
    verify.set_defaults(run=verify_draw_)
    _add_log_commands(commands)
    commands.add_parser("doctor", help="look whether everything is in order").set_defaults(run=doctor)
    return parser


def _add_log_commands(commands: Any) -> None:
    trail = commands.add_parser("verify-trail", help="name each row of trail and journal that was changed")
    verify_trail.add_arguments(trail)
    trail.set_defaults(run=verify_trail_)
    watch = commands.add_parser("witness", help="watch the log of a server, and countersign what grew out of the old")
    witness.add_arguments(watch)
    watch.set_defaults(run=lambda given, _settings: witness.run(given))
    ledger = commands.add_parser("check-ledger", help="look whether anybody who was drawn vanished from the ledger")
    check_ledger.add_arguments(ledger)
    ledger.set_defaults(run=lambda given, _settings: check_ledger.run(given))
    sign = commands.add_parser("checkpoint", help="sign the log as it is now, and print the checkpoint")
    sign.add_argument(
        "--new-key", action="store_true", help="sign by a new key from now on; the old one vouches for it"
    )
    sign.add_argument("--witness", metavar="KEY", help="take the cosignatures of this witness, by the key that it gave")
    sign.add_argument("--who", help="who that witness is, as the public page says it")
    sign.add_argument("--end-witness", metavar="NAME", help="take no more cosignatures of this witness")
    sign.add_argument("--reason", help="why: of a new key, and of a witness who ends")
    sign.set_defaults(run=checkpoint)


def _open(settings: Settings) -> Database:
    db = open_database(settings.database, settings.data)
    migrate(db)
    return db


def serve(given: argparse.Namespace, settings: Settings) -> int:
    """Serves until it is told to end; refuses demo accounts where others could reach them."""
    db = _open(settings)
    try:
        if given.demo:
            _load_demo(db, settings, None)
        with db.read() as conn:
            has_demo = people.has_demo_accounts(conn)
    finally:
        db.close()
    if has_demo and not settings.is_loopback and not settings.demo_anywhere:
        raise Cannot(
            f"This database has demo accounts, whose password everybody knows, and SUIJIAN_HOST is '{settings.host}', "
            "which others can reach. Use another database, or set SUIJIAN_DEMO_ANYWHERE=yes."
        )
    _require_free_port(settings)
    _print_addresses(settings, has_demo=has_demo)
    with suppress(KeyboardInterrupt):
        (_serve_granian if settings.server == "granian" else _serve_uvicorn)(settings)
    return GOOD


def _require_free_port(settings: Settings) -> None:
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as fault:
            raise Cannot(
                f"Cannot listen on {settings.host}:{settings.port} ({fault.strerror}); "
                "set SUIJIAN_PORT to another port, or end what listens there."
            ) from None


def _serve_uvicorn(settings: Settings) -> None:
    import uvicorn

    from server.logs import start_logging

    start_logging(settings.log_level)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(GOOD))  # uvicorn ends its requests, then raises the signal again
    uvicorn.run(
        app_from_environment() if settings.workers == 1 else APP,
        factory=settings.workers > 1,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=15,
    )


def _serve_granian(settings: Settings) -> None:
    from granian import Granian
    from granian.constants import Interfaces

    Granian(
        APP,
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        log_access=False,
        workers_kill_timeout=15,
    ).serve()


def _print_addresses(settings: Settings, *, has_demo: bool) -> None:
    print(f"随检 Suijian {__version__}")
    print(f"  外勤应用 field app  {settings.origin}/app/")
    print(f"  办公室   office     {settings.origin}/office/")
    if has_demo:
        print("  演示账号 demo accounts (password suijian-demo):")
        print("    li (组长 leader), zhang, wang (组员 members), zhao (另一检查组 another crew)")
        print("    clerk, head, clerk-ic, head-ic, legal, principal, steering, auditor, admin")
    sys.stdout.flush()


def demo(given: argparse.Namespace, settings: Settings) -> int:
    """Loads the demo district into a new database."""
    db = _open(settings)
    try:
        if not _load_demo(db, settings, given.today):
            raise Cannot("This database already holds people or a demo; the demo district needs a new one.")
    finally:
        db.close()
    print("The demo district is loaded.")
    return GOOD


def _load_demo(db: Database, settings: Settings, today: date | None) -> bool:
    """Loads the demo district where nobody is registered yet; whether it did."""
    from server.demo import load

    with db.read() as conn:
        loaded = meta_of(conn, DEMO)
        if loaded == "loading":
            raise Cannot("The demo district was not loaded to its end: remove the data folder and start again.")
        if loaded is not None or people.has_accounts(conn):
            return False
    load(db, settings, today, wall_clock())
    return True


def migrate_(_given: argparse.Namespace, settings: Settings) -> int:
    """Brings the database to the tables of this version."""
    db = _open(settings)
    db.close()
    print(f"The database is at version {newest_version()}.")
    return GOOD


def add_user(given: argparse.Namespace, settings: Settings) -> int:
    """Adds an account."""
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    if len(password) < people.SHORTEST_PASSWORD:
        raise Cannot(f"The password has {len(password)} characters; {people.SHORTEST_PASSWORD} are the least.")
    db = _open(settings)
    password_hash = people.hash_password(password)
    try:
        db.run_write(
            lambda conn: people.add_account(
                conn,
                id=given.officer or given.username,
                username=given.username,
                name=given.name,
                unit_id=given.unit,
                roles=given.role,
                password_hash=password_hash,
                officer_id=given.officer,
                actor="console",
                now=wall_clock(),
            )
        )
    finally:
        db.close()
    print(f"Account '{given.username}' is there.")
    return GOOD


def import_(given: argparse.Namespace, settings: Settings) -> int:
    """Checks a sheet against a library, and applies it if told to."""
    return _with_sheets(sheet_commands.import_file, given, settings)


def export(given: argparse.Namespace, settings: Settings) -> int:
    """Writes a library as a sheet."""
    return _with_sheets(sheet_commands.export_file, given, settings)


def _with_sheets(command: Callable[..., int], given: argparse.Namespace, settings: Settings) -> int:
    db = _open(settings)
    try:
        return command(given, settings, db, wall_clock)
    except sheet_commands.Refused as refused:
        raise Cannot(str(refused)) from None
    finally:
        db.close()


def verify_draw_(given: argparse.Namespace, _settings: Settings) -> int:
    """Checks published draws, as the file does that anyone can download alone."""
    return verify_draw.run(given)


def verify_trail_(given: argparse.Namespace, settings: Settings) -> int:
    """Names each row of trail and journal that was changed, as the file does that auditors take along."""
    url = make_url(settings.database)
    is_file = url.get_backend_name() == "sqlite" and given.postgres is None
    given.postgres = given.postgres or (None if is_file else settings.database)
    given.keys = given.keys or settings.keys
    return verify_trail.run(Path(url.database or "") if is_file else None, given)


def checkpoint(given: argparse.Namespace, settings: Settings) -> int:
    """Signs the log as it is now; first changes its key or its witnesses where that is asked."""
    key = None if given.witness is None else _witness_key(given)
    if (given.new_key or given.end_witness) and not given.reason:
        raise Cannot("Say by --reason why.")
    db, now = _open(settings), wall_clock()
    try:
        signing = log.Log(db, settings.keys, settings.origin)
        if key is not None:
            db.run_write(lambda conn: log.name_witness(conn, "console", now, key, given.who))
        if given.end_witness:
            db.run_write(lambda conn: log.end_witness(conn, "console", now, given.end_witness, given.reason))
        made = signing.change_key(now, "console", given.reason) if given.new_key else signing.sign(now)
    finally:
        db.close()
    print(made.note, end="")
    return GOOD


def _witness_key(given: argparse.Namespace) -> Key:
    try:
        key = read_key(given.witness)
    except ValueError as fault:
        raise Cannot(f"'{given.witness}' is no witness's key: {fault}.") from None
    if key.kind != WITNESS or not given.who:
        raise Cannot("Name a witness by the key that it printed (--witness), and say by --who who that is.")
    return key


def doctor(_given: argparse.Namespace, settings: Settings) -> int:
    """Looks whether everything is in order; what isn't is a line each."""
    findings = list(_findings(settings))
    for line in findings:
        print(line)
    if not findings:
        print("Everything is in order.")
    return FOUND if findings else GOOD


def _findings(settings: Settings) -> list[str]:
    findings = []
    if not settings.data.is_dir():
        return [f"{settings.data}: the data folder does not exist yet; 'suijian migrate' makes it."]
    db = open_database(settings.database)
    try:
        with db.read() as conn:
            if version_of(conn) != newest_version():
                return [f"{settings.data}: the database is at version {version_of(conn)}, not {newest_version()}."]
            if db.is_sqlite:
                findings += [
                    f"database: {row[0]}" for row in conn.exec_driver_sql("PRAGMA quick_check") if row[0] != "ok"
                ]
            if people.has_demo_accounts(conn) and not settings.is_loopback:
                findings.append("accounts: there are demo accounts, and others can reach this server.")
            findings += _sealed_findings(conn, settings)
    finally:
        db.close()
    for path in settings.keys.glob("*"):
        if path.stat().st_mode & 0o077:
            findings.append(f"{path}: others can read this key; it should have the mode 0600.")
    return findings


def _sealed_findings(conn: Connection, settings: Settings) -> list[str]:
    """What is sealed and can't be opened; a house that was never started has no key and nothing sealed."""
    if not (settings.keys / KEY_FILE).exists():
        return []
    try:
        return list(unreadable(conn, open_sealer(settings.keys)))
    except ValueError as fault:
        return [str(fault)]


if __name__ == "__main__":
    sys.exit(main())
