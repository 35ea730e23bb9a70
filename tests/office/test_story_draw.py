"""Story A over HTTP, from the item list to the bystander: each sentence with its asserts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.office.draw_story import SENTENCES, TO_THE_CREWS, Story, begin, end


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    made = begin(tmp_path / "data")
    yield made
    made.close()


def test_story_a_from_the_number_to_the_bystander(story: Story) -> None:
    for step in (*TO_THE_CREWS, end):
        step(story)
    story.all_told()
    print(f"story A, the draw: {len(SENTENCES)} sentences hold")
