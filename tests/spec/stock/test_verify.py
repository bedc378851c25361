"""What ``yibao verify`` says of stock, codes, mappings and editions: nothing after honest work, the breach after a forged row."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import asyncpg
import pytest

from tests.support.storeroom import count, purchase, sale, send, stock_of
from tests.support.till import Till
from yibao.usecases.verification.reference_checks import REFERENCE_CHECKS

FORGERIES = [  # one for each check, in their order
    "update dispensing.stock set quantity_e4 = quantity_e4 + 1",
    "update dispensing.stock_record set quantity_e4 = quantity_e4 + 100000000 where kind = 'sale_return'",
    "update dispensing.trace_code set whole_sold = whole_sold + 1 where not is_virtual",
    "insert into institutions.item_mapping (fixmedins_code, medins_list_codg, list_type, admdvs, med_list_codg, name, "
    "valid_from, valid_to, updated_at, revision) select fixmedins_code, medins_list_codg, list_type, admdvs, "
    "med_list_codg, name, valid_from, valid_to, updated_at, 99 from institutions.item_mapping limit 1",
    "insert into catalogue.former_item select i.code, list_type, name, initials, spec, dosage_form, unit, maker, "
    "approval_no, class_code, charge_type, origin, negotiated, '2019-01-01', '2030-01-01', version, detail, null "
    "from catalogue.item i limit 1",
]


def breaches(url: str, forgery: str = "") -> list[int]:
    """Return how much each check finds, with a forged row that is taken back afterwards."""

    async def ask() -> list[int]:
        connection = await asyncpg.connect(url)
        try:
            transaction = connection.transaction()
            await transaction.start()
            if forgery:
                await connection.execute(forgery)
            found = [len(await connection.fetch(check.sql)) for check in REFERENCE_CHECKS]
            await transaction.rollback()
            return found
        finally:
            await connection.close()

    return asyncio.run(ask())


@pytest.fixture(scope="module")
def worked(till_for: Callable[..., Till], world_url: str) -> str:
    """Return the URL of a world in which goods came, were counted, sold twice under one code, and came back."""
    shop = till_for(kind="2")
    for infno, content in (
        ("3503", {"purcinfo": purchase(20, days_ago=3)}), ("3501", {"invinfo": count(18, days_ago=2)}),
        ("3505", {"selinfo": sale(5, codes=("85000000000000000001",), fixmedins_hilist_id="Y1")}),
        ("3505", {"selinfo": sale(5, codes=("85000000000000000001",), fixmedins_hilist_id="Y1")}),
        ("3506", {"selinfo": sale(2, fixmedins_hilist_id="Y1")}),
    ):
        assert send(shop, infno, content).ok
    return world_url


def test_honest_work_breaks_nothing(worked: str) -> None:
    assert breaches(worked) == [0] * len(REFERENCE_CHECKS)


@pytest.mark.parametrize("index", range(len(FORGERIES)))
def test_each_forgery_is_found_by_its_check(worked: str, index: int) -> None:
    assert len(FORGERIES) == len(REFERENCE_CHECKS)
    assert breaches(worked, FORGERIES[index])[index] > 0


def test_many_tills_of_one_shop_lose_no_sale(till_for: Callable[..., Till], worked: str) -> None:
    tills = [till_for(kind="2") for _ in range(6)]
    assert send(tills[0], "3503", {"purcinfo": purchase(1000, own="T1", batch="TT")}).ok

    def work(till: Till) -> None:
        for _ in range(10):
            assert send(till, "3505", {"selinfo": sale(1, fixmedins_hilist_id="T1", fixmedins_bchno="TT")}).ok

    threads = [threading.Thread(target=work, args=(till,)) for till in tills]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stock_of(tills[0], own="T1", batch="TT") == 1000 - 6 * 10
    assert breaches(worked) == [0] * len(REFERENCE_CHECKS)
