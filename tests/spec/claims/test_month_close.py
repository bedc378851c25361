"""A month with claims is closed: what was spent is what people got, each fund by itself, and what they owe back is told."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.support.claims_office import ClaimsOffice, line, outside_stay
from yibao.infra.database import Database
from yibao.kernel.actor import Actor
from yibao.usecases.claims.commands import ReverseClaim
from yibao.usecases.claims.reverse_claim import reverse_claim
from yibao.usecases.closing.close_month import CloseMonth, close_month
from yibao.usecases.closing.export_vouchers import VoucherBook, read_vouchers
from yibao.usecases.closing.fund_report import FundReport, fund_report

REGION, MONTH = "370300", date(2021, 9, 1)


async def reports(database: Database) -> tuple[FundReport, VoucherBook]:
    """Return the report and the vouchers of the month."""
    async with database.transaction() as tx:
        report = await fund_report(tx, admdvs=REGION, month=MONTH)
        vouchers = await read_vouchers(tx, admdvs=REGION, month=MONTH)
    assert isinstance(report, FundReport)
    assert isinstance(vouchers, VoucherBook)
    return report, vouchers


def test_a_month_with_claims_closes_with_every_fund_and_every_book_right(city_at: Any) -> None:
    city = city_at("2021-09-29 10:00")
    office = ClaimsOffice(city)
    item = next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")

    def stay(begin: str, end: str, yuan: int) -> dict[str, Any]:
        return outside_stay(begin, end, [line(item, yuan, quantity=yuan // 100, on=end)])

    employee, resident, wrong = (city.patient(s) for s in ("zb-active-first", "zb-resident-first", "zb-retired-first"))
    # Two receipts, one payment: 2 442.00 + 2 701.00 (see test_decisions).
    two = office.settle(employee, [stay("2021-03-01", "2021-03-05", 5000), stay("2021-06-01", "2021-06-05", 5000)])["claim"]
    # A resident, not filed: 40 % first (ZB-A11) leaves 3 000.00; (3 000 − 700) × 60 % = 1 380.00.
    one = office.settle(resident, [stay("2021-03-01", "2021-03-05", 5000)])["claim"]
    # Retired: 4 000.00 in scope, (4 000 − 700) × 87 % = 2 871.00; paid and then found to be forged.
    forged = office.settle(wrong, [stay("2021-03-01", "2021-03-05", 5000)])["claim"]
    assert [c["fund_fen"] for c in (two, one, forged)] == [514_300, 138_000, 287_100]
    office.bank_answers(office.send_to_bank())
    city.do(reverse_claim, ReverseClaim(claim_id=forged["claim_id"], reason="票据系伪造"), maker="other.first",
            actor=Actor(login="other.second", channel="cli", regions=(REGION,)), shelf=city.shelf)
    office.review.do(f"/claims/{forged['claim_id']}/repayments", {"bank_ref": "B1", "amount_fen": 87_100})

    city.turn("2021-10-01 09:00")
    city.do(close_month, CloseMonth(admdvs=REGION, month=MONTH), actor=Actor(login="张会计", channel="cli", regions=(REGION,)))
    report, vouchers = city.with_database(reports)
    spent = {f.fund: sum(x.month_fen for x in f.lines if x.line == "benefits") for f in report.funds}
    # The forged one came and went: employees 5 143.00, residents 1 380.00.
    assert (spent["310100"], spent["390100"]) == (514_300, 138_000)
    lines = [x for v in vouchers.vouchers for x in v.lines]
    assert sum(x.debit_fen for x in lines) == sum(x.credit_fen for x in lines)
    # 2 871.00 paid out, 871.00 came back: 2 000.00 is still owed by people.
    owed = [x for x in lines if x.subject == "1101"]
    assert sum(x.debit_fen - x.credit_fen for x in owed) == 200_000
    assert city.breaches() == {}
