"""The item list in the office: units work on drafts, the legal unit releases versions that nobody edits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from server.domain.faults import Invalid
from server.domain.item import Item, template_of
from server.domain.item_entry import checklist_values, item_values
from server.errors import Problem
from server.office import items as office
from server.store import items as store
from server.store import tables
from server.store.items import ListVersion
from server.store.people import Person
from server.store.session import Database, open_database
from tests.office.walks.items import FACTS, POINT
from tests.scene import NOW, populate

CLERK = Person("clerk", "clerk", "clerk", "hazchem", ("unit_clerk",), None)
OTHER = Person("clerk2", "clerk2", "clerk2", "industry", ("unit_clerk",), None)
HEAD = Person("head", "head", "head", "hazchem", ("unit_head",), None)
LEGAL = Person("legal", "legal", "legal", "hazchem", ("legal_unit",), None)
BOTH = Person("legal2", "legal2", "legal2", "hazchem", ("unit_clerk", "legal_unit"), None)
DOCUMENT = {"document": "《清单》（卧应急〔1〕号）", "summary": "说明"}


class Room:
    """The acts on a database, each in a transaction of its own."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def add(self, id: str = "storage", person: Person = CLERK, /, **change: str) -> Item:
        """An item with one point."""
        with self.db.write() as conn:
            office.add_item(conn, person, NOW, FACTS | change, id)
            base = office.digest_of_checklist(self.draft(id, conn))
            return office.change_checklist(conn, person, NOW, id, POINT, base, lambda: f"{id}-1")

    def draft(self, id: str, conn: sa.Connection | None = None) -> Item:
        """As the working draft has it."""
        if conn is None:
            with self.db.read() as conn:
                return self.draft(id, conn)
        found = store.draft_of(conn, id)
        assert found is not None
        return found.item

    def change(self, id: str, person: Person = CLERK, /, **change: str) -> Item:
        """Changes what it says."""
        item = self.draft(id)
        values = item_values(item) | change
        with self.db.write() as conn:
            return office.change_item(conn, person, NOW, id, values, office.digest_of_facts(item))

    def submit(self, id: str, person: Person = CLERK) -> Item:
        """Hands it in."""
        with self.db.write() as conn:
            return office.submit_item(conn, person, NOW, id)

    def release(self, person: Person = LEGAL, days: int = 0, seen: str | None = None) -> ListVersion:
        """Releases what waits, as the page showed it."""
        with self.db.read() as conn:
            seen = seen or office.proposal(conn).sha256
        with self.db.write() as conn:
            return office.release_list(conn, person, NOW + timedelta(days), DOCUMENT, seen)

    def listed(self, n: int) -> list[Item]:
        """The items of a version."""
        with self.db.read() as conn:
            return store.items_of(conn, n)


@pytest.fixture
def room(any_database: Database) -> Iterator[Room]:
    populate(any_database)
    yield Room(any_database)


def refusal(problem: pytest.ExceptionInfo[Problem]) -> tuple[str, str | None]:
    return problem.value.code, problem.value.article


# --- the list and its versions (R5.2) ---------------------------------------------------------------------------------


@pytest.mark.rule("R5.2", "allows")
def test_what_was_handed_in_takes_effect_with_its_release_and_not_before(room: Room) -> None:
    room.add()
    room.submit("storage")
    assert room.listed(1) == []
    first = room.release()
    assert (first.n, first.released_on, [item.id for item in room.listed(1)]) == (1, "2026-11-24", ["storage"])
    room.change("storage", level="市级")
    room.submit("storage")
    assert [item.level for item in room.listed(1)] == ["区级"]
    assert room.release(days=1).n == 2
    assert [[item.level for item in room.listed(n)] for n in (1, 2)] == [["区级"], ["市级"]]
    assert room.draft("storage").state == "released"


def test_a_draft_that_somebody_is_still_at_stays_out_of_a_release(room: Room) -> None:
    room.add()
    room.submit("storage")
    room.release()
    room.change("storage", level="市级")
    room.add("other-item")
    room.submit("other-item")
    room.release()
    assert {item.id: item.level for item in room.listed(2)} == {"storage": "区级", "other-item": "区级"}
    assert room.draft("storage").state == "draft"


@pytest.mark.rule("R5.2", "refuses")
def test_a_release_that_would_change_nothing_is_refused(room: Room) -> None:
    with pytest.raises(Problem) as refused:
        room.release()
    assert refusal(refused) == ("list_unchanged", "5")


def test_what_changed_after_the_page_was_shown_is_not_released_unseen(room: Room) -> None:
    room.add()
    room.submit("storage")
    with room.db.read() as conn:
        seen = office.proposal(conn).sha256
    room.add("other-item")
    room.submit("other-item")
    with pytest.raises(Problem) as refused:
        room.release(seen=seen)
    assert refusal(refused) == ("list_changed", "5")
    assert room.listed(1) == []


def test_nobody_releases_what_he_himself_entered(room: Room) -> None:
    room.add()
    room.change("storage", BOTH, level="市级")
    room.change("storage", CLERK, level="省级")
    room.submit("storage")
    with pytest.raises(Problem) as refused:
        room.release(BOTH)
    assert refusal(refused) == ("own_entry", "10")
    room.release(LEGAL)
    room.change("storage", CLERK, level="市级")
    room.submit("storage")
    assert room.release(BOTH).n == 2, "what was released before is nobody's entry any more"


def test_a_withdrawn_item_leaves_with_the_next_version_and_stays_in_the_old_one(room: Room) -> None:
    for id in ("storage", "other-item"):
        room.add(id)
        room.submit(id)
    room.release()
    with room.db.write() as conn:
        office.withdraw_item(conn, CLERK, NOW, "storage", "法律已废止")
    assert [item.id for item in room.listed(1)] == ["other-item", "storage"]
    room.release()
    assert [item.id for item in room.listed(2)] == ["other-item"]
    assert [item.id for item in room.listed(1)] == ["other-item", "storage"]
    assert room.draft("storage").state == "withdrawn"


def test_a_withdrawal_needs_a_reason(room: Room) -> None:
    room.add()
    with pytest.raises(Problem) as refused, room.db.write() as conn:
        office.withdraw_item(conn, CLERK, NOW, "storage", "  ")
    assert refused.value.code == "reason_missing"


def test_changes_can_be_dropped_for_what_the_list_says(room: Room) -> None:
    room.add()
    room.submit("storage")
    room.release()
    before = room.draft("storage")
    room.change("storage", level="市级")
    with room.db.write() as conn:
        office.reset_item(conn, CLERK, NOW, "storage")
    assert room.draft("storage") == before


@pytest.mark.parametrize("table", ["list_version", "list_entry", "item_edition"])
@pytest.mark.parametrize("act", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_no_statement_edits_a_released_version(room: Room, table: str, act: str) -> None:
    room.add()
    room.submit("storage")
    room.release()
    column = {"list_version": "n", "list_entry": "place", "item_edition": "item_id"}[table]
    with pytest.raises(sa.exc.DBAPIError, match="append-only"), room.db.write() as conn:
        conn.exec_driver_sql(act.format(table, column, column))
    assert [item.id for item in room.listed(1)] == ["storage"]


def test_nothing_is_added_to_a_version_that_was_released(room: Room) -> None:
    room.add()
    room.submit("storage")
    room.release()
    with room.db.read() as conn:
        edition = store.listed(conn, 1)[0].edition
    late = sa.insert(tables.list_entry).values(version=1, item_id="late", place=9, edition=edition)
    with pytest.raises(sa.exc.DBAPIError, match="complete"), room.db.write() as conn:
        conn.execute(late)


def test_a_version_names_its_items_and_their_checklists_by_digest(room: Room) -> None:
    item = room.add()
    room.submit("storage")
    made = room.release()
    with room.db.read() as conn:
        (listed,) = store.listed(conn, 1)
        body = conn.scalar(sa.select(tables.template.c.body).where(tables.template.c.sha256 == listed.template))
    assert listed.template == template_of([item]).sha256
    assert body == template_of([item]).body
    assert made.sha256 == store.digest_of_list([listed.item])


def test_of_two_who_release_at_once_one_is_told(room: Room) -> None:
    room.add()
    room.submit("storage")
    with room.db.read() as conn:
        seen = office.proposal(conn).sha256
    outcomes: list[object] = []
    meeting = threading.Barrier(2)

    def release() -> None:
        meeting.wait()
        try:
            outcomes.append(room.db.run_write(lambda conn: office.release_list(conn, LEGAL, NOW, DOCUMENT, seen)).n)
        except Problem as problem:
            outcomes.append(problem.code)

    threads = [threading.Thread(target=release) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) in (["1", "list_changed"], ["1", "list_unchanged"])


# --- who may (domain page, section 2) ---------------------------------------------------------------------------------


def test_only_the_clerk_of_the_responsible_unit_changes_an_item(room: Room) -> None:
    room.add()
    for person, code in ((OTHER, "other_unit"), (HEAD, "forbidden"), (LEGAL, "forbidden")):
        with pytest.raises(Problem) as refused:
            room.change("storage", person, level="市级")
        assert refused.value.code == code
    assert room.draft("storage").level == "区级"


def test_only_the_legal_unit_releases(room: Room) -> None:
    room.add()
    room.submit("storage")
    with pytest.raises(Problem) as refused:
        room.release(CLERK)
    assert refused.value.code == "forbidden"


# --- what an item must say (R5.1, R6.1, R32.1) ------------------------------------------------------------------------


@pytest.mark.rule("R5.1", "refuses")
def test_an_item_without_all_that_article_5_asks_is_not_handed_in(room: Room) -> None:
    room.add(**{"scope.traits.hazardous_chemicals": ""})
    with pytest.raises(Problem) as refused:
        room.submit("storage")
    assert refusal(refused) == ("item_incomplete", "5")
    assert refused.value.members["missing"] == ["scope"]


@pytest.mark.rule("R6.1", "refuses")
def test_a_sector_that_article_6_does_not_know_is_refused(room: Room) -> None:
    with pytest.raises(Invalid) as refused:
        room.add(sector="catering")
    assert refusal(refused) == ("invalid", "6")
    assert [(fault.field, fault.code, fault.values) for fault in refused.value.faults] == [
        ("sector", "not_one_of", {"found": "catering"})
    ]


def test_the_annex_is_taken_up_once_by_one_unit(room: Room) -> None:
    with room.db.write() as conn:
        assert len(office.take_up_annex(conn, CLERK, NOW)) == 8
    with pytest.raises(Problem) as refused, room.db.write() as conn:
        office.take_up_annex(conn, CLERK, NOW)
    assert refused.value.code == "item_state"


@pytest.mark.rule("R32.1", "refuses")
def test_a_draft_of_the_annex_enters_no_list_before_somebody_reviewed_it(room: Room) -> None:
    with room.db.write() as conn:
        office.take_up_annex(conn, CLERK, NOW)
    with pytest.raises(Problem) as refused:
        room.submit("1a")
    assert refusal(refused) == ("item_needs_review", "32")


@pytest.mark.rule("R32.1", "allows")
def test_a_reviewed_draft_of_the_annex_enters_the_list(room: Room) -> None:
    with room.db.write() as conn:
        office.take_up_annex(conn, CLERK, NOW)
    room.change("1a", **FACTS, needs_review="")
    with room.db.write() as conn:
        base = office.digest_of_checklist(room.draft("1a", conn))
        office.change_checklist(conn, CLERK, NOW, "1a", POINT, base)
    room.submit("1a")
    room.release()
    assert [item.id for item in room.listed(1)] == ["1a"]


# --- random tasks (R2.1, R5.3) ----------------------------------------------------------------------------------------


@pytest.mark.rule("R2.1", "allows")
def test_a_random_task_takes_released_items_and_freezes_their_version(room: Room) -> None:
    item = room.add()
    room.submit("storage")
    room.release()
    with room.db.read() as conn:
        n, found = office.for_random_task(conn, NOW, ["storage"])
    assert (n, found) == (1, [replace(item, state="released")])


@pytest.mark.rule("R2.1", "refuses")
def test_an_item_that_was_only_handed_in_enters_no_random_task(room: Room) -> None:
    room.add()
    room.submit("storage")
    with pytest.raises(Problem) as refused, room.db.read() as conn:
        office.for_random_task(conn, NOW, ["storage"])
    assert refusal(refused) == ("item_not_released", "2")


@pytest.mark.rule("R5.3", "allows")
def test_a_version_that_a_task_froze_keeps_its_items_whatever_is_released_later(room: Room) -> None:
    item = room.add()
    room.submit("storage")
    room.release()
    room.change("storage", level="市级")
    with room.db.write() as conn:
        changed = replace(room.draft("storage", conn))
        values = checklist_values(changed) | {"point.0.text": "另一句话"}
        office.change_checklist(conn, CLERK, NOW, "storage", values, office.digest_of_checklist(changed))
    room.submit("storage")
    room.release(days=1)
    with room.db.read() as conn:
        assert store.item_at(conn, 1, "storage") == replace(item, state="released")
        assert store.item_at(conn, 2, "storage").checklist[0].text == "另一句话"
        assert [store.current_version(conn, day) for day in ("2026-11-23", "2026-11-24", "2026-11-25")] == [None, 1, 2]


@pytest.mark.rule("R5.3", "refuses")
def test_an_item_that_a_version_did_not_have_is_not_found_in_it(room: Room) -> None:
    room.add()
    room.submit("storage")
    room.release()
    room.add("later")
    room.submit("later")
    room.release()
    with pytest.raises(Problem) as refused, room.db.read() as conn:
        store.item_at(conn, 1, "later")
    assert refusal(refused) == ("item_not_in_version", "5")


# --- checklists of two editors ----------------------------------------------------------------------------------------


def test_the_second_of_two_editors_overwrites_nothing(room: Room) -> None:
    item = room.add()
    base = office.digest_of_checklist(item)
    with room.db.write() as conn:
        office.change_checklist(
            conn, CLERK, NOW, "storage", checklist_values(item) | {"point.0.text": "第一位写的"}, base
        )
    with pytest.raises(Problem) as refused, room.db.write() as conn:
        office.change_checklist(
            conn, CLERK, NOW, "storage", checklist_values(item) | {"point.0.text": "第二位写的"}, base
        )
    assert (refused.value.code, refused.value.status) == ("item_changed", 409)
    assert room.draft("storage").checklist[0].text == "第一位写的"


def test_facts_and_checklist_can_be_edited_at_the_same_time(room: Room) -> None:
    item = room.add()
    with room.db.write() as conn:
        values = checklist_values(item) | {"point.0.text": "要点改了"}
        office.change_checklist(conn, CLERK, NOW, "storage", values, office.digest_of_checklist(item))
    with room.db.write() as conn:
        values = item_values(item) | {"level": "市级"}
        office.change_item(conn, CLERK, NOW, "storage", values, office.digest_of_facts(item))
    now = room.draft("storage")
    assert (now.level, now.checklist[0].text) == ("市级", "要点改了")


def test_a_point_keeps_its_id_over_versions_even_when_it_comes_back(room: Room) -> None:
    item = room.add()
    room.submit("storage")
    room.release()
    with room.db.write() as conn:
        other = POINT | {"point.0.text": "完全另一条"}
        office.change_checklist(conn, CLERK, NOW, "storage", other, office.digest_of_checklist(item), lambda: "second")
    now = room.draft("storage")
    assert [point.id for point in now.checklist] == ["second"]
    back = POINT | {"point.0.id": "storage-1"}
    with room.db.write() as conn:
        office.change_checklist(conn, CLERK, NOW, "storage", back, office.digest_of_checklist(now), lambda: "third")
    assert [point.id for point in room.draft("storage").checklist] == ["storage-1"]


# --- coverage (R8.2) --------------------------------------------------------------------------------------------------


@pytest.mark.rule("R8.2", "allows")
def test_the_coverage_counts_active_subjects_of_the_libraries(room: Room) -> None:
    room.add()
    room.add("nobody", **{"scope.traits.hazardous_chemicals": "", "scope.traits.confined_space": "yes"})
    _subjects(room.db)
    with room.db.read() as conn:
        lines = office.coverage_of(conn)
    assert [(line.item.id, line.total, line.by_unit) for line in lines] == [
        ("nobody", 0, {}),
        ("storage", 2, {"hazchem": 2, "industry": 1}),
    ]


def _subjects(db: Database) -> None:
    """Two in the libraries, one of them in both; one cancelled; one in no library."""
    with db.write() as conn:
        for n, (status, units) in enumerate(
            [("active", ["hazchem", "industry"]), ("active", ["hazchem"]), ("cancelled", ["hazchem"]), ("active", [])]
        ):
            conn.execute(sa.insert(tables.subject).values(_subject(n, status)))
            for unit in units:
                conn.execute(sa.insert(tables.unit_subject).values(unit_id=unit, subject_id=f"s{n}"))


def _subject(n: int, status: str) -> dict[str, object]:
    known: dict[str, object] = {
        "id": f"s{n}", "uscc": f"code-{n}", "name": f"第{n}家", "status": status, "kind": "company",
        "industry": "C2619", "traits": ["hazardous_chemicals"], "lat_e7": None, "lon_e7": None, "flags": [],
    }  # fmt: skip
    wanted = {column.name: column for column in tables.subject.columns if not column.nullable}
    for name, column in wanted.items():
        if name not in known and column.default is None and column.server_default is None:
            known[name] = {sa.LargeBinary: b"", sa.Integer: n}.get(type(column.type), "x")
    return known


def test_opening_the_database_again_finds_the_same_list(sqlite_url: str) -> None:
    db = open_database(sqlite_url)
    populate(db)
    room = Room(db)
    room.add()
    room.submit("storage")
    made = room.release()
    db.close()
    again = Room(open_database(sqlite_url))
    with again.db.read() as conn:
        assert store.versions(conn) == [made]
    again.db.close()
