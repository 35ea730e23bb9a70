"""The four checklists are usable, cite the law in force in 2026, and freeze into templates."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date

import pytest
import rfc8785

from server.demo.items import RELEASED, items
from server.domain.item import Item, template_of

BY_ID = {item.id: item for item in items()}
OUTDATED = (
    "令第30号",
    "令30号",
    "GB 9448-1999",
    "GB 15603-1995",
    "GB 2894-2008",
    "GB 2893",
    "GB 7231",
    "591号",
    "令第59号",
    "令第80号",
)


def released() -> list[Item]:
    return [BY_ID[id] for id in RELEASED]


@pytest.mark.rule("R32.1")
def test_four_items_are_released_and_the_annex_is_eight_drafts_to_review() -> None:
    drafts = [item for item in BY_ID.values() if item.state == "draft"]
    assert {item.id for item in BY_ID.values() if item.state == "released"} == set(RELEASED)
    assert [item.id for item in drafts] == ["1a", "1b", "2", "3", "4", "5", "6", "annex-u"]
    assert all(item.needs_review for item in drafts)


@pytest.mark.parametrize("id", RELEASED)
def test_a_checklist_has_20_to_60_points_each_with_a_way_and_a_basis(id: str) -> None:
    points = BY_ID[id].checklist
    assert 20 <= len(points) <= 60
    assert all(point.text and point.how and point.section for point in points)
    assert all(re.match(r"(《.+》|GB|AQ|特种作业目录)", point.basis) and "：" in point.basis for point in points)


def test_point_ids_are_ids_and_unique_over_all_checklists() -> None:
    ids = [point.id for item in released() for point in item.checklist]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[A-Za-z0-9._-]{1,64}", id) for id in ids)


def test_no_question_is_asked_twice() -> None:
    texts = [point.text for item in released() for point in item.checklist]
    assert len(texts) == len(set(texts))


def test_sections_of_different_items_have_different_names() -> None:
    sections = [section for item in released() for section in {point.section for point in item.checklist}]
    assert len(sections) == len(set(sections))


def test_no_checklist_cites_a_text_that_has_been_replaced() -> None:
    written = json.dumps([point.basis for item in released() for point in item.checklist], ensure_ascii=False)
    numbers = json.dumps([[b.document, b.number] for item in released() for b in item.basis], ensure_ascii=False)
    assert not [old for old in OUTDATED if old in written or old in numbers]


@pytest.mark.rule("R5.1")
def test_every_basis_is_in_force_on_a_day_of_late_2026() -> None:
    day = date(2026, 11, 24).isoformat()
    assert all(b.since <= day and (b.until is None or day <= b.until) for item in released() for b in item.basis)


def test_the_order_on_special_operations_is_cited_without_an_article() -> None:
    cited = {basis.article for item in released() for basis in item.basis if "第19号" in basis.number}
    assert cited == {None}


@pytest.mark.rule("R24.5")
def test_both_ways_of_judging_occur() -> None:
    assert {item.judged for item in released()} == {"findings", "standard"}


def test_each_point_and_each_item_has_ready_phrases() -> None:
    for item in released():
        assert {phrase.point for phrase in item.phrases} == {point.id for point in item.checklist} | {None}


def test_a_template_is_the_canonical_document_named_by_its_digest() -> None:
    template = template_of([BY_ID["hazchem-storage"], BY_ID["special-operations"]])
    document = json.loads(template.body)
    assert rfc8785.dumps(document) == template.body
    assert template.sha256 == hashlib.sha256(template.body).hexdigest()
    assert set(document) == {"t", "title", "items"}
    assert document["t"] == "checklist/1"
    assert [set(item) for item in document["items"]] == [{"id", "name", "judged", "points"}] * 2
    point = document["items"][0]["points"][0]
    assert set(point) == {"id", "text", "how", "basis", "section", "major"}


def test_two_points_of_one_id_do_not_make_a_template() -> None:
    with pytest.raises(ValueError, match="same id"):
        template_of([BY_ID["hazchem-storage"]] * 2)
