"""A day of the tax bureau beside ours: every kind of difference is named, worked and closed."""

from __future__ import annotations

import hashlib
from datetime import date

import pytest

from tests.spec.contributions.conftest import SHELF, TAX, Town
from tests.spec.contributions.test_assessment import assess
from yibao.usecases.contributions.receive_payment import PaymentReturned, return_payment
from yibao.usecases.contributions.reconcile_tax import Reconciled, Statement, StatementRow, reconcile_tax

DAY = date(2024, 7, 10)


def digest(rows: list[tuple[str, int]]) -> str:
    """Return the digest that the tax bureau makes of its rows."""
    return hashlib.new("sm3", "\n".join(sorted(f"{p},{fen}" for p, fen in rows)).encode()).hexdigest()


async def reconcile(town: Town, *rows: tuple[str, int], day: date = DAY, **wrong: object) -> Reconciled:
    """Hand in a statement of some rows; ``wrong`` replaces what the bureau should have said."""
    said: dict[str, object] = {"count": len(rows), "amount_fen": sum(f for _, f in rows), "digest": digest(list(rows))}
    statement = Statement(day=day, admdvs="370300", rows=tuple(StatementRow(payment_id=p, amount_fen=f) for p, f in rows),
                          **(said | wrong))  # type: ignore[arg-type]
    done = await town.deed(reconcile_tax, statement, on="2024-07-11", actor=TAX)
    assert isinstance(done, Reconciled)
    return done


@pytest.fixture
async def paid(town: Town) -> Town:
    """Three units that paid on one day: 500, 600 and 700 yuan."""
    for n, wage in (("1", 500_000), ("2", 600_000), ("3", 700_000)):
        await town.employer(f"E{n}")
        await town.person(emp_no=f"E{n}", wage_fen=wage)
    await assess(town, date(2024, 7, 1), "2024-07-03")
    await town.send("2024-07-04")
    for n in "123":
        bill = await town.bill(f"E{n}")
        await town.pay(f"P{n}", bill["bill_id"], bill["amount_fen"], on="2024-07-10", payer_no=f"E{n}")
    return town


async def test_two_books_that_agree(paid: Town) -> None:
    assert (await reconcile(paid, ("P1", 50_000), ("P2", 60_000), ("P3", 70_000))).differences == 0
    only_sums = Statement(day=DAY, admdvs="370300", count=3, amount_fen=180_000,
                          digest=digest([("P3", 70_000), ("P1", 50_000), ("P2", 60_000)]))
    assert (await paid.deed(reconcile_tax, only_sums, on="2024-07-11", actor=TAX)).differences == 0


async def test_each_difference_has_a_kind_and_closes_when_the_books_agree_again(paid: Town) -> None:
    bill = await paid.bill("E1")
    await paid.pay("P4", bill["bill_id"], 10, on="2024-07-09", payer_no="E1")
    done = await reconcile(paid, ("P1", 50_000), ("P1", 50_000), ("P2", 59_000), ("P9", 5), ("P4", 10))
    assert sorted(done.cases) == [
        "AMOUNT_DIFFERS/P2", "MISSING_HERE/P9", "MISSING_THERE/P3", "TWICE_IN_STATEMENT/P1", "WRONG_DAY/P4"]
    # The bureau tells the missing payment, takes back the one it never had, and sends the day anew.
    await paid.pay("P9", bill["bill_id"], 5, on="2024-07-10", payer_no="E1")
    await paid.deed(return_payment, PaymentReturned(payment_id="P3"), on="2024-07-11", actor=TAX, shelf=SHELF)
    again = await reconcile(paid, ("P1", 50_000), ("P2", 60_000), ("P9", 5))
    assert again.differences == 0
    assert {k for k in await paid.cases() if k not in ("OVER_PAYMENT", "DOUBLE_PAYMENT")} == set()
    assert sorted(k for k in await paid.cases("closed")) == sorted(
        ["AMOUNT_DIFFERS", "MISSING_HERE", "MISSING_THERE", "TWICE_IN_STATEMENT", "WRONG_DAY"])


async def test_wrong_totals_or_digest_are_not_compared(paid: Town) -> None:
    rows = (("P1", 50_000), ("P2", 60_000), ("P3", 70_000))
    assert (await reconcile(paid, *rows, amount_fen=180_001)).cases == ("STATEMENT_TOTAL/370300/2024-07-10",)
    assert (await reconcile(paid, *rows, digest="00")).cases == ("STATEMENT_DIGEST/370300/2024-07-10",)
    assert await paid.cases() == ["STATEMENT_DIGEST"]
    assert (await reconcile(paid, *rows)).differences == 0
    assert await paid.cases() == []


async def test_sums_without_rows_that_do_not_fit_ask_for_the_rows(paid: Town) -> None:
    short = Statement(day=DAY, admdvs="370300", count=2, amount_fen=110_000, digest="")
    assert (await paid.deed(reconcile_tax, short, on="2024-07-11", actor=TAX)).cases == ("STATEMENT_TOTAL/370300/2024-07-10",)
