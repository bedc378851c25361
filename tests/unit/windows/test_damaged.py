"""A plan that was damaged on the way is refused or judged, whatever the damage; it never breaks the reader or the check."""

from __future__ import annotations

import random

import pytest

from tests.unit.windows.plans import SMALL
from yibao.domains.windows.shipped import plan_text
from yibao.kernel.refusal import Refusal
from yibao.usecases.windows.check_plan import check_plan

VALUES = (
    "5", "-1", '"x"', '""', "[]", '["x"]', "[5]", "true", "{}", "{ a = 1 }", "2021-10-10", "2021-10-10T00:00:00", "1.5",
    '"待公告"',
)


def judged(text: str) -> str:
    """Check a text; whatever it is, the answer names what is wrong or nothing is."""
    answer = check_plan(text)
    if isinstance(answer, Refusal):
        assert all(f.reason and f.field for f in answer.faults), answer
        return "refused"
    assert all(f.says and f.proposal for f in answer[1])
    return "checked"


@pytest.mark.parametrize("seed", range(60))
def test_one_value_of_another_type(seed: int) -> None:
    chance = random.Random(seed)
    lines = SMALL.split("\n")
    places = [n for n, line in enumerate(lines) if " = " in line and not line.rstrip().endswith("[")]
    place = chance.choice(places)
    key = lines[place].split(" = ")[0]
    for value in VALUES:
        lines[place] = f"{key} = {value}"
        judged("\n".join(lines))


def test_every_line_may_be_missing() -> None:
    lines = SMALL.split("\n")
    answers = [judged("\n".join(lines[:n] + lines[n + 1:])) for n in range(len(lines))]
    assert set(answers) == {"refused", "checked"}


@pytest.mark.parametrize("text", [
    "", "format = 1", "track = 5\nformat = 1", "format = 1\nrule = [1]", "\x00", "a" * 10_000, "[[rule]]\n" * 50,
])
def test_what_is_no_plan(text: str) -> None:
    assert judged(text) == "refused"


def test_a_plan_cut_off_anywhere() -> None:
    text = plan_text("huizhou-2021") or ""
    chance = random.Random(20210125)
    for _ in range(25):
        judged(text[:chance.randrange(len(text))])
