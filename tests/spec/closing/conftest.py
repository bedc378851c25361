"""A region's July and August of 2024, written by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.support.ledger import REGION, HandLedger, at
from yibao.kernel.actor import Actor
from yibao.kernel.ids import CountingIds
from yibao.kernel.refusal import Refusal
from yibao.usecases.closing.close_month import ClosedMonth, CloseMonth, close_month
from yibao.usecases.verification.closing_checks import CLOSING_CHECKS

JULY, AUGUST = date(2024, 7, 1), date(2024, 8, 1)


def actor(login: str) -> Actor:
    return Actor(login=login, channel="cli", regions=(REGION,))


def close(ledger: HandLedger, month: date, now: str, *, by: str = "张会计", keep: bool = True) -> ClosedMonth | Refusal:
    command = CloseMonth(admdvs=REGION, month=month)
    return ledger.run(
        lambda tx: close_month(tx, command, actor=actor(by), now=at(now), ids=CountingIds()), keep=keep
    )


CASES = {"报表的待遇支出等于当月各笔结算的基金和个人账户支付", "报表的保险费、财政补贴和滞纳金等于当月到账的各笔应缴"}
"""What ``verify`` must find in a ledger written by hand: there are no cases behind its postings."""


def breaches(ledger: HandLedger, *harm: str) -> set[str]:
    """Return which checks about closing find something, after some harm that is rolled back."""
    async def work(tx: Any) -> set[str]:
        for statement in harm:
            await tx.execute(statement)
        return {check.says for check in CLOSING_CHECKS if await tx.fetch(check.sql)}

    return ledger.run(work, keep=False)


def write_july(ledger: HandLedger) -> None:
    """Write July. Amounts in fen; the comment says what each is."""
    post = ledger.post
    post("opening", "2024-06-30 10:00", {"opening": -5_000, "account:P1": 5_000})  # before the first closed month
    # An employer's month: 8 % to the pool, 2 % to the accounts' fund, 3 yuan nobody can place yet.
    post("contribution", "2024-07-01 00:00", {"bank": -100_300, "310100": 80_000, "310200": 20_000, "unallocated": 300},
         psn_no="E1")
    post("surcharge", "2024-07-05 10:00", {"bank": -50, "310100": 50}, psn_no="E1")
    post("subsidy", "2024-07-06 10:00", {"bank": -64_000, "390100": 64_000}, psn_no="STATE")
    post("contribution", "2024-07-07 10:00", {"bank": -1_200, "330100": 1_200}, psn_no="E1")
    # P1 in service: 200 yuan into the account; P2 retired: 106 yuan out of the pool.
    post("account_credit", "2024-07-10 10:00", {"310200": -20_000, "account:P1": 20_000})
    post("account_credit", "2024-07-10 10:01", {"310100": -10_600, "account:P2": 10_600}, psn_no="P2")
    # A stay: pool 300, large amount 50, own account 40, owed to the hospital 390; then 30 of the pool's share again, undone.
    post("settlement", "2024-07-11 10:00", {"310100": -30_000, "330100": -5_000, "account:P1": -4_000, "payable:H1": 39_000})
    post("settlement", "2024-07-12 10:00", {"310100": -3_000, "payable:H1": 3_000})
    post("refund", "2024-07-12 11:00", {"310100": 3_000, "payable:H1": -3_000})
    post("settlement", "2024-07-13 10:00", {"390100": -7_000, "payable:H1": 7_000}, psn_no="P3")
    # Long-term care taken from the account; the rest of P2's account paid out; what could be placed placed.
    post("account_due", "2024-07-20 10:00", {"account:P1": -1_000, "419900": 1_000})
    post("withdrawal", "2024-07-21 10:00", {"account:P2": -10_600, "payout": 10_600}, psn_no="P2", posting_id="W1")
    post("contribution", "2024-07-31 23:59", {"unallocated": -300, "310100": 300}, psn_no="E1")
    post("contribution", "2024-08-01 00:00", {"bank": -999, "310100": 999}, psn_no="E1")  # already August


@pytest.fixture(scope="module")
def july(make_database_url: Callable[[], str]) -> HandLedger:
    """Return the ledger with July written, not closed."""
    ledger = HandLedger(make_database_url())
    ledger.do("insert into platform.region (admdvs, name) values ('370300', '淄博市')")
    write_july(ledger)
    return ledger


@pytest.fixture(scope="module")
def closed(make_database_url: Callable[[], str]) -> HandLedger:
    """Return a ledger of its own with July closed."""
    ledger = HandLedger(make_database_url())
    ledger.do("insert into platform.region (admdvs, name) values ('370300', '淄博市')")
    write_july(ledger)
    done = close(ledger, JULY, "2024-08-01 09:00")
    assert isinstance(done, ClosedMonth), done
    return ledger
