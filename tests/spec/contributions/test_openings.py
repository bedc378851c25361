"""From when, through what and by whom a bill may be paid: the notice of Huizhou of 2021-02-05 and months that roll."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import pytest

from tests.spec.contributions.conftest import Town, noon
from tests.spec.contributions.test_assessment import assess
from tests.spec.policy.cities import HUIZHOU, ZIBO, city_policy
from yibao.infra.database import Database
from yibao.kernel.refusal import Refusal
from yibao.policy.reckoning.cases import DuesCase
from yibao.policy.reckoning.collection import last_day, late_pays_subsidy, may_pay_from, season_of
from yibao.policy.reckoning.surcharge import surcharge_on
from yibao.usecases.contributions.offer_payment import Offer, offer_payment
from yibao.usecases.contributions.openings import open_channels


@pytest.fixture
async def huizhou(fresh_database_url: str) -> AsyncIterator[Town]:
    """An empty region of Huizhou."""
    database = await Database.open(fresh_database_url, role=None, size=2)
    yield Town(database, HUIZHOU)
    await database.close()


async def offer(town: Town, bill_id: str, *, channel: str, on: str) -> Offer | Refusal:
    async with town.database.transaction() as tx:
        return await offer_payment(tx, bill_id, channel=channel, now=noon(on))


async def resident_bill(town: Town, psn_no: str, *, payer_kind: str = "person", payer_no: str = "") -> str:
    """Write a resident's bill of 2021: the law of that year is not loaded, so it is made by hand."""
    name = f"B{HUIZHOU}-202101-{payer_no or psn_no}-1"
    await town.run(
        "insert into contributions.bill (bill_id, admdvs, payer_kind, payer_no, kind, month, ordinal, count, amount_fen, state, "
        "due_on, pay_from, made_at) values ($1, $2, $3, $4, 'regular', '2021-01-01', 1, 1, 28000, 'sent', '2021-12-31', "
        "'2021-01-01', now())", name, HUIZHOU, payer_kind, payer_no or psn_no)
    await due(town, psn_no, date(2021, 1, 1), name, "sent")
    return name


async def due(town: Town, psn_no: str, month: date, bill_id: str, state: str) -> None:
    await town.run(
        "insert into contributions.due (psn_no, due_id, admdvs, relation_id, insutype, month, months, kind, payer_kind, "
        "payer_no, base_fen, parts, amounts, funds, total_fen, bill_id, state, assessed_at, paid_on, policy_version) "
        "values ($1, $2, $3, 'R', '390', $4, 12, 'regular', 'person', $1, 0, '{person.basic}', '{28000}', '{390100}', 28000, "
        "$5, $6, now(), $7, '')",
        psn_no, f"390-{month.year}-regular", HUIZHOU, month, bill_id, state, month if state == "paid" else None)


def test_the_day_after_enrolment_until_february_and_the_same_day_from_march() -> None:
    law = city_policy(HUIZHOU)
    assert may_pay_from(law, date(2021, 2, 5), insutype="390") == date(2021, 2, 6)
    assert may_pay_from(law, date(2021, 2, 28), insutype="390") == date(2021, 3, 1)
    assert may_pay_from(law, date(2021, 3, 1), insutype="390") == date(2021, 3, 1)
    assert may_pay_from(city_policy(ZIBO), date(2021, 2, 5), insutype="390") == date(2021, 2, 5)


def test_seasons_and_last_days_by_the_law_of_their_year() -> None:
    zibo, huizhou = city_policy(ZIBO), city_policy(HUIZHOU)
    assert [(s.first, s.last) for y in (2022, 2025) if (s := season_of(zibo, y, insutype="390"))] == [
        (date(2021, 10, 1), date(2022, 1, 30)), (date(2024, 9, 1), date(2024, 12, 31))]
    assert [(s.first, s.last) for y in (2023, 2025) if (s := season_of(huizhou, y, insutype="390"))] == [
        (date(2022, 9, 1), date(2023, 6, 30)), (date(2024, 9, 1), date(2025, 2, 28))]
    assert (last_day(zibo, date(2025, 2, 1), insutype="310"), last_day(huizhou, date(2025, 2, 1), insutype="310")) == (
        date(2025, 2, 25), date(2025, 2, 20))
    late = late_pays_subsidy(huizhou, date(2023, 1, 1), insutype="390")
    assert late is not None
    assert late.used.rule == "HZ-802"
    assert late_pays_subsidy(huizhou, date(2023, 1, 1), insutype="390", enrolment_kind="newborn") is None
    assert late_pays_subsidy(huizhou, date(2025, 1, 1), insutype="390") is None


@pytest.mark.parametrize(("paid_on", "fen"), [
    (date(2024, 7, 25), 0), (date(2024, 7, 26), 25), (date(2024, 8, 25), 31 * 25), (date(2025, 7, 25), 365 * 25)])
def test_the_surcharge_is_five_in_ten_thousand_a_day(paid_on: date, fen: int) -> None:
    """500.00 × 0.05 % = 0.25 a day, from the day after the last one."""
    case = DuesCase(admdvs=ZIBO, on=date(2024, 7, 25), insutype="310", enrolment_kind="employed")
    found = surcharge_on(case, city_policy(ZIBO), 50_000, due_on=date(2024, 7, 25), paid_on=paid_on)
    assert not isinstance(found, Refusal)
    assert found.amount == fen


def test_a_resident_owes_no_surcharge() -> None:
    case = DuesCase(admdvs=ZIBO, on=date(2024, 7, 25), insutype="390", enrolment_kind="resident")
    found = surcharge_on(case, city_policy(ZIBO), 50_000, due_on=date(2024, 7, 25), paid_on=date(2024, 8, 25))
    assert not isinstance(found, Refusal)
    assert found.amount == 0


async def test_the_card_machine_is_for_individuals_and_not_for_households(huizhou: Town) -> None:
    one, two = [await huizhou.person(insutype="390", psn_type="1501", kind="resident", household_no=h) for h in ("", "H1")]
    single = await resident_bill(huizhou, one)
    family = await resident_bill(huizhou, two, payer_kind="household", payer_no="H1")
    alone = await offer(huizhou, single, channel="pos", on="2021-02-10")
    assert isinstance(alone, Offer)
    assert "pos" in alone.channels
    refused = await offer(huizhou, family, channel="pos", on="2021-02-10")
    assert isinstance(refused, Refusal)
    assert (refused.code, refused.faults[0].basis) == ("CHANNEL_CLOSED", "HZ-109")
    online = await offer(huizhou, family, channel="wechat", on="2021-02-10")
    assert isinstance(online, Offer)
    assert "pos" not in online.channels
    assert "错缴、漏缴" in online.warnings[0]
    assert "pos" in open_channels(ZIBO, "household", date(2021, 2, 10))
    # Who swiped nevertheless has paid: the money is taken and the case says what to look at.
    got = await huizhou.pay("P1", family, 28_000, on="2021-02-10", payer_no=two, channel="pos")
    assert (got.outcome, got.cases) == ("paid", ("CHANNEL_CLOSED",))


async def test_who_paid_2020_but_not_2021_may_pay_from_8_february(huizhou: Town) -> None:
    old, new = [await huizhou.person(insutype="390", psn_type="1501", kind="resident") for _ in range(2)]
    await due(huizhou, old, date(2020, 1, 1), "", "paid")
    for psn_no, on, code in ((old, "2021-02-07", "COHORT_NOT_OPEN"), (old, "2021-02-08", ""), (new, "2021-02-07", "")):
        bill_id = f"B{HUIZHOU}-202101-{psn_no}-1"
        if not await huizhou.run("select 1 from contributions.bill where bill_id = $1", bill_id):
            await resident_bill(huizhou, psn_no)
        answer = await offer(huizhou, bill_id, channel="wechat", on=on)
        assert (answer.code if isinstance(answer, Refusal) else "") == code, (psn_no, on)


async def test_earlier_months_come_first_and_a_paid_bill_is_not_offered(town: Town) -> None:
    await town.employer("E1")
    await town.person(emp_no="E1", wage_fen=500_000)
    for month in (7, 8):
        await assess(town, date(2024, month, 1), f"2024-{month:02d}-02")
        await town.send(f"2024-{month:02d}-03")
    july, august = (r["bill_id"] for r in await town.run("select bill_id from contributions.bill order by month"))
    refused = await offer(town, august, channel="bank", on="2024-08-05")
    assert isinstance(refused, Refusal)
    assert [f.code for f in refused.faults] == ["EARLIER_MONTH_UNPAID"]
    await town.pay("P1", july, 50_000, on="2024-07-20", payer_no="E1")
    assert isinstance(await offer(town, august, channel="bank", on="2024-08-05"), Offer)
    paid = await offer(town, july, channel="bank", on="2024-08-05")
    assert isinstance(paid, Refusal)
    assert paid.code == "BILL_NOT_OPEN"
