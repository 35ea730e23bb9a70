"""Story A's bureau before its first half: item list v2, an empty library, two earlier draws, four people at work."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

import sqlalchemy as sa
import xlsxwriter
from msgspec.structs import replace
from PIL import Image

from server.demo import officers
from server.demo.district import HAZCHEM, LEGAL, UNITS, credit_code
from server.demo.items import items
from server.demo.people import ACCOUNTS, PASSWORD
from server.domain.instant import beijing_day
from server.domain.item import Item
from server.domain.item_entry import checklist_values, item_values
from server.domain.task import Task
from server.office import items as item_acts
from server.settings import Settings
from server.store import items as item_store
from server.store import officers as officers_store
from server.store import people, registry, selections, tables
from server.store.people import Person
from server.store.seal import open_sealer
from server.store.selections import Selection
from server.store.session import Connection, Database, open_database
from server.store.tasks import add_task
from tests import databases
from tests.imports.planted import COLUMNS
from tests.running import Running

CLERK = Person("clerk", "clerk", "周敏", HAZCHEM, ("unit_clerk",), None)
LEGAL_CLERK = Person("legal", "legal", "沈若兰", LEGAL, ("legal_unit",), None)
CAST: Final = ("clerk", "head", "legal", "principal")
SUBJECTS: Final = 212
DRAWN_TWICE: Final = (20, 90, 150)
"""Places in the file of those who were drawn twice this year; the last one comes onto the key list."""

ON_THE_KEY_LIST: Final = 150
MENDED: Final = 57
"""The row of the file whose credit code is one character wrong at first."""


def bureau(data: Path) -> Running:
    """The bureau on a real server."""
    data.mkdir(parents=True)
    (data / "suijian.db").write_bytes(databases.migrated_file())
    settings = Settings(data=data)
    with closing(open_database(settings.database)) as db:
        _fill(db, settings, datetime.now(UTC))
    return Running(data).start()


def _fill(db: Database, settings: Settings, now: datetime) -> None:
    sealer, today = open_sealer(settings.keys), beijing_day(now)
    with db.write() as conn:
        registry.add_units(conn, [unit for unit in UNITS if unit.id in (HAZCHEM, LEGAL)])
        ours = {id: one for id, one in officers.officer_entries(today).items() if one.unit_id in (HAZCHEM, LEGAL)}
        officers_store.insert_officers(conn, sealer, ours, "legal", now)
        for account in ACCOUNTS:
            if account.username in CAST:
                people.add_account(
                    conn, id=account.username, username=account.username, name=account.name, unit_id=account.unit_id,
                    roles=account.roles, password_hash=people.hash_password(PASSWORD), actor="admin", now=now,
                )  # fmt: skip
        _release_two_versions(conn, now)


def _release_two_versions(conn: Connection, now: datetime) -> None:
    """The list as it was: the storing of hazardous chemicals, then with another method; and what waits for v3."""
    storing, special = (
        next(one for one in items() if one.id == id) for id in ("hazchem-storage", "special-operations")
    )
    first, second = now - timedelta(300), now - timedelta(200)
    few = storing.checklist[:12]
    kept = tuple(one for one in storing.phrases if one.point in {None, *(point.id for point in few)})
    _enter(conn, first, replace(storing, method="现场检查", checklist=few, phrases=kept))
    _release(conn, first, "卧应急〔一〕号", "首次公布：危险化学品储存。")
    _change(conn, second, replace(storing, method="现场检查"))
    _release(conn, second, "卧应急〔二〕号", "危险化学品储存：按新的法律依据补充要点。")
    _change(conn, now - timedelta(5), storing)
    _enter(conn, now - timedelta(4), special)


def _enter(conn: Connection, at: datetime, item: Item) -> None:
    item_acts.add_item(conn, CLERK, at, item_values(item), item.id)
    _points(conn, at, item)


def _change(conn: Connection, at: datetime, item: Item) -> None:
    before = _draft(conn, item.id)
    item_acts.change_item(conn, CLERK, at, item.id, item_values(item), item_acts.digest_of_facts(before))
    _points(conn, at, item)


def _points(conn: Connection, at: datetime, item: Item) -> None:
    known = item_store.known_points(conn, item.id)
    fresh = iter([point.id for point in item.checklist if point.id not in known])
    base = item_acts.digest_of_checklist(_draft(conn, item.id))
    item_acts.change_checklist(conn, CLERK, at, item.id, checklist_values(item), base, lambda: next(fresh))
    item_acts.submit_item(conn, CLERK, at, item.id)


def _draft(conn: Connection, item_id: str) -> Item:
    draft = item_store.draft_of(conn, item_id)
    assert draft is not None
    return draft.item


def _release(conn: Connection, at: datetime, number: str, summary: str) -> None:
    values = {"document": f"《卧龙区应急管理局随机抽查事项清单》（{number}）", "summary": summary}
    item_acts.release_list(conn, LEGAL_CLERK, at, values, item_acts.proposal(conn).sha256)


# --- the clerk's file -------------------------------------------------------------------------------------------------


def rows() -> list[list[str]]:
    """212 live subjects of the item: 150 of low risk and 62 of medium, all of credit B; no flags yet."""
    rng, found = Random(212), []
    brands = "宛卧白河汉冶光武独山靳岗紫竹梅溪兴隆和顺昌盛瑞丰泰"
    for place in range(SUBJECTS):
        brand = "".join(rng.choice(brands) for _ in range(2))
        found.append(
            [
                credit_code(rng, "91"),
                "",
                f"南阳{brand}{place + 1:03}号化工经营部",
                f"{brand[0]}某某",
                f"河南省南阳市卧龙区{brand}路{place + 1}号",
                f"{brand[1]}某某",
                f"1400000{place:04}",
                "公司",
                "F5169",
                "411303",
                "低" if place < 150 else "中",
                "B",
                "正常经营",
                "32.990000",
                "112.530000",
                "",
                "涉及危险化学品、特种作业",
            ]
        )
    return found


def write_workbook(path: Path, table: Sequence[Sequence[str]]) -> Path:
    """The rows as a workbook in the layout of the subjects."""
    book = xlsxwriter.Workbook(str(path), {"strings_to_numbers": False})
    sheet = book.add_worksheet("市场主体")
    for number, row in enumerate([list(COLUMNS), *table]):
        sheet.write_row(number, 0, list(row))
    book.close()
    return path


def with_a_wrong_code(table: Sequence[Sequence[str]]) -> list[list[str]]:
    """The file as the clerk first had it: the check character of one code is wrong."""
    wrong = [list(row) for row in table]
    code = wrong[MENDED][0]
    wrong[MENDED][0] = code[:-1] + ("0" if code[-1] != "0" else "1")
    return wrong


def draw_twice(running: Running, codes: Sequence[str]) -> None:
    """Two earlier tasks of this year drew three of them, each twice: what the draw itself will write."""
    subject = tables.subject
    with closing(open_database(f"sqlite:///{running.data / 'suijian.db'}")) as db, db.write() as conn:
        found = {row.uscc: row.id for row in conn.execute(sa.select(subject.c.uscc, subject.c.id))}
        year = beijing_day(datetime.now(UTC)).year
        for number, month in ((1, 3), (2, 6)):
            day = date(year, month, 15).isoformat()
            task = Task(
                f"task-{number}", f"{year}年第{number}次危险化学品储存抽查", HAZCHEM, "directed",
                day, f"{year}-{month:02}-28", f"{year}-{month:02}-28", ("hazchem-storage",), list_version=2,
            )  # fmt: skip
            add_task(conn, task)
            chosen = [Selection(task.id, found[codes[place]], HAZCHEM, day) for place in DRAWN_TWICE]
            selections.add_selections(conn, chosen)


# --- the guide's pictures ---------------------------------------------------------------------------------------------

GUIDE_PICTURES: Final = Path(__file__).resolve().parents[2] / "docs" / "guide" / "pictures"
COLOURS: Final = 96
TALLEST: Final = 1400


def picture(taken: bytes, to: Path) -> None:
    """A picture for the guide: no higher than a reader scrolls, in few colours."""
    image = Image.open(io.BytesIO(taken)).convert("RGB")
    image = image.crop((0, 0, image.width, min(image.height, TALLEST)))
    image = image.resize((image.width * 4 // 5, image.height * 4 // 5), Image.Resampling.LANCZOS)
    to.parent.mkdir(parents=True, exist_ok=True)
    image.quantize(COLOURS).save(to, optimize=True)
