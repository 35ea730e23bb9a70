"""Loads the demo district into a new database: registries, people, tasks, and visits in every state."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from server.demo import crews, district, draws, imports, objections, officers, outside_draw, plans, tasks
from server.demo.item_list import release_history
from server.demo.items import items
from server.demo.office import AFTER, BEFORE
from server.demo.people import ACCOUNTS, PASSWORD, Account
from server.demo.phone import BEIJING, Phone, Server
from server.demo.plan import DISPATCHED_AGO, moment
from server.demo.scenes import Visit
from server.demo.visits import PLAYS
from server.domain.item import Item
from server.domain.subject import Subject
from server.office.act import same_names
from server.settings import Settings
from server.store import devices, people, registry, visits
from server.store.files import FileStore
from server.store.migrate import DEMO, EPOCH, REPLICA, meta_of, set_meta
from server.store.people import Person, Session
from server.store.seal import Sealer, open_sealer
from server.store.session import Connection, Database
from server.sync.field import SyncField
from server.sync.keys import open_keys


@same_names()
def load(db: Database, settings: Settings, today: date | None, now: datetime) -> dict[str, str]:
    """Loads all of it; the visits' ids by their names in the plays.

    Dates hang on `today`, which is the day of `now` in Beijing where it isn't given.
    """
    day = today or now.astimezone(BEIJING).date()
    with db.read() as conn:
        keys = open_keys(settings.keys, str(meta_of(conn, REPLICA)), str(meta_of(conn, EPOCH)))
    sealer, field = open_sealer(settings.keys), SyncField(keys)
    server = Server(db, FileStore(settings.media), keys)
    everybody = district.subjects(day)
    begin = moment(day, DISPATCHED_AGO, 8, 30)
    db.run_write(lambda conn: _fill(conn, sealer, day, everybody, begin))
    phones = db.run_write(lambda conn: _enrol(conn, server, begin))
    made = db.run_write(lambda conn: tasks.dispatched(conn, sealer, field, day))
    db.run_write(lambda conn: crews.sent(conn, sealer, field, day, made))
    _play(db, server, field, day, made.visits, phones)
    db.run_write(lambda conn: draws.fill(conn, sealer, day))
    objections.fill(server, sealer, day, made.visits)
    imports.fill(db, settings, sealer, moment(day, 0, 9))
    db.run_write(lambda conn: set_meta(conn, DEMO, day.isoformat()))
    return made.visits


def _play(
    db: Database,
    server: Server,
    field: SyncField,
    day: date,
    names: Mapping[str, str],
    phones: Mapping[str, Phone],
) -> None:
    """One visit after the other, each by the crew that it has then."""
    everybody = {one.id: one for one in district.subjects(day)}
    by_item = {item.id: item for item in items()}
    for name, play in PLAYS.items():
        if name in BEFORE:
            db.run_write(lambda conn, name=name: BEFORE[name](conn, field, day, names))  # type: ignore[misc]
        with db.read() as conn:
            visit = _visit(conn, names[name], everybody, by_item, phones)
        play.scene(visit, day, play.workdays_ago)
        if name in AFTER:
            AFTER[name](server, visit, day, play.workdays_ago)


def _visit(
    conn: Connection,
    id: str,
    everybody: Mapping[str, Subject],
    by_item: Mapping[str, Item],
    phones: Mapping[str, Phone],
) -> Visit:
    """A visit as it stands: whom the lot drew, what is looked at there, and who goes."""
    row = visits.look(conn, id)
    body = None if row is None else registry.template_body(conn, row.tpl)
    if row is None or body is None:
        raise AssertionError("a visit that was dispatched is there")
    looked_at = tuple(by_item[item["id"]] for item in json.loads(body)["items"])
    return Visit(id, everybody[row.subject_id], looked_at, tuple(phones[one] for one in crews.crew_of(conn, id)))


def _fill(conn: Connection, sealer: Sealer, day: date, everybody: list[Subject], now: datetime) -> None:
    """The registries and the accounts, and the mark that this is a demo."""
    set_meta(conn, DEMO, "loading")
    registry.add_units(conn, district.UNITS)
    officers.fill(conn, sealer, day, now)
    district.fill(conn, sealer, everybody, now)
    officers.fill_interests(conn, day, now)
    release_history(conn, day)
    for account in ACCOUNTS:
        _add_account(conn, account, now)
    plans.fill(conn, day, everybody)
    outside_draw.fill(conn, day, everybody)


def _add_account(conn: Connection, account: Account, now: datetime) -> None:
    people.add_account(
        conn,
        id=account.username,
        username=account.username,
        name=account.name,
        unit_id=account.unit_id,
        roles=account.roles,
        password_hash=people.hash_password(PASSWORD),
        officer_id=account.username if account.is_officer else None,
        is_demo=True,
        actor="demo",
        now=now,
    )


def _enrol(conn: Connection, server: Server, now: datetime) -> dict[str, Phone]:
    """A phone for each officer who has an account."""
    phones = {}
    for place, account in enumerate(ACCOUNTS):
        if not account.is_officer:
            continue
        name = account.username
        person = Person(name, name, account.name, account.unit_id, account.roles, name)
        phone = Phone(server, person, district.SEED + place, now)
        unbound = Session("", None, "", "", "")  # nobody is signed in on it: the demo's phones are of paper
        devices.enrol(
            conn,
            person,
            unbound,
            phone.pen.rid,
            f"{account.name}的手机",
            phone.pen.public_jwk,
            now + timedelta(minutes=place),
        )
        phones[name] = phone
    return phones
