"""July written by hand, and what its books must say, reckoned by hand beside it (see conftest.py). Amounts in fen."""

from __future__ import annotations

import io
import json

from openpyxl import load_workbook

from tests.spec.closing.conftest import AUGUST, CASES, JULY, breaches, close
from tests.support.ledger import REGION, HandLedger
from yibao.kernel.refusal import Refusal
from yibao.usecases.closing.export_vouchers import export_vouchers
from yibao.usecases.closing.fund_report import FundReport, fund_report
from yibao.usecases.closing.report_page import paper_of, write_page
from yibao.usecases.closing.report_sheet import write_sheet

# fund: opening, income, spending, carried
BALANCES = {
    # income 80 000 + 300 dues, 50 surcharge; spending 10 600 into an account, 30 000 stay, 3 000 visit - 3 000 undone
    "310100": (0, 80_350, 40_600, 39_750),
    # opening 5 000 of P1; income 20 000 dues and 10 600 from the pool; spending 4 000 stay, 1 000 care, 10 600 paid out.
    # P1's own 20 000 only move inside the fund.
    "310200": (5_000, 30_600, 15_600, 20_000),
    "330100": (0, 1_200, 5_000, -3_800),
    "390100": (0, 64_000, 7_000, 57_000),
    "419900": (0, 1_000, 0, 1_000),
}
# book, subject, detail: debit less credit over the month, without the vouchers that carry forward
LEDGER = {
    ("310", "1003", "银行存款"): 100_050 + 300 - 1_000,  # dues and surcharge in, 3 yuan from the pending book, care out
    ("310", "2001", "待付定点医药机构"): -34_000,  # 300 + 40 of the stay; the visit and its undoing cancel out
    ("310", "2001", "待付参保人和单位"): -10_600,
    ("310", "4001", "310100"): -80_300 + 10_600,
    ("310", "4001", "310200"): -20_000 - 10_600,
    ("310", "4501", "310100"): -50,
    ("310", "5001", "310100"): 30_000,
    ("310", "5001", "310200"): 4_000 + 10_600,
    ("310", "5401", "310200"): 1_000,
    ("330", "1003", "银行存款"): 1_200,
    ("330", "2001", "待付定点医药机构"): -5_000,
    ("330", "4001", "330100"): -1_200,
    ("330", "5001", "330100"): 5_000,
    ("390", "1003", "银行存款"): 64_000,
    ("390", "2001", "待付定点医药机构"): -7_000,
    ("390", "4101", "390100"): -64_000,
    ("390", "5001", "390100"): 7_000,
    ("410", "1003", "银行存款"): 1_000,
    ("410", "4001", "419900"): -1_000,
}


def report_of(ledger: HandLedger) -> FundReport:
    report = ledger.run(lambda tx: fund_report(tx, admdvs=REGION, month=JULY))
    assert isinstance(report, FundReport)
    return report


def vouchers_of(ledger: HandLedger, form: str) -> bytes:
    content = ledger.run(lambda tx: export_vouchers(tx, admdvs=REGION, month=JULY, form=form))
    assert isinstance(content, bytes)
    return content


def test_the_balances_are_those_reckoned_by_hand(closed: HandLedger) -> None:
    rows = closed.fetch("select fund, opening_fen, income_fen, spending_fen, carried_fen from closing.balance")
    assert {row[0]: row[1:] for row in rows} == BALANCES
    assert breaches(closed) == CASES


def test_an_open_month_reports_the_same_figures_as_provisional(july: HandLedger, closed: HandLedger) -> None:
    before, after = report_of(july), report_of(closed)
    assert not before.is_final
    assert after.is_final
    assert before.funds == after.funds
    assert before.total == after.total


def test_the_total_leaves_out_what_moves_between_funds(closed: HandLedger) -> None:
    total = report_of(closed).total
    # Income: 80 300 + 20 000 + 1 200 + 1 000 dues, 64 000 subsidy, 50 surcharge. Spending: 30 000 + 5 000 + 4 000 + 7 000
    # benefits, 10 600 paid out, 1 000 care out of an account.
    assert {line.line: line.month_fen for line in total.lines} == {
        "premiums": 102_500, "subsidy": 64_000, "other_income": 50, "benefits": 46_000, "withdrawals": 10_600,
        "dues_paid": 1_000,
    }
    assert (total.opening_fen, total.income_fen, total.spending_fen, total.carried_fen) == (5_000, 166_550, 57_600, 113_950)
    assert 5_000 + 166_550 - 57_600 == 113_950 == sum(row[3] for row in BALANCES.values())


def test_the_vouchers_balance_and_sum_to_the_accounts_reckoned_by_hand(closed: HandLedger) -> None:
    book = json.loads(vouchers_of(closed, "json"))
    sums: dict[tuple[str, str, str], int] = {}
    carried: dict[str, int] = {}
    numbers: dict[str, list[int]] = {}
    for voucher in book["vouchers"]:
        numbers.setdefault(voucher["book"], []).append(voucher["number"])
        assert sum(x["debit_fen"] - x["credit_fen"] for x in voucher["lines"]) == 0
        assert all((x["debit_fen"] == 0) != (x["credit_fen"] == 0) for x in voucher["lines"])
        for x in voucher["lines"]:
            amount = x["debit_fen"] - x["credit_fen"]
            if voucher["kind"] != "carry":
                key = (voucher["book"], x["subject"], x["detail"])
                sums[key] = sums.get(key, 0) + amount
            elif x["subject"] == "3001":
                carried[x["detail"]] = carried.get(x["detail"], 0) - amount
    pending = {key: amount for key, amount in sums.items() if key[0] == "999"}
    assert {k: v for k, v in sums.items() if v and k[0] != "999"} == LEDGER
    # The pending book had 3 yuan for a while: in by the bank, out to the employees' book.
    assert all(amount == 0 for amount in pending.values())
    assert carried == {fund: row[1] - row[2] for fund, row in BALANCES.items()}
    assert all(found == list(range(1, len(found) + 1)) for found in numbers.values())


def test_files_are_the_same_every_time_and_hold_the_same_amounts(closed: HandLedger) -> None:
    for form in ("json", "csv", "xlsx"):
        assert vouchers_of(closed, form) == vouchers_of(closed, form)
    report = report_of(closed)
    assert write_sheet(report) == write_sheet(report)
    sheet = load_workbook(io.BytesIO(write_sheet(report))).active
    rows = {row[0]: row[1:] for row in sheet.iter_rows(min_row=6, values_only=True) if row[0]}
    opening = [row[0] for row in BALANCES.values()]
    assert [round(x * 100) for x in rows["一、期初结余"][0::2]] == [*opening, 5_000]
    assert [round(x * 100) for x in rows["二、收入合计"][0::2]] == [*(row[1] for row in BALANCES.values()), 166_550]
    assert [round(x * 100) for x in rows["三、支出合计"][0::2]] == [*(row[2] for row in BALANCES.values()), 57_600]
    assert [round(x * 100) for x in rows["四、期末结余"][0::2]] == [*(row[3] for row in BALANCES.values()), 113_950]
    lines = vouchers_of(closed, "csv").decode("utf-8-sig").splitlines()
    assert lines[0].startswith("账套,账套名称,月份,凭证号")
    debit = sum(round(float(x.split(",")[10] or 0) * 100) for x in lines[1:])
    assert debit == sum(round(float(x.split(",")[11] or 0) * 100) for x in lines[1:])


def test_the_paper_says_what_the_report_says(closed: HandLedger) -> None:
    report = report_of(closed)
    page = write_page(report)
    assert isinstance(page, bytes)
    assert page.startswith(b"%PDF-")
    assert page == write_page(report)
    last = paper_of(report).parts[-1]
    total = {row.label: row.amounts[-2:] for row in last.rows}
    assert last.columns[-1] == "合计"
    assert total["二、收入合计"] == ("1665.50", "1665.50")
    assert total["四、期末结余"] == ("1139.50", "")


def test_august_goes_on_from_july_and_the_year_adds_up(july: HandLedger) -> None:
    # The bank pays P2 what July owed; the payout names its origin by another number than the posting has.
    july.do("insert into exchange.payout (payout_id, admdvs, purpose, psn_no, payee_name, bank_name, bank_account, amount_fen, "
            "origin, state, file_id, ordered_by, ordered_at, ended_at) values ('O1', '370300', 'withdrawal', 'P2', '某人', "
            "'示例银行', '62', 10600, 'paper 7', 'paid', 'F', 'a', '2024-07-21', '2024-08-02')")
    july.post("payment", "2024-08-02 10:00", {"payout": -10_600, "bank": 10_600}, psn_no="P2", posting_id="O1-paid")
    # And what nobody can say whose it was.
    july.post("payment", "2024-08-03 10:00", {"payout": -7, "bank": 7}, psn_no="P9", posting_id="unknown")
    for month, now in ((JULY, "2024-08-01 09:00"), (AUGUST, "2024-09-01 00:05")):
        assert not isinstance(close(july, month, now), Refusal)
    report = july.run(lambda tx: fund_report(tx, admdvs=REGION, month=AUGUST))
    assert isinstance(report, FundReport)
    pool = next(f for f in report.funds if f.fund == "310100")
    assert (pool.opening_fen, pool.income_fen, pool.carried_fen) == (39_750, 999, 40_749)
    paid = july.fetch("select book, detail, l.debit_fen - l.credit_fen from closing.voucher join closing.voucher_line l "
                      "using (admdvs, month, revision, book, number) where month = '2024-08-01' and kind = 'payment'")
    assert sorted(paid) == [("310", "待付参保人和单位", 10_600), ("310", "银行存款", -10_600), ("999", "待付参保人和单位", 7),
                            ("999", "银行存款", -7)]
    premiums = next(x for x in pool.lines if x.line == "premiums")
    assert (premiums.month_fen, premiums.year_fen) == (999, 81_299)
    assert breaches(july) == CASES
