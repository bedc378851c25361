"""Decisions about claims: two people, what was reviewed is what is paid, one appeal by others, undone with the money back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.claims_office import ClaimsOffice, line, outside_stay
from tests.support.window_city import Denied
from yibao.kernel.actor import Actor
from yibao.usecases.claims.commands import ReverseClaim
from yibao.usecases.claims.reverse_claim import reverse_claim
from yibao.usecases.services.commands import OnApplication
from yibao.usecases.services.decide_application import approve_application, review_application


@pytest.fixture(scope="module")
def city(city_at: Any) -> Iterator[Any]:
    """Open Zibo in the autumn of 2021; no window is announced."""
    return city_at("2021-09-29 10:00")


@pytest.fixture(scope="module")
def office(city: Any) -> ClaimsOffice:
    """Return the office that reimburses."""
    return ClaimsOffice(city)


def cost(city: Any, yuan: int, on: str) -> list[dict[str, Any]]:
    """Return one line of a service of class A."""
    item = next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")
    return [line(item, yuan, quantity=yuan // 100, on=on)]


def clerk(login: str) -> Actor:
    """Return somebody of the agency who may do anything but four eyes alone."""
    return Actor(login=login, channel="cli", regions=("370300",), roles=("review",))


def owed(city: Any, account: str) -> int:
    """Return the balance of an account of the ledger, fen."""
    rows = city.fetch("select coalesce(sum(l.amount), 0)::bigint as fen from ledger.posting p, unnest(p.accounts, p.amounts) "
                      "l(account, amount) where l.account = $1", account)
    return int(rows[0]["fen"])


def test_two_stays_are_counted_in_the_order_of_service_whatever_order_they_are_entered_in(
    city: Any, office: ClaimsOffice
) -> None:
    patient = city.patient("zb-active-first")
    early = outside_stay("2021-03-01", "2021-03-05", cost(city, 5000, "2021-03-05"))
    late = outside_stay("2021-06-01", "2021-06-05", cost(city, 5000, "2021-06-05"))
    paid = office.settle(patient, [late, early])
    bills = paid["detail"]["bills"]
    assert [(b["bill_no"], b["admission"], b["deductible_fen"]) for b in bills] == [
        (early["bill_no"], 1, 70_000), (late["bill_no"], 2, 35_000)]
    # 5 000.00, not filed: 20 % first leaves 4 000.00; (4 000 − 700) × 74 % = 2 442.00; the second stay's deductible is
    # halved: (4 000 − 350) × 74 % = 2 701.00.
    assert [b["fund_fen"] for b in bills] == [244_200, 270_100]
    assert paid["claim"]["fund_fen"] == 514_300
    # One payment for both; the settlement can be explained like any other, line by line.
    assert owed(city, "payout:370300") == 514_300
    setl_id = next(b["setl_id"] for b in paid["bills"] if b["bill_no"] == early["bill_no"])
    sheet = office.intake.read(f"/settlements/{setl_id}")
    assert (sheet["fund_fen"], sheet["differences"]) == (244_200, [])
    assert sheet["lines"][0]["first_pay"] == 100_000
    assert city.breaches() == {}


def test_what_was_reviewed_is_what_is_paid(city: Any, office: ClaimsOffice) -> None:
    patient = city.patient("zb-active-over-deductible")
    first = office.open(patient, [outside_stay("2021-03-01", "2021-03-05", cost(city, 5000, "2021-03-05"))])
    second = office.open(patient, [outside_stay("2021-06-01", "2021-06-05", cost(city, 5000, "2021-06-05"))])
    for claim in (first, second):
        office.accept(claim)
        assert office.calculate(claim)["fund_fen"] == 244_200  # each as if it were the first stay of the year
    office.decide(first)
    office.review.do(f"/applications/{second['application_id']}/review", {"says": "相符"})
    moved = office.approval.refused(f"/applications/{second['application_id']}/approve", {"says": "同意"})
    assert moved["code"] == "CLAIM_MOVED_ON"
    assert "2442.00" in moved["faults"][0]["reason"]
    assert "2701.00" in moved["faults"][0]["reason"]
    office.approval.do(f"/applications/{second['application_id']}/send-back", {"says": "重新计算"})
    assert office.calculate(second)["fund_fen"] == 270_100
    office.decide(second)
    assert office.show(second)["claim"]["state"] == "settled"


def test_nobody_decides_what_he_entered_calculated_or_reviewed(city: Any, office: ClaimsOffice) -> None:
    patient = city.patient("zb-active-deductible-part")
    claim = office.open(patient, [outside_stay("2021-03-01", "2021-03-05", cost(city, 2000, "2021-03-05"))])
    office.accept(claim)
    unready = office.review.do(f"/applications/{claim['application_id']}/review", {"says": "先审"})
    assert unready["state"] == "reviewing"
    assert office.approval.refused(f"/applications/{claim['application_id']}/approve", {"says": "同意"})["code"] == "CLAIM_STATE"
    office.calculate(claim)
    makers = city.fetch("select entered_by, calculated_by from claims.claim where claim_id = $1", claim["claim_id"])[0]
    command = OnApplication(application_id=claim["application_id"], says="同意")
    for login in makers.values():
        with pytest.raises(Denied) as denied:
            city.do(approve_application, command, actor=clerk(login.upper()), shelf=city.shelf)
        assert denied.value.refusal.code == "FOUR_EYES"
    assert city.fetch("select count(*) as n from exchange.payout where origin = $1", claim["claim_id"])[0]["n"] == 0


def test_a_rejected_claim_is_looked_at_again_once_and_by_others(city: Any, office: ClaimsOffice) -> None:
    patient = city.patient("zb-retired-first")
    bill = outside_stay("2021-03-01", "2021-03-05", cost(city, 20_000, "2021-03-05"))
    claim = office.open(patient, [bill])
    office.accept(claim)
    assert office.intake.refused(f"/claims/{claim['claim_id']}/appeal", {"reason": "早了"})["code"] == "CLAIM_STATE"
    office.calculate(claim)
    office.review.do(f"/applications/{claim['application_id']}/review", {"says": "材料存疑"})
    office.approval.do(f"/applications/{claim['application_id']}/reject", {"says": "出院记录与票据不符"})
    assert office.show(claim)["claim"]["state"] == "released"

    appeal = office.intake.do(f"/claims/{claim['claim_id']}/appeal", {"reason": "已补充医院证明"})
    assert appeal["appeal_of"] == claim["claim_id"]
    assert office.intake.refused(f"/claims/{claim['claim_id']}/appeal", {"reason": "再来"})["code"] == "APPEAL_ONCE"
    office.intake.do(f"/applications/{appeal['application_id']}/papers", {"materials": office.claim(patient, [])["materials"]})
    office.accept(appeal)
    office.calculate(appeal)
    # The same hands as before are refused; others pay it.
    office.review.do(f"/applications/{appeal['application_id']}/review", {"says": "相符"})
    same = office.approval.refused(f"/applications/{appeal['application_id']}/approve", {"says": "同意"})
    assert same["code"] == "APPEAL_SAME_HANDS"
    again = OnApplication(application_id=appeal["application_id"], says="同意")
    with pytest.raises(Denied) as denied:  # somebody else decides, but the reviewer is the one of then
        city.do(approve_application, again, actor=clerk("other.second"), shelf=city.shelf)
    assert denied.value.refusal.code == "APPEAL_SAME_HANDS"
    office.approval.do(f"/applications/{appeal['application_id']}/send-back", {"says": "换人"})
    command = OnApplication(application_id=appeal["application_id"], says="证明属实")
    city.do(review_application, command, actor=clerk("other.first"))
    city.do(approve_application, command, actor=clerk("other.second"), shelf=city.shelf)
    # Retired, not filed: 16 000.00 in scope, 9 300 × 87 % + 6 000 × 90 % = 8 091.00 + 5 400.00.
    assert office.show(appeal)["claim"]["fund_fen"] == 1_349_100
    assert office.intake.refused(f"/claims/{appeal['claim_id']}/appeal", {"reason": "还不服"})["code"] == "APPEAL_ONCE"
    assert city.breaches() == {}


def test_an_appeal_against_what_was_paid_pays_the_difference_and_never_less(city: Any, office: ClaimsOffice) -> None:
    patient = city.patient("zb-active-level1-before")
    whole = cost(city, 10_000, "2021-03-05")
    # Half of the receipt was entered without a code: own cost.
    plain = {**whole[0], "item_code": "", "item_name": "按清单，编码未查到"}
    bill = outside_stay("2021-03-01", "2021-03-05", [plain])
    paid = office.settle(patient, [bill])
    assert paid["claim"]["fund_fen"] == 0
    assert paid["application_state"] == "closed"  # nothing for the bank
    claim = paid["claim"]
    appeal = office.intake.do(f"/claims/{claim['claim_id']}/appeal", {"reason": "该项目在目录内"})
    office.intake.do(f"/applications/{appeal['application_id']}/papers", {"materials": office.claim(patient, [])["materials"]})
    office.accept(appeal)
    command = OnApplication(application_id=appeal["application_id"], says="核对属实")
    office.calculate(appeal)
    city.do(review_application, command, actor=clerk("other.first"))
    with pytest.raises(Denied) as denied:
        city.do(approve_application, command, actor=clerk("other.second"), shelf=city.shelf)
    assert denied.value.refusal.code == "APPEAL_CHANGES_NOTHING"
    office.approval.do(f"/applications/{appeal['application_id']}/send-back", {"says": "补录编码"})
    office.intake.do(f"/claims/{appeal['claim_id']}/lines", {"ordinal": 1, "lines": whole})
    office.calculate(appeal)
    city.do(review_application, command, actor=clerk("other.first"))
    city.do(approve_application, command, actor=clerk("other.second"), shelf=city.shelf)
    # 10 000.00 not filed: 8 000.00 in scope, the first stay of the year as before: (8 000 − 700) × 74 % = 5 402.00.
    assert office.show(appeal)["claim"]["fund_fen"] == 540_200
    assert office.show(claim)["claim"]["state"] == "reversed"
    assert city.breaches() == {}


def test_a_payment_that_comes_back_goes_again_and_a_wrong_one_is_owed_back(city: Any, office: ClaimsOffice) -> None:
    patient = city.patient("zb-active-deductible-met")
    claim = office.settle(patient, [outside_stay("2021-03-01", "2021-03-05", cost(city, 5000, "2021-03-05"))])["claim"]
    fund = claim["fund_fen"]
    office.bank_answers(office.send_to_bank(), code="14", reason="账号不存在")
    assert office.show(claim)["application_state"] == "pay_failed"
    command = ReverseClaim(claim_id=claim["claim_id"], reason="票据系伪造")
    with pytest.raises(Denied) as denied:
        city.do(reverse_claim, command, actor=clerk("other.second"), maker="other.first", shelf=city.shelf)
    assert denied.value.refusal.code == "PAYOUT_UNDER_WAY"
    office.review.do(f"/payouts/{claim['payout_id']}/reorder", {
        "payee_name": "本人", "bank_name": "示范银行", "bank_account": "6222000033334444"})
    # Whoever ordered it anew does not check the file: another one makes it.
    for payout in city.fetch("select payout_id from exchange.payout where state = 'failed'"):
        if payout["payout_id"] != claim["payout_id"]:
            office.review.do(f"/payouts/{payout['payout_id']}/reorder", {
                "payee_name": "本人", "bank_name": "示范银行", "bank_account": "6222000055556666"})
    office.bank_answers(office.send_to_bank())
    assert office.show(claim)["application_state"] == "closed"

    with pytest.raises(Denied) as alone:
        city.do(reverse_claim, command, actor=clerk("other.first"), maker="other.first", shelf=city.shelf)
    assert alone.value.refusal.code == "FOUR_EYES"
    before = owed(city, "owed:370300")
    city.do(reverse_claim, command, actor=clerk("other.second"), maker="other.first", shelf=city.shelf)
    assert owed(city, "owed:370300") - before == -fund
    assert city.breaches() == {}
    # Part comes back, told twice by the bank; then too much; then the rest.
    path = f"/claims/{claim['claim_id']}/repayments"
    for _ in range(2):
        assert office.review.do(path, {"bank_ref": "BACK-1", "amount_fen": 10_000})["received_fen"] == 10_000
    assert office.review.refused(path, {"bank_ref": "BACK-2", "amount_fen": fund})["code"] == "REPAYMENT_TOO_MUCH"
    done = office.review.do(path, {"bank_ref": "BACK-3", "amount_fen": fund - 10_000})
    assert done["closed_at"]
    assert owed(city, "owed:370300") == before
    # The receipt may be claimed again, the year's counters are where they were.
    assert city.breaches() == {}


def test_undoing_over_the_api_waits_for_a_second_person(city: Any, office: ClaimsOffice) -> None:
    patient = city.patient("zb-retired-met")
    claim = office.settle(patient, [outside_stay("2021-03-01", "2021-03-05", cost(city, 5000, "2021-03-05"))])["claim"]
    office.bank_answers(office.send_to_bank())
    path = f"/claims/{claim['claim_id']}/reverse"
    asked = office.review.send("POST", path, body={"reason": "重复报销"}, key=office.review.new_key())
    assert asked.status_code == 202, asked.text
    assert office.show(claim)["claim"]["state"] == "settled"
    office.approval.do(f"/proposals/{asked.json()['proposal_id']}/approve")
    shown = office.show(claim)["claim"]
    assert (shown["state"], shown["reason"]) == ("reversed", "重复报销")
    owing = office.intake.read("/regions/370300/claim-recoveries")["rows"]
    assert claim["claim_id"] in {row["claim_id"] for row in owing}
    assert city.breaches() == {}
