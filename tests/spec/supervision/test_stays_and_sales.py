"""Stays and pharmacy sales are reviewed like visits: the lines a settlement covers, beside what was settled before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.doctor import MONITORING, WARD_BED, Agency, analysis, document_of, line, order, rows
from tests.support.drugstore import Drugstore, sold
from tests.support.till import Till, total
from tests.support.ward import Stay, Ward
from yibao.demo.description import ENDPOINT
from yibao.kernel.business_time import SHANGHAI

Patient = dict[str, Any]
PIRACETAM = "XN07XXB093B002010100075"       # 吡拉西坦注射液: paid for 14 days
WOMENS_PILL = "ZD03AAA0043010100166"        # 艾附暖宫丸: for women


@pytest.fixture
def ward(world: dict[str, Any], till_for: Callable[..., Till]) -> Iterator[Ward]:
    """Return a ward at the first unsigned hospital of the first region."""
    opened = Ward(world["base_url"] + ENDPOINT, till_for().counter)
    yield opened
    opened.close()


# Stays follow each other in time: one that is open overlaps all that come after it.


def ago(days: int, hour: int = 9) -> datetime:
    return datetime.now(SHANGHAI).replace(hour=hour, minute=0, second=0, microsecond=0) - timedelta(days=days)


def bed(price: float = 98) -> dict[str, Any]:
    return line(WARD_BED, 1, price)


def found(world_url: str, setl_id: str) -> dict[str, int]:
    """Return what a settlement is suspected of: rule id -> fen charged against it."""
    sql = "select rule_id, amount_fen from supervision.suspicion where setl_id = $1"
    return {r["rule_id"]: r["amount_fen"] for r in rows(world_url, sql, setl_id)}


def charged(ward: Ward, stay: Stay, at: datetime, *charges: dict[str, Any]) -> list[dict[str, Any]]:
    ward.charge(stay, at, list(charges))
    return list(charges)


def test_what_an_interim_settlement_covers_counts_for_the_next(
    ward: Ward, man: Patient, agency: Agency, world_url: str
) -> None:
    stay = ward.admit(man, ago(90))
    first = charged(ward, stay, ago(90, 10), bed()) + charged(ward, stay, ago(89), bed())
    interim = ward.settle_stay(stay, total(first), interim=True)["setlinfo"]["setl_id"]
    late = charged(ward, stay, ago(89, 15), bed()) + charged(ward, stay, ago(88), bed())
    ward.discharge(stay, ago(87))
    final = ward.settle_stay(stay, total(late))["setlinfo"]["setl_id"]
    agency.run()
    assert found(world_url, interim) == {}
    assert found(world_url, final) == {f"R02-{WARD_BED}": 9_800}        # the second bed of one day, once
    ward.cancel_settlement(stay, final)
    ward.cancel_settlement(stay, interim)


def test_a_returned_line_is_not_charged(ward: Ward, man: Patient, agency: Agency, world_url: str) -> None:
    stay = ward.admit(man, ago(40))
    (one, two) = ward.lines(stay, ago(40, 11), [bed(), bed()])
    returned = {**bed(), "cnt": -1, "det_item_fee_sumamt": -98, "init_feedetl_sn": two["feedetl_sn"]}
    (back,) = ward.lines(stay, ago(40, 12), [returned])
    monitoring = ward.lines(stay, ago(39), [line(MONITORING, 1, 148)])
    ward.call("2301", {"feedetail": [one, two, *monitoring]}, insured_place=stay.place)
    ward.call("2301", {"feedetail": [back]}, insured_place=stay.place)
    ward.discharge(stay, ago(38))
    setl_id = ward.settle_stay(stay, 98 + 148)["setlinfo"]["setl_id"]
    agency.run()
    assert found(world_url, setl_id) == {}
    ward.cancel_settlement(stay, setl_id)


def test_a_drug_beyond_its_paid_days(ward: Ward, man: Patient, agency: Agency, world_url: str) -> None:
    stay = ward.admit(man, ago(30))
    lines = [x for n in range(15) for x in ward.lines(stay, ago(29 - n), [{**line(PIRACETAM, 1, 82.95), "hosp_appr_flag": "1"}])]
    ward.call("2301", {"feedetail": lines}, insured_place=stay.place)
    hits = ward.call("3102", analysis(ward, man, stay.mdtrt_id, [order(MONITORING)]), insured_place=stay.place)["result"]
    assert [(h["rule_id"], h["vola_amt"]) for h in hits] == [("R04-吡拉西坦注射液", 82.95)]
    ward.discharge(stay, ago(10))
    settled = ward.settle_stay(stay, round(82.95 * 15, 2))["setlinfo"]
    agency.run()
    assert found(world_url, settled["setl_id"]) == {"R04-吡拉西坦注射液": 8_295}
    document = document_of(ward, settled["setl_id"], world_url)
    assert document["dscgTime"] == f"{ago(10).date()}"
    ward.cancel_settlement(stay, settled["setl_id"])


def test_a_pharmacy_sale_is_reviewed_too(
    till_for: Callable[..., Till], man: Patient, woman: Patient, world: dict[str, Any], agency: Agency, world_url: str
) -> None:
    store = Drugstore(till_for(kind="2"))
    pill = next(i for i in world["items"] if i["med_list_codg"] == WOMENS_PILL)
    to_him = store.sell(man, [sold(pill, 1)])["setlinfo"]["setl_id"]
    to_her = store.sell(woman, [sold(pill, 1)])["setlinfo"]["setl_id"]
    agency.run()
    assert found(world_url, to_him) == {"R06-艾附暖宫丸": round(pill["price"] * 100)}
    assert found(world_url, to_her) == {}
    (suspicion,) = document_of(store.till, to_him, world_url)["docSusptDTOS"]
    assert suspicion["checkoutSusptAmt"] == pill["price"]
    store.till.close()
