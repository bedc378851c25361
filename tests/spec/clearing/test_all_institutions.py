"""A hospital's stays and a pharmacy's sales: their own books, made of replies alone, tie and are paid to the fen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.spec.clearing.conftest import Office
from tests.support.accountant import Entry, claim, details, entry_of, totals
from tests.support.agency import answer_of, read_order
from tests.support.drugstore import Drugstore, sold
from tests.support.till import Till
from tests.support.ward import Ward
from yibao.demo.description import ENDPOINT
from yibao.kernel.business_time import SHANGHAI

REGION = "370300"


def days_ago(days: int) -> datetime:
    return datetime.now(SHANGHAI).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=days)


def charges(world: Mapping[str, Any], count: int, *, each: int = 10) -> list[dict[str, Any]]:
    drugs = [i for i in world["items"] if i["list_type"] == "101" and i["chrgitm_lv"] != "03"]
    return [
        {"med_list_codg": d["med_list_codg"], "medins_list_codg": d["medins_list_codg"], "pric": d["price"], "cnt": each,
         "det_item_fee_sumamt": round(float(d["price"]) * 100) * each / 100}
        for d in drugs[:count]
    ]


def summed(lines: Sequence[Mapping[str, Any]]) -> float:
    return sum(round(float(x["det_item_fee_sumamt"]) * 100) for x in lines) / 100


@pytest.fixture(scope="module")
def hospital(till_for: Callable[..., Till], world: dict[str, Any]) -> tuple[Till, list[Entry]]:
    """Two stays; the second has an interim settlement, and its final one is cancelled and made again."""
    till = till_for()
    ward = Ward(world["base_url"] + ENDPOINT, till.counter)
    patients = [p for p in world["patients"] if p["insutype"] == "310" and p["insuplc_admdvs"] == REGION][:2]
    lines, book = charges(world, 5), []
    _, done = ward.whole_stay(patients[0], days_ago(20), lines)
    book.append(entry_of(done["setlinfo"]))
    stay = ward.admit(patients[1], days_ago(12))
    ward.charge(stay, days_ago(11), lines)
    book.append(entry_of(ward.settle_stay(stay, summed(lines), interim=True)["setlinfo"]))
    ward.charge(stay, days_ago(9), lines[:3])
    ward.discharge(stay, days_ago(8))
    final = entry_of(ward.settle_stay(stay, summed(lines[:3]))["setlinfo"])
    undone = ward.cancel_settlement(stay, final.setl_id)["setlinfo"]
    book += [final, entry_of(undone, is_refund=True, origin=final)]
    book.append(entry_of(ward.settle_stay(stay, summed(lines[:3]))["setlinfo"]))
    return till, book


@pytest.fixture(scope="module")
def pharmacy(till_for: Callable[..., Till], world: dict[str, Any]) -> tuple[Till, list[Entry]]:
    """Some sales from own accounts, one of them taken back."""
    till = till_for(kind="2")
    store, book = Drugstore(till), []
    buyers = [p for p in world["patients"] if p["insutype"] == "310" and p["insuplc_admdvs"] == REGION and p["balance"] >= 100]
    otc = [i for i in world["items"] if i["list_type"] == "101" and i["chrgitm_lv"] == "01"]
    for patient in buyers[:4]:
        sale = store.sell(patient, [sold(otc[0], 1)])
        book.append(entry_of(sale["setlinfo"]))
    book.append(entry_of(store.refund(patient, sale)["setlinfo"], is_refund=True, origin=book[-1]))
    return till, book


@pytest.mark.parametrize("where", ["hospital", "pharmacy"])
def test_the_book_ties_and_the_payable_ends_at_zero(
    request: pytest.FixtureRequest, office: Office, where: str, tmp_path: Path
) -> None:
    till, book = request.getfixturevalue(where)
    here = Office(till, office.desk, [], office.url)
    here.desk.payee(here.code)
    for kind in sorted({(e.insutype, e.clr_type) for e in book}):
        content = totals(till, book, insutype=kind[0], clr_type=kind[1], refd_setl_flag="1")
        assert till.call("3201", content)["stmtinfo"] == {
            "setl_optins": REGION, "stmt_rslt": "0", "stmt_rslt_dscr": "平"}
    for clr_type in sorted({e.clr_type for e in book}):
        rows = details(till, [e for e in book if e.clr_type == clr_type], clr_type=clr_type)
        assert [(row["stmt_rslt"], row["memo"]) for row in rows] == [("0", "")] * len(rows)
        answer = till.call("3203", claim(book, clr_type=clr_type))
        here.desk.decide(answer["result"]["clr_appy_evt_id"])
    owed = sum(e.fund + e.account for e in book)
    assert here.desk.owed(here.code) == owed > 0
    _, content = here.desk.pay(REGION, tmp_path)
    assert list(read_order(content).amounts.values()) == [owed]
    here.desk.take(answer_of(read_order(content)), tmp_path)
    assert here.desk.owed(here.code) == 0
    assert here.breaches() == []
