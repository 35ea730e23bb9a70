"""Loads the demo district into a new database: registries, people, tasks, and visits in every state."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta

from server.demo import district, draws, imports, officers, outside_draw, plans
from server.demo.item_list import release_history
from server.demo.items import items
from server.demo.office import after
from server.demo.people import ACCOUNTS, PASSWORD, Account
from server.demo.phone import BEIJING, Phone, Server
from server.demo.plan import DISPATCHED_AGO, VISITS, moment, tasks, visit_ids
from server.demo.scenes import Visit
from server.demo.visits import PLAYS
from server.domain.item import Item, template_of
from server.domain.subject import Subject
from server.domain.task import Task
from server.settings import Settings
from server.store import devices, people, registry
from server.store.files import FileStore
from server.store.migrate import DEMO, EPOCH, REPLICA, meta_of, set_meta
from server.store.people import Person, Session
from server.store.seal import Sealer, open_sealer
from server.store.session import Connection, Database
from server.store.tasks import add_tasks
from server.sync.acts import open_visit
from server.sync.keys import open_keys


def load(db: Database, settings: Settings, today: date | None, now: datetime) -> None:
    """Loads all of it; dates hang on `today`, which is the day of `now` in Beijing where it isn't given."""
    day = today or now.astimezone(BEIJING).date()
    with db.read() as conn:
        keys = open_keys(settings.keys, str(meta_of(conn, REPLICA)), str(meta_of(conn, EPOCH)))
    sealer = open_sealer(settings.keys)
    server = Server(db, FileStore(settings.media), keys)
    everybody = district.subjects(day)
    begin = moment(day, DISPATCHED_AGO, 8, 30)
    db.run_write(lambda conn: _fill(conn, sealer, day, everybody, begin))
    phones = db.run_write(lambda conn: _enrol(conn, server, begin))
    by_item = {item.id: item for item in items()}
    visits = db.run_write(lambda conn: _dispatch(conn, server, day, everybody, by_item, phones))
    for name, play in PLAYS.items():
        play.scene(visits[name], day, play.workdays_ago)
        after(server, name, visits[name], day, play.workdays_ago)
    db.run_write(lambda conn: draws.fill(conn, sealer, day))
    imports.fill(db, settings, sealer, moment(day, 0, 9))
    db.run_write(lambda conn: set_meta(conn, DEMO, day.isoformat()))


def _fill(conn: Connection, sealer: Sealer, day: date, everybody: list[Subject], now: datetime) -> None:
    """The registries and the accounts, and the mark that this is a demo."""
    set_meta(conn, DEMO, "loading")
    registry.add_units(conn, district.UNITS)
    officers.fill(conn, sealer, day, now)
    district.fill(conn, sealer, everybody, now)
    officers.fill_interests(conn, day, now)
    release_history(conn, day)
    add_tasks(conn, tasks(day).values())
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


def _dispatch(
    conn: Connection,
    server: Server,
    day: date,
    everybody: list[Subject],
    by_item: dict[str, Item],
    phones: dict[str, Phone],
) -> dict[str, Visit]:
    """Opens every visit of the plan, each with the checklist of its items."""
    known = tasks(day)
    dispatched = moment(day, DISPATCHED_AGO, 16)
    ids = visit_ids(dispatched)
    visits = {}
    for place, planned in enumerate(VISITS):
        its = [known[name] for name in planned.tasks]
        looked_at = [by_item[item] for task in its for item in task.items]
        subject = everybody[planned.subject - 1]
        template = template_of(looked_at)
        registry.keep_template(conn, template)
        open_visit(
            conn,
            server.keys,
            visit_id=ids[planned.name],
            unit_id=its[0].unit_id,
            subject_id=subject.id,
            subject=(subject.name, subject.code),
            tpl=template.sha256,
            window=_window(its),
            tasks=[task.id for task in its],
            crew=[(officer, "member" if place_ else "leader") for place_, officer in enumerate(planned.crew)],
            now=dispatched + timedelta(minutes=place),
            actor="head",
            nonce=hashlib.sha256(planned.name.encode()).hexdigest()[:32],
        )
        crew = tuple(phones[officer] for officer in planned.crew)
        visits[planned.name] = Visit(ids[planned.name], subject, tuple(looked_at), crew)
    return visits


def _window(its: list[Task]) -> tuple[str, str]:
    return max(task.window_from for task in its), min(task.window_to for task in its)
