"""An agency's postings: they sum to zero and touch no person."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from yibao.ledger.operations import post
from yibao.ledger.posting import Posting, agency_posting, bank, fund_account

AT = datetime(2026, 2, 3, tzinfo=UTC)


def made(kind: str, *legs: tuple[str, int]) -> Posting | None:
    return agency_posting(kind, posting_id="1", admdvs="370300", fixmedins_code="H1", posted_at=AT, legs=legs)


def test_a_payment_takes_from_the_payable() -> None:
    posting = made("payment", (bank("370300"), 500))
    assert posting is not None
    assert (posting.psn_no, posting.accounts, posting.amounts) == ("H1", ["bank:370300", "payable:H1"], [500, -500])


def test_a_deduction_gives_back_to_each_fund_once() -> None:
    a, b = fund_account("370300", "310100"), fund_account("370300", "330100")
    posting = made("deduction", (a, 3), (b, 4), (a, 5))
    assert posting is not None
    assert dict(zip(posting.accounts, posting.amounts, strict=True)) == {a: 8, b: 4, "payable:H1": -12}


def test_what_moves_between_funds_only_leaves_the_payable_alone() -> None:
    a, b = fund_account("370300", "310100"), fund_account("370300", "330100")
    posting = made("deduction", (a, 3), (b, -3))
    assert posting is not None
    assert posting.accounts == [a, b]


def test_nothing_to_move_is_no_posting() -> None:
    assert made("deduction") is None
    assert made("deduction", ("x", 5), ("x", -5)) is None


@pytest.mark.parametrize("amounts", [[5, -4], [5, -5]])
async def test_the_ledger_refuses_a_sum_that_is_not_zero_and_personal_accounts(amounts: list[int]) -> None:
    posting = Posting("P", "1", "370300", "payment", AT, None, None, ["account:P", "payable:H1"], amounts, 0)
    with pytest.raises(AssertionError):
        await post(None, posting)  # type: ignore[arg-type]
