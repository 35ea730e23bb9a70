"""Story E over HTTP: wrong after publication, and the year's end; each sentence with its asserts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.office.late_story import SENTENCES, STILL_TO_COME, Story, begin, tell

pytestmark = pytest.mark.serial


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    made = begin(tmp_path / "data")
    yield made
    made.close()
    made.db.close()


def test_story_e_from_a_wrong_result_to_the_new_year(story: Story) -> None:
    tell(story)
    print(f"story E: {len(SENTENCES)} sentences hold, {len(STILL_TO_COME)} come with their rooms")
