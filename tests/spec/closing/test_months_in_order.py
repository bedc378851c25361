"""When a month may be closed, opened again, and what a closed month refuses."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import asyncpg
import pytest

from tests.spec.closing.conftest import AUGUST, CASES, JULY, actor, breaches, close, write_july
from tests.support.ledger import REGION, HandLedger, at
from yibao.domains.closing.model import Month
from yibao.domains.closing.open_month import refuse_closed
from yibao.kernel.ids import CountingIds
from yibao.kernel.refusal import Refusal
from yibao.usecases.closing.close_month import ClosedMonth, CloseMonth, close_month
from yibao.usecases.closing.export_vouchers import export_vouchers
from yibao.usecases.closing.reopen_month import AskReopen, DecideReopen, ask_reopen, reopen_month
from yibao.usecases.funds.fund_lines import flow_words


@pytest.fixture
def ledger(fresh_database_url: str) -> HandLedger:
    """Return a ledger with July written, not closed."""
    made = HandLedger(fresh_database_url)
    made.do("insert into platform.region (admdvs, name) values ('370300', '淄博市')")
    write_july(made)
    return made


def ask(ledger: HandLedger, month: date, *, by: str, reason: str = "漏记一笔") -> Month | Refusal:
    command = AskReopen(admdvs=REGION, month=month, reason=reason)
    return ledger.run(
        lambda tx: ask_reopen(tx, command, actor=actor(by), now=at("2024-08-05 09:00"), ids=CountingIds(100))
    )


def decide(ledger: HandLedger, month: date, *, by: str, agree: bool = True, ids: int = 200) -> Month | Refusal:
    command = DecideReopen(admdvs=REGION, month=month, agree=agree)
    return ledger.run(
        lambda tx: reopen_month(tx, command, actor=actor(by), now=at("2024-08-05 10:00"), ids=CountingIds(ids))
    )


def code(done: object) -> str:
    assert isinstance(done, Refusal), done
    return done.code


def may_post(ledger: HandLedger, on: date) -> bool:
    return ledger.run(lambda tx: refuse_closed(tx, admdvs=REGION, on=on)) is None


def test_a_month_is_closed_once_it_is_over_and_in_its_turn(ledger: HandLedger) -> None:
    assert code(close(ledger, JULY, "2024-07-31 23:59")) == "MONTH_NOT_OVER"
    # A request that began in the month may be on its way for a while: five minutes.
    assert code(close(ledger, JULY, "2024-08-01 00:04")) == "MONTH_NOT_OVER"
    assert code(close(ledger, date(2024, 7, 2), "2024-09-01 09:00")) == "MONTH_INVALID"
    assert code(close(ledger, date(1, 1, 1), "2024-09-01 09:00")) == "MONTH_INVALID"
    assert code(close(ledger, JULY, "2024-08-01 00:05", by=" ")) == "OPERATOR_MISSING"
    assert isinstance(close(ledger, JULY, "2024-08-01 00:05"), ClosedMonth)
    assert code(close(ledger, JULY, "2024-08-01 00:06")) == "MONTH_CLOSED"
    assert code(close(ledger, date(2024, 9, 1), "2024-10-02 09:00")) == "MONTH_NOT_NEXT"
    assert code(close(ledger, date(2024, 6, 1), "2024-10-02 09:00")) == "MONTH_NOT_NEXT"
    assert isinstance(close(ledger, AUGUST, "2024-09-01 09:00"), ClosedMonth)


def test_a_closed_month_takes_no_posting_and_verify_finds_one(ledger: HandLedger) -> None:
    assert may_post(ledger, date(2024, 7, 15))
    close(ledger, JULY, "2024-08-01 09:00")
    assert not may_post(ledger, date(2024, 7, 1))
    assert not may_post(ledger, date(2024, 7, 31))
    assert may_post(ledger, date(2024, 8, 1))
    assert may_post(ledger, date(2024, 6, 30))
    assert breaches(ledger) == CASES
    late = ("insert into ledger.posting (psn_no, posting_id, admdvs, kind, posted_at, accounts, amounts) values ('E1', 'late', "
            "'370300', '{}', '{}', array['bank:370300', 'fund:370300:310100'], array[-1::bigint, 1::bigint])")
    kept = "已结账月份的分录笔数未变，各基金收支等于分录合计"
    assert kept in breaches(ledger, late.format("contribution", "2024-07-31 23:59:59+08"))
    assert breaches(ledger, late.format("contribution", "2024-08-01 00:00:00+08")) == CASES


@pytest.mark.parametrize(("harm", "says"), [
    ("update closing.flow set amount_fen = amount_fen + 1 where fund = '310100' and kind = 'settlement'",
     "已结账月份的分录笔数未变，各基金收支等于分录合计"),
    ("update closing.balance set opening_fen = opening_fen + 1, carried_fen = carried_fen + 1 where fund = '390100'",
     "基金结余逐月结转，期末结余等于期初加收入减支出，也等于至月末的分录合计"),
    ("update closing.voucher_line set debit_fen = debit_fen + 1 where debit_fen > 0 and ordinal = 1 and book = '310'",
     "凭证借贷相等、编号连续，结转到结余的金额等于基金收支"),
    ("delete from closing.voucher where number = 1", "凭证借贷相等、编号连续，结转到结余的金额等于基金收支"),
    ("update closing.month set state = 'open', asked_by = 'a', reason = 'r', opened_by = 'b' where month = '2024-07-01'",
     "逐月结账没有缺月；重新打开经两人办理"),
    ("delete from closing.month where month = '2024-08-01'; update closing.month set month = '2024-09-01' "
     "where month = '2024-07-01'", "每次结账都有审计记录"),
    ("delete from platform.audit_entry where verb = 'close_month'", "每次结账都有审计记录"),
])
def test_verify_finds_a_report_that_was_changed(two_months: HandLedger, harm: str, says: str) -> None:
    assert breaches(two_months) == CASES
    assert says in breaches(two_months, *harm.split("; "))


@pytest.fixture(scope="module")
def two_months(make_database_url: Callable[[], str]) -> HandLedger:
    """Return a ledger with July and August closed."""
    made = HandLedger(make_database_url())
    write_july(made)
    assert isinstance(close(made, JULY, "2024-08-01 09:00"), ClosedMonth)
    assert isinstance(close(made, AUGUST, "2024-09-01 09:00"), ClosedMonth)
    return made


def test_opening_again_takes_two_people_and_a_reason_and_keeps_what_was_said(ledger: HandLedger) -> None:
    assert code(ask(ledger, JULY, by="张会计")) == "MONTH_OPEN"
    first = close(ledger, JULY, "2024-08-01 09:00")
    assert code(decide(ledger, JULY, by="李主任")) == "REOPEN_NOT_ASKED"
    assert code(ask(ledger, JULY, by="张会计", reason="  ")) == "REASON_MISSING"
    assert not isinstance(ask(ledger, JULY, by="张会计"), Refusal)
    assert not may_post(ledger, date(2024, 7, 31)), "asking alone opens nothing"
    assert code(ask(ledger, JULY, by="王会计")) == "REOPEN_ASKED"
    assert code(decide(ledger, JULY, by="张 会计")) == "FOUR_EYES"
    assert not isinstance(decide(ledger, JULY, by="李主任", agree=False), Refusal)
    assert not may_post(ledger, date(2024, 7, 31))
    ledger.run(lambda tx: ask_reopen(
        tx, AskReopen(admdvs=REGION, month=JULY, reason="漏记一笔"), actor=actor("张会计"), now=at("2024-08-06 09:00"),
        ids=CountingIds(300)))
    assert not isinstance(decide(ledger, JULY, by="李主任", ids=400), Refusal)
    assert may_post(ledger, date(2024, 7, 31))
    exported = ledger.run(lambda tx: export_vouchers(tx, admdvs=REGION, month=JULY))
    assert code(exported) == "MONTH_OPEN"
    assert code(close(ledger, AUGUST, "2024-09-01 09:00")) == "MONTH_NOT_NEXT"
    ledger.post("contribution", "2024-07-31 10:00", {"bank": -500, "310100": 500}, psn_no="E1")
    again = close(ledger, JULY, "2024-08-07 09:00")
    assert isinstance(first, ClosedMonth)
    assert isinstance(again, ClosedMonth)
    assert (again.month.revision, again.month.postings) == (2, first.month.postings + 1)
    assert again.month.digest != first.month.digest
    kept = ledger.fetch("select revision, carried_fen from closing.balance where fund = '310100' order by revision")
    assert kept == [(1, 39_750), (2, 40_250)]
    verbs = [row[0] for row in ledger.fetch("select verb from closing.event order by at, event_id")]
    assert sorted(verbs) == ["asked", "asked", "closed", "closed", "declined", "opened"]
    assert breaches(ledger) == CASES


def test_only_the_newest_month_is_opened(two_months: HandLedger) -> None:
    assert code(ask(two_months, JULY, by="张会计")) == "MONTH_NOT_LAST"


OPEN_THINGS = {
    "contributions.run": (
        "insert into contributions.run (admdvs, insutype, month, state, begun_at, policy_version) "
        "values ('370300', '310', '2024-07-01', 'begun', '2024-07-01', 'v')", {"assessment", "credit_run"}),
    "a bank that has not answered": (
        "insert into clearing.payment (payment_id, admdvs, fixmedins_code, file_no, amount_fen, state, made_at) "
        "values ('Y1', '370300', 'H1', 'F1', 100, 'ordered', '2024-07-20')", {"bank_institutions"}),
    "a payout under way": (
        "insert into exchange.payout (payout_id, admdvs, purpose, psn_no, payee_name, bank_name, bank_account, amount_fen, "
        "origin, state, file_id, ordered_by, ordered_at) values ('O1', '370300', 'withdrawal', 'P2', '某人', '示例银行', '62', "
        "1, 'W', 'sent', 'F', 'a', '2024-07-21')", {"bank_people"}),
    "a day nobody compared with the tax bureau": (
        "insert into contributions.payment (payment_id, admdvs, bill_id, payer_no, amount_fen, channel, paid_at, paid_on, "
        "recorded_at, state) values ('T1', '370300', 'B', 'E1', 5, 'app', '2024-07-09', '2024-07-09', '2024-07-09', "
        "'received')", {"tax_days"}),
    "a difference with the tax bureau": (
        "insert into contributions.work_case (case_id, admdvs, kind, says, state, opened_at) "
        "values ('C1', '370300', 'MISSING_HERE', '少一笔', 'open', '2024-07-09')", {"tax_differences"}),
    "an account that differs from its postings": (
        "update ledger.personal_account set balance_fen = balance_fen + 1 where psn_no = 'P1'", {"accounts"}),
    "a fund of another region": (
        "insert into ledger.posting (psn_no, posting_id, admdvs, kind, posted_at, accounts, amounts) values ('E9', 'other', "
        "'370300', 'contribution', '2024-07-15', array['bank:370300', 'fund:441300:310100'], array[-1::bigint, 1::bigint])",
        {"ledger"}),
}


@pytest.mark.parametrize("what", OPEN_THINGS)
def test_what_is_open_forbids_the_close_and_says_where(july: HandLedger, what: str) -> None:
    harm, codes = OPEN_THINGS[what]

    async def work(tx: asyncpg.Connection) -> ClosedMonth | Refusal:
        await tx.execute(harm)
        return await _close(tx)

    done = july.run(work, keep=False)
    assert isinstance(done, Refusal)
    assert {fault.field.removeprefix("checklist.") for fault in done.faults} == codes
    assert all(fault.code == "MONTH_NOT_READY" and fault.remedy and fault.received for fault in done.faults)


async def _close(tx: asyncpg.Connection) -> ClosedMonth | Refusal:
    command = CloseMonth(admdvs=REGION, month=JULY)
    return await close_month(tx, command, actor=actor("a"), now=at("2024-08-01 09:00"), ids=CountingIds())


def test_every_kind_of_posting_has_its_line(two_months: HandLedger) -> None:
    (row,) = two_months.fetch("select pg_get_constraintdef(oid) from pg_constraint where conname = 'posting_kind_check'")
    allowed = set(re.findall(r"'(\w+)'", row[0]))
    assert len(allowed) > 15
    assert allowed == set(flow_words().kinds)
