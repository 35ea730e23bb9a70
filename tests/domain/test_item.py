"""What an item of the list must say, whom it covers, and how two lists differ."""

from __future__ import annotations

import hashlib
import json
from itertools import count, pairwise
from typing import NamedTuple

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from server.domain.annex import annex
from server.domain.item import (
    Applies,
    Basis,
    Item,
    Point,
    Scope,
    covers,
    digest_of_edition,
    item_of_edition,
    must_be_complete,
    must_be_released,
    not_in_force,
    template_of,
)
from server.domain.item_difference import difference, item_difference
from server.domain.item_entry import (
    blank_item,
    check_checklist,
    check_item,
    checklist_values,
    item_values,
    moved,
    percent,
    uncited,
)
from server.domain.item_list import coverage, proposed
from server.errors import CODES, Problem

LAW = Basis("《危险化学品安全法》", "主席令第六十四号", "第四十一条", "2026-05-01")
OLD = Basis("《旧规定》", "令第1号", None, "2010-01-01", "2026-04-30")
GOOD = {
    "name": "危险化学品储存安全检查",
    "object": "储存单位",
    "category": "key",
    "method": "现场检查",
    "department": "应急管理局",
    "level": "区级",
    "sector": "hazardous_chemicals",
    "judged": "findings",
    "scope.traits.hazardous_chemicals": "yes",
    "basis.0.document": LAW.document,
    "basis.0.number": LAW.number,
    "basis.0.article": "第四十一条",
    "basis.0.from": "2026-05-01",
}


class Who(NamedTuple):
    """A subject as far as an item looks at it."""

    kind: str = "company"
    industry: str = "C2619"
    traits: tuple[str, ...] = ()


class Some(NamedTuple):
    """Subjects that are alike."""

    kind: str
    industry: str
    traits: tuple[str, ...]
    n: int
    unit_id: str | None = None


def point(id: str, text: str = "", **more: object) -> Point:
    return replace(Point(id, text or f"要点{id}", "看", LAW.label, "现场", False), **more)


def an_item(*points: Point, **more: object) -> Item:
    made, faults = check_item(GOOD, blank_item("storage", "hazchem"))
    assert made is not None, faults
    return replace(made, checklist=points or (point("a"), point("b"), point("c")), **more)


def codes(values: dict[str, str]) -> dict[str, str]:
    made, faults = check_item(values, blank_item("x", None))
    assert made is None
    return {fault.field: fault.code for fault in faults}


# --- what an item says (R5.1, R6.1) -----------------------------------------------------------------------------------


@pytest.mark.rule("R5.1", "allows")
def test_an_item_has_all_that_article_5_asks() -> None:
    made, faults = check_item(GOOD | {"ratio": "2.5"}, blank_item("storage", "hazchem"))
    assert faults == []
    assert made == Item(
        "storage", "危险化学品储存安全检查", "储存单位", "key", "现场检查", "区级", "hazardous_chemicals", "findings",
        (LAW,), "draft", False, (), (), "应急管理局", 250, "hazchem", Scope(traits=("hazardous_chemicals",)),
    )  # fmt: skip


@pytest.mark.parametrize("field", ["name", "object", "category", "method", "department", "level", "sector", "judged"])
def test_what_is_left_out_is_named_at_its_field(field: str) -> None:
    assert codes(GOOD | {field: " "}) == {field: "missing"}


def test_all_faults_come_at_once() -> None:
    wrong = GOOD | {"name": "", "category": "urgent", "basis.0.from": "2026-02-30", "ratio": "150"}
    assert codes(wrong) == {
        "name": "missing",
        "category": "not_one_of",
        "ratio": "not_a_percentage",
        "basis.0.from": "not_a_day",
    }


@pytest.mark.rule("R6.1", "allows")
@pytest.mark.parametrize(
    "sector", ["hazardous_chemicals", "non_coal_mines", "safety_services", "industry_commerce", "other"]
)
def test_every_sector_of_article_6_and_other_is_taken(sector: str) -> None:
    made, _ = check_item(GOOD | {"sector": sector}, blank_item("x", None))
    assert made is not None
    assert made.sector == sector


@pytest.mark.parametrize(
    ("text", "ratio"),
    [("5", 500), ("2.5", 250), ("0.01", 1), ("100", 10_000), ("", None), ("7%", 700), ("２．５％", 250)],
)
def test_a_statutory_ratio_is_a_whole_number_of_ten_thousandths(text: str, ratio: int | None) -> None:
    made, faults = check_item(GOOD | {"ratio": text}, blank_item("x", None))
    assert made is not None, faults
    assert made.ratio == ratio


@given(st.integers(1, 10_000))
def test_a_ratio_is_written_and_read_again_without_loss(ratio: int) -> None:
    made, _ = check_item(GOOD | {"ratio": percent(ratio)}, blank_item("x", None))
    assert made is not None
    assert made.ratio == ratio


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"basis.0.to": "2026-04-30"}, ("basis.0.to", "ends_before")),
        ({"basis.0.document": "《甲法》；《乙法》"}, ("basis.0.document", "basis_mark")),
        ({"basis.1." + key[8:]: value for key, value in GOOD.items() if key.startswith("basis.0.")},
         ("basis.1.document", "basis_twice")),
        ({"scope.industries": "26"}, ("scope.industries", "industry_prefix")),
        ({"object": "储存\u202e单位"}, ("object", "bidi_character")),
        ({"object": "储存\u0007单位"}, ("object", "control_character")),
        ({"name": "长" * 201}, ("name", "too_long")),
    ],
)  # fmt: skip
def test_a_wrong_field_is_refused_with_its_reason(change: dict[str, str], fault: tuple[str, str]) -> None:
    assert codes(GOOD | change) == dict([fault])


def test_an_item_that_is_shown_in_a_form_comes_back_as_it_was() -> None:
    item = an_item(ratio=33, basis=(LAW, OLD), scope=Scope(kinds=("company",), industries=("C26", "F")))
    assert check_item(item_values(item), item) == (item, [])


def test_a_basis_that_is_not_in_force_on_the_day_warns_and_does_not_refuse() -> None:
    item = an_item(basis=(LAW, OLD))
    assert not_in_force(item, "2026-04-30") == [LAW]
    assert not_in_force(item, "2026-05-01") == [OLD]
    assert not_in_force(an_item(), "2026-05-01") == []


@pytest.mark.parametrize("field", ["department", "basis", "scope", "checklist"])
def test_an_item_that_lacks_something_cannot_be_handed_in(field: str) -> None:
    empty: dict[str, object] = {"department": "", "basis": (), "scope": Scope(), "checklist": ()}
    must_be_complete(an_item())
    with pytest.raises(Problem) as refused:
        must_be_complete(replace(an_item(), **{field: empty[field]}))
    assert (refused.value.code, CODES["item_incomplete"].article) == ("item_incomplete", "5")
    assert refused.value.members["missing"] == [field]


# --- the annex (R32.1) ------------------------------------------------------------------------------------------------


def test_the_annex_is_eight_matters_of_which_the_last_has_no_number() -> None:
    drafts = annex()
    assert [item.id for item in drafts] == ["1a", "1b", "2", "3", "4", "5", "6", "annex-u"]
    assert drafts[-1].name == "对有关单位的行政检查"
    assert all(item.needs_review and item.state == "draft" for item in drafts)


# --- random tasks (R2.1) ----------------------------------------------------------------------------------------------


def test_items_of_the_list_enter_a_random_task() -> None:
    must_be_released({"storage", "fire"}, ["fire"])


def test_one_item_outside_the_list_keeps_all_out_of_a_random_task() -> None:
    with pytest.raises(Problem) as refused:
        must_be_released({"storage"}, ["storage", "draft"])
    assert refused.value.document()["code"] == "item_not_released"
    assert refused.value.document()["article"] == "2"
    assert refused.value.document()["items"] == ["draft"]


# --- whom an item covers (R8.2) ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "who", "covered"),
    [
        (Scope(), Who(traits=("hazardous_chemicals",)), False),
        (Scope(everyone=True), Who(), True),
        (Scope(traits=("confined_space", "hazardous_chemicals")), Who(traits=("hazardous_chemicals",)), True),
        (Scope(traits=("confined_space",)), Who(traits=("hazardous_chemicals",)), False),
        (Scope(industries=("C26", "F")), Who(industry="C2619"), True),
        (Scope(industries=("C26", "F")), Who(industry="C2719"), False),
        (Scope(kinds=("individual",)), Who(kind="company"), False),
        (Scope(traits=("confined_space",), industries=("C",)), Who(traits=("confined_space",)), True),
        (Scope(traits=("confined_space",), kinds=("individual",)), Who(traits=("confined_space",)), False),
    ],
)
def test_an_item_covers_those_who_meet_each_condition_that_is_given(scope: Scope, who: Who, covered: bool) -> None:
    assert covers(an_item(scope=scope), who) is covered


def test_the_coverage_counts_each_subject_once_and_lists_items_without_any_first() -> None:
    alike = [
        Some("company", "C", ("confined_space",), 3),
        Some("company", "C", ("confined_space",), 3, "a"),
        Some("company", "C", ("confined_space",), 2, "b"),
        Some("company", "F", ("hazardous_chemicals",), 4),
        Some("company", "F", ("hazardous_chemicals",), 4, "a"),
    ]
    lines = coverage(
        [an_item(), an_item(id="space", scope=Scope(traits=("confined_space",))), an_item(id="none", scope=Scope())],
        alike,
    )
    assert [(line.item.id, line.total, line.by_unit) for line in lines] == [
        ("none", 0, {}),
        ("space", 3, {"a": 3, "b": 2}),
        ("storage", 4, {"a": 4}),
    ]


# --- checklists -------------------------------------------------------------------------------------------------------


def fresh() -> str:
    return f"new-{next(_numbers)}"


_numbers = count(1)


def test_a_checklist_that_is_shown_in_a_form_comes_back_as_it_was() -> None:
    item = an_item(
        point("a", basis=f"{LAW.label}：专人管理", major=True),
        point("b", applies=Applies(("confined_space",), "有地下空间的")),
    )
    made, faults = check_checklist(checklist_values(item), item, {"a", "b"}, fresh)
    assert (made, faults) == ((item.checklist, item.phrases), [])


def test_a_point_keeps_its_id_and_a_new_one_gets_one_that_nothing_had() -> None:
    item = an_item()
    values = checklist_values(item) | {
        f"point.3.{name}": text
        for name, text in {
            "id": "stranger", "text": "新要点", "how": "看", "section": "现场", "more": LAW.label,
        }.items()
    }  # fmt: skip
    made, _ = check_checklist(values, item, {"a", "b", "c"}, lambda: "made-now")
    assert made is not None
    assert [one.id for one in made[0]] == ["a", "b", "c", "made-now"]


def test_an_id_that_is_sent_twice_is_used_once() -> None:
    item = an_item()
    made, _ = check_checklist(checklist_values(item) | {"point.1.id": "a"}, item, {"a", "b", "c"}, lambda: "other")
    assert made is not None
    assert [one.id for one in made[0]] == ["a", "other", "c"]


def test_a_point_stands_only_on_a_basis_of_its_item() -> None:
    item = an_item()
    made, faults = check_checklist(checklist_values(item) | {"point.0.basis.0": "《别的法》"}, item, {"a"}, fresh)
    assert made is None
    assert [(fault.field, fault.code) for fault in faults] == [("point.0.basis", "missing")]
    assert uncited(replace(item, basis=(OLD,))) == list(item.checklist)


def test_rows_move_up_and_down_and_nothing_typed_is_lost() -> None:
    values = checklist_values(an_item()) | {"point.1.text": "改了一半", "base": "x"}

    def texts(found: dict[str, str]) -> list[str]:
        return [found[f"point.{n}.text"] for n in range(len([key for key in found if key.endswith(".text")]))]

    assert texts(moved(values, "point", "up:1")) == ["改了一半", "要点a", "要点c"]
    assert texts(moved(values, "point", "down:1")) == ["要点a", "要点c", "改了一半"]
    assert texts(moved(values, "point", "up:0")) == ["要点a", "改了一半", "要点c"]
    assert texts(moved(values, "point", "remove:0")) == ["改了一半", "要点c"]
    assert texts(moved(values, "point", "add:0")) == ["要点a", "", "改了一半", "要点c"]
    assert texts(moved(values, "point", "add")) == ["要点a", "改了一半", "要点c", ""]
    assert moved(values, "point", "up:99") == values
    assert moved(values, "point", "more:0")["base"] == "x"


def test_a_template_names_only_conditions_that_are_there() -> None:
    plain = json.loads(template_of([an_item()]).body)
    assert set(plain["items"][0]["points"][0]) == {"id", "text", "how", "basis", "section", "major"}
    limited = template_of([an_item(point("a", applies=Applies(("confined_space",))))])
    document = json.loads(limited.body)
    assert document["items"][0]["points"][0]["applies"] == {"traits": ["confined_space"]}
    assert limited.sha256 == hashlib.sha256(rfc8785.dumps(document)).hexdigest()


# --- editions and differences (R5.2) ----------------------------------------------------------------------------------


def test_an_edition_is_the_item_without_where_its_draft_stands() -> None:
    item = an_item(state="ready", needs_review=True)
    assert digest_of_edition(item) == digest_of_edition(replace(item, state="draft", needs_review=False))
    assert digest_of_edition(item) != digest_of_edition(replace(item, level="市级"))
    kept = {key: value for key, value in msgspec.to_builtins(item).items() if key not in ("state", "needs_review")}
    body = rfc8785.dumps(json.loads(json.dumps(kept)))
    assert digest_of_edition(item) == hashlib.sha256(body).hexdigest()
    assert item_of_edition(body) == replace(item, state="released", needs_review=False)


def test_the_difference_tells_what_was_added_removed_and_changed() -> None:
    gone, stays, comes = an_item(id="gone"), an_item(id="stays"), an_item(id="comes")
    found = difference([gone, stays], [replace(stays, method="查阅资料", ratio=500), comes])
    assert [one.id for one in found.added] == ["comes"]
    assert [one.id for one in found.removed] == ["gone"]
    assert [(one.field, one.before, one.after) for one in found.changed[0].changes] == [
        ("method", ("现场检查",), ("查阅资料",)),
        ("ratio", ("",), ("5",)),
    ]
    assert difference([stays], [replace(stays, state="ready", needs_review=True)]).is_empty


def test_the_difference_of_checklists_tells_points_that_came_went_changed_and_moved() -> None:
    a, b, c, d = (point(id) for id in "abcd")
    found = item_difference(an_item(a, b, c), an_item(c, a, replace(b, major=True), d))
    assert [one.id for one in found.points_added] == ["d"]
    assert found.points_removed == ()
    assert [(one.id, [change.field for change in one.changes]) for one in found.points_changed] == [("b", ["major"])]
    assert [(one.id, one.before, one.after) for one in found.points_moved] == [("c", 3, 1)]
    assert [one.id for one in item_difference(an_item(a, b), an_item(a)).points_removed] == ["b"]


@given(st.permutations(list(range(7))))
def test_as_few_points_as_possible_count_as_moved(order: list[int]) -> None:
    points = [point(str(n)) for n in range(7)]
    found = item_difference(an_item(*points), an_item(*(points[n] for n in order)))
    longest = max(
        (bits.bit_count() for bits in range(128) if _rises([n for at, n in enumerate(order) if bits >> at & 1])),
        default=0,
    )
    assert len(found.points_moved) == 7 - longest


def _rises(numbers: list[int]) -> bool:
    return all(a < b for a, b in pairwise(numbers))


def test_only_what_was_handed_in_would_be_released() -> None:
    a, b, c = an_item(id="a"), an_item(id="b"), an_item(id="c")
    drafts = [
        replace(a, state="draft", method="改了"),
        replace(b, state="withdrawing"),
        replace(c, state="ready", method="新的"),
        an_item(id="d", state="draft"),
        an_item(id="e", state="ready"),
    ]
    assert [(one.id, one.method) for one in proposed([a, b, c], drafts)] == [
        ("a", "现场检查"),
        ("c", "新的"),
        ("e", "现场检查"),
    ]
