"""The twin and the stored amounts agree: what the stories promise is not what the platform happens to give."""

from __future__ import annotations

import pytest

from tests.spec.stories.by_twin import FIELDS, settle_story
from tests.spec.stories.conftest import now
from tests.spec.stories.write_expected import DATA, rewrite
from yibao.demo.stories import Story, stories
from yibao.kernel.business_time import business_date

SETTLED = [s for s in stories() if not s.refusal]


@pytest.mark.parametrize("story", SETTLED, ids=lambda s: s.key)
def test_the_twin_gives_the_stored_amounts(story: Story) -> None:
    _, amounts = settle_story(story, business_date(now()))
    assert amounts == {name: story.expected[name] for name in FIELDS}


def test_the_files_hold_what_the_twin_writes() -> None:
    for path in sorted(DATA.glob("stories_*.toml")):
        text = path.read_text("utf-8")
        assert rewrite(text, business_date(now())) == text
