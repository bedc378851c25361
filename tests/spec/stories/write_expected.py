"""Writes the twin's amounts into the stories' data files: ``python -m tests.spec.stories.write_expected``.

Only for new or changed stories; the tests then hold twin, stored amounts and platform against each other.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import yibao.demo
from tests.spec.stories.by_twin import settle_story
from yibao.demo.stories import Story, stories

DATA = Path(yibao.demo.__file__).parent / "data"


def expected_line(story: Story, day: date) -> str:
    """Return the line of the data file that holds a story's amounts."""
    _, amounts = settle_story(story, day)
    return "expected = { " + ", ".join(f"{name} = {value:.2f}" for name, value in amounts.items()) + " }"


def rewrite(text: str, day: date) -> str:
    """Return a data file with the expected amounts of every story that settles."""
    by_key = {story.key: story for story in stories()}
    lines: list[str] = []
    key = ""
    for line in text.splitlines():
        if line.startswith("expected = "):
            continue
        if found := re.match(r'key = "(.+)"', line):
            key = found[1]
        if line.startswith("visit = ") and not by_key[key].refusal:
            lines.append(expected_line(by_key[key], day))
        lines.append(line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for path in sorted(DATA.glob("stories_*.toml")):
        path.write_text(rewrite(path.read_text("utf-8"), date(2026, 11, 22)), "utf-8")
