"""A bill that a window held up is settled afterwards: by the law and year of its day, its cash in the same act."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest

from tests.support.drugstore import Drugstore
from tests.support.late_care import LateCare, episode_of, fen, line
from tests.support.till import Refused
from tests.support.window_city import City
from yibao.usecases.backfill.reorder_open import reorder_open

WHEN, LATER = "2025-10-12 09:00", "2025-10-14 09:00"
# By hand, law of 2025, level 2, in scope, first of the year: (3000.00 - 500.00) x 70 % = 1750.00 by the fund (ZB-201, ZB-203).
BILL, DUE = 300000, 125000
Somebody, Number = Callable[[], dict[str, Any]], Callable[[], str]


def paid_in_full(hospital: LateCare, patient: dict[str, Any], number: str, **more: Any) -> str:
    """Note a visit of 3000.00 that was paid in full."""
    return hospital.note(patient, "outpatient", number, WHEN, WHEN, **{
        "paid_fen": BILL, "disposition": "pay_full_backfill", "position": "P5", "total_fen": BILL, **more})


def of_settlement(city: City, setl_id: str) -> dict[str, Any]:
    return city.fetch("select * from settlements.settlement where setl_id = $1", setl_id)[0]


def test_cash_goes_back_in_the_act_that_settles(
    city: City, hospital: LateCare, item: dict[str, Any], somebody: Somebody, number: Number
) -> None:
    patient, mine = somebody(), number()
    noted = paid_in_full(hospital, patient, mine)
    settled = hospital.visit(patient, WHEN, [line(item, 3000)], visit_no=mine)
    episode = episode_of(city, noted)
    assert (episode["state"], episode["setl_id"]) == ("settled", settled["setl_id"])
    assert (episode["due_fen"], episode["back_fen"], episode["topup_fen"]) == (DUE, BILL - DUE, 0)
    assert hospital.warned.endswith("患者已交3000.00元，本次现金应付1250.00元，应退还患者1750.00元")
    kept = of_settlement(city, settled["setl_id"])
    assert (f"{kept['service_on']}", kept["year"], kept["cash_fen"]) == ("2025-10-12", 2025, DUE)


def test_too_small_a_deposit_is_topped_up(
    city: City, hospital: LateCare, item: dict[str, Any], somebody: Somebody, number: Number
) -> None:
    patient, mine = somebody(), number()
    noted = paid_in_full(hospital, patient, mine, paid_fen=100000, disposition="deposit")
    hospital.visit(patient, WHEN, [line(item, 3000)], visit_no=mine)
    episode = episode_of(city, noted)
    assert (episode["due_fen"], episode["back_fen"], episode["topup_fen"]) == (DUE, 0, DUE - 100000)
    assert "患者应补交250.00元" in hospital.warned


def test_what_nobody_noted_is_noted_when_it_is_settled(
    city: City, hospital: LateCare, item: dict[str, Any], somebody: Somebody, number: Number
) -> None:
    patient, mine = somebody(), number()
    settled = hospital.visit(patient, WHEN, [line(item, 3000)], visit_no=mine)
    [episode] = city.fetch("select * from episodes.episode where visit_no = $1", mine)
    assert (episode["state"], episode["setl_id"], episode["rule_id"]) == ("settled", settled["setl_id"], "ZB-R11")
    assert (episode["paid_fen"], episode["due_fen"], episode["topup_fen"]) == (0, DUE, DUE)
    assert "没有登记过收款" in hospital.warned


def test_a_trial_says_what_the_settlement_does(
    hospital: LateCare, item: dict[str, Any], somebody: Somebody, number: Number
) -> None:
    patient, mine = somebody(), number()
    paid_in_full(hospital, patient, mine)
    bill = hospital.begin(patient, WHEN, [line(item, 3000)], visit_no=mine)
    tried = hospital.till.call("2206", bill, insured_place=patient["insuplc_admdvs"])["setlinfo"]
    assert fen(tried["psn_cash_pay"]) == fen(hospital.settle("2207", bill, patient)["psn_cash_pay"]) == DUE


def test_a_repeated_message_gives_the_same_bytes_and_no_second_refund(
    city: City, hospital: LateCare, item: dict[str, Any], somebody: Somebody, number: Number
) -> None:
    patient, mine = somebody(), number()
    noted = paid_in_full(hospital, patient, mine)
    bill = hospital.begin(patient, WHEN, [line(item, 3000)], visit_no=mine)
    message = hospital.till.envelope("2207", bill, insured_place=patient["insuplc_admdvs"])
    first = hospital.till.ask(message)
    assert json.loads(first)["infcode"] == 0
    assert hospital.till.ask(message) == first
    cash = city.fetch("select kind, amount_fen from episodes.cash where episode_id = $1 order by ordinal", noted)
    assert cash == [{"kind": "payment", "amount_fen": BILL}, {"kind": "refund", "amount_fen": DUE - BILL}]


def test_a_cancelled_backfill_is_open_again_with_its_money_and_may_stand_again(
    city: City, hospital: LateCare, item: dict[str, Any], somebody: Somebody, number: Number
) -> None:
    patient, mine = somebody(), number()
    noted = paid_in_full(hospital, patient, mine)
    settled = hospital.visit(patient, WHEN, [line(item, 3000)], visit_no=mine)
    key = {"psn_no": patient["psn_no"], "mdtrt_id": settled["mdtrt_id"], "setl_id": settled["setl_id"]}
    place = patient["insuplc_admdvs"]
    cancelling = hospital.till.envelope("2208", {"data": key}, insured_place=place)
    hospital.till.output(hospital.till.ask(cancelling))
    episode = episode_of(city, noted)
    assert (episode["state"], episode["setl_id"], episode["paid_fen"], episode["back_fen"]) == ("entered", "", BILL, 0)
    # The cancellation itself is reversed: the settlement stands again, and so does the refund.
    undo = {"psn_no": patient["psn_no"], "omsgid": cancelling["msgid"], "oinfno": "2208"}
    hospital.till.call("2601", {"data": undo}, insured_place=place)
    episode = episode_of(city, noted)
    assert (episode["state"], episode["setl_id"], episode["back_fen"]) == ("settled", settled["setl_id"], BILL - DUE)
    booked = city.fetch("select sum(amount_fen)::bigint as fen from episodes.cash where episode_id = $1", noted)
    assert booked[0]["fen"] == DUE


def test_a_death_between_settlement_and_ordering_is_made_good(
    city: City, hospital: LateCare, item: dict[str, Any], somebody: Somebody, number: Number, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = somebody()
    first = hospital.visit(patient, LATER, [line(item, 3000)], visit_no=number())
    assert fen(first["psn_cash_pay"]) == DUE

    async def nothing(*_what: Any, **_more: Any) -> list[Any]:
        raise asyncpg.ConnectionDoesNotExistError("the process is gone")

    monkeypatch.setattr("yibao.entrypoints.gateway.settling.reorder_open", nothing)
    monkeypatch.setattr("yibao.entrypoints.late_watch.reorder_open", nothing)
    earlier = hospital.visit(patient, WHEN, [line(item, 1000)], visit_no=number())
    monkeypatch.undo()
    # Settled on what stood: the deductible was used up. 1000.00 x 70 % = 700.00 by the fund.
    assert fen(earlier["psn_cash_pay"]) == 30000
    means = {"shelf": city.shelf, "clock": city.clock, "ids": city.ids, "psn_no": patient["psn_no"]}
    city.with_database(lambda database: reorder_open(database, **means))
    rows = city.fetch("select service_on::text, cash_fen from settlements.settlement where psn_no = $1 and state = 'active'"
                      " and kind = 'settlement' order by service_on", patient["psn_no"])
    # In order: (1000.00 - 500.00) x 70 % = 350.00 by the fund; then 3000.00 x 70 % = 2100.00.
    assert rows == [{"service_on": "2025-10-12", "cash_fen": 65000}, {"service_on": "2025-10-14", "cash_fen": 90000}]
    assert city.with_database(lambda database: reorder_open(database, **means)) == []


def test_a_sale_is_known_by_the_number_of_its_invoice(city: City, somebody: Somebody, number: Number) -> None:
    patient, mine = somebody(), number()
    shop = LateCare(city, city.till("370300", 0, kind="2"))
    drug = next(i for i in city.world["items"] if i["list_type"] == "101" and i["chrgitm_lv"] == "01")
    noted = shop.note(patient, "sale", mine, WHEN, WHEN, paid_fen=5000, disposition="pay_full_backfill", position="P5",
                      business="pharmacy_sale", visit_class="drug")
    sale = Drugstore(shop.till).purchase(patient, [{**line(drug, 50)}], begin=f"{WHEN}:00", invono=mine, acct_used_flag="0")
    settled = shop.settle("2102", sale, patient)
    episode = episode_of(city, noted)
    assert (episode["state"], episode["mdtrt_id"]) == ("settled", settled["mdtrt_id"])
    assert episode["due_fen"] == fen(settled["psn_cash_pay"])
    with pytest.raises(Refused, match="已补录结算"):
        shop.settle("2102", sale, patient)


def test_the_books_are_in_order(city: City) -> None:
    assert city.breaches() == {}
