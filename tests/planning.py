"""A small bureau that plans a year: two items, a library of 212 live subjects, and everybody who has a hand in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import msgspec
import sqlalchemy as sa

from server.domain.item import Basis, Item, Point, Scope
from server.domain.task import Task
from server.office import joint_lists, plan_lines, plans
from server.store import items, registry, tables
from server.store.people import Person
from server.store.selections import Selection, add_selections
from server.store.session import Connection, Database
from server.store.tasks import add_task
from tests import scene
from tests.subjects import row_of

YEAR = 2026
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)
MAIN, OTHER = scene.UNITS
STORAGE, FIRE = "storage", "fire"

CLERK = Person("clerk", "clerk", "clerk", MAIN, ("unit_clerk",), None)
HEAD = Person("head", "head", "head", MAIN, ("unit_head",), None)
CLERK2 = Person("clerk2", "clerk2", "clerk2", OTHER, ("unit_clerk",), None)
HEAD2 = Person("head2", "head2", "head2", OTHER, ("unit_head",), None)
LEGAL = Person("legal", "legal", "legal", MAIN, ("legal_unit",), None)
PRINCIPAL = Person("principal", "principal", "principal", MAIN, ("principal",), None)
BOTH = Person("both", "both", "both", MAIN, ("unit_clerk", "unit_head"), None)

KEY_LIST = {"kind": "key_list", "document": "重点关注名录通知〔2026〕2 号", "from": "2026-06-01", "to": None}
COMPLAINT = {"kind": "complaints", "document": "12350 举报件登记表 2026-017", "from": "2026-06-01", "to": None}
NUMBER = "宛卧应急〔2026〕3 号"


def an_item(id: str, trait: str, ratio: int | None = None) -> Item:
    """An item that covers the subjects with a trait."""
    return Item(
        id=id,
        name=f"{id}检查",
        object="有关单位",
        category="key",
        method="现场检查",
        level="区级",
        sector="other",
        judged="findings",
        basis=(Basis("安全生产法", "主席令第八十八号", "第六十五条", "2021-09-01"),),
        state="released",
        needs_review=False,
        checklist=(Point(f"{id}-1", "是否有台账", "查台账", "安全生产法第六十五条", "管理", False),),
        phrases=(),
        department="卧龙区应急管理局",
        ratio=ratio,
        unit_id=MAIN,
        scope=Scope(traits=(trait,)),
    )


def bureau(db: Database, *, flags: Sequence[int] = (), ratio: int | None = None) -> None:
    """The bureau with its released list and story A's library: 212 subjects, three of them drawn twice this year.

    The subjects at the places `flags` have complaints.
    """
    scene.populate(db)
    fill(db, flags=flags, ratio=ratio)


def fill(db: Database, *, flags: Sequence[int] = (), ratio: int | None = None) -> None:
    """List and library of a bureau whose people are there already."""
    with db.write() as conn:
        both = [an_item(STORAGE, "hazardous_chemicals", ratio), an_item(FIRE, "industry_commerce")]
        registry.add_items(conn, both)
        made = items.ListVersion(1, "2026-01-05", "2026-01-05T00:00:00.000Z", "legal", "卧应急 1", "首次公布", "")
        items.keep_version(conn, msgspec.structs.replace(made, sha256=items.digest_of_list(both)), both)
        conn.execute(sa.insert(tables.subject), [_subject(place, place in flags) for place in range(212)])
        members = [{"unit_id": MAIN, "subject_id": subject_id(place)} for place in range(212)]
        conn.execute(sa.insert(tables.unit_subject), members)
        draw(conn, 3, 7, 150)
        draw(conn, 3, 7, 150)


def _subject(place: int, complaint: bool) -> dict[str, object]:
    flags = [COMPLAINT] if complaint else [KEY_LIST] if place == 7 else []
    trait = "industry_commerce" if place >= 192 else "special_operations"
    return row_of(
        place + 1,
        id=subject_id(place),
        uscc=None,
        registration=f"{411303000000000 + place}",
        name=f"南阳第{place}号有限公司",
        risk="low" if place < 150 else "medium",
        credit="B",
        flags=flags,
        traits=["hazardous_chemicals", trait],
    )


def subject_id(place: int) -> str:
    """The id of the subject at a place of the library."""
    return f"s{place:03}"


def draw(conn: Connection, *places: int, state: str = "counted", on: str = "2026-05-08", unit: str = MAIN) -> None:
    """A task of its own that drew these subjects."""
    n = conn.scalar(sa.select(sa.func.count()).select_from(tables.task))
    made = Task(f"task-{n}", f"第 {n} 批抽查", unit, "undirected", "2026-05-01", "2026-06-30", "2026-06-30", (STORAGE,))
    add_task(conn, made)
    add_selections(conn, [Selection(made.id, subject_id(place), unit, on, state) for place in places])


def line(item: str = STORAGE, **more: object) -> dict[str, str]:
    """What a clerk enters for a line: valid by default."""
    values: dict[str, object] = {
        "item_id": item,
        "scope": "全区有关单位",
        "window_from": "2026-03-01",
        "window_to": "2026-11-30",
        "count": 11 if item == STORAGE else 1,
        "flagged_count": 0,
        "unified_share": 20,
        "own_share": 80,
    }
    return {name: str(value) for name, value in (values | more).items()}


JOINT = {"joint": "lead", "partner": "卧龙区消防救援大队"}


class Office:
    """The acts of the plan on one database, each in a transaction of its own, a minute after the one before."""

    def __init__(self, db: Database) -> None:
        self.db, self.now = db, NOW

    def _tick(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def open(self, number: str = NUMBER, year: int = YEAR) -> None:
        values = {"year": str(year), "supervision_plan": number}
        self.db.run_write(lambda conn: plans.open_plan(conn, LEGAL, self._tick(), values))

    def add(self, values: dict[str, str], who: Person = CLERK, year: int = YEAR) -> str:
        return self.db.run_write(lambda conn: plan_lines.add_line(conn, who, self._tick(), year, values))

    def change(self, line_id: str, values: dict[str, str], who: Person = CLERK) -> None:
        self.db.run_write(lambda conn: plan_lines.change_line(conn, who, self._tick(), line_id, values))

    def remove(self, line_id: str, who: Person = CLERK) -> None:
        self.db.run_write(lambda conn: plan_lines.remove_line(conn, who, self._tick(), line_id))

    def sign(self, line_id: str, who: Person = HEAD) -> None:
        self.db.run_write(lambda conn: plan_lines.sign_line(conn, who, self._tick(), line_id))

    def submit(self, who: Person = CLERK, unit: str = MAIN) -> None:
        self.db.run_write(lambda conn: plans.submit_part(conn, who, self._tick(), YEAR, unit))

    def none(self, who: Person = HEAD2, unit: str = OTHER, reason: str = "今年人员集中培训") -> None:
        self.db.run_write(lambda conn: plans.note_none(conn, who, self._tick(), YEAR, unit, reason))

    def give_back(self, unit: str = MAIN, who: Person = LEGAL, reason: str = "请核对数量") -> None:
        self.db.run_write(lambda conn: plans.give_back(conn, who, self._tick(), YEAR, unit, reason))

    def consolidate(self, who: Person = LEGAL) -> None:
        self.db.run_write(lambda conn: plans.consolidate(conn, who, self._tick(), YEAR))

    def approve(self, who: Person = PRINCIPAL) -> None:
        self.db.run_write(lambda conn: plans.approve(conn, who, self._tick(), YEAR))

    def refuse(self, who: Person = PRINCIPAL, reason: str = "联合抽查再加一项") -> None:
        self.db.run_write(lambda conn: plans.refuse(conn, who, self._tick(), YEAR, reason))

    def file(self, kind: str, who: Person = LEGAL, **more: str) -> None:
        known = {"kind": kind, "authority": f"{kind}机关", "number": f"{kind}〔2026〕1 号", "filed_on": "2026-11-20"}
        self.db.run_write(lambda conn: plans.file_plan(conn, who, self._tick(), YEAR, known | more))

    def release(self, who: Person = LEGAL) -> None:
        self.db.run_write(lambda conn: plans.release(conn, who, self._tick(), YEAR))

    def amend(self, reason: str = "上级部署专项", who: Person = LEGAL) -> None:
        self.db.run_write(lambda conn: plans.amend(conn, who, self._tick(), YEAR, reason))

    def ask(self, kind: str, item: str, who: Person = LEGAL, reason: str = "人手不足") -> str:
        return self.db.run_write(
            lambda conn: plan_lines.ask_override(conn, who, self._tick(), YEAR, kind, item, reason)
        )

    def decide(self, override: str, answer: str = "approved", who: Person = PRINCIPAL, reason: str = "同意") -> None:
        self.db.run_write(lambda conn: plan_lines.decide_override(conn, who, self._tick(), override, answer, reason))

    def import_list(self, line_id: str, content: bytes, who: Person = CLERK, **more: str) -> str:
        known = {"lead": "卧龙区市场监督管理局", "document": "宛卧市监〔2026〕27 号", "drawn_on": "2026-11-02"}
        sent = "名单.csv", content
        return self.db.run_write(
            lambda conn: joint_lists.import_list(conn, who, self._tick(), line_id, known | more, sent)
        )

    def entered(self) -> list[str]:
        """Both items entered and signed, one line joint; the other unit plans nothing."""
        ids = [self.add(line(STORAGE)), self.add(line(FIRE, **JOINT))]
        for one in ids:
            self.sign(one)
        self.submit()
        self.none()
        return ids

    def released(self) -> list[str]:
        """The whole way to the release."""
        self.open()
        ids = self.entered()
        self.consolidate()
        self.approve()
        self.file("upper")
        self.file("market")
        self.release()
        return ids
