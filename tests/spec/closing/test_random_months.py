"""Random months: what the report and the vouchers say equals a plain walk over the postings that shares nothing with them."""

from __future__ import annotations

import json
from random import Random

import pytest

from tests.spec.closing.conftest import CASES, JULY, breaches, close
from tests.support.ledger import REGION, HandLedger
from yibao.usecases.closing.close_month import ClosedMonth
from yibao.usecases.closing.export_vouchers import export_vouchers
from yibao.usecases.closing.fund_report import FundReport, fund_report

FUNDS = ("310100", "310200", "330100", "390100", "419900", "610100")
SIGNS = {"premiums": 1, "subsidy": 1, "other_income": 1, "transfer_in": 1, "from_funds": 1, "benefits": -1, "withdrawals": -1,
         "transfer_out": -1, "to_funds": -1, "dues_paid": -1, "interest": 1, "other_spending": -1}


def draw(rng: Random, balances: dict[str, int]) -> tuple[str, str, dict[str, int]]:
    """Return person, kind and legs of a posting that could be; balances of accounts stay at or above zero."""
    person = f"P{rng.randrange(5)}"
    account, amount = f"account:{person}", rng.randrange(1, 50_000)
    kind = rng.choice(("contribution", "subsidy", "settlement", "refund", "account_credit", "account_due", "withdrawal",
                       "transfer_in", "transfer_out", "surcharge", "contribution_refund", "year_end", "deduction"))
    some = rng.sample(FUNDS, rng.randrange(1, 4))
    parts = {fund: rng.randrange(1, 9_000) for fund in some}
    total = sum(parts.values())
    have = balances.get(person, 0)
    if kind in ("contribution", "subsidy", "surcharge"):
        legs = {"bank": -total, **parts}
        if kind == "contribution" and rng.random() < 0.3:
            legs = {"bank": -total - 77, **parts, "unallocated": 77}
    elif kind == "contribution_refund":
        legs = {**{fund: -fen for fund, fen in parts.items()}, "payout": total}
    elif kind in ("settlement", "refund", "year_end", "deduction"):
        sign = -1 if kind in ("settlement", "year_end") else 1
        own = min(have, 300) if kind == "settlement" else 0
        legs = {fund: sign * fen for fund, fen in parts.items()}
        if own:
            legs[account] = -own
        legs["payable:H1"] = -sum(legs.values())
    elif kind == "account_credit":
        legs = {rng.choice(("310100", "310200")): -amount, account: amount}
    elif kind == "transfer_in":
        legs = {"bank": -amount - 5, account: amount, "310100": 5}
    elif have:
        taken = rng.randrange(1, have + 1)
        legs = {account: -taken, ("419900" if kind == "account_due" else "payout"): taken}
    else:
        return draw(rng, balances)
    balances[person] = have + legs.get(account, 0)
    return person, kind, legs


def fund_of(account: str) -> str:
    if account.startswith("account:"):
        return "310200"
    return account if account.isdecimal() else ""


@pytest.mark.parametrize("seed", range(3))
def test_report_and_vouchers_equal_a_plain_walk(fresh_database_url: str, seed: int) -> None:
    rng, ledger = Random(seed), HandLedger(fresh_database_url)
    ledger.do("insert into platform.region (admdvs, name) values ('370300', '淄博市')")
    balances: dict[str, int] = {}
    written: list[tuple[str, str, dict[str, int]]] = []
    for n in range(60):
        person, kind, legs = draw(rng, balances)
        assert sum(legs.values()) == 0
        ledger.post(kind, f"2024-07-{1 + n // 2:02d} {rng.randrange(24):02d}:00", legs, psn_no=person)
        written.append((person, kind, legs))
    assert isinstance(close(ledger, JULY, "2024-08-01 09:00"), ClosedMonth)

    net: dict[str, int] = {}
    by_kind: dict[str, int] = {}
    parties: dict[str, int] = {}
    for _, kind, legs in written:
        for account, fen in legs.items():
            if fund_of(account):
                net[fund_of(account)] = net.get(fund_of(account), 0) + fen
                by_kind[kind] = by_kind.get(kind, 0) + fen
            else:
                parties[account.split(":")[0]] = parties.get(account.split(":")[0], 0) + fen
    report = ledger.run(lambda tx: fund_report(tx, admdvs=REGION, month=JULY))
    assert isinstance(report, FundReport)
    assert {f.fund: f.carried_fen for f in report.funds if f.carried_fen} == {k: v for k, v in net.items() if v}
    for fund in report.funds:
        assert fund.carried_fen == sum(SIGNS[x.line] * x.month_fen for x in fund.lines)
        assert fund.income_fen - fund.spending_fen == fund.carried_fen - fund.opening_fen
    assert report.total.carried_fen == sum(net.values())
    benefits = next(x.month_fen for x in report.total.lines if x.line == "benefits")
    assert benefits == -sum(by_kind.get(kind, 0) for kind in ("settlement", "refund", "year_end", "deduction"))

    content = ledger.run(lambda tx: export_vouchers(tx, admdvs=REGION, month=JULY))
    assert isinstance(content, bytes)
    sums: dict[str, int] = {}
    for voucher in json.loads(content)["vouchers"]:
        assert sum(x["debit_fen"] - x["credit_fen"] for x in voucher["lines"]) == 0
        for x in voucher["lines"]:
            sums[x["detail"]] = sums.get(x["detail"], 0) + x["credit_fen"] - x["debit_fen"]
    # Over all books what moves from deposit to deposit cancels out: the parties stand as the ledger has them.
    assert sums.get("银行存款", 0) == parties.get("bank", 0)
    assert sums.get("待付定点医药机构", 0) == parties.get("payable", 0)
    assert sums.get("待付参保人和单位", 0) == parties.get("payout", 0)
    assert sums.get("缴费人待分配款", 0) == parties.get("unallocated", 0)
    assert breaches(ledger) == CASES
