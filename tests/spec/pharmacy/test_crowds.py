"""Many pharmacies and tills at once: a prescription never gives more than was prescribed, a message acts once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg
import pytest

from tests.spec.pharmacy.conftest import Item
from tests.support.drugstore import Drugstore, Prescriber, sold
from tests.support.till import Refused, new_msgid

TILLS = 8
PRESCRIBED = 5


@pytest.mark.drives("2102", "2204", "7207")
async def test_sales_bills_and_cash_at_once_never_give_more_than_prescribed(
    prescriber: Prescriber, drugstore_in: Callable[..., Drugstore], patient: Mapping[str, Any], drugs: list[Item],
    world_url: str,
) -> None:
    """Eight tills want one box each in three ways, twice, some after a refund; five boxes were prescribed.

    Whoever gives a box back may find it gone when he asks again.
    """
    rx = prescriber.prescribe(patient, [(drugs[0], PRESCRIBED)])
    accepted = drugstore_in().accept(rx)
    line = sold(drugs[0], 1, rxno=rx["hiRxno"])
    visit = {**patient["visit"], "dise_codg": "", "lines": [line]}

    def want(n: int) -> list[str]:
        store = drugstore_in()
        answers = []
        for _ in range(2):
            try:
                if n % 3 == 0:
                    store.refund(patient, store.sell(patient, [line]))
                    store.sell(patient, [line])
                elif n % 3 == 1:
                    store.hand_out(rx, accepted, drugs[0], 1, flag="0")
                else:
                    store.till.prepare(patient, visit)
                answers.append("")
            except Refused as refused:
                answers.append(str(refused))
        store.till.close()
        return answers

    with ThreadPoolExecutor(TILLS) as crowd:
        answers = [answer for few in crowd.map(want, range(TILLS)) for answer in few]
    assert 0 < answers.count("") <= PRESCRIBED
    assert all("取完" in answer for answer in answers if answer), answers
    connection = await asyncpg.connect(world_url)
    try:
        kept = await connection.fetchrow(
            "select l.allowed_e4, l.dispensed_e4, (select coalesce(sum(d.quantity_e4), 0) "
            "from dispensing.dispensed d where d.hi_rxno = l.hi_rxno and d.state = 'taken') "
            "+ (select coalesce(sum(h.quantity_e4), 0) from dispensing.handed_out h where h.hi_rxno = l.hi_rxno) as told "
            "from dispensing.prescription_line l where l.hi_rxno = $1", rx["hiRxno"],
        )
    finally:
        await connection.close()
    assert kept is not None
    taken = answers.count("") * 10_000
    assert tuple(kept) == (PRESCRIBED * 10_000, taken, taken)


@pytest.mark.drives("2102")
async def test_the_same_message_from_eight_tills_sells_once(
    drugstore_in: Callable[..., Drugstore], patient: Mapping[str, Any], drugs: list[Item], world_url: str
) -> None:
    msgid = new_msgid()
    content = drugstore_in().purchase(patient, [sold(drugs[0], 1)])
    stores = [drugstore_in() for _ in range(TILLS)]
    message = stores[0].till.envelope("2102", content, msgid=msgid, insured_place=patient["insuplc_admdvs"])
    with ThreadPoolExecutor(TILLS) as crowd:
        replies = set(crowd.map(lambda store: store.till.ask(message), stores))
    assert len(replies) == 1
    connection = await asyncpg.connect(world_url)
    try:
        counted = await connection.fetchval("select count(*) from settlements.settlement where msgid = $1", msgid)
    finally:
        await connection.close()
    assert counted == 1
    changed = {**message, "input": {**content, "druginfo": {**content["druginfo"], "acct_used_flag": "0"}}}
    with pytest.raises(Refused, match="已用于另一笔内容不同的交易"):
        stores[0].till.output(stores[0].till.ask(changed))


@pytest.mark.drives("2102", "2103")
async def test_fifty_sales_and_refunds_of_one_person_keep_the_account_exact(
    drugstore_in: Callable[..., Drugstore], patient: Mapping[str, Any], drugs: list[Item], world_url: str
) -> None:
    connection = await asyncpg.connect(world_url)
    balance = "select balance_fen from ledger.personal_account where psn_no = $1"
    before = await connection.fetchval(balance, patient["psn_no"])

    def buy(n: int) -> int:
        store = drugstore_in()
        sale = store.sell(patient, [sold(drugs[0], 0.1)])
        if n % 2:
            store.refund(patient, sale)
        store.till.close()
        return 0 if n % 2 else round(sale["setlinfo"]["acct_pay"] * 100)

    with ThreadPoolExecutor(TILLS) as crowd:
        spent = sum(crowd.map(buy, range(50)))
    after = await connection.fetchval(balance, patient["psn_no"])
    posted = await connection.fetchval("select sum(a) from ledger.posting p, unnest(p.amounts) a where p.psn_no = $1",
                                       patient["psn_no"])
    await connection.close()
    assert after == before - spent
    assert posted == 0
