"""A channel of payment in a window: the plan and the table of openings give one answer, to households, people and employers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.spec.contributions.conftest import Town, noon
from tests.spec.contributions.test_openings import resident_bill
from tests.spec.policy.cities import HUIZHOU
from yibao.domains.windows.model import Plan
from yibao.domains.windows.reading import read_plan
from yibao.domains.windows.shipped import plan_text
from yibao.infra.database import Database
from yibao.kernel.refusal import Refusal
from yibao.usecases.contributions.offer_payment import Offer, offer_payment
from yibao.usecases.windows.pass_gate import Gate


@pytest.fixture
async def huizhou(fresh_database_url: str) -> AsyncIterator[Town]:
    """An empty region of Huizhou."""
    database = await Database.open(fresh_database_url, role=None, size=2)
    yield Town(database, HUIZHOU)
    await database.close()


async def offer(town: Town, bill_id: str, *, channel: str, on: str) -> Offer | Refusal:
    """Offer a bill by the plan of the notice."""
    plan = read_plan(plan_text("huizhou-2021") or "")
    assert isinstance(plan, Plan)
    async with town.database.transaction() as tx:
        return await offer_payment(tx, bill_id, channel=channel, now=noon(on), gate=Gate.of([plan]))


async def test_a_household_is_refused_at_the_terminal_and_told_where_to_pay(huizhou: Town) -> None:
    # "POS缴费存在较大业务风险，无法按家庭一次性缴费……请……通过微信、粤税通、粤省事小程序"
    bill = await resident_bill(huizhou, "4413009000000001", payer_kind="household", payer_no="F1")
    refused = await offer(huizhou, bill, channel="pos", on="2021-02-10")
    assert isinstance(refused, Refusal)
    assert [f.code for f in refused.faults] == ["WINDOW_STOPPED"], "one answer, not two"
    assert "微信" in refused.sentence()
    paid = await offer(huizhou, bill, channel="wechat", on="2021-02-10")
    assert isinstance(paid, Offer)
    assert "pos" not in paid.channels
    assert "wechat" in paid.channels


async def test_a_person_may_try_the_terminal_and_is_warned(huizhou: Town) -> None:
    # "以个人身份参保的可以尝试通过POS机刷卡缴费"
    bill = await resident_bill(huizhou, "4413009000000002")
    paid = await offer(huizhou, bill, channel="pos", on="2021-02-10")
    assert isinstance(paid, Offer)
    assert "pos" in paid.channels
    assert any("POS" in w for w in paid.warnings)
    quiet = await offer(huizhou, bill, channel="wechat", on="2021-02-10")
    assert isinstance(quiet, Offer)
    assert not any("建议改用" in w for w in quiet.warnings)


@pytest.mark.parametrize(("channel", "payer_kind"), [("wechat", "person"), ("pos", "person"), ("wechat", "household")])
async def test_inside_the_stop_nobody_pays_through_anything(huizhou: Town, channel: str, payer_kind: str) -> None:
    bill = await resident_bill(huizhou, "4413009000000003", payer_kind=payer_kind, payer_no="F3")
    refused = await offer(huizhou, bill, channel=channel, on="2021-01-28")
    assert isinstance(refused, Refusal)
    assert refused.faults[0].code == "WINDOW_STOPPED"
    assert "恢复时间" in refused.faults[0].reason
