"""What law makes of stays, worked by hand: number of the stay, parts, referral, new year, death, returns.

Zibo, employees, 2025 and later: deductible 300/500/700 by level 1/2/3, halved for the second stay of a year, none from
the third; ratio 89/85/81 % for the working, 93/91/89 % for the retired; a referral from below to level 3 adds 2 points.
All charges are of class 01 without first-pay, so that the whole bill is in scope.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pytest

from tests.spec.stays.conftest import YEAR, at, days_ago, execute, of, paid
from tests.support.till import Refused, total
from tests.support.unchanged import stored_of
from tests.support.ward import Stay, Ward


def stay_of(ward: Ward, who: Mapping[str, Any], month: int, yuan: int = 10_000) -> tuple[Stay, dict[str, Any]]:
    stay, reply = ward.whole_stay(who, at(month, 1), [of(yuan)])
    return stay, reply["setlinfo"]


@pytest.mark.drives("2304", "2305")
def test_the_second_stay_bears_half_the_third_none_and_undoing_goes_backwards(
    hospitals: Callable[..., Ward], people: Callable[..., dict[str, Any]], world_url: str
) -> None:
    ward, who = hospitals("2"), people()
    one, first = stay_of(ward, who, 2)
    two, second = stay_of(ward, who, 4)
    three, third = stay_of(ward, who, 6)
    assert paid(first) == (500, 8075, 1925)  # (10000 − 500) × 85 %
    assert paid(second) == (250, 8287.5, 1712.5)  # (10000 − 250) × 85 %
    assert paid(third) == (0, 8500, 1500)
    # The number of the later stays rests on the first one.
    before = stored_of(world_url, who["psn_no"])
    with pytest.raises(Refused, match="须从最后一笔起依次撤销"):
        ward.cancel_settlement(one, first["setl_id"])
    assert stored_of(world_url, who["psn_no"]) == before
    for stay, info in ((three, third), (two, second), (one, first)):
        ward.cancel_settlement(stay, info["setl_id"])
    again = ward.settle_stay(three, 10_000)["setlinfo"]
    assert paid(again) == paid(first)


def test_a_stay_that_no_fund_paid_for_counts_and_cannot_be_undone_under_a_later_one(
    hospitals: Callable[..., Ward], people: Callable[..., dict[str, Any]]
) -> None:
    ward, who = hospitals("2"), people()
    one, first = stay_of(ward, who, 2, 400)  # below the deductible: no counter moves
    _, second = stay_of(ward, who, 4)
    assert paid(first) == (400, 0, 400)
    assert paid(second) == (250, 8287.5, 1712.5)
    with pytest.raises(Refused, match="须从最后一笔起依次撤销"):
        ward.cancel_settlement(one, first["setl_id"])


@pytest.mark.drives("2304")
def test_a_stay_in_parts_bears_one_deductible(
    hospitals: Callable[..., Ward], people: Callable[..., dict[str, Any]]
) -> None:
    ward, who = hospitals("3"), people()
    stay = ward.admit(who, at(3, 1))
    ward.charge(stay, at(3, 2), [of(300)])
    first = ward.settle_stay(stay, 300, interim=True)["setlinfo"]
    ward.charge(stay, at(3, 9), [of(5000)])
    tried = ward.try_stay(stay, 5000, interim=True)["setlinfo"]
    second = ward.settle_stay(stay, 5000, interim=True)["setlinfo"]
    ward.charge(stay, at(3, 15), [of(2000)])
    ward.discharge(stay, at(3, 16))
    last = ward.settle_stay(stay, 2000)["setlinfo"]
    assert paid(first) == (300, 0, 300)
    assert paid(tried) == paid(second) == (400, 3726, 1274)  # (5000 − 400) × 81 %
    assert paid(last) == (0, 1620, 380)
    # The parts together are one stay: the next one is the second.
    _, following = stay_of(ward, who, 5)
    assert paid(following) == (350, 7816.5, 2183.5)  # (10000 − 350) × 81 %


@pytest.mark.drives("2305", "2601")
def test_parts_are_undone_from_the_last_and_settled_anew_together(
    hospitals: Callable[..., Ward], people: Callable[..., dict[str, Any]]
) -> None:
    ward, who = hospitals("3"), people()
    stay = ward.admit(who, at(3, 1))
    ward.charge(stay, at(3, 2), [of(3000)])
    first = ward.settle_stay(stay, 3000, interim=True)["setlinfo"]
    ward.charge(stay, at(3, 9), [of(5000)])
    ward.discharge(stay, at(3, 16))
    content = ward.stay_bill(stay, 5000)
    message = ward.envelope("2304", content, insured_place=stay.place)
    last = ward.output(ward.ask(message))["setlinfo"]
    assert (paid(first), paid(last)) == ((700, 1863, 1137), (0, 4050, 950))
    with pytest.raises(Refused, match="须从最后一笔起依次撤销"):
        ward.cancel_settlement(stay, first["setl_id"])
    ward.call("2601", {"data": {"psn_no": who["psn_no"], "omsgid": message["msgid"], "oinfno": "2304"}})
    ward.cancel_settlement(stay, first["setl_id"])
    whole = ward.settle_stay(stay, 8000)["setlinfo"]
    assert paid(whole) == (700, 5913, 2087)  # (8000 − 700) × 81 %


@pytest.mark.drives("2601")
def test_an_undone_settlement_comes_back_only_while_nothing_has_changed(
    hospitals: Callable[..., Ward], people: Callable[..., dict[str, Any]], world_url: str
) -> None:
    ward, who = hospitals("2"), people()
    stay, info = stay_of(ward, who, 2)
    undo = ward.envelope("2305", {"data": {**stay.key, "setl_id": info["setl_id"]}})
    ward.output(ward.ask(undo))
    restore = {"data": {"psn_no": who["psn_no"], "omsgid": undo["msgid"], "oinfno": "2305"}}
    ward.cancel_discharge(stay)
    before = stored_of(world_url, who["psn_no"])
    with pytest.raises(Refused, match="出院信息或明细已有变动"):
        ward.call("2601", restore)
    ward_lines = ward.charge(stay, at(2, 3), [of(5)])
    ward.discharge(stay, at(2, 6))
    with pytest.raises(Refused, match="出院信息或明细已有变动"):
        ward.call("2601", restore)
    ward.cancel_discharge(stay)
    ward.withdraw(stay, ward_lines[0]["feedetl_sn"])
    ward.discharge(stay, at(2, 6))
    assert before != stored_of(world_url, who["psn_no"])
    ward.call("2601", restore)
    assert ward.call("5203", {"data": {**stay.key, "setl_id": info["setl_id"]}})["setlinfo"]["refd_setl_flag"] == "0"
    with pytest.raises(Refused, match="已结算"):
        ward.settle_stay(stay, 10_000)


def test_a_referral_adds_its_points(
    hospitals: Callable[..., Ward], people: Callable[..., dict[str, Any]], world_url: str
) -> None:
    below, ward, who = hospitals("2"), hospitals("3"), people()
    execute(
        world_url,
        "insert into applications.referral (psn_no, filing_id, admdvs, insutype, from_code, from_level, to_code, to_name, "
        "care_admdvs, kind, referred_on, diagnosis_code, diagnosis_name, valid_from, valid_to, filed_by, filed_at, opter) values "
        "($1, $2, '370300', '310', $3, '2', $4, '上级', '370300', '1', $5, 'J18.900', '肺炎', $5, $6, $3, now(), 'x')",
        who["psn_no"], "R" + who["psn_no"], below.counter.fixmedins_code, ward.counter.fixmedins_code,
        date(YEAR, 3, 1), date(YEAR, 3, 10),
    )
    _, referred = stay_of(ward, who, 3)
    assert paid(referred) == (700, 7719, 2281)  # (10000 − 700) × 83 %
    _, plain = stay_of(ward, who, 5)
    assert paid(plain) == (350, 7816.5, 2183.5)  # (10000 − 350) × 81 %


def test_by_the_day_of_discharge_a_stay_over_new_year_is_one_of_the_new_year(
    hospitals: Callable[..., Ward], people: Callable[..., dict[str, Any]]
) -> None:
    """Zibo counts inpatients by the day of discharge: the first stay of the new year, by its whole deductible."""
    ward, who = hospitals("2"), people()
    stay_of(ward, who, 6)
    stay = ward.admit(who, at(12, 30))
    ward.charge(stay, at(12, 31), [of(4000)])
    ward.charge(stay, at(1, 2, year=YEAR + 1), [of(6000)])
    ward.discharge(stay, at(1, 3, year=YEAR + 1))
    info = ward.settle_stay(stay, 10_000)["setlinfo"]
    assert paid(info) == (500, 8075, 1925)
    head = ward.call("5203", {"data": {**stay.key, "setl_id": info["setl_id"]}})["setlinfo"]
    assert (head["year"], head["begndate"], head["enddate"]) == ("2026", "2025-12-30", "2026-01-03")


def test_by_the_day_of_the_costs_the_years_are_settled_apart(
    hospitals: Callable[..., Ward], people: Callable[..., dict[str, Any]], world_url: str
) -> None:
    """Huizhou counts by the day of the costs: those of two years are not settled together."""
    ward, who = hospitals("2", "441300"), people("441300")
    stay = ward.admit(who, at(12, 30))
    ward.charge(stay, at(12, 31), [of(4000)])
    late = ward.charge(stay, at(1, 2, year=YEAR + 1), [of(6000)])[0]["feedetl_sn"]
    for interim in (True, False):
        before = stored_of(world_url, who["psn_no"])
        with pytest.raises(Refused, match=r"2025年与2026年的费用不能一并结算.*2302"):
            (ward.settle_stay if interim else ward.try_stay)(stay, 10_000, interim=interim)
        assert stored_of(world_url, who["psn_no"]) == before
    ward.withdraw(stay, late)
    old = ward.settle_stay(stay, 4000, interim=True)["setlinfo"]
    ward.charge(stay, at(1, 2, year=YEAR + 1), [of(6000)])
    ward.discharge(stay, at(1, 3, year=YEAR + 1))
    new = ward.settle_stay(stay, 6000)["setlinfo"]
    heads = [ward.call("5203", {"data": {**stay.key, "setl_id": x["setl_id"]}})["setlinfo"] for x in (old, new)]
    assert [h["year"] for h in heads] == ["2025", "2026"]
    assert new["act_pay_dedc"] == 0, "one deductible for the stay, whatever the year"


def test_who_dies_in_hospital_is_insured_to_the_last_day(
    hospitals: Callable[..., Ward], people: Callable[..., dict[str, Any]], world_url: str
) -> None:
    ward, who = hospitals("2"), people()
    stay = ward.admit(who, at(3, 1))
    ward.charge(stay, at(3, 2), [of(10_000)])
    execute(world_url, "update people.person set died_on = '2025-03-05', version = version + 1 where psn_no = $1", who["psn_no"])
    for wrong in ({"die_date": ""}, {"die_date": "2025-02-27"}, {"die_date": "2025-03-07"}):
        with pytest.raises(Refused, match="死亡日期"):
            ward.discharge(stay, at(3, 6), way="5", **wrong)
    with pytest.raises(Refused, match="离院方式不是死亡"):
        ward.discharge(stay, at(3, 6), way="1", die_date="2025-03-05")
    ward.discharge(stay, at(3, 6), way="5", die_date="2025-03-05")
    assert paid(ward.settle_stay(stay, 10_000)["setlinfo"]) == (500, 8075, 1925)
    with pytest.raises(Refused, match="已于2025-03-05死亡"):
        ward.admit(who, at(3, 8))


@pytest.mark.drives("2301")
def test_a_return_takes_back_its_share(
    hospitals: Callable[..., Ward], people: Callable[..., dict[str, Any]], world: Mapping[str, Any]
) -> None:
    """Three boxes at 3.335, first-pay 10 %: 10.01 (half up), of which 1.00 first. One box back is 3.34 (half up)."""
    drug = next(i for i in world["items"] if i["list_type"] == "101" and i["chrgitm_lv"] == "02")
    ward, who = hospitals("2"), people()
    stay = ward.admit(who, at(3, 1))
    box = {"med_list_codg": drug["med_list_codg"], "medins_list_codg": drug["medins_list_codg"], "pric": 3.335}
    whole = ward.charge(stay, at(3, 2), [{**box, "feedetl_sn": "1", "cnt": 3, "det_item_fee_sumamt": 10.01}])[0]
    parts = ("fulamt_ownpay_amt", "overlmt_amt", "preselfpay_amt", "inscp_scp_amt")
    taken = []
    for n, amount in ((2, -3.34), (3, -3.34), (4, -3.33)):
        row = ward.charge(stay, at(3, 3), [
            {**box, "feedetl_sn": str(n), "init_feedetl_sn": "1", "cnt": -1, "det_item_fee_sumamt": amount}])[0]
        assert round(sum(row[p] for p in parts), 2) == amount
        taken.append(row)
    assert all(round(whole[p] + sum(r[p] for r in taken), 2) == 0 for p in parts), "nothing of any part is left"
    with pytest.raises(Refused, match="超过原明细可退数量0"):
        ward.charge(stay, at(3, 3), [
            {**box, "feedetl_sn": "5", "init_feedetl_sn": "1", "cnt": -1, "det_item_fee_sumamt": -3.33}])
    ward.charge(stay, at(3, 4), [of(1000)])
    ward.discharge(stay, at(3, 5))
    assert paid(ward.settle_stay(stay, 1000)["setlinfo"]) == (500, 425, 575)


def test_lines_of_a_stay_have_the_catalogue_of_their_own_day(
    hospitals: Callable[..., Ward], people: Callable[..., dict[str, Any]], world_url: str
) -> None:
    """From the fourth day of the stay the item is no longer covered."""
    code = "TST-CHANGES"
    execute(world_url, "insert into catalogue.item (code, list_type, name, charge_type, origin, valid_from, version) values "
            "($1, '201', '演示项目', '14', 'demo', '2000-01-01', 'x')", code)
    execute(world_url, "insert into catalogue.term (admdvs, code, valid_from, valid_to, class_level, first_pay, source, "
            "assumed) values ('370300', $1, '2000-01-01', '2025-03-04', '01', 0, 'x', true), "
            "('370300', $1, '2025-03-04', null, '03', null, 'x', true)", code)
    ward, who = hospitals("2"), people()
    stay = ward.admit(who, at(3, 1))
    row = of(1000, med_list_codg=code, medins_list_codg=code)
    split = [ward.charge(stay, at(3, day), [row])[0] for day in (3, 4)]
    assert [(x["inscp_scp_amt"], x["fulamt_ownpay_amt"]) for x in split] == [(1000, 0), (0, 1000)]
    ward.discharge(stay, at(3, 5))
    assert paid(ward.settle_stay(stay, 2000)["setlinfo"]) == (500, 425, 1575)




# ───────────────────────── birth, injury ─────────────────────────


def test_a_birth_is_paid_whole_and_the_way_of_birth_may_be_said_at_discharge(
    hospitals: Callable[..., Ward], people: Callable[..., dict[str, Any]]
) -> None:
    """Zibo, employees: the whole cost in scope, no deductible, from the fund of births (clearing kind 9978)."""
    ward, who = hospitals("2"), people(sex="2")
    stay = ward.admit(who, at(3, 1), med_type="52", matn_type="1", geso_val=39, fetus_cnt=1)
    ward.charge(stay, at(3, 2), [of(6000)])
    ward.discharge(stay, at(3, 5), matn_type="3")
    reply = ward.settle_stay(stay, 6000)
    assert paid(reply["setlinfo"]) == (0, 6000, 0)
    assert reply["setlinfo"]["clr_type"] == "9978"
    assert [x["fund_pay_type"] for x in reply["setldetail"]] == ["510100"]
    # It is a stay of the year all the same.
    _, later = stay_of(ward, who, 5)
    assert paid(later) == (250, 8287.5, 1712.5)


def test_an_injury_asks_who_is_liable(
    hospitals: Callable[..., Ward], people: Callable[..., dict[str, Any]], world_url: str
) -> None:
    ward = hospitals("2")

    def injured(exp_content: str) -> Stay:
        stay = ward.admit(people(), at(3, 1), med_type="22", exp_content=exp_content)
        ward.charge(stay, at(3, 2), [of(10_000)])
        ward.discharge(stay, at(3, 5))
        return stay

    alone = injured('{"TRUM_FLAG":"1","REL_TTP_FLAG":"0"}')
    assert paid(ward.settle_stay(alone, 10_000)["setlinfo"]) == (500, 8075, 1925)
    liable = injured('{"TRUM_FLAG":"1","REL_TTP_FLAG":"1"}')
    before = stored_of(world_url, liable.key["psn_no"])
    with pytest.raises(Refused, match="第三"):
        ward.settle_stay(liable, 10_000)
    assert stored_of(world_url, liable.key["psn_no"]) == before
    # The bill may say what the admission did not; without either nothing is paid.
    silent = injured("")
    with pytest.raises(Refused, match="没有说明是否涉及第三方责任"):
        ward.settle_stay(silent, 10_000)
    said = ward.settle_stay(silent, 10_000, exp_content='{"TRUM_FLAG":"1","REL_TTP_FLAG":"0"}')["setlinfo"]
    assert paid(said) == (500, 8075, 1925)


def test_an_injury_at_work_is_paid_by_its_own_insurer(
    hospitals: Callable[..., Ward], people: Callable[..., dict[str, Any]], world_url: str
) -> None:
    ward, who = hospitals("2"), people()
    execute(world_url, "insert into applications.injury (psn_no, filing_id, admdvs, kind, injured_on, valid_from, filed_by, "
            "filed_at, opter) values ($1, $2, '370300', 'work_injury', $3, $3, 'x', now(), 'x')",
            who["psn_no"], "W" + who["psn_no"], date(YEAR, 3, 1))
    stay = ward.admit(who, at(3, 1), med_type="22", exp_content='{"TRUM_FLAG":"1","REL_TTP_FLAG":"0"}')
    ward.charge(stay, at(3, 2), [of(10_000)])
    ward.discharge(stay, at(3, 5))
    info = ward.settle_stay(stay, 10_000)["setlinfo"]
    assert (info["act_pay_dedc"], info["hifp_pay"], info["oth_pay"], info["psn_part_amt"]) == (0, 0, 10_000, 0)


@pytest.mark.drives("2305")
def test_a_repeated_cancellation_is_one_and_says_the_same(
    hospitals: Callable[..., Ward], people: Callable[..., dict[str, Any]], world_url: str
) -> None:
    ward, who = hospitals("2"), people()
    stay, info = stay_of(ward, who, 2)
    undo = ward.envelope("2305", {"data": {**stay.key, "setl_id": info["setl_id"]}})
    first = ward.ask(undo)
    before = stored_of(world_url, who["psn_no"])
    assert ward.ask(undo) == first
    assert stored_of(world_url, who["psn_no"]) == before
    with pytest.raises(Refused, match="已用于另一笔内容不同的交易"):
        ward.output(ward.ask({**undo, "input": {"data": {**stay.key, "setl_id": "1"}}}))
    # 2208 is for visits: it does not touch a stay.
    again = ward.settle_stay(stay, 10_000)["setlinfo"]
    with pytest.raises(Refused, match="请用2305撤销"):
        ward.call("2208", {"data": {**stay.key, "setl_id": again["setl_id"]}})


@pytest.mark.parametrize("returned", [True, False], ids=["everything returned", "nothing in scope"])
def test_a_stay_without_cost_in_scope_makes_no_later_one_cheaper(
    ward: Ward, world: dict[str, Any], charges_of: Callable[[int], list[dict[str, Any]]], returned: bool
) -> None:
    """ZB-401: the second stay of a year bears half; a stay that bore nothing is none of the two."""
    patient = next(p for p in world["patients"] if p["story"] == "zb-active-first")
    [charge] = charges_of(1)
    own = next(i for i in world["items"] if i["chrgitm_lv"] == "03")
    lines = [{**charge, "feedetl_sn": "901"}, {**charge, "feedetl_sn": "902", "init_feedetl_sn": "901", "cnt": -charge["cnt"],
              "det_item_fee_sumamt": -charge["det_item_fee_sumamt"]}] if returned else [
        {"med_list_codg": own["med_list_codg"], "medins_list_codg": own["medins_list_codg"], "pric": own["price"], "cnt": 1,
         "det_item_fee_sumamt": own["price"]}]
    before = 0 if returned else 30
    first = ward.admit(patient, days_ago(before + 20))
    ward.charge(first, days_ago(before + 20), lines)
    ward.discharge(first, days_ago(before + 18))
    empty = ward.settle_stay(first, total(lines))["setlinfo"]
    assert empty["inscp_scp_amt"] == 0
    dear = [{**charge, "pric": 9000, "cnt": 1, "det_item_fee_sumamt": 9000}]
    second, settled = ward.whole_stay(patient, days_ago(before + 9), dear)
    standard = {"1": 300, "2": 500, "3": 700}
    level = next(i["level"] for i in world["institutions"] if i["fixmedins_code"] == ward.counter.fixmedins_code)
    assert settled["setlinfo"]["act_pay_dedc"] == standard[level], "the whole standard, as for the first stay of a year"
    ward.cancel_settlement(second, settled["setlinfo"]["setl_id"])
    ward.cancel_settlement(first, empty["setl_id"])
