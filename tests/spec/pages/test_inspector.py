"""A hospital finds and reads its own messages, and nobody else's."""

from __future__ import annotations

import httpx
import pytest

from tests.spec.pages import world

LIST = "/institution/messages"
SETTLED_MSGID = world.msgid(world.OURS, world.NOW.replace(hour=8, minute=10), 7)


@pytest.mark.parametrize(
    ("number", "transactions"),
    [
        pytest.param(SETTLED_MSGID, {"2207"}, id="msgid"),
        pytest.param(world.PSN, {"1101", "2201", "2204", "2207"}, id="person"),
        pytest.param(world.VISIT, {"2201", "2204", "2207"}, id="visit"),
        pytest.param(world.VISIT_NO, {"2201", "2204", "2207"}, id="visit number of the hospital"),
        pytest.param(world.SETTLED, {"2207"}, id="settlement"),
    ],
)
async def test_any_number_finds_its_messages(ours: httpx.AsyncClient, number: str, transactions: set[str]) -> None:
    html = (await ours.get(LIST, params={"q": number})).text
    table = html.split("<tbody>")[1].split("</tbody>")[0]
    found = {row.split(">")[1][:4] for row in table.split('class="lead"><a ')[1:]}
    assert found == transactions


async def test_message_shows(ours: httpx.AsyncClient) -> None:
    page = await ours.get(LIST + "/view", params={"msgid": SETTLED_MSGID})
    assert page.status_code == 200
    assert "普通门诊" in page.text
