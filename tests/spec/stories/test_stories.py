"""Every named patient gets exactly what the stories' files say: from the plain twin, and from the platform."""

from __future__ import annotations

from decimal import Decimal

import pytest
from tests.spec.stories.by_twin import FIELDS, settle_story
from tests.spec.stories.conftest import now, silent

from yibao.demo.desks import order_of, read_desks
from yibao.demo.histories import replay_histories, visit_number
from yibao.demo.hospital import Hospital, Send, VisitRefused
from yibao.demo.orders import Desk
from yibao.demo.stories import Story, psn_no_of, stories
from yibao.infra.database import Database
from yibao.kernel.business_time import business_date

SETTLED = [s for s in stories() if not s.refusal and s.key != "zb-first-visit"]
REFUSED = [s for s in stories() if s.refusal]


def key_of(story: Story) -> str:
    """Name a test case after its story."""
    return story.key


@pytest.fixture(scope="module")
async def desks(world: Database, send: Send) -> dict[str, list[Desk]]:
    """Replay all histories, then return who treats where."""
    wanted = sum(len(s.history) for s in stories())
    assert await replay_histories(world, send, now=now, progress=silent) == wanted
    assert await replay_histories(world, send, now=now, progress=silent) == 0
    return await read_desks(world)


@pytest.mark.parametrize("story", SETTLED, ids=key_of)
def test_the_twin_gives_the_stored_amounts(story: Story) -> None:
    _, amounts = settle_story(story, business_date(now()))
    assert amounts == {name: story.expected[name] for name in FIELDS}


@pytest.mark.parametrize("story", SETTLED, ids=key_of)
async def test_the_platform_gives_the_stored_amounts(
    story: Story, world: Database, hospital: Hospital, desks: dict[str, list[Desk]]
) -> None:
    settled = await hospital.settle(await _order(story, world, desks))
    given = {name: Decimal(settled.setlinfo[name]) for name in story.expected}
    assert given == story.expected


@pytest.mark.parametrize("story", REFUSED, ids=key_of)
async def test_the_platform_refuses_with_the_storys_reason(
    story: Story, world: Database, hospital: Hospital, desks: dict[str, list[Desk]]
) -> None:
    with pytest.raises(VisitRefused) as refused:
        await hospital.settle(await _order(story, world, desks))
    print(refused.value)
    assert story.refusal in refused.value.reason


async def _order(story: Story, world: Database, desks: dict[str, list[Desk]]):
    rows = await world.fetch("select certno from people.person where psn_no = $1", psn_no_of(story))
    return order_of(
        story, story.visit, desks, psn_no=psn_no_of(story), certno=rows[0]["certno"],
        visit_no=visit_number(story, 9, now()),
    )
